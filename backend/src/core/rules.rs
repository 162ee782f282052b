//! Rules as versioned data: id, gate, remedy, parameters, and the fact that breaks it (S4).
//!
//! A rule knows facts, no tables. Which rules are on and their parameters are the
//! bank's policy, whose version is in every refusal. The customer's words for an id are
//! in the locales; the staff text here is exact. Called by every gate, and again with
//! fresh facts by linked processing (L1).

mod table;
mod terms;

use counterfoil_data::wire::problem::{Remedy, RuleRefusal};

use super::facts::Facts;
use super::record::bank::Policy;
pub use table::RULES;
pub use terms::Terms;

/// Where a rule is asked; all three again at linking.
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
    /// Whether a policy may switch it off by its id.
    pub optional: bool,
    /// Its parameters in force, in words.
    pub terms: fn(&Terms) -> String,
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
/// An order of so many forms needs a second enrolled finger (S13).
pub const SECOND_FINGER: &str = "second-finger";
/// It needs one, and only one is enrolled.
pub const ONE_FINGER: &str = "one-finger";
/// The engine cannot read the enrolled prints, so nothing was compared (S13).
pub const ENROL_AGAIN: &str = "enrol-again";
/// The citizen register does not agree with the document (联网核查).
pub const CITIZEN_CHECK: &str = "citizen-check";

/// Whether a policy may switch this rule off.
pub fn may_be_off(id: &str) -> bool {
    let mut of_id = RULES.iter().filter(|rule| rule.id == id).peekable();
    of_id.peek().is_some() && of_id.all(|rule| rule.optional)
}

/// The first rule of a gate that is on and that these facts break.
pub fn judge(gate: Gate, facts: &Facts, policy: &Policy) -> Option<RuleRefusal> {
    let is_on = |rule: &Rule| !policy.rules_off.iter().any(|off| off == rule.id);
    let rules = RULES.iter().filter(|rule| rule.gate == gate && is_on(rule));
    let mut broken = rules.filter_map(|rule| {
        let staff = (rule.broken)(facts)?;
        Some(RuleRefusal {
            rule: rule.id.to_owned(),
            version: policy.version,
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
        ENROL_AGAIN => (
            "the enrolled prints are of another engine version: enrol the agent again",
            Remedy::CallStaff,
        ),
        FINGER_MISMATCH => ("score below the threshold", Remedy::Retry),
        ONE_FINGER => (
            "only one finger is enrolled: enrol another",
            Remedy::ChangeOrder,
        ),
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
mod tests;
