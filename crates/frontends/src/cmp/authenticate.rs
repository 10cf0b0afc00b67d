//! Who sent a message: the MAC or signature is checked, and the secret or certificate behind it.

use std::sync::Arc;

use domain::cmp::CmpEndpoint;
use lifecycle::cmp::CmpSender;
use lifecycle::cmp::secrets::CmpSecretError;
use pki::certificate::Certificate;
use pki::key::SignatureAlgorithm;
use protocols::cmp::{FailInfo, MacParameters, Message, Protection};
use zeroize::Zeroizing;

use super::Verbs;
use super::refusal::Refusal;

/// Whom a message is from, and how the answer is protected.
pub(super) struct Authenticated {
    pub(super) sender: CmpSender,
    pub(super) protector: AnswerProtection,
}

/// With what an answer is protected.
pub(super) enum AnswerProtection {
    /// The signer of the endpoint.
    Signature,
    /// The same secret, the same algorithms.
    Mac {
        parameters: MacParameters,
        reference: Vec<u8>,
        secret: Arc<Zeroizing<Vec<u8>>>,
    },
}

/// Checks the protection of a message.
pub(super) async fn authenticate(
    verbs: &Verbs,
    endpoint: &CmpEndpoint,
    message: &Message,
) -> Result<Authenticated, Refusal> {
    match message.protection_kind()? {
        Protection::None => Err(Refusal::new(
            FailInfo::BadMessageCheck,
            "the message is not protected; protect it with a shared secret or a signature",
        )),
        Protection::Mac(parameters) => by_mac(verbs, endpoint, message, parameters).await,
        Protection::Signature(algorithm) => {
            let certificate = signer(message, algorithm)?;
            let sender = verbs.cmp_sender(endpoint, certificate).await?;
            Ok(Authenticated {
                sender,
                protector: AnswerProtection::Signature,
            })
        }
    }
}

/// RFC 9483 section 3.1: the reference of the secret is the senderKID.
async fn by_mac(
    verbs: &Verbs,
    endpoint: &CmpEndpoint,
    message: &Message,
    parameters: MacParameters,
) -> Result<Authenticated, Refusal> {
    if !endpoint.spec.secrets {
        let text = "shared secrets do not open this endpoint; sign the message";
        return Err(Refusal::new(FailInfo::WrongIntegrity, text));
    }
    let reference = message.header.sender_key_id.clone().unwrap_or_default();
    let found = match std::str::from_utf8(&reference) {
        Ok(reference) => verbs.cmp_shared_secret(endpoint, reference).await,
        Err(_) => Ok(None),
    };
    let found = found.map_err(|error| match error {
        CmpSecretError::Store(error) => error.into(),
        other => {
            tracing::error!(error = %other, "shared secret not readable");
            Refusal::new(FailInfo::SystemFailure, "the server has a fault")
        }
    })?;
    // An unknown reference and a wrong secret are told in the same words.
    let (secret, shared) = found.ok_or_else(wrong_mac)?;
    let shared = Arc::new(shared);
    let is_authentic = {
        let (message, shared) = (message.clone(), Arc::clone(&shared));
        let parameters = parameters.clone();
        // Thousands of iterations hold up nobody else.
        tokio::task::spawn_blocking(move || message.is_authentic(&parameters, &shared))
    };
    if !is_authentic.await.unwrap_or(false) {
        return Err(wrong_mac());
    }
    secret.terms.check_alive(verbs.now())?;
    Ok(Authenticated {
        sender: CmpSender::Secret(Box::new(secret)),
        protector: AnswerProtection::Mac {
            parameters,
            reference,
            secret: shared,
        },
    })
}

fn wrong_mac() -> Refusal {
    Refusal::new(
        FailInfo::BadMessageCheck,
        "the MAC does not verify: check the reference (senderKID) and the shared secret",
    )
}

/// RFC 9483 section 3.3: the signer's certificate is the first of the extraCerts, its subject is
/// the sender and its key identifier the senderKID.
fn signer(message: &Message, algorithm: SignatureAlgorithm) -> Result<Certificate, Refusal> {
    let refuse = |text: &str| Refusal::new(FailInfo::BadMessageCheck, text);
    let der = message
        .extra_certs
        .first()
        .ok_or_else(|| refuse("the signer's certificate is not the first of the extraCerts"))?;
    let certificate = Certificate::from_der(der)
        .map_err(|error| refuse(&format!("the signer's certificate: {error}")))?;
    let signature = message.protection.as_deref().unwrap_or_default();
    certificate
        .public_key
        .verify(algorithm, message.protected_part(), signature)
        .map_err(|error| refuse(&error.to_string()))?;
    let is_sender = message
        .header
        .sender_name()
        .is_none_or(|name| name.is_empty() || name == certificate.subject);
    let key = message.header.sender_key_id.as_ref();
    let is_key = match (key, &certificate.subject_key_identifier) {
        (Some(named), Some(own)) => named == own,
        _ => true,
    };
    match is_sender && is_key {
        true => Ok(certificate),
        false => Err(refuse(
            "sender and senderKID are not those of the signer's certificate",
        )),
    }
}
