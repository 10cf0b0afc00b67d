//! genm: certificates of CAs, root updates, templates, CRLs (RFC 9483 section 4.3).

use domain::profile::ProfileSpec;
use pki::asn1::{DerError, Reader, Writer, tag};
use pki::crmf::CertTemplate;
use pki::csr::RequestedExtension;
use pki::key::{KeyAlgorithm, KeyKind};
use pki::name::GeneralName;
use pki::time::Timestamp;
use protocols::cmp::{Body, CmpError, Info, info_type};

use super::receive::{Question, Reply};
use super::refusal::Refusal;

impl Question<'_> {
    /// Answers each question; what is not known is left out, as RFC 9810 section 5.3.19 allows.
    pub(super) async fn inform(self, infos: Vec<Info>) -> Result<Reply, Refusal> {
        let mut answers = Vec::new();
        for info in &infos {
            answers.extend(self.inform_one(info).await?);
        }
        Ok(Body::GeneralResponse(answers).into())
    }

    async fn inform_one(&self, info: &Info) -> Result<Option<Info>, Refusal> {
        let endpoint = self.endpoint;
        if info.is(&info_type::CA_CERTS) {
            let certificates = self.verbs.cmp_ca_certificates(endpoint).await?;
            return Ok(Some(Info::new(
                &info_type::CA_CERTS,
                sequence(&certificates),
            )));
        }
        if info.is(&info_type::ROOT_CA_CERT) {
            // No root here has a successor; the empty answer says so (RFC 9483 section 4.3.2).
            return Ok(Some(Info::new(&info_type::ROOT_CA_KEY_UPDATE, None)));
        }
        if info.is(&info_type::CERT_REQ_TEMPLATE) {
            let asked = self.message.header.cert_profile();
            let wish = self.verbs.cmp_template(endpoint, asked.as_deref()).await?;
            let value = wish.map(|wish| template(&wish.profile.spec));
            return Ok(Some(Info::new(&info_type::CERT_REQ_TEMPLATE, value)));
        }
        if info.is(&info_type::CURRENT_CRL) {
            let crls = self.verbs.cmp_crls(endpoint).await?;
            let first = crls.into_iter().next().map(|crl| crl.der);
            return Ok(Some(Info::new(&info_type::CURRENT_CRL, first)));
        }
        if info.is(&info_type::CRL_STATUS_LIST) {
            return Ok(Some(self.newer_crls(info).await?));
        }
        Ok(None)
    }

    /// The CRLs that are newer than those that the other side has.
    async fn newer_crls(&self, info: &Info) -> Result<Info, Refusal> {
        let wanted = info
            .elements()?
            .iter()
            .map(|der| Wanted::read(der))
            .collect::<Result<Vec<_>, _>>()
            .map_err(CmpError::from)?;
        let crls = self.verbs.cmp_crls(self.endpoint).await?;
        let newer: Vec<Vec<u8>> = crls
            .into_iter()
            .filter(|crl| {
                wanted.iter().any(|wanted| {
                    let suffix = format!("/pki/{}/crl", crl.issuer);
                    let is_source = wanted.sources.iter().any(|source| match source {
                        GeneralName::Directory(name) => *name == crl.subject,
                        GeneralName::Uri(url) => url.ends_with(&suffix),
                        GeneralName::Dns(_)
                        | GeneralName::Ip(_)
                        | GeneralName::Email(_)
                        | GeneralName::Other { .. } => false,
                    });
                    is_source && wanted.since.is_none_or(|since| crl.this_update > since)
                })
            })
            .map(|crl| crl.der)
            .collect();
        let value = match newer.is_empty() {
            true => None,
            false => sequence(&newer),
        };
        Ok(Info::new(&info_type::CRLS, value))
    }
}

/// One CRLStatus: whose CRL, and since when.
struct Wanted {
    sources: Vec<GeneralName>,
    since: Option<Timestamp>,
}

impl Wanted {
    fn read(der: &[u8]) -> Result<Self, DerError> {
        let mut fields = Reader::single(der)?.open(tag::SEQUENCE)?;
        let source = fields.read()?;
        let names = Reader::single(source.content)?;
        let list = match (source.tag, names.tag) {
            // dpn [0] with fullName [0], which is implicitly tagged
            (0xa0, 0xa0) | (0xa1, tag::SEQUENCE) => Reader::new(names.content),
            _ => return Err(DerError::Content("CRLSource")),
        };
        let since = match fields.is_empty() {
            true => None,
            false => Some(fields.time()?),
        };
        fields.finish()?;
        Ok(Self {
            sources: read_names(list)?,
            since,
        })
    }
}

fn read_names(mut list: Reader<'_>) -> Result<Vec<GeneralName>, DerError> {
    let mut names = Vec::new();
    while !list.is_empty() {
        names.extend(GeneralName::read(list.read()?).ok());
    }
    Ok(names)
}

fn sequence(elements: &[Vec<u8>]) -> Option<Vec<u8>> {
    Some(Writer::encode(|w| {
        w.sequence(|w| elements.iter().for_each(|element| w.raw(element)));
    }))
}

/// CertReqTemplateValue, RFC 9810 section 5.3.19.16: the usages that certificates will have, and
/// the keys that are taken.
fn template(spec: &ProfileSpec) -> Vec<u8> {
    let mut extensions = Vec::new();
    let usage = spec.key_usage_of(&kind(spec));
    if !usage.is_empty() {
        extensions.push(RequestedExtension {
            oid: pki::oid::EXT_KEY_USAGE.to_string(),
            critical: true,
            der: usage.to_der(),
        });
    }
    if let Some(der) = pki::certificate::ExtendedKeyUsage::list_to_der(&spec.extended_key_usage) {
        extensions.push(RequestedExtension {
            oid: pki::oid::EXT_EXTENDED_KEY_USAGE.to_string(),
            critical: false,
            der,
        });
    }
    let wish = CertTemplate {
        extensions,
        ..CertTemplate::default()
    };
    Writer::encode(|w| {
        w.sequence(|w| {
            wish.encode(w);
            if !spec.key_algorithms.is_empty() {
                w.sequence(|w| spec.key_algorithms.iter().for_each(|key| key_spec(w, *key)));
            }
        });
    })
}

fn kind(spec: &ProfileSpec) -> KeyKind {
    let first = spec.key_algorithms.first().copied();
    first.unwrap_or(KeyAlgorithm::EcP256).into()
}

/// id-regCtrl-algId or id-regCtrl-rsaKeyLen, RFC 9810 appendix F.
fn key_spec(w: &mut Writer, key: KeyAlgorithm) {
    let rsa = match key {
        KeyAlgorithm::Rsa2048 => Some(2048),
        KeyAlgorithm::Rsa3072 => Some(3072),
        KeyAlgorithm::Rsa4096 => Some(4096),
        KeyAlgorithm::EcP256 | KeyAlgorithm::EcP384 | KeyAlgorithm::Ed25519 => None,
    };
    w.sequence(|w| match rsa {
        Some(bits) => {
            w.tlv(tag::OID, RSA_KEY_LEN);
            w.small(bits);
        }
        None => {
            w.tlv(tag::OID, ALG_ID);
            w.sequence(|w| match key {
                KeyAlgorithm::EcP384 => {
                    w.oid(&pki::oid::EC_PUBLIC_KEY);
                    w.oid(&pki::oid::P384);
                }
                KeyAlgorithm::Ed25519 => w.oid(&pki::oid::ED25519),
                KeyAlgorithm::EcP256
                | KeyAlgorithm::Rsa2048
                | KeyAlgorithm::Rsa3072
                | KeyAlgorithm::Rsa4096 => {
                    w.oid(&pki::oid::EC_PUBLIC_KEY);
                    w.oid(&pki::oid::P256);
                }
            });
        }
    });
}

/// 1.3.6.1.5.5.7.5.1.11
const ALG_ID: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 5, 1, 11];
/// 1.3.6.1.5.5.7.5.1.12
const RSA_KEY_LEN: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 5, 1, 12];
