//! `/profiles/{name}/explain`: what would be decided on a request, and why.

use axum::Json;
use axum::extract::State;
use domain::identifier::Identifier;
use domain::permission::Permission;
use domain::policy::{Outcome, Step};
use domain::profile::Profile;
use lifecycle::issuance::explain::{ExplainRequest, Explanation, Verdict};
use pki::certificate::CertificateContent;
use pki::csr::Csr;
use pki::name::{DistinguishedName, GeneralName};
use protocols::acme::jwk::Jwk;
use protocols::rest::profile as wire;

use super::Verbs;
use super::access::Operator;
use super::extract::{Body, Named};
use super::failure::Failure;
use super::key_evidence;
use super::profile_versions::{current, find};

/// What a profile would decide on a request, rule by rule
///
/// Nothing is issued and nothing is written. Give a CSR, or names, or both.
#[utoipa::path(post, path = "/api/v1/profiles/{name}/explain", tag = "profiles",
    params(("name" = String, Path, description = "Name of the profile")),
    request_body = wire::ExplainRequest,
    responses((status = 200, description = "The decision and its reasons", body = wire::Explanation)))]
pub(crate) async fn explain(
    State(verbs): State<Verbs>,
    operator: Operator,
    Named(name): Named<String>,
    Body(asked): Body<wire::ExplainRequest>,
) -> Result<Json<wire::Explanation>, Failure> {
    let newest = current(&verbs, &operator, &name).await?;
    let profile = match asked.version {
        Some(version) => find(&verbs, &newest, version).await?,
        None => newest,
    };
    let team = match &asked.team {
        Some(wanted) => {
            let rights = operator.rights();
            verbs
                .choose_team(rights, Permission::PolicyRead, Some(wanted))
                .await?
        }
        None => None,
    };
    let csr = asked.csr.as_deref().map(read_csr).transpose()?;
    let request = ExplainRequest {
        key_thumbprint: csr.as_ref().and_then(thumbprint),
        csr,
        identifiers: read_names(&asked.names)?,
        subject: asked.subject.as_deref().map(read_subject).transpose()?,
        validity_seconds: asked.validity_seconds,
        not_before: asked.not_before,
        not_after: asked.not_after,
        key_evidence: asked
            .key_evidence
            .as_ref()
            .map(key_evidence::read)
            .transpose()?,
        metadata: asked.metadata,
        team,
        profile: profile.clone(),
    };
    let explanation = verbs.explain(request, &operator.caller()).await?;
    Ok(Json(render(&profile, &explanation)))
}

fn read_csr(text: &str) -> Result<Csr, Failure> {
    let invalid = |error: &dyn std::fmt::Display| {
        Failure::invalid(format!(
            "`csr` cannot be read: {error}; send a PKCS#10 request in PEM"
        ))
    };
    let found = pki::pem::decode_all(pki::pem::CERTIFICATE_REQUEST, text.as_bytes())
        .map_err(|error| invalid(&error))?;
    match found.as_slice() {
        [der] => Csr::from_der(der).map_err(|error| invalid(&error)),
        _ => Err(invalid(&"there is not exactly one in it")),
    }
}

fn read_names(texts: &[String]) -> Result<Vec<Identifier>, Failure> {
    if texts.len() > MAX_NAMES {
        return Err(Failure::invalid("more than 1000 names are asked for"));
    }
    let mut names = Vec::with_capacity(texts.len());
    let mut faults = Vec::new();
    for (position, text) in texts.iter().enumerate() {
        match Identifier::from_text(&canonical(text)) {
            Ok(name) if names.contains(&name) => {
                faults.push(format!("names[{position}]: {name} is named twice"));
            }
            Ok(name) => names.push(name),
            Err(error) => faults.push(format!("names[{position}]: {error}")),
        }
    }
    match faults.is_empty() {
        true => Ok(names),
        false => Err(Failure::invalid(faults.join("; ")).with_faults(faults)),
    }
}

/// Host names are taken in any case, as people write them; mailboxes and URIs keep theirs.
fn canonical(text: &str) -> String {
    match text.parse::<std::net::IpAddr>() {
        Ok(address) => address.to_string(),
        Err(_) if text.contains(['@', ':']) => text.to_owned(),
        Err(_) => text.trim_end_matches('.').to_ascii_lowercase(),
    }
}

fn read_subject(text: &str) -> Result<DistinguishedName, Failure> {
    DistinguishedName::parse(text).map_err(|error| Failure::invalid(format!("`subject`: {error}")))
}

fn thumbprint(csr: &Csr) -> Option<String> {
    let jwk = Jwk::from_spki_der(csr.public_key.spki_der()).ok()?;
    Some(jwk.thumbprint().to_string())
}

fn render(profile: &Profile, explanation: &Explanation) -> wire::Explanation {
    wire::Explanation {
        profile: profile.name.clone(),
        version: profile.version,
        verdict: match explanation.verdict {
            Verdict::Approved => wire::Verdict::Approved,
            Verdict::Rejected => wire::Verdict::Rejected,
            Verdict::Unavailable => wire::Verdict::Unavailable,
        },
        steps: explanation.steps.iter().map(render_step).collect(),
        issuer: explanation.issuer.clone(),
        certificate: explanation.certificate.as_deref().map(render_content),
    }
}

fn render_step(step: &Step) -> wire::Step {
    wire::Step {
        rule: step.rule.clone(),
        outcome: match step.outcome {
            Outcome::Passed => wire::Outcome::Passed,
            Outcome::Failed => wire::Outcome::Failed,
            Outcome::NotApplicable => wire::Outcome::NotApplicable,
        },
        message: step.message.clone(),
        fix: step.fix.clone(),
        name: step.identifier.as_ref().map(Identifier::value),
    }
}

fn render_content(content: &CertificateContent) -> wire::ExplainedCertificate {
    let texts = |list: &mut dyn Iterator<Item = String>| list.collect();
    wire::ExplainedCertificate {
        subject: content.subject.to_string(),
        names: texts(&mut content.subject_alt_names.iter().map(GeneralName::to_string)),
        not_before: content.not_before,
        not_after: content.not_after,
        key: content.public_key.kind().to_string(),
        key_usage: texts(&mut content.key_usage.names().map(str::to_owned)),
        extended_key_usage: texts(&mut content.extended_key_usage.iter().map(ToString::to_string)),
        certificate_policies: content.certificate_policies.clone(),
        must_staple: content.must_staple,
        crl_urls: content.crl_urls.clone(),
        ocsp_urls: content.ocsp_urls.clone(),
        ca_issuer_urls: content.ca_issuer_urls.clone(),
        extensions: content
            .extra_extensions
            .iter()
            .map(|extension| wire::ExplainedExtension {
                oid: extension.oid.clone(),
                critical: extension.critical,
                der: data_encoding::HEXLOWER.encode(&extension.der),
            })
            .collect(),
    }
}

const MAX_NAMES: usize = 1000;
