//! Exports that somebody laid hands on.

use domain::event::{Actor, Event};
use domain::id::EventId;
use lifecycle::events::key_id;
use pki::key::{KeyAlgorithm, LocalKey, SigningKey};
use pki::random::SystemRandom;
use serde_json::json;

use super::*;

const EVENTS: i64 = 5;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_800_000_000 + seconds)
}

fn event(number: i64) -> Event {
    Event {
        id: EventId::mint(at(number), &SystemRandom::new()),
        name: "certificate.issued".to_owned(),
        at: at(number),
        actor: Actor::system(),
        object: format!("crt_{number}"),
        data: json!({ "number": number, "names": ["a.example.org"], "ratio": 0.5 }),
        request_id: None,
    }
}

fn checkpoint(key: &LocalKey, sealed: &SealedEvent) -> Checkpoint {
    let statement = Checkpoint::statement(sealed.position, sealed.hash, at(100));
    Checkpoint {
        position: sealed.position,
        hash: sealed.hash,
        at: at(100),
        signature: data_encoding::BASE64.encode(&key.sign(&statement).unwrap()),
        key_id: key_id(key.public_key()),
    }
}

/// Five events, a checkpoint after the third and one at the end.
fn sound(key: &LocalKey) -> Vec<Line> {
    let mut hash = EventHash::GENESIS;
    let events: Vec<SealedEvent> = (1..=EVENTS)
        .map(|position| {
            let event = event(position);
            hash = EventHash::next(hash, position, &event);
            SealedEvent {
                position,
                event,
                hash,
            }
        })
        .collect();
    let header = Line::Export(Header {
        version: VERSION,
        exported_at: at(200),
        events: EVENTS,
    });
    let checkpoints = vec![checkpoint(key, &events[2]), checkpoint(key, &events[4])];
    std::iter::once(header)
        .chain(merge(events, checkpoints))
        .collect()
}

/// Where the event of that position stands.
fn place(lines: &[Line], position: i64) -> usize {
    let is_wanted =
        |line: &Line| matches!(line, Line::Event(sealed) if sealed.position == position);
    lines.iter().position(is_wanted).unwrap()
}

fn text(lines: &[Line]) -> String {
    String::from_utf8(encode(lines.iter().cloned()).to_vec()).unwrap()
}

fn check(lines: &[Line], key: &LocalKey) -> Result<Verified, ExportFault> {
    verify(text(lines).as_bytes(), Some(key.public_key()), None)
}

fn key() -> LocalKey {
    LocalKey::generate(KeyAlgorithm::EcP256).unwrap()
}

#[test]
fn s06_a_sound_export_is_found_sound() {
    let key = key();
    let verified = check(&sound(&key), &key).unwrap();
    assert_eq!((verified.events, verified.checkpoints), (EVENTS, 2));
    assert!(verified.signatures_checked);
}

#[test]
fn s06_an_edit_of_any_one_event_is_found() {
    let key = key();
    let edits: [fn(&mut Event); 5] = [
        |event| event.name = "certificate.revoked".to_owned(),
        |event| event.object.push('x'),
        |event| event.at = at(99),
        |event| event.actor.id = "somebody else".to_owned(),
        |event| event.data["number"] = json!(7),
    ];
    for position in 1..=EVENTS {
        for edit in edits {
            let mut lines = sound(&key);
            let place = place(&lines, position);
            let Line::Event(sealed) = &mut lines[place] else {
                panic!("not an event")
            };
            edit(&mut sealed.event);
            let fault = ChainFault::Altered { position };
            assert_eq!(check(&lines, &key), Err(fault.into()));
        }
    }
}

#[test]
fn s06_an_edit_whose_hashes_were_made_anew_is_found() {
    let key = key();
    for position in 1..=EVENTS {
        let mut lines = sound(&key);
        let mut hash = EventHash::GENESIS;
        for line in &mut lines {
            if let Line::Event(sealed) = line {
                if sealed.position == position {
                    sealed.event.object.push('x');
                }
                hash = EventHash::next(hash, sealed.position, &sealed.event);
                sealed.hash = hash;
            }
        }
        assert!(
            matches!(
                check(&lines, &key),
                Err(ExportFault::Chain(ChainFault::CheckpointDisagrees { .. }))
            ),
            "{position}"
        );
    }
}

#[test]
fn s06_a_deleted_event_is_found() {
    let key = key();
    for position in 1..=EVENTS {
        let mut lines = sound(&key);
        lines.remove(place(&lines, position));
        assert!(check(&lines, &key).is_err(), "{position}");
    }
}

#[test]
fn s06_exchanged_events_are_found() {
    let key = key();
    for position in 1..EVENTS {
        let mut lines = sound(&key);
        let (one, other) = (place(&lines, position), place(&lines, position + 1));
        lines.swap(one, other);
        assert!(
            matches!(
                check(&lines, &key),
                Err(ExportFault::Chain(ChainFault::Gap { .. }))
            ),
            "{position}"
        );
    }
}

#[test]
fn s06_a_repeated_event_is_found() {
    let key = key();
    for position in 1..=EVENTS {
        let mut lines = sound(&key);
        let place = place(&lines, position);
        lines.insert(place, lines[place].clone());
        assert!(check(&lines, &key).is_err(), "{position}");
    }
}

#[test]
fn s06_a_file_cut_off_anywhere_is_found() {
    let key = key();
    let whole = text(&sound(&key));
    // To the last but its line feed, which nobody misses.
    for length in 0..whole.len() - 1 {
        let cut = &whole[..length];
        let found = verify(cut.as_bytes(), Some(key.public_key()), None);
        assert!(found.is_err(), "{length} octets");
    }
}

#[test]
fn s06_a_tail_cut_off_with_its_checkpoint_is_found_by_who_saw_more() {
    let key = key();
    let mut lines = sound(&key);
    lines.truncate(place(&lines, 4));
    if let Line::Export(header) = &mut lines[0] {
        header.events = 3;
    }
    let verified = |seen| verify(text(&lines).as_bytes(), Some(key.public_key()), seen);
    assert!(verified(None).is_ok());
    assert_eq!(
        verified(Some(EVENTS)),
        Err(ExportFault::Shortened {
            end: 3,
            seen: EVENTS
        })
    );
}

#[test]
fn s06_an_event_that_was_added_behind_the_last_checkpoint_is_found() {
    let key = key();
    let mut lines = sound(&key);
    let Line::Event(last) = lines[place(&lines, EVENTS)].clone() else {
        panic!("not an event")
    };
    let position = EVENTS + 1;
    let event = event(position);
    let hash = EventHash::next(last.hash, position, &event);
    let added = SealedEvent {
        position,
        event,
        hash,
    };
    lines.push(Line::Event(added));
    let fault = ExportFault::Uncovered {
        covered: EVENTS,
        end: position,
    };
    assert_eq!(check(&lines, &key), Err(fault));
}

#[test]
fn s06_checkpoints_of_another_key_are_found() {
    let (ours, theirs) = (key(), key());
    assert!(matches!(
        check(&sound(&theirs), &ours),
        Err(ExportFault::Chain(ChainFault::CheckpointSignature { .. }))
    ));
}

#[test]
fn what_is_no_export_is_said_to_be_none() {
    let fault = |text: &str| verify(text.as_bytes(), None, None).unwrap_err();
    assert_eq!(fault(""), ExportFault::NoHeader);
    assert!(matches!(
        fault("{\"event\": 1}"),
        ExportFault::Unreadable { line: 1, .. }
    ));
    let newer = r#"{"export":{"version":2,"exported_at":"2027-01-01T00:00:00Z","events":0}}"#;
    assert_eq!(fault(newer), ExportFault::Version(2));
}

#[test]
fn a_line_without_an_end_is_not_read_into_memory() {
    let endless = std::io::BufReader::new(std::io::repeat(b'['));
    assert!(matches!(
        verify(endless, None, None),
        Err(ExportFault::Unreadable { line: 1, .. })
    ));
}
