//! Passwords, codes and recovery codes, and what guessing at them leads to.

use std::time::Duration;

use data_encoding::BASE32_NOPAD;
use reqwest::StatusCode;
use serde_json::json;
use testkit::TestServer;

use super::browser::{Browser, PASSWORD, SESSION, administrator, invited};

/// The code that an authenticator with this secret shows at that time (RFC 6238), made here by hand.
fn code(secret: &str, seconds: u64) -> String {
    let key = BASE32_NOPAD.decode(secret.as_bytes()).unwrap();
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key);
    let tag = aws_lc_rs::hmac::sign(&key, &(seconds / 30).to_be_bytes());
    let octets = tag.as_ref();
    let start = usize::from(octets[19] & 0xf);
    let mut word = [0; 4];
    word.copy_from_slice(&octets[start..start + 4]);
    let number = (u32::from_be_bytes(word) & 0x7fff_ffff) % 1_000_000;
    format!("{number:06}")
}

fn seconds(server: &TestServer) -> u64 {
    use domain::clock::Clock;
    u64::try_from(server.clock.now().millis() / 1000).unwrap()
}

/// Takes an authenticator into use, and gives its secret and the recovery codes.
async fn enrol(server: &TestServer, browser: &mut Browser) -> (String, Vec<String>) {
    let begun = browser.post("/api/v1/session/totp", json!({})).await;
    assert_eq!(begun.status, StatusCode::OK, "{}", begun.text);
    let secret = begun.body["secret"].as_str().unwrap().to_owned();
    let url = begun.body["url"].as_str().unwrap();
    assert!(url.starts_with("otpauth://totp/Certwright:") && url.contains(&secret));
    let body = json!({ "code": code(&secret, seconds(server)) });
    let confirmed = browser.post("/api/v1/session/totp/confirm", body).await;
    assert_eq!(confirmed.status, StatusCode::OK, "{}", confirmed.text);
    let codes = confirmed.body["codes"].as_array().unwrap();
    let codes = codes.iter().map(|code| code.as_str().unwrap().to_owned());
    (secret, codes.collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a03_a_code_of_an_authenticator_works_once_and_only_with_the_password() {
    let server = TestServer::start().await;
    let mut browser = administrator(&server).await;
    let (secret, _) = enrol(&server, &mut browser).await;
    server.clock.advance(Duration::from_secs(60));
    let now = code(&secret, seconds(&server));

    let mut other = Browser::of(&server);
    let answer = other.sign_in("root", PASSWORD, None).await;
    assert_eq!(answer.problem(), "second-factor-needed", "{}", answer.text);
    assert!(!other.cookies.contains_key(SESSION));
    let answer = other.sign_in("root", "not the password", Some(&now)).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let answer = other.sign_in("root", PASSWORD, Some("000000")).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let answer = other.sign_in("root", PASSWORD, Some(&now)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(answer.body["method"], "password-and-code");
    for again in [now.clone(), format!(" {now} ")] {
        let answer = Browser::of(&server)
            .sign_in("root", PASSWORD, Some(&again))
            .await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{again:?}");
    }
    server.clock.advance(Duration::from_secs(30));
    let next = code(&secret, seconds(&server));
    let answer = other.sign_in("root", PASSWORD, Some(&next)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a03_of_two_who_send_one_code_at_the_same_time_one_comes_in() {
    let server = TestServer::start().await;
    let mut browser = administrator(&server).await;
    let (secret, _) = enrol(&server, &mut browser).await;
    server.clock.advance(Duration::from_secs(60));
    let now = code(&secret, seconds(&server));
    let (mut one, mut other) = (Browser::of(&server), Browser::of(&server));
    let (one, other) = tokio::join!(
        one.sign_in("root", PASSWORD, Some(&now)),
        other.sign_in("root", PASSWORD, Some(&now)),
    );
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401], "{} {}", one.text, other.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a03_a_recovery_code_works_once_however_it_is_typed() {
    let server = TestServer::start().await;
    let mut browser = administrator(&server).await;
    let (_, codes) = enrol(&server, &mut browser).await;
    assert_eq!(codes.len(), 10);
    let typed = codes[0].to_uppercase().replace('-', " ");
    let mut other = Browser::of(&server);
    let answer = other.sign_in("root", PASSWORD, Some(&typed)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(answer.body["method"], "recovery-code");
    assert_eq!(answer.body["factors"]["recovery_codes"], 9);
    let answer = other.sign_in("root", PASSWORD, Some(&codes[0])).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let fresh = browser
        .post("/api/v1/session/recovery-codes", json!({}))
        .await;
    assert_eq!(fresh.status, StatusCode::OK, "{}", fresh.text);
    let answer = other.sign_in("root", PASSWORD, Some(&codes[1])).await;
    assert_eq!(
        answer.status,
        StatusCode::UNAUTHORIZED,
        "the old ones are gone"
    );
}

/// How often a password was hashed in this process, by the metrics page.
async fn hashings(browser: &mut Browser) -> u64 {
    let page = browser.get("/metrics").await.text;
    page.lines()
        .find_map(|line| line.strip_prefix("certwright_password_hashings_total "))
        .map_or(0, |count| count.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a03_who_does_not_exist_costs_and_is_told_what_who_exists_is() {
    let server = TestServer::start().await;
    let mut admin = administrator(&server).await;
    let (_, id) = invited(&mut admin, "disabled", json!([])).await;
    let path = format!("/api/v1/users/{id}/disable");
    assert_eq!(admin.post(&path, json!({})).await.status, StatusCode::OK);
    let mut answers = Vec::new();
    for (name, password) in [
        ("root", "not the password"),
        ("nobody", PASSWORD),
        ("disabled", PASSWORD),
        ("not a name!", PASSWORD),
    ] {
        let mut browser = Browser::of(&server);
        let before = hashings(&mut admin).await;
        let answer = browser.sign_in(name, password, None).await;
        // At least one, since tests may share the process and its metrics.
        assert!(hashings(&mut admin).await > before, "{name}: a hash");
        let mut body = answer.body.clone();
        body["request_id"] = json!("");
        answers.push((answer.status, body));
        assert!(!browser.cookies.contains_key(SESSION), "{name}");
    }
    for answer in &answers {
        assert_eq!(answer, &answers[0]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a03_who_guesses_waits_longer_each_time_until_an_administrator_lifts_it() {
    let server = TestServer::start().await;
    let mut admin = administrator(&server).await;
    let (_, _) = invited(&mut admin, "ada", json!([])).await;
    let mut guesser = Browser::of(&server);
    for _ in 0..5 {
        let answer = guesser.sign_in("ada", "not the password", None).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
    let mut waits = Vec::new();
    for _ in 0..3 {
        // Even the right password has to wait.
        let answer = guesser.sign_in("ada", PASSWORD, None).await;
        assert_eq!(answer.problem(), "too-many-attempts", "{}", answer.text);
        let wait: u64 = answer.headers["retry-after"]
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        waits.push(wait);
        server.clock.advance(Duration::from_secs(wait));
        let answer = guesser.sign_in("ada", "not the password", None).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", answer.text);
    }
    assert_eq!(waits, [15, 30, 60]);
    // A name that nobody has waits the same way: a wait tells nothing.
    let locks = admin.get("/api/v1/sign-in-locks").await;
    assert_eq!(locks.body["items"][0]["subject"], "ada", "{}", locks.text);
    let lifted = admin
        .delete("/api/v1/sign-in-locks?kind=user&subject=ada")
        .await;
    assert_eq!(lifted.status, StatusCode::NO_CONTENT, "{}", lifted.text);
    let answer = guesser.sign_in("ada", PASSWORD, None).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a03_an_address_that_tries_many_names_waits_too() {
    let server = TestServer::start().await;
    let mut guesser = Browser::of(&server);
    let mut last = None;
    for number in 0..40 {
        let answer = guesser
            .sign_in(&format!("user{number}"), "not the password", None)
            .await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            last = Some(number);
            break;
        }
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", answer.text);
    }
    assert_eq!(last, Some(25), "the twenty-sixth name is not looked at");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a03_passwords_and_codes_are_in_the_store_as_hashes_or_sealed() {
    let empty = tempfile::tempdir().unwrap();
    let clock = testkit::MockClock::at_present();
    let server = TestServer::take_over(empty, clock).await;
    let mut browser = administrator(&server).await;
    let (secret, codes) = enrol(&server, &mut browser).await;
    let raw = BASE32_NOPAD.decode(secret.as_bytes()).unwrap();
    let session = browser.cookies[SESSION].clone();
    let data = server.stop().await;
    let database = std::fs::read(data.path().join("certwright.db")).unwrap();
    let holds = |needle: &[u8]| database.windows(needle.len()).any(|part| part == needle);
    assert!(
        holds(b"$argon2id$v=19$"),
        "the password is hashed with argon2id"
    );
    for (what, needle) in [
        ("the password", PASSWORD.as_bytes()),
        ("the authenticator's secret", secret.as_bytes()),
        ("the same as octets", &raw),
        ("a recovery code", codes[0].as_bytes()),
        ("the session's cookie", session.as_bytes()),
    ] {
        assert!(!holds(needle), "{what} is in the database");
    }
}
