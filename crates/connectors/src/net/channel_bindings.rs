//! What binds an authentication to the TLS connection that it goes over: `tls-server-end-point` (RFC 5929
//! section 4), in the form that NTLM and Kerberos have in common. MD5 is what that form is made of.

use aws_lc_rs::digest;
use md5::{Digest, Md5};

/// MD5 over the gss_channel_bindings of a TLS connection ([MS-NLMP] 3.1.5.1.2, RFC 4121 section 4.1.1.2).
pub fn channel_bindings(server_certificate: &[u8]) -> [u8; 16] {
    let hash = digest::digest(end_point_hash(server_certificate), server_certificate);
    let data = [b"tls-server-end-point:".as_slice(), hash.as_ref()].concat();
    let length = u32::try_from(data.len()).unwrap_or_default();
    let mut hasher = Md5::new();
    hasher.update([0; 16]);
    hasher.update(length.to_le_bytes());
    hasher.update(&data);
    hasher.finalize().into()
}

/// The hash of the certificate's signature, or SHA-256 where that is older or has none of its own.
fn end_point_hash(certificate: &[u8]) -> &'static digest::Algorithm {
    use pki::key::SignatureAlgorithm as Signature;
    let parsed = pki::certificate::Certificate::from_der(certificate).ok();
    match parsed.and_then(|certificate| certificate.signature_algorithm) {
        Some(Signature::RsaSha384 | Signature::EcdsaSha384) => &digest::SHA384,
        Some(Signature::RsaSha512 | Signature::EcdsaSha512) => &digest::SHA512,
        _ => &digest::SHA256,
    }
}
