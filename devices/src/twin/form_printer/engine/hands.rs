//! What hands do to the engine: jam it, open it, clear it.

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

    /// The desk jams the presenter: the bundle it moves now, or the next one.
    pub fn jam_presenter(&mut self) -> &'static str {
        self.mishaps.jam_presenter = true;
        match self.busy {
            Some((_, Act::Present | Act::Retract)) => "the bundle jams on its way",
            _ => "the next bundle will jam on its way",
        }
    }

    /// The cover opens: the rollers stop. A blank that was not gripped yet is fed
    /// once the cover is closed, unless the buffers were emptied meanwhile.
    pub fn open_cover(&mut self) -> &'static str {
        self.cover_open = true;
        match self.busy.take() {
            Some((_, Act::Feed(slot))) => {
                let feed = [0x1C, 0x28, 0x53, 0x02, 0x00, 0x30, slot];
                self.pipes.put_back(&feed);
                "cover open, the feed stands still"
            }
            Some((_, Act::Print(page))) => {
                self.ink(page, true);
                self.jam();
                "cover open, jammed while printing"
            }
            other => {
                self.busy = other;
                "cover open"
            }
        }
    }

    /// The desk opens the printer, throws the sheet, and a bundle stuck in the
    /// presenter, into the reject bin, closes it.
    pub fn clear_jam(&mut self) -> u64 {
        self.jammed = false;
        self.slip_selected = false;
        let mut moved = self.path.shift(Place::Transport, Place::Reject);
        if std::mem::take(&mut self.presenter_jammed) {
            for place in [Place::Escrow, Place::Output] {
                moved = moved.saturating_add(self.path.shift(place, Place::Reject));
            }
        }
        self.counts.diverted = self.counts.diverted.saturating_add(moved);
        moved
    }
}
