//! What works and what does not, by what the server says of itself; nothing is asked for.

use async_trait::async_trait;
use domain::issuer::scep::ScepMessage;
use domain::issuer::{Aspect, CheckReport, HealthCheck, Outcome};

use super::ScepConnector;
use super::authority::Authority;

#[async_trait]
impl HealthCheck for ScepConnector {
    async fn check(&self) -> CheckReport {
        let mut report = CheckReport::default();
        let authority = match self.authority(true).await {
            Ok(authority) => authority,
            Err(error) => {
                report.failed(Aspect::Reach, error.to_string());
                let rest = [Aspect::Credentials, Aspect::Rights, Aspect::Chain];
                report.skipped(&rest, "the server did not answer as it should");
                return report;
            }
        };
        report.passed(
            Aspect::Reach,
            "the SCEP server answers and shows the named CA",
        );
        self.check_credentials(&mut report).await;
        self.check_algorithms(&authority, &mut report);
        match authority.chain() {
            Ok(chain) => {
                let count = chain.certificates().len();
                report.passed(Aspect::Chain, format!("it shows {count} CA certificates"));
            }
            Err(error) => report.failed(Aspect::Chain, error.to_string()),
        }
        report
    }
}

impl ScepConnector {
    async fn check_credentials(&self, report: &mut CheckReport) {
        let signer = match self.signers.get().await {
            Ok(signer) => signer,
            Err(error) => return report.failed(Aspect::Credentials, error.to_string()),
        };
        let end = signer.certificate.not_after;
        let subject = &signer.certificate.subject;
        if end <= self.clock.now() {
            let text = format!("the client certificate `{subject}` ended at {end}");
            return report.failed(Aspect::Credentials, text);
        }
        match (self.signers.is_given(), &self.challenge_password) {
            (false, None) => report.note(
                Aspect::Credentials,
                Outcome::Warning,
                "there is neither a client certificate nor a challenge password: few CAs sign for nobody",
            ),
            (true, _) | (_, Some(_)) => report.note(
                Aspect::Credentials,
                Outcome::Skipped,
                format!("messages are signed by `{subject}`; SCEP looks at it with a request only"),
            ),
        }
    }

    fn check_algorithms(&self, authority: &Authority, report: &mut CheckReport) {
        let capabilities = &authority.capabilities;
        if authority.recipient().is_none() {
            let text = "none of its certificates has an RSA key to encrypt for";
            return report.failed(Aspect::Rights, text);
        }
        if capabilities.cipher(self.config.old_algorithms).is_none() {
            let text = "it does not offer AES; `old_algorithms` would let it have 3DES";
            return report.failed(Aspect::Rights, text);
        }
        if self.config.message == ScepMessage::RenewalReq && !capabilities.knows_renewal() {
            let text = "it does not offer Renewal; set `message` to `pkcs-req`";
            return report.failed(Aspect::Rights, text);
        }
        let is_strong = capabilities.cipher(false).is_some() && capabilities.knows_sha256();
        match (is_strong, self.config.old_algorithms) {
            (true, false) => report.note(
                Aspect::Rights,
                Outcome::Skipped,
                "it offers AES and SHA-256; what may be asked for shows only when it is asked for",
            ),
            (_, true) => report.note(
                Aspect::Rights,
                Outcome::Warning,
                "`old_algorithms` lets it answer with SHA-1 and DES",
            ),
            (false, false) => report.failed(
                Aspect::Rights,
                "it does not offer SHA-256; with `old_algorithms` it is tried all the same",
            ),
        }
    }
}
