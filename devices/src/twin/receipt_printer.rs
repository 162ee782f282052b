//! Twin of the receipt printer: 80 mm paper, pushed status, fences, a cutter.
//!
//! Written from Epson's manuals (TM-T88III specification, TM-T20III for `GS ( H`):
//! nothing is printed, and nothing queued is answered, while paper is out or the
//! cover is open; real-time questions always are. Every receipt's bytes are kept.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::printer_class::{self, ClassRequest, Identity, Pipes, RealTime};
use super::{ControlReply, DeskError, InReply, OutReply, Twin};
use crate::paper::{
    self,
    command::{self, Command, Qr, Step},
};
use crate::transport::{DeviceInfo, Setup};

mod variant;

use self::variant::{Presenter, Variant};

/// Name on the desk.
pub const NAME: &str = "receipt-printer";
/// Identity on the bus.
pub const IDENTITY: Identity = Identity {
    path: NAME,
    ids: (0x0FE6, 0x811E),
    maker: "SAMPLE",
    model: "RECEIPT-80",
    serial: "RP0001",
    command_set: "ESC/POS",
};
/// One line of text or picture: 4 mm at 133 mm a second.
pub const LINE: Duration = Duration::from_millis(30);
/// Feed to the cutter and cut.
pub const CUT: Duration = Duration::from_millis(300);
/// Receipts kept; the oldest are dropped beyond it.
pub const RECEIPTS_MAX: usize = 1000;

/// The twin.
#[derive(Debug)]
pub struct ReceiptPrinterTwin {
    pipes: Pipes,
    paper_out: bool,
    near_end: bool,
    cover_open: bool,
    cutter_stuck: bool,
    at: Duration,
    busy: Option<Duration>,
    cutting: bool,
    status_back: bool,
    pushed: [u8; 4],
    current: Vec<u8>,
    receipts: VecDeque<Vec<u8>>,
    in_mouth: u64,
    printed: u64,
    taken: u64,
    lines: u64,
    unknown_commands: u64,
    write_errors: u64,
    variant: Variant,
    presenter: Presenter,
    directory: Option<PathBuf>,
}

impl ReceiptPrinterTwin {
    /// A printer full of paper; previews and bytes go to `directory` if given.
    pub fn new(directory: Option<PathBuf>) -> Self {
        Self {
            pipes: Pipes::default(),
            paper_out: false,
            near_end: false,
            cover_open: false,
            cutter_stuck: false,
            at: Duration::ZERO,
            busy: None,
            cutting: false,
            status_back: false,
            pushed: [0; 4],
            current: Vec::new(),
            receipts: VecDeque::new(),
            in_mouth: 0,
            printed: 0,
            taken: 0,
            lines: 0,
            unknown_commands: 0,
            write_errors: 0,
            variant: Variant::default(),
            presenter: Presenter::default(),
            directory,
        }
    }

    /// Bytes of every receipt that was cut off, oldest first.
    pub fn receipts(&self) -> Vec<Vec<u8>> {
        self.receipts.iter().cloned().collect()
    }

    /// Texts of the last receipt, for tests.
    pub fn last_texts(&self) -> Vec<String> {
        self.receipts
            .back()
            .map(|bytes| paper::texts(bytes))
            .unwrap_or_default()
    }

    fn stopped(&self) -> bool {
        self.paper_out || self.cover_open || self.cutter_stuck
    }

    fn status(&self) -> [u8; 4] {
        let offline = u8::from(self.stopped()) << 3;
        let cover = u8::from(self.cover_open) << 5;
        let cutter = u8::from(self.cutter_stuck) << 3;
        let paper = match (self.paper_out, self.near_end) {
            (true, _) => 0x0F,
            (false, true) => 0x03,
            (false, false) => 0,
        };
        [0x10 | offline | cover, cutter, paper, 0]
    }

    /// DLE EOT n.
    fn real_time(&self, n: u8) -> u8 {
        let [_, _, paper, _] = self.status();
        let bits = match n {
            1 => u8::from(self.stopped()) << 3,
            2 => {
                let error = u8::from(self.cutter_stuck) << 6;
                u8::from(self.cover_open) << 2 | u8::from(self.paper_out) << 5 | error
            }
            3 => u8::from(self.cutter_stuck) << 3,
            4 => match paper {
                0x0F => 0x6C,
                0x03 => 0x0C,
                _ => 0,
            },
            _ => 0,
        };
        0x12 | bits
    }

    fn push_status(&mut self) {
        let status = self.status();
        if self.status_back && status != self.pushed {
            self.pipes.reply(&status);
        }
        self.pushed = status;
    }

    fn advance(&mut self, now: Duration) {
        loop {
            match self.busy {
                Some(due) if due > now => break,
                Some(due) => {
                    self.at = due;
                    self.busy = None;
                    if std::mem::take(&mut self.cutting) {
                        self.cut_off();
                    }
                }
                None => {
                    if !self.obey() {
                        self.at = now;
                        break;
                    }
                }
            }
        }
        self.push_status();
    }

    fn takes(&mut self, time: Duration) {
        self.busy = Some(self.at.saturating_add(time));
    }

    /// Executes one command from the front; `false` if there is none it may do now.
    fn obey(&mut self) -> bool {
        let (command, taken) = match command::next(&self.pipes.received) {
            Step::Command(command, taken) => (command, taken),
            Step::NeedMore => return false,
            Step::Unknown(count) => {
                self.unknown_commands = self.unknown_commands.saturating_add(1);
                return !self.pipes.consume(count).is_empty();
            }
        };
        let prints = matches!(
            command,
            Command::LineFeed
                | Command::FeedLines(_)
                | Command::FeedDots(_)
                | Command::Raster { .. }
                | Command::Qr(Qr::Print)
                | Command::Cut(_)
        );
        let queued = matches!(command, Command::Fence(_) | Command::TransmitStatus(_));
        if self.stopped() && (prints || queued) {
            return false;
        }
        let raw = self.pipes.consume(taken);
        match command {
            Command::StatusBack(_) if self.variant.silent => {}
            Command::StatusBack(n) => {
                self.status_back = n != 0;
                self.pushed = self.status();
                let status = self.pushed;
                self.pipes.reply(&status);
            }
            Command::Fence(id) if !self.variant.fenceless => {
                self.pipes.reply_block(&[0x37, 0x22], &id)
            }
            Command::Fence(_) => {}
            Command::TransmitStatus(_) if self.variant.silent || self.variant.orderless => {}
            Command::Presenter(n, _) if self.variant.presenter => self.present(n),
            Command::TransmitStatus(_) => {
                let byte = if self.near_end { 0x03 } else { 0 };
                self.pipes.reply(&[byte]);
            }
            Command::Identify(0x42) => self.pipes.reply_block(&[0x5F], IDENTITY.maker.as_bytes()),
            Command::Identify(0x43) => self.pipes.reply_block(&[0x5F], IDENTITY.model.as_bytes()),
            Command::Cut(_) => {
                self.current.extend(raw);
                self.cutting = true;
                self.takes(CUT);
            }
            _ => {
                self.current.extend(raw);
                if prints {
                    self.lines = self.lines.saturating_add(1);
                    self.takes(LINE);
                }
            }
        }
        true
    }

    /// The knife fell: what was printed is a receipt in the mouth.
    fn cut_off(&mut self) {
        let bytes = std::mem::take(&mut self.current);
        self.printed = self.printed.saturating_add(1);
        if self.variant.presenter {
            self.presenter.escrow = true;
        } else {
            self.in_mouth = self.in_mouth.saturating_add(1);
        }
        if self.save(&bytes).is_err() {
            self.write_errors = self.write_errors.saturating_add(1);
        }
        if self.receipts.len() >= RECEIPTS_MAX {
            self.receipts.pop_front();
        }
        self.receipts.push_back(bytes);
    }

    /// `receipt-0001.bin` and `.png`.
    fn save(&self, bytes: &[u8]) -> io::Result<()> {
        let Some(directory) = &self.directory else {
            return Ok(());
        };
        fs::create_dir_all(directory)?;
        let name = format!("receipt-{:04}", self.printed);
        fs::write(directory.join(format!("{name}.bin")), bytes)?;
        let png = paper::receipt_png(bytes).map_err(io::Error::other)?;
        fs::write(directory.join(format!("{name}.png")), png)
    }

    fn act(&mut self, line: &str) -> Result<String, DeskError> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["paper-out"] => self.paper_out = true,
            ["near-end"] => self.near_end = true,
            ["refill"] => (self.paper_out, self.near_end) = (false, false),
            ["cover", state @ ("open" | "close")] => self.cover_open = *state == "open",
            ["cutter", state @ ("stuck" | "ok")] => self.cutter_stuck = *state == "stuck",
            ["presenter", state @ ("jam" | "ok")] => self.presenter.jam = *state == "jam",
            ["take"] if self.in_mouth == 0 => {
                return Err(DeskError("there is no receipt to take".to_owned()));
            }
            ["take"] => {
                let count = std::mem::take(&mut self.in_mouth);
                self.presenter.output = false;
                self.taken = self.taken.saturating_add(count);
                return Ok(format!("took {count} receipts"));
            }
            _ => {
                let verbs = "take, paper-out, near-end, refill, cover open|close, cutter stuck|ok, \
                             presenter jam|ok";
                return Err(DeskError(verbs.to_owned()));
            }
        }
        Ok(format!("{NAME}: {line}"))
    }
}

impl Twin for ReceiptPrinterTwin {
    fn info(&self) -> DeviceInfo {
        self.variant.info()
    }

    fn control(&mut self, now: Duration, setup: Setup, _out: &[u8], len: u16) -> ControlReply {
        self.advance(now);
        let bytes = match printer_class::class_request(setup) {
            Some(ClassRequest::DeviceId) => IDENTITY.device_id(),
            Some(ClassRequest::PortStatus) if self.paper_out => vec![0x38],
            Some(ClassRequest::PortStatus) if self.stopped() => vec![0x10],
            Some(ClassRequest::PortStatus) => vec![0x18],
            Some(ClassRequest::SoftReset) => {
                self.pipes.reset();
                self.status_back = false;
                Vec::new()
            }
            None => return ControlReply::Stall,
        };
        ControlReply::Data(bytes.into_iter().take(usize::from(len)).collect())
    }

    fn out(&mut self, now: Duration, endpoint: u8, bytes: &[u8]) -> OutReply {
        if endpoint != printer_class::OUT {
            return OutReply::Stall;
        }
        self.advance(now);
        let (taken, urgent) = self.pipes.take(bytes);
        for command in urgent {
            match command {
                RealTime::Status(n) => self.pipes.reply(&[self.real_time(n)]),
                RealTime::Enquiry(2) => self.pipes.received.clear(),
                RealTime::Enquiry(_) | RealTime::Reader(_) => {}
            }
        }
        self.advance(now);
        if taken == 0 && !bytes.is_empty() {
            OutReply::Nak
        } else {
            OutReply::Took(taken)
        }
    }

    fn poll_in(&mut self, now: Duration, endpoint: u8, max: usize) -> InReply {
        if endpoint != printer_class::IN {
            return InReply::Stall;
        }
        self.advance(now);
        self.pipes.transfer(max).map_or(InReply::Nak, InReply::Data)
    }

    fn wakes_at(&self) -> Option<Duration> {
        self.busy
    }

    fn host_gone(&mut self, now: Duration) {
        self.advance(now);
        self.pipes.host_gone();
    }

    fn desk(&mut self, now: Duration, line: &str) -> Result<String, DeskError> {
        self.advance(now);
        let said = self.act(line);
        self.push_status();
        self.advance(now);
        said
    }

    fn look(&self) -> Vec<String> {
        let mut lines = vec![format!("{} receipts in the mouth", self.in_mouth)];
        let facts = [
            (self.paper_out, "paper out"),
            (self.near_end, "paper near its end"),
            (self.cover_open, "cover open"),
            (self.cutter_stuck, "cutter stuck"),
        ];
        let facts = facts.iter().filter(|(is, _)| *is);
        lines.extend(facts.map(|(_, text)| (*text).to_owned()));
        lines
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        vec![
            ("receipts", self.printed),
            ("taken", self.taken),
            ("retracted", self.presenter.retracted),
            ("lines", self.lines),
            ("unknown-commands", self.unknown_commands),
            ("write-errors", self.write_errors),
        ]
    }
}
