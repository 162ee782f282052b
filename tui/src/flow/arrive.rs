//! Where a sale's state leads: the one table from the backend's view to a step.
//!
//! Used at every gate and after a restart alike, so that there is one way to go
//! on with a sale. Decides nothing about the sale: the view does.

use counterfoil_data::ids::SaleId;
use counterfoil_data::wire::problem::{Remedy, RuleRefusal};
use counterfoil_data::wire::sale::{Order, SaleState, SaleView};
use jiff::Timestamp;

use super::bank::Asking;
use super::context::Context;
use super::dispense::Dispensing;
use super::finger::PlaceFinger;
use super::finish::PrintingReceipt;
use super::front::Attract;
use super::identify;
use super::order::{AwaitConfirm, PickOrder};
use super::proof::{Confirmed, IdentityVerified, InfoVerified, Linked, Opened};
use super::step::Step;
use super::verify;
use crate::model::{OrderNotice, StopReason};

/// What a refused call said, to be shown where the sale now stands.
#[derive(Debug, Default)]
pub(super) struct News {
    pub rule: Option<RuleRefusal>,
    pub attempts_left: Option<u32>,
    pub moved: bool,
    /// The order that was not taken, where the sale still takes one.
    pub tried: Option<Tried>,
    /// Until when the officer was awaited.
    pub awaited_until: Option<Timestamp>,
}

/// How an order that was not taken goes on.
#[derive(Debug)]
pub(super) enum Tried {
    /// The customer changes it, and does not begin anew.
    Change(Order),
    /// It needs another enrolled finger (S13); `again` where one was put that did not match.
    NeedsFinger { order: Order, again: bool },
    /// A finger was put for it: the kiosk sends it again by itself.
    SendAgain(Order),
}

/// Goes where the sale stands (S4, S8, S14; also after a restart).
pub(super) fn arrive(cx: &mut Context, view: SaleView, news: News) -> Step {
    let refusal = news.rule.clone().or_else(|| view.refusal.clone());
    // Only a failed attempt is worth a remark; the view always counts.
    let attempts = news.attempts_left;
    let sale = view.sale;
    match view.state {
        SaleState::Opened => match Opened::from_view(&view) {
            Some(opened) => verify::begin(cx, opened, attempts),
            None => lost(cx, sale),
        },
        SaleState::InfoVerified => match InfoVerified::from_view(&view) {
            Some(info) => identify::begin(cx, info, attempts),
            None => lost(cx, sale),
        },
        SaleState::IdentityVerified | SaleState::Ordered => ordering(cx, view, news, refusal),
        SaleState::AwaitConfirm => match view.order {
            Some(order) => AwaitConfirm::begin(cx, sale, order, news.moved),
            None => lost(cx, sale),
        },
        SaleState::Confirmed => match Confirmed::from_view(&view) {
            Some(confirmed) => Asking::link(cx, &confirmed),
            None => lost(cx, sale),
        },
        SaleState::Linked | SaleState::Dispensing => match Linked::from_view(&view) {
            Some(linked) => Dispensing::begin(cx, linked),
            None => cx.stopped(StopReason::Suspended, refusal, Remedy::CallStaff),
        },
        SaleState::Closed => match view.receipt {
            Some(receipt) => PrintingReceipt::begin(cx, receipt),
            None => Attract::refreshed(cx),
        },
        SaleState::Refused => {
            let why = refused_why(&view, refusal.as_ref(), attempts);
            cx.stopped(why, refusal, Remedy::CallStaff)
        }
        SaleState::Denied => {
            // Silence until the deadline is a denial (S22); the view of a denied
            // sale has no deadline any more.
            let late = news.awaited_until.is_some_and(|at| cx.now.wall >= at);
            let why = if late {
                StopReason::NoAnswer
            } else {
                StopReason::Denied
            };
            cx.stopped(why, refusal, Remedy::CallStaff)
        }
        SaleState::Cancelled => cx.stopped(StopReason::Cancelled, refusal, Remedy::Restart),
        SaleState::Expired => cx.stopped(StopReason::TimedOut, refusal, Remedy::Restart),
        SaleState::Suspended => {
            cx.forget();
            cx.stopped(StopReason::Suspended, refusal, Remedy::CallStaff)
        }
    }
}

fn refused_why(view: &SaleView, rule: Option<&RuleRefusal>, attempts: Option<u32>) -> StopReason {
    match rule {
        Some(rule) if rule.rule == "locked" => StopReason::Locked,
        _ if attempts == Some(0) && view.unit.is_none() => StopReason::NotVerified,
        _ if attempts == Some(0) => StopReason::NotIdentified,
        _ => StopReason::Refused,
    }
}

/// The backend's answer contradicts itself; a sale that is not linked is given up.
fn lost(cx: &mut Context, sale: SaleId) -> Step {
    cx.cancel(sale, StopReason::Device, Remedy::CallStaff)
}

/// Messages 1 and 2 are in hand (S5, S15): the order, or the order once more.
fn ordering(cx: &mut Context, view: SaleView, news: News, refusal: Option<RuleRefusal>) -> Step {
    let asked = view.order.as_ref().and_then(|o| o.question.clone());
    let notice = match (news.moved, refusal, asked) {
        (true, ..) => Some(OrderNotice::RangeMoved),
        (_, Some(rule), _) => Some(OrderNotice::Refused(rule)),
        (_, _, Some(question)) => Some(OrderNotice::Asked(question)),
        _ => None,
    };
    let Some(identity) = IdentityVerified::from_view(&view) else {
        return lost(cx, view.sale);
    };
    let chosen = match news.tried {
        Some(Tried::SendAgain(order)) => return Asking::order_again(cx, &identity, order),
        Some(Tried::NeedsFinger { order, again }) => {
            let left = news.attempts_left.or(view.attempts_left).filter(|_| again);
            return PlaceFinger::for_order(cx, identity, order, left, again);
        }
        Some(Tried::Change(order)) => Some(order.items),
        None => view.order.map(|order| order.items),
    };
    PickOrder::begin(identity, chosen.as_deref(), notice)
}
