//! The checks a demo bank must pass before anything runs on it.

use std::collections::BTreeSet;

use super::{Card, DemoBank, DemoError, Document, Unit, names};
use crate::terms::ListEntry;
use crate::unit_code::UnitCode;
use crate::{check_digit, citizen};

/// Digits of an account number.
const ACCOUNT_DIGITS: std::ops::RangeInclusive<usize> = 16..=19;

/// Names that other parts of the file refer to.
struct Names<'a> {
    units: BTreeSet<&'a str>,
    agents: BTreeSet<&'a str>,
    staff: BTreeSet<&'a str>,
    secrets: BTreeSet<&'a str>,
    fingers: BTreeSet<&'a str>,
}

/// Every check.
pub(super) fn whole(bank: &DemoBank) -> Result<(), DemoError> {
    names("kiosks", bank.kiosks.iter().map(|k| k.id.as_str()))?;
    names("stations", bank.stations.iter().map(|s| s.id.as_str()))?;
    names("cards", bank.cards.iter().map(|c| c.name.as_str()))?;
    names("documents", bank.documents.iter().map(|d| d.name.as_str()))?;
    let known = Names {
        units: names("units", bank.units.iter().map(|u| u.id.as_str()))?,
        agents: names("agents", bank.agents.iter().map(|a| a.id.as_str()))?,
        staff: names("staff", bank.staff.iter().map(|s| s.id.as_str()))?,
        secrets: bank.secret_names().collect(),
        fingers: names("fingers", bank.fingers.iter().map(|f| f.name.as_str()))?,
    };
    head(bank)?;
    slots(bank)?;
    let entries = bank.list.iter().flat_map(|list| &list.entries);
    if let Some(rule) = entries.filter_map(ListEntry::broken).next() {
        holds(false, "entries", "list", rule)?;
    }
    for station in &bank.stations {
        let officer = station.officer.as_str();
        refers(station.id.as_str(), "staff", officer, &known.staff)?;
    }
    bank.units.iter().try_for_each(|u| unit(u, &known))?;
    for agent in &bank.agents {
        let id = agent.id.as_str();
        refers(id, "unit", agent.unit.as_str(), &known.units)?;
        for finger in [Some(&agent.finger), agent.other_finger.as_ref()] {
            let Some(finger) = finger else { continue };
            refers(id, "finger", finger, &known.fingers)?;
        }
        let number = citizen::check(&agent.citizen_number).is_ok();
        holds(number, "citizen_number", id, "GB 11643")?;
    }
    bank.cards.iter().try_for_each(|c| card(c, &known))?;
    bank.documents.iter().try_for_each(document)
}

fn holds(lawful: bool, what: &'static str, of: &str, rule: &'static str) -> Result<(), DemoError> {
    let of = of.to_owned();
    lawful
        .then_some(())
        .ok_or(DemoError::Value { what, of, rule })
}

fn refers(
    from: &str,
    kind: &'static str,
    name: &str,
    known: &BTreeSet<&str>,
) -> Result<(), DemoError> {
    known
        .contains(name)
        .then_some(())
        .ok_or_else(|| DemoError::Dangling {
            from: from.to_owned(),
            kind,
            name: name.to_owned(),
        })
}

fn head(bank: &DemoBank) -> Result<(), DemoError> {
    let number = check_digit::bank_number(&bank.bank.bank_number);
    let of = &bank.bank.name;
    holds(number, "bank_number", of, "12 digits, ISO 7064 MOD 11,10")?;
    let zone = jiff::tz::TimeZone::get(&bank.branch.time_zone).is_ok();
    let of = bank.branch.id.as_str();
    holds(zone, "time_zone", of, "a name of the IANA database")?;
    let hours = bank.branch.opens <= bank.branch.closes;
    holds(hours, "opens", of, "not after `closes`")
}

fn slots(bank: &DemoBank) -> Result<(), DemoError> {
    let mut taken = Vec::new();
    for slot in bank.kiosks.iter().flat_map(|k| &k.slots) {
        let (of, range) = (slot.slot.as_str(), slot.range()?);
        let kind = range.prefix().kind() == Ok(slot.kind);
        holds(kind, "first", of, "digit 7 is the slot's kind")?;
        let apart = !taken.iter().any(|other| range.overlaps(*other));
        holds(apart, "range", of, "no number lies in two slots (I1)")?;
        taken.push(range);
    }
    for kiosk in &bank.kiosks {
        names("slots", kiosk.slots.iter().map(|s| s.slot.as_str()))?;
    }
    Ok(())
}

fn digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

fn unit(unit: &Unit, known: &Names<'_>) -> Result<(), DemoError> {
    let (id, account) = (unit.id.as_str(), &unit.account);
    let number = ACCOUNT_DIGITS.contains(&account.number.len()) && digits(&account.number);
    holds(number, "account", id, "16 to 19 digits")?;
    let code = UnitCode::parse(&unit.code).is_ok_and(|c| c.as_str() == unit.code);
    holds(code, "code", id, "GB 32100, in capitals")?;
    refers(id, "secret", &account.payment_password, &known.secrets)
}

fn card(card: &Card, known: &Names<'_>) -> Result<(), DemoError> {
    let luhn = check_digit::luhn(&card.pan);
    holds(luhn, "pan", &card.name, "13 to 19 digits, Luhn")?;
    let month = card
        .expiry
        .get(2..)
        .is_some_and(|m| ("01"..="12").contains(&m));
    let expiry = card.expiry.len() == 4 && digits(&card.expiry) && month;
    holds(expiry, "expiry", &card.name, "YYMM")?;
    refers(&card.name, "secret", &card.pin, &known.secrets)?;
    if let Some(unit) = &card.unit {
        refers(&card.name, "unit", unit.as_str(), &known.units)?;
    }
    if let Some(holder) = &card.holder {
        refers(&card.name, "agent", holder.as_str(), &known.agents)?;
    }
    Ok(())
}

fn document(document: &Document) -> Result<(), DemoError> {
    let of = document.name.as_str();
    let facts = citizen::check(&document.number).ok();
    holds(facts.is_some(), "number", of, "GB 11643")?;
    let birth = facts.is_some_and(|f| f.birth == document.birth);
    holds(birth, "birth", of, "the date in the number")?;
    let sex = facts.map(|f| match f.sex {
        citizen::Sex::Male => 1,
        citizen::Sex::Female => 2,
    });
    holds(
        sex == Some(document.sex),
        "sex",
        of,
        "the parity in the number",
    )
}
