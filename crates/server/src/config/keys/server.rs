//! Where the server listens, and its database.

use super::{Key, list, number, optional, switch, text};

pub(super) const SERVER: &[Key] = &[
    text(
        "server.listen",
        "127.0.0.1:8443",
        "Address and port of the HTTPS listener.",
    ),
    optional(
        "server.public_url",
        "https://localhost and the port of server.listen",
        "The URL under which clients reach this server.",
    ),
    text(
        "server.data_dir",
        "./data",
        "Directory of sealed keys, the SQLite file and root.pem.",
    ),
    text(
        "server.tls",
        "on",
        "\"off\" serves plain HTTP, for use behind a proxy that terminates TLS.",
    ),
    optional(
        "server.tls_certificate",
        "the server issues its own certificate and renews it",
        "PEM file with the server's own certificate and its intermediates.",
    ),
    optional(
        "server.tls_key",
        "the server makes its own key",
        "PEM file with the private key of server.tls_certificate.",
    ),
    optional(
        "server.http_listen",
        "no such listener",
        "Address of a plain HTTP listener that serves CRL, OCSP and CA certificates only.",
    ),
    optional(
        "server.pki_url",
        "http at the port of server.http_listen if that is set, else server.public_url",
        "Base URL written into certificates for CRL, OCSP and CA certificates.",
    ),
    number(
        "server.shutdown_grace_seconds",
        "20",
        "How long requests in flight may take to finish at shutdown.",
    ),
    list(
        "server.trusted_proxies",
        "Networks whose X-Forwarded-For and X-Request-Id headers are believed.",
    ),
    text(
        "server.client_certificates",
        "off",
        "\"on\" asks clients for a certificate, by which machines may use the REST API.",
    ),
    switch(
        "server.client_own_issuers",
        "true",
        "Whether client certificates of this server's own issuers count.",
    ),
    optional(
        "server.client_authorities",
        "none but the server's own issuers",
        "PEM file with further CA certificates whose client certificates count.",
    ),
    optional(
        "server.client_certificate_header",
        "no header is believed",
        "Header in which server.trusted_proxies pass the client's certificate on.",
    ),
];

pub(super) const DATABASE: &[Key] = &[
    optional(
        "database.url",
        "sqlite://<server.data_dir>/certwright.db",
        "sqlite://FILE or postgres://USER:PASSWORD@HOST/DATABASE.",
    )
    .secret(),
    number(
        "database.pool_size",
        "16",
        "Connections to PostgreSQL, or readers beside SQLite's one writer.",
    ),
];
