//! AD CS for users that Kerberos lets in: tickets of a real KDC, verified by MIT Kerberos.

use domain::clock::{Clock, SystemClock};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::adcs::FakeAdcs;

use super::Desk;
use super::kdc::{Kdc, PASSWORD, SKEW};
use crate::enroll::Answer;

/// A server, a CA and a realm with its KDC. The stand-in knows no password, so nobody but Kerberos lets in.
struct Site {
    desk: Desk,
    ca: FakeAdcs,
    kdc: Kdc,
}

impl Site {
    async fn start() -> Self {
        let kdc = Kdc::start().await;
        let (desk, ca) = (Desk::start().await, FakeAdcs::start("nobody's").await);
        Self { desk, ca, kdc }
    }

    fn settings(&self) -> Value {
        let mut settings = self.ca.settings("kerberos");
        settings["domain"] = json!("corp.test");
        settings["kdc"] = json!([self.kdc.address.to_string()]);
        settings
    }

    async fn configure(&self, settings: Value) {
        let secrets = json!({"password": PASSWORD});
        self.desk.configure("adcs", settings, secrets).await;
        self.desk.route_to("adcs").await;
    }

    /// Changes the issuer.
    async fn change(&self, body: Value) -> Answer {
        let path = "/api/v1/issuers/adcs";
        self.desk.api.call(Method::PUT, path, Some(body)).await
    }

    /// What `issuer test` says is wrong with other settings.
    async fn fault(&self, change: impl FnOnce(&mut Value), password: &str) -> String {
        let mut settings = self.settings();
        change(&mut settings);
        self.change(json!({"settings": settings, "secrets": {"password": password}}))
            .await
            .expect(200);
        let (passed, findings) = self.desk.test("adcs").await;
        assert!(!passed, "{findings:#?}");
        findings.join("\n")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kerberos_lets_users_in_and_certificates_are_issued() {
    for user in ["svc-certwright", "svc-sha384", "svc-open"] {
        let site = Site::start().await;
        let users = site.kdc.accept_for(&site.ca);
        let mut settings = site.settings();
        settings["username"] = json!(user);
        site.configure(settings).await;
        let (passed, findings) = site.desk.test("adcs").await;
        assert!(passed, "{findings:#?}");
        let chain = site.desk.issue(&["web.example.org"]).await;
        assert_eq!(chain[0].issuer.to_string(), "CN=Corp Issuing CA");
        let users = users.lock();
        // The test, the request and the certificate are requests of their own, and each has its token.
        assert!(users.len() >= 3, "{users:?}");
        assert!(users.iter().all(|one| *one == format!("{user}@CORP.TEST")));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kdcs_are_found_by_dns_and_a_service_of_another_realm_in_its_own() {
    let site = Site::start().await;
    let users = site.kdc.accept_for(&site.ca);
    let port = site.kdc.address.port();
    for realm in ["corp.test", "branch.corp.test"] {
        let name = format!("_kerberos._tcp.{realm}");
        site.desk.server.dns.set_srv(&name, "kdc.corp.test", port);
    }
    let mut settings = site.settings();
    settings["kdc"] = json!([]);
    settings["service_principal"] = json!("HTTP/ca.branch.corp.test");
    site.configure(settings).await;
    site.desk.issue(&["web.example.org"]).await;
    assert_eq!(users.lock()[0], "svc-certwright@CORP.TEST");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_kerberos_refuses_is_told_with_what_to_do() {
    let mut site = Site::start().await;
    site.kdc.accept_for(&site.ca);
    site.configure(site.settings()).await;
    for (user, password, words) in [
        (
            "svc-certwright",
            "wrong",
            "does not accept the password of svc-certwright",
        ),
        (
            "svc-open",
            "wrong",
            "does not accept the password of svc-open",
        ),
        ("svc-nobody", PASSWORD, "knows no user svc-nobody"),
        ("svc-disabled", PASSWORD, "disabled, locked"),
        ("svc-expired", PASSWORD, "has expired"),
        ("svc-aes128", PASSWORD, "no key for AES-256"),
    ] {
        let change = |settings: &mut Value| settings["username"] = json!(user);
        let told = site.fault(change, password).await;
        assert!(told.contains(words), "{user}: {told}");
    }
    for (setting, value, words) in [
        (
            "service_principal",
            json!("HTTP/nowhere"),
            "setspn -S HTTP/nowhere ACCOUNT",
        ),
        (
            "service_principal",
            json!("HTTP/elsewhere"),
            "ticket for HTTP/elsewhere",
        ),
        ("domain", json!("else.test"), "realm"),
        ("kdc", json!(["169.254.1.1"]), "link-local address"),
        ("kdc", json!([]), "name some as `kdc`"),
    ] {
        let told = site.fault(|settings| settings[setting] = value.clone(), PASSWORD);
        let told = told.await;
        assert!(told.contains(words), "{setting} {value}: {told}");
    }
    let mut settings = site.settings();
    settings["kdc"] = json!(["no port:x"]);
    let secrets = json!({"password": PASSWORD});
    let answer = site
        .change(json!({"settings": settings, "secrets": secrets}))
        .await;
    assert!(answer.status.is_client_error(), "{}", answer.body);
    assert!(
        answer.body.to_string().contains("host or host:port"),
        "{}",
        answer.body
    );
    site.desk.server.clock.advance(2 * SKEW);
    let told = site.fault(|_| {}, PASSWORD).await;
    assert!(told.contains("the clock of the KDC shows"), "{told}");
    site.desk.server.clock.set(SystemClock.now());
    site.kdc.stop();
    let told = site.fault(|_| {}, PASSWORD).await;
    assert!(
        told.contains("no KDC of the realm CORP.TEST answers"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_waits_until_the_right_password_is_there() {
    let site = Site::start().await;
    site.kdc.accept_for(&site.ca);
    let wrong = json!({"password": "wrong"});
    site.desk.configure("adcs", site.settings(), wrong).await;
    site.desk.route_to("adcs").await;
    let place = site.desk.ask(&["later.example.org"]).await;
    site.desk.tick(2).await;
    assert!(site.ca.attributes().is_empty());
    let right = json!({"secrets": {"password": PASSWORD}});
    site.change(right).await.expect(200);
    let state = site.desk.settle(&place, 2).await;
    assert_eq!(state["status"], "issued", "{state}");
    assert_eq!(site.ca.attributes().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_of_use_on_its_own_connection_only() {
    let site = Site::start().await;
    // As if somebody in between had passed on what was meant for him.
    site.ca.verify_with(site.kdc.acceptor(&[7; 32]).verifier());
    site.configure(site.settings()).await;
    let (passed, findings) = site.desk.test("adcs").await;
    assert!(!passed, "{findings:#?}");
    let told = findings.join("\n");
    assert!(told.contains("HTTP/127.0.0.1"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_does_not_prove_who_it_is_is_not_believed() {
    let site = Site::start().await;
    let certificate = site.ca.certificate();
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &certificate);
    site.configure(site.settings()).await;
    for is_silent in [true, false] {
        let mut honest = site.kdc.acceptor(hash.as_ref()).verifier();
        site.ca.verify_with(Box::new(move |token| {
            let mut answer = honest(token)?;
            match is_silent {
                true => answer.clear(),
                false => *answer.last_mut().unwrap() ^= 1,
            }
            Ok(answer)
        }));
        let (passed, findings) = site.desk.test("adcs").await;
        assert!(!passed, "{findings:#?}");
        let told = findings.join("\n");
        assert!(
            told.contains("did not prove that it is HTTP/127.0.0.1"),
            "{told}"
        );
    }
}
