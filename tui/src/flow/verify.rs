//! PM1: settlement card and PIN (S2, S3). Nothing is verified here.

use counterfoil_data::sealed::{Sealed, SecretText};
use counterfoil_data::wire::problem::Remedy;
use counterfoil_data::wire::sale::{CardProof, PurchaseMode, VerificationInfo};

use super::bank::Asking;
use super::context::Context;
use super::effect::{Act, Desk, Ticket};
use super::event::Answer;
use super::password;
use super::proof::Opened;
use super::step::{PLACES, Patience, Stage, Step};
use crate::cmd::Cmd;
use crate::model::{Body, CardProblem, StopReason};

/// Cards tried in one sale before staff must help.
const CARD_TRIES_MAX: u32 = 5;

/// The first gate in its mode, or again after a wrong secret.
pub(super) fn begin(cx: &mut Context, opened: Opened, attempts_left: Option<u32>) -> Step {
    if opened.mode() == PurchaseMode::PaymentPassword {
        return password::begin(cx, opened, attempts_left);
    }
    let Some(sealing) = cx.sealing(opened.binding()) else {
        return cx.cancel(opened.binding().sale, StopReason::Device, Remedy::CallStaff);
    };
    let act = if cx.card_read {
        Act::SealCard(sealing)
    } else {
        Act::ReadCard(sealing)
    };
    InsertCard {
        reading: cx.card_read,
        ticket: cx.ask(Desk::Card, act),
        opened,
        attempts_left,
        problem: None,
        tries: 0,
    }
    .into()
}

/// Waits for the card, then for the chip.
#[derive(Debug)]
pub(super) struct InsertCard {
    opened: Opened,
    attempts_left: Option<u32>,
    problem: Option<CardProblem>,
    reading: bool,
    tries: u32,
    ticket: Ticket,
}

impl InsertCard {
    fn give_up(self, cx: &mut Context, why: StopReason, remedy: Remedy) -> Step {
        cx.stop(Desk::Card);
        cx.cancel(self.opened.binding().sale, why, remedy)
    }

    fn again(mut self, cx: &mut Context, problem: CardProblem) -> Step {
        self.tries = self.tries.saturating_add(1);
        cx.card_read = false;
        cx.card_in = problem != CardProblem::Removed;
        let sealing = cx.sealing(self.opened.binding());
        match sealing {
            Some(sealing) if self.tries < CARD_TRIES_MAX => {
                self.ticket = cx.ask(Desk::Card, Act::ReadCard(sealing));
                self.problem = Some(problem);
                self.reading = false;
                self.into()
            }
            _ => self.give_up(cx, StopReason::Device, Remedy::CallStaff),
        }
    }
}

impl Stage for InsertCard {
    fn awaits(&self, ticket: Ticket) -> bool {
        self.ticket == ticket
    }

    fn answered(mut self, cx: &mut Context, _: Ticket, answer: Answer) -> Step {
        match answer {
            Answer::CardPresent => {
                cx.card_in = true;
                self.reading = true;
                self.into()
            }
            Answer::CardRead { card, proof } => {
                cx.card_in = true;
                cx.card_read = true;
                EnterPin::begin(cx, self, card, proof)
            }
            Answer::CardProblem(problem) => self.again(cx, problem),
            Answer::CardNotAuthentic => {
                self.give_up(cx, StopReason::CardNotAuthentic, Remedy::CallStaff)
            }
            Answer::Fault(remedy) => self.give_up(cx, StopReason::Device, remedy),
            _ => self.into(),
        }
    }

    fn cmd(self, cx: &mut Context, cmd: Cmd) -> Step {
        match cmd {
            Cmd::Back => self.give_up(cx, StopReason::Cancelled, Remedy::Restart),
            _ => self.into(),
        }
    }

    fn deadline(self, cx: &mut Context) -> Step {
        let why = if self.reading {
            StopReason::Device
        } else {
            StopReason::TimedOut
        };
        self.give_up(cx, why, Remedy::Restart)
    }

    fn patience(&self, cx: &Context) -> Option<Patience> {
        if self.reading {
            Patience::machine(cx.settings.gate)
        } else {
            Patience::customer(cx.settings.idle)
        }
    }

    fn place(&self) -> Option<(u8, u8)> {
        Some((2, PLACES))
    }

    fn body(&self, _: &Context) -> Body {
        if self.reading {
            Body::ReadingCard
        } else {
            Body::InsertCard {
                problem: self.problem,
            }
        }
    }
}

/// Waits for the PIN: a count, then an opaque block (I7).
#[derive(Debug)]
pub(super) struct EnterPin {
    opened: Opened,
    attempts_left: Option<u32>,
    card: Sealed<SecretText>,
    proof: CardProof,
    digits: u8,
    ticket: Ticket,
}

impl EnterPin {
    fn begin(
        cx: &mut Context,
        from: InsertCard,
        card: Sealed<SecretText>,
        proof: CardProof,
    ) -> Step {
        let Some(sealing) = cx.sealing(from.opened.binding()) else {
            return from.give_up(cx, StopReason::Device, Remedy::CallStaff);
        };
        Self {
            ticket: cx.ask(Desk::PinPad, Act::StartPin(sealing)),
            opened: from.opened,
            attempts_left: from.attempts_left,
            card,
            proof,
            digits: 0,
        }
        .into()
    }

    fn give_up(self, cx: &mut Context, why: StopReason, remedy: Remedy) -> Step {
        cx.stop(Desk::PinPad);
        cx.cancel(self.opened.binding().sale, why, remedy)
    }
}

impl Stage for EnterPin {
    fn awaits(&self, ticket: Ticket) -> bool {
        self.ticket == ticket
    }

    fn answered(mut self, cx: &mut Context, _: Ticket, answer: Answer) -> Step {
        match answer {
            Answer::PinDigits(digits) => {
                self.digits = digits;
                self.into()
            }
            Answer::PinDone(pin) => {
                let info = VerificationInfo::SettlementCard {
                    card: self.card,
                    oda: self.proof,
                    pin,
                };
                Asking::info(cx, &self.opened, info)
            }
            Answer::PinCancelled => self.give_up(cx, StopReason::Cancelled, Remedy::Restart),
            Answer::PinTimedOut => self.give_up(cx, StopReason::TimedOut, Remedy::Restart),
            Answer::Fault(remedy) => self.give_up(cx, StopReason::Device, remedy),
            _ => self.into(),
        }
    }

    fn cmd(self, cx: &mut Context, cmd: Cmd) -> Step {
        match cmd {
            Cmd::Back => self.give_up(cx, StopReason::Cancelled, Remedy::Restart),
            _ => self.into(),
        }
    }

    fn deadline(self, cx: &mut Context) -> Step {
        self.give_up(cx, StopReason::TimedOut, Remedy::Restart)
    }

    fn patience(&self, cx: &Context) -> Option<Patience> {
        Patience::customer(cx.settings.idle)
    }

    fn place(&self) -> Option<(u8, u8)> {
        Some((2, PLACES))
    }

    fn body(&self, _: &Context) -> Body {
        Body::EnterPin {
            digits: self.digits,
            attempts_left: self.attempts_left,
        }
    }
}
