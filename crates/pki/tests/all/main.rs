//! Everything that `pki` builds and reads, through its public interface and against OpenSSL.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod acme_identifier;
mod certificate;
mod chain;
mod cms;
mod crl;
mod csr;
mod draft;
mod fixture;
mod lint;
mod lint_purposes;
mod ocsp;
mod ocsp_answer;
mod octets;
mod openssl;
mod pkcs12;
mod quantity;
