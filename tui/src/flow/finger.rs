//! The live finger: who stands here (S11), and another one for a large order (S13).
//!
//! The sensor is armed in exactly one place, [`arm`], and only for a [`Wanted`], which
//! holds its proof by value: at the second gate a [`DocumentAuthentic`] (S16), for an
//! order an [`IdentityVerified`], which implies it (I4). One step does both: waiting,
//! advice and patience are the same; what it leads to is not.

use counterfoil_data::sealed::{Binding, Sealed};
use counterfoil_data::wire::problem::Remedy;
use counterfoil_data::wire::sale::{IdentityHead, LivePrint, Order};

use super::bank::Asking;
use super::context::Context;
use super::effect::{Act, Desk, Ticket};
use super::event::Answer;
use super::order::PickOrder;
use super::proof::{DocumentAuthentic, IdentityVerified, InfoVerified};
use super::step::{PLACES, Patience, Stage, Step};
use crate::cmd::Cmd;
use crate::model::{Body, FingerAdvice, OrderNotice, StopReason};

/// Poor images of one finger before staff must help, or the order be another (S11:
/// never a dead end).
const POOR_IMAGES_MAX: u32 = 5;

/// What the finger is for, and the proof that it may be asked for.
#[derive(Debug)]
enum Wanted {
    /// Whoever stands here, with the document in hand.
    Identity {
        info: InfoVerified,
        authentic: DocumentAuthentic,
    },
    /// Another finger of who was identified, for so large an order.
    Order {
        identity: IdentityVerified,
        order: Order,
    },
}

impl Wanted {
    fn binding(&self) -> Binding {
        match self {
            Self::Identity { info, .. } => info.binding(),
            Self::Order { identity, .. } => identity.binding(),
        }
    }

    /// There will be no finger. At the gate the sale ends; who is identified already may
    /// still buy fewer forms, and goes back to the order as it was chosen.
    fn without(
        self,
        cx: &mut Context,
        why: StopReason,
        remedy: Remedy,
        notice: OrderNotice,
    ) -> Step {
        cx.stop(Desk::Finger);
        match self {
            Self::Identity { info, .. } => cx.cancel(info.binding().sale, why, remedy),
            Self::Order { identity, order } => {
                PickOrder::begin(identity, Some(&order.items), Some(notice))
            }
        }
    }

    fn fault(self, cx: &mut Context, remedy: Remedy) -> Step {
        self.without(cx, StopReason::Device, remedy, OrderNotice::FingerFault)
    }
}

/// Arms the sensor: the only place that does, and never without a proof (S16).
fn arm(cx: &mut Context, wanted: &Wanted) -> Option<Ticket> {
    let sealing = cx.sealing(wanted.binding())?;
    Some(cx.ask(Desk::Finger, Act::CaptureFinger(sealing)))
}

/// Waits for the finger, then for its image.
#[derive(Debug)]
pub(super) struct PlaceFinger {
    wanted: Wanted,
    attempts_left: Option<u32>,
    advice: Option<FingerAdvice>,
    percent: Option<u8>,
    poor: u32,
    ticket: Ticket,
}

impl PlaceFinger {
    /// S11: only with an authentic document in hand (S16).
    pub fn for_identity(
        cx: &mut Context,
        info: InfoVerified,
        authentic: DocumentAuthentic,
        attempts_left: Option<u32>,
        again: bool,
    ) -> Step {
        let wanted = Wanted::Identity { info, authentic };
        Self::begin(cx, wanted, attempts_left, again)
    }

    /// S13: only of a person whose identity is verified.
    pub fn for_order(
        cx: &mut Context,
        identity: IdentityVerified,
        order: Order,
        attempts_left: Option<u32>,
        again: bool,
    ) -> Step {
        let wanted = Wanted::Order { identity, order };
        Self::begin(cx, wanted, attempts_left, again)
    }

    fn begin(cx: &mut Context, wanted: Wanted, attempts_left: Option<u32>, again: bool) -> Step {
        let Some(ticket) = arm(cx, &wanted) else {
            return wanted.fault(cx, Remedy::CallStaff);
        };
        Self {
            wanted,
            attempts_left,
            advice: again.then_some(FingerAdvice::OtherFinger),
            percent: None,
            poor: 0,
            ticket,
        }
        .into()
    }

    fn poor(mut self, cx: &mut Context, advice: FingerAdvice) -> Step {
        self.poor = self.poor.saturating_add(1);
        self.percent = None;
        self.advice = Some(advice);
        if self.poor >= POOR_IMAGES_MAX {
            let (why, notice) = (StopReason::NotIdentified, OrderNotice::FingerPoor);
            return self.wanted.without(cx, why, Remedy::CallStaff, notice);
        }
        let Some(ticket) = arm(cx, &self.wanted) else {
            return self.wanted.fault(cx, Remedy::CallStaff);
        };
        self.ticket = ticket;
        self.into()
    }

    fn captured(self, cx: &mut Context, print: Sealed<LivePrint>) -> Step {
        match self.wanted {
            Wanted::Identity { info, authentic } => {
                let (document, authenticity) = authentic.into_parts();
                let head = IdentityHead {
                    document,
                    authenticity,
                };
                Asking::identity(cx, &info, head, print)
            }
            Wanted::Order { identity, order } => Asking::finger(cx, &identity, order, print),
        }
    }
}

impl Stage for PlaceFinger {
    fn awaits(&self, ticket: Ticket) -> bool {
        self.ticket == ticket
    }

    fn answered(mut self, cx: &mut Context, _: Ticket, answer: Answer) -> Step {
        match answer {
            // What was wrong with that finger is worth more than that it still lies there.
            Answer::FingerLies => {
                self.advice.get_or_insert(FingerAdvice::LiftFirst);
            }
            Answer::FingerPresent => self.percent = Some(0),
            Answer::FingerProgress(percent) => self.percent = Some(percent),
            Answer::FingerPoor(advice) => return self.poor(cx, advice),
            Answer::FingerCaptured(print) => return self.captured(cx, print),
            Answer::Fault(remedy) => return self.wanted.fault(cx, remedy),
            _ => {}
        }
        self.into()
    }

    fn cmd(self, cx: &mut Context, cmd: Cmd) -> Step {
        match cmd {
            Cmd::Back => {
                let (why, notice) = (StopReason::Cancelled, OrderNotice::OtherFinger);
                self.wanted.without(cx, why, Remedy::Restart, notice)
            }
            _ => self.into(),
        }
    }

    fn deadline(self, cx: &mut Context) -> Step {
        match self.percent {
            // The sensor does not come to an end.
            Some(_) => self.wanted.fault(cx, Remedy::Restart),
            // Nobody is here any more.
            None => {
                cx.stop(Desk::Finger);
                let sale = self.wanted.binding().sale;
                cx.cancel(sale, StopReason::TimedOut, Remedy::Restart)
            }
        }
    }

    fn patience(&self, cx: &Context) -> Option<Patience> {
        if self.percent.is_some() {
            Patience::machine(cx.settings.gate)
        } else {
            Patience::customer(cx.settings.idle)
        }
    }

    fn place(&self) -> Option<(u8, u8)> {
        let at = match self.wanted {
            Wanted::Identity { .. } => 3,
            Wanted::Order { .. } => 4,
        };
        Some((at, PLACES))
    }

    fn body(&self, _: &Context) -> Body {
        let (advice, attempts_left) = (self.advice, self.attempts_left);
        match (self.percent, &self.wanted) {
            (Some(percent), _) => Body::ReadingFinger { percent },
            (None, Wanted::Identity { .. }) => Body::PlaceFinger {
                advice,
                attempts_left,
            },
            (None, Wanted::Order { identity, order }) => Body::PlaceOtherFinger {
                fingers: identity.agent().other_fingers.clone(),
                forms: order
                    .items
                    .iter()
                    .fold(0, |sum: u32, item| sum.saturating_add(item.quantity)),
                advice,
                attempts_left,
            },
        }
    }
}
