//! Placement by the units of the PR2 manuals.

use std::collections::BTreeMap;

use super::*;
use crate::driver::pr2::page;
use crate::paper::render::INK;
use counterfoil_data::form::{self, Offset};

/// Upper left corner of the ink on a sheet of 100 x 80 mm, in 0.1 mm.
fn corner(bytes: &[u8]) -> (usize, usize) {
    let canvas = struck(Canvas::new(1600, 1280), 800, bytes).expect("struck");
    let ink = |x: usize, y: usize| canvas.dot(x, y) == INK;
    let x = (0..1600).find(|x| (0..1280).any(|y| ink(*x, y)));
    let y = (0..1280).find(|y| (0..1600).any(|x| ink(x, *y)));
    let tenths = |dot: Option<usize>| dot.expect("ink") * 10 / 16;
    (tenths(x), tenths(y))
}

#[test]
fn an_inch_is_120_to_the_right_and_240_down() {
    let (x, y) = corner(b"\x1b?A");
    let (across, _) = corner(b"\x1b?\x1b|A120A");
    let (_, down) = corner(b"\x1b?\x1b/1240A");
    assert_eq!((across - x, down - y), (254, 254));
    // From the bottom: 80 mm are 756 steps.
    let (_, up) = corner(b"\x1b?\x1b/0516A");
    assert!(up.abs_diff(down) <= 1, "{up} and {down}");
    let (_, line) = corner(b"\x1b?\x1bL007A");
    assert_eq!(line - y, 254, "six lines");
}

#[test]
fn commands_end_after_their_digits_and_others_are_named() {
    assert_eq!(
        next(b"\x1b/1240A"),
        Step::Command(Command::ToStep(true, 240), 6)
    );
    assert_eq!(
        next(b"\x1b|A0071"),
        Step::Command(Command::LeftOffset(7), 6)
    );
    for begun in [
        &b"\x1b"[..],
        b"\x1b|",
        b"\x1b|A",
        b"\x1b|A00",
        b"\x1b/1",
        b"\x1bL01",
    ] {
        assert_eq!(next(begun), Step::NeedMore, "{begun:?}");
    }
    assert_eq!(next(b"\x1bLx"), Step::Unknown(2));
    let unknown = struck(Canvas::new(100, 100), 800, b"\x1b&\x1b!\x07");
    let named = PaperError::Unknown("1b26 1b21 07".to_owned());
    assert_eq!(unknown.expect_err("unknown"), named);
}

#[test]
fn a_cheque_and_a_calibration_page_are_struck_inside_the_stock() {
    let template = form::template("transfer-cheque").expect("sound");
    let number = "3130112100000101".parse().expect("a number");
    let fields: BTreeMap<String, String> = [
        (
            "account_name",
            "样例省样例市样例精密机械设备制造（集团）有限公司",
        ),
        ("account", "6217000000000000123"),
        ("bank_name", "样例银行样例支行"),
        ("bank_number", "313100000013"),
    ]
    .map(|(name, text)| (name.to_owned(), text.to_owned()))
    .into();
    let page = page::page(
        &template,
        &fields,
        Offset::default(),
        page::Steps::PerInch240,
    );
    let page = page.expect("fits");
    let marks = page::calibration(&template.stock, Offset::default(), page::Steps::PerInch240);
    for (name, bytes) in [("form", page), ("calibration", marks.expect("fits"))] {
        let canvas = form_canvas(&template, number, &bytes).expect("struck");
        if let Some(directory) = std::env::var_os("COUNTERFOIL_PAPER") {
            let path = std::path::Path::new(&directory).join(format!("pr2-{name}.png"));
            let png = canvas.png(&stock::PALETTE).expect("encoded");
            std::fs::write(path, png).expect("a writable directory");
        }
    }
}
