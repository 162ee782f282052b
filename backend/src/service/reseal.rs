//! Rotation in the background: data at rest under an older key is encrypted anew, a few
//! rows at a time, while the service sells.
//!
//! One pass after each start: a key is added by a restart. The work is done in the print
//! pool and gives way to customers; what changes meanwhile is under the newest key.

use std::rc::Rc;
use std::time::Duration;

use super::Service;
use super::books::told;
use super::fault::Fault;
use crate::core::sealed;
use crate::keys::envelope::Drawn;
use crate::keys::reseal::{Turn, turn};
use crate::store::Key;
use crate::workers::Kind;

/// Rows in one turn.
const ROWS: usize = 4;
/// Pause between turns, so that customers never wait for more than one.
const PAUSE: Duration = Duration::from_millis(20);
/// Pause where the pool or the writer is full, or the books cannot be read.
const BUSY_PAUSE: Duration = Duration::from_secs(1);

impl Service {
    /// Looks through everything encrypted at rest once; ends at the end, or when the
    /// service closes.
    pub async fn reseal(self: Rc<Self>) {
        let (mut after, mut resealed) = (Key::new(), 0_u64);
        loop {
            let pause = match self.reseal_next(&after).await {
                Ok(Some((last, count))) => {
                    after = last;
                    resealed = resealed.saturating_add(count);
                    PAUSE
                }
                Ok(None) => break,
                Err(fault) => {
                    tracing::debug!(%fault, "encrypting data at rest anew waits");
                    BUSY_PAUSE
                }
            };
            if self.sleep(pause).await {
                return;
            }
        }
        if resealed > 0 {
            let key = self.keys.data_key_id();
            tracing::info!(resealed, key, "data at rest is under the newest key");
        }
    }

    /// The next few rows; the last key looked at and how many envelopes are new.
    async fn reseal_next(&self, after: &[u8]) -> Result<Option<(Key, u64)>, Fault> {
        let page = told(sealed::page(self.books()?.read(), after, ROWS))?;
        let Some((last, held)) = page else {
            return Ok(None);
        };
        let room = self.workers.room(Kind::Print).map_err(|_| Fault::busy())?;
        let drawn = Drawn::from(&*self.entropy);
        let job = room.run(move |bench| turn(&bench.keys, held, &drawn));
        let done: Turn = job.await.map_err(|_| Fault::busy())?;
        drop(room);
        for stays in &done.stays {
            let why = std::error::Error::source(stays).map(ToString::to_string);
            tracing::warn!(%stays, why, "it opens with no key that is configured");
        }
        for body in done.commands {
            self.system(body).await?;
        }
        self.meter.resealed.add(done.resealed);
        Ok(Some((last, done.resealed)))
    }
}
