//! The card without our reader: for readers of others, which carry its TPDUs.
//!
//! Owns nothing but the card; whoever holds the reader says when it is in. Called by
//! the lab, behind the card reader that QEMU emulates.

use std::time::Duration;

use super::card::{ATR, Card, CardSpec, Chip, Done};

/// A card of the desk, outside any reader.
pub struct LooseCard(Card);

impl LooseCard {
    /// As the bank issued it, or as somebody copied it.
    pub fn new(spec: &CardSpec, chip: Chip) -> Self {
        Self(Card::personalise(spec, chip, true))
    }

    /// Its answer to reset: T=0, nothing to negotiate.
    pub fn atr(&self) -> &'static [u8] {
        &ATR
    }

    /// Powered on or reset.
    pub fn reset(&mut self) {
        self.0.reset();
    }

    /// What it answers to one TPDU (five bytes, then nothing or exactly P3 more), and
    /// the time it takes for it.
    pub fn answer(&mut self, tpdu: &[u8]) -> (Vec<u8>, Duration) {
        let split = tpdu.split_first_chunk::<5>();
        let whole =
            split.filter(|([.., p3], data)| data.is_empty() || data.len() == usize::from(*p3));
        let done = match whole {
            Some((header, data)) => self.0.tpdu(*header, data),
            None => Done::wrong_length(),
        };
        (done.bytes, done.takes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_answers_like_the_tutorials_card_and_refuses_what_is_no_tpdu() {
        let spec = CardSpec {
            name: "card".into(),
            pan: "6217000000000000123".into(),
            expiry: "3012".into(),
            holder: "SAMPLE".into(),
        };
        let mut card = LooseCard::new(&spec, Chip::Genuine);
        assert_eq!(card.atr().first_chunk(), Some(&[0x3B, 0x6D]));
        let select = [&[0x00, 0xA4, 0x04, 0x00, 0x0E], &b"1PAY.SYS.DDF01"[..]].concat();
        assert_eq!(card.answer(&select).0, [0x61, 0x28]);
        let (directory, _) = card.answer(&[0x00, 0xC0, 0x00, 0x00, 0x28]);
        assert_eq!(directory.first_chunk(), Some(&[0x6F, 0x26, 0x84, 0x0E]));
        assert_eq!(card.answer(&select[..7]).0, [0x67, 0x00]);
        assert_eq!(card.answer(&[]).0, [0x67, 0x00]);
        card.reset();
        let record = [0x00, 0xB2, 0x01, 0x0C, 0x00];
        assert_eq!(card.answer(&record).0, [0x6A, 0x83], "nothing is selected");
    }
}
