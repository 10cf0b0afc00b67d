//! A web server on loopback that holds http-01 responses.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

type Responses = Arc<Mutex<HashMap<String, String>>>;

/// The other end of http-01.
#[derive(Clone)]
pub struct TestWeb {
    pub address: SocketAddr,
    responses: Responses,
    _task: Arc<AbortOnDrop>,
}

struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl TestWeb {
    /// Binds a free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let responses = Responses::default();
        let router = Router::new()
            .route("/.well-known/acme-challenge/{token}", get(respond))
            .with_state(Arc::clone(&responses));
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Self {
            address,
            responses,
            _task: Arc::new(AbortOnDrop(task)),
        }
    }

    /// Puts a response in place.
    pub fn put(&self, token: &str, key_authorization: &str) {
        self.responses
            .lock()
            .insert(token.to_owned(), key_authorization.to_owned());
    }

    /// Takes every response away.
    pub fn clear(&self) {
        self.responses.lock().clear();
    }
}

async fn respond(State(responses): State<Responses>, Path(token): Path<String>) -> Response {
    match responses.lock().get(&token) {
        Some(text) => text.clone().into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
