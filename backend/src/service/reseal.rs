//! Rotation in the background: data at rest under an older key is encrypted anew, a few
//! rows at a time, while the service sells.
//!
//! One pass after a start, unless the books ended one under the newest key already (a key
//! is added by a restart). The work is done in the print pool and gives way to customers;
//! what changes meanwhile is under the newest key.

use std::rc::Rc;
use std::time::Duration;

use super::Service;
use super::books::told;
use super::fault::Fault;
use crate::core::sealed;
use crate::keys::envelope::Drawn;
use crate::keys::reseal::{Turn, end, is_due, turn};
use crate::store::Key;
use crate::workers::Kind;

/// Rows in one turn.
const ROWS: usize = 4;
/// Pause between turns, so that customers never wait for more than one.
const PAUSE: Duration = Duration::from_millis(20);
/// Pause where the pool or the writer is full, or the books cannot be read.
const BUSY_PAUSE: Duration = Duration::from_secs(1);

/// How far a pass is.
#[derive(Default)]
struct Pass {
    /// The last key looked at.
    after: Key,
    resealed: u64,
    stays: u64,
}

impl Service {
    /// Looks through everything encrypted at rest once, if that is due; ends at the end,
    /// or when the service closes.
    pub async fn reseal(self: Rc<Self>) {
        let mut pass = Pass::default();
        loop {
            let pause = match self.reseal_next(&mut pass).await {
                Ok(true) => PAUSE,
                Ok(false) => return,
                Err(fault) => {
                    tracing::debug!(%fault, "encrypting data at rest anew waits");
                    BUSY_PAUSE
                }
            };
            if self.sleep(pause).await {
                return;
            }
        }
    }

    /// The next few rows; whether there may be more.
    async fn reseal_next(&self, pass: &mut Pass) -> Result<bool, Fault> {
        let books = self.books()?;
        if !told(is_due(&self.keys, books.read()))? {
            return Ok(false);
        }
        if self.space.is_short() {
            // Nobody waits for it, and it writes everything anew: the room is for outcomes.
            return Err(Fault::storage_low());
        }
        let page = told(sealed::page(books.read(), &pass.after, ROWS))?;
        drop(books);
        let Some((last, held)) = page else {
            let (resealed, stays, key) = (pass.resealed, pass.stays, self.keys.data_key_id());
            if stays == 0 {
                self.system(end(&self.keys)).await?;
            }
            tracing::info!(resealed, stays, key, "data at rest was looked through");
            return Ok(false);
        };
        let mut room = self.workers.join(Kind::Print, None, &self.clock)?;
        room.turn(None).await?;
        let drawn = Drawn::from(&*self.entropy);
        let job = room.run(move |bench| turn(&bench.keys, held, &drawn));
        let done: Turn = job.await?;
        drop(room);
        for stays in &done.stays {
            let why = std::error::Error::source(stays).map(ToString::to_string);
            tracing::warn!(%stays, why, "it opens with no key that is configured");
        }
        for body in done.commands {
            self.system(body).await?;
        }
        self.meter.resealed.add(done.resealed);
        let stays = u64::try_from(done.stays.len()).unwrap_or(u64::MAX);
        *pass = Pass {
            after: last,
            resealed: pass.resealed.saturating_add(done.resealed),
            stays: pass.stays.saturating_add(stays),
        };
        Ok(true)
    }
}
