//! How often each kind of blow fell on each state of the sale.

use std::collections::{BTreeMap, BTreeSet};

use counterfoil_data::wire::forms::FormState;

use super::check::Findings;
use super::plan::Victim;

/// Rounds after which a kind of blow that never fell is worth a word.
const ENOUGH_ROUNDS: u32 = 50;
/// States of a sale that a good run strikes.
const WANTED: [&str; 8] = [
    "Dispensing/Asking",
    "Dispensing/Feeding",
    "Dispensing/Reading",
    "Dispensing/Printing",
    "Dispensing/Presenting",
    "Linking",
    "TakeForms",
    "Resuming",
];

/// Counts over rounds.
#[derive(Debug, Default)]
pub struct Tally {
    hits: BTreeMap<(Victim, String), u32>,
    forms: BTreeMap<FormState, u32>,
    missed: u32,
    frozen: u32,
    rounds: u32,
    sales: u32,
}

impl Tally {
    /// A blow fell while the kiosk showed this.
    pub fn hit(&mut self, victim: Victim, state: String) {
        let count = self.hits.entry((victim, state)).or_default();
        *count = count.saturating_add(1);
    }

    /// Blows of a round that were never due.
    pub fn missed(&mut self, blows: usize) {
        let blows = u32::try_from(blows).unwrap_or(u32::MAX);
        self.missed = self.missed.saturating_add(blows);
    }

    /// What one round came to.
    pub fn round(&mut self, findings: &Findings) {
        self.rounds = self.rounds.saturating_add(1);
        self.sales = self.sales.saturating_add(findings.linked);
        self.frozen = self.frozen.saturating_add(findings.frozen);
        for (state, count) in &findings.forms {
            let sum = self.forms.entry(*state).or_default();
            *sum = sum.saturating_add(*count);
        }
    }

    /// Takes another's counts in.
    pub fn add(&mut self, other: Self) {
        for ((victim, state), count) in other.hits {
            let sum = self.hits.entry((victim, state)).or_default();
            *sum = sum.saturating_add(count);
        }
        for (state, count) in other.forms {
            let sum = self.forms.entry(state).or_default();
            *sum = sum.saturating_add(count);
        }
        self.missed = self.missed.saturating_add(other.missed);
        self.frozen = self.frozen.saturating_add(other.frozen);
        self.rounds = self.rounds.saturating_add(other.rounds);
        self.sales = self.sales.saturating_add(other.sales);
    }

    /// The table, line by line.
    pub fn lines(&self) -> Vec<String> {
        let states: BTreeSet<&String> = self.hits.keys().map(|(_, state)| state).collect();
        let victims = [
            Victim::Kiosk,
            Victim::Backend,
            Victim::Both,
            Victim::Network,
        ];
        let mut lines = vec![format!(
            "{:<26}{:>8}{:>9}{:>15}{:>9}",
            "struck while it showed", "kiosk", "backend", "kiosk+backend", "network"
        )];
        for state in states {
            let [k, b, both, n] = victims.map(|v| {
                let count = self.hits.get(&(v, state.clone()));
                count.copied().unwrap_or(0)
            });
            lines.push(format!("{state:<26}{k:>8}{b:>9}{both:>15}{n:>9}"));
        }
        let forms = self.forms.iter().map(|(state, n)| format!("{n} {state:?}"));
        let forms = forms.collect::<Vec<_>>().join(", ");
        lines.push(format!(
            "{} sales linked; forms: {forms}; {} of the unknown never left the cassette",
            self.sales, self.frozen
        ));
        lines.push(format!("{} blows were never due", self.missed));
        for state in WANTED {
            let never = !self.hits.keys().any(|(_, hit)| hit == state);
            if never && self.rounds >= ENOUGH_ROUNDS {
                lines.push(format!("never struck: {state}"));
            }
        }
        lines
    }
}
