//! NTLMv2 over HTTP ([MS-NLMP], [MS-NTHT]) as a client: three messages, bound to the TLS connection
//! (RFC 5929) and protected by a message integrity code. NTLMv1 and LM are never answered.
//!
//! MD4 and MD5 are what the protocol is made of; nothing else here uses them.

use hmac::{Hmac, KeyInit, Mac};
use md4::{Digest, Md4};
use md5::Md5;
use pki::time::Timestamp;
use zeroize::Zeroizing;

const SIGNATURE: &[u8; 8] = b"NTLMSSP\0";
/// Unicode, a target, NTLM, signing, extended session security, target information, 128 and 56 bits.
const FLAGS: u32 = 0xa088_8205;
const TARGET_INFO: u32 = 0x0080_0000;
/// Where the payload of the third message begins.
const HEAD: usize = 88;
const MIC_AT: usize = 72;
/// Seconds between 1601 and 1970.
const EPOCH_SECONDS: i64 = 11_644_473_600;

/// Who asks.
pub struct NtlmUser<'a> {
    pub name: &'a str,
    pub domain: &'a str,
    pub password: &'a str,
}

/// A second message that cannot be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server's NTLM challenge is malformed, or offers nothing newer than NTLMv1")]
pub struct NtlmError;

/// The first message.
pub fn negotiate() -> Vec<u8> {
    let mut message = SIGNATURE.to_vec();
    message.extend(1_u32.to_le_bytes());
    message.extend(FLAGS.to_le_bytes());
    message.extend([0; 16]);
    message
}

/// The third message, which answers the second.
///
/// `channel` is the [hash of the channel bindings](super::channel_bindings), `now` is used where the server does not say what time
/// it has, `random` has to be fresh.
pub fn authenticate(
    challenge: &[u8],
    user: &NtlmUser<'_>,
    channel: Option<[u8; 16]>,
    now: Timestamp,
    random: [u8; 8],
) -> Result<Vec<u8>, NtlmError> {
    let server = Challenge::read(challenge).ok_or(NtlmError)?;
    let key = response_key(user);
    let theirs = av(server.target_info, AV_TIMESTAMP);
    let time = match theirs {
        Some(time) => time.try_into().map_err(|_| NtlmError)?,
        None => file_time(now).to_le_bytes(),
    };
    let info = target_info(server.target_info, channel, theirs.is_some()).ok_or(NtlmError)?;
    let blob = [
        &[1, 1, 0, 0, 0, 0, 0, 0],
        time.as_slice(),
        &random,
        &[0; 4],
        &info,
        &[0; 4],
    ]
    .concat();
    let proof = hmac_md5(&*key, &[&server.nonce, &blob]);
    let session_key = Zeroizing::new(hmac_md5(&*key, &[&proof]));
    let response = [proof.as_slice(), &blob].concat();
    // [MS-NLMP] 3.1.5.1.2: with a timestamp of the server's, the LM response is zeros.
    let lm = match theirs {
        Some(_) => vec![0; 24],
        None => [
            hmac_md5(&*key, &[&server.nonce, &random]).as_slice(),
            &random,
        ]
        .concat(),
    };
    let mut message = third(&lm, &response, user, server.flags);
    if theirs.is_some() {
        let code = hmac_md5(&*session_key, &[&negotiate(), challenge, &message]);
        message
            .get_mut(MIC_AT..HEAD)
            .ok_or(NtlmError)?
            .copy_from_slice(&code);
    }
    Ok(message)
}

struct Challenge<'a> {
    flags: u32,
    nonce: [u8; 8],
    target_info: &'a [u8],
}

impl<'a> Challenge<'a> {
    fn read(message: &'a [u8]) -> Option<Self> {
        if message.get(..8)? != SIGNATURE || u32_at(message, 8)? != 2 {
            return None;
        }
        let flags = u32_at(message, 20)?;
        if flags & TARGET_INFO == 0 {
            return None;
        }
        let length = usize::from(u16_at(message, 40)?);
        let start = usize::try_from(u32_at(message, 44)?).ok()?;
        Some(Self {
            flags,
            nonce: message.get(24..32)?.try_into().ok()?,
            target_info: message.get(start..start.checked_add(length)?)?,
        })
    }
}

fn u16_at(octets: &[u8], at: usize) -> Option<u16> {
    let two = octets.get(at..at.checked_add(2)?)?;
    Some(u16::from_le_bytes(two.try_into().ok()?))
}

fn u32_at(octets: &[u8], at: usize) -> Option<u32> {
    let four = octets.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(four.try_into().ok()?))
}

const AV_END: u16 = 0;
const AV_FLAGS: u16 = 6;
const AV_TIMESTAMP: u16 = 7;
const AV_CHANNEL_BINDINGS: u16 = 10;
/// In AV_FLAGS: a message integrity code follows.
const HAS_MIC: u32 = 2;

/// The pairs of a target information, [MS-NLMP] 2.2.2.1, without the one that ends it.
fn pairs(mut info: &[u8]) -> Option<Vec<(u16, &[u8])>> {
    let mut found = Vec::new();
    loop {
        let kind = u16_at(info, 0)?;
        if kind == AV_END {
            return Some(found);
        }
        let end = usize::from(u16_at(info, 2)?).checked_add(4)?;
        found.push((kind, info.get(4..end)?));
        info = info.get(end..)?;
    }
}

fn av(info: &[u8], wanted: u16) -> Option<&[u8]> {
    let found = pairs(info)?.into_iter().find(|(kind, _)| *kind == wanted);
    found.map(|(_, value)| value)
}

/// The server's target information with what the client adds.
fn target_info(theirs: &[u8], channel: Option<[u8; 16]>, has_mic: bool) -> Option<Vec<u8>> {
    let mut info = Vec::new();
    let mut add = |kind: u16, value: &[u8]| {
        info.extend(kind.to_le_bytes());
        info.extend(u16::try_from(value.len()).unwrap_or_default().to_le_bytes());
        info.extend(value);
    };
    for (kind, value) in pairs(theirs)? {
        if kind != AV_FLAGS && kind != AV_CHANNEL_BINDINGS {
            add(kind, value);
        }
    }
    if has_mic {
        add(AV_FLAGS, &HAS_MIC.to_le_bytes());
    }
    if let Some(channel) = channel {
        add(AV_CHANNEL_BINDINGS, &channel);
    }
    add(AV_END, &[]);
    Some(info)
}

fn third(lm: &[u8], response: &[u8], user: &NtlmUser<'_>, flags: u32) -> Vec<u8> {
    let (domain, name) = (utf16(user.domain), utf16(user.name));
    let parts: [&[u8]; 6] = [lm, response, &domain, &name, &[], &[]];
    let mut message = SIGNATURE.to_vec();
    message.extend(3_u32.to_le_bytes());
    let mut at = HEAD;
    for part in parts {
        let length = u16::try_from(part.len()).unwrap_or_default();
        message.extend(length.to_le_bytes());
        message.extend(length.to_le_bytes());
        message.extend(u32::try_from(at).unwrap_or_default().to_le_bytes());
        at += part.len();
    }
    message.extend((flags & FLAGS).to_le_bytes());
    // No version, and no integrity code yet.
    message.resize(HEAD, 0);
    for part in parts {
        message.extend(part);
    }
    message
}

/// NTOWFv2, [MS-NLMP] 3.3.2.
fn response_key(user: &NtlmUser<'_>) -> Zeroizing<[u8; 16]> {
    let password = Zeroizing::new(utf16(user.password));
    let hash: Zeroizing<[u8; 16]> = Zeroizing::new(Md4::digest(&*password).into());
    let named = utf16(&format!("{}{}", user.name.to_uppercase(), user.domain));
    Zeroizing::new(hmac_md5(&*hash, &[&named]))
}

fn hmac_md5(key: &[u8], parts: &[&[u8]]) -> [u8; 16] {
    // Unwrap safety: HMAC takes keys of every length.
    let mut mac = Hmac::<Md5>::new_from_slice(key).expect("HMAC takes any key");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Tenths of microseconds since 1601.
fn file_time(now: Timestamp) -> u64 {
    let millis = now.millis().saturating_add(EPOCH_SECONDS * 1000);
    u64::try_from(millis)
        .unwrap_or_default()
        .saturating_mul(10_000)
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::super::channel_bindings::channel_bindings;
    use super::*;

    const USER: NtlmUser<'static> = NtlmUser {
        name: "User",
        domain: "Domain",
        password: "Password",
    };
    /// [MS-NLMP] 4.2.4: target information with a domain and a computer name, and no timestamp.
    const INFO: &str = "02000c0044006f006d00610069006e0001000c00530065007200760065007200\
                        00000000";

    fn challenge(info: &[u8]) -> Vec<u8> {
        let mut message = SIGNATURE.to_vec();
        message.extend(2_u32.to_le_bytes());
        message.extend([0; 8]);
        message.extend(FLAGS.to_le_bytes());
        message.extend([0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef]);
        message.extend([0; 8]);
        let length = u16::try_from(info.len()).unwrap();
        message.extend(length.to_le_bytes());
        message.extend(length.to_le_bytes());
        message.extend(48_u32.to_le_bytes());
        message.extend(info);
        message
    }

    #[test]
    fn the_examples_of_the_specification_are_met() {
        let key = response_key(&USER);
        assert_eq!(HEXLOWER.encode(&*key), "0c868a403bfd7a93a3001ef22ef02e3f");
        let info = HEXLOWER.decode(INFO.as_bytes()).unwrap();
        // At the beginning of time, with a client's challenge of 0xaa.
        let begin = Timestamp::from_millis(-11_644_473_600_000);
        let third = authenticate(&challenge(&info), &USER, None, begin, [0xaa; 8]).unwrap();
        let (lm, nt) = (&third[88..112], &third[112..128]);
        assert_eq!(
            HEXLOWER.encode(lm),
            "86c35097ac9cec102554764a57cccc19aaaaaaaaaaaaaaaa"
        );
        assert_eq!(HEXLOWER.encode(nt), "68cd0ab851e51c96aabc927bebef6a1c");
    }

    #[test]
    fn a_server_that_tells_its_time_gets_an_integrity_code() {
        let mut info = vec![7, 0, 8, 0];
        info.extend(file_time(Timestamp::from_seconds(1_800_000_000)).to_le_bytes());
        info.extend([0; 4]);
        let channel = channel_bindings(b"no certificate");
        let now = Timestamp::from_seconds(0);
        let third = authenticate(&challenge(&info), &USER, Some(channel), now, [1; 8]).unwrap();
        assert_ne!(&third[MIC_AT..HEAD], [0; 16]);
        assert_eq!(&third[88..112], [0; 24]);
        let holds = |needle: &[u8]| third.windows(needle.len()).any(|part| part == needle);
        assert!(holds(&channel) && holds(&utf16("Domain")));
        assert!(!holds(&utf16("Password")));
    }

    #[test]
    fn what_is_no_challenge_is_refused() {
        let info = HEXLOWER.decode(INFO.as_bytes()).unwrap();
        let whole = challenge(&info);
        let answer =
            |message: &[u8]| authenticate(message, &USER, None, Timestamp::from_seconds(0), [0; 8]);
        for length in 0..whole.len() {
            assert_eq!(answer(&whole[..length]), Err(NtlmError), "{length}");
        }
        let mut old = whole.clone();
        old[22] = 0;
        assert_eq!(answer(&old), Err(NtlmError));
        assert!(answer(&whole).is_ok());
    }
}
