//! AES in CBC mode with ciphertext stealing and an initial vector of zeros (RFC 3962 section 5): a plaintext
//! of any length from one block on gives a ciphertext of the same length.

use aws_lc_rs::cipher::{
    AES_256, DecryptingKey, DecryptionContext, EncryptingKey, UnboundCipherKey,
};
use zeroize::Zeroizing;

pub(super) const BLOCK: usize = 16;

type Block = [u8; BLOCK];

/// Octets that are not of the length that is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unfit;

/// Encrypts a whole number of blocks, each for itself. The chaining is done here, since the provider's
/// modes either pad or want a whole number of blocks.
pub(super) fn encrypt_block(key: &[u8; 32], block: &mut Block) -> Result<(), Unfit> {
    let key = UnboundCipherKey::new(&AES_256, key).map_err(|_| Unfit)?;
    let key = EncryptingKey::ecb(key).map_err(|_| Unfit)?;
    key.encrypt(block).map(drop).map_err(|_| Unfit)
}

fn decrypt_block(key: &DecryptingKey, block: &mut Block) -> Result<(), Unfit> {
    let done = key.decrypt(block, DecryptionContext::None);
    done.map(drop).map_err(|_| Unfit)
}

/// Encrypts at least one block.
pub(super) fn encrypt(key: &[u8; 32], plaintext: &[u8]) -> Result<Vec<u8>, Unfit> {
    if plaintext.len() < BLOCK {
        return Err(Unfit);
    }
    let mut previous = [0; BLOCK];
    let mut blocks = Vec::with_capacity(plaintext.len() / BLOCK + 1);
    for piece in plaintext.chunks(BLOCK) {
        xor(&mut previous, piece);
        encrypt_block(key, &mut previous)?;
        blocks.push(previous);
    }
    // The last two change places, and what was the last but one is cut to what the plaintext's end needs.
    let count = blocks.len();
    if count > 1 {
        blocks.swap(count - 2, count - 1);
    }
    let mut ciphertext = blocks.concat();
    ciphertext.truncate(plaintext.len());
    Ok(ciphertext)
}

/// Decrypts what [`encrypt`] made.
pub(super) fn decrypt(key: &[u8; 32], ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unfit> {
    let key = UnboundCipherKey::new(&AES_256, key).map_err(|_| Unfit)?;
    let key = DecryptingKey::ecb(key).map_err(|_| Unfit)?;
    let count = ciphertext.len().div_ceil(BLOCK);
    let (plain, stolen) = match count {
        0 => return Err(Unfit),
        1 => (ciphertext, None),
        _ => ciphertext
            .split_at_checked((count - 2) * BLOCK)
            .map(|(plain, stolen)| (plain, Some(stolen)))
            .ok_or(Unfit)?,
    };
    let mut previous = [0; BLOCK];
    let mut plaintext = Zeroizing::new(Vec::with_capacity(ciphertext.len()));
    for piece in plain.chunks(BLOCK) {
        let mut block: Block = piece.try_into().map_err(|_| Unfit)?;
        decrypt_block(&key, &mut block)?;
        xor(&mut block, &previous);
        previous.copy_from_slice(piece);
        plaintext.extend(block);
    }
    if let Some((last, short)) = stolen.and_then(|stolen| stolen.split_at_checked(BLOCK)) {
        // `last` is the last block of the chain; `short` is what is left of the one before it, whose rest
        // stands in the decrypted last block.
        let mut end: Block = last.try_into().map_err(|_| Unfit)?;
        decrypt_block(&key, &mut end)?;
        let mut before = end;
        before
            .get_mut(..short.len())
            .ok_or(Unfit)?
            .copy_from_slice(short);
        xor(&mut end, short);
        decrypt_block(&key, &mut before)?;
        xor(&mut before, &previous);
        plaintext.extend(before);
        plaintext.extend(end.get(..short.len()).ok_or(Unfit)?);
    }
    Ok(plaintext)
}

fn xor(block: &mut Block, other: &[u8]) {
    for (octet, other) in block.iter_mut().zip(other) {
        *octet ^= other;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_comes_back() {
        let key = [7; 32];
        let plaintext: Vec<u8> = (0..80).collect();
        for length in BLOCK..plaintext.len() {
            let ciphertext = encrypt(&key, &plaintext[..length]).unwrap();
            assert_eq!(ciphertext.len(), length);
            assert_eq!(*decrypt(&key, &ciphertext).unwrap(), plaintext[..length]);
        }
    }

    #[test]
    fn less_than_a_block_is_refused() {
        assert_eq!(encrypt(&[0; 32], &[0; 15]), Err(Unfit));
        for length in 0..BLOCK {
            assert_eq!(decrypt(&[0; 32], &[0; BLOCK][..length]), Err(Unfit));
        }
    }
}
