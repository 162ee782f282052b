//! PM2: the fields of account number and payment password.

use counterfoil_data::locale::Msg;

use super::{danger, simple};
use crate::keyboard::{ACCOUNT_DIGITS_MAX, PASSWORD_DIGITS};
use crate::model::{Body, FieldProblem};
use crate::screen::page::{Block, Page, Span};
use crate::screen::words::Words;
use crate::theme::Role;

/// Digits of one group.
const GROUP: usize = 4;

pub(super) fn page(words: Words, body: &Body) -> Page {
    match body {
        Body::EnterAccount {
            typed,
            problem,
            attempts_left,
        } => {
            let page = simple(words, Msg::EnterAccountTitle, Msg::EnterAccountHelp);
            let rest = blanks(typed.len(), ACCOUNT_DIGITS_MAX);
            let shown = format!("[ {}{rest} ]", typed.grouped());
            let problem = problem.map(account_problem);
            let mut page = field(words, page, (shown, typed.len()), (problem, *attempts_left));
            page.hints = keys(words, Msg::KeyCancel);
            page
        }
        Body::EnterPassword {
            digits,
            problem,
            attempts_left,
        } => {
            let page = simple(words, Msg::EnterPasswordTitle, Msg::EnterPasswordHelp);
            let count = usize::from(*digits).min(PASSWORD_DIGITS);
            let rest = blanks(count, PASSWORD_DIGITS);
            let shown = format!("[ {}{rest} ]", grouped(count, '*', 0));
            let problem = problem.map(password_problem);
            field(words, page, (shown, count), (problem, *attempts_left))
        }
        _ => simple(words, Msg::PickModeTitle, Msg::PleaseWait),
    }
}

fn field(
    words: Words,
    mut page: Page,
    (shown, digits): (String, usize),
    (problem, attempts_left): (Option<Msg>, Option<u32>),
) -> Page {
    page.blocks.extend([
        Block::Gap,
        Block::Centre(Span::of(Role::Figure, shown)),
        Block::Centre(Span::of(
            Role::Hint,
            words.with(Msg::PinDigits, &[("digits", &digits.to_string())]),
        )),
    ]);
    let left = |left: u32| words.with(Msg::PasswordAttemptsLeft, &[("left", &left.to_string())]);
    let said = problem.map(|p| words.say(p)).or(attempts_left.map(left));
    page.notice = said.and_then(danger);
    page.hints = keys(words, Msg::KeyBack);
    page
}

fn keys(words: Words, back: Msg) -> String {
    words.keys(&[
        ("Enter", Msg::KeyConfirm),
        ("C", Msg::KeyClear),
        ("Esc", back),
        ("L", Msg::KeyLanguage),
    ])
}

/// The places not typed yet, of `most`.
fn blanks(typed: usize, most: usize) -> String {
    grouped(most.saturating_sub(typed), '_', typed)
}

/// So many marks in groups of four, after so many before them.
fn grouped(count: usize, mark: char, before: usize) -> String {
    let mut out = String::new();
    for i in before..before.saturating_add(count) {
        if i > 0 && i.is_multiple_of(GROUP) {
            out.push(' ');
        }
        out.push(mark);
    }
    out
}

fn account_problem(problem: FieldProblem) -> Msg {
    match problem {
        FieldProblem::NotADigit => Msg::FieldNotADigit,
        FieldProblem::TooLong => Msg::AccountTooLong,
        FieldProblem::TooShort => Msg::AccountTooShort,
    }
}

fn password_problem(problem: FieldProblem) -> Msg {
    match problem {
        FieldProblem::NotADigit => Msg::FieldNotADigit,
        FieldProblem::TooLong => Msg::PasswordTooLong,
        FieldProblem::TooShort => Msg::PasswordTooShort,
    }
}
