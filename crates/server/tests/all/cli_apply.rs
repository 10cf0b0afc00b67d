//! `certwright apply` over issuers and entry points, by the real binary against the real server.

use serde_json::{Value, json};
use testkit::TestServer;

use crate::cli::Shell;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn issuers_and_entry_points_in_files_are_made_so_and_show_no_secret() {
    let server = TestServer::start().await;
    let shell = Shell::of(&server).await;
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let secret = write("password.txt", "quite secret\n");
    let rules = |url: &str| {
        format!(
            "[issuers.behind]\nkind = \"est\"\n\
             settings = {{ url = \"{url}\", username = \"front\" }}\n\
             secrets = {{ password = {{ file = \"{secret}\" }} }}\nlimits = {{ per_hour = 300 }}\n\
             [est-labels.printers]\nserver_keys = true\n[scep-services.phones]\nrenewal = false\n\
             [cmp-endpoints.plant]\nconfirm_wait_seconds = 600\n"
        )
    };
    let path = write("rules.toml", &rules("https://est.example.org"));
    let plan = shell.done(&["apply", "-f", &path, "--plan"]).await;
    for step in [
        "+ issuers behind",
        "+ est-labels printers",
        "+ scep-services phones",
    ] {
        assert!(plan.contains(step), "{plan}");
    }
    assert!(!plan.contains("quite secret"), "{plan}");
    let yes = ["apply", "-f", &path, "--yes"];
    shell.done(&yes).await;
    let same = ["apply", "-f", &path, "--plan", "--output", "json"];
    assert_eq!(shell.done(&same).await.trim(), "[]", "nothing to do");
    let show = ["issuer", "show", "behind", "--output", "json"];
    let shown = shell.done(&show).await;
    assert!(shown.contains("\"per_hour\": 300"), "{shown}");
    assert!(shown.contains("\"password\""), "{shown}");
    assert!(!shown.contains("quite secret"), "{shown}");
    // Another place: the secret is sent along.
    write("rules.toml", &rules("https://est2.example.org"));
    let plan = shell.done(&["apply", "-f", &path, "--plan"]).await;
    assert!(plan.contains("~ settings.url"), "{plan}");
    shell.done(&yes).await;
    assert_eq!(shell.done(&same).await.trim(), "[]", "nothing to do");
    let dumped = shell.done(&["apply", "--dump"]).await;
    assert!(dumped.contains("[issuers.behind"), "{dumped}");
    assert!(
        !dumped.contains("issuers.issuing"),
        "its key is here: {dumped}"
    );
    let dumped = write("dumped.toml", &dumped);
    let again = ["apply", "-f", &dumped, "--plan", "--output", "json"];
    assert_eq!(
        shell.done(&again).await.trim(),
        "[]",
        "a dump is what is there"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_file_cannot_make_of_an_issuer_is_refused_beforehand() {
    let server = TestServer::start().await;
    let shell = Shell::of(&server).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules.toml");
    let path = file.to_str().unwrap();
    let est = "[issuers.behind]\nkind = \"est\"\nsettings = { url = \"https://x.example\", username = \"a\" }";
    let password = folder.path().join("password.txt");
    std::fs::write(&password, "secret").unwrap();
    let secret = format!("secrets = {{ password = {{ file = {password:?} }} }}");
    std::fs::write(&file, format!("{est}\n{secret}\n")).unwrap();
    shell.done(&["apply", "-f", path, "--yes"]).await;
    let line = ["apply", "-f", path, "--plan"];
    for (text, code, why) in [
        (
            "[issuers.behind]\nkind = \"cmp\"\nsettings = { url = \"https://x.example\", reference = \"a\" }",
            1,
            "another kind",
        ),
        ("[issuers.own]\nkind = \"embedded\"", 2, "its key is here"),
        (
            "[issuers.x]\nkind = \"est\"\nsecrets = { password = \"in the clear\" }",
            2,
            "a secret in the clear",
        ),
    ] {
        std::fs::write(&file, text).unwrap();
        assert_eq!(shell.code(&line).await, Some(code), "{why}");
    }
    let absent = "secrets = { password = { env = \"CERTWRIGHT_TEST_NOT_SET\" } }";
    let other = est.replace("behind", "another");
    std::fs::write(&file, format!("{other}\n{absent}\n")).unwrap();
    let code = shell.code(&["apply", "-f", path, "--yes"]).await;
    assert_eq!(code, Some(2), "there is no such variable");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_files_no_longer_hold_goes_with_prune_only_and_an_issuer_in_use_stays() {
    let server = TestServer::start().await;
    let shell = Shell::of(&server).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules.json");
    let path = file.to_str().unwrap();
    let password = folder.path().join("password.txt");
    std::fs::write(&password, "secret").unwrap();
    let write = |rules: Value| std::fs::write(&file, rules.to_string()).unwrap();
    let yes = ["apply", "-f", path, "--yes"];
    let prune = ["apply", "-f", path, "--prune", "--yes"];
    let plan = ["apply", "-f", path, "--prune", "--plan", "--output", "json"];
    let dumped = shell.done(&["apply", "--dump", "--output", "json"]).await;
    let dumped: Value = serde_json::from_str(&dumped).unwrap();
    let sends_to = |issuer: &str| {
        let mut rules = dumped["profiles"]["default"].clone();
        rules["issuers"] = json!([{ "issuer": issuer, "weight": 1 }]);
        json!({ "remote": rules })
    };
    let behind = json!({
        "kind": "est",
        "settings": { "url": "https://x.example", "username": "a" },
        "secrets": { "password": { "file": password } },
    });
    write(json!({
        "issuers": { "behind": behind }, "profiles": sends_to("behind"),
        "teams": { "web": {}, "old": {} },
        "metadata-fields": { "floor": {} }, "est-labels": { "printers": {} },
    }));
    shell.done(&yes).await;
    // A profile in no file goes on sending requests to the issuer in no file.
    write(json!({ "issuers": {}, "teams": { "web": {} } }));
    assert_eq!(shell.code(&prune).await, Some(1), "the issuer is in use");
    let teams = ["team", "list", "--output", "json"];
    let before = shell.done(&teams).await;
    assert!(before.contains("\"old\""), "nothing was changed: {before}");
    write(json!({
        "issuers": {}, "profiles": sends_to("issuing"),
        "teams": { "web": {} }, "metadata-fields": {},
    }));
    shell.done(&yes).await;
    let after = shell.done(&teams).await;
    assert!(after.contains("\"old\""), "not without --prune: {after}");
    let shown = shell
        .done(&["apply", "-f", path, "--prune", "--plan"])
        .await;
    for step in [
        "- issuers behind (retired)",
        "- metadata-fields floor (retired)",
        "- teams old",
    ] {
        assert!(shown.contains(step), "{step}: {shown}");
    }
    assert!(!shown.contains("printers"), "no file names labels: {shown}");
    shell.done(&prune).await;
    assert_eq!(shell.done(&plan).await.trim(), "[]", "nothing to do");
    let dumped = shell.done(&["apply", "--dump"]).await;
    for gone in ["[teams.old]", "issuers.behind", "metadata-fields.floor"] {
        assert!(!dumped.contains(gone), "{gone}: {dumped}");
    }
    for kept in ["teams.web", "est-labels.printers", "profiles.remote"] {
        assert!(dumped.contains(kept), "{kept}: {dumped}");
    }
}
