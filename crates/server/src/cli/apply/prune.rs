//! What files no longer hold: found among the kinds that they name, and taken away.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::client::Client;
use super::super::exit::Failure;
use super::diff::{Action, Step};
use super::files::Wanted;
use super::kind::{Kind, Removal};
use super::{Change, Planned, output};

/// The steps that take away what no file names: the kinds backwards, since each refers to those before it.
pub async fn plan(
    client: &Client,
    kinds: &[Box<dyn Kind>],
    wanted: &Wanted,
) -> Result<Vec<Planned>, Failure> {
    let mut planned = Vec::new();
    for (index, kind) in kinds.iter().enumerate().rev() {
        if !wanted.names_kind(kind.name()) {
            continue;
        }
        let kept: BTreeSet<&String> = wanted.of(kind.name()).map(|(name, _)| name).collect();
        let there = kind.list(client).await?.into_iter().map(|(name, _)| name);
        let left: Vec<String> = there.filter(|name| !kept.contains(name)).collect();
        let action = match kind.removal() {
            Removal::Delete => Action::Delete,
            Removal::Retire => Action::Retire,
            Removal::Stays => {
                tell_what_stays(kind.name(), &left);
                continue;
            }
        };
        if kind.name() == super::issuers::NAME {
            refuse_those_in_use(client, wanted, &left).await?;
        }
        planned.extend(left.into_iter().map(|name| Planned {
            kind: index,
            change: Change::Remove,
            step: Step::removing(kind.name(), name, action),
        }));
    }
    Ok(planned)
}

fn tell_what_stays(kind: &str, left: &[String]) {
    if !left.is_empty() {
        output::note(&format!(
            "{kind} are never deleted, since certificates and orders refer to them; in no file: {}",
            left.join(", ")
        ));
    }
}

/// An issuer that a profile still sends requests to, when the files are made so, stays.
async fn refuse_those_in_use(
    client: &Client,
    wanted: &Wanted,
    left: &[String],
) -> Result<(), Failure> {
    if left.is_empty() {
        return Ok(());
    }
    let written: Vec<(&String, &Value)> = wanted
        .of("profiles")
        .map(|(name, written)| (name, &written.rules))
        .collect();
    let profiles: Vec<Value> = client.list_all(&["profiles"]).await?;
    let others = profiles.iter().filter_map(|profile| {
        let name = profile["name"].as_str()?;
        let is_written = written.iter().any(|(written, _)| *written == name);
        (!is_written).then_some((name, &profile["rules"]))
    });
    let written = written.iter().map(|(name, rules)| (name.as_str(), *rules));
    for (profile, rules) in written.chain(others) {
        let choices = rules["issuers"].as_array().into_iter().flatten();
        let named = choices.filter_map(|choice| choice["issuer"].as_str());
        for issuer in named {
            if left.iter().any(|name| name == issuer) {
                return Err(Failure::refused(format!(
                    "issuer {issuer} is in no file, but profile {profile} sends requests to it; take it out of \
                     the profile, or move to another one with `certwright issuer migrate`"
                )));
            }
        }
    }
    Ok(())
}
