//! `Secret<T>`: a value that cannot be printed, logged or serialised, and is
//! wiped when dropped (I7).
//!
//! There is no `Display`, no `Serialize` and no `Clone`; `Debug` says only that
//! something is there. Reading it takes the word [`Secret::expose`], so that
//! every reader can be found by `grep`.

use std::fmt;

use zeroize::Zeroize;

/// A secret of type `T`.
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Takes the value in.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// Lets the caller look; the reference must not outlive its use.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

impl<T: Zeroize> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

/// Most digits a person types into one field: an account number.
pub const DIGITS_MAX: usize = 19;

/// Digits while they are typed. The room is fixed, so growing leaves no copy
/// behind; what is taken out is wiped, and all of it when dropped.
#[derive(Default)]
pub struct Digits {
    ascii: [u8; DIGITS_MAX],
    len: usize,
}

impl Digits {
    /// One more digit, 0 to 9; `false` and nothing changed where there is no room or
    /// it is none.
    #[must_use]
    pub fn push(&mut self, digit: u8) -> bool {
        let Some(place) = self.ascii.get_mut(self.len).filter(|_| digit <= 9) else {
            return false;
        };
        *place = digit.saturating_add(b'0');
        self.len = self.len.saturating_add(1);
        true
    }

    /// One digit less.
    pub fn pop(&mut self) {
        self.len = self.len.saturating_sub(1);
        if let Some(place) = self.ascii.get_mut(self.len) {
            place.zeroize();
        }
    }

    /// None left.
    pub fn clear(&mut self) {
        self.ascii.zeroize();
        self.len = 0;
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Lets the caller look; the reference must not outlive its use.
    pub fn expose(&self) -> &str {
        let typed = self.ascii.get(..self.len).unwrap_or_default();
        std::str::from_utf8(typed).unwrap_or_default()
    }

    /// A second one with the same digits, wiped by itself. On purpose not `Clone`.
    #[must_use]
    pub fn copied(&self) -> Self {
        Self {
            ascii: self.ascii,
            len: self.len,
        }
    }
}

impl Drop for Digits {
    fn drop(&mut self) {
        self.clear();
    }
}

impl fmt::Debug for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digits(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_out_of_typed_digits_is_wiped_and_no_more_than_the_room_goes_in() {
        let mut digits = Digits::default();
        for n in 0..DIGITS_MAX {
            assert!(digits.push(u8::try_from(n % 10).expect("a digit")), "{n}");
        }
        assert!(!digits.push(7), "full");
        assert_eq!(digits.expose(), "0123456789012345678");
        digits.pop();
        assert_eq!(digits.ascii[DIGITS_MAX - 1], 0, "wiped");
        assert!(!digits.push(10), "no digit");
        assert_eq!(digits.len(), DIGITS_MAX - 1);
        digits.clear();
        assert_eq!((digits.expose(), digits.ascii), ("", [0; DIGITS_MAX]));
        digits.pop();
        assert!(digits.is_empty());
        assert!(digits.push(4));
        assert!(!format!("{digits:?}").contains('4'));
    }

    #[test]
    fn debug_shows_neither_the_value_nor_its_length() {
        let short = format!("{:?}", Secret::new(String::from("1")));
        let long = format!("{:?}", Secret::new(String::from("6222020000000000001")));
        assert_eq!(short, long);
        assert!(!long.contains("6222"));
    }
}
