//! How long a certificate lives: the profile's word, cut by the issuer's own end.

use std::time::Duration;

use pki::time::Timestamp;

use super::{Circumstances, Fault, Proposal, Violation};
use crate::profile::ProfileSpec;

/// The validity a certificate gets. Lifetimes are inclusive: 90 days end a second before the
/// 90th day is over (RFC 5280 section 4.1.2.5). Where a request names dates they are honoured or
/// refused, never bent (RFC 8555 section 7.4).
pub(super) fn resolve(
    proposal: &Proposal<'_>,
    spec: &ProfileSpec,
    at: Circumstances,
) -> Result<(Timestamp, Timestamp), Violation> {
    let refuse = |rule, message: String| Err(Violation::new(rule, Fault::Validity, message));
    let earliest = (at.now - Duration::from_secs(spec.backdate_seconds)).floor_to_second();
    let not_before = match proposal.not_before {
        None => earliest,
        Some(asked) if asked < earliest => {
            return refuse(
                "validity.not-before",
                format!("notBefore {asked} lies too far in the past; the earliest is {earliest}"),
            );
        }
        Some(asked) if asked > at.now + MAX_POSTDATE => {
            return refuse(
                "validity.not-before",
                format!("notBefore {asked} lies more than 48 hours ahead"),
            );
        }
        Some(asked) => asked.floor_to_second(),
    };
    let latest = not_before + spec.validity() - ONE_SECOND;
    let not_after = match proposal.not_after {
        None => latest.min(at.issuer_not_after),
        Some(asked) if asked > latest => {
            return refuse(
                "validity.not-after",
                format!(
                    "notAfter {asked} is later than the profile allows; the latest is {latest}"
                ),
            );
        }
        Some(asked) if asked > at.issuer_not_after => {
            return refuse(
                "validity.issuer",
                format!(
                    "notAfter {asked} is later than the end of the issuer's own certificate, {}",
                    at.issuer_not_after
                ),
            );
        }
        Some(asked) => asked.floor_to_second(),
    };
    if not_after <= not_before || not_after <= at.now {
        return refuse(
            "validity.empty",
            format!("a certificate from {not_before} to {not_after} would never be valid"),
        );
    }
    Ok((not_before, not_after))
}

const ONE_SECOND: Duration = Duration::from_secs(1);
/// TLS BR section 7.1.2.7: notBefore within 48 hours of signing.
const MAX_POSTDATE: Duration = Duration::from_secs(48 * 60 * 60);
