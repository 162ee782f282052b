//! Names of things: newtypes, so that one id is never taken for another.
//!
//! Text ids are at most [`TEXT_ID_MAX`] bytes of `[a-z0-9-]`; sale ids are 128
//! random bits written as 32 hex digits, made by the client (the kiosk) before
//! the first send so that a retry names the same sale.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Longest text id in bytes.
pub const TEXT_ID_MAX: usize = 40;

/// A malformed id; the fields say which kind and why, never the rejected text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed {kind} id: use {rule}")]
pub struct IdError {
    /// Which id was expected, for example `kiosk`.
    pub kind: &'static str,
    /// The rule of form that was broken.
    pub rule: &'static str,
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let lawful = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
                if text.is_empty() || text.len() > TEXT_ID_MAX || !text.bytes().all(lawful) {
                    return Err(IdError { kind: $kind, rule: "1 to 40 of a-z, 0-9 and -" });
                }
                Ok(Self(text.to_owned()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}:{}", $kind, self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = String::deserialize(d)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                text_schema("^[a-z0-9-]{1,40}$").into()
            }
        }
        #[cfg(feature = "openapi")]
        impl utoipa::ToSchema for $name {}
    };
}

/// An OpenAPI string schema with a pattern.
#[cfg(feature = "openapi")]
pub(crate) fn text_schema(pattern: &str) -> utoipa::openapi::schema::Object {
    use utoipa::openapi::schema::{ObjectBuilder, Type};
    ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some(pattern))
        .build()
}

text_id!(
    /// A kiosk (网点自助终端).
    KioskId, "kiosk"
);
text_id!(
    /// A confirm station: the third-party device of the seed (S17).
    StationId, "station"
);
text_id!(
    /// A bank branch (网点).
    BranchId, "branch"
);
text_id!(
    /// A unit (单位): the company that buys.
    UnitId, "unit"
);
text_id!(
    /// An agent (经办人): the person a unit authorised to buy.
    AgentId, "agent"
);
text_id!(
    /// A member of staff: confirming officer, teller, custodian.
    StaffId, "staff"
);
text_id!(
    /// One feed slot of a kiosk, holding one cassette.
    SlotId, "slot"
);

/// A sale: 128 bits, 32 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SaleId(pub u128);

impl fmt::Display for SaleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for SaleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sale:{self}")
    }
}

impl FromStr for SaleId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let error = IdError {
            kind: "sale",
            rule: "32 lower-case hex digits",
        };
        if text.len() != 32 || !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(error);
        }
        u128::from_str_radix(text, 16).map(Self).map_err(|_| error)
    }
}

/// Digits where people read, the number in a store.
impl Serialize for SaleId {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() {
            s.collect_str(self)
        } else {
            self.0.serialize(s)
        }
    }
}

impl<'de> Deserialize<'de> for SaleId {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        if !d.is_human_readable() {
            return u128::deserialize(d).map(Self);
        }
        let text = String::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for SaleId {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        text_schema("^[0-9a-f]{32}$").into()
    }
}
#[cfg(feature = "openapi")]
impl utoipa::ToSchema for SaleId {}
