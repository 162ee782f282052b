//! The rules, in the order of asking. One entry is all a rule needs here; its words for
//! the customer are in the locales, under `rule-` and its id.

use counterfoil_data::money::Fen;
use counterfoil_data::wire::problem::Remedy;
use counterfoil_data::wire::sale::OrderItem;

use super::terms::Terms;
use super::{CARD_NOT_PROVEN, CARD_UNKNOWN, Gate, ONE_FINGER, Rule, SECOND_FINGER};
use crate::core::facts::Facts;
use crate::core::record::bank::{AccountState, CardTrust};

/// The table.
pub const RULES: &[Rule] = &[
    Rule {
        id: "closed-day",
        gate: Gate::Info,
        remedy: Remedy::Restart,
        optional: true,
        terms: Terms::days,
        broken: |f| {
            let day = f.day.as_ref()?;
            let closed = day.hours.is_none();
            closed.then(|| format!("{} is closed: {}", f.date, day.name))
        },
    },
    Rule {
        id: "closed-hours",
        gate: Gate::Info,
        remedy: Remedy::Restart,
        optional: true,
        terms: Terms::hours,
        broken: |f| {
            let hours = f.day.as_ref()?.hours?;
            let (opens, closes) = (hours.opens, hours.closes);
            // The last second counts whole: 23:59:59 is the end of the day.
            let time = f.time.with().subsec_nanosecond(0).build().unwrap_or(f.time);
            (time < opens || time > closes)
                .then(|| format!("{time} is outside {opens} to {closes}"))
        },
    },
    Rule {
        id: CARD_NOT_PROVEN,
        gate: Gate::Info,
        remedy: Remedy::CallStaff,
        optional: false,
        terms: Terms::cards,
        broken: |f| {
            let trust = f.card_trust?;
            (trust == CardTrust::Unproven && !f.any_card).then(|| {
                "the card did not authenticate dynamically and its host did not confirm it"
                    .to_owned()
            })
        },
    },
    Rule {
        id: CARD_UNKNOWN,
        gate: Gate::Info,
        remedy: Remedy::Retry,
        optional: false,
        terms: |_| "the card's last month".to_owned(),
        broken: |f| {
            let expires = f.card_expires?;
            (expires < f.date).then(|| format!("card expired on {expires}"))
        },
    },
    Rule {
        id: "account-not-normal",
        gate: Gate::Info,
        remedy: Remedy::CallStaff,
        optional: false,
        terms: |_| "only state Normal buys".to_owned(),
        broken: |f| {
            let state = f.account.as_ref()?.state;
            (state != AccountState::Normal).then(|| format!("account state is {state:?}"))
        },
    },
    Rule {
        id: "licence-expired",
        gate: Gate::Info,
        remedy: Remedy::CallStaff,
        optional: true,
        terms: |_| "each unit's licence_valid_to".to_owned(),
        broken: |f| {
            let last = f.unit.as_ref()?.licence_valid_to?;
            (last < f.date).then(|| format!("the unit's licence was valid to {last}"))
        },
    },
    Rule {
        id: "blacklist-stale",
        gate: Gate::Info,
        remedy: Remedy::CallStaff,
        optional: false,
        terms: Terms::list_age,
        broken: stale,
    },
    Rule {
        id: "blacklisted",
        gate: Gate::Info,
        remedy: Remedy::CallStaff,
        optional: true,
        terms: Terms::list,
        broken: listed,
    },
    Rule {
        id: "bounced",
        gate: Gate::Info,
        remedy: Remedy::CallStaff,
        optional: true,
        terms: Terms::bounces,
        broken: bounced,
    },
    Rule {
        id: "mandate-expired",
        gate: Gate::Info,
        remedy: Remedy::CallStaff,
        optional: false,
        terms: |_| "each agent's mandate_from to mandate_to".to_owned(),
        broken: mandate,
    },
    Rule {
        id: "document-expired",
        gate: Gate::Identity,
        remedy: Remedy::CallStaff,
        optional: true,
        terms: |_| "the document's last day".to_owned(),
        broken: |f| {
            let last = f.document_valid_to?;
            (last < f.date).then(|| format!("document expired on {last}"))
        },
    },
    Rule {
        id: "mandate-expired",
        gate: Gate::Identity,
        remedy: Remedy::CallStaff,
        optional: false,
        terms: |_| "each agent's mandate_from to mandate_to".to_owned(),
        broken: mandate,
    },
    Rule {
        id: "blacklisted",
        gate: Gate::Identity,
        remedy: Remedy::CallStaff,
        optional: true,
        terms: Terms::list,
        broken: listed,
    },
    Rule {
        id: "kind-not-allowed",
        gate: Gate::Order,
        remedy: Remedy::ChangeOrder,
        optional: false,
        terms: |_| "each account's kinds".to_owned(),
        broken: |f| {
            let account = f.account.as_ref()?;
            let item = f.items.iter().find(|i| !account.kinds.contains(&i.kind))?;
            Some(format!("{:?} is not allowed for this account", item.kind))
        },
    },
    Rule {
        id: "sale-cap",
        gate: Gate::Order,
        remedy: Remedy::ChangeOrder,
        optional: true,
        terms: |_| "each agent's forms_per_sale_max".to_owned(),
        broken: |f| {
            let max = f.agent.as_ref()?.forms_per_sale_max;
            over(f.ordered(), max, "forms in one sale")
        },
    },
    Rule {
        id: "day-cap",
        gate: Gate::Order,
        remedy: Remedy::ChangeOrder,
        optional: true,
        terms: |_| "each agent's forms_per_day_max".to_owned(),
        broken: |f| {
            let max = f.agent.as_ref()?.forms_per_day_max;
            let today = f.bought_today.saturating_add(f.ordered());
            over(today, max, "forms on one day")
        },
    },
    Rule {
        id: "account-day-cap",
        gate: Gate::Order,
        remedy: Remedy::ChangeOrder,
        optional: true,
        terms: |_| "each account's forms_per_day_max, where it has one".to_owned(),
        broken: |f| {
            let max = f.account.as_ref()?.forms_per_day_max?;
            let today = f.account_today.saturating_add(f.ordered());
            over(today, max, "forms of the account on one day")
        },
    },
    Rule {
        id: "unused-cap",
        gate: Gate::Order,
        remedy: Remedy::ChangeOrder,
        optional: true,
        terms: |_| "each account's unused_max".to_owned(),
        broken: |f| {
            let account = f.account.as_ref()?;
            let unused = account.unused.saturating_add(f.ordered());
            over(unused, account.unused_max, "unused forms of the account")
        },
    },
    Rule {
        id: "balance-short",
        gate: Gate::Order,
        remedy: Remedy::ChangeOrder,
        optional: false,
        terms: |_| "the fees in force".to_owned(),
        broken: |f| {
            let (fee, balance) = (f.fee()?, f.balance?);
            // Zero is a normal fee (I3), whatever the balance.
            (fee > Fen::ZERO && fee > balance).then(|| format!("the fee is {fee}, held {balance}"))
        },
    },
    Rule {
        id: "stock-short",
        gate: Gate::Order,
        remedy: Remedy::ChangeOrder,
        optional: false,
        terms: |_| "what the kiosk's unlocked slots hold".to_owned(),
        broken: |f| {
            let short = |i: &&OrderItem| f.slot_for(i.kind, i.quantity).is_none();
            let item = f.items.iter().find(short)?;
            Some(format!(
                "no slot holds {} of {:?}",
                item.quantity, item.kind
            ))
        },
    },
    // Last, so that nobody gives a finger for what is refused anyway.
    Rule {
        id: ONE_FINGER,
        gate: Gate::Order,
        remedy: Remedy::ChangeOrder,
        optional: false,
        terms: Terms::second_finger,
        broken: |f| {
            let enrolled = f.agent.as_ref()?.fingers.len();
            let over = two_fingers(f).filter(|_| enrolled < 2)?;
            Some(format!("{over}; {enrolled} is enrolled: enrol another"))
        },
    },
    Rule {
        id: SECOND_FINGER,
        gate: Gate::Order,
        remedy: Remedy::OtherFinger,
        optional: false,
        terms: Terms::second_finger,
        broken: two_fingers,
    },
];

/// S13: more forms than one finger is enough for, and no second one was shown.
fn two_fingers(facts: &Facts) -> Option<String> {
    let (above, ordered) = (facts.second_finger_above?, facts.ordered());
    (ordered > above && !facts.second_finger)
        .then(|| format!("{ordered} forms in one order need two fingers, at most {above} do not"))
}

fn mandate(facts: &Facts) -> Option<String> {
    let agent = facts.agent.as_ref()?;
    let (from, to) = (agent.mandate_from, agent.mandate_to);
    (facts.date < from || facts.date > to).then(|| format!("mandate runs from {from} to {to}"))
}

fn over(wanted: u32, max: u32, what: &str) -> Option<String> {
    (wanted > max).then(|| format!("{wanted} {what}, at most {max}"))
}

/// Fails closed: a bank that asks for a list sells nothing without a recent one.
fn stale(facts: &Facts) -> Option<String> {
    let max = facts.list_days_max?;
    let Some(as_of) = facts.list_as_of else {
        return Some("no regulator's list was ever given: import one".to_owned());
    };
    let age = facts.days_since(as_of);
    if age < 0 {
        return Some(format!(
            "the regulator's list is of {as_of}, which is still to come: import it with the right date"
        ));
    }
    (age > i64::from(max)).then(|| {
        format!(
            "the regulator's list is of {as_of}, {age} days old, at most {max}: import a new one"
        )
    })
}

fn listed(facts: &Facts) -> Option<String> {
    let (who, as_of) = (facts.listed?, facts.list_as_of?);
    Some(format!("the {who} is on the regulator's list of {as_of}"))
}

/// 空头支票: how many returned cheques within which time is the bank's to say.
fn bounced(facts: &Facts) -> Option<String> {
    let (rule, account) = (facts.bounce?, facts.account.as_ref()?);
    let recent = account.bounced.iter().filter(|date| {
        let age = facts.days_since(**date);
        (0..i64::from(rule.window_days)).contains(&age)
    });
    let what = format!("returned cheques within {} days", rule.window_days);
    over(
        u32::try_from(recent.count()).unwrap_or(u32::MAX),
        rule.max,
        &what,
    )
}
