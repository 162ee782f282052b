//! Ends: receipt, done, stopped. Every one leads to Attract, wiped (I10).

use std::time::Duration;

use counterfoil_data::money::Fen;
use counterfoil_data::wire::problem::{Remedy, RuleRefusal};
use counterfoil_data::wire::sale::Receipt;

use super::bank::is_problem;
use super::context::{Context, back_off};
use super::effect::{Act, BankCall, Desk, Ticket};
use super::event::Answer;
use super::front::Attract;
use super::step::{PLACES, Patience, Stage, Step};
use crate::cmd::Cmd;
use crate::model::{Body, ReceiptOut, StopReason};

/// How long the last screen stays.
const DONE_STAYS: Duration = Duration::from_secs(30);
/// How long the reason of a stop stays.
const STOPPED_STAYS: Duration = Duration::from_secs(20);
/// Longest a receipt may take, its second try included.
const RECEIPT_WITHIN: Duration = Duration::from_secs(60);
/// Before the second try of a receipt of which nothing came out.
const RECEIPT_PAUSE: Duration = Duration::from_secs(2);
/// Tries to tell the backend of a cancelled sale; its own timer ends it then.
const CANCEL_TRIES: u32 = 3;

/// The sale is closed; the receipt is on its way (S23).
#[derive(Debug)]
pub(super) struct PrintingReceipt {
    receipt: Receipt,
    tries: u32,
    /// It lies in the customer's reach.
    in_reach: bool,
    ticket: Ticket,
}

impl PrintingReceipt {
    pub fn begin(cx: &mut Context, receipt: Receipt) -> Step {
        cx.forget();
        let tries = 1;
        if !cx.proves(&receipt.proof) {
            // Not an entry of the log: no such receipt leaves the house (I8).
            let ticket = cx.wait(Duration::ZERO);
            let step = Self {
                receipt,
                tries,
                in_reach: false,
                ticket,
            };
            return step.done(cx, ReceiptOut::NotPrinted);
        }
        let ticket = print(cx, &receipt);
        Self {
            receipt,
            tries,
            in_reach: false,
            ticket,
        }
        .into()
    }

    fn done(self, cx: &mut Context, receipt_out: ReceiptOut) -> Step {
        if self.receipt.sold.is_empty() {
            // Linked, and yet nothing in the customer's hand: staff explain it.
            let settled = self.receipt.unknown.is_empty() && self.receipt.fee == Fen::ZERO;
            let why = if settled {
                StopReason::NothingSold
            } else {
                StopReason::Suspended
            };
            return cx.stopped(why, None, Remedy::CallStaff);
        }
        cx.first_look = false;
        cx.watch_readers();
        Done {
            receipt: self.receipt,
            receipt_out,
        }
        .into()
    }
}

fn print(cx: &mut Context, receipt: &Receipt) -> Ticket {
    let act = Act::PrintReceipt {
        receipt: Box::new(receipt.clone()),
        language: cx.language,
    };
    cx.ask(Desk::Receipt, act)
}

impl Stage for PrintingReceipt {
    fn awaits(&self, ticket: Ticket) -> bool {
        self.ticket == ticket
    }

    fn answered(mut self, cx: &mut Context, _: Ticket, answer: Answer) -> Step {
        match answer {
            Answer::ReceiptPrinted => self.done(cx, ReceiptOut::Printed),
            Answer::ReceiptDrawnBack => self.done(cx, ReceiptOut::DrawnBack),
            Answer::ReceiptInReach => {
                self.in_reach = true;
                self.into()
            }
            Answer::Waited => {
                self.ticket = print(cx, &self.receipt);
                self.into()
            }
            Answer::ReceiptFailed { nothing: true } | Answer::Fault(_)
                if self.tries < 2 && !self.in_reach =>
            {
                self.tries = self.tries.saturating_add(1);
                self.ticket = cx.wait(RECEIPT_PAUSE);
                self.into()
            }
            _ => self.done(cx, ReceiptOut::NotPrinted),
        }
    }

    /// Of a receipt in reach: it is being drawn back, and that is waited for.
    fn deadline(mut self, cx: &mut Context) -> Step {
        if self.in_reach {
            self.in_reach = false;
            return self.into();
        }
        cx.stop(Desk::Receipt);
        self.done(cx, ReceiptOut::NotPrinted)
    }

    fn patience(&self, cx: &Context) -> Option<Patience> {
        if self.in_reach {
            return Patience::reach(cx.settings.take);
        }
        Patience::machine(RECEIPT_WITHIN)
    }

    fn place(&self) -> Option<(u8, u8)> {
        Some((PLACES, PLACES))
    }

    fn body(&self, _: &Context) -> Body {
        match self.in_reach {
            true => Body::TakeReceipt { sheet: false },
            false => Body::PrintingReceipt,
        }
    }
}

/// The customer may go.
#[derive(Debug)]
pub(super) struct Done {
    receipt: Receipt,
    receipt_out: ReceiptOut,
}

impl Stage for Done {
    fn awaits(&self, _: Ticket) -> bool {
        false
    }

    fn answered(self, _: &mut Context, _: Ticket, _: Answer) -> Step {
        self.into()
    }

    fn cmd(self, cx: &mut Context, cmd: Cmd) -> Step {
        match cmd {
            Cmd::Enter | Cmd::Back => Attract::refreshed(cx),
            _ => self.into(),
        }
    }

    fn deadline(self, cx: &mut Context) -> Step {
        Attract::refreshed(cx)
    }

    fn patience(&self, _: &Context) -> Option<Patience> {
        Patience::customer(DONE_STAYS)
    }

    fn place(&self) -> Option<(u8, u8)> {
        Some((PLACES, PLACES))
    }

    fn body(&self, cx: &Context) -> Body {
        Body::Done {
            receipt: self.receipt.clone(),
            receipt_out: self.receipt_out,
            left_behind: cx.left_behind(),
        }
    }
}

/// Ended early. While the backend is still to be told, says so to it in the
/// background.
#[derive(Debug)]
pub(super) struct Stopped {
    why: StopReason,
    rule: Option<RuleRefusal>,
    remedy: Remedy,
    cancelling: Option<(BankCall, Ticket)>,
    tries: u32,
}

impl Stopped {
    pub fn begin(
        cx: &mut Context,
        why: StopReason,
        rule: Option<RuleRefusal>,
        remedy: Remedy,
        cancelling: Option<(BankCall, Ticket)>,
    ) -> Step {
        cx.first_look = false;
        cx.watch_readers();
        Self {
            why,
            rule,
            remedy,
            cancelling,
            tries: 0,
        }
        .into()
    }
}

impl Stage for Stopped {
    fn awaits(&self, ticket: Ticket) -> bool {
        self.cancelling.as_ref().is_some_and(|(_, t)| *t == ticket)
    }

    fn answered(mut self, cx: &mut Context, _: Ticket, answer: Answer) -> Step {
        let Some((call, _)) = self.cancelling.take() else {
            return self.into();
        };
        let ticket = match answer {
            Answer::Waited => cx.call(call.clone()),
            Answer::Problem(problem) if !is_problem(&problem, "busy") => return self.into(),
            Answer::Sale(_) => return self.into(),
            _ if self.tries < CANCEL_TRIES => {
                self.tries = self.tries.saturating_add(1);
                cx.wait(back_off(self.tries))
            }
            _ => return self.into(),
        };
        self.cancelling = Some((call, ticket));
        self.into()
    }

    fn cmd(self, cx: &mut Context, cmd: Cmd) -> Step {
        match cmd {
            Cmd::Enter | Cmd::Back => Attract::refreshed(cx),
            _ => self.into(),
        }
    }

    fn deadline(self, cx: &mut Context) -> Step {
        Attract::refreshed(cx)
    }

    fn patience(&self, _: &Context) -> Option<Patience> {
        Patience::customer(STOPPED_STAYS)
    }

    fn body(&self, cx: &Context) -> Body {
        Body::Stopped {
            why: self.why,
            rule: self.rule.clone(),
            remedy: self.remedy,
            left_behind: cx.left_behind(),
        }
    }
}
