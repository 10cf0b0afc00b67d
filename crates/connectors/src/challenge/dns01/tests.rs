//! dns-01 and dns-account-01, which differ in the name only.

use domain::acme::validation::FailureKind;
use hickory_resolver::proto::rr::RecordType;

use super::*;
use crate::challenge::{DnsAccount01Validator, key_authorization_record};
use crate::testing::dns::{Question, Reply, cname, nothing, serve, txt};
use crate::testing::{ACCOUNT_URL, failure, request, resolver};

const NAME: &str = "_acme-challenge.www.test";

async fn probe(handler: impl Fn(&Question) -> Reply + Send + Sync + 'static) -> Verdict {
    let validator = Dns01Validator::new(resolver(serve(handler).await));
    validator
        .validate(&request(ChallengeKind::Dns01, "www.test"))
        .await
}

fn expected() -> String {
    key_authorization_record(&request(ChallengeKind::Dns01, "www.test").key_authorization)
}

#[tokio::test]
async fn any_of_several_records_may_match() {
    let verdict = probe(|question| {
        assert_eq!(
            (question.name.as_str(), question.kind),
            (NAME, RecordType::TXT)
        );
        Reply::Records(vec![txt(NAME, "other"), txt(NAME, &expected())])
    })
    .await;
    assert_eq!(verdict, Verdict::Valid { until: None });
}

#[tokio::test]
async fn the_record_may_stand_behind_a_cname() {
    let verdict = probe(|_| {
        Reply::Records(vec![
            cname(NAME, "acme.other.test"),
            txt("acme.other.test", &expected()),
        ])
    });
    assert_eq!(verdict.await, Verdict::Valid { until: None });
}

#[tokio::test]
async fn records_that_do_not_match_are_shown_with_the_one_to_publish() {
    for wrong in [
        format!("{} ", expected()),
        expected().to_lowercase(),
        "\u{1b}]0;x".to_owned(),
    ] {
        let failure = failure(probe(move |_| Reply::Records(vec![txt(NAME, &wrong)])).await);
        assert_eq!(
            (failure.kind, failure.can_retry),
            (FailureKind::IncorrectResponse, true)
        );
        assert!(failure.detail.contains(&expected()), "{failure}");
        assert!(!failure.detail.contains('\u{1b}'), "{failure}");
    }
    let many = failure(
        probe(|_| Reply::Records((0..9).map(|n| txt(NAME, &n.to_string())).collect())).await,
    );
    assert!(many.detail.contains("and 6 more"), "{many}");
}

#[tokio::test]
async fn n03_a_missing_record_is_a_dns_failure_that_can_pass_and_a_flood_one_that_cannot() {
    let missing = failure(probe(|_| nothing()).await);
    assert_eq!((missing.kind, missing.can_retry), (FailureKind::Dns, true));
    assert!(
        missing.detail.contains(NAME) && missing.detail.contains(&expected()),
        "{missing}"
    );
    let flood = failure(
        probe(|question| {
            if question.tcp {
                Reply::Records((0..1000).map(|n| txt(NAME, &n.to_string())).collect())
            } else {
                Reply::Truncated
            }
        })
        .await,
    );
    assert_eq!((flood.kind, flood.can_retry), (FailureKind::Dns, false));
}

#[tokio::test]
async fn the_label_of_dns_account_01_is_that_of_the_account() {
    let name = protocols::acme::dns_account::record_name(ACCOUNT_URL, "www.test");
    let server = serve(move |question| {
        if question.name == name {
            Reply::Records(vec![txt(&name, &expected())])
        } else {
            nothing()
        }
    })
    .await;
    let validator = DnsAccount01Validator::new(resolver(server));
    let mut request = request(ChallengeKind::DnsAccount01, "www.test");
    assert_eq!(
        validator.validate(&request).await,
        Verdict::Valid { until: None }
    );
    request.account_url.push('x');
    assert_eq!(
        failure(validator.validate(&request).await).kind,
        FailureKind::Dns
    );
}
