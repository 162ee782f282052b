//! Linked processing, printing and taking.

use counterfoil_data::locale::Msg;

use super::{danger, simple};
use crate::model::{Body, FormPhase};
use crate::screen::page::{Block, Page, Span};
use crate::screen::words::Words;
use crate::theme::Role;

pub(super) fn page(words: Words, body: &Body) -> Page {
    match body {
        Body::Dispensing { .. } => dispensing(words, body),
        Body::TakeForms { ranges, count } => Page {
            heading: words.say(Msg::TakeFormsTitle),
            blocks: vec![
                Block::Text(vec![Span::plain(
                    words.with(Msg::TakeFormsHelp, &[("count", &count.to_string())]),
                )]),
                Block::Gap,
                Block::Facts(words.ranges(Msg::Numbers, ranges)),
                Block::Gap,
                Block::Text(vec![Span::of(Role::Hint, words.say(Msg::TakeFormsSoon))]),
            ],
            ..Page::default()
        },
        Body::Resuming { printed, total } => {
            let mut page = simple(words, Msg::ResumingTitle, Msg::PleaseWait);
            let args = [
                ("printed", printed.to_string()),
                ("total", total.to_string()),
            ];
            let args: Vec<(&str, &str)> = args
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            page.blocks = vec![Block::Text(vec![Span::plain(
                words.with(Msg::ResumingHelp, &args),
            )])];
            page
        }
        _ => simple(words, Msg::LinkingTitle, Msg::LinkingHelp),
    }
}

/// One form after the other.
fn dispensing(words: Words, body: &Body) -> Page {
    let Body::Dispensing {
        requisition,
        printed,
        total,
        current,
        phase,
        spoiled,
        unknown,
    } = body
    else {
        return Page::default();
    };
    let mut facts = vec![words.fact(Msg::Requisition, requisition)];
    if let Some(number) = current {
        facts.push(words.figure(Msg::Numbers, number.rows()));
    }
    let mut blocks = vec![
        Block::Bar {
            percent: percent(*printed, *total),
            label: progress(words, *printed, *total),
        },
        Block::Gap,
        Block::Facts(facts),
        Block::Gap,
        Block::Text(vec![Span::of(
            Role::Action,
            words.say(phase_message(*phase)),
        )]),
    ];
    let counted = |msg: Msg, numbers: usize| words.with(msg, &[("count", &numbers.to_string())]);
    if !spoiled.is_empty() {
        blocks.push(Block::Text(vec![Span::plain(counted(
            Msg::DispensingSpoiled,
            spoiled.len(),
        ))]));
    }
    if !unknown.is_empty() {
        blocks.push(Block::Text(vec![Span::of(
            Role::Danger,
            counted(Msg::DispensingUnknown, unknown.len()),
        )]));
    }
    let notice = match phase {
        FormPhase::Waiting => Some(Msg::DispensingWaiting),
        FormPhase::Attention => Some(Msg::DispensingAttention),
        _ => None,
    };
    Page {
        heading: words.say(Msg::DispensingTitle),
        blocks,
        notice: notice.and_then(|msg| danger(words.say(msg))),
        ..Page::default()
    }
}

fn percent(printed: u32, total: u32) -> u8 {
    let percent = u64::from(printed)
        .saturating_mul(100)
        .checked_div(u64::from(total))
        .unwrap_or(0);
    u8::try_from(percent.min(100)).unwrap_or(100)
}

fn progress(words: Words, printed: u32, total: u32) -> String {
    words.with(
        Msg::DispensingProgress,
        &[
            ("printed", &printed.to_string()),
            ("total", &total.to_string()),
        ],
    )
}

fn phase_message(phase: FormPhase) -> Msg {
    match phase {
        FormPhase::Asking => Msg::PhaseAsking,
        FormPhase::Feeding => Msg::PhaseFeeding,
        FormPhase::Reading => Msg::PhaseReading,
        FormPhase::Printing => Msg::PhasePrinting,
        FormPhase::Presenting => Msg::PhasePresenting,
        FormPhase::Waiting => Msg::PhaseWaiting,
        FormPhase::Attention => Msg::PhaseAttention,
    }
}
