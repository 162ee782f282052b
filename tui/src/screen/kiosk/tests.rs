//! Every screen, both languages, the sizes people have.

use counterfoil_data::bill::{BillKind, BillNumber, BillRange};
use counterfoil_data::money::Fen;
use counterfoil_data::wire::confirm::ConfirmText;
use counterfoil_data::wire::problem::{Remedy, RuleRefusal};
use counterfoil_data::wire::sale::{
    FingerPosition, Offer, OrderItem, OrderView, Proof, PurchaseMode, Receipt,
};
use counterfoil_data::wire::sheet::{SheetReason, SheetState, SheetView};

use super::*;
use crate::model::{
    CardProblem, DocumentProblem, FieldProblem, FingerAdvice, FormPhase, HandForm, InsertProblem,
    Language, NumberProblem, OrderNotice, Out, ReceiptOut, ServiceFault, StopReason, TypedNumber,
};

/// The longest name a unit of the demo bank has.
const LONG_UNIT: &str = "样例国际供应链管理与信息技术服务集团股份有限公司第一营业分部";

fn number() -> BillNumber {
    "3130002100010001".parse().expect("a number")
}

fn range() -> BillRange {
    BillRange::from_count(number(), 25).expect("a range")
}

fn refusal() -> RuleRefusal {
    RuleRefusal {
        rule: "unused-cap".into(),
        version: 1,
        staff: "x".into(),
        remedy: Remedy::ChangeOrder,
    }
}

fn order() -> OrderView {
    let text = ConfirmText {
        account_name: LONG_UNIT.into(),
        account: "3130000000000000001".into(),
        bank_name: "样例银行中心支行".into(),
        bank_number: "313000000016".into(),
        agent_masked: "张**".into(),
        ranges: vec![range(), range()],
        count: 50,
        fee: Fen(3000),
    };
    let items = [BillKind::TransferCheque, BillKind::CashCheque]
        .map(|kind| OrderItem { kind, quantity: 25 });
    let digest = text.digest();
    let code = counterfoil_data::wire::confirm::code(&digest);
    OrderView {
        items: items.to_vec(),
        text,
        digest,
        code,
        deadline: None,
        seen: true,
        question: None,
    }
}

fn receipt() -> Receipt {
    Receipt {
        requisition: "2026112200000001".into(),
        kiosk: "kiosk-1".parse().expect("an id"),
        date: "2026-11-22".parse().expect("a date"),
        unit: LONG_UNIT.into(),
        account_masked: "***************0001".into(),
        agent_masked: "张**".into(),
        ordered: 53,
        sold: vec![range(), range()],
        void: vec![BillRange::single(number())],
        unknown: vec![BillRange::single(number())],
        released: vec![BillRange::single(number())],
        fee: Fen(1500),
        sheet: Some(SheetView {
            state: SheetState::Cancelled,
            reason: Some(SheetReason::NotPrinted),
            forms: 0,
        }),
        proof: Proof {
            leaf: 1,
            leaf_hash: counterfoil_data::wire::Digest::of(b""),
            size: 2,
            root: counterfoil_data::wire::Digest::of(b""),
            path: Vec::new(),
        },
    }
}

/// An account number as long as there are.
fn typed() -> TypedNumber {
    let mut digits = counterfoil_data::secret::Digits::default();
    while digits.push(3) {}
    TypedNumber::of(&digits)
}

fn wanted() -> HandForm {
    HandForm {
        kind: Some(BillKind::PromissoryNoteSorter),
        number: number(),
        nth: 99,
        total: 100,
    }
}

fn offers() -> Vec<Offer> {
    [BillKind::TransferCheque, BillKind::CashCheque]
        .map(|kind| Offer {
            kind,
            fee_each: Fen(60),
            quantity_max: 100,
            quantity_usual: 25,
        })
        .to_vec()
}

/// At least one of every variant, with the longest content each can have.
#[expect(clippy::too_many_lines, reason = "a table: one row for each screen")]
fn bodies() -> Vec<Body> {
    let left = vec![LeftBehind::Card, LeftBehind::Document, LeftBehind::Forms];
    vec![
        Body::Starting,
        Body::Attract {
            branch: "样例银行中心支行".into(),
            left_behind: Vec::new(),
        },
        Body::Attract {
            branch: "样例银行中心支行".into(),
            left_behind: left.clone(),
        },
        Body::PickMode {
            modes: vec![PurchaseMode::SettlementCard, PurchaseMode::PaymentPassword],
            focus: 1,
            connecting: true,
        },
        Body::InsertCard {
            problem: Some(CardProblem::Removed),
        },
        Body::ReadingCard,
        Body::EnterPin {
            digits: 6,
            attempts_left: Some(2),
        },
        Body::EnterAccount {
            typed: typed(),
            problem: Some(FieldProblem::TooShort),
            attempts_left: None,
        },
        Body::EnterPassword {
            digits: 15,
            problem: None,
            attempts_left: Some(2),
        },
        Body::CheckingInfo,
        Body::PlaceDocument {
            unit: LONG_UNIT.into(),
            problem: Some(DocumentProblem::LiftAndReplace),
        },
        Body::ReadingDocument,
        Body::PlaceFinger {
            advice: Some(FingerAdvice::OtherFinger),
            attempts_left: Some(1),
        },
        Body::ReadingFinger { percent: 45 },
        Body::CheckingIdentity,
        Body::PickOrder {
            unit: LONG_UNIT.into(),
            account_masked: "***************0001".into(),
            agent_masked: "张**".into(),
            offers: offers(),
            quantities: vec![25, 0],
            focus: 0,
            fee: Fen(1500),
            notice: Some(OrderNotice::Refused(refusal())),
        },
        Body::PlaceOtherFinger {
            fingers: FingerPosition::ALL.into_iter().skip(1).collect(),
            forms: 200,
            advice: Some(FingerAdvice::OtherFinger),
            attempts_left: Some(2),
        },
        Body::AwaitConfirm {
            order: order(),
            moved: false,
        },
        Body::Linking,
        Body::Dispensing {
            requisition: "2026112200000001".into(),
            printed: 11,
            total: 26,
            current: Some(number()),
            phase: FormPhase::Waiting,
            spoiled: vec![number()],
            unknown: vec![number()],
        },
        Body::TakeForms {
            ranges: vec![range(), range()],
            count: 50,
        },
        Body::PrepareForm {
            form: wanted(),
            problem: Some(InsertProblem::Trouble),
            fed: true,
            sure: false,
        },
        Body::PrepareForm {
            form: wanted(),
            problem: None,
            fed: true,
            sure: true,
        },
        Body::InsertForm {
            form: wanted(),
            sensed: false,
        },
        Body::ReadNumber {
            sensed: true,
            again: true,
            typed: "31300021000".into(),
            problem: Some(NumberProblem::Differ { left: 2 }),
        },
        Body::TakeForm {
            number: Some(number()),
            out: Out::Printed,
            gone: false,
            by_word: true,
        },
        Body::TakeForm {
            number: None,
            out: Out::Doubtful,
            gone: true,
            by_word: true,
        },
        Body::PrintingSheet,
        Body::PrintingReceipt,
        Body::TakeReceipt { sheet: false },
        Body::TakeReceipt { sheet: true },
        Body::Done {
            receipt: receipt(),
            receipt_out: ReceiptOut::DrawnBack,
            left_behind: left,
        },
        Body::Stopped {
            why: StopReason::Refused,
            rule: Some(refusal()),
            remedy: Remedy::CallStaff,
            left_behind: vec![LeftBehind::Card, LeftBehind::Document],
        },
        Body::Resuming {
            printed: 11,
            total: 25,
        },
        Body::OutOfService {
            why: ServiceFault::Device("form-printer".into()),
        },
    ]
}

fn rows(screen: &KioskScreen, width: u16, height: u16) -> Vec<String> {
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    draw(screen, area, &mut buffer);
    let text = |y| {
        (0..width)
            .filter_map(|x| buffer.cell((x, y)).map(|c| c.symbol()))
            .collect::<String>()
    };
    (0..height).map(text).collect()
}

/// A row without the blanks that stand behind wide characters.
fn squeeze(text: &str) -> String {
    text.chars().filter(|c| *c != ' ').collect()
}

#[test]
fn every_screen_says_everything_at_80x24_in_both_languages() {
    for language in [Language::ZhHans, Language::En] {
        for body in bodies() {
            let name = body.name();
            let screen = KioskScreen {
                language,
                step: Some((3, 8)),
                seconds_left: Some(9),
                offline: true,
                body,
            };
            let drawn = squeeze(&rows(&screen, 80, 24).concat());
            for line in page(&screen).linear() {
                // A choice is drawn without its ordinal, a fact without its colon.
                let parts = line.trim_start_matches(['>', ' ']).split(": ");
                let last = squeeze(parts.last().unwrap_or_default());
                let last =
                    last.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '%');
                assert!(
                    drawn.contains(last),
                    "{name} in {language:?} lost {last:?}\n{}",
                    rows(&screen, 80, 24).join("\n")
                );
            }
        }
    }
}

#[test]
fn the_smallest_terminal_still_shows_the_heading_and_the_keys() {
    for body in bodies() {
        let screen = KioskScreen {
            language: Language::ZhHans,
            step: None,
            seconds_left: None,
            offline: false,
            body,
        };
        let drawn = squeeze(&rows(&screen, 40, 12).concat());
        let page = page(&screen);
        assert!(
            drawn.contains(&squeeze(&page.heading)),
            "{}",
            screen.body.name()
        );
        let hints: String = squeeze(&page.hints).chars().take(12).collect();
        assert!(
            drawn.contains(&hints),
            "{} lost its keys",
            screen.body.name()
        );
    }
}

/// What a hurried customer must read, on the usual and on the smallest window.
#[test]
fn another_finger_is_asked_for_by_name_with_the_reason_the_tries_left_and_the_way_back() {
    let chinese = ["左手食指、右手拇指", "45张", "再试2次", "Esc返回修改数量"];
    let english = [
        "leftindexfinger,rightthumb",
        "45forms",
        "Triesleft:2",
        "EscBacktotheorder",
    ];
    for (language, said) in [(Language::ZhHans, chinese), (Language::En, english)] {
        let screen = KioskScreen {
            language,
            step: Some((4, 7)),
            seconds_left: None,
            offline: false,
            body: Body::PlaceOtherFinger {
                fingers: vec![FingerPosition::LeftIndex, FingerPosition::RightThumb],
                forms: 45,
                advice: Some(FingerAdvice::OtherFinger),
                attempts_left: Some(2),
            },
        };
        for (width, height) in [(80, 24), (40, 12)] {
            let drawn = squeeze(&rows(&screen, width, height).concat());
            for words in said {
                assert!(drawn.contains(words), "{words} at {width}: {drawn}");
            }
        }
    }
}

#[test]
fn every_public_name_has_a_screen_and_every_screen_a_public_name() {
    let mut drawn: Vec<&str> = bodies().iter().map(Body::name).collect();
    drawn.dedup();
    assert_eq!(drawn, Body::NAMES);
}

#[test]
fn a_name_that_carries_control_and_bidi_characters_is_drawn_without_them() {
    let hostile = "\u{202e}evil\u{1b}[2J\u{200d}\u{e0041}a\u{301}\u{301}\u{301}\u{301}\r\n司";
    let screen = KioskScreen {
        language: Language::En,
        step: None,
        seconds_left: None,
        offline: false,
        body: Body::Attract {
            branch: hostile.to_owned(),
            left_behind: Vec::new(),
        },
    };
    let area = Rect::new(0, 0, 80, 24);
    let mut buffer = Buffer::empty(area);
    draw(&screen, area, &mut buffer);
    let drawn: String = buffer.content().iter().map(|cell| cell.symbol()).collect();
    assert!(drawn.contains("evil"), "{drawn}");
    for bad in ['\u{202e}', '\u{1b}', '\u{200d}', '\u{e0041}', '\r', '\n'] {
        assert!(!drawn.contains(bad), "{bad:?}");
    }
    assert!(drawn.matches('\u{301}').count() <= 2);
}
