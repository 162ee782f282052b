//! Serial lines behind USB bridges: what a protocol driver may ask of one.
//!
//! Owns line coding and raw bytes, 8N1 always, and the choice of the bridge by its
//! descriptors. Refuses framing of any kind: the protocol above resynchronises by
//! itself. One file a chip family says how that family is set up; transfers, stalls
//! and empty packets are the same for all. Called by [`super::ef01`].
//!
//! ```text
//!  vendor and product ─► Family ─► Bridge::open ─► set_line: set-up once, then the rate
//! ```

pub mod cdc_acm;
pub mod ch340;
pub mod cp210x;
pub mod ftdi;
pub mod pl2303;

mod wire;

use std::time::Duration;

use counterfoil_data::seam::SharedClock;
use zeroize::Zeroizing;

use self::cdc_acm::CdcAcm;
use self::ch340::Ch340;
use self::cp210x::Cp210x;
use self::ftdi::Ftdi;
use self::pl2303::Pl2303;
use self::wire::Wire;
use crate::transport::{DeviceInfo, Transport, UsbError};

/// Transfers dropped by one purge at most: more than any answer has.
const PURGE_MAX: usize = 2048;
/// Transfers without data that one read passes over at most: an FTDI chip sends one
/// every 2 ms, and no wait here is longer than 8 s.
const EMPTY_MAX: usize = 4096;

/// A serial line.
#[expect(
    async_fn_in_trait,
    reason = "used generically on one thread; futures need not be Send"
)]
pub trait SerialBridge {
    /// The descriptors.
    fn info(&self) -> &DeviceInfo;
    /// Whether there is a line with a rate; a module's own USB port has none.
    fn is_line(&self) -> bool;
    /// Sets the rate in bit/s, 8N1, and raises DTR and RTS.
    async fn set_line(&mut self, baud: u32) -> Result<(), UsbError>;
    /// Sends all bytes.
    async fn write(&mut self, bytes: &[u8], within: Duration) -> Result<(), UsbError>;
    /// The next bytes, at least one; [`UsbError::Timeout`] is silence.
    async fn read(&mut self, within: Duration) -> Result<Vec<u8>, UsbError>;
    /// Drops what is still coming, until the line has been silent for `quiet`;
    /// [`UsbError::Timeout`] when it is not by `deadline` (monotonic time).
    async fn purge(&mut self, quiet: Duration, deadline: Duration) -> Result<(), UsbError>;
}

/// Families of bridges that are set up alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// The standard class: CH9102/CH343 and boards of module makers.
    CdcAcm,
    /// Silicon Labs.
    Cp210x,
    /// WCH CH340 and CH341.
    Ch340,
    /// FTDI FT232 and kin.
    Ftdi,
    /// Prolific.
    Pl2303,
    /// No bridge: a module's own USB port that carries the frames as they are
    /// (MicroArray).
    Native,
}

/// Vendor, products, family.
const IDS: &[(u16, &[u16], Family)] = &[
    (0x1A86, &[0x55D2, 0x55D3, 0x55D4], Family::CdcAcm),
    (0x10C4, &[0xEA60, 0xEA61, 0xEA70, 0xEA71], Family::Cp210x),
    (0x1A86, &[0x7523, 0x5523], Family::Ch340),
    (0x4348, &[0x5523], Family::Ch340),
    (
        0x0403,
        &[0x6001, 0x6010, 0x6011, 0x6014, 0x6015],
        Family::Ftdi,
    ),
    (
        0x067B,
        &[0x2303, 0x23A3, 0x23B3, 0x23C3, 0x23D3, 0x23E3, 0x23F3],
        Family::Pl2303,
    ),
    (0x3274, &[0x8012, 0x8008], Family::Native),
];

/// Vendor and product of every bridge.
pub(super) fn ids() -> impl Iterator<Item = (u16, u16)> {
    let of_one = |(vendor, products, _): &(u16, &'static [u16], Family)| {
        let vendor = *vendor;
        products.iter().map(move |product| (vendor, *product))
    };
    IDS.iter().flat_map(of_one)
}

/// The family of a bridge that is known by its numbers and has the pipes of one.
pub fn known(info: &DeviceInfo) -> Option<Family> {
    let mut all = IDS.iter();
    let ours = |(vendor, products, _): &&(u16, &[u16], Family)| {
        *vendor == info.vendor && products.contains(&info.product)
    };
    let (_, _, family) = all.find(ours)?;
    let pipes = match family {
        Family::CdcAcm => cdc_acm::ends(info),
        _ => wire::vendor_ends(info),
    };
    pipes.map(|_| *family)
}

/// What one family does its own way.
#[derive(Debug)]
enum Chip {
    CdcAcm(CdcAcm),
    Cp210x(Cp210x),
    Ch340(Ch340),
    Ftdi(Ftdi),
    Pl2303(Pl2303),
    Native,
}

/// A bridge of any family; its interfaces are claimed with the device.
pub struct Bridge<T: Transport> {
    wire: Wire<T>,
    chip: Chip,
}

impl<T: Transport> Bridge<T> {
    /// Takes over an opened device; `None` if it is no bridge known by its numbers
    /// and not CDC-ACM either. Nothing is sent before the first
    /// [`SerialBridge::set_line`].
    pub fn open(transport: T, clock: SharedClock) -> Option<Self> {
        let info = transport.info();
        let (ends, chip) = match known(info) {
            None | Some(Family::CdcAcm) => (cdc_acm::ends(info)?, Chip::CdcAcm(CdcAcm)),
            Some(Family::Cp210x) => (wire::vendor_ends(info)?, Chip::Cp210x(Cp210x::default())),
            Some(Family::Ch340) => (wire::vendor_ends(info)?, Chip::Ch340(Ch340::default())),
            Some(Family::Ftdi) => (wire::vendor_ends(info)?, Chip::Ftdi(Ftdi::of(info))),
            Some(Family::Pl2303) => (wire::vendor_ends(info)?, Chip::Pl2303(Pl2303::default())),
            Some(Family::Native) => (wire::vendor_ends(info)?, Chip::Native),
        };
        Some(Self {
            wire: Wire::new(transport, clock, ends),
            chip,
        })
    }

    /// Which family it is of.
    pub fn family(&self) -> Family {
        match self.chip {
            Chip::CdcAcm(_) => Family::CdcAcm,
            Chip::Cp210x(_) => Family::Cp210x,
            Chip::Ch340(_) => Family::Ch340,
            Chip::Ftdi(_) => Family::Ftdi,
            Chip::Pl2303(_) => Family::Pl2303,
            Chip::Native => Family::Native,
        }
    }
}

impl<T: Transport> SerialBridge for Bridge<T> {
    fn info(&self) -> &DeviceInfo {
        self.wire.info()
    }

    fn is_line(&self) -> bool {
        !matches!(self.chip, Chip::Native)
    }

    async fn set_line(&mut self, baud: u32) -> Result<(), UsbError> {
        let wire = &self.wire;
        match &mut self.chip {
            Chip::CdcAcm(chip) => chip.set_line(wire, baud).await,
            Chip::Cp210x(chip) => chip.set_line(wire, baud).await,
            Chip::Ch340(chip) => chip.set_line(wire, baud).await,
            Chip::Ftdi(chip) => chip.set_line(wire, baud).await,
            Chip::Pl2303(chip) => chip.set_line(wire, baud).await,
            Chip::Native => Ok(()),
        }
    }

    async fn write(&mut self, bytes: &[u8], within: Duration) -> Result<(), UsbError> {
        // Only CDC-ACM holds back what a full last packet leaves unfinished.
        let ended = matches!(self.chip, Chip::CdcAcm(_));
        self.wire.write(bytes, ended, within).await
    }

    async fn read(&mut self, within: Duration) -> Result<Vec<u8>, UsbError> {
        let deadline = self.wire.deadline(within);
        let packets = match self.chip {
            Chip::Ftdi(_) => ftdi::PACKETS,
            // One packet at a time: a longer transfer would wait for a short packet
            // that a full last packet never sends.
            _ => 1,
        };
        let mut stalled = false;
        for _ in 0..EMPTY_MAX {
            let bytes = match self.wire.read(packets, deadline).await {
                Ok(bytes) => bytes,
                Err(UsbError::Stall) if !stalled => {
                    stalled = true;
                    self.wire.unhalt_in().await?;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let bytes = match self.chip {
                Chip::Ftdi(_) => ftdi::strip(&Zeroizing::new(bytes), self.wire.packet_in()),
                _ => bytes,
            };
            if !bytes.is_empty() {
                return Ok(bytes);
            }
            if self.wire.is_over(deadline) {
                break;
            }
        }
        Err(UsbError::Timeout)
    }

    async fn purge(&mut self, quiet: Duration, deadline: Duration) -> Result<(), UsbError> {
        for _ in 0..PURGE_MAX {
            if self.wire.is_over(deadline) {
                break;
            }
            match self.read(quiet).await {
                Ok(dropped) => drop(Zeroizing::new(dropped)),
                Err(UsbError::Timeout) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Err(UsbError::Timeout)
    }
}

#[cfg(test)]
mod tests;
