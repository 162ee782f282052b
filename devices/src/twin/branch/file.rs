//! A branch as a file: which twins stand where, and what they are like.
//!
//! Owns the keys and their defaults (`devices/branch.example.toml` names them all).
//! Refuses a key that it does not know, an option that a device's kind does not have,
//! and two devices of one name, each with its line. Called by `simulate FILE`.

#[cfg(test)]
mod tests;
mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use counterfoil_data::ids::SlotId;
use serde::{Deserialize, Deserializer};
use toml::Spanned;

pub use self::value::{Bridge, Layout, Level, PadFile, Pile, ReceiptModel, SensorBits, Volt};
use crate::transport::twin_bus::TWINS_MAX;
use crate::transport::usbip::Address;

/// Longest file in bytes.
pub const FILE_MAX: u64 = 256 * 1024;
/// Lines at the start of one device at most.
pub const ACTS_MAX: usize = 32;
/// Fastest a twin may run; beyond it USB itself sets the pace.
pub const SPEED_MAX: u32 = 100;
/// Where twins are served unless something else is said.
pub const LISTEN: &str = "127.0.0.1:3240";

/// Why a branch file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BranchError {
    /// Not the shape of the file; with line and key, in the parser's words.
    #[error("{0}")]
    Parse(String),
    /// Something that is wrong on a line.
    #[error("line {line}: {what}")]
    Line {
        /// Which, from 1.
        line: usize,
        /// What is wrong and what would be right.
        what: String,
    },
    /// Something that the demo bank does not have.
    #[error("{0}")]
    Bank(String),
}

/// The file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BranchFile {
    /// Where to serve USB/IP. Default [`LISTEN`].
    pub listen: Option<Place>,
    /// Where to take desk lines. Default: nowhere.
    pub desk: Option<Place>,
    /// Folder that printed paper is drawn into. Default: nowhere.
    pub paper: Option<PathBuf>,
    /// How many times faster than in life the mechanics run. Default 1.
    pub speed: Option<Spanned<u32>>,
    /// Whose stock, cards, documents, fingers and secrets: a kiosk of the demo bank.
    /// Default `kiosk-1`.
    pub kiosk: Option<String>,
    /// The devices; those of the demo branch where none is named.
    #[serde(default)]
    pub device: Vec<Spanned<DeviceFile>>,
}

/// An address as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place(pub Address);

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

/// What kind of twin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// ID-card reader with a security module.
    IdReader,
    /// CCID chip-card reader.
    CardReader,
    /// EF01 finger module behind a serial bridge.
    Finger,
    /// U.are.U 4500.
    Uru4500,
    /// `MicroArray` finger module on its own USB port.
    Microarray,
    /// PIN pad.
    PinPad,
    /// Receipt printer.
    ReceiptPrinter,
    /// Form printer with cassettes.
    FormPrinter,
    /// 24-pin form printer fed by hand.
    Escp2,
    /// Form printer in PR2 emulation, fed by hand.
    Pr2,
    /// ESC/POS slip station, fed by hand.
    SlipStation,
}

/// Options by kind, as the file names them.
const OPTIONS: [(Kind, &str, &[&str]); 11] = [
    (Kind::IdReader, "id-reader", &["layout", "reads_finger"]),
    (
        Kind::CardReader,
        "card-reader",
        &["level", "automatic", "volts", "interrupt", "slots", "pad"],
    ),
    (Kind::Finger, "finger", &["bridge"]),
    (Kind::Uru4500, "uru4500", &[]),
    (Kind::Microarray, "microarray", &["uploads"]),
    (Kind::PinPad, "pin-pad", &[]),
    (
        Kind::ReceiptPrinter,
        "receipt-printer",
        &["model", "presenter"],
    ),
    (Kind::FormPrinter, "form-printer", &["cassettes", "resets"]),
    (
        Kind::Escp2,
        "escp2",
        &["pile", "constant_port", "buffer", "inserts_on_command"],
    ),
    (Kind::Pr2, "pr2", &["pile", "answers_at_once"]),
    (
        Kind::SlipStation,
        "slip-station",
        &["pile", "sensors", "reader", "resets"],
    ),
];

/// One device; an option that is not said has its kind's default.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceFile {
    /// Its path on the bus and its name at the desk.
    pub name: Spanned<String>,
    /// What it is.
    pub kind: Spanned<Kind>,
    /// Lines of its desk that are done at the start, without its name.
    #[serde(default)]
    pub at_start: Vec<Spanned<String>>,
    /// Pipes of an ID reader. Default `split`.
    pub layout: Option<Spanned<Layout>>,
    /// Whether an ID reader knows 30 10. Default true.
    pub reads_finger: Option<Spanned<bool>>,
    /// Exchange level of a card reader. Default `tpdu`.
    pub level: Option<Spanned<Level>>,
    /// Whether it sets voltage, rate and parameters by itself. Default true.
    pub automatic: Option<Spanned<bool>>,
    /// What it can give a card, of 5, 3 and 1.8. Default all three.
    pub volts: Option<Spanned<Vec<Volt>>>,
    /// Whether it tells slot changes. Default true.
    pub interrupt: Option<Spanned<bool>>,
    /// Slots of a card reader, 1 to 4. Default 1.
    pub slots: Option<Spanned<u8>>,
    /// Its PIN pad. Default `none`.
    pub pad: Option<Spanned<PadFile>>,
    /// The bridge of a finger module. Default `cdc-acm`.
    pub bridge: Option<Spanned<Bridge>>,
    /// Whether a native finger module gives images. Default false.
    pub uploads: Option<Spanned<bool>>,
    /// What a receipt printer knows. Default `full`.
    pub model: Option<Spanned<ReceiptModel>>,
    /// Whether it has a presenter. Default false.
    pub presenter: Option<Spanned<bool>>,
    /// What lies in which slot, FIRST-LAST. Default the kiosk's.
    pub cassettes: Option<Spanned<BTreeMap<SlotId, Pile>>>,
    /// Whether an ESC/POS form printer obeys SOFT_RESET. Default true.
    pub resets: Option<Spanned<bool>>,
    /// Blanks beside a printer fed by hand, FIRST-LAST. Default the kiosk's first slot.
    pub pile: Option<Spanned<Pile>>,
    /// Whether the port of a 24-pin printer says 18 for ever. Default false.
    pub constant_port: Option<Spanned<bool>>,
    /// Receive buffer of a 24-pin printer in bytes. Default 8192.
    pub buffer: Option<Spanned<u16>>,
    /// Whether it takes a form in only when it is told. Default false.
    pub inserts_on_command: Option<Spanned<bool>>,
    /// Whether a PR2 answers before what was sent earlier is done. Default false.
    pub answers_at_once: Option<Spanned<bool>>,
    /// What the sensor bits of a slip station are. Default `entry-first`.
    pub sensors: Option<Spanned<SensorBits>>,
    /// Whether it has a magnetic reader. Default true.
    pub reader: Option<Spanned<bool>>,
}

impl BranchFile {
    /// Reads and checks it.
    ///
    /// # Errors
    /// [`BranchError`] with a line, wherever one is to blame.
    pub fn parse(text: &str) -> Result<Self, BranchError> {
        let file: Self = toml::from_str(text)
            .map_err(|e| BranchError::Parse(e.to_string().trim_end().to_owned()))?;
        let wrong = |at: usize, what: String| {
            let before = text.get(..at).unwrap_or(text);
            let line = before.matches('\n').count().saturating_add(1);
            Err(BranchError::Line { line, what })
        };
        if let Some(speed) = file
            .speed
            .as_ref()
            .filter(|s| !(1..=SPEED_MAX).contains(s.get_ref()))
        {
            let what = format!("speed is 1 to {SPEED_MAX}");
            return wrong(speed.span().start, what);
        }
        let mut names = BTreeSet::new();
        for device in &file.device {
            if names.len() >= TWINS_MAX {
                return wrong(
                    device.span().start,
                    format!("more than {TWINS_MAX} devices"),
                );
            }
            let device = device.get_ref();
            if let Some((at, what)) = device.fault() {
                return wrong(at, what);
            }
            if !names.insert(device.name.get_ref()) {
                let what = format!("two devices are called {}", device.name.get_ref());
                return wrong(device.name.span().start, what);
            }
        }
        Ok(file)
    }
}

impl Kind {
    /// Its name in the file.
    pub fn name(self) -> &'static str {
        let found = OPTIONS.iter().find(|(kind, ..)| *kind == self);
        found.map_or("", |(_, name, _)| name)
    }
}

impl DeviceFile {
    /// Options that were said, with where.
    fn said(&self) -> Vec<(&'static str, usize)> {
        fn at<T>(option: &Option<Spanned<T>>) -> Option<usize> {
            option.as_ref().map(|o| o.span().start)
        }
        let all = [
            ("layout", at(&self.layout)),
            ("reads_finger", at(&self.reads_finger)),
            ("level", at(&self.level)),
            ("automatic", at(&self.automatic)),
            ("volts", at(&self.volts)),
            ("interrupt", at(&self.interrupt)),
            ("slots", at(&self.slots)),
            ("pad", at(&self.pad)),
            ("bridge", at(&self.bridge)),
            ("uploads", at(&self.uploads)),
            ("model", at(&self.model)),
            ("presenter", at(&self.presenter)),
            ("cassettes", at(&self.cassettes)),
            ("resets", at(&self.resets)),
            ("pile", at(&self.pile)),
            ("constant_port", at(&self.constant_port)),
            ("buffer", at(&self.buffer)),
            ("inserts_on_command", at(&self.inserts_on_command)),
            ("answers_at_once", at(&self.answers_at_once)),
            ("sensors", at(&self.sensors)),
            ("reader", at(&self.reader)),
        ];
        let said = all.into_iter().filter_map(|(name, at)| Some((name, at?)));
        said.collect()
    }

    /// What is wrong, and at which byte.
    fn fault(&self) -> Option<(usize, String)> {
        let name = self.name.get_ref();
        let lawful = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.len() > 31 || !name.chars().all(lawful) {
            let what = "a name has 1 to 31 characters of a-z, 0-9 and -";
            return Some((self.name.span().start, what.to_owned()));
        }
        let kind = *self.kind.get_ref();
        let (_, word, options) = OPTIONS.iter().find(|(k, ..)| *k == kind)?;
        for (option, at) in self.said() {
            if !options.contains(&option) {
                let known = options.join(", ");
                let known = if known.is_empty() {
                    "no options"
                } else {
                    &known
                };
                let what = format!("{name} is of kind {word}, which has {known}; not `{option}`");
                return Some((at, what));
            }
        }
        if let Some(act) = self.at_start.get(ACTS_MAX) {
            return Some((
                act.span().start,
                format!("more than {ACTS_MAX} lines at the start"),
            ));
        }
        let slots = self
            .slots
            .as_ref()
            .filter(|s| !(1..=4).contains(s.get_ref()));
        let slots = slots.map(|s| (s.span().start, "slots is 1 to 4".to_owned()));
        let volts = self.volts.as_ref().filter(|v| v.get_ref().is_empty());
        let volts = volts.map(|v| (v.span().start, "volts names one of 5, 3, 1.8".to_owned()));
        let buffer = self.buffer.as_ref().filter(|b| *b.get_ref() < 64);
        let buffer = buffer.map(|b| (b.span().start, "buffer is 64 or more".to_owned()));
        slots.or(volts).or(buffer)
    }
}
