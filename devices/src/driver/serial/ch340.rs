//! WCH CH340 and CH341.
//!
//! A 48 MHz clock is divided by 2^(12 - 3 ps - fact) and by `div`. Three registers are
//! all there is: the rate, the line and, inverted, DTR and RTS. Called by
//! [`super::Bridge`].

use super::wire::{VENDOR_IN, VENDOR_OUT, Wire};
use crate::transport::{Transport, UsbError};

const READ_VERSION: u8 = 0x5F;
const READ_REGISTER: u8 = 0x95;
const WRITE_REGISTER: u8 = 0x9A;
const SERIAL_INIT: u8 = 0xA1;
const MODEM_CONTROL: u8 = 0xA4;

/// Prescaler and divisor registers, written as a pair.
const RATE: u16 = 0x1312;
/// Line-control register; its second half is always 0.
const LINE: u16 = 0x2518;
/// The break register: parts whose prescaler is limited stall this read.
const BREAK: u16 = 0x0005;
/// Receiver and transmitter on, eight data bits, no parity, one stop bit.
const EIGHT_N_ONE: u16 = 0x00C3;
/// DTR (20h) and RTS (40h) on: the bits are inverted.
const DTR_RTS: u16 = 0xFF9F;
/// Above this version bit 7 sends packets at once instead of when they are full.
const BUFFERED: u8 = 0x27;
/// Below this version the line is 8N1 and there is no line-control register.
const LINE_CONTROL: u8 = 0x30;
const AT_ONCE: u16 = 0x80;

const CLOCK: u64 = 48_000_000;

/// Divisor and prescaler of the rate nearest to `baud`, without bit 7; `limited` parts
/// halve their base clock only with the smallest prescaler. `None` = out of reach.
fn rate(baud: u32, limited: bool) -> Option<u16> {
    let wanted = u64::from(baud);
    let mut best: Option<(u64, u16)> = None;
    // Equally near: the faster prescaler, and its halved clock (fact 0), which the
    // receiver tolerates better.
    for ps in (0..=3_u16).rev() {
        for fact in 0..=1_u16 {
            if fact == 1 && limited && ps < 3 {
                continue;
            }
            let shift = 12_u16.saturating_sub(ps.saturating_mul(3).saturating_add(fact));
            let base = CLOCK >> shift;
            // With the full base clock the chip wants divisors of 9 and more.
            let least = if fact == 1 { 9 } else { 2 };
            let whole = base.checked_div(wanted)?;
            for div in [whole, whole.saturating_add(1)] {
                if !(least..=255).contains(&div) {
                    continue;
                }
                // The real rate is base/div: compared as base against wanted*div, scaled.
                let off = base.abs_diff(wanted.saturating_mul(div));
                let off = off.saturating_mul(1_000_000).checked_div(div)?;
                let off = off.checked_div(wanted)?;
                let div = 256_u16.saturating_sub(u16::try_from(div).unwrap_or(255));
                if best.is_none_or(|(least, _)| off < least) {
                    best = Some((off, (div << 8) | (fact << 2) | ps));
                }
            }
        }
    }
    // Two in a hundred are what a receiver stands.
    best.filter(|(off, _)| *off <= 20_000).map(|(_, word)| word)
}

/// What the chip said of itself.
#[derive(Debug, Clone, Copy)]
struct Part {
    version: u8,
    limited: bool,
}

/// The part, once it was set up.
#[derive(Debug, Default)]
pub(super) struct Ch340 {
    part: Option<Part>,
}

impl Ch340 {
    pub(super) async fn set_line(
        &mut self,
        wire: &Wire<impl Transport>,
        baud: u32,
    ) -> Result<(), UsbError> {
        if let Some(part) = self.part {
            return set_rate(wire, part, baud).await;
        }
        let version = wire.ask((VENDOR_IN, READ_VERSION), (0, 0), 2).await?;
        let Some(&version) = version.first() else {
            return Err(UsbError::Other(
                "the ch340 does not tell its version: plug it in again".into(),
            ));
        };
        wire.tell((VENDOR_OUT, SERIAL_INIT), (0, 0), &[]).await?;
        let limited = match wire.ask((VENDOR_IN, READ_REGISTER), (BREAK, 0), 2).await {
            Ok(_) => false,
            Err(UsbError::Stall) => true,
            Err(error) => return Err(error),
        };
        let part = Part { version, limited };
        set_rate(wire, part, baud).await?;
        let register = (VENDOR_OUT, WRITE_REGISTER);
        if version >= LINE_CONTROL {
            wire.tell(register, (LINE, EIGHT_N_ONE), &[]).await?;
        }
        let modem = (VENDOR_OUT, MODEM_CONTROL);
        wire.tell(modem, (DTR_RTS, 0), &[]).await?;
        self.part = Some(part);
        Ok(())
    }
}

async fn set_rate(wire: &Wire<impl Transport>, part: Part, baud: u32) -> Result<(), UsbError> {
    let Some(word) = rate(baud, part.limited) else {
        return Err(UsbError::Other(format!(
            "the ch340 cannot make a line of {baud} bit/s"
        )));
    };
    let at_once = if part.version > BUFFERED { AT_ONCE } else { 0 };
    let register = (VENDOR_OUT, WRITE_REGISTER);
    wire.tell(register, (RATE, word | at_once), &[]).await
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Divisors as other drivers of the chip and its data sheet give them.
    #[test]
    fn the_divisor_of_every_usual_rate_is_the_published_one() {
        for (baud, word) in [
            (9_600, 0xB282),
            (19_200, 0xD982),
            (38_400, 0x6483),
            (57_600, 0x9883),
            (115_200, 0xCC83),
            (230_400, 0xE683),
            (460_800, 0xF383),
            (921_600, 0xF387),
        ] {
            assert_eq!(rate(baud, false).unwrap() | AT_ONCE, word, "{baud}");
        }
    }

    #[test]
    fn a_limited_prescaler_never_halves_its_clock_below_the_fastest() {
        for baud in 50..3_000 {
            let word = rate(baud * 10, true);
            assert!(
                word.is_none_or(|w| w & 3 == 3 || w & 4 == 0),
                "{baud}: {word:x?}"
            );
        }
    }

    #[test]
    fn rates_out_of_reach_are_refused() {
        assert_eq!((rate(0, false), rate(10, false)), (None, None));
        assert_eq!(rate(5_000_000, false), None);
    }
}
