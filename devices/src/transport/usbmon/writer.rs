//! Writes a pcap file of link type 220, little-endian.
//!
//! Owns the size of the file: beyond its limit nothing is written, and the end says how
//! many events are missing. A fault of the disk is kept for the end as well: the device
//! is more important than its recording.

use std::io::{self, Write};

use super::{Event, LINK_MMAPPED};

/// The file that is being written.
pub struct Writer {
    to: Box<dyn Write>,
    left: u64,
    written: u64,
    missing: u64,
    fault: Option<io::Error>,
}

/// How a recording ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Events in the file.
    pub events: u64,
    /// Events for which there was no room.
    pub missing: u64,
}

impl Writer {
    /// Begins a file of at most `max` bytes.
    pub fn begin(mut to: Box<dyn Write>, max: u64) -> io::Result<Self> {
        let mut head = 0xA1B2_C3D4_u32.to_le_bytes().to_vec();
        head.extend_from_slice(&2_u16.to_le_bytes());
        head.extend_from_slice(&4_u16.to_le_bytes());
        head.extend_from_slice(&[0; 8]);
        head.extend_from_slice(&(256 * 1024 + 64_u32).to_le_bytes());
        head.extend_from_slice(&LINK_MMAPPED.to_le_bytes());
        to.write_all(&head)?;
        Ok(Self {
            to,
            left: max.saturating_sub(24),
            written: 0,
            missing: 0,
            fault: None,
        })
    }

    /// Adds one event, if there is room.
    pub fn add(&mut self, event: &Event) {
        let packet = event.encode();
        let length = u32::try_from(packet.len()).unwrap_or(u32::MAX);
        let need = u64::from(length).saturating_add(16);
        if need > self.left || self.missing > 0 || self.fault.is_some() {
            self.missing = self.missing.saturating_add(1);
            return;
        }
        let seconds = u32::try_from(event.at.as_secs()).unwrap_or(u32::MAX);
        let mut record = Vec::with_capacity(packet.len().saturating_add(16));
        for field in [seconds, event.at.subsec_micros(), length, length] {
            record.extend_from_slice(&field.to_le_bytes());
        }
        record.extend_from_slice(&packet);
        match self.to.write_all(&record) {
            Ok(()) => {
                self.left = self.left.saturating_sub(need);
                self.written = self.written.saturating_add(1);
            }
            Err(error) => self.fault = Some(error),
        }
    }

    /// Ends the file.
    pub fn end(&mut self) -> io::Result<Written> {
        match self.fault.take() {
            Some(error) => return Err(error),
            None => self.to.flush()?,
        }
        Ok(Written {
            events: self.written,
            missing: self.missing,
        })
    }
}
