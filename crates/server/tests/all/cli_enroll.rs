//! `enroll`, `renew`, `certificate bulk` and `apply` by the real binary against the real server.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use pki::certificate::Certificate;
use pki::key::{LocalKey, SigningKey};
use serde_json::Value;
use testkit::issuer::Behaviour;
use testkit::{IssuerDouble, TestServer};

use crate::cli::Shell;

fn key(path: &Path) -> LocalKey {
    LocalKey::from_pem(std::fs::read(path).unwrap()).unwrap()
}

fn certificates(path: &Path) -> Vec<Certificate> {
    let text = std::fs::read(path).unwrap();
    let all = pki::pem::decode_all(pki::pem::CERTIFICATE, &text).unwrap();
    all.iter()
        .map(|der| Certificate::from_der(der).unwrap())
        .collect()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_line_makes_key_and_certificate_with_safe_modes() {
    let server = TestServer::start().await;
    let shell = Shell::of(&server).await;
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("www");
    let place = out.to_str().unwrap();
    let mut line = vec!["enroll", "--dns", "WWW.example.org", "--ip", "192.0.2.7"];
    line.extend(["--key-type", "p384", "--validity", "2d", "--out-dir", place]);
    let told: Value = serde_json::from_str(
        &shell
            .done(&[line.as_slice(), &["--output", "json"]].concat())
            .await,
    )
    .unwrap();
    assert_eq!(told["status"], "issued", "{told}");
    assert_eq!(told["names"][0], "www.example.org");
    let leaf = certificates(&out.join("cert.pem")).remove(0);
    assert_eq!(&leaf.public_key, key(&out.join("privkey.pem")).public_key());
    let life = leaf.not_after.since(leaf.not_before);
    assert_eq!(life, Duration::from_secs(2 * 86_400 - 1));
    assert_eq!(certificates(&out.join("fullchain.pem")).len(), 2);
    assert_eq!(certificates(&out.join("chain.pem")).len(), 1);
    assert_eq!(mode(&out.join("privkey.pem")), 0o600);
    assert_eq!(mode(&out.join("cert.pem")), 0o644);
    let left: Vec<_> = std::fs::read_dir(&out).unwrap().collect();
    assert_eq!(left.len(), 4, "{left:?}");

    let before = std::fs::read(out.join("privkey.pem")).unwrap();
    assert_eq!(shell.code(&line).await, Some(1), "a key is not overwritten");
    assert_eq!(std::fs::read(out.join("privkey.pem")).unwrap(), before);
    line.push("--reuse-key");
    shell.done(&line).await;
    assert_eq!(std::fs::read(out.join("privkey.pem")).unwrap(), before);
    line.pop();
    line.push("--force");
    shell.done(&line).await;
    assert_ne!(std::fs::read(out.join("privkey.pem")).unwrap(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_csr_from_elsewhere_and_a_key_from_the_server_do_as_well() {
    let server = TestServer::start().await;
    let shell = Shell::of(&server).await;
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let own = LocalKey::generate(pki::key::KeyAlgorithm::Ed25519).unwrap();
    let csr = crate::enroll::csr_for(&own, &["csr.example.org"]);
    std::fs::write(at("a.csr"), csr).unwrap();
    shell
        .done(&["enroll", "--csr", &at("a.csr"), "--fullchain", &at("a.pem")])
        .await;
    let leaf = certificates(&folder.path().join("a.pem")).remove(0);
    assert_eq!(&leaf.public_key, own.public_key());

    std::fs::write(at("pw"), "correct horse\n").unwrap();
    let mut line = vec!["enroll", "--dns", "legacy.example.org", "--server-key"];
    let (p12, pw, cert) = (at("b.p12"), at("pw"), at("b.pem"));
    line.extend(["--p12", &p12, "--password-file", &pw, "--cert", &cert]);
    shell.done(&line).await;
    assert_eq!(mode(Path::new(&p12)), 0o600);
    let output = std::process::Command::new("openssl")
        .args([
            "pkcs12",
            "-nodes",
            "-passin",
            "pass:correct horse",
            "-in",
            &p12,
        ])
        .output()
        .unwrap();
    let made = LocalKey::from_pem(&output.stdout).unwrap();
    let leaf = certificates(Path::new(&cert)).remove(0);
    assert_eq!(&leaf.public_key, made.public_key());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exit_codes_of_enroll_tell_scripts_what_happened() {
    let server = TestServer::start().await;
    let shell = Shell::of(&server).await;
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let refused = ["enroll", "--dns", "*.com", "--out-dir", out];
    assert_eq!(shell.code(&refused).await, Some(1));
    assert!(!folder.path().join("privkey.pem.pending").exists());
    assert_eq!(shell.code(&["enroll", "--out-dir", out]).await, Some(2));
    let nowhere = ["enroll", "--dns", "a.example.org", "--cert", "x.pem"];
    assert_eq!(shell.code(&nowhere).await, Some(2), "no place for the key");
    let unknown = [
        "enroll",
        "--resume",
        "enr_00000000000000000000000000",
        "--out-dir",
        out,
    ];
    assert_eq!(shell.code(&unknown).await, Some(3));
    let gone = [
        "enroll",
        "--dns",
        "a.example.org",
        "--out-dir",
        out,
        "--url",
        "http://127.0.0.1:1",
    ];
    assert_eq!(shell.code(&gone).await, Some(4));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_is_left_and_gone_on_with() {
    let issuers = IssuerDouble::default();
    let server = TestServer::start_with_issuers(&issuers).await;
    let shell = Shell::of(&server).await;
    issuers.does(Behaviour::Unavailable);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let mut line = vec![
        "enroll",
        "--dns",
        "slow.example.org",
        "--out-dir",
        out,
        "--no-wait",
    ];
    line.extend(["--output", "json"]);
    let told: Value = serde_json::from_str(&shell.done(&line).await).unwrap();
    assert_ne!(told["status"], "issued");
    let id = told["enrollment"].as_str().unwrap();
    let pending = folder.path().join("privkey.pem.pending");
    assert_eq!(mode(&pending), 0o600);
    let waiting = key(&pending);
    assert_eq!(shell.code(&line).await, Some(1), "one request at a time");
    let impatient = ["enroll", "--resume", id, "--out-dir", out, "--wait=1s"];
    assert_eq!(shell.code(&impatient).await, Some(1));
    issuers.does(Behaviour::Honest);
    server.clock.advance(Duration::from_secs(600));
    server.run_jobs().await;
    shell
        .done(&["enroll", "--resume", id, "--out-dir", out])
        .await;
    assert_eq!(
        key(&folder.path().join("privkey.pem")).public_key(),
        waiting.public_key()
    );
    let leaf = certificates(&folder.path().join("cert.pem")).remove(0);
    assert_eq!(&leaf.public_key, waiting.public_key());
    assert!(!pending.exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn renewal_from_cron_does_nothing_until_it_is_time_and_then_everything() {
    let server = TestServer::start().await;
    let shell = Shell::of(&server).await;
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    shell
        .done(&["enroll", "--dns", "cron.example.org", "--out-dir", out])
        .await;
    let (cert, private) = (
        folder.path().join("cert.pem"),
        folder.path().join("privkey.pem"),
    );
    let (first, first_key) = (certificates(&cert).remove(0), key(&private));
    let hook = format!("echo \"$CERTWRIGHT_NAMES\" >> {out}/hook; test -f \"$CERTWRIGHT_KEY\"");
    let line = [
        "renew",
        cert.to_str().unwrap(),
        "--if-due",
        "--deploy-hook",
        &hook,
    ];
    shell.done(&line).await;
    assert_eq!(certificates(&cert)[0], first, "not due");
    assert!(!folder.path().join("hook").exists());
    server.clock.advance(Duration::from_secs(61 * 86_400));
    shell.done(&line).await;
    let second = certificates(&cert).remove(0);
    assert!(second.not_after > first.not_after);
    assert_eq!(second.names, first.names);
    assert_ne!(key(&private).public_key(), first_key.public_key());
    assert_eq!(&second.public_key, key(&private).public_key());
    assert_eq!(
        certificates(&folder.path().join("fullchain.pem"))[0],
        second
    );
    shell.done(&line).await;
    assert_eq!(certificates(&cert)[0], second, "not due any more");
    let hooked = std::fs::read_to_string(folder.path().join("hook")).unwrap();
    assert_eq!(hooked, "cron.example.org\n", "once");
    let same = ["renew", cert.to_str().unwrap(), "--same-key"];
    shell.done(&same).await;
    assert_eq!(certificates(&cert)[0].public_key, second.public_key);
    let failing = ["renew", cert.to_str().unwrap(), "--deploy-hook", "exit 3"];
    assert_eq!(shell.code(&failing).await, Some(4), "the hook failed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewal_whose_files_were_lost_is_caught_up_with() {
    let server = TestServer::start().await;
    let shell = Shell::of(&server).await;
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    shell
        .done(&["enroll", "--dns", "lost.example.org", "--out-dir", out])
        .await;
    let old = std::fs::read(folder.path().join("cert.pem")).unwrap();
    let line = ["renew", &format!("{out}/cert.pem"), "--same-key"];
    shell.done(&line).await;
    let new = std::fs::read(folder.path().join("cert.pem")).unwrap();
    std::fs::write(folder.path().join("cert.pem"), &old).unwrap();
    shell
        .done(&["renew", &format!("{out}/cert.pem"), "--if-due"])
        .await;
    assert_eq!(std::fs::read(folder.path().join("cert.pem")).unwrap(), new);
    std::fs::write(folder.path().join("cert.pem"), &new).unwrap();
    shell.done(&["renew", &format!("{out}/cert.pem")]).await;
    std::fs::write(folder.path().join("cert.pem"), &new).unwrap();
    let elsewhere = ["renew", &format!("{out}/cert.pem")];
    assert_eq!(shell.code(&elsewhere).await, Some(1), "its key is gone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bulk_revocation_is_planned_then_run() {
    let server = TestServer::start().await;
    let shell = Shell::of(&server).await;
    let client = server.registered_client().await;
    for name in ["a.mass.example.org", "b.mass.example.org"] {
        client.issue(&server, &[name]).await;
    }
    let mut line = vec!["certificate", "bulk", "revoke", "--reason", "superseded"];
    line.extend(["--suffix", "mass.example.org"]);
    assert_eq!(shell.code(&line).await, Some(1), "nobody said yes");
    let planned = [line.as_slice(), &["--plan", "--output", "json"]].concat();
    let plan: Value = serde_json::from_str(&shell.done(&planned).await).unwrap();
    assert_eq!(plan["counts"]["pending"], 2, "{plan}");
    let id = plan["id"].as_str().unwrap();
    shell.done(&["certificate", "bulk", "run", id]).await;
    let finished = async || {
        server.clock.advance(Duration::from_secs(2));
        let shown = shell
            .done(&["certificate", "bulk", "show", id, "--output", "json"])
            .await;
        shown.contains("finished")
    };
    server.run_jobs_until(finished).await;
    let items = shell
        .done(&["certificate", "bulk", "items", id, "--outcome", "done"])
        .await;
    assert_eq!(items.matches("crt_").count(), 2, "{items}");
    assert_eq!(
        shell.code(&["certificate", "bulk", "renew"]).await,
        Some(2),
        "which ones?"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn configuration_in_files_is_compared_then_made_so_and_then_stays() {
    let server = TestServer::start().await;
    let shell = Shell::of(&server).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("certwright.toml");
    let path = file.to_str().unwrap();
    let dumped = shell.done(&["apply", "--dump"]).await;
    assert!(dumped.contains("[profiles.default]"), "{dumped}");
    std::fs::write(&file, &dumped).unwrap();
    let same = ["apply", "-f", path, "--output", "json"];
    assert_eq!(
        shell.done(&same).await.trim(),
        "[]",
        "a dump is what is there"
    );

    let mut more = dumped.replace("validity_seconds = 7776000", "validity_seconds = 2592000");
    more.push_str("\n[teams.web]\ndescription = \"Shop\"\n[roles.night]\n");
    more.push_str("permissions = [\"certificates:read\"]\n");
    more.push_str("\n[directories.internal]\ntrusted = true\nexternal_account_required = true\nprofiles = [\"short-lived\"]\n");
    std::fs::write(&file, more).unwrap();
    let plan = shell.done(&["apply", "-f", path, "--plan"]).await;
    assert!(
        plan.contains("~ validity_seconds: 7776000 -> 2592000"),
        "{plan}"
    );
    assert!(plan.contains("+ directories internal"), "{plan}");
    let shown = shell
        .done(&["profile", "show", "default", "--output", "json"])
        .await;
    assert!(shown.contains("7776000"), "a plan changes nothing");
    assert_eq!(
        shell.code(&["apply", "-f", path]).await,
        Some(1),
        "nobody said yes"
    );
    shell.done(&["apply", "-f", path, "--yes"]).await;
    let shown = shell
        .done(&["profile", "show", "default", "--output", "json"])
        .await;
    assert!(
        shown.contains("2592000") && shown.contains("\"version\": 2"),
        "{shown}"
    );
    shell.done(&["directory", "show", "internal"]).await;
    assert!(shell.done(&["team", "show", "web"]).await.contains("Shop"));
    assert!(shell.done(&["role", "list"]).await.contains("night"));
    assert_eq!(shell.done(&same).await.trim(), "[]", "nothing to do");

    std::fs::write(&file, "[profile.default]\n").unwrap();
    assert_eq!(
        shell.code(&["apply", "-f", path, "--plan"]).await,
        Some(2),
        "misspelt kind"
    );
    std::fs::write(&file, "[directories.x]\ntrusteed = true\n").unwrap();
    assert_eq!(
        shell.code(&["apply", "-f", path, "--plan"]).await,
        Some(2),
        "misspelt rule"
    );
    std::fs::write(&file, "[directories.x]\nprofiles = [\"none\"]\n").unwrap();
    assert_eq!(
        shell.code(&["apply", "-f", path, "--yes"]).await,
        Some(1),
        "refused"
    );
}
