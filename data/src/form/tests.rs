use proptest::prelude::*;

use super::*;
use crate::bill::{BillNumber, BillRange};
use crate::money::Fen;
use crate::wire::Digest;
use crate::wire::confirm::ConfirmText;
use crate::wire::sale::PrintJob;

const TRANSFER: &str = include_str!("../../forms/transfer-cheque.toml");

fn number(text: &str) -> BillNumber {
    text.parse().expect("a number")
}

fn approved() -> ConfirmText {
    let range = BillRange::from_count(number("3130002100010001"), 5).expect("fits");
    ConfirmText {
        account_name: "样例机械有限公司".into(),
        account: "3130000000000000001".into(),
        bank_name: "样例银行".into(),
        bank_number: "313000000016".into(),
        agent_masked: "张**".into(),
        ranges: vec![range],
        count: 5,
        fee: Fen(300),
    }
}

fn job() -> PrintJob {
    PrintJob {
        number: number("3130002100010003"),
        slot: "slot-1".parse().expect("an id"),
        template: "transfer-cheque".into(),
        fields: expected_fields(&approved()),
        approved: approved().digest(),
        supplement_of: None,
    }
}

#[test]
fn the_templates_of_this_build_load_and_are_for_their_kinds() {
    for kind in BillKind::ALL {
        let Some(id) = template_for(kind) else {
            continue;
        };
        let template = template(id).expect("sound");
        assert_eq!((template.id.as_str(), template.kind), (id, kind));
        assert!(!template.numbers.is_empty());
    }
    assert!(matches!(template("bank-draft"), Err(FormError::Unknown(_))));
}

#[test]
fn a_field_that_touches_what_is_kept_free_does_not_load() {
    let moved = |from: &str, to: &str| {
        assert!(TRANSFER.contains(from), "{from}");
        FormTemplate::parse(&TRANSFER.replacen(from, to, 1)).expect_err("refused")
    };
    let touches = |error: FormError, what: &str| {
        assert!(
            matches!(&error, FormError::Overlap { other, .. } if other == what),
            "{error}"
        );
    };
    touches(moved("y = 555", "y = 571"), "micr-band");
    touches(moved("y = 180", "y = 169"), "number-box");
    touches(moved("y = 250", "y = 290"), "amount");
    let named = moved("y = 555", "y = 571").to_string();
    assert!(named.contains("account_name") && named.contains("micr-band"));
    touches(
        moved("x = 1560\ny = 180", "x = 1520\ny = 180"),
        "付款行名称",
    );
    touches(moved("y = 250", "y = 219"), "bank_name");
    let out = moved("width = 640", "width = 691");
    assert!(matches!(out, FormError::Outside(_)));
    let font = moved("[30]", "[]");
    assert!(matches!(font, FormError::Field(name) if name == "account"));
    let twice = moved("name = \"account\"", "name = \"bank_name\"");
    assert!(matches!(twice, FormError::Field(_)));
}

#[test]
fn the_code_line_band_and_the_number_box_are_restricted_on_every_template() {
    for (id, _) in TEMPLATES {
        let template = template(id).expect("sound");
        let band = template.restricted.iter().find(|r| r.name == "micr-band");
        let band = band.expect("there").area;
        assert_eq!((band.width, band.height), (template.stock.width, 160));
        assert_eq!(band.bottom(), template.stock.height);
        assert!(template.restricted.iter().any(|r| r.name == "number-box"));
    }
}

/// A template with the lines of one table (`[[x]]` with this name) taken out.
fn without(text: &str, name: &str) -> String {
    let table = format!("name = \"{name}\"");
    let kept = text.split("\n[[").filter(|part| !part.contains(&table));
    kept.collect::<Vec<_>>().join("\n[[")
}

#[test]
fn a_cheque_that_leaves_an_area_of_its_stock_unprotected_does_not_load() {
    for area in [
        "micr-band",
        "number-box",
        "issue-date",
        "payee",
        "amount",
        "seal",
    ] {
        let error = FormTemplate::parse(&without(TRANSFER, area)).expect_err("refused");
        let kind = BillKind::TransferCheque;
        assert_eq!(error, FormError::Unprotected { kind, area });
        assert!(error.to_string().contains(area), "{error}");
    }
}

#[test]
fn what_the_drawer_writes_is_never_a_field_of_a_cheque() {
    let bank_name = "name = \"bank_name\"";
    for name in ["amount", "issue_date", "payee", "purpose"] {
        let text = TRANSFER.replacen(bank_name, &format!("name = \"{name}\""), 1);
        let error = FormTemplate::parse(&text).expect_err("refused");
        let kind = BillKind::TransferCheque;
        let field = name.to_owned();
        assert_eq!(error, FormError::NotOurs { kind, field });
    }
    let words = format!("{bank_name}\nformat = \"amount-words\"");
    let text = TRANSFER.replacen(bank_name, &words, 1);
    assert!(matches!(
        FormTemplate::parse(&text),
        Err(FormError::NotOurs { .. })
    ));
}

const NOTE: &str = include_str!("../../forms/promissory-note.toml");

#[test]
fn amount_and_date_of_a_promissory_note_are_written_in_capitals_or_not_at_all() {
    let note = template("promissory-note").expect("sound");
    let written = |name: &str, value| note.field(name).expect("there").written(value);
    let ok = |text: &str| Ok(text.to_owned());
    assert_eq!(written("amount", "140950"), ok("人民币壹仟肆佰零玖元伍角"));
    assert_eq!(
        written("issue_date", "2026-10-20"),
        ok("贰零贰陆年零壹拾月零贰拾日")
    );
    assert_eq!(written("payee", "140950"), ok("140950"));
    for bad in ["", "-1", "+1", "1.5", " 1", "99999999999999999999"] {
        let refused = written("amount", bad);
        assert!(matches!(refused, Err(FitError::Format { .. })), "{bad}");
    }
    for bad in ["2026-13-01", "20 October 2026", ""] {
        let refused = written("issue_date", bad);
        assert!(matches!(refused, Err(FitError::Format { .. })), "{bad}");
    }
    for format in ["\"date-words\"", "\"amount-words\""] {
        let error = FormTemplate::parse(&NOTE.replacen(format, "\"text\"", 1));
        assert!(matches!(error, Err(FormError::NotInCapitals { .. })));
    }
}

#[test]
fn no_kiosk_prints_a_promissory_note() {
    assert_eq!(template_for(BillKind::PromissoryNote), None);
    let text = ConfirmText {
        ranges: vec![BillRange::from_count(number("3130007100010001"), 5).expect("fits")],
        ..approved()
    };
    let job = PrintJob {
        number: number("3130007100010001"),
        template: "promissory-note".into(),
        approved: text.digest(),
        ..job()
    };
    assert_eq!(follows(&job, &text), Err(FollowError::Field));
}

#[test]
fn an_offset_moves_a_point_and_is_bounded() {
    let offset = Offset::new(-5, 12).expect("small");
    assert_eq!(offset.moved(100, 200), Some((95, 212)));
    assert_eq!(offset.moved(4, 0), None);
    assert!(Offset::new(51, 0).is_err() && Offset::new(0, -51).is_err());
    let read = |text| toml::from_str::<Offset>(text);
    assert_eq!(read("x = -5\ny = 12").expect("lawful"), offset);
    let refused = read("y = 51").expect_err("too much").to_string();
    assert!(refused.contains("calibration"), "{refused}");
    assert!(read("z = 1").is_err());
}

#[test]
fn a_long_name_shrinks_then_takes_two_lines_then_is_rejected() {
    let template = template("transfer-cheque").expect("sound");
    let field = template.field("account_name").expect("there");
    let fit = |count: usize| field.fit(&"样".repeat(count));
    let shape = |fitted: Fitted| (fitted.font_height, fitted.lines.len());
    assert_eq!(fit(18).map(shape), Ok((30, 1)));
    assert_eq!(fit(19).map(shape), Ok((20, 1)));
    assert_eq!(fit(27).map(shape), Ok((20, 1)));
    assert_eq!(fit(28).map(shape), Ok((30, 2)));
    assert_eq!(fit(36).map(shape), Ok((30, 2)));
    assert_eq!(fit(37).map(shape), Ok((20, 2)));
    assert_eq!(fit(54).map(shape), Ok((20, 2)));
    assert!(matches!(fit(55), Err(FitError::TooLong { .. })));
    assert!(matches!(fit(0), Err(FitError::NotPrintable { .. })));
    assert!(field.fit("样\u{1b}@").is_err());
}

#[test]
fn every_unit_of_the_demo_bank_fits_its_forms() {
    let bank = crate::demo::bank().expect("sound");
    let template = template("transfer-cheque").expect("sound");
    let field = |name| template.field(name).expect("there");
    for unit in &bank.units {
        assert!(field("account_name").fit(&unit.name).is_ok());
        assert!(field("account").fit(&unit.account.number).is_ok());
    }
    assert!(field("bank_name").fit(&bank.bank.name).is_ok());
    assert!(field("bank_number").fit(&bank.bank.bank_number).is_ok());
}

#[test]
fn a_job_that_says_what_was_confirmed_follows() {
    assert_eq!(follows(&job(), &approved()), Ok(()));
}

#[test]
fn a_job_that_differs_in_anything_does_not_follow() {
    let with = |change: fn(&mut PrintJob)| {
        let mut job = job();
        change(&mut job);
        follows(&job, &approved()).expect_err("refused")
    };
    assert_eq!(with(|j| j.approved = Digest::of(b"")), FollowError::Digest);
    assert_eq!(with(|j| j.template = "x".into()), FollowError::Template);
    assert_eq!(
        with(|j| j.template = "cash-cheque".into()),
        FollowError::Kind
    );
    let outside = number("3130002100010006");
    assert_eq!(
        with(|j| j.number = number("3130002100010006")),
        FollowError::Number(outside)
    );
    for name in ["account_name", "account", "bank_name", "bank_number"] {
        let mut changed = job();
        changed.fields.insert(name.into(), "x".into());
        assert_eq!(follows(&changed, &approved()), Err(FollowError::Field));
        changed.fields.remove(name);
        assert_eq!(follows(&changed, &approved()), Err(FollowError::Field));
    }
    let more = with(|j| drop(j.fields.insert("amount".into(), "1".into())));
    assert_eq!(more, FollowError::Field);
}

#[test]
fn a_changed_confirmed_text_is_noticed_by_its_digest() {
    let mut other = approved();
    other.account_name = "样例机械有限公司二".into();
    assert_eq!(follows(&job(), &other), Err(FollowError::Digest));
}

#[test]
fn a_supplement_stands_in_for_a_confirmed_number_of_its_prefix() {
    let supplement = |number_: &str, of: &str| {
        let job = PrintJob {
            number: number(number_),
            supplement_of: Some(number(of)),
            ..job()
        };
        follows(&job, &approved())
    };
    let refused = |n: &str| Err(FollowError::Supplement(number(n)));
    let (spare, spoiled) = ("3130002100010006", "3130002100010003");
    assert_eq!(supplement(spare, spoiled), Ok(()));
    assert_eq!(supplement(spare, "3130002100010009"), refused(spare));
    let other = "3130002200010006";
    assert_eq!(supplement(other, spoiled), refused(other));
    let twice = "3130002100010004";
    assert_eq!(supplement(twice, spoiled), refused(twice));
}

proptest! {
    #[test]
    fn what_fits_stays_in_its_box_and_loses_nothing(text in "[样例a-z0-9（）]{1,80}") {
        let template = template("transfer-cheque").expect("sound");
        for field in &template.fields {
            if let Ok(fitted) = field.fit(&text) {
                prop_assert_eq!(fitted.lines.concat(), text.as_str());
                for line in &fitted.lines {
                    prop_assert!(width(line, fitted.font_height) <= field.area.width);
                }
                let last = u32::try_from(fitted.lines.len()).expect("few") - 1;
                let tall = last * fitted.pitch() + fitted.font_height;
                prop_assert!(tall <= field.area.height);
            }
        }
    }
}
