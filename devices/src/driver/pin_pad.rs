//! PIN pad (密码键盘): gives counts and an opaque block, never digits (S3, I7).
//!
//! Owns one PIN entry at a time. The PIN is sealed inside the pad to the
//! backend's key and bound to the sale and its challenge; this host cannot open
//! it and never holds a digit. Refuses blocks of an earlier entry. Called by the
//! kiosk's device host.
//!
//! **The framing is ours.** Encrypting PIN pads have no public protocol: vendors
//! give theirs under contract together with the keys. [`PinPad`] is the seam;
//! [`UsbPinPad`] speaks the small framing below, which only our twin answers. A
//! real pad gets its own file and implements the trait.
//!
//! ```text
//! bulk OUT 01, bulk IN 82:  50 01 | kind | len(2, big-endian) | payload
//!   01 hello  {}                                      81 {version}
//!   02 begin  {entry(2) digits sale(16) challenge(16) key(32)}   82 {}
//!   03 abort  {entry(2)}                              83 {}
//!   04 collect{entry(2)}                              84 {entry(2) sealed block}
//!                                                     7f {code}: refused
//! interrupt IN 83: 45 | event | entry(2) | count      1 digits, 2 done, 3 cancelled
//! ```

use std::collections::VecDeque;
use std::time::Duration;

use counterfoil_data::sealed::{Binding, SealKey, Sealed, SecretText};
use counterfoil_data::seam::SharedClock;
use counterfoil_data::wire::problem::Remedy;

use super::{drain, send, unhalt};
use crate::transport::{DeviceInfo, Transport, UsbError};

/// Most digits a PIN may have (ISO 9564).
pub const DIGITS_MAX: u8 = 12;
/// Longest payload of a frame in bytes.
pub const PAYLOAD_MAX: usize = 512;
/// Longest wait for the pad's answer to a command.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// Transfers one answer may come in, with empty ones and late answers before it.
const PIECES_MAX: usize = 64;
/// Stale events of an earlier entry skipped at most.
const STALE_MAX: usize = 64;

const BULK_OUT: u8 = 0x01;
const BULK_IN: u8 = 0x82;
const EVENTS_IN: u8 = 0x83;
const PACKET: usize = 64;
const MAGIC: [u8; 2] = [0x50, 0x01];
const HEAD_LEN: usize = 5;
const EVENT: u8 = 0x45;
const EVENT_LEN: usize = 5;
/// Listening for reports that an earlier host left behind.
const DRAIN_WITHIN: Duration = Duration::from_millis(10);

/// What happened at the pad.
#[derive(Debug, Clone)]
pub enum PinEvent {
    /// So many digits stand there now; after `clear` it is 0.
    Digits(u8),
    /// Entered and sealed; the entry is over.
    Done(Sealed<SecretText>),
    /// The person pressed cancel; the entry is over.
    Cancelled,
    /// Nothing happened in the time given; the entry goes on.
    TimedOut,
}

/// Why the pad could not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PinPadError {
    /// The bus failed; the handle must be reopened.
    #[error("the bus failed at the pin pad")]
    Usb(#[source] UsbError),
    /// No answer in time.
    #[error("the pin pad gave no answer")]
    Silent,
    /// Bytes that are no answer to what was asked.
    #[error("the pin pad's answer is malformed")]
    Malformed,
    /// The pad refused.
    #[error("the pin pad refused with code {code:02x}")]
    Refused {
        /// 1 unknown command, 2 digits, 3 key, 4 no such entry.
        code: u8,
    },
    /// `next` without a running entry.
    #[error("no pin entry is running: begin one first")]
    NotBegun,
}

impl PinPadError {
    /// What a person can do.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::Silent | Self::Malformed => Remedy::Retry,
            Self::NotBegun => Remedy::Restart,
            Self::Usb(_) | Self::Refused { .. } => Remedy::OutOfService,
        }
    }
}

/// The seam: every kind of pad implements it.
#[expect(
    async_fn_in_trait,
    reason = "used generically on one thread; futures need not be Send"
)]
pub trait PinPad {
    /// Starts an entry of exactly `digits` digits, sealed to `seal_key` under
    /// `session`. An entry that still runs is given up.
    async fn begin(
        &mut self,
        session: Binding,
        seal_key: SealKey,
        digits: u8,
    ) -> Result<(), PinPadError>;
    /// The next event, or [`PinEvent::TimedOut`].
    async fn next(&mut self, within: Duration) -> Result<PinEvent, PinPadError>;
    /// Gives the entry up; the pad forgets its digits. Fine without an entry.
    async fn abort(&mut self) -> Result<(), PinPadError>;
}

/// Whether descriptors belong to a pad of our framing.
pub fn matches(info: &DeviceInfo) -> bool {
    let ours = |class, subclass, protocol| (class, subclass, protocol) == (0xff, 0x50, 0x01);
    let mut interfaces = info.interfaces.iter();
    interfaces.any(|i| ours(i.class, i.subclass, i.protocol))
}

/// A pad of our framing.
pub struct UsbPinPad<T: Transport> {
    usb: T,
    clock: SharedClock,
    /// The newest entry's number.
    entry: u16,
    running: bool,
    /// Reports that came and were not told yet.
    events: VecDeque<[u8; EVENT_LEN]>,
}

impl<T: Transport> UsbPinPad<T> {
    /// Says hello, gives up whatever entry was running and drops its reports.
    pub async fn open(transport: T, clock: SharedClock) -> Result<Self, PinPadError> {
        // Goes on where an earlier opening stopped, since no entry is over within a
        // millisecond: a report still on its way belongs to none of ours.
        let [.., high, low] = clock.now().as_millisecond().to_be_bytes();
        let mut pad = Self {
            usb: transport,
            clock,
            entry: u16::from_be_bytes([high, low]),
            running: false,
            events: VecDeque::new(),
        };
        drain(&pad.usb, BULK_IN, DRAIN_WITHIN).await.map_err(bus)?;
        match pad.ask(0x01, &[]).await?.as_slice() {
            [1] => {}
            _ => return Err(PinPadError::Malformed),
        }
        pad.abort().await?;
        drain(&pad.usb, EVENTS_IN, DRAIN_WITHIN)
            .await
            .map_err(bus)?;
        Ok(pad)
    }

    /// One command; after a STALL the pipes are cleared and it is asked once more.
    async fn ask(&self, kind: u8, payload: &[u8]) -> Result<Vec<u8>, PinPadError> {
        match self.ask_once(kind, payload).await {
            Err(PinPadError::Usb(UsbError::Stall)) => {
                for endpoint in [BULK_OUT, BULK_IN] {
                    unhalt(&self.usb, endpoint).await.map_err(bus)?;
                }
                self.ask_once(kind, payload).await
            }
            other => other,
        }
    }

    async fn ask_once(&self, kind: u8, payload: &[u8]) -> Result<Vec<u8>, PinPadError> {
        let deadline = self.clock.monotonic().saturating_add(ANSWER_WITHIN);
        let frame = frame(kind, payload);
        let sent = send(&self.usb, &self.clock, BULK_OUT, &frame, deadline);
        sent.await.map_err(bus)?;
        let mut got = Vec::new();
        for _ in 0..PIECES_MAX {
            while let Some((answer, payload, rest)) = parse(&got)? {
                match answer {
                    0x7f => {
                        let code = payload.first().copied().unwrap_or(0);
                        return Err(PinPadError::Refused { code });
                    }
                    answer if answer == kind | 0x80 => return Ok(payload.to_vec()),
                    // An answer that came too late for an earlier command.
                    _ => got = rest.to_vec(),
                }
            }
            let left = deadline.saturating_sub(self.clock.monotonic());
            if left.is_zero() {
                break;
            }
            let piece = self.usb.read(BULK_IN, PACKET, left).await.map_err(bus)?;
            got.extend_from_slice(&piece.bytes);
        }
        Err(PinPadError::Silent)
    }

    /// One transfer of the events pipe: none, one or several reports. `false` when
    /// nothing came.
    async fn listen(&mut self, within: Duration) -> Result<bool, PinPadError> {
        let mut got = self.usb.read(EVENTS_IN, PACKET, within).await;
        if got == Err(UsbError::Stall) {
            unhalt(&self.usb, EVENTS_IN).await.map_err(bus)?;
            got = self.usb.read(EVENTS_IN, PACKET, within).await;
        }
        let got = match got {
            Ok(got) => got,
            Err(UsbError::Timeout) => return Ok(false),
            Err(error) => return Err(PinPadError::Usb(error)),
        };
        let (reports, rest) = got.bytes.as_chunks::<EVENT_LEN>();
        let known = reports.iter().all(|report| report.first() == Some(&EVENT));
        if !rest.is_empty() || !known {
            return Err(PinPadError::Malformed);
        }
        self.events.extend(reports);
        Ok(true)
    }

    async fn collect(&mut self) -> Result<PinEvent, PinPadError> {
        self.running = false;
        let answer = self.ask(0x04, &self.entry.to_be_bytes()).await?;
        let (entry, block) = answer
            .split_first_chunk::<2>()
            .ok_or(PinPadError::Malformed)?;
        if u16::from_be_bytes(*entry) != self.entry {
            return Err(PinPadError::Malformed);
        }
        let sealed = Sealed::from_bytes(block).map_err(|_| PinPadError::Malformed)?;
        Ok(PinEvent::Done(sealed))
    }
}

impl<T: Transport> PinPad for UsbPinPad<T> {
    async fn begin(
        &mut self,
        session: Binding,
        seal_key: SealKey,
        digits: u8,
    ) -> Result<(), PinPadError> {
        if digits == 0 || digits > DIGITS_MAX {
            return Err(PinPadError::Refused { code: 2 });
        }
        self.entry = self.entry.wrapping_add(1);
        let mut payload = self.entry.to_be_bytes().to_vec();
        payload.push(digits);
        payload.extend_from_slice(&session.sale.0.to_be_bytes());
        payload.extend_from_slice(&session.challenge.0);
        payload.extend_from_slice(&seal_key.0);
        self.events.clear();
        self.ask(0x02, &payload).await?;
        self.running = true;
        Ok(())
    }

    async fn next(&mut self, within: Duration) -> Result<PinEvent, PinPadError> {
        if !self.running {
            return Err(PinPadError::NotBegun);
        }
        let deadline = self.clock.monotonic().saturating_add(within);
        for _ in 0..STALE_MAX {
            while let Some([_, event, high, low, count]) = self.events.pop_front() {
                if u16::from_be_bytes([high, low]) != self.entry {
                    continue;
                }
                match event {
                    1 if count <= DIGITS_MAX => return Ok(PinEvent::Digits(count)),
                    2 => return self.collect().await,
                    3 => {
                        self.running = false;
                        return Ok(PinEvent::Cancelled);
                    }
                    _ => return Err(PinPadError::Malformed),
                }
            }
            let left = deadline.saturating_sub(self.clock.monotonic());
            if !self.listen(left).await? {
                return Ok(PinEvent::TimedOut);
            }
        }
        Err(PinPadError::Malformed)
    }

    async fn abort(&mut self) -> Result<(), PinPadError> {
        self.running = false;
        self.ask(0x03, &self.entry.to_be_bytes()).await.map(drop)
    }
}

fn bus(error: UsbError) -> PinPadError {
    match error {
        UsbError::Timeout => PinPadError::Silent,
        other => PinPadError::Usb(other),
    }
}

fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let len = u16::try_from(payload.len()).unwrap_or(u16::MAX);
    [&MAGIC[..], &[kind], &len.to_be_bytes(), payload].concat()
}

/// Kind and payload of a frame, and what follows it.
type Parsed<'a> = (u8, &'a [u8], &'a [u8]);

/// The first frame; `None` while bytes are missing.
fn parse(bytes: &[u8]) -> Result<Option<Parsed<'_>>, PinPadError> {
    let Some((&[magic, version, kind, high, low], behind)) = bytes.split_first_chunk::<HEAD_LEN>()
    else {
        return Ok(None);
    };
    let len = usize::from(u16::from_be_bytes([high, low]));
    if [magic, version] != MAGIC || len > PAYLOAD_MAX {
        return Err(PinPadError::Malformed);
    }
    let whole = behind.split_at_checked(len);
    Ok(whole.map(|(payload, rest)| (kind, payload, rest)))
}

#[cfg(test)]
mod tests;
