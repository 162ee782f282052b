//! Names of an application, and cryptograms with a combined signature (CDA).

use super::super::issue::{self, tlv};
use super::{Card, Chip, ONLINE, RANDOM_AT};

impl Card {
    pub(super) fn is_combined(&self) -> bool {
        use Chip::{Combined, CombinedAltered, CombinedCopied, CombinedDeclining};
        let combined = [Combined, CombinedCopied, CombinedAltered, CombinedDeclining];
        combined.contains(&self.chip)
    }

    /// The first application whose name begins like this, or the next after the one
    /// that is selected.
    pub(super) fn instance_of(&mut self, name: &[u8], next: bool) -> Option<Vec<u8>> {
        let from = if next {
            self.instance.saturating_add(1)
        } else {
            0
        };
        let mut all = self.instances.iter().enumerate().skip(from);
        let (at, found) = all.find(|(_, i)| !name.is_empty() && i.starts_with(name))?;
        self.instance = at;
        Some(found.clone())
    }

    /// GENERATE AC with a combined signature: 77 with the kind of the cryptogram, the
    /// transaction counter and the signature over all of it.
    pub(super) fn cryptogram(&mut self, sent: &[u8]) -> Vec<u8> {
        if self.chip == Chip::CombinedDeclining {
            // Format 1: declined, a counter, a cryptogram; no signature.
            return tlv(0x80, &[0, 0, 1, 8, 7, 6, 5, 4, 3, 2, 1]);
        }
        self.signatures = self.signatures.saturating_add(1);
        let counter = u16::try_from(self.signatures).unwrap_or(u16::MAX);
        let spoken = [tlv(0x9F27, &[ONLINE]), tlv(0x9F36, &counter.to_be_bytes())].concat();
        let said = [self.given.as_slice(), sent, &spoken].concat();
        let random = sent
            .get(RANDOM_AT..)
            .and_then(|rest| rest.first_chunk::<4>());
        // A copy can only replay what it once overheard.
        let random = match (self.chip, random) {
            (Chip::CombinedCopied, _) | (_, None) => [0x12, 0x34, 0x56, 0x78],
            (_, Some(random)) => *random,
        };
        let signed = issue::combined_signature(self.signatures, ONLINE, &said, random);
        let mut spoken = spoken;
        if let (Chip::CombinedAltered, Some(last)) = (self.chip, spoken.last_mut()) {
            *last ^= 1;
        }
        tlv(0x77, &[spoken, tlv(0x9F4B, &signed)].concat())
    }
}
