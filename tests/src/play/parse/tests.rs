//! What the parser takes, and what it says about the rest.

use std::rc::Rc;

use counterfoil_devices::driver::Role;
use counterfoil_devices::system::TokioClock;
use counterfoil_devices::twin::branch::Branch;
use proptest::prelude::*;

use super::*;
use crate::entropy::SeededEntropy;
use crate::world::Stand;

const HEAD: &str = "play 1\nsize 80x24 locale en clock 2026-01-15T09:30:00+08:00 seed 7\n";

fn steps(body: &str) -> Result<Vec<Verb>, ScriptError> {
    parse("x.play", &format!("{HEAD}{body}")).map(|p| p.steps.into_iter().map(|s| s.verb).collect())
}

fn refusal(body: &str) -> String {
    steps(body).expect_err("refused").to_string()
}

#[test]
fn every_verb_of_the_page_parses() {
    let verbs = steps(
        "as desk\ndevice id-reader present zhang\nas customer\npress Enter x3\ntype 12\ntype @zhang-pin\n\
         click button:language\npaste 1 2\nresize 100x30\nbackend kill\nadvance 45s\n\
         expect screen PickMode within 3s\nexpect text \"a within b\"\nexpect no text \"还有 15 秒\"\n\
         expect counter finger arms = 0\nexpect blanks Sold = 1\nexpect books balance\n\
         expect effects [confirmed, linked 31300021]\nscreen\n  | a |\n  |b\nscreen region=footer\n\
         styles\n | 1:2-3 action\neffects\n  | confirmed\nnote what was seen\ninclude other.steps\n",
    )
    .expect("parses");
    let row = |text: &str| vec![text.to_owned()];
    let now = |expectation| Verb::Expect(expectation, Duration::ZERO);
    let expected = [
        Verb::As(Actor::Desk),
        Verb::Device("id-reader present zhang".into()),
        Verb::As(Actor::Customer),
        Verb::Press("Enter".into(), 3),
        Verb::Type("12".into()),
        Verb::TypeSecret("zhang-pin".into()),
        Verb::Press("F2".into(), 1),
        Verb::Paste("1 2".into()),
        Verb::Resize(100, 30),
        Verb::Device("backend kill".into()),
        Verb::Advance(Duration::from_secs(45)),
        Verb::Expect(
            Expectation::Screen("PickMode".into()),
            Duration::from_secs(3),
        ),
        now(Expectation::Text("a within b".into())),
        now(Expectation::NoText("还有 15 秒".into())),
        now(Expectation::Counter("finger".into(), "arms".into(), 0)),
        now(Expectation::Blanks("Sold".into(), 1)),
        now(Expectation::Books),
        now(Expectation::Effects(vec![
            "confirmed".into(),
            "linked 31300021".into(),
        ])),
        Verb::Screen(Region::Whole, vec![" a |".into(), "b".into()]),
        Verb::Screen(Region::Footer, Vec::new()),
        Verb::Styles(row(" 1:2-3 action")),
        Verb::Effects(row(" confirmed")),
        Verb::Note,
        Verb::Include("other.steps".into()),
    ];
    assert_eq!(verbs, expected);
}

#[test]
fn an_unknown_verb_names_its_place_and_a_near_one() {
    assert_eq!(
        refusal("pres Enter\n"),
        "x.play:3:1: unknown verb `pres`; did you mean `press`?"
    );
    assert_eq!(
        refusal("press Enter\n\t  pres Enter\n"),
        "x.play:4:4: unknown verb `pres`; did you mean `press`?"
    );
    assert!(refusal("sleep 3s\n").contains("unknown verb"));
}

#[test]
fn an_unknown_word_names_its_place_and_the_right_ones() {
    for (line, place, right) in [
        ("press Up Entr", "3:10", "did you mean `Enter`"),
        ("  type @zhang-pim", "3:8", "did you mean `@zhang-pin`"),
        ("click button:okay", "3:7", "did you mean `button:ok`"),
        ("device finger plaze zhang", "3:15", "did you mean `place`"),
        ("device finger place zhan", "3:21", "did you mean `zhang`"),
        ("device fingr lift", "3:8", "did you mean `finger`"),
        ("device card-reader insert zhang", "3:27", "zhang-card"),
        ("device form-printer take all", "3:26", "nothing follows"),
        ("device form-printer jam after", "3:30", "goes on with N"),
        ("device pin-pad enter @nobody", "3:22", "@li-pin"),
        ("device backend kil", "3:16", "did you mean `kill`"),
        ("expect blanks Solt = 1", "3:15", "did you mean `Sold`"),
        (
            "expect counter fingers arms = 1",
            "3:16",
            "did you mean `finger`",
        ),
        ("expect screen 柜 within 3q", "3:24", "ms, s, m, h"),
        ("styles 3", "3:8", "stands alone"),
        ("include", "3:8", "which file"),
    ] {
        let told = refusal(line);
        assert!(
            told.starts_with(&format!("x.play:{place}: ")),
            "{line}: {told}"
        );
        assert!(told.contains(right), "{line}: {told}");
    }
}

#[test]
fn a_number_that_may_be_somebodys_is_refused_wherever_it_stands() {
    for line in [
        "type 6217000000000000001",
        "type 110105194912310021",
        "type 3130000000000000001",
        // A Luhn-valid number of 16 digits, beside one that is not.
        "expect text \"4111111111111111 1234\"",
        "note 3130002100010001 and 5500005555555559",
        "# remark 11010519491231002X",
        "screen\n  | 6217000000000000012",
        "effects\n  | 123456789012",
        // Another bank's bill number where none is needed, and a card number where one is.
        "expect text \"1020002100000001\"",
        "device form-printer wrong number next 4111111111111111",
    ] {
        assert!(refusal(line).contains("no literal long numbers"), "{line}");
    }
    let header = "play 1\nclock 2026-01-15T09:30:00+08:00 seed 6217000000000004\n";
    let told = parse("x", header).expect_err("refused").to_string();
    assert!(told.starts_with("x:2:38: no literal"), "{told}");
    assert!(parse_included("x", "type 110105194912310021").is_err());
}

#[test]
fn published_numbers_of_the_demo_bank_and_bill_numbers_to_load_may_stand() {
    steps(
        "screen\n  | 3130002100010062 行号 313000000016\neffects\n  | read 3130001100050003\n\
         expect text \"3130002100010001\"\n\
         device form-printer load slot-1 3130002100010062-3130002100010099\n\
         device form-printer wrong number next 1020002100000001\n",
    )
    .expect("all of these are nobody's");
}

#[test]
fn files_lines_and_blocks_have_limits() {
    let long = format!("note {}", "x".repeat(LINE_BYTES_MAX));
    assert!(refusal(&long).contains("bytes"));
    assert!(refusal(&format!("screen\n  |{long}")).contains("bytes"));
    let block = format!("screen\n{}", "  |\n".repeat(BLOCK_ROWS_MAX + 1));
    assert!(refusal(&block).contains("rows"));
    let many = "note\n".repeat(LINES_MAX + 1);
    assert!(parse_included("x", &many).is_err());
}

#[test]
fn the_ten_pieces_of_the_page_parse() {
    let page = include_str!("../../../README.md");
    let (_, pieces) = page
        .split_once("## Ten pieces to copy")
        .expect("the pieces");
    let lines: Vec<&str> = pieces.lines().map(str::trim).collect();
    let numbered = lines.iter().filter(|line| line.starts_with("# "));
    assert_eq!(numbered.count(), 10);
    assert!(steps(&lines.join("\n")).expect("parses").len() > 20);
}

#[test]
fn every_act_that_a_twin_knows_is_in_the_table() {
    for name in Stand::NAMES {
        knows_every_act_of(Stand::named(name).expect("a stand"));
    }
}

fn knows_every_act_of(stand: Stand) {
    let bank = counterfoil_data::demo::bank().expect("the demo bank");
    let clock = Rc::new(TokioClock::starting_at(Timestamp::UNIX_EPOCH));
    let bus = Branch::demo(&bank, clock, SeededEntropy::stream(1, "devices"), None);
    stand.furnish(&bus, &bank, None).expect("furnishes");
    let names = Names::of_the_demo_bank().expect("the demo bank");
    for device in Role::ALL.map(Role::name) {
        let refusal = bus.desk(&format!("{device} ?")).expect_err("nonsense").0;
        let acts = refusal
            .rsplit_once(": ")
            .map_or(&*refusal, |(_, acts)| acts);
        for act in acts.split(", ") {
            let first = act.split(' ').next().expect("a word");
            for word in first.split('|') {
                let unknown = names.act(&[device, word, "?"]).expect_err("a question");
                assert!(unknown.word > 1, "{device} {act}: {}", unknown.what);
            }
        }
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,200}") {
        let _ = parse("x", &text);
        let _ = steps(&text);
    }
}
