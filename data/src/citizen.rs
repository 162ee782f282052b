//! The citizen number (公民身份号码), GB 11643-1999: 18 characters.
//!
//! Region 6, birth 8, sequence 3 (odd = male, even = female), check 1 (MOD 11-2,
//! `X` for ten). Owns the rule of form; refuses nothing for an unknown region,
//! because old codes stay valid for life and the table changes every year.
//! Called by the identity gate on both sides of the wire.

use jiff::civil::Date;

/// Characters of a citizen number; 15-digit numbers of before 1999 are refused.
pub const LENGTH: usize = 18;

const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECK: [char; 11] = ['1', '0', 'X', '9', '8', '7', '6', '5', '4', '3', '2'];

/// Why a text is not a citizen number. Never repeats the text (I7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CitizenError {
    /// Not 17 digits and a digit or X.
    #[error("a citizen number is 17 digits and a digit or X: read the card again")]
    Shape,
    /// The birth field is not a day of the calendar.
    #[error("the birth date in the number does not exist: read the card again")]
    Birth,
    /// The check character is wrong.
    #[error("the check character is wrong: read the card again")]
    Check,
}

/// Sex as the number's 17th digit tells it (GB/T 2261.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sex {
    /// Odd sequence.
    Male,
    /// Even sequence.
    Female,
}

/// What a sound number tells.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CitizenFacts {
    /// Date of birth.
    pub birth: Date,
    /// Sex by sequence parity.
    pub sex: Sex,
}

/// The check character for the first 17 digits; `None` unless they are digits.
pub fn check_character(first17: &str) -> Option<char> {
    if first17.len() != WEIGHTS.len() || !first17.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let sum: u32 = WEIGHTS
        .iter()
        .zip(first17.bytes())
        .map(|(weight, digit)| weight.saturating_mul(u32::from(digit.saturating_sub(b'0'))))
        .sum();
    CHECK.get(usize::try_from(sum % 11).ok()?).copied()
}

/// Checks shape, birth date and check character. A lower-case x is accepted on
/// input; [`canonical`] is the stored form.
pub fn check(number: &str) -> Result<CitizenFacts, CitizenError> {
    let (first17, last) = number
        .split_at_checked(WEIGHTS.len())
        .ok_or(CitizenError::Shape)?;
    let expected = check_character(first17).ok_or(CitizenError::Shape)?;
    let mut rest = last.chars();
    let given = rest.next().map(|c| c.to_ascii_uppercase());
    if rest.next().is_some() || !given.is_some_and(|c| c.is_ascii_digit() || c == 'X') {
        return Err(CitizenError::Shape);
    }
    let birth = birth_date(first17).ok_or(CitizenError::Birth)?;
    if given != Some(expected) {
        return Err(CitizenError::Check);
    }
    let odd = first17.bytes().last().is_some_and(|b| b % 2 == 1);
    let sex = if odd { Sex::Male } else { Sex::Female };
    Ok(CitizenFacts { birth, sex })
}

fn birth_date(first17: &str) -> Option<Date> {
    let year = first17.get(6..10)?.parse().ok()?;
    let month = first17.get(10..12)?.parse().ok()?;
    let day = first17.get(12..14)?.parse().ok()?;
    Date::new(year, month, day).ok()
}

/// The number as it is stored and compared: upper-case X.
pub fn canonical(number: &str) -> Result<String, CitizenError> {
    check(number)?;
    Ok(number.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// GB 11643's own sample and numbers of the published test vectors.
    const VECTORS: [(&str, char); 7] = [
        ("11010519491231002", 'X'),
        ("44052418800101001", '4'),
        ("51310119820113001", '4'),
        ("34052419800101001", 'X'),
        ("81000019900101001", '9'),
        ("83000019900101001", '2'),
        ("91124019800101001", '0'),
    ];

    #[test]
    fn published_numbers_have_the_published_check_character() {
        for (body, expected) in VECTORS {
            assert_eq!(check_character(body), Some(expected), "{body}");
            assert!(check(&format!("{body}{expected}")).is_ok(), "{body}");
        }
    }

    #[test]
    fn a_lower_case_x_is_read_and_stored_in_upper_case() {
        assert_eq!(
            canonical("11010519491231002x").as_deref(),
            Ok("11010519491231002X")
        );
        assert!(matches!(check("11010519491231002x"), Ok(f) if f.sex == Sex::Female));
    }

    #[test]
    fn impossible_days_are_refused_even_with_a_right_check_character() {
        for body in ["11010519490229002", "11010519491331002"] {
            let number = format!("{body}{}", check_character(body).expect("17 digits"));
            assert_eq!(check(&number).err(), Some(CitizenError::Birth), "{body}");
        }
    }

    #[test]
    fn fifteen_digits_wide_digits_and_long_texts_are_not_numbers() {
        for text in [
            "",
            "110105491231002",
            "11010519491231002XX",
            "1101051949123100２X",
        ] {
            assert_eq!(check(text).err(), Some(CitizenError::Shape), "{text}");
        }
    }

    proptest! {
        #[test]
        fn one_changed_digit_is_always_noticed(place in 0..17_usize, by in 1..10_u8) {
            let mut digits = *b"11010519491231002X";
            digits[place] = b'0' + (digits[place] - b'0' + by) % 10;
            let text = String::from_utf8(digits.to_vec()).expect("ascii");
            prop_assert!(check(&text).is_err());
        }

        #[test]
        fn two_swapped_neighbours_are_always_noticed(place in 0..16_usize) {
            let mut digits = *b"11010519491231002X";
            prop_assume!(digits[place] != digits[place + 1]);
            digits.swap(place, place + 1);
            let text = String::from_utf8(digits.to_vec()).expect("ascii");
            prop_assert!(check(&text).is_err());
        }

        #[test]
        fn no_text_makes_the_check_fall_over(text in ".{0,24}") {
            let _ = check(&text);
        }
    }
}
