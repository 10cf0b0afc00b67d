//! Every configuration key: its name, shape, default and meaning. The example file, the environment
//! names, `certwright config` and the refusal of unknown keys all follow from this one list.

/// What a key's value looks like in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A string.
    Text,
    /// A whole number.
    Number,
    /// `true` or `false`.
    Switch,
    /// A list of strings; comma separated in the environment.
    List,
}

/// What stands where nobody set a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// This value, written as in the environment.
    Value(&'static str),
    /// No value; the text says what that means.
    Unset(&'static str),
}

/// One configuration key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// `section.key`.
    pub name: &'static str,
    /// The value's shape.
    pub shape: Shape,
    /// The value where nobody sets one.
    pub preset: Preset,
    /// Whether the value is masked when shown.
    pub secret: bool,
    /// One sentence for the example file.
    pub help: &'static str,
}

impl Key {
    /// The section and the key inside it.
    pub fn parts(&self) -> (&'static str, &'static str) {
        self.name.split_once('.').unwrap_or((self.name, ""))
    }

    /// The environment variable that sets this key: `CERTWRIGHT_SERVER__LISTEN`.
    pub fn variable(&self) -> String {
        let (section, key) = self.parts();
        format!("CERTWRIGHT_{}__{}", section, key).to_uppercase()
    }

    const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }
}

const fn key(name: &'static str, shape: Shape, preset: Preset, help: &'static str) -> Key {
    Key {
        name,
        shape,
        preset,
        secret: false,
        help,
    }
}

const fn text(name: &'static str, value: &'static str, help: &'static str) -> Key {
    key(name, Shape::Text, Preset::Value(value), help)
}

const fn optional(name: &'static str, unset: &'static str, help: &'static str) -> Key {
    key(name, Shape::Text, Preset::Unset(unset), help)
}

const fn number(name: &'static str, value: &'static str, help: &'static str) -> Key {
    key(name, Shape::Number, Preset::Value(value), help)
}

const fn switch(name: &'static str, value: &'static str, help: &'static str) -> Key {
    key(name, Shape::Switch, Preset::Value(value), help)
}

const fn list(name: &'static str, help: &'static str) -> Key {
    key(name, Shape::List, Preset::Value(""), help)
}

/// The sections with what they are about, in the order of the example file.
pub const SECTIONS: &[(&str, &str)] = &[
    (
        "server",
        "Where the server listens and what its clients see.",
    ),
    (
        "database",
        "SQLite for one node, PostgreSQL for any number of equal nodes.",
    ),
    (
        "validation",
        "How control over names and addresses is checked.",
    ),
    ("ca", "The built-in certification authority."),
    ("seal", "The key that seals secrets at rest."),
    ("acme", "The ACME front end."),
    (
        "email_challenge",
        "Mails that prove control of mailboxes, for S/MIME over ACME.",
    ),
    ("sign_in", "How people sign in, and for how long."),
    (
        "limits",
        "Protection against overload; 0 turns a rate limit off.",
    ),
    ("log", "What is written to standard error."),
    ("metrics", "The Prometheus page at /metrics."),
    ("retention", "How long what came to its end is kept."),
];

/// All keys, grouped by section.
pub const KEYS: &[Key] = &[
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
    number(
        "validation.http01_port",
        "80",
        "Port to which http-01 connects (RFC 8555 section 8.3 says 80).",
    ),
    number(
        "validation.tlsalpn01_port",
        "443",
        "Port to which tls-alpn-01 connects (RFC 8737 section 3 says 443).",
    ),
    list(
        "validation.resolvers",
        "DNS resolvers as ADDRESS[:PORT]; empty means the system's.",
    ),
    list(
        "validation.allow_networks",
        "Networks that validation may reach although they are denied by default.",
    ),
    list(
        "validation.deny_networks",
        "Networks that validation must never reach; wins over allow_networks.",
    ),
    number(
        "validation.timeout_seconds",
        "10",
        "Limit of one validation attempt as a whole.",
    ),
    number(
        "validation.concurrency",
        "64",
        "Validations that run at the same time on this node.",
    ),
    number(
        "validation.retries",
        "3",
        "Further attempts after one that could not reach the client.",
    ),
    number(
        "validation.retry_interval_seconds",
        "5",
        "Pause before the next attempt.",
    ),
    text(
        "validation.caa",
        "off",
        "\"on\" asks DNS for CAA records (RFC 8659) before issuance.",
    ),
    text(
        "ca.root_name",
        "Certwright Root CA",
        "Common name of the root, used once at the first start.",
    ),
    text(
        "ca.root_key_algorithm",
        "p-384",
        "rsa-2048, rsa-3072, rsa-4096, p-256, p-384 or ed25519.",
    ),
    number(
        "ca.root_validity_days",
        "7300",
        "Life of the root certificate.",
    ),
    text(
        "ca.issuer_name",
        "Certwright Issuing CA",
        "Common name of the issuing CA, used once at the first start.",
    ),
    text(
        "ca.issuer_key_algorithm",
        "p-256",
        "rsa-2048, rsa-3072, rsa-4096, p-256, p-384 or ed25519.",
    ),
    number(
        "ca.issuer_validity_days",
        "3650",
        "Life of the issuing CA's certificate.",
    ),
    number(
        "ca.crl_validity_hours",
        "96",
        "From a CRL's thisUpdate to its nextUpdate.",
    ),
    number(
        "ca.crl_refresh_hours",
        "12",
        "A new CRL is signed this often, and after each revocation.",
    ),
    number(
        "ca.ocsp_validity_hours",
        "24",
        "From an OCSP response's thisUpdate to its nextUpdate.",
    ),
    number(
        "ca.max_clock_jump_seconds",
        "300",
        "Nothing is issued after the system clock jumped further; 0 issues nevertheless.",
    ),
    text(
        "ca.key_store",
        "file",
        "\"file\" keeps CA keys sealed in the data directory, \"pkcs11\" in a token.",
    ),
    optional(
        "ca.pkcs11_module",
        "needed when ca.key_store is pkcs11",
        "Path of the token vendor's library.",
    ),
    optional(
        "ca.pkcs11_token_label",
        "choose the token by ca.pkcs11_slot",
        "Label of the token.",
    ),
    key(
        "ca.pkcs11_slot",
        Shape::Number,
        Preset::Unset("choose the token by ca.pkcs11_token_label"),
        "Number of the slot.",
    ),
    optional(
        "ca.pkcs11_pin",
        "read from ca.pkcs11_pin_file",
        "User PIN of the token; a file is the better place.",
    )
    .secret(),
    optional(
        "ca.pkcs11_pin_file",
        "given by ca.pkcs11_pin",
        "File whose first line is the user PIN.",
    ),
    optional(
        "ca.command_directory",
        "no programs are run",
        "Directory with the programs that issuers of the kind command may run.",
    ),
    optional(
        "seal.key_file",
        "<server.data_dir>/seal.key, made at the first start",
        "File with 32 octets in base64. Keep a copy apart from the database's backups.",
    ),
    optional(
        "seal.key",
        "read from seal.key_file",
        "The key itself, 32 octets in base64.",
    )
    .secret(),
    switch(
        "acme.external_account_required",
        "false",
        "Accept new accounts only with an external account binding.",
    ),
    optional(
        "acme.terms_of_service",
        "none to agree to",
        "URL of the terms that a new account must agree to.",
    ),
    optional(
        "acme.website",
        "not announced",
        "URL of a page about this service.",
    ),
    list(
        "acme.caa_identities",
        "Domain names by which CAA records permit this CA.",
    ),
    number(
        "acme.order_lifetime_hours",
        "168",
        "An order that is not finalized by then becomes invalid.",
    ),
    number(
        "acme.authorization_lifetime_hours",
        "168",
        "A pending or valid authorization expires after this time.",
    ),
    number(
        "acme.authorization_reuse_hours",
        "0",
        "New orders of the account reuse an authorization for this long; 0 means never.",
    ),
    optional(
        "email_challenge.from",
        "none are sent",
        "Address that challenges for mailboxes come from (email-reply-00, RFC 8823).",
    ),
    optional(
        "email_challenge.smtp_host",
        "needed with email_challenge.from",
        "Mail server that sends them.",
    ),
    number(
        "email_challenge.smtp_port",
        "0",
        "Its port; 0 is the usual one.",
    ),
    text(
        "email_challenge.smtp_tls",
        "starttls",
        "\"starttls\", \"tls\", or \"none\" without a password.",
    ),
    optional(
        "email_challenge.smtp_username",
        "no password is sent",
        "User name at that server.",
    ),
    optional(
        "email_challenge.smtp_password",
        "read from email_challenge.smtp_password_file",
        "Its password; a file is the better place.",
    )
    .secret(),
    optional(
        "email_challenge.smtp_password_file",
        "no password is sent",
        "File whose first line is the password.",
    ),
    optional(
        "email_challenge.smtp_ca",
        "the system's roots",
        "PEM file: whom to trust for its TLS.",
    ),
    optional(
        "email_challenge.imap_host",
        "needed with email_challenge.from",
        "Server with the mailbox that replies come to.",
    ),
    number(
        "email_challenge.imap_port",
        "0",
        "Its port; 0 is the usual one.",
    ),
    switch(
        "email_challenge.imap_tls",
        "true",
        "TLS from the start; false only for a server on this machine.",
    ),
    optional(
        "email_challenge.imap_username",
        "needed with email_challenge.from",
        "User name at that server.",
    ),
    optional(
        "email_challenge.imap_password",
        "read from email_challenge.imap_password_file",
        "Its password; a file is the better place.",
    )
    .secret(),
    optional(
        "email_challenge.imap_password_file",
        "needed with email_challenge.from",
        "File whose first line is the password.",
    ),
    text(
        "email_challenge.imap_mailbox",
        "INBOX",
        "The mailbox, used for nothing else.",
    ),
    optional(
        "email_challenge.imap_ca",
        "the system's roots",
        "PEM file: whom to trust for its TLS.",
    ),
    switch(
        "email_challenge.require_dkim",
        "true",
        "Whether a reply needs a DKIM signature of its sender's domain.",
    ),
    optional(
        "email_challenge.dkim_domain",
        "our mails are not signed here",
        "Domain that signs our mails (DKIM).",
    ),
    optional(
        "email_challenge.dkim_selector",
        "our mails are not signed here",
        "Selector under which its public key is.",
    ),
    optional(
        "email_challenge.dkim_key_file",
        "our mails are not signed here",
        "File with the RSA or Ed25519 key, PKCS #8 in PEM.",
    ),
    number(
        "sign_in.session_idle_minutes",
        "60",
        "A session that is not used ends after this.",
    ),
    number(
        "sign_in.session_hours",
        "12",
        "A session ends after this, used or not.",
    ),
    number(
        "sign_in.recent_minutes",
        "15",
        "What is delicate asks for a proof of identity that is no older.",
    ),
    number(
        "sign_in.password_memory_kib",
        "19456",
        "Memory of one password hash (argon2id).",
    ),
    number(
        "sign_in.password_iterations",
        "2",
        "Passes of one password hash over its memory.",
    ),
    number(
        "sign_in.password_concurrency",
        "4",
        "Password hashes computed at the same time on this node.",
    ),
    number(
        "limits.new_accounts_per_ip_per_hour",
        "0",
        "ACME accounts created from one address.",
    ),
    number(
        "limits.new_orders_per_account_per_hour",
        "0",
        "ACME orders created by one account.",
    ),
    number(
        "limits.failed_validations_per_account_per_hour",
        "0",
        "Failed validations of one account.",
    ),
    number(
        "limits.requests_per_second_per_ip",
        "0",
        "Requests of any kind from one address.",
    ),
    number(
        "limits.max_connections",
        "10000",
        "Connections open at the same time; more wait to be accepted.",
    ),
    number(
        "limits.handshake_timeout_seconds",
        "10",
        "Limit of a TLS handshake.",
    ),
    number(
        "limits.header_timeout_seconds",
        "30",
        "Limit of a request's header, waiting for it on an idle connection included.",
    ),
    number(
        "limits.body_timeout_seconds",
        "30",
        "Limit of a request's body, from its header to its last octet.",
    ),
    number(
        "limits.idle_timeout_seconds",
        "75",
        "A connection on which nothing moves for this long is closed.",
    ),
    number(
        "limits.max_body_bytes",
        "65536",
        "Largest request body, where a route does not say otherwise.",
    ),
    text(
        "log.format",
        "text",
        "\"text\" for people, \"json\" for machines.",
    ),
    text(
        "log.level",
        "info",
        "error, warn, info, debug, trace, or per module: info,certwright=debug.",
    ),
    switch("metrics.enabled", "true", "Serve /metrics."),
    optional(
        "metrics.token",
        "/metrics is open to everyone who reaches the listener",
        "Bearer token that /metrics asks for.",
    )
    .secret(),
    number(
        "retention.orders_days",
        "90",
        "ACME orders and authorizations that expired, and the like of other protocols; certificates and the \
         audit log are kept.",
    ),
];

/// The key of this `section.key` name.
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}
