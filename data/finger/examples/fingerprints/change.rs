//! Disturbs a print the way sensors, cables and settings do, to see what the engine bears.
//!
//! Owns the disturbances. The picture keeps its size, as a sensor's window does: what is turned or
//! moved out of it is lost, and what comes in is background.

use std::str::FromStr;

/// A disturbance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Turned clockwise about the middle, degrees.
    Turn(i16),
    /// Moved to the right, pixels.
    Shift(i16),
    /// What a module with 4 bits a pixel sends, `(v >> 4) * 17`.
    FourBit,
    /// A fifth of the contrast, light.
    Faint,
    /// A fifth of the contrast, dark.
    Dark,
    /// Ridges light, valleys dark.
    Invert,
}

/// The words [`Change`] is parsed from.
pub const WORDS: &str = "turnDEGREES, shiftPIXELS, four-bit, faint, dark, invert";

impl FromStr for Change {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let number = |prefix: &str| word.strip_prefix(prefix)?.parse::<i16>().ok();
        match word {
            "four-bit" => Ok(Self::FourBit),
            "faint" => Ok(Self::Faint),
            "dark" => Ok(Self::Dark),
            "invert" => Ok(Self::Invert),
            _ => number("turn")
                .map(Self::Turn)
                .or_else(|| number("shift").map(Self::Shift))
                .ok_or_else(|| format!("no change {word:?}, there are: {WORDS}")),
        }
    }
}

impl Change {
    /// The changed pixels, row by row, as many as there were.
    pub fn apply(self, width: usize, pixels: &[u8]) -> Vec<u8> {
        let each = |f: fn(u8) -> u8| pixels.iter().map(|&v| f(v)).collect();
        match self {
            Self::Turn(degrees) => turned(width, pixels, degrees),
            Self::Shift(by) => shifted(width, pixels, by),
            Self::FourBit => each(|v| (v >> 4) * 17),
            Self::Faint => each(|v| 150 + v / 5),
            Self::Dark => each(|v| v / 5),
            Self::Invert => each(|v| 255 - v),
        }
    }
}

/// The most frequent grey along the rim.
fn background(width: usize, pixels: &[u8]) -> u8 {
    let rows = pixels.len() / width.max(1);
    let rim = |at: usize| {
        let (x, y) = (at % width, at / width);
        x == 0 || y == 0 || x + 1 == width || y + 1 == rows
    };
    let mut counts = [0_u32; 256];
    for (_, &value) in pixels.iter().enumerate().filter(|(at, _)| rim(*at)) {
        counts[usize::from(value)] += 1;
    }
    let most = (0..=255_u8).max_by_key(|&value| counts[usize::from(value)]);
    most.unwrap_or(255)
}

fn shifted(width: usize, pixels: &[u8], by: i16) -> Vec<u8> {
    let fill = background(width, pixels);
    let moved = |row: &[u8]| {
        let from = |x: usize| x.checked_add_signed(-isize::from(by));
        let value = |x: usize| from(x).and_then(|x| row.get(x)).copied();
        (0..row.len())
            .map(|x| value(x).unwrap_or(fill))
            .collect::<Vec<u8>>()
    };
    pixels.chunks(width).flat_map(moved).collect()
}

fn turned(width: usize, pixels: &[u8], degrees: i16) -> Vec<u8> {
    let height = pixels.len() / width;
    let fill = background(width, pixels);
    let (sin, cos) = f32::from(degrees).to_radians().sin_cos();
    let (cx, cy) = ((width - 1) as f32 / 2.0, (height - 1) as f32 / 2.0);
    let mut out = Vec::with_capacity(pixels.len());
    for y in 0..height {
        for x in 0..width {
            let (dx, dy) = (x as f32 - cx, y as f32 - cy);
            let from = (cx + dx * cos + dy * sin, cy - dx * sin + dy * cos);
            out.push(between(width, pixels, from).unwrap_or(fill));
        }
    }
    out
}

/// Bilinear; `None` outside.
fn between(width: usize, pixels: &[u8], (x, y): (f32, f32)) -> Option<u8> {
    let height = pixels.len() / width;
    let inside = |v: f32, n: usize| v > -0.01 && v < n as f32 - 0.99;
    if !inside(x, width) || !inside(y, height) {
        return None;
    }
    let (left, top) = (x.max(0.0) as usize, y.max(0.0) as usize);
    let (u, v) = ((x - left as f32).max(0.0), (y - top as f32).max(0.0));
    let at = |x: usize, y: usize| f32::from(pixels[y.min(height - 1) * width + x.min(width - 1)]);
    let row = |y: usize| at(left, y) * (1.0 - u) + at(left + 1, y) * u;
    Some((row(top) * (1.0 - v) + row(top + 1) * v).round() as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 3 x 3, background 9, with 1 above the middle, 5 in it and 2 to the right of it.
    const SMALL: [u8; 9] = [9, 1, 9, 9, 5, 2, 9, 9, 9];

    #[test]
    fn a_quarter_turn_clockwise_moves_the_top_to_the_right() {
        let right = Change::Turn(90).apply(3, &SMALL);
        assert_eq!(right, [9, 9, 9, 9, 5, 1, 9, 2, 9]);
        let back = Change::Turn(-90).apply(3, &right);
        assert_eq!(back, SMALL);
    }

    #[test]
    fn a_shift_fills_with_the_background() {
        assert_eq!(
            Change::Shift(1).apply(3, &SMALL),
            [9, 9, 1, 9, 9, 5, 9, 9, 9]
        );
        assert_eq!(
            Change::Shift(-1).apply(3, &SMALL),
            [1, 9, 9, 5, 2, 9, 9, 9, 9]
        );
        assert_eq!(Change::Shift(40).apply(3, &SMALL), [9; 9]);
    }

    #[test]
    fn greys_change_as_described() {
        let greys = [0, 15, 16, 128, 255];
        assert_eq!(Change::FourBit.apply(5, &greys), [0, 0, 17, 136, 255]);
        assert_eq!(Change::Faint.apply(5, &greys), [150, 153, 153, 175, 201]);
        assert_eq!(Change::Dark.apply(5, &greys), [0, 3, 3, 25, 51]);
        assert_eq!(Change::Invert.apply(5, &greys), [255, 240, 239, 127, 0]);
    }

    #[test]
    fn words_name_changes_and_an_unknown_one_lists_them() {
        assert_eq!("turn-30".parse(), Ok(Change::Turn(-30)));
        assert_eq!("shift40".parse(), Ok(Change::Shift(40)));
        assert_eq!("four-bit".parse(), Ok(Change::FourBit));
        assert!("turn".parse::<Change>().unwrap_err().contains("four-bit"));
    }
}
