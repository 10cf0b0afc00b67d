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
    use domain::acme::directory::{DirectorySpec, TestMode};
    use domain::profile::{ProfileSpec, preset};
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
        for profile in [
            preset::tls_server("a"),
            preset::short_lived("b"),
            preset::tls_client("c"),
        ] {
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
    fn a_pattern_that_is_none_is_refused_with_its_text() {
        let mut rules: ProfileRules = outward(&preset::tls_server("a")).unwrap();
        rules.names.allow.push("not a name".to_owned());
        assert!(inward::<_, ProfileSpec>(&rules).is_err());
    }
}
