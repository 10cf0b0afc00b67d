//! `/session/…`: what somebody who is signed in proves themselves with: password, authenticator,
//! recovery codes; and the setup link that it all begins with.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use domain::sign_in::RecoveryCode;
use http::StatusCode;
use lifecycle::sign_in::setup::{FirstAdministrator, OpenSetup};
use protocols::rest::session as wire;
use secrecy::SecretString;

use super::Verbs;
use super::access::{Fresh, Person, Visitor};
use super::extract::Body;
use super::failure::Failure;
use super::sessions::{begun, with_cookie};

/// Redeem a setup link: choose a password, and be signed in
///
/// The link of the first start makes the first administrator: it needs `name`, and gives an API token
/// as well.
#[utoipa::path(post, path = "/api/v1/session/setup", tag = "session",
    request_body = wire::RedeemSetup,
    responses((status = 200, description = "Signed in", body = wire::RedeemedSetup)))]
pub(crate) async fn set_up(
    State(verbs): State<Verbs>,
    visitor: Visitor,
    Body(request): Body<wire::RedeemSetup>,
) -> Result<Response, Failure> {
    let (caller, agent) = (visitor.caller(), visitor.user_agent.clone());
    let password = SecretString::from(request.password);
    let (started, token) = match verbs.open_setup(&request.secret).await? {
        Some(OpenSetup::Installation) => {
            let person = FirstAdministrator {
                name: request.name.unwrap_or_default(),
                display_name: request.display_name.unwrap_or_default(),
                password,
                user_agent: agent,
            };
            let made = verbs
                .set_up_first_administrator(&request.secret, person, &caller)
                .await?;
            (made.started, Some(made.token.expose().to_owned()))
        }
        Some(OpenSetup::User(_)) | None => {
            let started = verbs
                .accept_setup(&request.secret, &password, agent, &caller)
                .await?;
            (started, None)
        }
    };
    let session = begun(&verbs, &started).await?;
    let body = wire::RedeemedSetup { session, token };
    Ok(with_cookie(&verbs, &started, Json(body)))
}

/// Prove again who one is: for what is delicate
#[utoipa::path(post, path = "/api/v1/session/reauthenticate", tag = "session",
    request_body = wire::Reauthenticate,
    responses((status = 204, description = "Proved")))]
pub(crate) async fn reauthenticate(
    State(verbs): State<Verbs>,
    person: Person,
    Body(request): Body<wire::Reauthenticate>,
) -> Result<StatusCode, Failure> {
    let signed_in = person.signed_in();
    let code = request.code.map(SecretString::from);
    verbs
        .reauthenticate(
            &signed_in.session,
            &signed_in.user,
            &SecretString::from(request.password),
            code.as_ref(),
            &person.caller(),
        )
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Change one's password; all other sessions end
#[utoipa::path(post, path = "/api/v1/session/password", tag = "session",
    request_body = wire::ChangePassword,
    responses((status = 204, description = "The new password is in force")))]
pub(crate) async fn change_password(
    State(verbs): State<Verbs>,
    person: Person,
    Body(request): Body<wire::ChangePassword>,
) -> Result<StatusCode, Failure> {
    let signed_in = person.signed_in();
    let code = request.code.map(SecretString::from);
    verbs
        .change_password(
            &signed_in.session,
            &signed_in.user,
            &SecretString::from(request.password),
            code.as_ref(),
            &SecretString::from(request.new_password),
            &person.caller(),
        )
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Make the secret of a new authenticator; it is shown this once
///
/// The one before stays in use until the new one shows its first code.
#[utoipa::path(post, path = "/api/v1/session/totp", tag = "session",
    responses((status = 200, description = "What to tell the authenticator", body = wire::TotpSecret)))]
pub(crate) async fn begin_totp(
    State(verbs): State<Verbs>,
    person: Person,
    _fresh: Fresh,
) -> Result<Json<wire::TotpSecret>, Failure> {
    let made = verbs.begin_totp(&person.signed_in().user).await?;
    Ok(Json(wire::TotpSecret {
        secret: made.secret.to_string(),
        url: made.url.to_string(),
    }))
}

/// Take the new authenticator into use with its first code; gives recovery codes, this once
#[utoipa::path(post, path = "/api/v1/session/totp/confirm", tag = "session",
    request_body = wire::ConfirmTotp,
    responses((status = 200, description = "The authenticator is in use", body = wire::RecoveryCodes)))]
pub(crate) async fn confirm_totp(
    State(verbs): State<Verbs>,
    person: Person,
    _fresh: Fresh,
    Body(request): Body<wire::ConfirmTotp>,
) -> Result<Json<wire::RecoveryCodes>, Failure> {
    let user = &person.signed_in().user;
    let code = SecretString::from(request.code);
    let codes = verbs.confirm_totp(user, &code, &person.caller()).await?;
    Ok(Json(shown(&codes)))
}

/// Remove one's authenticator with its recovery codes
#[utoipa::path(delete, path = "/api/v1/session/totp", tag = "session",
    responses((status = 204, description = "The password alone signs in from now on")))]
pub(crate) async fn remove_totp(
    State(verbs): State<Verbs>,
    person: Person,
    _fresh: Fresh,
) -> Result<StatusCode, Failure> {
    let user = &person.signed_in().user;
    match verbs.remove_totp(user, &person.caller()).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Failure::conflict("you have no authenticator")),
    }
}

/// Make new recovery codes in place of those that are left; they are shown this once
#[utoipa::path(post, path = "/api/v1/session/recovery-codes", tag = "session",
    responses((status = 200, description = "The new codes", body = wire::RecoveryCodes)))]
pub(crate) async fn replace_recovery_codes(
    State(verbs): State<Verbs>,
    person: Person,
    _fresh: Fresh,
) -> Result<Json<wire::RecoveryCodes>, Failure> {
    let user = &person.signed_in().user;
    let codes = verbs.replace_recovery_codes(user, &person.caller()).await?;
    Ok(Json(shown(&codes)))
}

fn shown(codes: &[RecoveryCode]) -> wire::RecoveryCodes {
    wire::RecoveryCodes {
        codes: codes.iter().map(|code| code.expose().to_owned()).collect(),
    }
}
