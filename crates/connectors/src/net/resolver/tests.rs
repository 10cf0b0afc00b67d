//! Answers as a hostile or broken name server gives them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hickory_resolver::proto::rr::RecordType;

use super::*;
use crate::testing::dns::{Question, Reply, a, cname, nothing, serve, txt};
use crate::testing::resolver;

const NAME: &str = "_acme-challenge.www.test";

async fn asked(handler: impl Fn(&Question) -> Reply + Send + Sync + 'static) -> Arc<Resolver> {
    resolver(serve(handler).await)
}

async fn texts(
    handler: impl Fn(&Question) -> Reply + Send + Sync + 'static,
) -> Result<Vec<Vec<u8>>, DnsError> {
    asked(handler).await.lookup_txt(NAME).await
}

#[tokio::test]
async fn all_txt_records_are_given_with_their_strings_joined() {
    let long = "x".repeat(600);
    let expected = long.clone();
    let found = texts(move |_| Reply::Records(vec![txt(NAME, "one"), txt(NAME, &long)])).await;
    let mut found = found.unwrap();
    found.sort();
    assert_eq!(found, [b"one".to_vec(), expected.into_bytes()]);
}

#[tokio::test]
async fn cnames_are_followed_within_an_answer_and_over_several() {
    let within = texts(|_| {
        Reply::Records(vec![
            cname(NAME, "a.test"),
            cname("a.test", "b.test"),
            txt("b.test", "x"),
        ])
    });
    assert_eq!(within.await.unwrap(), [b"x"]);
    let over = texts(|question| match question.name.as_str() {
        NAME => Reply::Records(vec![cname(NAME, "a.test")]),
        "a.test" => Reply::Records(vec![cname("a.test", "b.test")]),
        _ => Reply::Records(vec![txt("b.test", "x")]),
    });
    assert_eq!(over.await.unwrap(), [b"x"]);
}

#[tokio::test]
async fn addresses_of_both_families_are_found_through_cnames() {
    let resolver = asked(|question| match question.kind {
        RecordType::A => Reply::Records(vec![
            cname("www.test", "host.test"),
            a("host.test", [192, 0, 2, 1]),
        ]),
        _ => Reply::Records(vec![]),
    })
    .await;
    let found = resolver.lookup_ip("www.test").await.unwrap();
    assert_eq!(found, ["192.0.2.1".parse::<IpAddr>().unwrap()]);
}

#[tokio::test]
async fn absence_and_failure_are_told_apart_in_the_text() {
    for (code, text) in [
        (ResponseCode::NXDomain, "NXDOMAIN"),
        (ResponseCode::NoError, "no TXT record"),
        (ResponseCode::ServFail, "SERVFAIL"),
        (ResponseCode::Refused, "REFUSED"),
    ] {
        let error = texts(move |_| Reply::Code(code)).await.unwrap_err();
        assert!(error.to_string().contains(text), "{error}");
        assert!(error.to_string().contains(NAME), "{error}");
    }
}

#[tokio::test]
async fn n03_a_record_of_another_name_does_not_count() {
    let error = texts(|_| Reply::Records(vec![txt("other.test", "x")]))
        .await
        .unwrap_err();
    assert!(matches!(error, DnsError::NoRecords { .. }), "{error}");
    let beside = texts(|_| Reply::Records(vec![txt("other.test", "x"), txt(NAME, "y")])).await;
    assert_eq!(beside.unwrap(), [b"y"]);
}

#[tokio::test]
async fn n03_a_truncated_answer_is_asked_for_again_over_tcp() {
    let found = texts(|question| {
        if question.tcp {
            Reply::Records(vec![txt(NAME, "x")])
        } else {
            Reply::Truncated
        }
    });
    assert_eq!(found.await.unwrap(), [b"x"]);
    assert!(texts(|_| Reply::Truncated).await.is_err());
}

#[tokio::test]
async fn n03_an_answer_with_another_id_is_not_believed() {
    assert!(
        texts(|_| Reply::WrongId(vec![txt(NAME, "x")]))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn n03_a_server_that_changes_the_case_of_the_question_is_asked_over_tcp() {
    let over_tcp = Arc::new(AtomicUsize::new(0));
    let count = over_tcp.clone();
    let found = texts(move |question| {
        if question.tcp {
            count.fetch_add(1, Ordering::SeqCst);
            Reply::Records(vec![txt(NAME, "x")])
        } else {
            Reply::Capitals(vec![txt(NAME, "forged")])
        }
    });
    assert_eq!(found.await.unwrap(), [b"x"]);
    assert_eq!(over_tcp.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn n03_a_thousand_records_or_huge_ones_are_refused() {
    let many = texts(|question| {
        if question.tcp {
            Reply::Records((0..1000).map(|n| txt(NAME, &n.to_string())).collect())
        } else {
            Reply::Truncated
        }
    });
    let huge = texts(|question| {
        if question.tcp {
            Reply::Records(
                (0..20)
                    .map(|n| txt(NAME, &n.to_string().repeat(1500)))
                    .collect(),
            )
        } else {
            Reply::Truncated
        }
    });
    for error in [many.await.unwrap_err(), huge.await.unwrap_err()] {
        assert!(matches!(error, DnsError::TooMuch { .. }), "{error}");
    }
}

#[tokio::test]
async fn n03_a_loop_of_cnames_ends_and_is_not_taken_for_absence() {
    let in_one_answer =
        asked(|_| Reply::Records(vec![cname(NAME, "a.test"), cname("a.test", NAME)])).await;
    let in_several = asked(|question| match question.name.as_str() {
        "a.test" => Reply::Records(vec![cname("a.test", NAME)]),
        _ => Reply::Records(vec![cname(NAME, "a.test")]),
    })
    .await;
    let to_itself = asked(|_| Reply::Records(vec![cname(NAME, NAME)])).await;
    for resolver in [in_one_answer, in_several, to_itself] {
        let error = resolver.lookup_txt(NAME).await.unwrap_err();
        assert!(matches!(error, DnsError::Chain { .. }), "{error}");
        assert!(matches!(
            resolver.lookup_caa(NAME).await,
            CaaAnswer::Failed(DnsError::Chain { .. })
        ));
        assert!(resolver.lookup_ip(NAME).await.is_err());
    }
}

#[tokio::test]
async fn n03_an_endless_chain_of_cnames_ends() {
    let count = AtomicUsize::new(0);
    let resolver = asked(move |question| {
        let next = format!("n{}.test", count.fetch_add(1, Ordering::SeqCst));
        Reply::Records(vec![cname(&question.name, &next)])
    })
    .await;
    let error = resolver.lookup_txt(NAME).await.unwrap_err();
    assert!(matches!(error, DnsError::Chain { .. }), "{error}");
}

#[tokio::test]
async fn n03_silence_and_garbage_end_as_errors() {
    for error in [
        texts(|_| Reply::Silence).await.unwrap_err(),
        texts(|_| Reply::Garbage).await.unwrap_err(),
    ] {
        assert!(
            matches!(error, DnsError::Timeout { .. } | DnsError::Broken { .. }),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_chain_that_ends_at_nothing_is_absence() {
    let resolver = asked(|question| match question.name.as_str() {
        NAME => Reply::Records(vec![cname(NAME, "a.test")]),
        _ => nothing(),
    })
    .await;
    assert!(matches!(resolver.lookup_caa(NAME).await, CaaAnswer::None));
    let empty = asked(|question| match question.name.as_str() {
        NAME => Reply::Records(vec![cname(NAME, "a.test")]),
        _ => Reply::Records(vec![]),
    })
    .await;
    assert!(matches!(empty.lookup_caa(NAME).await, CaaAnswer::None));
}

#[tokio::test]
async fn a_text_that_is_no_name_is_not_asked_for() {
    let resolver = asked(|_| Reply::Silence).await;
    for name in ["a..b", &"x".repeat(64), &"abcdefg.".repeat(40)] {
        let error = resolver.lookup_txt(name).await.unwrap_err();
        assert!(matches!(error, DnsError::BadName { .. }), "{error}");
    }
}
