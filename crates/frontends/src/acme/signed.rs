//! The checks that every signed request passes (RFC 8555 sections 6.2 to 6.5), in one extractor,
//! so that a new route cannot forget one.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, OriginalUri, Request};
use axum::extract::{FromRequestParts, RawPathParams};
use domain::acme::account::{Account, AccountStatus};
use domain::acme::directory::Directory;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use lifecycle::acme::nonces::Redemption;
use lifecycle::actor::Caller;
use protocols::acme::jwk::Jwk;
use protocols::acme::jws::{
    self, FlattenedJws, KeyReference, UnverifiedJws, VerifiedJws, VerifyingKey,
};
use protocols::acme::problem::{Problem, ProblemType};
use serde::de::DeserializeOwned;

use super::AcmeState;
use super::failure::Failure;
use super::urls::Urls;
use crate::origin::Origin;

/// A request whose signature, URL and nonce hold.
pub(crate) struct Signed {
    pub(crate) directory: Arc<Directory>,
    pub(crate) urls: Urls,
    pub(crate) origin: Origin,
    pub(crate) jws: VerifiedJws,
    pub(crate) signer: Signer,
    /// Named parts of the path besides the directory.
    params: Vec<(String, String)>,
}

/// Who signed.
pub(crate) enum Signer {
    /// `kid`: a valid account of this directory.
    Account(Arc<Account>),
    /// `jwk`: whoever holds the key.
    Key(VerifyingKey),
}

/// A request signed by an account.
pub(crate) struct ByAccount {
    pub(crate) directory: Arc<Directory>,
    pub(crate) urls: Urls,
    pub(crate) origin: Origin,
    pub(crate) jws: VerifiedJws,
    pub(crate) account: Arc<Account>,
    params: Vec<(String, String)>,
}

/// A request signed by a key that is in it.
pub(crate) struct ByKey {
    pub(crate) directory: Arc<Directory>,
    pub(crate) urls: Urls,
    pub(crate) origin: Origin,
    pub(crate) jws: VerifiedJws,
    pub(crate) key: VerifyingKey,
}

impl ByAccount {
    /// Reads a part of the path as an id; a text that is none names nothing there is.
    pub(crate) fn param<T: std::str::FromStr>(&self, name: &str) -> Result<T, Failure> {
        read_param(&self.params, name).ok_or_else(|| Failure::not_found("resource"))
    }

    /// Reads the payload.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        read_json(&self.jws)
    }

    /// For resources that are only fetched (RFC 8555 section 6.3).
    pub(crate) fn require_post_as_get(&self) -> Result<(), Failure> {
        if self.jws.is_post_as_get() {
            return Ok(());
        }
        Err(Failure::malformed(
            "this resource is only fetched: send POST-as-GET, whose payload is empty and not {}",
        ))
    }

    /// The account, for events.
    pub(crate) fn caller(&self) -> Caller {
        Caller::acme_account(
            self.account.id.as_str(),
            self.origin.address.clone(),
            self.origin.request_id.clone(),
        )
    }
}

/// Reads a payload; what is wrong with it is told.
pub(crate) fn read_json<T: DeserializeOwned>(jws: &VerifiedJws) -> Result<T, Failure> {
    jws.json()
        .map_err(|error| Failure::malformed(format!("the payload cannot be used: {error}")))
}

impl FromRequest<AcmeState> for Signed {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &AcmeState) -> Result<Self, Failure> {
        let (mut parts, body) = request.into_parts();
        let (directory, params) = path_params(&mut parts, state).await?;
        require_content_type(&parts)?;
        let body = read_body(Request::from_parts(parts.clone(), body), state).await?;
        let jws = FlattenedJws::parse(&body).map_err(|error| error.problem())?;
        spend_nonce(state, &directory, &jws).await?;
        let public_url = &state.lifecycle.settings().public_url;
        let requested = format!("{public_url}{}", path_and_query(&parts));
        jws.check_url(&requested).map_err(|error| error.problem())?;
        let urls = Urls::new(public_url, &directory.name);
        let (signer, key) = resolve_signer(state, &directory, &urls, jws.key()).await?;
        let jws = jws.verify(&key).map_err(|error| error.problem())?;
        Ok(Self {
            origin: Origin::of(&parts.extensions),
            directory,
            urls,
            jws,
            signer,
            params,
        })
    }
}

impl FromRequest<AcmeState> for ByAccount {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &AcmeState) -> Result<Self, Failure> {
        let signed = Signed::from_request(request, state).await?;
        match signed.signer {
            Signer::Account(account) => Ok(Self {
                directory: signed.directory,
                urls: signed.urls,
                origin: signed.origin,
                jws: signed.jws,
                account,
                params: signed.params,
            }),
            Signer::Key(_) => Err(Failure::malformed(
                "this request is signed by an account: send its URL as `kid` instead of a `jwk`",
            )),
        }
    }
}

impl FromRequest<AcmeState> for ByKey {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &AcmeState) -> Result<Self, Failure> {
        let signed = Signed::from_request(request, state).await?;
        match signed.signer {
            Signer::Key(key) => Ok(Self {
                directory: signed.directory,
                urls: signed.urls,
                origin: signed.origin,
                jws: signed.jws,
                key,
            }),
            Signer::Account(_) => Err(Failure::malformed(
                "this request is signed by the new account's own key: send it as `jwk` instead of a `kid`",
            )),
        }
    }
}

fn read_param<T: std::str::FromStr>(params: &[(String, String)], name: &str) -> Option<T> {
    let (_, value) = params.iter().find(|(key, _)| key == name)?;
    value.parse().ok()
}

async fn path_params(
    parts: &mut Parts,
    state: &AcmeState,
) -> Result<(Arc<Directory>, Vec<(String, String)>), Failure> {
    let raw = RawPathParams::from_request_parts(parts, state)
        .await
        .map_err(|_| Failure::not_found("resource"))?;
    let params: Vec<(String, String)> = raw
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let name = params
        .iter()
        .find(|(name, _)| name == "directory")
        .map_or("", |(_, value)| value.as_str());
    Ok((find_directory(state, name).await?, params))
}

/// The directory of a path, or the problem that there is none.
pub(crate) async fn find_directory(
    state: &AcmeState,
    name: &str,
) -> Result<Arc<Directory>, Failure> {
    state
        .lifecycle
        .directory(name)
        .await?
        .ok_or_else(|| Failure::not_found("ACME directory"))
}

/// For the resources that need no signature.
pub(crate) struct Unsigned {
    pub(crate) directory: Arc<Directory>,
    pub(crate) urls: Urls,
    params: Vec<(String, String)>,
}

impl Unsigned {
    /// Reads a part of the path.
    pub(crate) fn param<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        read_param(&self.params, name)
    }
}

impl FromRequestParts<AcmeState> for Unsigned {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &AcmeState) -> Result<Self, Failure> {
        let (directory, params) = path_params(parts, state).await?;
        let urls = Urls::new(&state.lifecycle.settings().public_url, &directory.name);
        Ok(Self {
            directory,
            urls,
            params,
        })
    }
}

fn require_content_type(parts: &Parts) -> Result<(), Failure> {
    let sent = parts
        .headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let media_type = sent.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case(jws::CONTENT_TYPE) {
        return Ok(());
    }
    Err(Problem::malformed(format!(
        "send the request as Content-Type: {}",
        jws::CONTENT_TYPE
    ))
    .with_status(415)
    .into())
}

async fn read_body(request: Request, state: &AcmeState) -> Result<Bytes, Failure> {
    Bytes::from_request(request, state).await.map_err(|error| {
        let status = error.status().as_u16();
        Problem::malformed("the body is too large or did not arrive; at most 50 kB are taken")
            .with_status(status)
            .into()
    })
}

fn path_and_query(parts: &Parts) -> String {
    let uri = parts
        .extensions
        .get::<OriginalUri>()
        .map_or(&parts.uri, |OriginalUri(uri)| uri);
    uri.path_and_query()
        .map_or_else(|| uri.path().to_owned(), ToString::to_string)
}

/// RFC 8555 section 6.5: a nonce is spent by its first appearance, whatever becomes of the request.
async fn spend_nonce(
    state: &AcmeState,
    directory: &Directory,
    jws: &UnverifiedJws,
) -> Result<(), Failure> {
    let redemption = state.lifecycle.redeem_nonce(jws.nonce()).await?;
    let is_refused_anyway = directory
        .spec
        .test_mode
        .as_ref()
        .is_some_and(|test| state.lifecycle.chance(test.refuse_nonces_percent));
    match redemption {
        Redemption::Accepted if !is_refused_anyway => Ok(()),
        Redemption::Accepted | Redemption::Refused => Err(Failure::new(
            ProblemType::BadNonce,
            "the nonce is unknown or was used before; send the request again with the Replay-Nonce of this answer",
        )),
    }
}

async fn resolve_signer(
    state: &AcmeState,
    directory: &Directory,
    urls: &Urls,
    key: &KeyReference,
) -> Result<(Signer, VerifyingKey), Failure> {
    match key {
        KeyReference::Jwk(jwk) => {
            let key = parsed_key(state, jwk)?;
            Ok((Signer::Key(key.clone()), key))
        }
        KeyReference::Kid(kid) => {
            let account = find_account(state, directory, urls, kid).await?;
            let key = account_key(state, &account)?;
            Ok((Signer::Account(account), key))
        }
    }
}

async fn find_account(
    state: &AcmeState,
    directory: &Directory,
    urls: &Urls,
    kid: &str,
) -> Result<Arc<Account>, Failure> {
    let unknown = || {
        Failure::new(
            ProblemType::AccountDoesNotExist,
            "no account of this directory has the URL in `kid`; register with newAccount",
        )
    };
    let id = urls.account_id(kid).ok_or_else(unknown)?;
    let account = state
        .lifecycle
        .account(&id)
        .await?
        .filter(|account| account.directory_id == directory.id)
        .ok_or_else(unknown)?;
    match account.status {
        AccountStatus::Valid => Ok(account),
        AccountStatus::Deactivated | AccountStatus::Revoked => Err(Problem::unauthorized(
            "the account is deactivated; register a new one with another key",
        )
        .with_status(401)
        .into()),
    }
}

/// The parsed key of an account.
pub(crate) fn account_key(state: &AcmeState, account: &Account) -> Result<VerifyingKey, Failure> {
    if let Some(key) = state.keys.get(&account.thumbprint) {
        return Ok(key);
    }
    let jwk = Jwk::parse(account.jwk.as_bytes()).map_err(|error| Failure::internal(&error))?;
    parsed_key(state, &jwk)
}

fn parsed_key(state: &AcmeState, jwk: &Jwk) -> Result<VerifyingKey, Failure> {
    let thumbprint = jwk.thumbprint().to_string();
    if let Some(key) = state.keys.get(&thumbprint) {
        return Ok(key);
    }
    let key = VerifyingKey::new(jwk.clone()).map_err(|error| error.problem())?;
    state.keys.insert(thumbprint, key.clone());
    Ok(key)
}
