//! Server-sent events: a bounded parser, and the stream that resumes, or says that it
//! could not and everything must be looked at again.

use std::time::Duration;

use counterfoil_data::wire::confirm::RESET_EVENT;
use counterfoil_data::wire::custody::CUSTODY_EVENT;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::sync::mpsc;

use super::{ANSWER_WITHIN, Ask, Dial, Link, LinkError, Sender, parse};
use crate::flow::event::Change;

/// Longest event taken, in bytes.
pub const EVENT_MAX: usize = 16 * 1024;
/// The backend sends a comment every 15 s; three missing ones end the stream.
pub const SILENCE_MAX: Duration = Duration::from_secs(45);
/// Before connecting again.
const PAUSE: Duration = Duration::from_secs(2);

/// One event with data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SseEvent {
    /// The last id seen.
    pub id: Option<u64>,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Data lines, joined.
    pub data: String,
}

/// Sans-I/O parser (WHATWG HTML, "Interpreting an event stream"), UTF-8 only.
/// A line or event beyond [`EVENT_MAX`] is dropped whole.
#[derive(Debug, Default)]
pub struct SseParser {
    line: Vec<u8>,
    overlong: bool,
    after_cr: bool,
    id: Option<u64>,
    name: Option<String>,
    data: Option<String>,
    /// The event being read grew beyond [`EVENT_MAX`].
    too_long: bool,
}

impl SseParser {
    /// Bytes in, whole events out.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<SseEvent> {
        let mut events = Vec::new();
        for byte in bytes {
            let after_cr = std::mem::replace(&mut self.after_cr, *byte == b'\r');
            match byte {
                b'\n' if after_cr => {}
                b'\r' | b'\n' => events.extend(self.line()),
                _ if self.line.len() < EVENT_MAX => self.line.push(*byte),
                _ => self.overlong = true,
            }
        }
        events
    }

    fn line(&mut self) -> Option<SseEvent> {
        let line = std::mem::take(&mut self.line);
        let overlong = std::mem::take(&mut self.overlong);
        let Ok(line) = std::str::from_utf8(&line) else {
            return None;
        };
        if line.is_empty() && !overlong {
            let too_long = std::mem::take(&mut self.too_long);
            let (name, data) = (self.name.take(), self.data.take());
            let data = data.filter(|_| !too_long)?;
            let id = self.id;
            return Some(SseEvent { id, name, data });
        }
        if overlong {
            return None;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => self.id = value.parse().ok().or(self.id),
            "event" => self.name = Some(value.to_owned()),
            "data" => match &mut self.data {
                Some(data) if data.len().saturating_add(value.len()) < EVENT_MAX => {
                    data.push('\n');
                    data.push_str(value);
                }
                Some(_) => self.too_long = true,
                None => self.data = Some(value.to_owned()),
            },
            _ => {}
        }
        None
    }
}

/// An open stream of notices.
pub struct Notices {
    body: Incoming,
    parser: SseParser,
    waiting: std::collections::VecDeque<SseEvent>,
    /// Kept: dropping it ends the connection.
    _sender: Sender,
}

impl<D: Dial> Link<D> {
    /// Opens `GET /v1/events` on a connection of its own, after event `last`.
    pub async fn notices(&self, last: Option<u64>) -> Result<Notices, LinkError> {
        let opening = async {
            let sender = self.connect().await?;
            let ask = Ask::read("/v1/events");
            let (sender, response) = self.send(sender, &ask, last).await?;
            let status = response.status().as_u16();
            let body = response.into_body();
            if status == 200 {
                return Ok(Notices {
                    body,
                    parser: SseParser::default(),
                    waiting: std::collections::VecDeque::new(),
                    _sender: sender,
                });
            }
            let body = http_body_util::Limited::new(body, EVENT_MAX);
            let body = body
                .collect()
                .await
                .map_err(|_| LinkError::Unreachable { sent: true })?;
            match parse::<serde_json::Value>(status, &body.to_bytes()) {
                Err(error) => Err(error),
                Ok(_) => Err(LinkError::Garbled { status }),
            }
        };
        tokio::select! {
            biased;
            opened = opening => opened,
            () = self.clock.sleep(ANSWER_WITHIN) => Err(LinkError::Late(ANSWER_WITHIN)),
        }
    }

    /// The next change and its id; an error ends the stream. What is not understood is
    /// of a later version and passed over.
    pub async fn next_change(
        &self,
        notices: &mut Notices,
    ) -> Result<(Option<u64>, Change), LinkError> {
        loop {
            while let Some(event) = notices.waiting.pop_front() {
                // Custody changed: what it says of that is to look at everything anew.
                if matches!(event.name.as_deref(), Some(RESET_EVENT | CUSTODY_EVENT)) {
                    return Ok((event.id, Change::Missed));
                }
                if let Ok(notice) = serde_json::from_str(&event.data) {
                    return Ok((event.id, Change::Sale(notice)));
                }
            }
            let frame = tokio::select! {
                biased;
                frame = notices.body.frame() => frame,
                () = self.clock.sleep(SILENCE_MAX) => return Err(LinkError::Late(SILENCE_MAX)),
            };
            match frame {
                Some(Ok(frame)) => {
                    let bytes = frame.into_data().unwrap_or_default();
                    notices.waiting.extend(notices.parser.feed(&bytes));
                }
                Some(Err(_)) | None => return Err(LinkError::Unreachable { sent: true }),
            }
        }
    }

    /// Passes changes on for ever, connecting again and resuming after the last one,
    /// or where the stream began. That a stream broke is told at once: it is the first
    /// sign that the backend is out of reach. Ends when nobody listens any more.
    pub async fn pass_changes(&self, to: mpsc::Sender<Change>) {
        let mut last = None;
        let mut told = false;
        while !to.is_closed() {
            if let Ok(mut notices) = self.notices(last).await {
                while let Ok((id, change)) = self.next_change(&mut notices).await {
                    last = id.or(last);
                    if to.send(change).await.is_err() {
                        return;
                    }
                }
                last = notices.parser.id.or(last);
                told = false;
            }
            // Once an outage: a stream that broke, or one that cannot be opened.
            if !told && to.send(Change::Missed).await.is_err() {
                return;
            }
            told = true;
            self.clock.sleep(PAUSE).await;
        }
    }
}
