//! OCSP answers: signed once, remembered until they are half used up or the status changes.

use std::sync::Arc;
use std::time::Duration;

use domain::certificate::Revocation;
use domain::id::IssuerId;
use domain::issuer::LocalCa;
use moka::sync::Cache;
use pki::ocsp::{
    self, CertStatus, ErrorStatus, OcspIssuer, OcspRequest, ResponseContent, SingleResponse,
};
use pki::serial::Serial;
use pki::time::Timestamp;
use store::StoreError;

use super::responder::{Responder, ResponderError};
use crate::Lifecycle;
use crate::issuers::ConnectedIssuer;
use crate::remembered::Remembered;

/// Signed answers by issuer, serial and how the request named the issuer; responders by issuer.
pub(crate) struct OcspCache {
    answers: Remembered<AnswerKey, Arc<Answer>>,
    responders: Cache<IssuerId, Arc<Responder>>,
}

type AnswerKey = (IssuerId, Serial);

/// A signed answer and what it rests on.
struct Answer {
    request: Vec<u8>,
    der: Arc<Vec<u8>>,
    status: Option<Option<Revocation>>,
    checked_at: Timestamp,
    fresh_until: Timestamp,
    next_update: Timestamp,
}

impl OcspCache {
    pub(crate) fn new() -> Self {
        Self {
            answers: Remembered::bounded(100_000),
            responders: Cache::builder()
                .max_capacity(1_000)
                .time_to_live(Duration::from_secs(60))
                .build(),
        }
    }

    pub(crate) fn forget(&self, issuer: &IssuerId, serial: &Serial) {
        self.answers.forget(&(issuer.clone(), serial.clone()));
    }
}

/// An answer and until when a proxy may keep it; errors are not to be kept.
#[derive(Clone, Debug)]
pub struct OcspAnswer {
    pub der: Arc<Vec<u8>>,
    pub next_update: Option<Timestamp>,
}

impl Lifecycle {
    /// Answers an OCSP request for certificates of `issuer`. Never fails: what goes wrong is one
    /// of the protocol's own unsigned answers.
    pub async fn answer_ocsp(&self, issuer: &ConnectedIssuer, request: &[u8]) -> OcspAnswer {
        let Some(ca) = issuer.connector.local_ca() else {
            return error_answer(ErrorStatus::Unauthorized);
        };
        let parsed = match OcspRequest::from_der(request) {
            Ok(parsed) => parsed,
            Err(_) => return error_answer(ErrorStatus::MalformedRequest),
        };
        match self.signed_answer(issuer, ca, request, &parsed).await {
            Ok(answer) => answer,
            Err(OcspFault::OtherIssuer) => error_answer(ErrorStatus::Unauthorized),
            Err(fault) => {
                tracing::error!(issuer.name = issuer.issuer.name, error = %fault, "OCSP request not answered");
                error_answer(ErrorStatus::TryLater)
            }
        }
    }

    async fn signed_answer(
        &self,
        issuer: &ConnectedIssuer,
        ca: &LocalCa,
        request: &[u8],
        parsed: &OcspRequest,
    ) -> Result<OcspAnswer, OcspFault> {
        // Only the plain question of one certificate without a nonce can be answered from before.
        let key = match parsed.cert_ids.as_slice() {
            [only] if parsed.nonce.is_none() => {
                Some((issuer.issuer.id.clone(), only.serial.clone()))
            }
            _ => None,
        };
        let now = self.now();
        if let Some(answer) = key.as_ref().and_then(|key| self.ocsp.answers.get(key))
            && answer.request == request
            && now < answer.fresh_until
            && self.is_current(issuer, parsed, &answer, now).await?
        {
            return Ok(OcspAnswer {
                der: Arc::clone(&answer.der),
                next_update: Some(answer.next_update),
            });
        }
        let responder = self.cached_responder(&issuer.issuer.id, ca, now).await?;
        let this_update = now.floor_to_second();
        let next_update = (this_update + self.settings.revocation.ocsp_validity)
            .min(responder.not_after)
            .floor_to_second();
        let facts = OcspIssuer::from_certificate(&ca.certificate);
        let mut responses = Vec::with_capacity(parsed.cert_ids.len());
        let before = self.ocsp.answers.before();
        let mut status = None;
        for cert_id in &parsed.cert_ids {
            if !facts.matches(cert_id) {
                return Err(OcspFault::OtherIssuer);
            }
            status = self.serial_status(ca, &cert_id.serial).await?;
            responses.push(SingleResponse {
                cert_id: cert_id.clone(),
                status: certificate_status(status),
                this_update,
                next_update,
            });
        }
        let content = ResponseContent {
            produced_at: this_update,
            responses,
            nonce: parsed.nonce.clone(),
        };
        let certificates = [responder.certificate_der.as_slice()];
        let der = ocsp::sign(&content, &responder.key, &certificates)?;
        let der = Arc::new(der);
        // An unknown serial is not remembered: it may be issued the next moment, and anyone can
        // ask for any number of them.
        if let (Some(key), Some(_)) = (key, status) {
            let half = next_update.since(this_update) / 2;
            self.ocsp.answers.keep(
                before,
                key,
                Arc::new(Answer {
                    request: request.to_vec(),
                    der: Arc::clone(&der),
                    status,
                    checked_at: now,
                    fresh_until: this_update + half,
                    next_update,
                }),
            );
        }
        Ok(OcspAnswer {
            der,
            next_update: Some(next_update),
        })
    }

    /// Whether the status a remembered answer gives still holds. On a store of our own every
    /// revocation passes through this process and drops the answer; on a shared one another
    /// node may have revoked, so the store is asked once a second.
    async fn is_current(
        &self,
        issuer: &ConnectedIssuer,
        parsed: &OcspRequest,
        answer: &Answer,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        if now >= answer.checked_at && now.since(answer.checked_at) < RECHECK {
            return Ok(true);
        }
        if !self.is_shared() && now >= answer.checked_at {
            return Ok(true);
        }
        let (Some(ca), [only]) = (issuer.connector.local_ca(), parsed.cert_ids.as_slice()) else {
            return Ok(false);
        };
        let before = self.ocsp.answers.before();
        let status = self.serial_status(ca, &only.serial).await?;
        if status != answer.status {
            return Ok(false);
        }
        self.ocsp.answers.keep(
            before,
            (issuer.issuer.id.clone(), only.serial.clone()),
            Arc::new(Answer {
                request: answer.request.clone(),
                der: Arc::clone(&answer.der),
                status,
                checked_at: now,
                ..*answer
            }),
        );
        Ok(true)
    }

    /// `None` for a serial that was never issued.
    async fn serial_status(
        &self,
        ca: &LocalCa,
        serial: &Serial,
    ) -> Result<Option<Option<Revocation>>, StoreError> {
        let Some(authority) = ca.certificate.subject_key_identifier.clone() else {
            return Ok(None);
        };
        let serial = serial.clone();
        let found = self
            .store
            .read("ocsp.status", |tx| {
                Box::pin(async move { tx.serial_status(&authority, &serial).await })
            })
            .await?;
        Ok(found.map(|(revocation, _)| revocation))
    }

    async fn cached_responder(
        &self,
        issuer: &IssuerId,
        ca: &LocalCa,
        now: Timestamp,
    ) -> Result<Arc<Responder>, OcspFault> {
        if let Some(responder) = self.ocsp.responders.get(issuer)
            && now < responder.not_after
        {
            return Ok(responder);
        }
        // Once a minute it is looked whether a successor is due: often enough for fifteen days,
        // and seldom enough for a CA key that is away.
        let responder = self.responder(issuer, ca).await?;
        self.ocsp
            .responders
            .insert(issuer.clone(), Arc::clone(&responder));
        Ok(responder)
    }
}

#[derive(Debug, thiserror::Error)]
enum OcspFault {
    #[error("the request is about another issuer")]
    OtherIssuer,
    #[error("the answer cannot be signed: {0}")]
    Sign(#[from] pki::key::KeyError),
    #[error(transparent)]
    Responder(#[from] ResponderError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn certificate_status(status: Option<Option<Revocation>>) -> CertStatus {
    match status {
        None => CertStatus::Unknown,
        Some(None) => CertStatus::Good,
        Some(Some(revocation)) => CertStatus::Revoked {
            at: revocation.at.floor_to_second(),
            reason: revocation.reason,
        },
    }
}

fn error_answer(status: ErrorStatus) -> OcspAnswer {
    OcspAnswer {
        der: Arc::new(ocsp::error_response(status)),
        next_update: None,
    }
}

const RECHECK: Duration = Duration::from_secs(1);
