//! The custody terminal's screens.

mod act;

use counterfoil_data::fmt;
use counterfoil_data::locale::Msg;
use counterfoil_data::shown::Shown;
use counterfoil_data::wire::confirm::code;
use counterfoil_data::wire::custody::{ProposalState, ProposalView, SEEN_MAX};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::page::{Block, Page, Span};
use super::words::{Words, cleaned};
use crate::custody::model::{
    Choice, CustodyBody, CustodyNotice, CustodyScreen, Row, Subject, is_open,
};
use crate::theme::Role;

/// Draws one screen. What another person proposed is shown whole or not at all:
/// nobody is to approve a number or a remark that the window cut off.
pub fn draw(screen: &CustodyScreen, area: Rect, buffer: &mut Buffer) {
    let page = page(screen);
    match &screen.body {
        CustodyBody::Proposal { proposal, own, .. }
            if is_open(proposal) && !own && !page.fits(area) =>
        {
            let words = Words::of(screen.language);
            let small = Page {
                heading: words.say(Msg::SmallScreen),
                blocks: vec![text(words.say(Msg::StationTooSmall))],
                notice: None,
                hints: words.keys(&[("Esc", Msg::KeyBack)]),
                ..page
            };
            small.paint(area, buffer);
        }
        _ => page.paint(area, buffer),
    }
}

/// The page of a screen.
pub fn page(screen: &CustodyScreen) -> Page {
    let words = Words::of(screen.language);
    let mut page = match &screen.body {
        CustodyBody::Starting => Page {
            heading: words.say(Msg::StartingTitle),
            ..Page::default()
        },
        CustodyBody::Login(shown) => super::login::page(words, shown),
        CustodyBody::Waiting { rows, focus } => waiting(words, rows, *focus),
        CustodyBody::Choose {
            subject,
            choices,
            focus,
        } => choose(words, subject, choices, *focus),
        CustodyBody::Say {
            subject,
            choice,
            text,
        } => say(words, subject, *choice, text),
        CustodyBody::Proposal {
            proposal,
            own,
            count,
            seconds_left,
        } => one_proposal(words, proposal, *own, count.as_deref(), *seconds_left),
    };
    let notice = screen.notice.as_ref();
    page.notice = notice.map(|n| Span::of(Role::Danger, format!("! {}", said(words, n))));
    page.title = words.say(Msg::CustodyTitle);
    page.more = words.say(Msg::PageMore);
    page.title_note = cleaned(&screen.name);
    if screen.offline {
        page.title_note = format!("! {}  {}", words.say(Msg::OfflineBadge), page.title_note);
    }
    page
}

fn text(text: String) -> Block {
    Block::Text(vec![Span::plain(text)])
}

/// Somebody's own words, whole.
fn spoken(seen: &str) -> String {
    let cells = SEEN_MAX.saturating_mul(2);
    Shown::from_untrusted(seen, cells).to_string()
}

fn waiting(words: Words, rows: &[Row], focus: usize) -> Page {
    let open = |row: &&Row| match row {
        Row::Proposal(proposal, _) => is_open(proposal),
        Row::Subject(_) => true,
    };
    let count = rows.iter().filter(open).count().to_string();
    let block = if rows.is_empty() {
        text(words.say(Msg::CustodyEmpty))
    } else {
        Block::Choices {
            items: rows.iter().map(|r| row(words, r)).collect(),
            focus,
        }
    };
    Page {
        heading: words.with(Msg::CustodyWaiting, &[("count", &count)]),
        blocks: vec![block],
        hints: words.keys(&[("Enter", Msg::StationOpen), ("F2", Msg::KeyLanguage)]),
        ..Page::default()
    }
}

fn row(words: Words, row: &Row) -> String {
    let parts = match row {
        Row::Proposal(proposal, own) => {
            let head = match proposal.state {
                ProposalState::Open if *own => words.say(Msg::CustodyRowOwn),
                ProposalState::Open => words.say(Msg::CustodyRowApprove),
                state => words.say(state),
            };
            let by = cleaned(&proposal.by_name);
            vec![head, act::line(words, proposal), by]
        }
        Row::Subject(Subject::Form(form)) => vec![
            words.say(Msg::CustodyRowForm),
            form.number.rows(),
            form.requisition.clone(),
            form.kiosk.to_string(),
        ],
        Row::Subject(Subject::Slot(slot)) => vec![
            words.say(Msg::CustodyRowSlot),
            slot.kiosk.to_string(),
            slot.slot.to_string(),
            words.say(slot.kind),
        ],
        Row::Subject(Subject::Sale(sale)) => vec![
            words.say(Msg::CustodyRowSale),
            sale.requisition.clone(),
            sale.kiosk.to_string(),
        ],
    };
    parts.join("  ")
}

fn facts(words: Words, subject: &Subject) -> Block {
    Block::Facts(match subject {
        Subject::Form(form) => vec![
            words.figure(Msg::Numbers, form.number.rows()),
            words.figure(Msg::Requisition, &form.requisition),
            words.fact(Msg::CustodyKiosk, form.kiosk.as_str()),
        ],
        Subject::Slot(slot) => {
            let mut facts = vec![
                words.fact(Msg::CustodyKiosk, slot.kiosk.as_str()),
                words.fact(Msg::CustodySlot, slot.slot.as_str()),
                words.fact(Msg::CustodyKind, words.say(slot.kind)),
            ];
            let head = slot.head.map(|head| head.rows());
            facts.extend(head.map(|head| words.figure(Msg::CustodyHead, head)));
            facts
        }
        Subject::Sale(sale) => vec![
            words.figure(Msg::Requisition, &sale.requisition),
            words.fact(Msg::CustodyKiosk, sale.kiosk.as_str()),
            words.figure(Msg::CustodyLeft, sale.open.to_string()),
        ],
    })
}

fn choose(words: Words, subject: &Subject, choices: &[Choice], focus: usize) -> Page {
    let help = match subject {
        Subject::Form(form) if form.given => Msg::CustodyLookForm,
        Subject::Form(_) => Msg::CustodyLookStray,
        Subject::Slot(_) => Msg::CustodyLookSlot,
        Subject::Sale(_) => Msg::CustodyLookSale,
    };
    let items = choices.iter().enumerate();
    let items = items
        .map(|(i, choice)| format!("{}  {}", i.saturating_add(1), words.say(*choice)))
        .collect();
    Page {
        heading: words.say(Msg::CustodyChoose),
        blocks: vec![
            facts(words, subject),
            Block::Gap,
            text(words.say(help)),
            Block::Gap,
            Block::Choices { items, focus },
        ],
        hints: words.keys(&[("Enter", Msg::KeyContinue), ("Esc", Msg::KeyBack)]),
        ..Page::default()
    }
}

fn say(words: Words, subject: &Subject, choice: Choice, typed: &str) -> Page {
    let typed = Span::of(Role::Figure, format!("{}_", spoken(typed)));
    Page {
        heading: words.say(Msg::CustodySay),
        blocks: vec![
            facts(words, subject),
            Block::Facts(vec![words.fact(Msg::CustodyFound, words.say(choice))]),
            Block::Gap,
            text(words.say(Msg::CustodySayHelp)),
            Block::Gap,
            Block::Text(vec![typed]),
        ],
        hints: words.keys(&[("Enter", Msg::CustodySend), ("Esc", Msg::KeyBack)]),
        ..Page::default()
    }
}

fn one_proposal(
    words: Words,
    proposal: &ProposalView,
    own: bool,
    count: Option<&str>,
    seconds_left: Option<i64>,
) -> Page {
    let mut facts = act::facts(words, proposal);
    facts.push(words.fact(Msg::CustodyBy, &proposal.by_name));
    let decided = proposal.decided_by.as_ref();
    facts.extend(decided.map(|name| words.fact(Msg::CustodyDecidedBy, name)));
    facts.push(words.figure(Msg::VerificationCode, code(&proposal.digest)));
    facts.extend(count.map(|typed| words.figure(Msg::CustodyCount, format!("{typed}_"))));
    let mut blocks = vec![Block::Facts(facts)];
    if let Some(seen) = proposal.act.seen() {
        let head = Span::of(Role::Action, words.say(Msg::CustodySeen));
        blocks.extend([Block::Gap, Block::Text(vec![head]), text(spoken(seen))]);
    }
    let open = is_open(proposal);
    let help = if own {
        Msg::CustodyOwnHelp
    } else if count.is_some() {
        Msg::CustodyCountHelp
    } else {
        Msg::CustodyOtherHelp
    };
    if open {
        blocks.extend([Block::Gap, text(words.say(help))]);
    }
    let hints: &[(&str, Msg)] = match (open, own) {
        (true, true) => &[("N", Msg::CustodyTakeBack), ("Esc", Msg::KeyBack)],
        (true, false) => &[
            ("Y", Msg::CustodyApprove),
            ("N", Msg::CustodyRefuse),
            ("Esc", Msg::KeyBack),
        ],
        (false, _) => &[("Esc", Msg::KeyBack)],
    };
    Page {
        heading: words.say(match (open, own) {
            (true, true) => Msg::CustodyOwn,
            (true, false) => Msg::CustodyOther,
            (false, _) => proposal.state.into(),
        }),
        blocks,
        hints: words.keys(hints),
        hint_note: seconds_left.map(|left| {
            let left = fmt::minutes(u32::try_from(left).unwrap_or(0));
            Span::of(
                Role::Figure,
                format!("{} {left}", words.say(Msg::StationDeadline)),
            )
        }),
        ..Page::default()
    }
}

/// What stands in the way, and what to do.
fn said(words: Words, notice: &CustodyNotice) -> String {
    let msg = match notice {
        CustodyNotice::NotSent => Msg::CustodyNotSent,
        CustodyNotice::Changed => Msg::StationStale,
        CustodyNotice::Settled => Msg::CustodySettled,
        CustodyNotice::Unsaid => Msg::CustodyUnsaid,
        CustodyNotice::Uncounted => Msg::CustodyCountHelp,
        CustodyNotice::FormsOpen(open) => {
            return words.with(Msg::CustodyFormsOpen, &[("count", &open.to_string())]);
        }
        CustodyNotice::Refused { reason, detail } => match reason.as_deref() {
            Some("two-people") => Msg::CustodyWhyTwoPeople,
            Some("same-person") => Msg::CustodyWhySamePerson,
            Some("kiosk-busy") => Msg::CustodyWhyKioskBusy,
            Some("not-unknown" | "not-locked" | "decided") => Msg::CustodySettled,
            Some("never-given") => Msg::CustodyLookStray,
            Some("twice") => Msg::CustodyWhyTwice,
            Some("too-many") => Msg::CustodyWhyTooMany,
            Some("counts-differ") => Msg::CustodyWhyCountsDiffer,
            Some("uncounted") => Msg::CustodyCountHelp,
            Some("expired") => Msg::CustodyWhyExpired,
            Some("forms-open") => Msg::CustodyWhyFormsOpen,
            _ => return words.with(Msg::CustodyWhyOther, &[("detail", detail)]),
        },
    };
    words.say(msg)
}

#[cfg(test)]
mod tests;
