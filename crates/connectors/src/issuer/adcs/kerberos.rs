//! HTTP Negotiate with Kerberos (RFC 4559): every request shows the ticket anew, and what answers has to
//! prove that it is the server that the ticket is for.

use std::sync::Arc;

use domain::clock::Clock;
use domain::issuer::{AdcsConfig, ConnectError, IssueError};
use http::StatusCode;
use pki::random::Random;
use url::Url;

use super::super::environment::Environment;
use crate::net::address::ServerAddress;
use crate::net::kerberos::{KerberosClient, KerberosUser, Negotiation, PORT, Ticket};

/// Whom to ask for tickets, and for which service.
pub(super) struct Kerberos {
    kdcs: Vec<ServerAddress>,
    service: String,
}

/// A ticket that can be shown on one connection.
pub(super) struct Tickets {
    ticket: Ticket,
    service: String,
    channel: Option<[u8; 16]>,
    /// Whether the server at the other end of this connection has proven who it is.
    is_proven: bool,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl Kerberos {
    pub(super) fn new(config: &AdcsConfig, base: &Url) -> Result<Self, ConnectError> {
        let read = |text: &String| {
            ServerAddress::parse(text, PORT).ok_or_else(|| {
                ConnectError::Settings(format!("`kdc`: {text} is not host or host:port"))
            })
        };
        let service = match &config.service_principal {
            Some(named) => named.clone(),
            None => format!("HTTP/{}", base.host_str().unwrap_or_default()),
        };
        Ok(Self {
            kdcs: config.kdc.iter().map(read).collect::<Result<_, _>>()?,
            service,
        })
    }

    /// A ticket for the pages. Nothing was asked of the CA yet.
    pub(super) async fn tickets(
        &self,
        config: &AdcsConfig,
        password: &str,
        channel: Option<[u8; 16]>,
        environment: &Environment,
    ) -> Result<Tickets, IssueError> {
        let client = KerberosClient {
            dialer: &environment.dialer,
            clock: &*environment.clock,
            random: &*environment.random,
            kdcs: &self.kdcs,
        };
        // Realms are written in capitals by all that matter here, and case counts.
        let realm = config.domain.as_deref().unwrap_or_default().to_uppercase();
        let user = KerberosUser {
            name: &config.username,
            realm: &realm,
            password,
        };
        let ticket = client.ticket(user, &self.service).await;
        Ok(Tickets {
            ticket: ticket.map_err(|error| IssueError::NotReached(error.to_string()))?,
            service: self.service.clone(),
            channel,
            is_proven: false,
            clock: Arc::clone(&environment.clock),
            random: Arc::clone(&environment.random),
        })
    }
}

impl Tickets {
    /// The token of one request.
    pub(super) fn show(&self) -> Result<(Vec<u8>, Negotiation), IssueError> {
        let (now, random) = (self.clock.now(), &*self.random);
        let begun = Negotiation::begin(&self.ticket, &self.service, self.channel, now, random);
        let (negotiation, token) =
            begun.map_err(|error| IssueError::NotReached(error.to_string()))?;
        Ok((token, negotiation))
    }

    /// Whether the server let us in, and is the one it should be. What the page says is for others to judge.
    pub(super) fn judge(
        &mut self,
        shown: &Negotiation,
        status: StatusCode,
        token: Option<&[u8]>,
    ) -> Result<(), IssueError> {
        match status {
            StatusCode::UNAUTHORIZED => {
                let why = shown.refused(&self.ticket, token, self.clock.now());
                Err(IssueError::NotReached(why.to_string()))
            }
            // A server that knows connections says it once; the connection is the same.
            _ if self.is_proven && token.is_none() => Ok(()),
            status if status.is_success() => {
                let proven = shown.finish(&self.ticket, token);
                self.is_proven = proven.is_ok();
                // Whoever it was has the request.
                proven.map_err(|error| IssueError::Unavailable(error.to_string()))
            }
            _ => Ok(()),
        }
    }
}
