//! Against a name server with lasting records.

use hickory_resolver::proto::op::ResponseCode;
use pki::time::Timestamp;
use protocols::acme::dns_persist::hashed_uri;

use super::*;
use crate::testing::dns::{Reply, nothing, serve, txt};
use crate::testing::{ACCOUNT_URL, THUMBPRINT, failure, request, resolver};

const HOLDER: &str = "_validation-persist.example.test";

async fn probe(identifier: &str, wildcard: bool, records: Vec<String>) -> Verdict {
    let server = serve(move |question| {
        if question.name == HOLDER {
            Reply::Records(records.iter().map(|text| txt(HOLDER, text)).collect())
        } else {
            nothing()
        }
    })
    .await;
    let request = ValidationRequest {
        wildcard,
        ..request(ChallengeKind::DnsPersist01, identifier)
    };
    DnsPersist01Validator::new(resolver(server))
        .validate(&request)
        .await
}

fn plain(rest: &str) -> Vec<String> {
    vec![
        "other-ca.test; accounturi=https://other-ca.test/1".to_owned(),
        format!("ca.test; accounturi={ACCOUNT_URL}{rest}"),
    ]
}

#[tokio::test]
async fn a_record_names_the_account_by_its_url_or_by_its_hash() {
    let thumbprint = THUMBPRINT.parse().unwrap();
    let hashed = hashed_uri(
        "https://ca.test/account-hash/",
        "example.test",
        &thumbprint,
        ACCOUNT_URL,
    );
    let by_hash = vec![format!("ca.test; accounturi={hashed}")];
    for records in [plain(""), by_hash] {
        assert_eq!(
            probe("example.test", false, records).await,
            Verdict::Valid { until: None }
        );
    }
}

#[tokio::test]
async fn the_end_of_a_record_is_the_end_of_the_proof() {
    let verdict = probe("example.test", false, plain("; persistUntil=1800000001")).await;
    let until = Some(Timestamp::from_seconds(1_800_000_001));
    assert_eq!(verdict, Verdict::Valid { until });
    let past = failure(probe("example.test", false, plain("; persistUntil=1799999999")).await);
    assert_eq!(past.kind, FailureKind::IncorrectResponse);
    assert!(past.detail.contains("persistUntil"), "{past}");
}

#[tokio::test]
async fn wildcards_and_names_below_need_the_policy() {
    for (identifier, wildcard) in [("example.test", true), ("a.b.example.test", false)] {
        let allowed = probe(identifier, wildcard, plain("; policy=wildcard")).await;
        assert_eq!(allowed, Verdict::Valid { until: None });
        let refused = failure(probe(identifier, wildcard, plain("")).await);
        assert!(refused.detail.contains("policy=wildcard"), "{refused}");
    }
}

#[tokio::test]
async fn a_missing_record_is_told_with_the_one_to_publish() {
    let failure = failure(probe("other.test", false, plain("")).await);
    assert_eq!((failure.kind, failure.can_retry), (FailureKind::Dns, true));
    let wanted = format!("\"ca.test; accounturi={ACCOUNT_URL}\"");
    assert!(failure.detail.contains(&wanted), "{failure}");
}

#[tokio::test]
async fn a_name_server_that_fails_is_told() {
    let server = serve(|_| Reply::Code(ResponseCode::ServFail)).await;
    let request = request(ChallengeKind::DnsPersist01, "example.test");
    let failure = failure(
        DnsPersist01Validator::new(resolver(server))
            .validate(&request)
            .await,
    );
    assert!(failure.detail.contains("SERVFAIL"), "{failure}");
}

#[test]
fn records_are_looked_for_at_the_name_and_above_but_not_at_a_top_level_domain() {
    let of = |domain| holders(domain).collect::<Vec<_>>();
    assert_eq!(
        of("a.b.example.org"),
        ["a.b.example.org", "b.example.org", "example.org"]
    );
    assert_eq!(of("example.org"), ["example.org"]);
    assert_eq!(of("intranet"), ["intranet"]);
    assert_eq!(of("1.2.3.4.5.6.7.8.9.example").len(), 6);
}
