//! What the parser takes, and what it says about the rest.

use proptest::prelude::*;

use super::*;

const HEAD: &str = "play 1\nsize 80x24 locale en clock 2026-01-15T09:30:00+08:00 seed 7\n";

fn steps(body: &str) -> Result<Vec<Verb>, ScriptError> {
    parse("x.play", &format!("{HEAD}{body}")).map(|p| p.steps.into_iter().map(|s| s.verb).collect())
}

#[test]
fn every_verb_of_the_page_parses() {
    let verbs = steps(
        "as desk\ndevice id-reader present zhang\nas customer\npress Enter x3\nexpect screen PickMode within 3s\n\
         expect text \"还有 15 秒\"\nadvance 45s\nscreen\n  | a |\n  |b\nexpect counter finger arms = 0\nexpect books balance\n",
    )
    .expect("parses");
    assert_eq!(verbs.len(), 10);
    assert_eq!(verbs[3], Verb::Press("Enter".into(), 3));
    assert_eq!(
        verbs[7],
        Verb::Screen(Region::Whole, vec![" a |".into(), "b".into()])
    );
}

#[test]
fn an_unknown_verb_names_its_place_and_a_near_one() {
    let error = steps("pres Enter\n").expect_err("unknown");
    assert_eq!(
        error.to_string(),
        "x.play:3:1: unknown verb `pres`; did you mean `press`?"
    );
    assert!(
        steps("sleep 3s\n")
            .expect_err("no sleep verb")
            .what
            .contains("unknown verb")
    );
}

#[test]
fn a_literal_card_number_is_refused() {
    assert!(steps("type 6217000000000000001\n").is_err());
    assert!(steps("type 110105194912310021\n").is_err());
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,200}") {
        let _ = parse("x", &text);
        let _ = steps(&text);
    }
}
