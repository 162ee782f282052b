//! Twins of USB serial bridges: the chip between the cable and a module's line.
//!
//! Owns what each chip wants before it carries anything, how it makes a rate of the
//! words it is given, and how its packets look. Refuses as the chips do: a request that
//! is not known or malformed stalls; a line that is not set up, or not 8N1, or waiting
//! for a handshake nobody gives, carries nothing. Each is written from the makers' notes
//! with its own arithmetic. Called by [`super::finger_module`].

mod cdc_acm;
mod ch340;
mod cp210x;
mod ftdi;
mod pl2303;

use std::str::FromStr;
use std::time::Duration;

use super::{ControlReply, DeskError};
use crate::transport::{DeviceInfo, EndpointInfo, InterfaceInfo, Setup};

/// Which chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BridgeKind {
    /// WCH CH9102 as the standard class.
    #[default]
    CdcAcm,
    /// Silicon Labs CP2102.
    Cp210x,
    /// WCH CH340.
    Ch340,
    /// FTDI FT232R.
    Ftdi,
    /// Prolific PL2303HX.
    Pl2303,
    /// Prolific PL2303GC, of the HXN family.
    Pl2303Hxn,
}

impl BridgeKind {
    /// Every chip.
    pub const ALL: [Self; 6] = [
        Self::CdcAcm,
        Self::Cp210x,
        Self::Ch340,
        Self::Ftdi,
        Self::Pl2303,
        Self::Pl2303Hxn,
    ];

    /// Its name on a command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::CdcAcm => "cdc-acm",
            Self::Cp210x => "cp210x",
            Self::Ch340 => "ch340",
            Self::Ftdi => "ftdi",
            Self::Pl2303 => "pl2303",
            Self::Pl2303Hxn => "pl2303-hxn",
        }
    }

    pub(super) fn chip(self) -> Box<dyn Chip> {
        match self {
            Self::CdcAcm => Box::new(cdc_acm::CdcAcm::default()),
            Self::Cp210x => Box::new(cp210x::Cp210x::default()),
            Self::Ch340 => Box::new(ch340::Ch340::default()),
            Self::Ftdi => Box::new(ftdi::Ftdi::default()),
            Self::Pl2303 => Box::new(pl2303::Pl2303::new(false)),
            Self::Pl2303Hxn => Box::new(pl2303::Pl2303::new(true)),
        }
    }
}

impl FromStr for BridgeKind {
    type Err = DeskError;

    fn from_str(text: &str) -> Result<Self, DeskError> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == text);
        found.ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|kind| kind.name()).collect();
            DeskError(format!("no such bridge; there are {}", names.join(", ")))
        })
    }
}

/// What is the chip's own.
pub(super) trait Chip {
    /// Numbers and pipes; texts are the twin's.
    fn info(&self) -> DeviceInfo;
    /// A class or vendor request.
    fn control(&mut self, setup: Setup, out: &[u8], len: u16) -> ControlReply;
    /// The real rate of the line in bit/s; `None` while it carries nothing.
    fn line(&self) -> Option<u32>;
    /// Bytes from the host; what goes down the line of them now.
    fn pass(&mut self, bytes: &[u8]) -> Vec<u8> {
        bytes.to_vec()
    }
    /// Bytes of the line in one IN packet.
    fn room(&self) -> usize {
        64
    }
    /// Whether only full packets are forwarded.
    fn only_full(&self) -> bool {
        false
    }
    /// How long a packet that is not full waits for more, and after how long of
    /// nothing an idle packet is sent; `None` = at once, and never.
    fn latency(&self) -> Option<Duration> {
        None
    }
    /// A packet around bytes of the line; `broken` = stop bits were not where they
    /// should be.
    fn wrap(&self, bytes: &[u8], broken: bool) -> Vec<u8> {
        let _ = broken;
        bytes.to_vec()
    }
    /// Whether the last request dropped what was still to be read; once.
    fn dropped(&mut self) -> bool {
        false
    }
    /// The host let go.
    fn reset(&mut self);
}

fn end(address: u8, kind: u8, max_packet: u16) -> EndpointInfo {
    EndpointInfo {
        address,
        kind,
        max_packet,
        interval: u8::from(kind == 3),
    }
}

/// Descriptors of a chip that has one vendor interface.
fn vendor_info(numbers: (u16, u16, u16), class: [u8; 3], ends: Vec<EndpointInfo>) -> DeviceInfo {
    let (vendor, product, release) = numbers;
    let [class, subclass, protocol] = class;
    let interface = InterfaceInfo {
        number: 0,
        alternate: 0,
        class,
        subclass,
        protocol,
        endpoints: ends,
        extra: Vec::new(),
    };
    bare(vendor, product, release, vec![interface])
}

fn bare(vendor: u16, product: u16, release: u16, interfaces: Vec<InterfaceInfo>) -> DeviceInfo {
    DeviceInfo {
        path: String::new(),
        vendor,
        product,
        release,
        class: 0,
        manufacturer: String::new(),
        name: String::new(),
        serial: String::new(),
        interfaces,
    }
}

/// Done, nothing to return.
fn done() -> ControlReply {
    ControlReply::Data(Vec::new())
}

/// Bytes of an IN stage.
fn give(mut bytes: Vec<u8>, len: u16) -> ControlReply {
    bytes.truncate(usize::from(len));
    ControlReply::Data(bytes)
}

/// Both DTR and RTS are needed: boards switch their module's supply by them.
fn raised(lines: u16) -> bool {
    lines & 3 == 3
}

#[cfg(test)]
mod tests;
