//! A CA whose key we hold.

use std::sync::Arc;

use async_trait::async_trait;
use domain::certificate::Chain;
use domain::issuer::{
    Abilities, Aspect, CheckReport, EmbeddedConfig, HealthCheck, Issuance, IssueError,
    IssuerConnector, LocalCa, Objection, Prepared, RevocationError, RevocationRequest,
    SigningRequest,
};
use domain::keystore::KeyReference;
use domain::profile::{CertificateKind, RevocationPointers};
use pki::certificate::{
    BasicConstraints, Certificate, CertificateContent, ExtraExtension, IssuerFacts, assemble,
    encode_tbs,
};
use pki::key::SigningKey;
use pki::lint::{self, LintContext, Severity, lint_tbs};
use pki::name::NameConstraints;
use pki::random::Random;
use pki::serial::Serial;
use pki::time::Timestamp;

/// Signs what was prepared, and nothing else.
pub struct EmbeddedConnector {
    ca: LocalCa,
    facts: IssuerFacts,
    chain: Chain,
    /// What follows the leaf: own certificate and those above, but not the root, which clients have.
    served: Chain,
    /// Those of the whole chain; all must hold.
    constraints: Vec<NameConstraints>,
    is_root: bool,
    /// Calls to a token block, and are taken off the runtime's threads.
    key_blocks: bool,
    /// `<base>/pki/<issuer>`.
    base: String,
    random: Arc<dyn Random>,
}

impl EmbeddedConnector {
    /// A connector for a CA that has its certificate. `pki_url` is where our front end serves
    /// `/pki/<issuer>/…`.
    pub fn new(
        name: &str,
        config: &EmbeddedConfig,
        key: Arc<dyn SigningKey>,
        pki_url: &str,
        random: Arc<dyn Random>,
    ) -> Result<Self, UnfitCertificate> {
        let parsed = config
            .chain
            .certificates()
            .iter()
            .map(|der| Certificate::from_der(der))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| UnfitCertificate(error.to_string()))?;
        let own = check_chain(&parsed, &*key)?;
        let facts = IssuerFacts::from_certificate(own, key.signature_algorithm());
        Ok(Self {
            ca: LocalCa {
                certificate: Arc::new(own.clone()),
                key,
            },
            facts,
            chain: config.chain.clone(),
            served: served(&parsed),
            constraints: parsed
                .iter()
                .filter_map(|ca| ca.name_constraints.clone())
                .collect(),
            is_root: config.is_root,
            key_blocks: match config.key {
                KeyReference::Sealed { .. } => false,
                KeyReference::Pkcs11 { .. } => true,
            },
            base: format!("{}/pki/{name}", pki_url.trim_end_matches('/')),
            random,
        })
    }

    fn check(&self, content: &CertificateContent, now: Timestamp) -> Result<(), IssueError> {
        let refuse = |reason: String| Err(IssueError::Refused(reason));
        match (self.is_root, content.basic_constraints) {
            (true, BasicConstraints::EndEntity) => {
                return refuse(
                    "a root signs CA certificates only; choose an issuing CA in the profile"
                        .to_owned(),
                );
            }
            (false, BasicConstraints::Ca { .. }) => {
                return refuse("an issuing CA signs end-entity certificates only".to_owned());
            }
            (true, BasicConstraints::Ca { .. }) | (false, BasicConstraints::EndEntity) => (),
        }
        let end = self.not_after();
        if now > end {
            return refuse(format!("its own certificate expired at {end}"));
        }
        if content.not_after > end {
            return refuse(format!(
                "the certificate would be valid until {}, but its issuer only until {end}",
                content.not_after
            ));
        }
        let objections: Vec<Objection> = self
            .constraints
            .iter()
            .flat_map(|rules| rules.violations(&content.subject, &content.subject_alt_names))
            .map(|message| Objection {
                code: "name_constraints.violated",
                message,
            })
            .collect();
        match objections.is_empty() {
            true => Ok(()),
            false => Err(IssueError::Lint(objections)),
        }
    }

    /// The last gate: what our own linter calls an error is not signed.
    fn lint(
        &self,
        tbs: &[u8],
        kind: CertificateKind,
        extra_extensions: &[ExtraExtension],
    ) -> Result<(), IssueError> {
        let kind = match self.is_root {
            true => lint::CertificateKind::CaCertificate,
            false => kind.linted_as(),
        };
        let context = LintContext {
            issuer_name_constraints: self.ca.certificate.name_constraints.as_ref(),
            extra_extensions,
            ..LintContext::new(&self.facts, self.not_after(), kind)
        };
        let errors: Vec<Objection> = lint_tbs(tbs, &context)
            .into_iter()
            .filter(|finding| finding.severity == Severity::Error)
            .map(|finding| Objection {
                code: finding.code,
                message: finding.message,
            })
            .collect();
        if errors.is_empty() {
            Ok(())
        } else {
            Err(IssueError::Lint(errors))
        }
    }

    fn complete(&self, request: &SigningRequest) -> CertificateContent {
        let mut content = request.content.clone();
        // A certificate that is older than its issuer helps nobody.
        content.not_before = content.not_before.max(self.ca.certificate.not_before);
        let RevocationPointers {
            crl,
            ocsp,
            ca_issuers,
        } = request.pointers;
        let url = |wanted: bool, file: &str| {
            wanted
                .then(|| format!("{}/{file}", self.base))
                .into_iter()
                .collect()
        };
        content.crl_urls = url(crl, "crl");
        content.ocsp_urls = url(ocsp, "ocsp");
        content.ca_issuer_urls = url(ca_issuers, "ca.der");
        content
    }

    async fn sign(&self, tbs: &[u8]) -> Result<Vec<u8>, IssueError> {
        let signed = if self.key_blocks {
            let (key, tbs) = (self.ca.key.clone(), tbs.to_vec());
            tokio::task::spawn_blocking(move || key.sign(&tbs))
                .await
                .map_err(|error| IssueError::NotReached(format!("signing stopped: {error}")))?
        } else {
            self.ca.key.sign(tbs)
        };
        signed.map_err(|error| {
            let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
            // Without a signature there is no certificate: another issuer may sign.
            IssueError::NotReached(format!("{error}{}", source.unwrap_or_default()))
        })
    }
}

#[async_trait]
impl IssuerConnector for EmbeddedConnector {
    fn prepare(
        &self,
        request: &SigningRequest,
        now: Timestamp,
    ) -> Result<Option<Prepared>, IssueError> {
        let content = self.complete(request);
        self.check(&content, now)?;
        let serial = Serial::random(&*self.random);
        let tbs = encode_tbs(&content, &serial, &self.facts)
            .map_err(|error| IssueError::Refused(error.to_string()))?;
        self.lint(&tbs, request.kind, &content.extra_extensions)?;
        Ok(Some(Prepared { serial, tbs }))
    }

    async fn issue(
        &self,
        _request: &SigningRequest,
        prepared: Option<&Prepared>,
    ) -> Result<Issuance, IssueError> {
        let prepared = prepared
            .filter(|prepared| !prepared.tbs.is_empty())
            .ok_or_else(|| IssueError::Refused("nothing was prepared for signing".to_owned()))?;
        let signature = self.sign(&prepared.tbs).await?;
        let leaf = assemble(&prepared.tbs, self.facts.signature_algorithm, &signature);
        Ok(Issuance::Issued(self.served.with_leaf(leaf)))
    }

    async fn poll(&self, _handle: &str) -> Result<Issuance, IssueError> {
        Err(IssueError::Refused(
            "this issuer signs at once, there is nothing to wait for".to_owned(),
        ))
    }

    async fn revoke(&self, _request: &RevocationRequest) -> Result<(), RevocationError> {
        // Its CRL and OCSP are made from the inventory.
        Ok(())
    }

    fn chain(&self) -> &Chain {
        &self.chain
    }

    fn not_after(&self) -> Timestamp {
        self.ca.certificate.not_after
    }

    fn local_ca(&self) -> Option<&LocalCa> {
        Some(&self.ca)
    }

    fn abilities(&self) -> Abilities<'_> {
        Abilities {
            health: Some(self),
            ..Abilities::default()
        }
    }
}

#[async_trait]
impl HealthCheck for EmbeddedConnector {
    async fn check(&self) -> CheckReport {
        let mut report = CheckReport::default();
        // No DER begins so: what is signed here can never be taken for a certificate or CRL.
        match self.sign(b"certwright: does the key sign?").await {
            Ok(_) => report.passed(Aspect::Reach, "the key is at hand and signs"),
            Err(error) => report.failed(Aspect::Reach, error.to_string()),
        }
        report
    }
}

/// Why a CA's certificate does not fit.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UnfitCertificate(String);

/// The issuer's own certificate, if it and those above it are what their constraints can be read from.
fn check_chain<'a>(
    chain: &'a [Certificate],
    key: &dyn SigningKey,
) -> Result<&'a Certificate, UnfitCertificate> {
    let unfit = |text: String| Err(UnfitCertificate(text));
    let Some(own) = chain.first() else {
        return unfit("it has none yet; import the one made from its CSR".to_owned());
    };
    if own.public_key != *key.public_key() {
        return unfit(format!("`{}` is not for this issuer's key", own.subject));
    }
    for ca in chain {
        if !ca.is_ca {
            return unfit(format!("`{}` is not a CA certificate", ca.subject));
        }
        // Among them could be name constraints, which must not be passed over.
        let strange = [
            ca.unknown_critical_extensions.as_slice(),
            ca.malformed_extensions.as_slice(),
        ]
        .concat();
        if !strange.is_empty() {
            let list = strange.join(", ");
            return unfit(format!(
                "`{}` has extensions that cannot be read: {list}",
                ca.subject
            ));
        }
    }
    Ok(own)
}

/// A root above the issuer is left out (RFC 8446 section 4.4.2); the issuer itself is always there.
fn served(chain: &[Certificate]) -> Chain {
    let kept = chain
        .iter()
        .enumerate()
        .filter(|(above, certificate)| *above == 0 || !certificate.is_self_issued())
        .map(|(_, certificate)| certificate.der.clone());
    Chain::new(kept.collect())
}

#[cfg(test)]
mod tests;
