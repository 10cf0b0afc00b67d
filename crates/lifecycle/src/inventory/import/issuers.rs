//! Who signed what is imported: our own issuers, and CA certificates that come along.

use std::collections::HashMap;
use std::sync::Arc;

use domain::certificate::Chain;
use domain::id::IssuerId;
use pki::certificate::Certificate;
use pki::fingerprint::Fingerprint;

use super::judge::Candidate;
use crate::issuers::ConnectedIssuer;

/// More CA certificates than an import sensibly has.
const MOST: usize = 2_000;
const LONGEST_CHAIN: usize = 8;

/// CA certificates by their name.
#[derive(Default)]
pub(super) struct Issuers {
    by_subject: HashMap<Vec<u8>, Vec<Authority>>,
    /// What stands from a CA certificate on upwards, itself included.
    upwards: HashMap<Fingerprint, Chain>,
    count: usize,
}

#[derive(Clone)]
struct Authority {
    certificate: Arc<Certificate>,
    fingerprint: Fingerprint,
    /// The configured issuer, where it is one of ours.
    issuer: Option<IssuerId>,
}

/// The CA that signed a certificate.
pub(super) struct Signer {
    pub(super) chain: Chain,
    pub(super) issuer: Option<IssuerId>,
}

impl Issuers {
    /// Our own.
    pub(super) fn new(connected: &[Arc<ConnectedIssuer>]) -> Self {
        let mut issuers = Self::default();
        for connected in connected {
            for (place, der) in connected
                .connector
                .chain()
                .certificates()
                .iter()
                .enumerate()
            {
                let Ok(certificate) = Certificate::from_der(der) else {
                    continue;
                };
                let own = (place == 0).then(|| connected.issuer.id.clone());
                issuers.add(Arc::new(certificate), own);
            }
        }
        issuers
    }

    /// Takes in the CA certificates of an upload.
    pub(super) fn learn(&mut self, candidates: &[Candidate]) {
        for certificate in candidates.iter().filter_map(Candidate::parsed) {
            if certificate.is_ca && self.count < MOST {
                self.add(Arc::clone(certificate), None);
            }
        }
    }

    /// Who signed a certificate, verified.
    pub(super) fn signer_of(&mut self, certificate: &Certificate) -> Option<Signer> {
        let signed_by = self.authority_over(certificate)?;
        let chain = self.upwards_from(&signed_by);
        Some(Signer {
            chain,
            issuer: signed_by.issuer,
        })
    }

    fn add(&mut self, certificate: Arc<Certificate>, issuer: Option<IssuerId>) {
        let fingerprint = certificate.fingerprint();
        let named = self
            .by_subject
            .entry(certificate.subject_der.clone())
            .or_default();
        match named.iter_mut().find(|a| a.fingerprint == fingerprint) {
            Some(known) => known.issuer = known.issuer.take().or(issuer),
            None => {
                named.push(Authority {
                    certificate,
                    fingerprint,
                    issuer,
                });
                self.count += 1;
                // A chain that ended here may go further now.
                self.upwards.clear();
            }
        }
    }

    fn authority_over(&self, certificate: &Certificate) -> Option<Authority> {
        let named = self.by_subject.get(&certificate.issuer_der)?;
        let is_itself = |authority: &Authority| authority.certificate.der == certificate.der;
        let signed = named.iter().find(|authority| {
            !is_itself(authority) && certificate.is_signed_by(&authority.certificate)
        });
        signed.cloned()
    }

    fn upwards_from(&mut self, authority: &Authority) -> Chain {
        if let Some(chain) = self.upwards.get(&authority.fingerprint) {
            return chain.clone();
        }
        let mut chain = vec![authority.certificate.der.clone()];
        let mut top = authority.clone();
        while chain.len() < LONGEST_CHAIN
            && !top.certificate.is_self_issued()
            && let Some(above) = self.authority_over(&top.certificate)
            && !chain.contains(&above.certificate.der)
        {
            chain.push(above.certificate.der.clone());
            top = above;
        }
        let chain = Chain::new(chain);
        self.upwards.insert(authority.fingerprint, chain.clone());
        chain
    }
}
