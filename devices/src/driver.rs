//! Drivers: one file per model or family.
//!
//! Straight async code over [`crate::transport::Transport`], every wait bounded
//! by what the caller passes; the parsers under them are sans-I/O state machines
//! that take bytes and give events. Refuses to guess: a device is believed only
//! after its own hello. Called by the kiosk's device host and by
//! `counterfoil-devices probe`.

pub mod sdt;
