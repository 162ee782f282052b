//! The unified social credit code (统一社会信用代码), GB 32100-2015: 18 characters
//! that name a unit, and the organisation code (组织机构代码), GB 11714, inside it.
//!
//! ```text
//!   9      1      350100      M000100Y4        3
//!   │      │      │           │                └ check, weights 3^i mod 31
//!   │      │      │           └ organisation code, its own check at the end
//!   │      │      └ region of the registering authority
//!   │      └ class of unit
//!   └ registering authority
//! ```
//!
//! Owns the rules of form. Refuses nothing for an unknown authority, class or
//! region: tables change, codes stay. The inner check is told apart and never
//! refused alone, because codes issued without one are in use. Called where a
//! unit is enrolled.

use std::fmt;

/// Characters of a credit code.
pub const LENGTH: usize = 18;
/// Characters of an organisation code, its check character included.
pub const ORGANISATION_LENGTH: usize = 9;

/// The code's alphabet: no I, O, S, V, Z. A character's place is its value.
const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
/// 3^i mod 31.
const WEIGHTS: [u32; 17] = [
    1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28,
];
const ORGANISATION_WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];
/// Where the organisation code begins.
const ORGANISATION_AT: usize = 8;

/// Why a text is not a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnitCodeError {
    /// Not 18 plain characters; how many there are.
    #[error("a unified social credit code has 18 plain characters, here are {0}: copy it again")]
    Length(usize),
    /// A character that the alphabet does not have.
    #[error("character {place} is not used in credit codes (no I, O, S, V, Z): copy it again")]
    Alphabet {
        /// From 1.
        place: usize,
    },
    /// A letter where the region's digits stand.
    #[error("characters 3 to 8 are the region, in digits: copy it again")]
    Region,
    /// The last character is wrong.
    #[error("the check character is wrong: compare with the business licence")]
    Check,
}

/// A code whose check character is right.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitCode([u8; LENGTH]);

impl UnitCode {
    /// Reads a code; lower-case letters are accepted, spaces are not.
    pub fn parse(text: &str) -> Result<Self, UnitCodeError> {
        let upper = text.to_ascii_uppercase();
        let characters = upper.chars().count();
        let code: [u8; LENGTH] = upper
            .as_bytes()
            .try_into()
            .ok()
            .filter(|_| characters == LENGTH)
            .ok_or(UnitCodeError::Length(characters))?;
        if let Some(at) = code.iter().position(|c| value(*c).is_none()) {
            let place = at.saturating_add(1);
            return Err(UnitCodeError::Alphabet { place });
        }
        let mut region = code.iter().skip(2).take(6);
        if !region.all(u8::is_ascii_digit) {
            return Err(UnitCodeError::Region);
        }
        let (body, last) = code.split_at(WEIGHTS.len());
        if check_of(body) != last.first().copied() {
            return Err(UnitCodeError::Check);
        }
        Ok(Self(code))
    }

    /// The code in capitals.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The organisation code inside, its check character included.
    pub fn organisation(&self) -> &str {
        let end = ORGANISATION_AT.saturating_add(ORGANISATION_LENGTH);
        self.as_str().get(ORGANISATION_AT..end).unwrap_or_default()
    }

    /// Whether the organisation code inside passes its own check.
    pub fn organisation_checks(&self) -> bool {
        organisation(self.organisation())
    }
}

impl fmt::Display for UnitCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for UnitCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn value(character: u8) -> Option<u32> {
    let at = ALPHABET.iter().position(|c| *c == character)?;
    u32::try_from(at).ok()
}

fn check_of(body: &[u8]) -> Option<u8> {
    let terms = WEIGHTS.iter().zip(body);
    let sum: u32 = terms
        .map(|(weight, c)| value(*c).map(|v| v.saturating_mul(*weight)))
        .sum::<Option<u32>>()?;
    let at = 31_u32.saturating_sub(sum % 31) % 31;
    ALPHABET.get(usize::try_from(at).ok()?).copied()
}

/// The check character of the first 8 characters of an organisation code; `None`
/// unless they are digits and capitals.
pub fn organisation_check(first8: &str) -> Option<char> {
    if first8.len() != ORGANISATION_WEIGHTS.len() {
        return None;
    }
    let terms = ORGANISATION_WEIGHTS.iter().zip(first8.chars());
    let sum: u32 = terms
        .map(|(weight, c)| {
            let sound = c.is_ascii_digit() || c.is_ascii_uppercase();
            let value = sound.then(|| c.to_digit(36)).flatten()?;
            Some(weight.saturating_mul(value))
        })
        .sum::<Option<u32>>()?;
    match 11_u32.saturating_sub(sum % 11) {
        10 => Some('X'),
        11 => Some('0'),
        digit => char::from_digit(digit, 10),
    }
}

/// Whether `text` is 9 characters with a right check character; a hyphen before
/// the last, as it is printed, is accepted.
pub fn organisation(text: &str) -> bool {
    let body = ORGANISATION_WEIGHTS.len();
    let Some((first8, last)) = text.split_at_checked(body) else {
        return false;
    };
    let last = last.strip_prefix('-').unwrap_or(last);
    organisation_check(first8).is_some_and(|check| last.chars().eq([check]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_standards_own_example_and_published_codes_pass() {
        for text in [
            "91350100M000100Y43",
            "91512081MA62K0260E",
            "11320000MB151840XJ",
            "91999999MA00000040",
        ] {
            let code = UnitCode::parse(text);
            assert_eq!(code.map(|c| c.to_string()).as_deref(), Ok(text));
        }
        assert_eq!(
            UnitCode::parse("91350100M000100Y4Z"),
            Err(UnitCodeError::Alphabet { place: 18 })
        );
        assert_eq!(
            UnitCode::parse("91350100M000100Y44"),
            Err(UnitCodeError::Check)
        );
    }

    #[test]
    fn published_organisation_codes_have_the_published_check_character() {
        assert_eq!(organisation_check("D2143569"), Some('X'));
        assert_eq!(organisation_check("M000100Y"), Some('4'));
        assert!(organisation("D2143569-X"));
        assert!(organisation("M000100Y4"));
        assert!(!organisation("M000100Y5"));
        assert!(!organisation("m000100y4"));
        let code = UnitCode::parse("91350100M000100Y43").expect("the standard's own");
        assert_eq!(code.organisation(), "M000100Y4");
        assert!(code.organisation_checks());
    }

    #[test]
    fn the_error_tells_what_is_wrong() {
        let error = |text: &str| UnitCode::parse(text).err();
        assert_eq!(error(""), Some(UnitCodeError::Length(0)));
        assert_eq!(
            error("91350100M000100Y４3"),
            Some(UnitCodeError::Length(18)),
            "a wide digit is not a digit"
        );
        assert_eq!(
            error("9135O100M000100Y43"),
            Some(UnitCodeError::Alphabet { place: 5 })
        );
        assert_eq!(error("91A50100M000100Y43"), Some(UnitCodeError::Region));
    }

    #[test]
    fn lower_case_is_read_and_written_in_capitals() {
        let code = UnitCode::parse("91350100m000100y43").expect("the standard's own");
        assert_eq!(code.as_str(), "91350100M000100Y43");
    }

    proptest! {
        #[test]
        fn one_changed_character_is_always_noticed(place in 0..18_usize, by in 1..31_usize) {
            let mut code = *b"91350100M000100Y43";
            let at = ALPHABET.iter().position(|c| *c == code[place]).expect("in it");
            code[place] = ALPHABET[(at + by) % 31];
            let text = std::str::from_utf8(&code).expect("ascii");
            prop_assert!(UnitCode::parse(text).is_err());
        }

        /// All weights of GB 11714 are prime to 11: one wrong digit is never unseen.
        #[test]
        fn one_changed_digit_of_an_organisation_code_is_always_noticed(
            body in "[0-9]{8}", place in 0..8_usize, by in 1..10_u8,
        ) {
            let check = organisation_check(&body).expect("8 digits");
            let sound = format!("{body}-{check}");
            prop_assert!(organisation(&sound));
            let mut digits = sound.into_bytes();
            digits[place] = b'0' + (digits[place] - b'0' + by) % 10;
            prop_assert!(!organisation(&String::from_utf8(digits).expect("ascii")));
        }

        #[test]
        fn two_swapped_neighbours_are_always_noticed(place in 0..17_usize) {
            let mut code = *b"91350100M000100Y43";
            prop_assume!(code[place] != code[place + 1]);
            code.swap(place, place + 1);
            let text = std::str::from_utf8(&code).expect("ascii");
            prop_assert!(UnitCode::parse(text).is_err());
        }

        #[test]
        fn no_text_makes_the_check_fall_over(text in ".{0,24}") {
            let _ = UnitCode::parse(&text);
            let _ = organisation(&text);
        }
    }
}
