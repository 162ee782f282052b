//! A PIN asked for by the reader's own pad: the digits never come to the host.
//!
//! Owns which readers may do so, and one entry at a time. Refuses every model that
//! configuration does not name, whatever the reader claims of itself: readers are
//! known that claim a pad they lack, and others hand the PIN to the host. An answer
//! longer than a status is therefore taken for a leak. Called by the kiosk where such
//! a reader is installed; the PIN device of [`crate::driver::pin_pad`] is another.

use std::time::Duration;

use counterfoil_data::wire::problem::Remedy;
use serde::Deserialize;

use super::apdu::Sw;
use super::message::Command;
use super::secure::{BadRules, PinRules, TIMEOUT_S_MAX};
use super::{CcidError, Reader};
use crate::transport::{DeviceInfo, Transport};

/// Models a kiosk may name.
pub const PADS_MAX: usize = 16;
/// bError: cancelled at the pad; nothing typed in time.
const CANCELLED: u8 = 0xEF;
const TIMED_OUT: u8 = 0xF0;
/// A T=1 block with a status: NAD, PCB, LEN, two bytes, a sum of one or two.
const STATUS_BLOCK_MAX: usize = 7;
/// The reader gives up this much before its caller does.
const MARGIN: Duration = Duration::from_secs(1);

/// One model whose pad may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pad {
    /// idVendor.
    pub vendor: u16,
    /// idProduct.
    pub product: u16,
    /// First bcdDevice that was examined; older ones are refused.
    pub release_min: u16,
}

/// The models that configuration names; none by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pads(Vec<Pad>);

/// Why a list of pads is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PadsError {
    /// Not a list of `[[pad]]` tables with hexadecimal numbers of four digits.
    #[error("the list of PIN pads does not parse: {0}")]
    File(String),
    /// More than [`PADS_MAX`].
    #[error("more than {PADS_MAX} PIN pads")]
    Many,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    vendor: String,
    product: String,
    release_min: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    pad: Vec<Entry>,
}

impl Pads {
    /// Reads a list (TOML, `[[pad]]` tables of `vendor`, `product`, `release_min`).
    pub fn from_toml(text: &str) -> Result<Self, PadsError> {
        let file: File =
            toml::from_str(text).map_err(|e| PadsError::File(e.message().to_owned()))?;
        if file.pad.len() > PADS_MAX {
            return Err(PadsError::Many);
        }
        let word = |what: &str, text: &str| {
            let digits = text.len() == 4 && text.bytes().all(|b| b.is_ascii_hexdigit());
            let word = u16::from_str_radix(text, 16).ok().filter(|_| digits);
            word.ok_or_else(|| PadsError::File(format!("{what} is not four hexadecimal digits")))
        };
        let pad = |entry: &Entry| {
            Ok(Pad {
                vendor: word("vendor", &entry.vendor)?,
                product: word("product", &entry.product)?,
                release_min: word("release_min", &entry.release_min)?,
            })
        };
        file.pad.iter().map(pad).collect::<Result<_, _>>().map(Self)
    }

    /// Whether a device is of a model that is named.
    pub fn names(&self, info: &DeviceInfo) -> bool {
        self.0.iter().any(|pad| {
            let same = (pad.vendor, pad.product) == (info.vendor, info.product);
            same && info.release >= pad.release_min
        })
    }
}

/// How an entry ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entered {
    /// The card had the PIN and said this.
    Status(Sw),
    /// Cancelled at the pad.
    Cancelled,
    /// Nothing, or not everything, was typed in time.
    TimedOut,
    /// The new PIN was typed differently the second time.
    Mismatch,
    /// Too few or too many digits.
    WrongSize,
}

/// Why no PIN was asked for, or its entry failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PinEntryError {
    /// The model is not named in configuration.
    #[error("this reader's PIN pad is not named in the configuration: use the PIN device")]
    NotNamed,
    /// It is named, and has none for this.
    #[error("the reader says it cannot ask for this PIN: check the configured model")]
    NotClaimed,
    /// The card's T=1 blocks are shorter than the command, which cannot be in parts.
    #[error("the card takes no block as long as a PIN command: use a reader with APDU exchange")]
    Blocks,
    /// The rules do not fit.
    #[error("{0}")]
    Rules(BadRules),
    /// More than a status came back: possibly what was typed.
    #[error("the reader answered a PIN entry with data: take it out of service")]
    Leak,
    /// Reader or card.
    #[error("{0}")]
    Reader(CcidError),
}

impl From<CcidError> for PinEntryError {
    fn from(error: CcidError) -> Self {
        Self::Reader(error)
    }
}

impl From<BadRules> for PinEntryError {
    fn from(rules: BadRules) -> Self {
        Self::Rules(rules)
    }
}

impl PinEntryError {
    /// What a person can do.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::Reader(error) => error.remedy(),
            Self::NotNamed | Self::NotClaimed | Self::Blocks => Remedy::CallStaff,
            Self::Rules(_) | Self::Leak => Remedy::OutOfService,
        }
    }
}

impl<T: Transport> Reader<T> {
    /// Asks for a PIN at the reader's pad and gives it to the powered card in
    /// `command` (CLA INS P1 P2). The rules' time-out is cut to end before `within`.
    /// Dropping the future leaves the pad waiting until [`Reader::cancel`].
    pub async fn verify_pin(
        &mut self,
        pads: &Pads,
        rules: &PinRules,
        command: [u8; 4],
        within: Duration,
    ) -> Result<Entered, PinEntryError> {
        let claims = self.may_ask(pads)?.functional.pin_claims();
        let rules = in_time(rules, within)?;
        let block = rules.verification(command)?;
        match claims.verify {
            true => self.enter(block, rules.command_len(1), within).await,
            false => Err(PinEntryError::NotClaimed),
        }
    }

    /// The same for a change: the old PIN, then the new one twice.
    pub async fn modify_pin(
        &mut self,
        pads: &Pads,
        rules: &PinRules,
        command: [u8; 4],
        within: Duration,
    ) -> Result<Entered, PinEntryError> {
        let claims = self.may_ask(pads)?.functional.pin_claims();
        let rules = in_time(rules, within)?;
        let block = rules.modification(command)?;
        match claims.modify {
            true => self.enter(block, rules.command_len(2), within).await,
            false => Err(PinEntryError::NotClaimed),
        }
    }

    /// Ends an entry that nobody waits for any more, and whatever else the reader is
    /// still at.
    pub async fn cancel(&mut self) {
        if std::mem::take(&mut self.unfinished) {
            self.give_up().await;
        }
    }

    /// The layout, if this model is named and the card is powered.
    fn may_ask(&self, pads: &Pads) -> Result<super::Layout, PinEntryError> {
        if !pads.names(self.info()) {
            return Err(PinEntryError::NotNamed);
        }
        match self.link {
            Some(_) => Ok(self.layout),
            None => Err(PinEntryError::Reader(CcidError::NotPowered)),
        }
    }

    /// `length` bytes at the end of the block are the card's command.
    async fn enter(
        &mut self,
        mut block: Vec<u8>,
        length: usize,
        within: Duration,
    ) -> Result<Entered, PinEntryError> {
        let deadline = self.clock.monotonic().saturating_add(within);
        let blocks = self.link.as_ref().is_some_and(|link| link.t1.is_some());
        if blocks {
            let engine = self.ready_t1(deadline).await?;
            let prologue = engine.start_unseen(length).ok_or(PinEntryError::Blocks)?;
            // bTeoPrologue stands before the command (CCID §6.1.11).
            let at = block.len().saturating_sub(length);
            let (head, _) = block.split_at_mut(at);
            if let Some(place) = head.last_chunk_mut::<3>() {
                *place = prologue;
            }
        }
        let done = self.command(&Command::Secure(&block), within).await;
        let own = match &done {
            Err(CcidError::Refused { code, .. }) if *code == CANCELLED => Some(Entered::Cancelled),
            Err(CcidError::Refused { code, .. }) if *code == TIMED_OUT => Some(Entered::TimedOut),
            Ok(done) => words_of(&done.data),
            Err(_) => None,
        };
        if let Some(own) = own {
            // Nothing went to the card, so its numbers and ours are as before.
            return Ok(own);
        }
        let answer = match blocks {
            false => done?.data,
            true if done.as_ref().is_ok_and(|d| d.data.len() > STATUS_BLOCK_MAX) => {
                return Err(PinEntryError::Leak);
            }
            true => {
                let step = self.heard_t1(&done)?;
                self.run_t1(step, deadline).await?
            }
        };
        match *answer.as_slice() {
            [sw1, sw2] => Ok(Entered::Status(Sw(u16::from_be_bytes([sw1, sw2])))),
            [] | [_] => Err(PinEntryError::Reader(CcidError::NoStatusWord)),
            _ => Err(PinEntryError::Leak),
        }
    }
}

/// The reader's own words, PC/SC part 10 §2.5.
fn words_of(answer: &[u8]) -> Option<Entered> {
    match *answer {
        [0x64, 0x00] => Some(Entered::TimedOut),
        [0x64, 0x01] => Some(Entered::Cancelled),
        [0x64, 0x02] => Some(Entered::Mismatch),
        [0x64, 0x03] => Some(Entered::WrongSize),
        _ => None,
    }
}

/// The rules with a time-out that ends before the caller's.
fn in_time(rules: &PinRules, within: Duration) -> Result<PinRules, BadRules> {
    let seconds = within.saturating_sub(MARGIN).as_secs();
    let most = u8::try_from(seconds).unwrap_or(TIMEOUT_S_MAX);
    if most == 0 {
        return Err(BadRules::Time);
    }
    Ok(PinRules {
        timeout_s: rules.timeout_s.min(most),
        ..*rules
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_pads_names_models_and_nothing_else() {
        let text = "[[pad]]\nvendor = \"0783\"\nproduct = \"0010\"\nrelease_min = \"0110\"";
        let pads = Pads::from_toml(text).unwrap();
        let pad = Pad {
            vendor: 0x0783,
            product: 0x0010,
            release_min: 0x0110,
        };
        assert_eq!(pads, Pads(vec![pad]));
        assert_eq!(Pads::from_toml("").unwrap(), Pads::default());
        for bad in ["0x783", "783", "+783", "07830"] {
            let bad = text.replace("0783", bad);
            assert!(matches!(Pads::from_toml(&bad), Err(PadsError::File(_))));
        }
        let many = format!("{text}\n").repeat(17);
        assert_eq!(Pads::from_toml(&many), Err(PadsError::Many));
    }
}
