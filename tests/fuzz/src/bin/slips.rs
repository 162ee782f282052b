//! Printers fed by hand: the 24-pin and PR2 bytes of a sheet, and what a PR2 answers.
//! Every byte is accounted for, a command is whole by itself, no picture is larger than
//! its sheet, and where a stream of answers was cut does not matter.
#![no_main]

use std::collections::BTreeMap;

use counterfoil_data::form::{self, Offset};
use counterfoil_devices::driver::escp2::page::{self, TextMode};
use counterfoil_devices::driver::pr2::page::{self as pr2_page, Steps};
use counterfoil_devices::driver::pr2::reply::{Reply, ReplyParser};
use counterfoil_devices::paper::PaperError;
use counterfoil_devices::paper::escp2::{self, command};
use counterfoil_devices::paper::pr2;
use counterfoil_fuzz::Bytes;

/// Whether only known commands may come.
#[derive(Clone, Copy, PartialEq)]
enum Known {
    Any,
    All,
}

fn escp2_commands(mut rest: &[u8], known: Known) {
    loop {
        match command::next(rest) {
            command::Step::Command(_, taken) => {
                assert!(taken > 0 && taken <= rest.len());
                let alone = command::next(&rest[..taken]);
                assert_eq!(alone, command::next(rest), "whole by itself");
                rest = &rest[taken..];
            }
            command::Step::Unknown(taken) => {
                assert!(taken > 0 && known == Known::Any);
                rest = rest.get(taken..).unwrap_or_default();
            }
            command::Step::NeedMore => {
                assert!(rest.is_empty() || known == Known::Any, "nothing is cut off");
                break;
            }
        }
    }
}

fn pr2_commands(mut rest: &[u8], known: Known) {
    loop {
        match pr2::next(rest) {
            pr2::Step::Command(_, taken) => {
                assert!(taken > 0 && taken <= rest.len());
                assert_eq!(
                    pr2::next(&rest[..taken]),
                    pr2::next(rest),
                    "whole by itself"
                );
                rest = &rest[taken..];
            }
            pr2::Step::Unknown(taken) => {
                assert!(taken > 0 && known == Known::Any);
                rest = rest.get(taken..).unwrap_or_default();
            }
            pr2::Step::NeedMore => {
                assert!(rest.is_empty() || known == Known::Any, "nothing is cut off");
                break;
            }
        }
    }
}

/// 30 x 20 mm at 16 dots a millimetre, or an error in words.
fn sheet(drawn: Result<Vec<u8>, PaperError>) {
    match drawn {
        Ok(png) => {
            assert_eq!(png[16..24], [0, 0, 1, 224, 0, 0, 1, 64], "480 x 320");
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// A text that is printed on a form is no command, and stays on it.
fn printed(words: &str) {
    let template = form::template("transfer-cheque").expect("sound");
    let fields: BTreeMap<String, String> = template
        .fields
        .iter()
        .map(|field| (field.name.clone(), words.to_owned()))
        .collect();
    for mode in [TextMode::Picture, TextMode::Native] {
        if let Ok(bytes) = page::page(&template, &fields, Offset::default(), mode) {
            escp2_commands(&bytes, Known::All);
        }
    }
    if let Ok(bytes) = pr2_page::page(&template, &fields, Offset::default(), Steps::PerInch240) {
        assert_eq!(pr2::texts(&bytes).concat().matches('\u{1b}').count(), 0);
        pr2_commands(&bytes, Known::All);
    }
}

fn answers(mut from: Bytes<'_>) {
    let pieces = from.pieces();
    let (mut whole, mut parts) = (Vec::new(), Vec::new());
    ReplyParser::default().feed(&pieces.concat(), &mut whole);
    let mut parser = ReplyParser::default();
    for piece in pieces {
        parser.feed(piece, &mut parts);
    }
    assert_eq!(whole, parts, "pieces do not matter");
    let taken: usize = whole
        .iter()
        .map(|reply| match reply {
            Reply::Status(_) => 3,
            Reply::Position(..) => 6,
            Reply::Unclassified(_) => 1,
        })
        .sum();
    let length = from.0.len();
    assert!(
        taken <= length && taken + 6 > length,
        "no byte is uncounted"
    );
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut from = Bytes(data);
    match from.byte() % 8 {
        0 | 1 => escp2_commands(from.0, Known::Any),
        2 => sheet(escp2::plain_png(300, 200, from.0)),
        3 | 4 => pr2_commands(from.0, Known::Any),
        5 => sheet(pr2::plain_png(300, 200, from.0)),
        6 => printed(&String::from_utf8_lossy(from.0)),
        _ => answers(from),
    }
});
