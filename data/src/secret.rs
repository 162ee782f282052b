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

/// Most bytes a person types into one secret field: a password of staff.
pub const LINE_MAX: usize = 128;

/// A secret of letters while it is typed. The room is fixed, so growing leaves no copy
/// behind; what is taken out is wiped, and all of it when dropped.
pub struct Line {
    utf8: [u8; LINE_MAX],
    len: usize,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            utf8: [0; LINE_MAX],
            len: 0,
        }
    }
}

impl Line {
    /// One more letter; `false` and nothing changed where there is no room or it is a
    /// control character.
    #[must_use]
    pub fn push(&mut self, letter: char) -> bool {
        let mut bytes = [0; 4];
        let bytes = letter.encode_utf8(&mut bytes).as_bytes();
        let end = self.len.saturating_add(bytes.len());
        let room = self.utf8.get_mut(self.len..end);
        let Some(room) = room.filter(|_| !letter.is_control()) else {
            return false;
        };
        room.copy_from_slice(bytes);
        self.len = end;
        true
    }

    /// One letter less.
    pub fn pop(&mut self) {
        let last = self.expose().char_indices().next_back();
        let at = last.map_or(0, |(at, _)| at);
        if let Some(gone) = self.utf8.get_mut(at..) {
            gone.zeroize();
        }
        self.len = at;
    }

    /// None left.
    pub fn clear(&mut self) {
        self.utf8.zeroize();
        self.len = 0;
    }

    /// How many letters.
    pub fn letters(&self) -> usize {
        self.expose().chars().count()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Lets the caller look; the reference must not outlive its use.
    pub fn expose(&self) -> &str {
        let typed = self.utf8.get(..self.len).unwrap_or_default();
        std::str::from_utf8(typed).unwrap_or_default()
    }

    /// A copy to be sealed at once, in its own wiped room.
    pub fn secret(&self) -> Secret<String> {
        Secret::new(self.expose().to_owned())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.clear();
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Line(***)")
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

    #[test]
    fn letters_of_any_length_are_typed_taken_out_and_wiped() {
        let mut line = Line::default();
        for letter in "aé汉😀".chars() {
            assert!(line.push(letter));
        }
        assert!(!line.push('\n'), "no control character");
        assert_eq!((line.expose(), line.letters()), ("aé汉😀", 4));
        line.pop();
        line.pop();
        assert_eq!(line.expose(), "aé");
        assert!(line.utf8[3..].iter().all(|byte| *byte == 0), "wiped");
        while line.push('x') {}
        assert_eq!(line.expose().len(), LINE_MAX);
        assert!(!line.push('汉'), "full");
        line.clear();
        assert_eq!((line.is_empty(), line.utf8), (true, [0; LINE_MAX]));
        line.pop();
        assert!(line.push('z') && !format!("{line:?}").contains('z'));
    }
}
