//! instant-acme, a Rust client, in process.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use instant_acme::{
    Account, CertificateIdentifier, ChallengeType, Error, ExternalAccountKey, NewOrder,
    RevocationReason, RevocationRequest,
};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::challenge_server::Answering;
use super::issuing::{Wish, account, identifier, issue};
use super::openssl::Issued;
use super::site::Site;

async fn site() -> Site {
    Site::with(Answering::ChallengeServer, &[]).await
}

pub fn leaf(chain: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(chain.as_bytes()).unwrap()
}

/// The identifier of RFC 9773 section 4.1.
fn renewal_identifier(leaf: &CertificateDer<'_>) -> CertificateIdentifier<'static> {
    let (_, certificate) = x509_parser::parse_x509_certificate(leaf).unwrap();
    let authority = certificate
        .iter_extensions()
        .find_map(|extension| match extension.parsed_extension() {
            x509_parser::extensions::ParsedExtension::AuthorityKeyIdentifier(found) => found
                .key_identifier
                .as_ref()
                .map(|identifier| identifier.0.to_vec()),
            _ => None,
        })
        .unwrap();
    CertificateIdentifier::new(authority.as_slice().into(), certificate.raw_serial().into())
}

#[tokio::test]
async fn instant_acme_issues_by_every_challenge() {
    let site = site().await;
    let (account, _) = account(&site, None).await.unwrap();
    for (challenge, name) in [
        (ChallengeType::Http01, "a.example.org"),
        (ChallengeType::Dns01, "*.example.org"),
        (ChallengeType::TlsAlpn01, "c.example.org"),
    ] {
        let names = [name];
        let wish = Wish {
            challenge,
            ..Wish::of(&names)
        };
        let issued = Issued::from_pem(&site, &issue(&site, &account, &wish).await);
        issued.verify_for(&site, &name.replace('*', "any")).await;
    }
}

#[tokio::test]
async fn instant_acme_binds_its_account_with_an_external_key() {
    let required = [("ACME__EXTERNAL_ACCOUNT_REQUIRED", "true")];
    let site = Site::with(Answering::ChallengeServer, &required).await;
    let unbound = account(&site, None).await.map(drop).unwrap_err();
    assert!(
        unbound.to_string().contains("externalAccountRequired"),
        "{unbound}"
    );

    let (kid, hmac) = site.eab_key().await;
    let key = ExternalAccountKey::new(kid, &BASE64_URL_SAFE_NO_PAD.decode(hmac).unwrap());
    let (bound, _) = account(&site, Some(&key)).await.unwrap();
    assert!(bound.id().starts_with(&site.url));
}

#[tokio::test]
async fn instant_acme_renews_in_the_suggested_window_and_says_what_it_replaces() {
    let site = site().await;
    let (account, _) = account(&site, None).await.unwrap();
    let wish = Wish::of(&["a.example.org"]);
    let first = leaf(&issue(&site, &account, &wish).await);
    let first = renewal_identifier(&first);
    let (information, _) = account.renewal_info(&first).await.unwrap();
    let window = information.suggested_window;
    assert!(window.start < window.end);

    let renewal = Wish {
        replaces: Some(first.clone()),
        ..wish
    };
    let second = issue(&site, &account, &renewal).await;
    Issued::from_pem(&site, &second)
        .verify_for(&site, "a.example.org")
        .await;

    // RFC 9773 section 5: one certificate is replaced once.
    let names = [identifier("a.example.org")];
    let again = account
        .new_order(&NewOrder::new(&names).replaces(first))
        .await;
    let refusal = again.map(drop).unwrap_err();
    assert!(refusal.to_string().contains("alreadyReplaced"), "{refusal}");
}

#[tokio::test]
async fn instant_acme_changes_its_key_and_goes_on_with_the_new_one() {
    let site = site().await;
    let (mut changed, old) = account(&site, None).await.unwrap();
    let new = changed.update_key().await.unwrap();

    let builder = || Account::builder_with_root(site.root()).unwrap();
    let refused = builder().from_credentials(old).await.unwrap();
    let names = [identifier("a.example.org")];
    let refusal = refused
        .new_order(&NewOrder::new(&names))
        .await
        .map(drop)
        .unwrap_err();
    assert!(matches!(refusal, Error::Api(_)), "{refusal}");

    let account = builder().from_credentials(new).await.unwrap();
    let chain = issue(&site, &account, &Wish::of(&["a.example.org"])).await;
    Issued::from_pem(&site, &chain)
        .verify_for(&site, "a.example.org")
        .await;
}

#[tokio::test]
async fn instant_acme_revokes_once() {
    let site = site().await;
    let (account, _) = account(&site, None).await.unwrap();
    let chain = issue(&site, &account, &Wish::of(&["a.example.org"])).await;
    let certificate = leaf(&chain);
    let request = || RevocationRequest {
        certificate: &certificate,
        reason: Some(RevocationReason::CessationOfOperation),
    };
    account.revoke(&request()).await.unwrap();
    let issued = Issued::from_pem(&site, &chain);
    assert_eq!(issued.ocsp_status(&site).await, "revoked");
    let refusal = account.revoke(&request()).await.unwrap_err();
    assert!(refusal.to_string().contains("alreadyRevoked"), "{refusal}");
}

#[tokio::test]
async fn instant_acme_sees_the_profiles_and_chooses_one() {
    let site = site().await;
    let (account, _) = account(&site, None).await.unwrap();
    let names: Vec<_> = account
        .profiles()
        .map(|profile| profile.name.to_owned())
        .collect();
    assert!(names.iter().any(|name| name == "short-lived"), "{names:?}");
    let wish = Wish {
        profile: Some("short-lived"),
        ..Wish::of(&["a.example.org"])
    };
    let chain = issue(&site, &account, &wish).await;
    let leaf = leaf(&chain);
    let (_, certificate) = x509_parser::parse_x509_certificate(&leaf).unwrap();
    let validity = certificate.validity();
    let life = validity.not_after.timestamp() - validity.not_before.timestamp();
    assert!(life <= 7 * 24 * 60 * 60, "{life} seconds");
}

#[tokio::test]
async fn instant_acme_deactivates_its_account() {
    let site = site().await;
    let (first, credentials) = account(&site, None).await.unwrap();
    first.deactivate().await.unwrap();
    let builder = Account::builder_with_root(site.root()).unwrap();
    let account = builder.from_credentials(credentials).await.unwrap();
    let names = [identifier("a.example.org")];
    let refusal = account
        .new_order(&NewOrder::new(&names))
        .await
        .map(drop)
        .unwrap_err();
    assert!(refusal.to_string().contains("unauthorized"), "{refusal}");
}
