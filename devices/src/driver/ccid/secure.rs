//! PIN blocks of a reader that asks for the PIN itself (CCID §6.1.11, the structures
//! of PC/SC part 10). Sans I/O.
//!
//! Owns where the reader puts the digits into the card's command. Refuses sizes that
//! do not fit their block and entries without an end. Holds no digit: the templates
//! have blanks where the reader types. Called by [`super::Reader::verify_pin`].

/// Fewest digits a PIN may have (ISO 9564).
pub const DIGITS_MIN: u8 = 4;
/// Most digits.
pub const DIGITS_MAX: u8 = 12;
/// Longest time-out a block can name, in seconds.
pub const TIMEOUT_S_MAX: u8 = 255;

/// How the digits stand in the card's command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One digit a byte, ASCII, padded with FFh to so many bytes.
    Ascii(u8),
    /// Two digits a byte, padded with Fh to so many bytes.
    Bcd(u8),
    /// ISO 9564 format 2: control nibble 2, length, BCD, padded to 8 bytes.
    Iso2,
}

impl Format {
    /// Bytes of one PIN in the command.
    fn size(self) -> u8 {
        match self {
            Self::Ascii(size) | Self::Bcd(size) => size,
            Self::Iso2 => 8,
        }
    }

    fn digits_max(self) -> u8 {
        match self {
            Self::Ascii(size) => size,
            Self::Bcd(size) => size.saturating_mul(2),
            Self::Iso2 => 12,
        }
    }

    /// bmFormatString, bmPINBlockString, bmPINLengthFormat.
    fn bits(self) -> [u8; 3] {
        match self {
            // Bytes, position 0, left justified, ASCII; no length inserted.
            Self::Ascii(size) => [0x82, size, 0x00],
            Self::Bcd(size) => [0x81, size, 0x00],
            // Bytes, position 1, left justified, BCD; 4 bits of length, a block of 7
            // bytes; the length at bit 4.
            Self::Iso2 => [0x89, 0x47, 0x04],
        }
    }

    /// What stands in the command before the digits are put in.
    fn template(self) -> Vec<u8> {
        let mut bytes = vec![0xFF; usize::from(self.size())];
        if self == Self::Iso2
            && let Some(first) = bytes.first_mut()
        {
            *first = 0x20;
        }
        bytes
    }
}

/// What a PIN of an application looks like and how it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PinRules {
    /// How the digits stand in the command.
    pub format: Format,
    /// Fewest digits.
    pub min: u8,
    /// Most digits.
    pub max: u8,
    /// Seconds until the reader gives up, 1 to 255.
    pub timeout_s: u8,
    /// Language of the reader's messages (USB language id, 0804h Chinese).
    pub language: u16,
    /// The reader has a display for messages.
    pub display: bool,
}

/// Why rules are not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadRules {
    /// Fewer than 4, more than 12, or more than the block holds.
    #[error("{min} to {max} digits do not fit the block: use 4 to 12, and no more than it holds")]
    Digits {
        /// Fewest.
        min: u8,
        /// Most.
        max: u8,
    },
    /// A block of 1 to 15 bytes was expected.
    #[error("a PIN block of {0} bytes: use 1 to 15")]
    Block(u8),
    /// Without a time-out the reader would wait for ever.
    #[error("no time for a person to type: give at least a second")]
    Time,
}

impl PinRules {
    fn check(&self) -> Result<(), BadRules> {
        let size = self.format.size();
        if !(1..=15).contains(&size) {
            return Err(BadRules::Block(size));
        }
        let (min, max) = (self.min, self.max);
        let most = DIGITS_MAX.min(self.format.digits_max());
        if !(DIGITS_MIN..=max).contains(&min) || max > most {
            return Err(BadRules::Digits { min, max });
        }
        if self.timeout_s == 0 {
            return Err(BadRules::Time);
        }
        Ok(())
    }

    /// Bytes of the card's command with so many PINs in it, which end the block.
    pub fn command_len(&self, pins: usize) -> usize {
        usize::from(self.format.size())
            .saturating_mul(pins)
            .saturating_add(5)
    }

    fn extra_digits(&self) -> [u8; 2] {
        // wPINMaxExtraDigit: fewest in the high byte, most in the low one.
        u16::from_be_bytes([self.min, self.max]).to_le_bytes()
    }

    /// abData of a verification; `command` is CLA INS P1 P2.
    pub fn verification(&self, command: [u8; 4]) -> Result<Vec<u8>, BadRules> {
        self.check()?;
        let mut block = vec![VERIFICATION, self.timeout_s];
        block.extend(self.format.bits());
        block.extend(self.extra_digits());
        block.extend([VALIDATION_KEY, u8::from(self.display)]);
        block.extend(self.language.to_le_bytes());
        // bMsgIndex, bTeoPrologue.
        block.extend([0, 0, 0, 0]);
        block.extend(command);
        block.push(self.format.size());
        block.extend(self.format.template());
        Ok(block)
    }

    /// abData of a modification: the old PIN, then the new one twice.
    pub fn modification(&self, command: [u8; 4]) -> Result<Vec<u8>, BadRules> {
        self.check()?;
        let size = self.format.size();
        let mut block = vec![MODIFICATION, self.timeout_s];
        block.extend(self.format.bits());
        // bInsertionOffsetOld, bInsertionOffsetNew.
        block.extend([0, size]);
        block.extend(self.extra_digits());
        block.extend([CONFIRM_AND_CURRENT, VALIDATION_KEY]);
        let messages: &[u8] = if self.display { &[0, 1, 2] } else { &[0] };
        block.push(if self.display { 3 } else { 0 });
        block.extend(self.language.to_le_bytes());
        // bMsgIndex1, and 2 and 3 where messages are shown; bTeoPrologue.
        block.extend_from_slice(messages);
        block.extend([0, 0, 0]);
        block.extend(command);
        block.push(size.saturating_mul(2));
        block.extend(self.format.template());
        block.extend(self.format.template());
        Ok(block)
    }
}

/// bPINOperation.
const VERIFICATION: u8 = 0;
const MODIFICATION: u8 = 1;
/// bEntryValidationCondition: the OK key.
const VALIDATION_KEY: u8 = 2;
/// bConfirmPIN: new PIN twice, current PIN asked for.
const CONFIRM_AND_CURRENT: u8 = 3;

#[cfg(test)]
mod tests {
    use super::*;
    use counterfoil_data::wire::unhex;

    fn hex(text: &str) -> Vec<u8> {
        unhex(&text.replace(' ', "").to_lowercase()).unwrap()
    }

    fn rules(format: Format) -> PinRules {
        PinRules {
            format,
            min: 6,
            max: 6,
            timeout_s: 30,
            language: 0x0409,
            display: true,
        }
    }

    /// Laid out by hand by the offsets of CCID §6.1.11.4; format 2 with the values 89
    /// 47 04 that card drivers in the field use.
    #[test]
    fn verification_blocks_are_laid_out_as_the_specification_says() {
        let block = rules(Format::Iso2)
            .verification([0, 0x20, 0, 0x80])
            .unwrap();
        let golden = "00 1E 89 47 04 0606 02 01 0904 00 000000 00200080 08 20FFFFFFFFFFFFFF";
        assert_eq!(block, hex(golden));
        let ascii = PinRules {
            min: 4,
            max: 8,
            display: false,
            ..rules(Format::Ascii(8))
        };
        let golden = "00 1E 82 08 00 0804 02 00 0904 00 000000 00200000 08 FFFFFFFFFFFFFFFF";
        assert_eq!(ascii.verification([0, 0x20, 0, 0]).unwrap(), hex(golden));
    }

    /// CCID §6.1.11.7: three messages, then none, of which only the first has an index.
    #[test]
    fn modification_blocks_are_laid_out_as_the_specification_says() {
        let block = rules(Format::Bcd(4))
            .modification([0, 0x24, 0, 0x80])
            .unwrap();
        let golden = "01 1E 81 04 00 00 04 0606 03 02 03 0904 00 01 02 000000 \
                      00240080 08 FFFFFFFFFFFFFFFF";
        assert_eq!(block, hex(golden));
        let silent = PinRules {
            display: false,
            ..rules(Format::Bcd(4))
        };
        let golden = "01 1E 81 04 00 00 04 0606 03 02 00 0904 00 000000 \
                      00240080 08 FFFFFFFFFFFFFFFF";
        assert_eq!(
            silent.modification([0, 0x24, 0, 0x80]).unwrap(),
            hex(golden)
        );
    }

    #[test]
    fn sizes_that_do_not_fit_are_refused() {
        let with = |format, min, max, timeout_s| {
            let rules = PinRules {
                min,
                max,
                timeout_s,
                ..rules(format)
            };
            rules.verification([0, 0x20, 0, 0]).err()
        };
        let digits = |min, max| Some(BadRules::Digits { min, max });
        assert_eq!(with(Format::Iso2, 3, 6, 30), digits(3, 6));
        assert_eq!(with(Format::Iso2, 7, 6, 30), digits(7, 6));
        assert_eq!(with(Format::Iso2, 4, 13, 30), digits(4, 13));
        assert_eq!(with(Format::Ascii(8), 4, 9, 30), digits(4, 9));
        assert_eq!(with(Format::Bcd(3), 4, 7, 30), digits(4, 7));
        assert_eq!(with(Format::Ascii(16), 4, 8, 30), Some(BadRules::Block(16)));
        assert_eq!(with(Format::Ascii(0), 4, 8, 30), Some(BadRules::Block(0)));
        assert_eq!(with(Format::Iso2, 4, 12, 0), Some(BadRules::Time));
        assert_eq!(with(Format::Iso2, 4, 12, 1), None);
    }
}
