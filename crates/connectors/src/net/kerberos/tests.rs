//! What hostile or broken peers send.

use std::net::SocketAddr;

use domain::clock::Clock;
use pki::random::SystemRandom;
use pki::time::Timestamp;
use proptest::prelude::*;

use self::kdc::{
    Answer, NOW, PASSWORD, REALM, SERVICE, USER, first_prove, length_before, refusal, serve,
};
use super::key::Usage;
use super::reply::{Asked, Reply};
use super::wire::Principal;
use super::{KerberosClient, KerberosError, KerberosUser, Ticket};
use crate::net::address::ServerAddress;
use crate::testing::dialer;

mod kdc;

proptest! {
    #[test]
    fn any_octets_are_read_without_a_panic(octets: Vec<u8>) {
        let _ = Reply::read(&octets, Asked::First);
        let _ = Reply::read(&octets, Asked::Ticket);
    }
}

struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        NOW
    }
}

async fn ticket_of(kdc: SocketAddr) -> Result<Ticket, KerberosError> {
    let client = KerberosClient {
        // Nobody there knows a name.
        dialer: &dialer(SocketAddr::from(([127, 0, 0, 1], 9))),
        clock: &Stopped,
        random: &SystemRandom::new(),
        kdcs: &[ServerAddress::new(kdc.ip().to_string(), kdc.port())],
    };
    let user = KerberosUser {
        name: USER,
        realm: REALM,
        password: PASSWORD,
    };
    client.ticket(user, SERVICE).await
}

/// Why answers are refused in which this was changed, of those to one kind of question.
async fn refused(asked: Asked, change: impl Fn(&mut Answer) + Send + 'static) -> String {
    let kdc = serve(move |answer| {
        if answer.asked == asked {
            change(answer);
        }
        None
    });
    ticket_of(kdc.await)
        .await
        .map(drop)
        .unwrap_err()
        .to_string()
}

/// The same of what is sent instead of the first answer.
async fn refused_instead(sent: Vec<u8>) -> String {
    let kdc = serve(move |_| Some(sent.clone())).await;
    ticket_of(kdc).await.map(drop).unwrap_err().to_string()
}

const BOTH: [Asked; 2] = [Asked::First, Asked::Ticket];
const MISPLACED: &str = "does not belong to what was asked";

#[tokio::test]
async fn what_nobody_changed_is_a_ticket() {
    let kdc = serve(|_| None).await;
    let ticket = ticket_of(kdc).await.unwrap();
    assert_eq!(ticket.until.since(NOW).as_secs(), 600);
    assert_eq!(ticket.user.to_string(), USER);
}

#[tokio::test]
async fn tickets_are_forwardable_where_the_kdc_lets_them_be() {
    for (flag, options) in [(0x40, [0x40, 1, 0, 0]), (0, [0, 1, 0, 0])] {
        let kdc = serve(move |answer| {
            let wanted = match answer.asked {
                Asked::First => [0x40, 0, 0, 0],
                Asked::Ticket => options,
            };
            answer.flags[0] = flag;
            // Whoever asks for something else is told so.
            (answer.options != wanted).then(|| length_before(&refusal(13, None)))
        });
        assert_eq!(
            ticket_of(kdc.await).await.unwrap().is_forwardable,
            flag != 0
        );
    }
}

#[tokio::test]
async fn an_answer_to_another_question_is_refused() {
    for asked in BOTH {
        let told = refused(asked, |answer| answer.nonce ^= 1).await;
        assert!(told.contains(MISPLACED), "{told}");
        let told = refused(asked, |answer| answer.realm = "ELSE.TEST".to_owned()).await;
        assert!(told.contains(MISPLACED), "{told}");
        let told = refused(asked, |answer| {
            answer.service = Principal::service("HTTP/other")
        });
        let told = told.await;
        assert!(told.contains(MISPLACED), "{told}");
    }
    let told = refused(Asked::First, |answer| {
        answer.user = Principal::user("another")
    })
    .await;
    assert!(told.contains(MISPLACED), "{told}");
    let told = refused(Asked::First, |answer| answer.user_realm = "ELSE.TEST").await;
    assert!(told.contains("but ELSE.TEST: set `domain`"), "{told}");
}

#[tokio::test]
async fn an_answer_that_was_encrypted_for_another_purpose_is_refused() {
    let told = refused(Asked::First, |answer| answer.usage = Usage::TicketReply).await;
    assert!(told.contains("does not accept the password"), "{told}");
    let told = refused(Asked::Ticket, |answer| answer.usage = Usage::FirstReply).await;
    assert!(told.contains("does not fit the key"), "{told}");
}

#[tokio::test]
async fn a_key_that_is_weak_or_of_the_wrong_length_is_refused() {
    for asked in BOTH {
        for (kind, length) in [(17, 16), (23, 16), (18, 16), (18, 33)] {
            let told = refused(asked, move |answer| {
                answer.session = (kind, vec![9; length])
            });
            let told = told.await;
            assert!(
                told.contains("no key for AES-256"),
                "{kind} {length}: {told}"
            );
        }
    }
    let told = refused(Asked::First, |answer| answer.kind = 23).await;
    assert!(told.contains("no key for AES-256"), "{told}");
    let told = refused(Asked::Ticket, |answer| answer.kind = 23).await;
    assert!(told.contains("does not fit the key"), "{told}");
}

#[tokio::test]
async fn a_ticket_that_ended_is_not_shown() {
    let told = refused(Asked::First, |answer| answer.until = NOW).await;
    assert!(
        told.contains("the ticket ended at 2033-05-18T03:33:20Z"),
        "{told}"
    );
}

#[tokio::test]
async fn a_way_through_realms_ends_and_leads_only_to_what_dns_can_have() {
    for realm in [
        "",
        "else where",
        "a/b",
        "x..y",
        "\u{1b}[2J",
        &"a.".repeat(200),
    ] {
        let realm = realm.to_owned();
        let told = refused(Asked::Ticket, move |answer| {
            answer.service = Principal::granting(&realm);
        });
        let told = told.await;
        assert!(told.contains(MISPLACED), "{told}");
    }
    let told = refused(Asked::Ticket, |answer| {
        answer.service = Principal::granting("ELSE.TEST");
    });
    let told = told.await;
    assert!(
        told.contains("no KDC of the realm ELSE.TEST is known"),
        "{told}"
    );
}

#[tokio::test]
async fn a_password_is_not_stretched_as_often_as_anybody_likes() {
    for iterations in [1, 4095, 1_000_001, u32::MAX] {
        let told = refused_instead(length_before(&first_prove(iterations))).await;
        assert!(
            told.contains(&format!("stretched {iterations} times")),
            "{told}"
        );
    }
    // It wants a proof, and when it has one it wants a proof.
    let told = refused_instead(length_before(&first_prove(4096))).await;
    assert!(told.contains("Kerberos error 25"), "{told}");
    let told = refused_instead(length_before(&refusal(25, None))).await;
    assert!(told.contains("no key for AES-256"), "{told}");
}

#[tokio::test]
async fn what_a_kdc_refuses_is_told_by_its_number_where_there_are_no_words_for_it() {
    for (code, words) in [(12, "Kerberos error 12"), (68, "but another: set `domain`")] {
        let told = refused_instead(length_before(&refusal(code, None))).await;
        assert!(told.contains(words), "{told}");
    }
}

#[tokio::test]
async fn an_answer_without_end_and_one_that_breaks_off_are_no_answers() {
    for (sent, words) in [
        (vec![0xff; 4], "does not speak Kerberos"),
        (
            b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
            "does not speak Kerberos",
        ),
        (
            vec![0, 0, 1, 0, 0x6b],
            "lost before the answer was complete",
        ),
        (vec![0, 0], "lost before the answer was complete"),
        (vec![0; 4], "cannot be read"),
    ] {
        let told = refused_instead(sent).await;
        assert!(told.contains(words), "{told}");
    }
}
