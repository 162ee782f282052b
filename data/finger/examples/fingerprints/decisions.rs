//! Whole decisions: `verify` at the threshold a bank works with.
//!
//! Owns the two questions beyond pairs: how several enrolled impressions decide, and whether a
//! changed print is still taken for itself.

use crate::measure::{Sample, spread};
use crate::study::Measured;
use counterfoil_finger::{Template, verify};

/// One stranger in 10,000.
const THRESHOLD: f32 = 4.0;

/// One finger with its enrolled impressions.
struct Enrolled<'a> {
    set: usize,
    finger: u32,
    templates: Vec<Template>,
    live: Vec<&'a Sample>,
}

/// The first `count` impressions of each finger are enrolled, the others are live.
fn enrol(sets: &[Measured], count: usize) -> Vec<Enrolled<'_>> {
    let mut all = Vec::new();
    for (set, measured) in sets.iter().enumerate() {
        for prints in measured.samples.chunk_by(|a, b| a.finger == b.finger) {
            let (first, live) = prints.split_at(count.min(prints.len()));
            let templates = first.iter().filter_map(|s| s.template.as_ref().ok());
            all.push(Enrolled {
                set,
                finger: prints[0].finger,
                templates: templates.cloned().collect(),
                live: live.iter().collect(),
            });
        }
    }
    all
}

/// Tries and acceptances.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Count {
    tries: usize,
    accepted: usize,
}

impl Count {
    const fn add(&mut self, accepted: bool) {
        self.tries += 1;
        self.accepted += accepted as usize;
    }
}

/// Own fingers and strangers, over all live prints.
fn decide(all: &[Enrolled], threads: usize) -> (Count, Count) {
    let each = spread(threads, all.len(), |n| {
        let (mut own, mut strangers) = (Count::default(), Count::default());
        let person = &all[n];
        for other in all.iter().filter(|other| other.set == person.set) {
            for live in &other.live {
                let score = live.template.as_ref().ok();
                let score = score.map(|live| verify(live, &person.templates));
                let accepted = score.is_some_and(|score| score.reaches(THRESHOLD));
                let count = if other.finger == person.finger {
                    &mut own
                } else {
                    &mut strangers
                };
                count.add(accepted);
            }
        }
        (own, strangers)
    });
    let sum = |a: Count, b: &Count| Count {
        tries: a.tries + b.tries,
        accepted: a.accepted + b.accepted,
    };
    each.iter()
        .fold(Default::default(), |(own, strangers), (o, s)| {
            (sum(own, o), sum(strangers, s))
        })
}

/// Prints how many own fingers and strangers are accepted.
pub fn print_enrolled(sets: &[Measured], count: usize, threads: usize) {
    let (own, strangers) = decide(&enrol(sets, count), threads);
    println!("impressions 1..{count} enrolled, each other one live, accepted at {THRESHOLD:.1}:");
    for (who, count) in [("own finger", own), ("strangers", strangers)] {
        let share = 100.0 * count.accepted as f64 / count.tries.max(1) as f64;
        println!(
            "  {who:<12}{} of {} ({share:.3} %)",
            count.accepted, count.tries
        );
    }
    println!();
}

/// Prints how many changed prints are still taken for what they were.
pub fn print_changed(sets: &[Measured]) {
    let mut count = Count::default();
    let mut least: Option<(f32, String)> = None;
    for set in sets {
        for sample in &set.samples {
            let Some(before) = &sample.unchanged else {
                continue;
            };
            let after = sample.template.as_ref().ok();
            let score = after.map_or(0.0, |t| verify(t, std::slice::from_ref(before)).value());
            count.add(score >= THRESHOLD);
            if least.as_ref().is_none_or(|(lowest, _)| score < *lowest) {
                least = Some((score, format!("{} {}", set.name, sample.name)));
            }
        }
    }
    let Some((score, which)) = least else { return };
    let Count { tries, accepted } = count;
    println!(
        "changed print against itself unchanged: {accepted} of {tries} accepted at {THRESHOLD:.1}"
    );
    println!("  lowest score {score:.2}: {which}\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{Comparison, Print, take};
    use counterfoil_finger::synth::{Contact, Finger};

    #[test]
    fn live_prints_are_tried_with_their_own_finger_and_with_every_stranger() {
        let mut samples = Vec::new();
        for finger in [1, 2, 3] {
            let grown = Finger::from_seed(u64::from(finger));
            for impression in 1..=4 {
                let contact = Contact::natural(u64::from(finger * 10 + impression));
                let print = Print {
                    name: String::new(),
                    finger,
                    impression,
                    image: Ok(grown.impression(&contact)),
                };
                samples.push(take(print, None));
            }
        }
        let set = Measured::new("s".to_owned(), samples, Comparison::default(), 0);
        let sets = [set];
        let all = enrol(&sets, 3);
        assert!(
            all.iter()
                .all(|e| e.templates.len() == 3 && e.live.len() == 1)
        );
        let (own, strangers) = decide(&all, 2);
        let count = |tries, accepted| Count { tries, accepted };
        assert_eq!((own, strangers), (count(3, 3), count(6, 0)));
    }
}
