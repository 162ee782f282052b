//! The whole of Counterfoil in one process, and in several.
//!
//! - [`world`]: backend, kiosk, station, twins and network as tasks.
//! - [`play`]: `.play` scripts against a world under virtual time.
//! - [`branch`]: a world in a terminal, with a person at the keys.
//! - [`snapshot`], [`pictures`]: screens as text and as PNG.
//! - [`cli`]: the command line `counterfoil`.
//! - [`crash`], [`kill`], [`cost`], [`attack`]: real processes, killed, measured, attacked.
//! - [`idle`], [`entropy`]: what makes a run repeatable.

pub mod attack;
pub mod branch;
pub mod cli;
pub mod cost;
pub mod crash;
pub mod entropy;
pub mod idle;
pub mod kill;
pub mod pictures;
pub mod play;
pub mod snapshot;
pub mod world;
