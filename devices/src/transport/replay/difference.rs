//! Where a driver departs from a recording, for the person who must find out why.

use std::fmt::{self, Write as _};

use super::recording::Act;

/// Bytes shown of either side.
const SHOWN: usize = 16;

/// The first thing that was not as recorded. Numbers are those of the file's packets, as
/// Wireshark counts them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Difference {
    /// Another request, or another endpoint.
    #[error("transfer {frame}: the recording has {expected}, the driver sent {sent}")]
    Other {
        /// Of the submission.
        frame: u32,
        /// What was recorded.
        expected: String,
        /// What was sent instead.
        sent: String,
    },
    /// The same request with other bytes.
    #[error(
        "transfer {frame}: byte {at} of {to} differs: the recording has {expected}, \
         the driver sent {sent}"
    )]
    Byte {
        /// Of the submission.
        frame: u32,
        /// The first byte that differs, from 0.
        at: usize,
        /// Where it went.
        to: String,
        /// From that byte on.
        expected: String,
        /// From that byte on.
        sent: String,
    },
    /// More than was recorded.
    #[error("the recording is over, and the driver sent {sent}")]
    End {
        /// What it sent.
        sent: String,
    },
    /// Cut off by the program that recorded.
    #[error(
        "transfer {frame} is in the recording only in part, {held} of {length} bytes: \
         record with a larger snap length"
    )]
    InPart {
        /// Of the packet.
        frame: u32,
        /// Bytes in the file.
        held: usize,
        /// Bytes that moved.
        length: usize,
    },
}

impl Difference {
    pub(super) fn end(sent: &Sent<'_>) -> Self {
        Self::End {
            sent: sent.to_string(),
        }
    }

    pub(super) fn in_part(frame: u32, held: usize, length: usize) -> Self {
        Self::InPart {
            frame,
            held,
            length,
        }
    }
}

/// What a driver does to the device.
pub(super) struct Sent<'a> {
    setup: Option<[u8; 8]>,
    endpoint: u8,
    bytes: &'a [u8],
}

impl<'a> Sent<'a> {
    pub(super) fn control(setup: [u8; 8], bytes: &'a [u8]) -> Self {
        let [request_type, ..] = setup;
        Self {
            setup: Some(setup),
            endpoint: request_type & 0x80,
            bytes,
        }
    }

    pub(super) fn out(endpoint: u8, bytes: &'a [u8]) -> Self {
        Self {
            setup: None,
            endpoint,
            bytes,
        }
    }

    /// Whether this is the recorded act, as far as it was sent.
    pub(super) fn is(&self, act: &Act) -> bool {
        self.compare(act, 0).is_ok()
    }

    /// Compares with what is left of `act` from `offset`; how many bytes it covers.
    pub(super) fn compare(&self, act: &Act, offset: usize) -> Result<usize, Difference> {
        let frame = act.frame;
        let expected = act.out.get(offset..).unwrap_or_default();
        if self.setup != act.setup || self.endpoint != act.endpoint {
            return Err(Difference::Other {
                frame,
                expected: Sent {
                    setup: act.setup,
                    endpoint: act.endpoint,
                    bytes: expected,
                }
                .to_string(),
                sent: self.to_string(),
            });
        }
        let left = act.length.saturating_sub(offset);
        let covers = left.min(self.bytes.len());
        // A request's data stage has one length; only a pipe's bytes may be cut anew.
        let is_whole = act.setup.is_none() || self.bytes.len() == act.length;
        let ended = covers == 0 && left != self.bytes.len() && act.setup.is_none();
        let pairs = expected.iter().zip(self.bytes.iter().take(covers));
        let at = pairs.take_while(|(a, b)| a == b).count();
        if at < covers.min(expected.len()) || !is_whole || ended {
            let to = Sent {
                bytes: &[],
                ..*self
            };
            return Err(Difference::Byte {
                frame,
                at: offset.saturating_add(at),
                to: to.to_string(),
                expected: shown(expected.get(at..).unwrap_or_default()),
                sent: shown(self.bytes.get(at..).unwrap_or_default()),
            });
        }
        Ok(covers)
    }
}

impl fmt::Display for Sent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.setup {
            Some(setup) => write!(f, "request {}", shown(&setup))?,
            None => write!(f, "OUT {:02x}", self.endpoint)?,
        }
        match self.bytes {
            [] => Ok(()),
            bytes => write!(f, ": {}", shown(bytes)),
        }
    }
}

/// The first bytes in hex, and how many there are.
fn shown(bytes: &[u8]) -> String {
    let mut text = String::new();
    for (at, byte) in bytes.iter().take(SHOWN).enumerate() {
        let space = if at > 0 { " " } else { "" };
        // A String takes every byte.
        let _ = write!(text, "{space}{byte:02x}");
    }
    match bytes.len() {
        0 => "nothing".to_owned(),
        len if len > SHOWN => format!("{text} … ({len} bytes)"),
        _ => text,
    }
}
