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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_neither_the_value_nor_its_length() {
        let short = format!("{:?}", Secret::new(String::from("1")));
        let long = format!("{:?}", Secret::new(String::from("6222020000000000001")));
        assert_eq!(short, long);
        assert!(!long.contains("6222"));
    }
}
