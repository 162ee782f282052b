//! The picture of a U.are.U reader, sans I/O: what one transfer holds, unscrambled.
//!
//! ```text
//!  header 64: ? 4 | lines u16 LE | key number | ? 9 | 15 x (flags, lines) | …
//!  lines x 384 bytes, light ridges on dark
//! ```
//! Rows come in blocks. A block's flags say whether its rows were sent at all (01),
//! are encrypted (02), leave the key as it is (04) or want another key first (80). The
//! key is a shift register of 32 bits that moves once a byte, also over rows that are
//! plain or were not sent. Refuses pictures whose blocks and bytes do not agree. Called
//! by [`super::Uru4000`].

use counterfoil_data::secret::Secret;
use zeroize::Zeroizing;

use crate::driver::finger::FingerImage;

/// Pixels a row.
const WIDTH: usize = 384;
/// Rows of a whole picture.
const HEIGHT_MAX: usize = 290;
/// Fewest rows worth looking at.
const HEIGHT_MIN: usize = 64;
const HEADER: usize = 64;
/// Bytes asked for: the header and a whole picture.
pub const TRANSFER: usize = HEADER + WIDTH * HEIGHT_MAX;
/// Resolution of the sensor.
const DPI: u16 = 512;

const LINES_AT: usize = 4;
const KEY_AT: usize = 6;
const BLOCKS_AT: usize = 16;
const BLOCKS_MAX: usize = 15;

const NOT_SENT: u8 = 0x01;
const ENCRYPTED: u8 = 0x02;
const KEEP_KEY: u8 = 0x04;
const NEXT_KEY: u8 = 0x80;

/// From this mean squared difference on, two neighbouring rows are noise and not skin:
/// noise gives about 10,900, a print a few hundred.
const NOISE: u64 = 5_000;

/// Feedback of the shift register.
const TAPS: u32 = 0x9248_144D;
/// Which of its bits make the byte that is mixed in, the lowest first.
const TAKEN: [u32; 8] = [4, 8, 11, 14, 18, 21, 24, 29];

/// How the picture lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// As it is sent.
    Upright,
    /// By 180 degrees.
    Around,
}

/// What is no picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ImageFault {
    /// Fewer bytes than its header promises, or no header.
    #[error("an image of {got} bytes is cut short of {expected}")]
    Short {
        /// Bytes that the header calls for.
        expected: usize,
        /// Bytes that came.
        got: usize,
    },
    /// The blocks are not as many rows as were sent, or too many or too few.
    #[error("an image of {lines} rows whose blocks hold {blocks} and show {rows}")]
    Blocks {
        /// Rows that the header says were sent.
        lines: usize,
        /// Rows sent by its blocks.
        blocks: usize,
        /// Rows of the picture.
        rows: usize,
    },
}

/// Rows that are treated alike.
#[derive(Debug, Clone, Copy)]
struct Block {
    flags: u8,
    rows: usize,
}

/// What a decoder needs to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// The reader's answer for this key number, see [`Decoder::key`].
    Key {
        /// Its number.
        number: u8,
    },
    /// Nothing: the picture is whole.
    Nothing,
}

/// Unscrambles one transfer.
pub struct Decoder<'a> {
    /// Rows that were sent and not looked at yet.
    rest: &'a [u8],
    blocks: Vec<Block>,
    at: usize,
    number: u8,
    scrambled: bool,
    key: Option<u32>,
    /// Rows without a picture that wait for the row after them.
    owed: usize,
    pixels: Zeroizing<Vec<u8>>,
}

impl<'a> Decoder<'a> {
    /// Looks at the header.
    pub fn new(transfer: &'a [u8]) -> Result<Self, ImageFault> {
        let short = |expected| ImageFault::Short {
            expected,
            got: transfer.len(),
        };
        let head = transfer.split_first_chunk::<HEADER>();
        let (header, sent) = head.ok_or_else(|| short(HEADER))?;
        let word = |at: usize| header.get(at..)?.first_chunk::<2>().copied();
        let lines = word(LINES_AT).map_or(0, u16::from_le_bytes);
        let lines = usize::from(lines);
        let blocks = blocks(header);
        let rows_of = |sent_only: bool| {
            let ours = blocks.iter();
            let ours = ours.filter(|b| !sent_only || b.flags & NOT_SENT == 0);
            ours.fold(0_usize, |sum, block| sum.saturating_add(block.rows))
        };
        let (present, rows) = (rows_of(true), rows_of(false));
        if present != lines || lines < 2 || !(HEIGHT_MIN..=HEIGHT_MAX).contains(&rows) {
            return Err(ImageFault::Blocks {
                lines,
                blocks: present,
                rows,
            });
        }
        let bytes = lines.saturating_mul(WIDTH);
        let expected = HEADER.saturating_add(bytes);
        let rest = sent.get(..bytes).ok_or_else(|| short(expected))?;
        Ok(Self {
            scrambled: is_noise(rest),
            rest,
            blocks,
            at: 0,
            number: header.get(KEY_AT).copied().unwrap_or(0),
            key: None,
            owed: 0,
            // Allocated once: growing would leave pieces of the print behind.
            pixels: Zeroizing::new(Vec::with_capacity(WIDTH.saturating_mul(HEIGHT_MAX))),
        })
    }

    /// The reader's answer to a seed: together they are the key.
    pub fn key(&mut self, seed: [u8; 4], answer: [u8; 4]) {
        self.key = Some(u32::from_le_bytes(answer) ^ u32::from_le_bytes(seed));
    }

    /// Unscrambles until a key is missing or everything is done.
    pub fn go_on(&mut self) -> Needs {
        while let Some(block) = self.blocks.get_mut(self.at) {
            if self.scrambled {
                if block.flags & NEXT_KEY != 0 {
                    block.flags &= !NEXT_KEY;
                    self.number = self.number.wrapping_add(1);
                    self.key = None;
                }
                if self.key.is_none() {
                    return Needs::Key {
                        number: self.number,
                    };
                }
            }
            let block = *block;
            self.at = self.at.saturating_add(1);
            self.take(block);
        }
        Needs::Nothing
    }

    fn take(&mut self, block: Block) {
        let bytes = block.rows.saturating_mul(WIDTH);
        if block.flags & NOT_SENT != 0 {
            self.owed = self.owed.saturating_add(block.rows);
            self.skip(block.flags, bytes);
            return;
        }
        let (sent, rest) = self
            .rest
            .split_at_checked(bytes)
            .unwrap_or((self.rest, &[]));
        self.rest = rest;
        let first = self.pixels.len();
        let owed = std::mem::take(&mut self.owed).saturating_mul(WIDTH);
        let begin = first.saturating_add(owed);
        self.pixels.resize(begin, 0);
        match self.key.filter(|_| block.flags & ENCRYPTED != 0) {
            Some(mut key) => {
                // Each byte was mixed into the next one; the last has none.
                let next = sent.iter().skip(1);
                for byte in next {
                    self.pixels.push(byte ^ mask(key));
                    key = advance(key);
                }
                self.pixels.push(0);
                self.key = Some(advance(key));
            }
            None => {
                self.pixels.extend_from_slice(sent);
                self.skip(block.flags, bytes);
            }
        }
        // A row that was not sent looks like the one after it.
        let end = begin.saturating_add(WIDTH).min(self.pixels.len());
        for row in 0..owed / WIDTH {
            let to = first.saturating_add(row.saturating_mul(WIDTH));
            self.pixels.copy_within(begin..end, to);
        }
    }

    /// The key moves over bytes that are not encrypted, unless told not to.
    fn skip(&mut self, flags: u8, bytes: usize) {
        if flags & KEEP_KEY == 0 {
            self.key = self.key.map(|key| (0..bytes).fold(key, |k, _| advance(k)));
        }
    }

    /// The picture: ridges dark, the finger's tip up.
    pub fn finish(mut self, turn: Turn) -> FingerImage {
        // Nothing came after these rows.
        let owed = std::mem::take(&mut self.owed).saturating_mul(WIDTH);
        let rows = self.pixels.len().saturating_add(owed) / WIDTH;
        self.pixels.resize(rows.saturating_mul(WIDTH), 0);
        for pixel in self.pixels.iter_mut() {
            *pixel = !*pixel;
        }
        if turn == Turn::Around {
            self.pixels.reverse();
        }
        FingerImage {
            width: u16::try_from(WIDTH).unwrap_or(u16::MAX),
            height: u16::try_from(rows).unwrap_or(u16::MAX),
            dpi: DPI,
            pixels: Secret::new(std::mem::take(&mut *self.pixels)),
        }
    }
}

/// The blocks, up to the first without rows.
fn blocks(header: &[u8; HEADER]) -> Vec<Block> {
    let pairs = header.get(BLOCKS_AT..).unwrap_or_default().chunks_exact(2);
    let block = |pair: &[u8]| match *pair {
        [flags, rows] if rows > 0 => Some(Block {
            flags,
            rows: usize::from(rows),
        }),
        _ => None,
    };
    pairs.take(BLOCKS_MAX).map_while(block).collect()
}

/// Whether the first two rows have nothing in common.
fn is_noise(rows: &[u8]) -> bool {
    let (first, second) = rows.split_at_checked(WIDTH).unwrap_or_default();
    let pairs = first.iter().zip(second);
    let squares = pairs.map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2));
    let width = u64::try_from(WIDTH).unwrap_or(u64::MAX);
    squares.sum::<u64>() >= NOISE.saturating_mul(width)
}

fn advance(key: u32) -> u32 {
    let new = (key & TAPS).count_ones() & 1;
    (key >> 1) | (new << 31)
}

fn mask(key: u32) -> u8 {
    let bits = TAKEN.iter().rev();
    bits.fold(0, |byte, bit| (byte << 1) | u8::from((key >> bit) & 1 == 1))
}

#[cfg(test)]
mod tests;
