//! Sessions of staff: what of them is only in memory, and who is let through.
//!
//! The books know who is logged in where and until when. Here is when a terminal was last
//! touched, and the challenge that its next password is sealed to. Both are gone with the
//! process: after a restart nobody knows how long a terminal stood alone, so everybody
//! logs in again.

use std::collections::BTreeMap;
use std::time::Duration;

use counterfoil_data::sealed::Challenge;
use counterfoil_data::sign::SignerId;
use counterfoil_data::wire::session::SessionId;

use super::Service;
use super::books::told;
use super::fault::Fault;
use super::handle::Asked;
use super::route::{Audience, Operation, Route};
use crate::core::command::{Actor, Command, CommandBody, StaffCommand};
use crate::core::event::EndReason;
use crate::core::query::{self, Signer};
use crate::core::record::staff::SessionRow;

/// Of every enrolled terminal at most one entry each.
#[derive(Debug, Default)]
pub struct Sessions {
    challenges: BTreeMap<SignerId, Challenge>,
    touched: BTreeMap<SignerId, (SessionId, Duration)>,
}

impl Sessions {
    /// Gives a terminal the challenge of its next login; the one before is void.
    pub fn issue(&mut self, signer: &SignerId, challenge: Challenge) {
        self.challenges.insert(signer.clone(), challenge);
    }

    /// Takes a terminal's challenge: it is good once.
    pub fn take(&mut self, signer: &SignerId) -> Option<Challenge> {
        self.challenges.remove(signer)
    }

    /// Somebody touches the terminal.
    pub fn touch(&mut self, signer: &SignerId, session: SessionId, now: Duration) {
        self.touched.insert(signer.clone(), (session, now));
    }

    /// How long nobody touched it; `None`: that is not known.
    fn idle(&self, signer: &SignerId, session: SessionId, now: Duration) -> Option<Duration> {
        let (held, at) = self.touched.get(signer)?;
        (*held == session).then(|| now.saturating_sub(*at))
    }
}

/// What a person does by hand, and nothing that a terminal does by itself: looking at the
/// list, and at a case that opened by itself.
fn is_touch(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::Confirm
            | Operation::Deny
            | Operation::Ask
            | Operation::Propose
            | Operation::Approve
            | Operation::Refuse
            | Operation::Alive
    )
}

/// Whether a route needs somebody logged in, where the bank asks for it at all. Of what
/// changed, and of the log's hashes, a terminal may hear with its key alone.
fn needs_session(route: &Route, signer: &Signer) -> bool {
    let by_staff = !matches!(signer, Signer::Kiosk { .. });
    let personal = matches!(route.audience, Audience::Station | Audience::Staff)
        || matches!(route.operation, Operation::Number | Operation::Alive);
    by_staff && personal
}

/// Whether a route's callers may be people who are logged in.
pub fn may_name(route: &Route) -> bool {
    matches!(
        route.audience,
        Audience::Station | Audience::Staff | Audience::Terminal
    ) || route.operation == Operation::Number
}

impl Service {
    /// Lets a request through if whoever is behind it is logged in, and says who that is.
    pub(super) async fn admit(&self, route: &Route, asked: &mut Asked) -> Result<(), Fault> {
        let sessions = told(query::access(self.books()?.read()))?.sessions;
        if !sessions || !needs_session(route, &asked.signer) {
            return Ok(());
        }
        let session = self.live(asked).await?.ok_or_else(Fault::no_session)?;
        if is_touch(route.operation) {
            let now = self.clock.monotonic();
            let mut memory = self.sessions.borrow_mut();
            memory.touch(&asked.signer_id, session.id, now);
        }
        if let Signer::Station { officer, .. } = &mut asked.signer {
            *officer = session.staff;
        }
        Ok(())
    }

    /// The session that a request names, if it is its terminal's and lives. One that is
    /// found to be over is ended in the books.
    pub(super) async fn live(&self, asked: &Asked) -> Result<Option<SessionRow>, Fault> {
        let books = self.books()?;
        let held = told(query::session_at(
            books.read(),
            &asked.signer_id.to_string(),
        ))?;
        let access = told(query::access(books.read()))?;
        drop(books);
        let Some(held) = held.filter(|held| asked.session == Some(held.id)) else {
            return Ok(None);
        };
        let now = self.clock.monotonic();
        let idle = self.sessions.borrow().idle(&asked.signer_id, held.id, now);
        let why = match idle {
            _ if self.clock.now() >= held.ends => EndReason::Expired,
            None => EndReason::Restarted,
            Some(idle) if idle.as_secs() >= u64::from(access.idle_s) => EndReason::Idle,
            Some(_) => return Ok(Some(held)),
        };
        self.end_session(asked, held.id, why, None).await?;
        Ok(None)
    }

    /// Ends a session in the books.
    pub(super) async fn end_session(
        &self,
        asked: &Asked,
        session: SessionId,
        why: EndReason,
        sequence: Option<u64>,
    ) -> Result<(), Fault> {
        let body = CommandBody::Staff(StaffCommand::End { session, why });
        let actor = Actor::Terminal(asked.signer_id.clone());
        let command = Command {
            sequence,
            ..self.fresh(actor, body)
        };
        self.make(command).await.map(drop)
    }
}
