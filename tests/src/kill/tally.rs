//! What all clients together saw: whose every number is, and how much was looked at.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use counterfoil_data::bill::BillNumber;
use counterfoil_data::ids::SaleId;

/// Counted over a whole run.
#[derive(Debug, Default)]
pub struct Tally {
    /// Commands that were answered.
    pub answered: Cell<u64>,
    /// Sales closed.
    pub closed: Cell<u64>,
    /// Sales found as they were told, to the byte.
    pub compared: Cell<u64>,
    numbers: RefCell<BTreeMap<BillNumber, SaleId>>,
    linked: Cell<u64>,
    broken_off: Cell<u64>,
    again: Cell<u64>,
    again_to_the_byte: Cell<u64>,
    done: Cell<u64>,
    undone: Cell<u64>,
    starts: RefCell<Vec<Duration>>,
}

fn one(count: &Cell<u64>) {
    count.set(count.get().saturating_add(1));
}

impl Tally {
    /// Numbers that a sale was told to have; another sale that has one of them.
    pub fn sold<'a>(
        &self,
        sale: SaleId,
        numbers: impl Iterator<Item = &'a BillNumber>,
    ) -> Option<SaleId> {
        one(&self.linked);
        let mut all = self.numbers.borrow_mut();
        let others = numbers.filter_map(|number| all.insert(*number, sale));
        others.filter(|other| *other != sale).last()
    }

    /// Numbers that went back.
    pub fn released<'a>(&self, numbers: impl Iterator<Item = &'a BillNumber>) -> Option<SaleId> {
        one(&self.broken_off);
        let mut all = self.numbers.borrow_mut();
        for number in numbers {
            all.remove(number);
        }
        None
    }

    /// A request without an answer, and whether it was done.
    pub fn unanswered(&self, done: bool) {
        one(if done { &self.done } else { &self.undone });
    }

    /// A stored answer was given again.
    pub fn replayed(&self, to_the_byte: bool) {
        one(&self.again);
        if to_the_byte {
            one(&self.again_to_the_byte);
        }
    }

    /// From the start of the process to its first good answer.
    pub fn started(&self, took: Duration) {
        self.starts.borrow_mut().push(took);
    }

    /// Median and maximum of those times.
    pub fn starts(&self) -> (Duration, Duration) {
        let mut starts = self.starts.borrow().clone();
        starts.sort();
        let middle = starts.get(starts.len() / 2).copied().unwrap_or_default();
        (middle, starts.last().copied().unwrap_or_default())
    }

    /// What was seen, in lines.
    pub fn lines(&self) -> Vec<String> {
        let (middle, most) = self.starts();
        let of = |count: &Cell<u64>| count.get();
        vec![
            format!(
                "{} commands answered, {} sales linked, {} closed, {} broken off",
                of(&self.answered),
                of(&self.linked),
                of(&self.closed),
                of(&self.broken_off)
            ),
            format!(
                "without an answer: {} were done, {} were not; {} sales found as told to the byte",
                of(&self.done),
                of(&self.undone),
                of(&self.compared)
            ),
            format!(
                "{} stored answers given again, {} of them the newest: the same to the byte",
                of(&self.again),
                of(&self.again_to_the_byte)
            ),
            format!(
                "from start to the first 200 after a kill: p50 {} ms, at most {} ms, of {}",
                middle.as_millis(),
                most.as_millis(),
                self.starts.borrow().len()
            ),
        ]
    }

    /// Why the run proves too little.
    pub fn too_little(&self) -> Option<&'static str> {
        let seen = [
            &self.linked,
            &self.closed,
            &self.compared,
            &self.again_to_the_byte,
            &self.done,
            &self.undone,
        ];
        let none = seen.iter().any(|count| count.get() == 0);
        none.then_some("something was never looked at: make more kills")
    }
}
