//! Fields of a payment card: numbers, dates, file locator, data object lists.
//!
//! EMV Book 3 Annex A; track 2 after ISO/IEC 7813. Refuses what is out of form
//! and what two fields say differently. Pure; called by the card read.

use counterfoil_data::secret::Secret;
use jiff::civil::Date;

use super::tlv::{self, TlvError};

/// Groups in a file locator.
const AFL_GROUPS_MAX: usize = 16;
/// Records read from one card.
pub const RECORDS_MAX: usize = 32;

/// Whether digits carry a good Luhn check digit (ISO/IEC 7812-1 Annex B).
pub fn luhn(digits: &[u8]) -> bool {
    let weigh = |(place, digit): (usize, &u8)| -> u32 {
        match (u32::from(*digit), place % 2) {
            (d, 0) => d,
            (d, _) if d > 4 => d.saturating_mul(2).saturating_sub(9),
            (d, _) => d.saturating_mul(2),
        }
    };
    let sum: u32 = digits.iter().rev().enumerate().map(weigh).sum();
    digits.iter().all(|d| *d < 10) && sum.is_multiple_of(10)
}

/// Nibbles of a packed field, high first.
fn nibbles(bytes: &[u8]) -> impl Iterator<Item = u8> + '_ {
    bytes.iter().flat_map(|b| [b >> 4, b & 0x0F])
}

/// A card number out of tag 5A: BCD, padded with F on the right.
pub fn pan(field: &[u8]) -> Option<Secret<String>> {
    let mut digits: Vec<u8> = nibbles(field).collect();
    while digits.last() == Some(&0x0F) {
        digits.pop();
    }
    let text = text_of(&digits);
    let good = (13..=19).contains(&digits.len()) && luhn(&digits);
    zeroize::Zeroize::zeroize(&mut digits);
    good.then_some(text)
}

fn text_of(digits: &[u8]) -> Secret<String> {
    let text = digits
        .iter()
        .filter_map(|d| char::from_digit(u32::from(*d), 16));
    Secret::new(text.collect())
}

/// Year and month, two digits each, `20yy`.
pub type YearMonth = (u8, u8);

/// BCD byte to number.
fn bcd(byte: u8) -> Option<u8> {
    let (high, low) = (byte >> 4, byte & 0x0F);
    (high < 10 && low < 10).then(|| high.saturating_mul(10).saturating_add(low))
}

fn year_month(year: u8, month: u8) -> Option<YearMonth> {
    let (year, month) = (bcd(year)?, bcd(month)?);
    (1..=12).contains(&month).then_some((year, month))
}

/// Tag 5F24, YYMMDD.
pub fn expiry(field: &[u8]) -> Option<YearMonth> {
    let [year, month, _day] = field else {
        return None;
    };
    year_month(*year, *month)
}

/// Whether a card is good through this month's last day.
pub fn in_date((year, month): YearMonth, today: Date) -> bool {
    let century = if year < 50 { 2000 } else { 1900 };
    let year = i16::from(year).saturating_add(century);
    (year, i16::from(month)) >= (today.year(), i16::from(today.month()))
}

/// Track-2 equivalent data, tag 57.
pub struct Track2 {
    /// The card number.
    pub pan: Secret<String>,
    /// Expiry.
    pub expiry: YearMonth,
    /// Service code.
    pub service: u16,
}

/// Reads tag 57: number, `D`, YYMM, service code, discretionary data, `F`.
pub fn track2(field: &[u8]) -> Option<Track2> {
    let all: zeroize::Zeroizing<Vec<u8>> = zeroize::Zeroizing::new(nibbles(field).collect());
    let (number, rest) = all.split_at_checked(all.iter().position(|n| *n == 0x0D)?)?;
    let [_, y1, y2, m1, m2, s1, s2, s3, ..] = rest else {
        return None;
    };
    let expiry = year_month((y1 << 4) | y2, (m1 << 4) | m2)?;
    let good = (13..=19).contains(&number.len()) && luhn(number);
    let service = [s1, s2, s3].iter().try_fold(0_u16, |sum, d| {
        (**d < 10).then(|| sum.saturating_mul(10).saturating_add(u16::from(**d)))
    })?;
    good.then(|| Track2 {
        pan: text_of(number),
        expiry,
        service,
    })
}

/// One group of the application file locator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// Short file identifier.
    pub sfi: u8,
    /// First record.
    pub first: u8,
    /// Last record.
    pub last: u8,
    /// How many of them, from the first, are authenticated.
    pub authenticated: u8,
}

/// Reads a file locator (tag 94); refuses SFI 0 and above 30, empty or backward
/// groups, more authenticated records than there are (Book 3 §10.2).
pub fn file_locator(field: &[u8]) -> Option<Vec<Group>> {
    let (groups, rest) = field.as_chunks::<4>();
    if !rest.is_empty() || groups.is_empty() || groups.len() > AFL_GROUPS_MAX {
        return None;
    }
    let mut records = 0_usize;
    let mut read = Vec::new();
    for [sfi, first, last, authenticated] in groups.iter().copied() {
        let count = last.checked_sub(first)?.checked_add(1)?;
        let sound = sfi & 7 == 0 && (1..=30).contains(&(sfi >> 3)) && first > 0;
        if !sound || authenticated > count {
            return None;
        }
        records = records.saturating_add(usize::from(count));
        read.push(Group {
            sfi: sfi >> 3,
            first,
            last,
            authenticated,
        });
    }
    (records <= RECORDS_MAX).then_some(read)
}

/// What the terminal tells a card that asks (PDOL, DDOL).
#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    /// 9F37, fresh for each use.
    pub random: [u8; 4],
    /// 9A.
    pub today: Date,
}

/// 9F66: contact, online capable (as terminals in the field send it).
const QUALIFIERS: [u8; 4] = [0x26, 0x00, 0x00, 0x80];
/// 156, China and the yuan, as n3 in two bytes.
const CHINA: [u8; 2] = [0x01, 0x56];

fn to_bcd(number: u8) -> u8 {
    let (tens, ones) = (number / 10 % 10, number % 10);
    (tens << 4) | ones
}

impl Terminal {
    fn value(&self, tag: u32) -> Vec<u8> {
        let year = u8::try_from(self.today.year().rem_euclid(100)).unwrap_or_default();
        let [month, day] = [self.today.month(), self.today.day()].map(i8::unsigned_abs);
        match tag {
            0x9F66 => QUALIFIERS.to_vec(),
            0x9F1A | 0x5F2A => CHINA.to_vec(),
            0x9A => vec![to_bcd(year), to_bcd(month), to_bcd(day)],
            0x9F37 => self.random.to_vec(),
            // Amounts, verification results, transaction type: nothing is bought here.
            _ => Vec::new(),
        }
    }

    /// Fills a data object list: numbers are cut and padded on the left, the rest
    /// on the right (Book 3 §5.4); unknown objects are zeros.
    pub fn fill(&self, list: &[u8]) -> Result<Vec<u8>, TlvError> {
        let mut filled = Vec::new();
        for (tag, wanted) in tlv::object_list(list)? {
            let value = self.value(tag);
            let wanted = usize::from(wanted);
            let numeric = matches!(tag, 0x9F1A | 0x5F2A | 0x9A);
            let zeros = vec![0; wanted.saturating_sub(value.len())];
            let cut = value.len().saturating_sub(wanted);
            if numeric {
                filled.extend(zeros);
                filled.extend(value.iter().skip(cut));
            } else {
                filled.extend(value.iter().take(wanted));
                filled.extend(zeros);
            }
        }
        if filled.len() > 252 {
            return Err(TlvError::Many);
        }
        Ok(filled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use counterfoil_data::wire::{hex, unhex};
    use jiff::civil::date;

    fn digits(text: &str) -> Vec<u8> {
        text.bytes().map(|b| b - b'0').collect()
    }

    #[test]
    fn published_check_digits_are_good_and_their_neighbours_are_not() {
        for (body, check) in [
            ("476173900101011", 9),
            ("541333008902001", 1),
            ("621700001000000001", 1),
        ] {
            for last in 0..10 {
                let mut all = digits(body);
                all.push(last);
                assert_eq!(luhn(&all), last == check, "{body}{last}");
            }
        }
    }

    /// Track 2 of a public test card.
    #[test]
    fn track_2_gives_number_expiry_and_service_code() {
        let field = unhex("4761739001010119d22122011758928889").unwrap();
        let track = track2(&field).unwrap();
        assert_eq!(track.pan.expose(), "4761739001010119");
        assert_eq!((track.expiry, track.service), ((22, 12), 201));
        let other = unhex("4761739001010118d22122011758928889").unwrap();
        assert!(track2(&other).is_none());
        let month = unhex("4761739001010119d22132011758928889").unwrap();
        assert!(track2(&month).is_none());
    }

    #[test]
    fn a_number_of_19_digits_has_one_f_of_padding() {
        let field = unhex("6217000010000000011f").unwrap();
        assert_eq!(pan(&field).unwrap().expose(), "6217000010000000011");
        assert!(pan(&unhex("621700001000000001ff").unwrap()).is_none());
        assert!(pan(&[]).is_none());
    }

    #[test]
    fn a_card_is_good_through_the_last_day_of_its_month() {
        assert!(in_date((26, 11), date(2026, 11, 30)));
        assert!(!in_date((26, 11), date(2026, 12, 1)));
        assert_eq!(expiry(&[0x26, 0x11, 0x30]), Some((26, 11)));
        assert_eq!(expiry(&[0x26, 0x13, 0x30]), None);
    }

    #[test]
    fn file_locators_that_lie_are_refused() {
        assert_eq!(
            file_locator(&[0x08, 1, 1, 0, 0x10, 1, 3, 2]).unwrap().len(),
            2
        );
        for bad in [
            [0x00, 1, 1, 0], // SFI 0
            [0xF8, 1, 1, 0], // SFI 31
            [0x09, 1, 1, 0], // low bits
            [0x08, 0, 1, 0], // record 0
            [0x08, 2, 1, 0], // backward
            [0x08, 1, 1, 2], // more authenticated than there are
            [0x08, 1, 255, 0],
        ] {
            assert_eq!(file_locator(&bad), None, "{bad:?}");
        }
        assert_eq!(file_locator(&[]), None);
        assert_eq!(file_locator(&[8, 1, 1]), None);
    }

    /// PDOL and its filling of a public PBOC trace: 33 bytes.
    #[test]
    fn the_data_object_list_of_a_pboc_card_is_filled_as_in_the_trace() {
        let list = unhex("9f66049f02069f03069f1a0295055f2a029a039c019f3704").unwrap();
        let terminal = Terminal {
            random: [0x12, 0x34, 0x56, 0x78],
            today: date(2026, 11, 22),
        };
        let golden = "260000800000000000000000000000000156000000000001562611220012345678";
        assert_eq!(hex(&terminal.fill(&list).unwrap()), golden);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_fields_or_refused(bytes in proptest::collection::vec(0_u8.., 0..40)) {
            let _ = (pan(&bytes), track2(&bytes), expiry(&bytes), file_locator(&bytes));
        }
    }
}
