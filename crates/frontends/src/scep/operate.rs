//! `PKIOperation`: a signed message in, a signed message out (RFC 8894 section 3.3).

use axum::response::Response;
use domain::enrolling::EnrollmentSecret;
use domain::enrollment::Enrollment;
use domain::event::ActorKind;
use http::Extensions;
use lifecycle::enrolling::{Client, ClientAsk, Renewal};
use pki::csr::Csr;
use protocols::scep::payload::{IssuerAndSerial, check_issuer_and_subject};
use protocols::scep::{FailInfo, MessageError, MessageType, PkiMessage};

use super::message::{open, reference};
use super::reply::{Outcome, Refusal, render};
use super::{Failure, Service, Verbs};
use crate::origin::Origin;

/// Answers a message. What is not one, or not signed, gets no message back: there is nobody to sign for.
pub(super) async fn operate(
    verbs: &Verbs,
    service: &Service,
    octets: &[u8],
    extensions: &Extensions,
) -> Result<Response, Failure> {
    let message = PkiMessage::from_ber(octets).map_err(|error| {
        // The type is looked at before the content is, so an unknown one reaches nothing below.
        if let MessageError::MessageType(kind) = &error {
            tracing::warn!(service = service.point.name, kind, "SCEP message refused");
        }
        Failure::BadRequest(error.to_string())
    })?;
    let outcome = match message.kind {
        MessageType::Enrollment => enroll(verbs, service, &message, extensions).await,
        MessageType::Renewal => renew(verbs, service, &message, extensions).await,
        MessageType::Poll => poll(verbs, service, &message).await,
        MessageType::GetCertificate => get_certificate(verbs, service, &message).await,
        MessageType::GetCrl => get_crl(verbs, service, &message).await,
        MessageType::Reply => Err(Refusal::bad_request("a reply is no request")),
    };
    let outcome = outcome.unwrap_or_else(Outcome::Refused);
    render(verbs, service, &message, outcome)
}

/// PKCSReq: a new client, by its challenge password.
async fn enroll(
    verbs: &Verbs,
    service: &Service,
    message: &PkiMessage,
    extensions: &Extensions,
) -> Result<Outcome, Refusal> {
    let csr = request(verbs, service, message)?;
    if let Some(client) = verbs.client_by_authority(&service.rules, &message.signer) {
        let ask = (client, csr, Renewal::No);
        return submit(verbs, service, message, extensions, ask).await;
    }
    // RFC 8894 section 2.3: the message is signed with the key that is to be certified.
    if csr.public_key.spki_der() != message.signer.public_key.spki_der() {
        return Err(Refusal::new(
            FailInfo::BadMessageCheck,
            "the message is not signed with the key of its CSR",
        ));
    }
    let password = csr.challenge_password.as_deref().unwrap_or_default();
    let secret = EnrollmentSecret::from_presented(password);
    let client = verbs.client_by_password(&service.point, None, &secret);
    let client = client.await?;
    submit(
        verbs,
        service,
        message,
        extensions,
        (client, csr, Renewal::No),
    )
    .await
}

/// RenewalReq: the holder of a certificate, by its signature.
async fn renew(
    verbs: &Verbs,
    service: &Service,
    message: &PkiMessage,
    extensions: &Extensions,
) -> Result<Outcome, Refusal> {
    if !service.rules.renewal {
        return Err(Refusal::bad_request(
            "certificates do not renew themselves at this service; use a challenge password",
        ));
    }
    let csr = request(verbs, service, message)?;
    let client = match verbs.client_by_authority(&service.rules, &message.signer) {
        Some(client) => client,
        None => verbs.client_by_certificate(&message.signer.der).await?,
    };
    submit(
        verbs,
        service,
        message,
        extensions,
        (client, csr, Renewal::Yes),
    )
    .await
}

fn request(verbs: &Verbs, service: &Service, message: &PkiMessage) -> Result<Csr, Refusal> {
    let content = open(verbs, service, message)?;
    Csr::from_der(&content).map_err(|error| Refusal::bad_request(error.to_string()))
}

async fn submit(
    verbs: &Verbs,
    service: &Service,
    message: &PkiMessage,
    extensions: &Extensions,
    (client, csr, renewal): (Client, Csr, Renewal),
) -> Result<Outcome, Refusal> {
    let ask = ClientAsk {
        reference: reference(message),
        client,
        csr,
        renewal,
        server_key: false,
    };
    let origin = Origin::of(extensions).caller(ActorKind::Anonymous, &service.point.name);
    let enrollment = verbs.ask_as_client(&service.point, ask, &origin).await?;
    settle(verbs, &enrollment).await
}

/// CertPoll: who waits comes back with the transaction, signed with the same key.
async fn poll(verbs: &Verbs, service: &Service, message: &PkiMessage) -> Result<Outcome, Refusal> {
    let content = open(verbs, service, message)?;
    check_issuer_and_subject(&content).map_err(|error| Refusal::bad_request(error.to_string()))?;
    let found = verbs
        .find_asked(&service.point, &reference(message))
        .await?;
    match found {
        Some(enrollment) => settle(verbs, &enrollment).await,
        None => Err(Refusal::new(
            FailInfo::BadCertificateId,
            "nothing was asked for in this transaction, or it is over",
        )),
    }
}

async fn settle(verbs: &Verbs, enrollment: &Enrollment) -> Result<Outcome, Refusal> {
    Ok(match verbs.issued_chain(enrollment).await? {
        Some(chain) => Outcome::Success {
            // RFC 8894 section 3.3.2.1: the certificate first, and what is above it.
            certificates: chain.certificates().to_vec(),
            crls: Vec::new(),
        },
        None => Outcome::of(&enrollment.state),
    })
}

/// GetCert: another certificate of the service's profile, for who holds one.
async fn get_certificate(
    verbs: &Verbs,
    service: &Service,
    message: &PkiMessage,
) -> Result<Outcome, Refusal> {
    let asked = asked_for(verbs, service, message).await?;
    let found = verbs.certificate_at(&service.point, &asked.issuer, &asked.serial);
    match found.await? {
        Some(entry) => Ok(Outcome::Success {
            certificates: vec![entry.der],
            crls: Vec::new(),
        }),
        None => Err(Refusal::new(
            FailInfo::BadCertificateId,
            "there is no such certificate of this service's profile",
        )),
    }
}

/// GetCRL: the revocation list of an issuer, for who holds a certificate of ours.
async fn get_crl(
    verbs: &Verbs,
    service: &Service,
    message: &PkiMessage,
) -> Result<Outcome, Refusal> {
    let asked = asked_for(verbs, service, message).await?;
    match verbs.crl_of(&asked.issuer).await? {
        Some(crl) => Ok(Outcome::Success {
            certificates: Vec::new(),
            crls: vec![crl],
        }),
        None => Err(Refusal::new(
            FailInfo::BadCertificateId,
            "there is no revocation list of that issuer here",
        )),
    }
}

async fn asked_for(
    verbs: &Verbs,
    service: &Service,
    message: &PkiMessage,
) -> Result<IssuerAndSerial, Refusal> {
    let content = open(verbs, service, message)?;
    verbs.client_by_certificate(&message.signer.der).await?;
    IssuerAndSerial::from_der(&content).map_err(|error| Refusal::bad_request(error.to_string()))
}
