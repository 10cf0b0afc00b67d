//! The inventory by day: what ends, what came in and how, and whom certificates belong to.

use std::time::Duration;

use domain::role::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::enroll::Api;
use crate::est::support::{Est, Shows, csr};

const TRENDS: &str = "/api/v1/certificates/trends?ahead=200&back=2";
const DAY: Duration = Duration::from_secs(86_400);

async fn team(api: &Api, name: &str) {
    let path = format!("/api/v1/teams/{name}");
    let rules = Some(json!({ "description": "" }));
    let made = api.call(Method::PUT, &path, rules).await;
    assert!(made.status.is_success(), "{}", made.body);
}

async fn enroll(api: &Api, name: &str, team: Option<&str>) {
    let mut request = json!({
        "profile": "default",
        "key": { "algorithm": "p-256" },
        "identifiers": [{ "type": "dns", "value": name }],
    });
    if let Some(team) = team {
        request["team"] = json!(team);
    }
    api.post("/api/v1/enrollments", request).await.expect(201);
}

/// A token that reads in one team alone.
async fn reader_in(api: &Api, team: &str) -> Api {
    let body = json!({ "name": "reader", "role": "auditor", "team": team });
    let made = api.post("/api/v1/tokens", body).await.expect(201);
    api.with_token(made["secret"].as_str().unwrap())
}

fn sum<'a>(rows: impl IntoIterator<Item = &'a Value>) -> u64 {
    rows.into_iter()
        .map(|row| row["count"].as_u64().unwrap())
        .sum()
}

/// How many came in that have this value; `null` stands for no value.
fn arrived(trends: &Value, member: &str, value: &Value) -> u64 {
    let rows = trends["arrived"].as_array().unwrap();
    sum(rows.iter().filter(|row| &row[member] == value))
}

/// An EST label, ACME and REST have each issued something; one of REST's is a team's.
async fn with_some() -> (Est, Api) {
    let est = Est::start().await;
    let api = Api::of(&est.server, Role::Administrator).await;
    team(&api, "web").await;
    let client = est.server.registered_client().await;
    for name in ["a.example.org", "b.example.org"] {
        client.issue(&est.server, &[name]).await;
    }
    enroll(&api, "c.example.org", Some("web")).await;
    enroll(&api, "d.example.org", None).await;
    est.label("printers", json!({})).await;
    let (password, _) = est.password("printers", json!({})).await;
    let shows = Shows::Password("", &password);
    let answer = est
        .post("printers/simpleenroll", &csr(&["e.example.org"]), shows)
        .await;
    answer.certificate();
    est.server.run_jobs().await;
    (est, api)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_came_in_is_told_by_day_issuer_profile_team_and_protocol() {
    let (est, api) = with_some().await;
    let trends = api.get(TRENDS).await;
    assert_eq!(arrived(&trends, "protocol", &json!("acme")), 2, "{trends}");
    assert_eq!(arrived(&trends, "protocol", &json!("rest")), 2, "{trends}");
    assert_eq!(arrived(&trends, "protocol", &json!("est")), 1, "{trends}");
    assert_eq!(arrived(&trends, "team", &json!("web")), 1, "{trends}");
    assert_eq!(arrived(&trends, "profile", &json!("default")), 5);
    // The CAs' own certificates came in as well, by nobody's request.
    assert_eq!(arrived(&trends, "issuer", &json!("issuing")), 5);

    est.server.clock.advance(DAY);
    enroll(&api, "f.example.org", None).await;
    let trends = api.get(TRENDS).await;
    let today = trends["at"].as_str().unwrap()[..10].to_owned();
    assert_eq!(arrived(&trends, "day", &json!(today)), 1, "{trends}");
    assert_eq!(arrived(&trends, "issuer", &json!("issuing")), 6);

    est.server.clock.advance(2 * DAY);
    let trends = api.get(TRENDS).await;
    assert_eq!(trends["arrived"], json!([]), "all of it is longer ago");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_lives_ends_on_a_day_to_come_and_a_team_sees_its_own_alone() {
    let (_est, api) = with_some().await;
    let path = "/api/v1/certificates/count?issuer=issuing&status=valid";
    let valid = api.get(path).await["count"].as_u64().unwrap();
    let trends = api.get(TRENDS).await;
    let ending = sum(trends["ending"].as_array().unwrap());
    assert_eq!(ending, valid, "{trends}");

    let id = api.get("/api/v1/certificates?q=name:a.example.org").await["items"][0]["id"].clone();
    let path = format!("/api/v1/certificates/{}/revoke", id.as_str().unwrap());
    let reason = json!({ "reason": "superseded" });
    let revoked = api.post(&path, reason).await;
    assert!(revoked.status.is_success(), "{}", revoked.body);
    let trends = api.get(TRENDS).await;
    assert_eq!(sum(trends["ending"].as_array().unwrap()), ending - 1);

    let web = reader_in(&api, "web").await.get(TRENDS).await;
    assert_eq!(sum(web["ending"].as_array().unwrap()), 1, "{web}");
    assert_eq!(sum(web["arrived"].as_array().unwrap()), 1, "{web}");
    assert_eq!(web["arrived"][0]["team"], "web");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn days_outside_what_is_kept_are_refused() {
    let (_est, api) = with_some().await;
    for query in ["ahead=0", "ahead=401", "back=0", "back=91"] {
        let path = format!("/api/v1/certificates/trends?{query}");
        let refused = api.call(Method::GET, &path, None).await.expect(400);
        let name = query.split('=').next().unwrap();
        assert!(refused["detail"].as_str().unwrap().contains(name));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_without_an_owner_are_found_and_counted() {
    let (_est, api) = with_some().await;
    let count = async |query: &str| {
        let path = format!("/api/v1/certificates/count?{query}");
        api.get(&path).await["count"].as_u64().unwrap()
    };
    let (all, owned, unowned) = (
        count("").await,
        count("owned=true").await,
        count("owned=false").await,
    );
    assert_eq!((owned, all), (1, owned + unowned));
    let page = api.get("/api/v1/certificates?owned=true").await;
    assert_eq!(page["items"][0]["names"][0], "c.example.org");
    assert_eq!(page["items"][0]["team"], "web");
    let page = api.get("/api/v1/certificates?owned=false&team=web").await;
    assert_eq!(page["items"], json!([]), "none is both");
}
