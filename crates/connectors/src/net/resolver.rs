//! DNS as validation needs it: fresh answers, bounded, with errors that say what the server answered.
//!
//! Answers are hostile input. Records are only taken from the answer section, and only where a chain
//! of CNAMEs leads to them from the name that was asked for.

mod error;
mod srv;

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::config::{
    ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig as Upstream,
    ResolverOpts,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError as NegativeAnswer, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use hickory_resolver::{TokioResolver, lookup::Lookup};
use protocols::acme::caa::CaaRecord;

pub use error::{DnsError, RecordKind, ResolverSetupError};
pub use srv::Service;

/// More TXT records than any honest name has; each would have to be compared.
const MAX_TXT_RECORDS: usize = 100;
const MAX_TXT_OCTETS: usize = 16 * 1024;
const MAX_ADDRESSES: usize = 16;
const MAX_CAA_RECORDS: usize = 100;

/// Whom to ask, and for how long.
#[derive(Clone, Debug)]
pub struct ResolverConfig {
    /// Empty: those of the system.
    pub servers: Vec<SocketAddr>,
    /// Of one question to one server.
    pub timeout: Duration,
    /// How often a question is repeated that got no answer.
    pub attempts: usize,
    /// Asks for names in random case, which makes forged answers harder; a server that folds the
    /// case is asked again by TCP.
    pub case_randomization: bool,
}

impl Default for ResolverConfig {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            timeout: Duration::from_secs(3),
            attempts: 2,
            case_randomization: true,
        }
    }
}

/// What is known about the CAA records of exactly one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaaAnswer {
    /// There are some, perhaps at the end of CNAMEs.
    Records {
        records: Vec<CaaRecord>,
        ttl: Duration,
    },
    /// The name server says that there are none.
    None,
    /// It is not known; issuance must not go on (RFC 8659 section 3).
    Failed(DnsError),
}

/// A stub resolver without a memory: every validation sees the zone as it is.
pub struct Resolver {
    inner: TokioResolver,
    deadline: Duration,
}

impl Resolver {
    /// A resolver that asks the configured servers, or those of the system.
    pub fn new(config: &ResolverConfig) -> Result<Self, ResolverSetupError> {
        let provider = TokioRuntimeProvider::default();
        let mut builder = if config.servers.is_empty() {
            TokioResolver::builder(provider)
                .map_err(|error| ResolverSetupError::System(error.to_string()))?
        } else {
            let servers = config.servers.iter().map(name_server).collect();
            let upstream = Upstream::from_name_servers(servers);
            TokioResolver::builder_with_config(upstream, provider)
        };
        set_options(builder.options_mut(), config);
        let inner = builder
            .build()
            .map_err(|error| ResolverSetupError::Start(error.to_string()))?;
        let rounds = u32::try_from(config.attempts)
            .unwrap_or(u32::MAX)
            .saturating_add(1);
        Ok(Self {
            inner,
            deadline: config.timeout.saturating_mul(rounds),
        })
    }

    /// The addresses of a host, in no particular order; at least one.
    pub async fn lookup_ip(&self, name: &str) -> Result<Vec<IpAddr>, DnsError> {
        let asked = Asked::new(name, RecordKind::Address)?;
        let lookup = self
            .ask(self.inner.lookup_ip(asked.fqdn.clone()))
            .await
            .map_err(|error| asked.error(error, self.deadline))?;
        let addresses: Vec<IpAddr> = lookup.iter().take(MAX_ADDRESSES).collect();
        if addresses.is_empty() {
            return Err(asked.no_records());
        }
        Ok(addresses)
    }

    /// The TXT records of a name, each with its strings joined; at least one.
    pub async fn lookup_txt(&self, name: &str) -> Result<Vec<Vec<u8>>, DnsError> {
        let asked = Asked::new(name, RecordKind::Txt)?;
        let lookup = self.lookup(&asked, RecordType::TXT).await?;
        let mut texts = Vec::new();
        let mut octets = 0;
        for record in asked.answers(&lookup)? {
            if let RData::TXT(txt) = &record.data {
                let text = txt.txt_data.concat();
                octets += text.len();
                texts.push(text);
            }
            if texts.len() > MAX_TXT_RECORDS || octets > MAX_TXT_OCTETS {
                return Err(asked.too_much("100 records and 16 KiB"));
            }
        }
        if texts.is_empty() {
            return Err(asked.no_records());
        }
        Ok(texts)
    }

    /// Where a chain of CNAMEs leads from a name; the name itself where there is none.
    pub async fn follow_aliases(&self, name: &str) -> Result<String, DnsError> {
        let asked = Asked::new(name, RecordKind::Alias)?;
        let end = self.end_of_aliases(&asked).await?.to_ascii();
        Ok(end.trim_end_matches('.').to_owned())
    }

    /// The CAA records of exactly this name; climbing the tree is the caller's.
    pub async fn lookup_caa(&self, name: &str) -> CaaAnswer {
        match self.caa_records(name).await {
            Ok((records, ttl)) => CaaAnswer::Records { records, ttl },
            Err(DnsError::NoSuchName { .. } | DnsError::NoRecords { .. }) => CaaAnswer::None,
            Err(error) => CaaAnswer::Failed(error),
        }
    }

    async fn caa_records(&self, name: &str) -> Result<(Vec<CaaRecord>, Duration), DnsError> {
        let asked = Asked::new(name, RecordKind::Caa)?;
        let lookup = self.lookup(&asked, RecordType::CAA).await?;
        let mut records = Vec::new();
        let mut ttl = u32::MAX;
        for record in asked.answers(&lookup)? {
            ttl = ttl.min(record.ttl);
            if let RData::CAA(caa) = &record.data {
                records.push(CaaRecord::new(
                    caa.flags(),
                    caa.tag.clone(),
                    caa.value.clone(),
                ));
            }
            if records.len() > MAX_CAA_RECORDS {
                return Err(asked.too_much("100 records"));
            }
        }
        if records.is_empty() {
            return Err(asked.no_records());
        }
        Ok((records, Duration::from_secs(ttl.into())))
    }

    async fn lookup(&self, asked: &Asked, kind: RecordType) -> Result<Lookup, DnsError> {
        let answer = self.ask(self.inner.lookup(asked.fqdn.clone(), kind)).await;
        if let Err(NetError::Dns(NegativeAnswer::NoRecordsFound(none))) = &answer {
            // A chain of CNAMEs that was given up looks like absence, only without any authority.
            if none.authorities.is_none() {
                self.end_of_aliases(asked).await?;
            }
        }
        answer.map_err(|error| asked.error(error, self.deadline))
    }

    /// Follows the CNAMEs of a name that seems to have no records, and fails where they do not end.
    async fn end_of_aliases(&self, asked: &Asked) -> Result<Name, DnsError> {
        let mut name = asked.fqdn.clone();
        for _ in 0..=MAX_CHAIN {
            let question = self.inner.lookup(name.clone(), RecordType::CNAME);
            let lookup = match self.ask(question).await {
                Ok(lookup) => lookup,
                Err(NetError::Dns(NegativeAnswer::NoRecordsFound(_))) => return Ok(name),
                Err(error) => return Err(asked.error(error, self.deadline)),
            };
            let target = lookup
                .answers()
                .iter()
                .find_map(|record| match &record.data {
                    RData::CNAME(target) if record.name == name => Some(target.0.clone()),
                    _ => None,
                });
            match target {
                Some(target) => name = target,
                None => return Ok(name),
            }
        }
        Err(asked.chain())
    }

    /// Waits no longer than all attempts together may take.
    async fn ask<T>(
        &self,
        question: impl Future<Output = Result<T, NetError>>,
    ) -> Result<T, NetError> {
        tokio::time::timeout(self.deadline, question)
            .await
            .unwrap_or(Err(NetError::Timeout))
    }
}

/// As many CNAMEs as are followed. The library gives up earlier; this is for absence.
const MAX_CHAIN: usize = 7;

fn name_server(server: &SocketAddr) -> NameServerConfig {
    let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
    for connection in &mut connections {
        connection.port = server.port();
    }
    NameServerConfig::new(server.ip(), true, connections)
}

fn set_options(options: &mut ResolverOpts, config: &ResolverConfig) {
    options.timeout = config.timeout;
    options.attempts = config.attempts;
    options.cache_size = 0;
    options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    options.preserve_intermediates = true;
    options.case_randomization = config.case_randomization;
    options.max_active_requests = 4096;
    // An operator who names servers wants those to decide; else the host's own table counts too.
    options.use_hosts_file = if config.servers.is_empty() {
        ResolveHosts::Auto
    } else {
        ResolveHosts::Never
    };
}

/// A question, kept for the texts of errors.
struct Asked {
    name: String,
    fqdn: Name,
    kind: RecordKind,
}

impl Asked {
    fn new(name: &str, kind: RecordKind) -> Result<Self, DnsError> {
        let absolute = format!("{}.", name.trim_end_matches('.'));
        let fqdn = Name::from_ascii(&absolute).map_err(|_| DnsError::BadName {
            name: super::excerpt(name.as_bytes()),
        })?;
        Ok(Self {
            name: name.to_owned(),
            fqdn,
            kind,
        })
    }

    /// The records a chain of CNAMEs leads to from the name that was asked for.
    fn answers<'a>(&self, lookup: &'a Lookup) -> Result<Vec<&'a Record>, DnsError> {
        let answers = lookup.answers();
        let mut owner = &self.fqdn;
        for _ in 0..=answers.len().min(2 * MAX_CHAIN) {
            let next = answers.iter().find_map(|record| match &record.data {
                RData::CNAME(target) if record.name == *owner => Some(&target.0),
                _ => None,
            });
            match next {
                Some(target) => owner = target,
                None => {
                    return Ok(answers
                        .iter()
                        .filter(|record| record.name == *owner)
                        .collect());
                }
            }
        }
        Err(self.chain())
    }

    fn error(&self, error: NetError, deadline: Duration) -> DnsError {
        let name = self.name.clone();
        let kind = self.kind;
        match error {
            NetError::Dns(NegativeAnswer::NoRecordsFound(none)) => match none.response_code {
                ResponseCode::NXDomain => DnsError::NoSuchName { name, kind },
                ResponseCode::NoError => DnsError::NoRecords { name, kind },
                code => self.refused(code),
            },
            NetError::Dns(NegativeAnswer::ResponseCode(code)) => self.refused(code),
            NetError::Timeout => self.timeout(deadline),
            other => DnsError::Broken {
                name,
                kind,
                reason: super::excerpt(other.to_string().as_bytes()),
            },
        }
    }

    fn refused(&self, code: ResponseCode) -> DnsError {
        let answer = match code {
            ResponseCode::ServFail => "SERVFAIL".to_owned(),
            ResponseCode::Refused => "REFUSED".to_owned(),
            ResponseCode::FormErr => "FORMERR".to_owned(),
            ResponseCode::NotImp => "NOTIMP".to_owned(),
            other => other.to_string(),
        };
        DnsError::Refused {
            name: self.name.clone(),
            kind: self.kind,
            answer,
        }
    }

    fn timeout(&self, deadline: Duration) -> DnsError {
        DnsError::Timeout {
            name: self.name.clone(),
            kind: self.kind,
            seconds: deadline.as_secs().max(1),
        }
    }

    fn no_records(&self) -> DnsError {
        DnsError::NoRecords {
            name: self.name.clone(),
            kind: self.kind,
        }
    }

    fn chain(&self) -> DnsError {
        DnsError::Chain {
            name: self.name.clone(),
            kind: self.kind,
        }
    }

    fn too_much(&self, limit: &'static str) -> DnsError {
        DnsError::TooMuch {
            name: self.name.clone(),
            kind: self.kind,
            limit,
        }
    }
}

#[cfg(test)]
mod tests;
