//! The one integration test binary: one module per resource or rim.

#![allow(
    clippy::unwrap_used,
    reason = "clippy knows test functions, but not their helpers"
)]

mod access;
mod acme;
mod approvals;
mod architecture;
mod assurance;
mod backup;
mod blocked_keys;
mod bulk;
mod cli;
mod cli_apply;
mod cli_enroll;
mod cmp;
mod crash;
mod devices;
mod enroll;
mod est;
mod events;
mod housekeeping;
mod hsm;
mod interop;
mod inventory;
mod inventory_import;
mod inventory_trends;
mod issuance_rules;
mod issuers;
mod jobs;
mod listener;
mod lying_ca;
mod metadata;
mod network;
mod nodes;
mod notifications;
mod observability;
mod pki_frontend;
mod profiles;
mod rest;
mod scep;
mod secrets;
mod sign_in;
mod smime;
mod store_faults;
mod upstream;
