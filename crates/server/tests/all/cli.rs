//! The command line as its user sees it: the real binary against the real server.

use std::path::Path;
use std::process::{Command, Output};

use domain::role::Role;
use lifecycle::actor::Caller;
use testkit::TestServer;

pub struct Shell {
    url: String,
    token: String,
}

impl Shell {
    pub async fn of(server: &TestServer) -> Self {
        let caller = Caller::system();
        let lifecycle = server.lifecycle();
        let created = lifecycle.create_token("cli".to_owned(), Role::Administrator, None, &caller);
        Self {
            url: server.url(),
            token: created.await.unwrap().secret.expose().to_owned(),
        }
    }

    pub async fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_certwright"));
        command
            .args(arguments)
            .env("CERTWRIGHT_URL", &self.url)
            .env("CERTWRIGHT_TOKEN", &self.token)
            .env_remove("CERTWRIGHT_CA");
        // The server answers from this very process: its threads must not be held up.
        tokio::task::spawn_blocking(move || command.output().unwrap())
            .await
            .unwrap()
    }

    pub async fn done(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments).await;
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub async fn code(&self, arguments: &[&str]) -> Option<i32> {
        self.run(arguments).await.status.code()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_works_through_a_certificates_life() {
    let server = TestServer::start().await;
    let client = server.registered_client().await;
    let issued = client.issue(&server, &["cli.example.org"]).await;
    let shell = Shell::of(&server).await;
    assert!(
        shell
            .done(&["certificate", "list"])
            .await
            .contains("cli.example.org")
    );
    let found = shell
        .done(&["certificate", "find", "cli.example.org", "--output", "json"])
        .await;
    let found: serde_json::Value = serde_json::from_str(&found).unwrap();
    let id = found[0]["id"].as_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out.pem");
    export(&shell, id, &file).await;
    let pem = std::fs::read(&file).unwrap();
    let read = pki::pem::decode_all(pki::pem::CERTIFICATE, &pem).unwrap();
    assert_eq!(read[0], issued.chain[0]);
    let revoke = ["certificate", "revoke", "--reason", "superseded", id];
    shell.done(&revoke).await;
    assert_eq!(shell.code(&revoke).await, Some(1), "refused by state");
    assert!(
        shell
            .done(&["audit", "list"])
            .await
            .contains("certificate.revoked")
    );
}

async fn export(shell: &Shell, id: &str, file: &Path) {
    let file = file.to_str().unwrap();
    let arguments = [
        "certificate",
        "export",
        "--format",
        "chain",
        "--out",
        file,
        id,
    ];
    shell.done(&arguments).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_defines_a_field_and_finds_certificates_by_it() {
    let server = TestServer::start().await;
    let shell = Shell::of(&server).await;
    let pattern = "pattern=[A-Z]+-[0-9]+";
    let rules = ["--set", "label=Billing", "--set", pattern];
    let define = [["field", "set", "billing_code"].as_slice(), &rules].concat();
    shell.done(&define).await;
    let broken = ["field", "set", "billing_code", "--set", "pattern=[A-"];
    assert_eq!(
        shell.code(&broken).await,
        Some(1),
        "refused when it is saved"
    );
    assert!(
        shell
            .done(&["field", "list"])
            .await
            .contains("billing_code")
    );
    let value = "metadata.billing_code=PX-1";
    shell
        .done(&["directory", "set", "default", "--set", value])
        .await;
    let client = server.registered_client().await;
    client.issue(&server, &["cli.example.org"]).await;
    let json = ["--output", "json"];
    let find = ["certificate", "list", "--metadata", "billing_code=PX-1"];
    let found = shell.done(&[find.as_slice(), &json].concat()).await;
    let found: serde_json::Value = serde_json::from_str(&found).unwrap();
    let id = found[0]["id"].as_str().unwrap();
    let change = ["certificate", "metadata", id, "billing_code=PX-2"];
    assert!(shell.done(&change).await.contains("PX-2"));
    assert_eq!(
        shell
            .code(&["certificate", "metadata", id, "billing_code=x"])
            .await,
        Some(1)
    );
    assert!(
        shell
            .done(&["certificate", "metadata", id])
            .await
            .contains("PX-2")
    );
    assert!(shell.done(&find).await.contains("nothing found"));
    let account = client.kid.as_deref().unwrap().rsplit('/').next().unwrap();
    shell
        .done(&["account", "metadata", account, "billing_code=PX-3"])
        .await;
    let eab = [
        "eab",
        "create",
        "--name",
        "web",
        "--metadata",
        "billing_code=PX-4",
    ];
    let made = shell.done(&[eab.as_slice(), &json].concat()).await;
    let made: serde_json::Value = serde_json::from_str(&made).unwrap();
    let shown = shell
        .done(&["eab", "metadata", made["id"].as_str().unwrap()])
        .await;
    assert!(shown.contains("PX-4"), "{shown}");
    shell
        .done(&["issuer", "tell", "issuing", "billing_code=Custom 1"])
        .await;
    shell.done(&["field", "retire", "billing_code"]).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("fields.toml");
    let text = "[metadata-fields.amount]\nkind = \"number\"\nmin = 3\ndefault = 4\n";
    std::fs::write(&file, text).unwrap();
    let apply = ["apply", "-f", file.to_str().unwrap()];
    shell.done(&[apply.as_slice(), &["--yes"]].concat()).await;
    assert!(
        shell
            .done(&["field", "show", "amount"])
            .await
            .contains("number")
    );
    let again = shell.done(&[apply.as_slice(), &["--plan"]].concat()).await;
    assert!(
        !again.contains("amount"),
        "a second run finds nothing: {again}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exit_codes_tell_scripts_what_happened() {
    let server = TestServer::start().await;
    let shell = Shell::of(&server).await;
    let unknown = "crt_00000000000000000000000000";
    assert_eq!(shell.code(&["certificate", "show", unknown]).await, Some(3));
    assert_eq!(shell.code(&["certificate", "nonsense"]).await, Some(2));
    let url = ["certificate", "list", "--url", "http://127.0.0.1:1"];
    assert_eq!(shell.code(&url).await, Some(4));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_verifies_offline_and_an_edited_one_does_not() {
    let server = TestServer::start().await;
    let shell = Shell::of(&server).await;
    shell.done(&["eab", "create", "--name", "team-a"]).await;
    server.run_jobs().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("audit.jsonl");
    let path = file.to_str().unwrap();
    shell.done(&["audit", "export", "--out", path]).await;
    shell.done(&["audit", "verify", path]).await;
    let edited = std::fs::read_to_string(&file)
        .unwrap()
        .replace("team-a", "team-b");
    std::fs::write(&file, edited).unwrap();
    assert_eq!(shell.code(&["audit", "verify", path]).await, Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_profile_is_made_of_a_preset_explained_compared_and_put_back() {
    let server = TestServer::start().await;
    let shell = Shell::of(&server).await;
    let presets = shell.done(&["profile", "presets"]).await;
    assert!(presets.contains("code-signing"), "{presets}");
    let create = ["profile", "create", "web", "--preset", "tls-server-public"];
    shell
        .done(&[&create[..], &["--set", "names.max=2"]].concat())
        .await;
    assert_eq!(shell.code(&create).await, Some(1), "it is there already");
    let unknown = ["profile", "create", "x", "--preset", "none"];
    assert_eq!(shell.code(&unknown).await, Some(2));
    let said = shell
        .done(&["profile", "explain", "web", "www.example.org"])
        .await;
    assert!(said.contains("validity.schedule"), "{said}");
    let internal = ["profile", "explain", "web", "db.internal"];
    assert_eq!(shell.code(&internal).await, Some(1));
    let change = ["profile", "set", "web", "--set", "validity_seconds=86400"];
    shell.done(&change).await;
    let changes = shell.done(&["profile", "diff", "web"]).await;
    assert!(changes.contains("validity_seconds"), "{changes}");
    shell
        .done(&["profile", "rollback", "web", "--to", "1"])
        .await;
    let versions = shell.done(&["profile", "versions", "web"]).await;
    assert!(versions.contains('3'), "{versions}");
    let shown = shell
        .done(&["profile", "show", "web", "--version", "2"])
        .await;
    assert!(shown.contains("86400"), "{shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_sets_teams_and_roles_up_from_the_command_line() {
    let server = TestServer::start().await;
    let shell = Shell::of(&server).await;
    shell
        .done(&["team", "set", "web", "--description", "Web shop"])
        .await;
    assert!(shell.done(&["team", "list"]).await.contains("Web shop"));
    let listed = shell.done(&["role", "permissions"]).await;
    assert!(listed.contains("certificates:revoke"), "{listed}");
    let set = [
        "role",
        "set",
        "revoker",
        "--like",
        "approver",
        "--permission",
        "certificates:revoke",
    ];
    assert!(shell.done(&set).await.contains("certificates:revoke"));
    assert!(shell.done(&["role", "list"]).await.contains("revoker"));
    let create = [
        "token", "create", "--name", "pipe", "--role", "revoker", "--team", "web", "--output",
        "json",
    ];
    let made: serde_json::Value = serde_json::from_str(&shell.done(&create).await).unwrap();
    let id = made["id"].as_str().unwrap();
    let pipe = Shell {
        url: server.url(),
        token: made["secret"].as_str().unwrap().to_owned(),
    };
    let me = pipe.done(&["me"]).await;
    assert!(me.contains("role=revoker team=web"), "{me}");
    assert_eq!(pipe.code(&["team", "list"]).await, Some(1), "refused");
    let grant = [
        "grant", "create", "--to", id, "--role", "auditor", "--team", "web",
    ];
    shell.done(&grant).await;
    let members = shell.done(&["team", "members", "web"]).await;
    assert!(members.contains("auditor") && members.contains("revoker"));
    let profile = [
        "profile",
        "set",
        "shop",
        "--like",
        "default",
        "--team",
        "web",
        "--set",
        "names.max=3",
    ];
    shell.done(&profile).await;
    let given = shell
        .done(&["team", "give", "web", "directory/default"])
        .await;
    assert!(given.contains("web"), "{given}");
    assert_eq!(shell.code(&["team", "delete", "web"]).await, Some(1));
    shell
        .done(&[
            "team",
            "give",
            "--nobody",
            "directory/default",
            "profile/shop",
        ])
        .await;
    shell.done(&["team", "delete", "web"]).await;
    assert_eq!(shell.code(&["team", "show", "web"]).await, Some(3));
    shell.done(&["role", "delete", "revoker"]).await;
}
