//! Who stands here: document (S10) and its authenticity (S16). What is read here is
//! the proof without which no finger is asked for ([`super::finger`]).

use counterfoil_data::wire::problem::Remedy;

use super::context::Context;
use super::effect::{Act, Desk, Ticket};
use super::event::Answer;
use super::finger::PlaceFinger;
use super::proof::{DocumentAuthentic, InfoVerified};
use super::step::{PLACES, Patience, Stage, Step};
use crate::cmd::Cmd;
use crate::model::{Body, DocumentProblem, StopReason};

/// Documents tried in one sale before staff must help.
const DOCUMENT_TRIES_MAX: u32 = 5;

/// The second gate (S10 only after message 1), or again after a wrong finger.
pub(super) fn begin(cx: &mut Context, info: InfoVerified, attempts_left: Option<u32>) -> Step {
    let Some(sealing) = cx.sealing(info.binding()) else {
        return cx.cancel(info.binding().sale, StopReason::Device, Remedy::CallStaff);
    };
    let again = cx.document_read;
    let act = if again {
        Act::SealDocument(sealing)
    } else {
        Act::ReadDocument(sealing)
    };
    PlaceDocument {
        reading: again,
        again,
        ticket: cx.ask(Desk::Document, act),
        info,
        attempts_left,
        problem: None,
        tries: 0,
    }
    .into()
}

/// Waits for the document, then for its authentication and fields.
#[derive(Debug)]
pub(super) struct PlaceDocument {
    info: InfoVerified,
    attempts_left: Option<u32>,
    problem: Option<DocumentProblem>,
    reading: bool,
    /// A finger did not match before.
    again: bool,
    tries: u32,
    ticket: Ticket,
}

impl PlaceDocument {
    fn give_up(self, cx: &mut Context, why: StopReason, remedy: Remedy) -> Step {
        cx.stop(Desk::Document);
        cx.cancel(self.info.binding().sale, why, remedy)
    }

    fn again(mut self, cx: &mut Context, problem: DocumentProblem) -> Step {
        self.tries = self.tries.saturating_add(1);
        cx.document_read = false;
        match cx.sealing(self.info.binding()) {
            Some(sealing) if self.tries < DOCUMENT_TRIES_MAX => {
                self.ticket = cx.ask(Desk::Document, Act::ReadDocument(sealing));
                self.problem = Some(problem);
                self.reading = false;
                self.into()
            }
            _ => self.give_up(cx, StopReason::Device, Remedy::CallStaff),
        }
    }
}

impl Stage for PlaceDocument {
    fn awaits(&self, ticket: Ticket) -> bool {
        self.ticket == ticket
    }

    fn answered(mut self, cx: &mut Context, _: Ticket, answer: Answer) -> Step {
        match answer {
            Answer::DocumentPresent => {
                cx.document_on = true;
                self.reading = true;
                self.into()
            }
            Answer::DocumentLies => {
                cx.document_on = true;
                self.problem.get_or_insert(DocumentProblem::LiftAndReplace);
                self.into()
            }
            Answer::DocumentRead {
                document,
                authenticity,
            } => {
                cx.document_on = true;
                cx.document_read = true;
                let authentic = DocumentAuthentic::read(document, authenticity);
                let (left, again) = (self.attempts_left, self.again);
                PlaceFinger::for_identity(cx, self.info, authentic, left, again)
            }
            Answer::DocumentProblem(problem) => self.again(cx, problem),
            // S16: not authentic, so no biometric is taken.
            Answer::DocumentNotAuthentic => {
                self.give_up(cx, StopReason::DocumentNotAuthentic, Remedy::CallStaff)
            }
            Answer::DocumentRemoved => {
                cx.document_on = false;
                self.again(cx, DocumentProblem::LiftAndReplace)
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
        Some((3, PLACES))
    }

    fn body(&self, _: &Context) -> Body {
        if self.reading {
            Body::ReadingDocument
        } else {
            Body::PlaceDocument {
                unit: self.info.unit_name().to_owned(),
                problem: self.problem,
            }
        }
    }
}
