//! The purchase: kinds and quantities (S5, S6, S15), and the officer (S17-S22).

use std::time::Duration;

use counterfoil_data::ids::SaleId;
use counterfoil_data::money::Fen;
use counterfoil_data::wire::problem::Remedy;
use counterfoil_data::wire::sale::{Offer, Order, OrderItem, OrderView, SaleState};

use super::arrive::{News, arrive};
use super::bank::Asking;
use super::context::Context;
use super::effect::{BankCall, Ticket};
use super::event::{Answer, Change};
use super::proof::IdentityVerified;
use super::step::{PLACES, Patience, Stage, Step};
use crate::cmd::Cmd;
use crate::model::{Body, OrderNotice, StopReason};

/// Between two looks at a sale the officer has before them; a notice comes sooner.
const LOOK: Duration = Duration::from_secs(5);

/// Choosing. Exists only with messages 1 and 2 in hand (S5, S15).
#[derive(Debug)]
pub(super) struct PickOrder {
    identity: IdentityVerified,
    quantities: Vec<u32>,
    focus: usize,
    /// Digits continue the number in the focused field.
    typing: bool,
    notice: Option<OrderNotice>,
}

impl PickOrder {
    pub fn begin(
        identity: IdentityVerified,
        before: Option<&[OrderItem]>,
        notice: Option<OrderNotice>,
    ) -> Step {
        let offers = &identity.unit().offers;
        let chosen = |offer: &Offer, first: bool| match before {
            Some(items) => items
                .iter()
                .find(|item| item.kind == offer.kind)
                .map_or(0, |item| item.quantity),
            None if first => offer.quantity_usual,
            None => 0,
        };
        let quantities = offers
            .iter()
            .enumerate()
            .map(|(i, offer)| chosen(offer, i == 0).min(offer.quantity_max))
            .collect();
        Self {
            quantities,
            focus: 0,
            typing: false,
            notice,
            identity,
        }
        .into()
    }

    fn offers(&self) -> &[Offer] {
        &self.identity.unit().offers
    }

    fn set(&mut self, change: impl FnOnce(u32) -> u32) {
        let max = self.offers().get(self.focus).map_or(0, |o| o.quantity_max);
        if let Some(quantity) = self.quantities.get_mut(self.focus) {
            *quantity = change(*quantity).min(max);
            self.notice = None;
        }
    }

    fn fee(&self) -> Fen {
        let each = self.offers().iter().zip(&self.quantities);
        each.filter_map(|(offer, n)| offer.fee_each.checked_mul(*n))
            .fold(Fen::ZERO, |sum, fee| sum.checked_add(fee).unwrap_or(sum))
    }

    fn place_order(mut self, cx: &mut Context) -> Step {
        let chosen = self.offers().iter().zip(&self.quantities);
        let items: Vec<OrderItem> = chosen
            .filter(|(_, n)| **n > 0)
            .map(|(offer, n)| OrderItem {
                kind: offer.kind,
                quantity: *n,
            })
            .collect();
        if items.is_empty() {
            self.notice = Some(OrderNotice::NothingChosen);
            return self.into();
        }
        let kept = self.body(cx);
        Asking::order(cx, &self.identity, Order { items }, kept)
    }
}

impl Stage for PickOrder {
    fn awaits(&self, _: Ticket) -> bool {
        false
    }

    fn answered(self, _: &mut Context, _: Ticket, _: Answer) -> Step {
        self.into()
    }

    fn cmd(mut self, cx: &mut Context, cmd: Cmd) -> Step {
        let typing = std::mem::take(&mut self.typing);
        let button = self.offers().len();
        match cmd {
            Cmd::Up => self.focus = self.focus.saturating_sub(1),
            Cmd::Down => self.focus = self.focus.saturating_add(1).min(button),
            Cmd::Left => self.set(|n| n.saturating_sub(1)),
            Cmd::Right => self.set(|n| n.saturating_add(1)),
            Cmd::Digit(digit) if digit <= 9 => {
                let digit = u32::from(digit);
                self.typing = true;
                self.set(|n| {
                    let kept = if typing { n.saturating_mul(10) } else { 0 };
                    kept.saturating_add(digit)
                });
            }
            Cmd::Enter if self.focus >= button => return self.place_order(cx),
            Cmd::Enter => self.focus = button,
            Cmd::Back => {
                let sale = self.identity.sale();
                return cx.cancel(sale, StopReason::Cancelled, Remedy::Restart);
            }
            _ => {}
        }
        self.into()
    }

    fn deadline(self, cx: &mut Context) -> Step {
        let sale = self.identity.sale();
        cx.cancel(sale, StopReason::TimedOut, Remedy::Restart)
    }

    fn patience(&self, cx: &Context) -> Option<Patience> {
        Patience::customer(cx.settings.idle)
    }

    fn place(&self) -> Option<(u8, u8)> {
        Some((4, PLACES))
    }

    fn body(&self, _: &Context) -> Body {
        let (unit, agent) = (self.identity.unit(), self.identity.agent());
        Body::PickOrder {
            unit: unit.name.clone(),
            account_masked: unit.account_masked.clone(),
            agent_masked: agent.name_masked.clone(),
            offers: unit.offers.clone(),
            quantities: self.quantities.clone(),
            focus: self.focus,
            fee: self.fee(),
            notice: self.notice.clone(),
        }
    }
}

/// The officer looks (S22); the kiosk shows the same text and waits.
#[derive(Debug)]
pub(super) struct AwaitConfirm {
    sale: SaleId,
    order: OrderView,
    /// Linked processing found the numbers moved, so they are shown again.
    moved: bool,
    ticket: Ticket,
}

impl AwaitConfirm {
    pub fn begin(cx: &mut Context, sale: SaleId, order: OrderView, moved: bool) -> Step {
        Self {
            sale,
            order,
            moved,
            ticket: cx.wait(LOOK),
        }
        .into()
    }

    fn look(mut self, cx: &mut Context) -> Step {
        self.ticket = cx.call(BankCall::View(self.sale));
        self.into()
    }
}

impl Stage for AwaitConfirm {
    fn awaits(&self, ticket: Ticket) -> bool {
        self.ticket == ticket
    }

    fn answered(mut self, cx: &mut Context, _: Ticket, answer: Answer) -> Step {
        match answer {
            Answer::Waited => self.look(cx),
            Answer::Sale(view) if view.state == SaleState::AwaitConfirm => {
                if let Some(order) = view.order {
                    self.moved |= order.digest != self.order.digest;
                    self.order = order;
                }
                self.ticket = cx.wait(LOOK);
                self.into()
            }
            Answer::Sale(view) => {
                let news = News {
                    awaited_until: self.order.deadline,
                    ..News::default()
                };
                arrive(cx, *view, news)
            }
            _ => {
                self.ticket = cx.wait(LOOK);
                self.into()
            }
        }
    }

    fn noticed(self, cx: &mut Context, change: &Change) -> Step {
        if change.concerns(self.sale) {
            self.look(cx)
        } else {
            self.into()
        }
    }

    fn cmd(self, cx: &mut Context, cmd: Cmd) -> Step {
        match cmd {
            Cmd::Back => cx.cancel(self.sale, StopReason::Cancelled, Remedy::Restart),
            _ => self.into(),
        }
    }

    fn deadline(self, cx: &mut Context) -> Step {
        cx.cancel(self.sale, StopReason::NoAnswer, Remedy::CallStaff)
    }

    fn patience(&self, cx: &Context) -> Option<Patience> {
        Patience::machine(cx.settings.officer)
    }

    fn place(&self) -> Option<(u8, u8)> {
        Some((5, PLACES))
    }

    fn body(&self, _: &Context) -> Body {
        Body::AwaitConfirm {
            order: self.order.clone(),
            moved: self.moved,
        }
    }
}
