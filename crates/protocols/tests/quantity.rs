//! N7: a hundred thousand hostile inputs for each parser; none panics.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use protocols::acme::dns_persist::Record;
use protocols::acme::issue_value::IssueValue;
use protocols::acme::json;
use protocols::acme::jwk::Jwk;
use protocols::acme::jws::FlattenedJws;
use protocols::cmp::Message;
use serde_json::Value;

/// Marsaglia's xorshift: the same inputs in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % sides
    }

    /// A sample with a few octets changed, left out, doubled or cut off; now and then pure noise.
    fn broken(&mut self, sample: &[u8]) -> Vec<u8> {
        if self.roll(20) == 0 {
            let length = self.roll(200);
            return (0..length).map(|_| self.roll(256) as u8).collect();
        }
        let mut octets = sample.to_vec();
        for _ in 0..=self.roll(4) {
            if octets.is_empty() {
                break;
            }
            let at = self.roll(octets.len());
            match self.roll(6) {
                0 => octets[at] = self.roll(256) as u8,
                1 => octets[at] = b"{}[]\",:;=\\ue0 "[self.roll(14)],
                2 => drop(octets.remove(at)),
                3 => octets.truncate(at),
                4 => octets.insert(at, b"{}[]\",:;=\\ue0 "[self.roll(14)]),
                _ => {
                    let end = (at + self.roll(64)).min(octets.len());
                    let piece = octets[at..end].to_vec();
                    octets.splice(at..at, piece);
                }
            }
        }
        octets
    }
}

fn feed(sample: &[u8], mut parse: impl FnMut(&[u8]) -> bool) {
    assert!(parse(sample), "the sample itself is sound");
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let refused = (0..100_000)
        .filter(|_| !parse(&dice.broken(sample)))
        .count();
    assert!(refused > 10_000, "much of it is refused");
}

/// RFC 8555 section 7.3 in form; the signature is not looked at by the parser.
fn jws() -> String {
    use data_encoding::BASE64URL_NOPAD;
    let jwk = "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\",\
               \"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\"}";
    let protected = format!(
        "{{\"alg\":\"ES256\",\"nonce\":\"oFvnlFP1wIhRlYS2jTaXbA\",\"url\":\"https://ca.example/new\",\"jwk\":{jwk}}}"
    );
    format!(
        "{{\"protected\":\"{}\",\"payload\":\"e30\",\"signature\":\"{}\"}}",
        BASE64URL_NOPAD.encode(protected.as_bytes()),
        BASE64URL_NOPAD.encode(&[7; 64])
    )
}

#[test]
fn n07_a_hundred_thousand_broken_jws_are_read_or_refused() {
    feed(jws().as_bytes(), |octets| {
        FlattenedJws::parse(octets).is_ok()
    });
}

#[test]
fn n07_a_hundred_thousand_broken_jwks_are_read_or_refused() {
    let sample = "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\",\
                  \"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\"}";
    feed(sample.as_bytes(), |octets| Jwk::parse(octets).is_ok());
}

#[test]
fn n07_a_hundred_thousand_broken_json_texts_are_read_or_refused() {
    let sample = "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.example\"}],\"n\":[1,-2.5e3,null,true,\"\\u00e9\"]}";
    feed(sample.as_bytes(), |octets| {
        json::read::<Value>(octets).is_ok()
    });
}

#[test]
fn n07_a_hundred_thousand_broken_dns_persist_records_are_read_or_refused() {
    let sample = "ca.example; accounturi=https://ca.example/acme/acct/1; policy=wildcard; persistUntil=1893456000";
    feed(sample.as_bytes(), |octets| Record::parse(octets).is_ok());
}

#[test]
fn n07_a_hundred_thousand_broken_caa_values_are_read_or_refused() {
    let sample =
        "ca.example; accounturi=https://ca.example/acme/acct/1; validationmethods=http-01,dns-01";
    feed(sample.as_bytes(), |octets| {
        std::str::from_utf8(octets).is_ok_and(|text| IssueValue::parse(text).is_ok())
    });
}

#[test]
fn n07_a_hundred_thousand_broken_cmp_messages_are_read_or_refused() {
    feed(include_bytes!("cmp/mac-ir.der"), |octets| {
        Message::from_der(octets).is_ok_and(|message| message.body().is_ok())
    });
}
