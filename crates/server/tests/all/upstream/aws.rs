//! AWS Private CA and Route 53, as moto emulates them.

use serde_json::json;

use super::Desk;
use super::bind::Bind;
use super::moto::Moto;
use super::pebble::{Habits, Pebble};

const MAKE_CA: &str = r#"
pca = session.client('acm-pca', endpoint_url=url)
made = pca.create_certificate_authority(
    CertificateAuthorityType='ROOT',
    CertificateAuthorityConfiguration={
        'KeyAlgorithm': 'RSA_2048', 'SigningAlgorithm': 'SHA256WITHRSA',
        'Subject': {'CommonName': 'Moto Root', 'Organization': 'Example'}})
arn = made['CertificateAuthorityArn']
csr = pca.get_certificate_authority_csr(CertificateAuthorityArn=arn)['Csr']
own = pca.issue_certificate(
    CertificateAuthorityArn=arn, Csr=csr.encode(), SigningAlgorithm='SHA256WITHRSA',
    TemplateArn='arn:aws:acm-pca:::template/RootCACertificate/V1',
    Validity={'Type': 'YEARS', 'Value': 10})
got = pca.get_certificate(CertificateAuthorityArn=arn, CertificateArn=own['CertificateArn'])
pca.import_certificate_authority_certificate(
    CertificateAuthorityArn=arn, Certificate=got['Certificate'].encode())
print(json.dumps(arn))
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn aws_private_ca_signs_by_an_arn_that_is_asked_after() {
    let (desk, moto) = (Desk::start().await, Moto::start().await);
    let arn = moto.python(MAKE_CA).await;
    let settings = json!({
        "region": "eu-central-1", "certificate_authority_arn": arn,
        "access_key_id": "AKIAEXAMPLE", "url": moto.url,
    });
    let secrets = json!({"secret_access_key": "secret"});
    desk.configure("aws-pca", settings, secrets).await;
    // The emulator dates nothing back, and has a clock of its own.
    desk.tick(60).await;
    let (passed, findings) = desk.test("aws-pca").await;
    assert!(passed, "{findings:#?}");
    // It gives every certificate a year, whatever it is asked for.
    desk.route_widely_to("aws-pca").await;
    desk.rule(|rules| rules["validity_seconds"] = json!(366 * 24 * 3600))
        .await;
    let place = desk.ask(&["aws.example.org"]).await;
    let state = desk.settle(&place, 3).await;
    assert_eq!(state["status"], "issued", "{state}");
    let chain = super::chain(&state);
    assert!(
        chain[0].issuer.to_string().contains("Moto Root"),
        "{}",
        chain[0].issuer
    );
    assert!(chain[0].is_signed_by(&chain[1]));
    desk.revoke(&place).await;
}

const MAKE_ZONE: &str = r#"
dns = session.client('route53', endpoint_url=url)
made = dns.create_hosted_zone(Name='example.org.', CallerReference='1')
dns.change_resource_record_sets(HostedZoneId=made['HostedZone']['Id'], ChangeBatch={'Changes': [
    {'Action': 'UPSERT', 'ResourceRecordSet': {
        'Name': '_acme-challenge.r53.example.org.', 'Type': 'TXT', 'TTL': 60,
        'ResourceRecords': [{'Value': '"somebody elses"'}]}}]})
print(json.dumps(made['HostedZone']['Id']))
"#;

const LOOK: &str = r#"
dns = session.client('route53', endpoint_url=url)
zone = dns.list_hosted_zones()['HostedZones'][0]['Id']
sets = dns.list_resource_record_sets(HostedZoneId=zone)['ResourceRecordSets']
print(json.dumps([record['Value'] for one in sets if one['Type'] == 'TXT' for record in one['ResourceRecords']]))
"#;

/// The CA asks another name server, so it sees no proof: what is looked at is what Route 53 was told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn route_53_keeps_what_others_wrote_beside_the_proof() {
    let (desk, moto, bind) = (
        Desk::start().await,
        Moto::start().await,
        Bind::start().await,
    );
    moto.python(MAKE_ZONE).await;
    let pebble = Pebble::start(Habits {
        http_port: 9,
        dns: bind.address,
        nonces_refused: 5,
        sleep: 0,
    })
    .await;
    let provider = json!({"type": "route53", "access_key_id": "AKIAEXAMPLE", "url": moto.url});
    let solver = json!({
        "challenge": "dns-01", "provider": provider, "propagation_seconds": 3600,
    });
    let secrets = json!({"secret_access_key": "secret"});
    desk.configure("acme", pebble.settings(solver), secrets)
        .await;
    let (passed, findings) = desk.test("acme").await;
    assert!(passed, "{findings:#?}");
    desk.route_to("acme").await;
    let place = desk.ask(&["r53.example.org"]).await;
    let mut values = Vec::new();
    let both = async || {
        values = moto.python(LOOK).await.as_array().unwrap().clone();
        values.len() == 2
    };
    assert!(desk.tick_until(5, both).await, "{values:?}");
    assert_eq!(values[0], "\"somebody elses\"");
    desk.server
        .clock
        .advance(std::time::Duration::from_secs(3600));
    let state = desk.settle(&place, 5).await;
    assert_eq!(state["status"], "failed", "{state}");
    assert_eq!(moto.python(LOOK).await, json!(["\"somebody elses\""]));
}
