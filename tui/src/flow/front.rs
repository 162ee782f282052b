//! Before a sale: who are we, what was I doing, nobody is here, which mode (S2).

use std::time::Duration;

use counterfoil_data::ids::SaleId;
use counterfoil_data::wire::problem::Problem;
use counterfoil_data::wire::sale::{KioskView, PurchaseMode};

use super::bank::{Asking, is_problem};
use super::context::{Context, back_off, cancel_key};
use super::dispense::Dispensing;
use super::effect::{BankCall, Ticket};
use super::event::{Answer, Change};
use super::proof::Linked;
use super::step::{Counted, PLACES, Patience, Stage, Step};
use crate::cmd::Cmd;
use crate::model::{Body, ServiceFault};

/// Between two tries of a journal that could not be written.
const JOURNAL_PAUSE: Duration = Duration::from_secs(30);

/// Modes this program has screens for; the backend may know more (S2).
const SCREENED: [PurchaseMode; 2] = [PurchaseMode::SettlementCard, PurchaseMode::PaymentPassword];

/// Asks the backend "what was I doing?", for as long as it takes.
#[derive(Debug)]
pub(super) struct Starting {
    ticket: Ticket,
    tries: u32,
    fault: Option<ServiceFault>,
    /// A sale that a former life opened and did not link; it is given up.
    cancelling: Option<SaleId>,
}

impl Starting {
    pub fn begin(cx: &mut Context) -> Step {
        Self {
            ticket: cx.ask_kiosk(),
            tries: 0,
            fault: None,
            cancelling: None,
        }
        .into()
    }

    pub fn journal_failed(cx: &mut Context) -> Step {
        Self {
            ticket: cx.wait(JOURNAL_PAUSE),
            tries: 0,
            fault: Some(ServiceFault::Journal),
            cancelling: None,
        }
        .into()
    }

    fn again(mut self, cx: &mut Context, fault: ServiceFault) -> Step {
        self.ticket = cx.wait(back_off(self.tries));
        self.tries = self.tries.saturating_add(1);
        self.fault = Some(fault);
        self.cancelling = None;
        self.into()
    }
}

/// The backend told who we are: goes on where the kiosk stopped (I6).
fn arrive_home(cx: &mut Context, from: Starting, view: KioskView) -> Step {
    if let Err(fault) = cx.learn(&view) {
        return from.again(cx, fault);
    }
    let Some(sale) = view.open_sale else {
        cx.forget();
        return Attract::begin(cx);
    };
    if let Some(linked) = Linked::from_view(&sale) {
        return Dispensing::resume(cx, linked);
    }
    if sale.state.is_over() {
        cx.forget();
        return Attract::begin(cx);
    }
    // Not linked: nothing was sold; the customer begins anew.
    let call = BankCall::Cancel(sale.sale, cancel_key(sale.sale));
    Starting {
        ticket: cx.call(call),
        cancelling: Some(sale.sale),
        ..from
    }
    .into()
}

impl Stage for Starting {
    fn awaits(&self, ticket: Ticket) -> bool {
        self.ticket == ticket
    }

    fn answered(mut self, cx: &mut Context, _: Ticket, answer: Answer) -> Step {
        match answer {
            Answer::Kiosk(view) => arrive_home(cx, self, *view),
            Answer::Sale(_) => {
                cx.forget();
                Attract::begin(cx)
            }
            Answer::Problem(problem) if self.cancelling.is_some() && settled(&problem) => {
                cx.forget();
                Attract::begin(cx)
            }
            Answer::Problem(problem) => {
                let known =
                    !is_problem(&problem, "not-signed") && !is_problem(&problem, "not-yours");
                let fault = if known {
                    ServiceFault::Offline
                } else {
                    ServiceFault::NotEnrolled
                };
                self.again(cx, fault)
            }
            Answer::Offline => self.again(cx, ServiceFault::Offline),
            _ => {
                self.ticket = cx.ask_kiosk();
                self.into()
            }
        }
    }

    fn body(&self, _: &Context) -> Body {
        match &self.fault {
            None => Body::Starting,
            Some(why) => Body::OutOfService { why: why.clone() },
        }
    }
}

/// A cancel that came too late or twice has nothing left to do.
fn settled(problem: &Problem) -> bool {
    ["out-of-order", "not-found"]
        .iter()
        .any(|word| is_problem(problem, word))
}

/// Nobody is here. Looks at the backend now and then, so that "in service" is true.
#[derive(Debug)]
pub(super) struct Attract {
    ticket: Ticket,
}

impl Attract {
    /// The end of every session: wiped first (I10).
    pub fn begin(cx: &mut Context) -> Step {
        cx.wipe();
        cx.watch_readers();
        cx.check_printer();
        Self {
            ticket: cx.wait(cx.refresh()),
        }
        .into()
    }

    /// The same, and what the backend knows has changed meanwhile.
    pub fn refreshed(cx: &mut Context) -> Step {
        cx.wipe();
        cx.watch_readers();
        cx.check_printer();
        Self {
            ticket: cx.ask_kiosk(),
        }
        .into()
    }

    fn is_open(cx: &Context) -> bool {
        cx.ready().is_ok() && cx.left_behind().is_empty()
    }
}

impl Stage for Attract {
    fn awaits(&self, ticket: Ticket) -> bool {
        self.ticket == ticket
    }

    fn answered(mut self, cx: &mut Context, ticket: Ticket, answer: Answer) -> Step {
        match answer {
            Answer::Waited => {
                cx.first_look = false;
                self.ticket = cx.ask_kiosk();
                self.into()
            }
            Answer::Kiosk(view) if view.open_sale.is_none() => match cx.learn(&view) {
                Ok(()) => {
                    cx.check_printer();
                    self.ticket = cx.wait(cx.refresh());
                    self.into()
                }
                Err(_) => Starting::begin(cx),
            },
            other => {
                let starting = Starting {
                    ticket,
                    tries: 0,
                    fault: None,
                    cancelling: None,
                };
                starting.answered(cx, ticket, other)
            }
        }
    }

    fn cmd(self, cx: &mut Context, cmd: Cmd) -> Step {
        match cmd {
            Cmd::Enter if Self::is_open(cx) => PickMode::begin(),
            _ => self.into(),
        }
    }

    /// The stream of changes broke: whether the backend is there is looked at now, so
    /// that nobody is invited in vain.
    fn noticed(mut self, cx: &mut Context, change: &Change) -> Step {
        if *change == Change::Missed {
            self.ticket = cx.ask_kiosk();
        }
        self.into()
    }

    /// The next customer begins in the branch's language.
    fn deadline(self, cx: &mut Context) -> Step {
        cx.language = cx.settings.language;
        self.into()
    }

    fn patience(&self, cx: &Context) -> Option<Patience> {
        let changed = cx.language != cx.settings.language;
        let patience = Patience {
            total: cx.settings.idle,
            counted: Counted::Never,
            extends: true,
        };
        changed.then_some(patience)
    }

    fn body(&self, cx: &Context) -> Body {
        match cx.ready() {
            Err(Some(why)) => Body::OutOfService { why },
            Err(None) => Body::Starting,
            Ok(()) => Body::Attract {
                branch: cx
                    .bank
                    .as_ref()
                    .map(|bank| bank.branch_name.clone())
                    .unwrap_or_default(),
                left_behind: cx.left_behind(),
            },
        }
    }
}

/// S2: the customer picks a purchase mode.
#[derive(Debug)]
pub(super) struct PickMode {
    focus: usize,
}

impl PickMode {
    pub fn begin() -> Step {
        Self { focus: 0 }.into()
    }
}

/// Modes that the backend offers and this program can show.
pub(super) fn modes(cx: &Context) -> Vec<PurchaseMode> {
    let offered = cx.bank.as_ref().map_or(&[][..], |bank| &bank.modes);
    let shown = offered.iter().copied().filter(|m| SCREENED.contains(m));
    shown.collect()
}

impl Stage for PickMode {
    fn awaits(&self, _: Ticket) -> bool {
        false
    }

    fn answered(self, _: &mut Context, _: Ticket, _: Answer) -> Step {
        self.into()
    }

    fn cmd(mut self, cx: &mut Context, cmd: Cmd) -> Step {
        let modes = modes(cx);
        match cmd {
            Cmd::Up => self.focus = self.focus.saturating_sub(1),
            Cmd::Down => {
                let last = modes.len().saturating_sub(1);
                self.focus = self.focus.saturating_add(1).min(last);
            }
            Cmd::Enter => {
                if let Some(mode) = modes.get(self.focus) {
                    return Asking::open(cx, SaleId(cx.now.chance), *mode, self.focus);
                }
            }
            Cmd::Back => return Attract::begin(cx),
            _ => {}
        }
        self.into()
    }

    fn deadline(self, cx: &mut Context) -> Step {
        Attract::begin(cx)
    }

    fn patience(&self, cx: &Context) -> Option<Patience> {
        Patience::customer(cx.settings.idle)
    }

    fn place(&self) -> Option<(u8, u8)> {
        Some((1, PLACES))
    }

    fn body(&self, cx: &Context) -> Body {
        Body::PickMode {
            modes: modes(cx),
            focus: self.focus,
            connecting: false,
        }
    }
}
