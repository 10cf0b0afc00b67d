//! What a list of certificates is asked for, from its parameters and from `q`.

use domain::certificate::{CertificateStatus, Origin};
use domain::metadata::Fields;
use domain::permission::Permission;
use domain::search::{SHORTEST_TEXT, Search, parse_duration};
use lifecycle::{CertificateCursor, CertificateFilter, CertificateSort, NameQuery, SortKey};
use pki::time::Timestamp;
use protocols::rest::certificate as wire;

use super::access::Operator;
use super::failure::Failure;
use super::names::Names;

/// A filter and an order.
pub(crate) struct Asked {
    pub(crate) filter: CertificateFilter,
    pub(crate) sort: CertificateSort,
}

/// Reads all parameters. What is said by a parameter and again by `q` is refused: one of the two would
/// have to be ignored.
pub(crate) fn read(
    query: wire::CertificateQuery,
    names: &Names,
    fields: &Fields,
    operator: &Operator,
    now: Timestamp,
) -> Result<Asked, Failure> {
    let sort = query.sort;
    let search = both(query, now)?;
    let sort = match (sort, search.expires_within) {
        (Some(sort), _) => read_sort(sort),
        // Whoever asks what ends soon wants to see it in that order.
        (None, Some(_)) => CertificateSort::ENDING,
        (None, None) => CertificateSort::NEWEST,
    };
    let filter = resolve(search, names, fields, operator, now)?;
    Ok(Asked { filter, sort })
}

/// A cursor goes on in the order that it is of.
pub(crate) fn check_cursor(
    sort: CertificateSort,
    after: Option<&CertificateCursor>,
) -> Result<(), Failure> {
    match after.is_none_or(|after| after.key() == sort.key) {
        true => Ok(()),
        false => Err(Failure::invalid(
            "`after` is of a page in another order; begin again without it, or keep `sort` as it was",
        )),
    }
}

/// The terms of `q` and the other parameters.
fn both(query: wire::CertificateQuery, now: Timestamp) -> Result<Search, Failure> {
    let text = query.q.as_deref().unwrap_or_default();
    let mut search =
        Search::parse(text, now).map_err(|fault| Failure::invalid(format!("`q`, {fault}")))?;
    let within = query.expires_within.as_deref().map(|text| {
        parse_duration(text).ok_or_else(|| {
            Failure::invalid("`expires_within` is a time such as 12h, 30d, 2w or 1y")
        })
    });
    search.metadata.extend(query.metadata);
    if query.name_contains.as_deref().is_some_and(is_short) {
        return Err(Failure::invalid(format!(
            "`name_contains` has at least {SHORTEST_TEXT} letters or digits"
        )));
    }
    let status = query.status.map(read_status);
    let origin = query.origin.map(read_origin);
    let kind = query.key_kind.map(|kind| kind.to_lowercase());
    merge("name", &mut search.name, query.name)?;
    merge("suffix", &mut search.suffix, query.suffix)?;
    merge(
        "name_contains",
        &mut search.name_contains,
        query.name_contains,
    )?;
    merge("serial", &mut search.serial, query.serial)?;
    merge("fingerprint", &mut search.fingerprint, query.fingerprint)?;
    merge("issuer", &mut search.issuer, query.issuer)?;
    merge("profile", &mut search.profile, query.profile)?;
    merge("team", &mut search.team, query.team)?;
    merge("account", &mut search.account, query.account)?;
    merge("status", &mut search.status, status)?;
    merge("origin", &mut search.origin, origin)?;
    merge("key_kind", &mut search.key_kind, kind)?;
    merge("weak_key", &mut search.weak, query.weak_key)?;
    merge("replaced", &mut search.replaced, query.replaced)?;
    merge("owned", &mut search.owned, query.owned)?;
    merge(
        "expires_within",
        &mut search.expires_within,
        within.transpose()?,
    )?;
    merge(
        "expires_before",
        &mut search.expires_before,
        query.expires_before,
    )?;
    merge(
        "expires_after",
        &mut search.expires_after,
        query.expires_after,
    )?;
    merge(
        "created_before",
        &mut search.created_before,
        query.created_before,
    )?;
    merge(
        "created_after",
        &mut search.created_after,
        query.created_after,
    )?;
    Ok(search)
}

fn merge<T>(name: &str, place: &mut Option<T>, value: Option<T>) -> Result<(), Failure> {
    match (&place, value) {
        (_, None) => Ok(()),
        (None, Some(value)) => {
            *place = Some(value);
            Ok(())
        }
        (Some(_), Some(_)) => Err(Failure::invalid(format!(
            "`{name}` is given, and `q` says the same; leave one of them out"
        ))),
    }
}

fn is_short(text: &str) -> bool {
    text.chars().filter(|c| c.is_alphanumeric()).count() < SHORTEST_TEXT
}

fn resolve(
    search: Search,
    names: &Names,
    fields: &Fields,
    operator: &Operator,
    now: Timestamp,
) -> Result<CertificateFilter, Failure> {
    let rights = operator.rights();
    let account = search.account.as_deref().map(str::parse).transpose();
    let (status, expires_before) = expiry(&search, now)?;
    let issuer = search.issuer.as_deref().map(|name| names.issuer_id(name));
    let profile = search.profile.as_deref();
    let profile = profile.map(|name| names.profile_id(name, rights));
    let team = search.team.as_deref();
    let team = team.map(|name| names.team_id(name, rights));
    Ok(CertificateFilter {
        visible: operator.visible(Permission::CertificatesRead),
        names: name_queries(&search),
        serial: search.serial,
        fingerprint: search.fingerprint,
        issuer: issuer.transpose()?,
        profile: profile.transpose()?,
        team: team.transpose()?,
        account: account.map_err(|error: domain::id::ParseIdError| {
            Failure::invalid(format!("`account`: {error}"))
        })?,
        status: status.map(|status| (status, now)),
        expires_before,
        expires_after: search.expires_after,
        created_before: search.created_before,
        created_after: search.created_after,
        origin: search.origin,
        key_kind: search.key_kind,
        weak: search.weak,
        replaced: search.replaced,
        owned: search.owned,
        metadata: search
            .metadata
            .iter()
            .map(|(name, value)| sought_value(fields, name, value))
            .collect::<Result<_, _>>()?,
        texts: search.texts,
    })
}

/// A value in the form in which certificates have it. One that today's rules refuse may be from
/// before them.
fn sought_value(fields: &Fields, name: &str, value: &str) -> Result<(String, String), Failure> {
    if !fields.knows(name) {
        return Err(Failure::invalid(fields.missing(name)));
    }
    let normal = fields
        .find(name)
        .and_then(|field| field.normal(value, None).ok());
    Ok((name.to_owned(), normal.unwrap_or_else(|| value.to_owned())))
}

/// What ends within some time is valid now, and ends before that time is over.
fn expiry(
    search: &Search,
    now: Timestamp,
) -> Result<(Option<CertificateStatus>, Option<Timestamp>), Failure> {
    let Some(within) = search.expires_within else {
        return Ok((search.status, search.expires_before));
    };
    match search.status {
        None | Some(CertificateStatus::Valid) => {}
        Some(CertificateStatus::Expired | CertificateStatus::Revoked)
        | Some(CertificateStatus::NotYetValid) => {
            return Err(Failure::invalid(
                "what ends within some time is valid until then; leave the status out, or give \
                 a date in place of the time",
            ));
        }
    }
    let end = now + within;
    let before = search.expires_before.map_or(end, |before| before.min(end));
    Ok((Some(CertificateStatus::Valid), Some(before)))
}

fn name_queries(search: &Search) -> Vec<NameQuery> {
    let exact = search.name.as_deref().map(canonical).map(NameQuery::Exact);
    let suffix = search.suffix.as_deref();
    let suffix = suffix.map(|suffix| NameQuery::Suffix(canonical(suffix.trim_start_matches('.'))));
    let part = search.name_contains.clone().map(NameQuery::Contains);
    [exact, suffix, part].into_iter().flatten().collect()
}

/// A name as the inventory writes it: in lower case, addresses in their shortest form.
fn canonical(name: &str) -> String {
    match name.parse::<std::net::IpAddr>() {
        Ok(address) => address.to_string(),
        Err(_) => name.trim_end_matches('.').to_ascii_lowercase(),
    }
}

fn read_status(status: wire::CertificateStatus) -> CertificateStatus {
    match status {
        wire::CertificateStatus::NotYetValid => CertificateStatus::NotYetValid,
        wire::CertificateStatus::Valid => CertificateStatus::Valid,
        wire::CertificateStatus::Expired => CertificateStatus::Expired,
        wire::CertificateStatus::Revoked => CertificateStatus::Revoked,
    }
}

fn read_origin(origin: wire::CertificateOrigin) -> Origin {
    match origin {
        wire::CertificateOrigin::Issued => Origin::Issued,
        wire::CertificateOrigin::Discovered => Origin::Discovered,
        wire::CertificateOrigin::Imported => Origin::Imported,
    }
}

fn read_sort(sort: wire::CertificateSort) -> CertificateSort {
    use wire::CertificateSort as Wire;
    let (key, descending) = match sort {
        Wire::Created => (SortKey::Created, false),
        Wire::CreatedDescending => (SortKey::Created, true),
        Wire::NotAfter => (SortKey::NotAfter, false),
        Wire::NotAfterDescending => (SortKey::NotAfter, true),
        Wire::Name => (SortKey::Name, false),
        Wire::NameDescending => (SortKey::Name, true),
    };
    CertificateSort { key, descending }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn search(query: wire::CertificateQuery) -> Result<Search, Failure> {
        both(query, NOW)
    }

    #[test]
    fn names_are_looked_up_as_they_are_kept() {
        for (typed, kept) in [
            ("WWW.Example.org.", "www.example.org"),
            ("2001:DB8:0:0::1", "2001:db8::1"),
            ("192.0.2.1", "192.0.2.1"),
            ("*.example.org", "*.example.org"),
        ] {
            assert_eq!(canonical(typed), kept);
        }
    }

    #[test]
    fn parameters_and_terms_add_up_unless_they_say_the_same() {
        let query = wire::CertificateQuery {
            q: Some("team:web billing=4711".to_owned()),
            metadata: [("stage".to_owned(), "test=1".to_owned())].into(),
            expires_within: Some("30d".to_owned()),
            ..wire::CertificateQuery::default()
        };
        let read = search(query.clone()).unwrap();
        assert_eq!(read.team.as_deref(), Some("web"));
        let pair = |field: &str, value: &str| (field.to_owned(), value.to_owned());
        assert_eq!(
            read.metadata,
            [pair("billing", "4711"), pair("stage", "test=1")]
        );
        let twice = wire::CertificateQuery {
            team: Some("mail".to_owned()),
            ..query
        };
        assert!(search(twice).is_err());
    }

    #[test]
    fn what_ends_within_a_time_is_valid() {
        let ask = |q: &str| {
            let query = wire::CertificateQuery {
                q: Some(q.to_owned()),
                ..wire::CertificateQuery::default()
            };
            expiry(&search(query).unwrap(), NOW)
        };
        let day = std::time::Duration::from_secs(24 * 3600);
        let valid = Some(CertificateStatus::Valid);
        assert_eq!(ask("expires<1d").unwrap(), (valid, Some(NOW + day)));
        assert_eq!(ask("status:valid").unwrap(), (valid, None));
        assert!(ask("expires<1d status:revoked").is_err());
    }
}
