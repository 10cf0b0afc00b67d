//! What one account has is nothing to another (P11).

use serde_json::{Value, json};
use testkit::TestServer;
use testkit::acme::{Client, b64, csr_for};

use super::support::{assert_complete_refusal, first_authorization, put_directory, registered_in};

/// The URLs of all that an account has.
struct Belongings {
    account: String,
    order: String,
    open_order: Value,
    authorization: String,
    challenge: String,
    certificate: String,
}

async fn belongings(server: &TestServer, client: &Client) -> Belongings {
    let issued = client.issue(server, &["www.example.org"]).await;
    let order = client.get(&issued.order_url).await.json();
    let authorization = first_authorization(&order).to_owned();
    let open_order = client.new_order(&["open.example.org"]).await.json();
    let open = first_authorization(&open_order).to_owned();
    let challenge = client.challenge(&open, "http-01").await;
    Belongings {
        account: client.kid.clone().unwrap(),
        order: issued.order_url,
        authorization,
        challenge: challenge["url"].as_str().unwrap().to_owned(),
        certificate: issued.certificate_url,
        open_order,
    }
}

/// The URL with its last letters changed to another id of the same form.
fn guess(url: &str) -> String {
    let place = ["acc_", "ord_", "authz_", "crt_"]
        .iter()
        .find_map(|prefix| Some(url.find(prefix)? + prefix.len()))
        .unwrap();
    let mut guessed = url.to_owned();
    let other = if url[place + 20..].starts_with("zz") {
        "aa"
    } else {
        "zz"
    };
    guessed.replace_range(place + 20..place + 22, other);
    guessed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p11_what_belongs_to_another_account_looks_like_nothing() {
    let server = TestServer::start().await;
    let owner = server.registered_client().await;
    let theirs = belongings(&server, &owner).await;
    let stranger = server.registered_client().await;
    for url in [
        theirs.account.clone(),
        format!("{}/orders", theirs.account),
        theirs.order.clone(),
        theirs.authorization.clone(),
        theirs.challenge.clone(),
        theirs.certificate.clone(),
        format!("{}/alternate/1", theirs.certificate),
    ] {
        let seen = stranger.get(&url).await;
        let guessed = stranger.get(&guess(&url)).await;
        assert!([403, 404].contains(&seen.status), "{url}: {}", seen.text);
        assert_complete_refusal(&seen);
        assert_eq!(
            (seen.status, seen.text),
            (guessed.status, guessed.text),
            "{url}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p11_nobody_acts_on_what_belongs_to_another_account() {
    let server = TestServer::start().await;
    let owner = server.registered_client().await;
    let theirs = belongings(&server, &owner).await;
    let stranger = server.registered_client().await;
    let key = pki::key::LocalKey::generate(pki::key::KeyAlgorithm::EcP256).unwrap();
    let csr = b64(csr_for(&["open.example.org"], &key));
    let deactivate = json!({"status": "deactivated"});
    for (url, payload) in [
        (theirs.account.as_str(), deactivate.clone()),
        (theirs.account.as_str(), json!({"contact": []})),
        (theirs.authorization.as_str(), deactivate),
        (theirs.challenge.as_str(), json!({})),
        (
            theirs.open_order["finalize"].as_str().unwrap(),
            json!({"csr": csr}),
        ),
    ] {
        let answer = stranger.post(url, &payload).await;
        let guessed = stranger.post(&guess(url), &payload).await;
        assert!(
            [403, 404].contains(&answer.status),
            "{url}: {}",
            answer.text
        );
        assert_complete_refusal(&answer);
        assert_eq!(
            (answer.status, answer.text),
            (guessed.status, guessed.text),
            "{url}"
        );
    }
    owner.get(&theirs.account).await.assert_status(200);
    assert_eq!(
        owner.get(&theirs.authorization).await.json()["status"],
        "valid"
    );
    let challenge = owner.get(&theirs.challenge).await.json();
    assert_eq!(challenge["status"], "pending");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p11_an_account_of_one_directory_is_nobody_in_another() {
    let server = TestServer::start().await;
    put_directory(&server, "other", |_| {}).await;
    let owner = server.registered_client().await;
    let theirs = belongings(&server, &owner).await;
    let elsewhere = |url: &str| url.replace("/acme/default/", "/acme/other/");
    // Its own account does not sign there …
    for url in [&theirs.order, &theirs.authorization, &theirs.certificate] {
        let answer = owner.get(&elsewhere(url)).await;
        assert_eq!(answer.status, 400, "{}", answer.text);
        assert_complete_refusal(&answer);
    }
    // … and an account there sees nothing of it, also under its own directory's URLs.
    let neighbour = registered_in(&server, "other").await;
    for url in [&theirs.order, &theirs.authorization, &theirs.certificate] {
        assert_eq!(neighbour.get(&elsewhere(url)).await.status, 404);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p11_an_id_is_not_guessed_from_another() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let mut tails = std::collections::HashSet::new();
    for n in 0..20 {
        let order = client.new_order(&[&format!("n{n}.example.org")]).await;
        let url = order.location();
        // Ten characters of time, then sixteen that are random.
        assert!(tails.insert(url[url.len() - 16..].to_owned()));
    }
}
