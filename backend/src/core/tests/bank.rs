//! A small bank for tests: one branch, one kiosk with two slots, one unit.

mod acts;
mod enrolment;

use counterfoil_data::bill::{BillNumber, BillRange};
use counterfoil_data::ids::SaleId;
use counterfoil_data::leaf::Leaf;
use counterfoil_data::sealed::{Binding, Challenge};
use counterfoil_data::wire::Digest;
use counterfoil_data::wire::forms::{FormAdvice, FormEvent};
use counterfoil_data::wire::hex;
use counterfoil_data::wire::sale::{Authenticity, PurchaseMode, SaleState, SaleView};
use ed25519_dalek::{Signer as _, SigningKey};
use jiff::Timestamp;

use crate::core::command::{
    Actor, Answer, Command, CommandBody, Found, Outcome, PasswordLine, Subject,
};
use crate::core::key::{self, Table};
use crate::core::query;
use crate::core::record::bank::{CardTrust, KeyedHash};
use crate::core::refusal::Refusal;
use crate::store::{Read, Store};
use crate::writer::{LogKey, Writer};
pub use acts::*;
pub use enrolment::{UNIT_CODE, account, agent, enrolment, finger, policy, staff};

pub const CARD: KeyedHash = KeyedHash([1; 32]);
pub const ACCOUNT: KeyedHash = KeyedHash([2; 32]);
pub const PERSON: KeyedHash = KeyedHash([3; 32]);
pub const NAME: KeyedHash = KeyedHash([4; 32]);
pub const STRANGER: KeyedHash = KeyedHash([9; 32]);
pub const ACCOUNT_NUMBER: &str = "3130000000000000001";
pub const FIRST: &str = "3130002100010001";
pub const FIRST_OTHER: &str = "3130002100010201";
pub const FIRST_CASH: &str = "3130001100050001";
pub const THRESHOLD: u32 = 4_000;

pub fn id<T: std::str::FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().expect("an id")
}

pub fn number(offset: u32) -> BillNumber {
    let first: BillNumber = id(FIRST);
    BillNumber {
        prefix: first.prefix,
        serial: first.serial.forward(offset).expect("in range"),
    }
}

pub fn range(first: &str, count: u32) -> BillRange {
    BillRange::from_count(id(first), count).expect("a range")
}

pub fn kiosk() -> Actor {
    Actor::Kiosk(id("kiosk-1"))
}

pub fn other_kiosk() -> Actor {
    Actor::Kiosk(id("kiosk-2"))
}

pub fn officer() -> Actor {
    Actor::Station(id("station-1"), id("officer-1"))
}

pub fn custodian() -> Actor {
    Actor::Staff(id("custodian-a"))
}

pub fn kiosk_key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

/// A writer, a clock, a counter of salts, the kiosk that stands here, and what was said.
pub struct Desk<S: Store> {
    pub writer: Writer<S>,
    pub at: Timestamp,
    pub salt: u64,
    pub here: Actor,
    /// Every command given so far, and its answer.
    pub given: Vec<(Command, Answer)>,
}

/// Key and origin of the evidence log of these books.
pub fn log_key() -> LogKey {
    LogKey {
        origin: "counterfoil-test".to_owned(),
        key: SigningKey::from_bytes(&[8; 32]),
    }
}

impl<S: Store> Desk<S> {
    /// The bank is open: noon of 22 November 2026, 200 transfer and 100 cash
    /// cheques in the kiosk.
    pub fn open(store: S) -> Self {
        Self::stocked(store, enrolment())
    }

    /// The same with another enrolment.
    pub fn stocked(store: S, enrolment: Vec<CommandBody>) -> Self {
        let mut desk = Self::empty(store);
        for body in enrolment {
            desk.must(Actor::System, body);
        }
        for (slot, range) in [
            ("slot-1", range(FIRST, 200)),
            ("slot-2", range(FIRST_CASH, 100)),
        ] {
            desk.must(custodian(), receive(range));
            desk.must(custodian(), load(slot, range));
        }
        desk
    }

    /// The same, and the account is under the sheet arrangement (支付密码单, L7).
    pub fn with_sheet(store: S) -> Self {
        let mut bodies = enrolment();
        for body in &mut bodies {
            if let CommandBody::EnrolAccount { account, .. } = body {
                account.sheet = true;
            }
        }
        Self::stocked(store, bodies)
    }

    pub fn empty(store: S) -> Self {
        Self {
            writer: Writer::open(store, log_key()).expect("opens"),
            at: id("2026-11-22T04:00:00Z"),
            salt: 0,
            here: kiosk(),
            given: Vec::new(),
        }
    }

    /// Goes to the other kiosk.
    pub fn turn(&mut self) {
        self.here = if self.here == kiosk() {
            other_kiosk()
        } else {
            kiosk()
        };
    }

    /// Fills the transfer slot of the second kiosk with the 100 numbers after the first's.
    pub fn fill_other(&mut self) {
        let range = range(FIRST_OTHER, 100);
        self.must(custodian(), receive(range));
        let load = CommandBody::LoadCassette {
            second: id("custodian-b"),
            kiosk: id("kiosk-2"),
            slot: id("slot-1"),
            range,
        };
        self.must(custodian(), load);
    }

    pub fn command(&mut self, actor: Actor, body: CommandBody) -> Command {
        self.salt += 1;
        let mut salt = [0; 32];
        salt[..8].copy_from_slice(&self.salt.to_be_bytes());
        Command {
            at: self.at,
            salt,
            actor,
            sequence: None,
            key: None,
            signed: None,
            body,
        }
    }

    pub fn answer(&mut self, command: Command) -> Answer {
        let group = vec![command.clone()];
        let answers = self.writer.step(group).expect("the store works");
        let answer = answers.into_iter().next().expect("one answer");
        self.given.push((command, answer.clone()));
        answer
    }

    pub fn give(&mut self, actor: Actor, body: CommandBody) -> Result<Outcome, Refusal> {
        let mut command = self.command(actor, body);
        if is_keyed(&command.body) {
            command.key = Some(acts::key(&format!("key-{}", self.salt)));
        }
        self.answer(command).result
    }

    pub fn must(&mut self, actor: Actor, body: CommandBody) -> Outcome {
        self.give(actor, body).expect("is done")
    }

    pub fn later(&mut self, seconds: i64) {
        self.at += jiff::SignedDuration::from_secs(seconds);
    }

    pub fn read(&self) -> Box<dyn Read> {
        self.writer.store().snapshot().expect("reads")
    }

    pub fn view(&self, sale: SaleId) -> SaleView {
        let view = query::sale_view(&*self.read(), sale, self.at).expect("reads");
        view.expect("a sale")
    }

    pub fn state(&self, sale: SaleId) -> SaleState {
        self.view(sale).state
    }

    pub fn digest(&self, sale: SaleId) -> Digest {
        self.view(sale).order.expect("ordered").digest
    }

    /// A leaf of the evidence log.
    pub fn leaf(&self, index: u64) -> Leaf {
        let bytes = self.read().read(&key::numbered(Table::Leaf, index));
        Leaf::decode(&bytes.expect("reads").expect("a leaf")).expect("a leaf")
    }

    /// An attempt at the first gate.
    pub fn info_of(&self, sale: SaleId, subject: Subject, trust: Option<CardTrust>) -> CommandBody {
        CommandBody::CountInfoAttempt {
            sale,
            challenge: self.view(sale).challenge,
            subject,
            trust,
        }
    }

    /// The first gate, with this result of the PIN check.
    pub fn try_info(&mut self, sale: SaleId, subject: Subject, verified: bool) -> Outcome {
        let body = self.info_of(sale, subject, Some(CardTrust::Dynamic));
        let counted = self.must(self.here.clone(), body);
        let Outcome::InfoCheck(check) = counted else {
            return counted;
        };
        let attempt = check.attempt;
        let body = CommandBody::SettleInfo {
            sale,
            attempt,
            verified,
        };
        self.must(Actor::System, body)
    }

    pub fn authenticity(&self, sale: SaleId, challenge: Challenge) -> Authenticity {
        self.assertion(sale, challenge, vec![0x9f, 0x90, 0x90])
    }

    /// What this kiosk signs about a document's check.
    pub fn assertion(&self, sale: SaleId, challenge: Challenge, status: Vec<u8>) -> Authenticity {
        let mut claim = Authenticity {
            sam_id: "05.01-20200101-0000000001".to_owned(),
            status,
            frame: Digest::of(b"frame"),
            at: self.at,
            signature: String::new(),
        };
        let statement = claim.statement(Binding { sale, challenge });
        claim.signature = hex(&kiosk_key().sign(&statement).to_bytes());
        claim
    }

    /// The identity attempt of this person.
    pub fn identity_of(&self, sale: SaleId, identity: KeyedHash) -> CommandBody {
        let challenge = self.view(sale).challenge;
        CommandBody::CountIdentityAttempt {
            sale,
            challenge,
            identity,
            name: NAME,
            valid_to: Some(jiff::civil::date(2040, 1, 1)),
            authenticity: self.authenticity(sale, challenge),
        }
    }

    /// The second gate, with this score.
    pub fn try_identity(&mut self, sale: SaleId, score_milli: u32) -> Outcome {
        let body = self.identity_of(sale, PERSON);
        let Outcome::IdentityCheck(check) = self.must(self.here.clone(), body) else {
            return Outcome::Sale(self.state(sale));
        };
        let body = CommandBody::SettleIdentity {
            sale,
            attempt: check.attempt,
            found: Found::scored(score_milli, "test 1"),
        };
        self.must(Actor::System, body)
    }

    pub fn opened(&mut self, sale: u128) -> SaleId {
        let sale = SaleId(sale);
        let mode = PurchaseMode::SettlementCard;
        self.must(self.here.clone(), CommandBody::OpenSale { sale, mode });
        sale
    }

    pub fn identified(&mut self, sale: u128) -> SaleId {
        let sale = self.opened(sale);
        self.try_info(sale, Subject::Card(CARD), true);
        self.try_identity(sale, THRESHOLD);
        assert_eq!(self.state(sale), SaleState::IdentityVerified);
        sale
    }

    pub fn ordered(&mut self, sale: u128, quantity: u32) -> SaleId {
        let sale = self.identified(sale);
        let items = vec![transfer(quantity)];
        self.must(self.here.clone(), CommandBody::PlaceOrder { sale, items });
        sale
    }

    /// The officer opens what is shown now; gives its digest (S20).
    pub fn seen(&mut self, sale: SaleId) -> Digest {
        let shown = self.digest(sale);
        let digest = Some(shown);
        self.must(officer(), CommandBody::MarkSeen { sale, digest });
        shown
    }

    pub fn confirmed(&mut self, sale: u128, quantity: u32) -> SaleId {
        let sale = self.ordered(sale, quantity);
        let digest = self.seen(sale);
        self.must(officer(), CommandBody::Confirm { sale, digest });
        sale
    }

    pub fn linked(&mut self, sale: u128, quantity: u32) -> SaleId {
        let sale = self.confirmed(sale, quantity);
        let passwords = self.drawn(sale, 0);
        let body = CommandBody::Link { sale, passwords };
        self.must(self.here.clone(), body);
        assert_eq!(self.state(sale), SaleState::Linked);
        sale
    }

    pub fn advise(
        &mut self,
        sale: SaleId,
        advices: Vec<(BillNumber, FormEvent)>,
    ) -> Result<Outcome, Refusal> {
        let advices = advices
            .into_iter()
            .map(|(number, event)| FormAdvice { number, event })
            .collect();
        let body = self.advice(sale, advices);
        self.give(self.here.clone(), body)
    }

    /// Advices, with what the service draws for the forms that may stand in.
    pub fn advice(&self, sale: SaleId, advices: Vec<FormAdvice>) -> CommandBody {
        let failed = |a: &&FormAdvice| matches!(a.event, FormEvent::Failed { .. });
        let failed = advices.iter().filter(failed).count();
        let passwords = self.drawn(sale, failed);
        CommandBody::AdviseForms {
            sale,
            advices,
            passwords,
        }
    }

    /// What the service draws for a command about this sale (L7).
    pub fn drawn(&self, sale: SaleId, failed: usize) -> Vec<PasswordLine> {
        let numbers = query::numbers_to_draw(&*self.read(), sale, failed);
        let line = |number: BillNumber| PasswordLine {
            number,
            check: KeyedHash([number.serial.value().to_be_bytes()[3]; 32]),
            envelope: vec![9; 58],
        };
        numbers.expect("reads").into_iter().map(line).collect()
    }

    /// Feeds, prints, presents and hands over these forms of the transfer slot.
    pub fn hand_over(&mut self, sale: SaleId, offsets: std::ops::Range<u32>) {
        for offset in offsets {
            let n = number(offset);
            let events = [
                FormEvent::Feeding,
                printed(),
                FormEvent::Presented,
                FormEvent::Taken,
            ];
            let advices = events.into_iter().map(|e| (n, e)).collect();
            self.advise(sale, advices).expect("is accepted");
        }
    }

    /// All books are in order (I1-I6, I8).
    pub fn audit(&self) {
        crate::core::audit::audit(&*self.read()).expect("the books are in order");
    }
}
