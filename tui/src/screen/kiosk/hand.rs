//! What a person does at a printer that is fed by hand, or that reads no number.

use counterfoil_data::locale::Msg;

use super::{danger, simple};
use crate::model::{Body, HandForm, InsertProblem, NumberProblem, Out};
use crate::screen::page::{Block, Page, Span};
use crate::screen::words::Words;
use crate::theme::Role;

/// Digits of one row of a number, and of both.
const ROW: usize = 8;
const DIGITS: usize = 2 * ROW;

pub(super) fn page(words: Words, body: &Body) -> Page {
    match body {
        Body::PrepareForm {
            form,
            problem,
            fed,
            sure,
        } => prepare(words, form, *problem, (*fed, *sure)),
        Body::InsertForm { form, sensed } => insert(words, form, *sensed),
        Body::ReadNumber {
            sensed,
            again,
            typed,
            problem,
        } => {
            let mut page = read(words, *again, typed, *problem);
            if *sensed {
                page.blocks.insert(0, say(words, Msg::ReadNumberSensed));
            }
            page
        }
        Body::TakeForm {
            number,
            out,
            gone,
            by_word,
        } => {
            let mut page = take(words, *out, *gone, *by_word);
            if let Some(number) = number {
                let fact = words.figure(Msg::FormNumber, number.rows());
                let fact = [Block::Gap, Block::Facts(vec![fact])];
                page.blocks.splice(1..1, fact);
            }
            page
        }
        _ => simple(words, Msg::DispensingTitle, Msg::PleaseWait),
    }
}

fn say(words: Words, msg: Msg) -> Block {
    Block::Text(vec![Span::plain(words.say(msg))])
}

fn hint(words: Words, msg: Msg) -> Block {
    Block::Text(vec![Span::of(Role::Hint, words.say(msg))])
}

/// Kind, number and which of how many.
fn wanted(words: Words, form: &HandForm) -> Block {
    let kind = form.kind.map(|kind| words.say(kind)).unwrap_or_default();
    let of = words.with(
        Msg::FormOf,
        &[
            ("kind", &kind),
            ("nth", &form.nth.to_string()),
            ("total", &form.total.to_string()),
        ],
    );
    Block::Facts(vec![
        words.figure(Msg::FormNumber, form.number.rows()),
        words.fact(Msg::FormWanted, of),
    ])
}

fn prepare(
    words: Words,
    form: &HandForm,
    problem: Option<InsertProblem>,
    (fed, sure): (bool, bool),
) -> Page {
    let mut page = simple(words, Msg::PrepareFormTitle, Msg::PrepareFormHelp);
    page.blocks.extend([Block::Gap, wanted(words, form)]);
    let said = match (sure, fed, problem) {
        (true, true, _) => Some(Msg::PrepareSureFed),
        (true, false, _) => Some(Msg::PrepareSure),
        (_, _, Some(InsertProblem::Nothing)) => Some(Msg::PrepareNothing),
        (_, _, Some(InsertProblem::Retained)) => Some(Msg::PrepareRetained),
        (_, _, Some(InsertProblem::Trouble)) => Some(Msg::PrepareTrouble),
        (_, _, None) => None,
    };
    page.notice = said.and_then(|msg| danger(words.say(msg)));
    let enter = if fed { Msg::KeyAgain } else { Msg::KeyHaveIt };
    page.hints = keys(words, enter, Some(Msg::KeyStop));
    page
}

fn insert(words: Words, form: &HandForm, sensed: bool) -> Page {
    let mut page = simple(words, Msg::InsertFormTitle, Msg::InsertFormHelp);
    let msg = match sensed {
        true => Msg::InsertFormSensed,
        false => Msg::InsertFormUnsensed,
    };
    page.blocks.extend([
        Block::Gap,
        wanted(words, form),
        Block::Gap,
        hint(words, msg),
    ]);
    if !sensed {
        page.hints = keys(words, Msg::KeyItIsIn, None);
    }
    page
}

/// The field, and never the number that is expected.
fn read(words: Words, again: bool, typed: &str, problem: Option<NumberProblem>) -> Page {
    let title = if again {
        Msg::ReadNumberAgain
    } else {
        Msg::ReadNumberTitle
    };
    let mut page = simple(words, title, Msg::ReadNumberHelp);
    let count = typed.chars().count();
    page.blocks.extend([
        Block::Gap,
        Block::Centre(Span::of(Role::Figure, field(typed))),
        Block::Centre(Span::of(
            Role::Hint,
            words.with(Msg::PinDigits, &[("digits", &count.to_string())]),
        )),
        Block::Gap,
        hint(words, Msg::ReadNumberBlind),
    ]);
    page.notice = problem.and_then(|problem| danger(number_problem(words, problem)));
    let enter = words.keys(&[
        ("Enter", Msg::KeyConfirm),
        ("C", Msg::KeyClear),
        ("Esc", Msg::KeyUnreadable),
        ("L", Msg::KeyLanguage),
    ]);
    page.hints = enter;
    page
}

fn number_problem(words: Words, problem: NumberProblem) -> String {
    match problem {
        NumberProblem::NotADigit => words.say(Msg::FieldNotADigit),
        NumberProblem::Length => words.say(Msg::ReadNumberLength),
        NumberProblem::NoSuchNumber => words.say(Msg::ReadNumberNone),
        NumberProblem::Unreadable => words.say(Msg::ReadNumberUnreadable),
        NumberProblem::Differ { left } => {
            words.with(Msg::ReadNumberDiffer, &[("left", &left.to_string())])
        }
    }
}

/// Both rows with the places not typed yet, as they stand on the form.
fn field(typed: &str) -> String {
    let blanks = std::iter::repeat_n('_', DIGITS.saturating_sub(typed.chars().count()));
    let mut out = String::from("[ ");
    for (at, digit) in typed.chars().chain(blanks).enumerate() {
        if at == ROW {
            out.push(' ');
        }
        out.push(digit);
    }
    out.push_str(" ]");
    out
}

fn take(words: Words, out: Out, gone: bool, by_word: bool) -> Page {
    let help = match out {
        Out::Printed => Msg::TakeFormPrinted,
        Out::Wrong => Msg::TakeFormWrong,
        Out::Spoiled => Msg::TakeFormSpoiled,
        Out::Doubtful => Msg::TakeFormDoubtful,
    };
    let good = out == Out::Printed;
    let role = if good { Role::Good } else { Role::Danger };
    let felt = if gone {
        Msg::TakeFormGone
    } else {
        Msg::TakeFormUnfelt
    };
    let mut blocks = vec![Block::Text(vec![Span::of(role, words.say(help))])];
    if good {
        blocks.extend([Block::Gap, hint(words, felt)]);
        if by_word {
            blocks.push(hint(words, Msg::TakeFormSoon));
        }
    }
    let hints = if by_word {
        keys(words, Msg::KeyTaken, None)
    } else {
        String::new()
    };
    Page {
        heading: words.say(Msg::TakeFormTitle),
        blocks,
        hints,
        ..Page::default()
    }
}

fn keys(words: Words, enter: Msg, esc: Option<Msg>) -> String {
    let mut keys = vec![("Enter", enter)];
    keys.extend(esc.map(|msg| ("Esc", msg)));
    keys.push(("L", Msg::KeyLanguage));
    words.keys(&keys)
}
