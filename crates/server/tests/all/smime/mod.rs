//! Certificates for mailboxes: by ACME with a mail and its reply (RFC 8823), and by REST.

mod enroll;
mod proof;
mod refused;
mod support;
