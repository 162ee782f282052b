//! Bill numbers (票据号码, 2010 edition): 16 digits in two rows of 8.
//!
//! Row 1 is the prefix: bank code 3, reserved 1, region 2, kind 1, printing
//! works 1. Row 2 is the serial. There is no check digit, so shape is strict and
//! meaning is a warning (`reference`: PBoC 银发〔2010〕299号).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

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

impl Serialize for BillNumber {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BillNumber {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Consecutive numbers of one prefix, both ends included (号段).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BillRange {
    prefix: BillPrefix,
    first: Serial,
    last: Serial,
}

impl BillRange {
    /// `first..=last` of one prefix.
    pub fn new(prefix: BillPrefix, first: Serial, last: Serial) -> Result<Self, BillError> {
        if last < first {
            return Err(BillError::Backwards);
        }
        Ok(Self {
            prefix,
            first,
            last,
        })
    }

    /// `count` numbers from `first` on; `count` is at least 1.
    pub fn from_count(first: BillNumber, count: u32) -> Result<Self, BillError> {
        let steps = count.checked_sub(1).ok_or(BillError::Backwards)?;
        Self::new(first.prefix, first.serial, first.serial.forward(steps)?)
    }

    /// A single number as a range.
    pub fn single(number: BillNumber) -> Self {
        Self {
            prefix: number.prefix,
            first: number.serial,
            last: number.serial,
        }
    }

    /// Row 1 of every number in it.
    pub fn prefix(self) -> BillPrefix {
        self.prefix
    }

    /// The first number.
    pub fn first(self) -> BillNumber {
        BillNumber {
            prefix: self.prefix,
            serial: self.first,
        }
    }

    /// The last number.
    pub fn last(self) -> BillNumber {
        BillNumber {
            prefix: self.prefix,
            serial: self.last,
        }
    }

    /// How many forms: 1 to 100,000,000.
    pub fn count(self) -> u32 {
        self.last.0.saturating_sub(self.first.0).saturating_add(1)
    }

    /// Whether `number` is one of them.
    pub fn contains(self, number: BillNumber) -> bool {
        number.prefix == self.prefix && self.first <= number.serial && number.serial <= self.last
    }

    /// Whether the two share a number.
    pub fn overlaps(self, other: Self) -> bool {
        self.prefix == other.prefix && self.first <= other.last && other.first <= self.last
    }

    /// The first `count` numbers and what is left of them, if anything.
    /// `None` when the range holds fewer.
    pub fn take_first(self, count: u32) -> Option<(Self, Option<Self>)> {
        if count == 0 || count > self.count() {
            return None;
        }
        let head = Self::from_count(self.first(), count).ok()?;
        let rest = head
            .last()
            .next()
            .ok()
            .and_then(|n| Self::new(self.prefix, n.serial, self.last).ok());
        Some((head, rest))
    }

    /// What remains on both sides when `hole` (inside this range) is cut out.
    pub fn without(self, hole: Self) -> Option<(Option<Self>, Option<Self>)> {
        if hole.prefix != self.prefix || hole.first < self.first || hole.last > self.last {
            return None;
        }
        let before = hole.first.0.checked_sub(1).map(Serial);
        let before = before.and_then(|end| Self::new(self.prefix, self.first, end).ok());
        let after = hole.last.forward(1).ok();
        let after = after.and_then(|start| Self::new(self.prefix, start, self.last).ok());
        Some((before, after))
    }

    /// One range out of two that touch, in either order; `None` if they do not.
    pub fn merge(self, other: Self) -> Option<Self> {
        let (low, high) = if self.first <= other.first {
            (self, other)
        } else {
            (other, self)
        };
        let touches = low.prefix == high.prefix && low.last.forward(1).ok() == Some(high.first);
        touches.then_some(Self {
            prefix: low.prefix,
            first: low.first,
            last: high.last,
        })
    }

    /// Every number, in order.
    pub fn numbers(self) -> impl Iterator<Item = BillNumber> {
        (self.first.0..=self.last.0).map(move |serial| BillNumber {
            prefix: self.prefix,
            serial: Serial(serial),
        })
    }
}

impl fmt::Display for BillRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}-{}", self.prefix, self.first, self.last)
    }
}

/// On the wire a range is its two ends.
#[derive(Serialize, Deserialize)]
struct RangeEnds {
    first: BillNumber,
    last: BillNumber,
}

impl Serialize for BillRange {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        RangeEnds {
            first: self.first(),
            last: self.last(),
        }
        .serialize(s)
    }
}

impl<'de> Deserialize<'de> for BillRange {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let ends = RangeEnds::deserialize(d)?;
        if ends.first.prefix != ends.last.prefix {
            return Err(serde::de::Error::custom("a range never crosses a prefix"));
        }
        Self::new(ends.first.prefix, ends.first.serial, ends.last.serial)
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "openapi")]
mod schema {
    use utoipa::openapi::schema::{ObjectBuilder, Type};
    use utoipa::openapi::{RefOr, schema::Schema};

    use super::{BillNumber, BillRange};

    impl utoipa::PartialSchema for BillNumber {
        fn schema() -> RefOr<Schema> {
            crate::ids::text_schema("^[0-9]{6}[1-8][0-9]{9}$").into()
        }
    }
    impl utoipa::ToSchema for BillNumber {}

    impl utoipa::PartialSchema for BillRange {
        fn schema() -> RefOr<Schema> {
            let number = || crate::ids::text_schema("^[0-9]{6}[1-8][0-9]{9}$");
            ObjectBuilder::new()
                .schema_type(Type::Object)
                .property("first", number())
                .property("last", number())
                .required("first")
                .required("last")
                .build()
                .into()
        }
    }
    impl utoipa::ToSchema for BillRange {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> BillNumber {
        text.parse().expect("a number of the tables")
    }

    #[test]
    fn the_published_example_is_a_transfer_cheque_of_icbc_region_11() {
        let n = number("1020112112345678");
        assert_eq!(n.prefix.bank_code(), 102);
        assert_eq!(
            (n.prefix.reserved(), n.prefix.region(), n.prefix.works()),
            (0, 11, 1)
        );
        assert_eq!(n.prefix.kind(), Ok(BillKind::TransferCheque));
        assert_eq!(n.rows(), "10201121 12345678");
    }

    #[test]
    fn a_works_digit_outside_the_table_is_accepted() {
        assert_eq!(number("5010352828193930").prefix.works(), 8);
    }

    #[test]
    fn an_unassigned_kind_and_a_wrong_shape_are_refused() {
        assert_eq!(
            "1020110112345678".parse::<BillNumber>(),
            Err(BillError::Kind(0))
        );
        assert!("102011211234567".parse::<BillNumber>().is_err());
        assert!("10201121１２345678".parse::<BillNumber>().is_err());
    }

    #[test]
    fn a_range_never_wraps_past_the_last_serial() {
        assert_eq!(
            BillRange::from_count(number("1020112199999999"), 2),
            Err(BillError::Overflow)
        );
        assert_eq!(number("1020112199999999").next(), Err(BillError::Overflow));
    }

    #[test]
    fn taking_from_the_front_and_merging_back_gives_the_same_range() {
        let range = BillRange::from_count(number("1020112100000100"), 100).expect("fits");
        let (head, rest) = range.take_first(25).expect("enough");
        assert_eq!((head.count(), rest.map(BillRange::count)), (25, Some(75)));
        assert_eq!(head.merge(rest.expect("75 left")), Some(range));
        assert_eq!(range.take_first(101), None);
        assert_eq!(range.take_first(100), Some((range, None)));
    }
}
