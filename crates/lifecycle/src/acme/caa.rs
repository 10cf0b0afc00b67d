//! CAA once more when an order is finalized.

use domain::acme::authorization::{Authorization, AuthorizationState, Proof};
use domain::acme::directory::{Caa, Directory};
use domain::id::AccountId;

use super::finalize::FinalizeError;
use crate::Lifecycle;

impl Lifecycle {
    /// RFC 8659: CAA as it is at issuance. An answer is relied on for its TTL or eight hours.
    pub(crate) async fn recheck_caa(
        &self,
        directory: &Directory,
        account: &AccountId,
        authorizations: &[Authorization],
    ) -> Result<(), FinalizeError> {
        if directory.spec.caa != Caa::Enforced {
            return Ok(());
        }
        let now = self.now();
        let account_url = self.account_url(&directory.name, account);
        for authorization in authorizations {
            let AuthorizationState::Valid {
                by,
                caa_fresh_until,
                ..
            } = &authorization.state
            else {
                continue;
            };
            let method = match by {
                Proof::Challenge(method) => Some(*method),
                Proof::TrustedBinding => None,
                // A test directory that looks at nothing does not look here either.
                Proof::Unchecked(_) => continue,
            };
            if caa_fresh_until.is_some_and(|until| now < until) {
                continue;
            }
            self.check_caa(
                directory,
                &authorization.identifier,
                authorization.wildcard,
                &account_url,
                method,
            )
            .await
            .map_err(|failure| FinalizeError::Caa(authorization.identifier.clone(), failure))?;
        }
        Ok(())
    }
}
