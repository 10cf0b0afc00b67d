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

#[cfg(test)]
mod tests {
    use crate::net::DnsError;
    use crate::testing::dns::{Reply, serve, srv};
    use crate::testing::resolver;

    const NAME: &str = "_kerberos._tcp.corp.test";

    #[tokio::test]
    async fn services_come_in_the_order_of_priority_and_weight() {
        let server = serve(|_| {
            Reply::Records(vec![
                srv(NAME, (1, 9), "far.test", 88),
                srv(NAME, (0, 1), "light.test", 88),
                srv(NAME, (0, 5), "heavy.test", 1088),
            ])
        });
        let found = resolver(server.await).lookup_srv(NAME).await.unwrap();
        let shown: Vec<String> = found
            .iter()
            .map(|service| format!("{}:{}", service.host, service.port))
            .collect();
        assert_eq!(shown, ["heavy.test:1088", "light.test:88", "far.test:88"]);
    }

    #[tokio::test]
    async fn the_root_as_a_host_means_that_there_is_no_such_service() {
        let server = serve(|_| Reply::Records(vec![srv(NAME, (0, 0), "", 0)]));
        let error = resolver(server.await).lookup_srv(NAME).await.unwrap_err();
        assert!(matches!(error, DnsError::NoRecords { .. }), "{error}");
    }
}
