//! Enrollment passwords: made, shown once, revoked.

use domain::access::Visibility;
use domain::enrolling::{EnrollmentPassword, EnrollmentSecret, EntryPoint, NewTerms};
use domain::id::{EnrollmentPasswordId, EntryPointId};
use domain::metadata::Circumstance;
use domain::policy::Violation;
use serde_json::json;
use store::StoreError;

use crate::Lifecycle;
use crate::actor::Caller;

/// A password to be made.
#[derive(Clone, Debug)]
pub struct NewEnrollmentPassword {
    pub name: String,
    pub username: Option<String>,
    pub terms: NewTerms,
}

/// A password that was made, with its secret: the only time it is shown.
#[derive(Debug)]
pub struct CreatedEnrollmentPassword {
    pub password: EnrollmentPassword,
    pub secret: EnrollmentSecret,
}

/// Why a password is not made.
#[derive(Debug, thiserror::Error)]
pub enum NewPasswordError {
    #[error("a name is needed: say which device or batch it is for")]
    NoName,
    #[error("a password for no enrollment opens nothing; leave `max_uses` out for any number")]
    NoUses,
    #[error("a user name has neither colons nor control characters (RFC 7617 section 2)")]
    Username,
    #[error("{}", .0.iter().map(Violation::text).collect::<Vec<_>>().join("; "))]
    Metadata(Vec<Violation>),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lifecycle {
    /// Makes a password for an entry point.
    pub async fn create_enrollment_password(
        &self,
        point: &EntryPoint,
        request: NewEnrollmentPassword,
        caller: &Caller,
    ) -> Result<CreatedEnrollmentPassword, NewPasswordError> {
        if request.name.trim().is_empty() {
            return Err(NewPasswordError::NoName);
        }
        if request.terms.max_uses == Some(0) {
            return Err(NewPasswordError::NoUses);
        }
        let is_bad = |c: char| c == ':' || c.is_control();
        if request
            .username
            .as_ref()
            .is_some_and(|name| name.contains(is_bad))
        {
            return Err(NewPasswordError::Username);
        }
        let mut terms = request.terms;
        terms.metadata = self
            .fields()
            .await?
            .check_passed_on(&terms.metadata, Circumstance::Password)
            .map_err(NewPasswordError::Metadata)?;
        terms.team = terms.team.or_else(|| point.team_id.clone());
        let now = self.now();
        let secret = EnrollmentSecret::generate(&*self.random);
        let password = EnrollmentPassword {
            id: EnrollmentPasswordId::mint(now, &*self.random),
            name: request.name,
            entry_point: point.id.clone(),
            hash: secret.hash(),
            username: request.username,
            terms: terms.begin(now),
        };
        let event = self.event(
            caller,
            "enrollment_password.created",
            password.id.as_str(),
            json!({
                "name": password.name,
                "protocol": point.spec.protocol(),
                "entry_point": point.name,
                "username": password.username,
                "allowed_names": password.terms.allowed_names,
                "max_uses": password.terms.max_uses,
                "expires_at": password.terms.expires_at,
                "metadata": password.terms.metadata,
                "team": password.terms.team_id,
            }),
        );
        let stored = password.clone();
        self.store
            .write("enrollment_password.create", move |tx| {
                Box::pin(async move {
                    tx.insert_enrollment_password(&stored).await?;
                    tx.insert_event(&event).await
                })
            })
            .await?;
        Ok(CreatedEnrollmentPassword { password, secret })
    }

    /// The password with that id.
    pub async fn enrollment_password(
        &self,
        id: &EnrollmentPasswordId,
    ) -> Result<Option<EnrollmentPassword>, StoreError> {
        let id = id.clone();
        self.store
            .read("enrollment_password.find", move |tx| {
                Box::pin(async move { tx.find_enrollment_password(&id).await })
            })
            .await
    }

    /// The passwords of the teams that are seen, newest first.
    pub async fn list_enrollment_passwords(
        &self,
        visible: Visibility,
        point: Option<EntryPointId>,
        after: Option<EnrollmentPasswordId>,
        limit: u32,
    ) -> Result<Vec<EnrollmentPassword>, StoreError> {
        self.store
            .scan("enrollment_password.list", move |tx| {
                Box::pin(async move {
                    tx.list_enrollment_passwords(&visible, point.as_ref(), after.as_ref(), limit)
                        .await
                })
            })
            .await
    }

    /// Revokes a password, and answers whether it is known. What was asked for with it and waits for
    /// people is given up.
    pub async fn revoke_enrollment_password(
        &self,
        id: &EnrollmentPasswordId,
        caller: &Caller,
    ) -> Result<bool, StoreError> {
        let now = self.now();
        let event = self.event(
            caller,
            "enrollment_password.revoked",
            id.as_str(),
            json!({ "before": "usable", "after": "revoked" }),
        );
        let id = id.clone();
        self.store
            .write("enrollment_password.revoke", move |tx| {
                Box::pin(async move {
                    if tx.find_enrollment_password(&id).await?.is_none() {
                        return Ok(false);
                    }
                    if tx.revoke_enrollment_password(&id, now).await? {
                        tx.insert_event(&event).await?;
                    }
                    Ok(true)
                })
            })
            .await
    }
}
