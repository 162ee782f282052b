//! Who gives a command, and words that several commands use.

use counterfoil_data::ids::{KioskId, StaffId, StationId};
use counterfoil_data::sign::SignerId;
use counterfoil_data::wire::Digest;
use serde::{Deserialize, Serialize};

/// Who gives a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A kiosk, by its signature (S1).
    Kiosk(KioskId),
    /// The officer at a confirm station, by the station's signature (S17).
    Station(StationId, StaffId),
    /// A member of staff, by their own signature or at the admin tools.
    Staff(StaffId),
    /// A terminal of staff by its signature alone, for logging in and out.
    Terminal(SignerId),
    /// A timer, the outbox relay, or enrolment at first start.
    System,
}

/// An idempotency key and the request it was first used with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientKey {
    /// 1 to [`super::KEY_MAX`] bytes, unique per actor.
    pub key: String,
    /// Digest over method, path and body of the request.
    pub request: Digest,
}

/// How two people settle an unknown form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Resolution {
    /// The customer has it.
    Sold,
    /// It was found, damaged or misprinted.
    Spoiled,
    /// It was found in the retract bin or handed back.
    Retracted,
    /// It cannot be found.
    Missing,
}
