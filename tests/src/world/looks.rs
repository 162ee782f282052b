//! What lies where, in few words, for the desk.

use super::World;

/// Longest fact about one device on the desk, in characters.
const FACT_MAX: usize = 60;

fn brief<'a>(name: &str, facts: impl Iterator<Item = &'a String>) -> String {
    let told: Vec<String> = facts
        .map(|fact| fact.chars().take(FACT_MAX).collect())
        .collect();
    format!("{name}: {}", told.join(", "))
}

impl World {
    /// What lies where, for the desk: the changing fact of every twin, packed
    /// into few lines.
    pub fn looks(&self) -> Vec<String> {
        let looks = self.bus.look();
        let fact = |(name, facts): &(String, Vec<String>)| match name.as_str() {
            // Two cassettes, and what the customer can reach.
            "form-printer" => brief(
                name,
                facts
                    .iter()
                    .take(2)
                    .chain(facts.iter().find(|f| f.starts_with("output"))),
            ),
            _ => brief(name, facts.iter().take(1)),
        };
        let state = |on: bool, yes: &str, no: &str| if on { yes.to_owned() } else { no.to_owned() };
        let power = format!(
            "kiosk {}, network {}, backend {}",
            state(self.kiosk_on(), "on", "OFF"),
            state(!self.network.is_cut(), "whole", "CUT"),
            state(self.house.is_on(), "on", "OFF"),
        );
        vec![
            looks
                .iter()
                .map(fact)
                .chain([power])
                .collect::<Vec<_>>()
                .join(" | "),
        ]
    }
}
