//! Programs that know the REST API by its description alone.

use std::path::Path;

use domain::role::Role;
use lifecycle::actor::Caller;
use serde_json::json;
use testkit::TestServer;

use super::process::{command, run, succeed, tool, tools};
use crate::enroll::Api;

/// schemathesis makes requests of every operation from its schema, good ones and bad ones, and holds the
/// answers against the description.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_description_is_kept_to_whatever_is_sent() {
    let server = TestServer::start().await;
    let lifecycle = server.lifecycle();
    let caller = Caller::system();
    let token = lifecycle.create_token(
        "schemathesis".to_owned(),
        Role::Administrator,
        None,
        &caller,
    );
    let token = token.await.unwrap().secret.expose().to_owned();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("schemathesis.toml"),
        things(&server).await,
    )
    .unwrap();
    let mut schemathesis = tool("schemathesis");
    schemathesis
        .current_dir(folder.path())
        .args(["run", &format!("{}/api/openapi.json", server.url())])
        .args(["--header", &format!("Authorization: Bearer {token}")])
        // A stream that follows the log does not end.
        .args(["--exclude-path", "/api/v1/events/stream"])
        .args(["--checks", CHECKS])
        .args(["--phases", "examples,coverage,fuzzing"])
        .args(["--max-examples", "5", "--max-time", "40", "--seed", "1"])
        .args(["--workers", "1", "--warnings", "off", "--no-color"])
        .args(["--suppress-health-check", "all"]);
    let ended = run(&mut schemathesis).await;
    assert!(ended.succeeded, "{}", ended.said);
}

/// Things that are there, by their ids: what only answers 404 shows little.
async fn things(server: &TestServer) -> String {
    let client = server.registered_client().await;
    client.issue(server, &["a.example.org"]).await;
    let api = Api::of(server, Role::Administrator).await;
    let request = json!({
        "profile": "default",
        "key": { "algorithm": "p-256" },
        "identifiers": [{ "type": "dns", "value": "b.example.org" }],
    });
    let enrolled = api.post("/api/v1/enrollments", request).await.expect(201);
    let certificate = enrolled["certificate"].clone();
    let plan = json!({
        "action": { "kind": "transfer", "team": null }, "ids": [certificate], "per_minute": 1,
    });
    let plan = api
        .post("/api/v1/certificates/bulk", plan)
        .await
        .expect(201);
    let account = api.get("/api/v1/acme/accounts").await["items"][0]["id"].clone();
    let order = api.get("/api/v1/acme/orders").await["items"][0]["id"].clone();
    let key = api
        .post("/api/v1/acme/eab-keys", json!({ "name": "k" }))
        .await
        .expect(201);
    // Once an issuer is switched off or its limit used up, 503 is the right answer to what follows.
    let mut text = "[checks.not_a_server_error]\n\
                    expected-statuses = [\"2xx\", \"3xx\", \"4xx\", \"503\"]\n\n"
        .to_owned();
    for (path, member, id) in [
        ("certificates/bulk/", "id", &plan["id"]),
        ("certificates/", "id", &certificate),
        ("enrollments/", "id", &enrolled["id"]),
        ("acme/accounts/", "id", &account),
        ("acme/orders/", "id", &order),
        ("acme/eab-keys/", "id", &key["id"]),
        ("profiles/", "name", &json!("default")),
        ("issuers/", "name", &json!("issuing")),
    ] {
        text.push_str(&format!(
            "[[operations]]\ninclude-path-regex = '^/api/v1/{path}\\{{{member}\\}}'\n\
             parameters = {{ \"path.{member}\" = {id} }}\n\n"
        ));
    }
    text
}

/// What an answer must never be, and what it must always be.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance";

/// openapi-typescript makes types of the description, and the TypeScript compiler takes a client that
/// uses them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_made_from_the_description_compiles() {
    let server = TestServer::start().await;
    let document = reqwest::get(format!("{}/api/openapi.json", server.url()));
    let document = document.await.unwrap().text().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    std::fs::write(file("openapi.json"), document).unwrap();
    std::fs::write(file("client.ts"), CLIENT).unwrap();
    let mut generator = npm_tool("openapi-typescript");
    generator
        .arg(file("openapi.json"))
        .arg("--output")
        .arg(file("api.ts"));
    succeed(&mut generator).await;
    let mut compiler = npm_tool("tsc");
    compiler
        .args([
            "--strict",
            "--noEmit",
            "--target",
            "es2022",
            "--lib",
            "es2022,dom",
        ])
        .args(["--module", "esnext", "--moduleResolution", "bundler"])
        .arg(file("client.ts"));
    succeed(&mut compiler).await;
}

fn npm_tool(name: &str) -> tokio::process::Command {
    let program = tools().join("npm/node_modules/.bin").join(name);
    assert!(
        Path::new(&program).exists(),
        "{name}: `make test-tools` installs it"
    );
    command(program)
}

/// Asks for a certificate, waits, and revokes it, in types that the description gave.
const CLIENT: &str = r#"
import type { components, paths } from "./api";

type Enroll = paths["/api/v1/enrollments"]["post"];
type Request = Enroll["requestBody"]["content"]["application/json"];
type Issued = Enroll["responses"][201]["content"]["application/json"];
type Refused = Enroll["responses"][422]["content"]["application/problem+json"];
type Certificates = paths["/api/v1/certificates"]["get"];
type Query = NonNullable<Certificates["parameters"]["query"]>;
type Page = Certificates["responses"][200]["content"]["application/json"];

const wish: Request = {
  profile: "default",
  key: { algorithm: "p-256" },
  identifiers: [{ type: "dns", value: "www.example.org" }],
};

export async function enroll(base: string, token: string): Promise<Issued> {
  const answer = await fetch(`${base}/api/v1/enrollments`, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify(wish),
  });
  if (answer.status === 422) {
    const refused = (await answer.json()) as Refused;
    throw new Error((refused.violations ?? []).map((violation) => violation.rule).join());
  }
  return (await answer.json()) as Issued;
}

export const query: Query = { suffix: "example.org", status: "valid", limit: 10 };
export const names = (page: Page): string[] => page.items.flatMap((item) => item.names);
export const plan: components["schemas"]["PlanBulk"] = {
  action: { kind: "revoke", reason: "superseded" },
  filter: { suffix: "old.example.org" },
  per_minute: 60,
};
"#;
