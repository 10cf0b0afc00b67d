//! One token: login, a pool of sessions, and coming back after the token was away.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use parking_lot::{Condvar, Mutex};

use super::{Pkcs11Config, TokenError, TokenSelector};

/// Tokens count their sessions; a signer more than this waits for its turn.
const MAX_SESSIONS: usize = 16;

/// A module may be initialised once per process, whoever uses it.
static MODULES: Mutex<Option<HashMap<PathBuf, Pkcs11>>> = Mutex::new(None);

pub(super) struct Token {
    config: Pkcs11Config,
    context: Pkcs11,
    state: Mutex<State>,
    /// A session was given back.
    returned: Condvar,
}

/// A session together with the login it belongs to; object handles are good for one login only.
pub(super) struct Lease {
    pub(super) session: Session,
    pub(super) login: u64,
}

#[derive(Default)]
struct State {
    /// Counts logins; sessions of earlier ones are thrown away.
    login: u64,
    link: Option<Link>,
    idle: Vec<Lease>,
    in_use: usize,
    /// The PIN was refused: it is not sent again.
    barred: Option<Barred>,
}

/// The login lasts as long as a session is open, so one is kept.
struct Link {
    slot: Slot,
    _anchor: Session,
}

#[derive(Clone, Copy)]
enum Barred {
    Refused,
    Locked,
}

impl Token {
    pub(super) fn new(config: Pkcs11Config) -> Result<Self, TokenError> {
        let context = module(&config.module)?;
        Ok(Self {
            config,
            context,
            state: Mutex::default(),
            returned: Condvar::new(),
        })
    }

    #[cfg(test)]
    pub(super) fn context(&self) -> &Pkcs11 {
        &self.context
    }

    /// Logs in, unless that is done already.
    pub(super) fn connect(&self) -> Result<(), TokenError> {
        self.link(&mut self.state.lock()).map(drop)
    }

    /// Does `work` in a session that can only read; once more in a new one, if the old one was lost.
    pub(super) fn with_session<T>(
        &self,
        work: impl Fn(&Lease) -> Result<T, TokenError>,
    ) -> Result<T, TokenError> {
        self.recovering(|| {
            let lease = self.lease()?;
            let login = lease.login;
            let result = work(&lease);
            self.give_back(lease, result.is_ok());
            result.map_err(|error| (error, login))
        })
    }

    /// Does `work` in a session of its own that can write.
    pub(super) fn with_writable_session<T>(
        &self,
        work: impl Fn(&Session) -> Result<T, Error>,
    ) -> Result<T, TokenError> {
        self.recovering(|| {
            let (slot, login) = self
                .link(&mut self.state.lock())
                .map_err(|error| (error, 0))?;
            let session = self.context.open_rw_session(slot);
            session
                .and_then(|session| work(&session))
                .map_err(|error| (error.into(), login))
        })
    }

    fn recovering<T>(
        &self,
        attempt: impl Fn() -> Result<T, (TokenError, u64)>,
    ) -> Result<T, TokenError> {
        match attempt() {
            Err((error, login)) if error.is_lost() => {
                tracing::warn!(%error, "the PKCS#11 session was lost; logging in again");
                self.disconnect(login);
                attempt().map_err(|(error, _)| error)
            }
            result => result.map_err(|(error, _)| error),
        }
    }

    fn lease(&self) -> Result<Lease, (TokenError, u64)> {
        let mut state = self.state.lock();
        while state.in_use >= MAX_SESSIONS {
            self.returned.wait(&mut state);
        }
        if let Some(lease) = state.idle.pop() {
            state.in_use += 1;
            return Ok(lease);
        }
        let (slot, login) = self.link(&mut state).map_err(|error| (error, 0))?;
        let session = self
            .context
            .open_ro_session(slot)
            .map_err(|error| (error.into(), login))?;
        state.in_use += 1;
        Ok(Lease { session, login })
    }

    fn give_back(&self, lease: Lease, sound: bool) {
        let mut state = self.state.lock();
        state.in_use -= 1;
        if sound && lease.login == state.login && state.link.is_some() {
            state.idle.push(lease);
        }
        drop(state);
        self.returned.notify_one();
    }

    /// Forgets a login that was lost, unless another thread has already made a new one.
    fn disconnect(&self, login: u64) {
        let mut state = self.state.lock();
        if login == state.login || login == 0 {
            state.idle.clear();
            state.link = None;
        }
    }

    fn link(&self, state: &mut State) -> Result<(Slot, u64), TokenError> {
        match state.barred {
            Some(Barred::Refused) => return Err(TokenError::PinRefused),
            Some(Barred::Locked) => return Err(TokenError::PinLocked),
            None => (),
        }
        if let Some(link) = &state.link {
            return Ok((link.slot, state.login));
        }
        // A module that another part of the process has finalised is started again.
        initialize(&self.context)?;
        let slot = match self.find_slot() {
            // Modules may look for tokens only when they are started: one that came back is seen by
            // a fresh start. With sessions in use there is a token, and nothing to restart for.
            Err(TokenError::NoToken { .. }) if state.in_use == 0 => {
                self.restart()?;
                self.find_slot()?
            }
            found => found?,
        };
        let anchor = self.context.open_ro_session(slot)?;
        self.log_in(&anchor, state)?;
        state.login += 1;
        state.link = Some(Link {
            slot,
            _anchor: anchor,
        });
        Ok((slot, state.login))
    }

    fn restart(&self) -> Result<(), TokenError> {
        // One that is not initialised has nothing to finalise.
        let _ = self.context.clone().finalize();
        initialize(&self.context)
    }

    fn log_in(&self, session: &Session, state: &mut State) -> Result<(), TokenError> {
        let Err(error) = session.login(UserType::User, Some(&self.config.pin)) else {
            return Ok(());
        };
        match error {
            Error::Pkcs11(RvError::UserAlreadyLoggedIn, _) => Ok(()),
            Error::Pkcs11(
                RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange,
                _,
            ) => {
                state.barred = Some(Barred::Refused);
                Err(TokenError::PinRefused)
            }
            Error::Pkcs11(RvError::PinLocked | RvError::PinExpired, _) => {
                state.barred = Some(Barred::Locked);
                Err(TokenError::PinLocked)
            }
            other => Err(other.into()),
        }
    }

    fn find_slot(&self) -> Result<Slot, TokenError> {
        let slots = self.context.get_slots_with_token()?;
        let mut found = Vec::new();
        for slot in slots {
            let Ok(info) = self.context.get_token_info(slot) else {
                continue;
            };
            let matches = match &self.config.token {
                TokenSelector::Label(label) => {
                    info.token_initialized() && info.label().trim_end() == label
                }
                TokenSelector::Slot(number) => slot.id() == *number,
            };
            if matches {
                return Ok(slot);
            }
            found.push(format!(
                "`{}` in slot {}",
                info.label().trim_end(),
                slot.id()
            ));
        }
        Err(TokenError::NoToken {
            wanted: match &self.config.token {
                TokenSelector::Label(label) => format!("with the label `{label}`"),
                TokenSelector::Slot(number) => format!("in slot {number}"),
            },
            found: if found.is_empty() {
                "none".to_owned()
            } else {
                found.join(", ")
            },
        })
    }
}

fn module(path: &Path) -> Result<Pkcs11, TokenError> {
    let mut modules = MODULES.lock();
    let modules = modules.get_or_insert_default();
    if let Some(context) = modules.get(path) {
        return Ok(context.clone());
    }
    let context = Pkcs11::new(path).map_err(|source| TokenError::Module {
        module: path.to_owned(),
        source,
    })?;
    initialize(&context)?;
    modules.insert(path.to_owned(), context.clone());
    Ok(context)
}

fn initialize(context: &Pkcs11) -> Result<(), TokenError> {
    match context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
