//! The waiting line of a pool: who is next, and who has no room. Pure.
//!
//! Each owner (a kiosk) has a lane; lanes are served in turn, so that one kiosk that asks
//! without end waits for itself alone. A subject (a card, an account) has one turn at a
//! time and a share of the waiting, so that one attacked from many kiosks holds one worker
//! at most. The whole is bounded; when it is full, a newcomer takes the newest place of
//! whoever holds two more than itself. Called by [`super::Workers`]; knows no threads and
//! no time.

use std::collections::VecDeque;

/// Places of those that have no turn yet.
pub const PLACES_MAX: usize = 32;
/// Of these, places of one owner.
pub const PLACES_PER_OWNER_MAX: usize = 4;
/// Of these, places that wait for one subject.
pub const PLACES_PER_SUBJECT_MAX: usize = 4;

/// A place, by its number; never given twice.
pub type Ticket = u64;

/// No room: in the whole, for this owner, or for this subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

/// Where a place stands.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stage<S> {
    /// Has room; whom it is about is not known yet.
    Joined,
    /// Waits for its turn.
    Waiting(Option<S>),
    /// May work.
    Turn(Option<S>),
}

#[derive(Debug)]
struct Place<K, S> {
    ticket: Ticket,
    owner: K,
    stage: Stage<S>,
    /// Is never taken away for a newcomer.
    kept: bool,
}

/// The line; small enough to be looked through.
#[derive(Debug)]
pub struct Line<K, S> {
    turns_max: usize,
    next: Ticket,
    places: Vec<Place<K, S>>,
    /// Owners of waiting places, each once; the front is served next.
    lanes: VecDeque<K>,
}

impl<K: Clone + Eq, S: Clone + Eq> Line<K, S> {
    /// A line that gives so many turns at a time.
    pub fn new(turns_max: usize) -> Self {
        Self {
            turns_max,
            next: 0,
            places: Vec::new(),
            lanes: VecDeque::new(),
        }
    }

    /// A place for `owner`, and the place that was taken away for it, if one was.
    pub fn join(&mut self, owner: K) -> Result<(Ticket, Option<Ticket>), Full> {
        let own = self.held(&owner);
        if own >= PLACES_PER_OWNER_MAX {
            return Err(Full);
        }
        let mut displaced = None;
        if self.outside() >= PLACES_MAX {
            let ticket = self.displaceable(own).ok_or(Full)?;
            self.leave(ticket);
            displaced = Some(ticket);
        }
        let ticket = self.next;
        self.next = self.next.wrapping_add(1);
        self.places.push(Place {
            ticket,
            owner,
            stage: Stage::Joined,
            kept: false,
        });
        Ok((ticket, displaced))
    }

    /// The newest waiting place of the owner with most, if that has two more than `own`.
    fn displaceable(&self, own: usize) -> Option<Ticket> {
        let waiting = self.places.iter().filter(|place| {
            matches!(place.stage, Stage::Waiting(_))
                && !place.kept
                && self.held(&place.owner) > own.saturating_add(1)
        });
        let most = waiting.max_by_key(|place| (self.held(&place.owner), place.ticket));
        most.map(|place| place.ticket)
    }

    /// This place waits for its turn from now on; [`Full`] when it was taken away or its
    /// subject has no room.
    pub fn wait(&mut self, ticket: Ticket, subject: Option<S>) -> Result<(), Full> {
        if subject.is_some() && self.waiting_for(subject.as_ref()) >= PLACES_PER_SUBJECT_MAX {
            return Err(Full);
        }
        let mut places = self.places.iter_mut();
        let place = places.find(|p| p.ticket == ticket).ok_or(Full)?;
        place.stage = Stage::Waiting(subject);
        if !self.lanes.contains(&place.owner) {
            self.lanes.push_back(place.owner.clone());
        }
        Ok(())
    }

    /// This place stays whoever comes: its attempt is about to be counted.
    pub fn keep(&mut self, ticket: Ticket) {
        if let Some(place) = self.places.iter_mut().find(|p| p.ticket == ticket) {
            place.kept = true;
        }
    }

    /// Gives up a place, with or without a turn.
    pub fn leave(&mut self, ticket: Ticket) {
        self.places.retain(|place| place.ticket != ticket);
        self.sweep();
    }

    /// Whose turn is next, if one may be given now: the first lane with a place whose
    /// subject has no turn, and of that lane the oldest such place.
    pub fn call(&mut self) -> Option<Ticket> {
        if self.turns() >= self.turns_max {
            return None;
        }
        let lane = self.lanes.iter().position(|o| self.first_of(o).is_some())?;
        let owner = self.lanes.remove(lane)?;
        let ticket = self.first_of(&owner)?;
        let place = self.places.iter_mut().find(|p| p.ticket == ticket)?;
        if let Stage::Waiting(subject) = &place.stage {
            place.stage = Stage::Turn(subject.clone());
        }
        self.lanes.push_back(owner);
        self.sweep();
        Some(ticket)
    }

    /// Places without a turn.
    pub fn outside(&self) -> usize {
        self.places.len().saturating_sub(self.turns())
    }

    /// Turns given now.
    pub fn turns(&self) -> usize {
        self.count(|place| matches!(place.stage, Stage::Turn(_)))
    }

    /// Turns at a time.
    pub fn turns_max(&self) -> usize {
        self.turns_max
    }

    fn first_of(&self, owner: &K) -> Option<Ticket> {
        let own = self.places.iter().filter(|place| place.owner == *owner);
        let mut free = own.filter(|place| match &place.stage {
            Stage::Waiting(Some(subject)) => !self.is_worked_on(subject),
            Stage::Waiting(None) => true,
            Stage::Joined | Stage::Turn(_) => false,
        });
        free.next().map(|place| place.ticket)
    }

    fn is_worked_on(&self, subject: &S) -> bool {
        let turn = Stage::Turn(Some(subject.clone()));
        self.places.iter().any(|place| place.stage == turn)
    }

    fn waiting_for(&self, subject: Option<&S>) -> usize {
        self.count(|place| matches!(&place.stage, Stage::Waiting(s) if s.as_ref() == subject))
    }

    /// Places of an owner that have no turn.
    fn held(&self, owner: &K) -> usize {
        self.count(|place| place.owner == *owner && !matches!(place.stage, Stage::Turn(_)))
    }

    fn count(&self, which: impl Fn(&Place<K, S>) -> bool) -> usize {
        self.places.iter().filter(|place| which(place)).count()
    }

    /// Drops lanes nobody waits in.
    fn sweep(&mut self) {
        let places = &self.places;
        self.lanes.retain(|owner| {
            let waits = |p: &Place<K, S>| matches!(p.stage, Stage::Waiting(_));
            places.iter().any(|p| p.owner == *owner && waits(p))
        });
    }
}

#[cfg(test)]
mod tests;
