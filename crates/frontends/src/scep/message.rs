//! A message, opened: its type is known, its signature holds, its content is in the clear.

use pki::cms::{self, Accepts, DecryptError};
use pki::fingerprint::Fingerprint;
use pki::key::KeyKind;
use protocols::scep::{FailInfo, PkiMessage};
use zeroize::Zeroizing;

use super::reply::Refusal;
use super::{Service, Verbs};

/// The content of a message. Only who asks with an RSA key can be answered at all (RFC 8894 section 3.1).
pub(super) fn open(
    verbs: &Verbs,
    service: &Service,
    message: &PkiMessage,
) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    if !matches!(message.signer.public_key.kind(), KeyKind::Rsa { .. }) {
        return Err(Refusal::new(
            FailInfo::BadAlgorithm,
            "SCEP needs an RSA key: the answer is encrypted for it",
        ));
    }
    let accepts = match service.rules.old_ciphers {
        true => Accepts::TripleDes,
        false => Accepts::Strong,
    };
    let opened = cms::decrypt(
        &message.envelope,
        &service.ra.certificate,
        &service.ra.decrypting,
        accepts,
        verbs.random(),
    );
    opened.map_err(|error| {
        let info = match &error {
            DecryptError::Cipher(_) | DecryptError::KeyTransport(_) => FailInfo::BadAlgorithm,
            DecryptError::Message(_) | DecryptError::NotForUs | DecryptError::Unreadable => {
                FailInfo::BadMessageCheck
            }
        };
        Refusal::new(info, error.to_string())
    })
}

/// What a client calls its request: its transaction, signed with its key. Nobody else's key reaches it.
pub(super) fn reference(message: &PkiMessage) -> String {
    let key = Fingerprint(message.signer.spki_sha256);
    let id = &message.transaction_id;
    Fingerprint::of(format!("{key}/{id}").as_bytes()).to_string()
}
