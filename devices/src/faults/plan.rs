//! Which fault strikes where, and which places of a stream are tried.

use std::collections::BTreeSet;
use std::time::Duration;

/// A stream up to this is tried at every byte.
const WHOLE_MAX: usize = 2048;
/// Of a longer one, so much of either end is.
const END: usize = 256;
/// And so many bytes between, drawn by a seed.
const DRAWN: usize = 500;

/// A pause that every driver must sit out.
pub const A_BIT: Duration = Duration::from_millis(200);
/// A pause that no driver sits out.
pub const TOO_LONG: Duration = Duration::from_secs(120);

/// What a stream is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// Bytes of bulk and interrupt IN transfers.
    In,
    /// Bytes of OUT transfers.
    Out,
    /// Control requests: one place each, and one for each byte of an IN data stage.
    Control,
}

/// What goes wrong at one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The cable is pulled.
    Cut,
    /// The endpoint halts there; what the device had queued behind it is lost.
    Stall,
    /// IN: the transfer ends there and the rest comes as the next one.
    /// OUT: so much is taken, and the rest only when it is sent again.
    Pieces,
    /// A zero-length packet comes in between.
    Empty,
    /// A pause, and then the rest. Between two packets that is how a slow device
    /// works; elsewhere the transfer ends before the pause.
    LateABit,
    /// The rest comes when nobody waits for it any more.
    LateTooLong,
    /// One bit is wrong.
    FlipBit,
    /// The whole byte is wrong.
    Invert,
    /// The byte is missing.
    Lost,
    /// The byte comes twice.
    Doubled,
    /// The transfer before comes once more.
    Again,
    /// More came than was asked for, and all of it is lost.
    Overflow,
    /// Everything behind it is acknowledged and lost.
    Swallowed,
    /// An IN data stage ends there.
    Truncated,
}

use Fault::*;

impl Fault {
    /// What can go wrong on a way.
    pub fn on(way: Way) -> &'static [Self] {
        match way {
            Way::In => &[
                Cut,
                Stall,
                Pieces,
                Empty,
                LateABit,
                LateTooLong,
                FlipBit,
                Invert,
                Lost,
                Doubled,
                Again,
                Overflow,
            ],
            Way::Out => &[Cut, Stall, Pieces, LateABit, LateTooLong, Swallowed],
            Way::Control => &[Cut, Stall, LateTooLong, FlipBit, Truncated],
        }
    }

    /// Whether it can strike `offset` bytes into a transfer: packets are taken whole or
    /// not at all, and some faults are of a transfer and not of a byte.
    fn can_strike(self, way: Way, offset: usize, packet: usize) -> bool {
        match (way, self) {
            (_, Again | Overflow) => offset == 0,
            (Way::Out, Pieces) => offset > 0 && offset.is_multiple_of(packet),
            (Way::Out, LateABit | LateTooLong) => offset.is_multiple_of(packet),
            _ => true,
        }
    }
}

/// One fault at one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Plan {
    /// Which stream.
    pub way: Way,
    /// Which byte of it, counted over the whole session.
    pub at: usize,
    /// What happens.
    pub fault: Fault,
}

/// One stream of a session without faults.
#[derive(Debug, Clone, Default)]
pub struct Stream {
    /// Bytes.
    pub len: usize,
    /// Where transfers begin.
    pub starts: Vec<usize>,
}

impl Stream {
    /// The places that are tried. Whole, where it is short; else both ends, what
    /// surrounds the packet boundaries, and places drawn from `seed`.
    fn places(&self, packet: usize, seed: u64) -> BTreeSet<usize> {
        if self.len <= WHOLE_MAX {
            return (0..self.len).collect();
        }
        let mut places: BTreeSet<usize> = (0..END).chain(self.len - END..self.len).collect();
        let ends = self.starts.iter().copied().chain([self.len]);
        for (start, end) in self.starts.iter().zip(ends.skip(1)) {
            for at in (*start..=end).step_by(packet) {
                places.extend([at.saturating_sub(1), at, at + 1]);
            }
        }
        let mut state = seed;
        for _ in 0..DRAWN {
            // xorshift64: any seed but zero.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            places.insert(usize::try_from(state % (1 << 31)).expect("fits") % self.len);
        }
        places.retain(|at| *at < self.len);
        places
    }

    /// How far into its transfer a byte lies.
    pub fn offset(&self, at: usize) -> usize {
        let starts = self.starts.partition_point(|start| *start <= at);
        let start = starts.checked_sub(1).map(|last| self.starts[last]);
        at - start.unwrap_or(0)
    }

    /// Every case on this stream.
    pub fn plans(&self, way: Way, packet: usize, seed: u64) -> Vec<Plan> {
        let mut plans = Vec::new();
        for at in self.places(packet, seed) {
            let offset = self.offset(at);
            for fault in Fault::on(way) {
                if fault.can_strike(way, offset, packet) {
                    let fault = *fault;
                    plans.push(Plan { way, at, fault });
                }
            }
        }
        plans
    }
}
