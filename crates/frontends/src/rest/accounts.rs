//! `/acme/accounts`: who orders by ACME.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::acme::account::{Account, AccountStatus};
use domain::id::AccountId;
use domain::permission::Permission;
use lifecycle::AccountFilter;
use protocols::rest::account as wire;
use protocols::rest::page::{Page, PageQuery};

use super::Verbs;
use super::access::Operator;
use super::extract::Named;
use super::failure::Failure;
use super::listing::Listing;
use super::names::Names;

/// ACME accounts, newest first
#[utoipa::path(get, path = "/api/v1/acme/accounts", tag = "acme",
    params(PageQuery, wire::AccountQuery),
    responses((status = 200, description = "A page of accounts", body = Page<wire::Account>)))]
pub(crate) async fn list(
    State(verbs): State<Verbs>,
    operator: Operator,
    listing: Listing<wire::AccountQuery, AccountId>,
) -> Result<Json<Page<wire::Account>>, Failure> {
    let names = Names::load(&verbs).await?;
    let filter = filter(&listing.filter, &names, &operator)?;
    let found = verbs
        .list_accounts(filter, listing.after.clone(), listing.rows())
        .await?;
    Ok(Json(listing.page(
        found,
        |account| account.id.to_string(),
        |account| render(&account, &names),
    )))
}

/// One ACME account
#[utoipa::path(get, path = "/api/v1/acme/accounts/{id}", tag = "acme",
    params(("id" = String, Path, description = "Id of the account")),
    responses((status = 200, description = "The account", body = wire::Account)))]
pub(crate) async fn show(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<AccountId>,
) -> Result<Json<wire::Account>, Failure> {
    let account = find(&verbs, &operator, Permission::AcmeRead, &id).await?;
    Ok(Json(render(&account, &Names::load(&verbs).await?)))
}

/// Revoke an ACME account, for good
///
/// Its orders are not finalized any more; its certificates stay as they are.
#[utoipa::path(post, path = "/api/v1/acme/accounts/{id}/revoke", tag = "acme",
    params(("id" = String, Path, description = "Id of the account")),
    responses((status = 200, description = "The account as it is now", body = wire::Account)))]
pub(crate) async fn revoke(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(id): Named<AccountId>,
) -> Result<Json<wire::Account>, Failure> {
    find(&verbs, &operator, Permission::AcmeWrite, &id).await?;
    let ended = verbs
        .end_account(&id, AccountStatus::Revoked, &operator.caller())
        .await?
        .ok_or_else(|| unknown(&id))?;
    Ok(Json(render(&ended, &Names::load(&verbs).await?)))
}

pub(super) async fn find(
    verbs: &Verbs,
    operator: &Operator,
    needed: Permission,
    id: &AccountId,
) -> Result<Arc<Account>, Failure> {
    let account = verbs.account(id).await?.ok_or_else(|| unknown(id))?;
    operator.require(needed, account.team_id.as_ref(), || unknown(id))?;
    Ok(account)
}

fn unknown(id: &AccountId) -> Failure {
    Failure::not_found(format!("there is no ACME account {id}"))
}

fn filter(
    query: &wire::AccountQuery,
    names: &Names,
    operator: &Operator,
) -> Result<AccountFilter, Failure> {
    let eab_key = query.eab_key.as_deref().map(str::parse).transpose();
    let directory = query.directory.as_deref();
    Ok(AccountFilter {
        visible: operator.visible(Permission::AcmeRead),
        directory: directory
            .map(|name| names.directory_id(name, operator.rights()))
            .transpose()?,
        status: query.status.map(|status| match status {
            wire::AccountStatus::Valid => AccountStatus::Valid,
            wire::AccountStatus::Deactivated => AccountStatus::Deactivated,
            wire::AccountStatus::Revoked => AccountStatus::Revoked,
        }),
        eab_key: eab_key.map_err(|error: domain::id::ParseIdError| {
            Failure::invalid(format!("`eab_key`: {error}"))
        })?,
    })
}

fn render(account: &Account, names: &Names) -> wire::Account {
    wire::Account {
        id: account.id.to_string(),
        directory: names.directory(&account.directory_id),
        status: match account.status {
            AccountStatus::Valid => wire::AccountStatus::Valid,
            AccountStatus::Deactivated => wire::AccountStatus::Deactivated,
            AccountStatus::Revoked => wire::AccountStatus::Revoked,
        },
        contacts: account.contacts.clone(),
        thumbprint: account.thumbprint.clone(),
        terms_agreed: account.terms_agreed,
        eab_key: account.eab_key_id.as_ref().map(ToString::to_string),
        team: account.team_id.as_ref().map(|id| names.team(id)),
        metadata: account.metadata.clone(),
        created_from: account.created_from.clone(),
        created_at: account.created_at,
        updated_at: account.updated_at,
    }
}
