//! FTDI FT232B/R, FT-X, FT2232 to FT4232 and FT232H.
//!
//! The chip's clock is divided in eighths. Every packet it sends, also an empty one,
//! begins with two status bytes; a transfer of several packets has them in each.
//! Nothing to say is two status bytes every latency period. Called by
//! [`super::Bridge`].

use super::wire::{VENDOR_OUT, Wire};
use crate::transport::{DeviceInfo, Transport, UsbError};

const RESET: u8 = 0;
const MODEM_CONTROL: u8 = 1;
const SET_FLOW: u8 = 2;
const SET_BAUD: u8 = 3;
const SET_DATA: u8 = 4;
const SET_LATENCY: u8 = 9;

const RESET_ALL: u16 = 0;
const PURGE_RX: u16 = 1;
const PURGE_TX: u16 = 2;
/// Eight data bits, no parity, one stop bit.
const EIGHT_N_ONE: u16 = 0x0008;
/// Both lines on, and both are meant.
const DTR_RTS: u16 = 0x0303;
/// Milliseconds after which a packet that is not full is sent; 16 when not set, which
/// every answer would have to wait for.
const LATENCY_MS: u16 = 2;

/// Packets of one transfer: the chip always ends it with a short one.
pub(super) const PACKETS: usize = 8;
/// Status bytes at the head of each packet.
const STATUS: usize = 2;
/// Second status byte: overrun, parity, framing, break, FIFO error.
const LINE_ERRORS: u8 = 0x02 | 0x04 | 0x08 | 0x10 | 0x80;

/// First release number of the high-speed parts, and the one after their last.
const HIGH_SPEED: std::ops::Range<u16> = 0x0700..0x1000;

/// How eighths are written in bits 14 and up.
const EIGHTHS: [u32; 8] = [0, 3, 2, 4, 1, 5, 6, 7];
/// In front of a divisor of the fast clock.
const FAST_CLOCK: u32 = 0x0002_0000;
/// Below it a high-speed part uses the slow clock.
const FAST_CLOCK_FROM: u32 = 1_200;

/// Divisor of `baud`, 17 or 18 bits.
fn divisor(baud: u32, high_speed: bool) -> u32 {
    let fast = high_speed && baud >= FAST_CLOCK_FROM;
    let eighths_per_s: u32 = if fast { 96_000_000 } else { 24_000_000 };
    let half = baud / 2;
    let rounded = eighths_per_s.saturating_add(half).checked_div(baud);
    let eighths = rounded.unwrap_or(u32::MAX).min((1 << 17) - 1);
    let fraction = usize::try_from(eighths & 7).unwrap_or(0);
    let code = EIGHTHS.get(fraction).copied().unwrap_or(0);
    let divisor = match (eighths >> 3) | (code << 14) {
        // 3 Mbit/s and 2 Mbit/s have words of their own.
        1 => 0,
        0x4001 => 1,
        other => other,
    };
    if fast { divisor | FAST_CLOCK } else { divisor }
}

/// The bytes of a transfer without the two status bytes of each of its packets.
/// Line errors are told in the log only: the protocol above has its own sums.
pub(super) fn strip(transfer: &[u8], packet: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(transfer.len());
    let mut errors = 0;
    for packet in transfer.chunks(packet.max(STATUS)) {
        if let Some(([_, line], data)) = packet.split_first_chunk::<STATUS>() {
            errors |= line & LINE_ERRORS;
            bytes.extend_from_slice(data);
        }
    }
    if errors != 0 && !bytes.is_empty() {
        tracing::debug!(errors, "the serial line is disturbed, or at another rate");
    }
    bytes
}

/// Which part, and whether it was set up.
#[derive(Debug)]
pub(super) struct Ftdi {
    high_speed: bool,
    /// 0 on parts with one port, 1 (A) on others: only the first is used.
    port: u16,
    ready: bool,
}

impl Ftdi {
    pub(super) fn of(info: &DeviceInfo) -> Self {
        let ports = info.interfaces.iter().filter(|i| i.alternate == 0).count();
        Self {
            high_speed: HIGH_SPEED.contains(&info.release),
            port: u16::from(ports > 1),
            ready: false,
        }
    }

    /// wValue and wIndex of a rate.
    fn rate(&self, baud: u32) -> (u16, u16) {
        let divisor = divisor(baud, self.high_speed);
        let [b0, b1, b2, _] = divisor.to_le_bytes();
        let high = u16::from(b2);
        let index = if self.high_speed || self.port > 0 {
            (high << 8) | self.port
        } else {
            high
        };
        (u16::from_le_bytes([b0, b1]), index)
    }

    pub(super) async fn set_line(
        &mut self,
        wire: &Wire<impl Transport>,
        baud: u32,
    ) -> Result<(), UsbError> {
        let port = self.port;
        let told = |request: u8, value: u16| wire.tell((VENDOR_OUT, request), (value, port), &[]);
        if !self.ready {
            told(RESET, RESET_ALL).await?;
            told(SET_LATENCY, LATENCY_MS).await?;
            told(SET_DATA, EIGHT_N_ONE).await?;
            told(SET_FLOW, 0).await?;
            told(MODEM_CONTROL, DTR_RTS).await?;
        }
        wire.tell((VENDOR_OUT, SET_BAUD), self.rate(baud), &[])
            .await?;
        told(RESET, PURGE_RX).await?;
        told(RESET, PURGE_TX).await?;
        self.ready = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(high_speed: bool, port: u16) -> Ftdi {
        Ftdi {
            high_speed,
            port,
            ready: false,
        }
    }

    /// Divisors as AN232B-05 and other drivers give them.
    #[test]
    fn the_divisor_of_every_usual_rate_is_the_published_one() {
        for (baud, slow, fast) in [
            (9_600, 0x4138, 0x204E2),
            (19_200, 0x809C, 0x20271),
            (38_400, 0xC04E, 0x24138),
            (57_600, 0xC034, 0x300D0),
            (115_200, 0x001A, 0x2C068),
            (230_400, 0x000D, 0x2C034),
            (460_800, 0x4006, 0x2001A),
            (921_600, 0x8003, 0x2000D),
        ] {
            assert_eq!(divisor(baud, false), slow, "{baud}");
            assert_eq!(divisor(baud, true), fast, "{baud}");
            assert_eq!(part(false, 0).rate(baud), (u16::try_from(slow).unwrap(), 0));
        }
        assert_eq!(divisor(3_000_000, false), 0);
        assert_eq!(divisor(2_000_000, false), 1);
    }

    #[test]
    fn parts_with_several_ports_take_the_port_in_the_low_byte() {
        assert_eq!(part(true, 1).rate(57_600), (0x00D0, 0x0301));
        assert_eq!(part(false, 1).rate(57_600), (0xC034, 0x0001));
        assert_eq!(part(true, 0).rate(115_200), (0xC068, 0x0200));
    }

    #[test]
    fn two_status_bytes_go_off_each_packet_and_not_off_each_transfer() {
        let mut transfer = vec![0x01, 0x60];
        transfer.extend([b'a'; 62]);
        transfer.extend([0x01, 0x62, b'b', b'c']);
        let mut expected = vec![b'a'; 62];
        expected.extend([b'b', b'c']);
        assert_eq!(strip(&transfer, 64), expected);
        // Idle, with an error or without, and what no chip sends.
        for idle in [&[0x01, 0x60][..], &[0x01, 0x8E], &[0x01], &[]] {
            assert_eq!(strip(idle, 64), Vec::<u8>::new());
        }
        assert_eq!(strip(&[1, 2, 3], 0), Vec::<u8>::new());
    }
}
