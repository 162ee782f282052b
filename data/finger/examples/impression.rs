//! Writes one touch of a synthetic finger to standard output, as a kiosk seals it: width,
//! height, dots per inch (each a big-endian u16), then the pixels row by row.
//!
//! ```text
//! cargo run -p counterfoil-finger --example impression -- FINGER_SEED TOUCH_SEED >print
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a tool for tests: it stops at the first surprise"
)]

use counterfoil_finger::synth::{Contact, Finger};
use std::io::Write as _;

fn main() {
    let mut seeds = std::env::args().skip(1).map(|text| text.parse::<u64>());
    let mut seed = || {
        seeds
            .next()
            .expect("FINGER_SEED TOUCH_SEED")
            .expect("a number")
    };
    let (finger, touch) = (seed(), seed());
    let image = Finger::from_seed(finger).impression(&Contact::natural(touch));
    let mut out = std::io::stdout().lock();
    for number in [image.width(), image.height(), image.dpi()] {
        out.write_all(&number.to_be_bytes()).unwrap();
    }
    out.write_all(image.pixels()).unwrap();
}
