//! The nouns and rules of certificate lifecycle management: values, state machines, ports. No IO.
//!
//! A rule here sees only values. What a rule needs from outside (time, randomness, the
//! authorizations of an order, the version of a profile) comes in as a parameter; what the
//! outside does for us (a CA that signs, a probe that validates) is a trait, a *port*.

pub mod access;
pub mod acme;
pub mod approval;
pub mod attestation;
pub mod bulk;
pub mod certificate;
pub mod client_certificate;
pub mod clock;
pub mod cmp;
pub mod enrolling;
pub mod enrollment;
pub mod event;
pub mod held_key;
pub mod id;
pub mod idempotency;
pub mod identifier;
pub mod issuer;
pub mod issuer_migration;
pub mod keystore;
pub mod metadata;
pub mod notification;
pub mod passkey;
pub mod pattern;
pub mod permission;
pub mod policy;
pub mod profile;
pub mod renewal;
pub mod revocation;
pub mod role;
pub mod search;
pub mod session;
pub mod sign_in;
pub mod sign_on;
pub mod team;
pub mod ticket;
pub mod token;
pub mod user;
