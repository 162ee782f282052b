//! The writer: the one place where anything becomes durable.
//!
//! Takes whatever commands wait (at most [`GROUP_MAX`]), decides each over what
//! the earlier ones of the group changed, and flushes records, evidence leaves,
//! stored answers and outbox rows in one commit before anybody is answered.
//! Refuses to go on after any storage error: the process must end (fail-stop).
//! A thread calls it in production, a task in the testbed.

use counterfoil_data::tlog::note::{NoteSigner, checkpoint};
use ed25519_dalek::SigningKey;

use crate::core::command::{Answer, Command, GROUP_MAX};
use crate::core::decide::answer;
use crate::core::key::{self, Table};
use crate::core::log;
use crate::core::overlay::Overlay;
use crate::core::record::books::CheckpointRow;
use crate::core::refusal::Refusal;
use crate::store::{Changes, Key, Read, Store, StoreError};

/// The process must end; nobody of the group was answered.
#[derive(Debug, thiserror::Error)]
pub enum Fatal {
    /// The store failed or was taken over.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// More than [`GROUP_MAX`] commands: a defect of the caller.
    #[error("a group has at most {GROUP_MAX} commands, not {given}")]
    GroupTooLarge {
        /// How many were given.
        given: usize,
    },
}

/// One command of several was refused, so none was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Its place among them, from 0.
    pub at: usize,
    /// Why.
    pub refusal: Refusal,
}

/// What the evidence log's checkpoints are signed with.
pub struct LogKey {
    /// Origin line of checkpoints, for example `bank.example/counterfoil`.
    pub origin: String,
    /// Ed25519.
    pub key: SigningKey,
}

/// A commit in the making that has no bound but its memory.
pub struct Bulk<'a> {
    books: Overlay<'a>,
}

impl Bulk<'_> {
    /// Does one command; durable when the whole of it is.
    pub fn give(&mut self, command: &Command) -> Result<Answer, Fatal> {
        let (answer, changes) = answer(&self.books, command)?;
        self.books.absorb(changes);
        Ok(answer)
    }

    /// The books with everything done so far.
    pub fn read(&self) -> &dyn Read {
        &self.books
    }
}

/// How the writer before this one ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastEnd {
    /// There was none.
    New,
    /// It said that it ended.
    Graceful,
    /// It said nothing: it was killed, aborted, or lost its power.
    Untold,
}

impl LastEnd {
    /// In the log.
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "none: the books are new",
            Self::Graceful => "graceful",
            Self::Untold => "not graceful: killed, or without power",
        }
    }
}

/// The row of the last graceful end: the epoch that ended so. A later writer has another
/// epoch, so nobody has to take the row away, and none that was killed can seem to have
/// written it.
fn ended() -> Key {
    key::text(Table::Meta, "ended")
}

/// The writer of one store.
pub struct Writer<S: Store> {
    store: S,
    epoch: u64,
    log: LogKey,
}

impl<S: Store> Writer<S> {
    /// Takes the writer's seat: every earlier writer of this store is fenced off.
    pub fn open(mut store: S, log: LogKey) -> Result<Self, Fatal> {
        let epoch = store.seize()?;
        Ok(Self { store, epoch, log })
    }

    /// How the writer before this one ended.
    pub fn last_end(&self) -> Result<LastEnd, Fatal> {
        let before = self.epoch.saturating_sub(1);
        if before == 0 {
            return Ok(LastEnd::New);
        }
        let row = self.store.snapshot()?.read(&ended())?;
        let told = row.is_some_and(|row| row == before.to_be_bytes());
        Ok(if told {
            LastEnd::Graceful
        } else {
            LastEnd::Untold
        })
    }

    /// Says durably that this writer ends; everybody was answered.
    pub fn end(mut self) -> Result<(), Fatal> {
        let told = Some(self.epoch.to_be_bytes().to_vec());
        let changes = Changes::from([(ended(), told)]);
        Ok(self.store.flush(self.epoch, &changes)?)
    }

    /// The store, for snapshots.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// Does up to [`GROUP_MAX`] commands and answers them in order. When it
    /// returns, every answer is durable.
    pub fn step(&mut self, commands: Vec<Command>) -> Result<Vec<Answer>, Fatal> {
        if commands.len() > GROUP_MAX {
            return Err(Fatal::GroupTooLarge {
                given: commands.len(),
            });
        }
        let snapshot = self.store.snapshot()?;
        let mut books = Overlay::new(&*snapshot);
        let mut answers = Vec::with_capacity(commands.len());
        for command in &commands {
            let (answer, changes) = answer(&books, command)?;
            books.absorb(changes);
            answers.push(answer);
        }
        self.checkpoint(&mut books)?;
        let changes = books.into_changes();
        if !changes.is_empty() {
            self.store.flush(self.epoch, &changes)?;
        }
        Ok(answers)
    }

    /// Enrols a bank: all of `commands` in one commit, or nothing of them, so that no
    /// crash leaves half a bank. Happens once, before anybody waits, and so has no
    /// bound but the file it comes from. A bank's new terms come the same way. Gives
    /// the first refusal and the place of its command.
    pub fn enrol(&mut self, commands: &[Command]) -> Result<Result<(), Refused>, Fatal> {
        self.bulk(|bulk| {
            for (at, command) in commands.iter().enumerate() {
                if let Err(refusal) = bulk.give(command)?.result {
                    return Ok(Err(Refused { at, refusal }));
                }
            }
            Ok(Ok(()))
        })
    }

    /// Does everything that `work` gives in one commit, or nothing of it where `work`
    /// fails or comes to a refusal. Only for work that nobody waits for: enrolment, and
    /// filling a database to see it grow. Answers, evidence and notices are those of
    /// [`Writer::step`].
    pub fn bulk<T, R, E: std::convert::From<Fatal>>(
        &mut self,
        work: impl FnOnce(&mut Bulk<'_>) -> Result<Result<T, R>, E>,
    ) -> Result<Result<T, R>, E> {
        let snapshot = self.store.snapshot().map_err(Fatal::from)?;
        let mut bulk = Bulk {
            books: Overlay::new(&*snapshot),
        };
        let done = match work(&mut bulk)? {
            Ok(done) => done,
            Err(refused) => return Ok(Err(refused)),
        };
        let mut books = bulk.books;
        self.checkpoint(&mut books).map_err(Fatal::from)?;
        let changes = books.into_changes();
        let flushed = self.store.flush(self.epoch, &changes);
        flushed.map_err(Fatal::from)?;
        Ok(Ok(done))
    }

    /// Signs the head of the log, if this group made it grow.
    fn checkpoint(&self, books: &mut Overlay<'_>) -> Result<(), StoreError> {
        let head = key::single(Table::LogHead);
        if !books.changes().contains_key(&head) {
            return Ok(());
        }
        let signer = NoteSigner {
            name: &self.log.origin,
            key: &self.log.key,
        };
        let signed = checkpoint(log::size(books)?, log::root(books)?, &signer);
        let row = CheckpointRow {
            size: signed.size,
            root: signed.root,
            note: signed.note,
        };
        books.put(key::single(Table::Checkpoint), &row)
    }
}
