//! Signing in: passwords, second factors, sessions, passkeys, sign-on, client certificates (A2, A3, A5).

mod authenticator;
pub mod browser;
mod client_certificates;
mod factors;
mod lying_provider;
mod passkeys;
mod sessions;
mod sign_on;
mod users;
