//! A disk in memory: it remembers everything done to it, can fail, and can lie.
//!
//! Owns the model of a power cut. What was synced is there. Of the rest any part may be,
//! in any combination, at one of three grains; a change of the file's length that was
//! not synced may be lost, and with it all later ones. Refuses nothing redb does.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "offsets of a disk of a few megabytes"
)]

mod chance;

use std::io::{self, ErrorKind};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard};

use redb::{BackendError, StorageBackend};

pub use chance::Chance;

/// What a disk writes at once.
const SECTOR: usize = 512;

/// One thing done to a disk.
#[derive(Debug, Clone)]
pub enum Op {
    /// Bytes at an offset.
    Write(usize, Arc<[u8]>),
    /// A new length.
    Resize(usize),
    /// Everything before is there for good.
    Sync,
}

/// What fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fails {
    /// EIO of a read.
    Read,
    /// EIO of a write, a new length or a sync.
    Write,
    /// ENOSPC of the same.
    Full,
}

/// A failure to come.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// After so many calls of its sort.
    pub after: usize,
    /// Which sort.
    pub fails: Fails,
    /// Every later one, too.
    pub for_ever: bool,
}

#[derive(Debug, Default)]
struct Platter {
    bytes: Vec<u8>,
    ops: Vec<Op>,
    fault: Option<Fault>,
    calls: usize,
    struck: usize,
    lies: bool,
}

impl Platter {
    /// Whether this call fails.
    fn strikes(&mut self, reads: bool) -> Result<(), io::Error> {
        let Some(fault) = self.fault else {
            return Ok(());
        };
        if reads != (fault.fails == Fails::Read) {
            return Ok(());
        }
        self.calls += 1;
        let over = self.struck > 0 && !fault.for_ever;
        if self.calls <= fault.after || over {
            return Ok(());
        }
        self.struck += 1;
        Err(match fault.fails {
            Fails::Full => ErrorKind::StorageFull.into(),
            Fails::Read | Fails::Write => io::Error::other("an injected EIO"),
        })
    }
}

/// A disk; clones are the same one.
#[derive(Debug, Clone, Default)]
pub struct Disk(Arc<Mutex<Platter>>);

impl Disk {
    /// A disk with these bytes on it.
    pub fn holding(bytes: Vec<u8>) -> Self {
        let disk = Self::default();
        disk.platter().bytes = bytes;
        disk
    }

    /// A disk whose sync does nothing and says done.
    pub fn lying() -> Self {
        let disk = Self::default();
        disk.platter().lies = true;
        disk
    }

    fn platter(&self) -> MutexGuard<'_, Platter> {
        self.0.lock().expect("nobody panics with it")
    }

    /// From now on, this is to come.
    pub fn fail(&self, fault: Option<Fault>) {
        let mut platter = self.platter();
        (platter.fault, platter.calls, platter.struck) = (fault, 0, 0);
    }

    /// Calls that failed.
    pub fn struck(&self) -> usize {
        self.platter().struck
    }

    /// Whether it is reads that fail.
    pub fn fails_reads(&self) -> bool {
        let fault = self.platter().fault;
        fault.is_some_and(|fault| fault.fails == Fails::Read)
    }

    /// How many things were done.
    pub fn done(&self) -> usize {
        self.platter().ops.len()
    }

    /// Everything done.
    pub fn ops(&self) -> Vec<Op> {
        self.platter().ops.clone()
    }

    /// What a process sees that opens it while the power stays on.
    pub fn bytes(&self) -> Vec<u8> {
        self.platter().bytes.clone()
    }
}

fn place(offset: u64) -> usize {
    usize::try_from(offset).expect("a small disk")
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, io::Error> {
        Ok(self.platter().bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        let mut disk = self.platter();
        disk.strikes(true)?;
        let from = place(offset);
        let bytes = disk.bytes.get(from..from + out.len());
        out.copy_from_slice(bytes.ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        let mut disk = self.platter();
        disk.strikes(false)?;
        disk.bytes.resize(place(len), 0);
        disk.ops.push(Op::Resize(place(len)));
        Ok(())
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        let mut disk = self.platter();
        disk.strikes(false)?;
        if !disk.lies {
            disk.ops.push(Op::Sync);
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        let mut disk = self.platter();
        let from = place(offset);
        // A write that fails may have done half of its work.
        let failed = disk.strikes(false);
        let data = match failed {
            Ok(()) => data,
            Err(_) => &data[..data.len() / 2],
        };
        disk.bytes[from..from + data.len()].copy_from_slice(data);
        disk.ops.push(Op::Write(from, data.into()));
        failed
    }

    // Nobody else has this disk, so every lock is given.
    fn try_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn try_lock_shared_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn lock_shared_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn unlock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn query_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(false)
    }
}

/// How finely an unsynced write is kept or lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grain {
    /// All of it or nothing.
    Whole,
    /// Each sector for itself.
    Sector,
    /// Up to a byte, or from a byte on.
    Byte,
}

impl Grain {
    pub const ALL: [Self; 3] = [Self::Whole, Self::Sector, Self::Byte];
}

/// How much of what was not synced is kept.
#[derive(Debug, Clone, Copy)]
enum Kept {
    Nothing,
    Everything,
    OneIn(usize),
    AllButOneIn(usize),
}

impl Kept {
    fn drawn(chance: &mut Chance) -> Self {
        match chance.below(8) {
            0 => Self::Nothing,
            1 => Self::Everything,
            2 => Self::OneIn(8),
            3 => Self::AllButOneIn(8),
            4 => Self::AllButOneIn(64),
            _ => Self::OneIn(2),
        }
    }

    fn keeps(self, chance: &mut Chance) -> bool {
        match self {
            Self::Nothing => false,
            Self::Everything => true,
            Self::OneIn(many) => chance.one_in(many),
            Self::AllButOneIn(many) => !chance.one_in(many),
        }
    }
}

/// What became of unsynced work in an image.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cut {
    pub kept: usize,
    pub lost: usize,
    pub torn: usize,
    pub resizes_kept: usize,
    pub resizes_lost: usize,
}

/// Makes the images of power cuts, earliest first, without doing all again each time.
pub struct Cutter<'a> {
    ops: &'a [Op],
    synced: Vec<u8>,
    upto: usize,
}

impl<'a> Cutter<'a> {
    /// Of what was done to a disk that held `base`.
    pub fn new(base: Vec<u8>, ops: &'a [Op]) -> Self {
        Self {
            ops,
            synced: base,
            upto: 0,
        }
    }

    /// The disk after a cut that follows the first `at` things done; `at` never falls.
    pub fn cut(&mut self, at: usize, grain: Grain, chance: &mut Chance) -> (Vec<u8>, Cut) {
        let is_sync = |op: &Op| matches!(op, Op::Sync);
        if let Some(sync) = self.ops[self.upto..at].iter().rposition(is_sync) {
            for op in &self.ops[self.upto..=self.upto + sync] {
                whole(&mut self.synced, op);
            }
            self.upto += sync + 1;
        }
        let mut image = Image {
            bytes: self.synced.clone(),
            kept: Kept::drawn(chance),
            grain,
            // A write behind the end of a file whose growth was lost may grow it.
            grows: chance.one_in(2),
            is_long: true,
            cut: Cut::default(),
        };
        for op in &self.ops[self.upto..at] {
            image.part(op, chance);
        }
        (image.bytes, image.cut)
    }
}

/// Does one thing to a disk, wholly.
pub fn whole(bytes: &mut Vec<u8>, op: &Op) {
    match op {
        Op::Sync => {}
        Op::Resize(len) => bytes.resize(*len, 0),
        Op::Write(from, data) => bytes[*from..from + data.len()].copy_from_slice(data),
    }
}

struct Image {
    bytes: Vec<u8>,
    kept: Kept,
    grain: Grain,
    grows: bool,
    /// No new length was lost yet.
    is_long: bool,
    cut: Cut,
}

impl Image {
    fn part(&mut self, op: &Op, chance: &mut Chance) {
        match op {
            Op::Sync => {}
            Op::Resize(len) => {
                self.is_long = self.is_long && self.kept.keeps(chance);
                if self.is_long {
                    self.bytes.resize(*len, 0);
                    self.cut.resizes_kept += 1;
                } else {
                    self.cut.resizes_lost += 1;
                }
            }
            Op::Write(from, data) => match self.grain {
                Grain::Whole => self.piece(*from, data, chance),
                Grain::Sector => {
                    for (nth, sector) in data.chunks(SECTOR).enumerate() {
                        self.piece(from + nth * SECTOR, sector, chance);
                    }
                }
                Grain::Byte if self.kept.keeps(chance) => self.put(*from, data),
                Grain::Byte => {
                    let at = chance.below(data.len() + 1);
                    self.cut.torn += 1;
                    match chance.one_in(4) {
                        true => self.put(from + at, &data[at..]),
                        false => self.put(*from, &data[..at]),
                    }
                }
            },
        }
    }

    fn piece(&mut self, from: usize, data: &[u8], chance: &mut Chance) {
        if self.kept.keeps(chance) {
            self.put(from, data);
        } else {
            self.cut.lost += 1;
        }
    }

    fn put(&mut self, from: usize, data: &[u8]) {
        self.cut.kept += 1;
        let end = from + data.len();
        if end > self.bytes.len() && self.grows && !data.is_empty() {
            self.bytes.resize(end, 0);
        }
        let len = self.bytes.len();
        let (from, end) = (from.min(len), end.min(len));
        self.bytes[from..end].copy_from_slice(&data[..end - from]);
    }
}
