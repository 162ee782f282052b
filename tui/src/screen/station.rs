//! The confirm station's screens.

use counterfoil_data::fmt;
use counterfoil_data::locale::Msg;
use counterfoil_data::wire::confirm::{ConfirmationView, ResultShown};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::login;
use super::page::{Block, Page, Span};
use super::words::{Words, cleaned};
use crate::station::model::{Purpose, StationBody, StationNotice, StationScreen, awaits_decision};
use crate::theme::Role;

/// Draws one screen. What is decided on is shown whole or not at all: nobody is
/// to confirm a fee or a number that the window cut off (S22).
pub fn draw(screen: &StationScreen, area: Rect, buffer: &mut Buffer) {
    let page = page(screen);
    match &screen.body {
        StationBody::Case { case, .. } if awaits_decision(case.state) && !page.fits(area) => {
            too_small(Words::of(screen.language), page).paint(area, buffer);
        }
        _ => page.paint(area, buffer),
    }
}

fn too_small(words: Words, of: Page) -> Page {
    Page {
        heading: words.say(Msg::SmallScreen),
        blocks: vec![Block::Text(vec![Span::plain(
            words.say(Msg::StationTooSmall),
        )])],
        notice: None,
        hints: words.keys(&[("Esc", Msg::KeyBack)]),
        ..of
    }
}

/// The page of a screen.
pub fn page(screen: &StationScreen) -> Page {
    let words = Words::of(screen.language);
    let mut page = match &screen.body {
        StationBody::Starting => Page {
            heading: words.say(Msg::StartingTitle),
            ..Page::default()
        },
        StationBody::Login(shown) => login::page(words, shown),
        StationBody::Queue { cases, focus } => queue(words, cases, *focus, screen.logged_in),
        StationBody::Case {
            case,
            seconds_left,
            notice,
        } => one_case(words, case, *seconds_left, *notice),
        StationBody::Reason {
            case,
            purpose,
            focus,
        } => reason(words, case, *purpose, *focus),
    };
    page.title = words.say(Msg::StationTitle);
    page.more = words.say(Msg::PageMore);
    page.title_note = cleaned(&screen.officer);
    if screen.offline {
        page.title_note = format!("! {}  {}", words.say(Msg::OfflineBadge), page.title_note);
    }
    page
}

fn queue(words: Words, cases: &[ConfirmationView], focus: usize, logged_in: bool) -> Page {
    let waiting = cases
        .iter()
        .filter(|case| awaits_decision(case.state))
        .count();
    let row = |case: &ConfirmationView| {
        format!(
            "{}  {}  {}  {}",
            words.say(case.state),
            cleaned(&case.identity.unit),
            cleaned(&case.identity.name),
            words.say(case.sale_state)
        )
    };
    let blocks = if cases.is_empty() {
        vec![Block::Text(vec![Span::plain(words.say(Msg::StationEmpty))])]
    } else {
        vec![Block::Choices {
            items: cases.iter().map(row).collect(),
            focus,
        }]
    };
    let mut keys = vec![("Enter", Msg::StationOpen), ("F2", Msg::KeyLanguage)];
    keys.extend(logged_in.then_some(("Ctrl-L", Msg::LoginOut)));
    Page {
        heading: words.with(Msg::StationWaiting, &[("count", &waiting.to_string())]),
        blocks,
        hints: words.keys(&keys),
        ..Page::default()
    }
}

fn one_case(
    words: Words,
    case: &ConfirmationView,
    seconds_left: Option<i64>,
    notice: Option<StationNotice>,
) -> Page {
    let mut blocks = vec![
        head(words, Msg::StationIdentity),
        Block::Facts(vec![
            words.fact(Msg::StationName, case.identity.name.clone()),
            words.fact(Msg::StationIdNumber, case.identity.number_masked.clone()),
            words.fact(Msg::Unit, case.identity.unit.clone()),
        ]),
        head(words, Msg::StationContact),
        Block::Facts(vec![
            words.fact(Msg::StationName, case.contact.name.clone()),
            words.figure(Msg::StationPhone, case.contact.phone.clone()),
        ]),
        head(words, Msg::StationPurchase),
    ];
    match (&case.purchase, &case.result) {
        (Some(purchase), Some(result)) => {
            let mut facts = words.items(&purchase.items);
            facts.push(words.fact(Msg::Account, fmt::groups(&purchase.text.account)));
            blocks.push(Block::Facts(facts));
            blocks.extend([head(words, Msg::StationResult), outcome(words, result)]);
        }
        (None, _) => blocks.push(Block::Text(vec![Span::plain(
            words.say(Msg::StationNoOrder),
        )])),
        (Some(purchase), None) => {
            let mut facts = words.items(&purchase.items);
            facts.extend(words.ranges(Msg::Numbers, &purchase.text.ranges));
            facts.push(words.fact(Msg::Account, fmt::groups(&purchase.text.account)));
            facts.push(words.figure(Msg::Fee, words.fee(purchase.text.fee)));
            facts.push(words.figure(Msg::VerificationCode, purchase.code.clone()));
            blocks.push(Block::Facts(facts));
        }
    }
    let open = awaits_decision(case.state);
    let hints = if open {
        words.keys(&[
            ("Y", Msg::StationConfirm),
            ("N", Msg::StationDeny),
            ("A", Msg::StationAsk),
            ("Esc", Msg::KeyBack),
        ])
    } else {
        words.keys(&[("Esc", Msg::KeyBack)])
    };
    let who = case.decided_by.as_ref().map(|name| {
        let who = words.with(Msg::StationDecidedBy, &[("officer", &cleaned(name))]);
        format!("  ({who})")
    });
    let (state, sale) = (words.say(case.state), words.say(case.sale_state));
    Page {
        heading: format!("{state}: {sale}{}", who.unwrap_or_default()),
        blocks,
        notice: notice
            .map(|n| Span::of(Role::Danger, format!("! {}", words.say(notice_message(n))))),
        hints,
        hint_note: seconds_left.map(|left| time_left(words, left)),
        ..Page::default()
    }
}

/// S23: what became of the order, as far as it is known by now.
fn outcome(words: Words, result: &ResultShown) -> Block {
    let mut facts = vec![words.figure(Msg::Requisition, &result.requisition)];
    let parts = [
        (Msg::Sold, &result.sold),
        (Msg::Spoiled, &result.void),
        (Msg::UnknownForms, &result.unknown),
        (Msg::Released, &result.released),
    ];
    if parts.iter().all(|(_, ranges)| ranges.is_empty()) {
        facts.extend(words.ranges(Msg::ResultLinked, &result.ranges));
    }
    for (label, ranges) in parts {
        facts.extend(words.ranges(label, ranges));
    }
    facts.push(words.figure(Msg::Fee, words.fee(result.fee)));
    Block::Facts(facts)
}

fn head(words: Words, msg: Msg) -> Block {
    Block::Text(vec![Span::of(Role::Action, words.say(msg))])
}

fn time_left(words: Words, seconds: i64) -> Span {
    let left = fmt::minutes(u32::try_from(seconds).unwrap_or(0));
    let role = if seconds <= 30 {
        Role::Danger
    } else {
        Role::Figure
    };
    Span::of(role, format!("{} {left}", words.say(Msg::StationDeadline)))
}

fn notice_message(notice: StationNotice) -> Msg {
    match notice {
        StationNotice::Changed => Msg::StationStale,
        StationNotice::TooLate => Msg::StationTooLate,
        StationNotice::NotSent => Msg::FaultOffline,
    }
}

fn reason(words: Words, case: &ConfirmationView, purpose: Purpose, focus: usize) -> Page {
    let heading = match purpose {
        Purpose::Deny => Msg::StationDenyReason,
        Purpose::Ask => Msg::StationQuestion,
    };
    let items = purpose.words().iter().enumerate();
    let items = items
        .map(|(i, word)| format!("{}  {}", i.saturating_add(1), note(words, word)))
        .collect();
    Page {
        heading: words.say(heading),
        blocks: vec![
            Block::Facts(vec![words.fact(Msg::Unit, case.identity.unit.clone())]),
            Block::Gap,
            Block::Choices { items, focus },
        ],
        hints: words.keys(&[("Enter", Msg::KeyConfirm), ("Esc", Msg::KeyBack)]),
        ..Page::default()
    }
}

/// A reason or question word in words; anything else as it came.
pub fn note(words: Words, word: &str) -> String {
    let msg = match word {
        "contact-did-not-confirm" => Msg::NoteContactDidNotConfirm,
        "identity-in-doubt" => Msg::NoteIdentityInDoubt,
        "order-not-plausible" => Msg::NoteOrderNotPlausible,
        "other" => Msg::NoteOther,
        "fewer-forms" => Msg::NoteFewerForms,
        "another-kind" => Msg::NoteAnotherKind,
        "wait-for-contact" => Msg::NoteWaitForContact,
        other => return cleaned(other),
    };
    words.say(msg)
}
