//! newAccount and the account resource (RFC 8555 section 7.3).

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::acme::account::{Account, AccountStatus};
use domain::event::ActorKind;
use domain::id::{AccountId, EabKeyId};
use http::StatusCode;
use http::header::{LINK, LOCATION};
use lifecycle::acme::accounts::{NewAccount, NewAccountError};
use protocols::acme::account::{self as wire, AccountUpdate};
use protocols::acme::contact::Contact;
use protocols::acme::eab::Binding;
use protocols::acme::jws::{FlattenedJws, MacKey};
use protocols::acme::problem::{Problem, ProblemType};

use super::AcmeState;
use super::failure::Failure;
use super::render;
use super::signed::{ByAccount, ByKey, read_json};

/// newAccount: 201 for a new account, 200 for the one that has the key already.
pub(crate) async fn create(
    State(state): State<AcmeState>,
    request: ByKey,
) -> Result<Response, Failure> {
    let body: wire::NewAccount = read_json(&request.jws)?;
    // Here and not when parsing: a weak key may still revoke its own certificate.
    let key = request.key.jwk();
    key.check_strength().map_err(|error| error.problem())?;
    let thumbprint = request.key.thumbprint().to_string();
    // RFC 8555 section 7.3.1: the holder of an account finds it, whatever else the request says.
    if let Some(account) = state
        .lifecycle
        .existing_account(&request.directory, &thumbprint)
        .await
        .map_err(|error| new_account_failure(error, &request))?
    {
        return Ok(respond(StatusCode::OK, &account, &request));
    }
    let contacts = read_contacts(body.contact.unwrap_or_default())?;
    let binding = match &body.external_account_binding {
        Some(jws) => Some(verify_binding(&state, &request, jws).await?),
        None => None,
    };
    let asked = NewAccount {
        jwk: key.to_canonical_json(),
        thumbprint,
        contacts,
        terms_agreed: body.terms_of_service_agreed.unwrap_or(false),
        only_return_existing: body.only_return_existing.unwrap_or(false),
        binding,
    };
    let caller = request.origin.caller(ActorKind::Anonymous, "new account");
    let found = state
        .lifecycle
        .new_account(&request.directory, asked, &caller)
        .await
        .map_err(|error| new_account_failure(error, &request))?;
    let status = match found.is_new {
        true => StatusCode::CREATED,
        false => StatusCode::OK,
    };
    Ok(respond(status, &found.account, &request))
}

fn respond(status: StatusCode, account: &Account, request: &ByKey) -> Response {
    let location = request.urls.account(&account.id);
    let body = render::account(account, &request.urls);
    let mut response = (status, [(LOCATION, location)], Json(body)).into_response();
    if let Some(terms) = &request.directory.spec.terms_of_service
        && let Ok(link) = format!("<{terms}>;rel=\"terms-of-service\"").parse()
    {
        response.headers_mut().append(LINK, link);
    }
    response
}

/// Fetch, update or deactivate.
pub(crate) async fn update(
    State(state): State<AcmeState>,
    request: ByAccount,
) -> Result<Json<wire::Account>, Failure> {
    let id: AccountId = request.param("id")?;
    if id != request.account.id {
        return Err(Failure::unauthorized(
            "an account is only shown to its own holder",
        ));
    }
    let mut account = std::sync::Arc::clone(&request.account);
    if !request.jws.is_post_as_get() {
        let body: AccountUpdate = request.json()?;
        let caller = request.caller();
        let changed = if body.deactivates() {
            let status = AccountStatus::Deactivated;
            state.lifecycle.end_account(&id, status, &caller).await?
        } else if let Some(contacts) = body.contact {
            let contacts = read_contacts(contacts)?;
            state
                .lifecycle
                .update_contacts(&id, contacts, &caller)
                .await?
        } else {
            Some(account)
        };
        account = changed.ok_or_else(|| Failure::not_found("account"))?;
    }
    Ok(Json(render::account(&account, &request.urls)))
}

fn read_contacts(contacts: Vec<String>) -> Result<Vec<String>, Failure> {
    if contacts.len() > MAX_CONTACTS {
        return Err(Failure::new(
            ProblemType::InvalidContact,
            format!("an account has at most {MAX_CONTACTS} contacts"),
        ));
    }
    for url in &contacts {
        Contact::parse(url).map_err(|error| error.problem())?;
    }
    Ok(contacts)
}

async fn verify_binding(
    state: &AcmeState,
    request: &ByKey,
    jws: &FlattenedJws,
) -> Result<(EabKeyId, String), Failure> {
    let binding = Binding::parse(jws).map_err(|error| error.problem())?;
    let (id, hmac) = state
        .lifecycle
        .eab_hmac(binding.kid())
        .await
        .map_err(|error| Failure::internal(&error))?
        .ok_or_else(|| {
            Failure::unauthorized("the external account binding's `kid` is not a key of ours")
        })?;
    let key = MacKey::new(hmac.to_vec()).map_err(|error| Failure::internal(&error))?;
    binding
        .verify(request.key.jwk(), request.jws.url(), &key)
        .map_err(|error| error.problem())?;
    let text = serde_json::to_string(jws).map_err(|error| Failure::internal(&error))?;
    Ok((id, text))
}

fn new_account_failure(error: NewAccountError, request: &ByKey) -> Failure {
    let text = error.to_string();
    match error {
        NewAccountError::DoesNotExist => Failure::new(ProblemType::AccountDoesNotExist, text),
        NewAccountError::Deactivated => Failure::unauthorized(text),
        NewAccountError::BindingRequired => {
            Failure::new(ProblemType::ExternalAccountRequired, text)
        }
        NewAccountError::TermsNotAgreed => {
            let terms = request.directory.spec.terms_of_service.clone();
            let terms = terms.unwrap_or_default();
            Failure::from(
                Problem::new(ProblemType::UserActionRequired, text).with_instance(terms.clone()),
            )
            .with_link(&terms, "terms-of-service")
        }
        NewAccountError::Binding(_) | NewAccountError::UnknownBinding => {
            Failure::unauthorized(text)
        }
        NewAccountError::RateLimited(limited) => limited.into(),
        NewAccountError::Store(error) => error.into(),
    }
}

const MAX_CONTACTS: usize = 10;
