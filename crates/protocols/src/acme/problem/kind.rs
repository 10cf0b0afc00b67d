//! The registered ACME error types with their customary statuses.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The namespace of RFC 8555 section 6.7.
const NAMESPACE: &str = "urn:ietf:params:acme:error:";

/// Declares the enum, its tokens and statuses as one table, so that none can be forgotten.
macro_rules! problem_types {
    ($($(#[doc = $doc:literal])+ $variant:ident = $token:literal, $status:literal;)+) => {
        /// The `type` of a problem document: a registered ACME error, or what another server sent.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum ProblemType {
            $($(#[doc = $doc])+ $variant,)+
            /// A type outside the list above, such as `about:blank`. A client may read it; this
            /// server never writes one into the ACME namespace.
            Other(String),
        }

        impl ProblemType {
            /// Every registered type.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name after the URN prefix, or the whole URI of an unregistered type.
            pub fn token(&self) -> &str {
                match self {
                    $(Self::$variant => $token,)+
                    Self::Other(uri) => uri,
                }
            }

            /// The HTTP status that goes with the type where a text or custom names one.
            pub fn status(&self) -> u16 {
                match self {
                    $(Self::$variant => $status,)+
                    Self::Other(_) => 500,
                }
            }
        }
    };
}

problem_types! {
    /// RFC 8555: the request names an account that does not exist.
    AccountDoesNotExist = "accountDoesNotExist", 400;
    /// RFC 9773 section 5: the certificate to be replaced already has a successor.
    AlreadyReplaced = "alreadyReplaced", 409;
    /// RFC 8555: the certificate is revoked already.
    AlreadyRevoked = "alreadyRevoked", 400;
    /// RFC 8739: a recurrent order was cancelled.
    AutoRenewalCanceled = "autoRenewalCanceled", 403;
    /// RFC 8739: a recurrent order cannot be cancelled in its state.
    AutoRenewalCancellationInvalid = "autoRenewalCancellationInvalid", 400;
    /// RFC 8739: a recurrent order is over.
    AutoRenewalExpired = "autoRenewalExpired", 403;
    /// RFC 8739: certificates of recurrent orders are cancelled, not revoked.
    AutoRenewalRevocationNotSupported = "autoRenewalRevocationNotSupported", 403;
    /// draft-ietf-acme-device-attest: the attestation statement does not hold.
    BadAttestationStatement = "badAttestationStatement", 400;
    /// RFC 8555: the CSR is unacceptable; the order stays ready.
    BadCsr = "badCSR", 400;
    /// RFC 8555: the nonce is unknown or spent.
    BadNonce = "badNonce", 400;
    /// RFC 8555: the key is refused although its algorithm is known.
    BadPublicKey = "badPublicKey", 400;
    /// RFC 8555: the revocation reason is not one the server allows.
    BadRevocationReason = "badRevocationReason", 400;
    /// RFC 8555: the algorithm is not supported; `algorithms` lists those that are.
    BadSignatureAlgorithm = "badSignatureAlgorithm", 400;
    /// RFC 8555: CAA records forbid the issuance.
    Caa = "caa", 403;
    /// RFC 8555: see the subproblems.
    Compound = "compound", 400;
    /// RFC 8555: the server could not connect to the validation target.
    Connection = "connection", 400;
    /// RFC 8555: a DNS query failed during validation.
    Dns = "dns", 400;
    /// RFC 8555: the account needs an external account binding.
    ExternalAccountRequired = "externalAccountRequired", 403;
    /// RFC 8555: the response does not match the challenge.
    IncorrectResponse = "incorrectResponse", 403;
    /// RFC 8555: a contact URL of a supported scheme is invalid.
    InvalidContact = "invalidContact", 400;
    /// draft-ietf-acme-profiles: the profile is not offered or does not fit the order.
    InvalidProfile = "invalidProfile", 400;
    /// RFC 8555: the request is not well formed.
    Malformed = "malformed", 400;
    /// RFC 8555 section 7.4: the order is not in the state that finalizing needs.
    OrderNotReady = "orderNotReady", 403;
    /// RFC 8555: a rate limit is exceeded.
    RateLimited = "rateLimited", 429;
    /// RFC 8555: the server will not issue for the identifier.
    RejectedIdentifier = "rejectedIdentifier", 400;
    /// RFC 8555: the server failed.
    ServerInternal = "serverInternal", 500;
    /// RFC 8555: a TLS error during validation.
    Tls = "tls", 400;
    /// RFC 8555: the client lacks the authority for this.
    Unauthorized = "unauthorized", 403;
    /// RFC 8555: a contact URL of an unsupported scheme.
    UnsupportedContact = "unsupportedContact", 400;
    /// RFC 8555: an identifier of an unsupported type.
    UnsupportedIdentifier = "unsupportedIdentifier", 400;
    /// RFC 8555: a person has to visit the `instance` URL, for instance to agree to new terms.
    UserActionRequired = "userActionRequired", 403;
}

impl ProblemType {
    /// The URI that goes on the wire.
    pub fn urn(&self) -> Cow<'_, str> {
        match self {
            Self::Other(uri) => Cow::Borrowed(uri),
            registered => Cow::Owned(format!("{NAMESPACE}{}", registered.token())),
        }
    }

    /// Reads a URI; RFC 8555 section 6.7 lets a client treat an unknown type as `malformed`, which is
    /// left to the client.
    pub fn from_urn(urn: &str) -> Self {
        urn.strip_prefix(NAMESPACE)
            .and_then(|token| Self::ALL.iter().find(|kind| kind.token() == token))
            .cloned()
            .unwrap_or_else(|| Self::Other(urn.to_owned()))
    }
}

impl fmt::Display for ProblemType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.urn())
    }
}

impl Serialize for ProblemType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.urn())
    }
}

impl<'de> Deserialize<'de> for ProblemType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let urn = Cow::<'de, str>::deserialize(deserializer)?;
        Ok(Self::from_urn(&urn))
    }
}
