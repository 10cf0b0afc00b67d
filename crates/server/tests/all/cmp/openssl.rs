//! P14: `openssl cmp` is served, under a shared secret and with signatures.

use serde_json::{Value, json};

use super::support::{Plant, verify};

const NAME: &str = "/CN=m1.plant.example.org";
const SANS: &str = "m1.plant.example.org";

/// What most commands say: who asks, with which secret.
fn by_secret<'a>(reference: &'a str, secret: &'a str) -> Vec<&'a str> {
    vec!["-ref", reference, "-secret", secret]
}

async fn first_certificate(plant: &Plant) {
    let secret = plant.secret("line-1", json!({ "max_uses": 1 })).await;
    let text = format!("pass:{}", secret.text);
    plant.key("m1.key").await;
    let mut ir = by_secret("line-1", &text);
    ir.extend(["-cmd", "ir", "-newkey", "m1.key", "-subject", NAME]);
    ir.extend(["-sans", SANS, "-certout", "m1.pem", "-cacertsout", "ca.pem"]);
    ir.extend(["-extracertsout", "extra.pem"]);
    plant.enroll(&ir).await;
}

#[tokio::test]
async fn p14_openssl_gets_its_first_certificate_with_a_shared_secret_and_confirms_it() {
    let plant = Plant::start().await;
    first_certificate(&plant).await;
    let root = plant.root().await;
    verify(&root, &plant.path("extra.pem"), &plant.path("m1.pem")).await;
    let shown = plant.certificate("m1.pem").await;
    assert_eq!(shown["names"], json!([SANS]));
    assert_eq!(shown["status"], "valid");
    // RFC 9483 section 4.1.1: under the MAC the root comes along.
    let given = std::fs::read(plant.path("ca.pem")).unwrap();
    let given = pki::pem::decode_all(pki::pem::CERTIFICATE, &given).unwrap();
    let known = std::fs::read(&root).unwrap();
    let known = pki::pem::decode_all(pki::pem::CERTIFICATE, &known).unwrap();
    assert_eq!(given, known);
    // The confirmation came: nothing is revoked when the wait is over.
    plant
        .server
        .clock
        .advance(std::time::Duration::from_secs(2 * 3600));
    plant.server.run_jobs().await;
    assert_eq!(plant.certificate("m1.pem").await["status"], "valid");
}

#[tokio::test]
async fn a_secret_for_one_certificate_opens_no_second_one() {
    let plant = Plant::start().await;
    let secret = plant.secret("line-1", json!({ "max_uses": 1 })).await;
    let text = format!("pass:{}", secret.text);
    plant.key("m1.key").await;
    let mut ir = by_secret("line-1", &text);
    ir.extend(["-cmd", "ir", "-newkey", "m1.key", "-subject", NAME]);
    ir.extend(["-sans", SANS, "-certout", "m1.pem", "-implicit_confirm"]);
    plant.enroll(&ir).await;
    let again = plant.openssl(&ir).await;
    assert!(!again.succeeded);
    assert!(
        again.said.contains("used as often as it may be"),
        "{}",
        again.said
    );
}

#[tokio::test]
async fn p14_openssl_updates_its_certificate_and_revokes_it_by_signature() {
    let plant = Plant::start().await;
    first_certificate(&plant).await;
    plant.root().await;
    plant.key("m1b.key").await;
    let mut kur = vec!["-cmd", "kur", "-cert", "m1.pem", "-key", "m1.key"];
    kur.extend(["-newkey", "m1b.key", "-trusted", "root.pem"]);
    kur.extend(["-certout", "m1b.pem"]);
    plant.enroll(&kur).await;
    let (old, new) = (
        plant.certificate("m1.pem").await,
        plant.certificate("m1b.pem").await,
    );
    assert_eq!(new["names"], old["names"]);
    let old = plant
        .get(&format!(
            "/api/v1/certificates/{}",
            old["id"].as_str().unwrap()
        ))
        .await;
    assert_eq!(old["replaced_by"], new["id"]);
    let mut rr = vec!["-cmd", "rr", "-cert", "m1b.pem", "-key", "m1b.key"];
    rr.extend([
        "-oldcert",
        "m1b.pem",
        "-trusted",
        "root.pem",
        "-revreason",
        "1",
    ]);
    plant.enroll(&rr).await;
    let shown = plant.certificate("m1b.pem").await;
    assert_eq!(shown["status"], "revoked");
    // And again: it says that it is.
    let again = plant.openssl(&rr).await;
    assert!(!again.succeeded, "{}", again.said);
}

#[tokio::test]
async fn p14_openssl_certifies_a_pkcs10_request_and_a_further_key_for_its_names_only() {
    let plant = Plant::start().await;
    first_certificate(&plant).await;
    plant.root().await;
    plant.key("m2.key").await;
    let mut cr = vec!["-cmd", "cr", "-cert", "m1.pem", "-key", "m1.key"];
    cr.extend([
        "-newkey", "m2.key", "-trusted", "root.pem", "-certout", "m2.pem",
    ]);
    let mut own = cr.clone();
    own.extend(["-subject", NAME, "-sans", SANS]);
    plant.enroll(&own).await;
    assert_eq!(plant.certificate("m2.pem").await["names"], json!([SANS]));
    let mut other = cr;
    other.extend(["-subject", "/CN=m9.plant.example.org"]);
    other.extend(["-sans", "m9.plant.example.org"]);
    let refused = plant.openssl(&other).await;
    assert!(refused.said.contains("does not name"), "{}", refused.said);

    let secret = plant.secret("line-3", json!({})).await;
    let text = format!("pass:{}", secret.text);
    let mut request = crate::interop::process::tool("openssl");
    request.args([
        "req",
        "-new",
        "-key",
        "m2.key",
        "-subj",
        "/CN=m3.plant.example.org",
    ]);
    request.args([
        "-addext",
        "subjectAltName=DNS:m3.plant.example.org",
        "-out",
        "m3.csr",
    ]);
    crate::interop::process::succeed(request.current_dir(plant.folder.path())).await;
    let mut p10cr = by_secret("line-3", &text);
    p10cr.extend(["-cmd", "p10cr", "-csr", "m3.csr", "-certout", "m3.pem"]);
    plant.enroll(&p10cr).await;
    let shown = plant.certificate("m3.pem").await;
    assert_eq!(shown["names"], json!(["m3.plant.example.org"]));
}

#[tokio::test]
async fn openssl_polls_while_people_decide() {
    let plant = Plant::start().await;
    let mut rules = plant.get("/api/v1/profiles/default").await["rules"].take();
    rules["approval"] = json!({ "stages": [
        { "approvals": 1, "approvers": [{ "kind": "role", "role": "administrator" }] }
    ] });
    let path = "/api/v1/profiles/default";
    plant.call(reqwest::Method::PUT, path, Some(rules)).await;
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let secret = plant.secret("line-1", json!({})).await;
    let text = format!("pass:{}", secret.text);
    plant.key("m1.key").await;
    let mut ir = by_secret("line-1", &text);
    ir.extend(["-cmd", "ir", "-newkey", "m1.key", "-subject", NAME]);
    ir.extend(["-sans", SANS, "-certout", "m1.pem"]);
    let deciding = async {
        loop {
            let page = plant.get("/api/v1/approvals?status=pending").await;
            if let Some(id) = page["items"][0]["id"].as_str() {
                plant.decide(id).await;
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        plant.server.run_jobs().await;
    };
    let (said, ()) = tokio::join!(plant.enroll(&ir), deciding);
    assert!(
        said.contains("received POLLREP") || said.contains("polling"),
        "{said}"
    );
    assert_eq!(plant.certificate("m1.pem").await["status"], "valid");
}

#[tokio::test]
async fn a_certificate_that_is_not_confirmed_in_time_is_revoked() {
    let plant = Plant::with(json!({ "confirm_wait_seconds": 600 })).await;
    let secret = plant.secret("line-1", json!({})).await;
    let text = format!("pass:{}", secret.text);
    plant.key("m1.key").await;
    let mut ir = by_secret("line-1", &text);
    ir.extend(["-cmd", "ir", "-newkey", "m1.key", "-subject", NAME]);
    ir.extend(["-sans", SANS, "-certout", "m1.pem", "-disable_confirm"]);
    plant.enroll(&ir).await;
    assert_eq!(plant.certificate("m1.pem").await["status"], "valid");
    plant
        .server
        .clock
        .advance(std::time::Duration::from_secs(700));
    plant.server.run_jobs().await;
    assert_eq!(plant.certificate("m1.pem").await["status"], "revoked");
}

#[tokio::test]
async fn a_certificate_whose_update_nobody_confirms_is_not_replaced() {
    let plant = Plant::start().await;
    first_certificate(&plant).await;
    plant.root().await;
    plant.key("m1b.key").await;
    let mut kur = vec!["-cmd", "kur", "-cert", "m1.pem", "-key", "m1.key"];
    kur.extend(["-newkey", "m1b.key", "-trusted", "root.pem"]);
    kur.extend(["-certout", "m1b.pem", "-disable_confirm"]);
    plant.enroll(&kur).await;
    let updated = plant.certificate("m1b.pem").await;
    let old = plant.certificate("m1.pem").await["id"].clone();
    let path = format!("/api/v1/certificates/{}", old.as_str().unwrap());
    assert_eq!(plant.get(&path).await["replaced_by"], updated["id"]);
    let clock = &plant.server.clock;
    clock.advance(std::time::Duration::from_secs(2 * 3600));
    let is_revoked = async || plant.certificate("m1b.pem").await["status"] == "revoked";
    plant.server.run_jobs_until(is_revoked).await;
    let old = plant.get(&path).await;
    assert_eq!(old["replaced_by"], Value::Null, "{old}");
    assert_eq!(old["status"], "valid");
}

#[tokio::test]
async fn openssl_asks_for_the_certificates_of_the_cas() {
    let plant = Plant::start().await;
    let secret = plant.secret("line-1", json!({})).await;
    let text = format!("pass:{}", secret.text);
    let mut genm = by_secret("line-1", &text);
    genm.extend(["-cmd", "genm", "-infotype", "caCerts"]);
    let said = plant.enroll(&genm).await;
    assert!(
        said.contains("genp contains ITAV of type: id-it-caCerts"),
        "{said}"
    );
}
