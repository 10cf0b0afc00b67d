//! The deletion of what expired long ago.

use store::StoreError;

use crate::Lifecycle;

impl Lifecycle {
    /// Deletes orders and authorizations that expired long ago, in small transactions.
    pub(super) async fn clean_up(&self) -> Result<(), StoreError> {
        self.purge_nonces().await?;
        self.destroy_overdue_keys().await?;
        self.purge_attempts_and_bulks().await?;
        self.clean_up_sign_in().await?;
        self.forget_client_requests().await?;
        self.forget_email_challenges().await?;
        let before = self.now() - self.settings.retention;
        loop {
            let deleted = self
                .store
                .write("clean_up", move |tx| {
                    Box::pin(async move {
                        let orders = tx.delete_expired_orders(before, CLEAN_UP_BATCH).await?;
                        let authorizations = tx
                            .delete_expired_authorizations(before, CLEAN_UP_BATCH)
                            .await?;
                        tx.purge_rate_limits(before).await?;
                        let links = tx
                            .delete_expired_approval_links(before, CLEAN_UP_BATCH)
                            .await?;
                        let transactions = tx
                            .delete_old_cmp_transactions(before, CLEAN_UP_BATCH)
                            .await?;
                        Ok::<_, StoreError>(orders + authorizations + links + transactions)
                    })
                })
                .await?;
            if deleted == 0 {
                return Ok(());
            }
        }
    }
}

const CLEAN_UP_BATCH: u32 = 500;
