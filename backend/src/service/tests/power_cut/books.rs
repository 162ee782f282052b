//! Stores between the service and redb: one that remembers every state the books were
//! in, and some that are broken on purpose.

use std::cell::RefCell;
use std::rc::Rc;

use sha2::{Digest as _, Sha256};

use super::disk::Disk;
use crate::core::key::Table;
use crate::core::overlay::Overlay;
use crate::core::record::sale::SaleRow;
use crate::core::record::{decode, encode};
use crate::store::{Changes, From, Key, Read, Row, Snapshots, Store, StoreError, each_row};

/// All rows but the store's own as one number: the sum of their hashes, so that a change
/// changes it by what changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Print(u128);

impl Print {
    /// Of everything in the books.
    pub fn of(read: &dyn Read) -> Result<Self, StoreError> {
        let mut print = Self::default();
        each_row(read, first(), &[u8::MAX], |key, row| {
            print.0 = print.0.wrapping_add(hash(&key, &row));
            Ok::<_, StoreError>(())
        })?;
        Ok(print)
    }

    /// After these changes.
    fn changed(mut self, read: &dyn Read, changes: &Changes) -> Result<Self, StoreError> {
        for (key, row) in changes {
            if let Some(old) = read.read(key)? {
                self.0 = self.0.wrapping_sub(hash(key, &old));
            }
            if let Some(row) = row {
                self.0 = self.0.wrapping_add(hash(key, row));
            }
        }
        Ok(self)
    }
}

/// The first key that is not the store's own.
pub fn first() -> Key {
    vec![Table::Meta as u8 + 1]
}

fn hash(key: &[u8], row: &[u8]) -> u128 {
    let hash = Sha256::new()
        .chain_update((key.len() as u64).to_be_bytes())
        .chain_update(key)
        .chain_update(row)
        .finalize();
    u128::from_be_bytes(hash[..16].try_into().expect("16 bytes"))
}

/// A state the books were brought to.
#[derive(Debug, Clone, Copy)]
pub struct State {
    /// Things done to the disk when its commit began.
    pub begun: usize,
    /// And when it was said to be durable; `None` if it never was.
    pub done: Option<usize>,
    pub print: Print,
}

/// Remembers every state.
#[derive(Clone)]
pub struct Recorded<S> {
    pub store: S,
    disk: Disk,
    pub states: Rc<RefCell<Vec<State>>>,
}

impl<S: Store> Recorded<S> {
    /// Begins with what there is.
    pub fn new(store: S, disk: &Disk) -> Result<Self, StoreError> {
        let print = Print::of(&*store.snapshot()?)?;
        let now = State {
            begun: 0,
            done: Some(0),
            print,
        };
        Ok(Self {
            store,
            disk: disk.clone(),
            states: Rc::new(RefCell::new(vec![now])),
        })
    }
}

impl<S: Store> Snapshots for Recorded<S> {
    fn snapshot(&self) -> Result<Box<dyn Read>, StoreError> {
        self.store.snapshot()
    }
}

impl<S: Store> Store for Recorded<S> {
    fn seize(&mut self) -> Result<u64, StoreError> {
        self.store.seize()
    }

    fn flush(&mut self, epoch: u64, changes: &Changes) -> Result<(), StoreError> {
        let begun = self.disk.done();
        let last = self.states.borrow().last().expect("one").print;
        let print = last.changed(&*self.store.snapshot()?, changes)?;
        let at = self.states.borrow().len();
        let done = None;
        self.states.borrow_mut().push(State { begun, done, print });
        self.store.flush(epoch, changes)?;
        self.states.borrow_mut()[at].done = Some(self.disk.done());
        Ok(())
    }
}

/// Broken on purpose: says that a commit is durable and makes it so with the next one.
#[derive(Clone)]
pub struct Late<S>(pub S, Rc<RefCell<Changes>>);

impl<S> Late<S> {
    pub fn new(store: S) -> Self {
        Self(store, Rc::default())
    }
}

struct Layered(Box<dyn Read>, Changes);

impl Layered {
    fn over(&self) -> Overlay<'_> {
        let mut books = Overlay::new(&*self.0);
        books.absorb(self.1.clone());
        books
    }
}

impl Read for Layered {
    fn read(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.over().read(key)
    }

    fn range(
        &self,
        low: &[u8],
        high: &[u8],
        end: From,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        self.over().range(low, high, end, limit)
    }
}

impl<S: Store> Snapshots for Late<S> {
    fn snapshot(&self) -> Result<Box<dyn Read>, StoreError> {
        let late = self.1.borrow().clone();
        Ok(Box::new(Layered(self.0.snapshot()?, late)))
    }
}

impl<S: Store> Store for Late<S> {
    fn seize(&mut self) -> Result<u64, StoreError> {
        self.0.seize()
    }

    fn flush(&mut self, epoch: u64, changes: &Changes) -> Result<(), StoreError> {
        let before = self.1.replace(changes.clone());
        self.0.flush(epoch, &before)
    }
}

/// What a store forgets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forgets {
    /// Stored answers, and what a sale's keys did.
    Keys,
    /// Attempts that were counted.
    Attempts,
}

/// Broken on purpose: does not keep everything.
#[derive(Clone)]
pub struct Forgetful<S>(pub S, pub Forgets);

impl<S: Store> Snapshots for Forgetful<S> {
    fn snapshot(&self) -> Result<Box<dyn Read>, StoreError> {
        self.0.snapshot()
    }
}

impl<S: Store> Store for Forgetful<S> {
    fn seize(&mut self) -> Result<u64, StoreError> {
        self.0.seize()
    }

    fn flush(&mut self, epoch: u64, changes: &Changes) -> Result<(), StoreError> {
        let is = |key: &Key, table: Table| key.first() == Some(&(table as u8));
        let keys = self.1 == Forgets::Keys;
        let forgotten: &[Table] = match self.1 {
            Forgets::Keys => &[Table::Answer, Table::AnswerAge],
            Forgets::Attempts => &[Table::Attempt],
        };
        let mut kept = Changes::new();
        for (key, row) in changes {
            if forgotten.iter().any(|table| is(key, *table)) {
                continue;
            }
            let mut row = row.clone();
            if let Some(bytes) = row.as_mut().filter(|_| keys && is(key, Table::Sale)) {
                let mut sale: SaleRow = decode(bytes)?;
                sale.keyed.clear();
                *bytes = encode(&sale)?;
            }
            kept.insert(key.clone(), row);
        }
        self.0.flush(epoch, &kept)
    }
}

/// Broken on purpose: makes two commits of one.
#[derive(Clone)]
pub struct Halved<S>(pub S);

impl<S: Store> Snapshots for Halved<S> {
    fn snapshot(&self) -> Result<Box<dyn Read>, StoreError> {
        self.0.snapshot()
    }
}

impl<S: Store> Store for Halved<S> {
    fn seize(&mut self) -> Result<u64, StoreError> {
        self.0.seize()
    }

    fn flush(&mut self, epoch: u64, changes: &Changes) -> Result<(), StoreError> {
        let mut first = changes.clone();
        let half = changes.keys().nth(changes.len() / 2).cloned();
        let second = first.split_off(&half.unwrap_or_default());
        self.0.flush(epoch, &first)?;
        self.0.flush(epoch, &second)
    }
}
