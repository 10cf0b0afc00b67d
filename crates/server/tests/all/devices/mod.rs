//! Devices prove themselves by their makers' word: device-attest-01 over ACME, and evidence for keys of
//! code signing.

mod acme;
mod cbor;
mod maker;
mod refusals;
mod signing;
mod tpm;
mod tpm_process;
