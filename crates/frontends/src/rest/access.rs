//! Who may do what: the gate before each route, and who came through it.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::MethodRouter;
use domain::access::{Principal, Rights, Visibility};
use domain::event::ActorKind;
use domain::id::TeamId;
use domain::permission::Permission;
use http::HeaderMap;
use http::request::Parts;
use lifecycle::actor::Caller;
use protocols::rest::problem::ProblemKind;

use super::credentials::{Authenticated, SignedIn, authenticate};
use super::extract::header;
use super::failure::Failure;
use super::needs::Needs;
use super::{Verbs, forgery};
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

async fn pass(State(gate): State<Gate>, request: Request, next: Next) -> Result<Response, Failure> {
    let (mut parts, body) = request.into_parts();
    if gate.needs == Needs::Nobody {
        if !forgery::is_safe(&parts.method) {
            forgery::check_site(&parts.headers, &gate.lifecycle.settings().public_url)?;
        }
        let visitor = Visitor::of(&parts);
        parts.extensions.insert(visitor);
        return Ok(next.run(Request::from_parts(parts, body)).await);
    }
    let Authenticated {
        principal,
        name,
        signed_in,
    } = authenticate(&gate.lifecycle, &parts).await?;
    let rights = gate.lifecycle.rights_of(&principal).await?;
    let is_met = match gate.needs {
        Needs::Session => signed_in.is_some(),
        Needs::Nobody | Needs::Credential | Needs::Everywhere(_) | Needs::SomeTeam(_) => {
            gate.needs.are_met(&rights)
        }
    };
    if !is_met {
        return Err(Failure::forbidden(gate.needs.refusal(&name, &rights)));
    }
    let why = reason(&parts.headers)?;
    let operator = Operator(Arc::new(Identity {
        why,
        principal,
        name,
        rights,
        origin: Origin::of(&parts.extensions),
        signed_in,
    }));
    parts.extensions.insert(operator);
    Ok(next.run(Request::from_parts(parts, body)).await)
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
    signed_in: Option<SignedIn>,
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

/// Somebody who signed in. Exists only behind a gate that asks for a session.
pub(crate) struct Person {
    operator: Operator,
    signed_in: SignedIn,
}

impl Person {
    pub(crate) fn signed_in(&self) -> &SignedIn {
        &self.signed_in
    }

    pub(crate) fn caller(&self) -> Caller {
        self.operator.caller()
    }
}

impl<S: Sync> FromRequestParts<S> for Person {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let operator = Operator::from_request_parts(parts, state).await?;
        match operator.0.signed_in.clone() {
            Some(signed_in) => Ok(Self {
                operator,
                signed_in,
            }),
            None => Err(Failure::broken("a handler was reached without a session")),
        }
    }
}

/// For what is delicate: whoever signed in has proved who they are a moment ago. A token is a proof
/// with each request.
pub(crate) struct Fresh;

impl FromRequestParts<Verbs> for Fresh {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, verbs: &Verbs) -> Result<Self, Failure> {
        let operator = Operator::from_request_parts(parts, verbs).await?;
        match &operator.0.signed_in {
            Some(signed_in) if !verbs.is_recent(&signed_in.session) => Err(Failure::new(
                ProblemKind::ProofNeeded,
                "prove again who you are, with `POST /api/v1/session/reauthenticate`, or sign in \
                 anew; then repeat the request",
            )),
            Some(_) | None => Ok(Self),
        }
    }
}

/// Somebody of whom nothing is known yet. Exists only behind a gate that asks for nothing.
#[derive(Clone)]
pub(crate) struct Visitor {
    origin: Origin,
    pub(crate) user_agent: Option<String>,
}

impl Visitor {
    fn of(parts: &Parts) -> Self {
        Self {
            origin: Origin::of(&parts.extensions),
            user_agent: header(&parts.headers, "user-agent").map(str::to_owned),
        }
    }

    /// How events know this request's origin.
    pub(crate) fn caller(&self) -> Caller {
        self.origin.caller(ActorKind::Anonymous, "sign-in")
    }
}

impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Failure> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| Failure::broken("an open handler was reached through a closed gate"))
    }
}
