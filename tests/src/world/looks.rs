//! What lies where, in few words, for the desk.

use super::World;

/// A fact of the form printer, short: how many, not which.
fn counted(fact: &str) -> String {
    let Some((place, what)) = fact.split_once(": ") else {
        return fact.to_owned();
    };
    // Whoever must read a form sees it.
    if place == "printer" {
        return fact.to_owned();
    }
    match what.split_once(" blanks") {
        Some((blanks, _)) => format!("{place} {blanks} blanks"),
        None => format!("{place} {}", what.split_whitespace().count()),
    }
}

impl World {
    /// What lies where, for the desk: three lines, whatever happens.
    pub fn looks(&self) -> Vec<String> {
        let looks = self.bus.look();
        let facts = |name: &str| -> Vec<String> {
            let mut of = looks.iter().filter(|(device, _)| device == name);
            of.next()
                .map(|(_, facts)| facts.clone())
                .unwrap_or_default()
        };
        let first = |name: &str| facts(name).into_iter().next().unwrap_or_default();
        let state = |on: bool, yes: &str, no: &str| if on { yes.to_owned() } else { no.to_owned() };
        let forms: Vec<String> = facts("form-printer").iter().map(|f| counted(f)).collect();
        let power = format!(
            "kiosk {}, network {}, backend {} | pin-pad: {}",
            state(self.kiosk_on(), "on", "OFF"),
            state(self.network_on(), "whole", "CUT"),
            state(self.backend_on(), "on", "OFF"),
            first("pin-pad"),
        );
        let hands = format!(
            "card {} | ID card: {} | finger {}",
            first("card-reader"),
            facts("id-reader").join(", "),
            first("finger"),
        );
        let paper = format!(
            "forms: {} | {}",
            forms.join(", "),
            facts("receipt-printer").join(", ")
        );
        vec![power, hands, paper]
    }
}
