//! What the settings of all kinds have in common: faults, and where secrets are sent to.

use std::net::IpAddr;

/// The settings of one kind of CA elsewhere.
pub trait KindSettings {
    /// Everything that is wrong with them.
    fn faults(&self) -> Vec<SettingFault>;

    /// What says where secrets are sent to. When it changes, secrets have to be given again: who may
    /// write settings may not thereby read what others kept secret.
    fn destination(&self) -> Vec<&str>;
}

/// A setting beside those of the example, which a kind can do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettingRule {
    pub name: &'static str,
    pub form: SettingForm,
    pub summary: &'static str,
}

/// What a setting looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingForm {
    /// A line.
    Text,
    /// Any number of lines, in order.
    List,
    /// Certificates in PEM.
    Pem,
    /// On or off.
    Flag,
    Number,
    /// One of these; the first where none is given.
    Choice(&'static [&'static str]),
}

/// A setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{member}` {message}")]
pub struct SettingFault {
    pub member: &'static str,
    pub message: String,
}

/// Collects faults.
#[derive(Default)]
pub(super) struct Faults(Vec<SettingFault>);

impl Faults {
    pub(super) fn note(&mut self, member: &'static str, message: impl Into<String>) {
        self.0.push(SettingFault {
            member,
            message: message.into(),
        });
    }

    /// Something has to stand there, on one line.
    pub(super) fn text(&mut self, member: &'static str, text: &str) {
        if text.trim().is_empty() {
            self.note(member, "is empty");
        } else if text.contains(char::is_control) {
            self.note(member, "has characters that cannot be printed");
        }
    }

    /// The same, where there is a text at all.
    pub(super) fn optional_text(&mut self, member: &'static str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(member, text);
        }
    }

    /// An https URL; plain http goes no further than this machine.
    pub(super) fn https(&mut self, member: &'static str, url: &str) {
        match scheme_and_host(url) {
            None => self.note(member, NO_URL),
            Some(("https", _)) => {}
            Some((_, host)) if is_loopback(host) => {}
            Some(_) => self.note(
                member,
                "must begin with https://; plain http is taken for this machine's own loopback only",
            ),
        }
    }

    /// A URL whose protocol protects its messages itself, so that http will do.
    pub(super) fn http(&mut self, member: &'static str, url: &str) {
        if scheme_and_host(url).is_none() {
            self.note(member, NO_URL);
        }
    }

    /// Certificates as PEM, where there are any.
    pub(super) fn certificates(&mut self, member: &'static str, pem: Option<&str>) {
        let Some(pem) = pem else { return };
        match pki::pem::decode_all(pki::pem::CERTIFICATE, pem.as_bytes()) {
            Ok(found) if !found.is_empty() => {}
            Ok(_) => self.note(member, "holds no PEM certificate"),
            Err(error) => self.note(member, format!("is no PEM: {error}")),
        }
    }

    /// A part of a path: of a mount or a role.
    pub(super) fn path(&mut self, member: &'static str, path: &str) {
        let is_fit = !path.is_empty()
            && path.split('/').all(|part| {
                !part.is_empty()
                    && part != "."
                    && part != ".."
                    && part
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b"-_.~".contains(&b))
            });
        if !is_fit {
            self.note(
                member,
                "may have letters, digits and `-_.~`, in parts between single slashes",
            );
        }
    }

    pub(super) fn list(self) -> Vec<SettingFault> {
        self.0
    }
}

const NO_URL: &str = "must be a URL like https://ca.example.org/path, without query or fragment";

/// Whether plain http may be spoken to where a URL leads.
pub fn is_on_loopback(url: &str) -> bool {
    scheme_and_host(url).is_some_and(|(_, host)| is_loopback(host))
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Scheme and host of a URL, where it is one.
fn scheme_and_host(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let is_known = matches!(scheme, "https" | "http");
    let is_bare = !url.contains(['?', '#', ' ', '@', '\\']) && !url.contains(char::is_control);
    let authority = rest.split('/').next()?;
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => host,
        Some(_) if !authority.ends_with(']') => return None,
        Some(_) | None => authority,
    };
    (is_known && is_bare && !host.is_empty()).then_some((scheme, host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_goes_no_further_than_this_machine() {
        let of = |url| {
            let mut faults = Faults::default();
            faults.https("url", url);
            faults.list().len()
        };
        for fit in [
            "https://ca.example.org",
            "https://ca.example.org:8443/x",
            "http://127.0.0.1:80/x",
            "http://[::1]:8200",
        ] {
            assert_eq!(of(fit), 0, "{fit}");
        }
        for unfit in [
            "http://ca.example.org",
            "ftp://ca.example.org",
            "https://ca.example.org?x",
            "https://user@ca.example.org",
            "https://",
            "ca.example.org",
        ] {
            assert_eq!(of(unfit), 1, "{unfit}");
        }
    }
}
