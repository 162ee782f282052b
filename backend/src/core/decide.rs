//! Decide: a command over the books becomes events, or a refusal. Pure.
//!
//! One file a family of commands. Each reads fresh rows, checks who, where and
//! whether, and only then emits; whatever a refused command changed is dropped.

mod again;
mod attempts;
mod blanks;
mod clock;
mod closing;
mod confirm;
mod enrol;
mod finger;
mod forms;
mod identity;
mod info;
mod keyed;
mod link;
mod login;
mod order;
mod prints;
mod propose;
mod sheet;
mod staff;
mod stock;
mod witness;

use counterfoil_data::ids::{BranchId, SaleId};
use counterfoil_data::leaf::{FIELDS_MAX, Field, LeafKind};
use counterfoil_data::wire::sale::SaleState;
use jiff::Timestamp;
use sha2::Digest as _;

use super::apply::{Moment, apply};
use super::command::{Actor, Answer, Command, CommandBody, NOTE_MAX, Outcome};
use super::event::Event;
use super::facts;
use super::key::{self, Table};
use super::overlay::Overlay;
use super::record::bank::{KioskRow, Policy, StaffRow, StationRow};
use super::record::books::CounterRow;
use super::record::sale::SaleRow;
pub(in crate::core) use attempts::{kiosk_key, subject_key};
pub use forms::template;
pub use keyed::is_keyed;

use super::refusal::{Malformed, Missing, Refusal};
use super::{leafing, log, number};
use crate::store::{Changes, Read, StoreError};

/// Why a decision stopped.
#[derive(Debug)]
pub enum Stop {
    /// The command is refused; nothing happened.
    Refused(Refusal),
    /// The books cannot be read or contradict themselves; the writer must stop.
    Broken(StoreError),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Broken(error)
    }
}

/// What a command came to.
#[derive(Debug)]
pub struct Decision {
    /// For whoever asked.
    pub outcome: Outcome,
    /// What happened, in order.
    pub events: Vec<Event>,
    /// Every changed row, evidence leaves and notices included.
    pub changes: Changes,
}

/// A decision in the making: the books with what the command did so far.
struct Draft<'a> {
    books: Overlay<'a>,
    command: &'a Command,
    events: Vec<Event>,
    /// When the newest leaf before it was recorded.
    newest: Option<Timestamp>,
    /// Whether a leaf has the request's signature already.
    signed: bool,
    /// Only whether it could be done is asked; a second person is not there yet.
    rehearsal: bool,
}

impl Draft<'_> {
    /// Makes an event happen: evidence leaf and rows. Gives the leaf's index.
    fn emit(&mut self, event: Event) -> Result<(), StoreError> {
        let moment = Moment {
            at: self.command.at,
            leaf: log::size(&self.books)?,
        };
        let salt = self.derived(b"leaf");
        if let Some(mut leaf) = leafing::leaf(&self.books, self.command, &salt, &event)? {
            if leaf.leaf.kind != LeafKind::ClockAccepted {
                leaf.leaf.at = self
                    .newest
                    .map_or(leaf.leaf.at, |newest| leaf.leaf.at.max(newest));
            }
            if let (Some(signed), false) = (&self.command.signed, self.signed)
                && leaf.leaf.fields.len() < FIELDS_MAX
            {
                // Once is enough: the other leaves of the command follow this one.
                leaf.leaf.fields.push(Field::Signed(signed.clone()));
                self.signed = true;
            }
            log::append(&mut self.books, &leaf.leaf, leaf.salted.then_some(&salt))?;
            number::file(&mut self.books, &leaf.leaf, moment.leaf);
            if let Some(words) = event.words() {
                let key = key::numbered(Table::Words, moment.leaf);
                self.books.put_bytes(key, words.as_bytes().to_vec());
            }
        }
        apply(&mut self.books, moment, &event)?;
        self.events.push(event);
        Ok(())
    }

    /// 32 bytes out of the command's salt, different for each label.
    fn derived(&self, label: &[u8]) -> [u8; 32] {
        sha2::Sha256::new()
            .chain_update(label)
            .chain_update(self.command.salt)
            .finalize()
            .into()
    }

    /// A fresh challenge.
    fn challenge(&self) -> [u8; 16] {
        let bytes = self.derived(b"challenge");
        bytes.first_chunk().copied().unwrap_or_default()
    }

    fn policy(&self) -> Result<Policy, Stop> {
        let policy = self.books.get(&key::single(Table::Policy))?;
        let what = Missing::Bank;
        Ok(policy.ok_or(Refusal::NotFound { what })?)
    }

    fn sale(&self, sale: SaleId) -> Result<SaleRow, Stop> {
        let row = self.books.get(&key::sale(sale))?;
        let what = Missing::Sale;
        Ok(row.ok_or(Refusal::NotFound { what })?)
    }

    /// The kiosk that gives the command (S1).
    fn kiosk(&self) -> Result<KioskRow, Stop> {
        let Actor::Kiosk(id) = &self.command.actor else {
            return Err(Refusal::NotYours.into());
        };
        let row = self.books.get(&key::text(Table::Kiosk, id.as_str()))?;
        let what = Missing::Kiosk;
        Ok(row.ok_or(Refusal::NotFound { what })?)
    }

    /// A sale of the kiosk that gives the command.
    fn own_sale(&self, sale: SaleId) -> Result<SaleRow, Stop> {
        let row = self.sale(sale)?;
        match &self.command.actor {
            Actor::Kiosk(id) if *id == row.kiosk => Ok(row),
            _ => Err(Refusal::NotYours.into()),
        }
    }

    /// A sale in the expected state, of the kiosk that gives the command (I4).
    fn own_sale_in(&self, sale: SaleId, expected: SaleState) -> Result<SaleRow, Stop> {
        self.in_state(self.own_sale(sale)?, expected)
    }

    /// I4: the gate order; anything else names the state. A step after the sale's
    /// deadline is too late, whether or not a timer got to it: the house may have been
    /// down when it was due.
    fn in_state(&self, row: SaleRow, expected: SaleState) -> Result<SaleRow, Stop> {
        let state = row.state;
        if state != expected {
            return Err(Refusal::OutOfOrder { state }.into());
        }
        if row.deadline.is_some_and(|d| d <= self.command.at) {
            return Err(Refusal::TooLate { state }.into());
        }
        Ok(row)
    }

    /// A sale whose buyer the station that gives the command may see.
    fn shown_sale(&self, sale: SaleId) -> Result<(SaleRow, counterfoil_data::ids::StaffId), Stop> {
        let Actor::Station(id, officer) = &self.command.actor else {
            return Err(Refusal::NotYours.into());
        };
        let station = self
            .books
            .get::<StationRow>(&key::text(Table::Station, id.as_str()))?;
        let what = Missing::Station;
        let station = station.ok_or(Refusal::NotFound { what })?;
        let row = self.sale(sale)?;
        let may_decide = self.may_decide(&station, officer)?;
        // S19: nothing before the identity is verified, nothing of other branches.
        if station.branch != row.branch || row.identity.is_none() || !may_decide {
            return Err(Refusal::NotYours.into());
        }
        Ok((row, officer.clone()))
    }

    /// The branch of the member of staff who gives the command.
    fn home(&self) -> Result<BranchId, Stop> {
        let Actor::Staff(id) = &self.command.actor else {
            return Err(Refusal::NotYours.into());
        };
        let row: Option<StaffRow> = self.books.get(&key::text(Table::Staff, id.as_str()))?;
        let what = Missing::Staff;
        Ok(row.ok_or(Refusal::NotFound { what })?.branch)
    }

    /// Only a timer, the relay, or enrolment at first start.
    fn system(&self) -> Result<(), Stop> {
        match self.command.actor {
            Actor::System => Ok(()),
            _ => Err(Refusal::NotYours.into()),
        }
    }
}

/// What somebody has to say for the record; silence is no reason.
fn said(text: &str) -> Result<(), Stop> {
    if text.trim().is_empty() {
        return Err(Refusal::Malformed(Malformed::Unsaid).into());
    }
    if text.chars().count() > NOTE_MAX {
        return Err(Refusal::Malformed(Malformed::Note).into());
    }
    Ok(())
}

/// Name of an actor in keys and leaves.
pub fn actor_name(actor: &Actor) -> String {
    match actor {
        Actor::Kiosk(id) => format!("kiosk:{id}"),
        Actor::Station(id, officer) => format!("station:{id}/{officer}"),
        Actor::Staff(id) => format!("staff:{id}"),
        Actor::Terminal(signer) => signer.to_string(),
        Actor::System => "system".to_owned(),
    }
}

/// Name of whoever signs for an actor: the station, whoever sits there.
fn signer_name(actor: &Actor) -> String {
    match actor {
        Actor::Station(id, _) => format!("station:{id}"),
        other => actor_name(other),
    }
}

/// Uses up the signer's request number; one that does not grow is refused.
fn sequence(books: &mut Overlay<'_>, command: &Command) -> Result<(), Stop> {
    let Some(given) = command.sequence else {
        return Ok(());
    };
    let key = key::text(Table::Sequence, &signer_name(&command.actor));
    let held: CounterRow = books.get(&key)?.unwrap_or_default();
    let last = held.value;
    if given <= last {
        return Err(Refusal::StaleSequence { given, last }.into());
    }
    books.put(key, &CounterRow { value: given })?;
    Ok(())
}

/// Decides one command over the books; its number and its key are [`answer`]'s.
pub fn decide(read: &dyn Read, command: &Command) -> Result<Decision, Stop> {
    let newest = super::clock::newest(read)?;
    let command = clock::timed(command, newest)?;
    let mut draft = Draft {
        books: Overlay::new(read),
        command: &command,
        events: Vec::new(),
        newest,
        signed: false,
        rehearsal: false,
    };
    let outcome = route(&mut draft)?;
    again::keep(&mut draft, &outcome)?;
    Ok(Decision {
        outcome,
        events: draft.events,
        changes: draft.books.into_changes(),
    })
}

fn route(draft: &mut Draft<'_>) -> Result<Outcome, Stop> {
    match &draft.command.body {
        CommandBody::ReceiveBlanks { .. }
        | CommandBody::LoadCassette { .. }
        | CommandBody::UnloadCassette { .. }
        | CommandBody::UnlockSlot { .. }
        | CommandBody::ResolveUnknown { .. } => stock::decide(draft),
        CommandBody::OpenSale { sale, mode } => info::open(draft, *sale, *mode),
        CommandBody::CountInfoAttempt { .. } => info::count(draft),
        CommandBody::SettleInfo {
            sale,
            attempt,
            verified,
        } => info::settle(draft, *sale, *attempt, *verified),
        CommandBody::CountIdentityAttempt { .. } => identity::count(draft),
        CommandBody::SettleIdentity { .. } => identity::settle(draft),
        CommandBody::CountFingerAttempt { sale, challenge } => {
            finger::count(draft, *sale, *challenge)
        }
        CommandBody::EnrolPrints { .. } => prints::enrol(draft),
        CommandBody::RefreshTemplates { .. } => prints::refresh(draft),
        CommandBody::Reseal { .. } => prints::reseal(draft),
        CommandBody::PlaceOrder { sale, items } => order::place(draft, *sale, items),
        CommandBody::MarkSeen { sale, digest } => confirm::seen(draft, *sale, *digest),
        CommandBody::Confirm { sale, digest } => confirm::confirm(draft, *sale, *digest),
        CommandBody::Deny { sale, digest, note } => {
            confirm::deny(draft, *sale, *digest, note.as_deref())
        }
        CommandBody::Ask {
            sale,
            digest,
            question,
        } => confirm::ask(draft, *sale, *digest, question),
        CommandBody::TimeOutConfirmation { sale } => confirm::time_out(draft, *sale),
        CommandBody::Link { sale, passwords } => link::link(draft, *sale, passwords),
        CommandBody::AdviseForms {
            sale,
            advices,
            passwords,
        } => forms::advise(draft, *sale, advices, passwords),
        CommandBody::TakeSheet { sale, key } => sheet::take(draft, *sale, *key),
        CommandBody::Cancel { sale } => closing::cancel(draft, *sale),
        CommandBody::Expire { sale } => closing::expire(draft, *sale),
        CommandBody::Abandon {
            sale,
            reason,
            sheet,
        } => closing::abandon(draft, *sale, *reason, *sheet),
        CommandBody::SuspendLost { sale } => closing::suspend_lost(draft, *sale),
        CommandBody::Close { sale, sheet } => closing::close(draft, *sale, *sheet),
        CommandBody::CloseByStaff { second, sale } => {
            closing::close_by_staff(draft, second.clone(), *sale)
        }
        CommandBody::Custody { second, act } => stock::act(draft, second.clone(), act.clone()),
        CommandBody::ProposeCustody { act } => propose::propose(draft, act),
        CommandBody::ApproveCustody {
            proposal,
            digest,
            count,
        } => propose::approve(draft, *proposal, *digest, *count),
        CommandBody::RefuseCustody { proposal, digest } => {
            propose::refuse(draft, *proposal, *digest)
        }
        CommandBody::RecordRestore { .. }
        | CommandBody::ReportTree(_)
        | CommandBody::ReconcileKiosk { .. } => witness::decide(draft),
        CommandBody::AcceptClock { second, reason } => clock::accept(draft, second, reason),
        CommandBody::Staff(_) => staff::decide(draft),
        CommandBody::UseUpSequence => Ok(Outcome::Done),
        _ => enrol::decide(draft),
    }
}

/// Answers one command: a stored answer for a repeated key, else a decision.
/// Gives the answer and every row that changed.
///
/// The request number comes first and is used up also by a refusal, so that nothing
/// signed can be sent again after a restart, not even to read a stored answer.
pub fn answer(read: &dyn Read, command: &Command) -> Result<(Answer, Changes), StoreError> {
    let mut books = Overlay::new(read);
    let (replayed, result) = match sequence(&mut books, command) {
        Ok(()) if keyed::is_keyed(&command.body) => keyed::answer(&mut books, command)?,
        Ok(()) => {
            let (result, changes) = settle(decide(&books, command))?;
            books.absorb(changes);
            (false, result)
        }
        Err(Stop::Refused(refusal)) => (false, Err(refusal)),
        Err(Stop::Broken(error)) => return Err(error),
    };
    Ok((Answer { replayed, result }, books.into_changes()))
}

type Settled = (Result<Outcome, Refusal>, Changes);

fn settle(decided: Result<Decision, Stop>) -> Result<Settled, StoreError> {
    match decided {
        Ok(decision) => Ok((Ok(decision.outcome), decision.changes)),
        Err(Stop::Refused(refusal)) => Ok((Err(refusal), Changes::new())),
        Err(Stop::Broken(error)) => Err(error),
    }
}

/// The business date of a command (in the bank's time zone).
fn business_date(draft: &Draft<'_>) -> Result<jiff::civil::Date, StoreError> {
    let bank = facts::bank(&draft.books)?;
    Ok(facts::local(&bank, draft.command.at)?.0)
}
