//! The PKI secrets engine of HashiCorp Vault or OpenBao.

mod client;
mod health;
mod list;
mod token;
mod wire;

use async_trait::async_trait;
use domain::certificate::Chain;
use domain::issuer::{
    Abilities, ConnectError, FetchChain, Issuance, IssueError, Issuer, IssuerSecrets,
    RevocationError, RevocationRequest, SigningRequest, VaultConfig,
};
use pki::name::GeneralName;
use pki::pem;
use serde_json::{Value, json};

use self::client::Client;
use self::wire::{IssuerData, Revoked, SignedData};
use super::{Environment, RemoteCa};

/// Signs by a role of the engine. The engine knows no repeats: a request whose answer was lost is
/// asked for again and signed again.
pub struct VaultConnector {
    client: Client,
    config: VaultConfig,
    chain: Chain,
}

impl VaultConnector {
    /// A connector that has not asked for anything yet.
    pub fn new(
        issuer: &Issuer,
        config: &VaultConfig,
        secrets: &IssuerSecrets,
        environment: &Environment,
    ) -> Result<Self, ConnectError> {
        Ok(Self {
            client: Client::new(config, secrets, environment)?,
            config: config.clone(),
            chain: issuer.chain().clone(),
        })
    }

    /// Where requests are signed, below `/v1/`.
    fn sign_path(&self) -> String {
        let VaultConfig { mount, role, .. } = &self.config;
        match &self.config.issuer_ref {
            None => format!("{mount}/sign/{role}"),
            Some(issuer) => format!("{mount}/issuer/{issuer}/sign/{role}"),
        }
    }

    fn mounted(&self, path: &str) -> String {
        format!("{}/{path}", self.config.mount)
    }

    /// The answer's chain, or else what is known of the CA's.
    fn complete(&self, data: &SignedData) -> Result<Chain, IssueError> {
        let leaf = certificate(&data.certificate)?;
        let above = match data.ca_chain.as_slice() {
            [] => data.issuing_ca.as_slice(),
            above => above,
        };
        let above = above
            .iter()
            .map(|pem| certificate(pem))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(match above.is_empty() {
            true => self.chain.with_leaf(leaf),
            false => Chain::new(above).with_leaf(leaf),
        })
    }
}

#[async_trait]
impl RemoteCa for VaultConnector {
    async fn issue(&self, request: &SigningRequest) -> Result<Issuance, IssueError> {
        let body = signing_body(request);
        let data: SignedData = self.client.write(&self.sign_path(), &body).await?;
        Ok(Issuance::Issued(self.complete(&data)?))
    }

    async fn revoke(&self, request: &RevocationRequest) -> Result<(), RevocationError> {
        // By the certificate itself: a role may be told not to store what it signs.
        let body = json!({ "certificate": pem::encode(pem::CERTIFICATE, &request.certificate) });
        let _: Revoked = self.client.write(&self.mounted("revoke"), &body).await?;
        Ok(())
    }

    fn abilities(&self) -> Abilities<'_> {
        Abilities::usual(self).and_lists(self)
    }
}

#[async_trait]
impl FetchChain for VaultConnector {
    async fn fetch_chain(&self) -> Result<Chain, IssueError> {
        let issuer = self.config.issuer_ref.as_deref().unwrap_or("default");
        let path = self.mounted(&format!("issuer/{issuer}/json"));
        let data: IssuerData = self.client.read(&path).await?;
        let certificates = match data.ca_chain.is_empty() {
            true => vec![certificate(&data.certificate)?],
            false => data
                .ca_chain
                .iter()
                .map(|pem| certificate(pem))
                .collect::<Result<_, _>>()?,
        };
        Ok(Chain::new(certificates))
    }
}

/// What the engine is asked to sign. Names are given beside the CSR as well, for roles that do not
/// take them from there.
fn signing_body(request: &SigningRequest) -> Value {
    let content = &request.content;
    let of = |is_wanted: fn(&GeneralName) -> Option<String>| -> String {
        let names: Vec<String> = content
            .subject_alt_names
            .iter()
            .filter_map(is_wanted)
            .collect();
        names.join(",")
    };
    let alt_names = of(|name| match name {
        GeneralName::Dns(name) => Some(name.clone()),
        GeneralName::Email(address) => Some(address.clone()),
        _ => None,
    });
    let common_name = content
        .subject
        .common_name()
        .map(str::to_owned)
        .unwrap_or_default();
    json!({
        "csr": pem::encode(pem::CERTIFICATE_REQUEST, &request.csr_der),
        "format": "pem",
        "common_name": common_name,
        "exclude_cn_from_sans": true,
        "alt_names": alt_names,
        "ip_sans": of(|name| match name {
            GeneralName::Ip(address) => Some(address.to_string()),
            _ => None,
        }),
        "uri_sans": of(|name| match name {
            GeneralName::Uri(uri) => Some(uri.clone()),
            _ => None,
        }),
        "not_after": content.not_after.floor_to_second().to_string(),
    })
}

fn certificate(pem: &str) -> Result<Vec<u8>, IssueError> {
    let found = pem::decode_all(pem::CERTIFICATE, pem.as_bytes())
        .map_err(|error| IssueError::Unavailable(format!("the answer holds no PEM: {error}")))?;
    found.into_iter().next().ok_or_else(|| {
        IssueError::Unavailable("the answer holds no certificate where one belongs".to_owned())
    })
}
