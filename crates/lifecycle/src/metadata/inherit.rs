//! What a request inherits its values from: read at once, and only where there are fields.

use domain::acme::account::Account;
use domain::acme::directory::Directory;
use domain::acme::eab::EabKey;
use domain::acme::order::Order;
use domain::cmp::{CmpEndpoint, CmpSecret};
use domain::enrolling::{ClientProof, EnrollmentPassword, EntryPoint};
use domain::id::{AccountId, CertificateId, DirectoryId, EntryPointId, TeamId};
use domain::identifier::Identifier;
use domain::metadata::{self, Facts, Resolved, Sources, Values};
use domain::profile::Profile;
use domain::team::Team;
use store::{StoreError, Tx};

use crate::Lifecycle;

/// What is asked for, as far as metadata depends on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) account: Option<(&'a AccountId, &'a DirectoryId)>,
    /// Where a client without an account came in, and how it showed who it is.
    pub(crate) client: Option<(&'a EntryPointId, &'a ClientProof)>,
    /// The team that the certificate will be of.
    pub(crate) team: Option<&'a TeamId>,
    pub(crate) profile: &'a Profile,
    pub(crate) identifiers: &'a [Identifier],
    pub(crate) replaces: Option<&'a CertificateId>,
    /// What the requester gave.
    pub(crate) given: &'a Values,
    /// Whether there is somebody to ask for what is missing.
    pub(crate) can_be_asked: bool,
}

/// What a request may inherit from.
#[derive(Debug, Default)]
struct Inherited {
    renewed: Option<Values>,
    eab_key: Option<EabKey>,
    account: Option<Account>,
    directory: Option<Directory>,
    password: Option<EnrollmentPassword>,
    entry_point: Option<EntryPoint>,
    cmp_secret: Option<CmpSecret>,
    cmp_endpoint: Option<CmpEndpoint>,
    team: Option<Team>,
}

impl Inherited {
    /// What the password or the shared secret passes on.
    fn of_credential(&self) -> Option<&Values> {
        let secret = self
            .cmp_secret
            .as_ref()
            .map(|secret| &secret.terms.metadata);
        self.password.as_ref().map(|p| &p.terms.metadata).or(secret)
    }

    /// What the entry point of EST, SCEP or CMP passes on.
    fn of_entry_point(&self) -> Option<&Values> {
        let endpoint = self.cmp_endpoint.as_ref().map(|e| &e.spec.metadata);
        self.entry_point
            .as_ref()
            .map(|e| e.spec.metadata())
            .or(endpoint)
    }
}

impl Lifecycle {
    /// Decides the values of a request. Where no field is defined, nothing is read for it.
    pub(crate) async fn resolve_metadata(
        &self,
        subject: Subject<'_>,
    ) -> Result<Resolved, StoreError> {
        let fields = self.fields().await?;
        let required = &subject.profile.spec.required_metadata;
        if fields.is_empty() && subject.given.is_empty() && required.is_empty() {
            return Ok(Resolved::default());
        }
        let inherited = self.inherited(subject).await?;
        let name = subject.identifiers.first().map(ToString::to_string);
        let sources = Sources {
            requested: Some(subject.given),
            renewed: inherited.renewed.as_ref(),
            eab_key: inherited.eab_key.as_ref().map(|key| &key.metadata),
            account: inherited.account.as_ref().map(|account| &account.metadata),
            directory: inherited.directory.as_ref().map(|d| &d.spec.metadata),
            password: inherited.of_credential(),
            entry_point: inherited.of_entry_point(),
            profile: Some(&subject.profile.spec.metadata),
        };
        let facts = Facts {
            profile: &subject.profile.name,
            required,
            directory: inherited.directory.as_ref().map(|d| d.name.as_str()),
            team: inherited.team.as_ref().map(|team| team.name.as_str()),
            eab_key: inherited
                .eab_key
                .as_ref()
                .map(|key| (key.id.as_str(), key.name.as_str())),
            account: subject.account.map(|(id, _)| id.as_str()),
            name: name.as_deref(),
            can_be_asked: subject.can_be_asked,
        };
        Ok(metadata::resolve(&fields, &sources, &facts))
    }

    /// The values that the certificate of an order would have if it were issued now.
    pub async fn order_metadata(&self, order: &Order) -> Result<Values, StoreError> {
        let Some(profile) = self.profile(&order.profile_name).await? else {
            return Ok(Values::new());
        };
        let subject = Subject {
            account: Some((&order.account_id, &order.directory_id)),
            client: None,
            team: order.team_id.as_ref(),
            profile: &profile,
            identifiers: &order.identifiers,
            replaces: order.replaces.as_ref(),
            given: &Values::new(),
            can_be_asked: true,
        };
        Ok(self.resolve_metadata(subject).await?.values)
    }

    async fn inherited(&self, subject: Subject<'_>) -> Result<Inherited, StoreError> {
        let account = subject
            .account
            .map(|(account, directory)| (account.clone(), directory.clone()));
        let client = subject
            .client
            .map(|(point, proof)| (point.clone(), proof.clone()));
        let replaces = subject.replaces.cloned();
        let team = subject.team.cloned();
        let names: Vec<String> = subject.identifiers.iter().map(Identifier::value).collect();
        self.store
            .read("metadata.inherited", |tx| {
                Box::pin(async move {
                    let mut found = inherited(tx, account, team, replaces, &names).await?;
                    if let Some((point, proof)) = client {
                        found.entry_point = tx.find_entry_point(&point).await?;
                        if found.entry_point.is_none() {
                            found.cmp_endpoint = tx.find_cmp_endpoint(&point).await?;
                        }
                        match &proof {
                            ClientProof::Password { password } => {
                                found.password = tx.find_enrollment_password(password).await?;
                            }
                            ClientProof::Secret { secret } => {
                                found.cmp_secret = tx.find_cmp_secret(secret).await?;
                            }
                            ClientProof::Certificate { .. } | ClientProof::Stranger { .. } => {}
                        }
                    }
                    Ok(found)
                })
            })
            .await
    }
}

async fn inherited(
    tx: &mut Tx<'_>,
    account: Option<(AccountId, DirectoryId)>,
    team: Option<TeamId>,
    replaces: Option<CertificateId>,
    names: &[String],
) -> Result<Inherited, StoreError> {
    let renewed = match (&replaces, &account, &team) {
        (Some(id), _, _) => tx.find_certificate(id).await?.map(|c| c.metadata),
        (None, Some((account, _)), _) => tx.find_metadata_of_account(account, names).await?,
        (None, None, Some(team)) => tx.find_metadata_of_team(team, names).await?,
        (None, None, None) => None,
    };
    let mut found = Inherited {
        renewed,
        ..Inherited::default()
    };
    if let Some(id) = &team {
        found.team = tx.find_team(id).await?;
    }
    let Some((account, directory)) = account else {
        return Ok(found);
    };
    found.account = tx.find_account(&account).await?;
    found.directory = tx.find_directory(&directory).await?;
    if let Some(key) = found.account.as_ref().and_then(|a| a.eab_key_id.as_ref()) {
        found.eab_key = tx.find_eab_key(key).await?;
    }
    Ok(found)
}
