//! What is printed, and how a picture is compared: the same on both sides.

use counterfoil_data::bill::BillRange;
use counterfoil_data::form;
use counterfoil_data::money::Fen;
use counterfoil_data::wire::confirm::ConfirmText;
use counterfoil_data::wire::sale::PrintJob;
use counterfoil_devices::driver::receipt_printer::{ReceiptDocument, ReceiptLine};

/// The first blank of every printer.
pub const FIRST: &str = "3130112100000101";
/// Blanks in every printer.
pub const COUNT: u32 = 5;

/// What an officer confirmed: transfer cheques from [`FIRST`].
pub fn approved() -> anyhow::Result<ConfirmText> {
    Ok(ConfirmText {
        account_name: "样例机械有限公司".to_owned(),
        account: "6217000000000000123".to_owned(),
        bank_name: "样例银行样例支行".to_owned(),
        bank_number: "313100000013".to_owned(),
        agent_masked: "张**".to_owned(),
        ranges: vec![BillRange::from_count(FIRST.parse()?, COUNT)?],
        count: COUNT,
        fee: Fen(300),
    })
}

/// One form of it.
pub fn job(text: &ConfirmText, number: &str) -> anyhow::Result<PrintJob> {
    Ok(PrintJob {
        number: number.parse()?,
        slot: "slot-1".parse()?,
        template: "transfer-cheque".to_owned(),
        fields: form::expected_fields(text),
        approved: text.digest(),
        supplement_of: None,
    })
}

/// A receipt of so many lines.
pub fn receipt(lines: usize) -> ReceiptDocument {
    let mut document = ReceiptDocument::default();
    document.lines.push(ReceiptLine::title("样例银行"));
    for line in 1..=lines {
        let text = format!("{line:03}  转账支票 3130112100000101");
        document.lines.push(ReceiptLine::text(text));
    }
    document.lines.push(ReceiptLine::Feed(3));
    document
}

/// Two pixels a byte, as modules of the EF01 family upload them.
pub fn four_bits(pixels: &[u8]) -> Vec<u8> {
    let pair = |pair: &[u8]| match *pair {
        [left, right] => (left & 0xF0) | (right >> 4),
        _ => 0xFF,
    };
    pixels.chunks(2).map(pair).collect()
}
