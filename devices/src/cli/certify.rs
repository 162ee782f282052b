//! `certify`: runs a conformance kit against one device and writes its pass sheet.

use std::cell::Cell;
use std::io::Write as _;
use std::path::PathBuf;
use std::rc::Rc;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use counterfoil_data::ids::SlotId;
use counterfoil_data::seam::{Local, SharedClock, SharedEntropy};

use super::{calibrate, no_server, own_usb, say};
use crate::certify::bench::Bench;
use crate::certify::card_reader::{self, CardBench};
use crate::certify::finger::{self, FingerBench};
use crate::certify::hands::{Hands, Person};
use crate::certify::id_reader::{self, IdBench};
use crate::certify::pin_pad::{self, PadBench};
use crate::certify::receipt_printer::{self, ReceiptBench};
use crate::certify::run::{self, Line, Total};
use crate::certify::sheet::{self, Head};
use crate::certify::slip_printer::{self, SlipBench};
use crate::certify::{Check, Subject, form_printer};
use crate::driver;
use crate::driver::form_station::{Family, FormSettings};
use crate::system::SystemEntropy;
use crate::transport::rusb_bus::RusbBus;
use crate::transport::usbip::{Address, UsbIpBus};
use crate::transport::{Bus, DeviceInfo, Transport as _};
use crate::twin::branch::file::SPEED_MAX;

/// A kit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Model {
    /// The form printer with cassettes, number reader and presenter.
    FormPrinter,
    /// A 24-pin printer (ESC/P2) fed by hand.
    Escp2,
    /// A printer in PR2 emulation fed by hand.
    Pr2,
    /// An ESC/POS slip station fed by hand.
    SlipStation,
    /// An ID-card reader with a security module.
    IdReader,
    /// A CCID chip-card reader.
    CardReader,
    /// A finger module (EF01) behind a serial bridge.
    Finger,
    /// A U.are.U finger reader.
    Uru4500,
    /// A PIN pad.
    PinPad,
    /// A receipt printer with a cutter.
    ReceiptPrinter,
}

/// What to certify, and how.
#[derive(Debug, Args)]
pub(super) struct Certify {
    /// Which kit.
    #[arg(value_name = "MODEL")]
    model: Model,
    /// The device's path as `list` shows it; the first one of this model without it.
    #[arg(long, value_name = "PATH")]
    device: Option<String>,
    /// A USB/IP server (IP:PORT or unix:PATH) instead of this computer's USB.
    #[arg(long, value_name = "ADDRESS")]
    pub usbip: Option<Address>,
    /// The desk of a twin: it does every physical act by itself.
    #[arg(long, value_name = "ADDRESS")]
    desk: Option<Address>,
    /// Where the pass sheet goes: Markdown.
    #[arg(long, value_name = "FILE")]
    sheet: Option<PathBuf>,
    /// The cassette whose blanks are used.
    #[arg(long, value_name = "SLOT", default_value = "slot-1")]
    slot: SlotId,
    /// A kiosk's configuration: its table `form_printer` has the settings of a printer
    /// fed by hand. Without it, those of the twin.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Only these checks; the sheet names the others as skipped.
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    only: Vec<String>,
    /// Spoil blank forms without asking.
    #[arg(long)]
    yes: bool,
    /// How many times faster than in life the twin runs, as `simulate --speed` was told.
    #[arg(long, value_name = "TIMES", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=i64::from(SPEED_MAX)))]
    speed: u32,
    /// Say what the kit checks and do nothing.
    #[arg(long)]
    list: bool,
}

impl Model {
    fn fits(self, info: &DeviceInfo) -> bool {
        match self {
            Self::FormPrinter => driver::form_printer::matches(info),
            Self::Escp2 => driver::escp2::matches(info),
            Self::Pr2 => driver::pr2::matches(info),
            Self::SlipStation => driver::slip_station::matches(info),
            Self::IdReader => driver::sdt::matches(info),
            Self::CardReader => driver::ccid::matches(info),
            Self::Finger => driver::ef01::matches(info),
            Self::Uru4500 => driver::uru4000::matches(info),
            Self::PinPad => driver::pin_pad::matches(info),
            Self::ReceiptPrinter => driver::receipt_printer::matches(info),
        }
    }

    fn word(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |v| v.get_name().to_owned())
    }
}

/// Certifies, or only says what is checked.
pub(super) async fn run(what: &Certify, clock: &SharedClock) -> anyhow::Result<()> {
    let entropy: SharedEntropy = Rc::new(SystemEntropy);
    match &what.usbip {
        _ if what.list => list(what),
        Some(address) => {
            let bus = UsbIpBus::new(address.clone(), clock.clone());
            bus.list().await.with_context(|| no_server(address))?;
            certify(bus, clock, &entropy, what).await
        }
        None => certify(own_usb()?, clock, &entropy, what).await,
    }
}

/// Prints the checks of a kit.
fn list(what: &Certify) -> anyhow::Result<()> {
    match what.model {
        Model::FormPrinter => listed(&form_printer::kit::<RusbBus>()),
        Model::Escp2 => listed(&slip_printer::escp2_kit::<RusbBus>()),
        Model::Pr2 => listed(&slip_printer::pr2_kit::<RusbBus>()),
        Model::SlipStation => listed(&slip_printer::station_kit::<RusbBus>()),
        Model::IdReader => listed(&id_reader::kit::<RusbBus>()),
        Model::CardReader => listed(&card_reader::kit::<RusbBus>()),
        Model::Finger => listed(&finger::module_kit::<RusbBus>()),
        Model::Uru4500 => listed(&finger::uru4500_kit::<RusbBus>()),
        Model::PinPad => listed(&pin_pad::kit::<RusbBus>()),
        Model::ReceiptPrinter => listed(&receipt_printer::kit::<RusbBus>()),
    }
}

fn listed<S>(checks: &[Check<S>]) -> anyhow::Result<()> {
    for check in checks {
        let Check {
            id,
            proves,
            source,
            needs,
            blanks,
            ..
        } = check;
        let blanks = match blanks {
            0 => String::new(),
            n => format!(", {n} blank"),
        };
        say(&format!(
            "{id} {proves} [{source}; needs {}{blanks}]",
            needs.word()
        ))?;
    }
    say(&format!(
        "{} checks, {} blank forms",
        checks.len(),
        blanks(checks)
    ))
}

fn blanks<'a, S: 'a>(checks: impl IntoIterator<Item = &'a Check<S>>) -> u32 {
    let counts = checks.into_iter().map(|c| c.blanks);
    counts.fold(0, u32::saturating_add)
}

/// Certifies one device of `bus`; an error unless every check passed.
pub(super) async fn certify<B: Bus>(
    bus: B,
    clock: &SharedClock,
    entropy: &SharedEntropy,
    what: &Certify,
) -> anyhow::Result<()> {
    let devices = bus.list().await?;
    let is_meant = |d: &&DeviceInfo| match &what.device {
        Some(path) => d.path == *path,
        None => what.model.fits(d),
    };
    let info = devices.into_iter().find(|d| is_meant(&d));
    let word = what.model.word();
    let info = info.with_context(|| {
        format!("no {word} is plugged in: see `list` for what is there, or name it with --device")
    })?;
    // Listed while another program had it, its descriptors may be incomplete.
    let info = bus.open(&info.path).await?.info().clone();
    let hands = match &what.desk {
        Some(address) => Hands::Desk(address.clone()),
        None => Hands::Person(Rc::new(Terminal)),
    };
    let mut bench = Bench::new(bus, info, clock.clone(), entropy.clone(), hands);
    bench.speed = what.speed;
    match what.model {
        Model::FormPrinter => {
            let subject = form_printer::FormBench::new(bench, what.slot.clone());
            certified(&subject, form_printer::kit(), what).await
        }
        Model::Escp2 => {
            let subject = SlipBench::new(bench, Family::Escp2, settings(what)?)?;
            certified(&subject, slip_printer::escp2_kit(), what).await
        }
        Model::Pr2 => {
            let subject = SlipBench::new(bench, Family::Pr2, settings(what)?)?;
            certified(&subject, slip_printer::pr2_kit(), what).await
        }
        Model::SlipStation => {
            let subject = SlipBench::new(bench, Family::SlipStation, settings(what)?)?;
            certified(&subject, slip_printer::station_kit(), what).await
        }
        Model::IdReader => certified(&IdBench::new(bench), id_reader::kit(), what).await,
        Model::CardReader => certified(&CardBench::new(bench), card_reader::kit(), what).await,
        Model::Finger => certified(&FingerBench::new(bench), finger::module_kit(), what).await,
        Model::Uru4500 => certified(&FingerBench::new(bench), finger::uru4500_kit(), what).await,
        Model::PinPad => certified(&PadBench::new(bench), pin_pad::kit(), what).await,
        Model::ReceiptPrinter => {
            certified(&ReceiptBench::new(bench), receipt_printer::kit(), what).await
        }
    }
}

/// The form printer's table of a kiosk's configuration; a PR2's codes are there.
fn settings(what: &Certify) -> anyhow::Result<Option<FormSettings>> {
    match &what.config {
        Some(path) => calibrate::read(path)
            .map(Some)
            .with_context(|| path.display().to_string()),
        None => Ok(None),
    }
}

async fn certified<S: Subject>(
    subject: &S,
    checks: Vec<Check<S>>,
    what: &Certify,
) -> anyhow::Result<()> {
    if let Some(unknown) = what
        .only
        .iter()
        .find(|id| checks.iter().all(|c| c.id != **id))
    {
        bail!("the kit has no check {unknown}: see --list");
    }
    let asked = |c: &&Check<S>| what.only.is_empty() || what.only.iter().any(|id| id == c.id);
    agree(subject, blanks(checks.iter().filter(asked)), what).await?;
    let bench = subject.bench();
    let at = bench.clock.now();
    let told = Cell::new(Ok(()));
    let lines = run::run(subject, &checks, &what.only, |line| {
        told.set(say(&line.text()))
    })
    .await;
    told.into_inner()?;
    let total = Total::of(&lines);
    say(&format!(
        "{} passed, {} failed, {} skipped",
        total.passed, total.failed, total.skipped
    ))?;
    write_sheet(subject, &lines, at, what)?;
    if total.all_passed() {
        return Ok(());
    }
    bail!("{} is not certified as {}", bench.path, what.model.word())
}

/// Numbered stock is never spoiled unasked.
async fn agree<S: Subject>(subject: &S, blanks: u32, what: &Certify) -> anyhow::Result<()> {
    if blanks == 0 {
        return Ok(());
    }
    let warned = format!(
        "this spoils up to {blanks} blank forms of {}: use forms that are void",
        what.slot
    );
    let hands = &subject.bench().hands;
    if what.yes || hands.of_a_twin() {
        return say(&warned);
    }
    let question = format!("{warned}. Go on?");
    match hands.sees(&question).await {
        Ok(Some(true)) => Ok(()),
        _ => bail!("nothing was done"),
    }
}

fn write_sheet<S: Subject>(
    subject: &S,
    lines: &[Line],
    at: jiff::Timestamp,
    what: &Certify,
) -> anyhow::Result<()> {
    let Some(path) = &what.sheet else {
        return Ok(());
    };
    let bench = subject.bench();
    let kit = what.model.word();
    let facts = bench.facts();
    let head = Head {
        kit: &kit,
        info: &bench.info,
        twin: bench.hands.of_a_twin(),
        facts: &facts,
        at,
    };
    let written = std::fs::write(path, sheet::write(&head, lines));
    written.with_context(|| format!("cannot write {}", path.display()))?;
    say(&format!("sheet {}", path.display()))
}

/// The person at this terminal.
struct Terminal;

impl Person for Terminal {
    fn ask<'a>(&'a self, words: &'a str) -> Local<'a, std::io::Result<String>> {
        Box::pin(async move {
            let mut out = std::io::stdout().lock();
            write!(out, "  >> {words}: ")?;
            out.flush()?;
            let mut line = String::new();
            if std::io::stdin().read_line(&mut line)? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            Ok(line)
        })
    }
}
