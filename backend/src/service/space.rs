//! Room on the disk: new sales stop long before it is full, what happened to paper goes on.
//!
//! Beside the database lies a reserve, a file that holds nothing but room. Below the first
//! mark (as much free as the reserve) nothing new is sold; below the second (an eighth of
//! it) the reserve is given up, so that outcomes and a graceful stop are still made
//! durable. When there is room for both again the reserve is made anew, and then selling
//! goes on. Owns the decision; `app` brings the disk ([`Room`]).

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use super::Service;

/// How often the disk is looked at.
pub const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A disk and the reserve on it.
pub trait Room {
    /// What there is now.
    fn look(&self) -> io::Result<Look>;
    /// Makes the reserve.
    fn make(&self) -> io::Result<()>;
    /// Gives it up.
    fn release(&self) -> io::Result<()>;
}

/// What a look at the disk tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Bytes that may still be written, the reserve not counted.
    pub free: u64,
    /// Whether the reserve is there.
    pub has_reserve: bool,
}

/// How much room there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Level {
    /// Enough.
    #[default]
    Ample,
    /// Nothing new is sold.
    Low,
    /// Nothing new is sold, and the reserve is given up.
    Full,
}

/// What is to be done about the reserve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Nothing.
    Keep,
    /// Make it.
    Make,
    /// Give it up.
    Release,
}

/// What a look comes to, with a reserve of `size` bytes and after `was`.
pub fn decide(size: u64, was: Level, look: Look) -> (Level, Act) {
    let Look { free, has_reserve } = look;
    // Once low, it takes a quarter more to be ample again: no flutter at the mark.
    let (eighth, quarter) = (size / 8, size / 4);
    let again = size.saturating_add(quarter);
    if !has_reserve {
        return match free >= size.saturating_add(again) {
            true => (Level::Ample, Act::Make),
            false => (Level::Full, Act::Keep),
        };
    }
    if free <= eighth {
        return (Level::Full, Act::Release);
    }
    let ample = if was == Level::Ample { size } else { again };
    match free >= ample {
        true => (Level::Ample, Act::Keep),
        false => (Level::Low, Act::Keep),
    }
}

/// What was seen last, for requests and `/metrics`.
#[derive(Debug, Default)]
pub struct Space {
    level: Cell<Level>,
    free: Cell<Option<u64>>,
    has_reserve: Cell<bool>,
}

impl Space {
    /// Nothing new may be sold.
    pub fn is_short(&self) -> bool {
        self.level.get() != Level::Ample
    }

    /// Gauges: whether nothing new is sold, MiB free (rounded down), the reserve is there.
    pub fn gauges(&self) -> Vec<(&'static str, u64)> {
        let Some(free) = self.free.get() else {
            return Vec::new();
        };
        let mib = free / (1024 * 1024);
        vec![
            ("storage_low", u64::from(self.is_short())),
            ("storage_free_mib", mib),
            ("storage_reserve", u64::from(self.has_reserve.get())),
        ]
    }

    /// Looks once and does what is to be done.
    pub fn look(&self, size: u64, room: &dyn Room) {
        let look = match room.look() {
            Ok(look) => look,
            Err(error) => {
                tracing::error!(%error, "the room on the disk cannot be read");
                return;
            }
        };
        let was = self.level.get();
        let (mut level, act) = decide(size, was, look);
        let done = match act {
            Act::Keep => Ok(()),
            Act::Make => room.make(),
            Act::Release => room.release(),
        };
        let mut has_reserve = look.has_reserve;
        match done {
            Ok(()) if act == Act::Keep => {}
            Ok(()) => has_reserve = act == Act::Make,
            Err(error) => {
                tracing::error!(%error, ?act, "the reserve cannot be changed");
                level = Level::Full;
            }
        }
        self.level.set(level);
        self.free.set(Some(look.free));
        self.has_reserve.set(has_reserve);
        let free = look.free;
        match (was, level) {
            (was, level) if was == level => {}
            (_, Level::Ample) => tracing::info!(free, "there is room again: kiosks sell"),
            (_, Level::Low) => tracing::error!(
                free,
                "ALARM: the disk is nearly full: nothing new is sold; make room"
            ),
            (_, Level::Full) => tracing::error!(
                free,
                "ALARM: the disk is full: the reserve is given up for outcomes; make room now"
            ),
        }
    }
}

impl Service {
    /// Looks at the disk every second until the service closes.
    pub async fn watch_space(self: Rc<Self>, size: u64, room: Box<dyn Room>) {
        loop {
            self.space.look(size, &*room);
            if self.sleep(LOOK_EVERY).await {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: u64 = 64;

    fn decided(was: Level, free: u64, has_reserve: bool) -> (Level, Act) {
        decide(SIZE, was, Look { free, has_reserve })
    }

    #[test]
    fn selling_stops_at_the_first_mark_and_the_reserve_goes_at_the_second() {
        for (free, level, act) in [
            (1_000, Level::Ample, Act::Keep),
            (64, Level::Ample, Act::Keep),
            (63, Level::Low, Act::Keep),
            (9, Level::Low, Act::Keep),
            (8, Level::Full, Act::Release),
            (0, Level::Full, Act::Release),
        ] {
            assert_eq!(decided(Level::Ample, free, true), (level, act), "{free}");
        }
    }

    #[test]
    fn selling_goes_on_where_there_is_a_quarter_more_than_the_mark() {
        for (free, level) in [(64, Level::Low), (79, Level::Low), (80, Level::Ample)] {
            assert_eq!(
                decided(Level::Low, free, true),
                (level, Act::Keep),
                "{free}"
            );
        }
    }

    #[test]
    fn a_reserve_is_made_again_only_where_room_is_left_beside_it() {
        assert_eq!(decided(Level::Full, 143, false), (Level::Full, Act::Keep));
        assert_eq!(decided(Level::Full, 144, false), (Level::Ample, Act::Make));
        // And then it stays.
        assert_eq!(decided(Level::Ample, 80, true), (Level::Ample, Act::Keep));
    }
}
