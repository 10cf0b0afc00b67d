//! The dashboard in a real browser: Chromium, driven by the scripts in `ui/tests` against the binary.
//!
//! `make test` builds the dashboard and installs what drives the browser; without either, these fail.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use testkit::adcs::FakeAdcs;
use tokio::process::Command;
use tokio::time::timeout;

use super::certbot::standalone;
use super::challenge_server::Answering;
use super::process::{Background, eventually, succeed, tool, tools};
use super::site::Site;

/// A browser that looks at every page at several sizes.
const PATIENCE: Duration = Duration::from_secs(500);

fn ui() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui")
}

async fn script(site: &Site, scenario: &str) -> Command {
    let mut node = tool("node");
    node.current_dir(ui())
        .args(["tests/run.mjs", scenario])
        .env("CERTWRIGHT_URL", &site.url)
        .env("CERTWRIGHT_SETUP_LINK", site.setup_link().await)
        .env("CERTWRIGHT_TOKEN", site.token().await)
        .env("NODE_EXTRA_CA_CERTS", site.root());
    node
}

async fn browse(site: &Site, scenario: &str) {
    finish(script(site, scenario).await).await;
}

async fn finish(mut node: Command) {
    let output = timeout(PATIENCE, node.output())
        .await
        .expect("the browser did not finish")
        .expect("node runs");
    assert_done(&output);
}

#[track_caller]
fn assert_done(output: &Output) {
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[tokio::test]
async fn u01_u05_hostile_texts_stay_texts_and_names_that_imitate_others_are_marked() {
    browse(&Site::start().await, "texts").await;
}

#[tokio::test]
async fn u02_issue_approve_and_revoke_by_keyboard_alone_and_axe_finds_nothing_serious() {
    browse(&Site::start().await, "keyboard").await;
}

#[tokio::test]
async fn u03_figures_are_what_lists_count_and_what_is_issued_shows_within_a_second() {
    browse(&Site::start().await, "figures").await;
}

#[tokio::test]
async fn u04_a_private_key_is_downloaded_once_and_stays_nowhere_in_the_browser() {
    browse(&Site::start().await, "keys").await;
}

#[tokio::test]
async fn every_page_shows_twenty_thousand_certificates_at_every_size_for_both_roles() {
    browse(&Site::start().await, "pages").await;
}

/// A certificate that certbot renews by itself is among what is moved.
#[tokio::test]
async fn a_ca_is_added_tested_limited_and_left_for_another_one() {
    let site = Site::with(Answering::Client, &[]).await;
    succeed(&mut standalone(&site, &["-d", "moved.example.org"])).await;
    browse(&site, "issuers").await;
}

/// The overview is open before certbot begins.
#[tokio::test]
async fn u03_a_certificate_issued_by_certbot_shows_in_an_open_overview_within_a_second() {
    let site = Site::with(Answering::Client, &[]).await;
    let ready = site.file("overview-is-open");
    let mut node = script(&site, "arrival").await;
    node.env("CERTWRIGHT_READY", &ready);
    let browser = tokio::spawn(async move { timeout(PATIENCE, node.output()).await });
    eventually(async || ready.exists().then_some(()), || site.log()).await;
    succeed(&mut standalone(&site, &["-d", "arrival.example.org"])).await;
    let output = browser
        .await
        .unwrap()
        .expect("the browser did not finish")
        .expect("node runs");
    assert_done(&output);
}

#[tokio::test]
async fn people_sign_in_with_codes_of_an_authenticator_and_with_passkeys() {
    browse(&Site::start().await, "sign-in").await;
}

/// A real provider of OpenID Connect, which an administrator sets up by the form.
#[tokio::test]
async fn a_provider_is_set_up_and_its_people_sign_in_with_the_role_of_their_group() {
    let site = Site::start().await;
    let people = site.file("people.json");
    std::fs::write(&people, json!({ "lin": { "groups": ["pki"] } }).to_string()).unwrap();
    let redirect = format!("{}/api/v1/session/sign-on/callback", site.url);
    let log = site.file("provider.log");
    let mut provider = tool("node");
    provider
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/all/interop/oidc_provider.cjs"
        ))
        .arg(tools().join("npm/node_modules"))
        .arg(&people)
        .args([redirect.as_str(), "a secret of the client"]);
    let provider = Background::start(&mut provider, &log);
    let listening = async || {
        let said = provider.log();
        said.lines()
            .find(|line| line.starts_with("http://"))
            .map(str::to_owned)
    };
    let issuer = eventually(listening, || provider.log()).await;
    let mut node = script(&site, "sign-on").await;
    node.env("CERTWRIGHT_OIDC_ISSUER", issuer)
        .env("CERTWRIGHT_OIDC_SECRET", "a secret of the client");
    finish(node).await;
}

#[tokio::test]
async fn what_administrators_can_do_is_done_in_the_dashboard() {
    browse(&Site::start().await, "administration").await;
}

#[tokio::test]
async fn who_agrees_who_is_told_and_who_is_away_is_said_in_the_dashboard() {
    browse(&Site::start().await, "people").await;
}

#[tokio::test]
async fn a_queue_of_approvals_is_decided_with_letters_alone() {
    browse(&Site::start().await, "decisions").await;
}

#[tokio::test]
async fn what_is_chosen_in_the_inventory_is_sent_kept_and_exported() {
    browse(&Site::start().await, "views").await;
}

/// The proof of who one is holds for a minute, which is the shortest there is.
#[tokio::test]
async fn what_is_dangerous_asks_again_and_one_browser_signs_out_another() {
    let settings = [("SIGN_IN__RECENT_MINUTES", "1")];
    browse(&Site::with(Answering::Client, &settings).await, "sessions").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ca_elsewhere_is_added_by_its_form_and_its_secret_stays_unseen() {
    const PASSWORD: &str = "Gr\u{fc}n-4711";
    let (site, ca) = (Site::start().await, FakeAdcs::start(PASSWORD).await);
    let settings = site.file("adcs.json");
    std::fs::write(&settings, ca.settings("basic").to_string()).unwrap();
    let mut node = script(&site, "elsewhere").await;
    node.env("CERTWRIGHT_ADCS", &settings)
        .env("CERTWRIGHT_ADCS_PASSWORD", PASSWORD);
    finish(node).await;
}

#[tokio::test]
async fn entry_points_are_opened_and_certificates_imported_in_the_dashboard() {
    browse(&Site::start().await, "entrances").await;
}

/// Chromium with a phone's screen approves what certbot waits for.
#[tokio::test]
async fn an_approval_on_a_phone_lets_a_waiting_certbot_finish() {
    let site = Site::with(Answering::Client, &[]).await;
    let guard = |rules: &mut Value| {
        rules["approval"] = json!({
            "stages": [{ "approvals": 1, "approvers": [{ "kind": "role", "role": "approver" }] }],
        });
    };
    site.change("/api/v1/profiles/default", guard).await;
    let log = site.file("certbot.log");
    let mut certbot = standalone(&site, &["-d", "phone.example.org"]);
    let waiting = Background::start(&mut certbot, &log);
    let path = "/api/v1/approvals?status=pending";
    eventually(
        async || {
            let page = site.call(Method::GET, path, &Value::Null).await;
            page["items"].get(0).cloned()
        },
        || waiting.log(),
    )
    .await;
    browse(&site, "approve").await;
    eventually(
        async || {
            waiting
                .log()
                .contains("Successfully received certificate")
                .then_some(())
        },
        || waiting.log(),
    )
    .await;
}

/// U2: what browsers are told about every page of the dashboard.
#[tokio::test]
async fn u02_pages_carry_strict_headers_and_files_are_kept_for_ever() {
    let site = Site::start().await;
    let page = site.answer("/certificates").await;
    let header = |name: &str| page.headers()[name].to_str().unwrap().to_owned();
    let policy = header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("x-frame-options"), "DENY");
    assert_eq!(header("cache-control"), "no-store");
    assert!(header("strict-transport-security").contains("max-age"));
    let nonce = policy
        .split("'nonce-")
        .nth(1)
        .unwrap()
        .split('\'')
        .next()
        .unwrap();
    let document = page.text().await.unwrap();
    assert!(document.contains(nonce), "{document}");
    let again = site.answer("/").await.text().await.unwrap();
    assert!(!again.contains(nonce), "a nonce is used once");
    let script = document
        .split("src=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let file = site.answer(script).await;
    assert_eq!(file.status(), 200);
    assert!(
        file.headers()["cache-control"]
            .to_str()
            .unwrap()
            .contains("immutable")
    );
    assert_eq!(site.answer("/assets/none.js").await.status(), 404);
    assert_eq!(site.answer("/no-such-page").await.status(), 404);
}
