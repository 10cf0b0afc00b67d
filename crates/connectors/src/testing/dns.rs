//! A name server that answers what it is told to, over UDP and TCP on one port.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use hickory_resolver::proto::op::{Message, OpCode, ResponseCode};
use hickory_resolver::proto::rr::rdata::{CAA, CNAME, SRV, TXT};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

/// What is asked, the name in lower case and without its last dot.
pub(crate) struct Question {
    pub(crate) name: String,
    pub(crate) kind: RecordType,
    pub(crate) tcp: bool,
}

/// What is answered.
pub(crate) enum Reply {
    /// Owner and data.
    Records(Vec<(String, RData)>),
    Code(ResponseCode),
    Silence,
    /// No record, and the mark that there are more.
    Truncated,
    /// With the id of another question.
    WrongId(Vec<(String, RData)>),
    /// With the question in capitals.
    Capitals(Vec<(String, RData)>),
    Garbage,
}

/// No such name.
pub(crate) fn nothing() -> Reply {
    Reply::Code(ResponseCode::NXDomain)
}

pub(crate) fn a(name: &str, address: [u8; 4]) -> (String, RData) {
    (name.to_owned(), RData::A(Ipv4Addr::from(address).into()))
}

pub(crate) fn srv(name: &str, rank: (u16, u16), host: &str, port: u16) -> (String, RData) {
    let target = Name::from_ascii(format!("{host}.")).unwrap();
    let service = SRV::new(rank.0, rank.1, port, target);
    (name.to_owned(), RData::SRV(service))
}

pub(crate) fn txt(name: &str, text: &str) -> (String, RData) {
    let strings = text.as_bytes().chunks(255).collect();
    (name.to_owned(), RData::TXT(TXT::from_bytes(strings)))
}

pub(crate) fn cname(name: &str, target: &str) -> (String, RData) {
    let target = Name::from_ascii(format!("{target}.")).unwrap();
    (name.to_owned(), RData::CNAME(CNAME(target)))
}

pub(crate) fn caa(name: &str, critical: bool, tag: &str, value: &str) -> (String, RData) {
    let mut record = CAA::new_issue(critical, None, Vec::new());
    record.tag = tag.to_owned();
    record.value = value.as_bytes().to_vec();
    (name.to_owned(), RData::CAA(record))
}

/// Starts a server; it ends with the runtime of the test.
pub(crate) async fn serve(
    handler: impl Fn(&Question) -> Reply + Send + Sync + 'static,
) -> SocketAddr {
    let handler = Arc::new(handler);
    let (udp, tcp) = bind().await;
    let address = tcp.local_addr().unwrap();
    let for_tcp = handler.clone();
    tokio::spawn(async move {
        let mut buffer = [0; 4096];
        while let Ok((length, peer)) = udp.recv_from(&mut buffer).await {
            if let Some(answer) = answer(&buffer[..length], false, &*handler) {
                let _ = udp.send_to(&answer, peer).await;
            }
        }
    });
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = tcp.accept().await {
            let handler = for_tcp.clone();
            tokio::spawn(async move {
                while let Ok(length) = stream.read_u16().await {
                    let mut query = vec![0; length.into()];
                    stream.read_exact(&mut query).await.ok()?;
                    let answer = answer(&query, true, &*handler)?;
                    stream
                        .write_u16(u16::try_from(answer.len()).ok()?)
                        .await
                        .ok()?;
                    stream.write_all(&answer).await.ok()?;
                }
                Some(())
            });
        }
    });
    address
}

/// One port for both transports.
async fn bind() -> (UdpSocket, TcpListener) {
    loop {
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        if let Ok(udp) = UdpSocket::bind(tcp.local_addr().unwrap()).await {
            return (udp, tcp);
        }
    }
}

fn answer(query: &[u8], tcp: bool, handler: &dyn Fn(&Question) -> Reply) -> Option<Vec<u8>> {
    let query = Message::from_vec(query).ok()?;
    let asked = query.queries.first()?;
    let question = Question {
        name: asked
            .name()
            .to_ascii()
            .trim_end_matches('.')
            .to_ascii_lowercase(),
        kind: asked.query_type(),
        tcp,
    };
    let mut response = Message::response(query.metadata.id, OpCode::Query);
    response.add_query(asked.clone());
    let records = match handler(&question) {
        Reply::Records(records) => records,
        Reply::Code(code) => {
            response.metadata.response_code = code;
            Vec::new()
        }
        Reply::Silence => return None,
        Reply::Truncated => {
            response.metadata.truncation = true;
            Vec::new()
        }
        Reply::WrongId(records) => {
            response.metadata.id = !query.metadata.id;
            records
        }
        Reply::Capitals(records) => {
            let capitals = asked.name().to_ascii().to_ascii_uppercase();
            let mut asked = asked.clone();
            asked.set_name(Name::from_ascii(capitals).unwrap());
            response.queries = vec![asked];
            records
        }
        Reply::Garbage => return Some(vec![0xff; 40]),
    };
    for (owner, data) in records {
        let owner = Name::from_ascii(format!("{owner}.")).unwrap();
        response.add_answer(Record::from_rdata(owner, 60, data));
    }
    response.to_vec().ok()
}
