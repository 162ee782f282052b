//! CCID bulk messages, sans I/O: a 10-byte header, little endian, data follows.
//!
//! Source: CCID rev 1.1 §6.1-§6.2. Refuses a length that is not exactly what came.
//! Called by [`super::Reader`].

/// Bytes of a header.
pub const HEADER: usize = 10;

/// A command to the reader (bMessageType of CCID §6.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command<'a> {
    /// 62h; bPowerSelect 0 auto, 1 = 5 V, 2 = 3 V, 3 = 1.8 V.
    PowerOn(u8),
    /// 63h.
    PowerOff,
    /// 65h.
    GetSlotStatus,
    /// 6Fh.
    XfrBlock {
        /// bBWI: multiple of the block waiting time, 0 = one.
        waiting: u8,
        /// wLevelParameter: 0 whole, 1 begins, 2 ends, 3 continues, 10h = next part.
        level: u16,
        /// abData.
        data: &'a [u8],
    },
    /// 61h for T=0: FiDi, TCCKS, guard time, waiting integer, clock stop.
    SetParametersT0([u8; 5]),
    /// 61h for T=1: FiDi, TCCKS, guard time, waiting integers, clock stop, IFSC, NAD.
    SetParametersT1([u8; 7]),
    /// 69h with a block of [`super::secure`].
    Secure(&'a [u8]),
    /// 72h, the bulk half of an abort.
    Abort,
}

impl<'a> Command<'a> {
    /// The command's name, for errors.
    pub fn name(&self) -> &'static str {
        match self {
            Self::PowerOn(_) => "power on",
            Self::PowerOff => "power off",
            Self::GetSlotStatus => "slot status",
            Self::XfrBlock { .. } => "exchange",
            Self::SetParametersT0(_) | Self::SetParametersT1(_) => "set parameters",
            Self::Secure(_) => "PIN entry",
            Self::Abort => "abort",
        }
    }

    /// The bMessageType of its good answer.
    pub fn answer_kind(&self) -> u8 {
        match self {
            Self::PowerOn(_) | Self::XfrBlock { .. } | Self::Secure(_) => 0x80,
            Self::PowerOff | Self::GetSlotStatus | Self::Abort => 0x81,
            Self::SetParametersT0(_) | Self::SetParametersT1(_) => 0x82,
        }
    }

    /// A block that is exchanged as it stands, whole.
    pub fn block(data: &'a [u8]) -> Self {
        Self::XfrBlock {
            waiting: 0,
            level: 0,
            data,
        }
    }

    /// The message as sent.
    pub fn encode(&self, slot: u8, seq: u8) -> Vec<u8> {
        let (kind, specific, data): (u8, [u8; 3], &[u8]) = match self {
            Self::PowerOn(select) => (0x62, [*select, 0, 0], &[]),
            Self::PowerOff => (0x63, [0; 3], &[]),
            Self::GetSlotStatus => (0x65, [0; 3], &[]),
            Self::Abort => (0x72, [0; 3], &[]),
            Self::XfrBlock {
                waiting,
                level,
                data,
            } => {
                let [low, high] = level.to_le_bytes();
                (0x6F, [*waiting, low, high], data)
            }
            Self::SetParametersT0(parameters) => (0x61, [0; 3], parameters),
            Self::SetParametersT1(parameters) => (0x61, [1, 0, 0], parameters),
            Self::Secure(block) => (0x69, [0; 3], block),
        };
        let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
        let mut bytes = vec![kind];
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(&[slot, seq]);
        bytes.extend_from_slice(&specific);
        bytes.extend_from_slice(data);
        bytes
    }
}

/// How long the message is whose start came, once its dwLength is there.
pub fn whole_len(start: &[u8]) -> Option<usize> {
    let &[_, l0, l1, l2, l3] = start.first_chunk::<5>()?;
    let len = usize::try_from(u32::from_le_bytes([l0, l1, l2, l3])).ok()?;
    len.checked_add(HEADER)
}

/// Low two bits of bStatus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Icc {
    /// Present and powered.
    Active,
    /// Present, not powered.
    Inactive,
    /// No card.
    Absent,
}

/// High two bits of bStatus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Done.
    Ok,
    /// Failed; bError says why.
    Failed(u8),
    /// Not yet: so many times the waiting time more.
    TimeExtension(u8),
}

/// An answer from the reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<'a> {
    /// bMessageType: 80h data block, 81h slot status, 82h parameters.
    pub kind: u8,
    /// bSlot.
    pub slot: u8,
    /// bSeq.
    pub seq: u8,
    /// The card.
    pub icc: Icc,
    /// The command.
    pub outcome: Outcome,
    /// bChainParameter, bClockStatus or bProtocolNum.
    pub specific: u8,
    /// The data.
    pub data: &'a [u8],
}

/// Why bytes are not an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAnAnswer {
    /// Shorter than a header.
    #[error("{0} bytes are less than a header")]
    Short(usize),
    /// dwLength says otherwise.
    #[error("the header says {said} data bytes and {came} came")]
    Length {
        /// dwLength.
        said: u32,
        /// What followed the header.
        came: usize,
    },
    /// Reserved bStatus bits.
    #[error("status byte {0:02x} is reserved")]
    Status(u8),
}

impl<'a> Answer<'a> {
    /// Reads one message; total, never panics.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, NotAnAnswer> {
        let Some((head, data)) = bytes.split_first_chunk::<HEADER>() else {
            return Err(NotAnAnswer::Short(bytes.len()));
        };
        let [kind, l0, l1, l2, l3, slot, seq, status, error, specific] = *head;
        let said = u32::from_le_bytes([l0, l1, l2, l3]);
        if usize::try_from(said) != Ok(data.len()) {
            return Err(NotAnAnswer::Length {
                said,
                came: data.len(),
            });
        }
        let icc = match status & 3 {
            0 => Icc::Active,
            1 => Icc::Inactive,
            2 => Icc::Absent,
            _ => return Err(NotAnAnswer::Status(status)),
        };
        let outcome = match status >> 6 {
            0 => Outcome::Ok,
            1 => Outcome::Failed(error),
            2 => Outcome::TimeExtension(error),
            _ => return Err(NotAnAnswer::Status(status)),
        };
        Ok(Self {
            kind,
            slot,
            seq,
            icc,
            outcome,
            specific,
            data,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use counterfoil_data::wire::unhex;

    fn hex(text: &str) -> Vec<u8> {
        unhex(&text.replace(' ', "")).unwrap()
    }

    /// Messages laid out by hand from CCID §6 (not by this encoder).
    #[test]
    fn commands_are_byte_for_byte_the_messages_of_the_specification() {
        let status = Command::GetSlotStatus.encode(0, 1);
        assert_eq!(status, hex("65 00000000 00 01 000000"));
        assert_eq!(
            Command::PowerOn(0).encode(0, 2),
            hex("62 00000000 00 02 00 0000")
        );
        let select = hex("00A404000E315041592E5359532E444446303100");
        let exchange = Command::block(&select).encode(0, 3);
        let golden = "6F 14000000 00 03 00 0000 00A404000E315041592E5359532E444446303100";
        assert_eq!(exchange, hex(golden));
        let more = Command::XfrBlock {
            waiting: 0,
            level: 0x10,
            data: &[],
        };
        let more = more.encode(0, 5);
        assert_eq!(more, hex("6F 00000000 00 05 00 1000"));
        // Slot 1, T=1 parameters; then a block that may take 5 waiting times.
        let set = Command::SetParametersT1([0x11, 0x10, 0, 0x45, 0, 254, 0]).encode(1, 7);
        assert_eq!(set, hex("61 07000000 01 07 010000 11100045 00fe00"));
        let wait = Command::XfrBlock {
            waiting: 5,
            level: 0,
            data: &[0, 0xE3, 1, 5, 0xE7],
        };
        assert_eq!(
            wait.encode(0, 8),
            hex("6F 05000000 00 08 05 0000 00E30105E7")
        );
        let abort = Command::Abort.encode(0, 6);
        assert_eq!(abort, hex("72 00000000 00 06 000000"));
    }

    #[test]
    fn answers_of_the_specification_are_read() {
        let bytes = hex("81 00000000 00 01 01 00 00");
        let present = Answer::parse(&bytes).unwrap();
        assert_eq!((present.icc, present.outcome), (Icc::Inactive, Outcome::Ok));
        let bytes = hex("81 00000000 00 01 42 FE 00");
        let mute = Answer::parse(&bytes).unwrap();
        assert_eq!(
            (mute.icc, mute.outcome),
            (Icc::Absent, Outcome::Failed(0xFE))
        );
        let bytes = hex("80 11000000 00 02 00 00 00 3B6D000080650849048653000000000000");
        assert_eq!(Answer::parse(&bytes).unwrap().data.len(), 17);
        let cut = Answer::parse(&bytes[..26]);
        assert_eq!(cut, Err(NotAnAnswer::Length { said: 17, came: 16 }));
        let bytes = hex("80 00000000 00 03 80 05 00");
        let later = Answer::parse(&bytes).unwrap();
        assert_eq!(later.outcome, Outcome::TimeExtension(5));
        let bytes = hex("80 00000000 00 04 40 E0 00");
        assert_eq!(
            Answer::parse(&bytes).unwrap().outcome,
            Outcome::Failed(0xE0)
        );
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(0_u8.., 0..64)) {
            if let Ok(answer) = Answer::parse(&bytes) {
                proptest::prop_assert_eq!(answer.data.len(), bytes.len() - HEADER);
            }
        }
    }
}
