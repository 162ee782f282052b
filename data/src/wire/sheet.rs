//! The payment-password sheet (支付密码单, L7): one password a cheque, printed for the
//! customer and nowhere else.
//!
//! The kiosk asks for it with a public key made for this sale, once nothing of the sale
//! is on its way any more; the answer is sealed to that key and is opened in the receipt
//! printer's worker only. What became of the paper is said with `close` or `abandon`.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroize as _;

use super::sale::SALE_FORMS_MAX;
use crate::bill::BillNumber;
use crate::sealed::{SealKey, Sealable, Sealed};
use crate::secret::Secret;

/// Digits of one payment password, as written on a cheque.
pub const PASSWORD_DIGITS: usize = 16;
/// Digits of a bill number.
const NUMBER_DIGITS: usize = 16;

/// `POST /v1/sales/{id}/sheet`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TakeSheet {
    /// X25519 public key made for this sale by whoever prints, hex of 32 bytes. The
    /// same key gets the same sheet again, another one never.
    #[cfg_attr(feature = "openapi", schema(pattern = "^[0-9a-f]{64}$"))]
    pub key: String,
}

impl TakeSheet {
    /// The request for a key.
    pub fn of(key: &SealKey) -> Self {
        let key = super::hex(&key.0);
        Self { key }
    }

    /// The key, if well-formed.
    pub fn seal_key(&self) -> Option<SealKey> {
        super::unhex(&self.key)
            .and_then(|bytes| bytes.try_into().ok())
            .map(SealKey)
    }
}

/// Answer to [`TakeSheet`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SheetAnswer {
    /// The passwords of the forms that were sold, sealed to the key asked with and bound
    /// to sale and challenge.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::sealed::SealedText))]
    pub sheet: Sealed<PasswordSheet>,
}

/// What became of the paper; said with `close` and `abandon`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SheetOutcome {
    /// All of it is out and cut.
    Printed,
    /// Nothing of it came out.
    NotPrinted,
    /// Some of it may have come out.
    Unknown,
}

/// A sale's sheet, without a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SheetView {
    /// Where it is in its life.
    pub state: SheetState,
    /// Why it was cancelled.
    pub reason: Option<SheetReason>,
    /// Forms with a password that holds.
    pub forms: u32,
}

/// A sheet's life.
///
/// ```text
/// Made ──► Taken ──► Printed
///   └────────┴─────► Cancelled
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SheetState {
    /// One password a form is made; nobody has seen one.
    Made,
    /// Given to the kiosk; whether it is printed is not known yet.
    Taken,
    /// In the customer's hand; the passwords hold.
    Printed,
    /// No password of it holds; the branch makes a new sheet at the counter.
    Cancelled,
}

/// Why a sheet was cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SheetReason {
    /// Nothing of it came out.
    NotPrinted,
    /// Some of it may have come out, or nobody can say.
    Unknown,
    /// No form that needs one was sold.
    NothingSold,
}

impl SheetReason {
    /// The stable word, for evidence and registers.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotPrinted => "not-printed",
            Self::Unknown => "unknown",
            Self::NothingSold => "nothing-sold",
        }
    }
}

/// One form's password. Wiped when dropped.
pub struct SheetLine {
    /// The form.
    pub number: BillNumber,
    /// [`PASSWORD_DIGITS`] digits.
    pub password: Secret<String>,
}

impl fmt::Debug for SheetLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SheetLine({}, ***)", self.number)
    }
}

/// The passwords of one sale, in the clear: only where they are made and where they are
/// printed. As bytes: 16 digits of number and 16 of password a line.
#[derive(Debug)]
pub struct PasswordSheet {
    /// In order of number, at most [`SALE_FORMS_MAX`].
    pub lines: Vec<SheetLine>,
}

impl Sealable for PasswordSheet {
    const LABEL: &'static str = "password-sheet";

    fn to_plain(&self) -> Secret<Vec<u8>> {
        // Room for all of it, so that growing leaves no copy behind.
        let room = (NUMBER_DIGITS + PASSWORD_DIGITS).saturating_mul(self.lines.len());
        let mut plain = Vec::with_capacity(room);
        for line in &self.lines {
            plain.extend_from_slice(line.number.to_string().as_bytes());
            plain.extend_from_slice(line.password.expose().as_bytes());
        }
        Secret::new(plain)
    }

    fn from_plain(plain: &[u8]) -> Option<Self> {
        let (lines, rest) = plain.as_chunks::<{ NUMBER_DIGITS + PASSWORD_DIGITS }>();
        let max = usize::try_from(SALE_FORMS_MAX).ok()?;
        if !rest.is_empty() || lines.len() > max {
            return None;
        }
        let lines = lines.iter().map(|line| {
            let (number, password) = line.split_at(NUMBER_DIGITS);
            let number = std::str::from_utf8(number).ok()?.parse().ok()?;
            let mut digits = String::with_capacity(PASSWORD_DIGITS);
            digits.push_str(std::str::from_utf8(password).ok()?);
            if !is_password(&digits) {
                digits.zeroize();
                return None;
            }
            let password = Secret::new(digits);
            Some(SheetLine { number, password })
        });
        let lines = lines.collect::<Option<_>>()?;
        Some(Self { lines })
    }
}

/// Whether a text has the shape of a payment password.
pub fn is_password(text: &str) -> bool {
    text.len() == PASSWORD_DIGITS && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet() -> PasswordSheet {
        let line = |number: &str, password: &str| SheetLine {
            number: number.parse().expect("a number"),
            password: Secret::new(password.to_owned()),
        };
        PasswordSheet {
            lines: vec![
                line("3130002100010001", "4815162342108000"),
                line("3130001100050001", "0000000000000001"),
            ],
        }
    }

    #[test]
    fn a_sheet_is_read_back_from_its_bytes_and_from_no_others() {
        let plain = sheet().to_plain();
        let back = PasswordSheet::from_plain(plain.expose()).expect("a sheet");
        let told = |s: &PasswordSheet| {
            let line = |l: &SheetLine| (l.number, l.password.expose().clone());
            s.lines.iter().map(line).collect::<Vec<_>>()
        };
        assert_eq!(told(&back), told(&sheet()));
        for cut in 1..32 {
            assert!(PasswordSheet::from_plain(&plain.expose()[..cut]).is_none());
        }
        let mut bent = plain.expose().clone();
        bent[20] = b'x';
        assert!(PasswordSheet::from_plain(&bent).is_none());
        let many = plain.expose().repeat(101);
        assert!(PasswordSheet::from_plain(&many).is_none(), "over the limit");
    }

    #[test]
    fn a_password_is_in_no_debug_text() {
        let text = format!("{:?}", sheet());
        assert!(!text.contains("4815162342108000"), "{text}");
        assert!(text.contains("3130002100010001"), "{text}");
    }

    #[test]
    fn the_key_asked_with_is_64_hex_digits() {
        let key = SealKey([7; 32]);
        assert_eq!(TakeSheet::of(&key).seal_key(), Some(key));
        for bad in ["", "07", &"0x".repeat(32)] {
            let asked = TakeSheet {
                key: bad.to_owned(),
            };
            assert_eq!(asked.seal_key(), None, "{bad}");
        }
    }
}
