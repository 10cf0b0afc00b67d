//! Accepts connections as long as there is room, and drains them at the end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Serving;
use super::connection::Connections;

/// The pause after an accept that failed for want of a resource, so that the loop does not spin.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) async fn run(socket: TcpListener, serving: Serving) {
    let shutdown = serving.shutdown.clone();
    let grace = serving.limits.grace;
    let room = Arc::new(Semaphore::new(serving.limits.max_connections));
    let connections = Arc::new(Connections::new(serving));
    let tasks = TaskTracker::new();
    let cut = CancellationToken::new();
    // Who drops this loop instead of shutting it down leaves no connection behind.
    let _guard = cut.clone().drop_guard();
    while let Some(Some((stream, peer, permit))) =
        shutdown.run_until_cancelled(next(&socket, &room)).await
    {
        let connections = Arc::clone(&connections);
        let cut = cut.clone();
        tasks.spawn(async move {
            cut.run_until_cancelled(connections.serve(stream, peer))
                .await;
            drop(permit);
        });
    }
    drop(socket);
    drain(&tasks, &cut, grace).await;
}

/// The next connection, once there is room for it. `None` is impossible in practice: the semaphore
/// is never closed.
async fn next(
    socket: &TcpListener,
    room: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = Arc::clone(room).acquire_owned().await.ok()?;
    loop {
        match socket.accept().await {
            Ok((stream, peer)) => return Some((stream, peer, permit)),
            // The client gave up while it waited in the queue.
            Err(error) if is_clients(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

fn is_clients(error: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::ConnectionRefused
    )
}

async fn drain(tasks: &TaskTracker, cut: &CancellationToken, grace: Duration) {
    tasks.close();
    if tokio::time::timeout(grace, tasks.wait()).await.is_err() {
        let connections = tasks.len();
        tracing::warn!(connections, "cutting connections that outlast the grace");
        cut.cancel();
        tasks.wait().await;
    }
}
