//! Reading one certificate of an upload, and what is said of it.

use std::sync::Arc;

use domain::certificate::{Chain, InventoryCertificate, Origin};
use domain::id::CertificateId;
use domain::metadata::{Fields, Values};
use pki::certificate::Certificate;
use pki::fingerprint::Fingerprint;
use pki::key::weak;
use pki::random::Random;
use pki::time::Timestamp;

use super::issuers::Issuers;
use super::piece::Summary;
use super::{ImportRules, Judged, Piece, Verdict, normal};
use crate::inventory::entry::entry;

/// A part of an upload on its way into the inventory.
#[derive(Clone)]
pub(super) struct Candidate {
    place: String,
    parsed: Option<Arc<Certificate>>,
    entry: Option<Arc<InventoryCertificate>>,
    chain: Option<Chain>,
    /// Set once it is sure that it is not new.
    verdict: Option<Verdict>,
}

/// PostgreSQL's trees take no longer keys.
const LONGEST_NAME: usize = 1_000;
const MOST_NAMES: usize = 10_000;

pub(super) const UNDER_WAY: &str =
    "one of our issuers is about to issue this certificate; it comes into the inventory by itself";

/// Reads a part.
pub(super) fn read(
    piece: Piece,
    rules: &ImportRules,
    fields: &Fields,
    now: Timestamp,
    random: &dyn Random,
) -> Candidate {
    let (place, der, metadata) = match piece {
        Piece::Certificate {
            place,
            der,
            metadata,
        } => (place, der, metadata),
        Piece::Broken { place, reason } => return Candidate::broken(place, reason),
        Piece::Secrets(count) => {
            let reason = format!("{count} private keys are no certificates");
            return Candidate::broken("keys".to_owned(), reason);
        }
    };
    let parsed = match Certificate::from_der(&der) {
        Ok(certificate) => Arc::new(certificate),
        Err(error) => return Candidate::broken(place, error.to_string()),
    };
    let entry = merged(fields, &rules.metadata, &metadata)
        .and_then(|values| candidate_entry(&parsed, rules, values, now, random));
    match entry {
        Ok(entry) => Candidate {
            place,
            parsed: Some(parsed),
            entry: Some(Arc::new(entry)),
            chain: None,
            verdict: None,
        },
        Err(reason) => Candidate::broken(place, reason),
    }
}

/// Values of the whole import, and over them those of the certificate.
fn merged(fields: &Fields, all: &Values, own: &Values) -> Result<Values, String> {
    let own = normal(fields, own).map_err(|faults| faults.join("; "))?;
    let mut values = all.clone();
    values.extend(own);
    Ok(values)
}

fn candidate_entry(
    certificate: &Certificate,
    rules: &ImportRules,
    metadata: Values,
    now: Timestamp,
    random: &dyn Random,
) -> Result<InventoryCertificate, String> {
    let entry = entry(certificate, Origin::Imported, now, random);
    check_texts(&entry.names, &entry.subject, &entry.issuer_name)?;
    Ok(InventoryCertificate {
        is_weak: weak::check(&certificate.public_key).is_err(),
        metadata,
        team_id: rules.team.clone(),
        ..entry
    })
}

/// Texts that no database can hold or find.
fn check_texts(names: &[String], subject: &str, issuer: &str) -> Result<(), String> {
    if names.len() > MOST_NAMES {
        return Err(format!("the certificate has more than {MOST_NAMES} names"));
    }
    let mut texts = names.iter().map(String::as_str).chain([subject, issuer]);
    if texts.any(|text| text.contains('\0')) {
        return Err("a name in the certificate holds a NUL character".to_owned());
    }
    match names.iter().any(|name| name.len() > LONGEST_NAME) {
        true => Err(format!(
            "the certificate has a name of more than {LONGEST_NAME} octets"
        )),
        false => Ok(()),
    }
}

/// Issuer and serial number, which together name a certificate (RFC 5280 section 4.1.2.2).
pub(super) fn identity(certificate: &InventoryCertificate) -> Fingerprint {
    let text = format!("{}\n{}", certificate.serial, certificate.issuer_name);
    Fingerprint::of(text.as_bytes())
}

/// What is said of a certificate that is not the one it claims to be.
pub(super) fn impostor(certificate: &InventoryCertificate, known: &CertificateId) -> String {
    format!(
        "the inventory knows serial number {} of this issuer as {known}, with other content; an \
         issuer gives a number once, so one of the two is no certificate of it",
        certificate.serial
    )
}

impl Candidate {
    fn broken(place: String, reason: String) -> Self {
        Self {
            place,
            parsed: None,
            entry: None,
            chain: None,
            verdict: Some(Verdict::Broken(reason)),
        }
    }

    /// Adds what is known of who signed it.
    pub(super) fn below(mut self, issuers: &mut Issuers) -> Self {
        let (Some(parsed), Some(entry)) = (&self.parsed, &mut self.entry) else {
            return self;
        };
        let Some(signer) = issuers.signer_of(parsed) else {
            return self;
        };
        let entry = Arc::make_mut(entry);
        entry.chain_id = Some(signer.chain.id());
        if signer.issuer.is_some() {
            entry.issuer_id = signer.issuer;
            // To have a copy of a certificate is no claim to it.
            entry.team_id = None;
        }
        self.chain = Some(signer.chain);
        self
    }

    pub(super) fn parsed(&self) -> Option<&Arc<Certificate>> {
        self.parsed.as_ref()
    }

    pub(super) fn chain(&self) -> Option<&Chain> {
        self.chain.as_ref()
    }

    /// The certificate, as long as nothing speaks against its being new.
    pub(super) fn new_certificate(&self) -> Option<&InventoryCertificate> {
        match self.verdict {
            None => self.entry.as_deref(),
            Some(_) => None,
        }
    }

    pub(super) fn decide(&mut self, verdict: Verdict) {
        self.verdict = Some(verdict);
    }

    /// What the inventory calls it, if it was known.
    pub(super) fn known_as(&self) -> Option<(Fingerprint, CertificateId)> {
        match (&self.verdict, &self.entry) {
            (Some(Verdict::Known(id)), Some(entry)) => Some((entry.fingerprint, id.clone())),
            (Some(Verdict::New(_) | Verdict::Broken(_) | Verdict::Known(_)) | None, _) => None,
        }
    }

    pub(super) fn into_judged(self) -> Judged {
        let chain = self.chain.as_ref().map_or(0, |c| c.certificates().len());
        let certificate = self.entry.as_ref().map(|entry| Summary {
            fingerprint: entry.fingerprint,
            subject: entry.subject.clone(),
            names: entry.names.clone(),
            issuer_name: entry.issuer_name.clone(),
            not_after: entry.not_after,
            chain,
            is_ours: entry.issuer_id.is_some(),
            is_weak: entry.is_weak,
        });
        let verdict = match (self.verdict, self.entry) {
            (Some(verdict), _) => verdict,
            (None, Some(entry)) => Verdict::New(entry.id.clone()),
            (None, None) => Verdict::Broken("nothing was read".to_owned()),
        };
        Judged {
            place: self.place,
            verdict,
            certificate,
        }
    }
}
