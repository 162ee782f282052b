//! Limits and waits of the rules and the kiosk.

use serde::Deserialize;

use crate::terms::Bounce;

/// When an officer must confirm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConfirmPolicy {
    /// Every order (S17-S22).
    Always,
    /// None: an order is confirmed by itself.
    Never,
}

/// Limits and waits of the rules and the kiosk.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Version of the rule set, in every refusal.
    pub version: u32,
    /// When an officer must confirm.
    pub confirm: ConfirmPolicy,
    /// Seconds until an officer's silence is a denial.
    pub confirm_within_s: u32,
    /// Tries of verification info before the sale is refused and the card locked.
    pub info_attempts: u32,
    /// Tries of identity before the sale is refused.
    pub identity_attempts: u32,
    /// Seconds a lock lasts.
    pub lock_for_s: u32,
    /// Seconds of a customer's silence that end a session.
    pub idle_s: u32,
    /// Seconds a sale may live before it is linked.
    pub sale_within_s: u32,
    /// Seconds until presented forms are retracted.
    pub take_within_s: u32,
    /// Least score of a finger comparison, -log10(FMR) in thousandths.
    pub finger_threshold_milli: u32,
    /// Seconds an agent's locks last after wrong fingers, from the first lock to the last,
    /// which repeats; without any, `lock_for_s`.
    #[serde(default)]
    pub finger_locks_s: Vec<u32>,
    /// Forms in one order that one finger is enough for; without it any number.
    pub second_finger_above: Option<u32>,
    /// Least score of two fingers together, for larger orders.
    #[serde(default = "two_fingers_milli")]
    pub two_finger_threshold_milli: u32,
    /// A sensible first choice of quantity.
    pub quantity_usual: u32,
    /// Which settlement cards are taken.
    pub cards: CardPolicy,
    /// Ids of rules that are not asked.
    #[serde(default)]
    pub rules_off: Vec<String>,
    /// Oldest regulator's list that is good enough, in days; without it none is needed.
    pub list_days_max: Option<u32>,
    /// How many returned cheques are too many; without it nobody asks.
    pub bounce: Option<Bounce>,
}

/// One stranger in 100,000.
fn two_fingers_milli() -> u32 {
    5_000
}

/// Which settlement cards are taken, by what is known of their authenticity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CardPolicy {
    /// Those that proved themselves dynamically or that their host confirmed.
    Proven,
    /// All.
    Any,
}
