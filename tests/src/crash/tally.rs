//! How often each kind of blow fell on each state of the sale.

use std::collections::{BTreeMap, BTreeSet};

use counterfoil_data::wire::forms::FormState;
use counterfoil_tui::model::FormPhase;

use super::check::Findings;
use super::plan::Victim;
use super::screens::{DISPENSING, LINKING, RESUMING, TAKE_FORMS};

/// Rounds after which a kind of blow that never fell is a failure.
const ENOUGH_ROUNDS: u32 = 50;
/// Of so many planned blows one may never be due.
const NEVER_DUE_ONE_IN: u32 = 4;
/// Phases of a form that a good run strikes.
const PHASES: [FormPhase; 5] = [
    FormPhase::Asking,
    FormPhase::Feeding,
    FormPhase::Reading,
    FormPhase::Printing,
    FormPhase::Presenting,
];
/// Other states of a sale that it strikes.
const SCREENS: [&str; 3] = [LINKING, TAKE_FORMS, RESUMING];

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
        lines.push(format!(
            "{} blows struck, {} were never due",
            self.struck(),
            self.missed
        ));
        lines
    }

    fn struck(&self) -> u32 {
        self.hits.values().copied().fold(0, u32::saturating_add)
    }

    /// What many rounds ought to have struck and did not: then they prove less than
    /// they say.
    pub fn shortfalls(&self) -> Vec<String> {
        if self.rounds < ENOUGH_ROUNDS {
            return Vec::new();
        }
        let phases = PHASES.map(|phase| format!("{DISPENSING}/{phase:?}"));
        let wanted = phases.into_iter().chain(SCREENS.map(str::to_owned));
        let never = wanted.filter(|state| !self.hits.keys().any(|(_, hit)| hit == state));
        let mut short: Vec<String> = never
            .map(|state| format!("never struck: {state}"))
            .collect();
        let planned = self.struck().saturating_add(self.missed);
        if self.missed.saturating_mul(NEVER_DUE_ONE_IN) > planned {
            let missed = self.missed;
            short.push(format!("{missed} of {planned} blows were never due"));
        }
        short
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_rounds_that_strike_too_little_are_told() {
        let findings = Findings::default();
        let mut tally = Tally::default();
        for _ in 0..ENOUGH_ROUNDS {
            assert!(tally.shortfalls().is_empty(), "few rounds prove nothing");
            tally.round(&findings);
        }
        assert_eq!(tally.shortfalls().len(), PHASES.len() + SCREENS.len());
        for phase in PHASES {
            tally.hit(Victim::Kiosk, format!("{DISPENSING}/{phase:?}"));
        }
        for screen in SCREENS {
            tally.hit(Victim::Backend, screen.to_owned());
        }
        assert_eq!(tally.shortfalls(), [""; 0]);
        tally.missed(3);
        assert_eq!(tally.shortfalls(), ["3 of 11 blows were never due"]);
    }
}
