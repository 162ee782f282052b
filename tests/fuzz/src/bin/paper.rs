//! Printer bytes as paper, and text as printer bytes: every byte is accounted for, no
//! picture is larger than paper, and no text that is printed is a printer's command.
#![no_main]

use counterfoil_data::shown::Shown;
use counterfoil_devices::driver::escpos::device_id::DeviceId;
use counterfoil_devices::driver::escpos::text::{self, TEXT_MAX};
use counterfoil_devices::paper::command::{self, Step};
use counterfoil_devices::paper::{self, PaperError, RECEIPT_HEIGHT_MAX, RECEIPT_WIDTH};
use counterfoil_fuzz::Bytes;

/// Width and height out of a PNG's first chunk.
fn size(png: &[u8]) -> (usize, usize) {
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"));
    let side = |at: usize| {
        let bytes = png[at..at + 4].try_into().expect("four bytes");
        usize::try_from(u32::from_be_bytes(bytes)).expect("fits")
    };
    (side(16), side(20))
}

fn commands(bytes: &[u8]) {
    let mut rest = bytes;
    loop {
        match command::next(rest) {
            Step::Command(_, taken) => {
                assert!(
                    taken > 0 && taken <= rest.len(),
                    "what is there, and some of it"
                );
                // A command is whole by itself: more bytes change nothing of it, but a text.
                let alone = command::next(&rest[..taken]);
                assert_eq!(alone, command::next(rest));
                assert!(matches!(alone, Step::Command(_, all) if all == taken));
                rest = &rest[taken..];
            }
            Step::Unknown(taken) => {
                assert!(taken > 0);
                rest = rest.get(taken..).unwrap_or_default();
            }
            Step::NeedMore => break,
        }
    }
}

fn receipt(bytes: &[u8]) {
    let text = paper::texts(bytes);
    assert!(text.iter().map(String::len).sum::<usize>() <= bytes.len() * 4);
    match paper::receipt_png(bytes) {
        Ok(png) => {
            let (width, height) = size(&png);
            assert!(width <= RECEIPT_WIDTH + 48 && height <= RECEIPT_HEIGHT_MAX + 48);
        }
        Err(PaperError::Unknown(hex)) => assert!(!hex.is_empty()),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn form(bytes: &[u8]) {
    let number = "3130002100010001".parse().expect("a number");
    let blank = paper::form_preview(number, b"").expect("a blank form");
    if let Ok(png) = paper::form_preview(number, bytes) {
        assert_eq!(size(&png), size(&blank), "a form never grows");
    }
}

fn texts(words: &str) {
    match text::encode(words) {
        Ok(bytes) => {
            assert!(words.chars().count() <= TEXT_MAX && !words.chars().any(char::is_control));
            assert!(bytes.len() <= text::columns(words) * 2);
            if !bytes.is_empty() {
                let whole = command::next(&bytes);
                assert!(
                    matches!(whole, Step::Command(command::Command::Text(_), n) if n == bytes.len())
                );
                let back = paper::texts(&bytes);
                assert_eq!(back.concat(), words, "what is printed is what was meant");
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    let shown = Shown::from_untrusted(words, 48);
    let refused = text::encode(shown.as_str());
    assert!(
        !matches!(refused, Err(text::TextError::Control(_))),
        "shown text has no commands"
    );
    if let Ok(rows) = paper::line_dots(shown.as_str()) {
        assert_eq!(rows.len(), 24);
        assert!(rows.windows(2).all(|two| two[0].len() == two[1].len()));
    }
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut from = Bytes(data);
    match from.byte() % 8 {
        0 | 1 => receipt(from.0),
        2 => form(from.0),
        3 => texts(&String::from_utf8_lossy(from.0)),
        4 => {
            let id = DeviceId::parse(from.0);
            let longest = [id.maker, id.model, id.serial]
                .iter()
                .map(String::len)
                .max();
            assert!(longest <= Some(from.0.len() * 3));
        }
        _ => commands(from.0),
    }
});
