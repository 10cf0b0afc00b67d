//! What everything has in common that stands in for a CA elsewhere: a CA, a count of what it signed, and
//! faults that a test turns on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::ca::TestCa;
use crate::service::{Asked, Handler, Told};

/// How the other side misbehaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    #[default]
    None,
    /// Too many requests, in its own words.
    Throttled,
    /// An error of its own without a word about it.
    Broken,
    /// A page for people, as a proxy in between gives it.
    Html,
    /// An answer that ends in the middle.
    Half,
    /// Says nothing until the fault is over.
    Silent,
    /// What we show no longer lets us in.
    Locked,
    /// It says no, and why.
    Refusing,
    /// Somebody over there has to decide first.
    Waiting,
    /// The certificate is for another key.
    WrongKey,
    /// The certificate is for another name.
    WrongNames,
    /// The certificate has ended already.
    Expired,
    /// The certificate is signed by somebody else than it says.
    BrokenChain,
    /// The certificate is good for clients, too.
    MorePurposes,
    /// The certificate lives for ten years.
    TooLong,
}

/// Why a CA refuses, whatever it speaks.
pub const SAYS_NO: &str = "the policy over there says no";

/// The CA behind an interface; clones are one.
#[derive(Clone)]
pub struct Peer(Arc<Inner>);

struct Inner {
    ca: TestCa,
    fault: watch::Sender<Fault>,
    has_spoken: watch::Sender<bool>,
    loses_next: AtomicBool,
    holds_next: AtomicBool,
    lets_go: watch::Sender<bool>,
    signed: AtomicUsize,
    asked: Mutex<Vec<String>>,
}

impl Peer {
    /// A CA of that common name.
    pub fn new(name: &str) -> Self {
        Self(Arc::new(Inner {
            ca: TestCa::new(name),
            fault: watch::Sender::new(Fault::None),
            has_spoken: watch::Sender::new(true),
            loses_next: AtomicBool::new(false),
            holds_next: AtomicBool::new(false),
            lets_go: watch::Sender::new(false),
            signed: AtomicUsize::new(0),
            asked: Mutex::default(),
        }))
    }

    /// From now on it behaves so.
    pub fn fails(&self, fault: Fault) {
        self.0.fault.send_replace(fault);
        self.0.has_spoken.send_replace(fault != Fault::Silent);
    }

    /// How it behaves.
    pub fn fault(&self) -> Fault {
        *self.0.fault.borrow()
    }

    /// The next answer that tells of a signature is lost on its way.
    pub fn loses_next_answer(&self) {
        self.0.loses_next.store(true, Ordering::SeqCst);
    }

    /// The next answer that tells of a signature comes only when it is let go.
    pub fn holds_next_answer(&self) {
        self.0.lets_go.send_replace(false);
        self.0.holds_next.store(true, Ordering::SeqCst);
    }

    /// What was held comes now.
    pub fn lets_answer_go(&self) {
        self.0.lets_go.send_replace(true);
    }

    /// The CA's key and certificate.
    pub fn ca(&self) -> &TestCa {
        &self.0.ca
    }

    /// Signs what a CSR asks for, as well as the fault lets it.
    pub fn sign(&self, csr: &[u8]) -> Vec<u8> {
        self.0.signed.fetch_add(1, Ordering::SeqCst);
        self.0.ca.answer(self.fault(), csr)
    }

    /// The same for a CSR that somebody vouches for whose key it is not about.
    pub fn sign_vouched(&self, csr: &[u8]) -> Vec<u8> {
        self.0.signed.fetch_add(1, Ordering::SeqCst);
        self.0.ca.answer_vouched(self.fault(), csr)
    }

    /// How many requests were signed.
    pub fn signed(&self) -> usize {
        self.0.signed.load(Ordering::SeqCst)
    }

    /// Method and path of every request, without the query.
    pub fn asked(&self) -> Vec<String> {
        self.0.asked.lock().clone()
    }

    /// What answers as `vendor` does, but for faults that need no words of its own.
    pub fn handler(&self, vendor: impl Fn(&Asked) -> Told + Send + Sync + 'static) -> Handler {
        let peer = self.clone();
        Arc::new(move |asked| {
            let path = asked.path.split('?').next().unwrap_or_default();
            let line = format!("{} {path}", asked.method);
            peer.0.asked.lock().push(line);
            if let Some(told) = peer.misbehaves() {
                return told;
            }
            let before = peer.signed();
            let told = vendor(&asked);
            if peer.signed() == before {
                return told;
            }
            if peer.0.holds_next.swap(false, Ordering::SeqCst) {
                return told.late(peer.0.lets_go.subscribe());
            }
            match peer.0.loses_next.swap(false, Ordering::SeqCst) {
                true => Told::lost(),
                false => told,
            }
        })
    }

    /// The same of a CA that keeps something: it answers one question after the other.
    pub fn keeping<S: Send + 'static>(
        &self,
        state: &Arc<Mutex<S>>,
        vendor: fn(&Self, &mut S, &Asked) -> Told,
    ) -> Handler {
        let (state, peer) = (Arc::clone(state), self.clone());
        self.handler(move |asked| vendor(&peer, &mut state.lock(), asked))
    }

    fn misbehaves(&self) -> Option<Told> {
        match self.fault() {
            Fault::Broken => Some(Told::new(500, "text/plain", "")),
            Fault::Html => Some(Told::new(200, "text/html", "<html>Sign in here</html>")),
            Fault::Half => Some(Told::new(
                200,
                "application/octet-stream",
                "{\"certificate\": \"-----BEGIN CERT",
            )),
            Fault::Silent => Some(Told::held(self.0.has_spoken.subscribe())),
            _ => None,
        }
    }
}
