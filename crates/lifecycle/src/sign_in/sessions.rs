//! Sessions: known again, listed, ended.

use std::time::Duration;

use domain::id::{SessionId, UserId};
use domain::session::{Session, SessionSecret};
use domain::user::User;
use serde_json::json;
use store::StoreError;

use crate::Lifecycle;
use crate::actor::Caller;

impl Lifecycle {
    /// The session behind a cookie, and whose it is, if it opens anything now. Asked at each request,
    /// so that an end, a disabled user and a changed role take effect at once.
    pub async fn authenticate_session(
        &self,
        secret: &SessionSecret,
    ) -> Result<Option<(Session, User)>, StoreError> {
        let (hash, now) = (secret.hash(), self.now());
        let found = self
            .store
            .read("session.by_hash", move |tx| {
                Box::pin(async move {
                    let Some(session) = tx.find_session_by_hash(&hash).await? else {
                        return Ok(None);
                    };
                    let user = tx.find_user(&session.user).await?;
                    Ok::<_, StoreError>(user.map(|user| (session, user)))
                })
            })
            .await?;
        let rules = &self.settings.sign_in.sessions;
        let usable =
            found.filter(|(session, user)| user.may_act() && session.is_usable(now, rules));
        let Some((session, user)) = usable else {
            return Ok(None);
        };
        // Once a minute is enough to tell a used session from an idle one.
        if now.since(session.last_used_at) > Duration::from_secs(60) {
            let id = session.id.clone();
            self.store
                .write("session.touch", move |tx| {
                    Box::pin(async move { tx.touch_session(&id, now).await.map(drop) })
                })
                .await?;
        }
        Ok(Some((session, user)))
    }

    /// Whether its user has proved who they are a moment ago.
    pub fn is_recent(&self, session: &Session) -> bool {
        session.is_recent(self.now(), &self.settings.sign_in.sessions)
    }

    /// A user's sessions that are still good, newest first.
    pub async fn list_sessions(
        &self,
        user: &UserId,
        after: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<Session>, StoreError> {
        let (user, now) = (user.clone(), self.now());
        let mut found = self
            .store
            .scan("session.list", move |tx| {
                Box::pin(async move { tx.list_sessions(&user, after.as_ref(), limit).await })
            })
            .await?;
        found.retain(|session| session.is_usable(now, &self.settings.sign_in.sessions));
        Ok(found)
    }

    /// Ends one of a user's sessions. Says whether there was one.
    pub async fn end_session(
        &self,
        user: &UserId,
        session: &SessionId,
        caller: &Caller,
    ) -> Result<bool, StoreError> {
        let event = self.event(
            caller,
            "session.ended",
            user.as_str(),
            json!({ "session": session }),
        );
        let (user, session) = (user.clone(), session.clone());
        self.store
            .write("session.end", move |tx| {
                Box::pin(async move {
                    let ended = tx.delete_session(&user, &session).await?;
                    if ended {
                        tx.insert_event(&event).await?;
                    }
                    Ok(ended)
                })
            })
            .await
    }

    /// Ends all of a user's sessions but the one that asks. Gives their number.
    pub async fn end_other_sessions(
        &self,
        session: &Session,
        caller: &Caller,
    ) -> Result<u64, StoreError> {
        let event = self.event(
            caller,
            "session.ended",
            session.user.as_str(),
            json!({ "all_but": session.id }),
        );
        let (user, kept) = (session.user.clone(), session.id.clone());
        self.store
            .write("session.end_others", move |tx| {
                Box::pin(async move {
                    let ended = tx.delete_other_sessions(&user, &kept).await?;
                    if ended > 0 {
                        tx.insert_event(&event).await?;
                    }
                    Ok(ended)
                })
            })
            .await
    }

    /// Deletes sessions, tickets and failures that are over.
    pub(crate) async fn clean_up_sign_in(&self) -> Result<(), StoreError> {
        let now = self.now();
        let rules = self.settings.sign_in.sessions;
        self.store
            .write("sign_in.clean_up", move |tx| {
                Box::pin(async move {
                    tx.purge_sessions(now - rules.idle, now - rules.absolute)
                        .await?;
                    tx.purge_tickets(now).await?;
                    let memory = domain::sign_in::Backoff::USER.memory;
                    tx.purge_sign_in_attempts(now - memory).await.map(drop)
                })
            })
            .await
    }
}
