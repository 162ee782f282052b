//! The fingerprint engine: any image in bounds gives a template in bounds or none, any
//! bytes that are a template are its one encoding, any minutiae record gives templates or
//! an error, and scores stay in theirs.
#![no_main]

use counterfoil_finger::synth::{Contact, Finger};
use counterfoil_finger::{DPI_MAX, DPI_MIN, Image, MINUTIAE_MAX, MINUTIAE_MIN, SCORE_MAX};
use counterfoil_finger::{FingerPosition, export_iso, import_iso};
use counterfoil_finger::{SIDE_MAX_PX, SIDE_MIN_PX, TEMPLATE_BYTES_MAX, Template};
use counterfoil_finger::{extract, quality, verify};
use counterfoil_fuzz::Bytes;

fn sound(template: &Template) {
    let bytes = template.to_bytes();
    assert!(bytes.len() <= TEMPLATE_BYTES_MAX);
    assert!((MINUTIAE_MIN..=MINUTIAE_MAX).contains(&template.minutia_count()));
    let again = Template::from_bytes(&bytes).expect("reads as itself");
    assert_eq!(*again.to_bytes(), *bytes);
    let itself = verify(template, std::slice::from_ref(&again));
    assert!(itself.value() >= 0.0 && itself.value() <= SCORE_MAX);
    assert_eq!(format!("{template:?}"), "Template(..)");
}

fn encoded(bytes: &[u8]) {
    let Ok(template) = Template::from_bytes(bytes) else {
        return;
    };
    assert_eq!(*template.to_bytes(), bytes, "one encoding");
    sound(&template);
}

/// A synthetic template with some bytes changed.
fn bent(from: &mut Bytes<'_>) {
    use std::sync::OnceLock;
    static WHOLE: OnceLock<Vec<u8>> = OnceLock::new();
    let whole = WHOLE.get_or_init(|| {
        let image = Finger::from_seed(7).impression(&Contact::default());
        extract(&image).expect("a finger").to_bytes().to_vec()
    });
    let mut bytes = whole.clone();
    for _ in 0..from.byte() % 8 {
        let at = usize::from(u16::from_le_bytes(from.array())) % bytes.len();
        bytes[at] = from.byte();
    }
    encoded(&bytes);
}

fn image(from: &mut Bytes<'_>) {
    let (width, height) = (16 + u16::from(from.byte()), 16 + u16::from(from.byte()));
    let dpi = u16::from_le_bytes(from.array());
    let dpi = if dpi % 2 == 0 { 500 } else { dpi };
    let size = usize::from(width) * usize::from(height);
    // Noise, or stripes as of ridges, of the input's making.
    let pixels: Vec<u8> = match (from.byte() % 3, from.0) {
        (_, []) => vec![from.byte(); size],
        (0, bytes) => bytes.iter().copied().cycle().take(size).collect(),
        (kind, bytes) => {
            let period = usize::from(bytes[0] % 12) + 4;
            let pixel = |n: usize| {
                let (x, y) = (n % usize::from(width), n / usize::from(width));
                let bend = usize::from(bytes[(y / 8 + x / 32) % bytes.len()] % 16);
                let along = if kind == 1 {
                    x + bend
                } else {
                    x + y / 2 + bend
                };
                if along / (period / 2) % 2 == 0 {
                    40
                } else {
                    220
                }
            };
            (0..size).map(pixel).collect()
        }
    };
    let sides = SIDE_MIN_PX..=SIDE_MAX_PX;
    let lawful =
        sides.contains(&width) && sides.contains(&height) && (DPI_MIN..=DPI_MAX).contains(&dpi);
    let image = Image::new(width, height, dpi, pixels);
    assert_eq!(image.is_ok(), lawful);
    let Ok(image) = image else { return };
    let judged = quality(&image);
    let _ = judged.is_acceptable();
    if let Ok(template) = extract(&image) {
        sound(&template);
    }
}

/// A minutiae record, perhaps a written one with some bytes changed.
fn record(from: &mut Bytes<'_>) {
    use std::sync::OnceLock;
    static WHOLE: OnceLock<Vec<u8>> = OnceLock::new();
    let whole = WHOLE.get_or_init(|| {
        let image = Finger::from_seed(8).impression(&Contact::default());
        let template = extract(&image).expect("a finger");
        export_iso(&template, FingerPosition::UNKNOWN, 60).to_vec()
    });
    let mut bytes = whole.clone();
    if from.byte() % 4 == 0 {
        bytes = from.0.to_vec();
    } else {
        for _ in 0..from.byte() % 8 {
            let at = usize::from(u16::from_le_bytes(from.array())) % bytes.len();
            bytes[at] = from.byte();
        }
    }
    for view in import_iso(&bytes).unwrap_or_default() {
        sound(&view.template);
        let again = import_iso(&export_iso(&view.template, view.position, view.quality));
        let again = again.expect("what is written is read").remove(0);
        assert_eq!(
            again.template.minutia_count(),
            view.template.minutia_count()
        );
    }
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut from = Bytes(data);
    match from.byte() % 16 {
        0..2 => image(&mut from),
        2..7 => bent(&mut from),
        7..11 => record(&mut from),
        _ => encoded(from.0),
    }
});
