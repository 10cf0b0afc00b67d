//! How long a certificate lives: the profile's word, cut by the day's cap and the issuer's own end.

use std::time::Duration;

use pki::time::Timestamp;

use super::{Case, Fault, Ledger, Violation};
use crate::profile::ProfileSpec;

/// The validity a certificate gets. Lifetimes are inclusive: 90 days end a second before the
/// 90th day is over (RFC 5280 section 4.1.2.5). Where a request names dates they are honoured or
/// refused, never bent (RFC 8555 section 7.4).
pub(super) fn resolve(case: &Case<'_>, ledger: &mut Ledger) -> (Timestamp, Timestamp) {
    let (proposal, at) = (case.proposal, case.at);
    let before = ledger.count();
    let (not_before, latest) = dates(
        proposal.not_before,
        proposal.not_after,
        case.spec,
        at.now,
        ledger,
    );
    let not_after = match proposal.not_after {
        None => latest.min(at.issuer_not_after),
        Some(asked) => asked.floor_to_second(),
    };
    if not_after > at.issuer_not_after {
        ledger.failed(
            Violation::new(
                "validity.issuer",
                Fault::Validity,
                format!(
                    "notAfter {not_after} is later than the end of the issuer's own certificate, {}",
                    at.issuer_not_after
                ),
            )
            .fix("ask for an earlier end"),
        );
    }
    let is_empty = not_after <= not_before || not_after <= at.now;
    if is_empty && ledger.count() == before {
        ledger.failed(
            Violation::new(
                "validity.empty",
                Fault::Validity,
                format!("a certificate from {not_before} to {not_after} would never be valid"),
            )
            .fix("ask for a later end, or for none"),
        );
    }
    ledger.passed_unless(before, "validity", || {
        format!("from {not_before} to {not_after}")
    });
    (not_before, not_after)
}

/// See [`super::end_after`].
pub(super) fn end_after(
    spec: &ProfileSpec,
    not_before: Option<Timestamp>,
    seconds: u64,
    now: Timestamp,
) -> Timestamp {
    let earliest = now - Duration::from_secs(spec.backdate_seconds);
    let start = not_before.unwrap_or(earliest).floor_to_second();
    // Nobody means more than a century, and instants end somewhere.
    start + Duration::from_secs(seconds.min(CENTURY)) - ONE_SECOND
}

/// Checks the dates that are asked for against the profile; gives the beginning, and the latest
/// end that the profile allows for it.
pub(super) fn dates(
    not_before: Option<Timestamp>,
    not_after: Option<Timestamp>,
    spec: &ProfileSpec,
    now: Timestamp,
    ledger: &mut Ledger,
) -> (Timestamp, Timestamp) {
    let refuse = |rule: &str, text: String| Violation::new(rule, Fault::Validity, text);
    let earliest = (now - Duration::from_secs(spec.backdate_seconds)).floor_to_second();
    let start = not_before.unwrap_or(earliest).floor_to_second();
    if start < earliest {
        ledger.failed(
            refuse(
                "validity.not-before",
                format!("notBefore {start} lies too far in the past"),
            )
            .fix(format!("the earliest is {earliest}")),
        );
    } else if start > now + MAX_POSTDATE {
        ledger.failed(
            refuse(
                "validity.not-before",
                format!("notBefore {start} lies more than 48 hours ahead"),
            )
            .fix("ask again nearer to that time"),
        );
    }
    let (lifetime, rule) = longest(spec, start.max(now), ledger);
    let latest = start + lifetime - ONE_SECOND;
    if let Some(asked) = not_after.map(Timestamp::floor_to_second) {
        if asked > latest {
            ledger.failed(
                refuse(
                    rule,
                    format!("notAfter {asked} is later than the profile allows"),
                )
                .fix(format!("the latest is {latest}")),
            );
        } else if asked <= start.max(now) {
            ledger.failed(
                refuse(
                    "validity.empty",
                    format!("notAfter {asked} leaves no time to be valid"),
                )
                .fix("ask for a later end, or for none"),
            );
        }
    }
    (start, latest)
}

/// The lifetime the profile gives on that day, and the rule that it comes from.
fn longest(
    spec: &ProfileSpec,
    instant: Timestamp,
    ledger: &mut Ledger,
) -> (Duration, &'static str) {
    let own = spec.validity();
    let cap = spec
        .validity_schedule
        .as_ref()
        .and_then(|schedule| schedule.longest(instant));
    let days = |duration: Duration| duration.as_secs() / 86_400;
    match cap {
        None => {
            ledger.not_applicable("validity.schedule", || {
                format!("no cap by date; the profile gives {} days", days(own))
            });
            (own, "validity.not-after")
        }
        Some(cap) => {
            ledger.passed("validity.schedule", || {
                format!(
                    "on {} the cap is {} days; the profile gives {} days",
                    instant.civil().date(),
                    days(cap),
                    days(own)
                )
            });
            match cap <= own {
                true => (cap, "validity.schedule"),
                false => (own, "validity.not-after"),
            }
        }
    }
}

const CENTURY: u64 = 100 * 365 * 86_400;
const ONE_SECOND: Duration = Duration::from_secs(1);
/// TLS BR section 7.1.2.7: notBefore within 48 hours of signing.
const MAX_POSTDATE: Duration = Duration::from_secs(48 * 60 * 60);
