//! The one account at the CA (RFC 8555 section 7.3). Its key is durable before the CA sees it, so that
//! whoever asks again, after a crash or on another node, is answered with the same account.

use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use domain::id::IssuerId;
use domain::issuer::{AcmeConfig, ConnectorState, IssueError, StateError};
use protocols::acme::account::NewAccount;
use protocols::acme::directory::Directory;
use protocols::acme::jwk::Jwk;
use protocols::acme::jws::{FlattenedJws, MacAlgorithm, MacKey};
use protocols::acme::problem::ProblemType;
use protocols::acme::{base64url, eab};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::client::{AcmeClient, AcmeError, Signer, signing};

const KEY: &str = "account_key";
const ACCOUNT: &str = "account";

/// A P-256 key that signs as JOSE wants it.
pub(super) struct AccountKey {
    pair: EcdsaKeyPair,
    jwk: Jwk,
}

/// An account that the CA knows.
pub(super) struct Account {
    pub(super) url: String,
    pub(super) key: Arc<AccountKey>,
}

/// What is remembered of the account besides its key.
#[derive(Serialize, Deserialize)]
struct Remembered {
    directory: String,
    url: String,
}

/// Why there is no account to work with.
#[derive(Debug, thiserror::Error)]
pub(super) enum AccountError {
    #[error(transparent)]
    Acme(#[from] AcmeError),
    #[error(transparent)]
    State(#[from] StateError),
    #[error("{0}")]
    Settings(String),
}

impl From<AccountError> for IssueError {
    fn from(error: AccountError) -> Self {
        match error {
            // What the CA holds against the account says nothing of the request: somebody can mend it.
            AccountError::Acme(error @ AcmeError::Problem { .. })
                if !error.is_limit() && error.retry_after().is_none() =>
            {
                Self::Unavailable(error.to_string())
            }
            AccountError::Acme(error) => error.into(),
            AccountError::State(error) => error.into(),
            // Whoever waits goes on once the settings are mended.
            AccountError::Settings(text) => Self::Unavailable(text),
        }
    }
}

/// Finds the account, or makes it.
pub(super) struct Accounts {
    issuer: IssuerId,
    state: Arc<dyn ConnectorState>,
    contact: Vec<String>,
    directory_url: String,
    terms_agreed: bool,
    binding: Option<(String, SecretString)>,
    known: Mutex<Option<Arc<Account>>>,
}

impl AccountKey {
    fn generate() -> Result<Zeroizing<String>, AcmeError> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(signing)?;
        let document = pair.to_pkcs8v1().map_err(signing)?;
        Ok(Zeroizing::new(base64url::encode(document.as_ref())))
    }

    fn read(text: &str) -> Result<Self, AcmeError> {
        let pkcs8 = Zeroizing::new(base64url::decode(text).map_err(signing)?);
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8).map_err(signing)?;
        // 0x04, then the coordinates of 32 octets each (SEC 1 section 2.3.3).
        let point = pair.public_key().as_ref();
        let (x, y) = match point.split_first() {
            Some((4, rest)) if rest.len() == 64 => rest.split_at(32),
            _ => return Err(signing("the account key has no uncompressed point")),
        };
        let jwk = serde_json::json!({
            "kty": "EC", "crv": "P-256", "x": base64url::encode(x), "y": base64url::encode(y),
        });
        let jwk = Jwk::parse(jwk.to_string().as_bytes()).map_err(signing)?;
        Ok(Self { pair, jwk })
    }

    pub(super) fn jwk(&self) -> &Jwk {
        &self.jwk
    }

    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, AcmeError> {
        let signature = self.pair.sign(&SystemRandom::new(), message);
        Ok(signature.map_err(signing)?.as_ref().to_vec())
    }
}

impl Accounts {
    pub(super) fn new(
        issuer: IssuerId,
        config: &AcmeConfig,
        eab_key: Option<&SecretString>,
        state: Arc<dyn ConnectorState>,
    ) -> Self {
        let binding = config.eab_kid.clone().zip(eab_key.cloned());
        Self {
            issuer,
            state,
            contact: config.contact.clone(),
            directory_url: config.directory_url.clone(),
            terms_agreed: config.terms_of_service_agreed,
            binding,
            known: Mutex::default(),
        }
    }

    /// The account, registered now if it never was.
    pub(super) async fn get(&self, client: &AcmeClient) -> Result<Arc<Account>, AccountError> {
        let mut known = self.known.lock().await;
        if let Some(account) = &*known {
            return Ok(Arc::clone(account));
        }
        let key = Arc::new(self.key().await?);
        let url = match self.remembered().await? {
            Some(url) => url,
            None => self.register(client, &key).await?,
        };
        let account = Arc::new(Account { url, key });
        *known = Some(Arc::clone(&account));
        Ok(account)
    }

    /// The CA says that it does not know the account: next time it is registered again.
    pub(super) async fn forget(&self) -> Result<(), StateError> {
        *self.known.lock().await = None;
        self.state.delete(&self.issuer, ACCOUNT).await
    }

    async fn key(&self) -> Result<AccountKey, AccountError> {
        let text = match self.state.get(&self.issuer, KEY).await? {
            Some(text) => Zeroizing::new(text),
            None => {
                let fresh = AccountKey::generate()?;
                let stored = self.state.put_if_absent(&self.issuer, KEY, &fresh).await?;
                Zeroizing::new(stored)
            }
        };
        Ok(AccountKey::read(&text)?)
    }

    /// The account's URL, unless it was made at another CA than the one that is named now.
    async fn remembered(&self) -> Result<Option<String>, StateError> {
        let text = self.state.get(&self.issuer, ACCOUNT).await?;
        let remembered = text.and_then(|text| serde_json::from_str::<Remembered>(&text).ok());
        Ok(remembered
            .filter(|remembered| remembered.directory == self.directory_url)
            .map(|remembered| remembered.url))
    }

    async fn register(
        &self,
        client: &AcmeClient,
        key: &AccountKey,
    ) -> Result<String, AccountError> {
        let directory = client.directory().await?;
        self.check_terms(&directory)?;
        let request = NewAccount {
            contact: (!self.contact.is_empty()).then(|| self.contact.clone()),
            terms_of_service_agreed: self.terms_agreed.then_some(true),
            only_return_existing: None,
            external_account_binding: self.bind(&directory, key)?,
        };
        let reply = client
            .post(Signer::Key(key), &directory.new_account, &request)
            .await?;
        let url = reply.location()?;
        let remembered = Remembered {
            directory: self.directory_url.clone(),
            url: url.clone(),
        };
        let text = serde_json::to_string(&remembered).map_err(signing)?;
        self.state.put(&self.issuer, ACCOUNT, &text).await?;
        tracing::info!(issuer.id = %self.issuer, account.url = url, "registered at the upstream CA");
        Ok(url)
    }

    /// What the CA would refuse is told in words that say which setting to change.
    pub(super) fn check_terms(&self, directory: &Directory) -> Result<(), AccountError> {
        let meta = &directory.meta;
        if let Some(terms) = meta
            .terms_of_service
            .as_ref()
            .filter(|_| !self.terms_agreed)
        {
            return Err(AccountError::Settings(format!(
                "the CA has terms of service ({terms}); set `terms_of_service_agreed` once you have read and \
                 agreed to them"
            )));
        }
        if meta.external_account_required && self.binding.is_none() {
            return Err(AccountError::Settings(
                "the CA wants an external account binding; set `eab_kid` and the secret `eab_hmac_key` to what \
                 it gave you"
                    .to_owned(),
            ));
        }
        Ok(())
    }

    fn bind(
        &self,
        directory: &Directory,
        key: &AccountKey,
    ) -> Result<Option<FlattenedJws>, AccountError> {
        let Some((kid, secret)) = &self.binding else {
            return Ok(None);
        };
        // CAs hand the key out with and without padding.
        let text = secret.expose_secret().trim().trim_end_matches('=');
        let mac = MacKey::from_base64url(text).map_err(|_| {
            AccountError::Settings(
                "the secret `eab_hmac_key` is not the base64url of a key of at least 32 octets"
                    .to_owned(),
            )
        })?;
        let jws = eab::bind(
            MacAlgorithm::Hs256,
            kid,
            &mac,
            key.jwk(),
            &directory.new_account,
        );
        Ok(Some(jws.map_err(signing)?))
    }
}

/// Whether the CA does not know the account that signed.
pub(super) fn account_is_unknown(error: &AcmeError) -> bool {
    error.kind() == Some(&ProblemType::AccountDoesNotExist)
}
