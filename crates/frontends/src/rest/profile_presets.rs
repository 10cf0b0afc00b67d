//! `/profile-presets`: profiles that work at once.

use axum::Json;
use axum::extract::State;
use domain::issuer::{Issuer, IssuerState};
use domain::profile::preset::Preset;
use protocols::rest::page::Page;
use protocols::rest::profile as wire;

use super::Verbs;
use super::extract::Parameters;
use super::failure::Failure;
use super::translate::outward;

/// Rules to begin a profile with
///
/// Put the rules of one under a name of your own, changed or as they are.
#[utoipa::path(get, path = "/api/v1/profile-presets", tag = "profiles",
    params(wire::PresetQuery),
    responses((status = 200, description = "The presets", body = Page<wire::Preset>)))]
pub(crate) async fn list(
    State(verbs): State<Verbs>,
    Parameters(query): Parameters<wire::PresetQuery>,
) -> Result<Json<Page<wire::Preset>>, Failure> {
    let issuers = verbs.list_issuers().await?;
    let issuer = match query.issuer {
        Some(name) if issuers.iter().any(|issuer| issuer.name == name) => name,
        Some(name) => {
            let known: Vec<&str> = issuers.iter().map(|issuer| issuer.name.as_str()).collect();
            return Err(Failure::invalid(format!(
                "there is no issuer `{}`; there are: {}",
                name.chars().take(80).collect::<String>(),
                known.join(", ")
            )));
        }
        None => first_active(&issuers),
    };
    let items = Preset::ALL.into_iter().map(|preset| {
        Ok(wire::Preset {
            name: preset.to_string(),
            rules: outward(&preset.spec(&issuer))?,
        })
    });
    Ok(Json(Page {
        items: items.collect::<Result<_, Failure>>()?,
        next: None,
    }))
}

/// A root signs no certificates of the kinds that profiles are for.
fn first_active(issuers: &[Issuer]) -> String {
    let is_fit = |issuer: &&Issuer| issuer.state == IssuerState::Active && !issuer.is_root();
    let found = issuers.iter().find(is_fit).or(issuers.first());
    found.map(|issuer| issuer.name.clone()).unwrap_or_default()
}
