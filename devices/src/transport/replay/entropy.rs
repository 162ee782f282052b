//! Randomness of a recording: the same numbers when it is made and when it is replayed.
//!
//! Owns a fixed sequence. Refuses nothing and protects nothing: it marks a printer's
//! fences and scrambles a picture on its way through a cable, while somebody looks for a
//! fault. Called by `capture` and `replay`, never by a kiosk.

use std::cell::RefCell;
use std::collections::VecDeque;

use counterfoil_data::seam::Entropy;
use counterfoil_data::wire::Digest;

/// Gives what it was told first, then a fixed sequence.
#[derive(Default)]
pub struct RecordedEntropy {
    state: RefCell<(VecDeque<u8>, u64)>,
}

impl RecordedEntropy {
    /// Begins again, with `first`: what another program drew when it was recorded. At
    /// each opening of a device, so that what one drew changes nothing at the next.
    pub fn restart(&self, first: &[u8]) {
        *self.state.borrow_mut() = (first.iter().copied().collect(), 0);
    }
}

impl Entropy for RecordedEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        let mut state = self.state.borrow_mut();
        let (ready, count) = &mut *state;
        for byte in bytes {
            if ready.is_empty() {
                *count = count.wrapping_add(1);
                ready.extend(Digest::of(&count.to_be_bytes()).0);
            }
            *byte = ready.pop_front().unwrap_or_default();
        }
    }
}
