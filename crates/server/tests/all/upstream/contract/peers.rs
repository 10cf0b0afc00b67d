//! The table of CAs elsewhere: what each kind is configured with, what it can do, and what stands in for it.

use std::any::Any;
use std::path::Path;

use serde_json::{Value, json};
use testkit::acme_ca::TestAcmeCa;
use testkit::adcs::FakeAdcs;
use testkit::aws_pca::TestAwsPca;
use testkit::cmp_ca::{SECRET, TestCmpCa};
use testkit::command_ca::TestCommandCa;
use testkit::ejbca::FakeEjbca;
use testkit::est_ca::{PASSWORD, TestEstCa};
use testkit::peer::Peer as Side;
use testkit::scep_ca::{self, TestScepCa};
use testkit::vault::{TOKEN, TestVault};

/// A CA elsewhere.
pub(super) struct Peer {
    pub(super) kind: &'static str,
    pub(super) settings: Value,
    pub(super) secrets: Value,
    /// What may be seen nowhere.
    pub(super) secret: String,
    pub(super) can: Can,
    /// What the test turns.
    pub(super) side: Side,
    /// Ends with it.
    service: Option<Box<dyn Any>>,
}

/// What the kind can do, as `docs/connectors.md` says as well.
#[derive(Clone, Copy)]
pub(super) struct Can {
    pub(super) wait: bool,
    pub(super) revoke: bool,
    /// Whether a request whose answer was lost is known again over there.
    pub(super) remember: bool,
}

const ALL: Can = Can {
    wait: true,
    revoke: true,
    remember: true,
};

const PRIVATE: &str = "a password that nobody may see";

impl Peer {
    pub(super) async fn start(kind: &str, commands: &Path) -> Self {
        match kind {
            "acme" => {
                let ca = TestAcmeCa::start().await;
                Self::of("acme", ALL, ca.peer.clone(), ca.settings(), ("", ""), ca)
            }
            "adcs" => {
                let ca = FakeAdcs::start(PRIVATE).await;
                let can = Can {
                    wait: true,
                    revoke: false,
                    remember: false,
                };
                let secret = ("password", PRIVATE);
                Self::of(
                    "adcs",
                    can,
                    ca.peer.clone(),
                    ca.settings("basic"),
                    secret,
                    ca,
                )
            }
            "aws-pca" => {
                let ca = TestAwsPca::start().await;
                let secret = ("secret_access_key", PRIVATE);
                Self::of("aws-pca", ALL, ca.peer.clone(), ca.settings(), secret, ca)
            }
            "cmp" => {
                let ca = TestCmpCa::start().await;
                let secret = ("shared_secret", SECRET);
                Self::of("cmp", ALL, ca.peer.clone(), ca.settings(), secret, ca)
            }
            "command" => {
                let ca = TestCommandCa::start(commands).await;
                let secret = ("password", PRIVATE);
                Self::of("command", ALL, ca.peer.clone(), ca.settings(), secret, ca)
            }
            "ejbca" => {
                let ca = FakeEjbca::start().await;
                let key = ca.client_key.clone();
                let secret = ("client_key", key.as_str());
                Self::of("ejbca", ALL, ca.peer.clone(), ca.settings(), secret, ca)
            }
            "est" => {
                let ca = TestEstCa::start().await;
                let can = Can {
                    revoke: false,
                    ..ALL
                };
                let secret = ("password", PASSWORD);
                Self::of("est", can, ca.peer.clone(), ca.settings(), secret, ca)
            }
            "scep" => {
                let ca = TestScepCa::start().await;
                let can = Can {
                    revoke: false,
                    ..ALL
                };
                let secret = ("challenge_password", scep_ca::PASSWORD);
                Self::of("scep", can, ca.peer.clone(), ca.settings(), secret, ca)
            }
            "vault" => {
                let ca = TestVault::start().await;
                let can = Can {
                    wait: false,
                    revoke: true,
                    remember: false,
                };
                let settings = json!({ "url": ca.url(), "role": "web" });
                Self::of(
                    "vault",
                    can,
                    ca.peer.clone(),
                    settings,
                    ("token", TOKEN),
                    ca,
                )
            }
            other => panic!("nothing stands in for {other}"),
        }
    }

    fn of(
        kind: &'static str,
        can: Can,
        side: Side,
        settings: Value,
        (name, secret): (&str, &str),
        service: impl Any,
    ) -> Self {
        let secrets = match name {
            "" => json!({}),
            name => json!({ name: secret }),
        };
        Self {
            kind,
            settings,
            secrets,
            secret: secret.to_owned(),
            can,
            side,
            service: Some(Box::new(service)),
        }
    }

    /// From now on nobody listens there.
    pub(super) fn is_gone(&mut self) {
        self.service = None;
    }
}
