//! One-time links: a decision from a mailbox. Looking at one changes nothing, for those who scan
//! mail follow every link; saying something uses it up.

use std::sync::Arc;

use domain::access::Principal;
use domain::approval::{Approval, ApprovalLink, LinkRefusal, Verdict};
use domain::event::{Actor, ActorKind};
use domain::id::{ApprovalId, UserId};
use domain::token::TokenSecret;
use pki::fingerprint::Fingerprint;
use pki::time::Timestamp;
use serde_json::json;
use store::StoreError;
use url::Url;

use super::decide::{DecideError, Decided, Saying};
use super::dossier::Dossier;
use crate::Lifecycle;
use crate::actor::Caller;

/// A link that was made: the only time its secret is there.
#[derive(Debug)]
pub struct MintedLink {
    pub url: Url,
    pub approver: Principal,
    pub expires_at: Timestamp,
}

/// What a link shows.
#[derive(Debug)]
pub struct LinkView {
    pub dossier: Dossier,
    pub approver: Principal,
    pub verdicts: Vec<Verdict>,
}

/// Why there is no link.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    #[error("there is no approval {0}")]
    Unknown(ApprovalId),
    #[error(transparent)]
    Decide(#[from] DecideError),
    #[error("the server's public URL makes no links: {0}")]
    Url(#[from] url::ParseError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lifecycle {
    /// A link by which a user approves or denies, once: for notifications.
    pub async fn mint_approval_link(
        &self,
        id: &ApprovalId,
        user: &UserId,
    ) -> Result<Url, LinkError> {
        let approver = Principal::User(user.clone());
        let link = self
            .mint_link(
                id,
                approver,
                &[Verdict::Approve, Verdict::Deny],
                &Caller::system(),
            )
            .await?;
        Ok(link.url)
    }

    /// Whether a user may decide on an approval as it stands now.
    pub(crate) async fn may_decide(
        &self,
        approval: &Approval,
        user: &UserId,
    ) -> Result<bool, StoreError> {
        let decider = self.decider(&Principal::User(user.clone())).await?;
        Ok(decider.entitlement(approval).is_ok())
    }

    /// A link for whoever may decide now, and for nobody else.
    pub async fn mint_link(
        &self,
        id: &ApprovalId,
        approver: Principal,
        verdicts: &[Verdict],
        caller: &Caller,
    ) -> Result<MintedLink, LinkError> {
        let unknown = || LinkError::Unknown(id.clone());
        let approval = self.approval(id).await?.ok_or_else(unknown)?;
        let decider = self.decider(&approver).await?;
        decider.entitlement(&approval).map_err(DecideError::from)?;
        let now = self.now();
        let secret = self.link_secret();
        let link = ApprovalLink {
            hash: Fingerprint::of(secret.as_bytes()),
            approval_id: approval.id.clone(),
            round: approval.round,
            approver: approver.clone(),
            verdicts: verdicts.to_vec(),
            expires_at: approval.deadline_at,
            created_at: now,
            used_at: None,
        };
        let base = &self.settings.public_url;
        let url = Url::parse(&format!("{base}/approve/{}", &*secret))?;
        let data = json!({ "approver": approver, "verdicts": link.verdicts, "round": link.round });
        let event = self.event(caller, "approval.link_created", id.as_str(), data);
        let expires_at = link.expires_at;
        self.store
            .write("approval.link", move |tx| {
                Box::pin(async move {
                    tx.insert_approval_link(&link).await?;
                    tx.insert_event(&event).await
                })
            })
            .await?;
        Ok(MintedLink {
            url,
            approver,
            expires_at,
        })
    }

    /// What a link shows, if it opens anything; nothing changes.
    pub async fn look_at_link(&self, secret: &str) -> Result<LinkView, DecideError> {
        let (link, approval) = self.open_link(secret).await?;
        link.check(&approval, self.now())?;
        let dossier = self
            .dossier(&approval.id, Some(&link.approver))
            .await?
            .ok_or(LinkRefusal::Spent)?;
        Ok(LinkView {
            dossier,
            approver: link.approver,
            verdicts: link.verdicts,
        })
    }

    /// Decides by a link, which is then used up.
    pub async fn decide_by_link(
        self: &Arc<Self>,
        secret: &str,
        verdict: Verdict,
        reason: Option<String>,
        origin: &Caller,
    ) -> Result<Decided, DecideError> {
        let (link, approval) = self.open_link(secret).await?;
        let saying = Saying {
            approval: approval.id,
            verdict,
            reason,
        };
        // The link says who it is; the request, where from.
        let caller = Caller {
            actor: Actor {
                kind: match &link.approver {
                    Principal::User(_) => ActorKind::User,
                    Principal::Token(_) => ActorKind::Token,
                },
                id: link.approver.to_string(),
                address: origin.actor.address.clone(),
            },
            ..origin.clone()
        };
        self.decide_by(saying, &link.approver, Some(link.hash), &caller)
            .await
    }

    async fn open_link(&self, secret: &str) -> Result<(ApprovalLink, Approval), DecideError> {
        let hash = Fingerprint::of(secret.as_bytes());
        let found = self
            .store
            .read("approval.open_link", |tx| {
                Box::pin(async move {
                    let Some(link) = tx.find_approval_link(&hash).await? else {
                        return Ok(None);
                    };
                    let approval = tx.find_approval(&link.approval_id).await?;
                    Ok::<_, StoreError>(approval.map(|approval| (link, approval)))
                })
            })
            .await?;
        found.ok_or(DecideError::Link(LinkRefusal::Spent))
    }

    /// 256 random bits with a prefix by which scanners of secrets know them.
    fn link_secret(&self) -> zeroize::Zeroizing<String> {
        let secret = TokenSecret::generate(&*self.random);
        let text = secret.expose();
        let random = text.split_once('_').map_or(text, |(_, random)| random);
        zeroize::Zeroizing::new(format!("cwa_{random}"))
    }
}
