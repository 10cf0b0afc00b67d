use std::time::Duration;

use domain::id::EnrollmentId;
use domain::issuer::{ConnectError, ConnectorConfig, ConnectorFactory, Issuer, IssuerState};
use domain::keystore::KeyStore;
use pki::certificate::{ExtendedKeyUsage, KeyUsage};
use pki::key::{KeyAlgorithm, LocalKey};
use pki::name::{GeneralName, NameSubtree};
use pki::random::SystemRandom;

use super::*;
use crate::issuer::Connectors;
use crate::issuer::ca_certificate::{ParentUrls, Validity, issuing_certificate, root_certificate};
use crate::keystore::{AeadSealer, FileKeyStore, SealKey};
use crate::testing;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn now() -> Timestamp {
    Timestamp::from_seconds(1_800_000_000)
}

fn sealer() -> Arc<AeadSealer> {
    let key = SealKey::from_octets(secrecy::SecretBox::new(Box::new([1; 32])));
    Arc::new(AeadSealer::new(&key))
}

fn key_store() -> Arc<FileKeyStore> {
    Arc::new(FileKeyStore::new(sealer()))
}

struct Ca {
    root: Arc<dyn IssuerConnector>,
    issuing: Arc<dyn IssuerConnector>,
}

fn issuer(name: &str, key: KeyReference, chain: Vec<Vec<u8>>, is_root: bool) -> Issuer {
    Issuer {
        id: domain::id::IssuerId::mint(now(), &SystemRandom::new()),
        name: name.to_owned(),
        state: IssuerState::Active,
        connector: ConnectorConfig::Embedded(EmbeddedConfig {
            key,
            chain: Chain::new(chain),
            is_root,
        }),
        secrets: Default::default(),
        remote_chain: Chain::default(),
        metadata_fields: Default::default(),
        limits: domain::issuer::IssuerLimits::default(),
        created_at: now(),
        updated_at: now(),
    }
}

/// A root for 100 days and an issuing CA for 50, whose certificate may be changed.
fn ca(change: impl FnOnce(Vec<u8>, &LocalCa, &dyn SigningKey) -> Vec<u8>) -> Ca {
    let keys = key_store();
    let random = SystemRandom::new();
    let factory = Connectors::new(
        keys.clone(),
        "http://ca.test/",
        sealer(),
        testing::environment(),
    );
    let validity = |days| Validity {
        not_before: now() - DAY,
        not_after: now() + DAY * days,
    };
    let top = keys.generate("root", KeyAlgorithm::EcP384).unwrap();
    let subject = "CN=Root,O=Example".parse().unwrap();
    let root_der = root_certificate(&subject, &*top.key, validity(100), &random).unwrap();
    let root = factory
        .connect(&issuer("root", top.reference, vec![root_der.clone()], true))
        .unwrap();
    let below = keys.generate("issuing", KeyAlgorithm::EcP256).unwrap();
    let subject = "CN=Issuing,O=Example".parse().unwrap();
    let parent = root.local_ca().unwrap();
    let key = below.key.public_key();
    let urls = ParentUrls::default();
    let der = issuing_certificate(&subject, key, validity(50), parent, urls, &random).unwrap();
    let der = change(der, parent, &*below.key);
    let issuing = factory
        .connect(&issuer(
            "issuing",
            below.reference,
            vec![der, root_der],
            false,
        ))
        .unwrap();
    Ca { root, issuing }
}

fn plain() -> Ca {
    ca(|der, _, _| der)
}

fn request(change: impl FnOnce(&mut CertificateContent)) -> SigningRequest {
    let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
    let mut content = CertificateContent::new(key.public_key().clone(), now(), now() + DAY * 10);
    content.subject_alt_names = vec![GeneralName::Dns("www.example.test".into())];
    content.key_usage = KeyUsage::DIGITAL_SIGNATURE;
    content.extended_key_usage = vec![ExtendedKeyUsage::ServerAuth];
    change(&mut content);
    SigningRequest {
        enrollment: EnrollmentId::mint(now(), &SystemRandom::new()),
        csr_der: Vec::new(),
        content,
        kind: CertificateKind::TlsServer,
        pointers: RevocationPointers::default(),
        profile: "default".to_owned(),
        metadata: Default::default(),
        replaces: None,
    }
}

fn refusal(result: Result<Option<Prepared>, IssueError>) -> String {
    match result {
        Err(IssueError::Refused(reason)) => reason,
        Err(error @ IssueError::Lint(_)) => error.to_string(),
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn what_was_prepared_is_signed_octet_for_octet_and_served_without_the_root() {
    let ca = plain();
    let request = request(|_| ());
    let prepared = ca.issuing.prepare(&request, now()).unwrap().unwrap();
    let issued = ca.issuing.issue(&request, Some(&prepared)).await.unwrap();
    let Issuance::Issued(chain) = issued else {
        panic!("an embedded CA signs at once");
    };
    let leaf = chain.leaf().unwrap().unwrap();
    assert_eq!(leaf.tbs_der(), prepared.tbs);
    assert_eq!(leaf.serial, prepared.serial);
    assert!(leaf.is_signed_by(&ca.issuing.local_ca().unwrap().certificate));
    let above = ca.issuing.chain().certificates();
    assert_eq!(above.len(), 2);
    assert_eq!(chain.certificates()[1..], above[..1]);
}

#[test]
fn pointers_lead_to_where_the_issuer_is_served() {
    let ca = plain();
    let mut request = request(|content| content.crl_urls = vec!["http://evil.test/".to_owned()]);
    let tbs = |request: &SigningRequest| {
        let prepared = ca.issuing.prepare(request, now()).unwrap().unwrap();
        let algorithm = pki::key::SignatureAlgorithm::EcdsaSha256;
        Certificate::from_der(&assemble(&prepared.tbs, algorithm, &[0])).unwrap()
    };
    let all = tbs(&request);
    assert_eq!(all.crl_urls, ["http://ca.test/pki/issuing/crl"]);
    assert_eq!(all.ocsp_urls, ["http://ca.test/pki/issuing/ocsp"]);
    assert_eq!(all.ca_issuer_urls, ["http://ca.test/pki/issuing/ca.der"]);
    request.pointers = RevocationPointers {
        crl: false,
        ocsp: false,
        ca_issuers: false,
    };
    let none = tbs(&request);
    assert!(
        none.crl_urls.is_empty() && none.ocsp_urls.is_empty() && none.ca_issuer_urls.is_empty()
    );
}

#[test]
fn serial_numbers_are_drawn_anew_for_every_certificate() {
    let ca = plain();
    let request = request(|_| ());
    let serial = || ca.issuing.prepare(&request, now()).unwrap().unwrap().serial;
    assert_ne!(serial(), serial());
}

#[test]
fn nothing_outlives_the_issuer() {
    let ca = plain();
    let long = request(|content| content.not_after = now() + DAY * 51);
    assert!(refusal(ca.issuing.prepare(&long, now())).contains("its issuer only until"));
    let exact = request(|content| content.not_after = ca.issuing.not_after());
    assert!(ca.issuing.prepare(&exact, now()).is_ok());
    let late = now() + DAY * 51;
    assert!(refusal(ca.issuing.prepare(&request(|_| ()), late)).contains("expired"));
}

#[test]
fn a_root_signs_no_end_entities_and_an_issuing_ca_signs_no_cas() {
    let ca = plain();
    assert!(refusal(ca.root.prepare(&request(|_| ()), now())).contains("CA certificates only"));
    let below = request(|content| {
        content.subject = "CN=Sub".parse().unwrap();
        content.basic_constraints = BasicConstraints::Ca { path_len: Some(0) };
    });
    assert!(refusal(ca.issuing.prepare(&below, now())).contains("end-entity certificates only"));
}

#[test]
fn name_constraints_of_the_issuer_are_honoured() {
    let ca = ca(|_, parent, key| {
        let mut content =
            CertificateContent::new(key.public_key().clone(), now() - DAY, now() + DAY * 50);
        content.subject = "CN=Issuing".parse().unwrap();
        content.basic_constraints = BasicConstraints::Ca { path_len: Some(0) };
        content.key_usage = KeyUsage::KEY_CERT_SIGN.union(KeyUsage::CRL_SIGN);
        content.subject_key_identifier = true;
        content.name_constraints = Some(NameConstraints {
            permitted: vec![NameSubtree::Dns("example.test".into())],
            excluded: vec![],
        });
        let facts =
            IssuerFacts::from_certificate(&parent.certificate, parent.key.signature_algorithm());
        let tbs = encode_tbs(&content, &Serial::random(&SystemRandom::new()), &facts).unwrap();
        pki::certificate::sign(&tbs, &*parent.key).unwrap()
    });
    assert!(ca.issuing.prepare(&request(|_| ()), now()).is_ok());
    let outside = request(|content| {
        content
            .subject_alt_names
            .push(GeneralName::Dns("www.other.test".into()));
    });
    assert!(refusal(ca.issuing.prepare(&outside, now())).contains("www.other.test"));
}

#[test]
fn what_the_linter_calls_an_error_is_not_signed() {
    let ca = plain();
    let odd = request(|content| content.key_usage = KeyUsage::KEY_CERT_SIGN);
    match ca.issuing.prepare(&odd, now()) {
        Err(IssueError::Lint(errors)) => assert!(!errors.is_empty()),
        other => panic!("the linter let it pass: {other:?}"),
    }
}

#[tokio::test]
async fn nothing_is_signed_that_was_not_prepared() {
    let ca = plain();
    let request = request(|_| ());
    assert!(ca.issuing.issue(&request, None).await.is_err());
    let mut empty = ca.issuing.prepare(&request, now()).unwrap().unwrap();
    empty.tbs.clear();
    assert!(ca.issuing.issue(&request, Some(&empty)).await.is_err());
    assert!(ca.issuing.poll("handle").await.is_err());
}

#[test]
fn an_issuer_whose_certificate_is_missing_or_for_another_key_is_not_connected() {
    let keys = key_store();
    let factory = Connectors::new(
        keys.clone(),
        "http://ca.test",
        sealer(),
        testing::environment(),
    );
    let own = keys.generate("own", KeyAlgorithm::EcP256).unwrap();
    let other = keys.generate("other", KeyAlgorithm::EcP256).unwrap();
    let validity = Validity {
        not_before: now(),
        not_after: now() + DAY,
    };
    let subject = "CN=Other".parse().unwrap();
    let der = root_certificate(&subject, &*other.key, validity, &SystemRandom::new()).unwrap();
    for (chain, reason) in [
        (vec![], "has none yet"),
        (vec![der], "not for this issuer's key"),
    ] {
        let issuer = issuer("own", own.reference.clone(), chain, false);
        match factory.connect(&issuer) {
            Err(ConnectError::Certificate(text)) => assert!(text.contains(reason), "{text}"),
            _ => panic!("it was connected"),
        }
    }
}

/// A key in a device: it may be away, and it remembers who called.
struct DeviceKey {
    inner: Arc<dyn SigningKey>,
    away: bool,
    callers: parking_lot::Mutex<Vec<std::thread::ThreadId>>,
}

impl SigningKey for DeviceKey {
    fn public_key(&self) -> &pki::key::PublicKey {
        self.inner.public_key()
    }

    fn signature_algorithm(&self) -> pki::key::SignatureAlgorithm {
        self.inner.signature_algorithm()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, pki::key::KeyError> {
        self.callers.lock().push(std::thread::current().id());
        if self.away {
            return Err(pki::key::KeyError::Device("no token in slot 3".into()));
        }
        self.inner.sign(message)
    }
}

#[tokio::test]
async fn s13_a_device_is_called_off_the_runtime_and_its_absence_can_be_waited_out() {
    for away in [false, true] {
        let ca = plain();
        let key = Arc::new(DeviceKey {
            inner: ca.issuing.local_ca().unwrap().key.clone(),
            away,
            callers: parking_lot::Mutex::default(),
        });
        let config = EmbeddedConfig {
            key: KeyReference::Pkcs11 {
                id: "01".to_owned(),
                label: "issuing".to_owned(),
            },
            chain: ca.issuing.chain().clone(),
            is_root: false,
        };
        let random = Arc::new(SystemRandom::new());
        let url = "http://ca.test";
        let connector =
            EmbeddedConnector::new("issuing", &config, key.clone(), url, random).unwrap();
        let request = request(|_| ());
        let prepared = connector.prepare(&request, now()).unwrap();
        match connector.issue(&request, prepared.as_ref()).await {
            Ok(Issuance::Issued(_)) => assert!(!away),
            Err(IssueError::NotReached(text)) => {
                assert!(away && text.contains("slot 3"), "{text}")
            }
            other => panic!("{other:?}"),
        }
        let here = std::thread::current().id();
        assert!(key.callers.lock().iter().all(|caller| *caller != here));
    }
}
