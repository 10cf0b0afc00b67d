//! Sign-in, limits, logs, metrics and how long history is kept.

use super::{Key, number, optional, switch, text};

pub(super) const SIGN_IN: &[Key] = &[
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
];

pub(super) const LIMITS: &[Key] = &[
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
];

pub(super) const LOG: &[Key] = &[
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
];

pub(super) const METRICS: &[Key] = &[
    switch("metrics.enabled", "true", "Serve /metrics."),
    optional(
        "metrics.token",
        "/metrics is open to everyone who reaches the listener",
        "Bearer token that /metrics asks for.",
    )
    .secret(),
];

pub(super) const RETENTION: &[Key] = &[number(
    "retention.orders_days",
    "90",
    "ACME orders and authorizations that expired, and the like of other protocols; certificates and the \
         audit log are kept.",
)];
