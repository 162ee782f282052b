//! What hands do to the engine: jam it, clear it.

use super::{Act, Engine};
use crate::twin::form_printer::path::Place;

impl Engine {
    /// The desk jams it: whatever moves a sheet now stops, with what ink it has.
    pub fn jam_now(&mut self) -> &'static str {
        match self.busy.take() {
            Some((_, Act::Feed(slot))) => {
                self.mishaps.jam_after = Some(0);
                self.fed(slot);
                "jammed while feeding"
            }
            Some((_, Act::Print(page))) => {
                self.ink(page, true);
                self.jam();
                "jammed while printing"
            }
            Some((due, act @ (Act::Present | Act::Retract))) => {
                self.busy = Some((due, act));
                self.mishaps.jam_after = Some(0);
                "the next feed will jam"
            }
            _ if self.path.count(Place::Transport) > 0 => {
                self.jam();
                "jammed in the transport"
            }
            _ => {
                self.mishaps.jam_after = Some(0);
                "the next feed will jam"
            }
        }
    }

    /// The desk opens the printer, throws the sheet into the reject bin, closes it.
    pub fn clear_jam(&mut self) -> u64 {
        self.jammed = false;
        self.slip_selected = false;
        let moved = self.path.shift(Place::Transport, Place::Reject);
        self.counts.diverted = self.counts.diverted.saturating_add(moved);
        moved
    }
}
