//! From the empty kiosk to a verified person: mode, card, PIN, document; the finger is
//! [`super::finger`]'s.

use counterfoil_data::locale::Msg;
use counterfoil_data::wire::sale::PurchaseMode;

use super::{danger, left_behind, only_cancel, password, simple};
use crate::model::{Body, CardProblem, DocumentProblem, LeftBehind};
use crate::screen::page::{Block, Page, Span};
use crate::screen::words::Words;
use crate::theme::Role;

/// Columns of the PIN field; digits beyond are not shown.
const PIN_CELLS: usize = 12;

pub(super) fn page(words: Words, body: &Body) -> Page {
    match body {
        Body::Attract {
            branch,
            left_behind,
        } => attract(words, branch, left_behind),
        Body::PickMode {
            modes,
            focus,
            connecting,
        } => pick_mode(words, modes, *focus, *connecting),
        Body::InsertCard { problem } => Page {
            notice: problem.and_then(|p| danger(words.say(card_problem(p)))),
            hints: only_cancel(words),
            ..simple(words, Msg::InsertCardTitle, Msg::InsertCardHelp)
        },
        Body::EnterPin {
            digits,
            attempts_left,
        } => pin(words, *digits, *attempts_left),
        Body::EnterAccount { .. } | Body::EnterPassword { .. } => password::page(words, body),
        Body::PlaceDocument { unit, problem } => {
            let mut page = simple(words, Msg::PlaceDocumentTitle, Msg::PlaceDocumentHelp);
            let verified = words.with(Msg::InfoVerified, &[("unit", unit)]);
            page.blocks.extend([
                Block::Gap,
                Block::Text(vec![Span::of(Role::Good, verified)]),
            ]);
            page.notice = problem.and_then(|p| danger(words.say(document_problem(p))));
            page.hints = only_cancel(words);
            page
        }
        Body::ReadingCard => simple(words, Msg::ReadingCardTitle, Msg::ReadingCardHelp),
        Body::CheckingInfo => simple(words, Msg::CheckingInfoTitle, Msg::CheckingInfoHelp),
        Body::ReadingDocument => simple(words, Msg::ReadingDocumentTitle, Msg::ReadingDocumentHelp),
        Body::CheckingIdentity => {
            simple(words, Msg::CheckingIdentityTitle, Msg::CheckingIdentityHelp)
        }
        _ => simple(words, Msg::StartingTitle, Msg::StartingHelp),
    }
}

fn pick_mode(words: Words, modes: &[PurchaseMode], focus: usize, connecting: bool) -> Page {
    let rows = modes.iter().enumerate();
    let items = rows.map(|(i, m)| mode_row(words, i, *m)).collect();
    let waiting = connecting.then(|| danger(words.say(Msg::PickModeConnecting)));
    Page {
        heading: words.say(Msg::PickModeTitle),
        blocks: vec![
            Block::Text(vec![Span::plain(words.say(Msg::PickModeHelp))]),
            Block::Gap,
            Block::Choices { items, focus },
        ],
        notice: waiting.flatten(),
        hints: words.keys(&[
            ("Enter", Msg::KeyConfirm),
            ("Esc", Msg::KeyCancel),
            ("L", Msg::KeyLanguage),
        ]),
        ..Page::default()
    }
}

fn attract(words: Words, branch: &str, left: &[LeftBehind]) -> Page {
    let mut page = simple(words, Msg::AttractStart, Msg::AttractHelp);
    page.heading = words.with(Msg::AttractTitle, &[("branch", branch)]);
    page.blocks
        .push(Block::Text(vec![Span::plain(words.say(Msg::AttractBring))]));
    page.blocks.extend([Block::Gap, Block::Gap]);
    if left.is_empty() {
        let start = format!("  {}  ", words.say(Msg::AttractStart));
        page.blocks
            .push(Block::Centre(Span::of(Role::Focus, start)));
        page.hints = words.keys(&[("Enter", Msg::KeyConfirm), ("L", Msg::KeyLanguage)]);
    } else {
        page.blocks.extend(left_behind(words, left));
        page.hints = words.keys(&[("L", Msg::KeyLanguage)]);
    }
    page
}

fn mode_row(words: Words, index: usize, mode: PurchaseMode) -> String {
    let help = match mode {
        PurchaseMode::SettlementCard => Msg::ModeSettlementCardHelp,
        PurchaseMode::PaymentPassword => Msg::ModePaymentPasswordHelp,
    };
    format!(
        "{}  {}: {}",
        index.saturating_add(1),
        words.say(mode),
        words.say(help)
    )
}

fn pin(words: Words, digits: u8, attempts_left: Option<u32>) -> Page {
    let typed = usize::from(digits).min(PIN_CELLS);
    let field = format!(
        "[ {}{} ]",
        "*".repeat(typed),
        "_".repeat(PIN_CELLS.saturating_sub(typed))
    );
    let mut page = simple(words, Msg::EnterPinTitle, Msg::EnterPinHelp);
    page.blocks.extend([
        Block::Gap,
        Block::Centre(Span::of(Role::Figure, field)),
        Block::Centre(Span::of(
            Role::Hint,
            words.with(Msg::PinDigits, &[("digits", &digits.to_string())]),
        )),
    ]);
    page.notice = attempts_left
        .and_then(|left| danger(words.with(Msg::AttemptsLeft, &[("left", &left.to_string())])));
    // The PIN is ended on the pad; only cancelling is a key of the screen.
    page.hints = only_cancel(words);
    page
}

fn card_problem(problem: CardProblem) -> Msg {
    match problem {
        CardProblem::Unreadable => Msg::CardUnreadable,
        CardProblem::WrongKind => Msg::CardWrongKind,
        CardProblem::Removed => Msg::CardRemoved,
        CardProblem::Expired => Msg::CardExpired,
    }
}

fn document_problem(problem: DocumentProblem) -> Msg {
    match problem {
        DocumentProblem::LiftAndReplace => Msg::DocumentLift,
        DocumentProblem::WrongKind => Msg::DocumentWrongKind,
        DocumentProblem::Expired => Msg::DocumentExpired,
    }
}
