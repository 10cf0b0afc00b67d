//! The URLs of ACME resources. Clients get them from us and never make them up.

use domain::acme::challenge::ChallengeKind;
use domain::id::{AccountId, AuthorizationId, CertificateId, OrderId};

/// URLs below one directory.
#[derive(Clone, Debug)]
pub(crate) struct Urls {
    base: String,
}

impl Urls {
    pub(crate) fn new(public_url: &str, directory: &str) -> Self {
        Self {
            base: format!("{public_url}/acme/{directory}"),
        }
    }

    pub(crate) fn directory(&self) -> String {
        self.at("directory")
    }

    /// One of the directory's own resources, by its last part.
    pub(crate) fn at(&self, resource: &str) -> String {
        format!("{}/{resource}", self.base)
    }

    pub(crate) fn account(&self, id: &AccountId) -> String {
        format!("{}/account/{id}", self.base)
    }

    /// The id in an account's URL; the URL has to be ours to the octet.
    pub(crate) fn account_id(&self, url: &str) -> Option<AccountId> {
        url.strip_prefix(&self.base)?
            .strip_prefix("/account/")?
            .parse()
            .ok()
    }

    pub(crate) fn orders(&self, id: &AccountId) -> String {
        format!("{}/account/{id}/orders", self.base)
    }

    pub(crate) fn order(&self, id: &OrderId) -> String {
        format!("{}/order/{id}", self.base)
    }

    pub(crate) fn finalize(&self, id: &OrderId) -> String {
        format!("{}/order/{id}/finalize", self.base)
    }

    pub(crate) fn authorization(&self, id: &AuthorizationId) -> String {
        format!("{}/authz/{id}", self.base)
    }

    pub(crate) fn challenge(&self, id: &AuthorizationId, kind: ChallengeKind) -> String {
        format!("{}/challenge/{id}/{kind}", self.base)
    }

    pub(crate) fn certificate(&self, id: &CertificateId) -> String {
        format!("{}/certificate/{id}", self.base)
    }

    pub(crate) fn alternate(&self, id: &CertificateId, number: usize) -> String {
        format!("{}/certificate/{id}/alternate/{number}", self.base)
    }
}
