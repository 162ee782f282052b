//! Payment passwords (支付密码) of sold forms: drawn here, kept only as a keyed hash and,
//! until their sheet is printed, in an envelope (L7, I7).
//!
//! Both are bound to the form's number: a row moved to another form neither opens nor
//! checks. Called by the service at linking and when a sheet is given out.

use counterfoil_data::bill::BillNumber;
use counterfoil_data::seam::{Entropy, random};
use counterfoil_data::secret::Secret;
use counterfoil_data::wire::sheet::{PASSWORD_DIGITS, PasswordSheet, SheetLine, is_password};
use zeroize::Zeroize as _;

use super::envelope::{EnvelopeError, unwrap, wrap};
use super::{Indexed, Keys};
use crate::core::command::PasswordLine;
use crate::core::record::bank::KeyedHash;
use crate::core::record::sheet::PasswordRow;

/// Record name of a form's password.
pub(super) fn name(number: BillNumber) -> String {
    format!("payment-password/{number}")
}

/// Sixteen digits, each as likely as any other: bytes from 250 on are drawn anew.
fn draw(entropy: &dyn Entropy) -> Secret<String> {
    let mut digits = String::with_capacity(PASSWORD_DIGITS);
    while digits.len() < PASSWORD_DIGITS {
        let mut bytes = random::<PASSWORD_DIGITS>(entropy);
        for byte in bytes.iter().filter(|b| **b < 250) {
            if digits.len() < PASSWORD_DIGITS {
                digits.push(char::from(b'0'.saturating_add(byte % 10)));
            }
        }
        bytes.zeroize();
    }
    Secret::new(digits)
}

/// The hash a password is checked by when its cheque is presented.
pub fn check(keys: &Keys, number: BillNumber, password: &str) -> KeyedHash {
    let mut text = String::with_capacity(2 * PASSWORD_DIGITS);
    text.push_str(&number.to_string());
    text.push_str(password);
    let text = Secret::new(text);
    KeyedHash(keys.index(Indexed::Password, text.expose()).0)
}

/// Draws the password of one form.
pub fn drawn(
    keys: &Keys,
    number: BillNumber,
    entropy: &dyn Entropy,
) -> Result<PasswordLine, EnvelopeError> {
    let password = draw(entropy);
    Ok(PasswordLine {
        number,
        check: check(keys, number, password.expose()),
        envelope: wrap(keys, &name(number), password.expose().as_bytes(), entropy)?,
    })
}

/// The sheet of these forms, in the clear, to be sealed at once.
pub fn opened(keys: &Keys, rows: &[PasswordRow]) -> Result<PasswordSheet, EnvelopeError> {
    let line = |row: &PasswordRow| {
        let plain = unwrap(keys, &name(row.number), &row.envelope)?;
        let mut digits = String::with_capacity(PASSWORD_DIGITS);
        digits.push_str(std::str::from_utf8(plain.expose()).unwrap_or_default());
        let password = Secret::new(digits);
        if !is_password(password.expose()) {
            return Err(EnvelopeError::Shape);
        }
        let number = row.number;
        Ok(SheetLine { number, password })
    };
    let mut lines = rows.iter().map(line).collect::<Result<Vec<_>, _>>()?;
    lines.sort_unstable_by_key(|line| line.number);
    Ok(PasswordSheet { lines })
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use counterfoil_data::ids::SaleId;

    use super::*;

    /// Every byte in turn, from 240 on.
    struct Counting(Cell<u8>);

    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            for byte in bytes {
                *byte = self.0.get();
                self.0.set(byte.wrapping_add(1));
            }
        }
    }

    fn number(text: &str) -> BillNumber {
        text.parse().expect("a number")
    }

    fn row(line: &PasswordLine, number: BillNumber) -> PasswordRow {
        PasswordRow {
            number,
            sale: SaleId(1),
            check: line.check,
            envelope: line.envelope.clone(),
        }
    }

    #[test]
    fn bytes_that_would_make_some_digits_likelier_are_drawn_anew() {
        let drawn = draw(&Counting(Cell::new(240)));
        // 240 to 249, then not 250 to 255, then 0 to 5 of the next sixteen.
        assert_eq!(drawn.expose(), "0123456789012345");
        let other = draw(&Counting(Cell::new(246)));
        assert_eq!(other.expose(), "6789012345678901");
    }

    #[test]
    fn a_password_is_kept_for_its_own_form_and_opens_and_checks_for_no_other() {
        let keys = Keys::demo();
        let (mine, other) = (number("3130002100010001"), number("3130002100010002"));
        let line = drawn(&keys, mine, &Counting(Cell::new(7))).expect("is drawn");
        let sheet = opened(&keys, &[row(&line, mine)]).expect("opens");
        let password = sheet.lines[0].password.expose();
        assert_eq!(password, "7890123456789012");
        assert!(!line.envelope.windows(16).any(|w| w == password.as_bytes()));
        assert_eq!(check(&keys, mine, password), line.check);
        assert_ne!(check(&keys, other, password), line.check);
        let moved = opened(&keys, &[row(&line, other)]);
        assert_eq!(moved.err(), Some(EnvelopeError::Open));
        let text = format!("{line:?}");
        assert!(!text.contains(password.as_str()), "{text}");
    }
}
