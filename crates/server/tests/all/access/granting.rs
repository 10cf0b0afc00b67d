//! A4: nobody raises their own rights, and what is taken away is gone with the next request.

use reqwest::StatusCode;
use serde_json::{Value, json};
use testkit::TestServer;

use super::{Program, server_with};

const GRANTS: &str = "/api/v1/grants";
const TOKENS: &str = "/api/v1/tokens";

fn wanted(to: &Program, role: &str, team: Option<&str>) -> Value {
    match team {
        Some(team) => json!({ "principal": to.id, "role": role, "team": team }),
        None => json!({ "principal": to.id, "role": role }),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a04_a_teams_administrator_grants_in_the_team_and_nowhere_else() {
    let (server, _) = server_with(&["web", "mail"]).await;
    let keeper = Program::with(&server, "administrator", Some("web")).await;
    let other = Program::with(&server, "auditor", Some("web")).await;
    for (role, team, status) in [
        ("requester", Some("web"), 201),
        ("administrator", Some("web"), 201),
        ("requester", Some("web"), 409),
        ("requester", Some("mail"), 400),
        ("requester", Some("nowhere"), 400),
        ("nonsense", Some("web"), 400),
        ("requester", None, 403),
        ("auditor", None, 403),
    ] {
        let (found, body) = keeper.post(GRANTS, wanted(&other, role, team)).await;
        assert_eq!(found, status, "{role} {team:?}: {body}");
    }
    let (_, body) = keeper
        .post(GRANTS, wanted(&other, "auditor", Some("mail")))
        .await;
    let (_, none) = keeper
        .post(GRANTS, wanted(&other, "auditor", Some("none")))
        .await;
    let told = |body: &Value| body["detail"].as_str().unwrap().replace("mail", "none");
    assert_eq!(
        told(&body),
        told(&none),
        "a foreign team is as good as none"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a04_nobody_grants_anything_to_themselves() {
    let (server, administrator) = server_with(&["web"]).await;
    let keeper = Program::with(&server, "administrator", Some("web")).await;
    for program in [&administrator, &keeper] {
        for role in ["administrator", "approver"] {
            let body = wanted(program, role, Some("web"));
            assert_eq!(program.post(GRANTS, body).await.0, 403, "{role}");
        }
    }
    assert_eq!(administrator.rights(&server).await.roles().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a04_a_token_makes_no_wider_and_no_longer_lived_token() {
    let (server, administrator) = server_with(&["web", "mail"]).await;
    let role = json!({ "permissions": ["access:administer", "access:read"] });
    assert_eq!(administrator.put("/api/v1/roles/keeper", role).await.0, 200);
    let keeper = Program::with(&server, "keeper", None).await;
    let of_web = Program::with(&server, "administrator", Some("web")).await;
    for (program, body, status) in [
        (&keeper, json!({ "name": "a", "role": "keeper" }), 201),
        (
            &keeper,
            json!({ "name": "a", "role": "keeper", "team": "web" }),
            201,
        ),
        (&keeper, json!({ "name": "a", "role": "auditor" }), 403),
        (
            &keeper,
            json!({ "name": "a", "role": "administrator" }),
            403,
        ),
        (
            &of_web,
            json!({ "name": "a", "role": "requester", "team": "web" }),
            201,
        ),
        (&of_web, json!({ "name": "a", "role": "requester" }), 403),
        (
            &of_web,
            json!({ "name": "a", "role": "requester", "team": "mail" }),
            400,
        ),
        (
            &of_web,
            json!({ "name": " ", "role": "requester", "team": "web" }),
            400,
        ),
    ] {
        let (found, answer) = program.post(TOKENS, body.clone()).await;
        assert_eq!(found, status, "{body}: {answer}");
    }
    let brief = json!({ "name": "a", "role": "keeper", "lifetime_seconds": 600 });
    let (_, made) = keeper.post(TOKENS, brief).await;
    assert_eq!(made["created_by"], keeper.id.as_str());
    let secret = made["secret"].as_str().unwrap().to_owned();
    let brief = Program::of(
        &server,
        Some(secret),
        made["id"].as_str().unwrap().to_owned(),
    );
    for (lifetime, status) in [(Some(60), 201), (Some(3600), 403), (None, 403)] {
        let mut body = json!({ "name": "a", "role": "keeper" });
        if let Some(lifetime) = lifetime {
            body["lifetime_seconds"] = json!(lifetime);
        }
        let (found, answer) = brief.post(TOKENS, body).await;
        assert_eq!(found, status, "{lifetime:?}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a04_nobody_changes_a_role_that_they_hold_or_makes_one_that_allows_more() {
    let (server, administrator) = server_with(&["web"]).await;
    let keeper = json!({ "permissions": ["access:administer", "access:read"] });
    assert_eq!(
        administrator
            .put("/api/v1/roles/keeper", keeper.clone())
            .await
            .0,
        200
    );
    let holder = Program::with(&server, "keeper", None).await;
    let wider = json!({ "permissions": ["access:administer", "access:read", "audit:read"] });
    assert_eq!(
        holder.put("/api/v1/roles/keeper", wider.clone()).await.0,
        403
    );
    assert_eq!(
        holder.put("/api/v1/roles/keeper", keeper.clone()).await.0,
        403
    );
    assert_eq!(holder.delete("/api/v1/roles/keeper").await, 403);
    assert_eq!(
        holder.put("/api/v1/roles/other", wider.clone()).await.0,
        403
    );
    assert_eq!(holder.put("/api/v1/roles/other", keeper).await.0, 200);
    // Nor does it take from a role what it could not give to one.
    assert_eq!(administrator.put("/api/v1/roles/other", wider).await.0, 200);
    let less = json!({ "permissions": ["access:read"] });
    assert_eq!(holder.put("/api/v1/roles/other", less).await.0, 403);
    let of_web = Program::with(&server, "administrator", Some("web")).await;
    let body = json!({ "permissions": ["access:read"] });
    assert_eq!(of_web.put("/api/v1/roles/mine", body).await.0, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a04_the_last_administrator_stays() {
    let (server, last) = server_with(&["web"]).await;
    let _of_team = Program::with(&server, "administrator", Some("web")).await;
    let (_, grants) = last.get(&format!("{GRANTS}?principal={}", last.id)).await;
    let grant = grants["items"][0]["id"].as_str().unwrap();
    assert_eq!(last.delete(&format!("{GRANTS}/{grant}")).await, 409);
    assert_eq!(last.delete(&format!("{TOKENS}/{}", last.id)).await, 409);
    let next = Program::with(&server, "administrator", None).await;
    assert_eq!(last.delete(&format!("{GRANTS}/{grant}")).await, 204);
    assert_eq!(last.get(GRANTS).await.0, 403);
    assert_eq!(next.delete(&format!("{TOKENS}/{}", last.id)).await, 204);
    assert_eq!(next.delete(&format!("{TOKENS}/{}", next.id)).await, 409);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_takes_from_others_what_they_could_not_give() {
    let (server, administrator) = server_with(&["web"]).await;
    let of_web = Program::with(&server, "administrator", Some("web")).await;
    let both = Program::with(&server, "auditor", Some("web")).await;
    let granted = administrator
        .post(GRANTS, wanted(&both, "auditor", None))
        .await;
    assert_eq!(granted.0, 201);
    let everywhere = granted.1["id"].as_str().unwrap();
    assert_eq!(of_web.delete(&format!("{GRANTS}/{everywhere}")).await, 404);
    assert_eq!(of_web.delete(&format!("{TOKENS}/{}", both.id)).await, 403);
    assert_eq!(
        administrator
            .delete(&format!("{GRANTS}/{everywhere}"))
            .await,
        204
    );
    assert_eq!(of_web.delete(&format!("{TOKENS}/{}", both.id)).await, 204);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a02_a_change_of_roles_is_in_force_with_the_next_request() {
    let (server, administrator) = server_with(&["web"]).await;
    let role = |permission: &str| json!({ "permissions": [permission] });
    let path = "/api/v1/roles/looker";
    administrator.put(path, role("certificates:read")).await;
    let program = Program::with(&server, "looker", Some("web")).await;
    assert_eq!(program.get("/api/v1/certificates").await.0, 200);
    administrator.put(path, role("policy:read")).await;
    assert_eq!(program.get("/api/v1/certificates").await.0, 403);
    assert_eq!(program.get("/api/v1/profiles").await.0, 200);
    let (_, grants) = administrator
        .get(&format!("{GRANTS}?principal={}", program.id))
        .await;
    let grant = grants["items"][0]["id"].as_str().unwrap();
    assert_eq!(administrator.delete(path).await, 409, "somebody holds it");
    assert_eq!(
        administrator.delete(&format!("{GRANTS}/{grant}")).await,
        204
    );
    assert_eq!(program.get("/api/v1/profiles").await.0, 403);
    assert_eq!(administrator.delete(path).await, 204);
    let (status, me) = program.get("/api/v1/me").await;
    assert_eq!((status, &me["roles"]), (200, &json!([])));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a02_a_change_of_roles_reaches_other_nodes() {
    let server = TestServer::start_on_postgres().await;
    let administrator = Program::with(&server, "administrator", None).await;
    let program = Program::with(&server, "auditor", None).await;
    let second = server.second_node().await.unwrap();
    let url = format!("http://{}/api/v1/certificates", second.address);
    let status = async || program.at(&url).await;
    assert_eq!(status().await, StatusCode::OK);
    let (_, grants) = administrator
        .get(&format!("{GRANTS}?principal={}", program.id))
        .await;
    let grant = grants["items"][0]["id"].as_str().unwrap();
    assert_eq!(
        administrator.delete(&format!("{GRANTS}/{grant}")).await,
        204
    );
    let mut rounds = 0;
    while status().await != StatusCode::FORBIDDEN {
        rounds += 1;
        assert!(rounds < 400, "the other node does not notice");
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn built_in_roles_stay_as_they_are() {
    let (_server, administrator) = server_with(&[]).await;
    let (_, role) = administrator.get("/api/v1/roles/auditor").await;
    assert_eq!(role["built_in"], true);
    let body = json!({ "permissions": ["audit:read"] });
    let path = "/api/v1/roles/auditor";
    assert_eq!(administrator.put(path, body).await.0, 409);
    assert_eq!(administrator.delete(path).await, 409);
    let body = json!({ "permissions": ["audit:read", "audit:burn", "x"] });
    let (status, problem) = administrator.put("/api/v1/roles/new", body).await;
    assert_eq!(status, 400);
    assert_eq!(problem["faults"].as_array().unwrap().len(), 2, "{problem}");
    let (_, permissions) = administrator.get("/api/v1/permissions").await;
    let items = permissions["items"].as_array().unwrap();
    assert!(
        items.iter().all(|item| item["description"] != ""),
        "{permissions}"
    );
}
