//! The names and the key of a request.

use std::net::IpAddr;
use std::path::Path;

use clap::Args;
use data_encoding::BASE64;
use pki::csr;
use pki::key::{KeyAlgorithm, LocalKey};
use pki::name::{DistinguishedName, GeneralName};
use protocols::rest::authorization::Identifier;

use super::super::exit::Failure;
use super::super::files;

/// What the certificate shall name.
#[derive(Clone, Debug, Default, Args)]
pub struct Names {
    /// Host name; repeatable
    #[arg(long, value_name = "NAME")]
    dns: Vec<String>,
    /// IP address; repeatable
    #[arg(long, value_name = "ADDRESS")]
    ip: Vec<IpAddr>,
    /// E-mail address; repeatable
    #[arg(long, value_name = "ADDRESS")]
    email: Vec<String>,
    /// URI; repeatable
    #[arg(long, value_name = "URI")]
    uri: Vec<String>,
}

impl Names {
    /// All of them, host names in the form that certificates have them in.
    pub fn identifiers(&self) -> Result<Vec<Identifier>, Failure> {
        let hosts = self
            .dns
            .iter()
            .map(|name| ("dns", name.trim_end_matches('.').to_ascii_lowercase()));
        let addresses = self.ip.iter().map(|address| ("ip", address.to_string()));
        let mails = self.email.iter().map(|address| ("email", address.clone()));
        let uris = self.uri.iter().map(|uri| ("uri", uri.clone()));
        let all = hosts.chain(addresses).chain(mails).chain(uris);
        all.map(
            |(kind, value)| match value.is_ascii() && !value.is_empty() {
                true => Ok(Identifier {
                    kind: kind.to_owned(),
                    value,
                }),
                false => Err(Failure::usage(format!(
                    "`{value}` must be ASCII; write an internationalised host name as xn--…"
                ))),
            },
        )
        .collect()
    }
}

/// `p256` will do for `p-256`.
pub fn key_type(text: &str) -> Result<KeyAlgorithm, pki::key::ParseKeyAlgorithmError> {
    let squeezed = |text: &str| text.replace('-', "").to_ascii_lowercase();
    KeyAlgorithm::ALL
        .into_iter()
        .find(|algorithm| squeezed(algorithm.as_str()) == squeezed(text))
        .map_or_else(|| text.parse(), Ok)
}

/// A key of this machine's own generator.
pub fn new_key(algorithm: KeyAlgorithm) -> Result<LocalKey, Failure> {
    Ok(LocalKey::generate(algorithm).map_err(anyhow::Error::from)?)
}

/// The key in a file.
pub fn read_key(path: &Path) -> Result<LocalKey, Failure> {
    let text = zeroize::Zeroizing::new(files::read_text(path)?);
    LocalKey::from_pem(text.as_bytes())
        .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))
}

/// A request for these names, signed by the key; PEM.
pub fn csr(subject: &str, names: &[Identifier], key: &LocalKey) -> Result<String, Failure> {
    let subject = DistinguishedName::parse(subject)
        .map_err(|error| Failure::usage(format!("--subject: {error}")))?;
    let names = names
        .iter()
        .map(general_name)
        .collect::<Result<Vec<_>, _>>()?;
    let der = csr::build(&subject, &names, &[], key).map_err(Failure::usage)?;
    Ok(pki::pem::encode(pki::pem::CERTIFICATE_REQUEST, &der))
}

fn general_name(identifier: &Identifier) -> Result<GeneralName, Failure> {
    let value = identifier.value.clone();
    Ok(match identifier.kind.as_str() {
        "dns" => GeneralName::Dns(value),
        "email" => GeneralName::Email(value),
        "uri" => GeneralName::Uri(value),
        "ip" => GeneralName::Ip(value.parse().map_err(Failure::usage)?),
        other => {
            return Err(Failure::refused(format!(
                "this version of certwright makes no requests for names of the kind `{other}`"
            )));
        }
    })
}

/// A request from a file, PEM or DER, as PEM.
pub fn read_csr(path: &Path) -> Result<String, Failure> {
    let octets = files::read_octets(path)?;
    match octets.first() {
        Some(0x30) => Ok(pki::pem::encode(pki::pem::CERTIFICATE_REQUEST, &octets)),
        _ => String::from_utf8(octets)
            .map_err(|_| Failure::usage(format!("{} is neither PEM nor DER", path.display()))),
    }
}

/// An attestation as the API takes it: PEM as it is, an attestation object in base64.
pub fn read_attestation(path: Option<&Path>) -> Result<Option<String>, Failure> {
    let Some(path) = path else { return Ok(None) };
    let octets = files::read_octets(path)?;
    let text = std::str::from_utf8(&octets).ok();
    Ok(Some(match text {
        Some(text) if text.trim_start().starts_with("-----BEGIN") => text.to_owned(),
        Some(_) | None => BASE64.encode(&octets),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_keys_are_written_with_and_without_hyphen() {
        for (text, algorithm) in [
            ("p256", KeyAlgorithm::EcP256),
            ("P-384", KeyAlgorithm::EcP384),
            ("rsa2048", KeyAlgorithm::Rsa2048),
            ("rsa-4096", KeyAlgorithm::Rsa4096),
            ("ed25519", KeyAlgorithm::Ed25519),
        ] {
            assert_eq!(key_type(text), Ok(algorithm));
        }
        assert!(key_type("dsa").is_err());
    }

    #[test]
    fn names_are_brought_into_the_form_of_certificates() {
        let names = Names {
            dns: vec!["WWW.Example.org.".to_owned()],
            ip: vec!["2001:DB8:0::1".parse().unwrap()],
            ..Names::default()
        };
        let values: Vec<_> = names
            .identifiers()
            .unwrap()
            .into_iter()
            .map(|i| i.value)
            .collect();
        assert_eq!(values, ["www.example.org", "2001:db8::1"]);
        let names = Names {
            dns: vec!["bücher.example".to_owned()],
            ..Names::default()
        };
        assert!(names.identifiers().is_err());
    }
}
