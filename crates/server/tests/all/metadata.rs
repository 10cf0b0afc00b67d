//! Custom metadata: defined once, carried through every issuance, found, changed, told.

use std::sync::Arc;

use domain::role::Role;
use lifecycle::actor::Caller;
use parking_lot::Mutex;
use reqwest::header::{ETAG, IF_MATCH};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use testkit::acme::{Answer, Client, csr_for};
use testkit::issuer::Behaviour;
use testkit::{IssuerDouble, TestServer};

use crate::acme::support::{BindingKey, KeyTerms, binding_key, events, put_directory};
use crate::issuance_rules::enrollments;

/// An administrator.
struct Api {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Api {
    async fn of(server: &TestServer) -> Self {
        let (lifecycle, caller) = (server.lifecycle(), Caller::system());
        let created = lifecycle.create_token("test".to_owned(), Role::Administrator, None, &caller);
        Self {
            http: reqwest::Client::new(),
            url: format!("{}/api/v1", server.url()),
            token: created.await.unwrap().secret.expose().to_owned(),
        }
    }

    async fn send(&self, method: Method, path: &str, tag: Option<&str>, body: &Value) -> Told {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        if let Some(tag) = tag {
            request = request.header(IF_MATCH, tag);
        }
        if !body.is_null() {
            request = request.json(body);
        }
        let response = request.bearer_auth(&self.token).send().await.unwrap();
        let tag = response.headers().get(ETAG).cloned();
        Told {
            status: response.status(),
            tag: tag.map(|tag| tag.to_str().unwrap().to_owned()),
            body: response.json().await.unwrap(),
        }
    }

    async fn get(&self, path: &str) -> Value {
        let told = self.send(Method::GET, path, None, &Value::Null).await;
        assert_eq!(told.status, StatusCode::OK, "{path}: {}", told.body);
        told.body
    }

    async fn done(&self, method: Method, path: &str, body: Value) -> Value {
        let told = self.send(method, path, None, &body).await;
        assert!(
            told.status.is_success(),
            "{path}: {} {}",
            told.status,
            told.body
        );
        told.body
    }

    async fn refused(&self, method: Method, path: &str, status: u16, body: Value) -> Value {
        let told = self.send(method, path, None, &body).await;
        assert_eq!(told.status.as_u16(), status, "{path}: {}", told.body);
        told.body
    }

    async fn define(&self, name: &str, rules: Value) {
        self.done(Method::PUT, &format!("/metadata-fields/{name}"), rules)
            .await;
    }

    /// Sets values of something that passes them on, or of a certificate.
    async fn set(&self, of: &str, values: Value) -> Value {
        let body = json!({ "metadata": values });
        self.done(Method::PATCH, &format!("{of}/metadata"), body)
            .await["metadata"]
            .take()
    }

    /// Changes the rules of a directory or a profile.
    async fn change(&self, path: &str, change: impl FnOnce(&mut Value)) {
        let mut rules = self.get(path).await["rules"].take();
        change(&mut rules);
        self.done(Method::PUT, path, rules).await;
    }

    /// The newest certificate with that name.
    async fn newest(&self, name: &str) -> Value {
        self.get(&format!("/certificates?name={name}&limit=1"))
            .await["items"][0]
            .take()
    }
}

struct Told {
    status: StatusCode,
    tag: Option<String>,
    body: Value,
}

/// A client whose account is bound by a key.
async fn bound(server: &TestServer) -> (Client, BindingKey) {
    let key = binding_key(server, KeyTerms::default()).await;
    let mut client = server.client().await;
    key.register(&mut client).await.assert_status(201);
    (client, key)
}

fn account_of(client: &Client) -> String {
    let url = client.kid.clone().unwrap();
    url.rsplit('/').next().unwrap().to_owned()
}

fn detail(answer: &Answer) -> String {
    answer.json()["detail"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acme_orders_inherit_from_key_account_directory_and_profile_in_this_order() {
    let server = TestServer::start().await;
    let api = Api::of(&server).await;
    api.define("code", json!({ "default": "none" })).await;
    let (client, key) = bound(&server).await;
    // From the farthest to the nearest: each takes the place of the one before.
    let steps = [
        ("default", "default"),
        ("profile", "profile"),
        ("directory", "directory"),
        ("account", "account"),
        ("eab-key", "eab-key"),
    ];
    for (number, (source, value)) in steps.into_iter().enumerate() {
        match source {
            "profile" => {
                let set = |rules: &mut Value| rules["metadata"] = json!({ "code": value });
                api.change("/profiles/default", set).await;
            }
            "directory" => {
                let set = |rules: &mut Value| rules["metadata"] = json!({ "code": value });
                api.change("/acme/directories/default", set).await;
            }
            "account" => {
                let of = format!("/acme/accounts/{}", account_of(&client));
                api.set(&of, json!({ "code": value })).await;
            }
            "eab-key" => {
                api.set(
                    &format!("/acme/eab-keys/{}", key.id),
                    json!({ "code": value }),
                )
                .await;
            }
            _ => {}
        }
        let name = format!("n{number}.example.org");
        client.issue(&server, &[&name]).await;
        let certificate = api.newest(&name).await;
        let expected = if source == "default" { "none" } else { value };
        assert_eq!(
            certificate["metadata"],
            json!({ "code": expected }),
            "{source}"
        );
        let id = certificate["enrollment"].as_str().unwrap();
        let enrollment = api.get(&format!("/enrollments/{id}")).await;
        assert_eq!(enrollment["metadata_sources"], json!({ "code": source }));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_required_and_missing_is_told_when_it_is_ordered() {
    let server = TestServer::start().await;
    let api = Api::of(&server).await;
    let rules = json!({ "label": "Cost center", "required": true, "pattern": "[0-9]{4}" });
    api.define("cost_center", rules).await;
    let (client, key) = bound(&server).await;
    let refused = client.new_order(&["shop.example.org"]).await;
    refused.assert_problem(400, "rejectedIdentifier");
    let text = detail(&refused);
    for part in ["cost_center", "Cost center", key.id.as_str(), "`default`"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(api.get("/acme/orders").await["items"], json!([]));

    let path = format!("/acme/eab-keys/{}", key.id);
    let body = json!({ "metadata": { "cost_center": "47" } });
    let problem = api
        .refused(Method::PATCH, &format!("{path}/metadata"), 422, body)
        .await;
    assert_eq!(problem["violations"][0]["rule"], "metadata.cost_center");
    api.set(&path, json!({ "cost_center": 4711 })).await;
    assert_eq!(api.get(&path).await["metadata"]["cost_center"], "4711");

    client.issue(&server, &["shop.example.org"]).await;
    let found = api.get("/certificates?metadata.cost_center=4711").await;
    assert_eq!(found["items"][0]["names"], json!(["shop.example.org"]));
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    let none = api.get("/certificates?metadata.cost_center=4712").await;
    assert_eq!(none["items"], json!([]));
    let unknown = "/certificates?metadata.cost_centre=4711";
    api.refused(Method::GET, unknown, 400, Value::Null).await;
    let audit = api.get("/audit?name=certificate.issued&limit=1").await;
    assert_eq!(
        audit["items"][0]["data"]["metadata"]["cost_center"], "4711",
        "{audit}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_field_that_is_required_before_finalize_leaves_the_order_ready() {
    let server = TestServer::start().await;
    let api = Api::of(&server).await;
    let client = server.registered_client().await;
    let (url, order) = client.ready_order(&server, &["late.example.org"]).await;
    api.define("code", json!({ "required": true })).await;
    let key = pki::key::LocalKey::generate(pki::key::KeyAlgorithm::EcP256).unwrap();
    let csr = csr_for(&["late.example.org"], &key);
    let refused = client.finalize(&order, &csr).await;
    refused.assert_problem(400, "rejectedIdentifier");
    assert!(detail(&refused).contains("code"), "{}", refused.text);
    assert_eq!(client.get(&url).await.json()["status"], "ready");
    let account = format!("/acme/accounts/{}", account_of(&client));
    api.set(&account, json!({ "code": "a" })).await;
    let id = url.rsplit('/').next().unwrap();
    let shown = api.get(&format!("/acme/orders/{id}")).await;
    assert_eq!(
        shown["metadata"],
        json!({ "code": "a" }),
        "before it is issued"
    );
    client.finalize(&order, &csr).await.assert_status(200);
    let shown = api.get(&format!("/acme/orders/{id}")).await;
    assert_eq!(shown["metadata"], json!({ "code": "a" }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn renewals_keep_what_their_predecessor_had_also_what_was_changed_since() {
    let server = TestServer::start().await;
    let api = Api::of(&server).await;
    api.define("code", json!({})).await;
    let (client, key) = bound(&server).await;
    let key_path = format!("/acme/eab-keys/{}", key.id);
    api.set(&key_path, json!({ "code": "first" })).await;
    let issued = client
        .issue(&server, &["a.example.org", "b.example.org"])
        .await;
    let first = api.newest("a.example.org").await;
    api.set(
        &format!("/certificates/{}", first["id"].as_str().unwrap()),
        json!({ "code": "moved" }),
    )
    .await;
    api.set(&key_path, json!({ "code": "second" })).await;

    // By the same names, in another order.
    client
        .issue(&server, &["b.example.org", "a.example.org"])
        .await;
    assert_eq!(
        api.newest("a.example.org").await["metadata"]["code"],
        "moved"
    );
    // By ARI, where one of the names is another.
    let extra = json!({ "replaces": issued.cert_id() });
    let order = client
        .new_order_with(&["a.example.org", "c.example.org"], extra)
        .await;
    order.assert_status(201);
    client.authorize(&server, &order.json()).await;
    let leaf = pki::key::LocalKey::generate(pki::key::KeyAlgorithm::EcP256).unwrap();
    let csr = csr_for(&["a.example.org", "c.example.org"], &leaf);
    client
        .finalize(&order.json(), &csr)
        .await
        .assert_status(200);
    let renewed = api.newest("c.example.org").await;
    assert_eq!(renewed["metadata"]["code"], "moved");
    assert_eq!(renewed["replaces"], first["id"]);
    // What renews nothing gets what is passed on now.
    client.issue(&server, &["d.example.org"]).await;
    assert_eq!(
        api.newest("d.example.org").await["metadata"]["code"],
        "second"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_made_to_what_was_read_and_is_audited_with_before_and_after() {
    let server = TestServer::start().await;
    let api = Api::of(&server).await;
    api.define(
        "code",
        json!({ "kind": "number", "required": true, "default": 1 }),
    )
    .await;
    api.define("bill", json!({ "template": "{field:code}/{name}" }))
        .await;
    let client = server.registered_client().await;
    client.issue(&server, &["x.example.org"]).await;
    let certificate = api.newest("x.example.org").await;
    let path = format!(
        "/certificates/{}/metadata",
        certificate["id"].as_str().unwrap()
    );
    let read = api.send(Method::GET, &path, None, &Value::Null).await;
    assert_eq!(
        read.body["metadata"],
        json!({ "code": "1", "bill": "1/x.example.org" })
    );

    let change = json!({ "metadata": { "code": "007" } });
    let changed = api
        .send(Method::PATCH, &path, read.tag.as_deref(), &change)
        .await;
    assert_eq!(
        changed.body["metadata"],
        json!({ "code": "7", "bill": "7/x.example.org" })
    );
    let late = api
        .send(Method::PATCH, &path, read.tag.as_deref(), &change)
        .await;
    assert_eq!(
        late.status,
        StatusCode::PRECONDITION_FAILED,
        "{}",
        late.body
    );
    assert_ne!(changed.tag, read.tag);

    for (values, why) in [
        (json!({ "code": "many" }), "is no number"),
        (json!({ "code": null }), "required"),
        (json!({ "bill": "x" }), "computed"),
        (json!({ "other": "x" }), "there is no field"),
    ] {
        let body = json!({ "metadata": values });
        let problem = api.refused(Method::PATCH, &path, 422, body).await;
        assert!(
            problem["detail"].as_str().unwrap().contains(why),
            "{problem}"
        );
    }
    api.refused(Method::PATCH, &path, 400, json!({ "metadata": {} }))
        .await;
    let found = api.get("/certificates?metadata.code=7").await;
    assert_eq!(found["items"][0]["id"], certificate["id"]);
    assert_eq!(
        api.get("/certificates?metadata.code=1").await["items"],
        json!([])
    );

    let audit = api.get("/audit?name=certificate.metadata_changed").await;
    let [event] = audit["items"].as_array().unwrap().as_slice() else {
        panic!("one change is one event: {audit}");
    };
    assert_eq!(event["object"], certificate["id"]);
    assert_eq!(
        event["data"]["before"],
        json!({ "code": "1", "bill": "1/x.example.org" })
    );
    assert_eq!(
        event["data"]["after"],
        json!({ "code": "7", "bill": "7/x.example.org" })
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_field_is_refused_when_it_is_saved_with_the_place_of_the_error() {
    let server = TestServer::start().await;
    let api = Api::of(&server).await;
    api.define("a", json!({ "template": "{profile}" })).await;
    api.define("b", json!({ "template": "{field:a}" })).await;
    for (name, rules, told) in [
        ("c", json!({ "pattern": "ab(c" }), "pattern, character 3"),
        (
            "c",
            json!({ "template": "{eab.nam}" }),
            "template, character 1",
        ),
        ("a", json!({ "template": "{field:b}" }), "a -> b -> a"),
        (
            "c",
            json!({ "applies": { "profiles": ["nothing"] } }),
            "applies.profiles",
        ),
        (
            "c",
            json!({ "applies": { "directories": ["nothing"] } }),
            "applies.directories",
        ),
        ("c-d", json!({}), "name"),
    ] {
        let path = format!("/metadata-fields/{name}");
        let problem = api.refused(Method::PUT, &path, 400, rules).await;
        assert!(
            problem["faults"][0].as_str().unwrap().contains(told),
            "{problem}"
        );
    }
    api.refused(
        Method::PUT,
        "/metadata-fields/c",
        400,
        json!({ "requierd": true }),
    )
    .await;
    for (path, rules) in [
        (
            "/profiles/default",
            json!({ "metadata": { "nothing": "x" } }),
        ),
        (
            "/profiles/default",
            json!({ "required_metadata": ["nothing"] }),
        ),
    ] {
        let mut whole = api.get(path).await["rules"].take();
        whole
            .as_object_mut()
            .unwrap()
            .extend(rules.as_object().unwrap().clone());
        let problem = api.refused(Method::PUT, path, 400, whole).await;
        assert!(
            problem["detail"].as_str().unwrap().contains("nothing"),
            "{problem}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_field_in_use_is_retired_and_its_values_stay() {
    let server = TestServer::start().await;
    let api = Api::of(&server).await;
    api.define("code", json!({ "default": "a" })).await;
    api.define("bill", json!({ "template": "{field:code}" }))
        .await;
    let require = |rules: &mut Value| rules["required_metadata"] = json!(["bill"]);
    api.change("/profiles/default", require).await;
    let client = server.registered_client().await;
    client.issue(&server, &["x.example.org"]).await;
    let (code, bill) = ("/metadata-fields/code", "/metadata-fields/bill");
    let problem = api
        .refused(Method::PUT, code, 409, json!({ "kind": "number" }))
        .await;
    assert!(
        problem["detail"].as_str().unwrap().contains("kind"),
        "{problem}"
    );
    for (path, needed_by) in [(code, "`bill`"), (bill, "`default`")] {
        let problem = api
            .refused(Method::POST, &format!("{path}/retire"), 409, Value::Null)
            .await;
        assert!(
            problem["detail"].as_str().unwrap().contains(needed_by),
            "{problem}"
        );
    }
    api.change("/profiles/default", |rules| {
        rules["required_metadata"] = json!([])
    })
    .await;
    for path in [bill, code] {
        let retired = api
            .done(Method::POST, &format!("{path}/retire"), Value::Null)
            .await;
        assert_eq!(retired["status"], "retired");
    }
    let found = api.get("/certificates?metadata.code=a").await;
    assert_eq!(
        found["items"][0]["metadata"],
        json!({ "code": "a", "bill": "a" })
    );
    client.issue(&server, &["y.example.org"]).await;
    assert_eq!(api.newest("y.example.org").await.get("metadata"), None);
    let read = api.send(Method::GET, code, None, &Value::Null).await;
    let stale = api.send(Method::PUT, code, Some("\"1\""), &json!({})).await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
    let again = api
        .send(Method::PUT, code, read.tag.as_deref(), &json!({}))
        .await;
    assert_eq!(again.body["status"], "active", "{}", again.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_field_that_applies_elsewhere_does_not_matter_here() {
    let server = TestServer::start().await;
    let api = Api::of(&server).await;
    put_directory(&server, "public", |_| {}).await;
    let rules = json!({ "required": true, "applies": { "directories": ["public"] } });
    api.define("contact", rules).await;
    let here = server.registered_client().await;
    here.issue(&server, &["x.example.org"]).await;
    let mut there = Client::new(&server.directory_url("public")).await;
    there.register().await.assert_status(201);
    let refused = there.new_order(&["y.example.org"]).await;
    refused.assert_problem(400, "rejectedIdentifier");
    let set = |rules: &mut Value| rules["metadata"] = json!({ "contact": "a@example.org" });
    api.change("/acme/directories/public", set).await;
    there.issue(&server, &["y.example.org"]).await;
    assert_eq!(
        api.newest("y.example.org").await["metadata"]["contact"],
        "a@example.org"
    );
    let mut rules = api.get("/acme/directories/default").await["rules"].take();
    set(&mut rules);
    let path = "/acme/directories/default";
    let problem = api.refused(Method::PUT, path, 422, rules).await;
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("does not apply here"),
        "{problem}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_over_rest_give_values_and_renewals_keep_them() {
    let server = TestServer::start().await;
    let api = Api::of(&server).await;
    api.define("code", json!({ "kind": "number", "required": true }))
        .await;
    api.define("bill", json!({ "template": "{field:code}/{profile}" }))
        .await;
    let request = |metadata: Value| {
        json!({
            "profile": "default",
            "key": { "algorithm": "p-256" },
            "identifiers": [{ "type": "dns", "value": "rest.example.org" }],
            "metadata": metadata,
        })
    };
    for (metadata, rule) in [
        (json!({}), "metadata.code"),
        (json!({ "code": "many" }), "metadata.code"),
        (json!({ "code": "1", "bill": "x" }), "metadata.bill"),
        (json!({ "code": "1", "other": "x" }), "metadata.other"),
    ] {
        let problem = api
            .refused(Method::POST, "/enrollments", 422, request(metadata))
            .await;
        assert_eq!(problem["violations"][0]["rule"], rule, "{problem}");
    }
    let made = api
        .done(
            Method::POST,
            "/enrollments",
            request(json!({ "code": "007" })),
        )
        .await;
    assert_eq!(
        made["metadata"],
        json!({ "code": "7", "bill": "7/default" })
    );
    assert_eq!(
        made["metadata_sources"],
        json!({ "code": "requested", "bill": "computed" })
    );
    let id = made["certificate"].as_str().unwrap().to_owned();
    let renew = format!("/certificates/{id}/renew");
    let key = json!({ "key": { "algorithm": "p-256" } });
    let renewed = api.done(Method::POST, &renew, key).await;
    assert_eq!(
        renewed["metadata"],
        json!({ "code": "7", "bill": "7/default" })
    );
    assert_eq!(renewed["metadata_sources"]["code"], "renewed");

    let asked = json!({ "names": ["a.example.org"], "metadata": { "code": "3" } });
    let told = api
        .done(Method::POST, "/profiles/default/explain", asked)
        .await;
    let step = |rule: &str| {
        let steps = told["steps"].as_array().unwrap();
        let found = steps.iter().find(|step| step["rule"] == rule);
        found.unwrap_or_else(|| panic!("{rule}: {told}"))["message"].clone()
    };
    assert_eq!(step("metadata.code"), "`3`: given with the request");
    assert_eq!(step("metadata.bill"), "`3/default`: computed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_certificates_are_changed_as_the_dry_run_showed() {
    let server = TestServer::start().await;
    let api = Api::of(&server).await;
    api.define("code", json!({ "pattern": "[0-9]+", "default": "1" }))
        .await;
    api.define("bill", json!({ "template": "{field:code}-x" }))
        .await;
    let client = server.registered_client().await;
    for name in ["a.example.org", "b.example.org", "c.example.org"] {
        client.issue(&server, &[name]).await;
    }
    let changed = api.newest("c.example.org").await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    api.set(&format!("/certificates/{changed}"), json!({ "code": "2" }))
        .await;
    let wish = |value: &str| {
        json!({
            "action": { "kind": "edit-metadata", "metadata": { "code": value } },
            "filter": { "suffix": "example.org" },
        })
    };
    let bulk = "/certificates/bulk";
    api.refused(Method::POST, bulk, 422, wish("x")).await;
    let nothing =
        json!({ "action": { "kind": "edit-metadata", "metadata": {} }, "ids": [changed] });
    api.refused(Method::POST, bulk, 400, nothing).await;

    let plan = api.done(Method::POST, bulk, wish("2")).await;
    let counts = json!({ "excluded": 1, "pending": 2, "done": 0, "failed": 0 });
    assert_eq!(plan["counts"], counts, "{plan}");
    assert_eq!(
        plan["sample"][0]["detail"], "bill: 1-x -> 2-x, code: 1 -> 2",
        "{plan}"
    );
    assert_eq!(plan["excluded"][0]["certificate"], json!(changed));
    let found = async |code: &str| {
        let found = api
            .get(&format!("/certificates?metadata.code={code}"))
            .await;
        found["items"].as_array().unwrap().len()
    };
    assert_eq!(
        (found("1").await, found("2").await),
        (2, 1),
        "nothing was done yet"
    );

    let path = format!("{bulk}/{}", plan["id"].as_str().unwrap());
    api.done(Method::POST, &format!("{path}/run"), Value::Null)
        .await;
    let finished = async || {
        server.clock.advance(std::time::Duration::from_secs(2));
        api.get(&path).await["status"] == "finished"
    };
    server.run_jobs_until(finished).await;
    assert_eq!(api.get(&path).await["counts"]["done"], 2);
    assert_eq!((found("1").await, found("2").await), (0, 3));
    assert_eq!(api.newest("a.example.org").await["metadata"]["bill"], "2-x");
    assert_eq!(events(&server, "certificate.metadata_changed").await, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ca_is_told_what_the_operator_says_and_under_its_own_names() {
    let double = IssuerDouble::remote();
    let server = TestServer::start_with_issuers(&double).await;
    let api = Api::of(&server).await;
    api.define("code", json!({ "default": "4711" })).await;
    api.define("secret", json!({ "default": "ours" })).await;
    let told = Arc::new(Mutex::new(None));
    let seen = Arc::clone(&told);
    double.does(Behaviour::Lie(Arc::new(move |request, chain| {
        *seen.lock() = Some(request.metadata.clone());
        chain
    })));
    let client = server.registered_client().await;
    client.issue(&server, &["x.example.org"]).await;
    assert_eq!(
        told.lock().take(),
        Some(Default::default()),
        "nothing unasked"
    );
    let path = "/issuers/issuing/metadata-fields";
    let body = json!({ "metadata_fields": { "code": "Custom Field 1" } });
    let issuer = api.done(Method::PUT, path, body.clone()).await;
    assert_eq!(issuer["metadata_fields"], body["metadata_fields"]);
    client.issue(&server, &["y.example.org"]).await;
    let expected = [("Custom Field 1".to_owned(), "4711".to_owned())].into();
    assert_eq!(told.lock().take(), Some(expected));
    let body = json!({ "metadata_fields": { "nothing": "x" } });
    api.refused(Method::PUT, path, 400, body).await;
    assert_eq!(events(&server, "issuer.metadata_fields_changed").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_servers_own_certificate_is_made_whatever_is_required() {
    let server = TestServer::start().await;
    let api = Api::of(&server).await;
    api.define("code", json!({ "required": true })).await;
    api.define("stage", json!({ "default": "ours" })).await;
    let profile = server
        .lifecycle()
        .profile("default")
        .await
        .unwrap()
        .unwrap();
    let key = pki::key::LocalKey::generate(pki::key::KeyAlgorithm::EcP256).unwrap();
    let csr = csr_for(&["self.example.org"], &key);
    let request = lifecycle::issuance::EnrollmentRequest {
        requester: domain::enrollment::Requester::System,
        profile,
        identifiers: vec![
            domain::identifier::Identifier::parse("dns", "self.example.org").unwrap(),
        ],
        csr: pki::csr::Csr::from_der(&csr).unwrap(),
        key_thumbprint: None,
        not_before: None,
        not_after: None,
        replaces: None,
        subject: None,
        key_evidence: None,
        team: None,
        metadata: Default::default(),
    };
    server
        .lifecycle()
        .enroll(request, &Caller::system())
        .await
        .unwrap();
    let made = enrollments(&server).await;
    assert_eq!(
        made[0].metadata,
        [("stage".to_owned(), "ours".to_owned())].into()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_field_defined_at_one_node_is_required_at_the_other_within_a_second() {
    let server = TestServer::start_on_postgres().await;
    let node = server.second_node().await.unwrap();
    let client = server.registered_client().await;
    let there = format!("http://{}", node.address);
    let order = async || {
        let url = client.at("newOrder");
        let wanted = json!({"identifiers": [{"type": "dns", "value": "x.example.org"}]});
        let jws = client.signed(&url, wanted.to_string().as_bytes()).await;
        client
            .send(&url.replace(&server.url(), &there), jws.to_string())
            .await
    };
    order().await.assert_status(201);
    Api::of(&server)
        .await
        .define("code", json!({ "required": true }))
        .await;
    tokio::time::sleep(std::time::Duration::from_millis(1200)).await;
    order().await.assert_problem(400, "rejectedIdentifier");
    node.stop().await;
}
