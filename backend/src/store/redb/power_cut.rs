//! Power cuts. redb's own fuzzer fails calls and reopens; it never drops, reorders
//! or tears what was written and not yet synced. Here a sale is recorded write by
//! write, the power is cut after every write, each sector that was not yet
//! synced survives or not by chance, and the books must open, hold everything
//! that was acknowledged, and be in order (I1-I4, I6, I8). In every third image
//! the power goes a second time while the books are being opened.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "offsets of a disk of a few megabytes"
)]

use std::io;
use std::sync::{Arc, Mutex};

use counterfoil_data::wire::forms::FormEvent;
use redb::StorageBackend;

use super::RedbStore;
use crate::core::tests::bank::{Desk, close, failed, kiosk, number};
use crate::core::{audit, log};
use crate::store::{Snapshots as _, StoreError};

const SECTOR: usize = 512;
const CACHE_BYTES: usize = 1 << 20;

#[derive(Debug, Clone)]
enum Op {
    Write(usize, Vec<u8>),
    Resize(usize),
    Sync,
}

/// A disk in memory that remembers everything done to it.
#[derive(Debug, Clone, Default)]
struct Disk(Arc<Mutex<(Vec<u8>, Vec<Op>)>>);

impl Disk {
    fn holding(image: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new((image, Vec::new()))))
    }

    fn ops(&self) -> Vec<Op> {
        self.0.lock().expect("one thread").1.clone()
    }

    fn done(&self) -> usize {
        self.0.lock().expect("one thread").1.len()
    }
}

fn place(offset: u64) -> usize {
    usize::try_from(offset).expect("a small disk")
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, io::Error> {
        Ok(self.0.lock().expect("one thread").0.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        let disk = self.0.lock().expect("one thread");
        let from = place(offset);
        let bytes = disk.0.get(from..from + out.len());
        out.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        let mut disk = self.0.lock().expect("one thread");
        disk.0.resize(place(len), 0);
        disk.1.push(Op::Resize(place(len)));
        Ok(())
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        self.0.lock().expect("one thread").1.push(Op::Sync);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        let mut disk = self.0.lock().expect("one thread");
        let from = place(offset);
        disk.0[from..from + data.len()].copy_from_slice(data);
        disk.1.push(Op::Write(from, data.to_vec()));
        Ok(())
    }
}

/// Chance that repeats itself (SplitMix64).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

fn write(image: &mut Vec<u8>, from: usize, data: &[u8]) {
    if image.len() < from + data.len() {
        image.resize(from + data.len(), 0);
    }
    image[from..from + data.len()].copy_from_slice(data);
}

/// What is on the disk when the power goes after `ops`: everything up to the last
/// sync, and of the rest any sectors, in any combination.
fn cut(start: &[u8], ops: &[Op], chance: &mut Chance) -> Vec<u8> {
    let mut image = start.to_vec();
    let is_sync = |op: &Op| matches!(op, Op::Sync);
    let synced = ops.iter().rposition(is_sync).unwrap_or(0);
    for (at, op) in ops.iter().enumerate() {
        let certain = at < synced;
        match op {
            Op::Sync => {}
            Op::Resize(len) => image.resize(*len, 0),
            Op::Write(from, data) => {
                for (nth, sector) in data.chunks(SECTOR).enumerate() {
                    if certain || chance.next().is_multiple_of(2) {
                        write(&mut image, from + nth * SECTOR, sector);
                    }
                }
            }
        }
    }
    image
}

/// The books of an image are in order and hold what was acknowledged.
fn sound(image: Vec<u8>, acknowledged: u64, what: &str) -> Disk {
    let disk = Disk::holding(image);
    let opened = RedbStore::backend(disk.clone(), CACHE_BYTES);
    let store = opened.unwrap_or_else(|error: StoreError| panic!("{what}: {error:?}"));
    let read = store.snapshot().expect("reads");
    let size = log::size(&*read).expect("reads");
    assert!(
        size >= acknowledged,
        "{what}: {size} of {acknowledged} leaves"
    );
    audit::audit(&*read).unwrap_or_else(|failure| panic!("{what}: {failure}"));
    disk
}

#[test]
fn wherever_the_power_is_cut_the_books_open_and_nothing_acknowledged_is_lost() {
    let disk = Disk::default();
    let store = RedbStore::backend(disk.clone(), CACHE_BYTES).expect("opens");
    let mut desk = Desk::open(store);
    let first = disk.done();
    let mut marks = Vec::new();
    let mut mark = |desk: &Desk<RedbStore>| {
        let size = log::size(&*desk.read()).expect("reads");
        marks.push((disk.done(), size));
    };
    mark(&desk);
    let sale = desk.linked(1, 3);
    mark(&desk);
    let spoil = [FormEvent::Feeding, failed()];
    let spoil = spoil.into_iter().map(|e| (number(0), e)).collect();
    desk.advise(sale, spoil).expect("accepted");
    mark(&desk);
    for form in 1..4 {
        desk.hand_over(sale, form..form + 1);
        mark(&desk);
    }
    desk.must(kiosk(), close(sale));
    mark(&desk);

    let ops = disk.ops();
    let mut chance = Chance(1);
    let mut images = 0;
    for at in first..=ops.len() {
        let acknowledged = marks.iter().rev().find(|(done, _)| *done <= at);
        let acknowledged = acknowledged.map_or(0, |(_, size)| *size);
        let image = cut(&[], &ops[..at], &mut chance);
        let reopened = sound(image.clone(), acknowledged, &format!("cut at {at}"));
        images += 1;
        let again = reopened.ops();
        if images % 3 == 0 && !again.is_empty() {
            let nth = usize::try_from(chance.next()).expect("64 bits") % again.len();
            let second = cut(&image, &again[..nth], &mut chance);
            sound(
                second,
                acknowledged,
                &format!("cut at {at} and again at {nth}"),
            );
        }
    }
    assert!(images > 150, "{images} images");
}
