//! One test per demand of RFC 8555 and its extensions that no numbered statement covers.

mod account;
mod authorization;
mod binding;
mod certificate;
mod challenge;
mod directory;
mod dns;
mod order;
mod profiles;
mod test_mode;
mod tls_alpn;
mod trusted;
