//! The text block of an ID card: four layouts in 256 bytes of UTF-16LE
//! (GA/T 490 and the 2017 and 2023 foreigner cards), told apart by byte 248.
//!
//! Refuses lengths that do not add up, dates that are none, and a name or number with
//! a control character; else keeps every name as it stands, private-use characters
//! included.

use counterfoil_data::secret::Secret;
use jiff::civil::Date;
use zeroize::Zeroizing;

use super::error::DocumentError;

/// Bytes of the text block.
pub const TEXT_LEN: usize = 256;
const TYPE_AT: usize = 248;
const LONG_TERM: &str = "长期";

/// Which document it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentKind {
    /// 居民身份证.
    Resident,
    /// 港澳台居民居住证.
    HkMacaoTaiwan,
    /// 外国人永久居留身份证, 2017.
    Foreigner2017,
    /// 外国人永久居留身份证, 2023 ("five-star").
    Foreigner2023,
}

/// What the card says. Nothing personal can be printed or logged (I7).
#[derive(Debug)]
pub struct IdDocument {
    /// Which layout.
    pub kind: DocumentKind,
    /// Name: Chinese if there is one, else as in Latin letters.
    pub name: Secret<String>,
    /// Name in Latin letters, empty for Chinese citizens.
    pub latin_name: Secret<String>,
    /// Document number: 18 characters, 15 on the 2017 foreigner card.
    pub number: Secret<String>,
    /// Sex, digit of GB/T 2261.1: 0 unknown, 1 male, 2 female, 9 not stated.
    pub sex: Secret<u8>,
    /// Date of birth, `YYYYMMDD`, checked to be a date.
    pub birth: Secret<String>,
    /// Address, where the layout has one.
    pub address: Secret<String>,
    /// Address written to the chip since (追加地址), the newest; `None` if there is none
    /// or it was not asked for.
    pub newest_address: Option<Secret<String>>,
    /// Issuing authority in words, or its code on foreigner cards.
    pub issuer: Secret<String>,
    /// First day of validity.
    pub valid_from: Date,
    /// Last day of validity; `None` = long-term (长期).
    pub valid_to: Option<Date>,
}

/// Where each field stands: offset and width in bytes.
struct Layout {
    name: (usize, usize),
    latin: &'static [(usize, usize)],
    sex: usize,
    birth: usize,
    address: Option<(usize, usize)>,
    number: (usize, usize),
    issuer: Option<(usize, usize)>,
}

const RESIDENT: Layout = Layout {
    name: (0, 30),
    latin: &[],
    sex: 30,
    birth: 36,
    address: Some((52, 70)),
    number: (122, 36),
    issuer: Some((158, 30)),
};
const FOREIGNER_2017: Layout = Layout {
    name: (158, 30),
    latin: &[(0, 120)],
    sex: 120,
    birth: 220,
    address: None,
    number: (122, 30),
    issuer: Some((240, 8)),
};
const FOREIGNER_2023: Layout = Layout {
    name: (0, 30),
    latin: &[(52, 70), (220, 22)],
    sex: 30,
    birth: 36,
    address: None,
    number: (122, 36),
    issuer: None,
};
/// Bytes of one appended address.
const ADDRESS_LEN: usize = 70;
/// Appended addresses in one answer at most.
const ADDRESSES_MAX: usize = 4;
/// Validity stands at the same place in all four.
const VALID_FROM: (usize, usize) = (188, 16);
const VALID_TO: (usize, usize) = (204, 16);

/// The document in the data of a base read: two lengths (text, photo), or three
/// with the fingerprint, then the parts. They must add up exactly.
pub fn parse(data: &[u8], with_finger: bool) -> Result<IdDocument, DocumentError> {
    let (head, parts) = data
        .split_at_checked(if with_finger { 6 } else { 4 })
        .ok_or(DocumentError::Lengths)?;
    let mut sum = 0_usize;
    for pair in head.chunks_exact(2) {
        let length = <[u8; 2]>::try_from(pair).map_or(0, u16::from_be_bytes);
        sum = sum.saturating_add(usize::from(length));
    }
    let text_len = head
        .first_chunk::<2>()
        .map_or(0, |l| u16::from_be_bytes(*l));
    if usize::from(text_len) != TEXT_LEN || sum != parts.len() {
        return Err(DocumentError::Lengths);
    }
    let text = parts
        .first_chunk::<TEXT_LEN>()
        .ok_or(DocumentError::Lengths)?;
    parse_text(text)
}

/// The newest of the appended addresses in the data of 30 03: one of 70 bytes, or
/// several in the order they were written, unused ones blank. `None` for none, and for
/// what is not that.
pub fn newest_address(data: &[u8]) -> Option<Secret<String>> {
    let (addresses, rest) = data.as_chunks::<ADDRESS_LEN>();
    if !rest.is_empty() || addresses.len() > ADDRESSES_MAX {
        return None;
    }
    let mut newest_first = addresses.iter().rev().map(|bytes| decoded(bytes));
    let newest = newest_first.find(|text| !trim(text).is_empty())?;
    let sound = !newest.contains(char::is_control);
    sound.then(|| Secret::new(trim(&newest).to_owned()))
}

/// The document in a text block.
pub fn parse_text(block: &[u8; TEXT_LEN]) -> Result<IdDocument, DocumentError> {
    let (kind, layout) = match field(block, (TYPE_AT, 2)).as_str() {
        "" => (DocumentKind::Resident, &RESIDENT),
        "J" => (DocumentKind::HkMacaoTaiwan, &RESIDENT),
        "I" => (DocumentKind::Foreigner2017, &FOREIGNER_2017),
        "Y" => (DocumentKind::Foreigner2023, &FOREIGNER_2023),
        _ => return Err(DocumentError::UnknownLayout),
    };
    let secret = |place| Secret::new(field(block, place));
    let mut latin = Zeroizing::new(String::with_capacity(TEXT_LEN));
    for place in layout.latin {
        latin.push_str(&untrimmed(block, *place));
    }
    let latin_name = Secret::new(trim(&latin).to_owned());
    let mut name = secret(layout.name);
    if name.expose().is_empty() {
        name = Secret::new(latin_name.expose().clone());
    }
    let number = secret(layout.number);
    let sound = |text: &str| !text.is_empty() && !text.contains(char::is_control);
    if !sound(name.expose()) || !sound(number.expose()) {
        return Err(DocumentError::Field("name or number"));
    }
    let sex = field(block, (layout.sex, 2));
    let birth = secret((layout.birth, 16));
    date(birth.expose()).ok_or(DocumentError::Field("birth"))?;
    let valid_from = field(block, VALID_FROM);
    let valid_to = field(block, VALID_TO);
    Ok(IdDocument {
        kind,
        name,
        latin_name,
        number,
        sex: Secret::new(sex.parse().map_err(|_| DocumentError::Field("sex"))?),
        birth,
        address: layout
            .address
            .map_or_else(|| Secret::new(String::new()), secret),
        newest_address: None,
        issuer: layout
            .issuer
            .map_or_else(|| Secret::new(String::new()), secret),
        valid_from: date(&valid_from).ok_or(DocumentError::Field("valid from"))?,
        valid_to: match valid_to.as_str() {
            LONG_TERM => None,
            day => Some(date(day).ok_or(DocumentError::Field("valid to"))?),
        },
    })
}

fn field(block: &[u8; TEXT_LEN], place: (usize, usize)) -> String {
    trim(&untrimmed(block, place)).to_owned()
}

fn untrimmed(block: &[u8; TEXT_LEN], (offset, width): (usize, usize)) -> Zeroizing<String> {
    let end = offset.saturating_add(width);
    decoded(block.get(offset..end).unwrap_or_default())
}

fn decoded(bytes: &[u8]) -> Zeroizing<String> {
    let units = bytes
        .chunks_exact(2)
        .filter_map(|pair| <[u8; 2]>::try_from(pair).ok());
    // Four bytes a unit is more than UTF-8 needs: the text never moves in memory.
    let mut text = Zeroizing::new(String::with_capacity(bytes.len().saturating_mul(2)));
    let decoded = char::decode_utf16(units.map(u16::from_le_bytes));
    text.extend(decoded.map(|unit| unit.unwrap_or('\u{fffd}')));
    text
}

fn trim(text: &str) -> &str {
    text.trim_matches(|c| matches!(c, ' ' | '\0'))
}

fn date(text: &str) -> Option<Date> {
    if text.len() != 8 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let year = text.get(..4)?.parse().ok()?;
    let month = text.get(4..6)?.parse().ok()?;
    let day = text.get(6..8)?.parse().ok()?;
    Date::new(year, month, day).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The published synthetic resident block, all 256 bytes.
    const PUBLISHED: &str = "\
        37688b4f3275200020002000200020002000200020002000200020002000320030003100310039003400390031003200330031001753ac4e025e1d6733963a53\
        37688b4fef8d3100f753200020002000200020002000200020002000200020002000200020002000200020002000200020002000200020002000310031003000\
        3100300035003100390034003900310032003300310030003000320058001753ac4e025e6c51895b405c1d6733960652405c2000200020002000200032003000\
        3100300030003100300031007f951f67200020002000200020002000200020002000200020002000200020002000200020002000200020002000200020002000";

    fn block() -> [u8; TEXT_LEN] {
        let bytes = counterfoil_data::wire::unhex(PUBLISHED).expect("hex");
        bytes.try_into().expect("256 bytes")
    }

    #[test]
    fn the_published_resident_block_reads_as_its_fields() {
        let card = parse_text(&block()).expect("parses");
        assert_eq!(card.kind, DocumentKind::Resident);
        assert_eq!(card.name.expose(), "样例甲");
        assert_eq!(card.number.expose(), "11010519491231002X");
        assert_eq!(*card.sex.expose(), 2);
        assert_eq!(card.birth.expose(), "19491231");
        assert_eq!(card.address.expose(), "北京市朝阳区样例路1号");
        assert_eq!(card.issuer.expose(), "北京市公安局朝阳分局");
        assert_eq!(card.valid_from, jiff::civil::date(2010, 1, 1));
        assert_eq!(card.valid_to, None);
        assert!(!format!("{card:?}").contains("样例"));
    }

    #[test]
    fn lengths_that_do_not_add_up_are_refused() {
        let text = block();
        let whole = [&[1, 0, 0, 4][..], &text, &[0; 4]].concat();
        assert!(parse(&whole, false).is_ok());
        assert_eq!(parse(&whole, true).err(), Some(DocumentError::Lengths));
        let short = &whole[..whole.len() - 1];
        assert_eq!(parse(short, false).err(), Some(DocumentError::Lengths));
        let small = [&[0, 220, 0, 0][..], &text[..220]].concat();
        assert_eq!(parse(&small, false).err(), Some(DocumentError::Lengths));
    }

    #[test]
    fn a_fifth_layout_and_a_day_that_is_none_are_refused() {
        let mut other = block();
        other[TYPE_AT] = b'Q';
        assert_eq!(parse_text(&other).err(), Some(DocumentError::UnknownLayout));
        let mut thirteenth = block();
        thirteenth[188 + 8] = b'1';
        thirteenth[188 + 10] = b'3';
        assert_eq!(
            parse_text(&thirteenth).err(),
            Some(DocumentError::Field("valid from"))
        );
    }

    #[test]
    fn a_name_or_number_with_a_control_character_is_refused() {
        for at in [2, 122 + 2] {
            let mut broken = block();
            broken[at..at + 2].copy_from_slice(&u16::from(b'\n').to_le_bytes());
            let refused = DocumentError::Field("name or number");
            assert_eq!(parse_text(&broken).err(), Some(refused));
        }
    }

    #[test]
    fn a_rare_character_of_the_private_use_area_is_kept() {
        let mut rare = block();
        rare[2..4].copy_from_slice(&0xe815_u16.to_le_bytes());
        assert_eq!(
            parse_text(&rare).expect("parses").name.expose(),
            "样\u{e815}甲"
        );
    }

    fn address(text: &str) -> [u8; ADDRESS_LEN] {
        let mut bytes = [0x20, 0].repeat(ADDRESS_LEN / 2);
        for (at, unit) in text.encode_utf16().enumerate() {
            bytes[2 * at..2 * at + 2].copy_from_slice(&unit.to_le_bytes());
        }
        bytes.try_into().expect("70 bytes")
    }

    #[test]
    fn the_newest_address_is_the_last_that_is_not_blank() {
        let (old, new, none) = (address("旧路"), address("新路"), address(""));
        let newest = |parts: &[[u8; ADDRESS_LEN]]| {
            let newest = newest_address(&parts.concat())?;
            Some(newest.expose().clone())
        };
        assert_eq!(newest(&[new]).as_deref(), Some("新路"));
        assert_eq!(newest(&[old, new, none, none]).as_deref(), Some("新路"));
        assert_eq!(newest(&[none, none]), None);
        assert_eq!(newest(&[old, address("新\n路")]), None);
        assert_eq!(newest(&[new; 5]), None);
        assert!(newest_address(&old[..69]).is_none() && newest_address(&[]).is_none());
    }

    proptest! {
        #[test]
        fn any_block_ends_without_panic(bytes in proptest::collection::vec(any::<u8>(), 256), finger: bool) {
            let block: [u8; TEXT_LEN] = bytes.clone().try_into().unwrap();
            let _ = parse_text(&block);
            let _ = (parse(&bytes, finger), newest_address(&bytes));
        }
    }
}
