//! Approvals found and listed.

use domain::access::Principal;
use domain::approval::Approval;
use domain::id::{ApprovalId, EnrollmentId};
use store::StoreError;
use store::approvals::{ApprovalCursor, ApprovalFilter};

use crate::Lifecycle;

impl Lifecycle {
    /// The approval with that id.
    pub async fn approval(&self, id: &ApprovalId) -> Result<Option<Approval>, StoreError> {
        let id = id.clone();
        self.store
            .read("approval.find", |tx| {
                Box::pin(async move { tx.find_approval(&id).await })
            })
            .await
    }

    /// The approval that an enrollment waits or waited for.
    pub async fn approval_of(
        &self,
        enrollment: &EnrollmentId,
    ) -> Result<Option<ApprovalId>, StoreError> {
        let filter = ApprovalFilter {
            enrollment: Some(enrollment.clone()),
            ..ApprovalFilter::default()
        };
        let found = self.list_approvals(filter, None, 1).await?;
        Ok(found.into_iter().next().map(|approval| approval.id))
    }

    /// Approvals that fit the filter, in its order.
    pub async fn list_approvals(
        &self,
        filter: ApprovalFilter,
        after: Option<ApprovalCursor>,
        limit: u32,
    ) -> Result<Vec<Approval>, StoreError> {
        self.store
            .scan("approval.list", move |tx| {
                Box::pin(async move { tx.list_approvals(&filter, after.as_ref(), limit).await })
            })
            .await
    }

    /// Those of them that `principal` may decide on now. What waits is gone through until there
    /// are enough of them: people do not leave more than some hundreds waiting.
    pub async fn list_approvals_of(
        &self,
        principal: &Principal,
        filter: ApprovalFilter,
        mut after: Option<ApprovalCursor>,
        limit: u32,
    ) -> Result<Vec<Approval>, StoreError> {
        let filter = ApprovalFilter {
            status: Some("pending".to_owned()),
            ..filter
        };
        let decider = self.decider(principal).await?;
        let mut found = Vec::new();
        for _ in 0..MAX_PAGES {
            let page = self.list_approvals(filter.clone(), after, PAGE).await?;
            after = page.last().map(|last| filter.sort.cursor_of(last));
            let is_last = page.len() < PAGE as usize;
            let mine = page
                .into_iter()
                .filter(|approval| decider.entitlement(approval).is_ok());
            found.extend(mine);
            if is_last || found.len() >= limit as usize {
                break;
            }
        }
        found.truncate(limit as usize);
        Ok(found)
    }
}

const PAGE: u32 = 500;
const MAX_PAGES: usize = 20;
