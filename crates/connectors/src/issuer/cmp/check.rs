//! What works and what does not, by a general message that nothing comes of.

use async_trait::async_trait;
use domain::issuer::{Aspect, CheckReport, HealthCheck, Outcome};
use pki::certificate::Certificate;
use protocols::cmp::{Body, Info, info_type};

use super::CmpConnector;

#[async_trait]
impl HealthCheck for CmpConnector {
    async fn check(&self) -> CheckReport {
        let mut report = CheckReport::default();
        let ask = Body::GeneralRequest(vec![Info::new(&info_type::CA_CERTS, None)]);
        let (asked, answer) = match self.send_protected(self.header(self.fresh()), &ask).await {
            Ok(answered) => answered,
            Err(error) => {
                report.failed(Aspect::Reach, error.to_string());
                let rest = [Aspect::Credentials, Aspect::Rights, Aspect::Chain];
                report.skipped(&rest, "the server did not answer");
                return report;
            }
        };
        report.passed(Aspect::Reach, "the CMP server answers");
        // Who protects messages by another secret than ours does not know us, nor do we know it.
        match self.believe(&asked, answer).map(|answer| answer.body) {
            Err(error) => report.failed(Aspect::Credentials, error.to_string()),
            Ok(Body::Error(status)) => report.failed(
                Aspect::Credentials,
                format!("it refuses a general message: {}", status.describe()),
            ),
            Ok(_) => report.passed(
                Aspect::Credentials,
                "it knows who we are, and can be believed",
            ),
        }
        report.note(
            Aspect::Rights,
            Outcome::Skipped,
            "what may be asked for shows only when it is asked for",
        );
        self.check_chain(&mut report);
        report
    }
}

impl CmpConnector {
    fn check_chain(&self, report: &mut CheckReport) {
        let now = self.clock.now();
        let own = self.chain.certificates().first();
        match own.map(|der| Certificate::from_der(der)) {
            None => report.note(
                Aspect::Chain,
                Outcome::Warning,
                "the CA's certificates are not known yet; they are taken from its first answer",
            ),
            Some(Err(error)) => report.failed(Aspect::Chain, error.to_string()),
            Some(Ok(own)) if own.not_after <= now => {
                let text = format!("the CA's certificate ended at {}", own.not_after);
                report.failed(Aspect::Chain, text);
            }
            Some(Ok(own)) => {
                let text = format!("`{}`, until {}", own.subject, own.not_after);
                report.passed(Aspect::Chain, text);
            }
        }
    }
}
