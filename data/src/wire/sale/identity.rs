//! The identity gate on the wire (S10-S12, S14, S16): the document, the kiosk's
//! assertion that it is authentic, the live print, and who was identified.

use serde::{Deserialize, Serialize};

use crate::sealed::Sealed;
use crate::wire::Digest;

/// The kiosk's assertion that the document is authentic (S16), inside
/// [`IdentityHead`]; the whole request is signed by the kiosk key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Authenticity {
    /// The security module that authenticated the card, as printed (`05.01-…`).
    pub sam_id: String,
    /// SW3 of find, select and read, in order; each 0 to 255.
    pub status: Vec<u8>,
    /// SHA-256 over the frame that was read.
    pub frame: Digest,
    /// When, RFC 3339.
    pub at: jiff::Timestamp,
    /// Ed25519 by the kiosk key over [`Authenticity::statement`], hex of 64 bytes.
    #[cfg_attr(feature = "openapi", schema(pattern = "^[0-9A-Fa-f]{128}$"))]
    pub signature: String,
}

impl Authenticity {
    /// SW3 of find, select and read when the security module found the card genuine
    /// (SDT protocol: 9F found, 90 mutual authentication and reading succeeded).
    pub const GENUINE: [u8; 3] = [0x9F, 0x90, 0x90];

    /// The bytes the kiosk signs: a label, the binding, and every field.
    pub fn statement(&self, binding: crate::sealed::Binding) -> Vec<u8> {
        let mut bytes = b"counterfoil/v1/authenticity\0".to_vec();
        bytes.extend_from_slice(&binding.sale.0.to_be_bytes());
        bytes.extend_from_slice(&binding.challenge.0);
        let len = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).to_be_bytes();
        bytes.extend_from_slice(&len(self.sam_id.len()));
        bytes.extend_from_slice(self.sam_id.as_bytes());
        bytes.extend_from_slice(&len(self.status.len()));
        bytes.extend_from_slice(&self.status);
        bytes.extend_from_slice(&self.frame.0);
        bytes.extend_from_slice(&self.at.as_millisecond().to_be_bytes());
        bytes
    }
}

/// `POST /v1/sales/{id}/identity` (S10-S12): the head of an octet stream.
///
/// Body = length of this JSON as u32 big-endian, the JSON, then the bytes of a
/// `Sealed<LivePrint>` ([`crate::sealed::Sealed::to_bytes`]).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct IdentityHead {
    /// The document's fields, sealed (see [`DocumentFields`]).
    #[cfg_attr(feature = "openapi", schema(value_type = crate::sealed::SealedText))]
    pub document: Sealed<DocumentFields>,
    /// The kiosk's signed assertion.
    pub authenticity: Authenticity,
}

/// Message 2: the identity is verified (S14).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AgentView {
    /// Surname and stars.
    pub name_masked: String,
    /// Fingers enrolled besides the one that matched; any of them can prove a large
    /// order (`POST …/finger`).
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub other_fingers: Vec<FingerPosition>,
}

/// Which finger (ISO/IEC 19794-2, finger position).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum FingerPosition {
    /// 右手拇指.
    RightThumb = 1,
    /// 右手食指.
    RightIndex,
    /// 右手中指.
    RightMiddle,
    /// 右手无名指.
    RightRing,
    /// 右手小指.
    RightLittle,
    /// 左手拇指.
    LeftThumb,
    /// 左手食指.
    LeftIndex,
    /// 左手中指.
    LeftMiddle,
    /// 左手无名指.
    LeftRing,
    /// 左手小指.
    LeftLittle,
}

impl FingerPosition {
    /// Every one, in the order of the standard's codes.
    pub const ALL: [Self; 10] = [
        Self::RightThumb,
        Self::RightIndex,
        Self::RightMiddle,
        Self::RightRing,
        Self::RightLittle,
        Self::LeftThumb,
        Self::LeftIndex,
        Self::LeftMiddle,
        Self::LeftRing,
        Self::LeftLittle,
    ];

    /// Its code in the standard, 1 to 10.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// Its stable word, as on the wire and in evidence.
    pub fn word(self) -> &'static str {
        match self {
            Self::RightThumb => "right-thumb",
            Self::RightIndex => "right-index",
            Self::RightMiddle => "right-middle",
            Self::RightRing => "right-ring",
            Self::RightLittle => "right-little",
            Self::LeftThumb => "left-thumb",
            Self::LeftIndex => "left-index",
            Self::LeftMiddle => "left-middle",
            Self::LeftRing => "left-ring",
            Self::LeftLittle => "left-little",
        }
    }
}

impl std::str::FromStr for FingerPosition {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let named = |finger: &Self| finger.word() == word;
        let found = Self::ALL.into_iter().find(named);
        found.ok_or("say right- or left-, then thumb, index, middle, ring or little")
    }
}

/// What the backend needs of an ID document. Travels only sealed.
pub struct DocumentFields {
    /// Name as printed.
    pub name: crate::secret::Secret<String>,
    /// Citizen number, 18 characters.
    pub number: crate::secret::Secret<String>,
    /// Last day of validity; `None` = long-term (长期).
    pub valid_to: Option<jiff::civil::Date>,
}

impl crate::sealed::Sealable for DocumentFields {
    const LABEL: &'static str = "document";

    fn to_plain(&self) -> crate::secret::Secret<Vec<u8>> {
        let valid = self.valid_to.map(|d| d.to_string()).unwrap_or_default();
        let text = [self.name.expose().as_str(), self.number.expose(), &valid].join("\n");
        crate::secret::Secret::new(text.into_bytes())
    }

    fn from_plain(plain: &[u8]) -> Option<Self> {
        let mut lines = std::str::from_utf8(plain).ok()?.split('\n');
        let (name, number, valid) = (lines.next()?, lines.next()?, lines.next()?);
        // A fourth line means that a field had a line break: then none is certain.
        if lines.next().is_some() {
            return None;
        }
        let valid_to: Option<jiff::civil::Date> = match valid {
            "" => None,
            day => Some(day.parse().ok()?),
        };
        if valid_to.is_some_and(|day| day.to_string() != valid) {
            return None;
        }
        let secret = |text: &str| crate::secret::Secret::new(text.to_owned());
        Some(Self {
            name: secret(name),
            number: secret(number),
            valid_to,
        })
    }
}

/// A live fingerprint image. Travels only sealed.
pub struct LivePrint {
    /// Pixels per row.
    pub width: u16,
    /// Rows.
    pub height: u16,
    /// Resolution in dots per inch.
    pub dpi: u16,
    /// Row-major, ridges dark, `width * height` bytes.
    pub pixels: crate::secret::Secret<Vec<u8>>,
}

impl LivePrint {
    /// Bytes before the pixels: width, height, resolution.
    pub const HEAD_LEN: usize = 6;
}

impl crate::sealed::Sealable for LivePrint {
    const LABEL: &'static str = "live-print";

    fn to_plain(&self) -> crate::secret::Secret<Vec<u8>> {
        let mut bytes =
            Vec::with_capacity(self.pixels.expose().len().saturating_add(Self::HEAD_LEN));
        bytes.extend_from_slice(&self.width.to_be_bytes());
        bytes.extend_from_slice(&self.height.to_be_bytes());
        bytes.extend_from_slice(&self.dpi.to_be_bytes());
        bytes.extend_from_slice(self.pixels.expose());
        crate::secret::Secret::new(bytes)
    }

    fn from_plain(plain: &[u8]) -> Option<Self> {
        let (head, pixels) = plain.split_first_chunk::<{ Self::HEAD_LEN }>()?;
        let [w1, w0, h1, h0, d1, d0] = *head;
        let (width, height) = (u16::from_be_bytes([w1, w0]), u16::from_be_bytes([h1, h0]));
        if usize::from(width).checked_mul(usize::from(height)) != Some(pixels.len()) {
            return None;
        }
        let pixels = crate::secret::Secret::new(pixels.to_vec());
        Some(Self {
            width,
            height,
            dpi: u16::from_be_bytes([d1, d0]),
            pixels,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sealed::Sealable as _;

    /// A chip's name of three lines once put its own second line into the place of the
    /// citizen number, and a day of its own after it.
    #[test]
    fn a_field_with_a_line_break_makes_the_whole_unreadable() {
        let fields = |name: &str| DocumentFields {
            name: crate::secret::Secret::new(name.to_owned()),
            number: crate::secret::Secret::new("110105194912310021".to_owned()),
            valid_to: Some(jiff::civil::date(2036, 1, 2)),
        };
        let sound = fields("样例").to_plain();
        let back = DocumentFields::from_plain(sound.expose()).expect("reads back");
        assert_eq!(back.to_plain().expose(), sound.expose());
        let forged = fields("样例\n44052418800101001X").to_plain();
        assert!(DocumentFields::from_plain(forged.expose()).is_none());
        let forged = fields("样例\n44052418800101001X\n2099-12-31").to_plain();
        assert!(DocumentFields::from_plain(forged.expose()).is_none());
        // The day has one spelling, too.
        assert!(DocumentFields::from_plain(b"a\nb\n20360102").is_none());
        assert!(DocumentFields::from_plain(b"a\nb\n").is_some());
    }
}
