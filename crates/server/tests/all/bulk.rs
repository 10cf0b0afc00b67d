//! Bulk actions over REST: planned, run as planned, paced, paused, and carried on after a crash.

use std::time::Duration;

use domain::role::Role;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::TestServer;

use crate::enroll::Api;

const BULK: &str = "/api/v1/certificates/bulk";

/// So many certificates below `.bulk.example.org`; their ids.
async fn issued(api: &Api, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for number in 0..count {
        let name = format!("h{number}.bulk.example.org");
        let request = json!({
            "profile": "default",
            "key": { "algorithm": "p-256" },
            "identifiers": [{ "type": "dns", "value": name }],
        });
        let body = api.post("/api/v1/enrollments", request).await.expect(201);
        ids.push(body["certificate"].as_str().unwrap().to_owned());
    }
    ids
}

async fn run_to_its_end(server: &TestServer, api: &Api, id: &str) -> Value {
    let path = format!("{BULK}/{id}");
    let finished = async || {
        server.clock.advance(Duration::from_secs(2));
        api.get(&path).await["status"] == "finished"
    };
    server.run_jobs_until(finished).await;
    api.get(&path).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_previewed_is_what_runs() {
    let server = TestServer::start().await;
    let api = Api::of(&server, Role::Requester).await;
    let ids = issued(&api, 3).await;
    let revoke = json!({ "reason": "superseded" });
    api.post(&format!("/api/v1/certificates/{}/revoke", ids[0]), revoke)
        .await
        .expect(200);
    let request = json!({
        "action": { "kind": "revoke", "reason": "cessationOfOperation" },
        "filter": { "suffix": "bulk.example.org" },
    });
    let plan = api.post(BULK, request).await.expect(201);
    assert_eq!(plan["status"], "planned");
    assert_eq!(
        plan["counts"],
        json!({ "excluded": 1, "pending": 2, "done": 0, "failed": 0 })
    );
    assert_eq!(plan["sample"].as_array().unwrap().len(), 2);
    assert_eq!(plan["excluded"][0]["certificate"], ids[0].as_str());
    assert!(
        plan["excluded"][0]["detail"]
            .as_str()
            .unwrap()
            .contains("revoked already")
    );
    let path = format!("/api/v1/certificates/{}", ids[1]);
    assert_eq!(api.get(&path).await["status"], "valid", "nothing was done");
    let late = issued(&api, 4).await.pop().unwrap();

    let id = plan["id"].as_str().unwrap();
    let other = Api::of(&server, Role::Administrator).await;
    other
        .post(&format!("{BULK}/{id}/run"), json!({}))
        .await
        .expect(403);
    api.post(&format!("{BULK}/{id}/run"), json!({}))
        .await
        .expect(202);
    api.post(&format!("{BULK}/{id}/run"), json!({}))
        .await
        .expect(409);
    let ended = run_to_its_end(&server, &api, id).await;
    assert_eq!(
        ended["counts"],
        json!({ "excluded": 1, "pending": 0, "done": 2, "failed": 0 })
    );
    for id in &ids {
        let path = format!("/api/v1/certificates/{id}");
        assert_eq!(api.get(&path).await["status"], "revoked");
    }
    let path = format!("/api/v1/certificates/{late}");
    assert_eq!(
        api.get(&path).await["status"],
        "valid",
        "it came after the plan"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn renewals_go_on_after_a_crash_and_none_is_made_twice() {
    let mut server = TestServer::start().await;
    let api = Api::of(&server, Role::Requester).await;
    let ids = issued(&api, 5).await;
    let request = json!({ "action": { "kind": "renew" }, "ids": ids, "per_minute": 60 });
    let plan = api.post(BULK, request).await.expect(201);
    assert_eq!(plan["counts"]["pending"], 5, "{plan}");
    let id = plan["id"].as_str().unwrap();
    api.post(&format!("{BULK}/{id}/run"), json!({}))
        .await
        .expect(202);
    let begun = async || api.get(&format!("{BULK}/{id}")).await["counts"]["done"] != 0;
    server.run_jobs_until(begun).await;
    server.crash_and_restart().await;
    // The dead process's lease ends.
    server.clock.advance(Duration::from_secs(600));
    let ended = run_to_its_end(&server, &api, id).await;
    assert_eq!(ended["counts"]["done"], 5, "{ended}");
    let all = api
        .get("/api/v1/certificates?suffix=bulk.example.org&limit=100")
        .await;
    assert_eq!(all["items"].as_array().unwrap().len(), 10, "each once more");
    for id in &ids {
        let old = api.get(&format!("/api/v1/certificates/{id}")).await;
        assert!(old["replaced_by"].is_string(), "{old}");
    }
    let page = api
        .get(&format!("{BULK}/{id}/items?outcome=done&limit=2"))
        .await;
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
    let detail = page["items"][0]["detail"].as_str().unwrap();
    assert!(detail.starts_with("enr_"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_action_can_be_paused_resumed_and_ended() {
    let server = TestServer::start().await;
    let api = Api::of(&server, Role::Requester).await;
    let ids = issued(&api, 4).await;
    let request = json!({
        "action": { "kind": "revoke", "reason": "superseded" }, "ids": ids, "per_minute": 1,
    });
    let plan = api.post(BULK, request).await.expect(201);
    let id = plan["id"].as_str().unwrap().to_owned();
    let command = async |verb: &str| api.post(&format!("{BULK}/{id}/{verb}"), json!({})).await;
    command("pause").await.expect(409);
    command("run").await.expect(202);
    let first = async || api.get(&format!("{BULK}/{id}")).await["counts"]["done"] == 1;
    server.run_jobs_until(first).await;
    command("pause").await.expect(200);
    server.clock.advance(Duration::from_secs(600));
    server.run_jobs().await;
    assert_eq!(api.get(&format!("{BULK}/{id}")).await["counts"]["done"], 1);
    command("resume").await.expect(200);
    let second = async || api.get(&format!("{BULK}/{id}")).await["counts"]["done"] == 2;
    server.run_jobs_until(second).await;
    let ended = command("cancel").await.expect(200);
    assert_eq!(ended["status"], "cancelled");
    server.clock.advance(Duration::from_secs(600));
    server.run_jobs().await;
    let ended = api.get(&format!("{BULK}/{id}")).await;
    assert_eq!(
        (&ended["counts"]["done"], &ended["counts"]["pending"]),
        (&json!(2), &json!(2))
    );
    command("resume").await.expect(409);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_is_refused_that_says_nothing_and_void_when_it_is_old() {
    let server = TestServer::start().await;
    let api = Api::of(&server, Role::Requester).await;
    let ids = issued(&api, 1).await;
    let renew = json!({ "kind": "renew" });
    for body in [
        json!({ "action": renew }),
        json!({ "action": renew, "ids": ids, "filter": { "suffix": "a" } }),
        json!({ "action": renew, "ids": [] }),
        json!({ "action": renew, "filter": { "issuer": "nobody" } }),
        json!({ "action": renew, "ids": ids, "per_minute": 0 }),
        json!({ "action": { "kind": "revoke", "reason": "removeFromCRL" }, "ids": ids }),
    ] {
        api.post(BULK, body).await.expect(400);
    }
    let auditor = Api::of(&server, Role::Auditor).await;
    let body = json!({ "action": renew, "ids": ids });
    auditor.post(BULK, body.clone()).await.expect(403);
    let plan = api.post(BULK, body).await.expect(201);
    server.clock.advance(Duration::from_secs(3601));
    let path = format!("{BULK}/{}/run", plan["id"].as_str().unwrap());
    api.post(&path, json!({})).await.expect(409);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_are_given_away_by_those_who_may_in_both_teams() {
    let server = TestServer::start().await;
    let admin = Api::of(&server, Role::Administrator).await;
    for team in ["web", "mail"] {
        let path = format!("/api/v1/teams/{team}");
        let put = admin.call(Method::PUT, &path, Some(json!({}))).await;
        put.expect(200);
    }
    let token = json!({ "name": "web", "role": "requester", "team": "web" });
    let token = admin.post("/api/v1/tokens", token).await.expect(201);
    let web = admin.with_token(token["secret"].as_str().unwrap());
    let ours = issued(&web, 2).await;
    let theirs = issued(&admin, 1).await.remove(0);
    let mut ids = ours.clone();
    ids.push(theirs);
    let transfer =
        |team: Value| json!({ "action": { "kind": "transfer", "team": team }, "ids": ids });
    web.post(BULK, transfer(json!("mail"))).await.expect(400);
    web.post(BULK, transfer(Value::Null)).await.expect(400);
    let plan = web.post(BULK, transfer(json!("web"))).await.expect(201);
    assert_eq!(
        plan["counts"]["pending"], 2,
        "the third is not seen: {plan}"
    );
    let detail = plan["excluded"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("there is no certificate"), "{detail}");
    let path = format!("{BULK}/{}", plan["id"].as_str().unwrap());
    let other = json!({ "name": "mail", "role": "requester", "team": "mail" });
    let other = admin.post("/api/v1/tokens", other).await.expect(201);
    let mail = admin.with_token(other["secret"].as_str().unwrap());
    mail.call(Method::GET, &path, None).await.expect(404);
    assert_eq!(mail.get(BULK).await["items"], json!([]));
    let plan = admin.post(BULK, transfer(json!("mail"))).await.expect(201);
    let id = plan["id"].as_str().unwrap();
    admin
        .post(&format!("{BULK}/{id}/run"), json!({}))
        .await
        .expect(202);
    let ended = run_to_its_end(&server, &admin, id).await;
    assert_eq!(ended["counts"]["done"], 3, "{ended}");
    let path = format!("/api/v1/certificates/{}", ours[0]);
    assert_eq!(mail.get(&path).await["team"], "mail");
    web.call(Method::GET, &path, None).await.expect(404);
}
