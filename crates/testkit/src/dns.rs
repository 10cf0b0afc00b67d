//! A DNS server on loopback with records that the test sets.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use hickory_proto::op::{Message, MessageType, OpCode, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA, CNAME, SRV, TXT};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use parking_lot::Mutex;
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

/// Answers A with loopback for every name unless told otherwise; other types from what was set.
#[derive(Clone)]
pub struct TestDns {
    pub address: SocketAddr,
    zone: Arc<Mutex<Zone>>,
    _task: Arc<AbortOnDrop>,
}

#[derive(Default)]
struct Zone {
    txt: HashMap<String, Vec<String>>,
    caa: HashMap<String, Vec<(u8, String, String)>>,
    addresses: HashMap<String, Vec<IpAddr>>,
    aliases: HashMap<String, String>,
    services: HashMap<String, (String, u16)>,
    failing: Vec<String>,
    asked: Vec<(String, RecordType)>,
}

struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl TestDns {
    /// Binds a free port.
    pub async fn start() -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = socket.local_addr().unwrap();
        let zone = Arc::new(Mutex::new(Zone::default()));
        let served = Arc::clone(&zone);
        let task = tokio::spawn(async move {
            let mut buffer = [0_u8; 4096];
            while let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
                if let Some(answer) = served.lock().answer(&buffer[..length]) {
                    let _ = socket.try_send_to(&answer, peer);
                }
            }
        });
        Self {
            address,
            zone,
            _task: Arc::new(AbortOnDrop(task)),
        }
    }

    /// Adds a TXT record.
    pub fn add_txt(&self, name: &str, value: &str) {
        let mut zone = self.zone.lock();
        zone.txt
            .entry(name.to_owned())
            .or_default()
            .push(value.to_owned());
    }

    /// Removes the TXT records of a name.
    pub fn clear_txt(&self, name: &str) {
        self.zone.lock().txt.remove(name);
    }

    /// Sets the CAA records of a name: flags, tag, value.
    pub fn set_caa(&self, name: &str, records: &[(u8, &str, &str)]) {
        let records = records
            .iter()
            .map(|(flags, tag, value)| (*flags, (*tag).to_owned(), (*value).to_owned()))
            .collect();
        self.zone.lock().caa.insert(name.to_owned(), records);
    }

    /// Sets the addresses of a name.
    pub fn set_addresses(&self, name: &str, addresses: &[IpAddr]) {
        self.zone
            .lock()
            .addresses
            .insert(name.to_owned(), addresses.to_vec());
    }

    /// Makes a name an alias of another.
    pub fn set_cname(&self, name: &str, target: &str) {
        let mut zone = self.zone.lock();
        zone.aliases.insert(name.to_owned(), target.to_owned());
    }

    /// Says which host has a service, and on which port.
    pub fn set_srv(&self, name: &str, host: &str, port: u16) {
        let mut zone = self.zone.lock();
        zone.services
            .insert(name.to_owned(), (host.to_owned(), port));
    }

    /// How often CAA records of a name were asked for.
    pub fn caa_questions(&self, name: &str) -> usize {
        let zone = self.zone.lock();
        let wanted = (name.to_owned(), RecordType::CAA);
        zone.asked.iter().filter(|asked| **asked == wanted).count()
    }

    /// Answers SERVFAIL to everything about a name.
    pub fn fail(&self, name: &str) {
        self.zone.lock().failing.push(name.to_owned());
    }
}

impl Zone {
    fn answer(&mut self, request: &[u8]) -> Option<Vec<u8>> {
        let request = Message::from_vec(request).ok()?;
        let query = request.queries.first()?.clone();
        let name = query.name().to_ascii().to_ascii_lowercase();
        let name = name.trim_end_matches('.');
        self.asked.push((name.to_owned(), query.query_type()));
        let mut message = Message::new(request.metadata.id, MessageType::Response, OpCode::Query);
        message.metadata.authoritative = true;
        message.metadata.recursion_available = true;
        message.add_query(query.clone());
        if self.failing.iter().any(|failing| failing == name) {
            message.metadata.response_code = ResponseCode::ServFail;
        } else {
            let mut owner = query.name().clone();
            let mut holder = name;
            while let Some(target) = self.aliases.get(holder) {
                let alias = RData::CNAME(CNAME(fqdn(target)));
                message.add_answer(Record::from_rdata(owner, 1, alias));
                owner = fqdn(target);
                holder = target;
            }
            for data in self.records(holder, query.query_type()) {
                message.add_answer(Record::from_rdata(owner.clone(), 1, data));
            }
        }
        message.to_vec().ok()
    }

    fn records(&self, name: &str, kind: RecordType) -> Vec<RData> {
        match kind {
            RecordType::TXT => self.txt.get(name).map_or_else(Vec::new, |values| {
                values
                    .iter()
                    .map(|value| RData::TXT(TXT::new(chunks(value))))
                    .collect()
            }),
            RecordType::CAA => self.caa.get(name).map_or_else(Vec::new, |records| {
                records.iter().map(|(f, t, v)| caa(*f, t, v)).collect()
            }),
            RecordType::SRV => {
                let found = self.services.get(name).into_iter();
                found
                    .map(|(host, port)| RData::SRV(SRV::new(0, 0, *port, fqdn(host))))
                    .collect()
            }
            RecordType::A | RecordType::AAAA => self.address_records(name, kind),
            _ => Vec::new(),
        }
    }

    fn address_records(&self, name: &str, kind: RecordType) -> Vec<RData> {
        let loopback = vec![IpAddr::V4(Ipv4Addr::LOCALHOST)];
        let addresses = self.addresses.get(name).unwrap_or(&loopback);
        addresses
            .iter()
            .filter_map(|address| match (address, kind) {
                (IpAddr::V4(address), RecordType::A) => Some(RData::A(A(*address))),
                (IpAddr::V6(address), RecordType::AAAA) => Some(RData::AAAA(AAAA(*address))),
                _ => None,
            })
            .collect()
    }
}

fn chunks(value: &str) -> Vec<String> {
    value
        .as_bytes()
        .chunks(255)
        .map(|chunk| String::from_utf8_lossy(chunk).into_owned())
        .collect()
}

/// RFC 8659 section 4.1: flags, length of the tag, tag, value.
fn caa(flags: u8, tag: &str, value: &str) -> RData {
    let mut octets = vec![flags, u8::try_from(tag.len()).unwrap()];
    octets.extend_from_slice(tag.as_bytes());
    octets.extend_from_slice(value.as_bytes());
    RData::Unknown {
        code: RecordType::CAA,
        rdata: hickory_proto::rr::rdata::NULL::with(octets),
    }
}

/// A name as DNS writes it.
pub fn fqdn(name: &str) -> Name {
    let mut name = Name::from_ascii(name).unwrap();
    name.set_fqdn(true);
    name
}
