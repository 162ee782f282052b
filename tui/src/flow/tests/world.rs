//! A backend and a form printer in a few hundred lines, strict about order.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "a test model of small numbers"
)]

mod bank;
mod printer;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use counterfoil_data::bill::{BillKind, BillNumber, BillRange};
use counterfoil_data::money::Fen;
use counterfoil_data::sealed::{Challenge, OpenKey, SealKey};
use counterfoil_data::wire::confirm::ConfirmText;
use counterfoil_data::wire::forms::{FormAdvices, FormEvent, FormState, FormsAnswer};
use counterfoil_data::wire::problem::Remedy;
use counterfoil_data::wire::sale::{
    AgentView, Authenticity, CardProof, Checkpoint, FingerPosition, FormView, KioskView,
    LinkedResult, Order, OrderView, PrintJob, PurchaseMode, SaleState, SaleView, SlotView, Witness,
};
use counterfoil_data::wire::sheet::{SheetAnswer, SheetOutcome, SheetState, SheetView, TakeSheet};
use counterfoil_data::wire::{Digest, hex};

use super::wire::{
    after, frozen, is_watch, opened, problem, receipt, sealed, second_finger, typed, unit, word,
};
use crate::cmd::Cmd;
use crate::flow::effect::{Act, BankCall, Desk, Effect, Field, Record, Sealing, Ticket};
use crate::flow::event::{Answer, DeviceState, Event, Now, Paper, PrinterFacts};
use crate::flow::{Flow, Settings};
use crate::model::{CardProblem, DocumentProblem, FingerAdvice, InsertProblem};

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
    /// What the backend makes of what the kiosk saw.
    pub witness: Witness,
    pending: Vec<(Ticket, Act)>,
    fates: Fates,
    attempt: u8,
    pub size: u64,
    document_authentic: bool,
    /// More forms than this in one order need another finger (S13).
    pub large_above: Option<u32>,
    /// An order was refused for want of it.
    finger_wanted: bool,
    /// It was put, and matched.
    finger_proven: bool,
    /// Others that were put and did not.
    finger_misses: u32,
    /// The challenge the last print was sealed under.
    print_under: Option<Challenge>,
    /// The account is under the sheet arrangement (L7).
    pub sheet: bool,
    /// The key the sheet was given out under.
    sheet_key: Option<SealKey>,
    /// Sheets that came out, whole or not.
    pub sheets: u32,
    /// The last one came out whole.
    sheet_whole: bool,
    /// Modes the bank offers.
    pub modes: Vec<PurchaseMode>,
    /// The keyboard's field holds digits.
    pub typed: Option<Field>,
    pub cassette: VecDeque<BillNumber>,
    pub transport: Option<BillNumber>,
    /// A person feeds the printer, and reads it.
    pub by_hand: bool,
    read: Option<BillNumber>,
    pub escrow: Vec<BillNumber>,
    pub output: Vec<BillNumber>,
    fed: BTreeSet<BillNumber>,
    pub inked: BTreeSet<BillNumber>,
    pub taken: BTreeSet<BillNumber>,
    outcomes_written: BTreeMap<(BillNumber, &'static str), u32>,
    /// Advices the bank has, by number and event.
    heard: BTreeSet<(BillNumber, &'static str)>,
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
            witness: Witness::Agrees,
            pending: Vec::new(),
            fates,
            attempt: 0,
            size: 1,
            document_authentic: false,
            large_above: None,
            finger_wanted: false,
            finger_proven: false,
            finger_misses: 0,
            print_under: None,
            sheet: false,
            sheet_key: None,
            sheets: 0,
            sheet_whole: false,
            modes: vec![PurchaseMode::SettlementCard],
            typed: None,
            cassette: first.numbers().collect(),
            transport: None,
            by_hand: false,
            read: None,
            escrow: Vec::new(),
            output: Vec::new(),
            fed: BTreeSet::new(),
            inked: BTreeSet::new(),
            taken: BTreeSet::new(),
            outcomes_written: BTreeMap::new(),
            heard: BTreeSet::new(),
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
        self.typed = None;
        let (flow, effects) = Flow::start(Settings::default(), self.journal.clone(), self.now());
        self.flow = Some(flow);
        self.perform(effects);
        for desk in Desk::DEVICES {
            self.event(Event::Device(desk, DeviceState::Ready));
        }
    }

    /// Whether the journal holds more than what was seen of the log.
    pub fn owes(&self) -> bool {
        let lasting = |record: &Record| matches!(record, Record::Seen { .. });
        !self.journal.iter().all(lasting)
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
        // I10: what was typed outlives the first gate nowhere.
        let gate = ["EnterAccount", "EnterPassword", "CheckingInfo"];
        let held = self.typed.is_some() && !gate.contains(&self.screen());
        assert!(!held, "digits are still held at {}", self.screen());
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
                Act::Forget(seen) => {
                    let seen = seen.map(|tree| Record::Seen { tree });
                    self.journal = seen.into_iter().collect();
                }
                Act::Stop if ticket.desk == Desk::Keyboard => self.typed = None,
                Act::Stop => self.pending.retain(|(t, _)| t.desk != ticket.desk),
                Act::WipeSession => self.typed = None,
                act => {
                    if let Act::TypeInto(field, _) = act {
                        self.typed = Some(field);
                    }
                    let field = ticket.desk == Desk::Keyboard;
                    if field || Desk::DEVICES.contains(&ticket.desk) {
                        self.pending.retain(|(t, _)| t.desk != ticket.desk);
                    }
                    self.pending.push((ticket, act));
                }
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

    /// A desk says something about its request, and goes on with it.
    pub fn hint(&mut self, desk: Desk, answer: Answer) {
        let asked = self.pending.iter().find(|(ticket, _)| ticket.desk == desk);
        let ticket = asked.expect("a request").0;
        self.event(Event::Answered(ticket, answer));
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
        // A look at the printer always succeeds, and takes no fate.
        let look = matches!(act, Act::PrinterStatus);
        let fate = if look { 0 } else { self.fate() };
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
            Act::TypeInto(..) if fate == 2 => vec![Answer::Fault(Remedy::CallStaff)],
            Act::TypeInto(field, _) => typed(field, fate == 1),
            Act::StartPin(_) if fate == 1 => vec![Answer::PinCancelled],
            Act::StartPin(_) => vec![Answer::PinDigits(6), Answer::PinDone(sealed())],
            Act::ReadDocument(_) | Act::SealDocument(_) => self.document(fate),
            Act::CaptureFinger(sealing) => self.finger(sealing, fate),
            Act::WatchCard => vec![Answer::CardRemoved],
            Act::WatchDocument => vec![Answer::DocumentRemoved],
            Act::OfferSheetKey if fate == 1 => vec![Answer::ReceiptFailed { nothing: true }],
            Act::OfferSheetKey => {
                let key = u8::try_from(self.log.len() % 250).expect("small");
                vec![Answer::SheetKey(SealKey([key; 32]))]
            }
            Act::PrintSheet { .. } => {
                self.sheets += 1;
                assert_eq!(self.sheets, 1, "L7: a sheet was printed twice");
                self.sheet_whole = !matches!(fate, 1 | 2);
                match fate {
                    1 => vec![Answer::ReceiptFailed { nothing: false }],
                    2 => vec![Answer::ReceiptInReach, Answer::ReceiptDrawnBack],
                    3 => vec![Answer::ReceiptInReach, Answer::ReceiptPrinted],
                    _ => vec![Answer::ReceiptPrinted],
                }
            }
            Act::PrintReceipt { .. } if fate == 1 => vec![Answer::ReceiptFailed { nothing: true }],
            Act::PrintReceipt { .. } if fate == 2 => {
                vec![Answer::ReceiptInReach, Answer::ReceiptDrawnBack]
            }
            Act::PrintReceipt { .. } => vec![Answer::ReceiptPrinted],
            act => vec![self.printer(act, fate)],
        }
    }

    /// The sensor is armed with a proof in hand, and under the attempt that is now.
    fn finger(&mut self, sealing: Sealing, fate: u8) -> Vec<Answer> {
        let sale = self.sale.as_ref().expect("armed in a sale");
        match sale.state {
            SaleState::InfoVerified => {
                assert!(self.document_authentic, "S16: armed before authenticity");
            }
            SaleState::IdentityVerified | SaleState::Ordered => {
                assert!(sale.agent.is_some(), "S16: armed before message 2");
                assert!(self.finger_wanted, "S13: armed, and nobody asked for it");
            }
            state => panic!("S16: armed in {state:?}"),
        }
        assert_eq!(sealing.binding.challenge, sale.challenge, "an old attempt");
        self.print_under = Some(sale.challenge);
        match fate {
            1 => vec![Answer::FingerPresent, Answer::FingerPoor(FingerAdvice::Dry)],
            2 => vec![Answer::Fault(Remedy::CallStaff)],
            _ => vec![Answer::FingerPresent, Answer::FingerCaptured(sealed())],
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
}
