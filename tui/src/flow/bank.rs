//! Waiting for the backend at a gate, and where its answer leads.
//!
//! One step for all gates: send, pause when there is no answer, look at the sale
//! before sending a counted attempt again, and go where the sale's state says.
//! Nothing here decides whether somebody may buy: the view does.

use counterfoil_data::ids::SaleId;
use counterfoil_data::sealed::{Challenge, Sealed};
use counterfoil_data::wire::problem::{Problem, Remedy};
use counterfoil_data::wire::sale::{
    Abandon, AbandonReason, Close, IdentityHead, LivePrint, OpenSale, Order, PurchaseMode,
    SaleState, SaleView, VerificationInfo,
};
use counterfoil_data::wire::sheet::SheetOutcome;

use super::arrive::{News, Tried, arrive};
use super::context::{Context, back_off};
use super::effect::{BankCall, Record, Ticket};
use super::event::Answer;
use super::front;
use super::proof::{Confirmed, IdentityVerified, InfoVerified, Opened};
use super::step::{PLACES, Patience, Stage, Step};
use crate::cmd::Cmd;
use crate::model::{Body, StopReason};

/// Whether the problem is of this stable type.
pub(super) fn is_problem(problem: &Problem, word: &str) -> bool {
    problem.kind.rsplit('/').next() == Some(word)
}

/// Which gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gate {
    Opening {
        focus: usize,
    },
    Info,
    Identity,
    /// Another finger was put for the very order before.
    Order {
        again: bool,
    },
    Finger,
    Linking,
    Ending,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Sent.
    Calling,
    /// No answer; pausing, then sending again.
    Pausing,
    /// No answer to a counted attempt; pausing, then looking first.
    PausingToLook,
    /// Looking, to send again if nothing changed.
    Looking,
    /// Looking after a refusal.
    Syncing,
    /// Looking after a refusal, no answer; pausing.
    PausingToSync,
}

/// One gate.
#[derive(Debug)]
pub(super) struct Asking {
    gate: Gate,
    sale: SaleId,
    call: BankCall,
    /// As the sale stood when the call was made.
    before: Option<(SaleState, Challenge)>,
    phase: Phase,
    tries: u32,
    news: News,
    /// The order that is placed, or that another finger is put for.
    order: Option<Order>,
    /// The screen the customer left, shown until the answer is here.
    kept: Option<Box<Body>>,
    ticket: Ticket,
}

impl Asking {
    fn begin(cx: &mut Context, gate: Gate, sale: SaleId, call: BankCall) -> Self {
        Self {
            gate,
            sale,
            ticket: cx.call(call.clone()),
            call,
            before: None,
            phase: Phase::Calling,
            tries: 0,
            news: News::default(),
            order: None,
            kept: None,
        }
    }

    /// Opens a sale (S2).
    pub fn open(cx: &mut Context, sale: SaleId, mode: PurchaseMode, focus: usize) -> Step {
        let call = BankCall::OpenSale(OpenSale {
            sale,
            mode,
            seen: cx.seen(),
        });
        Self::begin(cx, Gate::Opening { focus }, sale, call).into()
    }

    /// Sends the verification info (S3).
    pub fn info(cx: &mut Context, opened: &Opened, info: VerificationInfo) -> Step {
        let binding = opened.binding();
        let call = BankCall::SubmitInfo(binding.sale, info);
        let mut step = Self::begin(cx, Gate::Info, binding.sale, call);
        step.before = Some((SaleState::Opened, binding.challenge));
        step.into()
    }

    /// Sends document and live print (S12).
    pub fn identity(
        cx: &mut Context,
        info: &InfoVerified,
        head: IdentityHead,
        print: Sealed<LivePrint>,
    ) -> Step {
        let binding = info.binding();
        let call = BankCall::SubmitIdentity(binding.sale, head, print);
        let mut step = Self::begin(cx, Gate::Identity, binding.sale, call);
        step.before = Some((SaleState::InfoVerified, binding.challenge));
        step.into()
    }

    /// Sends the purchase info (S6); takes messages 1 and 2 as proof (S5, S15).
    pub fn order(cx: &mut Context, identity: &IdentityVerified, order: Order, kept: Body) -> Step {
        let sale = identity.sale();
        let call = BankCall::PlaceOrder(sale, order.clone());
        let mut step = Self::begin(cx, Gate::Order { again: false }, sale, call);
        step.order = Some(order);
        step.kept = Some(Box::new(kept));
        step.into()
    }

    /// Sends another finger (S13) of who was identified, for this order.
    pub fn finger(
        cx: &mut Context,
        identity: &IdentityVerified,
        order: Order,
        print: Sealed<LivePrint>,
    ) -> Step {
        let binding = identity.binding();
        let call = BankCall::SubmitFinger(binding.sale, print);
        let mut step = Self::begin(cx, Gate::Finger, binding.sale, call);
        step.before = Some((identity.state(), binding.challenge));
        // Whether an attempt whose answer was lost did match, the order will show.
        step.news.tried = Some(Tried::SendAgain(order.clone()));
        step.order = Some(order);
        step.into()
    }

    /// Sends the same order after another finger was put for it; no key is needed.
    pub fn order_again(cx: &mut Context, identity: &IdentityVerified, order: Order) -> Step {
        let sale = identity.sale();
        let call = BankCall::PlaceOrder(sale, order.clone());
        let mut step = Self::begin(cx, Gate::Order { again: true }, sale, call);
        step.order = Some(order);
        step.into()
    }

    /// Asks for linked processing (S7); the key is on disk before it is sent.
    pub fn link(cx: &mut Context, confirmed: &Confirmed) -> Step {
        let (sale, key) = (confirmed.sale(), confirmed.key());
        cx.remember(Record::Linking {
            sale,
            key: key.clone(),
        });
        let call = BankCall::Link(sale, key);
        Self::begin(cx, Gate::Linking, sale, call).into()
    }

    /// Ends a linked sale: with its receipt, or broken off.
    pub fn end(
        cx: &mut Context,
        sale: SaleId,
        broken: Option<AbandonReason>,
        sheet: Option<SheetOutcome>,
    ) -> Step {
        let key = |verb| format!("{verb}-{sale}-{}", cx.resyncs);
        let call = match broken {
            None => BankCall::CloseSale(sale, Close { sheet }, key("close")),
            Some(reason) => {
                let abandon = Abandon { reason, sheet };
                BankCall::Abandon(sale, abandon, key("abandon"))
            }
        };
        Self::begin(cx, Gate::Ending, sale, call).into()
    }

    /// Looks how the sale stands and goes there.
    pub fn sync(cx: &mut Context, sale: SaleId) -> Step {
        let mut step = Self::begin(cx, Gate::Ending, sale, BankCall::View(sale));
        step.phase = Phase::Syncing;
        step.into()
    }

    /// After linked processing may have happened nothing is given up any more.
    fn is_final(&self) -> bool {
        matches!(self.gate, Gate::Linking | Gate::Ending)
    }

    fn no_answer(mut self, cx: &mut Context) -> Step {
        self.ticket = cx.wait(back_off(self.tries));
        self.tries = self.tries.saturating_add(1);
        let keyed = self.is_final() || matches!(self.gate, Gate::Opening { .. });
        self.phase = match self.phase {
            Phase::Syncing => Phase::PausingToSync,
            // A counted attempt is never sent twice without looking first.
            Phase::Calling if keyed => Phase::Pausing,
            _ => Phase::PausingToLook,
        };
        self.into()
    }

    fn look(mut self, cx: &mut Context, phase: Phase) -> Step {
        self.ticket = cx.call(BankCall::View(self.sale));
        self.phase = phase;
        self.into()
    }

    fn send(mut self, cx: &mut Context) -> Step {
        self.ticket = cx.call(self.call.clone());
        self.phase = Phase::Calling;
        self.into()
    }

    fn unchanged(&self, view: &SaleView) -> bool {
        match (self.gate, self.before) {
            (_, Some(before)) => before == (view.state, view.challenge),
            (Gate::Order { .. }, None) => {
                matches!(view.state, SaleState::IdentityVerified | SaleState::Ordered)
            }
            _ => false,
        }
    }

    fn refused(mut self, cx: &mut Context, problem: Problem) -> Step {
        let is = |word: &str| is_problem(&problem, word);
        if is("busy") || is("internal") {
            self.ticket = cx.wait(back_off(self.tries));
            self.tries = self.tries.saturating_add(1);
            let syncing = matches!(self.phase, Phase::Syncing | Phase::Looking);
            self.phase = if syncing {
                Phase::PausingToSync
            } else {
                Phase::Pausing
            };
            return self.into();
        }
        if is("not-signed") || is("not-yours") || is("storage-low") {
            return cx.stopped(StopReason::Device, None, Remedy::OutOfService);
        }
        if is("locked") && !self.is_final() {
            return cx.cancel(self.sale, StopReason::Locked, Remedy::CallStaff);
        }
        let looking = matches!(self.phase, Phase::Looking | Phase::Syncing);
        if looking || (is("malformed") && !self.is_final()) {
            return match self.gate {
                Gate::Linking | Gate::Ending => front::Starting::begin(cx),
                _ => cx.cancel(self.sale, StopReason::Device, Remedy::CallStaff),
            };
        }
        if let Gate::Opening { .. } = self.gate {
            // Another sale of ours is still open there: ask what it is.
            return front::Starting::begin(cx);
        }
        self.news = News {
            moved: is("range-moved"),
            tried: self.tried(&problem),
            rule: problem.rule,
            attempts_left: problem.attempts_left,
            awaited_until: None,
        };
        self.look(cx, Phase::Syncing)
    }

    /// How the order goes on after a refusal, should the sale still take one.
    fn tried(&self, problem: &Problem) -> Option<Tried> {
        let order = self.order.clone()?;
        let rule = problem.rule.as_ref();
        let needs_finger = rule.is_some_and(|rule| rule.remedy == Remedy::OtherFinger);
        Some(match self.gate {
            Gate::Finger if is_problem(problem, "not-verified") => {
                Tried::NeedsFinger { order, again: true }
            }
            Gate::Order { again } if needs_finger => Tried::NeedsFinger { order, again },
            // No rule is in its way: the finger is there already, or not needed any more.
            Gate::Finger if rule.is_none() => Tried::SendAgain(order),
            _ => Tried::Change(order),
        })
    }
}

impl Stage for Asking {
    fn awaits(&self, ticket: Ticket) -> bool {
        self.ticket == ticket
    }

    fn answered(self, cx: &mut Context, _: Ticket, answer: Answer) -> Step {
        match (self.phase, answer) {
            (Phase::Looking, Answer::Sale(view)) if self.unchanged(&view) => self.send(cx),
            (_, Answer::Sale(view)) => arrive(cx, *view, self.news),
            (_, Answer::Problem(problem)) => self.refused(cx, *problem),
            (Phase::PausingToLook, Answer::Waited) => self.look(cx, Phase::Looking),
            (Phase::PausingToSync, Answer::Waited) => self.look(cx, Phase::Syncing),
            (_, Answer::Waited) => self.send(cx),
            _ => self.no_answer(cx),
        }
    }

    fn cmd(self, cx: &mut Context, cmd: Cmd) -> Step {
        match cmd {
            Cmd::Back if !self.is_final() => {
                cx.cancel(self.sale, StopReason::Cancelled, Remedy::Restart)
            }
            _ => self.into(),
        }
    }

    fn deadline(self, cx: &mut Context) -> Step {
        cx.cancel(self.sale, StopReason::Offline, Remedy::Restart)
    }

    fn patience(&self, cx: &Context) -> Option<Patience> {
        if self.is_final() {
            None
        } else {
            Patience::machine(cx.settings.gate)
        }
    }

    fn place(&self) -> Option<(u8, u8)> {
        let at = match self.gate {
            Gate::Opening { .. } => 1,
            Gate::Info => 2,
            Gate::Identity => 3,
            Gate::Order { .. } | Gate::Finger => 4,
            Gate::Linking => 5,
            Gate::Ending => 7,
        };
        Some((at, PLACES))
    }

    fn body(&self, cx: &Context) -> Body {
        if let Some(kept) = &self.kept {
            return Body::clone(kept);
        }
        match self.gate {
            Gate::Opening { focus } => Body::PickMode {
                modes: front::modes(cx),
                focus,
                connecting: self.tries > 0,
            },
            Gate::Info => Body::CheckingInfo,
            Gate::Identity | Gate::Finger | Gate::Order { .. } => Body::CheckingIdentity,
            Gate::Linking => Body::Linking,
            Gate::Ending => Body::PrintingReceipt,
        }
    }
}
