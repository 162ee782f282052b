//! Paper drawn from bytes, looked at dot by dot.

use std::collections::BTreeMap;

use counterfoil_data::form::{Offset, Rect};
use counterfoil_data::wire::unhex;

use super::*;
use crate::driver::form_printer::page;
use crate::driver::receipt_printer::{Align, ReceiptDocument, ReceiptLine};

/// Where a test leaves pictures for a person to look at, if asked to.
fn show(name: &str, png: &[u8]) {
    if let Some(directory) = std::env::var_os("COUNTERFOIL_PAPER") {
        let path = std::path::Path::new(&directory).join(name);
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

fn inside(rect: Rect, x: usize, y: usize) -> bool {
    // A dot of tolerance: positions are rounded to the nearest dot.
    let dots = |tenths: u32| usize::try_from(tenths * 8 / 10).expect("small");
    (dots(rect.x)..=dots(rect.right()) + 1).contains(&x)
        && (dots(rect.y)..=dots(rect.bottom()) + 1).contains(&y)
}

#[test]
fn ink_lies_in_the_fields_boxes_only_never_on_the_code_line_or_the_number() {
    for (id, number) in [
        ("transfer-cheque", "3130112100000101"),
        ("cash-cheque", "3130111100000001"),
    ] {
        let template = form::template(id).expect("a template");
        let number: BillNumber = number.parse().expect("a number");
        let longest = "样例省样例市样例开发区样例精密机械设备制造（集团）有限责任公司";
        for name in ["样例机械有限公司", longest] {
            let bytes = page::page(&template, &fields(name), Offset::default()).expect("fits");
            let canvas = form_canvas(&template, number, &bytes).expect("drawn");
            assert_eq!((canvas.width(), canvas.height()), (1800, 640));
            let mut inked = 0;
            for y in 0..canvas.height() {
                for x in 0..canvas.width() {
                    if canvas.dot(x, y) == render::INK {
                        inked += 1;
                        let boxed = template.fields.iter().any(|f| inside(f.area, x, y));
                        assert!(boxed, "ink at {x},{y} of {id}");
                    }
                }
            }
            assert!(inked > 3_000, "{inked} dots are too few for four fields");
            let png = form_png(&template, number, &bytes).expect("encoded");
            show(&format!("{id}-{}.png", name.chars().count()), &png);
        }
    }
}

#[test]
fn a_promissory_note_says_amount_and_date_in_capitals() {
    let template = form::template("promissory-note").expect("a template");
    let number: BillNumber = "3130007100000001".parse().expect("a number");
    let fields = [
        ("issue_date", "2026-10-20"),
        ("payee", "样例机械有限公司"),
        ("amount", "10700053"),
        ("bank_name", "样例银行样例支行"),
    ]
    .map(|(name, text)| (name.to_owned(), text.to_owned()))
    .into();
    let bytes = page::page(&template, &fields, Offset::default()).expect("fits");
    let texts = texts(&bytes);
    assert!(texts.contains(&"贰零贰陆年零壹拾月零贰拾日".to_owned()));
    assert!(texts.contains(&"人民币壹拾万柒仟元零伍角叁分".to_owned()));
    let png = form_png(&template, number, &bytes).expect("drawn");
    show("promissory-note.png", &png);
}

#[test]
fn the_strokes_of_every_calibration_cross_meet_at_its_centimetre() {
    let template = form::template("transfer-cheque").expect("a template");
    let number: BillNumber = "3130112100000101".parse().expect("a number");
    let bytes = page::calibration(&template.stock, Offset::default()).expect("fits");
    let canvas = form_canvas(&template, number, &bytes).expect("drawn");
    for (x, y) in [
        (100, 100),
        (2100, 100),
        (100, 700),
        (2100, 700),
        (1100, 400),
    ] {
        let near = |mm10: usize| mm10 * 8 / 10 - 2..=mm10 * 8 / 10 + 2;
        let row = near(y).any(|y| near(x).all(|x| canvas.dot(x, y) == render::INK));
        let column = near(x).any(|x| near(y).all(|y| canvas.dot(x, y) == render::INK));
        assert!(row && column, "a cross at {x},{y}");
    }
    let png = form_png(&template, number, &bytes).expect("encoded");
    show("calibration-escpos.png", &png);
}

#[test]
fn a_receipt_with_every_kind_of_line_is_drawn() {
    let text = |text: &str, align, size, bold| ReceiptLine::Text {
        text: text.to_owned(),
        align,
        size,
        bold,
    };
    let lines = vec![
        ReceiptLine::title("样例银行"),
        text("支票出售回单", Align::Centre, 1, true),
        ReceiptLine::Rule,
        ReceiptLine::text("领用单号：20260102-000001"),
        ReceiptLine::text("单位：样例机械有限公司"),
        ReceiptLine::text("账号：**** **** **** 0123"),
        ReceiptLine::text("号码：31301121 00000101 - 31301121 00000105"),
        text("手续费：￥3.00", Align::Right, 1, false),
        ReceiptLine::text("a name in 王¥ picture type"),
        ReceiptLine::Qr("counterfoil:1:0123456789abcdef0123456789abcdef".to_owned()),
        ReceiptLine::Feed(1),
    ];
    let mut bytes = ReceiptDocument { lines }.encode().expect("printable");
    bytes.extend([0x1D, 0x56, 0x42, 0x00]);
    let png = receipt_png(&bytes).expect("drawn");
    assert_eq!(png.get(1..4), Some(&b"PNG"[..]));
    show("receipt.png", &png);
    let texts = texts(&bytes);
    assert!(texts.contains(&"手续费：￥3.00".to_owned()));
}

#[test]
fn the_receipt_of_another_encoder_is_drawn_without_unknown_commands() {
    let hex = "1b401b61011b4501524543454950540a1b45001b61001c26d7aad5cbd6a7c6b10a1c2e\
               1d286b0400314132001d286b03003143061d286b03003145301d286b05003150304142\
               1d286b03003151301d564200";
    let bytes = unhex(&hex.replace(' ', "")).expect("hex");
    assert!(receipt_png(&bytes).is_ok());
    assert_eq!(texts(&bytes), ["RECEIPT", "转账支票"]);
}

#[test]
fn unknown_commands_are_all_listed() {
    let error = receipt_png(&[0x1B, 0x70, 0x41, 0x0A, 0x1D, 0x99]);
    assert_eq!(error, Err(PaperError::Unknown("1b70 1d99".to_owned())));
}

#[test]
fn a_character_without_a_glyph_is_an_error_not_a_box() {
    // U+20BB7 in four-byte GB18030, as the python codec writes it.
    let bytes = [0x95, 0x34, 0xB2, 0x35, 0x0A];
    assert_eq!(receipt_png(&bytes), Err(PaperError::NoGlyph('\u{20BB7}')));
}
