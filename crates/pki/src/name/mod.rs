//! Names in certificates: distinguished names and the forms of subjectAltName.

mod attribute;
mod constraining;
mod device;
mod distinguished;
mod general;
mod subtree;

pub(crate) use attribute::is_printable;
pub use attribute::{Attribute, AttributeValue};
pub use device::{DeviceNameFault, HardwareModule, PermanentIdentifier};
pub use distinguished::{DistinguishedName, DistinguishedNameError};
pub use general::{GeneralName, GeneralNameError};
pub use subtree::{NameConstraints, NameSubtree};
