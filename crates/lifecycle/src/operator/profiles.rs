//! Changing what a profile allows.

use domain::id::{ProfileId, TeamId};
use domain::profile::{Profile, ProfileSpec};
use serde_json::json;
use store::StoreError;

use super::Expected;
use crate::Lifecycle;
use crate::acme::directories::is_slug;
use crate::actor::Caller;

/// Why a profile stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum ReplaceProfileError {
    #[error("the profile cannot be used: {}", .0.join("; "))]
    Rules(Vec<String>),
    #[error("the profile was changed since you read it; read it again and repeat your change")]
    Changed,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lifecycle {
    /// Makes a profile, or a new version of the one with that name, if it is as expected.
    /// Certificates and orders keep the version they were made under. A new one is of `team`; one
    /// that is there stays with its own.
    pub async fn replace_profile(
        &self,
        name: String,
        spec: ProfileSpec,
        team: Option<TeamId>,
        expected: Expected<u32>,
        caller: &Caller,
    ) -> Result<Profile, ReplaceProfileError> {
        let faults = self.profile_faults(&name, &spec).await?;
        if !faults.is_empty() {
            return Err(ReplaceProfileError::Rules(faults));
        }
        let now = self.now();
        let fresh = ProfileId::mint(now, &*self.random);
        let data = json!({ "name": name, "spec": spec });
        let event = self.event(caller, "profile.changed", &name, data);
        let cached = name.clone();
        let profile = self
            .store
            .write("profile.replace", move |tx| {
                Box::pin(async move {
                    let previous = tx.find_profile(&name).await?;
                    if !expected.agrees(previous.as_ref().map(|profile| &profile.version)) {
                        return Err(ReplaceProfileError::Changed);
                    }
                    let profile = Profile {
                        id: previous.as_ref().map_or(fresh, |p| p.id.clone()),
                        name,
                        team_id: match &previous {
                            None => team,
                            Some(previous) => previous.team_id.clone(),
                        },
                        version: previous.map_or(1, |p| p.version + 1),
                        spec,
                        created_at: now,
                    };
                    tx.insert_profile(&profile).await?;
                    tx.insert_event(&event).await?;
                    Ok(profile)
                })
            })
            .await?;
        self.profiles.forget(&cached);
        Ok(profile)
    }

    /// Everything that is wrong, so that it can be mended at once.
    async fn profile_faults(
        &self,
        name: &str,
        spec: &ProfileSpec,
    ) -> Result<Vec<String>, StoreError> {
        let mut faults = faults_of(name, spec);
        let issuers = self.list_issuers().await?;
        for choice in &spec.issuers {
            if !issuers.iter().any(|issuer| issuer.name == choice.issuer) {
                faults.push(format!(
                    "there is no issuer `{}`; name one of: {}",
                    choice.issuer,
                    issuers
                        .iter()
                        .map(|issuer| issuer.name.as_str())
                        .collect::<Vec<_>>()
                        .join(", ")
                ));
            }
        }
        Ok(faults)
    }
}

fn faults_of(name: &str, spec: &ProfileSpec) -> Vec<String> {
    let checks = [
        (
            !is_slug(name),
            "the name is not fit for a URL; use lower-case letters, digits and hyphens, 1 to 63",
        ),
        (
            spec.key_algorithms.is_empty(),
            "key_algorithms is empty, so no key would be taken; name at least one",
        ),
        (
            spec.issuers.iter().all(|choice| choice.weight == 0),
            "no issuer has a weight above 0, so nothing would be signed",
        ),
        (
            spec.validity_seconds < MINUTE,
            "validity_seconds is shorter than a minute",
        ),
        (
            spec.validity_seconds > LONGEST,
            "validity_seconds is longer than ten years",
        ),
        (
            spec.backdate_seconds > DAY,
            "backdate_seconds is longer than a day",
        ),
        (
            !spec.names.dns && !spec.names.ip,
            "names allows neither DNS names nor addresses, so nothing could be certified",
        ),
        (
            spec.names.max == 0,
            "names.max is 0, so nothing could be certified",
        ),
    ];
    checks
        .into_iter()
        .filter(|(is_wrong, _)| *is_wrong)
        .map(|(_, text)| text.to_owned())
        .collect()
}

const MINUTE: u64 = 60;
const DAY: u64 = 24 * 60 * MINUTE;
const LONGEST: u64 = 3653 * DAY;

#[cfg(test)]
mod tests {
    use domain::profile::preset;

    use super::*;

    #[test]
    fn the_presets_are_without_fault() {
        for spec in [
            preset::tls_server("issuing"),
            preset::short_lived("issuing"),
            preset::tls_client("issuing"),
        ] {
            assert!(faults_of("default", &spec).is_empty());
        }
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let mut spec = preset::tls_server("issuing");
        spec.key_algorithms.clear();
        spec.validity_seconds = 0;
        spec.names.max = 0;
        let faults = faults_of("No Slug", &spec);
        assert_eq!(faults.len(), 4, "{faults:?}");
    }
}
