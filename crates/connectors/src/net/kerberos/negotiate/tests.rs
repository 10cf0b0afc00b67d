use std::time::Duration;

use data_encoding::HEXLOWER;
use pki::random::SystemRandom;

use super::super::key::{EncryptionType, Key};
use super::super::wire::{Principal, write_encrypted};
use super::*;

/// What MIT Kerberos 1.20 answers to a ticket for somebody else.
const REFUSAL: &str = "a1723070a0030a0102a2690467606506092a864886f71201020203007e563054a003020105a10302011ea411180f3230\
    3236313132343035313733385aa5050203079c44a603020123a90b1b09434f52502e54455354aa1c301aa003020101a1\
    1330111b04485454501b09656c73657768657265";

#[test]
fn the_refusal_of_a_real_server_is_read_and_no_part_of_it_taken_for_one() {
    let token = HEXLOWER.decode(REFUSAL.as_bytes()).unwrap();
    let read = refusal(&token).unwrap().unwrap();
    assert_eq!((read.code, read.text), (35, None));
    for length in 0..token.len() {
        assert!(refusal(&token[..length]).is_err(), "{length}");
    }
    for at in 0..token.len() {
        let mut changed = token.clone();
        changed[at] ^= 0x21;
        // Whatever it is now: it is looked at without a panic.
        let _ = refusal(&changed);
    }
}

#[test]
fn a_token_has_the_kerberos_message_in_its_frame() {
    let frame = framed(KERBEROS, AP_REP, b"message");
    assert_eq!(unframed(&frame), Ok((AP_REP, b"message".as_slice())));
    let other = framed(SPNEGO, AP_REP, b"message");
    assert!(unframed(&other).is_err());
}

const NOW: Timestamp = Timestamp::from_seconds(2_000_000_000);

fn key(octet: u8) -> Key {
    Key::new(EncryptionType::Sha1, &[octet; 32]).unwrap()
}

fn ticket() -> Ticket {
    Ticket {
        user: Principal::user("svc"),
        realm: "CORP.TEST".to_owned(),
        octets: Writer::encode(|w| w.nested(application(1), |w| w.sequence(|_| {}))),
        session_key: key(9),
        until: NOW + Duration::from_secs(600),
        is_forwardable: false,
    }
}

fn begun(ticket: &Ticket, now: Timestamp) -> Result<Negotiation, KerberosError> {
    let begun = Negotiation::begin(ticket, "HTTP/ca", None, now, &SystemRandom::new());
    begun.map(|(negotiation, _)| negotiation)
}

/// The answer of whoever has a key, to a moment.
fn answer(key: &Key, usage: Usage, (time, micros): (Timestamp, u32), kind: [u8; 2]) -> Vec<u8> {
    let part = Writer::encode(|w| {
        w.nested(application(27), |w| {
            w.sequence(|w| {
                w.constructed(0, |w| w.generalized_time(time));
                w.constructed(1, |w| w.small(micros));
            });
        });
    });
    let sealed = key.encrypt(usage, &part, [1; 16]).unwrap();
    let reply = Writer::encode(|w| {
        w.nested(application(15), |w| {
            w.sequence(|w| {
                w.constructed(0, |w| w.small(5));
                w.constructed(1, |w| w.small(15));
                w.constructed(2, |w| write_encrypted(w, key.kind().number(), &sealed));
            });
        });
    });
    Writer::encode(|w| {
        w.constructed(1, |w| {
            w.sequence(|w| {
                w.constructed(2, |w| w.octet_string(&framed(KERBEROS, kind, &reply)));
            });
        });
    })
}

#[test]
fn only_the_holder_of_the_key_answers_and_only_to_what_was_asked_just_now() {
    let ticket = ticket();
    let asked = begun(&ticket, NOW).unwrap();
    let now = (asked.moment.time, asked.moment.micros);
    let judged = |token: &[u8]| {
        asked
            .finish(&ticket, Some(token))
            .map_err(|error| error.to_string())
    };
    assert_eq!(
        judged(&answer(&key(9), Usage::ServiceReply, now, AP_REP)),
        Ok(())
    );
    for wrong in [
        answer(&key(8), Usage::ServiceReply, now, AP_REP),
        // What the client itself has sent is no answer.
        answer(&key(9), Usage::Authenticator, now, AP_REP),
        answer(&key(9), Usage::ServiceReply, now, KRB_ERROR),
        // Answers to others, which somebody may have kept.
        answer(&key(9), Usage::ServiceReply, (now.0, now.1 ^ 1), AP_REP),
        answer(
            &key(9),
            Usage::ServiceReply,
            (now.0 - Duration::from_secs(1), now.1),
            AP_REP,
        ),
    ] {
        let told = judged(&wrong).unwrap_err();
        assert!(told.contains("did not prove that it is HTTP/ca"), "{told}");
    }
    assert!(asked.finish(&ticket, None).is_err());
    assert!(judged(b"").is_err() && judged(&[0xa1, 0]).is_err());
}

#[test]
fn a_ticket_is_not_shown_after_its_end() {
    let ticket = ticket();
    assert!(begun(&ticket, ticket.until - Duration::from_secs(1)).is_ok());
    let told = begun(&ticket, ticket.until)
        .map(drop)
        .unwrap_err()
        .to_string();
    assert!(
        told.contains("the ticket ended at 2033-05-18T03:43:20Z"),
        "{told}"
    );
}
