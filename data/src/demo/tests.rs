use super::*;

fn date(text: &str) -> Date {
    text.parse().expect("a date")
}

#[test]
fn the_bank_of_this_build_is_sound() {
    let bank = bank().expect("sound");
    assert_eq!(bank.kiosk("kiosk-1").expect("there").slots.len(), 2);
    assert_eq!(bank.secret("zhang-pin").expect("there").expose(), "246810");
    assert!(bank.secret("nobody-pin").is_none());
    let slots = &bank.kiosk("kiosk-1").expect("there").slots;
    let counts: Vec<u32> = slots
        .iter()
        .map(|s| s.range().expect("a range").count())
        .collect();
    assert_eq!(counts, [200, 100]);
}

#[test]
fn the_cast_has_every_part_the_plays_need() {
    let bank = bank().expect("sound");
    let longest = bank.units.iter().map(|u| u.name.chars().count()).max();
    assert_eq!(longest, Some(30));
    let frozen = |u: &Unit| u.account.state == AccountState::Frozen;
    assert!(bank.units.iter().any(frozen));
    let today = date("2026-11-22");
    assert!(bank.agents.iter().any(|a| a.mandate_to < today));
    let forged = bank.document("zhang-forged").expect("there");
    let real = bank.document("zhang").expect("there");
    assert!(real.genuine && !forged.genuine);
    assert_eq!(real.number, forged.number);
    let stranger = bank.document("stranger").expect("there");
    assert!(
        !bank
            .agents
            .iter()
            .any(|a| a.citizen_number == stranger.number)
    );
    assert!(bank.card("unknown-card").expect("there").unit.is_none());
}

#[test]
fn fees_follow_the_date_and_zero_is_a_fee() {
    let bank = bank().expect("sound");
    let fee = |kind, day| bank.fee_each(kind, date(day));
    assert_eq!(fee(BillKind::CashCheque, "2021-09-29"), Some(Fen(80)));
    assert_eq!(fee(BillKind::CashCheque, "2021-09-30"), Some(Fen(0)));
    assert_eq!(fee(BillKind::TransferCheque, "2026-11-22"), Some(Fen(60)));
    assert_eq!(fee(BillKind::TransferCheque, "2009-12-31"), None);
    assert_eq!(fee(BillKind::BankDraft, "2026-11-22"), None);
}

#[test]
fn debug_of_the_bank_shows_no_pin_and_no_key() {
    let bank = bank().expect("sound");
    let text = format!("{bank:?}");
    assert!(!text.contains("246810") && !text.contains("10010101"));
}

#[test]
fn broken_files_are_refused_and_say_where() {
    let broken = |from: &str, to: &str| {
        assert!(BANK_TOML.contains(from), "{from}");
        DemoBank::parse(&BANK_TOML.replacen(from, to, 1)).expect_err("broken")
    };
    let unknown = broken("version = 1", "version = 1\nsurprise = 2");
    assert!(matches!(unknown, DemoError::Parse(m) if m.contains("surprise")));
    let check = broken("313000000016", "313000000017");
    assert!(matches!(check, DemoError::Value { what, .. } if what == "bank_number"));
    let overlap = broken("3130002100020001", "3130002100010200");
    assert!(matches!(overlap, DemoError::Value { rule, .. } if rule.contains("I1")));
    let dangling = broken("finger = \"zhang\"", "finger = \"nobody\"");
    assert!(matches!(dangling, DemoError::Dangling { name, .. } if name == "nobody"));
    let twice = broken("name = \"li-card\"", "name = \"zhang-card\"");
    assert!(matches!(twice, DemoError::Twice { kind, .. } if kind == "cards"));
    let luhn = broken("6217000000000000004", "6217000000000000005");
    assert!(matches!(luhn, DemoError::Value { what, .. } if what == "pan"));
}

#[test]
fn nobodys_number_is_printed_by_debug_i7() {
    let bank = bank().expect("the demo bank");
    let text = format!("{bank:?}");
    assert!(text.contains("Agent("));
    for agent in &bank.agents {
        assert!(!text.contains(&agent.citizen_number), "{}", agent.id);
    }
    for card in &bank.cards {
        assert!(!text.contains(&card.pan), "{}", card.name);
    }
}
