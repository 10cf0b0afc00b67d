//! What the stories have in common: another directory, a binding key, and what every refusal is.

use std::time::Duration;

use domain::acme::directory::DirectorySpec;
use domain::acme::eab::EabUsage;
use domain::metadata::Values;
use lifecycle::acme::eab_keys::NewEabKey;
use lifecycle::actor::Caller;
use lifecycle::operator::Expected;
use lifecycle::{AccountFilter, CertificateFilter, EventFilter, OrderFilter};
use protocols::acme::problem::ProblemType;
use serde_json::{Value, json};
use testkit::TestServer;
use testkit::acme::{Answer, Client};

/// Makes a directory, or changes the one of that name.
pub(crate) async fn put_directory(
    server: &TestServer,
    name: &str,
    change: impl FnOnce(&mut DirectorySpec),
) {
    let known = server.lifecycle().directory(name).await.unwrap();
    let mut spec = known.map(|known| known.spec.clone()).unwrap_or_default();
    change(&mut spec);
    let caller = Caller::system();
    let put = server.lifecycle().replace_directory(
        name.to_owned(),
        spec,
        None,
        Expected::Anything,
        &caller,
    );
    put.await.unwrap();
}

/// A client with an account in a directory that is not `default`.
pub(crate) async fn registered_in(server: &TestServer, directory: &str) -> Client {
    let mut client = Client::new(&server.directory_url(directory)).await;
    client.register().await.assert_status(201);
    client
}

/// A binding key as an operator hands it out.
pub(crate) struct BindingKey {
    pub(crate) id: domain::id::EabKeyId,
    pub(crate) hmac: String,
}

/// What a binding key may be used for.
pub(crate) struct KeyTerms<'a> {
    pub(crate) directory: Option<&'a str>,
    pub(crate) names: &'a [&'a str],
    pub(crate) usage: EabUsage,
    pub(crate) metadata: Values,
    pub(crate) lifetime: Option<Duration>,
}

impl Default for KeyTerms<'_> {
    fn default() -> Self {
        Self {
            directory: None,
            names: &[],
            usage: EabUsage::Single,
            metadata: Values::new(),
            lifetime: None,
        }
    }
}

pub(crate) async fn binding_key(server: &TestServer, terms: KeyTerms<'_>) -> BindingKey {
    let request = NewEabKey {
        name: "the build farm".to_owned(),
        directory: terms.directory.map(str::to_owned),
        team: None,
        allowed_names: terms.names.iter().map(|n| n.parse().unwrap()).collect(),
        usage: terms.usage,
        metadata: terms.metadata,
        lifetime: terms.lifetime,
    };
    let created = server
        .lifecycle()
        .create_eab_key(request, &Caller::system())
        .await
        .unwrap();
    BindingKey {
        id: created.key.id.clone(),
        hmac: created.hmac.to_string(),
    }
}

impl BindingKey {
    /// newAccount bound by this key.
    pub(crate) async fn register(&self, client: &mut Client) -> Answer {
        let binding = client.binding(self.id.as_str(), &self.hmac);
        client
            .register_with(json!({
                "termsOfServiceAgreed": true,
                "externalAccountBinding": binding,
            }))
            .await
    }
}

/// How many accounts, orders and certificates there are.
pub(crate) async fn census(server: &TestServer) -> (usize, usize, usize) {
    let lifecycle = server.lifecycle();
    let accounts = lifecycle.list_accounts(AccountFilter::default(), None, MANY);
    let accounts = accounts.await.unwrap().len();
    let orders = lifecycle.list_orders(OrderFilter::default(), None, MANY);
    let orders = orders.await.unwrap().len();
    let certificates = lifecycle.list_certificates(CertificateFilter::default(), None, MANY);
    let certificates = certificates.await.unwrap();
    // The CA's own are in the inventory, too.
    let to_accounts = certificates.iter().filter(|c| c.account_id.is_some());
    (accounts, orders, to_accounts.count())
}

/// How many events of that name there are.
pub(crate) async fn events(server: &TestServer, name: &str) -> usize {
    let filter = EventFilter {
        name: Some(name.to_owned()),
        ..EventFilter::default()
    };
    let found = server.lifecycle().list_events(filter, None, MANY);
    found.await.unwrap().len()
}

/// The URLs of an answer's links of that relation.
pub(crate) fn links(answer: &Answer, relation: &str) -> Vec<String> {
    let wanted = format!(";rel=\"{relation}\"");
    answer
        .headers
        .get_all("link")
        .iter()
        .filter_map(|link| link.to_str().ok()?.strip_suffix(&wanted))
        .map(|url| url.trim_matches(['<', '>']).to_owned())
        .collect()
}

/// P6: what every refused POST carries, whatever it was refused for.
#[track_caller]
pub(crate) fn assert_complete_refusal(answer: &Answer) {
    assert!(answer.status >= 400, "{} {}", answer.status, answer.text);
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json"),
        "{}",
        answer.text
    );
    assert!(answer.header("replay-nonce").is_some(), "{}", answer.text);
    assert_eq!(links(answer, "index").len(), 1, "{:?}", answer.headers);
    let body = answer.json();
    assert_eq!(body["status"], answer.status, "{body}");
    assert!(
        body["detail"].as_str().is_some_and(|d| !d.is_empty()),
        "{body}"
    );
    assert!(body.get("identifier").is_none(), "{body}");
    assert_registered_type(&body);
    for subproblem in body["subproblems"].as_array().into_iter().flatten() {
        assert_registered_type(subproblem);
    }
}

#[track_caller]
fn assert_registered_type(problem: &Value) {
    let kind = ProblemType::from_urn(problem["type"].as_str().unwrap());
    assert!(!matches!(kind, ProblemType::Other(_)), "{problem}");
}

/// The refusal's status and type, and all that P6 asks.
#[track_caller]
pub(crate) fn assert_refused(answer: &Answer, status: u16, kind: &str) {
    answer.assert_problem(status, kind);
    assert_complete_refusal(answer);
}

/// Of an order, its first authorization's URL.
pub(crate) fn first_authorization(order: &Value) -> &str {
    order["authorizations"][0].as_str().unwrap()
}

/// The status of the order at that URL.
pub(crate) async fn status(client: &Client, url: &str) -> String {
    let body = client.get(url).await.json();
    body["status"].as_str().unwrap().to_owned()
}

const MANY: u32 = 10_000;
