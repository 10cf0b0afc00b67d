//! Proving again who one is, and changing the password one proves it with.

use domain::session::Session;
use domain::sign_in::{PasswordFault, check_password};
use domain::user::User;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use store::StoreError;

use super::{HashError, SignInError, Verified};
use crate::Lifecycle;
use crate::actor::Caller;

/// Why a password stays what it is.
#[derive(Debug, thiserror::Error)]
pub enum ChangePasswordError {
    #[error(transparent)]
    SignIn(#[from] SignInError),
    #[error(transparent)]
    Fault(#[from] PasswordFault),
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lifecycle {
    /// Proves to a session that its user is still there: what is delicate asks for that.
    pub async fn reauthenticate(
        &self,
        session: &Session,
        user: &User,
        password: &SecretString,
        code: Option<&SecretString>,
        caller: &Caller,
    ) -> Result<(), SignInError> {
        let name = user.name.as_str();
        let Verified { user, proof } = self.verify(name, password, code, caller).await?;
        let event = self.event(
            caller,
            "session.renewed",
            user.id.as_str(),
            json!({ "session": session.id, "method": proof.method() }),
        );
        let (id, of, now) = (session.id.clone(), user.id.clone(), self.now());
        self.store
            .write("session.renew", move |tx| {
                Box::pin(async move {
                    proof.spend(tx, &of).await?;
                    tx.renew_session(&id, now).await?;
                    tx.insert_event(&event).await?;
                    Ok::<_, SignInError>(())
                })
            })
            .await?;
        self.forgive(&user.name, caller).await?;
        Ok(())
    }

    /// Changes the password of a user who knows the present one, and ends their other sessions.
    pub async fn change_password(
        &self,
        session: &Session,
        user: &User,
        present: &SecretString,
        code: Option<&SecretString>,
        new: &SecretString,
        caller: &Caller,
    ) -> Result<(), ChangePasswordError> {
        check_password(new.expose_secret(), &user.name)?;
        let name = user.name.as_str();
        let Verified { user, proof } = self.verify(name, present, code, caller).await?;
        let hash = self.passwords.hash(new, &*self.random).await?;
        let event = self.event(
            caller,
            "user.password_changed",
            user.id.as_str(),
            json!({ "user": user.name }),
        );
        let (kept, of, now) = (session.id.clone(), user.id.clone(), self.now());
        self.store
            .write("user.password", move |tx| {
                Box::pin(async move {
                    proof.spend(tx, &of).await?;
                    tx.put_password(&of, &hash, now).await?;
                    tx.delete_other_sessions(&of, &kept).await?;
                    tx.renew_session(&kept, now).await?;
                    tx.insert_event(&event).await?;
                    Ok::<_, ChangePasswordError>(())
                })
            })
            .await?;
        self.forgive(&user.name, caller).await?;
        Ok(())
    }
}
