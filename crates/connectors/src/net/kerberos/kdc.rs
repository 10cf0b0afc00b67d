//! The KDCs of a realm: where they are (RFC 4120 section 7.2.3.2) and one message to one of them and back,
//! over TCP (section 7.2.2).

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::error::KerberosError;
use crate::net::Dialer;
use crate::net::address::ServerAddress;

const PATIENCE: Duration = Duration::from_secs(5);
/// Of one realm; a large one has a KDC in every office.
const MAX_SERVERS: usize = 4;
/// A ticket of somebody in very many groups has 64 KiB.
const MAX_ANSWER: u32 = 256 * 1024;
/// Where a KDC listens unless said otherwise.
pub const PORT: u16 = 88;

/// The KDCs of one realm, the one that answered last first.
pub(super) struct Kdcs {
    realm: String,
    servers: Vec<ServerAddress>,
}

impl Kdcs {
    /// Those that are named, or those of DNS where none is.
    pub(super) async fn of(
        realm: &str,
        named: &[ServerAddress],
        dialer: &Dialer,
    ) -> Result<Self, KerberosError> {
        let servers = match named {
            [] => located(realm, dialer).await?,
            named => named.to_vec(),
        };
        Ok(Self {
            realm: realm.to_owned(),
            servers,
        })
    }

    pub(super) fn realm(&self) -> &str {
        &self.realm
    }

    /// Asks one after the other until one answers.
    pub(super) async fn ask(
        &mut self,
        dialer: &Dialer,
        message: &[u8],
    ) -> Result<Vec<u8>, KerberosError> {
        let mut reasons = Vec::new();
        for (at, server) in self.servers.iter().take(MAX_SERVERS).enumerate() {
            let answer = match tokio::time::timeout(PATIENCE, talk(server, dialer, message)).await {
                Ok(answer) => answer,
                Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
            };
            match answer {
                Ok(answer) => {
                    self.servers.swap(0, at);
                    return Ok(answer);
                }
                Err(reason) => reasons.push(format!("{server}: {reason}")),
            }
        }
        Err(KerberosError::Unreached {
            realm: self.realm.clone(),
            reasons: reasons.join("; "),
        })
    }
}

async fn located(realm: &str, dialer: &Dialer) -> Result<Vec<ServerAddress>, KerberosError> {
    let name = format!("_kerberos._tcp.{}", realm.to_ascii_lowercase());
    let found = dialer.resolver().lookup_srv(&name).await;
    let found = found.map_err(|reason| KerberosError::Unknown {
        realm: realm.to_owned(),
        reason,
    })?;
    let servers = found.into_iter();
    Ok(servers
        .map(|service| ServerAddress::new(service.host, service.port))
        .collect())
}

async fn talk(server: &ServerAddress, dialer: &Dialer, message: &[u8]) -> Result<Vec<u8>, String> {
    let lost = |_| "the connection was lost before the answer was complete".to_owned();
    let connected = server.connect(dialer).await;
    let mut stream = connected.map_err(|error| error.to_string())?;
    let length = u32::try_from(message.len()).map_err(|_| "the message is too long".to_owned())?;
    let framed = [&length.to_be_bytes(), message].concat();
    stream.write_all(&framed).await.map_err(lost)?;
    let length = stream.read_u32().await.map_err(lost)?;
    if length > MAX_ANSWER {
        return Err("it does not speak Kerberos: its answer would be too long".to_owned());
    }
    let mut answer = Vec::new();
    let limit = u64::from(length);
    let read = (&mut stream).take(limit).read_to_end(&mut answer).await;
    match read.map_err(lost)? {
        read if u64::try_from(read) == Ok(limit) => Ok(answer),
        _ => Err("the connection was lost before the answer was complete".to_owned()),
    }
}
