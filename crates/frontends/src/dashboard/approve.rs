//! `/approve/<secret>`: a decision from a mailbox. Looking changes nothing; a button does.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use domain::approval::{Approver, Verdict};
use domain::event::ActorKind;
use http::{Extensions, HeaderMap, StatusCode};
use lifecycle::Lifecycle;
use lifecycle::approvals::{DecideError, LinkView, PolicyOutcome};
use url::form_urlencoded;

use super::{escape, is_cross_site, page};
use crate::origin::Origin;

/// What the form sends.
struct Answer {
    verdict: Verdict,
    reason: Option<String>,
}

impl Answer {
    fn read(form: &[u8]) -> Option<Self> {
        let (mut verdict, mut reason) = (None, None);
        for (name, value) in form_urlencoded::parse(form) {
            match (name.as_ref(), value.as_ref()) {
                ("verdict", "approve") => verdict = Some(Verdict::Approve),
                ("verdict", "deny") => verdict = Some(Verdict::Deny),
                ("reason", text) if !text.contains('\0') => reason = Some(text.to_owned()),
                _ => return None,
            }
        }
        verdict.map(|verdict| Self { verdict, reason })
    }
}

/// Mail scanners and link previews come here, too.
pub(super) async fn look(
    State(lifecycle): State<Arc<Lifecycle>>,
    Path(secret): Path<String>,
) -> Response {
    match lifecycle.look_at_link(&secret).await {
        Ok(view) => page(StatusCode::OK, "A certificate waits for you", &shown(&view)),
        Err(error) => refused(&error),
    }
}

pub(super) async fn answer(
    State(lifecycle): State<Arc<Lifecycle>>,
    Path(secret): Path<String>,
    headers: HeaderMap,
    extensions: Extensions,
    form: Bytes,
) -> Response {
    if is_cross_site(&headers) {
        return page(
            StatusCode::FORBIDDEN,
            "Not from here",
            "<p>Open the link itself; another site sent you here.</p>",
        );
    }
    let Some(answer) = Answer::read(&form) else {
        return page(
            StatusCode::BAD_REQUEST,
            "Not decided",
            "<p>Open the link and use its buttons.</p>",
        );
    };
    let caller = Origin::of(&extensions).caller(ActorKind::Anonymous, "approval link");
    let decided = lifecycle
        .decide_by_link(&secret, answer.verdict, answer.reason, &caller)
        .await;
    match decided {
        Ok(decided) => {
            let text = match (answer.verdict, decided.approval.missing()) {
                (Verdict::Deny, _) => "The request was denied, and whoever asked is told why.",
                (Verdict::Approve, 0) => {
                    "The certificate is signed now, if nothing else stands in its way."
                }
                (Verdict::Approve, _) => "Your approval is taken. Others have to agree as well.",
            };
            page(StatusCode::OK, "Thank you", &format!("<p>{text}</p>"))
        }
        Err(error) => refused(&error),
    }
}

fn shown(view: &LinkView) -> String {
    let (dossier, approval) = (&view.dossier, &view.dossier.approval);
    let names: Vec<String> = dossier
        .enrollment
        .identifiers
        .iter()
        .map(|identifier| format!("<code>{}</code>", escape(&identifier.to_string())))
        .collect();
    let mut rows = vec![
        ("Names", names.join(", ")),
        ("Asked for by", escape(&requester(view))),
        (
            "Profile",
            format!(
                "{}, version {}",
                escape(&dossier.profile),
                approval.profile_version
            ),
        ),
        (
            "Why it waits",
            list(approval.reasons.iter().map(ToString::to_string)),
        ),
        (
            "Key",
            escape(dossier.key_kind.as_deref().unwrap_or("unknown")),
        ),
        ("Rules", policy(&dossier.policy)),
        ("Last certificate", last(view)),
    ];
    let metadata = dossier.enrollment.metadata.iter();
    let metadata = list(metadata.map(|(name, value)| format!("{name}: {}", plain(value))));
    if !metadata.is_empty() {
        rows.push(("Metadata", metadata));
    }
    rows.extend([
        ("Missing approvals", approval.missing().to_string()),
        ("Asked", list(approval.asked().map(Approver::to_string))),
        ("Decide until", approval.deadline_at.to_string()),
        ("You are", escape(view.approver.as_str())),
    ]);
    let rows: String = rows
        .into_iter()
        .map(|(name, value)| format!("<tr><th>{name}</th><td>{value}</td></tr>"))
        .collect();
    format!("<table>{rows}</table>{}", form(view))
}

fn form(view: &LinkView) -> String {
    if let Some(Err(refusal)) = &view.dossier.turn {
        return format!(
            "<p class=\"note\">You cannot decide: {}.</p>",
            escape(&refusal.to_string())
        );
    }
    let button = |verdict: Verdict, value: &str, text: &str| match view.verdicts.contains(&verdict)
    {
        true => format!("<button name=\"verdict\" value=\"{value}\">{text}</button> "),
        false => String::new(),
    };
    format!(
        "<form method=\"post\"><p><label>Reason (needed to deny; whoever asked is shown it)<br>\
         <textarea name=\"reason\" rows=\"3\" maxlength=\"1000\"></textarea></label></p>\
         {}{}</form>",
        button(Verdict::Approve, "approve", "Approve"),
        button(Verdict::Deny, "deny", "Deny"),
    )
}

fn requester(view: &LinkView) -> String {
    use domain::enrollment::Requester;
    match &view.dossier.enrollment.requester {
        Requester::AcmeAccount { account, .. } => format!("ACME account {account}"),
        Requester::User { user } => user.to_string(),
        Requester::Token { token } => format!("token {token}"),
        Requester::Client { proof, .. } => format!("client {}", proof.id()),
        Requester::System => "this server".to_owned(),
    }
}

fn policy(outcome: &PolicyOutcome) -> String {
    match outcome {
        PolicyOutcome::Allowed {
            not_after, issuer, ..
        } => format!("allowed; {} would sign, until {not_after}", escape(issuer)),
        PolicyOutcome::Violations(violations) => {
            let texts = violations.iter().map(|violation| violation.text());
            format!("not allowed: {}", list(texts))
        }
        PolicyOutcome::Unknown(reason) => escape(reason),
    }
}

fn last(view: &LinkView) -> String {
    match &view.dossier.last {
        None => "none for exactly these names".to_owned(),
        Some((last, differences)) if differences.is_empty() => {
            format!("{}, nothing differs", last.id)
        }
        Some((last, differences)) => {
            let texts = differences
                .iter()
                .map(|d| format!("{}: {} instead of {}", d.what, d.now, d.before));
            format!("{}; different: {}", last.id, list(texts))
        }
    }
}

fn list(texts: impl Iterator<Item = String>) -> String {
    let texts: Vec<String> = texts.map(|text| escape(&text)).collect();
    texts.join("<br>")
}

fn plain(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        Ok(value) => value.to_string(),
        Err(_) => String::new(),
    }
}

fn refused(error: &DecideError) -> Response {
    let (status, title) = match error {
        DecideError::Link(_) | DecideError::Unknown(_) => {
            (StatusCode::NOT_FOUND, "This link decides nothing")
        }
        DecideError::NoReason | DecideError::LongReason => {
            (StatusCode::BAD_REQUEST, "Not decided yet")
        }
        DecideError::NotEntitled(_) => (StatusCode::FORBIDDEN, "Not yours to decide"),
        DecideError::NotPending(_)
        | DecideError::Changed
        | DecideError::Gone(_)
        | DecideError::Expired => (StatusCode::CONFLICT, "Not decided"),
        DecideError::Reconsider(_) | DecideError::Store(_) => {
            tracing::error!(error = %error, "approval link not answered");
            return page(
                StatusCode::SERVICE_UNAVAILABLE,
                "Not available",
                "<p>Nothing was decided. Try again in a moment.</p>",
            );
        }
    };
    page(
        status,
        title,
        &format!("<p>{}.</p>", escape(&error.to_string())),
    )
}
