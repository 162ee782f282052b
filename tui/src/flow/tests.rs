//! The flow against a small model of the world: backend, devices, paper.
//!
//! [`world`] answers every effect, rightly or wrongly as it is told, and panics
//! when the flow breaks a rule of custody (I5, S9) or of privacy (S16).

mod finger;
mod hand;
mod happy;
mod random;
pub(crate) mod wire;
mod witness;
mod world;
