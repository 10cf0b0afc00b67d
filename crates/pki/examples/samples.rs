//! Writes one of everything that is built here into a directory, so that linters written elsewhere
//! can judge it: `cargo run -p certwright-pki --example samples -- DIRECTORY`.
//!
//! File names begin with what the file is: `ca-`, `server-`, `public-` (claims the TLS Baseline
//! Requirements), `client-`, `email-`, `code-`, `device-`, `responder-`, `crl-`, `ocsp-`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use pki::certificate::{
    self, BasicConstraints, Certificate, CertificateContent, ExtendedKeyUsage, ExtraExtension,
    IssuerFacts, KeyUsage,
};
use pki::crl::{self, CrlContent, CrlEntry, CrlScope, IssuingDistributionPoint};
use pki::key::{KeyAlgorithm, LocalKey, PublicKey, SigningKey};
use pki::name::{DistinguishedName, GeneralName, NameConstraints, NameSubtree};
use pki::ocsp::{self, CertStatus, OcspDigest, OcspIssuer, ResponseContent, SingleResponse};
use pki::pem;
use pki::random::SystemRandom;
use pki::revocation::RevocationReason;
use pki::serial::Serial;
use pki::time::Timestamp;

type AnyError = Box<dyn std::error::Error>;

fn main() -> Result<(), AnyError> {
    let directory: PathBuf = std::env::args_os()
        .nth(1)
        .ok_or("name a directory to write to")?
        .into();
    std::fs::create_dir_all(&directory)?;
    for algorithm in [
        KeyAlgorithm::Rsa2048,
        KeyAlgorithm::EcP256,
        KeyAlgorithm::EcP384,
        KeyAlgorithm::Ed25519,
    ] {
        write_hierarchy(&directory, algorithm)?;
    }
    Ok(())
}

struct Ca {
    key: LocalKey,
    certificate: Certificate,
}

impl Ca {
    fn facts(&self) -> IssuerFacts {
        IssuerFacts::from_certificate(&self.certificate, self.key.signature_algorithm())
    }

    fn issue(&self, content: &CertificateContent) -> Result<Certificate, AnyError> {
        issue(content, &self.facts(), &self.key)
    }
}

fn issue(
    content: &CertificateContent,
    issuer: &IssuerFacts,
    key: &LocalKey,
) -> Result<Certificate, AnyError> {
    let serial = Serial::random(&SystemRandom::new());
    let tbs = certificate::encode_tbs(content, &serial, issuer)?;
    Ok(Certificate::from_der(&certificate::sign(&tbs, key)?)?)
}

fn write_hierarchy(directory: &Path, algorithm: KeyAlgorithm) -> Result<(), AnyError> {
    let put = |kind: &str, label: &str, der: &[u8]| {
        let file = directory.join(format!("{kind}-{algorithm}.pem"));
        std::fs::write(file, pem::encode(label, der))
    };
    let root = root(algorithm)?;
    let issuing = issuing(&root, algorithm)?;
    put("ca-root", pem::CERTIFICATE, &root.certificate.der)?;
    put("ca-issuing", pem::CERTIFICATE, &issuing.certificate.der)?;

    let key = LocalKey::generate(algorithm)?;
    let server = issuing.issue(&server(key.public_key())?)?;
    put("server", pem::CERTIFICATE, &server.der)?;
    let public = issuing.issue(&public(key.public_key())?)?;
    put("public", pem::CERTIFICATE, &public.der)?;
    let client = issuing.issue(&client(key.public_key())?)?;
    put("client", pem::CERTIFICATE, &client.der)?;
    let email = issuing.issue(&email(key.public_key())?)?;
    put("email", pem::CERTIFICATE, &email.der)?;
    let code = issuing.issue(&code(key.public_key())?)?;
    put("code", pem::CERTIFICATE, &code.der)?;
    let device = issuing.issue(&device(key.public_key())?)?;
    put("device", pem::CERTIFICATE, &device.der)?;
    let responder = issuing.issue(&responder(key.public_key())?)?;
    put("responder", pem::CERTIFICATE, &responder.der)?;

    put("crl-empty", pem::X509_CRL, &crl(&root, vec![], None)?)?;
    let entries = RevocationReason::ALL
        .into_iter()
        .filter(|reason| *reason != RevocationReason::RemoveFromCrl)
        .map(|reason| CrlEntry {
            serial: Serial::random(&SystemRandom::new()),
            revoked_at: now(),
            reason,
        });
    put(
        "crl-full",
        pem::X509_CRL,
        &crl(&issuing, entries.collect(), None)?,
    )?;
    let point = IssuingDistributionPoint {
        url: "http://pki.example.com/crl/1".to_owned(),
        scope: CrlScope::EndEntities,
    };
    put(
        "crl-partial",
        pem::X509_CRL,
        &crl(&issuing, vec![], Some(point))?,
    )?;

    let answer = ocsp_answer(&issuing, &server, &key, &responder)?;
    std::fs::write(directory.join(format!("ocsp-{algorithm}.der")), answer)?;
    Ok(())
}

fn now() -> Timestamp {
    Timestamp::from_seconds(1_795_500_000)
}

fn content(key: &PublicKey, subject: &str, days: u64) -> Result<CertificateContent, AnyError> {
    let life = Duration::from_secs(days * 86_400 - 1);
    Ok(CertificateContent {
        subject: DistinguishedName::parse(subject)?,
        key_usage: KeyUsage::DIGITAL_SIGNATURE,
        ..CertificateContent::new(key.clone(), now(), now() + life)
    })
}

fn root(algorithm: KeyAlgorithm) -> Result<Ca, AnyError> {
    let key = LocalKey::generate(algorithm)?;
    let content = CertificateContent {
        basic_constraints: BasicConstraints::Ca { path_len: None },
        key_usage: KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN,
        subject_key_identifier: true,
        ..content(key.public_key(), "CN=Sample Root,O=Example,C=DE", 9000)?
    };
    let facts = IssuerFacts::self_signed(&content, key.signature_algorithm());
    let certificate = issue(&content, &facts, &key)?;
    Ok(Ca { key, certificate })
}

fn issuing(root: &Ca, algorithm: KeyAlgorithm) -> Result<Ca, AnyError> {
    let key = LocalKey::generate(algorithm)?;
    let content = CertificateContent {
        basic_constraints: BasicConstraints::Ca { path_len: Some(0) },
        key_usage: KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN | KeyUsage::DIGITAL_SIGNATURE,
        subject_key_identifier: true,
        crl_urls: vec!["http://pki.example.com/root.crl".to_owned()],
        ca_issuer_urls: vec!["http://pki.example.com/root.der".to_owned()],
        name_constraints: Some(NameConstraints {
            permitted: vec![
                NameSubtree::Dns("example.com".to_owned()),
                NameSubtree::Ip {
                    address: "8.0.0.0".parse()?,
                    prefix: 8,
                },
            ],
            excluded: vec![NameSubtree::Dns("secret.example.com".to_owned())],
        }),
        ..content(
            key.public_key(),
            "CN=Sample Issuing CA,O=Example,C=DE",
            3000,
        )?
    };
    let certificate = root.issue(&content)?;
    Ok(Ca { key, certificate })
}

fn leaf(key: &PublicKey, subject: &str) -> Result<CertificateContent, AnyError> {
    Ok(CertificateContent {
        ocsp_urls: vec!["http://pki.example.com/ocsp".to_owned()],
        ca_issuer_urls: vec!["http://pki.example.com/ca.der".to_owned()],
        crl_urls: vec!["http://pki.example.com/crl/1".to_owned()],
        ..content(key, subject, 90)?
    })
}

fn server(key: &PublicKey) -> Result<CertificateContent, AnyError> {
    Ok(CertificateContent {
        subject_alt_names: vec![
            GeneralName::Dns("www.example.com".to_owned()),
            GeneralName::Ip("8.8.8.8".parse()?),
        ],
        extended_key_usage: vec![ExtendedKeyUsage::ServerAuth, ExtendedKeyUsage::ClientAuth],
        must_staple: true,
        ..leaf(key, "")?
    })
}

fn public(key: &PublicKey) -> Result<CertificateContent, AnyError> {
    Ok(CertificateContent {
        subject_alt_names: vec![
            GeneralName::Dns("example.com".to_owned()),
            GeneralName::Dns("*.example.com".to_owned()),
        ],
        extended_key_usage: vec![ExtendedKeyUsage::ServerAuth],
        certificate_policies: vec!["2.23.140.1.2.1".to_owned()],
        ..leaf(key, "")?
    })
}

fn client(key: &PublicKey) -> Result<CertificateContent, AnyError> {
    Ok(CertificateContent {
        extended_key_usage: vec![ExtendedKeyUsage::ClientAuth],
        subject_key_identifier: true,
        ..leaf(key, "CN=Jane Doe,OU=Küche,O=Example,L=Köln,ST=NRW,C=DE")?
    })
}

fn email(key: &PublicKey) -> Result<CertificateContent, AnyError> {
    Ok(CertificateContent {
        subject_alt_names: vec![GeneralName::Email("jane@example.com".to_owned())],
        extended_key_usage: vec![ExtendedKeyUsage::EmailProtection],
        certificate_policies: vec!["2.23.140.1.5.1.3".to_owned()],
        ..leaf(key, "CN=jane@example.com")?
    })
}

fn code(key: &PublicKey) -> Result<CertificateContent, AnyError> {
    Ok(CertificateContent {
        extended_key_usage: vec![ExtendedKeyUsage::CodeSigning],
        certificate_policies: vec!["2.23.140.1.4.1".to_owned()],
        subject_key_identifier: true,
        ..leaf(key, "CN=Example,O=Example,L=Bonn,C=DE")?
    })
}

/// With an extension of its own.
fn device(key: &PublicKey) -> Result<CertificateContent, AnyError> {
    let extension = ExtraExtension::from_text("1.3.6.1.4.1.99999.1", false, "UTF8:press")?;
    Ok(CertificateContent {
        subject_alt_names: vec![GeneralName::Uri("https://example.com/press".to_owned())],
        extended_key_usage: vec![ExtendedKeyUsage::ClientAuth],
        extra_extensions: vec![extension],
        ..leaf(key, "CN=press,serialNumber=4711,O=Example")?
    })
}

fn responder(key: &PublicKey) -> Result<CertificateContent, AnyError> {
    Ok(CertificateContent {
        extended_key_usage: vec![ExtendedKeyUsage::OcspSigning],
        ocsp_no_check: true,
        subject_key_identifier: true,
        ..content(key, "CN=Sample Responder,O=Example,C=DE", 30)?
    })
}

fn crl(
    ca: &Ca,
    entries: Vec<CrlEntry>,
    issuing_distribution_point: Option<IssuingDistributionPoint>,
) -> Result<Vec<u8>, AnyError> {
    let tbs = crl::encode_tbs(&CrlContent {
        issuer: ca.facts(),
        number: 129,
        this_update: now(),
        next_update: now() + Duration::from_secs(4 * 86_400 - 1),
        entries,
        issuing_distribution_point,
    })?;
    Ok(crl::sign(&tbs, &ca.key)?)
}

fn ocsp_answer(
    ca: &Ca,
    certificate: &Certificate,
    key: &LocalKey,
    responder: &Certificate,
) -> Result<Vec<u8>, AnyError> {
    let cert_id = OcspIssuer::from_certificate(&ca.certificate)
        .cert_id(OcspDigest::Sha1, &certificate.serial);
    let response = SingleResponse {
        cert_id,
        status: CertStatus::Revoked {
            at: now(),
            reason: RevocationReason::KeyCompromise,
        },
        this_update: now(),
        next_update: now() + Duration::from_secs(4 * 86_400 - 1),
    };
    let content = ResponseContent {
        produced_at: now(),
        responses: vec![response],
        nonce: Some(vec![7; 32]),
    };
    Ok(ocsp::sign(&content, key, &[&responder.der])?)
}
