//! Leafing: each event as a leaf of the evidence log (I8).
//!
//! Owns which facts are evidence. Personal data only as salted hashes, and what is made
//! of it too: the confirmed text's digest, the document's, people's own words. Card and
//! citizen numbers are not even known here (I7). Once written, a leaf's meaning
//! never changes: change an event's leaf only by a new kind.

mod facts;
mod proposals;
mod staff;
mod stock;
mod witness;

use counterfoil_data::bill::BillRange;
use counterfoil_data::ids::SaleId;
use counterfoil_data::leaf::{Field, Leaf, LeafKind, Personal, personal};
use counterfoil_data::money::Fen;
use counterfoil_data::wire::Digest;
use counterfoil_data::wire::forms::FormState;
use counterfoil_data::wire::problem::RuleRefusal;
use counterfoil_data::wire::sale::SaleState;

use super::command::{Command, CommandBody};
use super::decide::actor_name;
use super::event::{Enrolled, Event, FormChanged, TwoPeople};
use super::key;
use super::overlay::Overlay;
use super::record::sale::SaleRow;
use crate::store::StoreError;

/// A leaf, and whether the salt of its personal fields must be kept.
pub struct Salted {
    /// The leaf.
    pub leaf: Leaf,
    /// Whether it has personal fields.
    pub salted: bool,
}

/// The leaf of an event; `None` where an event is no evidence.
pub fn leaf(
    books: &Overlay<'_>,
    command: &Command,
    salt: &[u8; 32],
    event: &Event,
) -> Result<Option<Salted>, StoreError> {
    let Some(kind) = kind(books, event)? else {
        return Ok(None);
    };
    let mut leaf = Leaf::new(kind, command.at)
        .with(Field::Actor(actor_name(&command.actor)))
        .with_some(event.sale().map(Field::Sale))
        .with_some(command.sequence.map(Field::Sequence));
    if let (CommandBody::CloseByStaff { second, .. }, Event::SaleClosed { .. }) =
        (&command.body, event)
    {
        leaf = leaf.with(Field::Second(format!("staff:{second}")));
    }
    leaf.fields.extend(fields(books, salt, event)?);
    let is_personal = |f: &Field| matches!(f, Field::Hashed(..));
    let salted = leaf.fields.iter().any(is_personal);
    Ok(Some(Salted { leaf, salted }))
}

fn row(books: &Overlay<'_>, sale: SaleId) -> Result<SaleRow, StoreError> {
    books.need(&key::sale(sale), "evidence about no sale")
}

fn kind(books: &Overlay<'_>, event: &Event) -> Result<Option<LeafKind>, StoreError> {
    Ok(Some(match event {
        Event::Enrolled(enrolled) if matches!(**enrolled, Enrolled::Bank(_)) => {
            LeafKind::BankOpened
        }
        Event::Enrolled(enrolled) if matches!(**enrolled, Enrolled::Prints(_)) => {
            LeafKind::PrintsEnrolled
        }
        Event::Enrolled(_) | Event::AccountStateChanged { .. } => LeafKind::Enrolled,
        Event::BlanksReceived { .. } => LeafKind::BlanksReceived,
        Event::BlanksHandled(handled) => stock::kind(handled.how),
        Event::BlanksCounted { .. } => LeafKind::BlanksCounted,
        Event::FormsMarked { .. } => LeafKind::FormsMarked,
        Event::CassetteLoaded { .. } => LeafKind::CassetteLoaded,
        Event::CassetteUnloaded { .. } => LeafKind::CassetteUnloaded,
        Event::SlotLocked { .. } => LeafKind::SlotLocked,
        Event::SlotUnlocked { .. } => LeafKind::SlotUnlocked,
        Event::SaleOpened(_) => LeafKind::SaleOpened,
        Event::InfoAttempted { .. } => LeafKind::InfoAttempted,
        Event::InfoVerified { .. } => LeafKind::InfoVerified,
        Event::InfoFailed { .. } => LeafKind::InfoFailed,
        Event::IdentityAttempted { .. } => LeafKind::IdentityAttempted,
        Event::IdentityVerified { .. } => LeafKind::IdentityVerified,
        Event::IdentityFailed { .. } => LeafKind::IdentityFailed,
        Event::SecondFinger(second) => facts::finger_kind(&second.to),
        Event::SaleRefused { sale, .. } => match row(books, *sale)?.state {
            SaleState::Opened => LeafKind::InfoRefused,
            SaleState::InfoVerified => LeafKind::IdentityRefused,
            _ => LeafKind::OrderRefused,
        },
        Event::Ordered { .. } => LeafKind::Ordered,
        Event::ConfirmationShown { .. } => LeafKind::ConfirmShown,
        Event::ConfirmationSeen { .. } => LeafKind::ConfirmSeen,
        Event::Confirmed { .. } => LeafKind::Confirmed,
        Event::Denied { .. } => LeafKind::Denied,
        Event::Asked { .. } => LeafKind::Asked,
        Event::ConfirmationTimedOut { .. } => LeafKind::ConfirmTimedOut,
        Event::Linked { .. } => LeafKind::Linked,
        Event::SheetChanged(change) => facts::sheet_kind(&change.to),
        Event::FormChanged(change) => return Ok(form_kind(change)),
        Event::StrayFrozen { .. } => LeafKind::FormUnknown,
        Event::FormSupplied { .. } => LeafKind::FormSupplemented,
        Event::SaleCancelled { .. } => LeafKind::SaleCancelled,
        Event::SaleExpired { .. } => LeafKind::SaleExpired,
        Event::SaleSuspended { .. } => LeafKind::SaleAbandoned,
        Event::SaleClosed { .. } => LeafKind::SaleClosed,
        Event::UnknownResolved { .. } => LeafKind::UnknownResolved,
        Event::CustodyProposed(_) => LeafKind::CustodyProposed,
        Event::CustodyApproved { .. } => LeafKind::CustodyApproved,
        Event::CustodyRefused { .. } => LeafKind::CustodyRefused,
        Event::Staff(event) => staff::kind(event),
        Event::Witnessed(event) => witness::kind(event),
        Event::Delivered { .. } => return Ok(None),
    }))
}

fn form_kind(change: &FormChanged) -> Option<LeafKind> {
    Some(match change.to {
        FormState::Assigned => return None,
        FormState::Feeding => LeafKind::FormFeeding,
        FormState::Printed => LeafKind::FormPrinted,
        FormState::Presented => LeafKind::FormPresented,
        FormState::Sold => LeafKind::FormTaken,
        FormState::Spoiled => LeafKind::FormFailed,
        FormState::Retracted => LeafKind::FormRetracted,
        FormState::Unknown if change.read.is_some() => LeafKind::FormMismatch,
        FormState::Unknown => LeafKind::FormUnknown,
        FormState::Released => LeafKind::FormReleased,
    })
}

fn fields(books: &Overlay<'_>, salt: &[u8; 32], event: &Event) -> Result<Vec<Field>, StoreError> {
    let account = |number: &str| hashed(salt, Personal::AccountNumber, number);
    let approved = |digest: Digest| hashed(salt, Personal::Approved, &digest.to_string());
    Ok(match event {
        Event::Enrolled(row) => enrolled(salt, row),
        Event::AccountStateChanged {
            account: number,
            state,
        } => vec![
            account(number),
            Field::State(format!("{state:?}").to_lowercase()),
        ],
        Event::BlanksReceived { .. }
        | Event::CassetteLoaded { .. }
        | Event::CassetteUnloaded { .. }
        | Event::SlotLocked { .. }
        | Event::SlotUnlocked { .. } => facts::stock(event),
        Event::BlanksHandled(handled) => stock::handled(salt, handled),
        Event::BlanksCounted { .. } | Event::FormsMarked { .. } => stock::noted(event),
        Event::SaleOpened(row) => vec![
            Field::Kiosk(row.kiosk.to_string()),
            Field::Mode(word(&row.mode)),
        ],
        Event::InfoAttempted { attempt, trust, .. } => {
            let trust = trust.map(|trust| Field::CardProof(trust.word().to_owned()));
            [Field::Count(*attempt)].into_iter().chain(trust).collect()
        }
        Event::InfoVerified { proof, .. } => vec![
            Field::Subject(format!("unit:{}", proof.unit)),
            account(&proof.account),
        ],
        Event::InfoFailed { refusal, .. } | Event::SaleRefused { refusal, .. } => rule(refusal),
        Event::IdentityAttempted { .. }
        | Event::IdentityVerified { .. }
        | Event::IdentityFailed { .. } => facts::identity(salt, event),
        Event::Ordered { order, .. } => order
            .items
            .iter()
            .map(|i| Field::Count(i.quantity))
            .chain([Field::Fee(order.text.fee), approved(order.digest)])
            .collect(),
        Event::Linked { sale, .. } => {
            let row = row(books, *sale)?;
            let mut fields = linked(&row, event);
            fields.extend(row.info.as_ref().map(|i| account(&i.account)));
            fields.extend(row.order.as_ref().map(|o| approved(o.digest)));
            fields
        }
        Event::SheetChanged(change) => facts::sheet(&change.to),
        Event::SecondFinger(second) => facts::finger(&second.to),
        Event::FormChanged(change) => form(change),
        Event::StrayFrozen { number, .. } => vec![
            Field::Number(*number),
            Field::Reason("read in place of another".to_owned()),
        ],
        Event::FormSupplied {
            number, stands_for, ..
        } => vec![Field::Number(*number), Field::SupplementOf(*stands_for)],
        Event::SaleSuspended { reason, .. } => vec![Field::Reason(word(reason))],
        Event::SaleClosed { sale, abandoned } => closed(&row(books, *sale)?, abandoned.as_ref()),
        Event::UnknownResolved { .. } => resolved(salt, event),
        Event::CustodyProposed(_)
        | Event::CustodyApproved { .. }
        | Event::CustodyRefused { .. } => proposals::fields(salt, event)?,
        Event::Staff(event) => staff::fields(event),
        Event::Witnessed(event) => witness::fields(salt, event),
        _ => facts::confirmation(salt, event),
    })
}

fn enrolled(salt: &[u8; 32], row: &Enrolled) -> Vec<Field> {
    if let Enrolled::Prints(prints) = row {
        return facts::prints(salt, prints);
    }
    if let Enrolled::Resealed(key, envelopes) = row {
        return facts::resealed(*key, envelopes);
    }
    let account = number(row).map(|number| hashed(salt, Personal::AccountNumber, number));
    let subject = Field::Subject(subject(row));
    [subject].into_iter().chain(account).collect()
}

/// A personal datum, under the salt of this command's leaves.
fn hashed(salt: &[u8; 32], what: Personal, value: &str) -> Field {
    Field::Hashed(what, personal(salt, what, value))
}

fn back(fee: Fen) -> Field {
    Field::Fee(Fen(fee.0.saturating_neg()))
}

fn second(by: &TwoPeople) -> String {
    let [_, second] = by;
    format!("staff:{second}")
}

/// The stable word of a wire enum.
fn word<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => "unnamed".to_owned(),
    }
}

fn rule(refusal: &RuleRefusal) -> Vec<Field> {
    vec![
        Field::Rule(refusal.rule.clone()),
        Field::RuleVersion(refusal.version),
    ]
}

fn subject(enrolled: &Enrolled) -> String {
    match enrolled {
        Enrolled::Bank(row) => format!("bank:{}", row.bank_number),
        Enrolled::Policy(row) => format!("policy:{}", row.version),
        Enrolled::Access(row) => format!("access:{}", row.word()),
        Enrolled::Staff(row) => format!("staff:{}", row.id),
        Enrolled::Kiosk(row) => format!("kiosk:{}", row.id),
        Enrolled::Station(row) => format!("station:{}", row.id),
        Enrolled::Unit(row) => format!("unit:{}", row.id),
        Enrolled::Account(row, _) => format!("account-of:{}", row.unit),
        Enrolled::Agent(row) => format!("agent:{}", row.id),
        Enrolled::Prints(row) => format!("agent:{}", row.prints.agent),
        Enrolled::Templates { agent, engine, .. } => format!("templates:{agent}/{engine}"),
        Enrolled::Resealed(key, _) => format!("data-key:{key}"),
        Enrolled::Card(row) => format!("card-of:{}", row.holder),
        Enrolled::Fee(row) => format!("fee:{}/{}/{}", word(&row.kind), row.from, row.each),
        Enrolled::Calendar(row) => format!("calendar:{} dates", row.days.len()),
        Enrolled::List(row, _) => format!("list:{}/{} entries", row.as_of, row.count),
        Enrolled::Licence(licence) => match licence.valid_to {
            Some(last) => format!("licence:{}/{last}", licence.unit),
            None => format!("licence:{}/long-term", licence.unit),
        },
        Enrolled::Bounces(bounces) => format!("returned-cheques:{}", bounces.dates.len()),
    }
}

/// The number of an account that is enrolled.
fn number(enrolled: &Enrolled) -> Option<&str> {
    match enrolled {
        Enrolled::Account(row, _) => Some(row.number.as_str()),
        Enrolled::Bounces(bounces) => Some(bounces.account.as_str()),
        _ => None,
    }
}

fn resolved(salt: &[u8; 32], event: &Event) -> Vec<Field> {
    let Event::UnknownResolved {
        number,
        account,
        to,
        evidence,
        reversed,
        by,
        ..
    } = event
    else {
        return Vec::new();
    };
    let account = account.as_deref();
    [
        Some(Field::Second(second(by))),
        Some(Field::Number(*number)),
        Some(Field::State(format!("{to:?}").to_lowercase())),
        Some(hashed(salt, Personal::Words, evidence)),
        account.map(|number| hashed(salt, Personal::AccountNumber, number)),
        reversed.map(back),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn linked(row: &SaleRow, event: &Event) -> Vec<Field> {
    let Event::Linked {
        requisition,
        date,
        fee,
        ..
    } = event
    else {
        return Vec::new();
    };
    let order = row.order.as_ref();
    let ranges: Vec<BillRange> = order.map(|o| o.text.ranges.clone()).unwrap_or_default();
    let agent = row.identity.as_ref().map(|i| format!("agent:{}", i.agent));
    let mut fields = vec![
        Field::Kiosk(row.kiosk.to_string()),
        Field::Fee(*fee),
        Field::Requisition(requisition.clone()),
        Field::BusinessDate(*date),
    ];
    fields.extend(agent.map(Field::Subject));
    fields.extend(order.map(|o| Field::Count(o.text.count)));
    fields.extend(ranges.into_iter().map(Field::Range));
    fields
}

fn form(change: &FormChanged) -> Vec<Field> {
    let mut fields = vec![Field::Number(change.number)];
    fields.extend(change.read.map(Field::Read));
    fields.extend(change.ink.map(Field::Ink));
    fields.extend(change.reversed.map(back));
    if !change.words.is_empty() {
        fields.push(Field::Evidence(change.words.clone()));
    }
    fields
}

fn closed(
    row: &SaleRow,
    abandoned: Option<&counterfoil_data::wire::sale::AbandonReason>,
) -> Vec<Field> {
    let in_state = |state| row.forms.iter().filter(|f| f.state == state).count();
    let count = |state| Field::Count(u32::try_from(in_state(state)).unwrap_or(u32::MAX));
    let linked = row.linked.as_ref();
    let net = linked.and_then(|l| l.fee.checked_sub(l.reversed));
    let mut fields = vec![
        count(FormState::Sold),
        count(FormState::Spoiled),
        count(FormState::Retracted),
        count(FormState::Unknown),
        count(FormState::Released),
    ];
    fields.extend(net.map(Field::Fee));
    fields.extend(linked.map(|l| Field::Requisition(l.requisition.clone())));
    fields.extend(abandoned.map(|reason| Field::Reason(word(reason))));
    fields
}
