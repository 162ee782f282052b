//! The head's position, by the units of the LQ command lists and their traps.

use std::collections::BTreeMap;

use super::*;
use crate::driver::escp2::page::{self, TextMode};
use counterfoil_data::form::{self, Offset, Rect};
use counterfoil_data::wire::unhex;

fn number() -> BillNumber {
    "3130112100000101".parse().expect("a number")
}

/// On a narrow sheet of 60 x 80 mm.
fn drawn(hex: &str) -> Result<Canvas, PaperError> {
    drawn_on(960, 1280, hex)
}

fn drawn_on(width: usize, height: usize, hex: &str) -> Result<Canvas, PaperError> {
    let bytes = unhex(&hex.replace(' ', "")).expect("hex");
    struck(Canvas::new(width, height), &bytes)
}

/// The upper left dots of every strike's 3 x 3, in 0.1 mm of its centre.
fn strikes(hex: &str) -> Vec<(usize, usize)> {
    strikes_on(&drawn(hex).expect("drawn"))
}

fn strikes_on(canvas: &Canvas) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for y in 0..canvas.height() {
        for x in 0..canvas.width() {
            // Outside the canvas nothing is struck.
            let ink = |x: Option<usize>, y: Option<usize>| {
                x.zip(y).is_some_and(|(x, y)| canvas.dot(x, y) == INK)
            };
            let (here, above) = ((Some(x), Some(y)), (Some(x), y.checked_sub(1)));
            if ink(here.0, here.1) && !ink(x.checked_sub(1), Some(y)) && !ink(above.0, above.1) {
                found.push(((x + 1) * 10 / 16, (y + 1) * 10 / 16));
            }
        }
    }
    found
}

/// One strike of the uppermost pin.
const STRIKE: &str = "1b2a27 0100 800000";

/// `a` and `b` strike the same place.
fn same(a: &str, b: &str) {
    let place = strikes(a);
    assert_eq!(place.len(), 1, "{a} strikes once");
    assert_eq!(place, strikes(b), "{a} and {b}");
}

#[test]
fn an_inch_is_180_360_or_60_units_by_the_command() {
    let place = |command: &str| strikes(&format!("1b40 1b7801 {command} {STRIKE}"));
    // 25.4 mm and half a pin, 0.07 mm, in whole 0.1 mm.
    assert_eq!(place("1b4ab4"), [(0, 254)]);
    assert_eq!(place("1b285602006801"), [(0, 254)]);
    assert_eq!(place("1b287602006801"), [(0, 254)]);
    assert_eq!(place("1b243c00"), [(254, 0)]);
    assert_eq!(place("1b5cb400"), [(254, 0)]);
    // 170 mm is 1205 of 1/180: 401 of 1/60 and 2 of 1/180.
    let wide = format!("1b7801 1b249101 1b5c0200 {STRIKE}");
    let wide = drawn_on(2800, 10, &wide).expect("drawn");
    assert_eq!(strikes_on(&wide), [(1700, 0)]);
}

#[test]
fn a_relative_step_counts_otherwise_in_draft_and_all_units_change_with_esc_u() {
    same(
        &format!("1b40 1b7800 1b5c7800 {STRIKE}"),
        &format!("1b40 1b7801 1b5cb400 {STRIKE}"),
    );
    same(
        &format!("1b40 1b5c7800 {STRIKE}"),
        &format!("1b40 1b7800 1b5c7800 {STRIKE}"),
    );
    // m = 14 hex: 1/180 inch; m = 3C: 1/60.
    same(
        &format!("1b40 1b28550100 14 1b24b400 1b28560200b400 {STRIKE}"),
        &format!("1b40 1b7801 1b243c00 1b4ab4 {STRIKE}"),
    );
    // ESC J is 1/180 whatever the unit is.
    same(
        &format!("1b40 1b28550100 3c 1b4ab4 {STRIKE}"),
        &format!("1b40 1b4ab4 {STRIKE}"),
    );
}

#[test]
fn a_long_way_back_is_not_gone_and_a_feed_does_not_return_the_carriage() {
    same(
        &format!("1b40 1b28560200d002 1b285602006801 {STRIKE}"),
        &format!("1b40 1b28560200d002 {STRIKE}"),
    );
    same(
        &format!("1b40 1b28560200d002 1b285602001d02 {STRIKE}"),
        &format!("1b40 1b285602001d02 {STRIKE}"),
    );
    same(
        &format!("1b40 1b243c00 1b4a0a {STRIKE}"),
        &format!("1b40 1b4a0a 1b243c00 {STRIKE}"),
    );
    same(
        &format!("1b40 1b243c00 0d 1b4a0a {STRIKE}"),
        &format!("1b40 1b4a0a {STRIKE}"),
    );
}

#[test]
fn pins_of_every_image_mode_stand_where_their_density_says() {
    for (mode, inch) in [
        ("1b2a00", 60),
        ("1b2a01", 120),
        ("1b2a03", 240),
        ("1b2a04", 80),
        ("1b2a06", 90),
        ("1b4b", 60),
        ("1b5a", 240),
    ] {
        let columns = inch + 1;
        let [low, high] = u16::to_le_bytes(columns);
        let blank = "00".repeat(usize::from(inch));
        let hex = format!("{mode} {low:02x}{high:02x} {blank} 81");
        // 7 pins of 1/60 inch lower: 2.96 mm.
        assert_eq!(strikes(&hex), [(254, 0), (254, 30)], "{mode}");
    }
    for (mode, inch) in [(32, 60), (33, 120), (38, 90), (39, 180), (40, 360)] {
        let [low, high] = u16::to_le_bytes(inch + 1);
        let blank = "000000".repeat(usize::from(inch));
        let hex = format!("1b2a{mode:02x} {low:02x}{high:02x} {blank} 800001");
        // 23 pins of 1/180 inch lower: 3.25 mm.
        assert_eq!(strikes(&hex), [(254, 0), (254, 33)], "{mode}");
    }
}

#[test]
fn characters_advance_by_pitch_and_hanzi_by_24_pins() {
    let after = |text: &str| {
        let found = strikes(&format!("1b7801 {text} 1b4a30 {STRIKE}"));
        found.last().expect("a strike").0
    };
    assert_eq!(after("41 41 41 41 41 41 41 41 41 41"), 254, "10 cpi");
    assert_eq!(after("1b67 4141414141"), 85, "15 cpi");
    // D5CB BAC5 (账号): 48 of 1/180 inch, with 2 between 56.
    assert_eq!(after("1c26 d5cbbac5"), 68);
    assert_eq!(after("1c26 1c530202 d5cbbac5"), 79);
}

#[test]
fn what_is_in_no_list_is_named_and_nothing_is_struck_after_the_eject() {
    assert_eq!(
        drawn("1b70 31 1b5f").expect_err("unknown"),
        PaperError::Unknown("1b7031 1b5f".into())
    );
    let off = PaperError::OffPaper { x: 0, y: 0 };
    assert_eq!(drawn(&format!("0c {STRIKE}")).expect_err("ejected"), off);
    assert_eq!(drawn("d5cb").expect_err("no hanzi"), PaperError::BadText);
    let below = drawn(&format!("1b285602007b04 {STRIKE}"));
    assert!(matches!(below, Err(PaperError::OffPaper { .. })), "80 mm");
}

/// Where a test leaves pictures for a person to look at, if asked to.
fn show(name: &str, canvas: &Canvas) {
    if let Some(directory) = std::env::var_os("COUNTERFOIL_PAPER") {
        let path = std::path::Path::new(&directory).join(name);
        let png = canvas.png(&stock::PALETTE).expect("encoded");
        std::fs::write(path, png).expect("a writable directory");
    }
}

fn fields(account_name: &str) -> BTreeMap<String, String> {
    [
        ("account_name", account_name),
        ("account", "6217000000000000123"),
        ("bank_name", "样例银行样例支行"),
        ("bank_number", "313100000013"),
    ]
    .map(|(name, text)| (name.to_owned(), text.to_owned()))
    .into()
}

/// Half a pin beyond a box is still in it: 0.2 mm.
fn inside(rect: Rect, x: usize, y: usize) -> bool {
    let dots = |tenths: u32| usize::try_from(tenths * 16 / 10).expect("small");
    (dots(rect.x).saturating_sub(3)..=dots(rect.right()) + 3).contains(&x)
        && (dots(rect.y).saturating_sub(3)..=dots(rect.bottom()) + 3).contains(&y)
}

#[test]
fn strikes_lie_in_the_fields_boxes_only_in_both_text_modes() {
    let template = form::template("transfer-cheque").expect("sound");
    let longest = "样例省样例市样例开发区样例精密机械设备制造（集团）有限责任公司";
    for (mode, word) in [(TextMode::Picture, "picture"), (TextMode::Native, "native")] {
        for name in ["样例机械有限公司", longest] {
            let bytes = page::page(&template, &fields(name), Offset::default(), mode);
            let canvas = form_canvas(&template, number(), &bytes.expect("fits"));
            let canvas = canvas.expect("drawn");
            let mut struck = 0_u32;
            for y in 0..canvas.height() {
                for x in 0..canvas.width() {
                    if canvas.dot(x, y) == INK {
                        struck += 1;
                        let boxed = template.fields.iter().any(|f| inside(f.area, x, y));
                        assert!(boxed, "a strike at {x},{y}");
                    }
                }
            }
            assert!(struck > 12_000, "{struck} dots are too few for four fields");
            show(
                &format!("escp2-{word}-{}.png", name.chars().count()),
                &canvas,
            );
        }
    }
}

#[test]
fn a_character_no_printer_has_for_sure_is_a_picture_also_in_native_mode() {
    let template = form::template("transfer-cheque").expect("sound");
    // U+00A5 has four bytes in GB18030.
    let bytes = page::page(
        &template,
        &fields("样例¥公司"),
        Offset::default(),
        TextMode::Native,
    );
    let bytes = bytes.expect("fits");
    assert!(!texts(&bytes).iter().any(|t| t.contains("公司")));
    assert!(texts(&bytes).contains(&"6217000000000000123".to_owned()));
    let control = page::page(
        &template,
        &fields("a\u{1b}@"),
        Offset::default(),
        TextMode::Native,
    );
    assert!(control.is_err());
}

#[test]
fn an_offset_of_ten_tenths_moves_every_strike_a_millimetre() {
    let template = form::template("transfer-cheque").expect("sound");
    let leftmost = |offset| {
        let bytes = page::page(
            &template,
            &fields("样例机械有限公司"),
            offset,
            TextMode::Picture,
        );
        let canvas = form_canvas(&template, number(), &bytes.expect("fits")).expect("drawn");
        let column = |x: &usize| (0..canvas.height()).any(|y| canvas.dot(*x, y) == INK);
        (0..canvas.width()).find(column).expect("ink")
    };
    let moved = leftmost(Offset::new(10, 0).expect("small"));
    let by = moved - leftmost(Offset::default());
    assert!((15..=17).contains(&by), "{by} dots of 1/16 mm");
}

#[test]
fn the_strokes_of_every_calibration_cross_meet_at_its_centimetre() {
    let template = form::template("transfer-cheque").expect("sound");
    for mode in [TextMode::Picture, TextMode::Native] {
        let bytes = page::calibration(&template.stock, Offset::default(), mode).expect("fits");
        let canvas = form_canvas(&template, number(), &bytes).expect("drawn");
        for (x, y) in [
            (100, 100),
            (2100, 100),
            (100, 700),
            (2100, 700),
            (1100, 400),
        ] {
            let near = |tenths: usize| tenths * 16 / 10 - 5..=tenths * 16 / 10 + 5;
            let row = near(y).any(|y| near(x).all(|x| canvas.dot(x, y) == INK));
            let column = near(x).any(|x| near(y).all(|y| canvas.dot(x, y) == INK));
            assert!(row && column, "a cross at {x},{y}");
        }
        show(&format!("calibration-escp2-{mode:?}.png"), &canvas);
    }
}
