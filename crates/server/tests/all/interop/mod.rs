//! ACME clients of others against the `certwright` binary, both as processes of their own.
//!
//! `scripts/install-test-tools.sh` installs the clients; a test that misses its client fails.

mod acme_client;
mod caddy;
mod certbot;
mod certmonger;
mod challenge_server;
mod dashboard;
mod est;
mod examples;
pub(crate) mod host;
mod instant;
mod issuing;
mod lego;
mod openapi;
mod openssl;
mod pkilint;
pub(crate) mod process;
mod promise;
mod scep;
mod site;
