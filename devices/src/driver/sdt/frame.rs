//! The SDT frame, sans-I/O (SAM_V communication protocol).
//!
//! ```text
//! request  AA AA AA 96 69 | len len | CMD PARA data… | chk
//! answer   AA AA AA 96 69 | len len | SW1 SW2 SW3 data… | chk
//! ```
//! `len` is big-endian and counts everything behind itself, the checksum
//! included; `chk` is the XOR of `len` and all that follows it.

use counterfoil_data::secret::Secret;
use counterfoil_data::wire::Digest;
use zeroize::Zeroize;

/// Start of every frame.
pub const PREAMBLE: [u8; 5] = [0xaa, 0xaa, 0xaa, 0x96, 0x69];
/// Preamble and length.
pub const HEAD_LEN: usize = 7;
/// Shortest `len`: three status bytes and the checksum.
pub const LEN_MIN: usize = 4;
/// Longest `len` accepted; the longest seen is 2314.
pub const LEN_MAX: usize = 2500;

/// A request's bytes. `data` is at most a few bytes in every known command.
pub fn request(command: [u8; 2], data: &[u8]) -> Vec<u8> {
    let len = u16::try_from(data.len().saturating_add(3)).unwrap_or(u16::MAX);
    let mut frame = PREAMBLE.to_vec();
    frame.extend_from_slice(&len.to_be_bytes());
    frame.extend_from_slice(&command);
    frame.extend_from_slice(data);
    let check = xor(frame.get(PREAMBLE.len()..).unwrap_or_default());
    frame.push(check);
    frame
}

/// A whole answer whose checksum was right.
pub struct Answer {
    /// SW3, the reader's own status; SW1 and SW2 are the card's.
    pub status: u8,
    /// What follows the status; personal in a read.
    pub data: Secret<Vec<u8>>,
    /// SHA-256 over the whole frame, preamble to checksum: evidence.
    pub digest: Digest,
}

/// Bytes that looked like a frame and were none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// `len` outside [`LEN_MIN`] to [`LEN_MAX`].
    #[error("frame length {0} is impossible")]
    Length(usize),
    /// The XOR does not match.
    #[error("frame checksum is wrong")]
    Checksum,
}

/// Takes bytes in any pieces, gives frames; hunts for the preamble through noise.
#[derive(Default)]
pub struct FrameReader {
    buffer: Vec<u8>,
}

impl FrameReader {
    /// Adds what came.
    pub fn push(&mut self, bytes: &[u8]) {
        let mut joined = Vec::with_capacity(self.buffer.len().saturating_add(bytes.len()));
        joined.extend_from_slice(&self.buffer);
        joined.extend_from_slice(bytes);
        self.buffer.zeroize();
        self.buffer = joined;
        self.hunt();
    }

    /// Bytes missing to the end of the frame, once its head is here.
    pub fn missing(&self) -> Option<usize> {
        let len = self.len_field()?;
        Some(
            HEAD_LEN
                .saturating_add(len)
                .saturating_sub(self.buffer.len()),
        )
    }

    /// The next frame, or what was wrong with it; `None` until it is whole.
    pub fn next_frame(&mut self) -> Option<Result<Answer, FrameError>> {
        let len = self.len_field()?;
        if !(LEN_MIN..=LEN_MAX).contains(&len) {
            self.discard(PREAMBLE.len());
            return Some(Err(FrameError::Length(len)));
        }
        let total = HEAD_LEN.saturating_add(len);
        let frame = self.buffer.get(..total)?;
        let answer = answer(frame);
        self.discard(total);
        Some(answer.ok_or(FrameError::Checksum))
    }

    fn len_field(&self) -> Option<usize> {
        let head = self.buffer.first_chunk::<HEAD_LEN>()?;
        let [.., high, low] = *head;
        Some(usize::from(u16::from_be_bytes([high, low])))
    }

    fn discard(&mut self, count: usize) {
        let rest = self.buffer.get(count..).unwrap_or_default().to_vec();
        self.buffer.zeroize();
        self.buffer = rest;
        self.hunt();
    }

    /// Drops everything before the first preamble, or before what may be its start.
    fn hunt(&mut self) {
        let starts = |at: &usize| {
            let rest = self.buffer.get(*at..).unwrap_or_default();
            let seen = rest.len().min(PREAMBLE.len());
            rest.get(..seen) == PREAMBLE.get(..seen)
        };
        let at = (0..self.buffer.len())
            .find(starts)
            .unwrap_or(self.buffer.len());
        if at > 0 {
            let rest = self.buffer.get(at..).unwrap_or_default().to_vec();
            self.buffer.zeroize();
            self.buffer = rest;
        }
    }
}

impl Drop for FrameReader {
    fn drop(&mut self) {
        self.buffer.zeroize();
    }
}

fn answer(frame: &[u8]) -> Option<Answer> {
    let counted = frame.get(PREAMBLE.len()..)?;
    // XOR over everything with its own checksum is zero.
    if xor(counted) != 0 {
        return None;
    }
    let (_, behind) = frame.split_at_checked(HEAD_LEN)?;
    let ([_, _, status], data) = behind.split_first_chunk::<3>()?;
    let (_, data) = data.split_last()?;
    Some(Answer {
        status: *status,
        data: Secret::new(data.to_vec()),
        digest: Digest::of(frame),
    })
}

fn xor(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum ^ byte)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        counterfoil_data::wire::unhex(&text.replace(' ', "").to_lowercase()).expect("hex")
    }

    fn only(bytes: &[u8]) -> Option<Result<(u8, Vec<u8>), FrameError>> {
        let mut reader = FrameReader::default();
        reader.push(bytes);
        let got = reader.next_frame()?;
        Some(got.map(|a| (a.status, a.data.expose().clone())))
    }

    #[test]
    fn requests_are_the_published_bytes() {
        for (command, data, published) in [
            ([0x10, 0xff], &[][..], "AAAAAA9669 0003 10FF EC"),
            ([0x11, 0xff], &[], "AAAAAA9669 0003 11FF ED"),
            ([0x12, 0xff], &[], "AAAAAA9669 0003 12FF EE"),
            ([0x20, 0x01], &[], "AAAAAA9669 0003 2001 22"),
            ([0x20, 0x02], &[], "AAAAAA9669 0003 2002 21"),
            ([0x30, 0x01], &[], "AAAAAA9669 0003 3001 32"),
            ([0x30, 0x10], &[], "AAAAAA9669 0003 3010 23"),
            ([0x30, 0x03], &[], "AAAAAA9669 0003 3003 30"),
            ([0x30, 0x05], &[], "AAAAAA9669 0003 3005 36"),
            ([0x61, 0xff], &[0x50], "AAAAAA9669 0004 61FF50 CA"),
        ] {
            assert_eq!(request(command, data), hex(published));
        }
    }

    #[test]
    fn published_short_answers_are_understood() {
        for (published, status, data) in [
            ("AAAAAA9669 0008 00009F 00000000 97", 0x9f, vec![0; 4]),
            ("AAAAAA9669 0004 000080 84", 0x80, vec![]),
            (
                "AAAAAA9669 000C 000090 0000000000000000 9C",
                0x90,
                vec![0; 8],
            ),
            ("AAAAAA9669 0004 000041 45", 0x41, vec![]),
            ("AAAAAA9669 0004 000081 85", 0x81, vec![]),
            ("AAAAAA9669 0004 000031 35", 0x31, vec![]),
            ("AAAAAA9669 0004 000021 25", 0x21, vec![]),
            ("AAAAAA9669 0004 000010 14", 0x10, vec![]),
            ("AAAAAA9669 0004 000091 95", 0x91, vec![]),
            ("AAAAAA9669 0004 000090 94", 0x90, vec![]),
        ] {
            assert_eq!(
                only(&hex(published)),
                Some(Ok((status, data))),
                "{published}"
            );
        }
    }

    #[test]
    fn a_bridges_own_timeout_marker_is_no_answer() {
        // Length 5 promises one byte more than ever comes.
        assert_eq!(only(&hex("AAAAAA9669 0005 05050505")), None);
        // Were the byte to come, its checksum would match: the driver then refuses
        // status 05 as one no security module gives.
        let whole = only(&hex("AAAAAA9669 0005 0505050505"));
        assert_eq!(whole, Some(Ok((5, vec![5]))));
    }

    #[test]
    fn a_frame_is_found_behind_noise_and_extra_aa_and_after_an_impossible_length() {
        let good = hex("AAAAAA9669 0004 000090 94");
        let noisy = [hex("00AA96 AAAA"), good.clone()].concat();
        assert_eq!(only(&noisy), Some(Ok((0x90, vec![]))));
        let mut reader = FrameReader::default();
        reader.push(&hex("AAAAAA9669 FFFF"));
        reader.push(&good);
        assert!(matches!(
            reader.next_frame(),
            Some(Err(FrameError::Length(0xffff)))
        ));
        assert!(matches!(reader.next_frame(), Some(Ok(a)) if a.status == 0x90));
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_pieces_end_without_panic(
            pieces in proptest::collection::vec(proptest::collection::vec(
                prop_oneof![Just(0xaa), Just(0x96), Just(0x69), Just(0x00), any::<u8>()], 0..60), 0..20)
        ) {
            let mut reader = FrameReader::default();
            for piece in pieces {
                reader.push(&piece);
                for _ in 0..20 {
                    if reader.next_frame().is_none() {
                        break;
                    }
                }
            }
        }

        #[test]
        fn one_flipped_bit_behind_the_length_never_passes(byte in 7usize..15, bit in 0u8..8) {
            let mut frame = hex("AAAAAA9669 0008 00009F 00000000 97");
            frame[byte] ^= 1 << bit;
            prop_assert_eq!(only(&frame), Some(Err(FrameError::Checksum)));
        }
    }
}
