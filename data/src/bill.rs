//! Bill numbers (票据号码, 2010 edition): 16 digits in two rows of 8.
//!
//! Row 1 is the prefix: bank code 3, reserved 1, region 2, kind 1, printing
//! works 1. Row 2 is the serial. There is no check digit, so shape is strict and
//! meaning is a warning ([`crate::reference`]; PBoC 银发〔2010〕299号).
//!
//! Electronic commercial bills (kinds 5 and 6) carry 30 digits instead: kind 1, bank
//! number 12, date 8, serial of the day, check digit. They have no paper to keep, so
//! nothing here reads them; if one ever must, [`BillNumber`] becomes an enum of both
//! forms, and its wire text tells them apart by length alone.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

mod range;

pub use range::BillRange;

/// Forms in one range at most: a vault of a bank fits, arithmetic cannot overflow.
pub const RANGE_COUNT_MAX: u32 = 100_000_000;

/// What is wrong with a bill number or a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BillError {
    /// Not exactly 16 (or 8) ASCII digits.
    #[error(
        "a bill number is {expected} digits, got {found} characters or something else than digits"
    )]
    Shape {
        /// Digits expected.
        expected: usize,
        /// Characters found.
        found: usize,
    },
    /// The kind digit is 0 or 9, which no edition assigns.
    #[error("kind digit {0} is not assigned")]
    Kind(u8),
    /// The last serial lies before the first.
    #[error("range ends before it begins")]
    Backwards,
    /// The range would run past serial 99999999.
    #[error("range runs past serial 99999999")]
    Overflow,
}

/// The kind of bill (票据种类), digit 7 of the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum BillKind {
    /// 现金支票, digit 1.
    CashCheque,
    /// 转账支票, digit 2.
    TransferCheque,
    /// 清分机支票, digit 3.
    SorterCheque,
    /// 银行汇票, digit 4.
    BankDraft,
    /// 银行承兑汇票, digit 5.
    BankAcceptance,
    /// 商业承兑汇票, digit 6.
    CommercialAcceptance,
    /// 本票（非清分机）, digit 7.
    PromissoryNote,
    /// 本票（清分机）, digit 8.
    PromissoryNoteSorter,
}

impl BillKind {
    /// All kinds in digit order.
    pub const ALL: [Self; 8] = [
        Self::CashCheque,
        Self::TransferCheque,
        Self::SorterCheque,
        Self::BankDraft,
        Self::BankAcceptance,
        Self::CommercialAcceptance,
        Self::PromissoryNote,
        Self::PromissoryNoteSorter,
    ];

    /// The kind of digit 7.
    pub fn from_digit(digit: u8) -> Result<Self, BillError> {
        let index = usize::from(digit)
            .checked_sub(1)
            .ok_or(BillError::Kind(digit))?;
        Self::ALL.get(index).copied().ok_or(BillError::Kind(digit))
    }

    /// Whether a form of this kind is paid under a payment password (支付密码): cheques.
    pub fn takes_password(self) -> bool {
        matches!(
            self,
            Self::CashCheque | Self::TransferCheque | Self::SorterCheque
        )
    }

    /// Digit 7, 1 to 8.
    pub fn digit(self) -> u8 {
        match self {
            Self::CashCheque => 1,
            Self::TransferCheque => 2,
            Self::SorterCheque => 3,
            Self::BankDraft => 4,
            Self::BankAcceptance => 5,
            Self::CommercialAcceptance => 6,
            Self::PromissoryNote => 7,
            Self::PromissoryNoteSorter => 8,
        }
    }
}

/// Row 1 of a number: eight digits, kept as a number below 100,000,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BillPrefix(u32);

impl BillPrefix {
    /// The kind that digit 7 names.
    pub fn kind(self) -> Result<BillKind, BillError> {
        BillKind::from_digit(u8::try_from(self.0 / 10 % 10).unwrap_or(0))
    }

    /// Bank code, digits 1 to 3.
    pub fn bank_code(self) -> u16 {
        u16::try_from(self.0 / 100_000).unwrap_or(0)
    }

    /// Digit 4, reserved and 0 for now.
    pub fn reserved(self) -> u8 {
        u8::try_from(self.0 / 10_000 % 10).unwrap_or(0)
    }

    /// Region (省别地区代码), digits 5 and 6; 0 is nationwide.
    pub fn region(self) -> u8 {
        u8::try_from(self.0 / 100 % 100).unwrap_or(0)
    }

    /// Printing works (印制识别码), digit 8.
    pub fn works(self) -> u8 {
        u8::try_from(self.0 % 10).unwrap_or(0)
    }

    /// The eight digits as a number.
    pub fn value(self) -> u32 {
        self.0
    }

    /// From the eight digits as a number; the kind digit must be assigned.
    pub fn from_value(value: u32) -> Result<Self, BillError> {
        if value > 99_999_999 {
            return Err(BillError::Shape {
                expected: 8,
                found: 9,
            });
        }
        let prefix = Self(value);
        prefix.kind()?;
        Ok(prefix)
    }
}

/// Parses digits only; `expected` of them.
fn digits(text: &str, expected: usize) -> Result<u64, BillError> {
    let found = text.chars().count();
    let shape = BillError::Shape { expected, found };
    if found != expected || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(shape);
    }
    text.parse().map_err(|_| shape)
}

impl FromStr for BillPrefix {
    type Err = BillError;

    fn from_str(text: &str) -> Result<Self, BillError> {
        Self::from_value(u32::try_from(digits(text, 8)?).unwrap_or(u32::MAX))
    }
}

impl fmt::Display for BillPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08}", self.0)
    }
}

/// Row 2 of a number (流水号): 0 to 99,999,999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Serial(u32);

impl Serial {
    /// The largest serial; the next lot takes another prefix.
    pub const MAX: Self = Self(99_999_999);

    /// From a number below 100,000,000.
    pub fn from_value(value: u32) -> Result<Self, BillError> {
        if value > Self::MAX.0 {
            Err(BillError::Overflow)
        } else {
            Ok(Self(value))
        }
    }

    /// The serial as a number.
    pub fn value(self) -> u32 {
        self.0
    }

    /// The serial `count` further, never wrapping.
    pub fn forward(self, count: u32) -> Result<Self, BillError> {
        Self::from_value(self.0.checked_add(count).ok_or(BillError::Overflow)?)
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08}", self.0)
    }
}

/// One form's number. Displays as 16 digits; [`BillNumber::rows`] groups for people.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BillNumber {
    /// Row 1.
    pub prefix: BillPrefix,
    /// Row 2.
    pub serial: Serial,
}

impl BillNumber {
    /// `10503320 12345678`, as the form shows it.
    pub fn rows(self) -> String {
        format!("{} {}", self.prefix, self.serial)
    }

    /// The number right after this one in the same prefix.
    pub fn next(self) -> Result<Self, BillError> {
        Ok(Self {
            prefix: self.prefix,
            serial: self.serial.forward(1)?,
        })
    }
}

impl FromStr for BillNumber {
    type Err = BillError;

    fn from_str(text: &str) -> Result<Self, BillError> {
        let value = digits(text, 16)?;
        let row1 = u32::try_from(value / 100_000_000).unwrap_or(u32::MAX);
        let row2 = u32::try_from(value % 100_000_000).unwrap_or(u32::MAX);
        Ok(Self {
            prefix: BillPrefix::from_value(row1)?,
            serial: Serial::from_value(row2)?,
        })
    }
}

impl fmt::Display for BillNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.prefix, self.serial)
    }
}

impl fmt::Debug for BillNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bill:{self}")
    }
}

/// Digits where people read, both rows as numbers in a store.
impl Serialize for BillNumber {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() {
            s.collect_str(self)
        } else {
            (self.prefix.value(), self.serial.value()).serialize(s)
        }
    }
}

impl<'de> Deserialize<'de> for BillNumber {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        if d.is_human_readable() {
            return String::deserialize(d)?.parse().map_err(Error::custom);
        }
        let (prefix, serial) = <(u32, u32)>::deserialize(d)?;
        Ok(Self {
            prefix: BillPrefix::from_value(prefix).map_err(Error::custom)?,
            serial: Serial::from_value(serial).map_err(Error::custom)?,
        })
    }
}

#[cfg(feature = "openapi")]
mod schema {
    use utoipa::openapi::{RefOr, schema::Schema};

    use super::BillNumber;

    impl utoipa::PartialSchema for BillNumber {
        fn schema() -> RefOr<Schema> {
            crate::ids::text_schema("^[0-9]{6}[1-8][0-9]{9}$").into()
        }
    }
    impl utoipa::ToSchema for BillNumber {}
}

#[cfg(test)]
mod tests;
