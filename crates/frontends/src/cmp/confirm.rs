//! certConf and error: the requester takes its certificate, or gives up.

use protocols::cmp::{Body, CertStatus, FailInfo};

use super::receive::{Question, Reply};
use super::refusal::Refusal;

impl Question<'_> {
    /// The verdict on the certificate that was handed out.
    pub(super) async fn confirm(self, status: Option<CertStatus>) -> Result<Reply, Refusal> {
        let transaction = self.begun().await?;
        let is_taken = match &status {
            // RFC 9810 section 5.3.18: an empty list takes nothing.
            None => false,
            Some(status) => {
                let certificate = self.verbs.cmp_certificate(&transaction).await?;
                let certificate = certificate.ok_or_else(|| {
                    Refusal::new(FailInfo::BadRequest, "there is nothing to be confirmed")
                })?;
                if status.request_id != transaction.request_number {
                    let text = "the transaction has no request of that number";
                    return Err(Refusal::new(FailInfo::BadRequest, text));
                }
                if !status.is_of(&certificate) {
                    let text = "certHash is not the hash of the certificate";
                    return Err(Refusal::new(FailInfo::BadCertId, text));
                }
                status.is_accepted()
            }
        };
        self.verbs
            .cmp_confirm(&transaction, is_taken, &self.nonce_text(), &self.caller)
            .await?;
        Ok(Body::Confirmed.into())
    }

    /// An error of the requester ends its transaction; RFC 9483 section 3.6.2 wants it acknowledged.
    pub(super) async fn give_up(self) -> Result<Reply, Refusal> {
        let (endpoint, proof) = (&self.endpoint.id, self.sender.proof());
        let begun = self
            .verbs
            .cmp_transaction(endpoint, &self.transaction, &proof)
            .await?;
        if let Some(transaction) = begun {
            let nonce = self.nonce_text();
            let verdict = self
                .verbs
                .cmp_confirm(&transaction, false, &nonce, &self.caller)
                .await;
            // Where there was nothing to take, there is nothing to give up either.
            if let Err(error) = verdict {
                tracing::debug!(error = %error, "CMP client gave up");
            }
        }
        Ok(Body::Confirmed.into())
    }
}
