//! From a user name and a password to a ticket for a service: AS and TGS exchange, RFC 4120 section 3.

use std::time::Duration;

use domain::clock::Clock;
use pki::random::Random;
use zeroize::Zeroizing;

use super::error::{By, Concerning, KerberosError};
use super::kdc::Kdcs;
use super::key::{Key, Usage, WrongKey};
use super::reply::{Asked, Grant, Opened, Refusal, Reply, Stretching};
use super::request::{Wanted, proof};
use super::ticket::{Moment, Ticket};
use super::wire::Principal;
use crate::net::Dialer;
use crate::net::address::ServerAddress;

/// For everything until there is a ticket.
const DEADLINE: Duration = Duration::from_secs(30);
/// Realms between that of the user and that of the service.
const MAX_REALMS: usize = 5;
const PREAUTHENTICATION_REQUIRED: i64 = 25;

/// What it takes to ask for tickets.
pub struct KerberosClient<'a> {
    pub dialer: &'a Dialer,
    pub clock: &'a dyn Clock,
    pub random: &'a dyn Random,
    /// Of the user's realm; empty to go by DNS, as it is always done for other realms.
    pub kdcs: &'a [ServerAddress],
}

/// Who asks.
#[derive(Clone, Copy)]
pub struct KerberosUser<'a> {
    pub name: &'a str,
    pub realm: &'a str,
    pub password: &'a str,
}

/// One user's way to a ticket for one service.
struct Asking<'a> {
    client: &'a KerberosClient<'a>,
    user: KerberosUser<'a>,
    principal: Principal,
    service: Principal,
}

impl KerberosClient<'_> {
    /// A ticket of the user for a service, as `HTTP/ca.example.org`.
    pub async fn ticket(
        &self,
        user: KerberosUser<'_>,
        service: &str,
    ) -> Result<Ticket, KerberosError> {
        let asking = Asking {
            client: self,
            user,
            principal: Principal::user(user.name),
            service: Principal::service(service),
        };
        match tokio::time::timeout(DEADLINE, asking.ticket()).await {
            Ok(ticket) => ticket,
            Err(_) => Err(KerberosError::Slow {
                realm: user.realm.to_owned(),
                seconds: DEADLINE.as_secs(),
            }),
        }
    }
}

impl Asking<'_> {
    async fn ticket(&self) -> Result<Ticket, KerberosError> {
        let dialer = self.client.dialer;
        let mut kdcs = Kdcs::of(self.user.realm, self.client.kdcs, dialer).await?;
        let mut granting = self.granting_ticket(&mut kdcs).await?;
        for _ in 0..MAX_REALMS {
            let (ticket, service) = self.service_ticket(&mut kdcs, &granting).await?;
            if service.is(&self.service) {
                return Ok(ticket);
            }
            // The service is of another realm: there it is asked for next (RFC 6806 section 8).
            let realm = service.granted_realm().ok_or(KerberosError::Misplaced)?;
            kdcs = Kdcs::of(realm, &[], dialer).await?;
            granting = ticket;
        }
        Err(KerberosError::Service {
            service: self.service.to_string(),
        })
    }

    /// The AS exchange, RFC 4120 section 3.1.
    async fn granting_ticket(&self, kdcs: &mut Kdcs) -> Result<Ticket, KerberosError> {
        let realm = self.user.realm;
        let wanted = Wanted {
            user: &self.principal,
            realm,
            service: &Principal::granting(realm),
            nonce: self.nonce(),
        };
        let (grant, key) = self.let_in(kdcs, &wanted).await?;
        if grant.realm != realm {
            return Err(KerberosError::Realm {
                realm: realm.to_owned(),
                served: crate::net::excerpt(grant.realm.as_bytes()),
            });
        }
        if grant.part.kind() != Some(key.kind()) {
            return Err(KerberosError::NoStrongKey);
        }
        let opened = grant.part.open(&key, Usage::FirstReply);
        let opened = opened.map_err(|WrongKey| KerberosError::Password {
            user: self.user.name.to_owned(),
        })?;
        let opened = Opened::read(&opened)?;
        let is_ours = grant.user.is(&self.principal) && opened.service.is(wanted.service);
        if !is_ours || !wanted.is_answered_by(&opened) {
            return Err(KerberosError::Misplaced);
        }
        self.made(grant.user, grant.ticket, opened)
    }

    /// What a KDC grants to the user, and the key that it is readable with.
    async fn let_in(
        &self,
        kdcs: &mut Kdcs,
        wanted: &Wanted<'_>,
    ) -> Result<(Grant, Key), KerberosError> {
        let request = wanted.first_request(None);
        match self.ask(kdcs, &request, Asked::First).await? {
            Reply::Granted(grant) => {
                let key = self.key_of_grant(&grant).await?;
                Ok((grant, key))
            }
            Reply::Refused(refusal) if refusal.code == PREAUTHENTICATION_REQUIRED => {
                let key = self.key(&refusal.stretching()?).await?;
                let proof = proof(&key, &self.moment())?;
                let request = wanted.first_request(Some(&proof));
                match self.ask(kdcs, &request, Asked::First).await? {
                    Reply::Granted(grant) => Ok((grant, key)),
                    Reply::Refused(refusal) => Err(self.refused(&refusal)),
                }
            }
            Reply::Refused(refusal) => Err(self.refused(&refusal)),
        }
    }

    /// The TGS exchange, RFC 4120 section 3.3: a ticket, and whom it is for.
    async fn service_ticket(
        &self,
        kdcs: &mut Kdcs,
        granting: &Ticket,
    ) -> Result<(Ticket, Principal), KerberosError> {
        let realm = kdcs.realm().to_owned();
        let wanted = Wanted {
            user: &self.principal,
            realm: &realm,
            service: &self.service,
            nonce: self.nonce(),
        };
        let request = wanted.ticket_request(granting, &self.moment())?;
        let grant = match self.ask(kdcs, &request, Asked::Ticket).await? {
            Reply::Granted(grant) => grant,
            Reply::Refused(refusal) => return Err(self.refused(&refusal)),
        };
        let opened = grant.part.open(granting.key(), Usage::TicketReply)?;
        let opened = Opened::read(&opened)?;
        if !wanted.is_answered_by(&opened) {
            return Err(KerberosError::Misplaced);
        }
        let service = opened.service.clone();
        let ticket = self.made(granting.user.clone(), grant.ticket, opened)?;
        Ok((ticket, service))
    }

    async fn ask(
        &self,
        kdcs: &mut Kdcs,
        request: &[u8],
        asked: Asked,
    ) -> Result<Reply, KerberosError> {
        let answer = kdcs.ask(self.client.dialer, request).await?;
        Ok(Reply::read(&answer, asked)?)
    }

    fn made(
        &self,
        user: Principal,
        octets: Vec<u8>,
        opened: Opened,
    ) -> Result<Ticket, KerberosError> {
        Ok(Ticket {
            user,
            realm: self.user.realm.to_owned(),
            octets,
            session_key: opened.key.ok_or(KerberosError::NoStrongKey)?,
            until: opened.until,
            is_forwardable: opened.is_forwardable,
        })
    }

    /// The key of an answer to somebody who had to prove nothing.
    async fn key_of_grant(&self, grant: &Grant) -> Result<Key, KerberosError> {
        let kind = grant.part.kind().ok_or(KerberosError::NoStrongKey)?;
        let told = grant.stretching.iter().find(|told| told.kind == kind);
        let otherwise = Stretching {
            kind,
            salt: None,
            iterations: None,
        };
        self.key(&[told.cloned().unwrap_or(otherwise)]).await
    }

    /// The password's key in the first of the ways that the KDC offers.
    async fn key(&self, offered: &[Stretching]) -> Result<Key, KerberosError> {
        let Stretching {
            kind,
            salt,
            iterations,
        } = offered.first().cloned().ok_or(KerberosError::NoStrongKey)?;
        let often = kind.iterations(iterations);
        let often = often.ok_or_else(|| KerberosError::Stretching {
            iterations: iterations.unwrap_or_default(),
        })?;
        let salt = salt.unwrap_or_else(|| self.principal.salt(self.user.realm).into_bytes());
        let password = Zeroizing::new(self.user.password.to_owned());
        // As long as it takes to stretch a password, others shall not have to wait.
        let made = tokio::task::spawn_blocking(move || {
            Key::of_password(kind, password.as_bytes(), &salt, often)
        });
        Ok(made.await.map_err(|_| WrongKey)??)
    }

    fn refused(&self, refusal: &Refusal) -> KerberosError {
        let service = self.service.to_string();
        let concerning = Concerning {
            user: self.user.name,
            realm: self.user.realm,
            service: &service,
            now: self.client.clock.now(),
        };
        concerning.error(By::Kdc, refusal)
    }

    fn moment(&self) -> Moment {
        Moment::new(self.client.clock.now(), self.client.random)
    }

    fn nonce(&self) -> u32 {
        // Not all implementations take more than 31 bits (RFC 4120 section 5.4.1).
        u32::from_be_bytes(self.client.random.octets()) & 0x7fff_ffff
    }
}
