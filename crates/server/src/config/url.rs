//! Base URLs: what stands before a path in everything we hand out.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use ::url::Url;

/// An http or https URL without query, fragment or trailing slash: `https://ca.example`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    text: String,
    url: Url,
}

/// Why a text is not a base URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// Not a URL at all.
    #[error("not a URL: {0}")]
    Syntax(String),
    /// Another scheme.
    #[error("the scheme is {0}, not http or https")]
    Scheme(String),
    /// User information, query or fragment.
    #[error("a base URL carries no user, query or fragment")]
    Extra,
}

impl BaseUrl {
    /// `scheme://host:port`, the port left out where it is the scheme's own.
    pub fn from_parts(scheme: &str, host: &str, port: u16) -> Result<Self, BaseUrlError> {
        format!("{scheme}://{host}:{port}").parse()
    }

    /// The URL without a trailing slash.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The parsed URL.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The host as it stands in the URL, IPv6 addresses in brackets.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Whether clients come by TLS.
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// This URL with the port that a listener was really given.
    pub fn at_port_of(&self, bound: SocketAddr) -> Self {
        let port = bound.port();
        Self::from_parts(self.url.scheme(), self.host(), port).unwrap_or_else(|_| self.clone())
    }
}

impl FromStr for BaseUrl {
    type Err = BaseUrlError;

    fn from_str(text: &str) -> Result<Self, BaseUrlError> {
        let url = Url::parse(text).map_err(|error| BaseUrlError::Syntax(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(BaseUrlError::Scheme(url.scheme().to_owned()));
        }
        let user = !url.username().is_empty() || url.password().is_some();
        if user || url.query().is_some() || url.fragment().is_some() {
            return Err(BaseUrlError::Extra);
        }
        Ok(Self {
            text: url.as_str().trim_end_matches('/').to_owned(),
            url,
        })
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_has_no_trailing_slash_and_no_default_port() {
        for (given, shown) in [
            ("https://ca.example/", "https://ca.example"),
            ("https://ca.example:443", "https://ca.example"),
            (
                "https://CA.example:8443/pki/",
                "https://ca.example:8443/pki",
            ),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ] {
            assert_eq!(given.parse::<BaseUrl>().unwrap().as_str(), shown);
        }
    }

    #[test]
    fn what_is_not_a_base_url_is_refused() {
        for given in [
            "ca.example",
            "ftp://ca.example",
            "https://u@ca.example",
            "https://ca.example/?a=b",
            "https://ca.example/#top",
        ] {
            assert!(given.parse::<BaseUrl>().is_err(), "{given}");
        }
    }
}
