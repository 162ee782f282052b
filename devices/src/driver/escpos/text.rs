//! Text as a Chinese ESC/POS printer takes it: GB18030, one and two bytes only.
//!
//! Older fonts know no four-byte codes and would print them as digits, and have
//! nothing in the areas that GB18030 leaves to users (AAA1 and on), where private
//! characters are. A text with either is [`TextError::NotInFont`]: the receipt printer
//! then sends that line as a picture, the form printer refuses the field. Control
//! characters are refused before encoding: an account name must not be a printer
//! command.

use encoding_rs::GB18030;

/// Longest text in characters.
pub const TEXT_MAX: usize = 400;

/// Why a text cannot be sent as characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// A control character (C0, DEL, C1) at this position, counted in characters.
    #[error("control character at position {0}: remove it")]
    Control(usize),
    /// A character outside the printer's own font at this position.
    #[error("character at position {0} is not in the printer's font: print it as a picture")]
    NotInFont(usize),
    /// Longer than [`TEXT_MAX`].
    #[error("text of {0} characters is too long: split it")]
    TooLong(usize),
}

/// GB18030 bytes of `text` for the printer's own font.
pub fn encode(text: &str) -> Result<Vec<u8>, TextError> {
    let length = text.chars().count();
    if length > TEXT_MAX {
        return Err(TextError::TooLong(length));
    }
    let mut bytes = Vec::with_capacity(text.len());
    for (position, character) in text.chars().enumerate() {
        if character.is_control() {
            return Err(TextError::Control(position));
        }
        let mut utf8 = [0; 4];
        let (code, _, unmappable) = GB18030.encode(character.encode_utf8(&mut utf8));
        let private = matches!(character, '\u{E000}'..='\u{F8FF}');
        if unmappable || private || code.len() > 2 {
            return Err(TextError::NotInFont(position));
        }
        bytes.extend_from_slice(&code);
    }
    Ok(bytes)
}

/// Columns `text` takes on paper: one for a single-byte code, two for any other.
/// That is the printer's rule; it has no East-Asian-width tables.
pub fn columns(text: &str) -> usize {
    text.chars()
        .map(|c| if c.is_ascii() { 1_usize } else { 2 })
        .fold(0, usize::saturating_add)
}

#[cfg(test)]
mod tests {
    use counterfoil_data::wire::hex;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn gb_codes_agree_with_the_python_codec() {
        let vectors = [
            ("账号", "d5cbbac5"),
            ("￥", "a3a4"),
            ("·", "a1a4"),
            ("—", "a1aa"),
            ("〇", "a996"),
            ("①", "a2d9"),
            ("㎡", "a94f"),
        ];
        for (text, bytes) in vectors {
            assert_eq!(
                encode(text).map(|b| hex(&b)),
                Ok(bytes.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn four_byte_codes_never_reach_the_printer_as_text() {
        for (text, bytes) in [("¥", "81308436"), ("𠮷", "9534b235")] {
            assert_eq!(hex(&GB18030.encode(text).0), bytes, "the Python codec's");
        }
        assert_eq!(encode("王¥"), Err(TextError::NotInFont(1)));
        assert_eq!(encode("𠮷"), Err(TextError::NotInFont(0)));
    }

    #[test]
    fn a_private_character_is_never_printed_as_the_blank_it_is_in_every_font() {
        assert_eq!(
            hex(&GB18030.encode("\u{E000}").0),
            "aaa1",
            "two bytes, as others"
        );
        for private in ["王\u{E000}", "王\u{E4C5}", "王\u{E765}"] {
            assert_eq!(encode(private), Err(TextError::NotInFont(1)));
        }
    }

    #[test]
    fn a_name_cannot_carry_a_printer_command() {
        for attack in [
            "甲\u{1b}@",
            "a\u{10}\u{04}\u{01}",
            "b\n",
            "c\u{7f}",
            "d\u{85}",
        ] {
            assert!(
                matches!(encode(attack), Err(TextError::Control(1))),
                "{attack:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn encoded_text_has_no_control_bytes_and_two_bytes_a_wide_column(text in "\\PC{0,80}") {
            if let Ok(bytes) = encode(&text) {
                prop_assert!(bytes.iter().all(|b| *b >= 0x20 && *b != 0x7F));
                prop_assert_eq!(bytes.len(), columns(&text));
            }
        }
    }
}
