//! `GET /v1/events`: one task per client, fed from the outbox.

use std::rc::Rc;

use bytes::Bytes;
use counterfoil_data::ids::BranchId;
use counterfoil_data::sign::SignerId;
use counterfoil_data::wire::confirm::Notice;
use tokio::sync::mpsc;

use super::super::Service;
use super::super::books::told;
use super::super::events::{
    Client, FRAMES_MAX, HEARTBEAT, custody, frame, greeting, heartbeat, push, reset,
};
use super::super::fault::Fault;
use super::super::reply::Reply;
use super::super::shares::Share;
use super::Asked;
use crate::core::query::{self, Audience, Signer};

/// Outbox rows read at once.
const ROWS_MAX: usize = 64;

/// What a client hears of.
enum Hears {
    /// Sales, row by row of the outbox.
    Sales(Audience),
    /// That something of this branch's custody changed.
    Custody(BranchId),
}

/// One client's stream.
struct Stream {
    service: Rc<Service>,
    hears: Hears,
    after: u64,
    frames: mpsc::Sender<Bytes>,
    _place: Share<SignerId>,
}

impl Service {
    pub(super) fn events(self: &Rc<Self>, asked: Asked) -> Result<Reply, Fault> {
        let place = self.streams.take(Some(asked.signer_id.clone()));
        let place = place.ok_or_else(Fault::busy)?;
        let sales = Hears::Sales;
        let hears = match &asked.signer {
            Signer::Kiosk { id, .. } => sales(Audience::Kiosk(id.clone())),
            Signer::Station { branch, .. } => sales(Audience::Station(branch.clone())),
            Signer::Staff { branch, .. } => Hears::Custody(branch.clone()),
        };
        let after = match (asked.last_event, &hears) {
            (Some(after), _) => after,
            (None, Hears::Sales(_)) => told(query::newest_notice(self.books()?.read()))?,
            (None, Hears::Custody(branch)) => {
                told(query::custody_changes(self.books()?.read(), branch))?
            }
        };
        let (frames, body) = mpsc::channel(FRAMES_MAX);
        let stream = Stream {
            service: Rc::clone(self),
            hears,
            after,
            frames,
            _place: place,
        };
        tokio::task::spawn_local(stream.run());
        Ok(Reply::events(body))
    }
}

impl Stream {
    /// Until the client hangs up, is too slow, or the service closes.
    async fn run(mut self) {
        let mut changes = self.service.changes.listen();
        let mut closing = self.service.closing.listen_for_first();
        if self.push(greeting(self.after)).await == Client::Gone {
            return;
        }
        loop {
            changes.catch_up();
            let client = match &self.hears {
                Hears::Sales(audience) => self.catch_up(audience.clone()).await,
                Hears::Custody(branch) => self.look(branch.clone()).await,
            };
            if client == Client::Gone {
                return;
            }
            tokio::select! {
                biased;
                () = closing.rung() => return,
                () = self.frames.closed() => return,
                () = changes.rung() => {}
                () = self.service.clock.sleep(HEARTBEAT) => {
                    if self.push(heartbeat()).await == Client::Gone {
                        return;
                    }
                }
            }
        }
    }

    /// Sends every row after the last one sent; `reset` first where rows in between
    /// are forgotten already, or the last one is of other books (a restored backup).
    async fn catch_up(&mut self, audience: Audience) -> Client {
        loop {
            let Ok(books) = self.service.books() else {
                return Client::Gone;
            };
            let Ok(newest) = told(query::newest_notice(books.read())) else {
                return Client::Gone;
            };
            if !query::is_resumable(self.after, newest) {
                drop(books);
                self.after = newest;
                if self.push(reset(newest)).await == Client::Gone {
                    return Client::Gone;
                }
                continue;
            }
            let rows = query::notices(books.read(), &audience, self.after, ROWS_MAX);
            drop(books);
            let Ok((rows, looked)) = told(rows) else {
                return Client::Gone;
            };
            for (sequence, row) in rows {
                let notice = Notice {
                    sale: row.sale,
                    state: row.state,
                };
                let Some(frame) = frame(sequence, &notice) else {
                    return Client::Gone;
                };
                if self.push(frame).await == Client::Gone {
                    return Client::Gone;
                }
            }
            if looked <= self.after {
                return Client::Listening;
            }
            self.after = looked;
        }
    }

    /// One frame where the branch's counter is not the one this client heard last;
    /// also where it is lower (a restored backup).
    async fn look(&mut self, branch: BranchId) -> Client {
        let Ok(books) = self.service.books() else {
            return Client::Gone;
        };
        let Ok(newest) = told(query::custody_changes(books.read(), &branch)) else {
            return Client::Gone;
        };
        drop(books);
        if newest == self.after {
            return Client::Listening;
        }
        self.after = newest;
        self.push(custody(newest)).await
    }

    async fn push(&self, frame: Bytes) -> Client {
        push(&self.frames, frame, &self.service.clock).await
    }
}
