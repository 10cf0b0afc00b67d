use serde_json::{Value, json};

use super::{Level, cef, ocsf, syslog};
use crate::rest::audit::{Actor, ActorKind, Event};

fn event(name: &str, data: Value) -> Event {
    Event {
        id: "evt_1".to_owned(),
        at: "2027-01-31T12:00:00Z".parse().unwrap(),
        name: name.to_owned(),
        actor: Actor {
            kind: ActorKind::Token,
            id: "tok_1".to_owned(),
            address: Some("192.0.2.7".to_owned()),
        },
        object: "crt_1".to_owned(),
        data,
        request_id: Some("req_1".to_owned()),
    }
}

fn issued() -> Event {
    event(
        "certificate.issued",
        json!({
            "serial": "0a", "issuer": "issuing", "profile": "default",
            "names": ["www.example.org"], "not_after": "2027-03-02T12:00:00Z",
            "fingerprint": "ff",
        }),
    )
}

#[test]
fn cef_says_who_did_what_to_what() {
    let line = cef::line(&issued(), Level::Info);
    let head = format!(
        "CEF:0|Certwright|Certwright|{}|certificate.issued|certificate issued|2|",
        super::VERSION
    );
    let rest = line.strip_prefix(&head).unwrap();
    assert!(
        rest.starts_with(
            "rt=1801396800000 externalId=evt_1 act=issued outcome=success suser=tok_1 \
             src=192.0.2.7 dhost=www.example.org cs1Label=serial cs1=0a cs2Label=issuer \
             cs2=issuing cs3Label=profile cs3=default cs4Label=requestId cs4=req_1 \
             cs5Label=object cs5=crt_1 deviceCustomDate1Label=notAfter \
             deviceCustomDate1=1803988800000 cn1Label=daysLeft cn1=30 msg={"
        ),
        "{rest}"
    );
}

#[test]
fn nothing_in_an_event_breaks_out_of_its_place_in_cef() {
    let hostile = "a|b\\c=d\nCEF:0|x\r\u{1b}[31m";
    let mut event = event(hostile, json!({ "reason": hostile }));
    event.object = hostile.to_owned();
    let line = cef::line(&event, Level::Critical);
    assert!(!line.contains(['\n', '\r', '\u{1b}']), "{line}");
    assert!(
        line.contains(r"reason=a|b\\c\=d\nCEF:0|x\r [31m "),
        "{line}"
    );
    let header: Vec<&str> = line.split('|').collect();
    // The two bars in the name are escaped, in signature and title.
    assert_eq!(header.iter().filter(|part| part.ends_with('\\')).count(), 4);
    assert!(line.contains("|9|rt="));
}

#[test]
fn long_details_are_cut_between_characters() {
    let event = event("a.b", json!({ "text": "é".repeat(10_000) }));
    let line = cef::line(&event, Level::Info);
    assert!(line.len() < 6_000 && line.ends_with('…'));
}

#[test]
fn a_syslog_message_is_of_rfc_5424() {
    let source = syslog::Source {
        facility: 13,
        hostname: "ca.example.org".to_owned(),
        app_name: "certwright".to_owned(),
    };
    let text = syslog::message(&source, &issued(), Level::Critical, Some(7), "two\nlines");
    assert_eq!(
        text,
        format!(
            "<106>1 2027-01-31T12:00:00Z ca.example.org certwright tok_1 certificate.issued \
             [origin software=\"certwright\" swVersion=\"{}\"][meta sequenceId=\"7\"] two lines",
            super::VERSION
        )
    );
    let nameless = syslog::Source {
        hostname: "é \n".to_owned(),
        ..source
    };
    let text = syslog::message(&nameless, &issued(), Level::Info, None, "x");
    assert!(
        text.starts_with("<110>1 2027-01-31T12:00:00Z - certwright "),
        "{text}"
    );
    assert!(!text.contains("sequenceId"));
}

#[test]
fn frames_tell_messages_apart() {
    let counted = syslog::frame("é1", syslog::Framing::OctetCounting);
    assert_eq!(counted, "3 é1".as_bytes());
    assert_eq!(syslog::frame("a", syslog::Framing::NewLine), b"a\n");
}

#[test]
fn ocsf_has_a_class_for_each_event() {
    for (name, class, activity) in [
        ("certificate.issued", 3004, 6),
        ("certificate.revoked", 3004, 7),
        ("profile.changed", 3004, 3),
        ("token.created", 3004, 1),
        ("user.created", 3001, 1),
        ("session.opened", 3002, 1),
        ("role.granted", 3005, 1),
        ("certificate.expiring", 2003, 1),
        ("incident.closed", 2003, 3),
        ("something.new", 3004, 99),
    ] {
        let object = ocsf::object(&event(name, json!({})), Level::Info);
        assert_eq!(object["class_uid"], class, "{name}");
        assert_eq!(object["activity_id"], activity, "{name}");
        assert_eq!(object["type_uid"], class * 100 + activity, "{name}");
        assert_eq!(object["category_uid"], class / 1000, "{name}");
        for member in ["time", "severity_id", "metadata", "actor"] {
            assert!(!object[member].is_null(), "{name} has no {member}");
        }
        assert_eq!(object["metadata"]["version"], ocsf::SCHEMA);
        assert_eq!(object["metadata"]["correlation_uid"], "req_1");
    }
}

#[test]
fn ocsf_keeps_the_certificate_and_what_a_change_was() {
    let object = ocsf::object(&issued(), Level::Info);
    let data = &object["entity"]["data"];
    assert_eq!(data["serial_number"], "0a");
    assert_eq!(data["expiration_time"], 1_803_988_800_000_i64);
    assert_eq!(object["src_endpoint"]["ip"], "192.0.2.7");
    let changed = json!({ "before": { "a": 1 }, "after": { "a": 2 } });
    let object = ocsf::object(&event("profile.changed", changed), Level::Notice);
    assert_eq!(object["entity"]["data"], json!({ "a": 1 }));
    assert_eq!(object["entity_result"]["data"], json!({ "a": 2 }));
    let failed = ocsf::object(
        &event("enrollment.failed", json!({"reason": "x"})),
        Level::Warning,
    );
    assert_eq!(
        (&failed["status_id"], &failed["status_detail"]),
        (&json!(2), &json!("x"))
    );
}
