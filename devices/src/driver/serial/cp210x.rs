//! Silicon Labs CP2101 to CP2109 (application note AN571).
//!
//! Data go raw, without a header. The rate is given in bit/s; only the first parts
//! (CP2101) want a divisor of 3,686,400. Called by [`super::Bridge`].

use super::wire::{VENDOR_INTERFACE_OUT, Wire};
use crate::transport::{Transport, UsbError};

const IFC_ENABLE: u8 = 0x00;
const SET_BAUDDIV: u8 = 0x01;
const SET_LINE_CTL: u8 = 0x03;
const SET_MHS: u8 = 0x07;
const PURGE: u8 = 0x12;
const SET_FLOW: u8 = 0x13;
const SET_BAUDRATE: u8 = 0x1E;

/// Eight data bits, no parity, one stop bit.
const EIGHT_N_ONE: u16 = 0x0800;
/// Both lines on, and both are meant.
const DTR_RTS: u16 = 0x0303;
/// Both queues, both directions.
const ALL_QUEUES: u16 = 0x000F;
/// No handshake; DTR (byte 0) and RTS (byte 4) are held active.
const FLOW_NONE: [u8; 16] = [1, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
/// What [`SET_BAUDDIV`] divides.
const CLOCK: u32 = 0x0038_4000;

/// The divisor of the oldest parts.
fn divisor(baud: u32) -> u16 {
    let divisor = CLOCK.checked_div(baud).unwrap_or(0);
    u16::try_from(divisor).unwrap_or(u16::MAX)
}

/// Whether its UART was enabled by us.
#[derive(Debug, Default)]
pub(super) struct Cp210x {
    enabled: bool,
}

impl Cp210x {
    pub(super) async fn set_line(
        &mut self,
        wire: &Wire<impl Transport>,
        baud: u32,
    ) -> Result<(), UsbError> {
        let index = wire.ends.interface;
        let told = |request: u8, value: u16, data: &'static [u8]| {
            wire.tell((VENDOR_INTERFACE_OUT, request), (value, index), data)
        };
        if !self.enabled {
            told(IFC_ENABLE, 1, &[]).await?;
            told(SET_LINE_CTL, EIGHT_N_ONE, &[]).await?;
        }
        let rate = (VENDOR_INTERFACE_OUT, SET_BAUDRATE);
        match wire.tell(rate, (0, index), &baud.to_le_bytes()).await {
            Err(UsbError::Stall) => told(SET_BAUDDIV, divisor(baud), &[]).await?,
            other => other?,
        }
        if !self.enabled {
            told(SET_FLOW, 0, &FLOW_NONE).await?;
            told(SET_MHS, DTR_RTS, &[]).await?;
            self.enabled = true;
        }
        told(PURGE, ALL_QUEUES, &[]).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// AN571, SET_BAUDDIV.
    #[test]
    fn the_divisors_of_the_oldest_parts_are_those_of_the_application_note() {
        assert_eq!((divisor(57_600), divisor(115_200)), (0x40, 0x20));
        assert_eq!(divisor(0), 0);
    }
}
