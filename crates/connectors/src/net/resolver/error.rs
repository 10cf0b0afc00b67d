//! What DNS can fail with, in words that name the question and the server's answer.

/// Why there is no resolver.
#[derive(Debug, thiserror::Error)]
pub enum ResolverSetupError {
    /// `/etc/resolv.conf` is missing or names no server.
    #[error(
        "the system's DNS configuration cannot be used ({0}); name servers in validation.resolvers"
    )]
    System(String),
    /// The resolver itself did not start.
    #[error("the DNS resolver did not start: {0}")]
    Start(String),
}

/// Why a name gave no records.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DnsError {
    /// The name server says that there is no such name.
    #[error("{name} does not exist: the name server answered NXDOMAIN for {kind}")]
    NoSuchName { name: String, kind: RecordKind },
    /// There is the name, but no record of the kind.
    #[error("{name} has no {kind} record")]
    NoRecords { name: String, kind: RecordKind },
    /// The name server refused or failed.
    #[error("looking up {kind} of {name} failed: the name server answered {answer}")]
    Refused {
        name: String,
        kind: RecordKind,
        answer: String,
    },
    /// No answer that could be used came in time.
    #[error("looking up {kind} of {name} failed: no usable answer within {seconds} s")]
    Timeout {
        name: String,
        kind: RecordKind,
        seconds: u64,
    },
    /// CNAMEs that loop, or lead on and on.
    #[error("looking up {kind} of {name} failed: its CNAME records loop or form too long a chain")]
    Chain { name: String, kind: RecordKind },
    /// More or larger records than are looked at.
    #[error("{name} has too many {kind} records, or too large ones (the limit is {limit})")]
    TooMuch {
        name: String,
        kind: RecordKind,
        limit: &'static str,
    },
    /// A text that cannot be asked for.
    #[error("{name} is not a name that DNS can hold")]
    BadName { name: String },
    /// An answer that is no DNS message, or a network in the way.
    #[error("looking up {kind} of {name} failed: {reason}")]
    Broken {
        name: String,
        kind: RecordKind,
        reason: String,
    },
}

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordKind {
    Address,
    Txt,
    Caa,
    Alias,
    Service,
}

impl std::fmt::Display for RecordKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Address => "A/AAAA",
            Self::Txt => "TXT",
            Self::Caa => "CAA",
            Self::Alias => "CNAME",
            Self::Service => "SRV",
        })
    }
}
