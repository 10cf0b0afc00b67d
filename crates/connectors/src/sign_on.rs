//! OpenID Connect (Core 1.0, Discovery 1.0) with the authorization code flow and PKCE.
//!
//! People sign in seldom, so nothing is cached: each sign-in reads the provider's description and its
//! keys anew, and a key that was withdrawn is worth nothing from the next sign-in on.

use std::pin::Pin;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::sign_on::{Errand, Identity, ProviderSpec, SignOnClient, SignOnError, TokenAlgorithm};
use http::header::{ACCEPT, AUTHORIZATION};
use http::{HeaderValue, Request, StatusCode};
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreIdToken, CoreJwsSigningAlgorithm, CoreProviderMetadata,
};
use openidconnect::{
    AsyncHttpClient, AuthorizationCode, ClientId, ClientSecret, CsrfToken, DiscoveryError,
    HttpRequest, HttpResponse, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, TokenResponse,
};
use pki::time::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use crate::net::trust::verifying_client;
use crate::net::{Dialer, ServiceError, ServiceHttp, excerpt};

/// Talks to OpenID Connect providers through the guarded dialer.
pub struct OpenIdConnect {
    dialer: Dialer,
}

impl OpenIdConnect {
    /// A client that dials through `dialer`.
    pub fn new(dialer: Dialer) -> Self {
        Self { dialer }
    }

    fn http(&self, spec: &ProviderSpec) -> Result<Http, SignOnError> {
        let tls = verifying_client(spec.ca_certificates.as_deref(), None, &[b"http/1.1"])
            .map_err(|error| SignOnError::Unreachable(error.to_string()))?;
        // The rules of a provider let plain http be for loopback alone.
        let allows_plain = spec.issuer.starts_with("http://");
        let http = ServiceHttp::new(self.dialer.clone(), tls, allows_plain);
        Ok(Http(http))
    }
}

/// The guarded client, as the protocol's library wants one.
struct Http(ServiceHttp);

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = ServiceError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, ServiceError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.0.send(request))
    }
}

#[async_trait]
impl SignOnClient for OpenIdConnect {
    async fn authorization_url(
        &self,
        spec: &ProviderSpec,
        errand: &Errand,
        state: &str,
    ) -> Result<String, SignOnError> {
        let http = self.http(spec)?;
        let metadata = discover(spec, &http).await?;
        let client_id = ClientId::new(spec.client_id.clone());
        let client = CoreClient::from_provider_metadata(metadata, client_id, None)
            .set_redirect_uri(redirect(errand)?);
        let verifier = PkceCodeVerifier::new(errand.verifier.expose_secret().to_owned());
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier);
        let nonce = errand.nonce.expose_secret().to_owned();
        let state = state.to_owned();
        let (url, _, _) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                move || CsrfToken::new(state),
                move || Nonce::new(nonce),
            )
            .add_scopes(
                spec.scopes
                    .iter()
                    .filter(|scope| *scope != "openid")
                    .cloned()
                    .map(Scope::new),
            )
            .set_pkce_challenge(challenge)
            .url();
        Ok(url.to_string())
    }

    async fn identify(
        &self,
        spec: &ProviderSpec,
        secret: Option<&SecretString>,
        errand: &Errand,
        code: &SecretString,
        now: Timestamp,
    ) -> Result<Identity, SignOnError> {
        let http = self.http(spec)?;
        let metadata = discover(spec, &http).await?;
        let userinfo = metadata
            .userinfo_endpoint()
            .map(|endpoint| endpoint.url().to_string());
        let client_id = ClientId::new(spec.client_id.clone());
        let secret = secret.map(|secret| ClientSecret::new(secret.expose_secret().to_owned()));
        let client = CoreClient::from_provider_metadata(metadata, client_id, secret)
            .set_redirect_uri(redirect(errand)?);
        let request = client
            .exchange_code(AuthorizationCode::new(code.expose_secret().to_owned()))
            .map_err(|error| SignOnError::Untrusted(error.to_string()))?
            .set_pkce_verifier(PkceCodeVerifier::new(
                errand.verifier.expose_secret().to_owned(),
            ));
        let answer = request.request_async(&http).await.map_err(refused)?;
        let token = answer
            .id_token()
            .ok_or_else(|| untrusted("there is no ID token"))?;
        let verifier = client
            .id_token_verifier()
            .set_allowed_algs(spec.algorithms.iter().map(|algorithm| named(*algorithm)))
            .set_time_fn(move || instant(now).into());
        let nonce = Nonce::new(errand.nonce.expose_secret().to_owned());
        // Issuer, audience, expiry, nonce and signature; a `kid` is compared with those of the
        // provider's keys and is nothing else.
        let verified = token
            .claims(&verifier, &nonce)
            .map_err(|error| untrusted(&error.to_string()))?;
        let subject = verified.subject().as_str().to_owned();
        let mut claims = payload(token)?;
        check_not_before(&claims, now)?;
        if is_incomplete(&claims, spec)
            && let Some(url) = userinfo
        {
            let more = more_claims(&http, &url, answer.access_token().secret(), &subject).await?;
            for (name, value) in more {
                claims.entry(name).or_insert(value);
            }
        }
        Ok(identity(subject, &claims, spec))
    }
}

async fn discover(spec: &ProviderSpec, http: &Http) -> Result<CoreProviderMetadata, SignOnError> {
    let issuer = IssuerUrl::new(spec.issuer.clone())
        .map_err(|error| SignOnError::Unreachable(error.to_string()))?;
    CoreProviderMetadata::discover_async(issuer, http)
        .await
        .map_err(|error| match error {
            DiscoveryError::Request(error) => SignOnError::Unreachable(error.to_string()),
            DiscoveryError::Response(status, _, text) => SignOnError::Refused(format!(
                "it answers {status} to discovery: {}",
                excerpt(text.as_bytes())
            )),
            other => untrusted(&format!("its description: {other}")),
        })
}

fn redirect(errand: &Errand) -> Result<RedirectUrl, SignOnError> {
    RedirectUrl::new(errand.redirect.clone())
        .map_err(|error| SignOnError::Untrusted(error.to_string()))
}

fn refused<T>(error: RequestTokenError<ServiceError, T>) -> SignOnError
where
    T: openidconnect::ErrorResponse + std::fmt::Display + 'static,
{
    match error {
        RequestTokenError::Request(error) => SignOnError::Unreachable(error.to_string()),
        RequestTokenError::ServerResponse(answer) => {
            SignOnError::Refused(excerpt(answer.to_string().as_bytes()))
        }
        RequestTokenError::Parse(error, _) => untrusted(&format!("its token answer: {error}")),
        RequestTokenError::Other(text) => untrusted(&text),
    }
}

fn untrusted(text: &str) -> SignOnError {
    SignOnError::Untrusted(excerpt(text.as_bytes()))
}

fn named(algorithm: TokenAlgorithm) -> CoreJwsSigningAlgorithm {
    match algorithm {
        TokenAlgorithm::Rs256 => CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
        TokenAlgorithm::Rs384 => CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
        TokenAlgorithm::Rs512 => CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
        TokenAlgorithm::Ps256 => CoreJwsSigningAlgorithm::RsaSsaPssSha256,
        TokenAlgorithm::Ps384 => CoreJwsSigningAlgorithm::RsaSsaPssSha384,
        TokenAlgorithm::Ps512 => CoreJwsSigningAlgorithm::RsaSsaPssSha512,
        TokenAlgorithm::Es256 => CoreJwsSigningAlgorithm::EcdsaP256Sha256,
        TokenAlgorithm::Es384 => CoreJwsSigningAlgorithm::EcdsaP384Sha384,
        TokenAlgorithm::EdDsa => CoreJwsSigningAlgorithm::EdDsa,
    }
}

fn instant(now: Timestamp) -> SystemTime {
    let millis = u64::try_from(now.millis()).unwrap_or(0);
    SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
}

/// All claims of a token whose signature was verified.
fn payload(token: &CoreIdToken) -> Result<Map<String, Value>, SignOnError> {
    let text = token.to_string();
    let claims = text.split('.').nth(1).unwrap_or_default();
    let octets = URL_SAFE_NO_PAD.decode(claims);
    octets
        .ok()
        .and_then(|octets| serde_json::from_slice(&octets).ok())
        .ok_or_else(|| untrusted("the ID token's claims cannot be read"))
}

/// RFC 7519 section 4.1.5, with a minute for clocks that differ.
fn check_not_before(claims: &Map<String, Value>, now: Timestamp) -> Result<(), SignOnError> {
    let Some(not_before) = claims.get("nbf") else {
        return Ok(());
    };
    let seconds = not_before
        .as_f64()
        .ok_or_else(|| untrusted("`nbf` is no time"))?;
    let latest = (now.millis() / 1000 + CLOCK_SKEW_SECONDS) as f64;
    match seconds <= latest {
        true => Ok(()),
        false => Err(untrusted("the ID token is not valid yet")),
    }
}

const CLOCK_SKEW_SECONDS: i64 = 60;

/// Many providers keep what they know of a person for the userinfo endpoint.
fn is_incomplete(claims: &Map<String, Value>, spec: &ProviderSpec) -> bool {
    find(claims, &spec.groups_claim).is_none()
        || !claims.contains_key("email")
        || !claims.contains_key("name")
}

/// OpenID Connect Core section 5.3: what comes back counts only if it is about the same subject.
async fn more_claims(
    http: &Http,
    url: &str,
    access_token: &str,
    subject: &str,
) -> Result<Map<String, Value>, SignOnError> {
    let bearer = HeaderValue::from_str(&format!("Bearer {access_token}"));
    let mut bearer = bearer.map_err(|_| untrusted("the access token cannot be sent"))?;
    bearer.set_sensitive(true);
    let request = Request::get(url)
        .header(ACCEPT, "application/json")
        .header(AUTHORIZATION, bearer)
        .body(Vec::new())
        .map_err(|error| untrusted(&error.to_string()))?;
    let answer = http
        .0
        .send(request)
        .await
        .map_err(|error| SignOnError::Unreachable(error.to_string()))?;
    if answer.status() != StatusCode::OK {
        return Err(SignOnError::Refused(format!(
            "its userinfo endpoint answers {}",
            answer.status()
        )));
    }
    let claims: Map<String, Value> = serde_json::from_slice(answer.body())
        .map_err(|_| untrusted("its userinfo answer is not JSON"))?;
    match claims.get("sub").and_then(Value::as_str) == Some(subject) {
        true => Ok(claims),
        false => Err(untrusted("its userinfo answer is about somebody else")),
    }
}

fn identity(subject: String, claims: &Map<String, Value>, spec: &ProviderSpec) -> Identity {
    let text = |name: &str| {
        let value = claims.get(name)?.as_str()?.trim();
        (!value.is_empty()).then(|| value.to_owned())
    };
    let is_verified = claims
        .get("email_verified")
        .is_some_and(|value| value.as_bool() == Some(true) || value.as_str() == Some("true"));
    Identity {
        subject,
        user_name: text("preferred_username"),
        display_name: text("name"),
        email: text("email").filter(|_| is_verified),
        groups: groups(find(claims, &spec.groups_claim)),
    }
}

/// A claim by its whole name, else by the path that its dots make (`realm_access.roles`).
fn find<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    if let Some(value) = claims.get(name) {
        return Some(value);
    }
    let (first, rest) = name.split_once('.')?;
    let mut value = claims.get(first)?;
    for part in rest.split('.') {
        value = value.get(part)?;
    }
    Some(value)
}

/// Groups as a list of texts, or one text.
fn groups(claim: Option<&Value>) -> Vec<String> {
    let named = |value: &Value| value.as_str().map(str::to_owned);
    let mut found: Vec<String> = match claim {
        Some(Value::Array(values)) => values.iter().filter_map(named).take(MAX_GROUPS).collect(),
        Some(value) => named(value).into_iter().collect(),
        None => Vec::new(),
    };
    found.sort_unstable();
    found.dedup();
    found
}

/// More groups of one person are not looked at.
const MAX_GROUPS: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn claims(value: Value) -> Map<String, Value> {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn groups_are_found_by_name_and_by_path() {
        let claims = claims(json!({
            "groups": ["b", "a", "b", 7],
            "realm_access": { "roles": ["x"] },
            "https://example.org/groups": "one",
        }));
        for (name, found) in [
            ("groups", vec!["a", "b"]),
            ("realm_access.roles", vec!["x"]),
            ("https://example.org/groups", vec!["one"]),
            ("realm_access", vec![]),
            ("nothing.here", vec![]),
        ] {
            assert_eq!(groups(find(&claims, name)), found, "{name}");
        }
    }

    #[test]
    fn a02_a_token_from_the_future_is_refused() {
        let now = Timestamp::from_millis(1_000_000_000);
        for (claim, accepted) in [
            (json!({}), true),
            (json!({ "nbf": 1_000_000 }), true),
            (json!({ "nbf": 1_000_060 }), true),
            (json!({ "nbf": 1_000_061 }), false),
            (json!({ "nbf": "soon" }), false),
        ] {
            let result = check_not_before(&claims(claim.clone()), now);
            assert_eq!(result.is_ok(), accepted, "{claim}");
        }
    }
}
