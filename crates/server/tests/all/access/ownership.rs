//! Whose certificates, keys, directories and profiles are, and who sees them.

use domain::acme::eab::EabUsage;
use domain::id::TeamId;
use domain::profile::preset;
use lifecycle::acme::eab_keys::NewEabKey;
use lifecycle::actor::Caller;
use pki::csr;
use pki::key::{KeyAlgorithm, LocalKey};
use pki::name::{DistinguishedName, GeneralName};
use serde_json::{Value, json};
use testkit::TestServer;
use testkit::acme::Client;

use super::{Program, server_with};

fn request(name: &str) -> String {
    let key = LocalKey::generate(KeyAlgorithm::EcP256).unwrap();
    let names = [GeneralName::Dns(name.to_owned())];
    let der = csr::build(&DistinguishedName::empty(), &names, &[], &key).unwrap();
    pki::pem::encode(pki::pem::CERTIFICATE_REQUEST, &der)
}

async fn team(server: &TestServer, name: &str) -> Option<TeamId> {
    let team = server.lifecycle().team(name).await.unwrap();
    team.map(|team| team.id)
}

/// A client whose account a key of that team bound, and the key.
async fn bound_client(server: &TestServer, of: &str) -> (Client, String) {
    let request = NewEabKey {
        name: "farm".to_owned(),
        directory: None,
        team: team(server, of).await,
        allowed_names: Vec::new(),
        usage: EabUsage::Multi,
        lifetime: None,
        metadata: domain::metadata::Values::new(),
    };
    let caller = Caller::system();
    let made = server.lifecycle().create_eab_key(request, &caller);
    let made = made.await.unwrap();
    let mut client = server.client().await;
    let kid = made.key.id.to_string();
    let binding = client.binding(&kid, &made.hmac);
    let payload = json!({ "termsOfServiceAgreed": true, "externalAccountBinding": binding });
    client.register_with(payload).await.assert_status(201);
    (client, kid)
}

async fn items(program: &Program, path: &str) -> Vec<Value> {
    let (status, body) = program.get(path).await;
    assert_eq!(status, 200, "{path}: {body}");
    body["items"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acme_certificate_is_of_the_team_of_the_binding_key() {
    let (server, administrator) = server_with(&["web", "mail"]).await;
    let web = Program::with(&server, "ca-operator", Some("web")).await;
    let mail = Program::with(&server, "ca-operator", Some("mail")).await;
    let (client, kid) = bound_client(&server, "web").await;
    client.issue(&server, &["shop.example.org"]).await;
    for path in [
        "/api/v1/certificates",
        "/api/v1/enrollments",
        "/api/v1/acme/accounts",
        "/api/v1/acme/orders",
        "/api/v1/acme/eab-keys",
    ] {
        let seen = items(&web, path).await;
        assert_eq!(seen.len(), 1, "{path}: {seen:?}");
        assert_eq!(seen[0]["team"], "web", "{path}");
        assert!(items(&mail, path).await.is_empty(), "{path}");
    }
    // The account goes with its key; what was issued stays.
    let path = format!("/api/v1/acme/eab-keys/{kid}/owner");
    let (status, key) = administrator.put(&path, json!({ "team": "mail" })).await;
    assert_eq!((status, &key["team"]), (200, &json!("mail")));
    assert_eq!(items(&mail, "/api/v1/acme/accounts").await.len(), 1);
    assert!(items(&web, "/api/v1/acme/accounts").await.is_empty());
    client.issue(&server, &["mail.example.org"]).await;
    let names = |items: &[Value]| {
        items
            .iter()
            .map(|i| i["names"][0].clone())
            .collect::<Vec<_>>()
    };
    let of_web = items(&web, "/api/v1/certificates").await;
    assert_eq!(names(&of_web), ["shop.example.org"]);
    let of_mail = items(&mail, "/api/v1/certificates").await;
    assert_eq!(names(&of_mail), ["mail.example.org"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_key_it_is_of_the_directorys_team_or_else_of_the_profiles() {
    let (server, administrator) = server_with(&["web", "mail"]).await;
    let web = Program::with(&server, "requester", Some("web")).await;
    let mail = Program::with(&server, "requester", Some("mail")).await;
    let (profile, directory) = (
        "/api/v1/profiles/default",
        "/api/v1/acme/directories/default",
    );
    let body = json!({ "team": "mail" });
    let (status, shown) = administrator.put(&format!("{profile}/owner"), body).await;
    assert_eq!((status, &shown["team"]), (200, &json!("mail")));
    let client = server.registered_client().await;
    client.issue(&server, &["first.example.org"]).await;
    assert_eq!(items(&mail, "/api/v1/certificates").await.len(), 1);
    let body = json!({ "team": "web" });
    let (status, shown) = administrator.put(&format!("{directory}/owner"), body).await;
    assert_eq!((status, &shown["team"]), (200, &json!("web")));
    client.issue(&server, &["second.example.org"]).await;
    assert_eq!(items(&web, "/api/v1/certificates").await.len(), 1);
    assert_eq!(items(&mail, "/api/v1/certificates").await.len(), 1);
    let (_, log) = administrator
        .get("/api/v1/audit?name=profile.transferred")
        .await;
    let event = &log["items"][0];
    assert_eq!(event["data"]["before"]["team"], Value::Null);
    assert_eq!(event["data"]["after"]["team"], "mail");
    assert_eq!(event["actor"]["id"], administrator.id.as_str());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_names_its_team_where_there_are_several() {
    let (server, administrator) = server_with(&["web", "mail", "ops"]).await;
    let program = Program::with(&server, "requester", Some("web")).await;
    let enroll = async |team: Option<&str>| {
        let mut body = json!({ "profile": "default", "csr": request("a.example.org") });
        if let Some(team) = team {
            body["team"] = json!(team);
        }
        let (status, answer) = program.post("/api/v1/enrollments", body).await;
        (status, answer["team"].clone())
    };
    assert_eq!(enroll(None).await, (201, json!("web")));
    let grant = json!({ "principal": program.id, "role": "requester", "team": "mail" });
    assert_eq!(administrator.post("/api/v1/grants", grant).await.0, 201);
    assert_eq!(enroll(None).await.0, 400);
    assert_eq!(enroll(Some("mail")).await, (201, json!("mail")));
    assert_eq!(enroll(Some("ops")).await.0, 400);
    assert_eq!(items(&program, "/api/v1/certificates").await.len(), 2);
    let (_, me) = program.get("/api/v1/me").await;
    let held = me["permissions"].as_array().unwrap();
    let request = held
        .iter()
        .find(|p| p["permission"] == "certificates:request");
    let teams = request.unwrap()["teams"].as_array().unwrap();
    assert!(
        teams.contains(&json!("web")) && teams.contains(&json!("mail")),
        "{me}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn profiles_without_a_team_are_shared_and_those_of_others_are_not_there() {
    let (server, _) = server_with(&["web", "mail"]).await;
    let web = Program::with(&server, "policy-author", Some("web")).await;
    let mail = Program::with(&server, "policy-author", Some("mail")).await;
    let rules = json!(preset::tls_server("issuing"));
    assert_eq!(web.get("/api/v1/profiles/default").await.0, 200);
    assert_eq!(
        web.put("/api/v1/profiles/default", rules.clone()).await.0,
        403
    );
    let (status, made) = web.put("/api/v1/profiles/shop", rules.clone()).await;
    assert_eq!(
        (status, &made["team"]),
        (200, &json!("web")),
        "the only team it writes in"
    );
    assert_eq!(mail.get("/api/v1/profiles/shop").await.0, 404);
    assert_eq!(mail.put("/api/v1/profiles/shop", rules).await.0, 404);
    let (status, problem) = mail.get("/api/v1/certificates?profile=none").await;
    assert_eq!(status, 400);
    assert!(
        !problem["detail"].as_str().unwrap().contains("shop"),
        "{problem}"
    );
    let requester = Program::with(&server, "requester", Some("mail")).await;
    let body = json!({ "profile": "shop", "csr": request("a.example.org") });
    let (status, problem) = requester.post("/api/v1/enrollments", body).await;
    assert!((400..500).contains(&status), "{problem}");
    let operator = Program::with(&server, "ca-operator", Some("mail")).await;
    let body = json!({ "profiles": ["shop"] });
    let path = "/api/v1/acme/directories/mail";
    assert_eq!(operator.put(path, body).await.0, 400);
    assert_eq!(operator.put(path, json!({})).await.0, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_gives_something_away_may_change_it_in_both_teams() {
    let (server, administrator) = server_with(&["web", "mail"]).await;
    let web = Program::with(&server, "requester", Some("web")).await;
    let body = json!({ "profile": "default", "csr": request("a.example.org") });
    let (_, enrolled) = web.post("/api/v1/enrollments", body).await;
    let id = enrolled["certificate"].as_str().unwrap();
    let path = format!("/api/v1/certificates/{id}/owner");
    assert_eq!(web.put(&path, json!({ "team": "mail" })).await.0, 400);
    assert_eq!(web.put(&path, json!({ "team": null })).await.0, 403);
    assert_eq!(web.put(&path, json!({})).await.0, 400);
    let grant = json!({ "principal": web.id, "role": "auditor", "team": "mail" });
    administrator.post("/api/v1/grants", grant).await;
    assert_eq!(web.put(&path, json!({ "team": "mail" })).await.0, 400);
    assert_eq!(
        administrator.delete("/api/v1/teams/web").await,
        409,
        "it owns something"
    );
    assert_eq!(
        administrator.put(&path, json!({ "team": "mail" })).await.0,
        200
    );
    // Seen, and not one's to change.
    assert_eq!(web.get(&format!("/api/v1/certificates/{id}")).await.0, 200);
    assert_eq!(web.put(&path, json!({ "team": "web" })).await.0, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_team_is_made_once_changed_as_read_and_deleted_when_empty() {
    let (server, administrator) = server_with(&[]).await;
    let path = "/api/v1/teams/web";
    let (status, made) = administrator
        .put(path, json!({ "description": "one" }))
        .await;
    assert_eq!((status, &made["description"]), (200, &json!("one")));
    assert_eq!(
        administrator
            .put("/api/v1/teams/No%20Name", json!({}))
            .await
            .0,
        400
    );
    let member = Program::with(&server, "auditor", Some("web")).await;
    assert_eq!(items(&member, "/api/v1/teams").await.len(), 1);
    assert_eq!(administrator.delete(path).await, 204);
    assert_eq!(administrator.get(path).await.0, 404);
    assert_eq!(
        member.get("/api/v1/teams").await.0,
        403,
        "its grant went with the team"
    );
    let (_, log) = administrator.get("/api/v1/audit?name=team.").await;
    let mut names: Vec<_> = log["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| &e["name"])
        .collect();
    // Both happened in one moment of the test's clock.
    names.sort_by_key(|name| name.as_str());
    assert_eq!(names, ["team.created", "team.deleted"]);
}
