//! Device twins: the device side of every driver, at the USB transfer level.
//!
//! A twin is a synchronous state machine that is told the time; the hosts give
//! it virtual time in process ([`crate::transport::twin_bus`]) or real time over
//! USB/IP ([`crate::transport::usbip`]). It NAKs, STALLs, short-reads, sends
//! zero-length packets and disappears. It speaks the same bytes as the hardware
//! (written from the references, never from our driver's encoder) and counts
//! what it saw. The *desk* is its physical side: cards, fingers, paper.

pub mod branch;
pub mod card_reader;
pub mod escp2_printer;
pub mod finger_module;
pub mod fingers;
pub mod form_printer;
pub mod id_reader;
pub mod keyboard;
pub mod pin_pad;
pub mod pr2_printer;
pub mod printer_class;
pub mod receipt_printer;
pub mod serial_bridge;
mod slip;
pub mod slip_station;
pub mod uru4000;

use std::time::Duration;

use crate::transport::{DeviceInfo, Setup};

/// Answer to an OUT transfer or a control request without data to return.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutReply {
    /// So many bytes were taken (all, unless the buffer filled up).
    Took(usize),
    /// Not now: the host keeps trying until its deadline.
    Nak,
    /// Protocol stall.
    Stall,
}

/// Answer to an IN token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InReply {
    /// One transfer's bytes, at most the maximum asked for; empty is a ZLP.
    Data(Vec<u8>),
    /// Nothing yet.
    Nak,
    /// Protocol stall.
    Stall,
}

/// Answer to a control request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ControlReply {
    /// Done; the bytes of an IN data stage, or nothing.
    Data(Vec<u8>),
    /// Not now.
    Nak,
    /// Not supported.
    Stall,
}

/// What the desk refused: an unknown verb, or one that makes no sense now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DeskError(pub String);

/// The device side.
pub trait Twin {
    /// Its descriptors; `path` is the twin's name on the desk (`id-reader`).
    fn info(&self) -> DeviceInfo;
    /// A class or vendor control request (standard ones are the host's). `out`
    /// is the OUT data stage; `len` the most an IN stage may return.
    fn control(&mut self, now: Duration, setup: Setup, out: &[u8], len: u16) -> ControlReply;
    /// An OUT transfer.
    fn out(&mut self, now: Duration, endpoint: u8, bytes: &[u8]) -> OutReply;
    /// An IN token for at most `max` bytes.
    fn poll_in(&mut self, now: Duration, endpoint: u8, max: usize) -> InReply;
    /// When the twin's state next changes by itself, if ever (monotonic time).
    fn wakes_at(&self) -> Option<Duration>;
    /// The host let go of the device, or the kiosk lost power: transfers in
    /// flight are gone, mechanics and paper stay as they are.
    fn host_gone(&mut self, now: Duration);
    /// A physical act: one line of the desk vocabulary without the twin's name
    /// (`present zhang`, `take`, `jam after 7`). Answers what happened, for the log.
    fn desk(&mut self, now: Duration, line: &str) -> Result<String, DeskError>;
    /// Lines for the desk screen: what lies where, one fact a line.
    fn look(&self) -> Vec<String>;
    /// What it saw and did, by stable name (`feeds`, `reads`, `pin-entries`), for tests.
    fn counters(&self) -> Vec<(&'static str, u64)>;
}
