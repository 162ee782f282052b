//! Personalising a demo settlement card: records, certificates, signatures.
//!
//! Owns the issuer's side of EMV Book 2 §6, written from the book and not from
//! the driver's verifier; the keys are the demonstration ones. Called by the card
//! when it is inserted and when it is asked to sign.

use std::collections::BTreeMap;
use std::sync::Mutex;

use counterfoil_data::wire::unhex;
use num_bigint::BigUint;
use sha1::{Digest as _, Sha1};

use super::demo_keys::{DemoKey, ICC, ISSUER, SCHEME};

/// Index of the demo scheme key.
pub(super) const SCHEME_INDEX: u8 = 0xE9;
/// MMYY of every demo certificate.
const GOOD_UNTIL: [u8; 2] = [0x12, 0x49];
/// Hash and trailer.
const TAIL: usize = 21;

/// A data object.
pub(super) fn tlv(tag: u32, value: &[u8]) -> Vec<u8> {
    let tag: Vec<u8> = tag
        .to_be_bytes()
        .into_iter()
        .skip_while(|b| *b == 0)
        .collect();
    let mut bytes = tag;
    match u8::try_from(value.len()) {
        Ok(short @ 0..=0x7F) => bytes.push(short),
        Ok(long) => bytes.extend([0x81, long]),
        Err(_) => {
            let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
            bytes.push(0x82);
            bytes.extend(length.to_be_bytes());
        }
    }
    bytes.extend_from_slice(value);
    bytes
}

fn number(hex: &str) -> BigUint {
    BigUint::from_bytes_be(&unhex(hex).unwrap_or_default())
}

fn modulus(key: &DemoKey) -> Vec<u8> {
    unhex(key.modulus).unwrap_or_default()
}

/// Pads `head` (format byte and fields) with BB, adds the hash over it and `adds`,
/// frames it and signs it.
fn sign(key: &DemoKey, head: &[u8], adds: &[&[u8]]) -> Vec<u8> {
    let length = modulus(key).len();
    let mut covered = head.to_vec();
    covered.resize(length.saturating_sub(TAIL.saturating_add(1)), 0xBB);
    let mut hash = Sha1::new();
    hash.update(&covered);
    adds.iter().for_each(|part| hash.update(part));
    let mut block = vec![0x6A];
    block.extend(covered);
    block.extend_from_slice(&hash.finalize());
    block.push(0xBC);
    signed(key, block)
}

/// Signatures kept in this process: a card is issued each time it is inserted.
const SIGNED_MAX: usize = 256;

/// A key's modulus and a block.
type Signing = (&'static str, Vec<u8>);

/// The signature over a block, which is a pure function of both.
fn signed(key: &DemoKey, block: Vec<u8>) -> Vec<u8> {
    static KNOWN: Mutex<BTreeMap<Signing, Vec<u8>>> = Mutex::new(BTreeMap::new());
    let sign = |block: &[u8]| {
        let power = BigUint::from_bytes_be(block);
        let digits = power.modpow(&number(key.private), &number(key.modulus));
        let digits = digits.to_bytes_be();
        let mut bytes = vec![0; block.len().saturating_sub(digits.len())];
        bytes.extend(digits);
        bytes
    };
    let Ok(mut known) = KNOWN.lock() else {
        return sign(&block);
    };
    let what = (key.modulus, block);
    if known.len() >= SIGNED_MAX && !known.contains_key(&what) {
        known.clear();
    }
    if let Some(signature) = known.get(&what) {
        return signature.clone();
    }
    let signature = sign(&what.1);
    known.insert(what, signature.clone());
    signature
}

/// Splits a key into what fits the certificate and the remainder.
fn split(inner: &DemoKey, room: usize) -> (Vec<u8>, Vec<u8>) {
    let mut part = modulus(inner);
    let remainder = part.split_off(room.min(part.len()));
    (part, remainder)
}

/// One certificate: block, remainder.
pub(super) struct Issued {
    pub(super) block: Vec<u8>,
    pub(super) remainder: Vec<u8>,
}

fn certify(above: &DemoKey, inner: &DemoKey, head: Vec<u8>, data: &[u8]) -> Issued {
    let inner_len = u8::try_from(modulus(inner).len()).unwrap_or(u8::MAX);
    let mut head = head;
    head.extend(GOOD_UNTIL);
    head.extend([0, 0, 1]);
    head.extend([1, 1, inner_len, 1]);
    let room = modulus(above).len().saturating_sub(head.len());
    let (part, remainder) = split(inner, room.saturating_sub(TAIL.saturating_add(1)));
    head.extend(part);
    let block = sign(above, &head, &[&remainder, &[3], data]);
    Issued { block, remainder }
}

/// Tag 90 and 92: the scheme certifies the issuer for the number's first 8 digits.
pub(super) fn issuer_certificate(pan: &[u8]) -> Issued {
    let mut head = vec![2];
    head.extend(pan.iter().take(4));
    certify(&SCHEME, &ISSUER, head, &[])
}

/// Tag 9F46 and 9F48: the issuer certifies the chip for this number and data.
pub(super) fn icc_certificate(pan: &[u8], static_data: &[u8]) -> Issued {
    let mut number = pan.to_vec();
    number.resize(10, 0xFF);
    let mut head = vec![4];
    head.extend(number);
    certify(&ISSUER, &ICC, head, static_data)
}

/// Tag 93: the issuer signs the data once and for all.
pub(super) fn static_signature(static_data: &[u8]) -> Vec<u8> {
    sign(&ISSUER, &[3, 1, 0, 1], &[static_data])
}

/// Tag 9F4B: the chip signs its own number and what the terminal sent.
pub(super) fn dynamic_signature(own: u64, sent: &[u8]) -> Vec<u8> {
    let mut head = vec![5, 1, 9, 8];
    head.extend(own.to_be_bytes());
    sign(&ICC, &head, &[sent])
}

/// Tag 9F4B of a cryptogram: number, kind, cryptogram, and a hash over all that was
/// said, over the random alone (EMV Book 2 §6.6.1).
pub(super) fn combined_signature(own: u64, kind: u8, said: &[u8], random: [u8; 4]) -> Vec<u8> {
    let mut dynamic = vec![8];
    dynamic.extend(own.to_be_bytes());
    dynamic.push(kind);
    // The cryptogram itself is the issuer's to check; here it is a number.
    dynamic.extend(own.rotate_left(17).to_be_bytes());
    dynamic.extend_from_slice(&Sha1::digest(said));
    let length = u8::try_from(dynamic.len()).unwrap_or(u8::MAX);
    let mut head = vec![5, 1, length];
    head.extend(dynamic);
    sign(&ICC, &head, &[&random])
}

/// Digits as BCD, padded with F on the right.
pub(super) fn bcd(digits: &str) -> Vec<u8> {
    let nibbles: Vec<u8> = digits.bytes().map(|b| b & 0x0F).collect();
    let pair = |pair: &[u8]| match *pair {
        [high, low] => (high << 4) | low,
        [high] => (high << 4) | 0x0F,
        _ => 0xFF,
    };
    nibbles.chunks(2).map(pair).collect()
}
