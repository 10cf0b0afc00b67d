//! Who may do what: bearer tokens (RFC 6750) and the permission that each route asks for.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::MethodRouter;
use domain::access::{Principal, Rights, Visibility};
use domain::event::ActorKind;
use domain::id::TeamId;
use domain::permission::Permission;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use lifecycle::Lifecycle;
use lifecycle::actor::Caller;

use super::Verbs;
use super::failure::Failure;
use super::needs::Needs;
use crate::origin::Origin;

/// Stands before one route.
#[derive(Clone)]
pub(crate) struct Gate {
    lifecycle: Verbs,
    needs: Needs,
}

impl Gate {
    pub(crate) fn new(lifecycle: Verbs, needs: Needs) -> Self {
        Self { lifecycle, needs }
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
    let (principal, name) = authenticate(&gate.lifecycle, request.headers()).await?;
    let rights = gate.lifecycle.rights_of(&principal).await?;
    if !gate.needs.are_met(&rights) {
        return Err(Failure::forbidden(gate.needs.refusal(&name, &rights)));
    }
    let why = reason(request.headers())?;
    let operator = Operator(Arc::new(Identity {
        why,
        principal,
        name,
        rights,
        origin: Origin::of(request.extensions()),
    }));
    request.extensions_mut().insert(operator);
    Ok(next.run(request).await)
}

/// Who presents which credential, and what people call them.
async fn authenticate(
    lifecycle: &Lifecycle,
    headers: &HeaderMap,
) -> Result<(Principal, String), Failure> {
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
    let token = lifecycle.authenticate(presented).await?.ok_or_else(|| {
        challenge(
            "the API token is unknown, revoked or expired; make another with \
             `certwright token create`",
            "Bearer realm=\"certwright\", error=\"invalid_token\"",
        )
    })?;
    Ok((Principal::Token(token.id), token.name))
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

/// Why the request is made, in its own words: for the audit trail.
fn reason(headers: &HeaderMap) -> Result<Option<String>, Failure> {
    let Some(value) = headers.get(REASON) else {
        return Ok(None);
    };
    let text = std::str::from_utf8(value.as_bytes()).ok().map(str::trim);
    match text.filter(|text| text.len() <= LONGEST_REASON && !text.contains(char::is_control)) {
        Some("") => Ok(None),
        Some(text) => Ok(Some(text.to_owned())),
        None => Err(Failure::invalid(format!(
            "the header `Certwright-Reason` must be a text of at most {LONGEST_REASON} octets"
        ))),
    }
}

const REASON: &str = "certwright-reason";
const LONGEST_REASON: usize = 1000;

/// Whose request it is. Exists only behind a [`Gate`].
#[derive(Clone)]
pub(crate) struct Operator(Arc<Identity>);

struct Identity {
    why: Option<String>,
    principal: Principal,
    name: String,
    rights: Rights,
    origin: Origin,
}

impl Operator {
    /// How verbs and events know this request's origin.
    pub(crate) fn caller(&self) -> Caller {
        let kind = match self.0.principal {
            Principal::User(_) => ActorKind::User,
            Principal::Token(_) => ActorKind::Token,
        };
        let caller = self.0.origin.caller(kind, self.0.principal.as_str());
        caller
            .with_rights(self.0.rights.clone())
            .with_reason(self.0.why.clone())
    }

    /// What people call it.
    pub(crate) fn name(&self) -> &str {
        &self.0.name
    }

    /// The user or the token.
    pub(crate) fn principal(&self) -> &Principal {
        &self.0.principal
    }

    /// What it may do.
    pub(crate) fn rights(&self) -> &Rights {
        &self.0.rights
    }

    /// Whose objects it reaches with that permission: the filter of every list.
    pub(crate) fn visible(&self, permission: Permission) -> Visibility {
        self.0.rights.visible(permission)
    }

    /// Whether it may do this to what that team owns. What it does not see is not there.
    pub(crate) fn require(
        &self,
        needed: Permission,
        owner: Option<&TeamId>,
        unknown: impl FnOnce() -> Failure,
    ) -> Result<(), Failure> {
        let is_seen = self.visible(needed.sight()).shows(owner);
        self.judge(needed, owner, is_seen, unknown)
    }

    /// The same for profiles and directories: everybody sees those that no team owns.
    pub(crate) fn require_shared(
        &self,
        needed: Permission,
        owner: Option<&TeamId>,
        unknown: impl FnOnce() -> Failure,
    ) -> Result<(), Failure> {
        let is_seen = self.visible(needed.sight()).shows_shared(owner);
        if is_seen && needed == needed.sight() {
            return Ok(());
        }
        self.judge(needed, owner, is_seen, unknown)
    }

    fn judge(
        &self,
        needed: Permission,
        owner: Option<&TeamId>,
        is_seen: bool,
        unknown: impl FnOnce() -> Failure,
    ) -> Result<(), Failure> {
        if self.0.rights.allows(needed, owner) {
            return Ok(());
        }
        match is_seen {
            false => Err(unknown()),
            true => Err(Failure::forbidden(format!(
                "this needs the permission `{needed}` {}, which `{}` does not have",
                match owner {
                    Some(_) => "in the team that owns it",
                    None => "everywhere, since no team owns it",
                },
                self.name(),
            ))),
        }
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
