use serde_json::Value;

use super::*;

/// An event in which every text is hostile.
fn hostile(text: &str) -> Event {
    let mut event = samples().remove(0);
    event.object = text.to_owned();
    event.actor.id = text.to_owned();
    event.data = json!({ "names": [text], "reason": text, "nested": { "deep": text } });
    event
}

fn made(place: Place, source: &str, event: &Event) -> String {
    render(place, source, &sample_subject(event)).unwrap()
}

#[test]
fn a_broken_template_is_refused_with_its_place() {
    for (source, line, column) in [
        ("{{ event.name", 1, 10),
        ("one\ntwo {{ event..name }}", 2, 14),
        ("a\n\n  {{ event.name | shout }}", 3, 19),
        ("{% if event %}", 1, 13),
        ("{{ 1 + 'a' }}", 1, 4),
        ("{% include 'other' %}", 1, 4),
    ] {
        let fault = check(Place::Text(Format::Plain), source).unwrap_err();
        assert_eq!(fault.line, line, "{source}: {fault}");
        assert!(fault.column.abs_diff(column) <= 4, "{source}: {fault}");
    }
}

#[test]
fn a_broken_condition_is_refused_with_its_place() {
    for expression in ["event.name ==", "event.name | nothing", "1 +"] {
        let fault = check_condition(expression).unwrap_err();
        assert_eq!((fault.part, fault.line), ("when", 1), "{fault}");
    }
    check_condition("event.data.names | length > 1 and severity != 'info'").unwrap();
    let event = samples().remove(0);
    let severity = Severity::of(&event);
    assert!(holds("'example.org' in event.data.names", &event, severity));
    assert!(!holds("'other.org' in event.data.names", &event, severity));
    assert!(!holds("event.data.absent.deeper == 1", &event, severity));
}

#[test]
fn no_template_takes_more_than_its_fuel() {
    let doubling = "{% set a = 'aaaaaaaaaaaaaaaa' %}".to_owned()
        + &"{% set a = a ~ a %}".repeat(40)
        + "{{ a }}";
    let captured = "{% set a %}aaaaaaaaaaaaaaaa{% endset %}".to_owned()
        + &"{% set a %}{{ a }}{{ a }}{% endset %}".repeat(40)
        + "{{ a }}";
    let long = "x".repeat(MOST_SOURCE + 1);
    for source in [
        "{{ 'a' * 100000000 }}",
        "{% for a in range(10000) %}{% for b in range(10000) %}x{% endfor %}{% endfor %}",
        "{{ ['a'] | join('b' * 50000000) }}",
        &doubling,
        &captured,
        &long,
    ] {
        assert!(check(Place::Text(Format::Plain), source).is_err());
    }
}

#[test]
fn values_are_text_wherever_they_are_shown() {
    let markup = "<script>alert(1)</script> <!channel> & [a](b) *b* \"q\" \u{202e}x\u{1b}[1m\r\ny";
    let event = hostile(markup);
    let source = "{{ event.object }}|{{ event.data.names[0] }}|{{ event.data.nested }}";
    let html = made(Place::Html, source, &event);
    assert!(
        !html.contains("<script") && html.contains("&lt;script&gt;"),
        "{html}"
    );
    let mrkdwn = made(Place::Text(Format::Mrkdwn), source, &event);
    assert!(!mrkdwn.contains(['<', '>']), "{mrkdwn}");
    let markdown = made(Place::Text(Format::Markdown), "{{ event.object }}", &event);
    assert!(markdown.contains(r"\[a\](b) \*b\*"), "{markdown}");
    for text in [
        html,
        mrkdwn,
        markdown,
        made(Place::Text(Format::Plain), source, &event),
    ] {
        assert!(
            !text.contains(['\u{202e}', '\u{1b}', '\r', '\n']),
            "{text:?}"
        );
    }
    let json = made(
        Place::Text(Format::Json),
        r#"{"text": {{ event.object }}, "names": {{ event.data.names }}, "none": {{ event.data.x }}}"#,
        &event,
    );
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&json["text"], &json["names"][0]),
        (&json!(markup), &json!(markup))
    );
}

#[test]
fn a_subject_is_one_line() {
    let event = hostile("a\r\nBcc: everybody@example.org\r\n");
    let subject = made(
        Place::Subject(Format::Plain),
        "one {{ event.object }}\n\n two {{ 'x' * 500 }}",
        &event,
    );
    assert!(
        subject.starts_with("one a Bcc: everybody@example.org two xxx"),
        "{subject}"
    );
    assert_eq!(subject.chars().count(), MOST_SUBJECT);
}

#[test]
fn a_template_for_json_has_to_make_json() {
    let place = Place::Text(Format::Json);
    let fault = check(place, "{\n  \"text\": {{ event.name }}\n  x\n}").unwrap_err();
    assert_eq!(fault.line, 3, "{fault}");
    assert!(check(place, "{\"a\": \"{{ event.name }}\"}").is_err());
    check(place, "{\"a\": {{ event.name }}}").unwrap();
}
