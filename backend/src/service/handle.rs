//! Handlers, one file per conversation, and the two things they share: giving a
//! command and translating a refusal.
//!
//! A handler gets a request that is proven and new; it parses, gives commands and
//! answers with a view. It decides nothing: gates and rules are the core's.

mod confirm;
mod custody;
mod events;
mod evidence;
mod identity;
mod info;
mod sale;
mod session;
mod settled;
mod sheet;
mod witness;

use std::rc::Rc;

use bytes::Bytes;
use counterfoil_data::ids::SaleId;
use counterfoil_data::leaf::Signed;
use counterfoil_data::seam::random;
use counterfoil_data::sign::SignerId;
use counterfoil_data::wire::sale::TreeSeen;
use counterfoil_data::wire::session::SessionId;
use serde::de::DeserializeOwned;

use super::Service;
use super::fault::Fault;
use super::reply::Reply;
use super::route::{Operation, Params};
use crate::core::command::{Actor, ClientKey, Command, CommandBody, Outcome};
use crate::core::query::Signer;
use crate::core::refusal::Refusal;
use crate::workers::{Kind, Place};

/// A request whose signer is proven.
pub struct Asked {
    /// Who.
    pub signer: Signer,
    /// Who, as a key id.
    pub signer_id: SignerId,
    /// Path parameters.
    pub params: Params,
    /// The body, within its limit.
    pub body: Bytes,
    /// The request number of a command; `None` for reads.
    pub sequence: Option<u64>,
    /// The signature, where it is kept as evidence.
    pub signed: Option<Box<Signed>>,
    /// The client's key, where the route needs one.
    pub key: Option<ClientKey>,
    /// The session that a terminal of staff names.
    pub session: Option<SessionId>,
    /// Where an event stream resumes.
    pub last_event: Option<u64>,
    /// The largest evidence log the kiosk has seen, as the query of its own view says.
    pub seen: Option<TreeSeen>,
}

impl Asked {
    /// The sale named by the path.
    fn sale(&self) -> Result<SaleId, Fault> {
        self.params
            .at(0)
            .parse()
            .map_err(|_| Fault::malformed("a sale id is 32 lower-case hex digits"))
    }

    /// The body as JSON. The error names a place, never content.
    fn json<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        serde_json::from_slice(&self.body).map_err(|error| malformed_json(&error))
    }

    /// Who, as the core knows it.
    pub fn actor(&self) -> Actor {
        match &self.signer {
            Signer::Kiosk { id, .. } => Actor::Kiosk(id.clone()),
            Signer::Station { id, officer, .. } => Actor::Station(id.clone(), officer.clone()),
            Signer::Staff { id, .. } => Actor::Staff(id.clone()),
        }
    }
}

/// Where parsing stopped; serde's own text could repeat what was sent.
fn malformed_json(error: &serde_json::Error) -> Fault {
    Fault::malformed(format!(
        "the body does not follow its schema (line {}, column {})",
        error.line(),
        error.column()
    ))
}

/// What a command came to, and whether it was rebuilt for a repeated key.
pub(super) struct Given {
    outcome: Outcome,
    replayed: bool,
}

impl Service {
    pub(super) async fn handle(
        self: &Rc<Self>,
        operation: Operation,
        asked: Asked,
    ) -> Result<Reply, Fault> {
        match operation {
            Operation::OpenSale => self.open_sale(asked).await,
            Operation::ReadSale => self.read_sale(&asked),
            Operation::Info => self.info(asked).await,
            Operation::Identity => self.identity(asked).await,
            Operation::Finger => self.finger(asked).await,
            Operation::Order => self.order(asked).await,
            Operation::Link => self.link(asked).await,
            Operation::Forms => self.forms(asked).await,
            Operation::Sheet => self.take_sheet(asked).await,
            Operation::Cancel => self.cancel(asked).await,
            Operation::Abandon => self.abandon(asked).await,
            Operation::Close => self.close_sale(asked).await,
            Operation::ReadKiosk => self.read_kiosk(asked).await,
            Operation::Confirmations => self.confirmations(&asked),
            Operation::Seen | Operation::Confirm | Operation::Deny | Operation::Ask => {
                self.decide(operation, asked).await
            }
            Operation::Custody => self.custody(&asked),
            Operation::Propose => self.propose(asked).await,
            Operation::Approve | Operation::Refuse => self.second(operation, asked).await,
            Operation::ReadSession => self.read_session(&asked).await,
            Operation::LogIn => self.log_in(asked).await,
            Operation::Alive => self.alive(asked).await,
            Operation::LogOut => self.log_out(asked).await,
            Operation::Events => self.events(asked),
            Operation::Checkpoint => self.checkpoint(),
            Operation::Tile => self.tile(&asked),
            Operation::Number => self.number(&asked),
            Operation::OpenApi => Err(Fault::not_found()),
        }
    }

    /// A place in the line of a pool, in this signer's name.
    fn place(&self, kind: Kind, asked: &Asked) -> Result<Place, Fault> {
        let owner = Some(asked.signer_id.clone());
        Ok(self.workers.join(kind, owner, &self.clock)?)
    }

    /// Gives the request's command, under its signer, sequence and key.
    async fn give(&self, asked: &Asked, body: CommandBody) -> Result<Given, Fault> {
        let command = Command {
            sequence: asked.sequence,
            key: asked.key.clone(),
            signed: asked.signed.clone(),
            ..self.fresh(asked.actor(), body)
        };
        self.make(command).await
    }

    /// A command of now.
    pub(super) fn fresh(&self, actor: Actor, body: CommandBody) -> Command {
        Command {
            at: self.clock.now(),
            salt: random(&*self.entropy),
            actor,
            sequence: None,
            key: None,
            signed: None,
            body,
        }
    }

    /// Gives a command; its answer is durable.
    pub(super) async fn make(&self, command: Command) -> Result<Given, Fault> {
        self.meter.commands.one();
        let waiting = self.waiting.begin(self.clock.monotonic());
        let answer = self.writer.give(command).await.map_err(|_| Fault::busy())?;
        drop(waiting);
        // Also after a refusal: a counted attempt may be new.
        self.changes.ring();
        if answer.replayed {
            self.meter.replayed.one();
        }
        match answer.result {
            Ok(outcome) => Ok(Given {
                outcome,
                replayed: answer.replayed,
            }),
            Err(refusal) => Err(refused(&refusal)),
        }
    }

    /// Gives a command of the house itself (timers, relay).
    pub(super) async fn system(&self, body: CommandBody) -> Result<(), Fault> {
        let given = self.make(self.fresh(Actor::System, body)).await?;
        tracing::debug!(outcome = ?given.outcome, "done by the house");
        Ok(())
    }
}

/// A refusal of the core as a fault.
fn refused(refusal: &Refusal) -> Fault {
    let mut fault = Fault::new(refusal.problem(), refusal.to_string());
    fault.state = refusal.state();
    fault.reason = refusal.word();
    if let Refusal::Rule { rule, .. } = refusal {
        fault.rule = Some(Box::new(rule.clone()));
    }
    fault
}
