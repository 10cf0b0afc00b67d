//! The inventory over REST: search, figures, saved searches, export.

use domain::role::Role;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::TestServer;

use crate::enroll::Api;

const CERTIFICATES: &str = "/api/v1/certificates";

fn names(page: &Value) -> Vec<&str> {
    page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["names"][0].as_str().unwrap())
        .collect()
}

async fn search(api: &Api, query: &str) -> Value {
    let query: String = url_encoded(query);
    api.get(&format!("{CERTIFICATES}?q={query}&sort=name"))
        .await
}

fn url_encoded(text: &str) -> String {
    text.bytes().map(|octet| format!("%{octet:02x}")).collect()
}

async fn make_team(api: &Api) {
    let rules = Some(json!({ "description": "" }));
    let made = api.call(Method::PUT, "/api/v1/teams/web", rules).await;
    assert!(made.status.is_success(), "{}", made.body);
}

/// A server that has issued three certificates, their texts filed.
async fn with_three() -> (TestServer, Api) {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    for name in ["shop.example.org", "mail.example.org", "shop.example.net"] {
        client.issue(&server, &[name]).await;
    }
    server.run_jobs().await;
    let api = Api::of(&server, Role::Administrator).await;
    (server, api)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn search_terms_find_what_they_say_and_a_fault_has_its_place() {
    let (_server, api) = with_three().await;
    for (query, expected) in [
        ("shop", &["shop.example.net", "shop.example.org"][..]),
        ("hop.exam", &["shop.example.net", "shop.example.org"]),
        ("shop name:.example.org", &["shop.example.org"]),
        ("name~mail", &["mail.example.org"]),
        (
            "\"mail.example\" status:valid origin:issued",
            &["mail.example.org"],
        ),
        ("shop expires>50y", &[]),
        (
            "shop profile:default created<1h replaced:no",
            &["shop.example.net", "shop.example.org"],
        ),
    ] {
        let found = search(&api, query).await;
        let found: Vec<&str> = names(&found)
            .into_iter()
            .filter(|name| name.contains("example"))
            .collect();
        assert_eq!(found, expected, "{query}");
    }
    for (query, fault) in [
        ("q=shop%20nonsense:1", "at character 6"),
        ("q=expires%3Csoon", "at character 9"),
        ("q=issuer:nobody", "there is no issuer"),
        ("q=status:valid&status=revoked", "`status`"),
        ("expires_within=soon", "expires_within"),
        ("metadata.nonsense=1", "nonsense"),
        ("q=nonsense=1", "nonsense"),
    ] {
        let answer = api
            .call(Method::GET, &format!("{CERTIFICATES}?{query}"), None)
            .await;
        let problem = answer.expect(400);
        assert!(
            problem["detail"].as_str().unwrap().contains(fault),
            "{query}: {problem}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn u3_pages_follow_each_other_in_every_order() {
    let (_server, api) = with_three().await;
    for sort in [
        "created",
        "-created",
        "not_after",
        "-not_after",
        "name",
        "-name",
    ] {
        let mut seen = Vec::new();
        let mut path = format!("{CERTIFICATES}?sort={sort}&limit=2");
        loop {
            let page = api.get(&path).await;
            let items = page["items"].as_array().unwrap().iter();
            seen.extend(items.map(|item| item["id"].as_str().unwrap().to_owned()));
            let Some(next) = page["next"].as_str() else {
                break;
            };
            path = format!(
                "{CERTIFICATES}?sort={sort}&limit=2&after={}",
                url_encoded(next)
            );
        }
        let all = api.get(&format!("{CERTIFICATES}?sort={sort}")).await;
        let all: Vec<&str> = all["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["id"].as_str().unwrap())
            .collect();
        assert_eq!(seen, all, "{sort}");
    }
    let first = api.get(&format!("{CERTIFICATES}?sort=name&limit=1")).await;
    let next = url_encoded(first["next"].as_str().unwrap());
    let path = format!("{CERTIFICATES}?sort=not_after&after={next}");
    api.call(Method::GET, &path, None).await.expect(400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn u3_a_dashboard_figure_is_what_the_list_counts() {
    let (server, api) = with_three().await;
    let found = search(&api, "name:mail.example.org").await;
    let id = found["items"][0]["id"].as_str().unwrap();
    let path = format!("{CERTIFICATES}/{id}/revoke");
    api.post(&path, json!({ "reason": "superseded" }))
        .await
        .expect(200);
    // As much before what changed is summed up as after it.
    for _ in 0..2 {
        let summary = api.get(&format!("{CERTIFICATES}/summary")).await;
        for (figure, filter) in [
            ("total", ""),
            ("valid", "status=valid"),
            ("not_yet_valid", "status=not-yet-valid"),
            ("expired", "status=expired"),
            ("revoked", "status=revoked"),
            ("expiring_7_days", "expires_within=7d"),
            ("expiring_30_days", "expires_within=30d"),
            ("expiring_90_days", "expires_within=90d"),
        ] {
            let count = api.get(&format!("{CERTIFICATES}/count?{filter}")).await;
            assert_eq!(summary[figure], count["count"], "{figure}");
            for slice in summary["by_issuer"].as_array().unwrap() {
                let Some(name) = slice["name"].as_str() else {
                    continue;
                };
                let path = format!("{CERTIFICATES}/count?issuer={name}&{filter}");
                assert_eq!(
                    slice[figure],
                    api.get(&path).await["count"],
                    "{name} {figure}"
                );
            }
        }
        assert_eq!(summary["revoked"], 1, "{summary}");
        server.run_jobs().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn figures_and_counts_show_a_team_what_it_owns() {
    let (server, api) = with_three().await;
    make_team(&api).await;
    let found = search(&api, "name:mail.example.org").await;
    let id = found["items"][0]["id"].as_str().unwrap();
    let owner = json!({ "team": "web" });
    api.call(
        Method::PUT,
        &format!("{CERTIFICATES}/{id}/owner"),
        Some(owner),
    )
    .await
    .expect(200);
    let token = json!({ "name": "web", "role": "auditor", "team": "web" });
    let token = api.post("/api/v1/tokens", token).await.expect(201);
    let mut web = Api::of(&server, Role::Auditor).await;
    web.token = token["secret"].as_str().unwrap().to_owned();
    let summary = web.get(&format!("{CERTIFICATES}/summary")).await;
    assert_eq!(summary["total"], 1, "{summary}");
    assert_eq!(web.get(&format!("{CERTIFICATES}/count")).await["count"], 1);
    let all = api.get(&format!("{CERTIFICATES}/summary")).await;
    let team = all["by_team"]
        .as_array()
        .unwrap()
        .iter()
        .find(|slice| slice["name"] == "web");
    assert_eq!(team.unwrap()["total"], 1, "{all}");
    assert_eq!(names(&search(&web, "shop").await), Vec::<&str>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kept_search_is_seen_by_its_team_and_changed_by_its_owner() {
    let (server, api) = with_three().await;
    make_team(&api).await;
    let request = json!({ "name": "ending", "team": "web", "search": { "q": "expires<30d" } });
    let path = "/api/v1/saved-searches";
    let kept = api.post(path, request.clone()).await.expect(201);
    api.post(path, request).await.expect(409);
    for faulty in [
        json!({ "q": "foo:bar" }),
        json!({ "isuer": "x" }),
        json!({ "status": "fine" }),
    ] {
        let request = json!({ "name": "faulty", "search": faulty });
        api.post(path, request).await.expect(400);
    }
    let alone = json!({ "name": "mine", "search": { "status": "revoked" } });
    api.post(path, alone).await.expect(201);

    let other = Api::of(&server, Role::Administrator).await;
    let seen = other.get(path).await;
    assert_eq!(seen["items"].as_array().unwrap().len(), 1, "{seen}");
    assert_eq!(seen["items"][0]["own"], false);
    let one = format!("{path}/{}", kept["id"].as_str().unwrap());
    let change = json!({ "name": "ending", "search": { "q": "expires<7d" } });
    other
        .call(Method::PUT, &one, Some(change.clone()))
        .await
        .expect(404);
    other.call(Method::DELETE, &one, None).await.expect(404);
    let changed = api.call(Method::PUT, &one, Some(change)).await.expect(200);
    assert_eq!(changed["search"]["q"], "expires<7d");
    assert_eq!(other.get(path).await["items"], json!([]));
    assert!(
        api.call(Method::DELETE, &one, None)
            .await
            .status
            .is_success()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_holds_all_that_fits_in_both_forms() {
    let (_server, api) = with_three().await;
    let path = format!("{CERTIFICATES}/export?suffix=example.org&sort=name");
    let table = api.call(Method::GET, &path, None).await;
    assert!(table.header("content-type").starts_with("text/csv"));
    let text = String::from_utf8(table.octets).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("id,status,names,"), "{text}");
    assert!(lines[1].contains("mail.example.org") && lines[2].contains("shop.example.org"));
    assert_eq!(lines.len(), 3);
    let lines = api
        .call(Method::GET, &format!("{path}&format=jsonl"), None)
        .await;
    let text = String::from_utf8(lines.octets).unwrap();
    let values: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(values.len(), 2);
    assert_eq!(values[0]["names"], json!(["mail.example.org"]));
    api.call(Method::GET, &format!("{path}&format=xls"), None)
        .await
        .expect(400);
}
