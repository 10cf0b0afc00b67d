//! n-fold (RFC 3961 section 5.1): stretches or shrinks octets to another length, with every bit taking part.

/// Folds `input`, which must not be empty, to 16 octets.
pub(super) fn fold16(input: &[u8]) -> [u8; 16] {
    const WANTED: usize = 16;
    let mut folded = [0_u8; WANTED];
    if input.is_empty() {
        return folded;
    }
    let whole = lcm(input.len(), WANTED);
    let mut carry = 0_u16;
    // Ones' complement addition, from the last octet to the first; what is carried out comes in again.
    for at in (0..whole).rev() {
        carry += u16::from(rotated(input, at));
        carry = add(&mut folded, at % WANTED, carry);
    }
    for at in (0..WANTED).rev().cycle() {
        if carry == 0 {
            return folded;
        }
        carry = add(&mut folded, at, carry);
    }
    folded
}

/// Adds to one octet, and gives what is too much for it.
fn add(sum: &mut [u8; 16], at: usize, value: u16) -> u16 {
    let total = value + u16::from(sum[at]);
    sum[at] = (total & 0xff) as u8;
    total >> 8
}

/// The octet at a place of the input's copies, each rotated right by 13 bits more than the one before.
fn rotated(input: &[u8], at: usize) -> u8 {
    let bits = input.len() * 8;
    let start = (at % input.len()) * 8;
    let turned = 13 * (at / input.len()) % bits;
    let bit = |offset: usize| {
        let place = (start + offset + bits - turned) % bits;
        (input[place / 8] >> (7 - place % 8)) & 1
    };
    (0..8).fold(0, |octet, offset| octet << 1 | bit(offset))
}

fn lcm(a: usize, b: usize) -> usize {
    let (mut x, mut y) = (a, b);
    while y != 0 {
        (x, y) = (y, x % y);
    }
    a / x * b
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::fold16;

    #[test]
    fn the_example_of_rfc_3961_is_met() {
        let folded = HEXLOWER.encode(&fold16(b"kerberos"));
        assert_eq!(folded, "6b65726265726f737b9b5b2b93132b93");
    }
}
