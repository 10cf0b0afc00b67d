//! A web server on loopback that takes webhooks, and answers them as the test says.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What was posted.
#[derive(Clone, Debug)]
pub struct Post {
    pub path: String,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Post {
    /// A header's value; names are in lower case.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let mut found = self.headers.iter().filter(|(known, _)| known == name);
        &found.next().unwrap().1
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// How a post is answered.
#[derive(Clone, Debug)]
pub enum Reply {
    Status(u16),
    /// These octets, whatever they are, then the end.
    Octets(Vec<u8>),
    /// Nothing, for as long as the test lives.
    Silence,
    /// A head, and a body without an end.
    Endless,
}

#[derive(Default)]
struct Shared {
    posts: Vec<Post>,
    replies: VecDeque<Reply>,
    otherwise: Option<Reply>,
}

/// The other end of webhooks.
#[derive(Clone)]
pub struct Receiver {
    pub address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
    _task: Arc<AbortOnDrop>,
}

struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Receiver {
    /// Binds a free port; answers 200 to everything.
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::<Mutex<Shared>>::default();
        let state = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, Arc::clone(&state)));
            }
        });
        Self {
            address,
            shared,
            _task: Arc::new(AbortOnDrop(task)),
        }
    }

    /// Where to post.
    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// Answers the next post so.
    pub fn reply(&self, reply: Reply) {
        self.shared.lock().replies.push_back(reply);
    }

    /// Answers so whatever comes, from now on.
    pub fn always(&self, reply: Reply) {
        self.shared.lock().otherwise = Some(reply);
    }

    /// Everything that was posted, in its order.
    pub fn posts(&self) -> Vec<Post> {
        self.shared.lock().posts.clone()
    }

    /// The names of the events that were posted, in their order.
    pub fn names(&self) -> Vec<String> {
        self.posts()
            .iter()
            .map(|post| post.header("certwright-event").to_owned())
            .collect()
    }
}

async fn answer(mut stream: TcpStream, shared: Arc<Mutex<Shared>>) -> Option<()> {
    let post = read(&mut stream).await?;
    let reply = {
        let mut shared = shared.lock();
        shared.posts.push(post);
        let next = shared.replies.pop_front();
        next.or_else(|| shared.otherwise.clone())
            .unwrap_or(Reply::Status(200))
    };
    match reply {
        Reply::Status(status) => {
            let text = format!("HTTP/1.1 {status} So\r\nContent-Length: 0\r\n\r\n");
            stream.write_all(text.as_bytes()).await.ok()?;
        }
        Reply::Octets(octets) => stream.write_all(&octets).await.ok()?,
        Reply::Silence => tokio::time::sleep(Duration::from_secs(600)).await,
        Reply::Endless => {
            let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
            stream.write_all(head).await.ok()?;
            loop {
                stream.write_all(b"5\r\nxxxxx\r\n").await.ok()?;
            }
        }
    }
    stream.shutdown().await.ok()
}

async fn read(stream: &mut TcpStream) -> Option<Post> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let mut lines = head.lines();
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length = headers
        .iter()
        .find(|(name, _)| name == "content-length")
        .and_then(|(_, value)| value.parse().ok())?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Post {
        path,
        headers,
        body,
    })
}
