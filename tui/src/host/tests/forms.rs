//! The forms desk: nothing is fed for a job that the printer cannot print.

use std::cell::RefCell;

use counterfoil_data::money::Fen;
use counterfoil_data::wire::confirm::ConfirmText;
use counterfoil_data::wire::sale::PrintJob;
use counterfoil_data::{bill::BillRange, form};
use counterfoil_devices::driver::form_station::Family;
use counterfoil_devices::driver::numbered::Readback;
use counterfoil_devices::twin::escp2_printer::Escp2PrinterTwin;

use super::*;
use crate::flow::event::{Paper, PrinterFacts};
use crate::model::InsertProblem;

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

/// The same desks with a 24-pin printer that a hand feeds.
fn run_by_hand<F: Future<Output = ()>>(number: Readback, test: impl FnOnce(Desks) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let forms = FormSettings {
            family: Some(Family::Escp2),
            number,
            ..FormSettings::default()
        };
        let desks = Desks::configured(None, forms, |bus| {
            let first = "3130112100000101".parse().expect("a number");
            let pile = BillRange::from_count(first, 5).expect("fits");
            let twin = Escp2PrinterTwin::new(pile, None);
            bus.plug("form-printer", Rc::new(RefCell::new(twin)));
            None
        });
        test(desks).await;
    });
}

impl Desks {
    async fn facts(&mut self) -> PrinterFacts {
        let asked = self.ask(Desk::Forms, Act::PrinterStatus);
        match self.answer(asked).await {
            Answer::Printer(facts) => facts,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_hand_is_waited_for_as_long_as_is_said_and_the_operator_reads() {
    run_by_hand(Readback::Operator, |mut desks| async move {
        desks.all_ready().await;
        let facts = desks.facts().await;
        assert!(facts.by_hand && !facts.fault && facts.transport == Paper::Empty);
        let blank = || Box::new(job("样例机械有限公司"));
        let before = desks.clock.monotonic();
        let wait = Duration::from_secs(40);
        let asked = desks.ask(Desk::Forms, Act::AwaitInsert(blank(), wait));
        let came = desks.answer(asked).await;
        assert!(matches!(came, Answer::NotInserted(InsertProblem::Nothing)));
        let waited = desks.clock.monotonic().saturating_sub(before);
        assert!(
            waited >= wait && waited < wait + Duration::from_secs(2),
            "{waited:?}"
        );

        desks.desk("form-printer insert");
        let asked = desks.ask(Desk::Forms, Act::AwaitInsert(blank(), wait));
        let came = desks.answer(asked).await;
        assert!(
            matches!(came, Answer::NotInserted(InsertProblem::Retained)),
            "too late"
        );

        desks.desk("form-printer pull");
        let asked = desks.ask(Desk::Forms, Act::AwaitInsert(blank(), wait));
        desks.clock.sleep(Duration::from_secs(5)).await;
        desks.desk("form-printer insert");
        assert!(matches!(desks.answer(asked).await, Answer::Fed));
        let asked = desks.ask(Desk::Forms, Act::ReadNumber);
        assert!(matches!(
            desks.answer(asked).await,
            Answer::OperatorMustRead
        ));
        let [first, again] = ["3130112100000102", "3130112100000103"]
            .map(|number| number.parse().expect("a number"));
        let asked = desks.ask(Desk::Forms, Act::OperatorReads { first, again });
        assert!(matches!(
            desks.answer(asked).await,
            Answer::NumberUnreadable(_)
        ));
        let asked = desks.ask(
            Desk::Forms,
            Act::OperatorReads {
                first,
                again: first,
            },
        );
        assert!(matches!(desks.answer(asked).await, Answer::NumberRead(n) if n == first));
        let asked = desks.ask(Desk::Forms, Act::AwaitTaken(wait));
        assert!(matches!(desks.answer(asked).await, Answer::NotSensed));
    });
}

#[test]
fn where_nobody_reads_the_numbers_the_printer_is_not_fit() {
    run_by_hand(Readback::None, |mut desks| async move {
        desks.all_ready().await;
        assert!(desks.facts().await.fault);
    });
}
