//! Offline data authentication, EMV Book 2 §5-§6 and PBOC 3.0 part 7: RSA, SHA-1.
//!
//! A chain of recovered blocks: scheme key → issuer key → card key → signature
//! over our own random. Only the last proves that the chip is not a copy; static
//! authentication replays. Refuses on any length, format, hash, number or date
//! that does not fit. Pure; called by [`super::read_settlement_card`].

use jiff::civil::Date;
use num_bigint::BigUint;
use sha1::{Digest as _, Sha1};

use super::capk::Capk;

/// Bytes of an issuer certificate that are not key: header 15, hash 20, trailer 1.
const ISSUER_OVERHEAD: usize = 36;
/// Bytes of a card certificate that are not key.
const ICC_OVERHEAD: usize = 42;
/// SHA-1.
const HASH: usize = 20;
/// RSA with SHA-1, the only algorithms accepted.
const RSA: u8 = 1;
const SHA1: u8 = 1;
/// Shortest key of an issuer or a card (512 bits), longest is [`super::capk::MODULUS_MAX`].
const KEY_MIN: usize = 64;

/// Which block of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Block {
    /// Issuer public key certificate, tag 90.
    Issuer,
    /// Card public key certificate, tag 9F46.
    Icc,
    /// Signed static data, tag 93.
    Static,
    /// Signed dynamic data, tag 9F4B.
    Dynamic,
}

/// What did not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OdaError {
    /// A block is not as long as the key over it.
    #[error("{0:?} block: its length does not fit the key")]
    Length(Block),
    /// Header, format or trailer byte after recovery.
    #[error("{0:?} block: not signed by the key above it")]
    Format(Block),
    /// The hash.
    #[error("{0:?} block: its hash does not fit the data")]
    Hash(Block),
    /// Another hash or key algorithm.
    #[error("{0:?} block: unknown algorithm")]
    Algorithm(Block),
    /// The number in the certificate is not the card's.
    #[error("{0:?} block: issued for another card number")]
    Number(Block),
    /// On the list of revoked certificates.
    #[error("the issuer's certificate has been revoked")]
    Revoked,
    /// The cryptogram that was signed is not the one that was answered.
    #[error("the signed cryptogram or its data is not what the card answered")]
    Cryptogram,
    /// Past the last day of its month.
    #[error("{0:?} block: the certificate has expired")]
    Expired(Block),
    /// A key inside is too short, too long, or has an odd exponent.
    #[error("{0:?} block: the key inside is malformed")]
    Key(Block),
    /// 9F4A may only name the AIP.
    #[error("the list of static data names more than the profile")]
    StaticList,
    /// The card's list of dynamic data has no place for our random.
    #[error("the dynamic data does not include our random number")]
    NoRandom,
    /// Claimed in the profile, but a data object for it is missing.
    #[error("tag {0:x} is missing for the authentication the card claims")]
    Missing(u32),
}

/// An RSA public key on the way down the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

impl From<&Capk> for Key {
    fn from(capk: &Capk) -> Self {
        Self {
            modulus: capk.modulus.clone(),
            exponent: capk.exponent.clone(),
        }
    }
}

impl Key {
    /// Bytes of the modulus.
    pub fn len(&self) -> usize {
        self.modulus.len()
    }

    /// A key is never empty; asked by convention.
    pub fn is_empty(&self) -> bool {
        self.modulus.is_empty()
    }

    /// `signature ^ exponent mod modulus`, as long as the modulus.
    fn apply(&self, signature: &[u8], block: Block) -> Result<Vec<u8>, OdaError> {
        let modulus = BigUint::from_bytes_be(&self.modulus);
        let number = BigUint::from_bytes_be(signature);
        if signature.len() != self.modulus.len() || number >= modulus {
            return Err(OdaError::Length(block));
        }
        let power = number.modpow(&BigUint::from_bytes_be(&self.exponent), &modulus);
        let digits = power.to_bytes_be();
        let mut bytes = vec![0; self.modulus.len().saturating_sub(digits.len())];
        bytes.extend(digits);
        Ok(bytes)
    }

    /// Recovers a block, checks its frame and its hash with what the hash adds,
    /// and gives the part between format byte and hash.
    fn recover(&self, signature: &[u8], block: Block, adds: &[&[u8]]) -> Result<Vec<u8>, OdaError> {
        let plain = self.apply(signature, block)?;
        let (head, format) = (plain.first(), plain.get(1));
        let wanted = match block {
            Block::Issuer => 2,
            Block::Static => 3,
            Block::Icc => 4,
            Block::Dynamic => 5,
        };
        let framed = head == Some(&0x6A) && format == Some(&wanted) && plain.last() == Some(&0xBC);
        let hash_at = plain.len().saturating_sub(HASH.saturating_add(1));
        let (Some(covered), Some(hash)) = (plain.get(1..hash_at), plain.get(hash_at..)) else {
            return Err(OdaError::Format(block));
        };
        if !framed {
            return Err(OdaError::Format(block));
        }
        let mut digest = Sha1::new();
        digest.update(covered);
        adds.iter().for_each(|part| digest.update(part));
        let digest: [u8; HASH] = digest.finalize().into();
        if hash.get(..HASH) != Some(&digest) {
            return Err(OdaError::Hash(block));
        }
        Ok(covered.get(1..).unwrap_or_default().to_vec())
    }
}

/// Digits of a BCD field with its F padding taken off.
fn digits(bcd: &[u8]) -> Vec<u8> {
    let nibbles = bcd.iter().flat_map(|b| [b >> 4, b & 0x0F]);
    let mut digits: Vec<u8> = nibbles.collect();
    while digits.last() == Some(&0x0F) {
        digits.pop();
    }
    digits
}

/// Whether a certificate's MMYY is still good on `today`; it is good to the last
/// day of that month. YY below 50 is 20YY (Book 4 §6.7.3).
fn in_date(month: u8, year: u8, today: Date) -> bool {
    let bcd = |b: u8| {
        i16::from(b >> 4)
            .saturating_mul(10)
            .saturating_add(i16::from(b & 0x0F))
    };
    let century = if bcd(year) < 50 { 2000 } else { 1900 };
    let year = bcd(year).saturating_add(century);
    let valid = (1..=12).contains(&bcd(month));
    valid && (year, bcd(month)) >= (today.year(), i16::from(today.month()))
}

/// Joins the key part of a certificate with its remainder.
fn key_of(
    block: Block,
    part: &[u8],
    length: u8,
    remainder: &[u8],
    exponent: &[u8],
) -> Result<Key, OdaError> {
    let length = usize::from(length);
    let mut modulus = part
        .get(..length.min(part.len()))
        .unwrap_or_default()
        .to_vec();
    modulus.extend_from_slice(remainder);
    let exponent_ok = matches!(exponent, [3] | [1, 0, 1]);
    if modulus.len() != length || length < KEY_MIN || !exponent_ok {
        return Err(OdaError::Key(block));
    }
    Ok(Key {
        modulus,
        exponent: exponent.to_vec(),
    })
}

/// A certificate as it lies on the card: the block, the rest of the key and its
/// exponent.
#[derive(Clone, Copy)]
pub struct Certificate<'a> {
    /// Tag 90 or 9F46.
    pub block: &'a [u8],
    /// Tag 92 or 9F48; empty where the key fits.
    pub remainder: &'a [u8],
    /// Tag 9F32 or 9F47.
    pub exponent: &'a [u8],
}

/// The issuer's key out of its certificate. `pan` is BCD as in tag 5A; `revoked` says
/// of a serial number whether its certificate is good no more.
pub fn issuer_key(
    capk: &Capk,
    certificate: Certificate<'_>,
    pan: &[u8],
    today: Date,
    revoked: impl FnOnce([u8; 3]) -> bool,
) -> Result<Key, OdaError> {
    const B: Block = Block::Issuer;
    let Certificate {
        block,
        remainder,
        exponent,
    } = certificate;
    let above = Key::from(capk);
    let body = above.recover(block, B, &[remainder, exponent])?;
    let Some((head, part)) = body.split_first_chunk::<13>() else {
        return Err(OdaError::Format(B));
    };
    let [
        i0,
        i1,
        i2,
        i3,
        month,
        year,
        s0,
        s1,
        s2,
        hash,
        algorithm,
        length,
        exponent_len,
    ] = *head;
    if (hash, algorithm) != (SHA1, RSA) {
        return Err(OdaError::Algorithm(B));
    }
    if revoked([s0, s1, s2]) {
        return Err(OdaError::Revoked);
    }
    // 3 to 8 leading digits of the card number, padded with F.
    let iin = digits(&[i0, i1, i2, i3]);
    if iin.len() < 3 || !digits(pan).starts_with(&iin) {
        return Err(OdaError::Number(B));
    }
    if !in_date(month, year, today) {
        return Err(OdaError::Expired(B));
    }
    if usize::from(exponent_len) != exponent.len() || usize::from(length) > above.len() {
        return Err(OdaError::Key(B));
    }
    debug_assert_eq!(part.len(), above.len().saturating_sub(ISSUER_OVERHEAD));
    key_of(B, part, length, remainder, exponent)
}

/// The card's key out of its certificate; the hash covers the static data too.
pub fn icc_key(
    issuer: &Key,
    certificate: Certificate<'_>,
    static_data: &[u8],
    pan: &[u8],
    today: Date,
) -> Result<Key, OdaError> {
    const B: Block = Block::Icc;
    let Certificate {
        block,
        remainder,
        exponent,
    } = certificate;
    let body = issuer.recover(block, B, &[remainder, exponent, static_data])?;
    let Some((number, rest)) = body.split_first_chunk::<10>() else {
        return Err(OdaError::Format(B));
    };
    let Some((head, part)) = rest.split_first_chunk::<9>() else {
        return Err(OdaError::Format(B));
    };
    let [month, year, _, _, _, hash, algorithm, length, exponent_len] = *head;
    if (hash, algorithm) != (SHA1, RSA) {
        return Err(OdaError::Algorithm(B));
    }
    if digits(number) != digits(pan) {
        return Err(OdaError::Number(B));
    }
    if !in_date(month, year, today) {
        return Err(OdaError::Expired(B));
    }
    if usize::from(exponent_len) != exponent.len() || usize::from(length) > issuer.len() {
        return Err(OdaError::Key(B));
    }
    debug_assert_eq!(part.len(), issuer.len().saturating_sub(ICC_OVERHEAD));
    key_of(B, part, length, remainder, exponent)
}

/// Checks signed static data (SDA): the data was once signed. Proves no chip.
pub fn static_data(issuer: &Key, signed: &[u8], static_data: &[u8]) -> Result<(), OdaError> {
    let body = issuer.recover(signed, Block::Static, &[static_data])?;
    match body.first() {
        Some(&SHA1) => Ok(()),
        _ => Err(OdaError::Algorithm(Block::Static)),
    }
}

/// Checks signed dynamic data (DDA) over the bytes we sent: this chip holds the key.
pub fn dynamic_data(icc: &Key, signed: &[u8], sent: &[u8]) -> Result<(), OdaError> {
    own_data(icc, signed, sent).map(drop)
}

/// What a card answered to GENERATE AC, as far as the signature must agree with it.
#[derive(Clone, Copy)]
pub struct Combined<'a> {
    /// Cryptogram information data (9F27).
    pub information: u8,
    /// All that was sent and answered, as EMV Book 2 §6.6.2 orders it: the values for
    /// the card's lists, then the answer's objects without the signature.
    pub transaction: &'a [u8],
}

/// Checks a combined signature (CDA, EMV Book 2 §6.6): the chip signed our random, its
/// cryptogram's kind and everything that was said.
pub fn combined_data(
    icc: &Key,
    signed: &[u8],
    random: &[u8],
    said: Combined<'_>,
) -> Result<(), OdaError> {
    const B: Block = Block::Dynamic;
    let own = own_data(icc, signed, random)?;
    // Number with its length, information, cryptogram of 8 bytes, hash.
    let number = own.first().copied().map(usize::from).unwrap_or_default();
    let after = own
        .get(number.saturating_add(1)..)
        .ok_or(OdaError::Format(B))?;
    let Some((information, rest)) = after.split_first() else {
        return Err(OdaError::Format(B));
    };
    let hash = rest.get(8..).ok_or(OdaError::Format(B))?;
    let wanted: [u8; HASH] = Sha1::digest(said.transaction).into();
    let kind = *information == said.information;
    (kind && hash == wanted)
        .then_some(())
        .ok_or(OdaError::Cryptogram)
}

/// The card's own dynamic data out of a signature over `sent`.
fn own_data(icc: &Key, signed: &[u8], sent: &[u8]) -> Result<Vec<u8>, OdaError> {
    const B: Block = Block::Dynamic;
    let body = icc.recover(signed, B, &[sent])?;
    let [hash, length, data @ ..] = body.as_slice() else {
        return Err(OdaError::Format(B));
    };
    if *hash != SHA1 {
        return Err(OdaError::Algorithm(B));
    }
    let length = usize::from(*length);
    let dynamic = data.get(..length).ok_or(OdaError::Format(B))?;
    // The first byte is the length of the card's own number, 2 to 8 bytes.
    let own = dynamic
        .first()
        .copied()
        .map(usize::from)
        .unwrap_or_default();
    let padded = data.iter().skip(length).all(|b| *b == 0xBB);
    if !padded || own.saturating_add(1) > length || !(2..=8).contains(&own) {
        return Err(OdaError::Format(B));
    }
    Ok(dynamic.to_vec())
}

#[cfg(test)]
mod tests;
