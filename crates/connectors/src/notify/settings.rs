//! Settings of a kind, read: what is misspelt or missing is told by name.

use domain::notification::channel::Settings;
use domain::notification::notifier::SettingsFault;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::{Host, Url};

/// The settings as the kind's own type.
pub(super) fn read<T: DeserializeOwned>(settings: Settings) -> Result<T, SettingsFault> {
    serde_json::from_value(Value::Object(settings))
        .map_err(|error| SettingsFault(format!("the settings do not fit: {error}")))
}

/// A URL to post to. Plain http is for the machine itself only where `secret` says that the URL, or
/// what goes with it, must not be seen on the way.
pub(super) fn url(name: &str, text: &str, secret: bool) -> Result<Url, SettingsFault> {
    let fault = |reason: &str| SettingsFault(format!("`{name}` {reason}"));
    let url = Url::parse(text).map_err(|_| fault("is no URL; write https://host/path"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(fault("must begin with https:// or http://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(fault("must not hold a user name or password"));
    }
    if url.fragment().is_some() {
        return Err(fault("must not have a fragment"));
    }
    if secret && url.scheme() == "http" && !is_loopback(&url) {
        return Err(fault("must begin with https://, or it is seen on its way"));
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_urls_to_post_to_are_taken() {
        for text in [
            "",
            "hooks.example.org",
            "file:///etc/passwd",
            "gopher://a",
            "https://u:p@a/",
            "https://a/#x",
            "http:///",
        ] {
            assert!(url("url", text, false).is_err(), "{text}");
        }
        assert!(url("url", "http://a.example/x", false).is_ok());
        assert!(url("url", "http://a.example/x", true).is_err());
        assert!(url("url", "http://127.0.0.1:1/x", true).is_ok());
        assert!(url("url", "https://a.example/x", true).is_ok());
    }
}
