//! What CAs elsewhere publish about revocations: whether it is there, fresh and signed as it should be.
//!
//! Where to look is taken from certificates that the CA issued of late, as those who rely on them do.

use std::time::Duration;

use domain::certificate::{CertificateStatus, InventoryCertificate};
use domain::issuer::published::{Published, PublishedKind};
use domain::issuer::{Aspect, CheckReport, Outcome};
use futures::future::join_all;
use pki::certificate::Certificate;
use pki::crl::Crl;
use pki::ocsp::{CertStatus, OcspDigest, OcspIssuer, OcspRequest, OcspResponse};
use pki::time::Timestamp;
use store::StoreError;
use store::certificates::CertificateFilter;

use crate::Lifecycle;
use crate::issuers::ConnectedIssuer;

/// A certificate to look with, and the CA certificate above it.
struct Sample {
    certificate: Certificate,
    issuer: Option<Certificate>,
}

/// How an address was found.
enum Found {
    Good(Fresh),
    Unreached(String),
    Wrong(String),
}

/// What is in order, and for how long.
struct Fresh {
    until: Option<Timestamp>,
    number: Option<String>,
}

impl Lifecycle {
    /// Looks at the addresses that the CA's newest certificates name.
    pub(super) async fn examine_published(
        &self,
        connected: &ConnectedIssuer,
        before: &[Published],
        report: &mut CheckReport,
    ) -> Result<Vec<Published>, StoreError> {
        let samples = self.newest_of(connected).await?;
        let places = places(&samples);
        if places.is_empty() {
            if let Some(text) = without_places(&samples) {
                report.note(Aspect::Revocation, Outcome::Warning, text);
            }
            return Ok(Vec::new());
        }
        let looks = places.iter().map(|place| self.look_at_place(place));
        let found = join_all(looks).await;
        let now = self.now();
        let found = places.iter().zip(found);
        Ok(found
            .map(|((kind, url, _), found)| {
                let known = before.iter().find(|b| b.kind == *kind && b.url == *url);
                judge(*kind, url, found, known, now, report)
            })
            .collect())
    }

    async fn newest_of(&self, connected: &ConnectedIssuer) -> Result<Vec<Sample>, StoreError> {
        let filter = CertificateFilter {
            issuer: Some(connected.issuer.id.clone()),
            status: Some((CertificateStatus::Valid, self.now())),
            ..CertificateFilter::default()
        };
        let newest = self
            .store
            .read("issuer.newest", |tx| {
                Box::pin(async move { tx.list_certificates(&filter, None, SAMPLES).await })
            })
            .await?;
        let mut samples = Vec::new();
        for one in newest {
            samples.extend(self.sample(connected, &one).await?);
        }
        Ok(samples)
    }

    async fn sample(
        &self,
        connected: &ConnectedIssuer,
        one: &InventoryCertificate,
    ) -> Result<Option<Sample>, StoreError> {
        let Ok(certificate) = Certificate::from_der(&one.der) else {
            return Ok(None);
        };
        let chain = self.certificate_chain(one).await?;
        let own = connected.connector.chain().certificates();
        let issuer = chain
            .certificates()
            .iter()
            .skip(1)
            .chain(own)
            .filter_map(|der| Certificate::from_der(der).ok())
            .find(|candidate| certificate.is_signed_by(candidate));
        Ok(Some(Sample {
            certificate,
            issuer,
        }))
    }

    async fn look_at_place(&self, (kind, url, sample): &Place<'_>) -> Found {
        let Some(issuer) = &sample.issuer else {
            return Found::Wrong(
                "whether the CA signed it cannot be told, its certificate is not known: give it with \
                 `certwright issuer update NAME --certificates ca.pem`"
                    .to_owned(),
            );
        };
        match kind {
            PublishedKind::Crl => match self.published.crl(url).await {
                Ok(octets) => judge_crl(&octets, issuer, self.now()),
                Err(fault) => Found::Unreached(fault.to_string()),
            },
            PublishedKind::Ocsp => {
                let ids = OcspIssuer::from_certificate(issuer);
                // SHA-1 is what every responder understands; nothing relies on its strength here.
                let id = ids.cert_id(OcspDigest::Sha1, &sample.certificate.serial);
                let request = OcspRequest {
                    cert_ids: vec![id],
                    nonce: None,
                };
                match self.published.ocsp(url, request.to_der()).await {
                    Ok(octets) => judge_ocsp(&octets, sample, issuer, self.now()),
                    Err(fault) => Found::Unreached(fault.to_string()),
                }
            }
        }
    }
}

type Place<'a> = (PublishedKind, String, &'a Sample);

/// Every address once, with the newest certificate that names it.
fn places(samples: &[Sample]) -> Vec<Place<'_>> {
    let mut places: Vec<Place<'_>> = Vec::new();
    for sample in samples {
        let crls = sample.certificate.crl_urls.iter();
        let ocsp = sample.certificate.ocsp_urls.iter();
        let both = crls
            .map(|url| (PublishedKind::Crl, url))
            .chain(ocsp.map(|url| (PublishedKind::Ocsp, url)));
        for (kind, url) in both {
            let is_web = url.starts_with("http://") || url.starts_with("https://");
            let is_new = !places.iter().any(|(k, u, _)| *k == kind && u == url);
            if is_web && is_new && places.len() < MAX_PLACES {
                places.push((kind, url.clone(), sample));
            }
        }
    }
    places
}

/// What there is to say where no certificate names an address that can be fetched.
fn without_places(samples: &[Sample]) -> Option<&'static str> {
    let newest = &samples.first()?.certificate;
    if newest.not_after.since(newest.not_before) <= SHORT_LIVED {
        return None;
    }
    Some(match newest.crl_urls.is_empty() {
        true => {
            "its certificates name neither a CRL nor an OCSP responder: nobody who relies on them \
             learns of a revocation; have the CA write these addresses"
        }
        false => {
            "its certificates name CRLs that are not on the web (ldap?): they are not looked at here"
        }
    })
}

fn judge_crl(octets: &[u8], issuer: &Certificate, now: Timestamp) -> Found {
    let crl = match Crl::from_der(octets) {
        Ok(crl) => crl,
        Err(error) => return Found::Wrong(format!("what is there is no CRL in DER: {error}")),
    };
    if crl.issuer_der != issuer.subject_der {
        return Found::Wrong(format!("it is a CRL of `{}`, another CA", crl.issuer));
    }
    if !crl.is_signed_with(&issuer.public_key) {
        return Found::Wrong(
            "it is not signed by the CA's key: clients that look refuse it; publish the CRL of the \
             key that signs now"
                .to_owned(),
        );
    }
    let number = crl.number.as_deref().map(number_text);
    in_time(crl.this_update, crl.next_update, number, now)
}

/// A CRL number as people write it: decimal, as far as anybody counts.
fn number_text(octets: &[u8]) -> String {
    let digits = octets.iter().skip_while(|octet| **octet == 0);
    let value = digits.clone().count() <= size_of::<u128>();
    if value {
        let value = digits.fold(0u128, |value, octet| value << 8 | u128::from(*octet));
        return value.to_string();
    }
    format!("0x{}", data_encoding::HEXLOWER.encode(octets))
}

fn judge_ocsp(octets: &[u8], sample: &Sample, issuer: &Certificate, now: Timestamp) -> Found {
    let response = match OcspResponse::from_der(octets) {
        Ok(response) => response,
        Err(error) => return Found::Wrong(error.to_string()),
    };
    if let Err(fault) = response.check_responder(issuer, now) {
        return Found::Wrong(format!("its answer is not to be relied on: {fault}"));
    }
    let serial = &sample.certificate.serial;
    let Some(known) = response.status_of(&OcspIssuer::from_certificate(issuer), serial) else {
        return Found::Wrong(format!(
            "its answer is not about the certificate asked about ({serial})"
        ));
    };
    match known.status {
        CertStatus::Unknown => Found::Wrong(format!(
            "it does not know the certificate {serial}, which the CA issued: does it see the CA's data?"
        )),
        CertStatus::Revoked { at, .. } => Found::Wrong(format!(
            "it says that {serial} is revoked since {at}, which is not known here: \
             `certwright issuer sync` where the CA has a list"
        )),
        CertStatus::Good => in_time(known.this_update, known.next_update, None, now),
    }
}

fn in_time(
    begins: Timestamp,
    until: Option<Timestamp>,
    number: Option<String>,
    now: Timestamp,
) -> Found {
    if begins > now + SKEW {
        return Found::Wrong(format!(
            "it begins in the future, at {begins}: look at both clocks"
        ));
    }
    match until {
        Some(ends) if ends <= now => Found::Wrong(format!(
            "it is stale since {ends}: clients refuse certificates until a new one is published"
        )),
        until => Found::Good(Fresh { until, number }),
    }
}

/// Writes down how an address was found. One that is not reached is a fault from the second time on:
/// a moment's loss is no news.
fn judge(
    kind: PublishedKind,
    url: &str,
    found: Found,
    before: Option<&Published>,
    now: Timestamp,
    report: &mut CheckReport,
) -> Published {
    let mut published = Published {
        kind,
        url: url.to_owned(),
        number: None,
        fresh_until: None,
        problem: None,
        unreached_since: None,
    };
    let title = kind.title();
    match found {
        Found::Good(Fresh { until, number }) => {
            published.fresh_until = until;
            published.number = number;
            report.passed(Aspect::Revocation, format!("{title} {url} is in order"));
        }
        Found::Wrong(text) => {
            report.failed(Aspect::Revocation, format!("{title} {url}: {text}"));
            published.problem = Some(text);
        }
        Found::Unreached(text) => {
            let since = before.and_then(|before| before.unreached_since);
            let outcome = match since {
                Some(_) => Outcome::Failed,
                None => Outcome::Warning,
            };
            let since = since.unwrap_or(now);
            let told = format!("{title} {url} is not reached since {since}: {text}");
            report.note(Aspect::Revocation, outcome, told);
            published.problem = Some(text);
            published.unreached_since = Some(since);
            published.fresh_until = before.and_then(|before| before.fresh_until);
            published.number = before.and_then(|before| before.number.clone());
        }
    }
    published
}

/// CAs that share their CRLs out name several addresses.
const SAMPLES: u32 = 5;
const MAX_PLACES: usize = 8;
/// Clocks of honest CAs are so far apart at most.
const SKEW: Duration = Duration::from_secs(5 * 60);
/// What lives no longer needs no revocation.
const SHORT_LIVED: Duration = Duration::from_secs(10 * 24 * 60 * 60);
