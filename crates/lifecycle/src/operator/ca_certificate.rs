//! A CA gets its certificate: made elsewhere and taken over with its key, asked for by a request, installed.

use domain::certificate::{Chain, Origin};
use domain::id::IssuerId;
use domain::issuer::{ConnectorConfig, EmbeddedConfig, Issuer, IssuerLimits, IssuerState};
use domain::keystore::OpenKey;
use pki::certificate::Certificate;
use pki::key::{KeyAlgorithm, LocalKey, SigningKey};
use pki::name::DistinguishedName;
use pki::time::Timestamp;
use serde_json::json;
use store::StoreError;

use super::ca_chain::CaChain;
use super::issuers::{CaEntry, IssuerChange, IssuerError, csr_setting};
use crate::Lifecycle;
use crate::actor::Caller;

/// A CA that was made elsewhere, with its key.
pub struct ImportedIssuer {
    pub name: String,
    /// DER of its certificate and those above it, in any order.
    pub certificates: Vec<Vec<u8>>,
    pub key: LocalKey,
}

/// A CA that is to be certified by one elsewhere.
#[derive(Clone, Debug)]
pub struct RequestedIssuer {
    pub name: String,
    pub subject: DistinguishedName,
    pub algorithm: KeyAlgorithm,
}

impl Lifecycle {
    /// Takes over a CA with its key. It signs from now on.
    pub async fn import_issuer(
        &self,
        request: ImportedIssuer,
        caller: &Caller,
    ) -> Result<Issuer, IssuerError> {
        self.check_issuer_name(&request.name).await?;
        let now = self.now();
        // Checked before the key goes anywhere: a token would keep it.
        let chain = CaChain::check(&request.certificates, request.key.public_key(), now)?;
        let pkcs8 = request.key.to_pkcs8()?;
        let key = self.key_store.import(&request.name, &pkcs8)?;
        let issuer = self.new_issuer(&request.name, key, Some(&chain), now);
        let entries = self.ca_entries(&issuer, &chain, now).await?;
        let change = IssuerChange {
            is_new: true,
            event_name: "issuer.imported",
            data: json!({ "name": issuer.name, "certificate": fingerprint(&chain) }),
            entries,
            csr: None,
        };
        self.store_issuer(issuer, change, caller).await
    }

    /// Makes a key for a CA and the PEM of its request, to be taken to a CA elsewhere.
    pub async fn request_issuer(
        &self,
        request: RequestedIssuer,
        caller: &Caller,
    ) -> Result<(Issuer, String), IssuerError> {
        self.check_issuer_name(&request.name).await?;
        if request.subject.is_empty() {
            return Err(IssuerError::NoSubject);
        }
        let key = self.key_store.generate(&request.name, request.algorithm)?;
        let csr = pki::csr::build(&request.subject, &[], &[], &*key.key)?;
        let pem = pki::pem::encode(pki::pem::CERTIFICATE_REQUEST, &csr);
        let issuer = self.new_issuer(&request.name, key, None, self.now());
        let change = IssuerChange {
            is_new: true,
            event_name: "issuer.requested",
            data: json!({ "name": issuer.name, "subject": request.subject.to_string() }),
            entries: None,
            csr: Some(pem.clone()),
        };
        Ok((self.store_issuer(issuer, change, caller).await?, pem))
    }

    /// The request of an issuer that waits for its certificate.
    pub async fn issuer_request(&self, issuer: &Issuer) -> Result<Option<String>, StoreError> {
        let name = csr_setting(&issuer.id);
        self.store
            .read("issuer.csr", |tx| {
                Box::pin(async move { tx.find_setting(&name).await })
            })
            .await
    }

    /// Gives an issuer the certificate that was made for its key, or a newer one for the same
    /// key. An issuer that waited for it signs from now on.
    pub async fn install_issuer_certificate(
        &self,
        name: &str,
        certificates: &[Vec<u8>],
        caller: &Caller,
    ) -> Result<Issuer, IssuerError> {
        let mut issuer = self.require_issuer(name).await?;
        let now = self.now();
        let ConnectorConfig::Embedded(config) = &mut issuer.connector else {
            return Err(IssuerError::NoKeyHere(issuer.name));
        };
        let key = self.key_store.open(&config.key)?;
        let chain = CaChain::check(certificates, key.public_key(), now)?;
        config.chain = chain.chain();
        config.is_root = chain.is_root;
        if issuer.state == IssuerState::AwaitingCertificate {
            issuer.state = IssuerState::Active;
        }
        let entries = self.ca_entries(&issuer, &chain, now).await?;
        let change = IssuerChange {
            is_new: false,
            event_name: "issuer.certificate_installed",
            data: json!({ "name": issuer.name, "certificate": fingerprint(&chain) }),
            entries,
            csr: None,
        };
        self.store_issuer(issuer, change, caller).await
    }

    fn new_issuer(
        &self,
        name: &str,
        key: OpenKey,
        chain: Option<&CaChain>,
        now: Timestamp,
    ) -> Issuer {
        Issuer {
            id: IssuerId::mint(now, &*self.random),
            name: name.to_owned(),
            state: match chain {
                Some(_) => IssuerState::Active,
                None => IssuerState::AwaitingCertificate,
            },
            connector: ConnectorConfig::Embedded(EmbeddedConfig {
                key: key.reference,
                chain: chain.map(CaChain::chain).unwrap_or_default(),
                is_root: chain.is_some_and(|chain| chain.is_root),
            }),
            secrets: std::collections::BTreeMap::new(),
            remote_chain: Chain::default(),
            metadata_fields: std::collections::BTreeMap::new(),
            limits: IssuerLimits::default(),
            created_at: now,
            updated_at: now,
        }
    }

    /// The CA's own certificate as an entry of the inventory, under the issuer that signed it
    /// where that is one of ours: its OCSP responder and CRL must know it.
    async fn ca_entries(
        &self,
        issuer: &Issuer,
        chain: &CaChain,
        now: Timestamp,
    ) -> Result<Option<CaEntry>, StoreError> {
        let [own, above @ ..] = chain.certificates.as_slice() else {
            return Ok(None);
        };
        let parent = match chain.is_root {
            true => Some(issuer.id.clone()),
            false => self.issuer_that_signed(own).await?,
        };
        let above = Chain::new(above.iter().map(|c| c.der.clone()).collect());
        let mut certificate = self.ca_entry(own, &issuer.id, &above, now);
        certificate.issuer_id = parent;
        certificate.origin = Origin::Imported;
        if above.certificates().is_empty() {
            certificate.chain_id = None;
        }
        Ok(Some(CaEntry { certificate, above }))
    }

    async fn issuer_that_signed(
        &self,
        certificate: &Certificate,
    ) -> Result<Option<IssuerId>, StoreError> {
        let issuers = self.connected_issuers().await?;
        let parent = issuers.iter().find(|connected| {
            connected
                .connector
                .local_ca()
                .is_some_and(|ca| certificate.is_signed_by(&ca.certificate))
        });
        Ok(parent.map(|connected| connected.issuer.id.clone()))
    }
}

fn fingerprint(chain: &CaChain) -> Option<String> {
    chain
        .certificates
        .first()
        .map(|own| own.fingerprint().to_string())
}
