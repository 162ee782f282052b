//! Long commands in parts: ENVELOPE (7816-4 §7.6.2).

use std::time::Duration;

use super::Card;
use crate::twin::card_reader::apdu::command;

/// Longest command in ENVELOPEs.
const ENVELOPES_MAX: usize = 4096;

impl Card {
    /// A part of a long command (7816-4 §7.6.2): obeyed when its own lengths say that
    /// it is whole.
    pub(super) fn enveloped(&mut self, data: &[u8]) -> (Vec<u8>, [u8; 2], Duration) {
        self.envelopes.extend_from_slice(data);
        if self.envelopes.len() > ENVELOPES_MAX {
            self.envelopes.clear();
            return (Vec::new(), [0x67, 0x00], Duration::ZERO);
        }
        let gathered = std::mem::take(&mut self.envelopes);
        match command(&gathered) {
            Some(whole) => self.command(whole.header, whole.data),
            None => {
                self.envelopes = gathered;
                (Vec::new(), [0x90, 0x00], Duration::ZERO)
            }
        }
    }
}
