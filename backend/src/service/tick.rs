//! Timers: what the house does by itself when the time has come.
//!
//! [`Service::tick`] gives the commands that are due (sale expiry, an officer's
//! silence, a lost kiosk) and sleeps until the next, or until something changes.

use std::rc::Rc;
use std::time::Duration;

use super::Service;
use super::bell::Ear;
use super::books::told;
use super::fault::Fault;
use crate::core::command::GROUP_MAX;
use crate::core::query;

/// Longest sleep of a timer that knows of nothing.
pub(super) const IDLE_MAX: Duration = Duration::from_secs(3_600);
/// Pause after something failed or was refused.
const PAUSE: Duration = Duration::from_secs(1);

/// How long a timer may sleep.
enum Rest {
    /// So long, or until something changes.
    Until(Duration),
    /// So long, whatever changes: what was refused must not spin on its own traces.
    Whole(Duration),
}

impl Service {
    /// Gives due commands until the service closes.
    pub async fn tick(self: Rc<Self>) {
        let mut changes = self.changes.listen();
        loop {
            changes.catch_up();
            let rest = self.fire().await.unwrap_or_else(|fault| {
                tracing::error!(%fault, "a timer could not be handled");
                Rest::Whole(PAUSE)
            });
            let closed = match rest {
                Rest::Until(wait) => self.pause(wait, &mut changes).await,
                Rest::Whole(wait) => self.sleep(wait).await,
            };
            if closed {
                return;
            }
        }
    }

    /// Fires what is due; how long until the next.
    async fn fire(&self) -> Result<Rest, Fault> {
        let (now, books) = (self.clock.now(), self.books()?);
        let due = told(query::due(books.read(), now, GROUP_MAX))?;
        drop(books);
        let (mut fired, mut refused) = (false, false);
        for body in due {
            match self.system(body).await {
                Ok(()) => {
                    self.meter.timers.one();
                    fired = true;
                }
                // The sale moved on in the meantime.
                Err(fault) => {
                    tracing::debug!(%fault, "a due command was refused");
                    refused = true;
                }
            }
        }
        if fired {
            return Ok(Rest::Until(Duration::ZERO));
        }
        if refused {
            return Ok(Rest::Whole(PAUSE));
        }
        let Some(next) = told(query::next_due(self.books()?.read()))? else {
            return Ok(Rest::Until(IDLE_MAX));
        };
        let left = next.duration_since(self.clock.now());
        let left = Duration::try_from(left).unwrap_or(Duration::ZERO);
        Ok(Rest::Until(left.min(IDLE_MAX)))
    }

    /// Waits for time or change; `true` when the service closes.
    pub(super) async fn pause(&self, wait: Duration, changes: &mut Ear) -> bool {
        let mut closing = self.closing.listen_for_first();
        tokio::select! {
            biased;
            () = closing.rung() => true,
            () = changes.rung() => false,
            () = self.clock.sleep(wait) => false,
        }
    }

    /// Waits for time alone; `true` when the service closes.
    pub(super) async fn sleep(&self, wait: Duration) -> bool {
        let mut closing = self.closing.listen_for_first();
        tokio::select! {
            biased;
            () = closing.rung() => true,
            () = self.clock.sleep(wait) => false,
        }
    }
}
