//! Drivers: one file per model or family.
//!
//! Straight async code over [`crate::transport::Transport`], every wait bounded
//! by what the caller passes; the parsers under them are sans-I/O state machines
//! that take bytes and give events. Refuses to guess: a device is believed only
//! after its own hello. Called by the kiosk's device host and by
//! `counterfoil-devices probe`.

pub mod ccid;
pub mod completion;
pub mod ef01;
pub mod escp2;
pub mod escpos;
pub mod finger;
pub mod form_layout;
pub mod form_printer;
pub mod form_station;
pub mod numbered;
pub mod pboc;
pub mod pin_pad;
pub mod pr2;
pub mod printer_class;
pub mod receipt_printer;
pub mod recognition;
pub mod sdt;
pub mod serial;
mod slip_pipe;
pub mod slip_station;
pub mod uru4000;

#[cfg(test)]
pub(crate) mod puppet;
#[cfg(test)]
pub(crate) mod sample;

use std::fmt;
use std::time::Duration;

use counterfoil_data::seam::SharedClock;

use crate::transport::{DeviceInfo, Transport, UsbError};

/// What a device is for at the kiosk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// ID-card reader (居民身份证阅读器).
    IdReader,
    /// Chip-card reader for settlement cards (单位结算卡).
    CardReader,
    /// Fingerprint sensor.
    Finger,
    /// PIN pad (密码键盘).
    PinPad,
    /// Receipt printer.
    ReceiptPrinter,
    /// Form printer with cassettes (票据打印机).
    FormPrinter,
}

impl Role {
    /// Every role a kiosk needs.
    pub const ALL: [Self; 6] = [
        Self::IdReader,
        Self::CardReader,
        Self::Finger,
        Self::PinPad,
        Self::ReceiptPrinter,
        Self::FormPrinter,
    ];

    /// Its name at the desk and in configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::IdReader => "id-reader",
            Self::CardReader => "card-reader",
            Self::Finger => "finger",
            Self::PinPad => "pin-pad",
            Self::ReceiptPrinter => "receipt-printer",
            Self::FormPrinter => "form-printer",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

type Matches = fn(&DeviceInfo) -> bool;

/// Which driver recognises what, the most particular first.
const TABLE: &[(Matches, Role)] = &[
    (sdt::matches, Role::IdReader),
    (pin_pad::matches, Role::PinPad),
    (ccid::matches, Role::CardReader),
    (finger::matches, Role::Finger),
    (form_printer::matches, Role::FormPrinter),
    (escp2::matches, Role::FormPrinter),
    (pr2::matches, Role::FormPrinter),
    (slip_station::matches, Role::FormPrinter),
    (receipt_printer::matches, Role::ReceiptPrinter),
];

/// The role of a device by its descriptors; the driver's hello must confirm it.
pub fn role_of(info: &DeviceInfo) -> Option<Role> {
    TABLE
        .iter()
        .find(|(matches, _)| matches(info))
        .map(|(_, role)| *role)
}

/// Writes all bytes until `deadline` (monotonic time), going on from where a
/// partial write stopped. A write that takes nothing is a timeout.
async fn send(
    usb: &impl Transport,
    clock: &SharedClock,
    endpoint: u8,
    bytes: &[u8],
    deadline: Duration,
) -> Result<(), UsbError> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let left = deadline.saturating_sub(clock.monotonic());
        match usb.write(endpoint, rest, left).await? {
            0 => return Err(UsbError::Timeout),
            taken => rest = rest.get(taken..).unwrap_or_default(),
        }
    }
    Ok(())
}

/// Bytes of one transfer that is thrown away: whole packets of any bus speed.
const DRAIN_AT_ONCE: usize = 1024;
/// Transfers thrown away by one [`drain`] at most.
const DRAINED_MAX: u32 = 64;

/// Throws away what an earlier opening left in an IN pipe, until nothing comes for
/// `quiet`. The tail of an answer is no frame of its own: whoever read it as one would
/// be out of step from the first byte.
async fn drain(usb: &impl Transport, endpoint: u8, quiet: Duration) -> Result<(), UsbError> {
    for _ in 0..DRAINED_MAX {
        match usb.read(endpoint, DRAIN_AT_ONCE, quiet).await {
            Ok(_) | Err(UsbError::Overflow) => {}
            Err(UsbError::Timeout) => return Ok(()),
            Err(UsbError::Stall) => unhalt(usb, endpoint).await?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Takes the halt off an endpoint that stalled; no read may be posted there.
async fn unhalt(usb: &impl Transport, endpoint: u8) -> Result<(), UsbError> {
    if endpoint & 0x80 != 0 {
        usb.stop_in(endpoint).await?;
    }
    usb.clear_halt(endpoint).await
}
