//! Enrolling without accounts, for EST and SCEP: entry points, who comes in there, and what they ask for.
//!
//! The protocols differ in how a client shows who it is and how it is answered. What it may ask for, and
//! that the same request is one enrollment however often it is sent, is the same and decided here.

pub mod ask;
pub mod entry_points;
mod lookup;
pub mod passwords;
pub mod prove;
pub mod ra;

pub use ask::{AskError, ClientAsk, Renewal};
pub use prove::{Client, ProofError};
pub use ra::{RaError, RegistrationAuthority};

use domain::certificate::Chain;
use domain::profile::Profile;
use store::StoreError;

use crate::Lifecycle;

impl Lifecycle {
    /// The certificates of the CAs that may sign under a profile: each chain from the CA that signs to its
    /// root, none twice. What a client is to trust and to send along.
    pub async fn ca_certificates(&self, profile: &Profile) -> Result<Chain, StoreError> {
        let connected = self.connected_issuers().await?;
        let mut found: Vec<Vec<u8>> = Vec::new();
        for choice in &profile.spec.issuers {
            let issuer = connected.iter().find(|c| c.issuer.name == choice.issuer);
            let chain = issuer.map(|issuer| issuer.connector.chain());
            for der in chain.iter().flat_map(|chain| chain.certificates()) {
                if !found.contains(der) {
                    found.push(der.clone());
                }
            }
        }
        Ok(Chain::new(found))
    }
}
