//! Sign-on with OpenID Connect: with a provider that lies, and with one that people use.

use std::process::Stdio;
use std::time::Duration;

use domain::clock::Clock;
use reqwest::header::IF_MATCH;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use testkit::TestServer;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::browser::{Answer, Browser, SESSION, administrator};
use super::lying_provider::{LyingProvider, Signing};
use crate::interop::process::{tool, tools};

const PROVIDER: &str = "/api/v1/sign-on/providers/staff";

fn rules(issuer: &str) -> Value {
    json!({
        "title": "Staff", "issuer": issuer, "client_id": "certwright", "client_secret": "s3cret-canary",
        "scopes": ["openid", "profile", "email", "groups"],
        "grants": [
            { "group": "pki", "role": "auditor" },
            { "group": "boss", "role": "administrator" },
        ],
    })
}

async fn put(admin: &mut Browser, body: &Value) -> Answer {
    let request = admin.request(Method::PUT, PROVIDER).json(body);
    admin.send(request).await
}

/// A server that trusts a provider that lies.
async fn with_liar() -> (TestServer, Browser, LyingProvider) {
    let server = TestServer::start().await;
    let clock = server.clock.clone();
    let provider = LyingProvider::start(move || clock.now().millis() / 1000).await;
    let mut admin = administrator(&server).await;
    let answer = put(&mut admin, &rules(&provider.issuer)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    (server, admin, provider)
}

/// Away to the provider and back, as a browser goes.
async fn go(browser: &mut Browser, provider: &LyingProvider) -> Answer {
    let away = browser
        .get("/api/v1/session/sign-on/staff?return_to=/certificates")
        .await;
    assert_eq!(away.status, StatusCode::SEE_OTHER, "{}", away.text);
    let back = provider.authorize(&away.location());
    browser
        .get(&format!("/api/v1/session/sign-on/callback?{back}"))
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_a_provider_vouches_for_is_made_a_user_with_the_roles_of_their_groups() {
    let (server, mut admin, provider) = with_liar().await;
    let mut browser = Browser::of(&server);
    let answer = go(&mut browser, &provider).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    assert_eq!(answer.location(), "/certificates");
    let session = browser.get("/api/v1/session").await;
    assert_eq!(
        (&session.body["name"], &session.body["method"]),
        (&json!("ada"), &json!("sign-on"))
    );
    assert_eq!(browser.get("/api/v1/audit").await.status, StatusCode::OK);
    let shown = admin.get("/api/v1/users/ada").await;
    assert_eq!(shown.body["provider"], "staff", "{}", shown.text);
    assert_eq!(shown.body["email"], "ada@example.org");

    // Groups are read again at each sign-in, and a person stays one person.
    provider.lies(|_, claims| {
        claims["groups"] = json!(["boss"]);
        Signing::Own
    });
    let mut second = Browser::of(&server);
    assert_eq!(
        go(&mut second, &provider).await.status,
        StatusCode::SEE_OTHER
    );
    let users = second.get("/api/v1/users").await;
    assert_eq!(
        users.body["items"].as_array().unwrap().len(),
        2,
        "{}",
        users.text
    );

    // What a group is good for counts at once, too, for sessions that are open.
    let mut fewer = rules(&provider.issuer);
    fewer["grants"] = json!([{ "group": "pki", "role": "auditor" }]);
    assert_eq!(put(&mut admin, &fewer).await.status, StatusCode::OK);
    assert_eq!(
        second.get("/api/v1/users").await.status,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_disabled_or_in_no_group_stays_out_whoever_vouches() {
    let (server, mut admin, provider) = with_liar().await;
    let mut browser = Browser::of(&server);
    go(&mut browser, &provider).await;
    let answer = admin.post("/api/v1/users/ada/disable", json!({})).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(
        browser.get("/api/v1/session").await.status,
        StatusCode::UNAUTHORIZED
    );
    let answer = go(&mut browser, &provider).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text);
    assert!(!browser.cookies.contains_key(SESSION));

    provider.lies(|_, claims| {
        claims["sub"] = json!("4712");
        claims["groups"] = json!(["canteen"]);
        Signing::Own
    });
    let answer = go(&mut browser, &provider).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text);
    assert!(
        answer.text.contains("none of your groups"),
        "{}",
        answer.text
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_is_taken_stays_its_owners() {
    let (server, mut admin, provider) = with_liar().await;
    provider.lies(|_, claims| {
        claims["preferred_username"] = json!("root");
        Signing::Own
    });
    let mut browser = Browser::of(&server);
    assert_eq!(
        go(&mut browser, &provider).await.status,
        StatusCode::SEE_OTHER
    );
    let session = browser.get("/api/v1/session").await;
    assert_eq!(session.body["name"], "root.staff", "{}", session.text);
    let root = admin.get("/api/v1/session").await;
    assert_ne!(root.body["user"], session.body["user"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a02_an_id_token_is_refused_for_each_thing_that_can_be_wrong_with_it() {
    let (server, _admin, provider) = with_liar().await;
    type Lie = (&'static str, fn(&mut Value, &mut Value) -> Signing);
    let lies: &[Lie] = &[
        ("no signature", |header, _| {
            header["alg"] = json!("none");
            Signing::None
        }),
        ("the public key as a shared secret", |header, _| {
            header["alg"] = json!("HS256");
            Signing::PublicKeyAsSecret
        }),
        ("an algorithm that is not allowed", |header, _| {
            header["alg"] = json!("ES512");
            Signing::Own
        }),
        ("another key", |_, _| Signing::Stranger),
        ("a key id that is a path", |header, _| {
            header["kid"] = json!("../../../../dev/null");
            Signing::Stranger
        }),
        ("a key id that is a URL", |header, _| {
            header["kid"] = json!("http://127.0.0.1:1/keys");
            header["jku"] = json!("http://127.0.0.1:1/keys");
            Signing::Stranger
        }),
        ("another issuer", |_, claims| {
            claims["iss"] = json!("https://evil.example");
            Signing::Own
        }),
        ("another audience", |_, claims| {
            claims["aud"] = json!("somebody-else");
            Signing::Own
        }),
        ("an audience too many", |_, claims| {
            claims["aud"] = json!(["certwright", "somebody-else"]);
            Signing::Own
        }),
        ("expired", |_, claims| {
            claims["exp"] = json!(claims["iat"].as_i64().unwrap() - 1);
            Signing::Own
        }),
        ("no expiry", |_, claims| {
            claims.as_object_mut().unwrap().remove("exp");
            Signing::Own
        }),
        ("not valid yet", |_, claims| {
            claims["nbf"] = json!(claims["iat"].as_i64().unwrap() + 3600);
            Signing::Own
        }),
        ("another nonce", |_, claims| {
            claims["nonce"] = json!("replayed");
            Signing::Own
        }),
        ("no nonce", |_, claims| {
            claims.as_object_mut().unwrap().remove("nonce");
            Signing::Own
        }),
    ];
    for (what, lie) in lies {
        provider.lies(*lie);
        let mut browser = Browser::of(&server);
        let answer = go(&mut browser, &provider).await;
        assert_eq!(
            answer.status,
            StatusCode::FORBIDDEN,
            "{what}: {}",
            answer.text
        );
        assert!(!browser.cookies.contains_key(SESSION), "{what}");
    }
    provider.lies(|_, _| Signing::Own);
    let mut browser = Browser::of(&server);
    assert_eq!(
        go(&mut browser, &provider).await.status,
        StatusCode::SEE_OTHER
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a02_the_way_back_works_once_in_the_browser_that_began_and_not_for_ever() {
    let (server, _admin, provider) = with_liar().await;
    let callback = "/api/v1/session/sign-on/callback";
    let mut victim = Browser::of(&server);
    let mut attacker = Browser::of(&server);
    let away = attacker.get("/api/v1/session/sign-on/staff").await;
    let back = provider.authorize(&away.location());
    // A link that somebody else began must not sign the victim in as somebody else.
    let answer = victim.get(&format!("{callback}?{back}")).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text);

    let away = victim.get("/api/v1/session/sign-on/staff").await;
    let kept = victim.cookies.clone();
    let back = provider.authorize(&away.location());
    let answer = victim
        .get(&format!("{callback}?{back}&iss=https://evil.example"))
        .await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text);
    victim.cookies = kept;
    let answer = victim.get(&format!("{callback}?{back}")).await;
    assert_eq!(
        answer.status,
        StatusCode::BAD_REQUEST,
        "spent: {}",
        answer.text
    );

    let away = victim.get("/api/v1/session/sign-on/staff").await;
    let back = provider.authorize(&away.location());
    server.clock.advance(Duration::from_secs(10 * 60));
    let answer = victim.get(&format!("{callback}?{back}")).await;
    assert_eq!(
        answer.status,
        StatusCode::BAD_REQUEST,
        "late: {}",
        answer.text
    );
    let answer = victim
        .get(&format!("{callback}?error=access_denied&state=x"))
        .await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_providers_secret_goes_in_and_never_comes_out_and_its_settings_are_checked() {
    let (server, mut admin, provider) = with_liar().await;
    let shown = admin.get(PROVIDER).await;
    assert_eq!(shown.body["has_client_secret"], true);
    assert_eq!(
        shown.body["redirect_uri"],
        format!("{}/api/v1/session/sign-on/callback", server.url())
    );
    assert!(!shown.text.contains("canary"), "{}", shown.text);
    let log = admin.get("/api/v1/audit?limit=100").await;
    assert!(!log.text.contains("canary"), "{}", log.text);

    for (member, value, fault) in [
        ("issuer", json!("http://login.example.org"), "https"),
        ("algorithms", json!(["HS256"]), "HS256"),
        ("scopes", json!(["profile"]), "openid"),
        ("client_id", json!(""), "client_id"),
        (
            "grants",
            json!([{ "group": "x", "role": "no-such-role" }]),
            "no role",
        ),
    ] {
        let mut wrong = rules(&provider.issuer);
        wrong[member] = value;
        let answer = put(&mut admin, &wrong).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text);
        assert!(answer.text.contains(fault), "{member}: {}", answer.text);
    }
    let request = admin
        .request(Method::PUT, PROVIDER)
        .header(IF_MATCH, "\"1\"")
        .json(&rules(&provider.issuer));
    let answer = admin.send(request).await;
    assert_eq!(
        answer.status,
        StatusCode::PRECONDITION_FAILED,
        "{}",
        answer.text
    );
    assert_eq!(admin.delete(PROVIDER).await.status, StatusCode::NO_CONTENT);
    let answer = admin.get("/api/v1/session/sign-on/staff").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND, "{}", answer.text);
}

/// The provider from npm, and the file with the people that it knows.
struct RealProvider {
    issuer: String,
    people: tempfile::TempDir,
    _process: Child,
}

impl RealProvider {
    async fn start(redirect: &str) -> Self {
        let people = tempfile::tempdir().unwrap();
        let file = people.path().join("people.json");
        std::fs::write(&file, "{}").unwrap();
        let script = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/all/interop/oidc_provider.cjs"
        );
        let mut node: Command = tool("node");
        let mut process = node
            .arg(script)
            .arg(tools().join("npm/node_modules"))
            .arg(&file)
            .args([redirect, "s3cret-canary"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let issuer = lines.next_line().await.unwrap();
        // Somebody has to take what it tells, or it ends with its pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self {
            issuer: issuer.expect("`make test-tools` installs oidc-provider"),
            people,
            _process: process,
        }
    }

    fn knows(&self, people: Value) {
        std::fs::write(self.people.path().join("people.json"), people.to_string()).unwrap();
    }

    /// Fills in the forms that the provider shows, until it sends the browser back to us.
    async fn log_in(&self, url: &str, name: &str) -> String {
        let mut browser = Browser::at(&self.issuer);
        let mut answer = browser.get(url).await;
        for _ in 0..12 {
            if answer.status.is_redirection() {
                let next = answer.location();
                if next.contains("/api/v1/session/sign-on/callback") {
                    return next;
                }
                answer = browser.get(&next).await;
                continue;
            }
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
            let prompt = match answer.text.contains("name=\"login\"") {
                true => "login",
                false => "consent",
            };
            let action = answer.text.split("action=\"").nth(1).unwrap();
            let action = action.split('"').next().unwrap().to_owned();
            let request = browser
                .request(Method::POST, &action)
                .header("content-type", "application/x-www-form-urlencoded")
                .body(format!("prompt={prompt}&login={name}&password=x"));
            answer = browser.send(request).await;
        }
        panic!("the provider does not come to an end: {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_sign_in_with_a_real_provider_and_lose_what_their_groups_lose() {
    let server = TestServer::start().await;
    let mut admin = administrator(&server).await;
    let redirect = format!("{}/api/v1/session/sign-on/callback", server.url());
    let provider = RealProvider::start(&redirect).await;
    let answer = put(&mut admin, &rules(&provider.issuer)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let choices = admin.get("/api/v1/session/sign-on").await;
    assert_eq!(
        choices.body["items"][0]["title"], "Staff",
        "{}",
        choices.text
    );

    for (groups, audit) in [
        (json!(["pki"]), 200),
        (json!(["pki", "boss"]), 200),
        (json!([]), 403),
    ] {
        provider.knows(
            json!({ "grace": { "name": "Grace Hopper", "email": "grace@example.org",
            "email_verified": true, "groups": groups } }),
        );
        let mut browser = Browser::of(&server);
        let away = browser.get("/api/v1/session/sign-on/staff").await;
        assert_eq!(away.status, StatusCode::SEE_OTHER, "{}", away.text);
        let back = provider.log_in(&away.location(), "grace").await;
        let answer = browser.get(&back).await;
        if audit == 403 {
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text);
            continue;
        }
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        let session = browser.get("/api/v1/session").await;
        assert_eq!(session.body["name"], "grace", "{}", session.text);
        assert_eq!(session.body["display_name"], "Grace Hopper");
        assert_eq!(browser.get("/api/v1/audit").await.status.as_u16(), audit);
    }
    let shown = admin.get("/api/v1/users/grace").await;
    assert_eq!(shown.body["email"], "grace@example.org", "{}", shown.text);
}
