//! What the fuzz targets share: bytes to choices, texts and chunks, and the round
//! trips that several of them hold their type to.
//!
//! Each target is a program of its own in `src/bin`; `README.md` lists what each
//! holds to. Called by nothing else; no part of Counterfoil depends on it.

pub mod cable;

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Choices taken off the front of the input; zeros when it is used up.
#[derive(Debug, Clone, Copy)]
pub struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    /// `N` bytes, filled up with zeros.
    pub fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        let (head, rest) = self.0.split_at(N.min(self.0.len()));
        out[..head.len()].copy_from_slice(head);
        self.0 = rest;
        out
    }

    /// One byte.
    pub fn byte(&mut self) -> u8 {
        self.array::<1>()[0]
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: u64) -> u64 {
        u64::from_le_bytes(self.array()) % end
    }

    /// At most 255 bytes, their count first.
    pub fn some(&mut self) -> &'a [u8] {
        let count = usize::from(self.byte()).min(self.0.len());
        let (head, rest) = self.0.split_at(count);
        self.0 = rest;
        head
    }

    /// At most 255 bytes of text; what is not UTF-8 is replaced.
    pub fn words(&mut self) -> String {
        String::from_utf8_lossy(self.some()).into_owned()
    }

    /// What is left, in pieces of 1 to 16 bytes (or whole), so that a reader of a stream
    /// can be asked whether it matters where the stream was cut.
    pub fn pieces(&mut self) -> Vec<&'a [u8]> {
        let size = usize::from(self.byte() % 17);
        if size == 0 {
            return vec![self.0];
        }
        self.0.chunks(size).collect()
    }
}

/// The input as text, where it is.
pub fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}

/// JSON that is read as `T` is written in one form that reads back as the same.
/// Returns what was read.
pub fn json<T: Serialize + DeserializeOwned>(text: &str) -> Option<T> {
    let read: T = serde_json::from_str(text).ok()?;
    let written = serde_json::to_string(&read).expect("what was read can be written");
    let again: T = serde_json::from_str(&written).expect("what was written can be read");
    let twice = serde_json::to_string(&again).expect("what was read can be written");
    assert_eq!(written, twice, "one form");
    Some(again)
}

/// The same for a type that can be compared.
pub fn json_eq<T: Serialize + DeserializeOwned + PartialEq + Debug>(text: &str) -> Option<T> {
    let again: T = json(text)?;
    let first: T = serde_json::from_str(text).expect("read before");
    assert_eq!(first, again, "the same");
    Some(again)
}
