//! How far a recording was played, and what comes next in it.
//!
//! Owns the order of the host's acts and the moments of the device's answers; refuses an
//! act that is not the next one. Called by [`super::Replay`] only.

use std::time::Duration;

use super::difference::{Difference, Sent};
use super::recording::{Act, Answer, Session};
use crate::transport::UsbError;

/// A recording and what of it was played.
pub(super) struct State {
    pub(super) session: Session,
    pub(super) opened: Option<Duration>,
    /// When each act was made again, in their order.
    pub(super) played: Vec<Duration>,
    /// Bytes of the next act that were written already.
    pub(super) offset: usize,
    pub(super) passed: usize,
    pub(super) difference: Option<Difference>,
}

/// What the recording says happened to an act.
pub(super) struct Done {
    pub(super) frame: u32,
    pub(super) status: i32,
    pub(super) moved: usize,
    pub(super) data: Vec<u8>,
    pub(super) after: Duration,
}

/// What is there for a read now.
pub(super) enum Look {
    /// It is there.
    Ready(Answer),
    /// It comes then.
    At(Duration),
    /// Nothing, until the host acts.
    Nothing,
}

impl State {
    pub(super) fn of(session: Session) -> Self {
        Self {
            session,
            opened: None,
            played: Vec::new(),
            offset: 0,
            passed: 0,
            difference: None,
        }
    }

    fn next(&self) -> Option<&Act> {
        self.session.acts.get(self.played.len())
    }

    fn pass(&mut self, now: Duration) {
        self.played.push(now);
        self.passed = self.passed.saturating_add(1);
    }

    /// Passes over what is not the driver's.
    fn skip_to(&mut self, sent: &Sent<'_>, now: Duration) {
        if self.offset > 0 {
            return;
        }
        if self.played.is_empty() {
            let mut acts = self.session.acts.iter();
            let begin = acts.position(|act| act.setup.is_none() || sent.is(act));
            let is_found = begin.and_then(|at| self.session.acts.get(at));
            let is_found = is_found.is_some_and(|act| sent.is(act));
            for _ in 0..begin.filter(|_| is_found).unwrap_or(0) {
                self.pass(now);
            }
        }
        while self.next().is_some_and(|a| a.is_standard() && !sent.is(a)) {
            self.pass(now);
        }
    }

    /// Compares one act, or as much of it as was sent. `Ok` is how many bytes of `sent`
    /// it took, and what became of it once it is complete.
    pub(super) fn play(
        &mut self,
        sent: &Sent<'_>,
        now: Duration,
    ) -> Result<(usize, Option<Done>), Difference> {
        if let Some(difference) = &self.difference {
            return Err(difference.clone());
        }
        self.skip_to(sent, now);
        let compared = match self.next() {
            None => Err(Difference::end(sent)),
            Some(act) => sent.compare(act, self.offset),
        };
        let taken = match compared {
            Ok(taken) => taken,
            Err(difference) => {
                self.difference = Some(difference.clone());
                return Err(difference);
            }
        };
        let Some(act) = self.next() else {
            return Ok((taken, None));
        };
        let reached = self.offset.saturating_add(taken);
        if reached < act.length {
            self.offset = reached;
            return Ok((taken, None));
        }
        let done = match &act.done {
            // The recording ended before it was over.
            None => Done {
                frame: act.frame,
                status: crate::transport::usbmon::status_of(&UsbError::Timeout),
                moved: 0,
                data: Vec::new(),
                after: Duration::MAX,
            },
            Some(done) => Done {
                frame: done.frame,
                status: done.status,
                moved: done.moved,
                data: done.data.clone(),
                after: done.at.saturating_sub(act.at),
            },
        };
        self.offset = 0;
        self.played.push(now);
        Ok((taken, Some(done)))
    }

    /// When an answer comes, if the acts before it were made.
    pub(super) fn due(&self, answer: &Answer) -> Option<Duration> {
        if answer.after > self.played.len() {
            return None;
        }
        let (base, then) = match answer.after.checked_sub(1) {
            None => (self.opened.unwrap_or_default(), self.session.began),
            Some(last) => (
                *self.played.get(last)?,
                self.session.acts.get(last).map(|act| act.at)?,
            ),
        };
        Some(base.saturating_add(answer.at.saturating_sub(then)))
    }

    pub(super) fn look(&mut self, endpoint: u8, now: Duration) -> Look {
        let answers = self.session.answers.get(&endpoint);
        let Some(first) = answers.and_then(|answers| answers.front()) else {
            return Look::Nothing;
        };
        match self.due(first) {
            None => Look::Nothing,
            Some(due) if due > now => Look::At(due),
            Some(_) => {
                let answers = self.session.answers.get_mut(&endpoint);
                answers
                    .and_then(|answers| answers.pop_front())
                    .map_or(Look::Nothing, Look::Ready)
            }
        }
    }
}
