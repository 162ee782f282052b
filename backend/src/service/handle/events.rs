//! `GET /v1/events`: one task per client, fed from the outbox.

use std::rc::Rc;

use bytes::Bytes;
use counterfoil_data::wire::confirm::Notice;
use tokio::sync::mpsc;

use super::super::Service;
use super::super::books::told;
use super::super::events::{
    Client, FRAMES_MAX, HEARTBEAT, Place, frame, greeting, heartbeat, push,
};
use super::super::fault::Fault;
use super::super::reply::Reply;
use super::Asked;
use crate::core::query::{self, Audience, Signer};

/// Outbox rows read at once.
const ROWS_MAX: usize = 64;

/// One client's stream.
struct Stream {
    service: Rc<Service>,
    audience: Audience,
    after: u64,
    frames: mpsc::Sender<Bytes>,
    _place: Place,
}

impl Service {
    pub(super) fn events(self: &Rc<Self>, asked: Asked) -> Result<Reply, Fault> {
        let place = self.places.take(&asked.signer_id).ok_or_else(Fault::busy)?;
        let audience = match &asked.signer {
            Signer::Kiosk { id, .. } => Audience::Kiosk(id.clone()),
            Signer::Station { branch, .. } => Audience::Station(branch.clone()),
        };
        let after = match asked.last_event {
            Some(after) => after,
            None => told(query::newest_notice(self.books()?.read()))?,
        };
        let (frames, body) = mpsc::channel(FRAMES_MAX);
        let stream = Stream {
            service: Rc::clone(self),
            audience,
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
        let mut changes = self.service.changes.subscribe();
        let mut closing = self.service.closing.subscribe();
        if self.push(greeting()).await == Client::Gone {
            return;
        }
        loop {
            changes.borrow_and_update();
            if self.catch_up().await == Client::Gone {
                return;
            }
            tokio::select! {
                biased;
                _ = closing.wait_for(|closing| *closing) => return,
                () = self.frames.closed() => return,
                changed = changes.changed() => if changed.is_err() { return },
                () = self.service.clock.sleep(HEARTBEAT) => {
                    if self.push(heartbeat()).await == Client::Gone {
                        return;
                    }
                }
            }
        }
    }

    /// Sends every row after the last one sent.
    async fn catch_up(&mut self) -> Client {
        loop {
            let Ok(books) = self.service.books() else {
                return Client::Gone;
            };
            let rows = query::notices(books.read(), &self.audience, self.after, ROWS_MAX);
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

    async fn push(&self, frame: Bytes) -> Client {
        push(&self.frames, frame, &self.service.clock).await
    }
}
