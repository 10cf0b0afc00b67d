//! From the rules as they are stored to the rules on the wire and back.
//!
//! Both are types of their own, so that either may change. Today they are written the same in
//! JSON, and that is how they are translated; the tests say when it is no longer so.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::failure::Failure;

/// What came in, as the rules that are stored. An error is the requester's.
pub(crate) fn inward<W: Serialize, D: DeserializeOwned>(wire: &W) -> Result<D, Failure> {
    through_json(wire).map_err(|error| Failure::invalid(format!("the rules do not fit: {error}")))
}

/// What is stored, as it goes out. An error is ours.
pub(crate) fn outward<D: Serialize, W: DeserializeOwned>(stored: &D) -> Result<W, Failure> {
    through_json(stored).map_err(|error| Failure::internal(&error))
}

fn through_json<A: Serialize, B: DeserializeOwned>(from: &A) -> Result<B, serde_json::Error> {
    serde_json::from_value(serde_json::to_value(from)?)
}

#[cfg(test)]
mod tests {
    use domain::acme::challenge::ChallengeKind;
    use domain::acme::directory::{DirectorySpec, TestMode};
    use domain::profile::{
        Expression, FixedExtension, ProfileSpec, RenewalRules, ValiditySchedule, ValidityStep,
        preset,
    };
    use protocols::rest::directory::DirectoryRules;
    use protocols::rest::profile::ProfileRules;

    use super::*;

    #[test]
    fn stored_rules_come_back_from_the_wire_as_they_were() {
        let directory = DirectorySpec {
            terms_of_service: Some("https://ca.example/terms".to_owned()),
            website: Some("https://ca.example".to_owned()),
            test_mode: Some(TestMode::default()),
            ..DirectorySpec::default()
        };
        let rules: DirectoryRules = outward(&directory).unwrap();
        assert_eq!(inward::<_, DirectorySpec>(&rules).unwrap(), directory);
        for preset in preset::Preset::ALL {
            let mut profile = preset.spec("a");
            profile.renewal = Some(RenewalRules {
                begin_percent: 50,
                end_percent: 60,
            });
            profile.expressions = vec![Expression::new("true", "never told")];
            profile.names.limits.dns = Some(5);
            profile.names.allow = vec!["dns:/[a-z]+[.]example/".parse().unwrap()];
            profile.challenges = ChallengeKind::ALL.to_vec();
            profile.extensions = vec![FixedExtension {
                oid: "1.2.3".to_owned(),
                critical: true,
                value: "NULL".to_owned(),
            }];
            let steps = vec![ValidityStep {
                from: "2027-01-01".parse().unwrap(),
                days: 5,
            }];
            profile.validity_schedule = Some(ValiditySchedule::Steps(steps));
            let rules: ProfileRules = outward(&profile).unwrap();
            assert_eq!(inward::<_, ProfileSpec>(&rules).unwrap(), profile);
        }
    }

    #[test]
    fn what_a_put_leaves_out_is_the_default_on_both_sides() {
        let rules: DirectoryRules = serde_json::from_str("{}").unwrap();
        let stored: DirectorySpec = inward(&rules).unwrap();
        assert_eq!(stored, DirectorySpec::default());
    }

    #[test]
    fn a_pattern_that_is_none_is_taken_over_and_is_a_fault_of_the_rules() {
        let mut rules: ProfileRules = outward(&preset::tls_server("a")).unwrap();
        rules.names.allow.push("not a name".to_owned());
        let faults = inward::<_, ProfileSpec>(&rules).unwrap().faults();
        assert_eq!(faults[0].path, "names.allow[0]");
    }
}
