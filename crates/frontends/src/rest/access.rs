//! Who may do what: bearer tokens (RFC 6750) and the permission that each route asks for.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::MethodRouter;
use domain::event::ActorKind;
use domain::permission::Permission;
use domain::token::ApiToken;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use lifecycle::Lifecycle;
use lifecycle::actor::Caller;

use super::Verbs;
use super::failure::Failure;
use crate::origin::Origin;

/// Stands before one route.
#[derive(Clone)]
pub(crate) struct Gate {
    lifecycle: Verbs,
    permission: Permission,
}

impl Gate {
    pub(crate) fn new(lifecycle: Verbs, permission: Permission) -> Self {
        Self {
            lifecycle,
            permission,
        }
    }

    /// The handler behind this gate.
    pub(crate) fn before(self, handler: MethodRouter<Verbs>) -> MethodRouter<Verbs> {
        handler.route_layer(from_fn_with_state(self, pass))
    }
}

async fn pass(
    State(gate): State<Gate>,
    mut request: Request,
    next: Next,
) -> Result<Response, Failure> {
    let token = authenticate(&gate.lifecycle, request.headers()).await?;
    if !token.role.grants(gate.permission) {
        return Err(Failure::forbidden(format!(
            "this needs the permission `{}`, which the role `{}` of the token `{}` does not have; \
             use a token with another role",
            gate.permission, token.role, token.name,
        )));
    }
    let origin = Origin::of(request.extensions());
    request
        .extensions_mut()
        .insert(Operator(Arc::new((token, origin))));
    Ok(next.run(request).await)
}

async fn authenticate(lifecycle: &Lifecycle, headers: &HeaderMap) -> Result<ApiToken, Failure> {
    let Some(header) = headers.get(AUTHORIZATION) else {
        return Err(challenge(
            "there is no API token; send `Authorization: Bearer <token>`, and make a token with \
             `certwright token create`",
            "Bearer realm=\"certwright\"",
        ));
    };
    let presented = bearer(header).ok_or_else(|| {
        challenge(
            "the Authorization header is not of the form `Bearer <token>`",
            "Bearer realm=\"certwright\", error=\"invalid_request\"",
        )
    })?;
    // What is wrong with a token is for its owner to know, not for who tries it.
    lifecycle.authenticate(presented).await?.ok_or_else(|| {
        challenge(
            "the API token is unknown, revoked or expired; make another with \
             `certwright token create`",
            "Bearer realm=\"certwright\", error=\"invalid_token\"",
        )
    })
}

fn challenge(detail: &str, challenge: &'static str) -> Failure {
    Failure::unauthenticated(detail)
        .with_header(WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
}

/// The token of a header; the scheme's case does not matter (RFC 9110 section 11.1).
fn bearer(header: &HeaderValue) -> Option<&str> {
    let (scheme, token) = header.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// Whose request it is. Exists only behind a [`Gate`].
#[derive(Clone)]
pub(crate) struct Operator(Arc<(ApiToken, Origin)>);

impl Operator {
    /// How events name this request's origin.
    pub(crate) fn caller(&self) -> Caller {
        let (token, origin) = &*self.0;
        origin.caller(ActorKind::Token, token.id.as_str())
    }

    /// What people call the token.
    pub(crate) fn name(&self) -> &str {
        &self.0.0.name
    }
}

impl<S: Sync> FromRequestParts<S> for Operator {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Failure> {
        // A route without a gate answers nothing rather than everything.
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| Failure::broken("a handler was reached without authentication"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_behind_its_scheme() {
        for (header, token) in [
            ("Bearer cwt_1", Some("cwt_1")),
            ("bearer cwt_1", Some("cwt_1")),
            ("BEARER  cwt_1 ", Some("cwt_1")),
            ("Basic cwt_1", None),
            ("Bearer", None),
            ("Bearer ", None),
            ("cwt_1", None),
        ] {
            let header = HeaderValue::from_static(header);
            assert_eq!(bearer(&header), token, "{header:?}");
        }
    }
}
