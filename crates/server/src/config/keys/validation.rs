//! How control over names is checked, the ACME front end, and mails that prove control of mailboxes.

use super::{Key, list, number, optional, switch, text};

pub(super) const VALIDATION: &[Key] = &[
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
    )
    .rule("caa"),
];

pub(super) const ACME: &[Key] = &[
    switch(
        "acme.external_account_required",
        "false",
        "Accept new accounts only with an external account binding.",
    )
    .rule("external_account_required"),
    optional(
        "acme.terms_of_service",
        "none to agree to",
        "URL of the terms that a new account must agree to.",
    )
    .rule("terms_of_service"),
    optional(
        "acme.website",
        "not announced",
        "URL of a page about this service.",
    )
    .rule("website"),
    list(
        "acme.caa_identities",
        "Domain names by which CAA records permit this CA.",
    )
    .rule("caa_identities"),
    number(
        "acme.order_lifetime_hours",
        "168",
        "An order that is not finalized by then becomes invalid.",
    )
    .rule("order_lifetime_seconds"),
    number(
        "acme.authorization_lifetime_hours",
        "168",
        "A pending or valid authorization expires after this time.",
    )
    .rule("pending_authorization_lifetime_seconds"),
    number(
        "acme.authorization_reuse_hours",
        "0",
        "New orders of the account reuse an authorization for this long; 0 means never.",
    )
    .rule("authorization_reuse_seconds"),
];

pub(super) const EMAIL_CHALLENGE: &[Key] = &[
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
];
