//! The kiosk's screens: one masked model to one page.
//!
//! Every page says what to do now; every problem says what to do next; amounts
//! and numbers stand in a role of their own. Texts come from `data/locales`.

mod dispense;
mod ends;
mod finger;
mod gates;
mod hand;
mod order;
mod password;

use counterfoil_data::locale::Msg;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::page::{Block, Page, Span};
use super::words::Words;
use crate::model::{Body, KioskScreen, LeftBehind};
use crate::theme::Role;

/// Draws one screen.
pub fn draw(screen: &KioskScreen, area: Rect, buffer: &mut Buffer) {
    page(screen).paint(area, buffer);
}

/// The page of a screen.
pub fn page(screen: &KioskScreen) -> Page {
    let words = Words::of(screen.language);
    let mut page = body(words, &screen.body);
    page.title = words.say(Msg::BankTitle);
    page.more = words.say(Msg::PageMore);
    if let Some((step, steps)) = screen.step {
        page.title_note = words.with(
            Msg::StepOf,
            &[("step", &step.to_string()), ("steps", &steps.to_string())],
        );
    }
    if screen.offline {
        page.title_note = format!("! {}  {}", words.say(Msg::OfflineBadge), page.title_note);
        // Where only the bank can end the waiting, "a few seconds" would be a lie.
        if page.notice.is_none() && waits_for_bank(&screen.body) {
            page.notice = danger(words.say(Msg::OfflineWaiting));
        }
    }
    if let Some(seconds) = screen.seconds_left {
        let left = words.with(Msg::SecondsLeft, &[("seconds", &seconds.to_string())]);
        page.hint_note = Some(Span::of(Role::Danger, left));
        // On the last screens nothing is lost by silence, and who puts forms in or
        // takes them needs no key.
        let last = matches!(
            screen.body,
            Body::Stopped { .. }
                | Body::Done { .. }
                | Body::TakeForms { .. }
                | Body::InsertForm { .. }
                | Body::TakeForm { .. }
                | Body::TakeReceipt { .. }
        );
        // Who is about to be sent home must read that, and not what was said before;
        // any key brings it back.
        if !last {
            let help = words.with(Msg::StillThereHelp, &[("seconds", &seconds.to_string())]);
            let both = [words.say(Msg::StillThere), help];
            page.notice = Some(Span::of(Role::Danger, words.join(&both)));
        }
    }
    page
}

fn body(words: Words, body: &Body) -> Page {
    match body {
        Body::Starting
        | Body::Attract { .. }
        | Body::PickMode { .. }
        | Body::InsertCard { .. }
        | Body::ReadingCard
        | Body::EnterPin { .. }
        | Body::EnterAccount { .. }
        | Body::EnterPassword { .. }
        | Body::CheckingInfo
        | Body::PlaceDocument { .. }
        | Body::ReadingDocument
        | Body::CheckingIdentity => gates::page(words, body),
        Body::PlaceFinger { .. } | Body::PlaceOtherFinger { .. } | Body::ReadingFinger { .. } => {
            finger::page(words, body)
        }
        Body::PickOrder { .. } | Body::AwaitConfirm { .. } => order::page(words, body),
        Body::Linking
        | Body::Dispensing { .. }
        | Body::TakeForms { .. }
        | Body::Resuming { .. } => dispense::page(words, body),
        Body::PrepareForm { .. }
        | Body::InsertForm { .. }
        | Body::ReadNumber { .. }
        | Body::TakeForm { .. } => hand::page(words, body),
        Body::PrintingSheet
        | Body::PrintingReceipt
        | Body::TakeReceipt { .. }
        | Body::Done { .. }
        | Body::Stopped { .. }
        | Body::OutOfService { .. } => ends::page(words, body),
    }
}

/// Whether the screen can end only with an answer of the bank.
fn waits_for_bank(body: &Body) -> bool {
    matches!(
        body,
        Body::CheckingInfo
            | Body::CheckingIdentity
            | Body::AwaitConfirm { .. }
            | Body::Linking
            | Body::Dispensing { .. }
            | Body::PrintingSheet
            | Body::PrintingReceipt
            | Body::Resuming { .. }
    )
}

/// A page that asks for one thing or says to wait.
fn simple(words: Words, heading: Msg, help: Msg) -> Page {
    Page {
        heading: words.say(heading),
        blocks: vec![Block::Text(vec![Span::plain(words.say(help))])],
        ..Page::default()
    }
}

/// What still lies in a reader, one line each.
fn left_behind(words: Words, what: &[LeftBehind]) -> Vec<Block> {
    let line = |item: &LeftBehind| {
        let msg = match item {
            LeftBehind::Card => Msg::LeftCard,
            LeftBehind::Document => Msg::LeftDocument,
            LeftBehind::Forms => Msg::LeftForms,
        };
        Block::Text(vec![Span::of(
            Role::Danger,
            format!("! {}", words.say(msg)),
        )])
    };
    what.iter().map(line).collect()
}

fn danger(text: String) -> Option<Span> {
    Some(Span::of(Role::Danger, format!("! {text}")))
}

/// Escape, the same on every page that has nothing else.
fn only_cancel(words: Words) -> String {
    words.keys(&[("Esc", Msg::KeyCancel)])
}

#[cfg(test)]
mod tests;
