//! An order: a client's wish for a certificate (RFC 8555 section 7.1.3).

use std::time::Duration;

use pki::time::Timestamp;

use super::authorization::{Authorization, AuthorizationStatus};
use crate::enrollment::EnrollmentState;
use crate::id::{
    AccountId, AuthorizationId, CertificateId, DirectoryId, EnrollmentId, OrderId, ProfileId,
    TeamId,
};
use crate::identifier::Identifier;

/// An ACME order. Its status is not stored: it follows from the rest.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    pub id: OrderId,
    pub account_id: AccountId,
    pub directory_id: DirectoryId,
    pub identifiers: Vec<Identifier>,
    pub authorization_ids: Vec<AuthorizationId>,
    pub profile_id: ProfileId,
    /// The profile's name, as it is shown in the order.
    pub profile_name: String,
    /// The profile's version the order was made under.
    pub profile_version: u32,
    pub not_before: Option<Timestamp>,
    pub not_after: Option<Timestamp>,
    /// The certificate that this one takes the place of (RFC 9773 section 5).
    pub replaces: Option<CertificateId>,
    /// The same as the client wrote it, shown back to it.
    pub replaces_cert_id: Option<String>,
    /// Set by the one finalize request that was accepted.
    pub enrollment_id: Option<EnrollmentId>,
    pub expires_at: Timestamp,
    /// The team that the certificate will be of.
    pub team_id: Option<TeamId>,
    pub created_at: Timestamp,
}

/// RFC 8555 section 7.1.6, with what the state is about.
#[derive(Clone, Debug, PartialEq)]
pub enum OrderStatus {
    Pending,
    Ready,
    /// Worth another look after that time.
    Processing {
        retry_after: Duration,
    },
    Valid {
        certificate: CertificateId,
    },
    Invalid(OrderFault),
}

/// Why an order is invalid.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum OrderFault {
    #[error("the order expired before it was finalized; make a new one")]
    Expired,
    #[error("the authorization {0} did not succeed; make a new order")]
    Authorization(AuthorizationId),
    #[error("the certificate was not issued: {0}")]
    Issuance(String),
    #[error("the request was not approved: {0}")]
    NotApproved(String),
}

impl Order {
    /// The status at `now`, from the order's authorizations (of which those not found count as
    /// failed) and its enrollment.
    pub fn status(
        &self,
        authorizations: &[Authorization],
        enrollment: Option<&EnrollmentState>,
        now: Timestamp,
    ) -> OrderStatus {
        if let Some(state) = enrollment {
            return Self::status_by_enrollment(state, now);
        }
        let statuses = self.authorization_ids.iter().map(|id| {
            let status = authorizations
                .iter()
                .find(|authorization| authorization.id == *id)
                .map_or(AuthorizationStatus::Invalid, |a| a.status(now));
            (id, status)
        });
        let mut all_valid = true;
        for (id, status) in statuses {
            match status {
                AuthorizationStatus::Valid => {}
                AuthorizationStatus::Pending => all_valid = false,
                AuthorizationStatus::Invalid
                | AuthorizationStatus::Deactivated
                | AuthorizationStatus::Expired
                | AuthorizationStatus::Revoked => {
                    return OrderStatus::Invalid(OrderFault::Authorization(id.clone()));
                }
            }
        }
        if now >= self.expires_at {
            OrderStatus::Invalid(OrderFault::Expired)
        } else if all_valid {
            OrderStatus::Ready
        } else {
            OrderStatus::Pending
        }
    }

    fn status_by_enrollment(state: &EnrollmentState, now: Timestamp) -> OrderStatus {
        match state {
            EnrollmentState::AwaitingApproval { .. }
            | EnrollmentState::Approved { .. }
            | EnrollmentState::Signing { .. }
            | EnrollmentState::AwaitingIssuer { .. } => OrderStatus::Processing {
                retry_after: state.retry_after(now),
            },
            EnrollmentState::Issued { certificate } => OrderStatus::Valid {
                certificate: certificate.clone(),
            },
            EnrollmentState::Rejected { violations } => {
                let texts: Vec<&str> = violations.iter().map(|v| v.message.as_str()).collect();
                OrderStatus::Invalid(OrderFault::Issuance(texts.join("; ")))
            }
            EnrollmentState::Failed { reason } | EnrollmentState::Cancelled { reason } => {
                OrderStatus::Invalid(OrderFault::Issuance(reason.clone()))
            }
            EnrollmentState::Denied { reason } | EnrollmentState::Expired { reason } => {
                OrderStatus::Invalid(OrderFault::NotApproved(reason.clone()))
            }
        }
    }
}
