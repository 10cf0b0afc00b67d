//! The `issue-value` grammar of RFC 8659 section 4.2, which CAA and `dns-persist-01` share:
//! `issuer; tag=value; tag=value`.

/// An issuer's name with parameters, borrowed from the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssueValue<'a> {
    /// The issuer's domain name as written; absent where the value names nobody.
    pub issuer: Option<&'a str>,
    /// Tags and values in order, duplicates included: what they mean is up to the record.
    pub parameters: Vec<(&'a str, &'a str)>,
}

/// Why a text is not an issue value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssueValueError {
    /// The issuer is not a sequence of letter-digit-hyphen labels.
    #[error("the issuer is not a domain name in letters, digits and hyphens")]
    Issuer,
    /// A parameter without `=`, or an empty one as a trailing `;` leaves.
    #[error("a parameter does not have the form `tag=value`, or a `;` is too many")]
    Parameter,
    /// A tag that is not letters, digits and inner hyphens.
    #[error("a parameter's tag is not made of letters, digits and inner hyphens")]
    Tag,
    /// A value with characters outside 0x21-0x7E.
    #[error("a parameter's value holds a blank, a control or a non-ASCII character")]
    Value,
}

impl<'a> IssueValue<'a> {
    /// Reads a value.
    pub fn parse(text: &'a str) -> Result<Self, IssueValueError> {
        let (issuer, rest) = match text.split_once(';') {
            Some((issuer, rest)) => (trim(issuer), trim(rest)),
            None => (trim(text), ""),
        };
        let issuer = match issuer {
            "" => None,
            name if name.split('.').all(is_label) => Some(name),
            _ => return Err(IssueValueError::Issuer),
        };
        // The grammar lets the first `;` stand alone, but no later one.
        let parameters = match rest {
            "" => Vec::new(),
            list => list.split(';').map(parameter).collect::<Result<_, _>>()?,
        };
        Ok(Self { issuer, parameters })
    }

    /// The values under a tag, whatever its case.
    pub fn values_of(&self, tag: &str) -> impl Iterator<Item = &'a str> {
        self.parameters
            .iter()
            .filter(move |(found, _)| found.eq_ignore_ascii_case(tag))
            .map(|(_, value)| *value)
    }

    /// The one value under a tag, `None` where there is none, an error where there are several.
    pub fn only(&self, tag: &str) -> Result<Option<&'a str>, Duplicate> {
        let mut values = self.values_of(tag);
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            (_, Some(_)) => Err(Duplicate),
        }
    }
}

/// A tag that stands there more than once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Duplicate;

fn parameter(text: &str) -> Result<(&str, &str), IssueValueError> {
    let (tag, value) = text.split_once('=').ok_or(IssueValueError::Parameter)?;
    let (tag, value) = (trim(tag), trim(value));
    if !is_label(tag) {
        return Err(IssueValueError::Tag);
    }
    if !value.bytes().all(|octet| octet.is_ascii_graphic()) {
        return Err(IssueValueError::Value);
    }
    Ok((tag, value))
}

/// WSP of RFC 5234.
fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// Letters and digits with hyphens between them, for labels and for tags.
fn is_label(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text
            .bytes()
            .all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("", None, &[])]
    #[case(";", None, &[])]
    #[case(" ; ", None, &[])]
    #[case("ca.example", Some("ca.example"), &[])]
    #[case("\tca.example ; ", Some("ca.example"), &[])]
    #[case("CA1.example.net; account=230123", Some("CA1.example.net"), &[("account", "230123")])]
    #[case("ca.example;a=1;  b = 2 ;c=", Some("ca.example"), &[("a", "1"), ("b", "2"), ("c", "")])]
    #[case("ca.example; uri=https://a.example/?x=1", Some("ca.example"), &[("uri", "https://a.example/?x=1")])]
    #[case("; policy=none", None, &[("policy", "none")])]
    fn values_within_the_grammar_are_read(
        #[case] text: &str,
        #[case] issuer: Option<&str>,
        #[case] parameters: &[(&str, &str)],
    ) {
        let value = IssueValue::parse(text).unwrap();
        assert_eq!(value.issuer, issuer);
        assert_eq!(value.parameters, parameters);
    }

    #[rstest]
    #[case("ca.example.", IssueValueError::Issuer)]
    #[case("ca..example", IssueValueError::Issuer)]
    #[case("-ca.example", IssueValueError::Issuer)]
    #[case("ca_1.example", IssueValueError::Issuer)]
    #[case("ca.example other.example", IssueValueError::Issuer)]
    #[case("%%%%%", IssueValueError::Issuer)]
    #[case("cä.example", IssueValueError::Issuer)]
    #[case("ca.example; a=1;", IssueValueError::Parameter)]
    #[case("ca.example;; a=1", IssueValueError::Parameter)]
    #[case("ca.example; flag", IssueValueError::Parameter)]
    #[case("ca.example; =1", IssueValueError::Tag)]
    #[case("ca.example; -a=1", IssueValueError::Tag)]
    #[case("ca.example; a b=1", IssueValueError::Tag)]
    #[case("ca.example; a=1 2", IssueValueError::Value)]
    #[case("ca.example; a=\u{7f}", IssueValueError::Value)]
    #[case("ca.example; a=ä", IssueValueError::Value)]
    fn values_outside_the_grammar_are_refused(
        #[case] text: &str,
        #[case] expected: IssueValueError,
    ) {
        assert_eq!(IssueValue::parse(text), Err(expected));
    }

    proptest! {
        #[test]
        fn n07_no_text_makes_the_reader_panic(text in ".{0,64}") {
            let _ = IssueValue::parse(&text);
        }
    }
}
