//! CAs elsewhere from the command line.

use std::path::Path;

use testkit::TestServer;
use testkit::vault::{TOKEN, TestVault};

use crate::cli::Shell;

fn written(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_brings_a_ca_into_service_and_moves_to_it_on_the_command_line() {
    let (server, vault) = (TestServer::start().await, TestVault::start().await);
    let shell = Shell::of(&server).await;
    let folder = tempfile::tempdir().unwrap();
    let token = format!(
        "token=@{}",
        written(folder.path(), "token", &format!("{TOKEN}\n"))
    );
    let wrong = format!("token=@{}", written(folder.path(), "wrong", "nonsense"));
    let url = format!("url={}", vault.url());

    let kinds = shell.done(&["issuer", "kinds"]).await;
    assert!(
        kinds.contains("vault") && kinds.contains("secret_id"),
        "{kinds}"
    );
    let create = [
        "issuer", "create", "vault", "--kind", "vault", "--set", &url,
    ];
    let given = ["--set", "role=web", "--secret", &wrong];
    let made = shell.done(&[&create[..], &given[..]].concat()).await;
    assert!(
        made.contains("vault") && !made.contains("nonsense"),
        "{made}"
    );

    let failed = shell.run(&["issuer", "test", "vault"]).await;
    assert_eq!(failed.status.code(), Some(1));
    let said = String::from_utf8_lossy(&failed.stdout).into_owned();
    assert!(
        said.contains("ok    reach") && said.contains("FAIL  credentials"),
        "{said}"
    );
    shell
        .done(&["issuer", "update", "vault", "--secret", &token])
        .await;
    let said = shell.done(&["issuer", "test", "vault"]).await;
    for line in [
        "ok    credentials",
        "ok    rights",
        "ok    chain",
        "ok    dry-run",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    let changed = shell
        .done(&[
            "issuer",
            "limit",
            "vault",
            "--per-hour",
            "300",
            "--output",
            "json",
        ])
        .await;
    assert!(changed.contains("\"per_hour\": 300"), "{changed}");

    let migrate = ["issuer", "migrate", "--from", "issuing", "--to", "vault"];
    let plan = shell.done(&[&migrate[..], &["--dry-run"]].concat()).await;
    assert!(
        plan.contains("automatic") && plan.contains("default"),
        "{plan}"
    );
    let begun = shell
        .done(&[&migrate[..], &["--output", "json"]].concat())
        .await;
    let begun: serde_json::Value = serde_json::from_str(&begun).unwrap();
    let id = begun["id"].as_str().unwrap();
    server
        .run_jobs_until(async || {
            let shown = shell
                .done(&["profile", "show", "default", "--output", "json"])
                .await;
            shown.contains("\"issuer\": \"vault\"")
        })
        .await;
    let listed = shell.done(&["issuer", "migration", "list"]).await;
    assert!(listed.contains(id), "{listed}");
    assert_eq!(
        shell.code(&["issuer", "migration", "show", "mig_x"]).await,
        Some(3)
    );
    assert_eq!(shell.code(&["issuer", "sync", "nobody"]).await, Some(3));
}
