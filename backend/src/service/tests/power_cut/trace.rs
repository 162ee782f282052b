//! What is done while the power may go: a bank is enrolled, and sells.
//!
//! The whole of it over HTTP, but for prints replaced from the command line; meanwhile an
//! old state is held by a savepoint and another is copied, page by page, into other books.

use std::rc::Rc;

use counterfoil_data::demo::{self, DemoBank};
use counterfoil_data::ids::{KioskId, SlotId, StaffId};
use counterfoil_data::wire::custody::{Act, Approve, ProposalView, Propose};
use counterfoil_data::wire::forms::{FormAdvice, FormEvent};
use counterfoil_data::wire::sale::{FingerPosition, PurchaseMode, SaleView};
use counterfoil_finger::synth::{Contact, Finger};

use super::super::super::Limits;
use super::super::bed::{Bed, Books, House, START, enrolment, quietly, writer};
use super::super::client::{Ask, path};
use super::CACHE_BYTES;
use super::books::{Print, Recorded, State, first};
use super::disk::{Disk, Op};
use super::front::{Below, Front, HERE, Mark, Told, forms, keyed};
use crate::core::audit::audit;
use crate::core::command::{Actor, Command, CommandBody, Prints};
use crate::keys::Keys;
use crate::store::redb::RedbStore;
use crate::store::{Changes, From, Read, Snapshots as _, Store as _};
use crate::workers::print::{FingerImages, enrol};

/// The kiosk beside it.
const THERE: &str = "kiosk-2";
/// The account whose payment password is guessed at, and how often wrongly.
pub const GUESSED: &str = "gongying-account";
/// Rows copied with each request.
const PAGE_ROWS: usize = 6;

/// A house that does not log.
pub fn limits() -> Limits {
    Limits {
        date_header: false,
        ..Limits::default()
    }
}

/// What was done to a disk, to the books on it, and told to clients.
pub struct Run {
    /// What the disk held before.
    pub base: Vec<u8>,
    pub ops: Vec<Op>,
    pub states: Vec<State>,
    pub told: Vec<Told>,
    pub marks: Vec<Mark>,
}

impl Run {
    /// The states that may be found after a cut: the last one said to be durable, and the
    /// one whose commit was under way.
    pub fn may_be(&self, cut: usize) -> (usize, usize) {
        let done = |state: &State| state.done.is_some_and(|done| done <= cut);
        let last = self.states.iter().rposition(done).unwrap_or(0);
        let next = self.states.get(last + 1);
        let begun = next.is_some_and(|next| next.begun < cut);
        (last, last + usize::from(begun))
    }

    /// What clients were told before a cut.
    pub fn told_before(&self, cut: usize) -> impl DoubleEndedIterator<Item = &Told> {
        self.told.iter().filter(move |told| told.heard <= cut)
    }

    /// Changes of the file's length after the bank was enrolled.
    pub fn grown(&self) -> usize {
        let from = self.told.first().map_or(0, |told| told.sent);
        let is_resize = |op: &&Op| matches!(op, Op::Resize(_));
        self.ops[from..].iter().filter(is_resize).count()
    }
}

/// An online backup: an old state, copied while sales go on.
pub struct Copying {
    from: Box<dyn Read>,
    to: RedbStore,
    epoch: u64,
    low: Option<Vec<u8>>,
    pub pages: usize,
}

impl Copying {
    fn begin(from: Box<dyn Read>) -> Self {
        let mut to = RedbStore::memory().expect("opens");
        let epoch = to.seize().expect("seizes");
        let low = Some(first());
        Self {
            from,
            to,
            epoch,
            low,
            pages: 0,
        }
    }

    /// Copies one page; whether there is more.
    pub fn page(&mut self) -> bool {
        let Some(low) = self.low.take() else {
            return false;
        };
        let rows = self.from.range(&low, &[u8::MAX], From::First, PAGE_ROWS);
        let rows = rows.expect("reads");
        self.low = rows.last().map(|(key, _)| [key.as_slice(), &[0]].concat());
        let changes: Changes = rows.into_iter().map(|(k, v)| (k, Some(v))).collect();
        self.to.flush(self.epoch, &changes).expect("writes");
        self.pages += 1;
        self.low.is_some()
    }

    /// Copies the rest; the copy is the state that was begun with, and in order.
    fn end(mut self) {
        assert!(self.pages > 20, "{} pages while selling", self.pages);
        while self.page() {}
        let copy = self.to.snapshot().expect("reads");
        let same = Print::of(&*copy).expect("reads") == Print::of(&*self.from).expect("reads");
        assert!(same, "the backup is another state");
        audit(&*copy).expect("the backup is in order");
    }
}

/// The whole of it, over `disk`; `below` and `above` may break the store below and above
/// the record of its states.
pub fn run<T: Books, S: Books>(
    disk: &Disk,
    below: impl FnOnce(RedbStore) -> T,
    above: impl FnOnce(Recorded<T>) -> S,
) -> Run {
    let db = RedbStore::disk(|| Ok(disk.clone()), CACHE_BYTES).expect("opens");
    let recorded = Recorded::new(below(db.clone()), disk).expect("reads");
    let states = Rc::clone(&recorded.states);
    let store = above(recorded);
    let (told, marks) = quietly(async {
        let mut writer = writer(&store).expect("a writer");
        let house = House::at(START.parse().expect("a time"), 7, limits());
        let bank = demo::bank().expect("the demo bank");
        let enrolled = writer.enrol(&small(&bank)).expect("writes");
        enrolled.expect("enrols");
        let bed = Bed::over(store, writer, house, |ports| ports);
        let below = Below {
            disk: disk.clone(),
            states: Rc::clone(&states),
        };
        let front = Front::new(bed, below, 0, 0);
        sell(&front, &db).await;
        (front.told.take(), front.marks.take())
    });
    let states = states.borrow().clone();
    Run {
        base: Vec::new(),
        ops: disk.ops(),
        states,
        told,
        marks,
    }
}

/// The bank's enrolment, without the prints of agents who never come: half of the file,
/// and it would not grow any more.
pub fn small(bank: &DemoBank) -> Vec<Command> {
    let comes = |command: &&Command| match &command.body {
        CommandBody::EnrolPrints { prints, .. } => {
            ["agent-zhang", "agent-li"].contains(&prints.agent.as_str())
        }
        _ => true,
    };
    enrolment(bank).iter().filter(comes).cloned().collect()
}

async fn sell<S: Books>(front: &Front<S>, db: &RedbStore) {
    front.mark(HERE).await;
    let first = by_card(front, db).await;
    assert!(first.receipt.is_some());
    guesses(front).await;
    together(front).await;
    custody(front).await;
    let prints = prints(&front.bed);
    for reason in ["worn", "worn again", "another finger"] {
        let body = CommandBody::EnrolPrints {
            second: Some("teller-1".parse().expect("an id")),
            prints: prints.clone(),
            reason: reason.to_owned(),
        };
        let supervisor: StaffId = "supervisor-1".parse().expect("an id");
        let (service, actor) = (&front.bed.service, Actor::Staff(supervisor));
        let given = service.make(service.fresh(actor, body)).await;
        given.map(drop).expect("is done");
        front.mark(HERE).await;
    }
    let copying = front.copying.take().expect("begun");
    copying.end();
    let second = front.open(HERE, 6, PurchaseMode::SettlementCard).await;
    let second = second.map_err(|heard| heard.status).expect("opens");
    assert!(front.step(HERE, keyed(&second, "cancel")).await.is_ok());
}

/// A sale by card: a wrong PIN, a form spoiled and its supplement, the receipt.
async fn by_card<S: Books>(front: &Front<S>, db: &RedbStore) -> SaleView {
    let opened = front.open(HERE, 1, PurchaseMode::SettlementCard).await;
    let opened = opened.map_err(|heard| heard.status).expect("opens");
    let wrong = front.info(&opened, "wrong-pin").await;
    assert_eq!(wrong.map_err(|heard| heard.status), Err(422));
    let mut view = front.view(opened.sale).await.ok().expect("a sale");
    front.copying.replace(Some(Copying::begin(
        front.bed.store.snapshot().expect("reads"),
    )));
    let mut held = None;
    while !view.state.is_over() {
        let linked = view.linked.is_some();
        view = match held {
            None if linked => {
                held = Some(db.savepoint());
                spoil(front, &view).await
            }
            _ => {
                let next = front.onward(&view).await;
                next.map_err(|heard| String::from_utf8_lossy(&heard.body).into_owned())
                    .expect("goes on")
            }
        };
    }
    view
}

/// The first form is fed and jams; the next one of the cassette stands in.
async fn spoil<S: Books>(front: &Front<S>, view: &SaleView) -> SaleView {
    let number = view.forms[0].number;
    let reason = "mediaJammed".to_owned();
    let events = [FormEvent::Feeding, FormEvent::Failed { ink: false, reason }];
    let advices = events.map(|event| FormAdvice { number, event });
    let heard = front.ask(HERE, forms(view, advices.to_vec())).await;
    assert_eq!(heard.status, 200);
    front.mark(HERE).await;
    front.view(view.sale).await.ok().expect("a sale")
}

/// Guesses at a payment password, which stay counted though the sale is cancelled; then
/// one by the right password of another, cancelled as well.
async fn guesses<S: Books>(front: &Front<S>) {
    for (sale, account, passwords) in [
        (2, GUESSED, &["wrong-password", "wrong-password"][..]),
        (3, "jixie-account", &["jixie-password"]),
    ] {
        let opened = front.open(HERE, sale, PurchaseMode::PaymentPassword).await;
        let mut view = opened.map_err(|heard| heard.status).expect("opens");
        for password in passwords {
            let key = Keys::demo().seal;
            let info = front.bed.account_info(&view, &key, account, password);
            let heard = front
                .ask(HERE, Ask::post(&path(&view, "info"), &info))
                .await;
            let wrong = password.starts_with("wrong");
            assert_eq!(heard.status, if wrong { 422 } else { 200 });
            front.mark(HERE).await;
            view = front.view(view.sale).await.ok().expect("a sale");
        }
        let cancelled = front.step(HERE, keyed(&view, "cancel")).await;
        assert!(cancelled.is_ok());
    }
}

/// Two kiosks at once: their commands are one group of the writer.
async fn together<S: Books>(front: &Front<S>) {
    front.client(THERE).await;
    let opened = tokio::join!(
        front.open(HERE, 4, PurchaseMode::SettlementCard),
        front.open(THERE, 5, PurchaseMode::SettlementCard),
    );
    let (Ok(here), Ok(there)) = opened else {
        panic!("both open");
    };
    let cancelled = tokio::join!(
        front.step(HERE, keyed(&here, "cancel")),
        front.step(THERE, keyed(&there, "cancel")),
    );
    assert!(cancelled.0.is_ok() && cancelled.1.is_ok());
}

/// Two people empty the other kiosk's cassette and fill it again.
async fn custody<S: Books>(front: &Front<S>) {
    let kiosk: KioskId = THERE.parse().expect("an id");
    let slot: SlotId = "slot-1".parse().expect("an id");
    let there = front.bed.bank.kiosk(THERE).expect("a kiosk");
    let range = there.slots[0].range().expect("a range");
    let (again, slot_again) = (kiosk.clone(), slot.clone());
    let load = Act::Load {
        kiosk: again,
        slot: slot_again,
        range,
    };
    for (key, act) in [("out", Act::Unload { kiosk, slot }), ("in", load)] {
        let propose = Ask::post("/v1/custody", &Propose { act }).keyed(key);
        let proposed: ProposalView = front.ask("custodian-a", propose).await.ok();
        front.mark(HERE).await;
        let approve = Approve {
            digest: proposed.digest,
            count: None,
        };
        let path = format!("/v1/custody/{}/approve", proposed.proposal);
        let approved = front.ask("custodian-b", Ask::post(&path, &approve)).await;
        approved.ok::<ProposalView>();
        front.mark(HERE).await;
    }
}

/// New prints of Li's: the largest rows there are.
fn prints<S: Books>(bed: &Bed<S>) -> Prints {
    let agent = "agent-li".parse().expect("an id");
    let seed = bed.bank.finger("li").expect("a finger").seed;
    let enrolled = (0..8).find_map(|round| {
        let touch = |n| {
            let contact = Contact::natural(seed + 600 + round * 3 + n);
            Finger::from_seed(seed).impression(&contact)
        };
        let finger = FingerImages {
            position: FingerPosition::RightIndex,
            images: [touch(0), touch(1), touch(2)],
        };
        enrol(&Keys::demo(), &agent, &[finger], &*bed.entropy).ok()
    });
    enrolled.expect("a good enrolment")
}
