//! A backend and a form printer in a few hundred lines, strict about order.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "a test model of small numbers"
)]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use counterfoil_data::bill::{BillKind, BillNumber, BillRange};
use counterfoil_data::money::Fen;
use counterfoil_data::sealed::{Challenge, OpenKey};
use counterfoil_data::wire::confirm::ConfirmText;
use counterfoil_data::wire::forms::{FormAdvices, FormEvent, FormState, FormsAnswer};
use counterfoil_data::wire::problem::Remedy;
use counterfoil_data::wire::sale::{
    AgentView, Authenticity, CardProof, Checkpoint, FormView, KioskView, LinkedResult, Order,
    OrderView, PrintJob, PurchaseMode, SaleState, SaleView, SlotView,
};
use counterfoil_data::wire::{Digest, hex};

use super::wire::{after, is_watch, opened, problem, receipt, sealed, unit, word};
use crate::cmd::Cmd;
use crate::flow::effect::{Act, BankCall, Desk, Effect, Record, Ticket};
use crate::flow::event::{Answer, DeviceState, Event, Now, Paper, PrinterFacts};
use crate::flow::{Flow, Settings};
use crate::model::{CardProblem, DocumentProblem, FingerAdvice};

pub const UNIT: &str = "样例机械有限公司";
pub const FIRST: &str = "3130331100000100";

/// What goes wrong, one entry for each answer that may; 0 is right.
pub type Fates = VecDeque<u8>;

pub struct World {
    pub flow: Option<Flow>,
    pub at: Duration,
    pub log: Vec<&'static str>,
    pub journal: Vec<Record>,
    pub sale: Option<SaleView>,
    pending: Vec<(Ticket, Act)>,
    fates: Fates,
    attempt: u8,
    size: u64,
    document_authentic: bool,
    pub cassette: VecDeque<BillNumber>,
    pub transport: Option<BillNumber>,
    read: Option<BillNumber>,
    pub escrow: Vec<BillNumber>,
    pub output: Vec<BillNumber>,
    fed: BTreeSet<BillNumber>,
    pub inked: BTreeSet<BillNumber>,
    pub taken: BTreeSet<BillNumber>,
    outcomes_written: BTreeMap<(BillNumber, &'static str), u32>,
}

impl World {
    pub fn new(fates: Fates) -> Self {
        let first = BillRange::from_count(FIRST.parse().expect("a number"), 60).expect("a range");
        let mut world = Self {
            flow: None,
            at: Duration::ZERO,
            log: Vec::new(),
            journal: Vec::new(),
            sale: None,
            pending: Vec::new(),
            fates,
            attempt: 0,
            size: 1,
            document_authentic: false,
            cassette: first.numbers().collect(),
            transport: None,
            read: None,
            escrow: Vec::new(),
            output: Vec::new(),
            fed: BTreeSet::new(),
            inked: BTreeSet::new(),
            taken: BTreeSet::new(),
            outcomes_written: BTreeMap::new(),
        };
        world.power_on();
        world
    }

    fn now(&self) -> Now {
        Now {
            at: self.at,
            wall: "2026-11-23T01:00:00Z".parse().expect("a time"),
            chance: u128::from(self.at.as_secs()) + 7,
        }
    }

    /// A kiosk process begins; what it was is gone, the journal is not.
    pub fn power_on(&mut self) {
        self.pending.clear();
        let (flow, effects) = Flow::start(Settings::default(), self.journal.clone(), self.now());
        self.flow = Some(flow);
        self.perform(effects);
        for desk in Desk::DEVICES {
            self.event(Event::Device(desk, DeviceState::Ready));
        }
    }

    pub fn screen(&self) -> &'static str {
        let flow = self.flow.as_ref().expect("a flow");
        flow.screen(self.at).body.name()
    }

    pub fn body(&self) -> crate::model::Body {
        self.flow.as_ref().expect("a flow").screen(self.at).body
    }

    pub fn set_fates(&mut self, fates: &[u8]) {
        self.fates = fates.iter().copied().collect();
    }

    pub fn event(&mut self, event: Event) {
        let flow = self.flow.take().expect("a flow");
        let (flow, effects) = flow.on(event, self.now());
        self.flow = Some(flow);
        self.perform(effects);
    }

    pub fn cmd(&mut self, cmd: Cmd) {
        self.event(Event::Cmd(cmd));
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for Effect { ticket, act } in effects {
            self.log.push(act.name());
            match act {
                Act::Remember(record) => {
                    if let Record::Outcome { advice, .. } = &record {
                        let key = (advice.number, word(&advice.event));
                        *self.outcomes_written.entry(key).or_default() += 1;
                    }
                    self.journal.push(record);
                }
                Act::Forget => self.journal.clear(),
                Act::Stop => self.pending.retain(|(t, _)| t.desk != ticket.desk),
                Act::WipeSession => {}
                act => self.pending.push((ticket, act)),
            }
        }
    }

    fn fate(&mut self) -> u8 {
        self.fates.pop_front().unwrap_or(0)
    }

    /// Answers the oldest pending request that is not a mere wait; else the wait.
    pub fn answer_one(&mut self) -> bool {
        let next = self.pending.iter().position(|(_, act)| !is_watch(act));
        let Some(next) = next.or((!self.pending.is_empty()).then_some(0)) else {
            return false;
        };
        let (ticket, act) = self.pending.remove(next);
        for answer in self.answers(act) {
            self.event(Event::Answered(ticket, answer));
        }
        true
    }

    pub fn deadline(&mut self) -> bool {
        let due = self.flow.as_ref().and_then(Flow::deadline);
        let Some(due) = due else { return false };
        self.at = self.at.max(due);
        self.event(Event::Deadline);
        true
    }

    /// Runs until the screen, answering everything.
    pub fn until(&mut self, screen: &str) {
        for _ in 0..2_000 {
            if self.screen() == screen {
                return;
            }
            if !self.answer_one() && !self.deadline() {
                break;
            }
        }
        let from = self.log.len().saturating_sub(40);
        let (at, last) = (self.screen(), &self.log[from..]);
        panic!("stuck at {at} on the way to {screen}: {last:?}");
    }

    fn answers(&mut self, act: Act) -> Vec<Answer> {
        let fate = self.fate();
        match act {
            Act::Wait(time) => {
                self.at += time;
                vec![Answer::Waited]
            }
            Act::Bank(call) => vec![self.bank(*call, fate)],
            Act::ReadCard(_) if fate == 1 => vec![
                Answer::CardPresent,
                Answer::CardProblem(CardProblem::Unreadable),
            ],
            Act::SealCard(_) if fate == 1 => vec![Answer::CardProblem(CardProblem::Removed)],
            Act::ReadCard(_) | Act::SealCard(_) => vec![
                Answer::CardPresent,
                Answer::CardRead {
                    card: sealed(),
                    proof: CardProof::Genuine,
                },
            ],
            Act::StartPin(_) if fate == 1 => vec![Answer::PinCancelled],
            Act::StartPin(_) => vec![Answer::PinDigits(6), Answer::PinDone(sealed())],
            Act::ReadDocument(_) | Act::SealDocument(_) => self.document(fate),
            Act::CaptureFinger(_) => {
                assert!(self.document_authentic, "S16: armed before authenticity");
                match fate {
                    1 => vec![Answer::FingerPresent, Answer::FingerPoor(FingerAdvice::Dry)],
                    2 => vec![Answer::Fault(Remedy::CallStaff)],
                    _ => vec![Answer::FingerPresent, Answer::FingerCaptured(sealed())],
                }
            }
            Act::WatchCard => vec![Answer::CardRemoved],
            Act::WatchDocument => vec![Answer::DocumentRemoved],
            Act::PrintReceipt { .. } if fate == 1 => vec![Answer::ReceiptFailed { nothing: true }],
            Act::PrintReceipt { .. } => vec![Answer::ReceiptPrinted],
            act => vec![self.printer(act, fate)],
        }
    }

    fn document(&mut self, fate: u8) -> Vec<Answer> {
        let wrong = match fate {
            1 => Answer::DocumentProblem(DocumentProblem::LiftAndReplace),
            2 => Answer::DocumentNotAuthentic,
            _ => {
                self.document_authentic = true;
                Answer::DocumentRead {
                    document: sealed(),
                    authenticity: Authenticity {
                        sam_id: "05.01-20200101-1-1".to_owned(),
                        status: vec![0x9F, 0x90, 0x90],
                        frame: Digest::of(b"frame"),
                        at: self.now().wall,
                        signature: hex(&[0; 64]),
                    },
                }
            }
        };
        vec![Answer::DocumentPresent, wrong]
    }

    fn printer(&mut self, act: Act, fate: u8) -> Answer {
        match (act, fate) {
            (Act::PrinterStatus, _) => {
                let paper = |there: bool| if there { Paper::Occupied } else { Paper::Empty };
                Answer::Printer(PrinterFacts {
                    transport: paper(self.transport.is_some()),
                    escrow: paper(!self.escrow.is_empty()),
                    output: paper(!self.output.is_empty()),
                    fault: false,
                })
            }
            (Act::Feed(_), fate) => self.feed(fate),
            (Act::ReadNumber, 1) => Answer::NumberUnreadable("unreadable".to_owned()),
            (Act::ReadNumber, 2) => Answer::Fault(Remedy::CallStaff),
            (Act::ReadNumber, _) => {
                self.read = self.transport;
                self.read
                    .map_or(Answer::Fault(Remedy::CallStaff), Answer::NumberRead)
            }
            (Act::Print { job, .. }, fate) => self.ink(&job, fate),
            (Act::Divert, 1) => Answer::Fault(Remedy::CallStaff),
            (Act::Divert, _) => {
                self.transport = None;
                Answer::Diverted
            }
            (Act::Present, 1) => Answer::Fault(Remedy::CallStaff),
            (Act::Present, _) => {
                self.output.append(&mut self.escrow);
                Answer::Presented
            }
            (Act::AwaitTaken(_), 1) => Answer::StillThere,
            (Act::AwaitTaken(_), 2) => Answer::Fault(Remedy::CallStaff),
            (Act::AwaitTaken(_), _) => {
                self.taken.extend(self.output.drain(..));
                Answer::Taken
            }
            (Act::Retract, _) => {
                self.output.clear();
                Answer::Retracted
            }
            (act, _) => panic!("nobody does {}", act.name()),
        }
    }

    fn feed(&mut self, fate: u8) -> Answer {
        let durable: Vec<_> = self.forms(FormState::Feeding);
        let [number] = durable[..] else {
            panic!("I5: feed with {durable:?} in Feeding");
        };
        assert!(self.transport.is_none(), "fed onto a sheet");
        let failed = |moved, empty| Answer::FeedFailed {
            moved,
            empty,
            reason: "mediaJammed".to_owned(),
        };
        match fate {
            1 => failed(false, false),
            2 => {
                self.transport = self.cassette.pop_front();
                failed(true, false)
            }
            3 => {
                // A double feed: the expected sheet lies under the one read.
                self.cassette.pop_front();
                self.transport = self.cassette.pop_front();
                Answer::Fed
            }
            4 => failed(false, true),
            _ => {
                assert!(self.fed.insert(number), "I2: {number} fired twice");
                self.transport = self.cassette.pop_front();
                Answer::Fed
            }
        }
    }

    fn ink(&mut self, job: &PrintJob, fate: u8) -> Answer {
        assert_eq!(self.read, Some(job.number), "S9: ink on another number");
        assert_eq!(self.transport, Some(job.number), "S9: ink on another sheet");
        match fate {
            1 => Answer::PrintFailed {
                ink: true,
                reason: "inkOut".to_owned(),
            },
            2 => Answer::PrintUnknown("fence lost".to_owned()),
            _ => {
                assert!(self.inked.insert(job.number), "inked twice");
                self.escrow.extend(self.transport.take());
                Answer::Printed("00".to_owned())
            }
        }
    }

    fn forms(&self, state: FormState) -> Vec<BillNumber> {
        let forms = self.sale.iter().flat_map(|sale| &sale.forms);
        forms
            .filter(|f| f.state == state)
            .map(|f| f.number)
            .collect()
    }

    fn bank(&mut self, call: BankCall, fate: u8) -> Answer {
        // 1: lost on the way there; 2: done, and the answer lost.
        if fate == 1 {
            return Answer::Offline;
        }
        let answer = match call {
            BankCall::Kiosk => Answer::Kiosk(Box::new(self.kiosk())),
            BankCall::OpenSale(open) => {
                self.document_authentic = false;
                self.sale = Some(opened(open.sale, open.mode));
                self.view()
            }
            BankCall::Advise(_, advices) => self.advise(&advices),
            call => self.sale_call(call, fate),
        };
        if fate == 2 { Answer::Offline } else { answer }
    }

    fn sale_call(&mut self, call: BankCall, fate: u8) -> Answer {
        let Some(mut sale) = self.sale.clone() else {
            return problem("not-found", None);
        };
        self.attempt = self.attempt.wrapping_add(1);
        let attempt = self.attempt;
        match (call, sale.state) {
            (BankCall::View(_), SaleState::AwaitConfirm) => {
                sale.state = match fate {
                    3 => SaleState::Denied,
                    4 => SaleState::Ordered,
                    _ => SaleState::Confirmed,
                };
            }
            (BankCall::View(_), _) => {}
            (BankCall::SubmitInfo(..), SaleState::Opened) => {
                sale.challenge = Challenge([attempt; 16]);
                if fate == 3 {
                    self.sale = Some(sale);
                    return problem("not-verified", Some(2));
                }
                sale.state = SaleState::InfoVerified;
                sale.unit = Some(unit());
            }
            (BankCall::SubmitIdentity(..), SaleState::InfoVerified) => {
                sale.challenge = Challenge([attempt; 16]);
                if fate == 3 {
                    self.sale = Some(sale);
                    return problem("not-verified", Some(1));
                }
                sale.state = SaleState::IdentityVerified;
                sale.agent = Some(AgentView {
                    name_masked: "张**".to_owned(),
                });
            }
            (BankCall::PlaceOrder(_, order), SaleState::IdentityVerified | SaleState::Ordered) => {
                if fate == 3 {
                    return problem("refused", None);
                }
                sale.state = SaleState::AwaitConfirm;
                sale.order = Some(self.order(order));
            }
            (BankCall::Link(..), SaleState::Confirmed) if fate == 3 => {
                sale.state = SaleState::Ordered;
                self.sale = Some(sale);
                return problem("range-moved", None);
            }
            (BankCall::Link(..), SaleState::Confirmed) => self.link(&mut sale),
            (BankCall::Link(..), SaleState::Linked) => {}
            (BankCall::Cancel(..), state) if !state.is_over() && sale.linked.is_none() => {
                sale.state = SaleState::Cancelled;
            }
            (BankCall::Abandon(..), SaleState::Linked | SaleState::Dispensing) => {
                for form in &mut sale.forms {
                    if form.state == FormState::Assigned {
                        form.state = FormState::Released;
                    }
                }
                let settled = sale.forms.iter().all(|f| f.state.is_settled());
                sale.state = if settled {
                    SaleState::Closed
                } else {
                    SaleState::Suspended
                };
                sale.receipt = settled.then(|| receipt(&sale));
            }
            (BankCall::CloseSale(..), SaleState::Linked | SaleState::Dispensing)
                if sale.forms.iter().all(|f| f.state.is_settled()) =>
            {
                sale.state = SaleState::Closed;
                sale.receipt = Some(receipt(&sale));
            }
            (BankCall::CloseSale(..), SaleState::Closed) => {}
            (BankCall::Abandon(..), SaleState::Closed | SaleState::Suspended) => {}
            _ => return problem("out-of-order", None),
        }
        self.size += 1;
        self.sale = Some(sale);
        self.view()
    }

    fn view(&self) -> Answer {
        Answer::Sale(Box::new(self.sale.clone().expect("a sale")))
    }

    fn advise(&mut self, advices: &FormAdvices) -> Answer {
        let mut sale = self.sale.clone().expect("a sale");
        let mut supplements = Vec::new();
        for advice in &advices.advices {
            if advice.event != FormEvent::Feeding {
                let key = (advice.number, word(&advice.event));
                let written = self.outcomes_written.contains_key(&key);
                assert!(written, "I6: {key:?} sent before it was written down");
            }
            let at = sale.forms.iter().position(|f| f.number == advice.number);
            let at = at.expect("a form of the sale");
            let Some(state) = after(sale.forms[at].state, &advice.event) else {
                panic!("{:?} in {:?}", advice.event, sale.forms[at].state);
            };
            if state == FormState::Spoiled && sale.forms[at].state != FormState::Spoiled {
                supplements.extend(self.assign(&mut sale, 1));
            }
            sale.forms[at].state = state;
        }
        sale.state = SaleState::Dispensing;
        let jobs = &mut sale.linked.as_mut().expect("linked").jobs;
        jobs.extend(supplements.iter().cloned());
        self.sale = Some(sale.clone());
        Answer::Forms(FormsAnswer {
            accepted: advices.advices.len().try_into().expect("few"),
            supplements,
            forms: sale.forms,
        })
    }

    /// The next numbers the books have for this sale: in order, none twice.
    fn assign(&self, sale: &mut SaleView, count: u32) -> Vec<PrintJob> {
        let first: BillNumber = FIRST.parse().expect("a number");
        let used = u32::try_from(sale.forms.len()).expect("few");
        let text = sale.order.clone().expect("ordered").text;
        (used..used + count)
            .map(|i| {
                let number = BillNumber {
                    prefix: first.prefix,
                    serial: first.serial.forward(i).expect("few"),
                };
                sale.forms.push(FormView {
                    number,
                    state: FormState::Assigned,
                });
                PrintJob {
                    number,
                    slot: "slot-1".parse().expect("an id"),
                    template: "transfer-cheque".to_owned(),
                    fields: BTreeMap::new(),
                    approved: text.digest(),
                    supplement_of: None,
                }
            })
            .collect()
    }

    fn order(&self, order: Order) -> OrderView {
        let text = ConfirmText {
            account_name: UNIT.to_owned(),
            account: "6222000000000001".to_owned(),
            bank_name: "样例银行".to_owned(),
            bank_number: "313000000000".to_owned(),
            agent_masked: "张**".to_owned(),
            ranges: Vec::new(),
            count: order.items.iter().map(|i| i.quantity).sum(),
            fee: Fen(60),
        };
        OrderView {
            digest: text.digest(),
            items: order.items,
            text,
            code: "000000".to_owned(),
            deadline: None,
            seen: false,
            question: None,
        }
    }

    fn link(&self, sale: &mut SaleView) {
        let order = sale.order.clone().expect("ordered");
        let jobs = self.assign(sale, order.text.count);
        sale.state = SaleState::Linked;
        sale.linked = Some(LinkedResult {
            requisition: "L0001".to_owned(),
            ranges: Vec::new(),
            fee: order.text.fee,
            jobs,
            digest: order.digest,
            approved: order.text,
        });
    }

    fn kiosk(&self) -> KioskView {
        let open = self.sale.clone().filter(|sale| !sale.state.is_over());
        KioskView {
            kiosk: "kiosk-1".parse().expect("an id"),
            branch: "branch-1".parse().expect("an id"),
            branch_name: "样例支行".to_owned(),
            modes: vec![PurchaseMode::SettlementCard],
            seal_key: hex(&OpenKey::derive(&[9; 32]).1.0),
            open_sale: open,
            slots: vec![SlotView {
                slot: "slot-1".parse().expect("an id"),
                kind: BillKind::TransferCheque,
                count: 60,
                locked: false,
            }],
            sequence: 0,
            checkpoint: Checkpoint {
                size: self.size,
                root: Digest::of(b"root"),
                note: String::new(),
            },
        }
    }
}
