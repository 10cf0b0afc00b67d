//! From typed errors to problem documents (RFC 9457): the one place that knows both.

use super::enrollments::render_violation;
use axum::response::{IntoResponse, Response};
use domain::approval::NotEntitled;
use domain::held_key::HeldKeyError;
use domain::policy::Violation;
use http::header::{CONTENT_TYPE, RETRY_AFTER, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use lifecycle::StoreError;
use lifecycle::access::{AccessError, TeamChoiceError};
use lifecycle::acme::directories::PutDirectoryError;
use lifecycle::acme::eab_keys::EabKeyError;
use lifecycle::approvals::{DecideError, DelegationError, LinkError};
use lifecycle::bulk::{CommandError, PlanError};
use lifecycle::enrolling::entry_points::EntryPointError;
use lifecycle::enrolling::passwords::NewPasswordError;
use lifecycle::events::CheckpointError;
use lifecycle::held_keys::FetchKeyError;
use lifecycle::idempotency::AttemptError;
use lifecycle::issuance::cancel::CancelError;
use lifecycle::issuance::explain::ExplainError;
use lifecycle::issuance::{AdmitError, EnrollError, SubmitError};
use lifecycle::issuer_migration::MigrationError;
use lifecycle::metadata::change::ChangeMetadataError;
use lifecycle::metadata::fields::FieldError;
use lifecycle::metadata::issuers::TellIssuerError;
use lifecycle::notification::alerts::AcknowledgeError;
use lifecycle::notification::channels::ChannelError;
use lifecycle::notification::rules::RuleError;
use lifecycle::operator::directories::ReplaceDirectoryError;
use lifecycle::operator::issuers::IssuerError;
use lifecycle::operator::profiles::ReplaceProfileError;
use lifecycle::operator::remote_issuers::RemoteIssuerError;
use lifecycle::renewal::RenewError;
use lifecycle::revocation::RevokeError;
use lifecycle::revocation::crl::CrlError;
use lifecycle::sign_in::Locked;
use protocols::rest::problem::{MEDIA_TYPE, Problem, ProblemKind};

/// A request that was not done: the problem, and headers that go with it.
#[derive(Debug)]
pub(crate) struct Failure {
    problem: Box<Problem>,
    headers: HeaderMap,
}

impl Failure {
    pub(crate) fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self {
            problem: Box::new(Problem::new(kind, detail)),
            headers: HeaderMap::new(),
        }
    }

    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::InvalidRequest, detail)
    }

    pub(crate) fn unauthenticated(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::Unauthenticated, detail)
    }

    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::Forbidden, detail)
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::NotFound, detail)
    }

    pub(crate) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::Conflict, detail)
    }

    /// Something of ours is not working; the cause is logged and not told.
    pub(crate) fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(error = %Causes(error), "request not answered");
        Self::new(
            ProblemKind::Internal,
            "the cause is in the server's log under the request id",
        )
    }

    /// As [`internal`](Self::internal), for what no error stands behind.
    pub(crate) fn broken(what: &'static str) -> Self {
        tracing::error!(what, "request not answered");
        Self::new(
            ProblemKind::Internal,
            "the cause is in the server's log under the request id",
        )
    }

    /// What is wrong, for answers about several things.
    pub(crate) fn detail(&self) -> &str {
        &self.problem.detail
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// What the rules of a profile refuse, with every rule.
    pub(crate) fn rejected(violations: &[Violation]) -> Self {
        let texts: Vec<String> = violations.iter().map(Violation::text).collect();
        let mut failure = Self::new(ProblemKind::Rejected, texts.join("; ")).with_faults(texts);
        failure.problem.violations = violations.iter().map(render_violation).collect();
        failure
    }

    /// With a cookie to set or to forget.
    pub(crate) fn with_cookie(mut self, cookie: Option<HeaderValue>) -> Self {
        if let Some(cookie) = cookie {
            self.headers.append(SET_COOKIE, cookie);
        }
        self
    }

    /// Somebody who failed too often has to wait.
    pub(crate) fn locked(locked: &Locked) -> Self {
        Self::new(ProblemKind::TooManyAttempts, locked.to_string())
            .with_header(RETRY_AFTER, HeaderValue::from(locked.retry_after.as_secs()))
    }

    pub(crate) fn with_faults(mut self, faults: Vec<String>) -> Self {
        self.problem.faults = faults;
        self
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = respond(&self.problem);
        response.headers_mut().extend(self.headers);
        // For whoever knows the request's id.
        response.extensions_mut().insert(*self.problem);
        response
    }
}

/// The answer that a problem makes.
pub(crate) fn respond(problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = serde_json::to_vec(problem).unwrap_or_default();
    let content_type = [(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE))];
    (status, content_type, body).into_response()
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        if !error.is_transient() {
            return Self::internal(&error);
        }
        tracing::warn!(error = %Causes(&error), "request not answered");
        Self::new(
            ProblemKind::Unavailable,
            "the database does not answer; the request may be repeated in a few seconds",
        )
        .with_header(RETRY_AFTER, HeaderValue::from_static("5"))
    }
}

impl From<AccessError> for Failure {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Store(error) => error.into(),
            AccessError::Refused(_) | AccessError::Forbidden(_) => {
                Self::forbidden(error.to_string())
            }
            AccessError::BadName(_)
            | AccessError::NoName
            | AccessError::NoSuchRole(_)
            | AccessError::NoSuchTeam(_)
            | AccessError::NoSuchPrincipal(_) => Self::invalid(error.to_string()),
            AccessError::NoSuchGrant(_) | AccessError::Unknown => {
                Self::not_found(error.to_string())
            }
            AccessError::BuiltInRole(_)
            | AccessError::RoleHeld(_)
            | AccessError::RoleAsked(_)
            | AccessError::AlreadyGranted
            | AccessError::TeamOwns(_)
            | AccessError::LastAdministrator => Self::conflict(error.to_string()),
            AccessError::Changed => Self::new(ProblemKind::Changed, error.to_string()),
        }
    }
}

impl From<TeamChoiceError> for Failure {
    fn from(error: TeamChoiceError) -> Self {
        match error {
            TeamChoiceError::Store(error) => error.into(),
            TeamChoiceError::Forbidden(_) => Self::forbidden(error.to_string()),
            TeamChoiceError::Unknown(_) | TeamChoiceError::Several(_) => {
                Self::invalid(error.to_string())
            }
        }
    }
}

impl From<RevokeError> for Failure {
    fn from(error: RevokeError) -> Self {
        match error {
            RevokeError::Store(error) => error.into(),
            RevokeError::Unknown => Self::not_found(error.to_string()),
            RevokeError::AlreadyRevoked => Self::conflict(error.to_string()),
            RevokeError::Unauthorized => Self::forbidden(error.to_string()),
            RevokeError::BadReason(_) => Self::invalid(error.to_string()),
        }
    }
}

impl From<SubmitError> for Failure {
    fn from(error: SubmitError) -> Self {
        if let Some(violations) = error.violations() {
            return Self::rejected(violations);
        }
        match error {
            SubmitError::Store(error) => error.into(),
            SubmitError::Enroll(error) => error.into(),
            SubmitError::Key(error) => Self::internal(&error),
            SubmitError::NoSuchProfile(_)
            | SubmitError::Csr(_)
            | SubmitError::TwoEnds
            | SubmitError::Build(_)
            | SubmitError::NothingToReplace(_)
            | SubmitError::ReplacesStranger(_) => Self::invalid(error.to_string()),
        }
    }
}

impl From<EnrollError> for Failure {
    fn from(error: EnrollError) -> Self {
        match error {
            EnrollError::Store(error) | EnrollError::Admit(AdmitError::Store(error)) => {
                error.into()
            }
            EnrollError::Admit(AdmitError::Rejected(violations)) => Self::rejected(&violations),
            EnrollError::Key(error) => Self::internal(&error),
            // No issuer is fit to sign now; that passes, or an operator sees to it.
            EnrollError::Admit(
                error @ (AdmitError::Clock(_) | AdmitError::Route(_) | AdmitError::Prepare(_)),
            ) => Self::new(ProblemKind::Unavailable, error.to_string())
                .with_header(RETRY_AFTER, HeaderValue::from_static("60")),
            EnrollError::Replaced(..)
            | EnrollError::BeingReplaced(..)
            | EnrollError::Settled
            | EnrollError::Repeated
            | EnrollError::PasswordUsed => Self::conflict(error.to_string()),
        }
    }
}

impl From<RenewError> for Failure {
    fn from(error: RenewError) -> Self {
        match error {
            RenewError::Store(error) => error.into(),
            RenewError::Submit(error) => error.into(),
            RenewError::Unknown(_) => Self::not_found(error.to_string()),
            RenewError::SameKey => Self::invalid(error.to_string()),
            RenewError::NotIssuedHere(_)
            | RenewError::NoProfile
            | RenewError::Renewed(..)
            | RenewError::Compromised
            | RenewError::OldRequest(_) => Self::conflict(error.to_string()),
        }
    }
}

impl From<CancelError> for Failure {
    fn from(error: CancelError) -> Self {
        match error {
            CancelError::Store(error) => error.into(),
            CancelError::Unknown(_) => Self::not_found(error.to_string()),
            CancelError::Ended(_) => Self::conflict(error.to_string()),
        }
    }
}

impl From<FetchKeyError> for Failure {
    fn from(error: FetchKeyError) -> Self {
        match error {
            FetchKeyError::Store(error) => error.into(),
            FetchKeyError::Seal(error) => Self::internal(&error),
            FetchKeyError::Key(error) => Self::internal(&error),
            FetchKeyError::Unknown(_) | FetchKeyError::Refused(HeldKeyError::Gone) => {
                Self::not_found(error.to_string())
            }
            FetchKeyError::Refused(HeldKeyError::NotYours) => Self::forbidden(error.to_string()),
            FetchKeyError::Refused(HeldKeyError::NotIssued) => Self::conflict(error.to_string()),
        }
    }
}

impl From<AttemptError> for Failure {
    fn from(error: AttemptError) -> Self {
        match error {
            AttemptError::Store(error) => error.into(),
            AttemptError::Seal(error) => Self::internal(&error),
            AttemptError::OtherRequest => Self::new(ProblemKind::KeyReused, error.to_string()),
            AttemptError::UnderWay(wait) => Self::conflict(error.to_string())
                .with_header(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1))),
            AttemptError::CutOff => Self::conflict(error.to_string()),
        }
    }
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::Store(error) => error.into(),
            PlanError::Metadata(violations) => Self::rejected(&violations),
            PlanError::Nothing
            | PlanError::TooMany
            | PlanError::Rate
            | PlanError::Reason(_)
            | PlanError::NoChange
            | PlanError::NoSuchTeam(_) => Self::invalid(error.to_string()),
        }
    }
}

impl From<CommandError> for Failure {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Store(error) => error.into(),
            CommandError::Unknown(_) => Self::not_found(error.to_string()),
            CommandError::NotYours => Self::forbidden(error.to_string()),
            CommandError::State(_) => Self::conflict(error.to_string()),
        }
    }
}

impl From<DecideError> for Failure {
    fn from(error: DecideError) -> Self {
        let text = error.to_string();
        match error {
            DecideError::Store(error) => error.into(),
            DecideError::Unknown(_) => Self::not_found(text),
            DecideError::NoReason | DecideError::LongReason => Self::invalid(text),
            DecideError::NotEntitled(NotEntitled::OwnRequest | NotEntitled::NotYourTurn(_)) => {
                Self::forbidden(text)
            }
            DecideError::NotEntitled(
                NotEntitled::DecidedAlready(_) | NotEntitled::NotPending(_),
            )
            | DecideError::NotPending(_)
            | DecideError::Link(_)
            | DecideError::Changed
            | DecideError::Gone(_)
            | DecideError::Expired => Self::conflict(text),
            DecideError::Reconsider(_) => Self::new(ProblemKind::Unavailable, text),
        }
    }
}

impl From<LinkError> for Failure {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Store(error) => error.into(),
            LinkError::Decide(error) => error.into(),
            LinkError::Unknown(_) => Self::not_found(error.to_string()),
            LinkError::Url(error) => Self::internal(&error),
        }
    }
}

impl From<DelegationError> for Failure {
    fn from(error: DelegationError) -> Self {
        match error {
            DelegationError::Store(error) => error.into(),
            DelegationError::Unknown(_) => Self::not_found(error.to_string()),
            DelegationError::NotYours => Self::forbidden(error.to_string()),
            DelegationError::NoSuchPrincipal(_)
            | DelegationError::LongReason
            | DelegationError::Fault(_) => Self::invalid(error.to_string()),
        }
    }
}

impl From<EntryPointError> for Failure {
    fn from(error: EntryPointError) -> Self {
        match error {
            EntryPointError::Store(error) => error.into(),
            EntryPointError::Metadata(violations) => Self::rejected(&violations),
            EntryPointError::Changed => Self::new(ProblemKind::Changed, error.to_string()),
            EntryPointError::Unknown { .. } => Self::not_found(error.to_string()),
            EntryPointError::BadName(_)
            | EntryPointError::Reserved(_)
            | EntryPointError::Authority(_)
            | EntryPointError::NoSuchProfile(_) => Self::invalid(error.to_string()),
        }
    }
}

impl From<NewPasswordError> for Failure {
    fn from(error: NewPasswordError) -> Self {
        match error {
            NewPasswordError::Store(error) => error.into(),
            NewPasswordError::Metadata(violations) => Self::rejected(&violations),
            NewPasswordError::NoName | NewPasswordError::NoUses | NewPasswordError::Username => {
                Self::invalid(error.to_string())
            }
        }
    }
}

impl From<EabKeyError> for Failure {
    fn from(error: EabKeyError) -> Self {
        match error {
            EabKeyError::Store(error) => error.into(),
            EabKeyError::Seal(error) => Self::internal(&error),
            EabKeyError::NoSuchDirectory(_) | EabKeyError::NoName => {
                Self::invalid(error.to_string())
            }
            EabKeyError::Metadata(violations) => Self::rejected(&violations),
        }
    }
}

impl From<ReplaceDirectoryError> for Failure {
    fn from(error: ReplaceDirectoryError) -> Self {
        match error {
            ReplaceDirectoryError::Store(error)
            | ReplaceDirectoryError::Rule(PutDirectoryError::Store(error)) => error.into(),
            ReplaceDirectoryError::Rule(PutDirectoryError::Metadata(violations)) => {
                Self::rejected(&violations)
            }
            ReplaceDirectoryError::Rule(rule) => Self::invalid(rule.to_string()),
            ReplaceDirectoryError::Changed => Self::new(ProblemKind::Changed, error.to_string()),
        }
    }
}

impl From<ReplaceProfileError> for Failure {
    fn from(error: ReplaceProfileError) -> Self {
        match error {
            ReplaceProfileError::Store(error) => error.into(),
            ReplaceProfileError::Changed => Self::new(ProblemKind::Changed, error.to_string()),
            ReplaceProfileError::Rules(faults) => {
                let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
                Self::invalid(faults.join("; ")).with_faults(faults)
            }
        }
    }
}

impl From<ExplainError> for Failure {
    fn from(error: ExplainError) -> Self {
        match error {
            ExplainError::Store(error) => error.into(),
            error @ ExplainError::Assumed(_) => Self::internal(&error),
        }
    }
}

impl From<FieldError> for Failure {
    fn from(error: FieldError) -> Self {
        match error {
            FieldError::Store(error) => error.into(),
            FieldError::Unknown(_) => Self::not_found(error.to_string()),
            FieldError::Changed => Self::new(ProblemKind::Changed, error.to_string()),
            FieldError::KindInUse(_) | FieldError::Needed(..) => Self::conflict(error.to_string()),
            FieldError::Rules(faults) => {
                let texts: Vec<String> = faults.iter().map(ToString::to_string).collect();
                Self::invalid(texts.join("; ")).with_faults(texts)
            }
        }
    }
}

impl From<ChangeMetadataError> for Failure {
    fn from(error: ChangeMetadataError) -> Self {
        match error {
            ChangeMetadataError::Store(error) => error.into(),
            ChangeMetadataError::Unknown(_) => Self::not_found(error.to_string()),
            ChangeMetadataError::Changed => Self::new(ProblemKind::Changed, error.to_string()),
            ChangeMetadataError::Rejected(violations) => Self::rejected(&violations),
        }
    }
}

impl From<TellIssuerError> for Failure {
    fn from(error: TellIssuerError) -> Self {
        match error {
            TellIssuerError::Store(error) => error.into(),
            TellIssuerError::Unknown(_) => Self::not_found(error.to_string()),
            TellIssuerError::Fields(faults) => Self::invalid(faults.join("; ")).with_faults(faults),
        }
    }
}

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

impl From<CheckpointError> for Failure {
    fn from(error: CheckpointError) -> Self {
        match error {
            CheckpointError::Store(error) => error.into(),
            error @ (CheckpointError::Secret(_) | CheckpointError::Key(_)) => {
                Self::internal(&error)
            }
        }
    }
}

impl From<ChannelError> for Failure {
    fn from(error: ChannelError) -> Self {
        match error {
            ChannelError::Store(error) => error.into(),
            ChannelError::Seal(error) => Self::internal(&error),
            ChannelError::Changed => Self::new(ProblemKind::Changed, error.to_string()),
            ChannelError::Unknown(_) => Self::not_found(error.to_string()),
            ChannelError::InUse(_) | ChannelError::KindChanges => Self::conflict(error.to_string()),
            ChannelError::BadName(_)
            | ChannelError::UnknownKind { .. }
            | ChannelError::NoStream(_)
            | ChannelError::Settings(_)
            | ChannelError::SecretsNeeded(_)
            | ChannelError::Template(_) => Self::invalid(error.to_string()),
        }
    }
}

impl From<RuleError> for Failure {
    fn from(error: RuleError) -> Self {
        match error {
            RuleError::Store(error) => error.into(),
            RuleError::Changed => Self::new(ProblemKind::Changed, error.to_string()),
            RuleError::BadName(_)
            | RuleError::NoChannel
            | RuleError::NoSuchChannel(_)
            | RuleError::NoSuchTeam(_)
            | RuleError::NoSuchRole(_)
            | RuleError::NoMail
            | RuleError::NoEvent
            | RuleError::BadAddress(_)
            | RuleError::Condition(_) => Self::invalid(error.to_string()),
        }
    }
}

impl From<AcknowledgeError> for Failure {
    fn from(error: AcknowledgeError) -> Self {
        match error {
            AcknowledgeError::Store(error) => error.into(),
            AcknowledgeError::Unknown(_) => Self::not_found(error.to_string()),
            AcknowledgeError::Closed => Self::conflict(error.to_string()),
        }
    }
}

pub(crate) async fn not_found() -> Failure {
    Failure::not_found("there is no such path; /api/openapi.json lists those there are")
}

pub(crate) async fn method_not_allowed() -> Failure {
    Failure::new(
        ProblemKind::MethodNotAllowed,
        "this path does not know the method; /api/openapi.json lists what it knows",
    )
}

/// An error with its causes, for the log.
struct Causes<'a>(&'a dyn std::error::Error);

impl std::fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(cause) = source {
            write!(f, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}
