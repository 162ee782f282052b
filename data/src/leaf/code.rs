//! Bytes of a leaf, both ways.

use jiff::Timestamp;
use jiff::civil::Date;

use super::TEXT_MAX;
use super::{
    FIELDS_MAX, Field, LEAF_MAX, LEAF_VERSION, Leaf, LeafError, LeafKind, Personal, Signed,
};
use crate::bill::{BillNumber, BillPrefix, BillRange, Serial};
use crate::ids::SaleId;
use crate::money::Fen;
use crate::wire::Digest;

pub(super) fn encode(leaf: &Leaf) -> Result<Vec<u8>, LeafError> {
    if leaf.fields.len() > FIELDS_MAX {
        return Err(LeafError::Large);
    }
    let mut fields: Vec<(u8, Vec<u8>)> = leaf.fields.iter().map(field).collect();
    fields.sort_by_key(|(tag, _)| *tag);
    let mut bytes = vec![LEAF_VERSION];
    bytes.extend_from_slice(&leaf.kind.code().to_be_bytes());
    bytes.extend_from_slice(&leaf.at.as_millisecond().to_be_bytes());
    for (tag, value) in fields {
        let length = u16::try_from(value.len()).map_err(|_| LeafError::Large)?;
        bytes.push(tag);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&value);
    }
    if bytes.len() > LEAF_MAX {
        return Err(LeafError::Large);
    }
    Ok(bytes)
}

/// The text cut to [`TEXT_MAX`] bytes at a character.
fn text(text: &str) -> Vec<u8> {
    let end = text.floor_char_boundary(TEXT_MAX);
    text.as_bytes().iter().take(end).copied().collect()
}

fn number(n: BillNumber) -> Vec<u8> {
    let mut bytes = n.prefix.value().to_be_bytes().to_vec();
    bytes.extend_from_slice(&n.serial.value().to_be_bytes());
    bytes
}

fn date(day: Date) -> Vec<u8> {
    let mut bytes = day.year().to_be_bytes().to_vec();
    bytes.extend([day.month().unsigned_abs(), day.day().unsigned_abs()]);
    bytes
}

fn field(field: &Field) -> (u8, Vec<u8>) {
    match field {
        Field::Actor(t) => (1, text(t)),
        Field::Sale(sale) => (2, sale.0.to_be_bytes().to_vec()),
        Field::Second(t) => (3, text(t)),
        Field::Kiosk(t) => (4, text(t)),
        Field::Slot(t) => (5, text(t)),
        Field::Subject(t) => (6, text(t)),
        Field::Range(range) => {
            let last = range.last().serial.value();
            (
                7,
                [number(range.first()), last.to_be_bytes().to_vec()].concat(),
            )
        }
        Field::Number(n) => (8, number(*n)),
        Field::Read(n) => (9, number(*n)),
        Field::Count(n) => (10, n.to_be_bytes().to_vec()),
        Field::Fee(fen) => (11, fen.0.to_be_bytes().to_vec()),
        Field::Requisition(t) => (12, text(t)),
        Field::Rule(t) => (14, text(t)),
        Field::RuleVersion(n) => (15, n.to_be_bytes().to_vec()),
        Field::Reason(t) => (16, text(t)),
        Field::Evidence(t) => (17, text(t)),
        Field::Ink(ink) => (18, vec![u8::from(*ink)]),
        Field::AttemptsLeft(n) => (19, n.to_be_bytes().to_vec()),
        Field::ScoreMilli(n) => (20, n.to_be_bytes().to_vec()),
        Field::Engine(t) => (21, text(t)),
        Field::BusinessDate(day) => (22, date(*day)),
        Field::Hashed(what, digest) => (24, [[what.code()].as_slice(), &digest.0].concat()),
        Field::State(t) => (25, text(t)),
        Field::Sequence(n) => (26, n.to_be_bytes().to_vec()),
        Field::SupplementOf(n) => (27, number(*n)),
        Field::Mode(t) => (28, text(t)),
        Field::CardProof(t) => (29, text(t)),
        Field::TreeSize(n) => (30, n.to_be_bytes().to_vec()),
        Field::TreeRoot(root) => (31, root.0.to_vec()),
        Field::Signed(signed) => (32, signed.encode()),
    }
}

/// `N` bytes off the front.
fn take<'a, const N: usize>(bytes: &mut &'a [u8]) -> Result<&'a [u8; N], LeafError> {
    let (head, rest) = bytes.split_first_chunk::<N>().ok_or(LeafError::Short)?;
    *bytes = rest;
    Ok(head)
}

pub(super) fn decode(bytes: &[u8]) -> Result<Leaf, LeafError> {
    if bytes.len() > LEAF_MAX {
        return Err(LeafError::Large);
    }
    let mut rest = bytes;
    let [version] = *take(&mut rest)?;
    if version != LEAF_VERSION {
        return Err(LeafError::Version(version));
    }
    let kind = LeafKind::from_code(u16::from_be_bytes(*take(&mut rest)?))?;
    let at = i64::from_be_bytes(*take(&mut rest)?);
    let at = Timestamp::from_millisecond(at).map_err(|_| LeafError::Field(0))?;
    let mut leaf = Leaf::new(kind, at);
    let mut before = 0;
    while !rest.is_empty() {
        let [tag] = *take(&mut rest)?;
        let length = usize::from(u16::from_be_bytes(*take(&mut rest)?));
        let (value, after) = rest.split_at_checked(length).ok_or(LeafError::Short)?;
        rest = after;
        if tag < before {
            return Err(LeafError::Order(tag));
        }
        before = tag;
        if leaf.fields.len() >= FIELDS_MAX {
            return Err(LeafError::Large);
        }
        leaf.fields.push(read(tag, value)?);
    }
    Ok(leaf)
}

fn fixed<const N: usize>(value: &[u8]) -> Option<[u8; N]> {
    value.try_into().ok()
}

fn words(value: &[u8]) -> Option<String> {
    let short = value.len() <= TEXT_MAX;
    let text = std::str::from_utf8(value).ok()?;
    short.then(|| text.to_owned())
}

fn read_number(value: &[u8]) -> Option<BillNumber> {
    let (prefix, serial) = value.split_first_chunk::<4>()?;
    Some(BillNumber {
        prefix: BillPrefix::from_value(u32::from_be_bytes(*prefix)).ok()?,
        serial: Serial::from_value(u32::from_be_bytes(fixed(serial)?)).ok()?,
    })
}

fn read_range(value: &[u8]) -> Option<BillRange> {
    let (first, last) = value.split_at_checked(8)?;
    let first = read_number(first)?;
    let last = Serial::from_value(u32::from_be_bytes(fixed(last)?)).ok()?;
    BillRange::new(first.prefix, first.serial, last).ok()
}

fn read_date(value: &[u8]) -> Option<Date> {
    let [y1, y0, month, day] = fixed(value)?;
    let year = i16::from_be_bytes([y1, y0]);
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

fn read_hashed(value: &[u8]) -> Option<Field> {
    let (code, digest) = value.split_first()?;
    let what = Personal::ALL.into_iter().find(|w| w.code() == *code)?;
    Some(Field::Hashed(what, Digest(fixed(digest)?)))
}

fn read_bool(value: &[u8]) -> Option<bool> {
    match value {
        [0] => Some(false),
        [1] => Some(true),
        _ => None,
    }
}

fn read(tag: u8, value: &[u8]) -> Result<Field, LeafError> {
    let count = || fixed(value).map(u32::from_be_bytes);
    let field = match tag {
        1 => words(value).map(Field::Actor),
        2 => fixed(value).map(|b| Field::Sale(SaleId(u128::from_be_bytes(b)))),
        3 => words(value).map(Field::Second),
        4 => words(value).map(Field::Kiosk),
        5 => words(value).map(Field::Slot),
        6 => words(value).map(Field::Subject),
        7 => read_range(value).map(Field::Range),
        8 => read_number(value).map(Field::Number),
        9 => read_number(value).map(Field::Read),
        10 => count().map(Field::Count),
        11 => fixed(value).map(|b| Field::Fee(Fen(i64::from_be_bytes(b)))),
        12 => words(value).map(Field::Requisition),
        14 => words(value).map(Field::Rule),
        15 => count().map(Field::RuleVersion),
        16 => words(value).map(Field::Reason),
        17 => words(value).map(Field::Evidence),
        18 => read_bool(value).map(Field::Ink),
        19 => count().map(Field::AttemptsLeft),
        20 => count().map(Field::ScoreMilli),
        21 => words(value).map(Field::Engine),
        22 => read_date(value).map(Field::BusinessDate),
        24 => read_hashed(value),
        25 => words(value).map(Field::State),
        26 => fixed(value).map(|b| Field::Sequence(u64::from_be_bytes(b))),
        27 => read_number(value).map(Field::SupplementOf),
        28 => words(value).map(Field::Mode),
        29 => words(value).map(Field::CardProof),
        30 => fixed(value).map(|b| Field::TreeSize(u64::from_be_bytes(b))),
        31 => fixed(value).map(|b| Field::TreeRoot(Digest(b))),
        32 => Signed::decode(value).map(|signed| Field::Signed(Box::new(signed))),
        _ => return Err(LeafError::Tag(tag)),
    };
    field.ok_or(LeafError::Field(tag))
}
