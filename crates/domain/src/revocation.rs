//! Who may revoke a certificate, and for which reasons.

use pki::revocation::RevocationReason;

use crate::id::AccountId;

/// By what right a revocation is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RevocationAuthority {
    /// The ACME account that the certificate was issued to.
    IssuingAccount(AccountId),
    /// An ACME account that holds a valid authorization for every name (RFC 8555 section 7.6).
    AuthorizedAccount(AccountId),
    /// The holder of the certificate's private key.
    KeyHolder,
    /// An operator with the right role.
    Operator(String),
}

/// Whether a reason may be given by that authority.
///
/// Subscribers may give what the TLS BR section 7.2.2 lets them; a claim of key compromise is
/// believed only from who holds the key, or an operator.
pub fn reason_is_allowed(authority: &RevocationAuthority, reason: RevocationReason) -> bool {
    use RevocationReason as R;
    match authority {
        RevocationAuthority::Operator(_) => !matches!(reason, R::RemoveFromCrl),
        RevocationAuthority::KeyHolder => matches!(
            reason,
            R::Unspecified
                | R::KeyCompromise
                | R::Superseded
                | R::CessationOfOperation
                | R::AffiliationChanged
        ),
        RevocationAuthority::IssuingAccount(_) | RevocationAuthority::AuthorizedAccount(_) => {
            matches!(
                reason,
                R::Unspecified
                    | R::KeyCompromise
                    | R::AffiliationChanged
                    | R::Superseded
                    | R::CessationOfOperation
            )
        }
    }
}

/// Whether the key is blocked from then on: compromise proven by signature, or said by an operator.
pub fn blocks_key(authority: &RevocationAuthority, reason: RevocationReason) -> bool {
    reason == RevocationReason::KeyCompromise
        && match authority {
            RevocationAuthority::KeyHolder | RevocationAuthority::Operator(_) => true,
            RevocationAuthority::IssuingAccount(_) | RevocationAuthority::AuthorizedAccount(_) => {
                false
            }
        }
}
