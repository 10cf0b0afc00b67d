//! A name server (RFC 1035) for which every name has the address 127.0.0.1 and no other record.

use std::io;
use std::net::SocketAddr;

use tokio::net::UdpSocket;

const HEADER: usize = 12;
const TYPE_A: u16 = 1;
const TYPE_SOA: u16 = 6;
const CLASS_IN: u16 = 1;
/// How long an answer may be cached. Every order has a name of its own, so nothing is asked twice.
const TTL: u32 = 60;

/// Binds `address` and answers there until the program ends.
pub async fn start(address: SocketAddr) -> io::Result<()> {
    let socket = UdpSocket::bind(address).await?;
    tokio::spawn(async move {
        // EDNS allows longer questions than RFC 1035 does, but no name is longer than 255 octets.
        let mut buffer = [0; 1232];
        loop {
            // An error here is a previous answer's "port unreachable": the asker gave up, the next one has not.
            let Ok((length, peer)) = socket.recv_from(&mut buffer).await else {
                continue;
            };
            if let Some(answer) = buffer.get(..length).and_then(answer) {
                let _ = socket.send_to(&answer, peer).await;
            }
        }
    });
    Ok(())
}

/// The answer to `query`: an address for type A, an authoritative "no such record" (RFC 2308 section 2.2) for any
/// other type. `None` where there is nothing to answer. An EDNS record in the query is passed over, which RFC 6891
/// section 7 allows to a server without extensions.
fn answer(query: &[u8]) -> Option<Vec<u8>> {
    let (&[id_high, id_low, flags, ..], body) = query.split_first_chunk::<HEADER>()?;
    let is_response = flags & 0x80 != 0;
    let name_length = name_length(body)?;
    let question = body.get(..name_length + 4)?;
    if is_response {
        return None;
    }
    let has_address =
        question.get(name_length..)? == [TYPE_A.to_be_bytes(), CLASS_IN.to_be_bytes()].concat();

    let mut out = Vec::with_capacity(HEADER + question.len() + 40);
    // QR, the opcode and RD as asked, AA; then RA, no error; one question, one answer or one authority record.
    out.extend([id_high, id_low, 0x84 | (flags & 0x79), 0x80]);
    let (answers, authorities) = if has_address { (1, 0) } else { (0, 1) };
    out.extend([0, 1, 0, answers, 0, authorities, 0, 0]);
    out.extend(question);
    if has_address {
        // The owner is a pointer to the question's name, which begins right after the header.
        out.extend([0xc0, 0x0c]);
        record(&mut out, TYPE_A, &[127, 0, 0, 1]);
    } else {
        // The root zone's SOA, so that resolvers may cache the absence: two root names and five numbers.
        out.push(0);
        let mut soa = vec![0, 0];
        soa.extend([1, TTL, TTL, TTL, TTL].iter().flat_map(|n| n.to_be_bytes()));
        record(&mut out, TYPE_SOA, &soa);
    }
    Some(out)
}

fn record(out: &mut Vec<u8>, kind: u16, data: &[u8]) {
    out.extend(kind.to_be_bytes());
    out.extend(CLASS_IN.to_be_bytes());
    out.extend(TTL.to_be_bytes());
    out.extend(u16::try_from(data.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.extend(data);
}

/// How many octets the uncompressed name at the start of `body` takes, its final zero included.
fn name_length(body: &[u8]) -> Option<usize> {
    let mut at = 0;
    // A name has at most 127 labels (RFC 1035 section 2.3.4).
    for _ in 0..128 {
        match *body.get(at)? {
            0 => return Some(at + 1),
            length @ 1..=63 => at += 1 + usize::from(length),
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a.bc`, of this type, with an EDNS record behind it.
    fn query(kind: u8) -> Vec<u8> {
        let mut query = vec![0xab, 0xcd, 0x01, 0x20, 0, 1, 0, 0, 0, 0, 0, 1];
        query.extend([1, b'a', 2, b'b', b'c', 0, 0, kind, 0, 1]);
        query.extend([0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0]);
        query
    }

    #[test]
    fn an_address_question_is_answered_with_loopback() {
        let answer = answer(&query(1)).unwrap();
        assert_eq!(
            answer[..12],
            [0xab, 0xcd, 0x85, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]
        );
        assert!(answer.ends_with(&[0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]));
    }

    #[test]
    fn any_other_question_has_no_record_and_says_so_with_authority() {
        for kind in [16, 28] {
            let answer = answer(&query(kind)).unwrap();
            assert_eq!(answer[2..12], [0x85, 0x80, 0, 1, 0, 0, 0, 1, 0, 0]);
            assert_eq!(answer[22..25], [0, 0, 6]);
            assert_eq!(answer.len(), 12 + 10 + 11 + 22);
        }
    }

    #[test]
    fn damaged_questions_and_answers_get_no_answer() {
        let whole = query(1);
        for end in 0..22 {
            assert_eq!(answer(&whole[..end]), None);
        }
        let mut response = whole.clone();
        response[2] |= 0x80;
        assert_eq!(answer(&response), None);
        let mut compressed = whole;
        compressed[12] = 0xc0;
        assert_eq!(answer(&compressed), None);
    }
}
