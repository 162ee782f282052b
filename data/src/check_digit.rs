//! Check digits of card numbers and bank numbers.
//!
//! Owns the arithmetic only; business account numbers carry bank-specific checks
//! and mostly no Luhn, so nothing here is ever run on them. Called by the demo
//! bank, the card driver and form templates. Citizen numbers: [`crate::citizen`].

/// Shortest and longest card number (ISO/IEC 7812).
pub const PAN_DIGITS: std::ops::RangeInclusive<usize> = 13..=19;
/// Digits of a bank number (行号).
pub const BANK_NUMBER_DIGITS: usize = 12;

/// Whether `text` is a card number of 13 to 19 digits with a right Luhn digit.
pub fn luhn(text: &str) -> bool {
    if !PAN_DIGITS.contains(&text.len()) || !text.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let sum: u32 = text
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let value = u32::from(digit.saturating_sub(b'0'));
            let doubled = value.saturating_mul(2);
            match (place % 2, doubled) {
                (0, _) => value,
                (_, 10..) => doubled.saturating_sub(9),
                _ => doubled,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// The check digit of the first 11 digits of a bank number, ISO 7064 MOD 11,10
/// (GB/T 17710); `None` unless `text` is exactly 11 digits.
pub fn bank_number_check(text: &str) -> Option<char> {
    let body = BANK_NUMBER_DIGITS.saturating_sub(1);
    if text.len() != body || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let product = text.bytes().fold(10_u32, |product, byte| {
        let digit = u32::from(byte.saturating_sub(b'0'));
        let sum = match product.saturating_add(digit) % 10 {
            0 => 10,
            sum => sum,
        };
        sum.saturating_mul(2) % 11
    });
    char::from_digit(11_u32.saturating_sub(product) % 10, 10)
}

/// Whether `text` is a 12-digit bank number with a right check digit.
pub fn bank_number(text: &str) -> bool {
    let split = text.split_at_checked(BANK_NUMBER_DIGITS.saturating_sub(1));
    split.is_some_and(|(body, check)| {
        let expected = bank_number_check(body);
        expected.is_some_and(|digit| check.chars().eq([digit]))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn head_office_numbers_of_seven_banks_pass_and_a_changed_digit_fails() {
        for number in [
            "102100099996",
            "103100000026",
            "104100000004",
            "105100000017",
            "301290000007",
            "308584000013",
            "403100000004",
        ] {
            assert!(bank_number(number), "{number}");
        }
        assert!(!bank_number("102100099995"));
        assert!(!bank_number("10210009999"));
        assert!(!bank_number("10210009999６"));
    }

    #[test]
    fn luhn_accepts_the_patent_example_and_refuses_a_transposition() {
        // 4992 7398 716, padded to a card's length, is the number of US patent 2,950,048.
        assert!(luhn("0049927398716"));
        assert!(!luhn("0049927398176"));
        assert!(!luhn("49927398716"), "too short for a card");
    }

    proptest! {
        /// ISO 7064 MOD 11,10 finds every single wrong digit.
        #[test]
        fn one_changed_digit_of_a_bank_number_is_always_noticed(
            body in "[0-9]{11}", place in 0..12_usize, by in 1..10_u8,
        ) {
            let check = bank_number_check(&body).expect("11 digits");
            let sound = format!("{body}{check}");
            prop_assert!(bank_number(&sound));
            let mut digits = sound.into_bytes();
            digits[place] = b'0' + (digits[place] - b'0' + by) % 10;
            prop_assert!(!bank_number(&String::from_utf8(digits).expect("ascii")));
        }

        /// Luhn finds every single wrong digit, and every swap of neighbours but 09 and 90.
        #[test]
        fn one_changed_digit_of_a_card_number_is_always_noticed(
            place in 0..19_usize, by in 1..10_u8, swap in 0..18_usize,
        ) {
            let sound = *b"6217000000000000004";
            let mut digits = sound;
            digits[place] = b'0' + (digits[place] - b'0' + by) % 10;
            prop_assert!(!luhn(std::str::from_utf8(&digits).expect("ascii")));
            let mut digits = *b"4929876543210123459";
            let check = (b'0'..=b'9').find(|check| {
                digits[18] = *check;
                luhn(std::str::from_utf8(&digits).expect("ascii"))
            });
            digits[18] = check.expect("one of ten fits");
            let pair = [digits[swap], digits[swap + 1]];
            digits.swap(swap, swap + 1);
            let unseen = pair[0] == pair[1] || pair == *b"09" || pair == *b"90";
            prop_assert_eq!(luhn(std::str::from_utf8(&digits).expect("ascii")), unseen);
        }

        #[test]
        fn no_text_makes_the_checks_fall_over(text in ".{0,24}") {
            let _ = luhn(&text);
            let _ = bank_number(&text);
        }
    }

    #[test]
    fn luhn_accepts_the_card_industry_test_number() {
        assert!(luhn("4111111111111111"));
        assert!(!luhn("4111111111111112"));
        assert!(!luhn("41111111１1111111"));
    }
}
