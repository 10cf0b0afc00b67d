//! Where a service is, RFC 2782.

use hickory_resolver::proto::rr::{RData, RecordType};

use super::{Asked, DnsError, RecordKind, Resolver};

/// More than anybody tries one after the other.
const MAX_SERVICES: usize = 32;

/// A host that has the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    pub host: String,
    pub port: u16,
}

impl Resolver {
    /// The hosts that have a service, in the order of their priority and, of the same, the heaviest first; at
    /// least one.
    pub async fn lookup_srv(&self, name: &str) -> Result<Vec<Service>, DnsError> {
        let asked = Asked::new(name, RecordKind::Service)?;
        let lookup = self.lookup(&asked, RecordType::SRV).await?;
        let mut found = Vec::new();
        for record in asked.answers(&lookup)? {
            if let RData::SRV(srv) = &record.data {
                let host = srv.target.to_ascii();
                let host = host.trim_end_matches('.').to_owned();
                let rank = (srv.priority, std::cmp::Reverse(srv.weight));
                let port = srv.port;
                found.push((rank, Service { host, port }));
            }
            if found.len() > MAX_SERVICES {
                return Err(asked.too_much("32 records"));
            }
        }
        // The root as a host says that there is no such service.
        found.retain(|(_, service)| !service.host.is_empty());
        if found.is_empty() {
            return Err(asked.no_records());
        }
        found.sort_by_key(|(rank, _)| *rank);
        Ok(found.into_iter().map(|(_, service)| service).collect())
    }
}
