//! What works and what does not, without a request.

use async_trait::async_trait;
use domain::issuer::{Aspect, CheckReport, HealthCheck, IssueError, Outcome};

use super::login::Pages;
use super::{AdcsConnector, pages};

#[async_trait]
impl HealthCheck for AdcsConnector {
    async fn check(&self) -> CheckReport {
        let mut report = CheckReport::default();
        let host = self.login.base.host_str().unwrap_or_default();
        if let Err(error) = self.login.reach().await {
            report.failed(Aspect::Reach, error.to_string());
            let rest = [Aspect::Credentials, Aspect::Rights];
            report.skipped(&rest, "the pages were not reached");
            return report;
        }
        report.passed(Aspect::Reach, format!("{host} answers"));
        match self.enter().await {
            Ok(mut pages) => {
                report.passed(
                    Aspect::Credentials,
                    "the server accepts user name and password",
                );
                self.check_template(&mut pages, &mut report).await;
            }
            Err(error) => {
                report.failed(Aspect::Credentials, error.to_string());
                report.skipped(&[Aspect::Rights], "the server let nobody in");
            }
        }
        report
    }
}

impl AdcsConnector {
    /// A connection that has shown a page to the user: some ways to authenticate end with the first one.
    async fn enter(&self) -> Result<Pages, IssueError> {
        let mut pages = self.login.open(&self.config).await?;
        pages.get("certcarc.asp").await?;
        Ok(pages)
    }

    /// The form for requests offers the templates that the user may enroll for, but not those that were
    /// made for Windows Server 2008 or later, which may well be asked for: a lack proves nothing.
    async fn check_template(&self, pages: &mut Pages, report: &mut CheckReport) {
        let (user, template) = (&self.config.username, &self.config.template);
        let offered = match pages.get("certrqxt.asp").await {
            Ok(answer) => pages::templates(&String::from_utf8_lossy(answer.body())),
            Err(_) => Vec::new(),
        };
        if offered.iter().any(|one| one.eq_ignore_ascii_case(template)) {
            let text = format!("{user} may enroll for the template {template}");
            return report.passed(Aspect::Rights, text);
        }
        if offered.is_empty() {
            let text = format!(
                "whether {user} may enroll for the template {template} shows with the first certificate: \
                 the pages list none"
            );
            return report.note(Aspect::Rights, Outcome::Skipped, text);
        }
        let text = format!(
            "the pages do not offer {user} the template {template}, but {}; they leave out templates of \
             version 3 and later, otherwise allow the user to enroll for it or name another one",
            offered.join(", ")
        );
        report.note(Aspect::Rights, Outcome::Warning, text);
    }
}
