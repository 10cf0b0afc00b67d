//! What every event says of the certificate, or the request for one, that it is about: rules choose by
//! it, so that no event may leave it out. An event that says all of it by itself costs no look-up.

use domain::event::Event;
use domain::id::{
    AccountId, ApprovalId, CertificateId, EabKeyId, EnrollmentId, IncidentId, IssuerId, OrderId,
    ProfileId, TeamId,
};
use domain::identifier::Identifier;
use serde_json::{Map, Value, json};

use crate::{Row, StoreError, Tx, params};

/// Of each object: whose it is, the team's name, profile, issuer, metadata, names, and the rules of the
/// profile where they say which issuers may sign.
macro_rules! of_certificate {
    ($which:literal) => {
        concat!(
            "SELECT c.team_id, t.name, p.name, COALESCE(i.name, c.issuer_name), c.metadata, c.names, \
             NULL FROM certificates c LEFT JOIN teams t ON t.id = c.team_id \
             LEFT JOIN profiles p ON p.id = c.profile_id AND p.version = c.profile_version \
             LEFT JOIN issuers i ON i.id = c.issuer_id WHERE c.id = ",
            $which
        )
    };
}

macro_rules! of_enrollment {
    ($which:literal) => {
        concat!(
            "SELECT e.team_id, t.name, p.name, i.name, e.metadata, e.identifiers, p.spec \
             FROM enrollments e LEFT JOIN teams t ON t.id = e.team_id \
             LEFT JOIN profiles p ON p.id = e.profile_id AND p.version = e.profile_version \
             LEFT JOIN issuers i ON i.id = e.issuer_id WHERE e.id = ",
            $which
        )
    };
}

/// What is looked up of a kind of object.
struct Lookup {
    sql: &'static str,
    members: &'static [&'static str],
}

const ALL: &[&str] = &["issuer", "metadata", "names", "profile", "team"];

impl Lookup {
    fn of(object: &str) -> Option<Self> {
        let prefix = object.find('_').map(|end| &object[..=end])?;
        let (sql, members) = match prefix {
            CertificateId::PREFIX => (of_certificate!("$1"), ALL),
            IncidentId::PREFIX => (
                of_certificate!("(SELECT certificate_id FROM incidents WHERE id = $1)"),
                ALL,
            ),
            EnrollmentId::PREFIX => (of_enrollment!("$1"), ALL),
            ApprovalId::PREFIX => (
                of_enrollment!("(SELECT enrollment_id FROM approvals WHERE id = $1)"),
                ALL,
            ),
            ProfileId::PREFIX => (
                "SELECT p.team_id, t.name, p.name, NULL, NULL, NULL, NULL FROM profiles p \
                 LEFT JOIN teams t ON t.id = p.team_id WHERE p.id = $1 \
                 ORDER BY p.version DESC LIMIT 1",
                &["profile", "team"] as &[_],
            ),
            IssuerId::PREFIX => (
                "SELECT NULL, NULL, NULL, name, NULL, NULL, NULL FROM issuers WHERE id = $1",
                &["issuer"] as &[_],
            ),
            OrderId::PREFIX => (
                "SELECT o.team_id, t.name, o.profile_name, NULL, NULL, NULL, NULL \
                 FROM acme_orders o LEFT JOIN teams t ON t.id = o.team_id WHERE o.id = $1",
                &["profile", "team"] as &[_],
            ),
            AccountId::PREFIX => (
                "SELECT a.team_id, t.name, NULL, NULL, NULL, NULL, NULL \
                 FROM acme_accounts a LEFT JOIN teams t ON t.id = a.team_id WHERE a.id = $1",
                &["team"] as &[_],
            ),
            EabKeyId::PREFIX => (
                "SELECT k.team_id, t.name, NULL, NULL, NULL, NULL, NULL \
                 FROM eab_keys k LEFT JOIN teams t ON t.id = k.team_id WHERE k.id = $1",
                &["team"] as &[_],
            ),
            _ => return None,
        };
        Some(Self { sql, members })
    }

    fn is_answered_by(&self, said: &Map<String, Value>) -> bool {
        self.members.iter().all(|member| said.contains_key(*member))
    }
}

impl Tx<'_> {
    /// The event with all that is known of its object; `None`, where it says it already.
    pub(crate) async fn completed(&mut self, event: &Event) -> Result<Option<Event>, StoreError> {
        let Value::Object(said) = &event.data else {
            return Ok(None);
        };
        let mut facts = Map::new();
        if let Some(lookup) = Lookup::of(&event.object).filter(|l| !l.is_answered_by(said))
            && let Some(row) = self.query_opt(lookup.sql, params![&event.object]).await?
        {
            facts = read(&row, lookup.members)?;
        }
        let team = said.get("team").or_else(|| facts.get("team"));
        let team: Option<TeamId> = team.and_then(|team| team.as_str()?.parse().ok());
        match team {
            // Whose it is now may not be whose it was.
            Some(team) if facts.get("team") != Some(&json!(team)) => {
                let found = self.find_team(&team).await?;
                facts.insert("team_name".to_owned(), json!(found.map(|team| team.name)));
            }
            Some(_) => {}
            None => drop(facts.remove("team_name")),
        }
        facts.retain(|member, _| !said.contains_key(member));
        if facts.is_empty() {
            return Ok(None);
        }
        let mut completed = event.clone();
        facts.extend(said.clone());
        completed.data = Value::Object(facts);
        Ok(Some(completed))
    }
}

fn read(row: &Row, members: &[&str]) -> Result<Map<String, Value>, StoreError> {
    let text = |index| row.get::<Option<&str>>(index);
    let mut facts = Map::new();
    for member in members {
        let value = match *member {
            "team" => json!(text(0)?),
            "profile" => json!(text(2)?),
            "issuer" => json!(text(3)?),
            "metadata" => row.json_opt::<Value>(4)?.unwrap_or_default(),
            _ => names(row.json_opt(5)?.unwrap_or_default()),
        };
        facts.insert((*member).to_owned(), value);
    }
    if let Some(team) = text(1)? {
        facts.insert("team_name".to_owned(), json!(team));
    }
    if text(3)?.is_none()
        && let Some(rules) = row.json_opt::<Value>(6)?
    {
        note_candidates(&mut facts, &rules);
    }
    Ok(facts)
}

/// Before an issuer was asked, those that may be are told; where there is one, it is that one.
fn note_candidates(facts: &mut Map<String, Value>, rules: &Value) {
    let choices = rules["issuers"].as_array().map_or(&[][..], Vec::as_slice);
    let active = choices.iter().filter(|choice| choice["weight"] != 0);
    let names: Vec<&Value> = active.map(|choice| &choice["issuer"]).collect();
    if let [only] = names.as_slice() {
        facts.insert("issuer".to_owned(), (*only).clone());
    }
    facts.insert("issuers".to_owned(), json!(names));
}

/// Certificates have names as text, requests have identifiers.
fn names(listed: Vec<Value>) -> Value {
    let text = |name: Value| match serde_json::from_value::<Identifier>(name.clone()) {
        Ok(identifier) => json!(identifier.value()),
        Err(_) => name,
    };
    listed.into_iter().map(text).collect()
}
