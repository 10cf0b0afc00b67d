//! HTTP/1.1 answers (RFC 9112 sections 4 to 7), parsed when they are complete.

use crate::der::position;

/// Nothing an ACME server or an OCSP responder answers is longer.
pub const MAX_ANSWER: usize = 1 << 20;

/// This is not HTTP/1.1, or not in a form that these servers have reason to use.
#[derive(Debug, thiserror::Error)]
#[error("malformed HTTP answer: {0}")]
pub struct Malformed(&'static str);

/// A complete answer.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The status line and the header lines.
    head: String,
    /// The whole body, without its transfer coding.
    pub body: Vec<u8>,
}

impl Answer {
    /// An answer that a test makes up.
    #[cfg(test)]
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            head: String::new(),
            body: body.into(),
        }
    }

    /// A header's value; `name` in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    /// Status 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether another request may follow on the same connection (RFC 9112 section 9.3).
    pub fn keeps_connection(&self) -> bool {
        match self.header("connection") {
            Some(option) => !option.eq_ignore_ascii_case("close"),
            None => self.head.starts_with("HTTP/1.1"),
        }
    }
}

/// The answer that `octets` are; `None` while something is still missing. An answer to HEAD is `without_body`.
pub fn parse(octets: &[u8], without_body: bool) -> Result<Option<Answer>, Malformed> {
    let Some((head, rest)) = split(octets, b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(head).map_err(|_| Malformed("its head is not text"))?;
    let status = status(head).ok_or(Malformed("it has no status"))?;
    let body = match (
        header(head, "content-length"),
        header(head, "transfer-encoding"),
    ) {
        _ if without_body || status == 204 => Some(Vec::new()),
        (_, Some(coding)) if coding.eq_ignore_ascii_case("chunked") => unchunk(rest)?,
        (Some(length), None) => {
            let length = length
                .parse()
                .map_err(|_| Malformed("its length is no number"))?;
            rest.get(..length).map(<[u8]>::to_vec)
        }
        _ => return Err(Malformed("its length is unknown")),
    };
    Ok(body.map(|body| Answer {
        status,
        head: head.to_owned(),
        body,
    }))
}

fn status(head: &str) -> Option<u16> {
    let version_and_rest = head.strip_prefix("HTTP/1.")?;
    version_and_rest.split(' ').nth(1)?.parse().ok()
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.split("\r\n")
        .skip(1)
        .filter_map(|line| line.split_once(':'))
        .find(|(candidate, _)| candidate.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}

/// RFC 9112 section 7.1; extensions and trailers are passed over.
fn unchunk(mut rest: &[u8]) -> Result<Option<Vec<u8>>, Malformed> {
    let mut body = Vec::new();
    // Every round takes a chunk off the rest, so this ends.
    loop {
        let Some((line, after)) = split(rest, b"\r\n") else {
            return Ok(None);
        };
        let length = chunk_length(line).ok_or(Malformed("a chunk's length is no number"))?;
        if length == 0 {
            // Trailers, or at once the empty line that ends them.
            let complete = after.starts_with(b"\r\n") || position(after, b"\r\n\r\n").is_some();
            return Ok(complete.then_some(body));
        }
        let (Some(chunk), Some(following)) = (after.get(..length), after.get(length + 2..)) else {
            return Ok(None);
        };
        body.extend_from_slice(chunk);
        rest = following;
    }
}

fn chunk_length(line: &[u8]) -> Option<usize> {
    let digits = std::str::from_utf8(line).ok()?.split(';').next()?;
    let length = usize::from_str_radix(digits.trim(), 16).ok()?;
    (length <= MAX_ANSWER).then_some(length)
}

fn split<'a>(octets: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = position(octets, separator)?;
    Some((octets.get(..at)?, octets.get(at + separator.len()..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parses the whole, after making sure that no beginning of it passes for a whole.
    fn whole(text: &str) -> Answer {
        for end in 0..text.len() {
            assert!(
                parse(&text.as_bytes()[..end], false).unwrap().is_none(),
                "{end}"
            );
        }
        parse(text.as_bytes(), false).unwrap().unwrap()
    }

    #[test]
    fn an_answer_with_a_length_is_complete_when_its_last_octet_is_there() {
        let answer =
            whole("HTTP/1.1 201 Created\r\nReplay-Nonce: abc\r\ncontent-length: 2\r\n\r\n{}");
        assert_eq!((answer.status, answer.body.as_slice()), (201, &b"{}"[..]));
        assert_eq!(answer.header("replay-nonce"), Some("abc"));
        assert_eq!(answer.header("Location"), None);
        assert!(answer.is_success() && answer.keeps_connection());
    }

    #[test]
    fn chunks_are_put_together() {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
        for ending in ["0\r\n\r\n", "0\r\nTrailer: x\r\n\r\n"] {
            let answer = whole(&format!(
                "{head}3\r\nabc\r\nA;x=y\r\n0123456789\r\n{ending}"
            ));
            assert_eq!(answer.body, b"abc0123456789");
            assert!(!answer.keeps_connection());
        }
    }

    #[test]
    fn an_answer_to_head_has_no_body_whatever_its_length_says() {
        let answer = parse(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", true);
        assert_eq!(answer.unwrap().unwrap().body, b"");
    }

    #[test]
    fn what_is_not_http_is_refused() {
        for text in [
            "SSH-2.0\r\n\r\n",
            "HTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
        ] {
            assert!(parse(text.as_bytes(), false).is_err(), "{text}");
        }
    }
}
