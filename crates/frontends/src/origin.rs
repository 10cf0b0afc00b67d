//! Where a request came from: address and request id, for events and limits.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::ConnectInfo;
use domain::access::Rights;
use domain::event::{Actor, ActorKind};
use http::Extensions;
use lifecycle::actor::Caller;
use tower_http::request_id::RequestId;

/// The client's address and the request's id, as the listener noted them.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    pub address: Option<String>,
    pub request_id: Option<String>,
}

/// The certificate that the client of a request holds, in the extensions of the request. The listener
/// vouches that the client has its key; nothing else about it is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    pub der: Arc<[u8]>,
}

/// What binds something to the TLS connection of a request: its exporter for channel bindings (RFC 9266), in
/// the extensions of the request where TLS ends here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TlsExporter(pub [u8; 32]);

impl Origin {
    /// Reads what the layers below noted.
    pub fn of(extensions: &Extensions) -> Self {
        let address = extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map(|ConnectInfo(address)| address.ip().to_canonical().to_string());
        let request_id = extensions
            .get::<RequestId>()
            .and_then(|id| id.header_value().to_str().ok())
            .map(str::to_owned);
        Self {
            address,
            request_id,
        }
    }

    /// A caller of that kind from here, who may do nothing yet.
    pub fn caller(&self, kind: ActorKind, id: &str) -> Caller {
        Caller {
            actor: Actor {
                kind,
                id: id.to_owned(),
                address: self.address.clone(),
            },
            request_id: self.request_id.clone(),
            why: None,
            rights: Rights::none(),
        }
    }
}
