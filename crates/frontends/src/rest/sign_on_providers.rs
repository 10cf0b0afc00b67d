//! `/sign-on/providers`: which OpenID Connect providers there are, and what their groups may do here.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::access::RoleRef;
use domain::sign_on::{GroupGrant, Provider, ProviderSpec, TokenAlgorithm};
use http::{HeaderMap, StatusCode};
use lifecycle::Lifecycle;
use lifecycle::access::grants::NewGrant;
use lifecycle::sign_on::providers::{NewGroupGrant, NewProvider, NewSecret};
use protocols::rest::page::Page;
use protocols::rest::sign_on as wire;
use secrecy::SecretString;

use super::Verbs;
use super::access::{Fresh, Operator};
use super::etag::{expected_time, tag};
use super::extract::{Body, Named, Parameters};
use super::failure::Failure;
use super::listing::Everything;
use super::names::Names;

/// Sign-on providers, by name
#[utoipa::path(get, path = "/api/v1/sign-on/providers", tag = "sign-on",
    responses((status = 200, description = "All of them", body = Page<wire::Provider>)))]
pub(crate) async fn list(
    State(verbs): State<Verbs>,
    Parameters(Everything {}): Parameters<Everything>,
) -> Result<Json<Page<wire::Provider>>, Failure> {
    let shown = Shown::load(&verbs).await?;
    let found = verbs.list_providers().await?;
    Ok(Json(Page {
        items: found
            .iter()
            .map(|provider| shown.render(provider))
            .collect(),
        next: None,
    }))
}

/// One sign-on provider, without its client secret
#[utoipa::path(get, path = "/api/v1/sign-on/providers/{name}", tag = "sign-on",
    params(("name" = String, Path, description = "Name of the provider")),
    responses((status = 200, description = "The provider", body = wire::Provider,
        headers(("ETag", description = "Names this version")))))]
pub(crate) async fn show(
    State(verbs): State<Verbs>,
    Named(name): Named<String>,
) -> Result<Response, Failure> {
    let found = verbs.provider(&name).await?;
    let provider = found.ok_or_else(|| unknown(&name))?;
    answer(&verbs, &provider).await
}

/// Make a sign-on provider or change it
///
/// Takes every permission that its groups get or lose, in the same place.
#[utoipa::path(put, path = "/api/v1/sign-on/providers/{name}", tag = "sign-on",
    params(("name" = String, Path, description = "Name of the provider"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of what is changed"),
        ("If-None-Match" = Option<String>, Header, description = "`*`: only if there is none yet")),
    request_body = wire::PutProvider,
    responses((status = 200, description = "The provider as it is now", body = wire::Provider,
        headers(("ETag", description = "Names this version")))))]
pub(crate) async fn put(
    State(verbs): State<Verbs>,
    operator: Operator,
    _fresh: Fresh,
    Named(name): Named<String>,
    headers: HeaderMap,
    Body(request): Body<wire::PutProvider>,
) -> Result<Response, Failure> {
    let expected = expected_time(&headers)?;
    let provider = verbs
        .put_provider(read(name, request)?, expected, &operator.caller())
        .await?;
    answer(&verbs, &provider).await
}

/// Remove a sign-on provider that nobody signs in with
#[utoipa::path(delete, path = "/api/v1/sign-on/providers/{name}", tag = "sign-on",
    params(("name" = String, Path, description = "Name of the provider")),
    responses((status = 204, description = "It is gone"),
        (status = 409, description = "Users sign in with it")))]
pub(crate) async fn delete(
    State(verbs): State<Verbs>,
    operator: Operator,
    _fresh: Fresh,
    Named(name): Named<String>,
) -> Result<StatusCode, Failure> {
    verbs.delete_provider(&name, &operator.caller()).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn answer(verbs: &Verbs, provider: &Provider) -> Result<Response, Failure> {
    let body = Shown::load(verbs).await?.render(provider);
    Ok((tag(provider.updated_at.millis()), Json(body)).into_response())
}

fn unknown(name: &str) -> Failure {
    let name: String = name.chars().take(80).collect();
    Failure::not_found(format!("there is no sign-on provider `{name}`"))
}

fn read(name: String, request: wire::PutProvider) -> Result<NewProvider, Failure> {
    let rules = request.rules;
    let algorithms = rules.algorithms.iter().map(|name| {
        serde_json::from_value::<TokenAlgorithm>(name.as_str().into()).map_err(|_| {
            Failure::invalid(format!(
                "`algorithms`: `{}` is none that is taken; there are RS256, RS384, RS512, PS256, \
                 PS384, PS512, ES256, ES384 and EdDSA",
                name.chars().take(20).collect::<String>()
            ))
        })
    });
    let grants = rules.grants.into_iter().map(|grant| NewGroupGrant {
        group: grant.group,
        grant: NewGrant {
            role: grant.role,
            team: grant.team,
        },
    });
    Ok(NewProvider {
        name,
        spec: ProviderSpec {
            title: rules.title,
            issuer: rules.issuer,
            client_id: rules.client_id,
            scopes: rules.scopes,
            algorithms: algorithms.collect::<Result<_, _>>()?,
            groups_claim: rules.groups_claim,
            grants: Vec::new(),
            admits_everybody: rules.admits_everybody,
            ca_certificates: rules.ca_certificates,
            enabled: rules.enabled,
        },
        grants: grants.collect(),
        secret: match request.client_secret {
            None => NewSecret::Kept,
            Some(secret) if secret.is_empty() => NewSecret::Removed,
            Some(secret) => NewSecret::Set(SecretString::from(secret)),
        },
    })
}

/// Names of roles and teams, to show grants with.
struct Shown {
    names: Names,
    roles: HashMap<RoleRef, String>,
    redirect: String,
}

impl Shown {
    async fn load(verbs: &Lifecycle) -> Result<Self, Failure> {
        let roles = verbs.roles().await?;
        let roles = roles.iter().map(|r| (r.reference(), r.name().to_owned()));
        Ok(Self {
            names: Names::load(verbs).await?,
            roles: roles.collect(),
            redirect: verbs.sign_on_redirect(),
        })
    }

    fn grant(&self, grant: &GroupGrant) -> wire::GroupGrant {
        let role = self.roles.get(&grant.role).cloned();
        wire::GroupGrant {
            group: grant.group.clone(),
            role: role.unwrap_or_else(|| grant.role.to_string()),
            team: grant.team.as_ref().map(|team| self.names.team(team)),
        }
    }

    fn render(&self, provider: &Provider) -> wire::Provider {
        let spec = &provider.spec;
        let named = |algorithm: &TokenAlgorithm| algorithm.as_str().to_owned();
        wire::Provider {
            name: provider.name.clone(),
            rules: wire::ProviderRules {
                title: spec.title.clone(),
                issuer: spec.issuer.clone(),
                client_id: spec.client_id.clone(),
                scopes: spec.scopes.clone(),
                algorithms: spec.algorithms.iter().map(named).collect(),
                groups_claim: spec.groups_claim.clone(),
                grants: spec.grants.iter().map(|grant| self.grant(grant)).collect(),
                admits_everybody: spec.admits_everybody,
                ca_certificates: spec.ca_certificates.clone(),
                enabled: spec.enabled,
            },
            has_client_secret: provider.sealed_secret.is_some(),
            redirect_uri: self.redirect.clone(),
            created_at: provider.created_at,
            updated_at: provider.updated_at,
        }
    }
}
