//! The card's half of T=1 (ISO 7816-3 §11), with the faults the desk asks for.
//!
//! Written from the standard with its own framing; the host's half is the driver's.

/// Bytes before the information field: NAD, PCB, LEN.
const HEAD: usize = 3;
/// Block size until the host says otherwise.
const IFSD: usize = 32;

/// What goes wrong with the next blocks.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct BlockFaults {
    /// Blocks sent with a wrong sum.
    pub(super) damage: u64,
    /// Blocks not sent at all.
    pub(super) lose: u64,
    /// Blocks received that are asked for again.
    pub(super) ask: u64,
    /// Waiting time extensions before an answer.
    pub(super) wtx: u64,
    /// Chained answers given up.
    pub(super) abort: u64,
}

/// What was seen.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct BlockCounts {
    pub(super) blocks: u64,
    pub(super) damaged: u64,
    pub(super) lost: u64,
    pub(super) asked: u64,
    pub(super) extensions: u64,
    pub(super) aborted: u64,
    pub(super) resyncs: u64,
}

/// What the card does with a block.
pub(super) enum Said {
    /// Sends this one; nothing where it is lost.
    Block(Option<Vec<u8>>),
    /// Has a whole command; the answer is given with [`BlockCard::answer`].
    Command(Vec<u8>),
}

/// The card's end of the line.
pub(super) struct BlockCard {
    crc: bool,
    ns: u8,
    nr: u8,
    ifsd: usize,
    command: Vec<u8>,
    /// The answer not yet acknowledged, and how much of it is under way.
    answer: Vec<u8>,
    under_way: usize,
    last: Vec<u8>,
    /// An answer held back until more time is granted.
    held: bool,
    pub(super) faults: BlockFaults,
    pub(super) counts: BlockCounts,
}

fn due(count: &mut u64, seen: &mut u64) -> bool {
    if *count == 0 {
        return false;
    }
    *count = count.saturating_sub(1);
    *seen = seen.saturating_add(1);
    true
}

impl BlockCard {
    pub(super) fn new(crc: bool) -> Self {
        Self {
            crc,
            ns: 0,
            nr: 0,
            ifsd: IFSD,
            command: Vec::new(),
            answer: Vec::new(),
            under_way: 0,
            last: Vec::new(),
            held: false,
            faults: BlockFaults::default(),
            counts: BlockCounts::default(),
        }
    }

    /// Reset, or resynchronisation.
    pub(super) fn reset(&mut self) {
        (self.ns, self.nr, self.ifsd) = (0, 0, IFSD);
        (self.under_way, self.held) = (0, false);
        self.command.clear();
        self.answer.clear();
        self.last.clear();
    }

    /// LRC: all bytes with it make 0. CRC: 16 bits from all ones, low bit first, the
    /// polynomial 1021h seen from that end; high byte first.
    fn tail(&self, bytes: &[u8]) -> Vec<u8> {
        if !self.crc {
            return vec![bytes.iter().copied().fold(0, std::ops::BitXor::bitxor)];
        }
        let mut register = u16::MAX;
        for byte in bytes {
            for place in 0..8 {
                let bit = u16::from(*byte).checked_shr(place).unwrap_or_default() & 1;
                let out = (register & 1) ^ bit;
                register >>= 1;
                if out == 1 {
                    register ^= 0x1021_u16.reverse_bits();
                }
            }
        }
        register.to_be_bytes().to_vec()
    }

    fn frame(&self, pcb: u8, inf: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, pcb, u8::try_from(inf.len()).unwrap_or_default()];
        bytes.extend_from_slice(inf);
        let tail = self.tail(&bytes);
        bytes.extend(tail);
        bytes
    }

    /// A block as the reader itself makes it: the host's prologue, the command, the sum.
    pub(super) fn sealed(&self, prologue: [u8; 3], command: &[u8]) -> Vec<u8> {
        let mut bytes = prologue.to_vec();
        bytes.extend_from_slice(command);
        let tail = self.tail(&bytes);
        bytes.extend(tail);
        bytes
    }

    /// Sends a block, or what the desk makes of it.
    fn say(&mut self, block: Vec<u8>) -> Said {
        self.last.clone_from(&block);
        self.counts.blocks = self.counts.blocks.saturating_add(1);
        if due(&mut self.faults.lose, &mut self.counts.lost) {
            return Said::Block(None);
        }
        let mut block = block;
        if due(&mut self.faults.damage, &mut self.counts.damaged)
            && let Some(last) = block.last_mut()
        {
            *last ^= 0x55;
        }
        Said::Block(Some(block))
    }

    fn ready(&mut self, fault: u8) -> Said {
        let pcb = 0x80 | (self.nr << 4) | fault;
        let block = self.frame(pcb, &[]);
        // Not kept: what must be sent again is the block before it.
        let kept = std::mem::take(&mut self.last);
        let said = self.say(block);
        self.last = kept;
        said
    }

    /// One block from the host.
    pub(super) fn hear(&mut self, bytes: &[u8]) -> Said {
        let tail = if self.crc { 2 } else { 1 };
        let at = bytes.len().saturating_sub(tail);
        let (covered, end) = bytes.split_at_checked(at).unwrap_or((bytes, &[]));
        if covered.len() < HEAD || self.tail(covered) != end {
            return self.ready(1);
        }
        if due(&mut self.faults.ask, &mut self.counts.asked) {
            return self.ready(1);
        }
        let (pcb, inf) = match *covered {
            [0, pcb, len, ref inf @ ..] if usize::from(len) == inf.len() => (pcb, inf),
            _ => return self.ready(2),
        };
        match pcb {
            0x00 | 0x20 | 0x40 | 0x60 => self.information(pcb, inf),
            0x80..=0xBF => self.acknowledged((pcb >> 4) & 1),
            0xC0 => {
                self.reset();
                self.counts.resyncs = self.counts.resyncs.saturating_add(1);
                let block = self.frame(0xE0, &[]);
                self.say(block)
            }
            0xC1 => {
                self.ifsd = inf.first().copied().map_or(IFSD, usize::from).max(1);
                let block = self.frame(0xE1, inf);
                self.say(block)
            }
            // More time was granted; the chain is given up.
            0xE3 if self.held => {
                self.held = false;
                self.part()
            }
            _ => self.ready(2),
        }
    }

    fn information(&mut self, pcb: u8, inf: &[u8]) -> Said {
        if (pcb >> 6) & 1 != self.nr {
            return self.ready(2);
        }
        // A command is also the acknowledgement of the answer before.
        if !self.answer.is_empty() || self.under_way > 0 {
            self.answer.clear();
            self.under_way = 0;
            self.ns ^= 1;
        }
        self.nr ^= 1;
        self.command.extend_from_slice(inf);
        if pcb & 0x20 != 0 {
            return self.ready(0);
        }
        Said::Command(std::mem::take(&mut self.command))
    }

    fn acknowledged(&mut self, awaited: u8) -> Said {
        if self.under_way > 0 && awaited != self.ns && self.under_way < self.answer.len() {
            self.answer.drain(..self.under_way);
            self.ns ^= 1;
            return self.part();
        }
        match self.last.is_empty() {
            true => self.ready(2),
            false => {
                let again = self.last.clone();
                self.say(again)
            }
        }
    }

    /// The answer to the whole command.
    pub(super) fn answer(&mut self, answer: Vec<u8>) -> Said {
        self.answer = answer;
        self.part()
    }

    fn part(&mut self) -> Said {
        if due(&mut self.faults.abort, &mut self.counts.aborted) {
            self.answer.clear();
            let block = self.frame(0xC2, &[]);
            return self.say(block);
        }
        if due(&mut self.faults.wtx, &mut self.counts.extensions) {
            self.held = true;
            let block = self.frame(0xC3, &[2]);
            return self.say(block);
        }
        self.under_way = self.ifsd.min(self.answer.len());
        let more = self.under_way < self.answer.len();
        let pcb = (self.ns << 6) | if more { 0x20 } else { 0 };
        let inf = self.answer.get(..self.under_way).unwrap_or_default();
        let block = self.frame(pcb, inf);
        self.say(block)
    }
}
