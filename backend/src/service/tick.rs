//! Timers and errands: what the house does without being asked.
//!
//! [`Service::tick`] gives the commands that are due (sale expiry, an officer's
//! silence); [`Service::relay`] carries outbox rows out of the house, at least
//! once, and marks them delivered. Both sleep until something changes.

use std::rc::Rc;
use std::time::Duration;

use tokio::sync::watch;

use super::Service;
use super::books::told;
use super::fault::Fault;
use crate::core::command::{CommandBody, GROUP_MAX};
use crate::core::query;
use crate::core::record::books::Errand;
use crate::ports::{ContactNotice, FeeBooking, Issue, PortError};

/// Longest sleep of a timer that knows of nothing.
const IDLE_MAX: Duration = Duration::from_secs(3_600);
/// Pause after something failed, doubled up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_secs(1);
/// Longest pause between tries.
const PAUSE_MAX: Duration = Duration::from_secs(60);

impl Service {
    /// Gives due commands until the service closes.
    pub async fn tick(self: Rc<Self>) {
        let mut changes = self.changes.subscribe();
        loop {
            changes.borrow_and_update();
            let wait = match self.fire().await {
                Ok(wait) => wait,
                Err(fault) => {
                    tracing::error!(%fault, "a timer could not be handled");
                    PAUSE_MIN
                }
            };
            if self.pause(wait, &mut changes).await {
                return;
            }
        }
    }

    /// Fires what is due; how long until the next.
    async fn fire(&self) -> Result<Duration, Fault> {
        let due = told(query::due(
            self.books()?.read(),
            self.clock.now(),
            GROUP_MAX,
        ))?;
        let mut fired = false;
        for body in due {
            match self.system(body).await {
                Ok(()) => {
                    self.meter.timers.one();
                    fired = true;
                }
                // The sale moved on in the meantime.
                Err(fault) => tracing::debug!(%fault, "a due command was refused"),
            }
        }
        if fired {
            return Ok(Duration::ZERO);
        }
        let Some(next) = told(query::next_due(self.books()?.read()))? else {
            return Ok(IDLE_MAX);
        };
        let left = next.duration_since(self.clock.now());
        let left = Duration::try_from(left).unwrap_or(Duration::ZERO);
        // What is due and refused must not spin.
        Ok(left.clamp(PAUSE_MIN, IDLE_MAX))
    }

    /// Hands errands over until the service closes.
    pub async fn relay(self: Rc<Self>) {
        let mut changes = self.changes.subscribe();
        let mut pause = PAUSE_MIN;
        loop {
            changes.borrow_and_update();
            let wait = match self.run_errands().await {
                Ok(0) => IDLE_MAX,
                Ok(_) => {
                    pause = PAUSE_MIN;
                    Duration::ZERO
                }
                Err(fault) => {
                    tracing::warn!(%fault, "an errand could not be delivered; it is repeated");
                    let now = pause;
                    pause = pause.saturating_mul(2).min(PAUSE_MAX);
                    now
                }
            };
            if self.pause(wait, &mut changes).await {
                return;
            }
        }
    }

    /// Delivers waiting errands in order; how many.
    async fn run_errands(&self) -> Result<usize, Fault> {
        let errands = told(query::errands(self.books()?.read(), GROUP_MAX))?;
        let mut sequences = Vec::with_capacity(errands.len());
        let mut failed = None;
        for waiting in errands {
            let handed = match waiting.errand {
                Errand::TellContact {
                    name,
                    phone,
                    requisition,
                    count,
                    fee,
                } => {
                    let notice = ContactNotice {
                        name,
                        phone,
                        requisition,
                        count,
                        fee,
                    };
                    self.ports.contact.tell(waiting.sequence, notice).await
                }
                Errand::BookFee {
                    entry,
                    account,
                    amount,
                } => {
                    let booking = FeeBooking {
                        entry,
                        account,
                        amount,
                    };
                    self.ports.accounts.book(booking).await
                }
                Errand::TellIssue { account, ranges } => {
                    let issue = Issue { account, ranges };
                    self.ports.clearing.tell(waiting.sequence, issue).await
                }
            };
            match handed {
                Ok(()) => {
                    self.meter.errands.one();
                    sequences.push(waiting.sequence);
                }
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        let delivered = sequences.len();
        if delivered > 0 {
            self.system(CommandBody::MarkDelivered { sequences })
                .await?;
        }
        match failed {
            Some(PortError::Unreachable(port)) => Err(Fault::new(
                counterfoil_data::wire::problem::ProblemKind::Busy,
                format!("{port} cannot be reached"),
            )),
            None => Ok(delivered),
        }
    }

    /// Waits for time or change; `true` when the service closes.
    async fn pause(&self, wait: Duration, changes: &mut watch::Receiver<u64>) -> bool {
        let mut closing = self.closing.subscribe();
        tokio::select! {
            biased;
            _ = closing.wait_for(|closing| *closing) => true,
            changed = changes.changed() => changed.is_err(),
            () = self.clock.sleep(wait) => false,
        }
    }
}
