//! An OpenID Connect provider that says what a test wants it to say.

use std::collections::HashMap;
use std::sync::Arc;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use parking_lot::Mutex;
use serde_json::{Value, json};

/// How an ID token is made: header, claims, and with what it is signed.
type Change = Box<dyn Fn(&mut Value, &mut Value) -> Signing + Send + Sync>;

/// With what an ID token is signed.
pub enum Signing {
    /// The key that the provider publishes.
    Own,
    /// Another key.
    Stranger,
    /// The published key's octets, as if they were a shared secret (HS256).
    PublicKeyAsSecret,
    /// Nothing.
    None,
}

/// A provider on loopback.
#[derive(Clone)]
pub struct LyingProvider {
    pub issuer: String,
    inner: Arc<Inner>,
}

struct Inner {
    key: EcdsaKeyPair,
    stranger: EcdsaKeyPair,
    /// Codes that were given out, with nonce and PKCE challenge.
    codes: Mutex<HashMap<String, (String, String)>>,
    change: Mutex<Change>,
    now: Box<dyn Fn() -> i64 + Send + Sync>,
}

impl LyingProvider {
    pub async fn start(now: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let generate = || EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let provider = Self {
            issuer,
            inner: Arc::new(Inner {
                key: generate(),
                stranger: generate(),
                codes: Mutex::default(),
                change: Mutex::new(Box::new(|_, _| Signing::Own)),
                now: Box::new(now),
            }),
        };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(describe))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        provider
    }

    /// What the next ID tokens look like.
    pub fn lies(&self, change: impl Fn(&mut Value, &mut Value) -> Signing + Send + Sync + 'static) {
        *self.inner.change.lock() = Box::new(change);
    }

    /// What a browser would get for being sent to `url`: the query to come back with.
    pub fn authorize(&self, url: &str) -> String {
        let url: url::Url = url.parse().unwrap();
        let query: HashMap<_, _> = url.query_pairs().into_owned().collect();
        assert_eq!(query["code_challenge_method"], "S256");
        let code = format!("code-{}", self.inner.codes.lock().len());
        let kept = (query["nonce"].clone(), query["code_challenge"].clone());
        self.inner.codes.lock().insert(code.clone(), kept);
        format!("code={code}&state={}", query["state"])
    }

    fn id_token(&self, nonce: &str) -> String {
        let now = (self.inner.now)();
        let mut header = json!({ "alg": "ES256", "kid": "one", "typ": "JWT" });
        let mut claims = json!({
            "iss": self.issuer, "aud": "certwright", "sub": "4711", "nonce": nonce,
            "iat": now, "exp": now + 300,
            "preferred_username": "ada", "name": "Ada Lovelace", "email": "ada@example.org",
            "email_verified": true, "groups": ["pki"],
        });
        let signing = (self.inner.change.lock())(&mut header, &mut claims);
        let part = |value: &Value| BASE64.encode(serde_json::to_vec(value).unwrap());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let by = |key: &EcdsaKeyPair| {
            let signature = key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
            signature.as_ref().to_vec()
        };
        let signature = match signing {
            Signing::Own => by(&self.inner.key),
            Signing::Stranger => by(&self.inner.stranger),
            Signing::None => Vec::new(),
            Signing::PublicKeyAsSecret => {
                let secret = self.inner.key.public_key().as_ref();
                let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
                hmac::sign(&key, signed.as_bytes()).as_ref().to_vec()
            }
        };
        format!("{signed}.{}", BASE64.encode(signature))
    }
}

async fn describe(State(provider): State<LyingProvider>) -> Json<Value> {
    let issuer = &provider.issuer;
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256", "HS256", "none"],
    }))
}

async fn keys(State(provider): State<LyingProvider>) -> Json<Value> {
    let point = provider.inner.key.public_key().as_ref();
    Json(json!({ "keys": [{
        "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": "one",
        "x": BASE64.encode(&point[1..33]), "y": BASE64.encode(&point[33..65]),
    }]}))
}

async fn token(State(provider): State<LyingProvider>, body: String) -> axum::response::Response {
    let form = url::form_urlencoded::parse(body.as_bytes());
    let form: HashMap<_, _> = form.into_owned().collect();
    let known = provider.inner.codes.lock().remove(&form["code"]);
    let verifier = form.get("code_verifier").cloned().unwrap_or_default();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, verifier.as_bytes());
    match known {
        Some((nonce, challenge)) if challenge == BASE64.encode(digest.as_ref()) => Json(json!({
            "access_token": "access", "token_type": "Bearer",
            "id_token": provider.id_token(&nonce),
        }))
        .into_response(),
        Some(_) | None => {
            let body = Json(json!({ "error": "invalid_grant" }));
            (http::StatusCode::BAD_REQUEST, body).into_response()
        }
    }
}
