//! EF01 frames, sans I/O: finding, checking and building them.
//!
//! ```text
//!  EF 01 | address 4 | PID 1 | length 2 | payload length-2 | sum 2     big endian
//! ```
//! The sum runs over PID, length and payload. Refuses lengths outside 2..=258 and
//! wrong sums; resynchronises on the header after junk. Source: module manuals
//! (ZFM-20, R30x, R503 §4). Called by [`super::FingerModule`].

use zeroize::Zeroizing;

/// Header and default address.
pub(super) const START: [u8; 6] = [0xEF, 0x01, 0xFF, 0xFF, 0xFF, 0xFF];
/// Header, address, PID and length.
const HEAD: usize = 9;
/// Most payload bytes in one frame.
pub const PAYLOAD_MAX: usize = 256;

/// What a frame carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pid {
    /// 01, host to module.
    Command,
    /// 02, more data follow.
    Data,
    /// 07, answer to a command.
    Ack,
    /// 08, data, the last.
    End,
    /// Anything else: a protocol error.
    Unknown(u8),
}

/// One whole frame with a good sum.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    /// What it is.
    pub pid: Pid,
    /// Its payload; may be part of a print, so it is wiped.
    pub payload: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Frame({:?}, {} bytes)", self.pid, self.payload.len())
    }
}

/// A frame whose sum did not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadSum {
    /// What it said it was.
    pub pid: Pid,
}

fn sum_of(pid: u8, length: u16, payload: &[u8]) -> u16 {
    let [high, low] = length.to_be_bytes();
    let head = [pid, high, low];
    let all = head.iter().chain(payload);
    all.fold(0, |sum, byte| sum.wrapping_add(u16::from(*byte)))
}

/// A command frame to the default address. Payloads here are 17 bytes at most.
pub fn command(payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len().saturating_add(2)).unwrap_or(u16::MAX);
    let mut bytes = START.to_vec();
    bytes.push(1);
    bytes.extend(length.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes.extend(sum_of(1, length, payload).to_be_bytes());
    bytes
}

/// Finds frames in a stream.
#[derive(Default)]
pub struct Deframer {
    held: Zeroizing<Vec<u8>>,
}

impl Deframer {
    /// Takes bytes as they come.
    pub fn push(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    /// Forgets what is held.
    pub fn clear(&mut self) {
        self.held.clear();
    }

    /// The next frame, a frame with a wrong sum, or nothing yet.
    pub fn pull(&mut self) -> Option<Result<Frame, BadSum>> {
        loop {
            self.seek();
            let (head, rest) = self.held.split_first_chunk::<HEAD>()?;
            let [_, _, _, _, _, _, pid, l1, l0] = *head;
            let length = u16::from_be_bytes([l1, l0]);
            let carried = usize::from(length);
            if !(2..=PAYLOAD_MAX.saturating_add(2)).contains(&carried) {
                // Not a frame; look for the next start behind this one.
                self.held.drain(..2);
                continue;
            }
            let (payload, sum) = rest.get(..carried)?.split_last_chunk::<2>()?;
            let good = u16::from_be_bytes(*sum) == sum_of(pid, length, payload);
            let pid = match pid {
                1 => Pid::Command,
                2 => Pid::Data,
                7 => Pid::Ack,
                8 => Pid::End,
                other => Pid::Unknown(other),
            };
            let payload = Zeroizing::new(payload.to_vec());
            self.held.drain(..HEAD.saturating_add(carried));
            return Some(if good {
                Ok(Frame { pid, payload })
            } else {
                Err(BadSum { pid })
            });
        }
    }

    /// Drops junk before the next start, keeping what may be the head of one. So
    /// once all frames are pulled, less than one frame is held.
    fn seek(&mut self) {
        let starts = |at: &usize| {
            let rest = self.held.get(*at..).unwrap_or_default();
            rest.iter().zip(START).all(|(a, b)| *a == b)
        };
        let at = (0..self.held.len()).find(starts).unwrap_or(self.held.len());
        self.held.drain(..at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use counterfoil_data::wire::{hex, unhex};

    fn bytes(text: &str) -> Vec<u8> {
        unhex(&text.replace(' ', "").to_lowercase()).unwrap()
    }

    fn all(stream: &[u8]) -> Vec<Result<(Pid, String), Pid>> {
        let mut deframer = Deframer::default();
        deframer.push(stream);
        std::iter::from_fn(|| deframer.pull())
            .map(|f| f.map(|f| (f.pid, hex(&f.payload))).map_err(|b| b.pid))
            .collect()
    }

    /// Frames of module manuals and public traces.
    #[test]
    fn every_published_command_frame_is_built_byte_for_byte() {
        for (payload, golden) in [
            ("13 00000000", "EF01FFFFFFFF 01 0007 13 00000000 001B"),
            ("0F", "EF01FFFFFFFF 01 0003 0F 0013"),
            ("01", "EF01FFFFFFFF 01 0003 01 0005"),
            ("0A", "EF01FFFFFFFF 01 0003 0A 000E"),
            ("0B", "EF01FFFFFFFF 01 0003 0B 000F"),
            ("02 01", "EF01FFFFFFFF 01 0004 02 01 0008"),
            ("02 02", "EF01FFFFFFFF 01 0004 02 02 0009"),
            ("05", "EF01FFFFFFFF 01 0003 05 0009"),
            ("03", "EF01FFFFFFFF 01 0003 03 0007"),
            ("08 01", "EF01FFFFFFFF 01 0004 08 01 000E"),
            ("0E 04 0C", "EF01FFFFFFFF 01 0005 0E 04 0C 0024"),
            ("0E 06 03", "EF01FFFFFFFF 01 0005 0E 06 03 001D"),
            ("0E 06 02", "EF01FFFFFFFF 01 0005 0E 06 02 001C"),
            ("14", "EF01FFFFFFFF 01 0003 14 0018"),
            ("3D", "EF01FFFFFFFF 01 0003 3D 0041"),
            ("36", "EF01FFFFFFFF 01 0003 36 003A"),
            ("40", "EF01FFFFFFFF 01 0003 40 0044"),
            ("50", "EF01FFFFFFFF 01 0003 50 0054"),
            ("51", "EF01FFFFFFFF 01 0003 51 0055"),
            ("35 01 80 02 00", "EF01FFFFFFFF 01 0007 35 01 80 02 00 00C0"),
            ("35 04 00 02 00", "EF01FFFFFFFF 01 0007 35 04 00 02 00 0043"),
        ] {
            assert_eq!(command(&bytes(payload)), bytes(golden), "{golden}");
        }
    }

    #[test]
    fn every_published_answer_is_read() {
        for (golden, pid, payload) in [
            ("EF01FFFFFFFF 07 0003 00 000A", Pid::Ack, "00"),
            ("EF01FFFFFFFF 07 0003 02 000C", Pid::Ack, "02"),
            ("EF01FFFFFFFF 07 0003 13 001D", Pid::Ack, "13"),
            (
                "EF01FFFFFFFF 07 0013 00 0004 0000 00C8 0003 FFFFFFFF 0002 0006 04ED",
                Pid::Ack,
                "000004000000c80003ffffffff00020006",
            ),
            (
                "EF01FFFFFFFF 07 0007 00 0001 0060 006F",
                Pid::Ack,
                "0000010060",
            ),
            (
                "EF01FFFFFFFF 07 0007 09 01EE 0000 0106",
                Pid::Ack,
                "0901ee0000",
            ),
            ("EF01FFFFFFFF 02 0006 12345678 011C", Pid::Data, "12345678"),
            ("EF01FFFFFFFF 08 0006 FFFFFFFF 040A", Pid::End, "ffffffff"),
        ] {
            assert_eq!(
                all(&bytes(golden)),
                [Ok((pid, payload.to_owned()))],
                "{golden}"
            );
        }
    }

    #[test]
    fn junk_lying_lengths_and_foreign_addresses_are_skipped() {
        let good = bytes("EF01FFFFFFFF 07 0003 00 000A");
        for junk in [
            "55",
            "EF",
            "EF01",
            "EFEF01FFFF",
            "EF01FFFFFFFF070001",
            "EF01FFFFFFFF07FFFF",
        ] {
            let mut stream = bytes(junk);
            stream.extend(&good);
            assert_eq!(all(&stream), [Ok((Pid::Ack, "00".to_owned()))], "{junk}");
        }
        let mut stream = bytes("EF01FFFFFFFE 07 0003 00 000A");
        stream.extend(&good);
        assert_eq!(all(&stream).len(), 1);
    }

    #[test]
    fn a_wrong_sum_is_told_and_the_next_frame_is_found() {
        let mut stream = bytes("EF01FFFFFFFF 02 0006 12345679 011C");
        stream.extend(bytes("EF01FFFFFFFF 08 0006 FFFFFFFF 040A"));
        assert_eq!(
            all(&stream),
            [Err(Pid::Data), Ok((Pid::End, "ffffffff".to_owned()))]
        );
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_in_any_pieces_never_stop_the_search(
            pieces in proptest::collection::vec(proptest::collection::vec(0_u8.., 0..80), 0..20)
        ) {
            let mut deframer = Deframer::default();
            for piece in pieces {
                deframer.push(&piece);
                while deframer.pull().is_some() {}
                proptest::prop_assert!(deframer.held.len() < HEAD + PAYLOAD_MAX + 2);
            }
            // Whatever came, a good frame after enough silence is found.
            deframer.clear();
            deframer.push(&bytes("EF01FFFFFFFF 07 0003 00 000A"));
            proptest::prop_assert!(matches!(deframer.pull(), Some(Ok(_))));
        }
    }
}
