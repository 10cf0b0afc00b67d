//! The fields: listed, defined, changed, retired.

use std::sync::Arc;

use domain::id::{FieldId, UserId};
use domain::metadata::{Field, FieldFault, FieldKind, FieldSpec, Fields, People};
use pki::time::Timestamp;
use serde_json::json;
use store::{StoreError, Tx};

use crate::Lifecycle;
use crate::actor::Caller;
use crate::operator::Expected;

/// Why a field stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum FieldError {
    #[error("the field cannot be used: {}", list(.0))]
    Rules(Vec<FieldFault>),
    #[error("there is no metadata field `{0}`")]
    Unknown(String),
    #[error("the field was changed since you read it; read it again and repeat your change")]
    Changed,
    #[error(
        "certificates have values of the field `{0}`, so its kind stays; retire it and define another"
    )]
    KindInUse(String),
    #[error("the field `{0}` is needed by {1}; change that first")]
    Needed(String, String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn list(faults: &[FieldFault]) -> String {
    let texts: Vec<String> = faults.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

impl Lifecycle {
    /// The fields that values are held against.
    pub async fn fields(&self) -> Result<Arc<Fields>, StoreError> {
        if let Some(fields) = self.fields.get(&()) {
            return Ok(fields);
        }
        let before = self.fields.before();
        let fields = self
            .store
            .read("field.all", |tx| {
                Box::pin(async move { read_fields(tx).await })
            })
            .await?;
        let fields = Arc::new(fields);
        self.fields.keep(before, (), Arc::clone(&fields));
        Ok(fields)
    }

    /// Every field by name, retired ones included.
    pub async fn list_fields(&self) -> Result<Vec<Field>, StoreError> {
        self.store
            .scan("field.list", |tx| {
                Box::pin(async move { tx.list_fields().await })
            })
            .await
    }

    /// Defines a field, or changes the rules of the one with that name, if it is as expected. One
    /// that is retired is in force again.
    pub async fn replace_field(
        &self,
        name: String,
        spec: FieldSpec,
        expected: Expected<u32>,
        caller: &Caller,
    ) -> Result<Field, FieldError> {
        let now = self.now();
        let fresh = Field {
            id: FieldId::mint(now, &*self.random),
            name: name.clone(),
            spec,
            version: 1,
            retired_at: None,
            created_at: now,
            updated_at: now,
        };
        let mut event = self.event(caller, "metadata_field.changed", &name, json!({}));
        let stored = self
            .store
            .write("field.replace", move |tx| {
                Box::pin(async move {
                    let (field, before) = store_field(tx, fresh, expected, now).await?;
                    event.data =
                        json!({ "name": field.name, "before": before, "after": field.spec });
                    tx.insert_event(&event).await?;
                    Ok::<_, FieldError>(field)
                })
            })
            .await;
        self.fields.forget(&());
        stored
    }

    /// Takes a field out of use: nothing new gets a value for it, what has one keeps it.
    pub async fn retire_field(&self, name: &str, caller: &Caller) -> Result<Field, FieldError> {
        let now = self.now();
        let mut event = self.event(caller, "metadata_field.retired", name, json!({}));
        let name = name.to_owned();
        let retired = self
            .store
            .write("field.retire", move |tx| {
                Box::pin(async move {
                    let known = locked_fields(tx, now).await?;
                    let found = known.iter().find(|field| field.name == name);
                    let mut field = found.cloned().ok_or(FieldError::Unknown(name))?;
                    if field.retired_at.is_some() {
                        return Ok(field);
                    }
                    refuse_if_needed(tx, &field, &known).await?;
                    field.retired_at = Some(now);
                    field.version += 1;
                    field.updated_at = now;
                    tx.update_field(&field).await?;
                    event.data = json!({ "name": field.name, "before": field.spec });
                    tx.insert_event(&event).await?;
                    Ok::<_, FieldError>(field)
                })
            })
            .await;
        self.fields.forget(&());
        retired
    }
}

/// The fields, read, with the people they may name.
pub(super) async fn read_fields(tx: &mut Tx<'_>) -> Result<Fields, StoreError> {
    let stored = tx.list_fields().await?;
    let people = match stored.is_empty() {
        true => People::default(),
        false => people(tx, &stored).await?,
    };
    read(&stored, people)
}

const PEOPLE_PAGE: u32 = 1000;

/// Who there is; of the users, who may be many, only where a field names one.
async fn people(tx: &mut Tx<'_>, fields: &[Field]) -> Result<People, StoreError> {
    let mut people = People::default();
    for team in tx.list_teams().await? {
        people.add_team(&team.name, [team.id.as_str()]);
    }
    if !fields
        .iter()
        .any(|field| field.spec.kind == FieldKind::User)
    {
        return Ok(people);
    }
    let mut after: Option<UserId> = None;
    loop {
        let page = tx.list_users(after.as_ref(), PEOPLE_PAGE).await?;
        for user in &page {
            people.add_user(user.name.as_str(), [user.id.as_str()]);
        }
        match page.last() {
            Some(last) if page.len() == PEOPLE_PAGE as usize => after = Some(last.id.clone()),
            _ => return Ok(people),
        }
    }
}

/// A field that cannot be read stops issuance rather than being passed over.
fn read(stored: &[Field], people: People) -> Result<Fields, StoreError> {
    Fields::read(stored, people).map_err(|(name, faults)| {
        StoreError::Statement(format!(
            "the metadata field `{name}` cannot be read: {}",
            list(&faults)
        ))
    })
}

/// All fields, which nobody else changes until the transaction ends: two changes that are each
/// right could make a circle together.
async fn locked_fields(tx: &mut Tx<'_>, now: Timestamp) -> Result<Vec<Field>, StoreError> {
    tx.put_setting("metadata-fields", &now.to_string(), now)
        .await?;
    tx.list_fields().await
}

async fn store_field(
    tx: &mut Tx<'_>,
    mut field: Field,
    expected: Expected<u32>,
    now: Timestamp,
) -> Result<(Field, Option<FieldSpec>), FieldError> {
    let known = locked_fields(tx, now).await?;
    let before = known.iter().find(|known| known.name == field.name);
    if !expected.agrees(before.map(|before| &before.version)) {
        return Err(FieldError::Changed);
    }
    let people = people(tx, &[&known[..], std::slice::from_ref(&field)].concat()).await?;
    let all = read(&known, people)?;
    let mut faults = match all.check(&field.name, &field.spec) {
        Ok(_) => Vec::new(),
        Err(faults) => faults,
    };
    faults.extend(missing_places(tx, &field.spec).await?);
    if !faults.is_empty() {
        return Err(FieldError::Rules(faults));
    }
    let Some(before) = before else {
        tx.insert_field(&field).await?;
        return Ok((field, None));
    };
    if before.spec.kind != field.spec.kind && tx.is_field_in_use(&field.name).await? {
        return Err(FieldError::KindInUse(field.name));
    }
    field.id = before.id.clone();
    field.created_at = before.created_at;
    field.version = before.version + 1;
    tx.update_field(&field).await?;
    Ok((field, Some(before.spec.clone())))
}

/// Profiles and directories that the field is to apply to, and that there are not.
async fn missing_places(tx: &mut Tx<'_>, spec: &FieldSpec) -> Result<Vec<FieldFault>, StoreError> {
    let mut faults = Vec::new();
    let mut missing = |place: &str, kind: &str, name: &str| {
        faults.push(FieldFault {
            place: place.to_owned(),
            message: format!(
                "there is no {kind} `{}`",
                name.chars().take(64).collect::<String>()
            ),
        });
    };
    for name in &spec.applies.profiles {
        if tx.find_profile(name).await?.is_none() {
            missing("applies.profiles", "profile", name);
        }
    }
    for name in &spec.applies.directories {
        if tx.find_directory_by_name(name).await?.is_none() {
            missing("applies.directories", "ACME directory", name);
        }
    }
    Ok(faults)
}

/// What computes from the field, or requires it, would come to nothing.
async fn refuse_if_needed(
    tx: &mut Tx<'_>,
    field: &Field,
    known: &[Field],
) -> Result<(), FieldError> {
    let all = read(known, People::default())?;
    let mut needed_by: Vec<String> = all
        .referrers(&field.name)
        .into_iter()
        .map(|name| format!("the computed field `{name}`"))
        .collect();
    for profile in tx.list_profiles().await? {
        if profile.spec.required_metadata.contains(&field.name) {
            needed_by.push(format!("the profile `{}`", profile.name));
        }
    }
    match needed_by.is_empty() {
        true => Ok(()),
        false => Err(FieldError::Needed(field.name.clone(), needed_by.join(", "))),
    }
}
