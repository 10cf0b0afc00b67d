//! `/certificates/import`: certificates that others issued come into the inventory.

use axum::Json;
use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::{Request, State};
use domain::metadata::Values;
use domain::permission::Permission;
use futures::StreamExt;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Uri};
use lifecycle::actor::Caller;
use lifecycle::inventory::import::{
    BATCH, BundleForm, Import, ImportError, ImportRules, Judged, Splitter, StreamForm, ValuesError,
    Verdict, read_bundle,
};
use protocols::rest::certificate::PASSWORD_HEADER;
use protocols::rest::inventory::{self as wire, media};
use protocols::rest::problem::ProblemKind;
use secrecy::SecretString;

use super::Verbs;
use super::access::Operator;
use super::extract::header;
use super::failure::Failure;
use super::listing::read_filter;

/// An upload that is read as it comes.
const MOST_STREAMED: usize = 64 * 1024 * 1024;
/// One that is read as a whole.
const MOST_WHOLE: usize = 8 * 1024 * 1024;
/// So many entries of a report are kept, and as many broken ones behind them.
const MOST_TOLD: usize = 1_000;

/// Forms of uploads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Stream(StreamForm),
    Bundle(BundleForm),
    Table,
}

/// Import certificates, or metadata for those that are there
///
/// The `Content-Type` says what is sent: PEM with any number of certificates, DER, PKCS #7, PKCS #12
/// (its password in the header `Certwright-Password`), or a certificate with metadata of its own in each
/// line. Private keys that come along are thrown away. Each certificate is judged by itself: new, known,
/// or broken, with the reason. A table (`text/csv`) with the columns `fingerprint`, or `serial` and
/// `issuer`, and metadata fields changes the values of certificates that are known; its columns `added`
/// and `known` count lines that changed something and that did not.
#[utoipa::path(post, path = "/api/v1/certificates/import", tag = "certificates",
    params(
        wire::ImportQuery,
        ("certwright-password" = Option<String>, Header, description = "Password of a PKCS #12 file"),
    ),
    request_body(description = "At most 64 MiB; of DER, PKCS #7, PKCS #12 and tables 8 MiB", content(
        (String = "application/x-pem-file"),
        (String = "application/pem-certificate-chain"),
        (Vec<u8> = "application/pkix-cert"),
        (Vec<u8> = "application/x-pkcs7-certificates"),
        (Vec<u8> = "application/pkcs7-mime"),
        (Vec<u8> = "application/x-pkcs12"),
        (String = "application/x-ndjson"),
        (String = "application/jsonl"),
        (String = "text/csv"),
    )),
    responses((status = 200, description = "What became of it", body = wire::ImportReport)))]
pub(crate) async fn import(
    State(verbs): State<Verbs>,
    operator: Operator,
    uri: Uri,
    headers: HeaderMap,
    request: Request,
) -> Result<Json<wire::ImportReport>, Failure> {
    let form = form(&headers)?;
    let query: wire::ImportQuery = read_filter(uri.query().unwrap_or_default())?;
    let rules = rules(&verbs, &operator, &query).await?;
    let caller = operator.caller();
    let body = request.into_body();
    if form == Form::Table {
        return table(&verbs, body, &query, &caller).await;
    }
    let mut report = Report::new(rules.dry_run);
    let mut import = verbs.begin_import(rules, &caller).await?;
    report.answer.id = Some(import.id().to_string());
    match form {
        Form::Table => {}
        Form::Stream(form) => {
            let mut body = body.into_data_stream();
            stream(&verbs, &mut import, form, &mut body, &mut report, &caller).await?;
        }
        Form::Bundle(form) => {
            let octets = whole(body).await?;
            let password = SecretString::from(header(&headers, PASSWORD_HEADER).unwrap_or(""));
            let reading =
                tokio::task::spawn_blocking(move || read_bundle(form, &octets, &password));
            let pieces = reading.await.map_err(|error| Failure::internal(&error))?;
            let mut pieces = pieces.map_err(Failure::invalid)?;
            while !pieces.is_empty() {
                let rest = pieces.split_off(pieces.len().min(BATCH));
                report.add(verbs.import(&mut import, pieces, &caller).await?);
                pieces = rest;
            }
        }
    }
    Ok(Json(report.finish(&import)))
}

/// Reads as the client sends. What was imported before something went wrong stays, and is told.
async fn stream(
    verbs: &Verbs,
    import: &mut Import,
    form: StreamForm,
    body: &mut BodyDataStream,
    report: &mut Report,
    caller: &Caller,
) -> Result<(), Failure> {
    let mut splitter = Splitter::new(form);
    let mut length = 0;
    let mut any = false;
    let mut end = loop {
        match body.next().await {
            None => break splitter.finish().map_err(|fault| fault.to_string()),
            Some(Err(error)) => break Err(format!("the upload ended early: {error}")),
            Some(Ok(chunk)) => {
                length += chunk.len();
                if length > MOST_STREAMED {
                    break Err(format!(
                        "the upload has more than {MOST_STREAMED} octets; send the rest in another"
                    ));
                }
                if let Err(fault) = splitter.push(&chunk) {
                    break Err(fault.to_string());
                }
            }
        }
        if splitter.len() >= BATCH {
            any = true;
            report.add(verbs.import(import, splitter.take(), caller).await?);
        }
    };
    let last = splitter.take();
    any |= !last.is_empty();
    report.add(verbs.import(import, last, caller).await?);
    if !any && end.is_ok() {
        end = Err("there is no certificate in the upload".to_owned());
    }
    match end {
        Ok(()) => Ok(()),
        Err(reason) if !any => Err(Failure::invalid(reason)),
        Err(reason) => {
            report.answer.stopped = Some(reason);
            Ok(())
        }
    }
}

async fn table(
    verbs: &Verbs,
    body: Body,
    query: &wire::ImportQuery,
    caller: &Caller,
) -> Result<Json<wire::ImportReport>, Failure> {
    if query.team.is_some() || query.metadata.is_some() {
        return Err(Failure::invalid(
            "a table changes certificates that are there; `team` and `metadata` are for new ones",
        ));
    }
    let dry_run = query.dry_run.unwrap_or_default();
    let octets = whole(body).await?;
    let done = verbs.import_values(&octets, dry_run, caller).await?;
    Ok(Json(wire::ImportReport {
        dry_run,
        id: None,
        added: done.changed,
        known: done.unchanged,
        broken: done.broken,
        keys_dropped: 0,
        stopped: None,
        entries: done.lines.into_iter().map(entry).collect(),
    }))
}

async fn whole(body: Body) -> Result<Bytes, Failure> {
    axum::body::to_bytes(body, MOST_WHOLE).await.map_err(|_| {
        Failure::new(
            ProblemKind::TooLarge,
            format!("the upload has more than {MOST_WHOLE} octets, or ended early"),
        )
    })
}

fn form(headers: &HeaderMap) -> Result<Form, Failure> {
    let text = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = text.and_then(|text| text.split(';').next()).unwrap_or("");
    let essence = essence.trim().to_ascii_lowercase();
    match essence.as_str() {
        media::PEM | media::PEM_CHAIN => Ok(Form::Stream(StreamForm::Pem)),
        media::LINES | media::JSONL => Ok(Form::Stream(StreamForm::Lines)),
        media::DER => Ok(Form::Bundle(BundleForm::Der)),
        media::PKCS7 | media::PKCS7_MIME => Ok(Form::Bundle(BundleForm::Pkcs7)),
        media::PKCS12 => Ok(Form::Bundle(BundleForm::Pkcs12)),
        media::CSV => Ok(Form::Table),
        _ => Err(Failure::new(
            ProblemKind::UnsupportedMediaType,
            "say by `Content-Type` what is sent: application/x-pem-file, application/pkix-cert, \
             application/x-pkcs7-certificates, application/x-pkcs12, application/x-ndjson or text/csv",
        )),
    }
}

async fn rules(
    verbs: &Verbs,
    operator: &Operator,
    query: &wire::ImportQuery,
) -> Result<ImportRules, Failure> {
    let needed = Permission::CertificatesImport;
    let team = verbs
        .choose_team(operator.rights(), needed, query.team.as_deref())
        .await?;
    let metadata: Values = match &query.metadata {
        None => Values::new(),
        Some(text) => serde_json::from_str(text).map_err(|error| {
            Failure::invalid(format!(
                "`metadata` is a JSON object of texts, as in {{\"billing\": \"4711\"}}: {error}"
            ))
        })?,
    };
    Ok(ImportRules {
        team,
        metadata,
        dry_run: query.dry_run.unwrap_or_default(),
    })
}

/// A report that grows, within bounds.
struct Report {
    answer: wire::ImportReport,
    broken_told: usize,
}

impl Report {
    fn new(dry_run: bool) -> Self {
        Self {
            answer: wire::ImportReport {
                dry_run,
                ..wire::ImportReport::default()
            },
            broken_told: 0,
        }
    }

    fn add(&mut self, judged: Vec<Judged>) {
        for judged in judged {
            let is_broken = match judged.verdict {
                Verdict::New(_) => {
                    self.answer.added += 1;
                    false
                }
                Verdict::Known(_) => {
                    self.answer.known += 1;
                    false
                }
                Verdict::Broken(_) => {
                    self.answer.broken += 1;
                    true
                }
            };
            if self.answer.entries.len() < MOST_TOLD {
                self.answer.entries.push(entry(judged));
            } else if is_broken && self.broken_told < MOST_TOLD {
                self.broken_told += 1;
                self.answer.entries.push(entry(judged));
            }
        }
    }

    fn finish(mut self, import: &Import) -> wire::ImportReport {
        self.answer.keys_dropped = import.secrets() as u64;
        self.answer
    }
}

fn entry(judged: Judged) -> wire::ImportEntry {
    let (verdict, certificate, reason) = match judged.verdict {
        Verdict::New(id) => (wire::ImportVerdict::New, Some(id.to_string()), None),
        Verdict::Known(id) => (wire::ImportVerdict::Known, Some(id.to_string()), None),
        Verdict::Broken(reason) => (wire::ImportVerdict::Broken, None, Some(reason)),
    };
    let said = judged.certificate.as_ref();
    wire::ImportEntry {
        place: judged.place,
        verdict,
        certificate,
        reason,
        subject: said.map(|said| said.subject.clone()),
        names: said.map(|said| said.names.clone()).unwrap_or_default(),
        issuer_name: said.map(|said| said.issuer_name.clone()),
        fingerprint: said.map(|said| said.fingerprint),
        not_after: said.map(|said| said.not_after),
        chain: said.map(|said| said.chain as u64),
        own: said.map(|said| said.is_ours),
        weak_key: said.map(|said| said.is_weak),
    }
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Store(error) => error.into(),
            ImportError::Forbidden => Self::forbidden(error.to_string()),
            ImportError::Metadata(faults) => Self::invalid(faults.join("; ")).with_faults(faults),
            ImportError::Stopped => Self::internal(&error),
        }
    }
}

impl From<ValuesError> for Failure {
    fn from(error: ValuesError) -> Self {
        match error {
            ValuesError::Store(error) => error.into(),
            ValuesError::Table(_) | ValuesError::Columns | ValuesError::TooMany => {
                Self::invalid(error.to_string())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_content_type_says_what_is_sent() {
        for (text, expected) in [
            (
                "application/x-pem-file",
                Some(Form::Stream(StreamForm::Pem)),
            ),
            ("Text/CSV; charset=utf-8", Some(Form::Table)),
            (
                "application/x-pkcs12",
                Some(Form::Bundle(BundleForm::Pkcs12)),
            ),
            ("application/json", None),
        ] {
            let headers = [(CONTENT_TYPE, HeaderValue::from_static(text))];
            assert_eq!(
                form(&headers.into_iter().collect()).ok(),
                expected,
                "{text}"
            );
        }
        assert!(form(&HeaderMap::new()).is_err());
    }
}
