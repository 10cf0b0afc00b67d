//! What works and what does not, without an order.

use async_trait::async_trait;
use domain::issuer::{Aspect, CheckReport, HealthCheck, Outcome};
use protocols::acme::directory::Directory;

use super::AcmeConnector;
use super::account::AccountError;

#[async_trait]
impl HealthCheck for AcmeConnector {
    async fn check(&self) -> CheckReport {
        let mut report = CheckReport::default();
        let directory = match self.client.fetch_directory().await {
            Ok(directory) => directory,
            Err(error) => {
                report.failed(Aspect::Reach, error.to_string());
                let rest = [Aspect::Credentials, Aspect::Rights, Aspect::Limits];
                report.skipped(&rest, "the CA was not reached");
                return report;
            }
        };
        report.passed(
            Aspect::Reach,
            format!("{} has an ACME directory", self.client.host()),
        );
        self.check_account(&directory, &mut report).await;
        self.check_profile(&directory, &mut report);
        self.check_solver(&mut report).await;
        self.check_limits(&mut report).await;
        report.note(
            Aspect::DryRun,
            Outcome::Skipped,
            "ACME has no order that comes to nothing; issue under a profile of its own to see it all",
        );
        report
    }
}

impl AcmeConnector {
    /// The account is made if there is none: it is what issuing would do first.
    async fn check_account(&self, directory: &Directory, report: &mut CheckReport) {
        if let Err(error) = self.accounts.check_terms(directory) {
            return report.failed(Aspect::Credentials, error.to_string());
        }
        let looked = match self.accounts.get(&self.client).await {
            Ok(account) => {
                let found = self.client.get(&account, &account.url).await;
                found.map(|_| account).map_err(AccountError::from)
            }
            Err(error) => Err(error),
        };
        match looked {
            Ok(account) => report.passed(
                Aspect::Credentials,
                format!("the CA knows the account {}", account.url),
            ),
            Err(error) => report.failed(Aspect::Credentials, error.to_string()),
        }
    }

    fn check_profile(&self, directory: &Directory, report: &mut CheckReport) {
        let Some(profile) = &self.config.profile else {
            return;
        };
        let offered = &directory.meta.profiles;
        if offered.contains_key(profile) {
            return report.passed(
                Aspect::Rights,
                format!("the CA offers the profile {profile}"),
            );
        }
        let names: Vec<&str> = offered.keys().map(String::as_str).collect();
        report.failed(
            Aspect::Rights,
            match names.as_slice() {
                [] => format!("the CA has no profiles, so `{profile}` is refused"),
                names => format!(
                    "the CA does not offer `{profile}`, but {}",
                    names.join(", ")
                ),
            },
        );
    }

    async fn check_solver(&self, report: &mut CheckReport) {
        let Some(solver) = &self.authorizer.solver else {
            return report.note(
                Aspect::Rights,
                Outcome::Warning,
                "the issuer's `solver` is `none`: whatever the CA wants proven is not proven",
            );
        };
        match solver.check().await {
            Ok(found) => report.passed(Aspect::Rights, found),
            Err(error) => report.failed(Aspect::Rights, error.to_string()),
        }
    }

    async fn check_limits(&self, report: &mut CheckReport) {
        match self.limits.current(self.clock.now()).await {
            Err(error) => report.note(Aspect::Limits, Outcome::Warning, error.to_string()),
            Ok(None) => report.passed(Aspect::Limits, "no limit of the CA is exhausted"),
            Ok(Some(text)) => report.note(Aspect::Limits, Outcome::Warning, text),
        }
    }
}
