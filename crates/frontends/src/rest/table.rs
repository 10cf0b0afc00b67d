//! Certificates as lines of a table (CSV, RFC 4180), for people with spreadsheets.

use protocols::rest::certificate::{Certificate, CertificateOrigin, CertificateStatus};

const COLUMNS: [&str; 20] = [
    "id",
    "status",
    "names",
    "subject",
    "serial",
    "fingerprint",
    "not_before",
    "not_after",
    "key_kind",
    "weak_key",
    "issuer",
    "issuer_name",
    "origin",
    "profile",
    "team",
    "account",
    "replaced_by",
    "revoked_at",
    "created_at",
    "metadata",
];

/// The line that names the columns.
pub(crate) fn header() -> String {
    format!("{}\r\n", COLUMNS.join(","))
}

/// One certificate's line.
pub(crate) fn write(out: &mut Vec<u8>, certificate: &Certificate) {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let metadata: Vec<String> = certificate
        .metadata
        .iter()
        .map(|(field, value)| format!("{field}={value}"))
        .collect();
    let revoked = certificate.revocation.map(|r| r.at.to_string());
    let cells: [String; COLUMNS.len()] = [
        certificate.id.clone(),
        status(certificate.status).to_owned(),
        certificate.names.join(" "),
        certificate.subject.clone(),
        certificate.serial.to_string(),
        certificate.fingerprint.to_string(),
        certificate.not_before.to_string(),
        certificate.not_after.to_string(),
        certificate.key_kind.clone(),
        certificate.weak_key.to_string(),
        text(&certificate.issuer),
        certificate.issuer_name.clone(),
        origin(certificate.origin).to_owned(),
        text(&certificate.profile),
        text(&certificate.team),
        text(&certificate.account),
        text(&certificate.replaced_by),
        revoked.unwrap_or_default(),
        certificate.created_at.to_string(),
        metadata.join("; "),
    ];
    for (place, cell) in cells.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        write_cell(out, cell);
    }
    out.extend_from_slice(b"\r\n");
}

/// A spreadsheet computes what begins with one of these signs, and a stranger chose these texts: such a
/// cell is made a text by an apostrophe.
fn write_cell(out: &mut Vec<u8>, cell: &str) {
    let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let is_quoted = is_formula || cell.contains(['"', ',', '\r', '\n']);
    if is_quoted {
        out.push(b'"');
    }
    if is_formula {
        out.push(b'\'');
    }
    out.extend_from_slice(cell.replace('"', "\"\"").as_bytes());
    if is_quoted {
        out.push(b'"');
    }
}

fn status(status: CertificateStatus) -> &'static str {
    match status {
        CertificateStatus::NotYetValid => "not-yet-valid",
        CertificateStatus::Valid => "valid",
        CertificateStatus::Expired => "expired",
        CertificateStatus::Revoked => "revoked",
    }
}

fn origin(origin: CertificateOrigin) -> &'static str {
    match origin {
        CertificateOrigin::Issued => "issued",
        CertificateOrigin::Discovered => "discovered",
        CertificateOrigin::Imported => "imported",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn u1_a_cell_is_a_text_whatever_it_begins_with() {
        for (cell, written) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("=1+1", "\"'=1+1\""),
            ("+49", "\"'+49\""),
            ("-1", "\"'-1\""),
            ("@cmd", "\"'@cmd\""),
            ("\t=1", "\"'\t=1\""),
            ("a=b", "a=b"),
        ] {
            let mut out = Vec::new();
            write_cell(&mut out, cell);
            assert_eq!(String::from_utf8(out).unwrap(), written);
        }
    }
}
