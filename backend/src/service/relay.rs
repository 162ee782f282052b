//! Errands: outbox rows carried out of the house, at least once, in order.
//!
//! Owns one queue a port ([`Port`]): each delivers its own errands, waits for its own
//! answer no longer than [`CALL_MAX`], and backs off by itself, so that a port that is
//! down or hangs keeps no other waiting. [`Service::relay`] runs until the service
//! closes.

use std::rc::Rc;
use std::time::Duration;

use counterfoil_data::wire::problem::ProblemKind;

use super::Service;
use super::books::told;
use super::fault::Fault;
use super::tick::IDLE_MAX;
use crate::core::command::{CommandBody, GROUP_MAX};
use crate::core::query::{self, PendingErrand};
use crate::core::record::books::{Errand, Port};
use crate::ports::{ContactNotice, FeeBooking, Issue, PortError};

/// Longest wait for a port's answer to one call; then the call is repeated.
pub const CALL_MAX: Duration = Duration::from_secs(20);
/// Pause after something failed, doubled up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_secs(1);
/// Longest pause between tries.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// Where one port's queue stands.
struct Queue {
    port: Port,
    /// No errand of this port waits at or before this outbox number.
    done: u64,
}

impl Service {
    /// Hands errands over until the service closes.
    pub async fn relay(self: Rc<Self>) {
        tokio::join!(
            self.carry(Port::Accounts),
            self.carry(Port::Contact),
            self.carry(Port::Clearing),
        );
    }

    async fn carry(&self, port: Port) {
        let mut queue = Queue { port, done: 0 };
        let mut changes = self.changes.listen();
        let mut pause = PAUSE_MIN;
        loop {
            changes.catch_up();
            let closed = match self.run_errands(&mut queue).await {
                Ok(true) => {
                    pause = PAUSE_MIN;
                    self.closing.has_rung()
                }
                Ok(false) => self.pause(IDLE_MAX, &mut changes).await,
                Err(fault) => {
                    tracing::warn!(%fault, ?port, "an errand was not delivered; it is repeated");
                    let now = pause;
                    pause = pause.saturating_mul(2).min(PAUSE_MAX);
                    // Whatever else changes in the house, the port has its rest.
                    self.sleep(now).await
                }
            };
            if closed {
                return;
            }
        }
    }

    /// Delivers this port's next errands in order; whether there may be more.
    async fn run_errands(&self, queue: &mut Queue) -> Result<bool, Fault> {
        let (port, done) = (queue.port, queue.done);
        let (errands, looked) = told(query::errands(self.books()?.read(), port, done, GROUP_MAX))?;
        let mut sequences = Vec::with_capacity(errands.len());
        let mut failed = None;
        for PendingErrand {
            sequence, errand, ..
        } in errands
        {
            let handed = tokio::select! {
                biased;
                handed = self.hand(sequence, errand) => handed,
                () = self.clock.sleep(CALL_MAX) => Err(PortError::Unreachable(port.name())),
            };
            if let Err(error) = handed {
                failed = Some(error);
                break;
            }
            self.meter.errands.one();
            sequences.push(sequence);
        }
        if !sequences.is_empty() {
            self.system(CommandBody::MarkDelivered { sequences })
                .await?;
        }
        if let Some(PortError::Unreachable(port)) = failed {
            let detail = format!("{port} cannot be reached");
            return Err(Fault::new(ProblemKind::Busy, detail));
        }
        queue.done = looked;
        Ok(looked > done)
    }

    async fn hand(&self, sequence: u64, errand: Errand) -> Result<(), PortError> {
        match errand {
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
                self.ports.contact.tell(sequence, notice).await
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
                let issue = Issue {
                    account,
                    ranges,
                    barred: None,
                };
                self.ports.clearing.tell(sequence, issue).await
            }
            Errand::TellBar {
                account,
                ranges,
                why,
            } => {
                let issue = Issue {
                    account,
                    ranges,
                    barred: Some(why),
                };
                self.ports.clearing.tell(sequence, issue).await
            }
        }
    }
}
