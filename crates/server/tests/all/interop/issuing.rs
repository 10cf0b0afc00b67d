//! Issuance through instant-acme, in process, with keys and CSRs from OpenSSL.

use std::path::PathBuf;
use std::time::Duration;

use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, CertificateIdentifier, ChallengeType,
    ExternalAccountKey, Identifier, NewAccount, NewOrder, Order, OrderStatus, RetryPolicy,
};

use super::process::{succeed, tool};
use super::site::Site;

const PATIENCE: RetryPolicy = RetryPolicy::new()
    .initial_delay(Duration::from_millis(50))
    .backoff(1.2)
    .timeout(Duration::from_secs(30));

/// A new account at the site's directory.
pub async fn account(
    site: &Site,
    external: Option<&ExternalAccountKey>,
) -> Result<(Account, AccountCredentials), instant_acme::Error> {
    let contact = NewAccount {
        contact: &["mailto:ops@example.org"],
        terms_of_service_agreed: true,
        only_return_existing: false,
    };
    let builder = Account::builder_with_root(site.root()).unwrap();
    builder.create(&contact, site.directory(), external).await
}

/// What is asked for.
pub struct Wish<'a> {
    pub names: &'a [&'a str],
    pub challenge: ChallengeType,
    pub profile: Option<&'a str>,
    pub replaces: Option<CertificateIdentifier<'a>>,
    /// In the words of `openssl req -newkey`.
    pub key: &'a [&'a str],
}

impl<'a> Wish<'a> {
    /// These names by http-01 with a P-256 key.
    pub fn of(names: &'a [&'a str]) -> Self {
        Self {
            names,
            challenge: ChallengeType::Http01,
            profile: None,
            replaces: None,
            key: P256,
        }
    }
}

pub const P256: &[&str] = &["ec", "-pkeyopt", "ec_paramgen_curve:P-256"];

/// Orders, proves control, finalizes, and returns the chain in PEM.
pub async fn issue(site: &Site, account: &Account, wish: &Wish<'_>) -> String {
    let mut order = order(account, wish).await;
    prove_control(site, &mut order, &wish.challenge).await;
    assert_eq!(
        order.poll_ready(&PATIENCE).await.unwrap(),
        OrderStatus::Ready
    );
    let csr = csr(site, wish).await;
    order
        .finalize_csr(&std::fs::read(csr).unwrap())
        .await
        .unwrap();
    order.poll_certificate(&PATIENCE).await.unwrap()
}

async fn order(account: &Account, wish: &Wish<'_>) -> Order {
    let identifiers: Vec<Identifier> = wish.names.iter().map(|name| identifier(name)).collect();
    let mut new = NewOrder::new(&identifiers);
    if let Some(profile) = wish.profile {
        new = new.profile(profile);
    }
    if let Some(replaces) = &wish.replaces {
        new = new.replaces(replaces.clone());
    }
    account.new_order(&new).await.unwrap()
}

pub fn identifier(name: &str) -> Identifier {
    match name.parse() {
        Ok(address) => Identifier::Ip(address),
        Err(_) => Identifier::Dns(name.to_owned()),
    }
}

/// Meets one challenge of that kind for every pending authorization.
pub async fn prove_control(site: &Site, order: &mut Order, kind: &ChallengeType) {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization.unwrap();
        if authorization.status == AuthorizationStatus::Valid {
            continue;
        }
        let mut challenge = authorization
            .challenge(kind.clone())
            .expect("the challenge is offered");
        let answer = challenge.key_authorization();
        let name = match challenge.identifier().identifier {
            Identifier::Dns(name) => name.clone(),
            other => panic!("no challenge server for {other:?}"),
        };
        match kind {
            ChallengeType::Http01 => {
                site.challenges
                    .add_http01(&challenge.token, answer.as_str())
                    .await
            }
            ChallengeType::Dns01 => site.challenges.set_txt(&name, &answer.dns_value()).await,
            ChallengeType::TlsAlpn01 => site.challenges.add_tlsalpn01(&name, answer.as_str()).await,
            other => panic!("unexpected {other:?}"),
        }
        challenge.set_ready().await.unwrap();
    }
}

/// A CSR in DER, with a new key in PEM beside it.
pub async fn csr(site: &Site, wish: &Wish<'_>) -> PathBuf {
    let folder = tempfile::tempdir_in(&site.folder).unwrap().keep();
    let names: Vec<String> = wish.names.iter().map(|name| san(name)).collect();
    let csr = folder.join("csr.der");
    let mut request = tool("openssl");
    request.args([
        "req", "-new", "-nodes", "-subj", "/", "-outform", "DER", "-newkey",
    ]);
    request
        .args(wish.key)
        .arg("-keyout")
        .arg(folder.join("key.pem"));
    request.args(["-addext", &format!("subjectAltName={}", names.join(","))]);
    succeed(request.arg("-out").arg(&csr)).await;
    csr
}

fn san(name: &str) -> String {
    match identifier(name) {
        Identifier::Ip(address) => format!("IP:{address}"),
        _ => format!("DNS:{name}"),
    }
}
