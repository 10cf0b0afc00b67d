//! dns-01 by dynamic updates (RFC 2136) over TCP, signed with TSIG (RFC 8945): BIND, Knot, NSD's
//! primaries, Windows DNS, and whatever else takes them.

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::clock::Clock;
use domain::issuer::dns::TsigAlgorithm;
use domain::issuer::response::ProofPlace;
use hickory_proto::op::{Message, Query, ResponseCode, update_message};
use hickory_proto::rr::rdata::TXT;
use hickory_proto::rr::rdata::tsig::{TsigAlgorithm as WireAlgorithm, TsigError};
use hickory_proto::rr::{Name, RData, Record, RecordSet, RecordType, TSigVerifier, TSigner};

use super::{ChallengeSolver, Proof, SolveError, SolverPorts, TTL_SECONDS};
use crate::net::Dialer;
use crate::net::dns_message::NameServer;
use crate::net::excerpt;

/// How far the clocks of both sides may be apart, as RFC 8945 section 10 recommends.
const FUDGE_SECONDS: u16 = 300;

struct Rfc2136 {
    server: NameServer,
    zone: Option<Name>,
    signer: TSigner,
    dialer: Dialer,
    clock: Arc<dyn Clock>,
}

pub(super) fn open(
    server: &str,
    zone: Option<&str>,
    (key_name, algorithm): (&str, TsigAlgorithm),
    ports: &SolverPorts,
) -> Result<Arc<dyn ChallengeSolver>, String> {
    let server = NameServer::parse(server)
        .ok_or("`server` is no name server; write address:port or host:port")?;
    Ok(Arc::new(Rfc2136 {
        server,
        zone: zone.map(name).transpose()?,
        signer: signer(key_name, algorithm, ports.secret("tsig_secret")?)?,
        dialer: ports.environment.dialer.clone(),
        clock: Arc::clone(&ports.environment.clock),
    }))
}

fn signer(key_name: &str, algorithm: TsigAlgorithm, secret: &str) -> Result<TSigner, String> {
    let key = STANDARD
        .decode(secret)
        .map_err(|_| "the secret `tsig_secret` is not base64")?;
    let algorithm = match algorithm {
        TsigAlgorithm::HmacSha256 => WireAlgorithm::HmacSha256,
        TsigAlgorithm::HmacSha384 => WireAlgorithm::HmacSha384,
        TsigAlgorithm::HmacSha512 => WireAlgorithm::HmacSha512,
    };
    TSigner::new(key, algorithm, name(key_name)?, FUDGE_SECONDS)
        .map_err(|error| format!("the TSIG key cannot be used: {error}"))
}

fn name(text: &str) -> Result<Name, String> {
    let absolute = format!("{}.", text.trim_end_matches('.'));
    Name::from_ascii(&absolute)
        .map_err(|_| format!("`{}` is no DNS name", excerpt(text.as_bytes())))
}

#[async_trait]
impl ChallengeSolver for Rfc2136 {
    fn place(&self) -> ProofPlace {
        ProofPlace::Dns01
    }

    async fn put(&self, proof: &Proof) -> Result<(), SolveError> {
        let record = record(proof)?;
        let zone = self.zone_of(&record.name).await?;
        // RFC 2136 section 3.4.2.2: a record that is there already is silently left alone.
        let set = RecordSet::from(record);
        self.update(update_message::append(set, zone, false, false))
            .await
    }

    async fn remove(&self, proof: &Proof) -> Result<(), SolveError> {
        let record = record(proof)?;
        let zone = self.zone_of(&record.name).await?;
        let set = RecordSet::from(record);
        self.update(update_message::delete_by_rdata(set, zone, false))
            .await
    }

    async fn check(&self) -> Result<String, SolveError> {
        let Some(zone) = self.zone.clone() else {
            let mut message = Message::query();
            message.add_query(question(Name::root(), RecordType::SOA));
            self.exchange(&encode(&message)?).await?;
            return Ok(format!(
                "{} answers; name the `zone` to have the key looked at, too",
                self.server
            ));
        };
        // An update of nothing: the key is looked at, and the zone, and nothing is changed.
        let mut message = Message::query();
        message.metadata.op_code = hickory_proto::op::OpCode::Update;
        message.metadata.recursion_desired = false;
        message.add_query(question(zone.clone(), RecordType::SOA));
        self.update(message).await?;
        Ok(format!(
            "{} takes updates of the zone {}",
            self.server,
            zone.to_ascii()
        ))
    }
}

impl Rfc2136 {
    /// The zone a record belongs to: the one that was configured, or whose SOA the server answers with.
    async fn zone_of(&self, owner: &Name) -> Result<Name, SolveError> {
        let zone = match &self.zone {
            Some(zone) => zone.clone(),
            None => self.ask_for_zone(owner).await?,
        };
        match zone.zone_of(owner) {
            true => Ok(zone),
            false => Err(SolveError::Refused(format!(
                "{} is not in the zone {}",
                owner.to_ascii(),
                zone.to_ascii()
            ))),
        }
    }

    async fn ask_for_zone(&self, owner: &Name) -> Result<Name, SolveError> {
        let mut message = Message::query();
        message.metadata.recursion_desired = false;
        message.add_query(question(owner.clone(), RecordType::SOA));
        let octets = self.exchange(&encode(&message)?).await?;
        let answer = Message::from_vec(&octets).map_err(|_| self.nonsense())?;
        let records = answer.answers.iter().chain(&answer.authorities);
        let soa = records
            .into_iter()
            .find(|record| record.record_type() == RecordType::SOA);
        soa.map(|record| record.name.clone()).ok_or_else(|| {
            SolveError::Refused(format!(
                "{} does not say which zone {} belongs to ({}); name it as `zone`",
                self.server,
                owner.to_ascii(),
                answer.metadata.response_code
            ))
        })
    }

    async fn update(&self, mut message: Message) -> Result<(), SolveError> {
        let now = u64::try_from(self.clock.now().seconds()).unwrap_or_default();
        let verifier = message
            .finalize(&self.signer, now)
            .map_err(|error| SolveError::Refused(error.to_string()))?;
        let octets = self.exchange(&encode(&message)?).await?;
        let answer = Message::from_vec(&octets).map_err(|_| self.nonsense())?;
        if answer.metadata.id != message.metadata.id {
            return Err(self.nonsense());
        }
        self.judge(&answer)?;
        self.verify(verifier, &octets)
    }

    fn judge(&self, answer: &Message) -> Result<(), SolveError> {
        let server = &self.server;
        let code = answer.metadata.response_code;
        let signature = answer.signature().and_then(|record| record.data.error);
        let hint = match code {
            ResponseCode::NoError => return Ok(()),
            ResponseCode::ServFail => {
                return Err(SolveError::Unavailable(format!(
                    "{server} answered SERVFAIL"
                )));
            }
            // RFC 8945 section 5.2: what is wrong with the signature stands beside it.
            _ if signature == Some(TsigError::BadTime) => {
                "its clock and ours are more than five minutes apart"
            }
            ResponseCode::NotAuth => {
                "it does not know the zone, or the TSIG key by this name, algorithm and octets"
            }
            ResponseCode::Refused => "its update policy does not let this key change the record",
            _ => "it does not take this update",
        };
        Err(SolveError::Refused(format!(
            "{server} refused the update ({code}): {hint}"
        )))
    }

    /// An answer that the server did not sign says nothing (RFC 8945 section 5.3).
    fn verify(&self, verifier: Option<TSigVerifier>, octets: &[u8]) -> Result<(), SolveError> {
        let Some(mut verifier) = verifier else {
            return Ok(());
        };
        verifier.verify(octets).map(drop).map_err(|_| {
            SolveError::Unavailable(format!(
                "the answer of {} is not signed with the TSIG key",
                self.server
            ))
        })
    }

    async fn exchange(&self, message: &[u8]) -> Result<Vec<u8>, SolveError> {
        self.server
            .exchange(&self.dialer, message)
            .await
            .map_err(|error| SolveError::Unavailable(error.to_string()))
    }

    fn nonsense(&self) -> SolveError {
        SolveError::Unavailable(format!("{} does not answer in DNS", self.server))
    }
}

fn record(proof: &Proof) -> Result<Record, SolveError> {
    let owner = name(&proof.name).map_err(SolveError::Refused)?;
    let data = RData::TXT(TXT::new(vec![proof.value.clone()]));
    Ok(Record::from_rdata(owner, TTL_SECONDS, data))
}

fn question(name: Name, kind: RecordType) -> Query {
    Query::query(name, kind)
}

fn encode(message: &Message) -> Result<Vec<u8>, SolveError> {
    message
        .to_vec()
        .map_err(|error| SolveError::Refused(error.to_string()))
}
