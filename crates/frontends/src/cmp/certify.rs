//! ir, cr, p10cr, kur and pollReq: rendered from where the enrollment stands.

use std::sync::Arc;

use domain::cmp::{CmpTransaction, RequestForm};
use lifecycle::cmp::{CmpProgress, CmpRequest, CmpSender, Confirmation};
use pki::asn1::Writer;
use pki::certificate::Certificate;
use pki::csr::Csr;
use pki::fingerprint::Fingerprint;
use protocols::cmp::{
    Body, BodyKind, CertRepMessage, CertResponse, CmpError, FailInfo, Info, PollRep, RequestKind,
    StatusInfo, info_type,
};

use super::receive::{Question, Reply};
use super::refusal::Refusal;

/// The number of a PKCS #10 request, which has none of its own (RFC 9483 section 4.1.4).
const NO_NUMBER: i64 = -1;

impl Question<'_> {
    /// A request for a certificate.
    pub(super) async fn certify(self) -> Result<Reply, Refusal> {
        let request = self.request()?;
        let (form, number) = (request.form, request.number);
        match self.verbs.cmp_request(request, &self.caller).await {
            Ok(progress) => self.render(progress, false).await,
            Err(error) => {
                let refusal = Refusal::from(error);
                if refusal.failure == FailInfo::TransactionIdInUse {
                    return Err(refusal);
                }
                tracing::info!(
                    cmp.endpoint = self.endpoint.name,
                    cmp.failure = refusal.failure.as_str(),
                    reason = refusal.text,
                    "CMP request refused"
                );
                Ok(response(form, number, refusal.status(), None).into())
            }
        }
    }

    /// Asking after a request that waits.
    pub(super) async fn poll(self, number: i64) -> Result<Reply, Refusal> {
        let transaction = self.begun().await?;
        if number != transaction.request_number && number != NO_NUMBER {
            let text = "the transaction has no request of that number";
            return Err(Refusal::new(FailInfo::BadRequest, text));
        }
        let progress = self
            .verbs
            .cmp_progress(&transaction, &self.nonce_text())
            .await?;
        self.render(progress, true).await
    }

    /// The transaction that the message goes on with; the last nonce of ours is repeated in it.
    pub(super) async fn begun(&self) -> Result<CmpTransaction, Refusal> {
        let (endpoint, proof) = (&self.endpoint.id, self.sender.proof());
        let found = self
            .verbs
            .cmp_transaction(endpoint, &self.transaction, &proof)
            .await?;
        let transaction = found.ok_or_else(|| {
            Refusal::new(
                FailInfo::BadRequest,
                "there is no transaction of this id that its sender has begun",
            )
        })?;
        let repeated = self.message.header.recipient_nonce.as_deref();
        let repeated = repeated.map(|nonce| data_encoding::HEXLOWER.encode(nonce));
        match repeated.as_ref() == Some(&transaction.nonce) {
            true => Ok(transaction),
            false => Err(Refusal::new(
                FailInfo::BadRecipientNonce,
                "recipNonce is not the senderNonce of the answer before",
            )),
        }
    }

    pub(super) fn nonce_text(&self) -> String {
        data_encoding::HEXLOWER.encode(self.nonce)
    }

    fn request(&self) -> Result<CmpRequest, Refusal> {
        let header = &self.message.header;
        let body = self.message.body()?;
        let digest = digest(&body);
        let (form, number, csr, template, old_certificate) = match body {
            Body::Request(kind, request) => {
                let csr = request
                    .to_csr(self.sender.is_authority())
                    .map_err(CmpError::from)?;
                let form = match kind {
                    RequestKind::Initialization => RequestForm::Initialization,
                    RequestKind::Certification => RequestForm::Certification,
                    RequestKind::KeyUpdate => RequestForm::KeyUpdate,
                };
                let old = request.old_certificate;
                (form, request.request_id, csr, Some(request.template), old)
            }
            Body::Pkcs10(der) => {
                let csr = Csr::from_der(&der).map_err(CmpError::from)?;
                (RequestForm::Pkcs10, NO_NUMBER, csr, None, None)
            }
            _ => return Err(CmpError::Body.into()),
        };
        Ok(CmpRequest {
            endpoint: Arc::clone(self.endpoint),
            transaction: self.transaction.clone(),
            form,
            number,
            digest,
            nonce: self.nonce_text(),
            implicit: header.is_implicitly_confirmed(),
            profile: header.cert_profile(),
            csr,
            not_before: template.as_ref().and_then(|template| template.not_before),
            not_after: template.as_ref().and_then(|template| template.not_after),
            old_certificate,
            sender: self.sender.clone(),
        })
    }

    async fn render(&self, progress: CmpProgress, polled: bool) -> Result<Reply, Refusal> {
        Ok(match progress {
            CmpProgress::Waiting {
                transaction,
                check_after,
                reason,
            } if polled => Body::PollResponse(PollRep {
                request_id: transaction.request_number,
                check_after,
                reason: vec![reason],
            })
            .into(),
            CmpProgress::Waiting {
                transaction,
                reason,
                ..
            } => {
                let mut status = StatusInfo::waiting();
                status.text = vec![reason];
                let number = transaction.request_number;
                response(transaction.request, number, status, None).into()
            }
            CmpProgress::Ended {
                transaction,
                reason,
            } => {
                let status = StatusInfo::rejection(FailInfo::BadRequest, reason);
                let number = transaction.request_number;
                response(transaction.request, number, status, None).into()
            }
            CmpProgress::Issued {
                transaction,
                chain,
                confirmation,
            } => {
                let certificates = chain.certificates();
                let leaf = certificates.first().cloned();
                let number = transaction.request_number;
                let status = StatusInfo::accepted();
                let mut body = response(transaction.request, number, status, leaf);
                if let Body::Response(_, response) = &mut body {
                    response.ca_pubs = self.ca_pubs(transaction.request).await?;
                }
                Reply {
                    body,
                    general_info: vec![confirmation_info(confirmation)],
                    certificates: certificates.iter().skip(1).cloned().collect(),
                }
            }
        })
    }

    /// RFC 9483 section 4.1.1: who comes for the first time, with a shared secret, is given the roots.
    async fn ca_pubs(&self, form: RequestForm) -> Result<Vec<Vec<u8>>, Refusal> {
        let is_first = form == RequestForm::Initialization;
        if !is_first || !matches!(self.sender, CmpSender::Secret(_)) {
            return Ok(Vec::new());
        }
        let known = self.verbs.cmp_ca_certificates(self.endpoint).await?;
        let is_root =
            |der: &Vec<u8>| Certificate::from_der(der).is_ok_and(|one| one.is_self_issued());
        Ok(known.into_iter().filter(is_root).collect())
    }
}

/// The same request has the same digest, whatever the header around it.
fn digest(body: &Body) -> Fingerprint {
    match body {
        Body::Request(_, request) => Fingerprint::of(&request.der),
        Body::Pkcs10(der) => Fingerprint::of(der),
        _ => Fingerprint::of(&[]),
    }
}

fn confirmation_info(confirmation: Confirmation) -> Info {
    match confirmation {
        Confirmation::Implicit => Info::implicit_confirm(),
        Confirmation::Until(until) => {
            let value = Writer::encode(|w| w.generalized_time(until));
            Info::new(&info_type::CONFIRM_WAIT_TIME, Some(value))
        }
    }
}

fn response(
    form: RequestForm,
    number: i64,
    status: StatusInfo,
    certificate: Option<Vec<u8>>,
) -> Body {
    let kind = match form {
        RequestForm::Initialization => BodyKind::InitializationResponse,
        RequestForm::Certification | RequestForm::Pkcs10 => BodyKind::CertificationResponse,
        RequestForm::KeyUpdate => BodyKind::KeyUpdateResponse,
    };
    let response = CertResponse {
        request_id: number,
        status,
        certificate,
    };
    Body::Response(
        kind,
        CertRepMessage {
            ca_pubs: Vec::new(),
            response,
        },
    )
}
