//! Keys that nobody should certify, TLS Baseline Requirements section 6.1.1.3.

use num_bigint::BigUint;

use super::{KeyKind, PublicKey};

/// Why a key is too weak, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakKey {
    /// An RSA modulus of another length.
    #[error("an RSA key of {0} bits is not accepted: make one of exactly 2048, 3072 or 4096 bits")]
    RsaLength(u32),
    /// Another RSA exponent.
    #[error("the RSA public exponent must be 65537: make a new key with it")]
    RsaExponent,
    /// A modulus that is even or has a small factor.
    #[error("the RSA modulus is divisible by {0}: the key is broken, make a new one")]
    SmallFactor(u32),
    /// A key made by the flawed library of CVE-2017-15361.
    #[error(
        "the RSA key has the ROCA flaw (CVE-2017-15361): make a new key with another device or library"
    )]
    Roca,
    /// A modulus whose two primes are next to each other.
    #[error(
        "the RSA modulus can be factored by Fermat's method: make a new key with another library"
    )]
    CloseFactors,
    /// An algorithm or curve that is not accepted.
    #[error("a key of kind {0} is not accepted: use RSA, P-256, P-384, P-521 or Ed25519")]
    Kind(KeyKind),
}

/// Refuses keys that can be broken. Elliptic keys cost nothing, since their point was checked when
/// they were read; an RSA key costs well below a millisecond.
pub fn check(key: &PublicKey) -> Result<(), WeakKey> {
    match key.kind() {
        KeyKind::EcP256 | KeyKind::EcP384 | KeyKind::EcP521 | KeyKind::Ed25519 => Ok(()),
        KeyKind::Other(_) => Err(WeakKey::Kind(key.kind().clone())),
        KeyKind::Rsa { bits } => {
            let (Some(modulus), Some(exponent)) = (key.rsa_modulus(), key.rsa_exponent()) else {
                return Err(WeakKey::Kind(key.kind().clone()));
            };
            check_rsa(*bits, modulus, exponent)
        }
    }
}

fn check_rsa(bits: u32, modulus: &[u8], exponent: &[u8]) -> Result<(), WeakKey> {
    if ![2048, 3072, 4096].contains(&bits) {
        return Err(WeakKey::RsaLength(bits));
    }
    if exponent != [0x01, 0x00, 0x01] {
        return Err(WeakKey::RsaExponent);
    }
    let modulus = BigUint::from_bytes_be(modulus);
    if let Some(factor) = small_primes().find(|&prime| remainder(&modulus, prime) == 0) {
        return Err(WeakKey::SmallFactor(factor));
    }
    if has_roca_fingerprint(&modulus) {
        return Err(WeakKey::Roca);
    }
    if has_close_factors(&modulus) {
        return Err(WeakKey::CloseFactors);
    }
    Ok(())
}

/// The primes below 752, the bound that the Baseline Requirements name.
fn small_primes() -> impl Iterator<Item = u32> {
    (2..752).filter(|candidate| {
        (2..*candidate)
            .take_while(|d| d * d <= *candidate)
            .all(|d| candidate % d != 0)
    })
}

fn remainder(modulus: &BigUint, prime: u32) -> u32 {
    modulus.iter_u32_digits().rev().fold(0, |rest: u64, digit| {
        ((rest << 32) | u64::from(digit)) % u64::from(prime)
    }) as u32
}

/// The flawed library made primes of the form k·M + 65537^a mod M, M the product of the first
/// primes, so its moduli are powers of 65537 modulo each of them, with exponents that agree. A sound
/// modulus passes as one with a chance below 2^-100.
fn has_roca_fingerprint(modulus: &BigUint) -> bool {
    let mut logarithms: Vec<(u32, u32)> = Vec::new();
    for prime in small_primes().skip(1).take_while(|prime| *prime <= 167) {
        let Some(found) = logarithm(remainder(modulus, prime), prime) else {
            return false;
        };
        logarithms.push(found);
    }
    logarithms
        .iter()
        .enumerate()
        .all(|(position, &(a, order_a))| {
            logarithms[..position]
                .iter()
                .all(|&(b, order_b)| a.abs_diff(b) % greatest_common_divisor(order_a, order_b) == 0)
        })
}

/// The exponent of 65537 that gives `value` modulo `prime`, and the order of 65537 there.
fn logarithm(value: u32, prime: u32) -> Option<(u32, u32)> {
    let mut power = 1;
    let mut found = None;
    for exponent in 0..prime {
        if power == value {
            found = found.or(Some(exponent));
        }
        power = power * (65537 % prime) % prime;
        if power == 1 {
            return Some((found?, exponent + 1));
        }
    }
    None
}

fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 {
        a
    } else {
        greatest_common_divisor(b, a % b)
    }
}

/// A hundred rounds of Fermat's method: they find primes that differ in their lower half only.
fn has_close_factors(modulus: &BigUint) -> bool {
    let root = modulus.sqrt();
    if &root * &root == *modulus {
        return true;
    }
    let a = root + 1_u32;
    // From a^2 - n to the next (a+1)^2 - n it is one addition of 2a + 1, then of 2a + 3, …
    let mut difference = &a * &a - modulus;
    let mut step = (a << 1_u32) + 1_u32;
    for _ in 0..100 {
        if is_square(&difference) {
            return true;
        }
        difference += &step;
        step += 2_u32;
    }
    false
}

/// Most numbers are seen not to be squares by their remainders, without taking the root.
fn is_square(number: &BigUint) -> bool {
    let may_be = [64, 63, 65, 11].into_iter().all(|divisor| {
        let rest = remainder(number, divisor);
        (0..divisor).any(|root| root * root % divisor == rest)
    });
    may_be && {
        let root = number.sqrt();
        &root * &root == *number
    }
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;
    use rstest::rstest;

    use super::*;
    use crate::key::{KeyAlgorithm, LocalKey, SigningKey};

    fn rsa(modulus: &BigUint, exponent: &[u8]) -> PublicKey {
        PublicKey::from_rsa_components(&modulus.to_bytes_be(), exponent).unwrap()
    }

    fn sound_modulus() -> BigUint {
        let key = LocalKey::generate(KeyAlgorithm::Rsa2048).unwrap();
        BigUint::from_bytes_be(key.public_key().rsa_modulus().unwrap())
    }

    const F4: &[u8] = &[1, 0, 1];

    #[rstest]
    fn fresh_keys_are_accepted(
        #[values(
            KeyAlgorithm::Rsa2048,
            KeyAlgorithm::Rsa3072,
            KeyAlgorithm::EcP256,
            KeyAlgorithm::EcP384,
            KeyAlgorithm::Ed25519
        )]
        algorithm: KeyAlgorithm,
    ) {
        let key = LocalKey::generate(algorithm).unwrap();
        assert_eq!(check(key.public_key()), Ok(()));
    }

    #[test]
    fn i3_other_lengths_and_exponents_are_refused() {
        let modulus = sound_modulus();
        assert_eq!(check(&rsa(&modulus, &[3])), Err(WeakKey::RsaExponent));
        for bits in [1023, 1024, 2047, 2049, 8192] {
            let modulus = (BigUint::from(1_u32) << (bits - 1)) + 1_u32;
            assert_eq!(check(&rsa(&modulus, F4)), Err(WeakKey::RsaLength(bits)));
        }
    }

    #[test]
    fn i3_a_modulus_with_a_small_factor_is_refused() {
        let modulus = sound_modulus();
        let even = rsa(&(&modulus - 1_u32), F4);
        assert_eq!(check(&even), Err(WeakKey::SmallFactor(2)));
        let rest = &modulus % 751_u32;
        let divisible = rsa(&(&modulus - rest), F4);
        assert!(matches!(check(&divisible), Err(WeakKey::SmallFactor(_))));
    }

    #[test]
    fn i3_a_modulus_of_close_primes_is_refused() {
        // The next prime after p is not known here, but Fermat's method needs no primes, only two
        // close factors without small divisors.
        let p = (BigUint::from(3_u32) << 1022_u32) + 1_u32;
        let coprime = |start: BigUint| {
            let mut candidate = start;
            while small_primes().any(|prime| remainder(&candidate, prime) == 0) {
                candidate += 2_u32;
            }
            candidate
        };
        let p = coprime(p);
        let q = coprime(&p + (BigUint::from(1_u32) << 500_u32));
        assert_eq!(check(&rsa(&(p * q), F4)), Err(WeakKey::CloseFactors));
    }

    #[test]
    fn i3_a_modulus_of_the_roca_form_is_refused() {
        let product: BigUint = small_primes().take(39).map(BigUint::from).product();
        let generator = BigUint::from(65537_u32);
        let form = |k: u32, a: u32| {
            (BigUint::from(k) << 773_u32) * &product + generator.modpow(&BigUint::from(a), &product)
        };
        // Some pairs have other small factors; take the first that has none.
        let modulus = (1..)
            .map(|a| form(0xffff_fff1, a) * form(0x8fff_ff01, 7 * a + 3))
            .find(|modulus| small_primes().all(|prime| remainder(modulus, prime) != 0))
            .unwrap();
        let excess = modulus.bits() as i64 - 2048;
        assert_eq!(excess, 0, "the test's modulus has the wrong length");
        assert_eq!(check(&rsa(&modulus, F4)), Err(WeakKey::Roca));
    }

    #[test]
    fn the_filter_for_squares_loses_none() {
        for root in 0..2000_u32 {
            assert!(is_square(&(BigUint::from(root) * root)));
        }
        assert!(!is_square(&BigUint::from(2_u32)));
    }

    #[test]
    fn an_unknown_kind_is_refused() {
        let der = crate::asn1::Writer::encode(|w| {
            w.sequence(|w| {
                w.sequence(|w| w.oid(&const_oid::ObjectIdentifier::new_unwrap("1.3.101.113")));
                w.bit_string(&[0; 57]);
            });
        });
        let key = PublicKey::from_spki_der(&der).unwrap();
        assert!(matches!(check(&key), Err(WeakKey::Kind(_))));
    }
}
