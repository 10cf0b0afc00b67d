//! A KDC whose answers are right but for what a test changes in them.

use std::net::SocketAddr;

use pki::asn1::{Reader, Writer};
use pki::time::Timestamp;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::super::key::{EncryptionType, Key, Usage};
use super::super::reply::Asked;
use super::super::wire::{
    Principal, application, field, optional_field, read_text, text, write_encrypted,
};

pub(super) const REALM: &str = "CORP.TEST";
pub(super) const USER: &str = "svc";
pub(super) const SERVICE: &str = "HTTP/ca.corp.test";
pub(super) const PASSWORD: &str = "password";
pub(super) const NOW: Timestamp = Timestamp::from_seconds(2_000_000_000);
const SESSION_KEY: [u8; 32] = [9; 32];

/// An answer before it is encrypted.
pub(super) struct Answer {
    pub(super) asked: Asked,
    /// What the question has as its options.
    pub(super) options: Vec<u8>,
    pub(super) flags: [u8; 4],
    pub(super) user_realm: &'static str,
    pub(super) user: Principal,
    /// The kind of key that it says it is encrypted with.
    pub(super) kind: i64,
    pub(super) usage: Usage,
    pub(super) session: (i64, Vec<u8>),
    pub(super) nonce: u32,
    pub(super) until: Timestamp,
    pub(super) realm: String,
    pub(super) service: Principal,
}

/// Listens on a port of its own. What `change` gives, if anything, is sent instead of an answer.
pub(super) async fn serve(
    change: impl Fn(&mut Answer) -> Option<Vec<u8>> + Send + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let length = stream.read_u32().await.unwrap();
            let mut question = vec![0; usize::try_from(length).unwrap()];
            stream.read_exact(&mut question).await.unwrap();
            let mut answer = Answer::to(&question);
            let sent = match change(&mut answer) {
                Some(instead) => instead,
                None => length_before(&answer.der()),
            };
            stream.write_all(&sent).await.unwrap();
        }
    });
    address
}

pub(super) fn length_before(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap();
    [&length.to_be_bytes(), message].concat()
}

impl Answer {
    fn to(question: &[u8]) -> Self {
        let outer = Reader::single(question).unwrap();
        let (asked, usage) = match outer.tag == application(10) {
            true => (Asked::First, Usage::FirstReply),
            false => (Asked::Ticket, Usage::TicketReply),
        };
        let mut request = outer.open(outer.tag).unwrap().sequence().unwrap();
        for number in 1..4 {
            optional_field(&mut request, number).unwrap();
        }
        let mut body = field(&mut request, 4).unwrap().sequence().unwrap();
        let options = field(&mut body, 0).unwrap().bit_string().unwrap().to_vec();
        optional_field(&mut body, 1).unwrap();
        let realm = read_text(&mut field(&mut body, 2).unwrap()).unwrap();
        let service = Principal::read(&mut field(&mut body, 3).unwrap()).unwrap();
        field(&mut body, 5).unwrap();
        Self {
            asked,
            options,
            flags: [0; 4],
            user_realm: REALM,
            user: Principal::user(USER),
            kind: EncryptionType::Sha1.number(),
            usage,
            session: (EncryptionType::Sha1.number(), SESSION_KEY.to_vec()),
            nonce: field(&mut body, 7).unwrap().small().unwrap(),
            until: NOW + std::time::Duration::from_secs(600),
            realm,
            service,
        }
    }

    fn key(&self) -> Key {
        let kind = EncryptionType::Sha1;
        match self.asked {
            Asked::First => {
                let salt = format!("{REALM}{USER}");
                let often = kind.iterations(None).unwrap();
                Key::of_password(kind, PASSWORD.as_bytes(), salt.as_bytes(), often).unwrap()
            }
            Asked::Ticket => Key::new(kind, &SESSION_KEY).unwrap(),
        }
    }

    fn der(&self) -> Vec<u8> {
        let number = match self.asked {
            Asked::First => 11,
            Asked::Ticket => 13,
        };
        let sealed = self.key().encrypt(self.usage, &self.part(), [1; 16]);
        Writer::encode(|w| {
            w.nested(application(number), |w| {
                w.sequence(|w| {
                    w.constructed(0, |w| w.small(5));
                    w.constructed(1, |w| w.small(number.into()));
                    w.constructed(3, |w| text(w, self.user_realm));
                    w.constructed(4, |w| self.user.write(w));
                    w.constructed(5, |w| w.nested(application(1), |w| w.sequence(|_| {})));
                    w.constructed(6, |w| write_encrypted(w, self.kind, &sealed.unwrap()));
                });
            });
        })
    }

    /// An EncKDCRepPart.
    fn part(&self) -> Vec<u8> {
        Writer::encode(|w| {
            w.nested(application(25), |w| {
                w.sequence(|w| {
                    w.constructed(0, |w| {
                        w.sequence(|w| {
                            w.constructed(0, |w| w.signed(self.session.0));
                            w.constructed(1, |w| w.octet_string(&self.session.1));
                        });
                    });
                    w.constructed(1, |w| w.sequence(|_| {}));
                    w.constructed(2, |w| w.small(self.nonce));
                    w.constructed(4, |w| w.bit_string(&self.flags));
                    w.constructed(5, |w| w.generalized_time(NOW));
                    w.constructed(7, |w| w.generalized_time(self.until));
                    w.constructed(9, |w| text(w, &self.realm));
                    w.constructed(10, |w| self.service.write(w));
                });
            });
        })
    }
}

/// A KRB-ERROR that wants to know the password first, and says how often it is stretched.
pub(super) fn first_prove(iterations: u32) -> Vec<u8> {
    let stretching = Writer::encode(|w| {
        w.sequence(|w| {
            w.sequence(|w| {
                w.constructed(0, |w| w.signed(EncryptionType::Sha1.number()));
                w.constructed(2, |w| w.octet_string(&iterations.to_be_bytes()));
            });
        });
    });
    let data = Writer::encode(|w| {
        w.sequence(|w| {
            w.sequence(|w| {
                w.constructed(1, |w| w.small(19));
                w.constructed(2, |w| w.octet_string(&stretching));
            });
        });
    });
    refusal(25, Some(&data))
}

/// A KRB-ERROR.
pub(super) fn refusal(code: u32, data: Option<&[u8]>) -> Vec<u8> {
    Writer::encode(|w| {
        w.nested(application(30), |w| {
            w.sequence(|w| {
                w.constructed(0, |w| w.small(5));
                w.constructed(1, |w| w.small(30));
                w.constructed(4, |w| w.generalized_time(NOW));
                w.constructed(5, |w| w.small(0));
                w.constructed(6, |w| w.small(code));
                w.constructed(9, |w| text(w, REALM));
                w.constructed(10, |w| Principal::granting(REALM).write(w));
                if let Some(data) = data {
                    w.constructed(12, |w| w.octet_string(data));
                }
            });
        });
    })
}
