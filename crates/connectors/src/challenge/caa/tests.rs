//! I10: climbing, aliases and failures. How single records read is tested with their grammar.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::acme::challenge::ChallengeKind;
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::RecordType;

use super::*;
use crate::testing::dns::{Question, Reply, caa, cname, nothing, serve};
use crate::testing::{ACCOUNT_URL, resolver};

async fn check(
    wildcard: bool,
    handler: impl Fn(&Question) -> Reply + Send + Sync + 'static,
) -> Result<Duration, ValidationFailure> {
    let checker = DnsCaaChecker::new(resolver(serve(handler).await));
    let question = CaaQuestion {
        name: "a.www.example.test".to_owned(),
        wildcard,
        issuer_domain_names: vec!["ca.test".to_owned()],
        account_url: ACCOUNT_URL.to_owned(),
        method: Some(ChallengeKind::Http01),
    };
    checker.check(&question).await
}

/// Only `holder` has a record, all other names exist without one.
fn at(holder: &'static str, tag: &'static str, value: &'static str) -> impl Fn(&Question) -> Reply {
    move |question| match (question.kind, question.name == holder) {
        (RecordType::CAA, true) => Reply::Records(vec![caa(holder, false, tag, value)]),
        _ => Reply::Records(vec![]),
    }
}

#[tokio::test]
async fn i10_without_records_anywhere_issuance_is_allowed_for_eight_hours() {
    let eight_hours = Duration::from_secs(28800);
    assert_eq!(
        check(false, |_| Reply::Records(vec![])).await,
        Ok(eight_hours)
    );
    assert_eq!(check(false, |_| nothing()).await, Ok(eight_hours));
}

#[tokio::test]
async fn i10_the_tree_is_climbed_to_the_nearest_records() {
    for holder in [
        "a.www.example.test",
        "www.example.test",
        "example.test",
        "test",
    ] {
        assert!(check(false, at(holder, "issue", "ca.test")).await.is_ok());
        let refused = check(false, at(holder, "issue", "other.test"))
            .await
            .unwrap_err();
        assert_eq!((refused.kind, refused.can_retry), (FailureKind::Caa, false));
        assert!(
            refused
                .detail
                .contains(&format!("CAA records of {holder} ")),
            "{refused}"
        );
    }
    let nearest = check(false, |question| {
        let value = if question.name == "example.test" {
            ";"
        } else {
            "ca.test"
        };
        match question.name.as_str() {
            "www.example.test" | "example.test" => {
                Reply::Records(vec![caa(&question.name, false, "issue", value)])
            }
            _ => nothing(),
        }
    });
    assert!(nearest.await.is_ok());
}

#[tokio::test]
async fn i10_an_alias_is_followed_but_not_climbed_from() {
    let followed = |value: &'static str| {
        check(false, move |question| match question.name.as_str() {
            "a.www.example.test" => Reply::Records(vec![
                cname("a.www.example.test", "host.cdn.test"),
                caa("host.cdn.test", false, "issue", value),
            ]),
            _ => Reply::Records(vec![]),
        })
    };
    assert!(followed("ca.test").await.is_ok());
    assert!(followed(";").await.is_err());
    let not_climbed = check(false, |question| match question.name.as_str() {
        "a.www.example.test" => Reply::Records(vec![cname("a.www.example.test", "host.cdn.test")]),
        "cdn.test" => Reply::Records(vec![caa("cdn.test", false, "issue", ";")]),
        _ => Reply::Records(vec![]),
    });
    assert!(not_climbed.await.is_ok());
}

#[tokio::test]
async fn i10_a_wildcard_is_judged_by_issuewild() {
    let zone = at("example.test", "issuewild", ";");
    assert!(check(false, zone).await.is_ok());
    assert!(
        check(true, at("example.test", "issuewild", ";"))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn i10_account_and_method_must_be_those_that_are_named() {
    for (value, allowed) in [
        (
            "ca.test; accounturi=https://ca.test/acme/default/account/1",
            true,
        ),
        (
            "ca.test; accounturi=https://ca.test/acme/default/account/2",
            false,
        ),
        ("ca.test; validationmethods=http-01", true),
        ("ca.test; validationmethods=dns-01", false),
    ] {
        let result = check(false, at("example.test", "issue", value)).await;
        assert_eq!(result.is_ok(), allowed, "{value}");
    }
}

#[tokio::test]
async fn i10_an_unknown_critical_property_forbids() {
    let refused = check(false, |question| {
        Reply::Records(vec![caa(&question.name, true, "future", "x")])
    });
    assert!(refused.await.unwrap_err().detail.contains("future"));
}

#[tokio::test]
async fn i10_a_name_server_that_fails_forbids_but_is_asked_once_more() {
    for code in [ResponseCode::ServFail, ResponseCode::Refused] {
        let refused = check(false, move |_| Reply::Code(code)).await.unwrap_err();
        assert_eq!((refused.kind, refused.can_retry), (FailureKind::Dns, true));
    }
    let silent = check(false, |_| Reply::Silence).await.unwrap_err();
    assert_eq!(silent.kind, FailureKind::Dns);
    let failures = Arc::new(AtomicUsize::new(0));
    let stumbles = failures.clone();
    let recovered = check(false, move |_| {
        if stumbles.fetch_add(1, Ordering::SeqCst) == 0 {
            Reply::Code(ResponseCode::ServFail)
        } else {
            Reply::Records(vec![])
        }
    });
    assert!(recovered.await.is_ok());
}

#[tokio::test]
async fn i10_a_failure_further_up_forbids_too() {
    let refused = check(false, |question| match question.name.as_str() {
        "example.test" => Reply::Code(ResponseCode::ServFail),
        _ => Reply::Records(vec![]),
    });
    assert!(refused.await.unwrap_err().detail.contains("example.test"));
}
