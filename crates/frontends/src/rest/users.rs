//! `/users` and `/sign-in-locks`: people, and who has to wait after failures.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use domain::id::{ProviderId, UserId};
use domain::user::{ParseUserNameError, User, UserName, UserState};
use http::StatusCode;
use lifecycle::Lifecycle;
use lifecycle::access::grants::NewGrant;
use lifecycle::sign_in::attempts::{Lock, LockSubject};
use lifecycle::users::{Invited, NewUser};
use protocols::rest::page::{Page, PageQuery};
use protocols::rest::user as wire;

use super::Verbs;
use super::access::{Fresh, Operator};
use super::extract::{Body, Named, Parameters, created};
use super::failure::Failure;
use super::listing::{Everything, Listing};

/// Users, newest first
#[utoipa::path(get, path = "/api/v1/users", tag = "users", params(PageQuery),
    responses((status = 200, description = "A page of users", body = Page<wire::User>)))]
pub(crate) async fn list(
    State(verbs): State<Verbs>,
    listing: Listing<Everything, UserId>,
) -> Result<Json<Page<wire::User>>, Failure> {
    let providers = Providers::load(&verbs).await?;
    let found = verbs
        .list_users(listing.after.clone(), listing.rows())
        .await?;
    Ok(Json(listing.page(
        found,
        |user| user.id.to_string(),
        |user| providers.render(&user),
    )))
}

/// One user
#[utoipa::path(get, path = "/api/v1/users/{id}", tag = "users",
    params(("id" = String, Path, description = "Id or name of the user")),
    responses((status = 200, description = "The user", body = wire::User)))]
pub(crate) async fn show(
    State(verbs): State<Verbs>,
    Named(key): Named<UserKey>,
) -> Result<Json<wire::User>, Failure> {
    let user = find(&verbs, &key).await?;
    Ok(Json(Providers::load(&verbs).await?.render(&user)))
}

/// Invite somebody: makes the account, and a setup link that is shown this once
#[utoipa::path(post, path = "/api/v1/users", tag = "users",
    request_body = wire::InviteUser,
    responses((status = 201, description = "The user and the link", body = wire::InvitedUser)))]
pub(crate) async fn invite(
    State(verbs): State<Verbs>,
    operator: Operator,
    _fresh: Fresh,
    Body(request): Body<wire::InviteUser>,
) -> Result<Response, Failure> {
    let grants = request.grants.into_iter().map(|grant| NewGrant {
        role: grant.role,
        team: grant.team,
    });
    let wanted = NewUser {
        name: request.name,
        display_name: request.display_name,
        email: request.email,
        grants: grants.collect(),
    };
    let invited = verbs.invite_user(wanted, &operator.caller()).await?;
    let body = render_invited(&verbs, &invited).await?;
    Ok(created(format!("/api/v1/users/{}", body.user.id), &body))
}

/// Keep somebody out: all sessions end at once, and no way to sign in works
#[utoipa::path(post, path = "/api/v1/users/{id}/disable", tag = "users",
    params(("id" = String, Path, description = "Id or name of the user")),
    responses((status = 200, description = "The user as they are now", body = wire::User),
        (status = 409, description = "No administrator would be left")))]
pub(crate) async fn disable(
    State(verbs): State<Verbs>,
    operator: Operator,
    _fresh: Fresh,
    Named(key): Named<UserKey>,
) -> Result<Json<wire::User>, Failure> {
    set_enabled(&verbs, &operator, &key, false).await
}

/// Let somebody in again
#[utoipa::path(post, path = "/api/v1/users/{id}/enable", tag = "users",
    params(("id" = String, Path, description = "Id or name of the user")),
    responses((status = 200, description = "The user as they are now", body = wire::User)))]
pub(crate) async fn enable(
    State(verbs): State<Verbs>,
    operator: Operator,
    _fresh: Fresh,
    Named(key): Named<UserKey>,
) -> Result<Json<wire::User>, Failure> {
    set_enabled(&verbs, &operator, &key, true).await
}

/// Take away everything somebody signs in with, end their sessions, and give a fresh setup link
#[utoipa::path(post, path = "/api/v1/users/{id}/reset", tag = "users",
    params(("id" = String, Path, description = "Id or name of the user")),
    responses((status = 200, description = "The user and the link", body = wire::InvitedUser),
        (status = 409, description = "A provider vouches for the user, or they are disabled")))]
pub(crate) async fn reset(
    State(verbs): State<Verbs>,
    operator: Operator,
    _fresh: Fresh,
    Named(key): Named<UserKey>,
) -> Result<Json<wire::InvitedUser>, Failure> {
    let user = find(&verbs, &key).await?;
    let invited = verbs.reset_user(&user.id, &operator.caller()).await?;
    Ok(Json(render_invited(&verbs, &invited).await?))
}

/// Remove somebody with all their roles; what they did stays in the audit trail
#[utoipa::path(delete, path = "/api/v1/users/{id}", tag = "users",
    params(("id" = String, Path, description = "Id or name of the user")),
    responses((status = 204, description = "The user is gone"),
        (status = 409, description = "No administrator would be left")))]
pub(crate) async fn delete(
    State(verbs): State<Verbs>,
    operator: Operator,
    _fresh: Fresh,
    Named(key): Named<UserKey>,
) -> Result<StatusCode, Failure> {
    let user = find(&verbs, &key).await?;
    verbs.delete_user(&user.id, &operator.caller()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// User names and addresses that have to wait before a sign-in is looked at
#[utoipa::path(get, path = "/api/v1/sign-in-locks", tag = "users",
    responses((status = 200, description = "At most 500 of them", body = Page<wire::SignInLock>)))]
pub(crate) async fn list_locks(
    State(verbs): State<Verbs>,
    Parameters(Everything {}): Parameters<Everything>,
) -> Result<Json<Page<wire::SignInLock>>, Failure> {
    let locks = verbs.list_locks(PageQuery::MAX_LIMIT).await?;
    Ok(Json(Page {
        items: locks.iter().map(render_lock).collect(),
        next: None,
    }))
}

/// Let a user name or an address try again at once
#[utoipa::path(delete, path = "/api/v1/sign-in-locks", tag = "users",
    params(wire::LiftLockQuery),
    responses((status = 204, description = "Its failures are forgotten"),
        (status = 409, description = "It has none")))]
pub(crate) async fn lift_lock(
    State(verbs): State<Verbs>,
    operator: Operator,
    Parameters(query): Parameters<wire::LiftLockQuery>,
) -> Result<StatusCode, Failure> {
    let subject = match query.kind {
        wire::SignInLockKind::User => LockSubject::User(query.subject.trim().to_ascii_lowercase()),
        wire::SignInLockKind::Address => LockSubject::Address(query.subject),
    };
    match verbs.lift_lock(&subject, &operator.caller()).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Failure::conflict(
            "nothing is remembered of this name or address; `GET /api/v1/sign-in-locks` lists who \
             has to wait",
        )),
    }
}

/// A user by id or by name.
#[derive(Clone, Debug)]
pub(crate) enum UserKey {
    Id(UserId),
    Name(UserName),
}

impl FromStr for UserKey {
    type Err = ParseUserNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(id) => Ok(Self::Id(id)),
            Err(_) => text.parse().map(Self::Name),
        }
    }
}

impl fmt::Display for UserKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}

async fn find(verbs: &Lifecycle, key: &UserKey) -> Result<User, Failure> {
    let found = match key {
        UserKey::Id(id) => verbs.user(id).await?,
        UserKey::Name(name) => verbs.user_by_name(name).await?,
    };
    found.ok_or_else(|| Failure::not_found(format!("there is no user {key}")))
}

async fn set_enabled(
    verbs: &Lifecycle,
    operator: &Operator,
    key: &UserKey,
    enabled: bool,
) -> Result<Json<wire::User>, Failure> {
    let user = find(verbs, key).await?;
    let user = verbs
        .enable_user(&user.id, enabled, &operator.caller())
        .await?;
    Ok(Json(Providers::load(verbs).await?.render(&user)))
}

async fn render_invited(
    verbs: &Lifecycle,
    invited: &Invited,
) -> Result<wire::InvitedUser, Failure> {
    let public_url = &verbs.settings().public_url;
    Ok(wire::InvitedUser {
        user: Providers::load(verbs).await?.render(&invited.user),
        setup_url: format!("{public_url}/setup/{}", invited.link.secret.expose()),
        setup_expires_at: invited.link.expires_at,
    })
}

fn render_lock(lock: &Lock) -> wire::SignInLock {
    let (kind, subject) = match &lock.subject {
        LockSubject::User(name) => (wire::SignInLockKind::User, name),
        LockSubject::Address(address) => (wire::SignInLockKind::Address, address),
    };
    wire::SignInLock {
        kind,
        subject: subject.clone(),
        failures: lock.attempts.failures,
        locked_until: lock.attempts.locked_until,
    }
}

/// Names of sign-on providers, to show users with.
struct Providers(HashMap<ProviderId, String>);

impl Providers {
    async fn load(verbs: &Lifecycle) -> Result<Self, Failure> {
        let providers = verbs.list_providers().await?;
        let names = providers.into_iter().map(|found| (found.id, found.name));
        Ok(Self(names.collect()))
    }

    fn render(&self, user: &User) -> wire::User {
        let vouched = user.vouched.as_ref();
        wire::User {
            id: user.id.to_string(),
            name: user.name.to_string(),
            display_name: user.display_name.clone(),
            email: user.email.clone(),
            state: match user.state {
                UserState::Invited => wire::UserState::Invited,
                UserState::Active => wire::UserState::Active,
                UserState::Disabled => wire::UserState::Disabled,
            },
            provider: vouched.map(|vouched| {
                let name = self.0.get(&vouched.provider).cloned();
                name.unwrap_or_else(|| vouched.provider.to_string())
            }),
            groups: vouched.map_or_else(Vec::new, |vouched| vouched.groups.clone()),
            created_at: user.created_at,
            last_sign_in_at: user.last_sign_in_at,
        }
    }
}
