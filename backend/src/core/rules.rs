//! Rules, version 1, as data: id, gate, remedy, and the fact that breaks it (S4).
//!
//! A rule knows facts, no tables. The customer's words for an id are in the
//! locales; the staff text here is exact. Called by every gate, and again with
//! fresh facts by linked processing (L1).

use counterfoil_data::money::Fen;
use counterfoil_data::wire::problem::{Remedy, RuleRefusal};

use super::facts::Facts;
use super::record::bank::{AccountState, CardTrust};

/// Where a rule is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// Before message 1.
    Info,
    /// Before message 2.
    Identity,
    /// When ordered.
    Order,
}

/// One rule.
pub struct Rule {
    /// Stable id.
    pub id: &'static str,
    /// Where it is asked.
    pub gate: Gate,
    /// What the customer can do.
    pub remedy: Remedy,
    /// The exact text for staff, if the facts break it.
    pub broken: fn(&Facts) -> Option<String>,
}

/// The card or the PIN does not agree; never says which.
pub const CARD_UNKNOWN: &str = "card-unknown";
/// The account number or the payment password does not agree; never says which.
pub const PASSWORD_UNKNOWN: &str = "password-unknown";
/// Nobody can tell the card from a copy.
pub const CARD_NOT_PROVEN: &str = "card-not-proven";
/// Too many attempts.
pub const LOCKED: &str = "locked";
/// The person is not an agent of this unit, or not the card's holder (S13).
pub const NOT_AGENT_OF_UNIT: &str = "not-agent-of-unit";
/// The finger did not agree with the enrolled one (S14).
pub const FINGER_MISMATCH: &str = "finger-mismatch";

/// The citizen register does not agree with the document (联网核查).
pub const CITIZEN_CHECK: &str = "citizen-check";

/// The table. Order is the order of asking.
pub const RULES: &[Rule] = &[
    Rule {
        id: "closed-hours",
        gate: Gate::Info,
        remedy: Remedy::Restart,
        broken: |f| {
            let (opens, closes) = f.hours?;
            (f.time < opens || f.time > closes)
                .then(|| format!("{} is outside {opens} to {closes}", f.time))
        },
    },
    Rule {
        id: CARD_NOT_PROVEN,
        gate: Gate::Info,
        remedy: Remedy::CallStaff,
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
        broken: |f| {
            let expires = f.card_expires?;
            (expires < f.date).then(|| format!("card expired on {expires}"))
        },
    },
    Rule {
        id: "account-not-normal",
        gate: Gate::Info,
        remedy: Remedy::CallStaff,
        broken: |f| {
            let state = f.account.as_ref()?.state;
            (state != AccountState::Normal).then(|| format!("account state is {state:?}"))
        },
    },
    Rule {
        id: "mandate-expired",
        gate: Gate::Info,
        remedy: Remedy::CallStaff,
        broken: mandate,
    },
    Rule {
        id: "document-expired",
        gate: Gate::Identity,
        remedy: Remedy::CallStaff,
        broken: |f| {
            let last = f.document_valid_to?;
            (last < f.date).then(|| format!("document expired on {last}"))
        },
    },
    Rule {
        id: "mandate-expired",
        gate: Gate::Identity,
        remedy: Remedy::CallStaff,
        broken: mandate,
    },
    Rule {
        id: "kind-not-allowed",
        gate: Gate::Order,
        remedy: Remedy::ChangeOrder,
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
        broken: |f| {
            let max = f.agent.as_ref()?.forms_per_sale_max;
            over(f.ordered(), max, "forms in one sale")
        },
    },
    Rule {
        id: "day-cap",
        gate: Gate::Order,
        remedy: Remedy::ChangeOrder,
        broken: |f| {
            let max = f.agent.as_ref()?.forms_per_day_max;
            let today = f.bought_today.saturating_add(f.ordered());
            over(today, max, "forms on one day")
        },
    },
    Rule {
        id: "unused-cap",
        gate: Gate::Order,
        remedy: Remedy::ChangeOrder,
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
        broken: |f| {
            let short = |i: &&counterfoil_data::wire::sale::OrderItem| {
                f.slot_for(i.kind, i.quantity).is_none()
            };
            let item = f.items.iter().find(short)?;
            Some(format!(
                "no slot holds {} of {:?}",
                item.quantity, item.kind
            ))
        },
    },
];

fn mandate(facts: &Facts) -> Option<String> {
    let agent = facts.agent.as_ref()?;
    let (from, to) = (agent.mandate_from, agent.mandate_to);
    (facts.date < from || facts.date > to).then(|| format!("mandate runs from {from} to {to}"))
}

fn over(wanted: u32, max: u32, what: &str) -> Option<String> {
    (wanted > max).then(|| format!("{wanted} {what}, at most {max}"))
}

/// The first rule of a gate that these facts break.
pub fn judge(gate: Gate, facts: &Facts, version: u32) -> Option<RuleRefusal> {
    let rules = RULES.iter().filter(|rule| rule.gate == gate);
    let mut broken = rules.filter_map(|rule| {
        let staff = (rule.broken)(facts)?;
        Some(RuleRefusal {
            rule: rule.id.to_owned(),
            version,
            staff,
            remedy: rule.remedy,
        })
    });
    broken.next()
}

/// A refusal that no fact but a gate's own check leads to.
pub fn refusal(id: &'static str, version: u32) -> RuleRefusal {
    let (staff, remedy) = match id {
        LOCKED => ("too many attempts", Remedy::CallStaff),
        NOT_AGENT_OF_UNIT => (
            "not an agent of this unit, or not the card's holder",
            Remedy::CallStaff,
        ),
        CITIZEN_CHECK => (
            "the citizen check did not agree: look at the document",
            Remedy::CallStaff,
        ),
        FINGER_MISMATCH => ("score below the threshold", Remedy::Retry),
        _ => (
            "card, account, PIN or password does not agree",
            Remedy::Retry,
        ),
    };
    RuleRefusal {
        rule: id.to_owned(),
        version,
        staff: staff.to_owned(),
        remedy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use counterfoil_data::bill::BillKind;
    use counterfoil_data::wire::sale::OrderItem;
    use jiff::civil::{date, time};

    fn agent() -> crate::core::record::bank::AgentRow {
        use crate::core::record::bank::KeyedHash;
        crate::core::record::bank::AgentRow {
            id: "agent-1".parse().expect("an id"),
            unit: "unit-1".parse().expect("an id"),
            name: "样例".to_owned(),
            name_masked: "样*".to_owned(),
            identity: KeyedHash([1; 32]),
            name_hash: KeyedHash([2; 32]),
            number_masked: String::new(),
            mandate_from: date(2026, 1, 1),
            mandate_to: date(2026, 12, 31),
            forms_per_sale_max: 25,
            forms_per_day_max: 50,
            templates: Vec::new(),
        }
    }

    fn ordering(quantity: u32, bought_today: u32) -> Facts {
        Facts {
            date: date(2026, 11, 22),
            agent: Some(agent()),
            items: vec![OrderItem {
                kind: BillKind::TransferCheque,
                quantity,
            }],
            bought_today,
            ..Facts::default()
        }
    }

    fn rule(gate: Gate, facts: &Facts) -> Option<String> {
        judge(gate, facts, 1).map(|r| r.rule)
    }

    #[test]
    fn a_cap_is_broken_by_one_more_and_not_by_the_last_allowed_s6() {
        let stock = Some("stock-short".to_owned());
        assert_eq!(rule(Gate::Order, &ordering(25, 0)), stock);
        assert_eq!(rule(Gate::Order, &ordering(26, 0)), Some("sale-cap".into()));
        assert_eq!(rule(Gate::Order, &ordering(25, 25)), stock);
        assert_eq!(rule(Gate::Order, &ordering(25, 26)), Some("day-cap".into()));
    }

    #[test]
    fn the_last_fen_may_be_spent_and_a_free_form_needs_none() {
        let mut facts = ordering(2, 0);
        facts.fees = vec![(BillKind::TransferCheque, Fen(60))];
        facts.balance = Some(Fen(120));
        assert_eq!(rule(Gate::Order, &facts), Some("stock-short".into()));
        facts.balance = Some(Fen(119));
        assert_eq!(rule(Gate::Order, &facts), Some("balance-short".into()));
        facts.fees = vec![(BillKind::TransferCheque, Fen::ZERO)];
        facts.balance = Some(Fen(-1));
        assert_eq!(rule(Gate::Order, &facts), Some("stock-short".into()));
    }

    #[test]
    fn a_mandate_and_a_document_count_to_the_end_of_their_last_day() {
        let mut facts = ordering(1, 0);
        facts.document_valid_to = Some(facts.date);
        assert_eq!(rule(Gate::Identity, &facts), None);
        facts.document_valid_to = Some(date(2026, 11, 21));
        assert_eq!(
            rule(Gate::Identity, &facts),
            Some("document-expired".into())
        );
        facts.date = date(2026, 12, 31);
        facts.document_valid_to = None;
        assert_eq!(rule(Gate::Info, &facts), None);
        facts.date = date(2027, 1, 1);
        assert_eq!(rule(Gate::Info, &facts), Some("mandate-expired".into()));
    }

    #[test]
    fn a_card_nobody_can_tell_from_a_copy_is_refused_unless_policy_takes_any() {
        let refused = Some("card-not-proven".to_owned());
        for (trust, any_card, expected) in [
            (CardTrust::Unproven, false, refused),
            (CardTrust::Unproven, true, None),
            (CardTrust::Host, false, None),
            (CardTrust::Dynamic, false, None),
        ] {
            let facts = Facts {
                card_trust: Some(trust),
                any_card,
                ..Facts::default()
            };
            assert_eq!(rule(Gate::Info, &facts), expected, "{trust:?}");
        }
    }

    #[test]
    fn outside_opening_hours_nothing_is_sold() {
        let mut facts = Facts {
            hours: Some((time(9, 0, 0, 0), time(17, 0, 0, 0))),
            time: time(17, 0, 0, 0),
            ..Facts::default()
        };
        assert_eq!(rule(Gate::Info, &facts), None);
        facts.time = time(17, 0, 1, 0);
        assert_eq!(rule(Gate::Info, &facts), Some("closed-hours".into()));
    }

    #[test]
    fn what_is_not_known_breaks_no_rule() {
        assert_eq!(rule(Gate::Info, &Facts::default()), None);
        assert_eq!(rule(Gate::Identity, &Facts::default()), None);
    }
}
