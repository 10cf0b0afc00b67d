//! The other side of a validation: a web server and a name server that say yes to everything the driver orders.

pub mod dns;
pub mod http;
