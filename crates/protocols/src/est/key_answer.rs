//! The answer of `serverkeygen`: a private key and its certificate, in two parts (RFC 7030 section 4.4.2).

use super::body;

/// The two parts, each in DER.
#[derive(Clone, Copy, Debug)]
pub struct KeyAnswer<'a> {
    /// The media type of the key.
    pub key_type: &'a str,
    /// PKCS #8, or the message that it is encrypted in.
    pub key: &'a [u8],
    /// The bundle with the certificate.
    pub certificates: &'a [u8],
}

/// The media type of the answer with this boundary.
pub fn content_type(boundary: &str) -> String {
    format!("multipart/mixed; boundary={boundary}")
}

impl KeyAnswer<'_> {
    /// The body. The boundary stands in no base64: it has hyphens.
    pub fn to_body(self, boundary: &str) -> String {
        let part = |media_type: &str, der: &[u8]| {
            format!(
                "--{boundary}\r\nContent-Type: {media_type}\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n",
                body::encode(der),
            )
        };
        format!(
            "{}{}--{boundary}--\r\n",
            part(self.key_type, self.key),
            part(super::CERTS_ONLY, self.certificates),
        )
    }
}

/// The decoded parts of such a body, with their media types.
pub fn parts(content_type: &str, text: &str) -> Option<Vec<(String, Vec<u8>)>> {
    let boundary = content_type
        .split(';')
        .filter_map(|parameter| parameter.trim().strip_prefix("boundary="))
        .next()?
        .trim_matches('"');
    let delimiter = format!("--{boundary}");
    let mut found = Vec::new();
    for part in text.split(&delimiter).skip(1) {
        if part.starts_with("--") {
            return Some(found);
        }
        let part = part.trim_start_matches(['\r', '\n']);
        let (headers, content) = part
            .split_once("\r\n\r\n")
            .or_else(|| part.split_once("\n\n"))?;
        let media_type = headers.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-type")
                .then(|| value.trim().to_owned())
        })?;
        found.push((media_type, body::decode(content.as_bytes()).ok()?));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_parts_read_back() {
        let answer = KeyAnswer {
            key_type: crate::est::PKCS8,
            key: &[7; 100],
            certificates: &[8; 200],
        };
        let body = answer.to_body("part-1");
        let read = parts(&content_type("part-1"), &body).unwrap();
        assert_eq!(read[0], (crate::est::PKCS8.to_owned(), vec![7; 100]));
        assert_eq!(read[1], (crate::est::CERTS_ONLY.to_owned(), vec![8; 200]));
        assert!(parts(&content_type("part-1"), &body[..100]).is_none());
    }
}
