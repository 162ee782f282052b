//! The card side: a PBOC debit card that answers T=0 TPDUs, or whole APDUs.
//!
//! Written from the public traces of a PBOC tutorial and EMV Book 1 §12. Owns the
//! file structure, 61xx and 6Cxx, and what a copy or a plain card does. Refuses
//! out-of-order commands the way a card does, with 6985.

mod answers;
mod cryptogram;
mod envelopes;

use std::time::Duration;

use answers::{application, directory, hex_digits, options};

use super::apdu::{CommandApdu, file, wanted};
use super::card_pin::Pin;
use super::issue::{self, tlv};

/// Answer to reset of a common T=0 bank card.
pub(super) const ATR: [u8; 17] = [
    0x3B, 0x6D, 0x00, 0x00, 0x80, 0x65, 0x08, 0x49, 0x04, 0x86, 0x53, 0, 0, 0, 0, 0, 0,
];
/// UnionPay debit.
const AID: [u8; 8] = [0xA0, 0x00, 0x00, 0x03, 0x33, 0x01, 0x01, 0x01];
const PSE: &[u8] = b"1PAY.SYS.DDF01";
/// What the card asks before it starts: 33 bytes.
const PDOL: [u8; 24] = [
    0x9F, 0x66, 4, 0x9F, 0x02, 6, 0x9F, 0x03, 6, 0x9F, 0x1A, 2, 0x95, 5, 0x5F, 0x2A, 2, 0x9A, 3,
    0x9C, 1, 0x9F, 0x37, 4,
];
/// Where a transaction log would be (9F4D).
const LOG: [u8; 5] = [0x9F, 0x4D, 2, 0x0B, 0x0A];
const PDOL_FILLED: usize = 33;
/// What it asks before a cryptogram: amount, date, our random.
const CDOL: [u8; 8] = [0x9F, 0x02, 6, 0x9A, 3, 0x9F, 0x37, 4];
const CDOL_FILLED: usize = 13;
const RANDOM_AT: usize = 9;
/// Cryptogram information: an online cryptogram.
const ONLINE: u8 = 0x80;
/// The chip's RSA takes so long.
const SIGNING: Duration = Duration::from_millis(350);

/// How honest the chip is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chip {
    /// Holds its key.
    Genuine,
    /// A copy: all records of a genuine card and a recorded signature.
    Copied,
    /// Signs with its cryptograms only (CDA).
    Combined,
    /// A copy of such a card.
    CombinedCopied,
    /// Such a card behind somebody who changes what it answers.
    CombinedAltered,
    /// Such a card that declines.
    CombinedDeclining,
    /// Offers static authentication only: its data was signed once.
    Static,
    /// Offers no authentication at all.
    Plain,
}

/// A card as the desk knows it.
#[derive(Clone)]
pub struct CardSpec {
    /// Its name on the desk.
    pub name: String,
    /// Card number, digits.
    pub pan: String,
    /// YYMM.
    pub expiry: String,
    /// Holder's name as on the chip, ASCII.
    pub holder: String,
}

impl From<&counterfoil_data::demo::Card> for CardSpec {
    fn from(card: &counterfoil_data::demo::Card) -> Self {
        Self {
            name: card.name.clone(),
            pan: card.pan.clone(),
            expiry: card.expiry.clone(),
            holder: "SAMPLE UNIT CARD".into(),
        }
    }
}

/// One record: file, number, body without its template.
struct Record {
    sfi: u8,
    number: u8,
    bytes: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Selected {
    Nothing,
    Directory,
    Application,
    Started,
}

/// What one TPDU gave.
pub(super) struct Done {
    pub(super) bytes: Vec<u8>,
    pub(super) takes: Duration,
}

impl Done {
    /// 6700.
    pub(super) fn wrong_length() -> Self {
        Self {
            bytes: vec![0x67, 0x00],
            takes: Duration::ZERO,
        }
    }
}

/// The chip.
pub(super) struct Card {
    chip: Chip,
    records: Vec<Record>,
    selected: Selected,
    waiting: Vec<u8>,
    /// What ENVELOPEs have brought of a long command.
    envelopes: Vec<u8>,
    signatures: u64,
    pin: Pin,
    /// Names of the application; all but the last one say 6985 when started.
    instances: Vec<Vec<u8>>,
    instance: usize,
    directory: bool,
    /// Values of the PDOL, for the signature.
    given: Vec<u8>,
}

fn record(sfi: u8, number: u8, objects: &[Vec<u8>]) -> Record {
    Record {
        sfi,
        number,
        bytes: tlv(0x70, &objects.concat()),
    }
}

fn profile(chip: Chip) -> [u8; 2] {
    match chip {
        Chip::Plain => [0x18, 0x00],
        Chip::Static => [0x58, 0x00],
        Chip::Genuine | Chip::Copied => [0x38, 0x00],
        Chip::Combined | Chip::CombinedCopied | Chip::CombinedAltered | Chip::CombinedDeclining => {
            [0x19, 0x00]
        }
    }
}

impl Card {
    pub(super) fn personalise(spec: &CardSpec, chip: Chip, directory: bool) -> Self {
        let pan = issue::bcd(&spec.pan);
        let track = format!("{}D{}2200000000000", spec.pan, spec.expiry);
        let expires = [issue::bcd(&spec.expiry), vec![0x28]].concat();
        let entry = [
            tlv(0x4F, &AID),
            tlv(0x50, b"PBOC DEBIT"),
            tlv(0x9F12, b"PBOC DEBIT"),
            tlv(0x87, &[1]),
        ]
        .concat();
        // The authenticated record: without its template it is the static data,
        // followed by the profile that 9F4A names.
        let identity = [
            tlv(0x5A, &pan),
            tlv(0x5F24, &expires),
            tlv(0x5F34, &[1]),
            tlv(0x5F28, &[0x01, 0x56]),
            tlv(0x9F4A, &[0x82]),
        ];
        let mut static_data = identity.concat();
        static_data.extend(profile(chip));
        let issuer = issue::issuer_certificate(&pan);
        let icc = issue::icc_certificate(&pan, &static_data);
        let proof = match chip {
            Chip::Static => vec![tlv(0x93, &issue::static_signature(&static_data))],
            _ => vec![
                tlv(0x9F47, &[3]),
                tlv(0x9F48, &icc.remainder),
                tlv(0x9F49, &[0x9F, 0x37, 4]),
                tlv(0x8C, &CDOL),
                tlv(0x9F46, &icc.block),
            ],
        };
        let records = vec![
            record(1, 1, &[tlv(0x61, &entry)]),
            record(
                2,
                1,
                &[
                    tlv(0x57, &hex_digits(&track)),
                    tlv(0x5F20, spec.holder.as_bytes()),
                ],
            ),
            record(3, 1, &identity),
            record(
                4,
                1,
                &[
                    tlv(0x8F, &[issue::SCHEME_INDEX]),
                    tlv(0x9F32, &[3]),
                    tlv(0x92, &issuer.remainder),
                    tlv(0x90, &issuer.block),
                ],
            ),
            record(4, 2, &proof),
        ];
        Self {
            chip,
            records,
            selected: Selected::Nothing,
            waiting: Vec::new(),
            envelopes: Vec::new(),
            signatures: 0,
            pin: Pin::default(),
            instances: match directory {
                true => vec![AID.to_vec()],
                false => [1, 2].map(|n| [&AID[..], &[n]].concat()).to_vec(),
            },
            instance: 0,
            directory,
            given: Vec::new(),
        }
    }

    /// What a person who knows it types.
    pub(super) fn pin(&self) -> &[u8] {
        self.pin.digits()
    }

    /// Power on or reset.
    pub(super) fn reset(&mut self) {
        self.selected = Selected::Nothing;
        self.waiting.clear();
        self.envelopes.clear();
    }

    /// One TPDU: five bytes and, for a command with data, exactly P3 more.
    pub(super) fn tpdu(&mut self, header: [u8; 5], data: &[u8]) -> Done {
        let [cla, ins, p1, p2, p3] = header;
        if (cla, ins) == (0x00, 0xC0) {
            return Done {
                bytes: self.respond(p3),
                takes: Duration::ZERO,
            };
        }
        let (answer, sw, takes) = match [cla, ins, p1, p2] {
            [0x00, 0xB0, ..] => (
                file(p1, p2, wanted(p3.into(), 256)),
                [0x90, 0x00],
                Duration::ZERO,
            ),
            [0x00, 0xC2, 0, 0] => self.enveloped(data),
            header => self.command(header, data),
        };
        let mut bytes = Vec::new();
        let length = u8::try_from(answer.len() % 256).unwrap_or_default();
        let sw = match (answer.is_empty(), data.is_empty()) {
            (true, _) => sw,
            (false, false) => {
                self.waiting = answer;
                [0x61, length]
            }
            (false, true) if p3 == length => {
                bytes = answer;
                sw
            }
            (false, true) => [0x6C, length],
        };
        bytes.extend(sw);
        Done { bytes, takes }
    }

    /// One APDU, whole, as T=1 carries it or a reader that speaks T=0 itself gives it.
    pub(super) fn apdu(&mut self, command: &CommandApdu<'_>) -> Done {
        let [_, ins, p1, p2] = command.header;
        let (mut bytes, sw, takes) = match ins {
            0xB0 => (file(p1, p2, command.expects), [0x90, 0x00], Duration::ZERO),
            0xC2 => self.enveloped(command.data),
            _ => self.command(command.header, command.data),
        };
        bytes.truncate(command.expects);
        bytes.extend(sw);
        Done { bytes, takes }
    }

    fn respond(&mut self, wanted: u8) -> Vec<u8> {
        let wanted = if wanted == 0 {
            256
        } else {
            usize::from(wanted)
        };
        if self.waiting.is_empty() {
            return vec![0x69, 0x85];
        }
        if wanted > self.waiting.len() {
            let exact = u8::try_from(self.waiting.len() % 256).unwrap_or_default();
            return vec![0x6C, exact];
        }
        let rest = self.waiting.split_off(wanted);
        let mut bytes = std::mem::replace(&mut self.waiting, rest);
        match u8::try_from(self.waiting.len()) {
            Ok(0) => bytes.extend([0x90, 0x00]),
            Ok(left) => bytes.extend([0x61, left]),
            Err(_) => bytes.extend([0x61, 0x00]),
        }
        bytes
    }

    fn command(&mut self, header: [u8; 4], data: &[u8]) -> (Vec<u8>, [u8; 2], Duration) {
        let (mut takes, ok) = (Duration::ZERO, [0x90, 0x00]);
        let refused = |sw1, sw2| (Vec::new(), [sw1, sw2]);
        self.waiting.clear();
        self.envelopes.clear();
        let (answer, sw) = match header {
            [0x00, 0xA4, 0x04, 0x00] if data == PSE && self.directory => {
                self.selected = Selected::Directory;
                (directory(), ok)
            }
            [0x00, 0xA4, 0x04, which @ (0 | 2)] => match self.instance_of(data, which == 2) {
                Some(name) => {
                    self.selected = Selected::Application;
                    (application(&name), ok)
                }
                None => refused(0x6A, 0x82),
            },
            [0x00, 0xA4, ..] => refused(0x6A, 0x82),
            [0x00, 0xB2, number, file] if file & 7 == 4 => match self.find(file >> 3, number) {
                Some(bytes) => (bytes, ok),
                None => refused(0x6A, 0x83),
            },
            [0x80, 0xA8, 0, 0] if self.selected == Selected::Application => match data {
                _ if self.instance.saturating_add(1) < self.instances.len() => refused(0x69, 0x85),
                [0x83, 33, filled @ ..] if filled.len() == PDOL_FILLED => {
                    self.selected = Selected::Started;
                    self.given = filled.to_vec();
                    (options(self.chip), ok)
                }
                _ => refused(0x67, 0x00),
            },
            [0x00, 0x88, 0, 0] if self.selected == Selected::Started => match data {
                [_, _, _, _] if matches!(self.chip, Chip::Genuine | Chip::Copied) => {
                    takes = SIGNING;
                    (self.sign(data), ok)
                }
                _ => refused(0x67, 0x00),
            },
            [0x80, 0xAE, 0x90, 0] if self.selected == Selected::Started => {
                if data.len() == CDOL_FILLED && self.is_combined() {
                    takes = SIGNING;
                    (self.cryptogram(data), ok)
                } else {
                    refused(0x67, 0x00)
                }
            }
            [0x80, 0xA8 | 0xAE, ..] | [0x00, 0x88, ..] => refused(0x69, 0x85),
            [0x00, 0x20, 0, _] => (Vec::new(), self.pin.verify(data)),
            [0x00, 0x24, 0, _] => (Vec::new(), self.pin.change(data)),
            // A file to try long commands on; what is written is not kept.
            [0x00, 0xD6, ..] if !data.is_empty() => (Vec::new(), ok),
            [0x00 | 0x80, ..] => refused(0x6D, 0x00),
            _ => refused(0x6E, 0x00),
        };
        (answer, sw, takes)
    }

    /// A file is readable in the environment it belongs to.
    fn find(&self, sfi: u8, number: u8) -> Option<Vec<u8>> {
        let open = match self.selected {
            Selected::Nothing => false,
            Selected::Directory => sfi == 1,
            Selected::Application | Selected::Started => sfi > 1,
        };
        let record = self
            .records
            .iter()
            .find(|r| r.sfi == sfi && r.number == number);
        record.filter(|_| open).map(|r| r.bytes.clone())
    }

    fn sign(&mut self, sent: &[u8]) -> Vec<u8> {
        self.signatures = self.signatures.saturating_add(1);
        // A copy can only replay what it once overheard.
        let recorded = [0x12, 0x34, 0x56, 0x78];
        let over = if self.chip == Chip::Copied {
            &recorded
        } else {
            sent
        };
        tlv(0x80, &issue::dynamic_signature(self.signatures, over))
    }
}
