//! The built-in CA, and the key that seals secrets.

use super::{Key, Preset, Shape, key, number, optional, text};

pub(super) const CA: &[Key] = &[
    text(
        "ca.root_name",
        "Certwright Root CA",
        "Common name of the root.",
    )
    .first_start(),
    text(
        "ca.root_key_algorithm",
        "p-384",
        "rsa-2048, rsa-3072, rsa-4096, p-256, p-384 or ed25519.",
    )
    .first_start(),
    number(
        "ca.root_validity_days",
        "7300",
        "Life of the root certificate.",
    )
    .first_start(),
    text(
        "ca.issuer_name",
        "Certwright Issuing CA",
        "Common name of the issuing CA.",
    )
    .first_start(),
    text(
        "ca.issuer_key_algorithm",
        "p-256",
        "rsa-2048, rsa-3072, rsa-4096, p-256, p-384 or ed25519.",
    )
    .first_start(),
    number(
        "ca.issuer_validity_days",
        "3650",
        "Life of the issuing CA's certificate.",
    )
    .first_start(),
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
];

pub(super) const SEAL: &[Key] = &[
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
];
