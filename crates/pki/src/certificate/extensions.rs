//! Writing the extensions of a certificate, RFC 5280 section 4.2.

use const_oid::ObjectIdentifier;

use super::{
    BasicConstraints, BuildError, CertificateContent, ExtendedKeyUsage, ExtraExtension, IssuerFacts,
};
use crate::asn1::{Writer, tag};
use crate::name::GeneralName;
use crate::oid;

/// The SEQUENCE of all extensions that the content asks for.
pub(super) fn encode(
    content: &CertificateContent,
    issuer: &IssuerFacts,
) -> Result<Vec<u8>, BuildError> {
    let mut writer = Writer::with_capacity(512);
    let mut written = Ok(());
    writer.sequence(|w| written = write_all(w, content, issuer));
    written.map(|()| writer.finish())
}

fn write_all(
    w: &mut Writer,
    content: &CertificateContent,
    issuer: &IssuerFacts,
) -> Result<(), BuildError> {
    basic_constraints(w, content.basic_constraints);
    if !content.key_usage.is_empty() {
        extension(w, &oid::EXT_KEY_USAGE, true, |w| {
            w.named_bits(content.key_usage.bits());
        });
    }
    extended_key_usage(w, &content.extended_key_usage)?;
    if content.subject_key_identifier {
        extension(w, &oid::EXT_SUBJECT_KEY_IDENTIFIER, false, |w| {
            w.octet_string(&content.public_key.key_identifier());
        });
    }
    authority_key_identifier(w, &issuer.key_identifier);
    name_constraints(w, content)?;
    subject_alt_names(w, &content.subject_alt_names, content.subject.is_empty())?;
    certificate_policies(w, &content.certificate_policies)?;
    crl_distribution_points(w, &content.crl_urls)?;
    authority_info_access(w, content)?;
    if content.ocsp_no_check {
        extension(w, &oid::EXT_OCSP_NO_CHECK, false, Writer::null);
    }
    if content.must_staple {
        // status_request is TLS extension 5, RFC 7633 section 6
        extension(w, &oid::EXT_TLS_FEATURE, false, |w| {
            w.sequence(|w| w.small(5));
        });
    }
    if let Some(digest) = &content.acme_identifier {
        extension(w, &oid::EXT_ACME_IDENTIFIER, true, |w| {
            w.octet_string(digest)
        });
    }
    extra_extensions(w, &content.extra_extensions)
}

/// One extension whose value `fill` writes.
pub(crate) fn extension(
    writer: &mut Writer,
    oid: &ObjectIdentifier,
    critical: bool,
    fill: impl FnOnce(&mut Writer),
) {
    writer.sequence(|w| {
        w.oid(oid);
        if critical {
            w.boolean_true();
        }
        w.octet_string_of(fill);
    });
}

/// The extension of keyid form only; issuer and serial number would tie the chain to one
/// certificate of the issuer.
pub(crate) fn authority_key_identifier(w: &mut Writer, key_identifier: &[u8]) {
    extension(w, &oid::EXT_AUTHORITY_KEY_IDENTIFIER, false, |w| {
        w.sequence(|w| w.tlv(tag::primitive(0), key_identifier));
    });
}

/// The extension subjectAltName, if there are names; critical if they are all that names the
/// subject.
pub(crate) fn subject_alt_names(
    w: &mut Writer,
    names: &[GeneralName],
    critical: bool,
) -> Result<(), BuildError> {
    if names.is_empty() {
        return Ok(());
    }
    names.iter().try_for_each(GeneralName::check)?;
    extension(w, &oid::EXT_SUBJECT_ALT_NAME, critical, |w| {
        w.sequence(|w| names.iter().for_each(|name| name.encode(w)));
    });
    Ok(())
}

fn extra_extensions(w: &mut Writer, extras: &[ExtraExtension]) -> Result<(), BuildError> {
    for extra in extras {
        let kind = oid::from_text(&extra.oid).ok_or_else(|| BuildError::Oid(extra.oid.clone()))?;
        w.sequence(|w| {
            w.tlv(tag::OID, &kind);
            if extra.critical {
                w.boolean_true();
            }
            w.octet_string(&extra.der);
        });
    }
    Ok(())
}

fn basic_constraints(w: &mut Writer, constraints: BasicConstraints) {
    extension(w, &oid::EXT_BASIC_CONSTRAINTS, true, |w| {
        w.sequence(|w| match constraints {
            BasicConstraints::EndEntity => (),
            BasicConstraints::Ca { path_len } => {
                w.boolean_true();
                if let Some(length) = path_len {
                    w.small(length.into());
                }
            }
        });
    });
}

fn extended_key_usage(w: &mut Writer, purposes: &[ExtendedKeyUsage]) -> Result<(), BuildError> {
    if purposes.is_empty() {
        return Ok(());
    }
    let oids = purposes
        .iter()
        .map(|purpose| {
            purpose
                .oid_content()
                .ok_or_else(|| BuildError::Oid(purpose.to_string()))
        })
        .collect::<Result<Vec<_>, _>>()?;
    extension(w, &oid::EXT_EXTENDED_KEY_USAGE, false, |w| {
        w.sequence(|w| oids.iter().for_each(|oid| w.tlv(tag::OID, oid)));
    });
    Ok(())
}

fn name_constraints(w: &mut Writer, content: &CertificateContent) -> Result<(), BuildError> {
    let Some(constraints) = &content.name_constraints else {
        return Ok(());
    };
    if constraints.is_empty() {
        return Err(BuildError::EmptyNameConstraints);
    }
    constraints.check()?;
    extension(w, &oid::EXT_NAME_CONSTRAINTS, true, |w| {
        constraints.encode(w)
    });
    Ok(())
}

fn certificate_policies(w: &mut Writer, policies: &[String]) -> Result<(), BuildError> {
    if policies.is_empty() {
        return Ok(());
    }
    let oids = policies
        .iter()
        .map(|policy| oid::from_text(policy).ok_or_else(|| BuildError::Oid(policy.clone())))
        .collect::<Result<Vec<_>, _>>()?;
    extension(w, &oid::EXT_CERTIFICATE_POLICIES, false, |w| {
        w.sequence(|w| {
            for oid in &oids {
                w.sequence(|w| w.tlv(tag::OID, oid));
            }
        });
    });
    Ok(())
}

fn crl_distribution_points(w: &mut Writer, urls: &[String]) -> Result<(), BuildError> {
    if urls.is_empty() {
        return Ok(());
    }
    urls.iter().try_for_each(|url| check_url(url))?;
    extension(w, &oid::EXT_CRL_DISTRIBUTION_POINTS, false, |w| {
        w.sequence(|w| {
            for url in urls {
                w.sequence(|w| distribution_point(w, url));
            }
        });
    });
    Ok(())
}

/// `distributionPoint [0] { fullName [0] { uniformResourceIdentifier } }`
pub(crate) fn distribution_point(w: &mut Writer, url: &str) {
    w.constructed(0, |w| {
        w.constructed(0, |w| w.tlv(tag::primitive(6), url.as_bytes()));
    });
}

fn authority_info_access(w: &mut Writer, content: &CertificateContent) -> Result<(), BuildError> {
    let ocsp = content.ocsp_urls.iter().map(|url| (oid::ACCESS_OCSP, url));
    let issuers = content
        .ca_issuer_urls
        .iter()
        .map(|url| (oid::ACCESS_CA_ISSUERS, url));
    let mut accesses = ocsp.chain(issuers).peekable();
    if accesses.peek().is_none() {
        return Ok(());
    }
    accesses.clone().try_for_each(|(_, url)| check_url(url))?;
    extension(w, &oid::EXT_AUTHORITY_INFO_ACCESS, false, |w| {
        w.sequence(|w| {
            for (method, url) in accesses {
                w.sequence(|w| {
                    w.oid(&method);
                    w.tlv(tag::primitive(6), url.as_bytes());
                });
            }
        });
    });
    Ok(())
}

pub(crate) fn check_url(url: &str) -> Result<(), BuildError> {
    if !url.is_empty() && url.bytes().all(|octet| octet.is_ascii_graphic()) {
        Ok(())
    } else {
        Err(BuildError::Url(url.to_owned()))
    }
}
