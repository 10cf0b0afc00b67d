//! What a server says of itself: abilities (RFC 8894 section 3.5) and certificates (section 4.2), believed as
//! far as they lead to the certificate that the operator named.

use std::sync::Arc;
use std::time::Duration;

use data_encoding::HEXLOWER_PERMISSIVE;
use domain::certificate::Chain;
use domain::issuer::IssueError;
use http::{Method, Request, Response, StatusCode};
use pki::certificate::{Certificate, KeyUsage};
use pki::cms::{ContentCipher, SignedData};
use pki::key::KeyKind;
use pki::time::Timestamp;

use super::{ScepConnector, malformed};
use crate::issuer::remote;
use crate::net::excerpt;

/// The abilities of a server, by their names.
#[derive(Clone, Debug, Default)]
pub(super) struct Capabilities(Vec<String>);

/// A CA with whoever speaks for it.
#[derive(Clone, Debug)]
pub(super) struct Authority {
    pub(super) capabilities: Capabilities,
    /// Everything that the server shows.
    shown: Vec<Certificate>,
    /// Whose answers are believed: the CA, and what leads to it from below.
    pub(super) trusted: Vec<Certificate>,
}

/// What was learned, and when.
pub(super) struct Known {
    at: Timestamp,
    authority: Arc<Authority>,
}

impl Capabilities {
    fn read(text: &[u8]) -> Self {
        let text = String::from_utf8_lossy(text);
        let lines = text.lines().map(|line| line.trim().to_ascii_lowercase());
        Self(lines.filter(|line| !line.is_empty()).take(64).collect())
    }

    fn has(&self, names: &[&str]) -> bool {
        names
            .iter()
            .any(|name| self.0.iter().any(|one| one == name))
    }

    /// `SCEPStandard` stands for AES, POST and SHA-256.
    pub(super) fn takes_post(&self) -> bool {
        self.has(&["postpkioperation", "scepstandard"])
    }

    pub(super) fn knows_renewal(&self) -> bool {
        self.has(&["renewal"])
    }

    pub(super) fn knows_sha256(&self) -> bool {
        self.has(&["sha-256", "sha-512", "scepstandard"])
    }

    /// The cipher for what is sent; `None` where the server has none that may be used.
    pub(super) fn cipher(&self, old_algorithms: bool) -> Option<ContentCipher> {
        if self.has(&["aes", "scepstandard"]) {
            return Some(ContentCipher::Aes128Cbc);
        }
        old_algorithms.then_some(ContentCipher::TripleDesCbc)
    }
}

impl Authority {
    /// The certificate that messages are encrypted for: that of a registration authority before the CA's own.
    pub(super) fn recipient(&self) -> Option<&Certificate> {
        let may_decrypt = |one: &&Certificate| {
            let usage = one.key_usage;
            matches!(one.public_key.kind(), KeyKind::Rsa { .. })
                && (one.is_ca || usage.is_none_or(|u| u.contains(KeyUsage::KEY_ENCIPHERMENT)))
        };
        let mut fit = self.trusted.iter().filter(may_decrypt);
        let authority = fit.clone().find(|one| !one.is_ca);
        authority.or_else(|| fit.next())
    }

    /// The CA that signs certificates, and those above it.
    pub(super) fn chain(&self) -> Result<Chain, IssueError> {
        let mut authorities = self.trusted.iter().filter(|one| one.is_ca);
        let lowest = authorities.clone().find(|one| {
            let mut others = authorities.clone();
            !others.any(|other| other.der != one.der && other.is_signed_by(one))
        });
        let lowest = lowest.or_else(|| authorities.next());
        let lowest = lowest.or_else(|| self.shown.iter().find(|one| one.is_ca));
        let Some(lowest) = lowest else {
            return Err(malformed("it shows no certificate of a CA"));
        };
        let mut chain = vec![lowest.der.clone()];
        chain.extend(self.above(&lowest.der));
        Ok(Chain::new(chain))
    }

    /// What leads up from a certificate.
    pub(super) fn above(&self, der: &[u8]) -> Vec<Vec<u8>> {
        let others = self.shown.iter().filter(|one| one.der != der);
        remote::path_above(der, others.map(|one| one.der.clone()).collect())
    }
}

impl ScepConnector {
    /// What is known of the server, asked anew after ten minutes or where it is `stale`.
    pub(super) async fn authority(&self, stale: bool) -> Result<Arc<Authority>, IssueError> {
        let mut known = self.known.lock().await;
        let now = self.clock.now();
        if let Some(known) = &*known
            && !stale
            && now < known.at + KEPT
        {
            return Ok(Arc::clone(&known.authority));
        }
        let authority = Arc::new(self.fetch_authority(now).await?);
        *known = Some(Known {
            at: now,
            authority: Arc::clone(&authority),
        });
        Ok(authority)
    }

    async fn fetch_authority(&self, now: Timestamp) -> Result<Authority, IssueError> {
        // A server that has no abilities to tell may answer anything (section 3.5.2).
        let told = self.get("GetCACaps").await?;
        let status = told.status();
        let capabilities = match status.is_success() {
            true => Capabilities::read(told.body()),
            // One that is out of order or in haste has said nothing about what it can do.
            false if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                let said = excerpt(told.body());
                let text = format!("the SCEP server answers GetCACaps with {status}: {said}");
                return Err(IssueError::NotReached(text));
            }
            false => Capabilities::default(),
        };
        let answer = self.get("GetCACert").await?;
        if !answer.status().is_success() {
            return Err(IssueError::Unavailable(format!(
                "the SCEP server answers GetCACert with {}: {}",
                answer.status(),
                excerpt(answer.body())
            )));
        }
        let shown = certificates(answer.body())?;
        let trusted = self.trusted(&shown, now)?;
        Ok(Authority {
            capabilities,
            shown,
            trusted,
        })
    }

    /// The certificate that the operator named, and those that lead to it.
    fn trusted(
        &self,
        shown: &[Certificate],
        now: Timestamp,
    ) -> Result<Vec<Certificate>, IssueError> {
        let named = HEXLOWER_PERMISSIVE
            .decode(self.config.ca_fingerprint.as_bytes())
            .unwrap_or_default();
        let is_named = |one: &&Certificate| one.fingerprint().0.as_slice() == named.as_slice();
        let Some(anchor) = shown.iter().find(is_named) else {
            let others: Vec<String> = shown
                .iter()
                .map(|one| format!("`{}` {}", one.subject, one.fingerprint()))
                .collect();
            return Err(IssueError::Unavailable(format!(
                "the SCEP server shows no certificate with the `ca_fingerprint` of the settings, but {}",
                others.join(", ")
            )));
        };
        let mut trusted = vec![anchor.clone()];
        loop {
            let further = shown.iter().find(|one| {
                let is_known = trusted.iter().any(|known| known.der == one.der);
                let mut above = trusted.iter().filter(|known| known.is_ca);
                !is_known && above.any(|known| one.is_signed_by(known))
            });
            match further {
                Some(further) => trusted.push(further.clone()),
                None => break,
            }
        }
        trusted.retain(|one| (one.not_before..=one.not_after).contains(&now));
        match trusted.is_empty() {
            true => Err(IssueError::Unavailable(
                "the certificate that `ca_fingerprint` names is not valid now".to_owned(),
            )),
            false => Ok(trusted),
        }
    }

    async fn get(&self, operation: &str) -> Result<Response<Vec<u8>>, IssueError> {
        let mut query = vec![("operation", operation)];
        if let Some(identifier) = &self.config.ca_identifier {
            query.push(("message", identifier));
        }
        let request = Request::builder()
            .method(Method::GET)
            .uri(self.url(&query)?)
            .body(Vec::new())
            .map_err(malformed)?;
        self.http.send(request).await
    }

    /// The server's URL with a query.
    pub(super) fn url(&self, query: &[(&str, &str)]) -> Result<String, IssueError> {
        let url = url::Url::parse_with_params(&self.config.url, query);
        url.map(String::from)
            .map_err(|error| IssueError::Refused(format!("the URL cannot be used: {error}")))
    }
}

/// One certificate, or a bundle of several.
fn certificates(octets: &[u8]) -> Result<Vec<Certificate>, IssueError> {
    if let Ok(one) = Certificate::from_der(octets) {
        return Ok(vec![one]);
    }
    let bundle = SignedData::from_ber(octets).map_err(malformed)?;
    if bundle.certificates.len() > MAX_SHOWN {
        return Err(malformed("it shows more certificates than any CA has"));
    }
    bundle
        .certificates
        .iter()
        .map(|der| Certificate::from_der(der).map_err(malformed))
        .collect()
}

const KEPT: Duration = Duration::from_secs(10 * 60);
const MAX_SHOWN: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triple_des_is_used_only_where_there_is_nothing_better_and_it_is_allowed() {
        let modern = Capabilities::read(b"AES\r\nDES3\r\nSHA-256\r\nPOSTPKIOperation\r\n");
        assert_eq!(modern.cipher(true), Some(ContentCipher::Aes128Cbc));
        assert!(modern.takes_post() && modern.knows_sha256() && !modern.knows_renewal());
        let old = Capabilities::read(b"DES3\nSHA-1\nRenewal");
        assert_eq!(old.cipher(false), None);
        assert_eq!(old.cipher(true), Some(ContentCipher::TripleDesCbc));
        assert!(!old.takes_post() && !old.knows_sha256() && old.knows_renewal());
        assert!(Capabilities::read(b"SCEPStandard").takes_post());
    }
}
