//! The core: commands in, decisions and changed records out. No I/O, no clock,
//! no threads; everything here is a function of the books and the command.
//!
//! Owns the gates (I4), custody (I1, I2, I6), the ledger (I3) and evidence (I8).
//! The writer runs [`decide`](decide::decide) for each command; the service reads
//! with [`query`]; the timers ask [`query::due`].

pub mod apply;
pub mod audit;
pub mod clock;
pub mod command;
pub mod custody;
pub mod decide;
pub mod event;
pub mod facts;
pub mod key;
pub mod leafing;
pub mod ledger;
pub mod log;
pub mod matrix;
pub mod number;
pub mod overlay;
pub mod query;
pub mod record;
pub mod refusal;
pub mod register;
pub mod rules;
pub mod sealed;
pub mod sheet;
pub mod waiting;
pub mod witness;

#[cfg(test)]
pub(crate) mod tests;
