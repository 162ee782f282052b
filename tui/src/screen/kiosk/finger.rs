//! The live finger: at the gate (S11), and another one for a large order (S13).

use counterfoil_data::locale::Msg;
use counterfoil_data::wire::sale::FingerPosition;

use super::{danger, only_cancel, simple};
use crate::model::{Body, FingerAdvice};
use crate::screen::page::{Block, Page, Span};
use crate::screen::words::Words;

pub(super) fn page(words: Words, body: &Body) -> Page {
    match body {
        Body::PlaceFinger {
            advice,
            attempts_left,
        } => Page {
            notice: notice(words, advice.map(at_the_gate), *attempts_left),
            hints: only_cancel(words),
            ..simple(words, Msg::PlaceFingerTitle, Msg::PlaceFingerHelp)
        },
        Body::PlaceOtherFinger {
            fingers,
            forms,
            advice,
            attempts_left,
        } => Page {
            notice: notice(words, advice.map(for_an_order), *attempts_left),
            ..other(words, fingers, *forms)
        },
        Body::ReadingFinger { percent } => {
            let label = words.with(Msg::ReadingFingerHelp, &[("percent", &percent.to_string())]);
            let mut page = simple(words, Msg::ReadingFingerTitle, Msg::PleaseWait);
            page.blocks.extend([
                Block::Gap,
                Block::Bar {
                    percent: *percent,
                    label,
                },
            ]);
            page
        }
        _ => simple(words, Msg::PlaceFingerTitle, Msg::PleaseWait),
    }
}

/// Which finger comes before why: on a small window the end of a page is cut.
fn other(words: Words, fingers: &[FingerPosition], forms: u32) -> Page {
    let names: Vec<String> = fingers.iter().map(|finger| words.say(*finger)).collect();
    let mut blocks = Vec::new();
    if !names.is_empty() {
        let names = words.list(&names);
        blocks.push(Block::Facts(vec![
            words.figure(Msg::OtherFingerWhich, names),
        ]));
        blocks.push(Block::Gap);
    }
    let why = words.with(Msg::OtherFingerWhy, &[("count", &forms.to_string())]);
    blocks.push(Block::Text(vec![Span::plain(why)]));
    blocks.push(Block::Text(vec![Span::plain(words.say(Msg::FingerCentre))]));
    Page {
        heading: words.say(Msg::OtherFingerTitle),
        blocks,
        hints: words.keys(&[("Esc", Msg::KeyToOrder)]),
        ..Page::default()
    }
}

/// What to do better, and how many tries there are after one that did not match.
fn notice(words: Words, advice: Option<Msg>, attempts_left: Option<u32>) -> Option<Span> {
    let left =
        attempts_left.map(|left| words.with(Msg::AttemptsLeft, &[("left", &left.to_string())]));
    let advice = advice.map(|advice| words.say(advice));
    let both: Vec<String> = advice.into_iter().chain(left).collect();
    if both.is_empty() {
        return None;
    }
    danger(words.join(&both))
}

fn at_the_gate(advice: FingerAdvice) -> Msg {
    match advice {
        FingerAdvice::PressHarder => Msg::FingerPressHarder,
        FingerAdvice::PressLess => Msg::FingerPressLess,
        FingerAdvice::Centre => Msg::FingerCentre,
        FingerAdvice::Dry => Msg::FingerDry,
        FingerAdvice::KeepStill => Msg::FingerKeepStill,
        FingerAdvice::OtherFinger => Msg::FingerOther,
        FingerAdvice::LiftFirst => Msg::FingerLiftFirst,
    }
}

/// Any enrolled finger will not do: the first one was proven already.
fn for_an_order(advice: FingerAdvice) -> Msg {
    match advice {
        FingerAdvice::OtherFinger => Msg::OtherFingerNoMatch,
        advice => at_the_gate(advice),
    }
}
