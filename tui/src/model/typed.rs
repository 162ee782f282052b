//! What is typed on the keyboard, as far as a screen may know it.

use std::fmt;
use std::sync::Arc;

use counterfoil_data::secret::Digits;
use serde::{Serialize, Serializer};

/// Digits of one group on the screen.
const GROUP: usize = 4;

/// An account number while it is typed: on its own screen only, so that it can be
/// compared with paper. Its digits are wiped with its last model (I10).
#[derive(Clone, Default)]
pub struct TypedNumber(Arc<Digits>);

impl TypedNumber {
    /// As the field stands now.
    pub fn of(digits: &Digits) -> Self {
        Self(Arc::new(digits.copied()))
    }

    /// In groups of four, as on paper.
    pub fn grouped(&self) -> String {
        let mut out = String::new();
        for (i, digit) in self.0.expose().chars().enumerate() {
            if i > 0 && i.is_multiple_of(GROUP) {
                out.push(' ');
            }
            out.push(digit);
        }
        out
    }

    /// How many digits.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was typed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl PartialEq for TypedNumber {
    fn eq(&self, other: &Self) -> bool {
        self.0.expose() == other.0.expose()
    }
}

impl Serialize for TypedNumber {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.grouped())
    }
}

impl fmt::Debug for TypedNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TypedNumber(***)")
    }
}

/// What is wrong with what was typed, said at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum FieldProblem {
    /// A key that is no digit.
    NotADigit,
    /// A digit more than there may be; it was not taken.
    TooLong,
    /// Ended before there were enough.
    TooShort,
}
