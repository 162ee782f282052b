//! The model store: the specification of what a store does. In memory, one
//! thread; a snapshot is a copy-on-write share, so it stays as it was.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::{Changes, From, Key, RANGE_MAX, Read, Row, Snapshots, Store, StoreError};

type Tree = BTreeMap<Key, Vec<u8>>;

#[derive(Default)]
struct Books {
    epoch: u64,
    rows: Rc<Tree>,
}

/// Books in memory; clones share them.
#[derive(Clone, Default)]
pub struct ModelStore(Rc<RefCell<Books>>);

impl ModelStore {
    /// Empty books.
    pub fn new() -> Self {
        Self::default()
    }
}

struct ModelSnapshot(Rc<Tree>);

impl Read for ModelSnapshot {
    fn read(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.get(key).cloned())
    }

    fn range(
        &self,
        low: &[u8],
        high: &[u8],
        end: From,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        if low >= high {
            return Ok(Vec::new());
        }
        let rows = self.0.range(low.to_vec()..high.to_vec());
        let limit = limit.min(RANGE_MAX);
        let own = |(k, v): (&Key, &Vec<u8>)| (k.clone(), v.clone());
        Ok(match end {
            From::First => rows.take(limit).map(own).collect(),
            From::Last => rows.rev().take(limit).map(own).collect(),
        })
    }
}

impl Snapshots for ModelStore {
    fn snapshot(&self) -> Result<Box<dyn Read>, StoreError> {
        Ok(Box::new(ModelSnapshot(Rc::clone(&self.0.borrow().rows))))
    }
}

impl Store for ModelStore {
    fn seize(&mut self) -> Result<u64, StoreError> {
        let mut books = self.0.borrow_mut();
        books.epoch = books.epoch.saturating_add(1);
        Ok(books.epoch)
    }

    fn flush(&mut self, epoch: u64, changes: &Changes) -> Result<(), StoreError> {
        let mut books = self.0.borrow_mut();
        if books.epoch != epoch {
            return Err(StoreError::Fenced {
                found: books.epoch,
                held: epoch,
            });
        }
        let rows = Rc::make_mut(&mut books.rows);
        for (key, value) in changes {
            match value {
                Some(value) => rows.insert(key.clone(), value.clone()),
                None => rows.remove(key),
            };
        }
        Ok(())
    }
}
