//! Who is logged in at a terminal of staff: a confirm station, or the terminal of one
//! member of staff with a key of their own.
//!
//! A terminal reads where it stands, seals the password to the challenge given there, and
//! names the session it gets in [`super::SESSION_HEADER`] of every later request. Why
//! nobody could log in is never said: an unknown id, a wrong password, a locked and a
//! disabled account have one answer.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{hex, unhex, unhex_lower};
use crate::ids::{IdError, StaffId};
use crate::sealed::{Challenge, SealKey, Sealed, SecretText};

/// Shortest password of staff, in characters.
pub const PASSWORD_MIN: usize = 12;
/// Longest password of staff, in bytes.
pub const PASSWORD_MAX: usize = 128;

/// Names a session: 32 hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionId(pub [u8; 16]);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl FromStr for SessionId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        unhex_lower(text).map(Self).ok_or(IdError {
            kind: "session",
            rule: "32 lower-case hex digits",
        })
    }
}

/// Digits where people read, the bytes in a store.
impl Serialize for SessionId {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() {
            s.collect_str(self)
        } else {
            self.0.serialize(s)
        }
    }
}

impl<'de> Deserialize<'de> for SessionId {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        if !d.is_human_readable() {
            return <[u8; 16]>::deserialize(d).map(Self);
        }
        let text = String::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for SessionId {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        crate::ids::text_schema("^[0-9a-f]{32}$").into()
    }
}
#[cfg(feature = "openapi")]
impl utoipa::ToSchema for SessionId {}

/// `POST /v1/session`: somebody logs in.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LogIn {
    /// Who.
    pub staff: StaffId,
    /// The password, sealed to the terminal's challenge.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::sealed::SealedText))]
    pub password: Sealed<SecretText>,
    /// Another one from now on, sealed likewise; must be given at the first login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::sealed::SealedText>))]
    pub new_password: Option<Sealed<SecretText>>,
}

/// `POST /v1/session/end`: why a session ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LogOut {
    /// Nobody touched the terminal, instead of somebody leaving it.
    #[serde(default)]
    pub idle: bool,
}

/// Where a terminal stands (`GET /v1/session`, and the answer to every call about it).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionView {
    /// Whether this house asks for a login at all.
    pub required: bool,
    /// What the next password is sealed to; good once.
    pub challenge: Challenge,
    /// The backend's sealing key, hex of 32 bytes.
    #[cfg_attr(feature = "openapi", schema(pattern = "^[0-9a-f]{64}$"))]
    pub seal_key: String,
    /// The password was right, and another must be given with it before anybody is
    /// logged in.
    pub must_change: bool,
    /// Who is logged in; `null`: nobody.
    pub session: Option<SessionShown>,
}

impl SessionView {
    /// The sealing key, if well-formed.
    pub fn sealing_key(&self) -> Option<SealKey> {
        unhex(&self.seal_key)
            .and_then(|b| b.try_into().ok())
            .map(SealKey)
    }
}

/// Somebody logged in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionShown {
    /// For [`super::SESSION_HEADER`].
    pub id: SessionId,
    /// Who.
    pub staff: StaffId,
    /// Their name.
    pub name: String,
    /// It ends then, whatever happens.
    pub ends: Timestamp,
    /// Seconds without a key that end it.
    pub idle_s: u32,
}
