//! What the answers of one model mean: no public manual says, so they are learnt on
//! the device and configured.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::driver::escpos::fault::PrintFault;

/// What a status code means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Nothing is wrong.
    Ready,
    /// A document is jammed.
    Jammed,
    /// The cover is open.
    CoverOpen,
    /// The ribbon is used up.
    RibbonOut,
    /// Off-line.
    Offline,
    /// Anything else that stops it.
    Fault,
}

impl State {
    /// What stops the printer, if anything.
    pub(super) fn fault(self) -> Option<PrintFault> {
        match self {
            Self::Ready => None,
            Self::Jammed => Some(PrintFault::MediaJammed),
            Self::CoverOpen => Some(PrintFault::CoverOpen),
            Self::RibbonOut => Some(PrintFault::InkOut),
            Self::Offline => Some(PrintFault::Offline),
            Self::Fault => Some(PrintFault::HardwareError),
        }
    }
}

/// What a position code means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Position {
    /// No document.
    Absent,
    /// At the entry, not taken in.
    Entry,
    /// In the printer.
    Inside,
}

/// The codes of one model, learnt on the device.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Codes {
    /// The x of `ESC r x`.
    #[serde(default)]
    pub status: BTreeMap<char, State>,
    /// The m of `ESC B id m ESC Z`.
    #[serde(default)]
    pub position: BTreeMap<char, Position>,
}
