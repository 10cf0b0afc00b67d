//! http-01 by this server itself: what is noted is served at once, by every node, at
//! `/.well-known/acme-challenge/` (RFC 8555 section 8.3). There is nothing else to do.

use async_trait::async_trait;
use domain::issuer::response::ProofPlace;

use super::{ChallengeSolver, Proof, SolveError};

pub(super) struct Responder;

#[async_trait]
impl ChallengeSolver for Responder {
    fn place(&self) -> ProofPlace {
        ProofPlace::Http01
    }

    async fn put(&self, _: &Proof) -> Result<(), SolveError> {
        Ok(())
    }

    async fn remove(&self, _: &Proof) -> Result<(), SolveError> {
        Ok(())
    }

    async fn check(&self) -> Result<String, SolveError> {
        Ok(
            "this server answers; the CA has to get from http://NAME/.well-known/acme-challenge/ to it, \
             directly or by a redirect"
                .to_owned(),
        )
    }
}
