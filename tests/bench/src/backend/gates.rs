//! What the backend must keep, each as a ratio or a bound of one run.

use super::contest::{Contender, Results};
use super::queue::Slice;

/// Memory of the service that is not counted: its cache, one argon2 block of 19 MiB, the
/// matcher's 8 MiB.
pub const MEMORY_APART_MIB: f64 = 64.0 + 19.0 + 8.0;

/// A requirement and what was seen.
pub struct Gate {
    pub what: String,
    pub seen: f64,
    pub bound: f64,
    /// Whether more than the bound is right (else less).
    pub is_floor: bool,
}

impl Gate {
    fn floor(what: &str, seen: f64, bound: f64) -> Self {
        Self {
            what: what.to_owned(),
            seen,
            bound,
            is_floor: true,
        }
    }

    pub fn is_kept(&self) -> bool {
        match self.is_floor {
            true => self.seen >= self.bound,
            false => self.seen <= self.bound,
        }
    }
}

/// Median of what each slice gives; 0 without slices.
pub fn median(results: &Results, who: (Contender, usize), of: impl Fn(&Slice) -> f64) -> f64 {
    let slices = results.slices.get(&who);
    middle(slices.into_iter().flatten().map(of).collect())
}

pub fn middle(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(0.0)
}

/// Median over the slices of one contender's rate by another's of the same turn.
fn ratio(results: &Results, one: Contender, other: Contender, clients: usize) -> f64 {
    let of = |who| results.slices.get(&(who, clients));
    let (Some(ones), Some(others)) = (of(one), of(other)) else {
        return 0.0;
    };
    let pairs = ones.iter().zip(others);
    middle(pairs.map(|(one, other)| one.rate() / other.rate()).collect())
}

/// Every gate.
pub fn all(results: &Results) -> Vec<Gate> {
    use Contender::{Grouped, Http, Postgres, Raw, Single};
    let commit = median(results, (Grouped, 64), Slice::commit_ms);
    let slow = median(results, (Http, 64), |slice| slice.wait_ms(990));
    let pages = results.pages.iter().map(|(ours, bare)| ours / bare).collect();
    vec![
        Gate::floor(
            "writer in groups by commit per sale, 64 clients",
            ratio(results, Grouped, Single, 64),
            4.0,
        ),
        Gate::floor(
            "service over HTTP by bare redb in groups, 64 clients",
            ratio(results, Http, Raw, 64),
            0.6,
        ),
        Gate::floor(
            "service over HTTP by PostgreSQL's best form, 64 clients",
            ratio(results, Http, Postgres, 64),
            2.0,
        ),
        Gate::floor("a page that does nothing by bare hyper", middle(pages), 0.8),
        Gate {
            what: "p99 over HTTP at 64 clients, in commits of a group".to_owned(),
            seen: if commit > 0.0 { slow / commit } else { f64::MAX },
            bound: 10.0,
            is_floor: false,
        },
        Gate::floor(
            "durable commands a second, whole sales in groups",
            middle(results.commands.clone()),
            5_000.0,
        ),
        Gate {
            what: "memory beyond cache, argon2 and matcher, MiB".to_owned(),
            seen: (results.memory_mib - MEMORY_APART_MIB).max(0.0),
            bound: 64.0,
            is_floor: false,
        },
    ]
}
