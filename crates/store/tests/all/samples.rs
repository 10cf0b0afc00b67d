//! One of each noun, ready to be stored.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::acme::account::{Account, AccountStatus};
use domain::acme::authorization::{Authorization, AuthorizationState};
use domain::acme::challenge::{Challenge, ChallengeKind};
use domain::acme::directory::{Directory, DirectorySpec};
use domain::acme::eab::{EabKey, EabUsage};
use domain::acme::order::Order;
use domain::certificate::{Chain, InventoryCertificate, Origin};
use domain::enrollment::{Enrollment, EnrollmentState, Requester};
use domain::event::{Actor, Event};
use domain::id::*;
use domain::identifier::Identifier;
use domain::issuer::{
    ConnectorConfig, EmbeddedConfig, Issuer, IssuerState, Prepared, SealedSecret,
};
use domain::keystore::KeyReference;
use domain::metadata::Source;
use domain::profile::{Profile, preset};
use domain::team::Team;
use domain::token::ApiToken;
use pki::fingerprint::Fingerprint;
use pki::random::Random;
use pki::serial::Serial;
use pki::time::Timestamp;
use store::jobs::JobRow;

/// Counts, so that ids sort in the order in which they were made.
pub struct Counter(AtomicU64);

pub static RANDOM: Counter = Counter(AtomicU64::new(1));

impl Random for Counter {
    fn fill(&self, buffer: &mut [u8]) {
        let count = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        buffer.fill(0);
        let length = buffer.len().min(8);
        let (head, tail) = buffer.split_at_mut(length);
        head.copy_from_slice(&count[8 - length..]);
        tail.fill(0);
    }
}

/// An instant of the tests' day.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_790_000_000 + seconds)
}

pub fn token() -> ApiToken {
    let id = TokenId::mint(at(0), &RANDOM);
    ApiToken {
        name: "ci".to_owned(),
        hash: Fingerprint::of(id.as_str().as_bytes()),
        expires_at: Some(at(1000)),
        last_used_at: None,
        revoked_at: None,
        created_by: None,
        created_at: at(0),
        id,
    }
}

pub fn issuer(name: &str) -> Issuer {
    Issuer {
        id: IssuerId::mint(at(0), &RANDOM),
        name: name.to_owned(),
        state: IssuerState::AwaitingCertificate,
        connector: ConnectorConfig::Embedded(EmbeddedConfig {
            key: KeyReference::Sealed {
                sealed: "sealed".to_owned(),
            },
            chain: chain(),
            is_root: false,
        }),
        secrets: BTreeMap::from([(
            "token".to_owned(),
            SealedSecret {
                sealed: "sealed".to_owned(),
                set_at: at(0),
            },
        )]),
        remote_chain: Chain::default(),
        metadata_fields: BTreeMap::from([("owner".to_owned(), "Custom 1".to_owned())]),
        limits: domain::issuer::IssuerLimits::default(),
        created_at: at(0),
        updated_at: at(0),
    }
}

/// Any octets: a store does not look inside.
pub fn chain() -> Chain {
    Chain::new(vec![b"issuing CA".to_vec(), b"root CA".to_vec()])
}

pub fn profile(name: &str) -> Profile {
    Profile {
        id: ProfileId::mint(at(0), &RANDOM),
        name: name.to_owned(),
        version: 1,
        spec: preset::tls_server("issuing"),
        team_id: None,
        created_at: at(0),
    }
}

pub fn team(name: &str) -> Team {
    Team {
        id: TeamId::mint(at(0), &RANDOM),
        name: name.to_owned(),
        description: String::new(),
        created_at: at(0),
        updated_at: at(0),
    }
}

pub fn directory(name: &str) -> Directory {
    Directory {
        id: DirectoryId::mint(at(0), &RANDOM),
        name: name.to_owned(),
        spec: DirectorySpec::default(),
        team_id: None,
        created_at: at(0),
        updated_at: at(0),
    }
}

pub fn eab_key(directory: &DirectoryId) -> EabKey {
    EabKey {
        id: EabKeyId::mint(at(0), &RANDOM),
        name: "web team".to_owned(),
        sealed_hmac: "sealed".to_owned(),
        directory_id: Some(directory.clone()),
        allowed_names: vec![
            ".example.org".parse().unwrap(),
            "192.0.2.0/24".parse().unwrap(),
        ],
        usage: EabUsage::Single,
        metadata: BTreeMap::from([("owner".to_owned(), "web".to_owned())]),
        uses: 0,
        expires_at: Some(at(1000)),
        revoked_at: None,
        last_used_at: None,
        team_id: None,
        created_at: at(0),
    }
}

pub fn account(directory: &DirectoryId, thumbprint: &str) -> Account {
    Account {
        id: AccountId::mint(at(0), &RANDOM),
        directory_id: directory.clone(),
        jwk: "{\"kty\":\"EC\"}".to_owned(),
        thumbprint: thumbprint.to_owned(),
        status: AccountStatus::Valid,
        contacts: vec!["mailto:a@example.org".to_owned()],
        terms_agreed: true,
        eab_key_id: None,
        eab_jws: None,
        metadata: BTreeMap::from([("owner".to_owned(), "web".to_owned())]),
        created_from: Some("192.0.2.7".to_owned()),
        team_id: None,
        created_at: at(0),
        updated_at: at(0),
    }
}

pub fn dns(name: &str) -> Identifier {
    Identifier::parse("dns", name).unwrap()
}

pub fn authorization(account: &AccountId, directory: &DirectoryId, name: &str) -> Authorization {
    let challenge = Challenge::pending;
    Authorization {
        id: AuthorizationId::mint(at(0), &RANDOM),
        account_id: account.clone(),
        directory_id: directory.clone(),
        identifier: dns(name),
        wildcard: false,
        state: AuthorizationState::Pending,
        token: "token".to_owned(),
        challenges: vec![
            challenge(ChallengeKind::Http01),
            challenge(ChallengeKind::Dns01),
        ],
        expires_at: at(600),
        created_at: at(0),
    }
}

pub fn order(account: &AccountId, directory: &DirectoryId) -> Order {
    Order {
        id: OrderId::mint(at(0), &RANDOM),
        account_id: account.clone(),
        directory_id: directory.clone(),
        identifiers: vec![
            dns("example.org"),
            Identifier::parse("ip", "192.0.2.1").unwrap(),
        ],
        authorization_ids: vec![AuthorizationId::mint(at(0), &RANDOM)],
        profile_id: ProfileId::mint(at(0), &RANDOM),
        profile_name: "default".to_owned(),
        profile_version: 3,
        not_before: None,
        not_after: Some(at(900)),
        replaces: None,
        replaces_cert_id: None,
        enrollment_id: None,
        expires_at: at(600),
        team_id: None,
        created_at: at(0),
    }
}

pub fn enrollment() -> Enrollment {
    Enrollment {
        id: EnrollmentId::mint(at(0), &RANDOM),
        requester: Requester::System,
        profile_id: ProfileId::mint(at(0), &RANDOM),
        profile_version: 2,
        identifiers: vec![dns("*.example.org")],
        subject: Some("CN=host.example.org,O=Example".parse().unwrap()),
        key_evidence: Some(domain::profile::KeyEvidence {
            attested: None,
            kind: domain::profile::KeyEvidenceKind::Witness,
            reference: "ticket 4711".to_owned(),
        }),
        csr_der: vec![0x30, 0, 0xff],
        not_before: None,
        not_after: Some(at(900)),
        metadata: BTreeMap::from([("team".to_owned(), "web".to_owned())]),
        metadata_sources: BTreeMap::from([("team".to_owned(), Source::EabKey)]),
        replaces: None,
        state: EnrollmentState::approved(),
        team_id: None,
        created_at: at(0),
        updated_at: at(0),
    }
}

pub fn signing(issuer: &IssuerId, serial: u8) -> EnrollmentState {
    EnrollmentState::Signing {
        issuer: issuer.clone(),
        prepared: Some(Prepared {
            serial: serial_number(serial),
            tbs: vec![0x30, serial],
        }),
        attempts: 1,
        last_error: None,
        retry_at: None,
        decided_at: None,
    }
}

pub fn serial_number(number: u8) -> Serial {
    Serial::from_be_octets(&[0x80, number]).unwrap()
}

pub const KEY_ID: [u8; 4] = [0xde, 0xad, 0xbe, 0xef];

pub fn certificate(issuer: Option<&IssuerId>, serial: u8, names: &[&str]) -> InventoryCertificate {
    let id = CertificateId::mint(at(0), &RANDOM);
    InventoryCertificate {
        fingerprint: Fingerprint::of(id.as_str().as_bytes()),
        serial: serial_number(serial),
        issuer_id: issuer.cloned(),
        issuer_name: "CN=Issuing".to_owned(),
        subject: String::new(),
        names: names.iter().map(|&name| name.to_owned()).collect(),
        not_before: at(0),
        not_after: at(10_000),
        key_kind: "p-256".to_owned(),
        is_weak: false,
        spki_sha256: [serial; 32],
        authority_key_identifier: KEY_ID.to_vec(),
        der: id.as_str().as_bytes().to_vec(),
        chain_id: Some(chain().id()),
        origin: Origin::Issued,
        enrollment_id: None,
        profile_id: None,
        profile_version: None,
        account_id: None,
        directory_id: None,
        replaces: None,
        replaced_by: None,
        metadata: BTreeMap::from([("owner".to_owned(), "Jürgen".to_owned())]),
        revocation: None,
        team_id: None,
        created_at: at(0),
        id,
    }
}

pub fn event(name: &str, object: &str, seconds: i64) -> Event {
    Event {
        id: EventId::mint(at(seconds), &RANDOM),
        name: name.to_owned(),
        at: at(seconds),
        actor: Actor::system(),
        object: object.to_owned(),
        data: serde_json::json!({ "z": 1, "a": [true, null, "ü"] }),
        request_id: None,
    }
}

pub fn job(key: Option<&str>, run_at: i64) -> JobRow {
    JobRow {
        id: JobId::mint(at(0), &RANDOM),
        kind: "test".to_owned(),
        key: key.map(str::to_owned),
        payload: "{}".to_owned(),
        run_at: at(run_at),
        attempts: 0,
        revision: 0,
        claims: 0,
        created_at: at(0),
    }
}
