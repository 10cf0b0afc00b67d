//! What ACME clients are refused is in the audit trail, as what other clients are refused is.

use lifecycle::EventFilter;
use pki::key::{KeyAlgorithm, LocalKey};
use serde_json::{Value, json};
use testkit::TestServer;
use testkit::acme::csr_for;

use crate::notifications::Api;

async fn events(server: &TestServer, name: &str) -> Vec<domain::event::Event> {
    let filter = EventFilter {
        name: Some(name.to_owned()),
        ..EventFilter::default()
    };
    let found = server.lifecycle().list_events(filter, None, 200).await;
    found.unwrap()
}

async fn change_profile(server: &TestServer, change: impl FnOnce(&mut Value)) {
    let api = Api::of(server).await;
    let mut rules = api.get(server, "profiles/default").await["rules"].take();
    change(&mut rules);
    api.put(server, "profiles/default", rules).await;
    // Longer than any node remembers a profile.
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_the_rules_refuse_is_an_event_of_its_account() {
    let server = TestServer::start().await;
    change_profile(&server, |rules| {
        rules["names"]["deny"] = json!(["never.example.org"]);
    })
    .await;
    let client = server.registered_client().await;
    let refused = client.new_order(&["never.example.org"]).await;
    assert_eq!(refused.status, 400, "{}", refused.text);
    let payload = json!({ "profile": "another" });
    let refused = client.new_order_with(&["a.example.org"], payload).await;
    assert_eq!(refused.status, 400, "{}", refused.text);
    let told = events(&server, "order.rejected").await;
    assert_eq!(told.len(), 2, "{told:?}");
    for event in &told {
        assert!(event.object.starts_with("acc_"), "{event:?}");
        assert_eq!(event.actor.id, event.object, "{event:?}");
        assert!(event.request_id.is_some() && event.actor.address.is_some());
        let is_denied = event.data["names"] == json!(["never.example.org"]);
        match is_denied {
            true => assert!(
                event.data["identifiers"][0]["error"].is_string(),
                "{event:?}"
            ),
            false => assert!(
                event.data["error"].to_string().contains("another"),
                "{event:?}"
            ),
        }
    }
    // What cannot be read was not decided.
    client.new_order(&[]).await;
    assert_eq!(events(&server, "order.rejected").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_csr_that_the_rules_refuse_is_an_event_of_its_order_until_there_are_too_many() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let names = &["asked.example.org"];
    let (_, order) = client.ready_order(&server, names).await;
    let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
    let other = csr_for(&["other.example.org"], &key);
    client.finalize(&order, &other).await.assert_status(400);
    let told = events(&server, "enrollment.rejected").await;
    assert_eq!(told.len(), 1, "{told:?}");
    let (object, data) = (&told[0].object, &told[0].data);
    assert!(object.starts_with("ord_"), "{object}");
    assert_eq!(data["names"], json!(names));
    assert_eq!(data["profile"], "default");
    assert!(data["violations"][0]["rule"].is_string(), "{data}");
    for _ in 0..65 {
        client.finalize(&order, &other).await.assert_status(400);
    }
    // The allowance fills up again with time.
    let told = events(&server, "enrollment.rejected").await.len();
    assert!((60..66).contains(&told), "{told}");
    let right = csr_for(names, &key);
    client.finalize(&order, &right).await.assert_status(200);
}
