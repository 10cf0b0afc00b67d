//! The server's own TLS certificate, from its own CA through its own pipeline, renewed in time.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use domain::certificate::Chain;
use domain::enrollment::Requester;
use domain::identifier::Identifier;
use domain::keystore::Sealer;
use domain::renewal;
use lifecycle::Lifecycle;
use lifecycle::actor::Caller;
use lifecycle::issuance::EnrollmentRequest;
use pki::csr::{self, Csr};
use pki::key::{KeyAlgorithm, LocalKey};
use pki::name::DistinguishedName;
use pki::time::Timestamp;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use crate::listener::tls::{ReloadableTls, certificate_from_der};

/// Where the certificate is kept and what it names.
pub struct OwnCertificate {
    lifecycle: Arc<Lifecycle>,
    sealer: Arc<dyn Sealer>,
    folder: PathBuf,
    names: Vec<Identifier>,
}

/// A certificate at hand.
struct Kept {
    chain: Chain,
    key: Zeroizing<Vec<u8>>,
    renew_at: Timestamp,
}

impl OwnCertificate {
    /// For a server that clients reach under `host`.
    pub fn new(
        lifecycle: Arc<Lifecycle>,
        sealer: Arc<dyn Sealer>,
        data_dir: &Path,
        host: &str,
    ) -> Self {
        Self {
            lifecycle,
            sealer,
            folder: data_dir.join("tls"),
            names: names_of(host),
        }
    }

    /// The certificate that is kept, or a new one.
    pub async fn load_or_issue(&self) -> anyhow::Result<CertifiedKey> {
        let kept = match self.load().await {
            Some(kept) => kept,
            None => self.issue().await?,
        };
        certified(&kept)
    }

    /// Renews in time, until told to stop.
    pub async fn keep_fresh(self, tls: ReloadableTls, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(CHECK_INTERVAL) => {}
            }
            if self.load().await.is_some() {
                continue;
            }
            let renewed = self.issue().await.and_then(|kept| certified(&kept));
            match renewed {
                Ok(certificate) => {
                    tls.replace(certificate);
                    tracing::info!("own TLS certificate renewed");
                }
                Err(error) => {
                    tracing::error!(
                        error = format!("{error:#}"),
                        "own TLS certificate not renewed"
                    );
                }
            }
        }
    }

    /// The kept certificate, unless it is due, or for other names, or from another CA.
    async fn load(&self) -> Option<Kept> {
        let pem = std::fs::read_to_string(self.folder.join(CHAIN)).ok()?;
        let sealed = std::fs::read_to_string(self.folder.join(KEY)).ok()?;
        let chain = Chain::try_from(pem).ok()?;
        let key = self.sealer.open(CONTEXT, sealed.trim()).ok()?;
        let leaf = chain.leaf()?.ok()?;
        let names: Vec<_> = self.names.iter().map(Identifier::to_general_name).collect();
        let window = renewal::suggest(
            leaf.not_before,
            leaf.not_after,
            false,
            None,
            leaf.not_before,
        );
        let issuers = self.lifecycle.connected_issuers().await.ok()?;
        let is_ours = issuers.iter().any(|connected| {
            connected
                .connector
                .local_ca()
                .is_some_and(|ca| leaf.is_signed_by(&ca.certificate))
        });
        let is_fit = leaf.names == names && is_ours && self.lifecycle.now() < window.start;
        is_fit.then_some(Kept {
            chain,
            key,
            renew_at: window.start,
        })
    }

    async fn issue(&self) -> anyhow::Result<Kept> {
        let profile = self
            .lifecycle
            .profile("default")
            .await?
            .ok_or_else(|| anyhow!("there is no profile `default` to issue it under"))?;
        let key = LocalKey::generate(KeyAlgorithm::EcP256)?;
        let names: Vec<_> = self.names.iter().map(Identifier::to_general_name).collect();
        let der = csr::build(&DistinguishedName::empty(), &names, &[], &key)?;
        let request = EnrollmentRequest {
            team: None,
            requester: Requester::System,
            profile,
            identifiers: self.names.clone(),
            subject: None,
            key_evidence: None,
            csr: Csr::from_der(&der)?,
            key_thumbprint: None,
            not_before: None,
            not_after: None,
            replaces: None,
            metadata: BTreeMap::new(),
        };
        let enrollment = self.lifecycle.enroll(request, &Caller::system()).await?;
        let chain = self
            .lifecycle
            .issued_chain(&enrollment)
            .await?
            .ok_or_else(|| anyhow!("the issuer has not signed it yet"))?;
        let key = key.to_pkcs8()?;
        self.save(&chain, &key)?;
        Ok(Kept {
            chain,
            key,
            renew_at: self.lifecycle.now(),
        })
    }

    /// Both files are replaced as a whole; a pair that does not match is not loaded.
    fn save(&self, chain: &Chain, key: &[u8]) -> anyhow::Result<()> {
        std::fs::create_dir_all(&self.folder)
            .with_context(|| format!("folder {}", self.folder.display()))?;
        replace_file(&self.folder.join(CHAIN), chain.to_pem().as_bytes())?;
        let sealed = self.sealer.seal(CONTEXT, key);
        replace_file(&self.folder.join(KEY), sealed.as_bytes())
    }
}

/// Writes a file so that a reader sees the old content or the new, never half of it.
pub fn replace_file(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let fresh = path.with_extension("new");
    let write = || -> std::io::Result<()> {
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&fresh)?;
        file.write_all(content)?;
        file.sync_all()?;
        std::fs::rename(&fresh, path)
    };
    write().with_context(|| format!("file {}", path.display()))
}

fn certified(kept: &Kept) -> anyhow::Result<CertifiedKey> {
    tracing::debug!(renew_at = %kept.renew_at, "own TLS certificate at hand");
    let chain = kept
        .chain
        .certificates()
        .iter()
        .map(|der| CertificateDer::from(der.clone()))
        .collect();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(kept.key.to_vec()));
    Ok(certificate_from_der(chain, key)?)
}

/// The host clients use; on this machine's own name also its addresses, since people type those.
fn names_of(host: &str) -> Vec<Identifier> {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let loopback = [
        Identifier::Ip(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        Identifier::Ip(IpAddr::V6(Ipv6Addr::LOCALHOST)),
    ];
    let mut names: Vec<Identifier> = Identifier::parse("ip", host)
        .or_else(|_| Identifier::parse("dns", host))
        .into_iter()
        .collect();
    let is_local = host == "localhost" || names.iter().any(|name| loopback.contains(name));
    if is_local || names.is_empty() {
        names.extend(Identifier::parse("dns", "localhost"));
        names.extend(loopback);
    }
    let mut unique = Vec::new();
    for name in names {
        if !unique.contains(&name) {
            unique.push(name);
        }
    }
    unique
}

const CHAIN: &str = "server.pem";
const KEY: &str = "server.key.sealed";
const CONTEXT: &str = "tls/server";
const CHECK_INTERVAL: Duration = Duration::from_secs(60 * 60);
