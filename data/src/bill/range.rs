//! Ranges of bill numbers: how blanks are counted, split and put together.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{BillError, BillNumber, BillPrefix, Serial};

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
#[serde(deny_unknown_fields)]
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
    use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Type};
    use utoipa::openapi::{RefOr, schema::Schema};

    use super::BillRange;

    impl utoipa::PartialSchema for BillRange {
        fn schema() -> RefOr<Schema> {
            let number = || crate::ids::text_schema("^[0-9]{6}[1-8][0-9]{9}$");
            ObjectBuilder::new()
                .schema_type(Type::Object)
                .property("first", number())
                .property("last", number())
                .required("first")
                .required("last")
                .additional_properties(Some(AdditionalProperties::FreeForm(false)))
                .build()
                .into()
        }
    }
    impl utoipa::ToSchema for BillRange {}
}
