//! The forms desk: nothing is fed for a job that the printer cannot print.

use counterfoil_data::money::Fen;
use counterfoil_data::wire::confirm::ConfirmText;
use counterfoil_data::wire::sale::PrintJob;
use counterfoil_data::{bill::BillRange, form};

use super::*;

fn job(account_name: &str) -> PrintJob {
    let number = "3130112100000101".parse().expect("a number");
    let text = ConfirmText {
        account_name: account_name.to_owned(),
        account: "6217000000000000123".to_owned(),
        bank_name: "样例银行样例支行".to_owned(),
        bank_number: "313100000013".to_owned(),
        agent_masked: "张**".to_owned(),
        ranges: vec![BillRange::from_count(number, 1).expect("fits")],
        count: 1,
        fee: Fen(300),
    };
    PrintJob {
        number,
        slot: "slot-1".parse().expect("a slot"),
        template: "transfer-cheque".to_owned(),
        fields: form::expected_fields(&text),
        approved: text.digest(),
        supplement_of: None,
    }
}

#[test]
fn a_name_that_no_line_of_the_form_holds_spoils_no_blank() {
    run(|mut desks| async move {
        desks.all_ready().await;
        let long = Box::new(job(&"样".repeat(60)));
        let asked = desks.ask(Desk::Forms, Act::Feed(long));
        let Answer::FeedFailed {
            moved: false,
            empty: false,
            reason,
        } = desks.answer(asked).await
        else {
            panic!("it was fed");
        };
        assert_eq!(reason, "mediaOverflow");
        assert_eq!(desks.count("form-printer", "feeds"), 0);
        let fits = Box::new(job("样例机械有限公司"));
        let asked = desks.ask(Desk::Forms, Act::Feed(fits));
        assert!(matches!(desks.answer(asked).await, Answer::Fed));
    });
}
