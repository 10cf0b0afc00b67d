//! A certificate: asked for, waited for, confirmed.

use std::time::Duration;

use data_encoding::HEXLOWER;
use domain::certificate::Chain;
use domain::issuer::cmp::CmpMessage;
use domain::issuer::{Issuance, IssueError, SigningRequest};
use pki::certificate::Certificate;
use pki::crmf::{self, CertReqMsg, Possession, Wish};
use pki::csr::{Csr, CsrForm};
use pki::fingerprint::Fingerprint;
use protocols::cmp::{
    Body, CertRepMessage, CertStatus, FailInfo, PkiStatus, RequestKind, StatusInfo,
};
use serde::{Deserialize, Serialize};

use super::exchange::Answer;
use super::{CmpConnector, malformed, unexpected};
use crate::issuer::remote;

/// What is remembered of a request that waits.
#[derive(Serialize, Deserialize)]
struct Handle {
    transaction: String,
    /// The nonce of the latest answer.
    nonce: Option<String>,
    number: i64,
}

impl CmpConnector {
    pub(super) async fn ask(&self, request: &SigningRequest) -> Result<Issuance, IssueError> {
        let csr = Csr::accepted(&request.csr_der)
            .map_err(|error| IssueError::Refused(error.to_string()))?;
        let (body, number) = self.request(request, &csr)?;
        // After a crash the same transaction is asked for again: who knows it answers with the same.
        let repeatable = Fingerprint::of(request.enrollment.as_str().as_bytes()).0;
        let first = repeatable.iter().take(16).copied().collect();
        let mut answer = self.exchange(self.header(first), &body).await?;
        if is_in_use(&answer.body) {
            // Who does not is asked anew. What came of the first is never confirmed, so it is revoked.
            answer = self.exchange(self.header(self.fresh()), &body).await?;
        }
        self.follow(answer, number, Some(&csr)).await
    }

    pub(super) async fn ask_again(&self, handle: &str) -> Result<Issuance, IssueError> {
        let handle: Handle = remote::noted(handle)?;
        let octets = |text: &str| HEXLOWER.decode(text.as_bytes()).unwrap_or_default();
        let transaction = octets(&handle.transaction);
        let nonce = handle.nonce.as_deref().map(octets);
        let header = self.following(transaction, nonce);
        let body = Body::PollRequest(handle.number);
        let answer = self.exchange(header, &body).await?;
        self.follow(answer, handle.number, None).await
    }

    /// The request and its number. One in CRMF that proves possession goes on as it is.
    fn request(&self, request: &SigningRequest, csr: &Csr) -> Result<(Body, i64), IssueError> {
        let kind = match self.config.message {
            CmpMessage::P10cr if csr.form == CsrForm::Pkcs10 => {
                return Ok((Body::Pkcs10(csr.der.clone()), NO_NUMBER));
            }
            CmpMessage::P10cr | CmpMessage::Cr => RequestKind::Certification,
            CmpMessage::Ir => RequestKind::Initialization,
        };
        let refused = |error: &dyn std::fmt::Display| IssueError::Refused(error.to_string());
        let der = match csr.form {
            CsrForm::Crmf => csr.der.clone(),
            CsrForm::Pkcs10 => {
                let wish = Wish {
                    request_id: 0,
                    subject: &request.content.subject,
                    subject_alt_names: &request.content.subject_alt_names,
                    extensions: &[],
                    old_certificate: None,
                };
                let possession = Possession::Authority(&csr.public_key);
                crmf::build(&wish, &possession).map_err(|error| refused(&error))?
            }
        };
        let message = CertReqMsg::from_der(&der).map_err(|error| refused(&error))?;
        let number = message.request_id;
        Ok((Body::Request(kind, Box::new(message)), number))
    }

    async fn follow(
        &self,
        answer: Answer,
        number: i64,
        csr: Option<&Csr>,
    ) -> Result<Issuance, IssueError> {
        let transaction = answer.header.transaction_id.clone().unwrap_or_default();
        let nonce = answer.header.sender_nonce.clone();
        let pending = |poll_after| {
            let handle = Handle {
                transaction: HEXLOWER.encode(&transaction),
                nonce: nonce.as_deref().map(|nonce| HEXLOWER.encode(nonce)),
                number,
            };
            remote::pending(&handle, poll_after)
        };
        match &answer.body {
            Body::Response(_, response) => {
                if response.response.request_id != number {
                    return Err(unexpected());
                }
                let status = &response.response.status;
                match (status.status, &response.response.certificate) {
                    (PkiStatus::Waiting, _) => pending(SOON),
                    (PkiStatus::Accepted | PkiStatus::GrantedWithMods, Some(der)) => {
                        let leaf = Certificate::from_der(der).map_err(malformed)?;
                        self.conclude(&answer, response, leaf, csr).await
                    }
                    _ => Err(refusal(status)),
                }
            }
            Body::PollResponse(response) => pending(response.check_after.min(LONGEST)),
            Body::Error(status) if status.status == PkiStatus::Waiting => pending(SOON),
            Body::Error(status) => Err(refusal(status)),
            _ => Err(unexpected()),
        }
    }

    /// Confirms the certificate where that is wanted, and puts its chain together.
    async fn conclude(
        &self,
        answer: &Answer,
        response: &CertRepMessage,
        leaf: Certificate,
        csr: Option<&Csr>,
    ) -> Result<Issuance, IssueError> {
        let number = response.response.request_id;
        let is_ours = csr.is_none_or(|csr| csr.public_key == leaf.public_key);
        if !answer.header.is_implicitly_confirmed() {
            let mut status = CertStatus::accept(number, &leaf);
            if !is_ours {
                let text = "the certificate is for another key";
                status.status = Some(StatusInfo::rejection(FailInfo::IncorrectData, text));
            }
            let transaction = answer.header.transaction_id.clone().unwrap_or_default();
            let header = self.following(transaction, answer.header.sender_nonce.clone());
            let body = Body::Confirmation(Some(status));
            match self.exchange(header, &body).await?.body {
                Body::Confirmed => {}
                Body::Error(status) if status.failures.contains(&FailInfo::CertConfirmed) => {}
                Body::Error(status) => return Err(refusal(&status)),
                _ => return Err(unexpected()),
            }
        }
        if !is_ours {
            let text = "the CMP server's certificate is for another key";
            return Err(IssueError::Refused(text.to_owned()));
        }
        let known = self.chain.certificates();
        let mut pool: Vec<Certificate> = vec![leaf];
        let others = answer.certificates.iter().chain(&response.ca_pubs);
        pool.extend(
            others
                .chain(known)
                .filter_map(|der| Certificate::from_der(der).ok()),
        );
        let chain = order(&pool).ok_or_else(|| malformed("there is no certificate"))?;
        let [leaf] = chain.certificates() else {
            return Ok(Issuance::Issued(chain));
        };
        // Whoever checks the chain tells that it is not this CA that signed.
        let named = pool.first().map(|leaf| &leaf.issuer);
        let above = pool
            .iter()
            .find(|one| one.is_ca && Some(&one.subject) == named);
        let both = [Some(leaf.clone()), above.map(|above| above.der.clone())];
        Ok(Issuance::Issued(Chain::new(
            both.into_iter().flatten().collect(),
        )))
    }
}

/// The first certificate and those that signed each other above it.
pub(super) fn order(pool: &[Certificate]) -> Option<Chain> {
    let mut current = pool.first()?;
    let mut chain = vec![current.der.clone()];
    while !current.is_self_issued() && chain.len() < MAX_CHAIN {
        let above = pool
            .iter()
            .find(|one| one.is_ca && !chain.contains(&one.der) && current.is_signed_by(one));
        let Some(above) = above else {
            break;
        };
        chain.push(above.der.clone());
        current = above;
    }
    Some(Chain::new(chain))
}

fn is_in_use(body: &Body) -> bool {
    let status = match body {
        Body::Error(status) => status,
        Body::Response(_, response) => &response.response.status,
        _ => return false,
    };
    status.failures.contains(&FailInfo::TransactionIdInUse)
}

/// Why nothing comes of it: what can pass is tried again.
pub(super) fn refusal(status: &StatusInfo) -> IssueError {
    let passes = [
        FailInfo::SystemUnavail,
        FailInfo::SystemFailure,
        FailInfo::BadTime,
        FailInfo::TimeNotAvailable,
        FailInfo::TransactionIdInUse,
        FailInfo::BadRecipientNonce,
    ];
    let text = status.describe();
    match status.failures.iter().any(|one| passes.contains(one)) {
        true => IssueError::Unavailable(text),
        false => IssueError::Refused(text),
    }
}

/// The number of a PKCS #10 request (RFC 9483 section 4.1.4).
const NO_NUMBER: i64 = -1;
const SOON: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
const MAX_CHAIN: usize = 8;
