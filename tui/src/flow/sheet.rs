//! The payment-password sheet (支付密码单, L7), before the sale is closed.
//!
//! ```text
//! Offering ──key──► Taking ──sealed──► Printing ──► close(printed | not printed | unknown)
//!     └─ no paper ─────┴─ refused ──────────────────► close(not printed | nothing said)
//! ```
//!
//! The key is made in the receipt printer's worker, so the passwords pass here sealed and
//! are opened where they are printed. Nothing of them is written down; that the sheet came
//! out whole is, so that a power cut after it cancels nothing. A sheet is printed at most
//! once: only what comes before the bank has given it out is tried again.

use std::time::Duration;

use counterfoil_data::ids::SaleId;
use counterfoil_data::sealed::{Binding, SealKey};
use counterfoil_data::wire::sale::AbandonReason;
use counterfoil_data::wire::sheet::{SheetOutcome, SheetState, TakeSheet};

use super::bank::{Asking, is_problem};
use super::context::{Context, back_off};
use super::effect::{Act, BankCall, Desk, Record, Ticket};
use super::event::Answer;
use super::step::{PLACES, Patience, Stage, Step};
use crate::model::Body;

/// Longest a sheet may take, with the bank's answer.
const SHEET_WITHIN: Duration = Duration::from_secs(60);
/// Before the printer is asked a second time whether it can.
const OFFER_PAUSE: Duration = Duration::from_secs(2);

#[derive(Debug)]
enum Phase {
    /// The printer's worker looks whether it can print, and makes a key.
    Offering,
    /// It could not; pausing, then asking once more.
    Pausing,
    /// The bank gives the sheet out.
    Taking(SealKey),
    /// No answer; pausing, then asking under the same key.
    TakingLater(SealKey),
    /// On its way to paper.
    Printing,
    /// In the customer's reach.
    InReach,
}

/// The sheet of one sale.
#[derive(Debug)]
pub(super) struct PrintingSheet {
    binding: Binding,
    requisition: String,
    /// Why the sale is broken off after it, if it is.
    broken: Option<AbandonReason>,
    phase: Phase,
    tries: u32,
    ticket: Ticket,
}

impl PrintingSheet {
    pub fn begin(
        cx: &mut Context,
        binding: Binding,
        requisition: String,
        broken: Option<AbandonReason>,
    ) -> Step {
        Self {
            binding,
            requisition,
            broken,
            phase: Phase::Offering,
            tries: 1,
            ticket: cx.ask(Desk::Receipt, Act::OfferSheetKey),
        }
        .into()
    }

    fn offer(mut self, cx: &mut Context) -> Step {
        self.ticket = cx.ask(Desk::Receipt, Act::OfferSheetKey);
        self.phase = Phase::Offering;
        self.into()
    }

    fn take(mut self, cx: &mut Context, key: SealKey) -> Step {
        let asked = TakeSheet::of(&key);
        self.ticket = cx.call(BankCall::TakeSheet(self.binding.sale, asked));
        self.phase = Phase::Taking(key);
        self.into()
    }

    fn take_later(mut self, cx: &mut Context, key: SealKey) -> Step {
        self.ticket = cx.wait(back_off(self.tries));
        self.tries = self.tries.saturating_add(1);
        self.phase = Phase::TakingLater(key);
        self.into()
    }

    fn ended(self, cx: &mut Context, outcome: Option<SheetOutcome>) -> Step {
        if outcome == Some(SheetOutcome::Printed) {
            let sale = self.binding.sale;
            cx.remember(Record::SheetPrinted { sale });
        }
        Asking::end(cx, self.binding.sale, self.broken, outcome)
    }

    fn offered(mut self, cx: &mut Context, answer: Answer) -> Step {
        match answer {
            Answer::SheetKey(key) => self.take(cx, key),
            _ if self.tries < 2 => {
                self.tries = self.tries.saturating_add(1);
                self.ticket = cx.wait(OFFER_PAUSE);
                self.phase = Phase::Pausing;
                self.into()
            }
            _ => self.ended(cx, Some(SheetOutcome::NotPrinted)),
        }
    }

    fn taken(mut self, cx: &mut Context, key: SealKey, answer: Answer) -> Step {
        match answer {
            Answer::Sheet(answer) => {
                let act = Act::PrintSheet {
                    sheet: answer.sheet,
                    binding: self.binding,
                    requisition: self.requisition.clone(),
                    language: cx.language,
                };
                self.ticket = cx.ask(Desk::Receipt, act);
                self.phase = Phase::Printing;
                self.into()
            }
            Answer::Problem(p) if !is_problem(&p, "busy") && !is_problem(&p, "internal") => {
                // The bank knows best why, and what that makes of the sheet.
                self.ended(cx, None)
            }
            _ => self.take_later(cx, key),
        }
    }
}

/// What can be said of a sheet at the end of its sale, by the books and the journal.
pub(super) fn said(cx: &Context, sale: SaleId, state: Option<SheetState>) -> Option<SheetOutcome> {
    let printed = |r: &Record| matches!(r, Record::SheetPrinted { sale: of } if *of == sale);
    match state {
        Some(SheetState::Taken) if cx.records.iter().any(printed) => Some(SheetOutcome::Printed),
        Some(SheetState::Taken) => Some(SheetOutcome::Unknown),
        _ => None,
    }
}

impl Stage for PrintingSheet {
    fn awaits(&self, ticket: Ticket) -> bool {
        self.ticket == ticket
    }

    fn answered(mut self, cx: &mut Context, _: Ticket, answer: Answer) -> Step {
        match self.phase {
            Phase::Printing if matches!(answer, Answer::ReceiptInReach) => {
                self.phase = Phase::InReach;
                self.into()
            }
            Phase::Offering => self.offered(cx, answer),
            Phase::Pausing => self.offer(cx),
            Phase::Taking(key) => self.taken(cx, key, answer),
            Phase::TakingLater(key) => self.take(cx, key),
            Phase::Printing | Phase::InReach => {
                let outcome = match answer {
                    Answer::ReceiptPrinted => SheetOutcome::Printed,
                    Answer::ReceiptFailed { nothing: true } => SheetOutcome::NotPrinted,
                    _ => SheetOutcome::Unknown,
                };
                self.ended(cx, Some(outcome))
            }
        }
    }

    fn deadline(mut self, cx: &mut Context) -> Step {
        if matches!(self.phase, Phase::InReach) {
            // It is being drawn back, and that is waited for.
            self.phase = Phase::Printing;
            return self.into();
        }
        cx.stop(Desk::Receipt);
        let outcome = match self.phase {
            Phase::Offering | Phase::Pausing => Some(SheetOutcome::NotPrinted),
            Phase::Printing | Phase::InReach => Some(SheetOutcome::Unknown),
            Phase::Taking(_) | Phase::TakingLater(_) => None,
        };
        self.ended(cx, outcome)
    }

    fn patience(&self, cx: &Context) -> Option<Patience> {
        if matches!(self.phase, Phase::InReach) {
            return Patience::reach(cx.settings.take);
        }
        Patience::machine(SHEET_WITHIN)
    }

    fn place(&self) -> Option<(u8, u8)> {
        Some((PLACES, PLACES))
    }

    fn body(&self, _: &Context) -> Body {
        if matches!(self.phase, Phase::InReach) {
            return Body::TakeReceipt { sheet: true };
        }
        Body::PrintingSheet
    }
}
