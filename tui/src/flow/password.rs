//! PM2: account number and payment password (支付密码), typed on the keyboard (S2, S3).
//!
//! Both are sealed at the field ([`crate::keyboard`]); what comes here is a number to
//! compare with paper, a count, and two opaque blocks (I7). Nothing is verified here,
//! and whether account or password was wrong is never known here. A payment password
//! is the bank's, not the card scheme's: it needs no PIN pad.

use counterfoil_data::sealed::{Sealed, SecretText};
use counterfoil_data::wire::problem::Remedy;
use counterfoil_data::wire::sale::VerificationInfo;

use super::bank::Asking;
use super::context::Context;
use super::effect::{Field, Ticket};
use super::event::{Answer, Typed};
use super::proof::Opened;
use super::step::{PLACES, Patience, Stage, Step};
use crate::cmd::Cmd;
use crate::model::{Body, FieldProblem, StopReason, TypedNumber};

/// The first gate, or the first gate again: the account number stands there as it was
/// typed, because either may have been wrong.
pub(super) fn begin(cx: &mut Context, opened: Opened, attempts_left: Option<u32>) -> Step {
    let Some(sealing) = cx.sealing(opened.binding()) else {
        return give_up(cx, &opened, StopReason::Device, Remedy::CallStaff);
    };
    EnterAccount {
        ticket: cx.type_into(Field::Account, sealing),
        opened,
        attempts_left,
        typed: TypedNumber::default(),
        problem: None,
    }
    .into()
}

fn give_up(cx: &mut Context, opened: &Opened, why: StopReason, remedy: Remedy) -> Step {
    cx.cancel(opened.binding().sale, why, remedy)
}

/// Waits for the account number.
#[derive(Debug)]
pub(super) struct EnterAccount {
    opened: Opened,
    attempts_left: Option<u32>,
    typed: TypedNumber,
    problem: Option<FieldProblem>,
    ticket: Ticket,
}

impl Stage for EnterAccount {
    fn awaits(&self, ticket: Ticket) -> bool {
        self.ticket == ticket
    }

    fn answered(mut self, cx: &mut Context, _: Ticket, answer: Answer) -> Step {
        match answer {
            Answer::Typed(Typed::Account(typed), problem) => {
                self.typed = typed;
                self.problem = problem;
                self.into()
            }
            Answer::FieldDone(account) => EnterPassword::begin(cx, self, account),
            Answer::Fault(remedy) => give_up(cx, &self.opened, StopReason::Device, remedy),
            _ => self.into(),
        }
    }

    fn cmd(self, cx: &mut Context, cmd: Cmd) -> Step {
        match cmd {
            Cmd::Back => give_up(cx, &self.opened, StopReason::Cancelled, Remedy::Restart),
            _ => self.into(),
        }
    }

    fn deadline(self, cx: &mut Context) -> Step {
        give_up(cx, &self.opened, StopReason::TimedOut, Remedy::Restart)
    }

    fn patience(&self, cx: &Context) -> Option<Patience> {
        Patience::customer(cx.settings.idle)
    }

    fn place(&self) -> Option<(u8, u8)> {
        Some((2, PLACES))
    }

    fn body(&self, _: &Context) -> Body {
        Body::EnterAccount {
            typed: self.typed.clone(),
            problem: self.problem,
            attempts_left: self.attempts_left,
        }
    }
}

/// Waits for the payment password: a count, then an opaque block (I7).
#[derive(Debug)]
pub(super) struct EnterPassword {
    opened: Opened,
    attempts_left: Option<u32>,
    account: Sealed<SecretText>,
    digits: u8,
    problem: Option<FieldProblem>,
    ticket: Ticket,
}

impl EnterPassword {
    fn begin(cx: &mut Context, from: EnterAccount, account: Sealed<SecretText>) -> Step {
        let Some(sealing) = cx.sealing(from.opened.binding()) else {
            return give_up(cx, &from.opened, StopReason::Device, Remedy::CallStaff);
        };
        Self {
            ticket: cx.type_into(Field::Password, sealing),
            opened: from.opened,
            attempts_left: from.attempts_left,
            account,
            digits: 0,
            problem: None,
        }
        .into()
    }
}

impl Stage for EnterPassword {
    fn awaits(&self, ticket: Ticket) -> bool {
        self.ticket == ticket
    }

    fn answered(mut self, cx: &mut Context, _: Ticket, answer: Answer) -> Step {
        match answer {
            Answer::Typed(Typed::Password(digits), problem) => {
                self.digits = digits;
                self.problem = problem;
                self.into()
            }
            Answer::FieldDone(password) => {
                let info = VerificationInfo::PaymentPassword {
                    account: self.account,
                    password,
                };
                Asking::info(cx, &self.opened, info)
            }
            Answer::Fault(remedy) => give_up(cx, &self.opened, StopReason::Device, remedy),
            _ => self.into(),
        }
    }

    /// Back is one field back, to the number that stands there.
    fn cmd(self, cx: &mut Context, cmd: Cmd) -> Step {
        match cmd {
            Cmd::Back => begin(cx, self.opened, self.attempts_left),
            _ => self.into(),
        }
    }

    fn deadline(self, cx: &mut Context) -> Step {
        give_up(cx, &self.opened, StopReason::TimedOut, Remedy::Restart)
    }

    fn patience(&self, cx: &Context) -> Option<Patience> {
        Patience::customer(cx.settings.idle)
    }

    fn place(&self) -> Option<(u8, u8)> {
        Some((2, PLACES))
    }

    fn body(&self, _: &Context) -> Body {
        Body::EnterPassword {
            digits: self.digits,
            problem: self.problem,
            attempts_left: self.attempts_left,
        }
    }
}
