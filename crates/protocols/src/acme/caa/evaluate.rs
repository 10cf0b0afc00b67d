//! The decision.

use super::{CaaRecord, CaaRefusal, Miss, MissReason};
use crate::acme::issue_value::{Duplicate, IssueValue};

/// Properties that we understand; those beyond `issue` and `issuewild` do not restrict certificates for
/// domain names, so a critical flag on them forbids nothing.
const UNDERSTOOD: [&str; 6] = [
    "issue",
    "issuewild",
    "iodef",
    "issuemail",
    "contactemail",
    "contactphone",
];

/// The issuance to be authorised.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// Whether the name is a wildcard.
    pub wildcard: bool,
    /// The names by which CAA may name us, as the directory's `caaIdentities` lists them.
    pub issuer_domains: &'a [String],
    /// The requester's account URL; `None` where there is no ACME account, which no `accounturi` fits.
    pub account_uri: Option<&'a str>,
    /// The validation method used, such as `dns-01` or `ca-manual`; `None` fits no `validationmethods`.
    pub method: Option<&'a str>,
}

/// Decides over the relevant RRset, which is empty where no name up the tree has CAA records.
pub fn evaluate(records: &[CaaRecord], query: &Query<'_>) -> Result<(), CaaRefusal> {
    let unknown = |record: &&CaaRecord| !UNDERSTOOD.iter().any(|tag| record.has_tag(tag));
    let critical = records.iter().filter(|record| record.is_critical());
    if let Some(record) = critical.into_iter().find(unknown) {
        let tag = printable(record.tag.as_bytes());
        return Err(CaaRefusal::UnknownCritical { tag });
    }
    let property = relevant_property(records, query.wildcard);
    let mut misses = Vec::new();
    for record in records.iter().filter(|record| record.has_tag(property)) {
        match authorizes(&record.value, query) {
            Ok(()) => return Ok(()),
            Err(reason) => misses.push(Miss {
                value: printable(&record.value),
                reason,
            }),
        }
    }
    // Records without a relevant property (only `iodef`, say) restrict nothing.
    if misses.is_empty() {
        return Ok(());
    }
    Err(CaaRefusal::NotAuthorized { property, misses })
}

/// RFC 8659 section 4.3: `issuewild` decides for wildcards where there is one.
fn relevant_property(records: &[CaaRecord], wildcard: bool) -> &'static str {
    if wildcard && records.iter().any(|record| record.has_tag("issuewild")) {
        "issuewild"
    } else {
        "issue"
    }
}

fn authorizes(value: &[u8], query: &Query<'_>) -> Result<(), MissReason> {
    let text = str::from_utf8(value).map_err(|_| MissReason::NotText)?;
    let value = IssueValue::parse(text).map_err(MissReason::Malformed)?;
    let issuer = value.issuer.ok_or(MissReason::Nobody)?;
    let ours = |name: &String| name.eq_ignore_ascii_case(issuer);
    if !query.issuer_domains.iter().any(ours) {
        return Err(MissReason::OtherIssuer);
    }
    check_account(&value, query)?;
    check_method(&value, query)
}

/// RFC 8657 section 3.
fn check_account(value: &IssueValue<'_>, query: &Query<'_>) -> Result<(), MissReason> {
    match only(value, "accounturi")? {
        Some(uri) if query.account_uri != Some(uri) => Err(MissReason::OtherAccount),
        _ => Ok(()),
    }
}

/// RFC 8657 section 4.
fn check_method(value: &IssueValue<'_>, query: &Query<'_>) -> Result<(), MissReason> {
    let Some(list) = only(value, "validationmethods")? else {
        return Ok(());
    };
    let is_label = |label: &str| {
        let mut octets = label.bytes();
        !label.is_empty() && octets.all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
    };
    // An empty list is in the grammar, and lists no method.
    if !list.is_empty() && !list.split(',').all(is_label) {
        return Err(MissReason::Methods);
    }
    if list.split(',').any(|label| query.method == Some(label)) {
        return Ok(());
    }
    Err(MissReason::OtherMethod)
}

fn only<'a>(value: &IssueValue<'a>, tag: &'static str) -> Result<Option<&'a str>, MissReason> {
    value
        .only(tag)
        .map_err(|Duplicate| MissReason::Duplicate(tag))
}

/// The start of a stranger's octets, fit for a message.
fn printable(octets: &[u8]) -> String {
    let start = octets.get(..100).unwrap_or(octets);
    start.escape_ascii().to_string()
}
