//! The device under test: its bus, its clock, whose hands stand by, and what was
//! learnt of it for the sheet.

use std::cell::RefCell;
use std::time::Duration;

use counterfoil_data::seam::{SharedClock, SharedEntropy};

use super::Stop;
use super::hands::Hands;
use crate::transport::{Bus, DeviceInfo, UsbError};

/// Longest wait for a device to come back after its cable was put in again.
pub const BACK_WITHIN: Duration = Duration::from_secs(15);
/// Between two looks for it.
const POLL: Duration = Duration::from_millis(100);
/// Facts on a sheet at most.
const FACTS_MAX: usize = 64;

/// What puts an act right again.
struct Undo {
    lines: String,
    words: String,
}

/// The device under test.
pub struct Bench<B> {
    /// Where it is plugged in.
    pub bus: B,
    /// Its path there, which is also its name at the desk.
    pub path: String,
    /// Its descriptors when the kit began.
    pub info: DeviceInfo,
    /// Time.
    pub clock: SharedClock,
    /// Randomness for the drivers.
    pub entropy: SharedEntropy,
    /// Whose hands.
    pub hands: Hands,
    /// How many times faster than in life a twin's mechanics run.
    pub speed: u32,
    undo: RefCell<Vec<Undo>>,
    facts: RefCell<Vec<(String, String)>>,
}

impl<B: Bus> Bench<B> {
    /// A device with its descriptors.
    pub fn new(
        bus: B,
        info: DeviceInfo,
        clock: SharedClock,
        entropy: SharedEntropy,
        hands: Hands,
    ) -> Self {
        Self {
            bus,
            path: info.path.clone(),
            info,
            clock,
            entropy,
            hands,
            speed: 1,
            undo: RefCell::default(),
            facts: RefCell::default(),
        }
    }

    /// Opens it. One that was just let go may still be held for a moment.
    pub async fn open(&self) -> Result<B::Transport, UsbError> {
        self.bus.open(&self.path).await
    }

    /// Time since the clock's start.
    pub fn now(&self) -> Duration {
        self.clock.monotonic()
    }

    /// Lets time pass, as the device's mechanics count it.
    pub async fn rest(&self, wait: Duration) {
        let wait = wait.checked_div(self.speed.max(1)).unwrap_or(wait);
        self.clock.sleep(wait).await;
    }

    /// A fact for the sheet; a later one of the same name replaces it.
    pub fn learn(&self, name: &str, fact: impl Into<String>) {
        let mut facts = self.facts.borrow_mut();
        if let Some((_, old)) = facts.iter_mut().find(|(known, _)| known == name) {
            *old = fact.into();
        } else if facts.len() < FACTS_MAX {
            facts.push((name.to_owned(), fact.into()));
        }
    }

    /// What was learnt.
    pub fn facts(&self) -> Vec<(String, String)> {
        self.facts.borrow().clone()
    }

    /// One act, see [`Hands::act`].
    pub async fn act(&self, lines: &str, words: &str) -> Result<(), Stop> {
        self.hands.act(&self.path, lines, words).await
    }

    /// One act, and what puts it right again whatever becomes of the check.
    pub async fn act_for_now(
        &self,
        (lines, words): (&str, &str),
        (back, in_words): (&str, &str),
    ) -> Result<(), Stop> {
        self.act(lines, words).await?;
        self.undo.borrow_mut().push(Undo {
            lines: back.to_owned(),
            words: in_words.to_owned(),
        });
        Ok(())
    }

    /// Puts the last act right again.
    pub async fn put_right(&self) -> Result<(), Stop> {
        let last = self.undo.borrow_mut().pop();
        match last {
            Some(undo) => self.act(&undo.lines, &undo.words).await,
            None => Ok(()),
        }
    }

    /// Puts right whatever a check left, the last act first.
    pub async fn put_all_right(&self) -> Result<(), Stop> {
        let mut all = Ok(());
        while !self.undo.borrow().is_empty() {
            all = all.and(self.put_right().await);
        }
        all
    }

    /// After a failure: `acts` of a twin's desk, as far as they make sense, or `words`.
    pub async fn put_in_order(&self, acts: &[&str], words: &str) -> Result<(), String> {
        if !self.hands.of_a_twin() {
            let asked = self.act("", words).await;
            return asked.map_err(|_| "nobody puts it right".to_owned());
        }
        for act in acts {
            // What is right already is refused.
            self.act(act, words).await.ok();
        }
        Ok(())
    }

    /// Does an act while `work` goes on, `after` it began; a person is told before.
    pub async fn during<T>(
        &self,
        work: impl Future<Output = T>,
        after: Duration,
        lines: &str,
        words: &str,
    ) -> Result<T, Stop> {
        if !self.hands.of_a_twin() {
            let told = format!("get ready: when it moves, {words}");
            self.act(lines, &told).await?;
            return Ok(work.await);
        }
        let hands = async {
            self.rest(after).await;
            self.act(lines, words).await
        };
        let (done, acted) = tokio::join!(work, hands);
        acted.map(|()| done)
    }

    /// Waits until the device is plugged in again, at the same place.
    pub async fn comes_back(&self) -> Result<(), Stop> {
        let until = self.now().saturating_add(BACK_WITHIN);
        while !self.bus.present(&self.path).await.unwrap_or(false) {
            if self.now() >= until {
                return Err(Stop::seen("it does not come back on the bus"));
            }
            self.clock.sleep(POLL).await;
        }
        Ok(())
    }
}
