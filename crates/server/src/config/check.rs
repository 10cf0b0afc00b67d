//! What only shows when keys are seen together, or when the files they name are opened.

use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;

use super::ca::{KeyStore, Pin, Seal};
use super::problem::Problem;
use super::reader::Reader;
use super::server::Tls;
use super::{Config, reader::Refusal};
use crate::listener::tls;

/// Adds what is wrong with the configuration as a whole.
pub(super) fn check(reader: &mut Reader<'_>, config: &Config) {
    ports(reader, config);
    urls(reader, config);
    lifetimes(reader, config);
    files(reader, config);
}

fn ports(reader: &mut Reader<'_>, config: &Config) {
    let server = &config.server;
    if server
        .http_listen
        .is_some_and(|http| clash(http, server.listen))
    {
        let refusal = Refusal::new(
            format!("port {} is server.listen's too", server.listen.port()),
            "give the two listeners different ports",
        );
        reader.refuse("server.http_listen", refusal);
    }
}

/// Whether two listeners cannot both be bound.
fn clash(left: SocketAddr, right: SocketAddr) -> bool {
    let any = left.ip().is_unspecified() || right.ip().is_unspecified();
    left.port() != 0 && left.port() == right.port() && (any || left.ip() == right.ip())
}

fn urls(reader: &mut Reader<'_>, config: &Config) {
    let server = &config.server;
    if server.tls != Tls::Off && !server.public_url.is_https() {
        let refusal = Refusal::new(
            "TLS is on, but the public URL is not https",
            "begin it with https://, or set server.tls = \"off\"",
        );
        reader.refuse("server.public_url", refusal);
    }
    if server.tls == Tls::Off && !server.public_url.is_https() {
        warn(
            reader,
            "server.public_url",
            "clients would speak plain HTTP, which RFC 8555 section 6.1 forbids",
            "set it to the https URL of the proxy in front",
        );
    }
    if server.public_url_derived && !server.listen.ip().is_loopback() {
        warn(
            reader,
            "server.public_url",
            "the server listens to other machines, but calls itself localhost",
            "set it to the URL that clients use",
        );
    }
}

fn lifetimes(reader: &mut Reader<'_>, config: &Config) {
    let ca = &config.ca;
    if ca.crl_refresh >= ca.crl_validity {
        let refusal = Refusal::new(
            "a CRL would be renewed only after it ran out",
            "make it shorter than ca.crl_validity_hours, best by half",
        );
        reader.refuse("ca.crl_refresh_hours", refusal);
    }
    if ca.issuer.validity > ca.root.validity {
        let refusal = Refusal::new(
            "the issuing CA would outlive the root",
            "make it at most ca.root_validity_days",
        );
        reader.refuse("ca.issuer_validity_days", refusal);
    }
}

fn files(reader: &mut Reader<'_>, config: &Config) {
    let data_dir = &config.server.data_dir;
    if data_dir.exists() && !data_dir.is_dir() {
        let message = format!("{} is not a directory", data_dir.display());
        let refusal = Refusal::new(message, "name a directory; it is made at the first start");
        reader.refuse("server.data_dir", refusal);
    }
    if let Tls::Files { certificate, key } = &config.server.tls {
        tls_files(reader, certificate, key);
    }
    if let KeyStore::Pkcs11(token) = &config.ca.key_store {
        readable(reader, "ca.pkcs11_module", &token.module);
        if let Pin::File(path) = &token.pin {
            readable(reader, "ca.pkcs11_pin_file", path);
        }
    }
    for (name, path) in config
        .email_challenge
        .iter()
        .flat_map(|email| email.files())
    {
        readable(reader, name, path);
    }
    // The default file is made at the first start; one that somebody names has to be there, or a
    // mistyped path would silently seal with a new key.
    if let (Seal::File(path), true) = (&config.seal, reader.is_set("seal.key_file")) {
        readable(reader, "seal.key_file", path);
    }
}

fn tls_files(reader: &mut Reader<'_>, certificate: &Path, key: &Path) {
    let chain = readable(reader, "server.tls_certificate", certificate);
    let key_there = readable(reader, "server.tls_key", key);
    if !(chain && key_there) {
        return;
    }
    if let Err(error) = tls::certificate_from_files(certificate, key) {
        let remedy = "both files are PEM, and the key belongs to the first certificate";
        reader.refuse(
            "server.tls_certificate",
            Refusal::new(error.to_string(), remedy),
        );
    }
}

fn readable(reader: &mut Reader<'_>, name: &'static str, path: &Path) -> bool {
    match File::open(path) {
        Ok(_) => true,
        Err(error) => {
            let refusal = Refusal::new(
                format!("{} cannot be read: {error}", path.display()),
                "name an existing file that this user may read",
            );
            reader.refuse(name, refusal);
            false
        }
    }
}

fn warn(reader: &mut Reader<'_>, name: &'static str, message: &str, remedy: &str) {
    let place = match reader.origin(name) {
        super::Origin::Default => String::new(),
        origin => origin.to_string(),
    };
    reader
        .problems
        .push(Problem::error(name, place, message, remedy).warning());
}
