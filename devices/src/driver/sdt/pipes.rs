//! How frames travel: the two USB layouts met under one vendor and product id.
//!
//! Split: the frame's head on one pair of pipes (02, 81), its body on another
//! (06, 85), as the module's own document has it. Single: whole frames on one
//! pair. The descriptors propose, the status exchange decides.

use std::fmt::Write as _;
use std::time::Duration;

use counterfoil_data::seam::SharedClock;
use zeroize::Zeroize as _;

use super::frame::{Answer, FrameReader, HEAD_LEN, request};
use super::{COMMAND_MAX, HELLO_WITHIN, OK, STATUS, SdtError, Step, UsbError};
use crate::driver::{send, unhalt};
use crate::transport::{DeviceInfo, EndpointInfo, Transport};

/// How long a drain waits for stale bytes; zero would mean for ever in libusb.
const DRAIN_WITHIN: Duration = Duration::from_millis(1);
/// Stale transfers drained at most before a request.
const DRAIN_MAX: usize = 64;
/// Transfers one answer may come in.
const PIECES_MAX: usize = 128;
const VENDOR_CLASS: u8 = 0xff;

/// One layout, by endpoint addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pipes {
    Split,
    Single { out: u8, into: u8, packet: u16 },
}

impl Pipes {
    fn all(&self) -> Vec<u8> {
        match *self {
            Self::Split => vec![HEAD_OUT, BODY_OUT, HEAD_IN, BODY_IN],
            Self::Single { out, into, .. } => vec![out, into],
        }
    }
}

const HEAD_OUT: u8 = 0x02;
const BODY_OUT: u8 = 0x06;
const HEAD_IN: u8 = 0x81;
const BODY_IN: u8 = 0x85;

/// The layouts worth trying, likeliest first. Bulk or interrupt endpoints: both
/// are used in the field.
pub(super) fn candidates(info: &DeviceInfo) -> Vec<Pipes> {
    let mut interfaces: Vec<_> = info
        .interfaces
        .iter()
        .filter(|i| i.alternate == 0)
        .collect();
    interfaces.sort_by_key(|i| i.class != VENDOR_CLASS);
    let Some(interface) = interfaces.first() else {
        return Vec::new();
    };
    let usable = |e: &&EndpointInfo| matches!(e.kind, 2 | 3);
    let has = |address| {
        interface
            .endpoints
            .iter()
            .filter(usable)
            .any(|e| e.address == address)
    };
    let first = |into: bool| {
        let mut all = interface
            .endpoints
            .iter()
            .filter(usable)
            .filter(|e| e.is_in() == into);
        all.next()
    };
    let single = first(false)
        .zip(first(true))
        .map(|(out, into)| Pipes::Single {
            out: out.address,
            into: into.address,
            packet: into.max_packet.max(1),
        });
    let split = [HEAD_OUT, BODY_OUT, HEAD_IN, BODY_IN]
        .into_iter()
        .all(has)
        .then_some(Pipes::Split);
    split.into_iter().chain(single).collect()
}

/// The device with its pipes chosen.
pub(super) struct Wire<T: Transport> {
    usb: T,
    clock: SharedClock,
    pipes: Option<Pipes>,
}

impl<T: Transport> Wire<T> {
    pub(super) fn new(usb: T, clock: SharedClock) -> Self {
        Self {
            usb,
            clock,
            pipes: None,
        }
    }

    pub(super) fn use_pipes(&mut self, pipes: Pipes) {
        self.pipes = Some(pipes);
    }

    pub(super) fn has_pipes(&self) -> bool {
        self.pipes.is_some()
    }

    /// The endpoints as text, for an engineer who meets a third layout.
    pub(super) fn endpoints(&self) -> String {
        let info = self.usb.info();
        let mut text = format!("{:04x}:{:04x}", info.vendor, info.product);
        for interface in &info.interfaces {
            // Writing to a String cannot fail.
            let _ = write!(
                text,
                " if{} class {:02x}:",
                interface.number, interface.class
            );
            for endpoint in &interface.endpoints {
                let _ = write!(text, " {:02x}/{}", endpoint.address, endpoint.kind);
            }
        }
        text
    }

    /// One exchange. After a STALL the pipes are cleared, the module is asked
    /// whether it is well, and the request is sent once more.
    pub(super) async fn exchange(
        &self,
        step: Step,
        command: [u8; 2],
        data: &[u8],
        within: Duration,
    ) -> Result<Answer, SdtError> {
        let source = match self.once(step, command, data, within).await {
            Err(SdtError::Usb { source, .. }) if source == UsbError::Stall => source,
            other => return other,
        };
        for endpoint in self.pipes.iter().flat_map(Pipes::all) {
            let cleared = unhalt(&self.usb, endpoint).await;
            cleared.map_err(|source| SdtError::Usb { step, source })?;
        }
        if command != STATUS {
            let well = self.once(Step::Hello, STATUS, &[], HELLO_WITHIN).await?;
            if well.status != OK {
                return Err(SdtError::Usb { step, source });
            }
        }
        self.once(step, command, data, within).await
    }

    /// Drains what is stale, sends one request and waits for one whole answer.
    async fn once(
        &self,
        step: Step,
        command: [u8; 2],
        data: &[u8],
        within: Duration,
    ) -> Result<Answer, SdtError> {
        let deadline = self
            .clock
            .monotonic()
            .saturating_add(within.min(COMMAND_MAX));
        let usb = |source| match source {
            UsbError::Timeout => SdtError::Silent { step },
            source => SdtError::Usb { step, source },
        };
        let Some(pipes) = self.pipes else {
            return Err(SdtError::Silent { step });
        };
        self.drain(pipes).await.map_err(usb)?;
        let frame = request(command, data);
        match (pipes, frame.split_at_checked(HEAD_LEN)) {
            (Pipes::Split, Some((head, body))) => {
                self.send(HEAD_OUT, head, deadline).await.map_err(usb)?;
                self.send(BODY_OUT, body, deadline).await.map_err(usb)?;
            }
            (Pipes::Single { out, .. }, _) => {
                self.send(out, &frame, deadline).await.map_err(usb)?
            }
            (Pipes::Split, None) => return Err(SdtError::Garbled { step }),
        }
        let mut reader = FrameReader::default();
        for _ in 0..PIECES_MAX {
            match reader.next_frame() {
                Some(Ok(answer)) => return Ok(answer),
                Some(Err(_)) => return Err(SdtError::Garbled { step }),
                None => {}
            }
            let (endpoint, max) = next_read(pipes, reader.missing());
            let left = deadline.saturating_sub(self.clock.monotonic());
            let mut got = self.usb.read(endpoint, max, left).await.map_err(usb)?;
            reader.push(&got.bytes);
            got.bytes.zeroize();
        }
        Err(SdtError::Garbled { step })
    }

    async fn send(&self, endpoint: u8, bytes: &[u8], deadline: Duration) -> Result<(), UsbError> {
        send(&self.usb, &self.clock, endpoint, bytes, deadline).await
    }

    async fn drain(&self, pipes: Pipes) -> Result<(), UsbError> {
        let endpoints: &[u8] = match &pipes {
            Pipes::Split => &[HEAD_IN, BODY_IN],
            Pipes::Single { into, .. } => &[*into],
        };
        for &endpoint in endpoints {
            for _ in 0..DRAIN_MAX {
                let (_, max) = next_read(pipes, None);
                match self.usb.read(endpoint, max, DRAIN_WITHIN).await {
                    Ok(_) => {}
                    Err(UsbError::Timeout) => break,
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }
}

/// Where the next bytes come from, and a buffer of whole packets for them.
fn next_read(pipes: Pipes, missing: Option<usize>) -> (u8, usize) {
    let (head, body, packet) = match pipes {
        Pipes::Split => (HEAD_IN, BODY_IN, 64),
        Pipes::Single { into, packet, .. } => (into, into, usize::from(packet)),
    };
    match missing {
        None => (head, packet),
        Some(bytes) => (body, bytes.max(1).div_ceil(packet).saturating_mul(packet)),
    }
}
