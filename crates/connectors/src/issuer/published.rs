//! CRLs and OCSP answers, fetched from the addresses that certificates name.
//!
//! What comes is signed, so whoever serves it need not be trusted; the addresses are the CA's choice
//! and go through the guard.

use std::time::Duration;

use async_trait::async_trait;
use domain::issuer::published::{FetchFault, PublishedFetcher};
use http::StatusCode;
use hyper::Request;
use hyper::header::{ACCEPT, CONTENT_TYPE};
use url::Url;

use crate::net::{
    Dialer, GuardedHttp, HttpLimits, Reading, ServiceHttp, excerpt, unchained_client,
};

/// Fetches as anybody would who relies on a certificate.
pub struct GuardedPublished {
    crls: GuardedHttp,
    ocsp: ServiceHttp,
}

impl GuardedPublished {
    /// A client that dials through `dialer`.
    pub fn new(dialer: Dialer) -> Self {
        let limits = HttpLimits {
            deadline: DEADLINE,
            body: MAX_CRL,
            purpose: "revocation lists",
            ..HttpLimits::default()
        };
        let ocsp = ServiceHttp::new(dialer.clone(), unchained_client(&[b"http/1.1"]), true);
        Self {
            crls: GuardedHttp::new(dialer, limits),
            ocsp: ocsp.bounded(DEADLINE, Reading::Whole(MAX_OCSP)),
        }
    }
}

#[async_trait]
impl PublishedFetcher for GuardedPublished {
    async fn crl(&self, url: &str) -> Result<Vec<u8>, FetchFault> {
        let url: Url = url.parse().map_err(|_| no_url(url))?;
        let fetched = self.crls.get(url).await.map_err(fault)?;
        answered(fetched.status)?;
        match fetched.truncated {
            true => Err(FetchFault(format!(
                "it is longer than the {} MiB that are read",
                MAX_CRL / (1024 * 1024)
            ))),
            false => Ok(fetched.body),
        }
    }

    async fn ocsp(&self, url: &str, request: Vec<u8>) -> Result<Vec<u8>, FetchFault> {
        let request = Request::post(url)
            .header(CONTENT_TYPE, "application/ocsp-request")
            .header(ACCEPT, "application/ocsp-response")
            .body(request)
            .map_err(|_| no_url(url))?;
        let response = self.ocsp.send(request).await.map_err(fault)?;
        answered(response.status())?;
        Ok(response.into_body())
    }
}

fn answered(status: StatusCode) -> Result<(), FetchFault> {
    match status {
        StatusCode::OK => Ok(()),
        other => Err(FetchFault(format!("the answer is {other}"))),
    }
}

fn no_url(url: &str) -> FetchFault {
    FetchFault(format!("`{}` is no URL", excerpt(url.as_bytes())))
}

fn fault(error: impl std::fmt::Display) -> FetchFault {
    FetchFault(error.to_string())
}

const DEADLINE: Duration = Duration::from_secs(10);
/// The largest CRLs in use are smaller.
const MAX_CRL: usize = 32 * 1024 * 1024;
const MAX_OCSP: usize = 256 * 1024;
