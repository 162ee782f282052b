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

    #[test]
    fn luhn_accepts_the_card_industry_test_number() {
        assert!(luhn("4111111111111111"));
        assert!(!luhn("4111111111111112"));
        assert!(!luhn("41111111１1111111"));
    }
}
