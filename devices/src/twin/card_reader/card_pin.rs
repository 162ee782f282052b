//! The PIN a demo card holds: worthless by design, and on no desk in digits.

use zeroize::Zeroizing;

/// Wrong tries until the card blocks its PIN.
const TRIES: u8 = 3;
/// Every demo card's, until it is changed.
const DEMO: [u8; 6] = [2, 4, 6, 8, 1, 0];

/// A PIN and its tries.
pub(super) struct Pin {
    digits: Zeroizing<Vec<u8>>,
    left: u8,
}

impl Default for Pin {
    fn default() -> Self {
        Self {
            digits: Zeroizing::new(DEMO.to_vec()),
            left: TRIES,
        }
    }
}

/// Digits of a block: ISO 9564 format 2, ASCII padded with FFh, or BCD padded with Fh.
fn read(block: &[u8]) -> Zeroizing<Vec<u8>> {
    let digits = |bytes: &[u8]| -> Vec<u8> {
        let nibbles = bytes.iter().flat_map(|b| [b >> 4, b & 15]);
        nibbles.take_while(|d| *d < 10).collect()
    };
    let read = match *block {
        [first, ref rest @ ..] if first >> 4 == 2 && block.len() == 8 => {
            let mut all = digits(rest);
            all.truncate(usize::from(first & 15));
            all
        }
        [0x30..=0x39, ..] => {
            let ascii = block.iter().map_while(|b| b.checked_sub(0x30));
            ascii.take_while(|d| *d < 10).collect()
        }
        _ => digits(block),
    };
    Zeroizing::new(read)
}

impl Pin {
    pub(super) fn digits(&self) -> &[u8] {
        &self.digits
    }

    /// VERIFY: 9000, 63Cx with the tries left, 6983 when blocked.
    pub(super) fn verify(&mut self, block: &[u8]) -> [u8; 2] {
        if block.is_empty() {
            return [0x67, 0x00];
        }
        if self.left == 0 {
            return [0x69, 0x83];
        }
        if read(block) == self.digits {
            self.left = TRIES;
            return [0x90, 0x00];
        }
        self.left = self.left.saturating_sub(1);
        [0x63, 0xC0 | self.left]
    }

    /// CHANGE REFERENCE DATA: the old PIN, then the new one, in halves.
    pub(super) fn change(&mut self, blocks: &[u8]) -> [u8; 2] {
        let (old, new) = blocks
            .split_at_checked(blocks.len() / 2)
            .unwrap_or_default();
        let sw = self.verify(old);
        if sw == [0x90, 0x00] {
            self.digits = read(new);
        }
        sw
    }
}
