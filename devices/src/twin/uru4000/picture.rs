//! What the sensor sees and how it puts it on the cable.
//!
//! Written from what is published of the reader, with its own arithmetic, so that an
//! error of the driver's decoder is not mirrored here.

use counterfoil_finger::Image;

pub(crate) const WIDTH: usize = 384;
pub(crate) const HEIGHT: usize = 290;
/// The empty glass before the picture is turned to light on dark.
const GLASS: u8 = 235;

/// Flags and rows, one of every kind: encrypted, plain, not sent, plain without moving
/// the key, and a change of the key.
pub(super) const BLOCKS: &[(u8, u8)] = &[
    (0x02, 72),
    (0x00, 1),
    (0x02, 49),
    (0x01, 1),
    (0x04, 2),
    (0x82, 49),
    (0x00, 1),
    (0x02, 115),
];

/// The key of a number: the reader's secret.
pub(crate) fn key(number: u8) -> u32 {
    0x5444_09D6_u32.wrapping_add(u32::from(number).wrapping_mul(0x0101_6A3B))
}

/// An empty window as the sensor sees it.
pub(super) fn glass() -> Vec<u8> {
    vec![!GLASS; WIDTH.saturating_mul(HEIGHT)]
}

/// A print of 500 dpi in the middle of a window of 512 dpi, light on dark and standing
/// on its head.
pub(super) fn view(image: &Image) -> Vec<u8> {
    let (width, height) = (i64::from(image.width()), i64::from(image.height()));
    let pixel = |x: i64, y: i64| -> i64 {
        let inside = (0..width).contains(&x) && (0..height).contains(&y);
        let at = y.saturating_mul(width).saturating_add(x);
        let at = usize::try_from(at).ok().filter(|_| inside);
        let grey = at.and_then(|at| image.pixels().get(at));
        i64::from(grey.copied().unwrap_or(GLASS))
    };
    // 256ths of a pixel of the print for each pixel of the window, from its middle.
    let place = |at: usize, of: usize, long: i64| -> i64 {
        let at = i64::try_from(at).unwrap_or(0).saturating_mul(2);
        let from_middle = at.saturating_sub(i64::try_from(of).unwrap_or(0));
        let there = from_middle.saturating_mul(250).saturating_mul(256) / 512;
        there.saturating_add(long.saturating_mul(128))
    };
    let mut seen = Vec::with_capacity(WIDTH.saturating_mul(HEIGHT));
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            let (u, v) = (place(x, WIDTH, width), place(y, HEIGHT, height));
            let (right, down) = (u & 255, v & 255);
            let (left, up) = (256_i64.saturating_sub(right), 256_i64.saturating_sub(down));
            let (u, v) = (u >> 8, v >> 8);
            let row = |v: i64| {
                let here = pixel(u, v).saturating_mul(left);
                here.saturating_add(pixel(u.saturating_add(1), v).saturating_mul(right))
            };
            let below = row(v.saturating_add(1)).saturating_mul(down);
            let grey = row(v).saturating_mul(up).saturating_add(below) >> 16;
            seen.push(!u8::try_from(grey).unwrap_or(GLASS));
        }
    }
    seen.reverse();
    seen
}

/// One bit after the other out of a register of 32.
struct Register(u32);

impl Register {
    fn byte(&self) -> u8 {
        let bit = |at: u32| u8::from(self.0.wrapping_shr(at) % 2 == 1);
        bit(4)
            | bit(8) << 1
            | bit(11) << 2
            | bit(14) << 3
            | bit(18) << 4
            | bit(21) << 5
            | bit(24) << 6
            | bit(29) << 7
    }

    fn step(&mut self) {
        // Taps of 9248144Dh, written out.
        let taps = [0, 2, 3, 6, 10, 12, 19, 22, 25, 28, 31];
        let parity = taps.iter().fold(0, |sum, at| sum ^ (self.0 >> at));
        self.0 = (self.0 >> 1) | ((parity & 1) << 31);
    }
}

/// A view as the reader sends it: header, then the rows that are sent.
pub(crate) fn transfer(view: &[u8], blocks: &[(u8, u8)], number: u8) -> Vec<u8> {
    let sent = blocks.iter().filter(|(flags, _)| flags & 1 == 0);
    let lines = sent.fold(0_u16, |sum, (_, rows)| sum.saturating_add(u16::from(*rows)));
    let mut bytes = vec![0x10, 0x40, 0x80, 0x01];
    bytes.extend(lines.to_le_bytes());
    bytes.push(number);
    bytes.resize(16, 0);
    bytes.extend(blocks.iter().flat_map(|(flags, rows)| [*flags, *rows]));
    bytes.extend([0, 0]);
    bytes.resize(64, 0x5A);
    let mut number = number;
    let mut register = Register(key(number));
    let mut rows = view.chunks(WIDTH);
    for (flags, count) in blocks {
        let block: Vec<u8> = rows
            .by_ref()
            .take(usize::from(*count))
            .flatten()
            .copied()
            .collect();
        if flags & 0x80 != 0 {
            number = number.wrapping_add(1);
            register = Register(key(number));
        }
        if flags & 2 != 0 {
            // Each byte goes where the next one was, the first place is nobody's.
            let mut place = 0xC5;
            for byte in &block {
                bytes.push(place);
                place = byte ^ register.byte();
                register.step();
            }
            continue;
        }
        if flags & 1 == 0 {
            bytes.extend_from_slice(&block);
        }
        if flags & 4 == 0 {
            block.iter().for_each(|_| register.step());
        }
    }
    bytes
}
