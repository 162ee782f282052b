//! Money: whole fen (分, 1/100 yuan), checked.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An amount in fen. Negative amounts exist only in ledger legs.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct Fen(pub i64);

impl Fen {
    /// Nothing; a normal fee.
    pub const ZERO: Self = Self(0);

    /// Sum, or `None` on overflow.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// Difference, or `None` on overflow.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// The amount `count` times, or `None` on overflow.
    pub fn checked_mul(self, count: u32) -> Option<Self> {
        self.0.checked_mul(i64::from(count)).map(Self)
    }

    /// The opposite leg, or `None` on overflow.
    pub fn checked_neg(self) -> Option<Self> {
        self.0.checked_neg().map(Self)
    }
}

/// Writes yuan with two decimals and no sign of currency: `10.50`.
impl fmt::Display for Fen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let fen = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", fen / 100, fen % 100)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_does_not_fit_is_none_and_never_wraps() {
        assert_eq!(Fen(i64::MAX).checked_add(Fen(1)), None);
        assert_eq!(Fen(i64::MIN).checked_sub(Fen(1)), None);
        assert_eq!(Fen(i64::MAX).checked_mul(2), None);
        assert_eq!(Fen(i64::MIN).checked_neg(), None);
        assert_eq!(Fen(i64::MIN).to_string(), "-92233720368547758.08");
    }

    proptest! {
        /// Against arithmetic that cannot overflow.
        #[test]
        fn checked_arithmetic_is_the_wide_one_where_it_fits(a: i64, b: i64, n: u32) {
            let fits = |wide: i128| i64::try_from(wide).ok().map(Fen);
            let (x, y) = (i128::from(a), i128::from(b));
            prop_assert_eq!(Fen(a).checked_add(Fen(b)), fits(x + y));
            prop_assert_eq!(Fen(a).checked_sub(Fen(b)), fits(x - y));
            prop_assert_eq!(Fen(a).checked_mul(n), fits(x * i128::from(n)));
            prop_assert_eq!(Fen(a).checked_neg(), fits(-x));
        }

        #[test]
        fn an_amount_is_read_back_from_its_text(a: i64) {
            let text = Fen(a).to_string();
            let digits: String = text.chars().filter(|c| *c != '.').collect();
            prop_assert_eq!(digits.parse(), Ok(a));
            prop_assert_eq!(text.rsplit('.').next().map(str::len), Some(2));
        }
    }
}
