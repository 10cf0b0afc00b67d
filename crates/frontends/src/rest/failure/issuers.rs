//! Problems of issuers, moves between them, and their lists.

use lifecycle::issuer_migration::MigrationError;
use lifecycle::operator::issuers::IssuerError;
use lifecycle::operator::remote_issuers::RemoteIssuerError;
use lifecycle::revocation::crl::CrlError;
use protocols::rest::problem::ProblemKind;

use super::Failure;

impl From<IssuerError> for Failure {
    fn from(error: IssuerError) -> Self {
        match error {
            IssuerError::Store(error) => error.into(),
            IssuerError::Crl(error) => error.into(),
            IssuerError::KeyStore(error) => Self::internal(&error),
            IssuerError::Key(error) => Self::internal(&error),
            IssuerError::Unknown(_) => Self::not_found(error.to_string()),
            IssuerError::NameTaken(_)
            | IssuerError::AwaitsCertificate
            | IssuerError::CannotList(_)
            | IssuerError::NoKeyHere(_) => Self::conflict(error.to_string()),
            IssuerError::BadName(_)
            | IssuerError::Chain(_)
            | IssuerError::NoSubject
            | IssuerError::Csr(_) => Self::invalid(error.to_string()),
        }
    }
}

impl From<MigrationError> for Failure {
    fn from(error: MigrationError) -> Self {
        let text = error.to_string();
        match error {
            MigrationError::Store(error) => error.into(),
            MigrationError::Unknown(_) => Self::not_found(text),
            MigrationError::NoSuchIssuer(_)
            | MigrationError::Same
            | MigrationError::Pace(_)
            | MigrationError::TooMany
            | MigrationError::Nothing(_) => Self::invalid(text),
            MigrationError::NotActive(_)
            | MigrationError::NotConnected(_)
            | MigrationError::UnderWay(_)
            | MigrationError::State(_) => Self::conflict(text),
        }
    }
}

impl From<RemoteIssuerError> for Failure {
    fn from(error: RemoteIssuerError) -> Self {
        let (text, faults) = (error.to_string(), error.faults());
        match error {
            RemoteIssuerError::Store(error) => error.into(),
            RemoteIssuerError::Issuer(error) => error.into(),
            RemoteIssuerError::Changed => Self::new(ProblemKind::Changed, text),
            RemoteIssuerError::Settings(_)
            | RemoteIssuerError::Secrets(_)
            | RemoteIssuerError::Embedded
            | RemoteIssuerError::KindChanges
            | RemoteIssuerError::SecretsNeeded(_)
            | RemoteIssuerError::Chain(_)
            | RemoteIssuerError::Connect(_) => Self::invalid(text).with_faults(faults),
        }
    }
}

impl From<CrlError> for Failure {
    fn from(error: CrlError) -> Self {
        match error {
            CrlError::Store(error) => error.into(),
            error @ (CrlError::NoKey | CrlError::Build(_) | CrlError::Sign(_)) => {
                Self::internal(&error)
            }
        }
    }
}
