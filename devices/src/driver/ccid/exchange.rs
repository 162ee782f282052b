//! One command and its answer: numbers, time extensions, whole messages, and what
//! is done about a STALL.
//!
//! Owns everything between [`super::Reader`]'s commands and the bulk pipes.

use std::time::Duration;

use zeroize::{Zeroize as _, Zeroizing};

use super::message::{Answer, Command, HEADER, Icc, Outcome, whole_len};
use super::notify::Notice;
use super::{ANSWER_WITHIN, CcidError, Done, NOTICE_MAX, Reader, TOLD_EVERY};
use crate::driver::{send, unhalt};
use crate::transport::{Setup, Stage, Transport, UsbError};

/// Longest wait for one answer after a time extension (an ATR takes up to 29 s).
pub(super) const EXTENDED_MAX: Duration = Duration::from_secs(60);
/// Answers to older commands that are dropped before giving up.
const FOREIGN_MAX: u32 = 10;
/// Time extensions in one command.
const EXTENSIONS_MAX: u32 = 120;
/// Zero-length transfers skipped before an answer (some firmware sends one).
const EMPTY_MAX: u32 = 4;
/// Transfers one message may come in.
const PIECES_MAX: u32 = 1024;
/// Largest bulk packet, high speed.
const PACKET_MAX: usize = 512;
/// Messages of the interrupt pipe that wait at most.
const NOTICES_MAX: u32 = 8;
/// For what was told already: a host asks an interrupt pipe every 255 ms at the slowest.
const TOLD_WITHIN: Duration = Duration::from_millis(300);
/// Patience for both halves of an abort.
const ABORT_WITHIN: Duration = Duration::from_secs(1);
/// Class request to an interface, host to device.
const CLASS_INTERFACE_OUT: u8 = 0x21;
/// ABORT of CCID §5.3.1.
const ABORT: u8 = 0x01;

impl<T: Transport> Reader<T> {
    /// One command and its answer. After a STALL the pipes are cleared; the slot's
    /// status is asked once more, anything else is aborted, because nobody knows
    /// what the reader made of it, and the handle is not used again.
    pub(super) async fn once(
        &mut self,
        command: &Command<'_>,
        within: Duration,
    ) -> Result<Done, CcidError> {
        if std::mem::take(&mut self.unfinished) {
            self.give_up().await;
        }
        // Also where the caller lets go of the future: it is given up before the next
        // command, so that nothing outlasts its deadline.
        self.unfinished = *command != Command::GetSlotStatus;
        let done = self.attempt(command, within).await;
        self.unfinished &= matches!(done, Err(CcidError::Late { .. }));
        let stalled = match done {
            Err(CcidError::Usb(error)) if error == UsbError::Stall => error,
            other => return other,
        };
        for endpoint in [self.layout.bulk_out, self.layout.bulk_in] {
            unhalt(&self.transport, endpoint).await?;
        }
        if *command == Command::GetSlotStatus {
            return self.attempt(command, within).await;
        }
        self.give_up().await;
        Err(stalled.into())
    }

    /// An abort that may fail: some readers know none. What they still answer to the
    /// older command is dropped by its number.
    pub(super) async fn give_up(&mut self) {
        if let Err(error) = self.abort().await {
            tracing::warn!(%error, "the command before could not be aborted");
        }
    }

    /// Gives up what the slot is doing: the control half, then the bulk half with
    /// the same number (CCID §5.3.1).
    async fn abort(&mut self) -> Result<(), CcidError> {
        let setup = Setup {
            request_type: CLASS_INTERFACE_OUT,
            request: ABORT,
            value: u16::from_le_bytes([self.slot, self.seq.wrapping_add(1)]),
            index: u16::from(self.layout.interface),
        };
        let asked = self.transport.control(setup, Stage::Out(&[]), ABORT_WITHIN);
        asked.await?;
        self.attempt(&Command::Abort, ABORT_WITHIN).await.map(drop)
    }

    async fn attempt(
        &mut self,
        command: &Command<'_>,
        within: Duration,
    ) -> Result<Done, CcidError> {
        let deadline = self.clock.monotonic().saturating_add(within);
        self.seq = self.seq.wrapping_add(1);
        let seq = self.seq;
        let message = Zeroizing::new(command.encode(self.slot, seq));
        self.send(&message, command.name(), deadline).await?;
        let name = command.name();
        let exchange = self.link.as_ref().map_or(ANSWER_WITHIN, |l| l.patience);
        let mut patience = match command {
            Command::PowerOn(_) => EXTENDED_MAX,
            Command::XfrBlock { waiting, .. } => {
                exchange.saturating_mul(u32::from(*waiting).max(1))
            }
            // A person is typing: the caller's deadline counts.
            Command::Secure(_) => within,
            _ => ANSWER_WITHIN,
        };
        let (mut foreign, mut extensions) = (0_u32, 0_u32);
        loop {
            let left = deadline.saturating_sub(self.clock.monotonic());
            let bytes = self.receive(name, left.min(patience)).await?;
            let answer = Answer::parse(&bytes).map_err(CcidError::Malformed)?;
            if answer.seq == seq && answer.slot != self.slot {
                let slot = answer.slot;
                return Err(CcidError::WrongSlot {
                    command: name,
                    slot,
                });
            }
            if answer.seq != seq {
                foreign = foreign.saturating_add(1);
                if foreign > FOREIGN_MAX {
                    return Err(CcidError::OutOfStep);
                }
                continue;
            }
            match answer.outcome {
                Outcome::TimeExtension(times) => {
                    extensions = extensions.saturating_add(1);
                    if extensions > EXTENSIONS_MAX {
                        return Err(CcidError::Late {
                            command: name,
                            within,
                        });
                    }
                    let more = exchange.saturating_mul(u32::from(times.max(1)));
                    patience = more.clamp(ANSWER_WITHIN, EXTENDED_MAX.max(patience));
                }
                Outcome::Failed(code) => return Err(CcidError::failed(name, code, answer.icc)),
                Outcome::Ok if answer.kind != command.answer_kind() => {
                    return Err(CcidError::WrongKind {
                        command: name,
                        kind: answer.kind,
                    });
                }
                // What a card that is gone is said to have answered is nothing.
                Outcome::Ok
                    if answer.icc == Icc::Absent
                        && matches!(command, Command::XfrBlock { .. } | Command::Secure(_)) =>
                {
                    return Err(CcidError::Absent);
                }
                Outcome::Ok => {
                    return Ok(Done {
                        icc: answer.icc,
                        data: Zeroizing::new(answer.data.to_vec()),
                        specific: answer.specific,
                    });
                }
            }
        }
    }

    /// Writes a whole message, going on from where a partial write stopped.
    async fn send(
        &self,
        message: &[u8],
        command: &'static str,
        deadline: Duration,
    ) -> Result<(), CcidError> {
        let within = deadline.saturating_sub(self.clock.monotonic());
        let within = within.min(ANSWER_WITHIN);
        let deadline = self.clock.monotonic().saturating_add(within);
        let out = self.layout.bulk_out;
        let sent = send(&self.transport, &self.clock, out, message, deadline);
        sent.await.map_err(|error| match error {
            UsbError::Timeout => CcidError::Late { command, within },
            error => error.into(),
        })
    }

    /// One whole message, in as many transfers as it comes: up to dwLength, or to
    /// the short packet that ends it. Zero-length transfers before it are skipped.
    async fn receive(
        &self,
        command: &'static str,
        within: Duration,
    ) -> Result<Zeroizing<Vec<u8>>, CcidError> {
        let deadline = self.clock.monotonic().saturating_add(within);
        let message = usize::try_from(self.layout.functional.max_message).unwrap_or(usize::MAX);
        // Whole packets: a shorter buffer overflows on some host controllers.
        let max = message.max(HEADER).next_multiple_of(PACKET_MAX);
        // Allocated once: growing would leave pieces of an answer behind.
        let mut whole = Zeroizing::new(Vec::with_capacity(max));
        let mut empty = 0_u32;
        for _ in 0..PIECES_MAX {
            let left = deadline.saturating_sub(self.clock.monotonic());
            // Once an answer has begun, nothing else is listened to.
            let slice = if whole.is_empty() {
                left.min(TOLD_EVERY)
            } else {
                left
            };
            let mut got = match self.transport.read(self.layout.bulk_in, max, slice).await {
                Ok(got) => got,
                Err(UsbError::Timeout) if slice < left => {
                    if self.told_empty().await? {
                        return Err(CcidError::Absent);
                    }
                    continue;
                }
                Err(UsbError::Timeout) => break,
                Err(error) => return Err(error.into()),
            };
            if got.bytes.is_empty() && whole.is_empty() {
                empty = empty.saturating_add(1);
                if empty >= EMPTY_MAX {
                    break;
                }
                continue;
            }
            whole.extend_from_slice(&got.bytes);
            got.bytes.zeroize();
            let complete = whole_len(&whole).is_some_and(|len| whole.len() >= len);
            if got.short || complete || whole.len() >= max {
                return Ok(whole);
            }
        }
        Err(CcidError::Late { command, within })
    }

    /// Whether the reader has told meanwhile that the slot is empty: some leave a
    /// command unanswered when its card is pulled out. What it told last counts.
    async fn told_empty(&self) -> Result<bool, CcidError> {
        let Some(endpoint) = self.layout.interrupt else {
            return Ok(false);
        };
        let mut empty = false;
        for _ in 0..NOTICES_MAX {
            match self.transport.read(endpoint, NOTICE_MAX, TOLD_WITHIN).await {
                Ok(told) => {
                    let slot = Notice::parse(&told.bytes).and_then(|n| n.slot(self.slot));
                    empty = slot.map_or(empty, |(present, _)| !present);
                }
                Err(UsbError::Timeout | UsbError::Stall) => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(empty)
    }
}
