//! How often each kind of blow fell on each state of the sale.

use std::collections::{BTreeMap, BTreeSet};

use counterfoil_data::wire::forms::FormState;
use counterfoil_tui::model::FormPhase;

use super::check::Findings;
use super::fault::{KINDS, Kind};
use super::plan::Victim;
use super::screens::{DISPENSING, LINKING, RESUMING, TAKE_FORMS};

/// Rounds after which it is told what was never struck.
const ENOUGH_ROUNDS: u32 = 50;
/// Rounds after which every fault must have happened.
const ALL_FAULTS_ROUNDS: u32 = 200;
/// Faults told in one line.
const FAULTS_A_LINE: usize = 5;
/// Of so many planned blows one may never be due.
const NEVER_DUE_ONE_IN: u32 = 2;
/// In so many rounds at least one blow must fall while paper moves.
const PAPER_ONE_IN: u32 = 4;
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
    faults: BTreeMap<Kind, u32>,
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

    /// This went wrong.
    pub fn fault(&mut self, kind: Kind) {
        let count = self.faults.entry(kind).or_default();
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
        for (kind, count) in other.faults {
            let sum = self.faults.entry(kind).or_default();
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
        let told = |kind: &Kind| format!("{kind} {}", self.faults.get(kind).unwrap_or(&0));
        lines.push("went wrong, so often:".to_owned());
        lines.extend(KINDS.chunks(FAULTS_A_LINE).map(|kinds| {
            let told: Vec<String> = kinds.iter().map(told).collect();
            format!("  {}", told.join(", "))
        }));
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

    /// What makes many rounds prove nothing, whatever they found: hardly a blow fell
    /// while paper moved, or half of them were never due, or a kind of fault is missing.
    pub fn failures(&self) -> Vec<String> {
        if self.rounds < ENOUGH_ROUNDS {
            return Vec::new();
        }
        let paper = self
            .hits
            .iter()
            .filter(|((_, s), _)| s.starts_with(DISPENSING));
        let paper = paper.fold(0_u32, |sum, (_, n)| sum.saturating_add(*n));
        let mut failures = Vec::new();
        if paper.saturating_mul(PAPER_ONE_IN) < self.rounds {
            let rounds = self.rounds;
            failures.push(format!(
                "only {paper} blows in {rounds} rounds fell while paper moved"
            ));
        }
        if self.rounds >= ALL_FAULTS_ROUNDS {
            let never = KINDS.iter().filter(|kind| !self.faults.contains_key(kind));
            failures.extend(never.map(|kind| format!("never happened: {kind}")));
        }
        let planned = self.struck().saturating_add(self.missed);
        if self.missed.saturating_mul(NEVER_DUE_ONE_IN) > planned {
            let missed = self.missed;
            failures.push(format!("{missed} of {planned} blows were never due"));
        }
        failures
    }

    /// States that many rounds happened not to strike. Some last milliseconds, so
    /// that a busy machine may miss them: told, and no failure.
    pub fn never_struck(&self) -> Vec<String> {
        if self.rounds < ENOUGH_ROUNDS {
            return Vec::new();
        }
        let phases = PHASES.map(|phase| format!("{DISPENSING}/{phase:?}"));
        let wanted = phases.into_iter().chain(SCREENS.map(str::to_owned));
        let never = wanted.filter(|state| !self.hits.keys().any(|(_, hit)| hit == state));
        never
            .map(|state| format!("never struck: {state}"))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_hundred_rounds_without_one_kind_of_fault_fail() {
        let mut tally = Tally::default();
        for _ in 0..ALL_FAULTS_ROUNDS {
            tally.round(&Findings::default());
            tally.hit(Victim::Kiosk, DISPENSING.to_owned());
        }
        for kind in KINDS.into_iter().filter(|kind| *kind != Kind::TwoBlanks) {
            tally.fault(kind);
        }
        assert_eq!(tally.failures(), ["never happened: two blanks"]);
        tally.fault(Kind::TwoBlanks);
        assert_eq!(tally.failures(), [""; 0]);
    }

    #[test]
    fn many_rounds_that_strike_too_little_are_told() {
        let findings = Findings::default();
        let mut tally = Tally::default();
        for _ in 0..ENOUGH_ROUNDS {
            assert!(tally.failures().is_empty(), "few rounds prove nothing");
            tally.round(&findings);
        }
        assert_eq!(tally.never_struck().len(), PHASES.len() + SCREENS.len());
        assert_eq!(
            tally.failures(),
            ["only 0 blows in 50 rounds fell while paper moved"]
        );
        for phase in PHASES.into_iter().cycle().take(13) {
            tally.hit(Victim::Kiosk, format!("{DISPENSING}/{phase:?}"));
        }
        for screen in SCREENS {
            tally.hit(Victim::Backend, screen.to_owned());
        }
        assert_eq!(tally.never_struck(), [""; 0]);
        assert_eq!(tally.failures(), [""; 0]);
        tally.missed(17);
        assert_eq!(tally.failures(), ["17 of 33 blows were never due"]);
    }
}
