//! Blocks of T=1 (ISO 7816-3 §11.3): NAD, PCB, LEN, up to 254 bytes, LRC or CRC.
//!
//! Sans I/O. Refuses node addresses (none is agreed here), reserved PCBs, lengths
//! that do not fit and wrong sums.

use zeroize::Zeroizing;

/// Longest information field.
pub const INF_MAX: usize = 254;
/// NAD, PCB, LEN.
const PROLOGUE: usize = 3;

/// Error detection at the end of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sum {
    /// One byte, exclusive or.
    Lrc,
    /// Two bytes, CRC of ISO/IEC 13239 as cards compute it: from FFFFh, reflected,
    /// not inverted, high byte first.
    Crc,
}

impl Sum {
    fn of(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Lrc => vec![bytes.iter().fold(0, |sum, b| sum ^ b)],
            Self::Crc => crc(bytes).to_be_bytes().to_vec(),
        }
    }
}

fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |sum, byte| {
        (0..8).fold(sum ^ u16::from(*byte), |sum, _| match sum & 1 {
            1 => (sum >> 1) ^ 0x8408,
            _ => sum >> 1,
        })
    })
}

/// What an S-block asks or answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// Begin again with both numbers 0.
    Resync,
    /// Longest block from now on.
    Ifs,
    /// The chain is given up.
    Abort,
    /// So many block waiting times for the next answer.
    Wtx,
}

/// Why an R-block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// None: go on.
    None,
    /// Sum or parity.
    Sum,
    /// Anything else.
    Other,
}

/// The protocol control byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pcb {
    /// Information: N(S) and whether more follows.
    I {
        /// N(S).
        seq: bool,
        /// M.
        more: bool,
    },
    /// Receive ready: N(R) is the number awaited.
    R {
        /// N(R).
        seq: bool,
        /// What was wrong.
        fault: Fault,
    },
    /// Supervisory.
    S {
        /// About what.
        control: Control,
        /// Whether it answers.
        response: bool,
    },
}

impl Pcb {
    /// As it stands in a block.
    pub fn byte(self) -> u8 {
        let bit = |set: bool, bit: u8| if set { bit } else { 0 };
        match self {
            Self::I { seq, more } => bit(seq, 0x40) | bit(more, 0x20),
            Self::R { seq, fault } => {
                let fault = match fault {
                    Fault::None => 0,
                    Fault::Sum => 1,
                    Fault::Other => 2,
                };
                0x80 | bit(seq, 0x10) | fault
            }
            Self::S { control, response } => {
                let control = match control {
                    Control::Resync => 0,
                    Control::Ifs => 1,
                    Control::Abort => 2,
                    Control::Wtx => 3,
                };
                0xC0 | bit(response, 0x20) | control
            }
        }
    }

    fn parse(byte: u8) -> Option<Self> {
        let set = |bit: u8| byte & bit != 0;
        match byte >> 6 {
            0 | 1 => (byte & 0x1F == 0).then_some(Self::I {
                seq: set(0x40),
                more: set(0x20),
            }),
            2 => {
                let fault = match byte & 0x2F {
                    0 => Fault::None,
                    1 => Fault::Sum,
                    2 => Fault::Other,
                    _ => return None,
                };
                let seq = set(0x10);
                Some(Self::R { seq, fault })
            }
            _ => {
                let control = match byte & 0x1F {
                    0 => Control::Resync,
                    1 => Control::Ifs,
                    2 => Control::Abort,
                    3 => Control::Wtx,
                    _ => return None,
                };
                let response = set(0x20);
                Some(Self::S { control, response })
            }
        }
    }
}

/// Why bytes are not a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotABlock {
    /// The sum does not fit.
    #[error("its sum is wrong")]
    Sum,
    /// Length, node address, or control byte.
    #[error("its form is wrong")]
    Form,
}

/// One block.
#[derive(Clone, PartialEq, Eq)]
pub struct Block<'a> {
    /// Control byte.
    pub pcb: Pcb,
    /// Information field.
    pub inf: &'a [u8],
}

impl<'a> Block<'a> {
    /// Reads one block; total. The sum is looked at first: nothing else counts
    /// where it is wrong.
    pub fn parse(bytes: &'a [u8], sum: Sum) -> Result<Self, NotABlock> {
        let tail = match sum {
            Sum::Lrc => 1,
            Sum::Crc => 2,
        };
        let at = bytes.len().checked_sub(tail).ok_or(NotABlock::Form)?;
        let (covered, end) = bytes.split_at_checked(at).ok_or(NotABlock::Form)?;
        if sum.of(covered) != end {
            return Err(NotABlock::Sum);
        }
        let Some((&[nad, pcb, len], inf)) = covered.split_first_chunk::<PROLOGUE>() else {
            return Err(NotABlock::Form);
        };
        let pcb = Pcb::parse(pcb).ok_or(NotABlock::Form)?;
        let fits = usize::from(len) == inf.len() && inf.len() <= INF_MAX;
        let wanted = match pcb {
            Pcb::I { .. } => true,
            Pcb::R { .. } => inf.is_empty(),
            Pcb::S { control, .. } => match control {
                Control::Ifs | Control::Wtx => inf.len() == 1,
                Control::Resync | Control::Abort => inf.is_empty(),
            },
        };
        if nad != 0 || !fits || !wanted {
            return Err(NotABlock::Form);
        }
        Ok(Self { pcb, inf })
    }

    /// The block as sent.
    pub fn encode(&self, sum: Sum) -> Zeroizing<Vec<u8>> {
        let len = u8::try_from(self.inf.len()).unwrap_or(u8::MAX);
        // Room for the sum, so that nothing is left behind by growing.
        let mut bytes = Zeroizing::new(Vec::with_capacity(self.inf.len().saturating_add(5)));
        bytes.extend([0, self.pcb.byte(), len]);
        bytes.extend_from_slice(self.inf);
        let sum = sum.of(&bytes);
        bytes.extend(sum);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use counterfoil_data::wire::unhex;

    /// Blocks of another tool's T=1 simulator.
    const BLOCKS: &[(&str, Pcb)] = &[
        ("00c101fe3e", S_IFS),
        (
            "00e101fe1e",
            Pcb::S {
                control: Control::Ifs,
                response: true,
            },
        ),
        (
            "00000a00a4040005a0000000030c",
            Pcb::I {
                seq: false,
                more: false,
            },
        ),
        (
            "00900090",
            Pcb::R {
                seq: true,
                fault: Fault::None,
            },
        ),
        (
            "00c30101c3",
            Pcb::S {
                control: Control::Wtx,
                response: false,
            },
        ),
        (
            "00600800a4040008010203c0",
            Pcb::I {
                seq: true,
                more: true,
            },
        ),
        (
            "0040029000d2",
            Pcb::I {
                seq: true,
                more: false,
            },
        ),
        (
            "00e000e0",
            Pcb::S {
                control: Control::Resync,
                response: true,
            },
        ),
    ];
    const S_IFS: Pcb = Pcb::S {
        control: Control::Ifs,
        response: false,
    };

    #[test]
    fn blocks_of_another_tool_are_read_and_written() {
        for (text, pcb) in BLOCKS {
            let bytes = unhex(text).unwrap();
            let Ok(block) = Block::parse(&bytes, Sum::Lrc) else {
                panic!("{text}");
            };
            assert_eq!(block.pcb, *pcb, "{text}");
            assert_eq!(*block.encode(Sum::Lrc), bytes, "{text}");
        }
    }

    /// Check value of the published catalogue for this CRC (MCRF4XX): 6F91.
    #[test]
    fn the_crc_is_that_of_the_catalogue() {
        assert_eq!(crc(b"123456789"), 0x6F91);
        let block = Block {
            pcb: S_IFS,
            inf: &[254],
        };
        let bytes = block.encode(Sum::Crc);
        assert_eq!(bytes.len(), 6);
        assert!(Block::parse(&bytes, Sum::Crc).is_ok_and(|b| b == block));
    }

    #[test]
    fn what_is_out_of_form_is_refused() {
        let bad = |text: &str| {
            let mut bytes = unhex(text).unwrap();
            bytes.push(bytes.iter().fold(0, |sum, b| sum ^ b));
            Block::parse(&bytes, Sum::Lrc).err()
        };
        for text in [
            "0100029000",
            "0000039000",
            "00000290",
            "00c400",
            "008300",
            "00c000ff",
        ] {
            assert_eq!(bad(text), Some(NotABlock::Form), "{text}");
        }
        // R with data, WTX without its number, I with reserved bits.
        for text in ["00900100", "00c300", "00010100"] {
            assert_eq!(bad(text), Some(NotABlock::Form), "{text}");
        }
        let sum = Block::parse(&[0, 0x90, 0, 0x91], Sum::Lrc).err();
        assert_eq!(sum, Some(NotABlock::Sum));
        assert_eq!(Block::parse(&[], Sum::Crc).err(), Some(NotABlock::Form));
    }
}
