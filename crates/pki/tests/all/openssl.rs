//! OpenSSL as a second opinion on what is built, and as a source of what is read.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use pki::certificate::Certificate;
use pki::crl::CrlEntry;
use pki::csr::{self, Csr};
use pki::key::{KeyAlgorithm, KeyKind, LocalKey, SigningKey};
use pki::pem;
use pki::revocation::RevocationReason;
use rstest::rstest;

use crate::fixture::{Authority, dns, new_key, now, responder_content, server_content};

/// A directory with files in it, and the tool that works on them.
pub struct Desk(tempfile::TempDir);

pub struct Outcome {
    pub success: bool,
    pub stdout: String,
    pub stderr: String,
}

impl Desk {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    pub fn put_certificate(&self, name: &str, certificate: &Certificate) {
        self.put(name, pem::encode(pem::CERTIFICATE, &certificate.der));
    }

    pub fn take(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    /// Runs `openssl` and lets it fail.
    pub fn attempt(&self, arguments: &[&str]) -> Outcome {
        let output = Command::new("openssl")
            .args(arguments)
            .current_dir(self.0.path())
            .output()
            .expect("the openssl program is installed");
        Outcome {
            success: output.status.success(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Runs `openssl`, which must succeed.
    pub fn openssl(&self, arguments: &[&str]) -> Outcome {
        let outcome = self.attempt(arguments);
        assert!(
            outcome.success,
            "openssl {}: {}{}",
            arguments.join(" "),
            outcome.stdout,
            outcome.stderr
        );
        outcome
    }
}

/// The time of the tests as OpenSSL takes it.
fn attime() -> String {
    now().seconds().to_string()
}

#[rstest]
fn openssl_verifies_our_chains_strictly(
    #[values(
        KeyAlgorithm::Rsa2048,
        KeyAlgorithm::EcP256,
        KeyAlgorithm::EcP384,
        KeyAlgorithm::Ed25519
    )]
    algorithm: KeyAlgorithm,
) {
    let desk = Desk::new();
    let root = Authority::root(algorithm);
    let issuing = Authority::below(&root, algorithm);
    let key = new_key(KeyAlgorithm::EcP256);
    let leaf = issuing.issue(&server_content(key.public_key()));
    desk.put_certificate("root.pem", &root.certificate);
    desk.put_certificate("issuing.pem", &issuing.certificate);
    desk.put_certificate("leaf.pem", &leaf);
    let time = attime();
    let verify = [
        "verify",
        "-x509_strict",
        "-attime",
        &time,
        "-purpose",
        "sslserver",
        "-verify_hostname",
        "www.example.org",
        "-CAfile",
        "root.pem",
        "-untrusted",
        "issuing.pem",
        "leaf.pem",
    ];
    assert!(desk.openssl(&verify).stdout.contains("leaf.pem: OK"));
    let text = desk
        .openssl(&["x509", "-in", "leaf.pem", "-noout", "-text"])
        .stdout;
    assert!(
        text.contains("DNS:www.example.org, DNS:*.example.org"),
        "{text}"
    );
    assert!(text.contains("TLS Web Server Authentication"), "{text}");
    assert!(text.contains("CA:FALSE"), "{text}");
}

#[test]
fn openssl_rejects_a_revoked_certificate_by_our_crls() {
    let desk = Desk::new();
    let root = Authority::root(KeyAlgorithm::EcP256);
    let issuing = Authority::below(&root, KeyAlgorithm::EcP256);
    let key = new_key(KeyAlgorithm::EcP256);
    let [good, revoked] = [(); 2].map(|()| issuing.issue(&server_content(key.public_key())));
    let entry = CrlEntry {
        serial: revoked.serial.clone(),
        revoked_at: now(),
        reason: RevocationReason::KeyCompromise,
    };
    let crls = [(&root, vec![]), (&issuing, vec![entry])]
        .map(|(ca, entries)| crate::crl::signed(ca, &crate::crl::content(ca, entries)));
    desk.put_certificate("root.pem", &root.certificate);
    desk.put_certificate("issuing.pem", &issuing.certificate);
    desk.put_certificate("good.pem", &good);
    desk.put_certificate("revoked.pem", &revoked);
    desk.put(
        "crls.pem",
        crls.map(|der| pem::encode(pem::X509_CRL, &der)).concat(),
    );
    let time = (now() + Duration::from_secs(60)).seconds().to_string();
    let verify = |leaf: &str| {
        desk.attempt(&[
            "verify",
            "-x509_strict",
            "-crl_check_all",
            "-attime",
            &time,
            "-CAfile",
            "root.pem",
            "-untrusted",
            "issuing.pem",
            "-CRLfile",
            "crls.pem",
            leaf,
        ])
    };
    let outcome = verify("good.pem");
    assert!(outcome.success, "{}", outcome.stderr);
    assert!(verify("revoked.pem").stderr.contains("certificate revoked"));
    let text = desk
        .openssl(&["crl", "-in", "crls.pem", "-noout", "-text"])
        .stdout;
    assert!(text.contains("No Revoked Certificates"), "{text}");
}

#[rstest]
#[case(&["-newkey", "rsa:2048", "-sha256"], KeyKind::Rsa { bits: 2048 })]
#[case(&["-newkey", "rsa:3072", "-sha512"], KeyKind::Rsa { bits: 3072 })]
#[case(&["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-sha256"], KeyKind::EcP256)]
#[case(&["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-sha384"], KeyKind::EcP256)]
#[case(&["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-sha384"], KeyKind::EcP384)]
#[case(&["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-sha256"], KeyKind::EcP384)]
#[case(&["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-521", "-sha512"], KeyKind::EcP521)]
#[case(&["-newkey", "ed25519"], KeyKind::Ed25519)]
fn csrs_made_by_openssl_are_read(#[case] key: &[&str], #[case] kind: KeyKind) {
    let desk = Desk::new();
    let mut arguments = vec![
        "req",
        "-new",
        "-nodes",
        "-keyout",
        "key.pem",
        "-outform",
        "DER",
        "-out",
        "csr.der",
        "-subj",
        "/O=Example/CN=www.example.org",
        "-addext",
        "subjectAltName=DNS:www.example.org,IP:192.0.2.1",
        "-addext",
        "keyUsage=digitalSignature",
    ];
    arguments.extend_from_slice(key);
    desk.openssl(&arguments);
    let csr = Csr::from_der(&desk.take("csr.der")).unwrap();
    assert_eq!(csr.public_key.kind(), &kind);
    assert_eq!(csr.subject.to_string(), "CN=www.example.org,O=Example");
    assert_eq!(csr.subject_alt_names.len(), 2);
    assert_eq!(csr.extensions.len(), 2);
    assert!(pki::key::weak::check(&csr.public_key).is_ok());
}

#[rstest]
fn openssl_verifies_our_csrs(
    #[values(KeyAlgorithm::Rsa2048, KeyAlgorithm::EcP384, KeyAlgorithm::Ed25519)]
    algorithm: KeyAlgorithm,
) {
    let desk = Desk::new();
    let key = new_key(algorithm);
    let subject = "CN=Sub CA,O=Example".parse().unwrap();
    let der = csr::build(&subject, &[dns("www.example.org")], &[], &key).unwrap();
    desk.put("csr.pem", pem::encode(pem::CERTIFICATE_REQUEST, &der));
    let outcome = desk.openssl(&["req", "-in", "csr.pem", "-noout", "-verify", "-text"]);
    assert!(outcome.stderr.contains("verify OK"), "{}", outcome.stderr);
    assert!(outcome.stdout.contains("DNS:www.example.org"));
}

#[rstest]
#[case::pkcs8_rsa(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], "PRIVATE KEY")]
#[case::pkcs1(&["genrsa", "-traditional", "2048"], "RSA PRIVATE KEY")]
#[case::sec1_with_parameters(&["ecparam", "-name", "secp384r1", "-genkey"], "EC PRIVATE KEY")]
#[case::sec1(&["ecparam", "-name", "prime256v1", "-genkey", "-noout"], "EC PRIVATE KEY")]
#[case::pkcs8_ed25519(&["genpkey", "-algorithm", "ED25519"], "PRIVATE KEY")]
fn private_keys_made_by_openssl_are_read(#[case] generate: &[&str], #[case] label: &str) {
    let desk = Desk::new();
    let mut arguments = generate.to_vec();
    let position = 1;
    arguments.splice(position..position, ["-out", "key.pem"]);
    desk.openssl(&arguments);
    let text = desk.take("key.pem");
    assert!(String::from_utf8_lossy(&text).contains(&format!("-----BEGIN {label}-----")));
    let key = LocalKey::from_pem(&text).unwrap();
    desk.openssl(&[
        "pkey",
        "-in",
        "key.pem",
        "-pubout",
        "-outform",
        "DER",
        "-out",
        "public.der",
    ]);
    assert_eq!(key.public_key().spki_der(), desk.take("public.der"));
}

#[test]
fn an_encrypted_key_is_refused_with_what_to_do() {
    let desk = Desk::new();
    desk.openssl(&[
        "genpkey",
        "-algorithm",
        "ED25519",
        "-aes256",
        "-pass",
        "pass:x",
        "-out",
        "key.pem",
    ]);
    let error = LocalKey::from_pem(desk.take("key.pem")).unwrap_err();
    assert!(error.to_string().contains("decrypt it first"), "{error}");
}

#[rstest]
#[case::sha1_with_nonce("-sha1", "-nonce")]
#[case::sha256_without_nonce("-sha256", "-no_nonce")]
fn openssl_accepts_our_ocsp_answers(#[case] digest: &str, #[case] nonce: &str) {
    let desk = Desk::new();
    let root = Authority::root(KeyAlgorithm::EcP256);
    let key = new_key(KeyAlgorithm::EcP256);
    let [good, revoked, unknown] = [(); 3].map(|()| root.issue(&server_content(key.public_key())));
    let responder_key = new_key(KeyAlgorithm::EcP256);
    let responder = root.issue(&responder_content(responder_key.public_key()));
    desk.put_certificate("root.pem", &root.certificate);
    for (name, certificate) in [
        ("good", &good),
        ("revoked", &revoked),
        ("unknown", &unknown),
    ] {
        desk.put_certificate(&format!("{name}.pem"), certificate);
    }
    desk.openssl(&[
        "ocsp",
        digest,
        nonce,
        "-issuer",
        "root.pem",
        "-cert",
        "good.pem",
        "-cert",
        "revoked.pem",
        "-cert",
        "unknown.pem",
        "-reqout",
        "request.der",
    ]);
    let answer = crate::ocsp::answer(
        &desk.take("request.der"),
        &root.certificate,
        [&good, &revoked],
        (&responder_key, &[&responder.der]),
    );
    desk.put("response.der", answer);
    let time = attime();
    // OpenSSL measures the times of an answer by the real clock unless it is told to be lax.
    let check = |arguments: &[&str]| {
        let common = [
            "ocsp",
            "-respin",
            "response.der",
            "-CAfile",
            "root.pem",
            "-attime",
            &time,
            "-validity_period",
            "2000000000",
        ];
        desk.openssl(&[&common[..], arguments].concat())
    };
    // With -reqin it compares the nonces, with -cert it shows the answers.
    let verified = check(&["-issuer", "root.pem", "-reqin", "request.der"]);
    assert!(
        verified.stderr.contains("Response verify OK"),
        "{}",
        verified.stderr
    );
    let mut arguments = vec!["-no_nonce", digest, "-issuer", "root.pem"];
    arguments.extend([
        "-cert",
        "good.pem",
        "-cert",
        "revoked.pem",
        "-cert",
        "unknown.pem",
    ]);
    let shown = check(&arguments).stdout;
    assert!(shown.contains("good.pem: good"), "{shown}");
    assert!(shown.contains("revoked.pem: revoked"), "{shown}");
    assert!(shown.contains("Reason: superseded"), "{shown}");
    assert!(shown.contains("unknown.pem: unknown"), "{shown}");
}
