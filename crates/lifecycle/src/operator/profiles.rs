//! Changing what a profile allows.

use domain::id::{ProfileId, TeamId};
use domain::metadata::Circumstance;
use domain::profile::{Profile, ProfileSpec, SpecFault, changes};
use serde_json::json;
use store::StoreError;

use super::Expected;
use crate::Lifecycle;
use crate::acme::directories::is_slug;
use crate::actor::Caller;
use crate::jobs::Job;

/// Why a profile stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum ReplaceProfileError {
    #[error("the profile cannot be used: {}", list(.0))]
    Rules(Vec<SpecFault>),
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
        mut spec: ProfileSpec,
        team: Option<TeamId>,
        expected: Expected<u32>,
        caller: &Caller,
    ) -> Result<Profile, ReplaceProfileError> {
        let mut faults = self.profile_faults(&name, &spec).await?;
        faults.extend(self.metadata_faults(&name, &mut spec).await?);
        if !faults.is_empty() {
            return Err(ReplaceProfileError::Rules(faults));
        }
        let now = self.now();
        let fresh = ProfileId::mint(now, &*self.random);
        let before = self.profile_now(&name).await?;
        let data = change_data(&name, before.as_ref(), &spec);
        let event = self.event(caller, "profile.changed", &name, data);
        let review = Job::ReviewApprovals {
            profile: Some(name.clone()),
        };
        let review = self.new_job(&review, now);
        let cached = name.clone();
        let profile = self
            .store
            .write("profile.replace", move |tx| {
                Box::pin(async move {
                    let previous = tx.find_profile(&name).await?;
                    let version = previous.as_ref().map(|profile| profile.version);
                    // The event tells what was there: it has to be what is there now.
                    let is_same = version == before.as_ref().map(|profile| profile.version);
                    if !expected.agrees(version.as_ref()) || !is_same {
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
                    // Those who were asked under the earlier version are asked anew.
                    tx.enqueue(&review).await?;
                    Ok(profile)
                })
            })
            .await?;
        self.profiles.forget(&cached);
        self.jobs.notify();
        Ok(profile)
    }

    /// What is wrong with the profile's metadata; the rest is brought into normal form.
    async fn metadata_faults(
        &self,
        name: &str,
        spec: &mut ProfileSpec,
    ) -> Result<Vec<SpecFault>, StoreError> {
        let fields = self.fields().await?;
        let required = spec.required_metadata.iter().enumerate();
        let mut faults: Vec<SpecFault> = required
            .filter(|(_, field)| fields.find(field).is_none())
            .map(|(position, field)| {
                let path = format!("required_metadata[{position}]");
                SpecFault::new(path, fields.missing(field))
            })
            .collect();
        match fields.check_passed_on(&spec.metadata, Circumstance::Profile(name)) {
            Ok(normal) => spec.metadata = normal,
            Err(violations) => {
                let told = violations.iter();
                faults.extend(told.map(|one| SpecFault::new(one.rule.clone(), one.text())));
            }
        }
        Ok(faults)
    }

    /// Everything that is wrong, so that it can be mended at once.
    async fn profile_faults(
        &self,
        name: &str,
        spec: &ProfileSpec,
    ) -> Result<Vec<SpecFault>, StoreError> {
        let mut faults = faults_of(name, spec);
        if let Some(rule) = &spec.approval {
            faults.extend(self.strangers_in(rule).await?);
        }
        let issuers = self.list_issuers().await?;
        for (position, choice) in spec.issuers.iter().enumerate() {
            if !issuers.iter().any(|issuer| issuer.name == choice.issuer) {
                let known: Vec<&str> = issuers.iter().map(|issuer| issuer.name.as_str()).collect();
                faults.push(SpecFault::new(
                    format!("issuers[{position}].issuer"),
                    format!(
                        "there is no issuer `{}`; name one of: {}",
                        choice.issuer,
                        known.join(", ")
                    ),
                ));
            }
        }
        Ok(faults)
    }

    async fn profile_now(&self, name: &str) -> Result<Option<Profile>, StoreError> {
        let name = name.to_owned();
        self.store
            .read("profile.find", |tx| {
                Box::pin(async move { tx.find_profile(&name).await })
            })
            .await
    }
}

fn list(faults: &[SpecFault]) -> String {
    let texts: Vec<String> = faults.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

/// What an event says of a change: the rules as they become, and what is different about them.
fn change_data(name: &str, before: Option<&Profile>, after: &ProfileSpec) -> serde_json::Value {
    json!({
        "name": name,
        "version": before.map_or(1, |profile| profile.version + 1),
        "spec": after,
        "changes": before.map(|before| changes(&json!(before.spec), &json!(after))),
    })
}

fn faults_of(name: &str, spec: &ProfileSpec) -> Vec<SpecFault> {
    let mut faults = Vec::new();
    if !is_slug(name) {
        faults.push(SpecFault::new(
            "name",
            "not fit for a URL; use lower-case letters, digits and hyphens, 1 to 63",
        ));
    }
    faults.extend(spec.faults());
    faults
}

#[cfg(test)]
mod tests {
    use domain::profile::preset;

    use super::*;

    #[test]
    fn the_presets_are_without_fault() {
        for preset in preset::Preset::ALL {
            let faults = faults_of(preset.as_str(), &preset.spec("issuing"));
            assert!(faults.is_empty(), "{preset}: {faults:?}");
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
