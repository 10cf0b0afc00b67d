//! One of each noun that a team can own, made for the team that is asked for.

use std::sync::atomic::{AtomicUsize, Ordering};

use domain::access::Principal;
use domain::acme::account::{Account, AccountStatus};
use domain::acme::directory::DirectorySpec;
use domain::acme::eab::EabUsage;
use domain::acme::order::Order;
use domain::enrollment::{Enrollment, EnrollmentState};
use domain::id::{AccountId, EnrollmentId, OrderId, TeamId};
use domain::identifier::Identifier;
use domain::profile::preset;
use lifecycle::access::NewToken;
use lifecycle::acme::eab_keys::NewEabKey;
use lifecycle::actor::Caller;
use lifecycle::issuance::{KeySource, Submission};
use lifecycle::operator::Expected;
use pki::key::KeyAlgorithm;
use pki::name::DistinguishedName;
use pki::random::SystemRandom;
use store::StoreError;
use testkit::TestServer;

use super::grant;

/// The nouns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Object {
    Account,
    Certificate,
    Directory,
    EabKey,
    Enrollment,
    Grant,
    /// An enrollment whose key was made on the server.
    HeldKey,
    Order,
    /// An enrollment that is not issued yet.
    Pending,
    Profile,
    Team,
    Token,
}

/// Makes objects, each with what a path names it by.
pub(super) struct Maker<'a> {
    pub(super) server: &'a TestServer,
    pub(super) csr: Vec<u8>,
    made: AtomicUsize,
}

impl<'a> Maker<'a> {
    pub(super) fn new(server: &'a TestServer, csr: Vec<u8>) -> Self {
        Self {
            server,
            csr,
            made: AtomicUsize::new(0),
        }
    }

    /// A number that no other object has.
    pub(super) fn number(&self) -> usize {
        self.made.fetch_add(1, Ordering::Relaxed)
    }

    /// One for that team.
    pub(super) async fn make(&self, object: Object, team: &str) -> String {
        match object {
            Object::Account => self.account(team).await,
            Object::Certificate => self.issued(team, true).await,
            Object::Directory => self.directory(team).await,
            Object::EabKey => self.eab_key(team).await,
            Object::Enrollment => self.issued(team, false).await,
            Object::Grant => self.token_and_grant(team).await.1,
            Object::HeldKey => self.held_key(team).await,
            Object::Order => self.order(team).await,
            Object::Pending => self.pending(team).await,
            Object::Profile => self.profile(team).await,
            Object::Team => team.to_owned(),
            Object::Token => self.token_and_grant(team).await.0,
        }
    }

    async fn team(&self, name: &str) -> Option<TeamId> {
        let team = self.server.lifecycle().team(name).await.unwrap();
        Some(team.unwrap().id)
    }

    async fn issued(&self, team: &str, certificate: bool) -> String {
        let key = KeySource::Csr(self.csr.clone());
        let enrollment = self.submit(team, key, Vec::new()).await;
        match enrollment.state {
            EnrollmentState::Issued { certificate: id } if certificate => id.to_string(),
            EnrollmentState::Issued { .. } => enrollment.id.to_string(),
            state => panic!("{state:?}"),
        }
    }

    async fn held_key(&self, team: &str) -> String {
        let key = KeySource::Server {
            algorithm: KeyAlgorithm::EcP256,
            subject: DistinguishedName::empty(),
        };
        let names = vec![Identifier::parse("dns", "key.example.org").unwrap()];
        self.submit(team, key, names).await.id.to_string()
    }

    async fn submit(&self, team: &str, key: KeySource, names: Vec<Identifier>) -> Enrollment {
        let submission = Submission {
            team: self.team(team).await,
            ..Submission::new("default".to_owned(), key, names)
        };
        let lifecycle = self.server.lifecycle();
        let caller = Caller::system();
        lifecycle.submit(submission, &caller).await.unwrap()
    }

    async fn pending(&self, team: &str) -> String {
        let key = KeySource::Csr(self.csr.clone());
        let enrollment = Enrollment {
            id: EnrollmentId::mint(self.server.lifecycle().now(), &SystemRandom::new()),
            state: EnrollmentState::Approved {
                attempts: 0,
                last_error: None,
            },
            ..self.submit(team, key, Vec::new()).await
        };
        let id = enrollment.id.to_string();
        self.store(|tx| Box::pin(async move { tx.insert_enrollment(&enrollment).await }))
            .await;
        id
    }

    async fn account(&self, team: &str) -> String {
        self.insert_account(team).await.to_string()
    }

    async fn insert_account(&self, team: &str) -> AccountId {
        let lifecycle = self.server.lifecycle();
        let (now, random) = (lifecycle.now(), SystemRandom::new());
        let directory = lifecycle.directory("default").await.unwrap().unwrap();
        let account = Account {
            id: AccountId::mint(now, &random),
            directory_id: directory.id.clone(),
            jwk: "{}".to_owned(),
            thumbprint: format!("thumbprint {}", self.number()),
            status: AccountStatus::Valid,
            contacts: Vec::new(),
            terms_agreed: true,
            eab_key_id: None,
            eab_jws: None,
            created_from: None,
            team_id: self.team(team).await,
            metadata: domain::metadata::Values::new(),
            created_at: now,
            updated_at: now,
        };
        let id = account.id.clone();
        self.store(|tx| Box::pin(async move { tx.insert_account(&account).await }))
            .await;
        id
    }

    async fn order(&self, team: &str) -> String {
        let lifecycle = self.server.lifecycle();
        let (now, random) = (lifecycle.now(), SystemRandom::new());
        let directory = lifecycle.directory("default").await.unwrap().unwrap();
        let profile = lifecycle.profile("default").await.unwrap().unwrap();
        let order = Order {
            id: OrderId::mint(now, &random),
            account_id: self.insert_account(team).await,
            directory_id: directory.id.clone(),
            identifiers: vec![Identifier::parse("dns", "a.example.org").unwrap()],
            authorization_ids: Vec::new(),
            profile_id: profile.id.clone(),
            profile_name: profile.name.clone(),
            profile_version: profile.version,
            not_before: None,
            not_after: None,
            replaces: None,
            replaces_cert_id: None,
            enrollment_id: None,
            team_id: self.team(team).await,
            expires_at: now + directory.spec.order_lifetime(),
            created_at: now,
        };
        let id = order.id.to_string();
        self.store(|tx| Box::pin(async move { tx.insert_order(&order).await }))
            .await;
        id
    }

    async fn store<F>(&self, write: F)
    where
        F: for<'t> FnOnce(
                &'t mut store::Tx<'_>,
            ) -> futures::future::BoxFuture<'t, Result<(), StoreError>>
            + Send
            + 'static,
    {
        self.server.store().write("test", write).await.unwrap();
    }

    async fn eab_key(&self, team: &str) -> String {
        let request = NewEabKey {
            name: "farm".to_owned(),
            directory: None,
            team: self.team(team).await,
            allowed_names: Vec::new(),
            usage: EabUsage::Multi,
            lifetime: None,
            metadata: domain::metadata::Values::new(),
        };
        let lifecycle = self.server.lifecycle();
        let caller = Caller::system();
        let made = lifecycle.create_eab_key(request, &caller).await.unwrap();
        made.key.id.to_string()
    }

    async fn profile(&self, team: &str) -> String {
        let name = format!("profile-{}", self.number());
        let lifecycle = self.server.lifecycle();
        let made = lifecycle
            .replace_profile(
                name.clone(),
                preset::tls_server("issuing"),
                self.team(team).await,
                Expected::Anything,
                &Caller::system(),
            )
            .await;
        made.unwrap();
        name
    }

    async fn directory(&self, team: &str) -> String {
        let name = format!("directory-{}", self.number());
        let lifecycle = self.server.lifecycle();
        let made = lifecycle
            .replace_directory(
                name.clone(),
                DirectorySpec::default(),
                self.team(team).await,
                Expected::Anything,
                &Caller::system(),
            )
            .await;
        made.unwrap();
        name
    }

    /// A token that is auditor in the team, and its grant.
    async fn token_and_grant(&self, team: &str) -> (String, String) {
        let token = NewToken {
            name: "auditor".to_owned(),
            grant: grant("auditor", Some(team)),
            lifetime: None,
        };
        let lifecycle = self.server.lifecycle();
        let caller = Caller::system();
        let made = lifecycle.create_token_with(token, &caller).await.unwrap();
        let principal = Principal::Token(made.token.id.clone());
        let held = self
            .server
            .store()
            .read("test", |tx| {
                Box::pin(async move { tx.list_grants_of(&[principal]).await })
            })
            .await
            .unwrap();
        (made.token.id.to_string(), held[0].id.to_string())
    }

    /// A token that holds nothing any more.
    pub(super) async fn bare_token(&self, team: &str) -> String {
        let (token, grant) = self.token_and_grant(team).await;
        let caller = Caller::system();
        let lifecycle = self.server.lifecycle();
        let grant = grant.parse().unwrap();
        let withdrawn = lifecycle.withdraw_role(&grant, &caller);
        withdrawn.await.unwrap();
        token
    }
}
