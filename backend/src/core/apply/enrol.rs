//! Enrolment into rows and look-up indexes.

use super::Moment;
use crate::core::command::Prints;
use crate::core::event::Enrolled;
use crate::core::key::{self, Table};
use crate::core::ledger;
use crate::core::overlay::Overlay;
use crate::core::record::bank::{AccountRow, AgentRow, EnrolledFinger, Policy, UnitRow};
use crate::core::record::books::{LedgerAccount, Memo};
use crate::core::record::prints::PrintRow;
use crate::core::record::stock::SlotRow;
use crate::core::record::terms::{ListRow, Listed, ListedRow, PolicyVersionRow};
use crate::core::sealed;
use crate::store::{From, RANGE_MAX, Read as _, StoreError};
use counterfoil_data::money::Fen;

/// Writes what was enrolled.
pub fn enrolled(
    books: &mut Overlay<'_>,
    moment: Moment,
    enrolled: &Enrolled,
) -> Result<(), StoreError> {
    match enrolled {
        Enrolled::Bank(row) => books.put(key::single(Table::Bank), row),
        Enrolled::Policy(row) => policy(books, moment, row),
        Enrolled::Access(row) => books.put(key::single(Table::Access), row),
        Enrolled::Staff(row) => {
            if let Some(public) = &row.key {
                let whose = row.id.as_str().as_bytes().to_vec();
                books.put_bytes(key::staff_key(public), whose);
            }
            books.put(key::text(Table::Staff, row.id.as_str()), row)
        }
        Enrolled::Kiosk(row) => {
            for (slot, kind) in &row.slots {
                let empty = SlotRow {
                    kind: *kind,
                    queue: Vec::new(),
                    locked: false,
                };
                books.put(key::slot(&row.id, slot), &empty)?;
            }
            books.put(key::text(Table::Kiosk, row.id.as_str()), row)
        }
        Enrolled::Station(row) => books.put(key::text(Table::Station, row.id.as_str()), row),
        Enrolled::Unit(row) => books.put(key::text(Table::Unit, row.id.as_str()), row),
        Enrolled::Account(row, balance) => account(books, moment, row, *balance),
        Enrolled::Agent(row) => {
            let lookup = key::agent_lookup(&row.unit, row.identity);
            books.put_bytes(lookup, row.id.as_str().as_bytes().to_vec());
            books.put(key::text(Table::Agent, row.id.as_str()), row)
        }
        Enrolled::Prints(enrolled) => prints(books, &enrolled.prints),
        Enrolled::Templates { agent, fingers, .. } => {
            let key = key::text(Table::Agent, agent.as_str());
            let mut row: AgentRow = books.need(&key, "templates of no agent")?;
            row.fingers.clone_from(fingers);
            // Its template is of the engine before.
            books.remove(key::text(Table::Touch, agent.as_str()));
            books.put(key, &row)
        }
        Enrolled::Resealed(key, envelopes) if envelopes.is_empty() => sealed::passed(books, *key),
        Enrolled::Resealed(_, envelopes) => {
            for new in envelopes {
                new.at.put(books, new.envelope.clone())?;
            }
            Ok(())
        }
        Enrolled::Card(row) => books.put(key::hashed(Table::Card, row.lookup), row),
        Enrolled::Fee(row) => books.put(key::fee(row.kind, row.from), row),
        Enrolled::Calendar(row) => books.put(key::single(Table::Calendar), row),
        Enrolled::List(row, listed) => list(books, row, listed),
        Enrolled::Licence(licence) => {
            let key = key::text(Table::Unit, licence.unit.as_str());
            let mut unit: UnitRow = books.need(&key, "a licence of no unit")?;
            unit.licence_valid_to = licence.valid_to;
            books.put(key, &unit)
        }
        Enrolled::Bounces(bounces) => {
            let key = key::text(Table::Account, &bounces.account);
            let mut account: AccountRow = books.need(&key, "returned cheques of no account")?;
            account.bounced.clone_from(&bounces.dates);
            books.put(key, &account)
        }
    }
}

/// Prints in place of those before; with them end their images, the last touch, and a
/// lock that they led to.
fn prints(books: &mut Overlay<'_>, prints: &Prints) -> Result<(), StoreError> {
    let agent = &prints.agent;
    let (low, high) = key::prints(agent);
    for (key, _) in books.range(&low, &high, From::First, RANGE_MAX)? {
        books.remove(key);
    }
    books.remove(key::text(Table::Touch, agent.as_str()));
    books.remove(key::text(Table::Attempt, &format!("agent/{agent}")));
    let mut fingers = Vec::new();
    for finger in &prints.fingers {
        for (number, impression) in (1_u8..).zip(&finger.impressions) {
            let image = impression.image.clone();
            books.put(
                key::print(agent, finger.position, number),
                &PrintRow { image },
            )?;
        }
        let templates = finger.impressions.iter().map(|i| i.template.clone());
        fingers.push(EnrolledFinger {
            position: finger.position,
            templates: templates.collect(),
        });
    }
    let key = key::text(Table::Agent, agent.as_str());
    let mut row: AgentRow = books.need(&key, "prints of no agent")?;
    row.fingers = fingers;
    row.enrolment = row.enrolment.saturating_add(1);
    books.put(key, &row)
}

/// The policy in force, and the version that a refusal names.
fn policy(books: &mut Overlay<'_>, moment: Moment, row: &Policy) -> Result<(), StoreError> {
    let version = key::numbered(Table::PolicyVersion, row.version.into());
    let from = moment.at;
    let policy = row.clone();
    books.put(version, &PolicyVersionRow { from, policy })?;
    books.put(key::single(Table::Policy), row)
}

/// Entries of earlier lists stay behind with their lists' numbers, and hold no more.
fn list(books: &mut Overlay<'_>, row: &ListRow, listed: &[Listed]) -> Result<(), StoreError> {
    let entry = ListedRow { number: row.number };
    for who in listed {
        books.put(key::listed(who), &entry)?;
    }
    books.put(key::single(Table::List), row)
}

fn account(
    books: &mut Overlay<'_>,
    moment: Moment,
    row: &AccountRow,
    balance: Fen,
) -> Result<(), StoreError> {
    let lookup = key::hashed(Table::AccountLookup, row.lookup);
    books.put_bytes(lookup, row.number.as_bytes().to_vec());
    books.put(key::text(Table::Account, &row.number), row)?;
    let legs = vec![
        (LedgerAccount::Customer(row.number.clone()), balance.0),
        (LedgerAccount::CoreBank, balance.0.saturating_neg()),
    ];
    ledger::post(books, moment.at, None, Memo::Opening, legs)?;
    Ok(())
}
