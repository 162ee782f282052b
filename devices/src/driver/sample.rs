//! What the form printers' tests print: one confirmed order of synthetic cheques.

use counterfoil_data::bill::{BillNumber, BillRange};
use counterfoil_data::form;
use counterfoil_data::money::Fen;
use counterfoil_data::wire::confirm::ConfirmText;
use counterfoil_data::wire::sale::PrintJob;

use super::escpos::fault::PrintFault;
use super::form_printer::PrintOutcome;

/// The first of the five numbers.
pub const FIRST: &str = "3130112100000101";

/// A bill number.
pub fn number(text: &str) -> BillNumber {
    text.parse().expect("a number")
}

/// What an officer confirmed: five transfer cheques from [`FIRST`].
pub fn approved() -> ConfirmText {
    ConfirmText {
        account_name: "样例机械有限公司".to_owned(),
        account: "6217000000000000123".to_owned(),
        bank_name: "样例银行样例支行".to_owned(),
        bank_number: "313100000013".to_owned(),
        agent_masked: "张**".to_owned(),
        ranges: vec![BillRange::from_count(number(FIRST), 5).expect("fits")],
        count: 5,
        fee: Fen(300),
    }
}

/// One form of it, by its number.
pub fn job(at: &str) -> PrintJob {
    let text = approved();
    PrintJob {
        number: number(at),
        slot: "slot-1".parse().expect("a slot"),
        template: "transfer-cheque".to_owned(),
        fields: form::expected_fields(&text),
        approved: text.digest(),
        supplement_of: None,
    }
}

/// The sheet is as blank as it was.
pub fn no_ink(fault: PrintFault) -> PrintOutcome {
    PrintOutcome::Failed { fault, ink: false }
}
