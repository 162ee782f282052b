//! The two pictures: how errors trade against each other, and whether claims hold.
//!
//! Owns axes and legends. Both axes are rates, logarithmic, in percent.

use crate::metrics::{Interval, Point};
use crate::raster::{BLACK, Canvas, Colour, GREY, LETTER, WHITE};

const SIZE: (u16, u16) = (960, 680);
const LEFT: i32 = 96;
const RIGHT: i32 = 930;
const TOP: i32 = 56;
const BOTTOM: i32 = 600;

const COLOURS: [Colour; 8] = [
    [0x1f, 0x4e, 0xb4],
    [0xd9, 0x5f, 0x02],
    [0x1b, 0x8a, 0x4b],
    [0xa0, 0x20, 0x90],
    [0xb8, 0x1c, 0x1c],
    [0x5b, 0x5b, 0x5b],
    [0x0e, 0x90, 0xa0],
    [0x8a, 0x6d, 0x0b],
];

/// Rates from 10^-`across` and 10^-`up` to 1.
struct Axes {
    canvas: Canvas,
    across: i32,
    up: i32,
}

impl Axes {
    fn new(title: &str, names: (&str, &str), (across, up): (i32, i32)) -> Self {
        let canvas = Canvas::new(SIZE.0, SIZE.1);
        let mut axes = Self { canvas, across, up };
        for decade in 0..=across {
            axes.grid(10_f64.powi(-decade), true);
        }
        for decade in 0..=up {
            axes.grid(10_f64.powi(-decade), false);
        }
        let corner = [(LEFT, TOP), (LEFT, BOTTOM), (RIGHT, BOTTOM)];
        axes.canvas.line(corner[0], corner[1], 0, BLACK);
        axes.canvas.line(corner[1], corner[2], 0, BLACK);
        axes.canvas.text((LEFT, 12), title, BLACK);
        axes.canvas.text((LEFT, TOP - 22), names.1, BLACK);
        let right = RIGHT - names.0.chars().count() as i32 * LETTER.0;
        axes.canvas.text((right, BOTTOM + 34), names.0, BLACK);
        let ends = [10_f64.powi(-across.min(up)), 1.0].map(|rate| axes.place(rate, rate));
        axes.canvas.line(ends[0], ends[1], 0, GREY);
        axes
    }

    /// Rates beyond the axes are drawn on their end.
    fn place(&self, x: f64, y: f64) -> (i32, i32) {
        let share = |rate: f64, decades: i32| {
            let decades = f64::from(decades);
            (rate.max(1e-12).log10() + decades).clamp(0.0, decades) / decades
        };
        let across = share(x, self.across) * f64::from(RIGHT - LEFT);
        let up = share(y, self.up) * f64::from(BOTTOM - TOP);
        (LEFT + across.round() as i32, BOTTOM - up.round() as i32)
    }

    fn grid(&mut self, rate: f64, is_across: bool) {
        let label = percent(rate);
        let half = label.chars().count() as i32 * LETTER.0;
        let (x, y) = self.place(rate, rate);
        if is_across {
            self.canvas.line((x, TOP), (x, BOTTOM), 0, GREY);
            self.canvas.text((x - half / 2, BOTTOM + 10), &label, BLACK);
        } else {
            self.canvas.line((LEFT, y), (RIGHT, y), 0, GREY);
            self.canvas.text((LEFT - half - 8, y - 8), &label, BLACK);
        }
    }
}

/// `0.01 %`, without needless zeros.
pub fn percent(rate: f64) -> String {
    let text = format!("{:.6}", 100.0 * rate);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text} %")
}

/// A curve with its name.
pub struct Curve {
    pub name: String,
    pub points: Vec<Point>,
}

/// False non-match rate against false match rate; `least` is one pair of each kind.
pub fn det(title: &str, curves: &[Curve], least: (f64, f64)) -> Canvas {
    let decades = |rate: f64, most: i32| (-rate.log10()).ceil().clamp(1.0, f64::from(most)) as i32;
    let size = (decades(least.0, 6), decades(least.1, 4));
    let names = ("false match rate", "false non-match rate");
    let mut axes = Axes::new(title, names, size);
    let none = "on the lower and left line: not one pair";
    axes.canvas.text((LEFT + 12, BOTTOM - 24), none, BLACK);
    for (n, curve) in curves.iter().enumerate() {
        let colour = COLOURS[n % COLOURS.len()];
        let reach = i32::from(n == 0);
        for pair in curve.points.windows(2) {
            let [from, to] = [pair[0], pair[1]].map(|p| axes.place(p.fmr, p.fnmr));
            let corner = (to.0, from.1);
            axes.canvas.line(from, corner, reach, colour);
            axes.canvas.line(corner, to, reach, colour);
        }
        let y = TOP + 10 + n as i32 * 20;
        let x = RIGHT - 320;
        axes.canvas.line((x, y + 8), (x + 24, y + 8), 1, colour);
        axes.canvas.text((x + 34, y), &curve.name, BLACK);
    }
    axes.canvas
}

/// A claim and what became of it.
pub struct Held {
    pub claimed: f64,
    pub measured: f64,
    pub interval: Option<Interval>,
}

/// Measured against claimed false match rate; `least` is one pair.
pub fn calibration(title: &str, held: &[Held], least: f64) -> Canvas {
    let names = ("claimed false match rate", "measured false match rate");
    let mut axes = Axes::new(title, names, (5, 6));
    let level = axes.place(1.0, least).1;
    for x in (LEFT..RIGHT).step_by(8) {
        axes.canvas.line((x, level), (x + 3, level), 0, BLACK);
    }
    axes.canvas
        .text((RIGHT - 240, level + 4), "one pair of the sample", BLACK);
    axes.canvas.text(
        (LEFT + 12, TOP + 8),
        "above the diagonal: claims too much",
        BLACK,
    );
    axes.canvas.text(
        (LEFT + 12, TOP + 26),
        "bars: 95 % by finger; hollow: no pair",
        BLACK,
    );
    for point in held {
        let at = axes.place(point.claimed, point.measured);
        if let Some((low, high)) = point.interval {
            let [low, high] = [low, high].map(|rate| axes.place(point.claimed, rate));
            axes.canvas.line(low, high, 0, COLOURS[0]);
            for end in [low, high] {
                axes.canvas
                    .line((end.0 - 5, end.1), (end.0 + 5, end.1), 0, COLOURS[0]);
            }
        }
        axes.canvas.square(at, 4, COLOURS[0]);
        if point.measured <= 0.0 {
            axes.canvas.square(at, 2, WHITE);
        }
    }
    axes.canvas
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_written_without_needless_zeros() {
        let written: Vec<String> = [1.0, 0.1, 1e-3, 1e-5].map(percent).into();
        assert_eq!(written, ["100 %", "10 %", "0.1 %", "0.001 %"]);
    }

    #[test]
    fn a_decade_is_the_same_way_everywhere_and_zero_lies_on_the_axis() {
        let axes = Axes::new("", ("", ""), (4, 2));
        assert_eq!(axes.place(1.0, 1.0), (RIGHT, TOP));
        assert_eq!(axes.place(0.0, 0.0), (LEFT, BOTTOM));
        let middle = axes.place(1e-2, 1e-1);
        assert_eq!(middle, ((LEFT + RIGHT) / 2, (TOP + BOTTOM) / 2));
    }
}
