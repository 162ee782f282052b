//! How a sale ends, well or early, and a kiosk that cannot sell.

use counterfoil_data::locale::{Msg, rule_message};
use counterfoil_data::wire::problem::{Remedy, RuleRefusal};
use counterfoil_data::wire::sale::Receipt;
use counterfoil_data::wire::sheet::SheetState;

use super::{danger, left_behind, simple};
use crate::model::{Body, ReceiptOut, ServiceFault, StopReason, sheet_help};
use crate::screen::page::{Block, Page, Span};
use crate::screen::words::Words;
use crate::theme::Role;

pub(super) fn page(words: Words, body: &Body) -> Page {
    match body {
        Body::Done {
            receipt,
            receipt_out,
            left_behind: left,
        } => {
            let mut page = done(words, receipt, *receipt_out);
            page.blocks.extend(left_behind(words, left));
            page
        }
        Body::Stopped {
            why,
            rule,
            remedy,
            left_behind: left,
        } => {
            let mut page = stopped(words, *why, rule.as_ref(), *remedy);
            if !left.is_empty() {
                page.blocks.push(Block::Gap);
                page.blocks.extend(left_behind(words, left));
            }
            page
        }
        Body::OutOfService { why } => {
            let mut page = simple(words, Msg::OutOfServiceTitle, Msg::OutOfServiceHelp);
            page.notice = danger(fault(words, why));
            page
        }
        Body::TakeReceipt { sheet } => {
            let [title, help, soon] = match sheet {
                true => [Msg::TakeSheetTitle, Msg::SheetApart, Msg::TakeSheetSoon],
                false => [
                    Msg::TakeReceiptTitle,
                    Msg::ReceiptKeep,
                    Msg::TakeReceiptSoon,
                ],
            };
            let mut page = simple(words, title, help);
            let soon = Span::of(Role::Hint, words.say(soon));
            page.blocks.extend([Block::Gap, Block::Text(vec![soon])]);
            page
        }
        Body::PrintingSheet => simple(words, Msg::PrintingSheetTitle, Msg::PrintingSheetHelp),
        _ => simple(words, Msg::PrintingReceiptTitle, Msg::PrintingReceiptHelp),
    }
}

fn done(words: Words, receipt: &Receipt, out: ReceiptOut) -> Page {
    let printed = out == ReceiptOut::Printed;
    let mut facts = vec![words.figure(Msg::Requisition, receipt.requisition.clone())];
    facts.push(words.fact(Msg::Unit, receipt.unit.clone()));
    facts.extend(words.ranges(Msg::Sold, &receipt.sold));
    facts.extend(words.ranges(Msg::Spoiled, &receipt.void));
    facts.extend(words.ranges(Msg::UnknownForms, &receipt.unknown));
    facts.extend(words.ranges(Msg::Released, &receipt.released));
    facts.push(words.figure(Msg::Fee, words.fee(receipt.fee)));
    facts.extend(sheet_printed(words, receipt));
    // Not all is well: somebody must look at it, and the customer should know.
    let help = match (receipt.unknown.is_empty(), printed) {
        (true, true) => Span::of(Role::Good, words.say(Msg::DoneHelp)),
        (true, false) => Span::of(Role::Good, words.say(Msg::DoneKeep)),
        (false, _) => Span::of(Role::Danger, words.say(Msg::DoneToCheck)),
    };
    let sold = receipt
        .sold
        .iter()
        .fold(0_u32, |n, range| n.saturating_add(range.count()));
    let whole = sold >= receipt.ordered;
    let mut blocks = vec![Block::Text(vec![help])];
    if !whole {
        let (ordered, sold) = (receipt.ordered.to_string(), sold.to_string());
        blocks.push(Block::Text(vec![Span::plain(words.with(
            Msg::DoneInPartHelp,
            &[("ordered", &ordered), ("sold", &sold)],
        ))]));
    }
    if let Some(help) = sheet_help(receipt.sheet.as_ref()) {
        blocks.push(Block::Text(vec![Span::of(Role::Danger, words.say(help))]));
    }
    blocks.extend([Block::Gap, Block::Facts(facts), Block::Gap]);
    let title = if whole {
        Msg::DoneTitle
    } else {
        Msg::DoneInPart
    };
    let mut page = Page {
        heading: words.say(title),
        blocks,
        hints: words.keys(&[("Enter", Msg::KeyConfirm)]),
        ..Page::default()
    };
    if printed {
        page.blocks.push(Block::Text(vec![Span::of(
            Role::Hint,
            words.say(Msg::DoneProof),
        )]));
    } else {
        let msg = match out {
            ReceiptOut::DrawnBack => Msg::DoneReceiptBack,
            _ => Msg::DoneNoReceipt,
        };
        page.notice = danger(words.with(msg, &[("requisition", &receipt.requisition)]));
    }
    page.blocks
        .push(Block::Text(vec![Span::plain(words.say(Msg::DoneThanks))]));
    page
}

/// How many passwords are on the sheet in the customer's hand.
fn sheet_printed(words: Words, receipt: &Receipt) -> Option<(String, Span)> {
    let sheet = receipt.sheet.as_ref();
    let sheet = sheet.filter(|sheet| sheet.state == SheetState::Printed)?;
    let count = sheet.forms.to_string();
    let said = words.with(Msg::SheetPrinted, &[("count", &count)]);
    Some(words.fact(Msg::SheetTitle, said))
}

fn stopped(words: Words, why: StopReason, rule: Option<&RuleRefusal>, remedy: Remedy) -> Page {
    let money = match why {
        StopReason::Suspended => Msg::StopCharged,
        StopReason::NothingSold => Msg::StopFeeReturned,
        _ => Msg::StopNothingCharged,
    };
    let mut blocks = Vec::new();
    if let Some(rule) = rule {
        blocks.push(Block::Text(vec![Span::of(
            Role::Danger,
            words.say(rule_message(&rule.rule)),
        )]));
    }
    blocks.push(Block::Text(vec![Span::plain(words.say(money))]));
    blocks.push(Block::Gap);
    blocks.push(Block::Text(vec![Span::of(Role::Action, words.say(remedy))]));
    if let Some(rule) = rule {
        let code = format!("{} v{}", rule.rule, rule.version);
        blocks.push(Block::Gap);
        blocks.push(Block::Text(vec![Span::of(
            Role::Hint,
            words.with(Msg::MessageCode, &[("code", &code)]),
        )]));
    }
    Page {
        heading: words.say(reason(why)),
        blocks,
        hints: words.keys(&[("Enter", Msg::KeyBack)]),
        ..Page::default()
    }
}

fn reason(why: StopReason) -> Msg {
    match why {
        StopReason::Refused => Msg::StopRefused,
        StopReason::NotVerified => Msg::StopNotVerified,
        StopReason::Locked => Msg::StopLocked,
        StopReason::CardNotAuthentic => Msg::StopCardNotAuthentic,
        StopReason::DocumentNotAuthentic => Msg::StopDocumentNotAuthentic,
        StopReason::NotIdentified => Msg::StopNotIdentified,
        StopReason::Denied => Msg::StopDenied,
        StopReason::NoAnswer => Msg::StopNoAnswer,
        StopReason::Cancelled => Msg::StopCancelled,
        StopReason::TimedOut => Msg::StopTimedOut,
        StopReason::Offline => Msg::StopOffline,
        StopReason::NothingSold => Msg::StopNothingSold,
        StopReason::Suspended => Msg::StopSuspended,
        StopReason::Device => Msg::StopDevice,
    }
}

fn fault(words: Words, why: &ServiceFault) -> String {
    match why {
        ServiceFault::Offline => words.say(Msg::FaultOffline),
        ServiceFault::NotEnrolled => words.say(Msg::FaultNotEnrolled),
        ServiceFault::Device(name) => {
            words.with(Msg::FaultDevice, &[("device", &device(words, name))])
        }
        ServiceFault::SlotLocked(kind) => {
            words.with(Msg::FaultSlotLocked, &[("kind", &words.say(*kind))])
        }
        ServiceFault::Journal => words.say(Msg::FaultJournal),
        ServiceFault::LogShrunk => words.say(Msg::FaultLogShrunk),
        ServiceFault::BooksBehind => words.say(Msg::FaultBooksBehind),
        ServiceFault::ForeignKeyboard => words.say(Msg::FaultForeignKeyboard),
    }
}

fn device(words: Words, name: &str) -> String {
    let msg = match name {
        "id-reader" => Msg::DeviceIdReader,
        "card-reader" => Msg::DeviceCardReader,
        "finger" => Msg::DeviceFinger,
        "pin-pad" => Msg::DevicePinPad,
        "receipt-printer" => Msg::DeviceReceiptPrinter,
        "form-printer" => Msg::DeviceFormPrinter,
        other => return other.to_owned(),
    };
    words.say(msg)
}
