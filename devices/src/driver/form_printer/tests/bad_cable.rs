//! The same printer behind a bad cable: replies in single bytes with zero-length
//! transfers BETWEEN, writes taken byte by byte, digits misread, answers of the
//! presenter garbled.

use std::collections::VecDeque;

use super::*;
use crate::transport::{DeviceInfo, Setup};
use crate::twin::{ControlReply, DeskError, InReply, OutReply, Twin};

/// What the cable does.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Fault {
    /// One byte a transfer each way, a zero-length transfer before each.
    Crumbs,
    /// The last digit of the first readings is another one.
    Misreads(u8),
    /// The first answers of the presenter are these instead.
    Says(&'static [&'static [u8]]),
}

struct Cable {
    twin: FormPrinterTwin,
    fault: Fault,
    held: Option<Vec<u8>>,
    readings: u8,
    said: VecDeque<&'static [u8]>,
}

impl Twin for Cable {
    fn info(&self) -> DeviceInfo {
        self.twin.info()
    }

    fn control(&mut self, now: Duration, setup: Setup, out: &[u8], len: u16) -> ControlReply {
        self.twin.control(now, setup, out, len)
    }

    fn out(&mut self, now: Duration, endpoint: u8, bytes: &[u8]) -> OutReply {
        let count = if self.fault == Fault::Crumbs {
            1
        } else {
            bytes.len()
        };
        self.twin
            .out(now, endpoint, &bytes[..count.min(bytes.len())])
    }

    fn poll_in(&mut self, now: Duration, endpoint: u8, max: usize) -> InReply {
        if let Fault::Says(_) = self.fault {
            let reply = self.twin.poll_in(now, endpoint, max);
            // One byte that is no real-time status: GS e 6.
            let said = match &reply {
                InReply::Data(bytes) if bytes.len() == 1 => self.said.pop_front(),
                _ => None,
            };
            return said.map_or(reply, |bytes| InReply::Data(bytes.to_vec()));
        }
        let Fault::Misreads(until) = self.fault else {
            if let Some(held) = self.held.take() {
                return InReply::Data(held);
            }
            return match self.twin.poll_in(now, endpoint, 1) {
                InReply::Data(byte) => {
                    self.held = Some(byte);
                    InReply::Data(Vec::new())
                }
                other => other,
            };
        };
        let reply = self.twin.poll_in(now, endpoint, max);
        let InReply::Data(mut bytes) = reply else {
            return reply;
        };
        let end = bytes.iter().rposition(|b| b.is_ascii_digit());
        if let (Some(0x5F), Some(end)) = (bytes.first(), end) {
            self.readings += 1;
            if self.readings <= until {
                bytes[end] = b'0' + (self.readings + 5) % 10;
            }
        }
        InReply::Data(bytes)
    }

    fn wakes_at(&self) -> Option<Duration> {
        self.twin.wakes_at()
    }

    fn host_gone(&mut self, now: Duration) {
        self.twin.host_gone(now);
    }

    fn desk(&mut self, now: Duration, line: &str) -> Result<String, DeskError> {
        self.twin.desk(now, line)
    }

    fn look(&self) -> Vec<String> {
        self.twin.look()
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        self.twin.counters()
    }
}

pub(super) async fn behind(desk: &Desk, fault: Fault) -> FormPrinter<TwinTransport> {
    let range = BillRange::from_count(number(FIRST), 20).expect("fits");
    let cable = Cable {
        twin: FormPrinterTwin::new([(slot(1), range)], None),
        fault,
        held: None,
        readings: 0,
        said: match fault {
            Fault::Says(answers) => answers.iter().copied().collect(),
            _ => VecDeque::new(),
        },
    };
    desk.bus.plug("form-printer", Rc::new(RefCell::new(cable)));
    desk.open().await
}

#[test]
fn replies_and_writes_in_single_bytes_change_nothing() {
    run(|desk| async move {
        let mut printer = behind(&desk, Fault::Crumbs).await;
        printer.feed(&slot(1), LONG).await.expect("fed");
        assert_eq!(printer.read_number(LONG).await, Ok(number(FIRST)));
        let outcome = printer.print(&job(FIRST), &approved(), LONG).await;
        assert!(matches!(outcome, PrintOutcome::Done { .. }));
        assert_eq!(desk.count("unknown-commands"), 0);
    });
}

#[test]
fn one_misread_digit_is_outvoted_by_two_readings_that_agree() {
    run(|desk| async move {
        let mut printer = behind(&desk, Fault::Misreads(1)).await;
        printer.feed(&slot(1), LONG).await.expect("fed");
        assert_eq!(printer.read_number(LONG).await, Ok(number(FIRST)));
        assert_eq!(desk.count("reads"), 3);
    });
}

#[test]
fn readings_that_never_agree_are_unreadable_not_a_mismatch() {
    run(|desk| async move {
        let mut printer = behind(&desk, Fault::Misreads(2)).await;
        printer.feed(&slot(1), LONG).await.expect("fed");
        let detail = reading::DETAIL_NORMAL;
        let unreadable = Err(ReadError::Unreadable { detail });
        assert_eq!(printer.read_number(LONG).await, unreadable);
    });
}
