//! The host's half of T=1 (ISO 7816-3 §11), for readers that leave it to the host.
//!
//! A state machine that is told what was heard and says what to send; no I/O, no
//! clock. Owns sequence numbers, chaining both ways, the block sizes, waiting time
//! extensions and recovery. Refuses to repeat an exchange after a resynchronisation:
//! nobody knows what the card made of it. Called by [`super::Reader::transmit`].
//!
//! ```text
//!            negotiate ──► Ifs ───────┐
//!  Idle ◄─────────────────────────────┘
//!   │ start        R: next part            I, more          I, last
//!   └─────► Sending ─────────┐   ┌─► Receiving ────┐   ┌──────────► Idle (done)
//!              ▲ └───────────┘   │        └────────┘   │
//!              └─────────────────┴── I-block ──────────┘
//!  nothing, wrong sums, wrong numbers: R-block, three times ──► Resync ──► Idle (lost)
//! ```

pub mod block;

use zeroize::Zeroizing;

use block::{Block, Control, Fault, INF_MAX, NotABlock, Pcb, Sum};

/// Attempts at one block before resynchronising, and at that before giving up.
const TRIES: u32 = 3;
/// Longest answer put together: an extended one and its status.
pub const ANSWER_MAX: usize = 65_538;
/// Blocks in one exchange, recovery and extensions counted.
const BLOCKS_MAX: u32 = 16_384;
/// Block size before any negotiation.
const IFSD_INITIAL: u8 = 32;

/// What came back for a block.
#[derive(Clone, Copy)]
pub enum Heard<'a> {
    /// Bytes.
    Block(&'a [u8]),
    /// Bytes that the reader saw damaged.
    Damaged,
    /// Nothing in the block waiting time.
    Silence,
}

/// Why an exchange failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum T1Error {
    /// Not even a resynchronisation was answered.
    #[error("the card stopped answering")]
    NoAnswer,
    /// The exchange was lost; the card is ready for another.
    #[error("the exchange was lost and card and host began anew")]
    Lost,
    /// The card gave its answer up.
    #[error("the card gave its answer up")]
    Aborted,
    /// An answer longer than [`ANSWER_MAX`], or no end of blocks.
    #[error("the card's answer has no end")]
    Endless,
    /// Something was heard while nothing was asked.
    #[error("nothing was asked of the card")]
    Idle,
}

/// What to do next.
pub enum Step {
    /// Send this block; the answer may take so many block waiting times, 0 = one.
    Send {
        /// The block.
        block: Zeroizing<Vec<u8>>,
        /// Multiple of the block waiting time the card asked for.
        waiting: u8,
    },
    /// The exchange is over; a negotiation gives nothing.
    Done(Zeroizing<Vec<u8>>),
    /// The exchange failed.
    Failed(T1Error),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    Ifs(u8),
    Sending,
    Receiving,
    Resync,
    Aborting,
}

/// One card's T=1.
pub struct Engine {
    sum: Sum,
    /// As the answer to reset has it.
    ifsc_initial: u8,
    /// The longest part the reader can move.
    longest: u8,
    ifsc: u8,
    ifsd: u8,
    /// N(S) of the outstanding or next I-block.
    ns: bool,
    /// N(S) awaited from the card.
    nr: bool,
    state: State,
    command: Zeroizing<Vec<u8>>,
    /// Start and end of the outstanding part of the command.
    part: (usize, usize),
    answer: Zeroizing<Vec<u8>>,
    /// The last I-block or S-response, for when it must be sent again.
    last: Zeroizing<Vec<u8>>,
    tries: u32,
    blocks: u32,
}

impl Engine {
    /// A card just reset. `longest` is what the reader can move in one block.
    pub fn new(sum: Sum, ifsc: u8, longest: usize) -> Self {
        let longest = u8::try_from(longest.clamp(1, INF_MAX)).unwrap_or(IFSD_INITIAL);
        let ifsc = ifsc.clamp(1, longest);
        Self {
            sum,
            ifsc_initial: ifsc,
            longest,
            ifsc,
            ifsd: IFSD_INITIAL,
            ns: false,
            nr: false,
            state: State::Idle,
            command: Zeroizing::new(Vec::new()),
            part: (0, 0),
            answer: Zeroizing::new(Vec::new()),
            last: Zeroizing::new(Vec::new()),
            tries: 0,
            blocks: 0,
        }
    }

    /// The block size the card was told.
    pub fn ifsd(&self) -> u8 {
        self.ifsd
    }

    /// The reader told the card its block size itself.
    pub fn told(&mut self, ifsd: u8) {
        self.ifsd = ifsd;
    }

    /// Tells the card how long a block may be, 1 to 254 bytes.
    pub fn negotiate(&mut self, ifsd: u8) -> Step {
        let ifsd = ifsd.clamp(1, 254);
        self.begin(State::Ifs(ifsd));
        self.supervise(Control::Ifs, false, &[ifsd])
    }

    /// Begins an exchange.
    pub fn start(&mut self, command: &[u8]) -> Step {
        self.begin(State::Sending);
        self.command = Zeroizing::new(command.to_vec());
        self.answer = Zeroizing::new(Vec::new());
        self.part = (0, 0);
        self.next_part()
    }

    /// Begins an exchange whose command of `length` bytes only the reader has: it puts
    /// the digits of a PIN in and sends the block itself, behind the NAD, PCB and LEN
    /// given here. What the host never had it cannot send again. `None` where one
    /// block is too short.
    pub fn start_unseen(&mut self, length: usize) -> Option<[u8; 3]> {
        let len = u8::try_from(length).ok().filter(|len| *len <= self.ifsc)?;
        self.begin(State::Sending);
        self.command = Zeroizing::new(vec![0; length]);
        self.answer = Zeroizing::new(Vec::new());
        (self.part, self.last) = ((0, length), Zeroizing::new(Vec::new()));
        let (seq, more) = (self.ns, false);
        Some([0, Pcb::I { seq, more }.byte(), len])
    }

    fn begin(&mut self, state: State) {
        self.state = state;
        self.tries = 0;
        self.blocks = 0;
    }

    /// Takes what was heard.
    pub fn heard(&mut self, heard: Heard<'_>) -> Step {
        self.blocks = self.blocks.saturating_add(1);
        if self.state == State::Idle {
            return Step::Failed(T1Error::Idle);
        }
        if self.blocks > BLOCKS_MAX {
            return self.fail(T1Error::Endless);
        }
        let block = match heard {
            Heard::Silence => Err(Fault::Other),
            Heard::Damaged => Err(Fault::Sum),
            Heard::Block(bytes) => Block::parse(bytes, self.sum).map_err(|error| match error {
                NotABlock::Sum => Fault::Sum,
                NotABlock::Form => Fault::Other,
            }),
        };
        match block {
            Ok(block) => self.take(&block),
            Err(fault) => self.again(fault),
        }
    }

    fn take(&mut self, block: &Block<'_>) -> Step {
        match (self.state, block.pcb) {
            (State::Aborting, pcb) => {
                if let Pcb::R { seq, .. } = pcb {
                    // The number it awaits, whatever it made of our last block.
                    self.ns = seq;
                }
                self.fail(T1Error::Aborted)
            }
            (State::Resync, Pcb::S { control, response }) => match (control, response) {
                (Control::Resync, true) => {
                    (self.ns, self.nr) = (false, false);
                    (self.ifsc, self.ifsd) = (self.ifsc_initial, IFSD_INITIAL);
                    self.fail(T1Error::Lost)
                }
                _ => self.again(Fault::Other),
            },
            (State::Ifs(ifsd), Pcb::S { control, response }) => {
                let agreed = (control, response) == (Control::Ifs, true);
                if !agreed || block.inf != [ifsd] {
                    return self.again(Fault::Other);
                }
                self.ifsd = ifsd;
                self.state = State::Idle;
                Step::Done(Zeroizing::new(Vec::new()))
            }
            (State::Resync | State::Ifs(_) | State::Idle, _) => self.again(Fault::Other),
            (_, Pcb::S { control, response }) => self.asked(control, response, block.inf),
            (State::Sending, Pcb::R { seq, .. }) => self.acknowledged(seq),
            (State::Receiving, Pcb::R { .. }) => self.again(Fault::None),
            (_, Pcb::I { seq, more }) => self.received(seq, more, block.inf),
        }
    }

    /// A request of the card in the middle of an exchange.
    fn asked(&mut self, control: Control, response: bool, inf: &[u8]) -> Step {
        match (control, response, inf) {
            (Control::Wtx, false, &[times]) => {
                self.tries = 0;
                match self.supervise(Control::Wtx, true, inf) {
                    Step::Send { block, .. } => Step::Send {
                        block,
                        waiting: times,
                    },
                    other => other,
                }
            }
            (Control::Ifs, false, &[size @ 1..=254]) => {
                self.tries = 0;
                self.ifsc = size.min(self.longest);
                self.supervise(Control::Ifs, true, inf)
            }
            (Control::Abort, false, _) => {
                self.state = State::Aborting;
                self.supervise(Control::Abort, true, &[])
            }
            _ => self.again(Fault::Other),
        }
    }

    /// An R-block while the command is being sent.
    fn acknowledged(&mut self, awaited: bool) -> Step {
        let more = self.part.1 < self.command.len();
        if awaited == self.ns {
            return self.repeat();
        }
        if !more {
            // The whole command was there: an answer is due, not an R-block.
            return self.again(Fault::Other);
        }
        self.tries = 0;
        self.ns = !self.ns;
        self.next_part()
    }

    fn received(&mut self, seq: bool, more: bool, inf: &[u8]) -> Step {
        let sent = self.part.1 >= self.command.len();
        if seq != self.nr || !sent {
            return self.again(Fault::Other);
        }
        if self.answer.len().saturating_add(inf.len()) > ANSWER_MAX {
            return self.fail(T1Error::Endless);
        }
        if self.state == State::Sending {
            // An answer also acknowledges the last part.
            self.ns = !self.ns;
        }
        self.tries = 0;
        self.nr = !self.nr;
        self.answer.extend_from_slice(inf);
        if more {
            self.state = State::Receiving;
            return self.ready(Fault::None);
        }
        self.state = State::Idle;
        self.command = Zeroizing::new(Vec::new());
        Step::Done(std::mem::take(&mut self.answer))
    }

    /// The next part of the command as an I-block.
    fn next_part(&mut self) -> Step {
        let from = self.part.1;
        let size = usize::from(self.ifsc);
        let to = from.saturating_add(size).min(self.command.len());
        self.part = (from, to);
        let pcb = Pcb::I {
            seq: self.ns,
            more: to < self.command.len(),
        };
        let inf = self.command.get(from..to).unwrap_or_default();
        self.last = Block { pcb, inf }.encode(self.sum);
        self.repeat_last()
    }

    fn repeat_last(&self) -> Step {
        Step::Send {
            block: self.last.clone(),
            waiting: 0,
        }
    }

    /// The card asks for the last block once more.
    fn repeat(&mut self) -> Step {
        match self.one_more() && !self.last.is_empty() {
            true => self.repeat_last(),
            false => self.resync(),
        }
    }

    fn one_more(&mut self) -> bool {
        self.tries = self.tries.saturating_add(1);
        self.tries < TRIES
    }

    /// What came was no use: asks for it once more, then begins anew.
    fn again(&mut self, fault: Fault) -> Step {
        let more = self.one_more();
        match self.state {
            State::Aborting => self.fail(T1Error::Aborted),
            State::Resync | State::Ifs(_) if !more => self.fail(T1Error::NoAnswer),
            State::Resync => self.supervise(Control::Resync, false, &[]),
            State::Ifs(ifsd) => self.supervise(Control::Ifs, false, &[ifsd]),
            _ if more => self.ready(fault),
            _ => self.resync(),
        }
    }

    fn resync(&mut self) -> Step {
        self.state = State::Resync;
        self.tries = 0;
        self.supervise(Control::Resync, false, &[])
    }

    fn ready(&self, fault: Fault) -> Step {
        let pcb = Pcb::R {
            seq: self.nr,
            fault,
        };
        Step::Send {
            block: Block { pcb, inf: &[] }.encode(self.sum),
            waiting: 0,
        }
    }

    fn supervise(&mut self, control: Control, response: bool, inf: &[u8]) -> Step {
        let pcb = Pcb::S { control, response };
        let block = Block { pcb, inf }.encode(self.sum);
        if response {
            self.last = block.clone();
        }
        Step::Send { block, waiting: 0 }
    }

    fn fail(&mut self, error: T1Error) -> Step {
        self.state = State::Idle;
        self.command = Zeroizing::new(Vec::new());
        self.answer = Zeroizing::new(Vec::new());
        Step::Failed(error)
    }
}

#[cfg(test)]
mod tests;
