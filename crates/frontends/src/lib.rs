//! The inbound rim: each protocol parses what comes in, calls one verb, renders what it gives.

pub mod acme;
pub mod challenge_response;
pub mod cmp;
pub mod dashboard;
pub mod est;
pub mod origin;
pub mod pki;
pub mod rest;
pub mod scep;
pub mod throttled;
