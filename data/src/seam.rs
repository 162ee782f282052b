//! The seams that live below every crate: clock, randomness, journal.
//!
//! Nothing below a `main` reaches around them (`ARCHITECTURE.md`, seams). The
//! other three (USB transport, byte stream, argon2 parameters) live where their
//! types live. All are used on one thread; nothing here is `Send`.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;

/// A future of one thread.
pub type Local<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Wall time, monotonic time and waiting.
pub trait Clock {
    /// Wall-clock time, for records and dates.
    fn now(&self) -> Timestamp;
    /// Time since some fixed start, never backwards; for deadlines.
    fn monotonic(&self) -> Duration;
    /// Completes after `wait`.
    fn sleep(&self, wait: Duration) -> Local<'static, ()>;
}

/// A clock as it is passed around.
pub type SharedClock = Rc<dyn Clock>;

/// Cryptographic randomness.
pub trait Entropy {
    /// Fills `bytes`; the operating system's generator, or a seeded one in the testbed.
    fn fill(&self, bytes: &mut [u8]);
}

/// Randomness as it is passed around.
pub type SharedEntropy = Rc<dyn Entropy>;

/// `N` random bytes.
pub fn random<const N: usize>(entropy: &dyn Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    bytes
}

/// Lets a [`SharedEntropy`] be used where `rand_core` generators are asked for.
pub struct CoreRng<'a>(pub &'a dyn Entropy);

impl rand_core::TryRng for CoreRng<'_> {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(u32::from_le_bytes(random(self.0)))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(u64::from_le_bytes(random(self.0)))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl rand_core::TryCryptoRng for CoreRng<'_> {}

/// The kiosk's outcome journal: what it knew and had not yet delivered (I6).
///
/// Records are opaque here. `append` returns only when the record would survive
/// a power cut (fsync); a failed append must stop the kiosk before it acts.
pub trait Journal {
    /// Every whole record, oldest first; a torn last record is dropped.
    fn load(&mut self) -> io::Result<Vec<Vec<u8>>>;
    /// Adds one record and syncs it.
    fn append(&mut self, record: &[u8]) -> io::Result<()>;
    /// Forgets all records, after every one was acknowledged, but for this one, if any:
    /// a power cut leaves all of them or what is kept.
    fn keep_only(&mut self, record: Option<&[u8]>) -> io::Result<()>;
}

/// A journal in memory; shared by clone, so it survives a kiosk that a test kills.
#[derive(Clone, Default)]
pub struct MemoryJournal(Rc<std::cell::RefCell<Vec<Vec<u8>>>>);

impl Journal for MemoryJournal {
    fn load(&mut self) -> io::Result<Vec<Vec<u8>>> {
        Ok(self.0.borrow().clone())
    }

    fn append(&mut self, record: &[u8]) -> io::Result<()> {
        self.0.borrow_mut().push(record.to_vec());
        Ok(())
    }

    fn keep_only(&mut self, record: Option<&[u8]>) -> io::Result<()> {
        let kept = record.map(<[u8]>::to_vec);
        *self.0.borrow_mut() = kept.into_iter().collect();
        Ok(())
    }
}
