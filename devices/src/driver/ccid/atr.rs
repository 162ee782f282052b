//! The answer to reset, ISO 7816-3 §8: what the card speaks, how fast, how patient.
//!
//! Refuses what is too short, runs past its end, or has a wrong check byte.
//! Called by [`super::Reader::power_on`].

use std::time::Duration;

/// Longest answer to reset (ISO 7816-3 §8.2).
pub const ATR_MAX: usize = 33;

/// Transmission protocol of a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Character oriented, half duplex.
    T0,
    /// Block oriented, half duplex.
    T1,
    /// Anything else; not spoken here.
    Other(u8),
}

impl Protocol {
    /// The number in T=n.
    pub fn number(self) -> u8 {
        match self {
            Self::T0 => 0,
            Self::T1 => 1,
            Self::Other(n) => n,
        }
    }
}

/// Why bytes are not an answer to reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAnAtr {
    /// First byte is neither 3Bh nor 3Fh.
    #[error("initial character {0:02x}")]
    Initial(u8),
    /// Ends inside its interface or historical bytes, or is too long.
    #[error("its length does not fit")]
    Length,
    /// TCK does not check.
    #[error("its check byte is wrong")]
    Check,
}

/// A parsed answer to reset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Atr {
    /// As it came.
    pub bytes: Vec<u8>,
    /// The first protocol offered, or the one TA2 fixes.
    pub protocol: Protocol,
    /// Every protocol offered, in order, T=15 left out; never empty.
    pub offered: Vec<Protocol>,
    /// TA2: specific mode, nothing may be negotiated.
    pub specific: bool,
    /// TA1 as far as it counts: what the card could do after a PPS, or does at once
    /// in specific mode.
    pub fidi: u8,
    /// Inverse convention.
    pub inverse: bool,
    /// TC1, extra guard time.
    pub guard: u8,
    /// TC2, waiting integer of T=0.
    pub waiting: u8,
    /// First TA for T=1: longest block the card takes.
    pub ifsc: u8,
    /// First TB for T=1: block and character waiting integers.
    pub waiting_t1: u8,
    /// First TC for T=1, bit 1: CRC instead of LRC.
    pub crc: bool,
    /// TA for T=15: clock stop and operating classes (bit 1 = A, 2 = B, 3 = C).
    pub classes: Option<u8>,
    /// Historical bytes.
    pub historical: Vec<u8>,
}

fn protocol(code: u8) -> Protocol {
    match code & 0x0F {
        0 => Protocol::T0,
        1 => Protocol::T1,
        other => Protocol::Other(other),
    }
}

/// Default clock and baud rate: Fi 372, Di 1.
pub const DEFAULT_FIDI: u8 = 0x11;
/// Default waiting integer of T=0.
const DEFAULT_WAITING: u8 = 10;
/// Default IFSC.
const DEFAULT_IFSC: u8 = 32;
/// Default BWI 4, CWI 13.
const DEFAULT_WAITING_T1: u8 = 0x4D;
/// TD that describes the card, not a protocol.
const GLOBAL: u8 = 15;
/// Fi by the high half of TA1; 0 = reserved.
const FI: [u32; 16] = [
    372, 372, 558, 744, 1116, 1488, 1860, 0, 0, 512, 768, 1024, 1536, 2048, 0, 0,
];
/// Di by the low half of TA1; 0 = reserved.
const DI: [u32; 16] = [0, 1, 2, 4, 8, 16, 32, 64, 12, 20, 0, 0, 0, 0, 0, 0];

/// Fi and Di of a TA1, if both are assigned.
fn rates(fidi: u8) -> Option<(u32, u32)> {
    let fi = FI.get(usize::from(fidi >> 4)).filter(|f| **f != 0)?;
    let di = DI.get(usize::from(fidi & 15)).filter(|d| **d != 0)?;
    Some((*fi, *di))
}

/// Bit rate in bit/s of a TA1 at a clock; `None` where it is reserved.
pub fn bit_rate(fidi: u8, clock_khz: u32) -> Option<u32> {
    let (fi, di) = rates(fidi)?;
    clock_khz
        .checked_mul(1000)?
        .checked_mul(di)?
        .checked_div(fi)
}

/// What one group of interface bytes says.
#[derive(Clone, Copy)]
struct Group {
    number: usize,
    /// T of the TD that announced it.
    announced: u8,
    ta: Option<u8>,
    tb: Option<u8>,
    tc: Option<u8>,
}

/// First bytes for T=1, as they turn up.
#[derive(Default)]
struct ForT1 {
    ta: Option<u8>,
    tb: Option<u8>,
    tc: Option<u8>,
}

impl Atr {
    /// Parses one answer to reset; total.
    pub fn parse(bytes: &[u8]) -> Result<Self, NotAnAtr> {
        if bytes.len() > ATR_MAX {
            return Err(NotAnAtr::Length);
        }
        let mut atr = Self::blank(bytes);
        let mut rest = bytes.iter().copied();
        let mut next = || rest.next().ok_or(NotAnAtr::Length);
        atr.inverse = match next()? {
            0x3B => false,
            0x3F => true,
            other => return Err(NotAnAtr::Initial(other)),
        };
        let format = next()?;
        let (mut presence, mut announced) = (format >> 4, 0);
        let mut check = false;
        let (mut t1, mut fixed) = (ForT1::default(), None);
        // At most 32 bytes follow, so at most so many groups.
        for number in 1..=ATR_MAX {
            let mut byte = |bit: u8| (presence & bit != 0).then(&mut next).transpose();
            let group = Group {
                number,
                announced,
                ta: byte(1)?,
                tb: byte(2)?,
                tc: byte(4)?,
            };
            atr.take(group, &mut t1, &mut fixed);
            if presence & 8 == 0 {
                break;
            }
            let td = next()?;
            (presence, announced) = (td >> 4, td & 15);
            check |= announced != 0;
            let offer = protocol(td);
            if announced != GLOBAL && !atr.offered.contains(&offer) {
                atr.offered.push(offer);
            }
        }
        let count = format & 0x0F;
        atr.historical = (0..count).map(|_| next()).collect::<Result<_, _>>()?;
        if check {
            next()?;
            if bytes.iter().skip(1).fold(0, |sum, b| sum ^ b) != 0 {
                return Err(NotAnAtr::Check);
            }
        }
        if rest.next().is_some() {
            return Err(NotAnAtr::Length);
        }
        atr.finish(&t1, fixed);
        Ok(atr)
    }

    fn blank(bytes: &[u8]) -> Self {
        Self {
            bytes: bytes.to_vec(),
            protocol: Protocol::T0,
            offered: Vec::new(),
            specific: false,
            fidi: DEFAULT_FIDI,
            inverse: false,
            guard: 0,
            waiting: DEFAULT_WAITING,
            ifsc: DEFAULT_IFSC,
            waiting_t1: DEFAULT_WAITING_T1,
            crc: false,
            classes: None,
            historical: Vec::new(),
        }
    }

    fn take(&mut self, group: Group, t1: &mut ForT1, fixed: &mut Option<u8>) {
        match group.number {
            1 => {
                self.fidi = group.ta.unwrap_or(DEFAULT_FIDI);
                self.guard = group.tc.unwrap_or(0);
            }
            2 => {
                *fixed = group.ta;
                self.waiting = group.tc.unwrap_or(DEFAULT_WAITING);
            }
            _ if group.announced == 1 => {
                t1.ta = t1.ta.or(group.ta);
                t1.tb = t1.tb.or(group.tb);
                t1.tc = t1.tc.or(group.tc);
            }
            _ if group.announced == GLOBAL => self.classes = self.classes.or(group.ta),
            _ => {}
        }
    }

    fn finish(&mut self, t1: &ForT1, fixed: Option<u8>) {
        if self.offered.is_empty() {
            self.offered.push(Protocol::T0);
        }
        let first = self.offered.first().copied().unwrap_or(Protocol::T0);
        self.protocol = fixed.map(protocol).unwrap_or(first);
        self.specific = fixed.is_some();
        // TA2 bit 5: the rate is not TA1's but agreed otherwise.
        if fixed.is_some_and(|ta2| ta2 & 0x10 != 0) {
            self.fidi = DEFAULT_FIDI;
        }
        // 0 and 255 are reserved.
        self.ifsc = t1
            .ta
            .filter(|n| (1..=254).contains(n))
            .unwrap_or(DEFAULT_IFSC);
        self.waiting_t1 = t1.tb.unwrap_or(DEFAULT_WAITING_T1);
        self.crc = t1.tc.is_some_and(|tc| tc & 1 != 0);
    }

    /// The rate that holds without any PPS: TA1's only in specific mode.
    pub fn initial_fidi(&self) -> u8 {
        if self.specific {
            self.fidi
        } else {
            DEFAULT_FIDI
        }
    }

    /// 5 bytes of T=0 parameters (CCID §6.1.7): FiDi, TCCKS, guard time, waiting
    /// integer, clock stop.
    pub fn t0_parameters(&self, fidi: u8) -> [u8; 5] {
        let inverse = if self.inverse { 2 } else { 0 };
        [fidi, inverse, self.guard, self.waiting, 0]
    }

    /// 7 bytes of T=1 parameters (CCID §6.1.7): FiDi, TCCKS, guard time, waiting
    /// integers, clock stop, IFSC, node address.
    pub fn t1_parameters(&self, fidi: u8) -> [u8; 7] {
        let inverse = if self.inverse { 2 } else { 0 };
        let checks = 0x10 | inverse | u8::from(self.crc);
        [fidi, checks, self.guard, self.waiting_t1, 0, self.ifsc, 0]
    }

    /// How long the card may take for one exchange of `protocol`, at a clock and a
    /// rate: the reader should notice before the host does, so a second is added.
    pub fn patience(&self, protocol: Protocol, fidi: u8, clock_khz: u32) -> Duration {
        let clock = u64::from(clock_khz.max(1)).saturating_mul(1000);
        let (fi, di) = rates(fidi).unwrap_or((372, 1));
        let micros = |cycles: u64| {
            let micros = cycles.saturating_mul(1_000_000).checked_div(clock);
            Duration::from_micros(micros.unwrap_or_default())
        };
        let etu = micros(u64::from(fi)).checked_div(di).unwrap_or_default();
        let extra = if self.guard == 255 { 0 } else { self.guard };
        let character = etu.saturating_mul(u32::from(extra).saturating_add(12));
        let card = match protocol {
            Protocol::T1 => {
                let (bwi, cwi) = (self.waiting_t1 >> 4, self.waiting_t1 & 15);
                let block = micros(372_u64.saturating_mul(960) << bwi.min(9));
                let gap = etu.saturating_mul((1_u32 << cwi).saturating_add(11));
                let block = block.saturating_add(etu.saturating_mul(11));
                block.saturating_add(gap.saturating_mul(260))
            }
            _ => {
                let waiting = u64::from(self.waiting).saturating_mul(960);
                let waiting = micros(waiting.saturating_mul(u64::from(fi)));
                let many = character.saturating_mul(5);
                let many = many.saturating_add(waiting.saturating_mul(260));
                let few = character.saturating_mul(261);
                many.max(few.saturating_add(waiting.saturating_mul(6)))
            }
        };
        let sent = character.saturating_mul(260);
        card.saturating_add(sent)
            .saturating_add(Duration::from_secs(1))
    }
}

#[cfg(test)]
mod tests;
