//! What messages are protected with, and whose answers are believed.

use domain::issuer::{CmpConfig, ConnectError, IssuerSecrets};
use pki::certificate::Certificate;
use pki::key::{LocalKey, SignatureAlgorithm};
use pki::name::{Attribute, DistinguishedName, GeneralName};
use pki::oid;
use pki::time::Timestamp;
use protocols::cmp::{Header, MacParameters, Message, Protection};
use secrecy::{ExposeSecret, SecretString};

use crate::net::trust::certificates;

/// How we show who we are.
pub(super) enum Credentials {
    Secret {
        reference: String,
        secret: SecretString,
    },
    Key {
        key: Box<LocalKey>,
        certificate: Box<Certificate>,
        /// The certificate and those above it.
        chain: Vec<Vec<u8>>,
    },
}

impl Credentials {
    pub(super) fn new(config: &CmpConfig, secrets: &IssuerSecrets) -> Result<Self, ConnectError> {
        if let Some(pem) = &config.client_certificate {
            let chain = certificates(pem).map_err(|e| settings("client_certificate", &e))?;
            let leaf = chain.first().map(Vec::as_slice).unwrap_or_default();
            let certificate =
                Certificate::from_der(leaf).map_err(|e| settings("client_certificate", &e))?;
            let key = secrets.require("client_key")?;
            let key = LocalKey::from_pem(key.expose_secret())
                .map_err(|error| settings("client_key", &error))?;
            if pki::key::SigningKey::public_key(&key) != &certificate.public_key {
                return Err(settings("client_key", &"is not the key of the certificate"));
            }
            return Ok(Self::Key {
                key: Box::new(key),
                certificate: Box::new(certificate),
                chain,
            });
        }
        let reference = config.reference.clone();
        Ok(Self::Secret {
            reference: reference
                .ok_or_else(|| settings("reference", &"is needed for a shared secret"))?,
            secret: secrets.require("shared_secret")?.clone(),
        })
    }

    /// RFC 9483 section 3.1: the header says who protects the message.
    pub(super) fn sign_header(&self, header: &mut Header) {
        let sender = match self {
            Self::Secret { reference, .. } => {
                header.sender_key_id = Some(reference.as_bytes().to_vec());
                let name = Attribute::text(&oid::COMMON_NAME, reference.as_str());
                DistinguishedName::from_attributes([name])
            }
            Self::Key { certificate, .. } => {
                header.sender_key_id = certificate.subject_key_identifier.clone();
                certificate.subject.clone()
            }
        };
        header.sender = GeneralName::Directory(sender).to_der().unwrap_or_default();
    }
}

/// The certificates that answers may be signed by or under.
pub(super) struct Trusted(Vec<Certificate>);

impl Trusted {
    pub(super) fn new(config: &CmpConfig) -> Result<Self, ConnectError> {
        let Some(pem) = &config.server_certificates else {
            return Ok(Self(Vec::new()));
        };
        let fault = |error: &dyn std::fmt::Display| settings("server_certificates", error);
        let ders = certificates(pem).map_err(|error| fault(&error))?;
        ders.iter()
            .map(|der| Certificate::from_der(der).map_err(|error| fault(&error)))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Why an answer is not believed, if so.
    pub(super) fn check(
        &self,
        answer: &Message,
        credentials: &Credentials,
        now: Timestamp,
    ) -> Result<(), String> {
        match answer
            .protection_kind()
            .map_err(|error| error.to_string())?
        {
            Protection::None => Err("it is not protected".to_owned()),
            Protection::Mac(parameters) => check_mac(answer, &parameters, credentials),
            Protection::Signature(algorithm) => self.check_signature(answer, algorithm, now),
        }
    }

    fn check_signature(
        &self,
        answer: &Message,
        algorithm: SignatureAlgorithm,
        now: Timestamp,
    ) -> Result<(), String> {
        let others: Vec<Certificate> = answer
            .extra_certs
            .iter()
            .filter_map(|der| Certificate::from_der(der).ok())
            .collect();
        // Some leave the certificate out that both sides know.
        let signer = others.first().or(self.0.first());
        let signer = signer.ok_or("its signer's certificate is not there")?;
        let signature = answer.protection.as_deref().unwrap_or_default();
        signer
            .public_key
            .verify(algorithm, answer.protected_part(), signature)
            .map_err(|error| error.to_string())?;
        if !self.leads_to(signer, &others, now) {
            return Err(format!(
                "its signer `{}` is not by or under one of `server_certificates`",
                signer.subject
            ));
        }
        Ok(())
    }

    /// Whether a path of valid certificates leads from a signer to one that is trusted.
    fn leads_to(&self, signer: &Certificate, others: &[Certificate], now: Timestamp) -> bool {
        let mut current = signer;
        for _ in 0..MAX_PATH {
            if !(current.not_before..=current.not_after).contains(&now) {
                return false;
            }
            if self.0.iter().any(|trusted| trusted.der == current.der) {
                return true;
            }
            let trusted = self.0.iter().filter(|ca| ca.is_ca);
            let mut above = trusted.chain(others.iter().filter(|ca| ca.is_ca));
            match above.find(|ca| ca.der != current.der && current.is_signed_by(ca)) {
                Some(issuer) => current = issuer,
                None => return false,
            }
        }
        false
    }
}

fn check_mac(
    answer: &Message,
    parameters: &MacParameters,
    credentials: &Credentials,
) -> Result<(), String> {
    let Credentials::Secret { secret, .. } = credentials else {
        return Err("it is protected with a secret, and none is shared".to_owned());
    };
    match answer.is_authentic(parameters, secret.expose_secret().as_bytes()) {
        true => Ok(()),
        false => Err("its MAC was not made with the shared secret".to_owned()),
    }
}

fn settings(member: &str, error: &dyn std::fmt::Display) -> ConnectError {
    ConnectError::Settings(format!("`{member}` {error}"))
}

const MAX_PATH: usize = 8;
