//! An authorization: an account's proof of control over one identifier (RFC 8555 section 7.1.4).

use pki::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::challenge::{Attempt, Challenge, ChallengeAnswer, ChallengeKind, ChallengeState};
use super::validation::ValidationFailure;
use crate::attestation::AttestedKey;
use crate::id::{AccountId, AuthorizationId, DirectoryId};
use crate::identifier::Identifier;

/// An authorization with its challenges, which share one token.
#[derive(Clone, Debug, PartialEq)]
pub struct Authorization {
    pub id: AuthorizationId,
    pub account_id: AccountId,
    pub directory_id: DirectoryId,
    /// Without a leading `*.`.
    pub identifier: Identifier,
    pub wildcard: bool,
    pub state: AuthorizationState,
    /// Base64url of 256 random bits.
    pub token: String,
    pub challenges: Vec<Challenge>,
    pub expires_at: Timestamp,
    pub created_at: Timestamp,
}

/// What is stored; expiry is derived.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum AuthorizationState {
    Pending,
    Valid {
        validated_at: Timestamp,
        by: Proof,
        /// When CAA was last found to allow us, and until when that may be relied on.
        #[serde(default)]
        caa_fresh_until: Option<Timestamp>,
    },
    Invalid,
    Deactivated,
    Revoked,
}

/// What an authorization rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "proof", content = "challenge")]
pub enum Proof {
    Challenge(ChallengeKind),
    /// Nobody looked: a test directory took the client's word for it.
    Unchecked(ChallengeKind),
    /// The account's EAB key allows the name, in a trusted directory.
    TrustedBinding,
}

/// RFC 8555 section 7.1.6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthorizationStatus {
    Pending,
    Valid,
    Invalid,
    Deactivated,
    Expired,
    Revoked,
}

impl Authorization {
    /// The status at `now`.
    pub fn status(&self, now: Timestamp) -> AuthorizationStatus {
        match &self.state {
            AuthorizationState::Pending if now >= self.expires_at => AuthorizationStatus::Invalid,
            AuthorizationState::Pending => AuthorizationStatus::Pending,
            AuthorizationState::Valid { .. } if now >= self.expires_at => {
                AuthorizationStatus::Expired
            }
            AuthorizationState::Valid { .. } => AuthorizationStatus::Valid,
            AuthorizationState::Invalid => AuthorizationStatus::Invalid,
            AuthorizationState::Deactivated => AuthorizationStatus::Deactivated,
            AuthorizationState::Revoked => AuthorizationStatus::Revoked,
        }
    }

    /// The challenge of that kind.
    pub fn challenge(&self, kind: ChallengeKind) -> Option<&Challenge> {
        self.challenges.iter().find(|c| c.kind == kind)
    }

    /// The failure that made it invalid, or the latest one on the way.
    pub fn last_failure(&self) -> Option<&ValidationFailure> {
        self.challenges.iter().find_map(|c| c.state.last_failure())
    }

    /// The client says its response is in place: the challenge goes to processing. Says whether
    /// anything changed; asking again is no error.
    pub fn begin(&mut self, kind: ChallengeKind, now: Timestamp) -> Result<bool, TransitionError> {
        self.require_pending(now)?;
        let challenge = self.challenge_mut(kind)?;
        match challenge.state {
            ChallengeState::Pending => {
                challenge.state = ChallengeState::Processing {
                    attempts: Vec::new(),
                };
                Ok(true)
            }
            ChallengeState::Processing { .. }
            | ChallengeState::Valid { .. }
            | ChallengeState::Invalid { .. } => Ok(false),
        }
    }

    /// Keeps what came with the response to a challenge until there is a verdict on it.
    pub fn keep_answer(&mut self, kind: ChallengeKind, answer: Option<ChallengeAnswer>) {
        if let Ok(challenge) = self.challenge_mut(kind) {
            challenge.response = answer;
        }
    }

    /// The key that a device's maker vouched for; no other may be certified on this authorization.
    pub fn attested_key(&self) -> Option<&AttestedKey> {
        self.challenges.iter().find_map(|c| c.attested.as_ref())
    }

    /// Notes which key was attested by the challenge that succeeded.
    pub fn note_attested(&mut self, kind: ChallengeKind, attested: Option<AttestedKey>) {
        if let Ok(challenge) = self.challenge_mut(kind) {
            challenge.attested = attested;
        }
    }

    /// A probe failed and another will follow.
    pub fn note_failure(
        &mut self,
        kind: ChallengeKind,
        failure: ValidationFailure,
        now: Timestamp,
    ) -> Result<(), TransitionError> {
        self.require_pending(now)?;
        match &mut self.challenge_mut(kind)?.state {
            ChallengeState::Processing { attempts } => {
                attempts.push(Attempt { at: now, failure });
                Ok(())
            }
            ChallengeState::Pending
            | ChallengeState::Valid { .. }
            | ChallengeState::Invalid { .. } => Err(TransitionError::NotProcessing),
        }
    }

    /// The last probe failed: one failed challenge makes the authorization invalid.
    pub fn fail(
        &mut self,
        kind: ChallengeKind,
        failure: ValidationFailure,
        now: Timestamp,
    ) -> Result<(), TransitionError> {
        self.note_failure(kind, failure, now)?;
        let challenge = self.challenge_mut(kind)?;
        challenge.response = None;
        if let ChallengeState::Processing { attempts } = &mut challenge.state {
            challenge.state = ChallengeState::Invalid {
                attempts: std::mem::take(attempts),
            };
        }
        self.state = AuthorizationState::Invalid;
        Ok(())
    }

    /// A probe succeeded, or none was wanted: the authorization is valid until `expires_at`.
    pub fn succeed(
        &mut self,
        by: Proof,
        now: Timestamp,
        expires_at: Timestamp,
        caa_fresh_until: Option<Timestamp>,
    ) -> Result<(), TransitionError> {
        self.require_pending(now)?;
        if let Proof::Challenge(kind) | Proof::Unchecked(kind) = by {
            let challenge = self.challenge_mut(kind)?;
            challenge.state = ChallengeState::Valid { validated_at: now };
            challenge.response = None;
        }
        self.state = AuthorizationState::Valid {
            validated_at: now,
            by,
            caa_fresh_until,
        };
        self.expires_at = expires_at;
        Ok(())
    }

    /// The client gives it up (RFC 8555 section 7.5.2).
    pub fn deactivate(&mut self, now: Timestamp) -> Result<(), TransitionError> {
        match self.status(now) {
            AuthorizationStatus::Pending | AuthorizationStatus::Valid => {
                self.state = AuthorizationState::Deactivated;
                Ok(())
            }
            AuthorizationStatus::Invalid
            | AuthorizationStatus::Deactivated
            | AuthorizationStatus::Expired
            | AuthorizationStatus::Revoked => Err(TransitionError::NotPending),
        }
    }

    fn require_pending(&self, now: Timestamp) -> Result<(), TransitionError> {
        match self.status(now) {
            AuthorizationStatus::Pending => Ok(()),
            _ => Err(TransitionError::NotPending),
        }
    }

    fn challenge_mut(&mut self, kind: ChallengeKind) -> Result<&mut Challenge, TransitionError> {
        self.challenges
            .iter_mut()
            .find(|c| c.kind == kind)
            .ok_or(TransitionError::NoSuchChallenge)
    }
}

/// Why an authorization does not change as asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransitionError {
    #[error("the authorization is no longer open; make a new order")]
    NotPending,
    #[error("the challenge is not being processed")]
    NotProcessing,
    #[error("the authorization does not offer this challenge")]
    NoSuchChallenge,
}
