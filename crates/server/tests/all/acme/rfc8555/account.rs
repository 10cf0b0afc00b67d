//! Accounts (RFC 8555 section 7.3).

use serde_json::json;
use testkit::TestServer;
use testkit::acme::{Client, Key};

use super::super::support::{assert_refused, census, events, links, put_directory};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_3_a_new_account_is_shown_as_it_was_made() {
    let server = TestServer::start().await;
    for key in [Key::p256(), Key::p384(), Key::ed25519()] {
        let mut client = Client::with_key(&server.directory_url("default"), key).await;
        let contact = json!(["mailto:a@example.org", "mailto:b@example.org"]);
        let made = client
            .register_with(json!({
                "contact": contact,
                "termsOfServiceAgreed": true,
                "status": "revoked",
                "orders": "https://elsewhere.example/",
                "unknown": {"a": 1},
            }))
            .await;
        made.assert_status(201);
        let body = made.json();
        assert_eq!(body["status"], "valid");
        assert_eq!(body["contact"], contact);
        assert_eq!(body["termsOfServiceAgreed"], true);
        let account = client.kid.clone().unwrap();
        assert_eq!(body["orders"], format!("{account}/orders"));
        assert_eq!(client.get(&account).await.json(), body);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_3_1_an_account_that_is_not_there_is_not_made_by_looking_for_it() {
    let server = TestServer::start().await;
    let mut client = server.client().await;
    let look = json!({"onlyReturnExisting": true, "termsOfServiceAgreed": true});
    let missing = client.post(&client.at("newAccount"), &look).await;
    assert_refused(&missing, 400, "accountDoesNotExist");
    assert_eq!(census(&server).await.0, 0);
    client.register().await.assert_status(201);
    let account = client.kid.take().unwrap();
    let found = client.post(&client.at("newAccount"), &look).await;
    found.assert_status(200);
    assert_eq!(found.location(), account);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_3_a_request_by_an_account_that_is_not_there_is_told_so() {
    let server = TestServer::start().await;
    let mut client = server.client().await;
    let nobody = server.url() + "/acme/default/account/acc_0123456789abcdefghjkmnpqrs";
    client.kid = Some(nobody);
    let answer = client.new_order(&["www.example.org"]).await;
    assert_refused(&answer, 400, "accountDoesNotExist");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_3_terms_have_to_be_agreed_to() {
    let server = TestServer::start().await;
    let terms = "https://ca.test/terms/1";
    put_directory(&server, "default", |spec| {
        spec.terms_of_service = Some(terms.to_owned())
    })
    .await;
    let mut client = server.client().await;
    for payload in [json!({}), json!({"termsOfServiceAgreed": false})] {
        let refused = client.register_with(payload).await;
        assert_refused(&refused, 403, "userActionRequired");
        assert_eq!(refused.json()["instance"], terms);
        assert_eq!(links(&refused, "terms-of-service"), [terms]);
    }
    let made = client.register().await;
    made.assert_status(201);
    assert_eq!(links(&made, "terms-of-service"), [terms]);
}

const BAD_CONTACTS: &[(&str, &str)] = &[
    ("mailto:a@example.org,b@example.org", "invalidContact"),
    ("mailto:a@example.org?subject=x", "invalidContact"),
    ("mailto:", "invalidContact"),
    ("mailto:a", "invalidContact"),
    ("mailto:a b@example.org", "invalidContact"),
    ("mailto:<a@example.org>", "invalidContact"),
    ("a@example.org", "invalidContact"),
    ("", "invalidContact"),
    ("tel:+123456789", "unsupportedContact"),
    ("https://example.org/", "unsupportedContact"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_3_a_contact_is_one_mail_address() {
    let server = TestServer::start().await;
    let stranger = server.client().await;
    let holder = server.registered_client().await;
    let account = holder.kid.clone().unwrap();
    for (contact, kind) in BAD_CONTACTS {
        let payload = json!({"termsOfServiceAgreed": true, "contact": [contact]});
        let answer = stranger.post(&stranger.at("newAccount"), &payload).await;
        assert_refused(&answer, 400, kind);
        let answer = holder.post(&account, &json!({"contact": [contact]})).await;
        assert_refused(&answer, 400, kind);
    }
    let many: Vec<String> = (0..50)
        .map(|n| format!("mailto:a{n}@example.org"))
        .collect();
    let answer = holder.post(&account, &json!({"contact": many})).await;
    assert_refused(&answer, 400, "invalidContact");
    assert_eq!(census(&server).await.0, 1);
    assert!(holder.get(&account).await.json().get("contact").is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_3_2_an_update_changes_contacts_and_nothing_else() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let account = client.kid.clone().unwrap();
    let contact = json!(["mailto:new@example.org"]);
    let updated = client
        .post(
            &account,
            &json!({"contact": contact, "orders": "x", "unknown": 1}),
        )
        .await;
    updated.assert_status(200);
    assert_eq!(updated.json()["contact"], contact);
    for harmless in [
        json!({}),
        json!({"status": "valid"}),
        json!({"status": "revoked"}),
    ] {
        let answer = client.post(&account, &harmless).await;
        answer.assert_status(200);
        assert_eq!(answer.json(), updated.json());
    }
    let cleared = client.post(&account, &json!({"contact": []})).await.json();
    assert!(cleared.get("contact").is_none(), "{cleared}");
    assert_eq!(events(&server, "account.updated").await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_3_6_a_deactivated_account_is_over_for_good() {
    let server = TestServer::start().await;
    let mut client = server.registered_client().await;
    let open = client.new_order(&["www.example.org"]).await;
    let account = client.kid.clone().unwrap();
    let answer = client
        .post(&account, &json!({"status": "deactivated"}))
        .await;
    answer.assert_status(200);
    assert_eq!(answer.json()["status"], "deactivated");
    for url in [
        account.clone(),
        open.location(),
        format!("{account}/orders"),
    ] {
        assert_refused(&client.get(&url).await, 401, "unauthorized");
    }
    let answer = client.new_order(&["www.example.org"]).await;
    assert_refused(&answer, 401, "unauthorized");
    let answer = client.post(&account, &json!({"status": "valid"})).await;
    assert_refused(&answer, 401, "unauthorized");
    // Its key opens no new one.
    client.kid = None;
    assert_refused(&client.register().await, 403, "unauthorized");
    let look = json!({"onlyReturnExisting": true});
    let found = client.post(&client.at("newAccount"), &look).await;
    assert_refused(&found, 403, "unauthorized");
    assert_eq!(census(&server).await.0, 1);
    assert_eq!(events(&server, "account.deactivated").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s7_1_2_1_the_list_of_orders_is_read_page_by_page() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let list = format!("{}/orders", client.kid.as_deref().unwrap());
    assert_eq!(client.get(&list).await.json(), json!({"orders": []}));
    let mut made = Vec::new();
    for n in 0..205 {
        let order = client.new_order(&[&format!("n{n}.example.org")]).await;
        made.push(order.location());
    }
    let mut seen: Vec<String> = Vec::new();
    let mut next = Some(list);
    let mut pages = 0;
    while let Some(url) = next {
        let page = client.get(&url).await;
        page.assert_status(200);
        let urls = page.json()["orders"].clone();
        seen.extend(serde_json::from_value::<Vec<String>>(urls).unwrap());
        next = links(&page, "next").pop();
        pages += 1;
    }
    assert_eq!(pages, 3);
    seen.sort_unstable();
    made.sort_unstable();
    assert_eq!(seen, made);
}
