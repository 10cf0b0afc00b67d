//! `certwright approval` as its user sees it.

use std::process::{Command, Output};

use domain::role::Role;
use serde_json::Value;
use testkit::TestServer;

use super::support::{Person, approvers, status, waiting};

async fn run(person: &Person, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_certwright"));
    command
        .args(arguments)
        .env("CERTWRIGHT_URL", &person.url)
        .env("CERTWRIGHT_TOKEN", &person.secret)
        .env_remove("CERTWRIGHT_CA");
    tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap()
}

async fn done(person: &Person, arguments: &[&str]) -> String {
    let output = run(person, arguments).await;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approver_works_at_the_shell() {
    let server = TestServer::start().await;
    let admin = Person::with(&server, Role::Administrator).await;
    let anna = Person::with(&server, Role::Approver).await;
    admin.ask(approvers(1)).await;
    let client = server.registered_client().await;
    assert!(
        done(&anna, &["approval", "list", "--mine"])
            .await
            .contains("nothing found")
    );
    let one = waiting(&server, &client, &admin, &["a.example.org"]).await;
    let two = waiting(&server, &client, &admin, &["b.example.org"]).await;
    let listed = done(&anna, &["approval", "list", "--mine", "--output", "json"]).await;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 2, "{listed}");
    let shown = done(&anna, &["approval", "show", &one.approval]).await;
    assert!(
        shown.contains("a.example.org") && shown.contains("allowed: issuing"),
        "{shown}"
    );
    let url = done(&anna, &["approval", "link", &one.approval]).await;
    assert!(url.contains("/approve/cwa_"), "{url}");
    done(&anna, &["approval", "approve", &one.approval]).await;
    server
        .run_jobs_until(async || status(&client, &one).await == "valid")
        .await;
    let again = run(
        &anna,
        &["approval", "approve", &one.approval, &two.approval],
    )
    .await;
    assert_eq!(again.status.code(), Some(1), "one of two was refused");
    server
        .run_jobs_until(async || status(&client, &two).await == "valid")
        .await;
    let three = waiting(&server, &client, &admin, &["c.example.org"]).await;
    let deny = ["approval", "deny", &three.approval, "--reason", "not ours"];
    assert!(done(&anna, &deny).await.contains("denied"));
    let away = ["approval", "delegate", "--until", "2999-01-01T00:00:00Z"];
    assert_eq!(
        run(&anna, &away).await.status.code(),
        Some(1),
        "a year at most"
    );
}
