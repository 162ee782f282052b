use std::collections::BTreeSet;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::*;

fn names(text: &str) -> BTreeSet<&str> {
    let after = text.split('{').skip(1);
    after
        .map(|rest| rest.split_once('}').expect("closed").0)
        .collect()
}

fn without_names(text: &str) -> String {
    names(text)
        .iter()
        .fold(text.to_owned(), |t, n| t.replace(&format!("{{{n}}}"), ""))
}

#[test]
fn the_list_and_the_file_have_the_same_keys() {
    let file: BTreeMap<String, Entry> = toml::from_str(MESSAGES_TOML).expect("parses");
    let listed: BTreeSet<&str> = Msg::ALL.iter().map(|m| m.key()).collect();
    let stored: BTreeSet<&str> = file.keys().map(String::as_str).collect();
    assert_eq!(listed, stored);
    assert_eq!(listed.len(), Msg::ALL.len());
}

#[test]
fn both_languages_say_something_with_the_same_arguments() {
    for msg in Msg::ALL {
        let [zh, en] = Lang::ALL.map(|lang| template(lang, *msg));
        assert!(!zh.trim().is_empty() && !en.trim().is_empty(), "{msg:?}");
        assert_eq!(names(zh), names(en), "{msg:?}");
    }
}

#[test]
fn every_character_has_one_width_on_every_terminal() {
    assert_ne!(
        '…'.width(),
        '…'.width_cjk(),
        "the oracle knows no ambiguity"
    );
    for msg in Msg::ALL {
        for lang in Lang::ALL {
            for c in template(lang, *msg).chars() {
                assert!(c.width().is_some(), "{msg:?}: control {c:?}");
                assert_eq!(c.width(), c.width_cjk(), "{msg:?}: ambiguous {c:?}");
            }
        }
    }
}

#[test]
fn texts_keep_within_their_cells() {
    for msg in Msg::ALL {
        for lang in Lang::ALL {
            let width = without_names(template(lang, *msg)).width();
            let budget = cells(*msg).map_or(76, usize::from);
            assert!(width <= budget, "{msg:?} in {lang:?}: {width} > {budget}");
        }
    }
}

#[test]
fn arguments_are_put_in_and_never_read_again() {
    let text = |args: &[(&str, &str)]| text(Lang::En, Msg::StepOf, args);
    assert_eq!(text(&[("step", "2"), ("steps", "7")]), "Step 2 of 7");
    assert_eq!(
        text(&[("step", "{steps}"), ("steps", "7")]),
        "Step {steps} of 7"
    );
    assert_eq!(text(&[("step", "2")]), "Step 2 of {steps}");
    let zh = super::text(Lang::ZhHans, Msg::Forms, &[("count", "25"), ("other", "x")]);
    assert_eq!(zh, "25 张");
}

#[test]
fn a_rule_nobody_knows_still_has_a_sentence_and_an_unknown_card_reveals_nothing() {
    assert_eq!(rule_message("no-such-rule"), Msg::RuleOther);
    for lang in Lang::ALL {
        assert_eq!(
            template(lang, rule_message("card-unknown")),
            template(lang, Msg::StopNotVerified).to_owned()
                + if lang == Lang::En { "." } else { "。" }
        );
    }
}

#[test]
fn every_finger_has_a_name_of_its_own_that_names_its_hand() {
    use crate::wire::sale::FingerPosition;
    for (lang, right) in [(Lang::ZhHans, "右手"), (Lang::En, "right ")] {
        let name = |finger: FingerPosition| template(lang, finger.into());
        let names: BTreeSet<&str> = FingerPosition::ALL.into_iter().map(name).collect();
        assert_eq!(names.len(), FingerPosition::ALL.len());
        for finger in FingerPosition::ALL {
            let is_right = finger.word().starts_with("right-");
            assert_eq!(name(finger).starts_with(right), is_right, "{finger:?}");
        }
    }
}
