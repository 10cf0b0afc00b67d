//! What goes over the wire comes back as it was, and looks as documented.

use pki::time::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::certificate::{CertificateQuery, DownloadFormat, RevokeRequest};
use super::directory::DirectoryRules;
use super::eab_key::{CreateEabKey, CreatedEabKey, EabKey, EabKeyStatus, EabUsage};
use super::grant::HeldRole;
use super::issuer::ImportIssuer;
use super::page::Page;
use super::problem::{Problem, ProblemKind};
use super::team::SetOwner;
use super::token::{CreateToken, CreatedToken, Token, TokenStatus};

fn travels<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T) {
    let text = serde_json::to_string(value).unwrap();
    assert_eq!(&serde_json::from_str::<T>(&text).unwrap(), value, "{text}");
}

fn eab_key() -> EabKey {
    EabKey {
        id: "eab_1".to_owned(),
        name: "web".to_owned(),
        status: EabKeyStatus::Usable,
        directory: None,
        team: None,
        allowed_names: vec![".example.org".to_owned()],
        usage: EabUsage::Multi,
        metadata: [("cost_center".to_owned(), "4711".to_owned())].into(),
        uses: 3,
        expires_at: Some(Timestamp::from_seconds(1_800_000_000)),
        revoked_at: None,
        last_used_at: None,
        created_at: Timestamp::from_seconds(1_700_000_000),
    }
}

fn token() -> Token {
    Token {
        id: "tok_1".to_owned(),
        name: "ci".to_owned(),
        roles: vec![HeldRole {
            role: "ca-operator".to_owned(),
            team: None,
        }],
        status: TokenStatus::Usable,
        expires_at: None,
        last_used_at: Some(Timestamp::from_seconds(1_700_000_001)),
        revoked_at: None,
        created_at: Timestamp::from_seconds(1_700_000_000),
        created_by: None,
    }
}

#[test]
fn values_come_back_as_they_went() {
    travels(&Page {
        items: vec![eab_key()],
        next: Some("eab_1".to_owned()),
    });
    travels(&CreatedEabKey {
        key: eab_key(),
        hmac: "c2VjcmV0".to_owned(),
    });
    travels(&CreatedToken {
        token: token(),
        secret: "cwt_x".to_owned(),
    });
    travels(&DirectoryRules::default());
    travels(&Problem::new(ProblemKind::Changed, "read it again"));
}

#[test]
fn what_is_absent_is_left_out() {
    let value = serde_json::to_value(Page::<u8> {
        items: vec![],
        next: None,
    });
    assert_eq!(value.unwrap(), json!({ "items": [] }));
}

#[test]
fn a_problem_names_its_kind_by_urn() {
    let problem = serde_json::to_value(Problem::new(ProblemKind::NotFound, "x")).unwrap();
    assert_eq!(problem["type"], "urn:certwright:problem:not-found");
    assert_eq!(problem["status"], 404);
}

#[test]
fn a_problem_of_a_newer_server_is_still_read() {
    let newer = json!({
        "type": "urn:certwright:problem:too-early", "title": "t", "status": 425, "detail": "wait",
        "news": true
    });
    let problem: Problem = serde_json::from_value(newer).unwrap();
    assert_eq!((problem.kind, problem.status), (ProblemKind::Other, 425));
}

#[test]
fn a_misspelt_member_of_a_request_is_refused() {
    let refused = [
        serde_json::from_value::<CreateToken>(json!({"name": "a", "role": "auditor", "life": 1}))
            .is_err(),
        serde_json::from_value::<CreateEabKey>(json!({"name": "a", "multi": true})).is_err(),
        serde_json::from_value::<CertificateQuery>(json!({"isuer": "a"})).is_err(),
        serde_json::from_value::<DirectoryRules>(json!({"profile": ["default"]})).is_err(),
    ];
    assert_eq!(refused, [true; 4]);
}

#[test]
fn nothing_is_given_away_by_leaving_the_team_out() {
    assert!(serde_json::from_value::<SetOwner>(json!({})).is_err());
    let given: SetOwner = serde_json::from_value(json!({ "team": null })).unwrap();
    assert_eq!(given.team, None);
}

#[test]
fn reasons_are_those_of_rfc_5280() {
    let request: RevokeRequest =
        serde_json::from_value(json!({ "reason": "keyCompromise" })).unwrap();
    assert_eq!(request.reason.code(), 1);
    assert!(serde_json::from_value::<RevokeRequest>(json!({ "reason": "mood" })).is_err());
}

#[test]
fn an_imported_key_is_not_shown_by_debug_output() {
    let import: ImportIssuer =
        serde_json::from_value(json!({"name": "a", "certificates": "c", "key": "canary"})).unwrap();
    assert!(!format!("{import:?}").contains("canary"));
    let sent = serde_json::to_value(&import).unwrap();
    assert_eq!(sent["key"], "canary", "but the client sends it");
}

#[test]
fn shown_secrets_are_not_shown_by_debug_output() {
    let key = CreatedEabKey {
        key: eab_key(),
        hmac: "canary".to_owned(),
    };
    let token = CreatedToken {
        token: token(),
        secret: "canary".to_owned(),
    };
    assert!(!format!("{key:?} {token:?}").contains("canary"));
}

#[test]
fn each_form_of_a_download_has_a_media_type_of_its_own() {
    let mut types: Vec<_> = DownloadFormat::ALL.map(DownloadFormat::media_type).to_vec();
    types.sort_unstable();
    types.dedup();
    assert_eq!(types.len(), DownloadFormat::ALL.len());
}
