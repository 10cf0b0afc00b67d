//! One of each noun that a team can own, made for the team that is asked for.

use std::sync::atomic::{AtomicUsize, Ordering};

use domain::access::Principal;
use domain::acme::account::{Account, AccountStatus};
use domain::acme::directory::DirectorySpec;
use domain::acme::eab::EabUsage;
use domain::acme::order::Order;
use domain::enrolling::{EntryPointSpec, EstRules, NewTerms, Protocol, ScepRules};
use domain::enrollment::{Enrollment, EnrollmentState};
use domain::id::{AccountId, EnrollmentId, IncidentId, OrderId, TeamId};
use domain::identifier::Identifier;
use domain::notification::incident::Incident;
use domain::profile::preset;
use lifecycle::access::NewToken;
use lifecycle::acme::eab_keys::NewEabKey;
use lifecycle::actor::Caller;
use lifecycle::cmp::secrets::NewCmpSecret;
use lifecycle::enrolling::passwords::NewEnrollmentPassword;
use lifecycle::issuance::{KeySource, Submission};
use lifecycle::operator::Expected;
use pki::key::KeyAlgorithm;
use pki::name::DistinguishedName;
use pki::random::SystemRandom;
use serde_json::json;
use store::StoreError;
use testkit::TestServer;

use super::{Program, grant};

/// The nouns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Object {
    Account,
    /// Of a certificate that ends without a successor.
    Alert,
    /// What an enrollment waits for.
    Approval,
    Certificate,
    CmpEndpoint,
    CmpSecret,
    Directory,
    EabKey,
    Enrollment,
    EnrollmentPassword,
    EstLabel,
    Grant,
    /// An enrollment whose key was made on the server.
    HeldKey,
    Order,
    /// An enrollment that is not issued yet.
    Pending,
    Profile,
    SavedSearch,
    ScepService,
    Team,
    Token,
    /// A person with a role in the team.
    User,
}

/// Makes objects, each with what a path names it by.
pub(super) struct Maker<'a> {
    server: &'a TestServer,
    administrator: &'a Program,
    csr: Vec<u8>,
    made: AtomicUsize,
}

impl<'a> Maker<'a> {
    /// With the profile `guarded`, which asks an approver.
    pub(super) async fn new(
        server: &'a TestServer,
        administrator: &'a Program,
        csr: Vec<u8>,
    ) -> Self {
        let mut rules = json!(preset::tls_server("issuing"));
        rules["approval"] = json!({
            "stages": [{ "approvals": 1, "approvers": [{ "kind": "role", "role": "approver" }] }],
        });
        let (status, body) = administrator.put("/api/v1/profiles/guarded", rules).await;
        assert_eq!(status, 200, "{body}");
        Self {
            server,
            administrator,
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
            Object::Alert => self.alert(team).await,
            Object::Approval => self.approval(team).await,
            Object::Certificate => self.issued(team, true).await,
            Object::CmpEndpoint => self.cmp_endpoint(team).await.name,
            Object::CmpSecret => self.cmp_secret(team).await,
            Object::Directory => self.directory(team).await,
            Object::EabKey => self.eab_key(team).await,
            Object::Enrollment => self.issued(team, false).await,
            Object::EnrollmentPassword => self.enrollment_password(team).await,
            Object::EstLabel => {
                self.entry_point(team, EntryPointSpec::Est(EstRules::default()))
                    .await
            }
            Object::Grant => self.token_and_grant(team).await.1,
            Object::HeldKey => self.held_key(team).await,
            Object::Order => self.order(team).await,
            Object::Pending => self.pending(team).await,
            Object::Profile => self.profile(team).await,
            Object::SavedSearch => self.saved_search(team).await,
            Object::ScepService => {
                self.entry_point(team, EntryPointSpec::Scep(ScepRules::default()))
                    .await
            }
            Object::Team => team.to_owned(),
            Object::Token => self.token_and_grant(team).await.0,
            Object::User => self.user(team).await,
        }
    }

    async fn team(&self, name: &str) -> Option<TeamId> {
        let team = self.server.lifecycle().team(name).await.unwrap();
        Some(team.unwrap().id)
    }

    async fn issued(&self, team: &str, certificate: bool) -> String {
        let key = KeySource::Csr(self.csr.clone());
        let enrollment = self.submit("default", team, key, Vec::new()).await;
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
        self.submit("default", team, key, names)
            .await
            .id
            .to_string()
    }

    async fn submit(
        &self,
        profile: &str,
        team: &str,
        key: KeySource,
        names: Vec<Identifier>,
    ) -> Enrollment {
        let submission = Submission {
            team: self.team(team).await,
            ..Submission::new(profile.to_owned(), key, names)
        };
        let lifecycle = self.server.lifecycle();
        let caller = Caller::system();
        lifecycle.submit(submission, &caller).await.unwrap()
    }

    async fn pending(&self, team: &str) -> String {
        let key = KeySource::Csr(self.csr.clone());
        let enrollment = Enrollment {
            id: EnrollmentId::mint(self.server.lifecycle().now(), &SystemRandom::new()),
            state: EnrollmentState::approved(),
            ..self.submit("default", team, key, Vec::new()).await
        };
        let id = enrollment.id.to_string();
        self.store(|tx| Box::pin(async move { tx.insert_enrollment(&enrollment).await }))
            .await;
        id
    }

    async fn approval(&self, team: &str) -> String {
        let key = KeySource::Csr(self.csr.clone());
        let enrollment = self.submit("guarded", team, key, Vec::new()).await;
        match enrollment.state {
            EnrollmentState::AwaitingApproval { approval, .. } => approval.to_string(),
            state => panic!("{state:?}"),
        }
    }

    async fn alert(&self, team: &str) -> String {
        let (now, random) = (self.server.lifecycle().now(), SystemRandom::new());
        let incident = Incident {
            id: IncidentId::mint(now, &random),
            certificate_id: self.issued(team, true).await.parse().unwrap(),
            threshold: 80,
            opened_at: now,
            updated_at: now,
            acknowledgement: None,
            closed: None,
        };
        let id = incident.id.to_string();
        self.store(|tx| Box::pin(async move { tx.open_incident(&incident).await.map(drop) }))
            .await;
        id
    }

    async fn saved_search(&self, team: &str) -> String {
        let name = format!("shared {}", self.number());
        let body = json!({ "name": name, "team": team, "search": {} });
        let path = "/api/v1/saved-searches";
        let (status, made) = self.administrator.post(path, body).await;
        assert_eq!(status, 201, "{made}");
        made["id"].as_str().unwrap().to_owned()
    }

    async fn user(&self, team: &str) -> String {
        let name = format!("person-{}", self.number());
        let body = json!({ "name": name, "grants": [{ "role": "auditor", "team": team }] });
        let (status, made) = self.administrator.post("/api/v1/users", body).await;
        assert_eq!(status, 201, "{made}");
        made["id"].as_str().unwrap().to_owned()
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

    async fn cmp_endpoint(&self, team: &str) -> domain::cmp::CmpEndpoint {
        let name = format!("cmp-{}", self.number());
        let rules = domain::cmp::CmpRules::default();
        let team = self.team(team).await;
        let lifecycle = self.server.lifecycle();
        let caller = Caller::system();
        let made = lifecycle.put_cmp_endpoint(name, rules, team, Expected::Anything, &caller);
        made.await.unwrap()
    }

    async fn cmp_secret(&self, team: &str) -> String {
        let endpoint = self.cmp_endpoint(team).await;
        let request = NewCmpSecret {
            name: "line".to_owned(),
            reference: None,
            terms: NewTerms {
                team: self.team(team).await,
                ..NewTerms::default()
            },
        };
        let lifecycle = self.server.lifecycle();
        let caller = Caller::system();
        let made = lifecycle.create_cmp_secret(&endpoint, request, &caller);
        made.await.unwrap().secret.id.to_string()
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

    async fn entry_point(&self, team: &str, spec: EntryPointSpec) -> String {
        let name = format!("point-{}", self.number());
        let lifecycle = self.server.lifecycle();
        let made = lifecycle
            .put_entry_point(
                name.clone(),
                spec,
                self.team(team).await,
                Expected::Anything,
                &Caller::system(),
            )
            .await;
        made.unwrap();
        name
    }

    async fn enrollment_password(&self, team: &str) -> String {
        let rules = EntryPointSpec::Est(EstRules::default());
        let label = self.entry_point(team, rules).await;
        let lifecycle = self.server.lifecycle();
        let point = lifecycle.entry_point(Protocol::Est, &label).await.unwrap();
        let request = NewEnrollmentPassword {
            name: "printer".to_owned(),
            username: None,
            terms: NewTerms {
                team: self.team(team).await,
                ..NewTerms::default()
            },
        };
        let made = lifecycle
            .create_enrollment_password(&point.unwrap(), request, &Caller::system())
            .await;
        made.unwrap().password.id.to_string()
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
