//! The kiosk's form printer, whichever family it is of: by configuration, else by
//! its descriptors.
//!
//! Owns the choice and the settings of every family; the acts are the families' own.
//! What a family has no mechanism for is [`PrintFault::Unsupported`], never
//! pretended. Called by the kiosk's device host and by `counterfoil-devices probe`.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use counterfoil_data::bill::BillNumber;
use counterfoil_data::form::{FormTemplate, Offset};
use counterfoil_data::ids::SlotId;
use counterfoil_data::seam::{Entropy, SharedClock};
use counterfoil_data::wire::confirm::ConfirmText;
use counterfoil_data::wire::sale::PrintJob;
use serde::{Deserialize, Deserializer};

use super::escp2::{self, Escp2Printer, Escp2Settings, Insertion, Presence, TextMode};
use super::escpos::fault::PrintFault;
use super::escpos::link::LinkError;
use super::form_printer::{
    Diverted, FeedError, FormPrinter, FormPrinterStatus, PrintOutcome, ReadError, Retraction,
    Taking,
};
use super::numbered::Readback;
use super::pr2::{self, Codes, Pr2Printer, Pr2Settings, Steps};
use super::slip_station::{self, SlipModel, SlipSettings, SlipStation};
use super::{Role, role_of};
use crate::transport::{DeviceInfo, Transport};

/// Families of form printers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// Cassettes, number reader and presenter.
    Cassettes,
    /// 24 pins (ESC/P2), fed by hand.
    Escp2,
    /// Olivetti PR2 emulation, fed by hand.
    Pr2,
    /// ESC/POS slip station, fed by hand.
    SlipStation,
}

/// A device's ids, written `04b8:0202`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsbIds {
    /// idVendor.
    pub vendor: u16,
    /// idProduct.
    pub product: u16,
}

/// Not two times four hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a device is named by its ids, four hex digits each, for example 04b8:0202")]
pub struct UsbIdsError;

impl FromStr for UsbIds {
    type Err = UsbIdsError;

    fn from_str(text: &str) -> Result<Self, UsbIdsError> {
        let (vendor, product) = text.split_once(':').ok_or(UsbIdsError)?;
        let id = |digits: &str| {
            let lawful = digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_hexdigit());
            let value = u16::from_str_radix(digits, 16).ok().filter(|_| lawful);
            value.ok_or(UsbIdsError)
        };
        Ok(Self {
            vendor: id(vendor)?,
            product: id(product)?,
        })
    }
}

impl fmt::Display for UsbIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04x}:{:04x}", self.vendor, self.product)
    }
}

impl<'de> Deserialize<'de> for UsbIds {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The table `form_printer` of a kiosk's configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormSettings {
    /// Which device it is; by its descriptors where nothing is said.
    pub device: Option<UsbIds>,
    /// What it speaks; by its descriptors where nothing is said.
    pub family: Option<Family>,
    /// Who reads a number that the printer cannot. Default `none`: no numbered form
    /// is fed then.
    #[serde(default)]
    pub number: Readback,
    /// Whose sensor bits a slip station has. Default `tm-h5000ii`.
    #[serde(default)]
    pub slip: SlipModel,
    /// What tells that a form lies in a 24-pin printer. Default `port`.
    #[serde(default)]
    pub presence: Presence,
    /// How a form comes into a 24-pin printer. Default `by-itself`.
    #[serde(default)]
    pub insertion: Insertion,
    /// How a 24-pin printer prints hanzi. Default `picture`.
    #[serde(default)]
    pub text: TextMode,
    /// Vertical steps an inch of a PR2's setup, `240` or `216`. Default `240`.
    #[serde(default)]
    pub steps: Steps,
    /// What the answers of a PR2 mean, learnt at commissioning.
    #[serde(default)]
    pub codes: Codes,
    /// By slot, in 0.1 mm, what its calibration page showed.
    #[serde(default)]
    pub offsets: BTreeMap<SlotId, Offset>,
}

impl FormSettings {
    /// The role of a device: as configured, else as every driver recognises it.
    pub fn role_of(&self, info: &DeviceInfo) -> Option<Role> {
        match self.device {
            None => role_of(info),
            Some(ids) if (ids.vendor, ids.product) == (info.vendor, info.product) => {
                Some(Role::FormPrinter)
            }
            // Another one that looks like a form printer is not the one meant.
            Some(_) => role_of(info).filter(|role| *role != Role::FormPrinter),
        }
    }

    fn family_of(&self, info: &DeviceInfo) -> Family {
        self.family.unwrap_or(if escp2::matches(info) {
            Family::Escp2
        } else if pr2::matches(info) {
            Family::Pr2
        } else if slip_station::matches(info) {
            Family::SlipStation
        } else {
            Family::Cassettes
        })
    }
}

/// An open form printer of any family.
pub enum FormStation<T> {
    /// Cassettes, reader and presenter.
    Cassettes(Box<FormPrinter<T>>),
    /// 24 pins, fed by hand.
    Escp2(Box<Escp2Printer<T>>),
    /// PR2 emulation, fed by hand.
    Pr2(Box<Pr2Printer<T>>),
    /// ESC/POS slip station, fed by hand.
    Slip(Box<SlipStation<T>>),
}

impl<T: Transport> FormStation<T> {
    /// Opens it as its driver does.
    pub async fn open(
        transport: T,
        clock: SharedClock,
        entropy: &dyn Entropy,
        settings: &FormSettings,
    ) -> Result<Self, LinkError> {
        let offsets = settings.offsets.clone();
        match settings.family_of(transport.info()) {
            Family::Cassettes => {
                let printer = FormPrinter::open(transport, clock, entropy).await?;
                Ok(Self::Cassettes(Box::new(printer.with_offsets(offsets))))
            }
            Family::Escp2 => {
                let settings = Escp2Settings {
                    number: settings.number,
                    presence: settings.presence,
                    insertion: settings.insertion,
                    text: settings.text,
                    offsets,
                };
                let printer = Escp2Printer::open(transport, clock, settings).await?;
                Ok(Self::Escp2(Box::new(printer)))
            }
            Family::Pr2 => {
                let settings = Pr2Settings {
                    number: settings.number,
                    codes: settings.codes.clone(),
                    steps: settings.steps,
                    offsets,
                };
                let printer = Pr2Printer::open(transport, clock, settings).await?;
                Ok(Self::Pr2(Box::new(printer)))
            }
            Family::SlipStation => {
                let settings = SlipSettings {
                    number: settings.number,
                    model: settings.slip,
                    offsets,
                };
                let printer = SlipStation::open(transport, clock, settings).await?;
                Ok(Self::Slip(Box::new(printer)))
            }
        }
    }

    /// Whether a person puts every form in and takes it out at the front.
    pub fn fed_by_hand(&self) -> bool {
        !matches!(self, Self::Cassettes(_))
    }

    /// Whether a form may be fed at all: not where nobody reads its number, neither an
    /// operator nor a reader that the printer has.
    pub fn may_feed(&self) -> Result<(), PrintFault> {
        match self {
            Self::Cassettes(_) => Ok(()),
            Self::Escp2(printer) => printer.may_feed(),
            Self::Pr2(printer) => printer.may_feed(),
            Self::Slip(printer) => printer.may_feed(),
        }
    }

    /// What lies where now.
    pub async fn status(&mut self) -> Result<FormPrinterStatus, LinkError> {
        match self {
            Self::Cassettes(printer) => printer.status().await,
            Self::Escp2(printer) => printer.status().await,
            Self::Pr2(printer) => printer.status().await,
            Self::Slip(printer) => printer.status().await,
        }
    }

    /// One blank in: from `slot`, or by a hand.
    pub async fn feed(&mut self, slot: &SlotId, within: Duration) -> Result<(), FeedError> {
        match self {
            Self::Cassettes(printer) => printer.feed(slot, within).await,
            Self::Escp2(printer) => printer.feed(within).await,
            Self::Pr2(printer) => printer.feed(within).await,
            Self::Slip(printer) => printer.feed(within).await,
        }
    }

    /// Its number: read by the printer, or by the operator before.
    pub async fn read_number(&mut self, within: Duration) -> Result<BillNumber, ReadError> {
        match self {
            Self::Cassettes(printer) => printer.read_number(within).await,
            Self::Escp2(printer) => printer.read_number(),
            Self::Pr2(printer) => printer.read_number(),
            Self::Slip(printer) => printer.read_number(within).await,
        }
    }

    /// What an operator read from the form in a printer that cannot.
    pub fn operator_reads(
        &mut self,
        first: BillNumber,
        again: BillNumber,
    ) -> Result<BillNumber, ReadError> {
        match self {
            Self::Cassettes(_) => Err(ReadError::Printer {
                fault: PrintFault::Unsupported,
            }),
            Self::Escp2(printer) => printer.operator_reads(first, again),
            Self::Pr2(printer) => printer.operator_reads(first, again),
            Self::Slip(printer) => printer.operator_reads(first, again),
        }
    }

    /// Whether this printer has the type and the room for a job's texts, found out
    /// without touching it: a blank that is fed for nothing is spoiled.
    ///
    /// # Errors
    /// As [`crate::driver::form_layout::lay_out`], and [`PrintFault::FormNotFound`].
    pub fn can_print(&self, job: &PrintJob) -> Result<(), PrintFault> {
        match self {
            Self::Cassettes(printer) => printer.laid(job).map(drop),
            Self::Escp2(printer) => printer.laid(job).map(drop),
            Self::Pr2(printer) => printer.laid(job).map(drop),
            Self::Slip(printer) => printer.laid(job).map(drop),
        }
    }

    /// Ink, behind the same gates in every family.
    pub async fn print(
        &mut self,
        job: &PrintJob,
        approved: &ConfirmText,
        within: Duration,
    ) -> PrintOutcome {
        match self {
            Self::Cassettes(printer) => printer.print(job, approved, within).await,
            Self::Escp2(printer) => printer.print(job, approved, within).await,
            Self::Pr2(printer) => printer.print(job, approved, within).await,
            Self::Slip(printer) => printer.print(job, approved, within).await,
        }
    }

    /// The calibration page of `template`'s stock on the plain sheet that was fed. A
    /// printer that reads numbers must find none on it first.
    pub async fn calibrate(
        &mut self,
        template: &FormTemplate,
        slot: &SlotId,
        within: Duration,
    ) -> PrintOutcome {
        match self {
            Self::Cassettes(printer) => {
                // Whatever came of the reading, only what it left may be inked.
                let _ = printer.read_number(within).await;
                printer.calibrate(template, slot, within).await
            }
            Self::Escp2(printer) => printer.calibrate(template, slot, within).await,
            Self::Pr2(printer) => printer.calibrate(template, slot, within).await,
            Self::Slip(printer) => printer.calibrate(template, slot, within).await,
        }
    }

    /// Out of the printer, not to the customer.
    pub async fn divert(&mut self, within: Duration) -> Result<Diverted, PrintFault> {
        match self {
            Self::Cassettes(printer) => printer.divert(within).await,
            Self::Escp2(printer) => printer.divert(within).await,
            Self::Pr2(printer) => printer.divert(within).await,
            Self::Slip(printer) => printer.divert(within).await,
        }
    }

    /// The bundle to the customer; the form of a slip station lies at its mouth.
    pub async fn present(&mut self, within: Duration) -> Result<(), PrintFault> {
        match self {
            Self::Cassettes(printer) => printer.present(within).await,
            Self::Slip(printer) => printer.present(),
            Self::Escp2(_) | Self::Pr2(_) => Err(PrintFault::Unsupported),
        }
    }

    /// Whether the customer took it.
    pub async fn wait_taken(&mut self, within: Duration) -> Result<Taking, PrintFault> {
        match self {
            Self::Cassettes(printer) => printer.wait_taken(within).await,
            Self::Slip(printer) => printer.wait_taken(within).await,
            Self::Escp2(_) | Self::Pr2(_) => Err(PrintFault::Unsupported),
        }
    }

    /// The bundle back into the bin.
    pub async fn retract(&mut self, within: Duration) -> Result<Retraction, PrintFault> {
        match self {
            Self::Cassettes(printer) => printer.retract(within).await,
            Self::Escp2(_) | Self::Pr2(_) | Self::Slip(_) => Err(PrintFault::Unsupported),
        }
    }
}

#[cfg(test)]
mod tests;
