//! The queue of approvals: its order, its pages, and the names of the people in it.

use std::time::Duration;

use domain::clock::Clock;
use domain::role::Role;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use testkit::TestServer;

use super::rules::enroll;
use super::support::{Person, approvers};

const HOUR: Duration = Duration::from_secs(3600);

/// Requests that wait, an hour between one and the next; the ids of their approvals.
async fn ask_for(server: &TestServer, person: &Person, names: &[&str]) -> Vec<String> {
    let mut asked = Vec::new();
    for name in names {
        let (code, body) = enroll(person, &[name], None).await;
        assert_eq!(code, StatusCode::ACCEPTED, "{body}");
        asked.push(body["approval"].as_str().unwrap().to_owned());
        server.clock.advance(HOUR);
    }
    asked
}

/// What the query finds, in pages of two.
async fn pages(person: &Person, query: &str) -> Vec<Vec<String>> {
    let (mut pages, mut after) = (Vec::new(), String::new());
    loop {
        let page = person
            .get(&format!("/api/v1/approvals?{query}&limit=2{after}"))
            .await;
        let items = page["items"].as_array().unwrap().iter();
        pages.push(
            items
                .map(|item| item["id"].as_str().unwrap().to_owned())
                .collect(),
        );
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return pages,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ends_next_comes_first_however_much_waits_and_what_is_decided_is_listed_alone() {
    let server = TestServer::start().await;
    let admin = Person::with(&server, Role::Administrator).await;
    let anna = Person::with(&server, Role::Approver).await;
    admin.ask(approvers(1)).await;
    let names = ["a", "b", "c", "d", "e"].map(|name| format!("{name}.example.org"));
    let asked = ask_for(&server, &admin, &names.each_ref().map(String::as_str)).await;

    let by_deadline: Vec<Vec<String>> = asked.chunks(2).map(<[_]>::to_vec).collect();
    for query in ["mine=true&sort=deadline", "status=pending&sort=deadline"] {
        assert_eq!(pages(&anna, query).await, by_deadline, "{query}");
    }
    let newest = pages(&anna, "mine=true").await.concat();
    assert!(newest.iter().eq(asked.iter().rev()), "{newest:?}");

    assert!(pages(&anna, "decided=true").await.concat().is_empty());
    for (at, id) in [(4, &asked[4]), (0, &asked[0]), (2, &asked[2])] {
        server.clock.advance(HOUR);
        let (code, body) = anna.deny(id, "not now").await;
        assert_eq!(code, StatusCode::OK, "{at}: {body}");
    }
    let decided = pages(&anna, "decided=true&sort=changed").await;
    let expected = [vec![2, 0], vec![4]];
    let expected = expected.map(|page| page.into_iter().map(|at: usize| asked[at].clone()));
    assert_eq!(decided, expected.map(Iterator::collect::<Vec<_>>));

    let page = anna.get("/api/v1/approvals?sort=deadline&limit=1").await;
    let next = page["next"].as_str().unwrap();
    for query in [format!("after={next}"), format!("sort=newest&after={next}")] {
        let path = format!("/api/v1/approvals?{query}");
        let (code, body) = anna.call(Method::GET, &path, None).await;
        assert_eq!(code, StatusCode::BAD_REQUEST, "{body}");
        let detail = body["detail"].as_str().unwrap();
        assert!(detail.contains("another order"), "{detail}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asked_who_is_asked_and_who_decided_has_a_name_for_people_who_may_not_list_users() {
    let server = TestServer::start().await;
    let admin = Person::with(&server, Role::Administrator).await;
    let anna = Person::with(&server, Role::Approver).await;
    let bert = Person::with(&server, Role::Approver).await;
    let asks = json!({ "stages": [{ "approvals": 2, "approvers": [
        { "kind": "named", "principal": anna.id }, { "kind": "named", "principal": bert.id },
    ] }] });
    admin.ask(asks).await;
    let (code, _) = anna.call(Method::GET, "/api/v1/users", None).await;
    assert_eq!(code, StatusCode::FORBIDDEN, "an approver lists no users");
    let id = ask_for(&server, &admin, &["named.example.org"])
        .await
        .remove(0);
    let people = json!({ &admin.id: "administrator", &anna.id: "approver", &bert.id: "approver" });
    let (code, body) = bert.approve(&id).await;
    assert_eq!((code, &body["people"]), (StatusCode::OK, &people), "{body}");
    let listed = anna.get("/api/v1/approvals?mine=true").await;
    assert_eq!(listed["items"][0]["people"], people, "{listed}");
    let shown = anna.show(&id).await;
    assert_eq!(shown["people"], people, "{shown}");
    assert_eq!(shown["decisions"][0]["by"], bert.id, "{shown}");

    let enrollment = shown["enrollment"].as_str().unwrap();
    let asker = json!({ &admin.id: "administrator" });
    let found = admin
        .get(&format!("/api/v1/enrollments/{enrollment}"))
        .await;
    assert_eq!(found["people"], asker, "{found}");
    let found = admin.get("/api/v1/enrollments").await;
    let one = |item: &&Value| item["id"] == enrollment;
    let item = found["items"].as_array().unwrap().iter().find(one).unwrap();
    assert_eq!(item["people"], asker, "{item}");
    let profile = admin.get("/api/v1/profiles/default").await;
    let asked = json!({ &anna.id: "approver", &bert.id: "approver" });
    assert_eq!(profile["people"], asked, "{profile}");

    let end = server.clock.now() + HOUR;
    let away = json!({ "delegate": bert.id, "ends_at": end, "reason": "holidays" });
    let (code, body) = anna.post("/api/v1/approval-delegations", away).await;
    assert_eq!(
        (code, &body["people"]),
        (StatusCode::CREATED, &asked),
        "{body}"
    );
    let absences = anna.get("/api/v1/approval-delegations").await;
    assert_eq!(absences["items"][0]["people"], asked, "{absences}");
}
