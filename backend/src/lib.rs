//! The backend of Counterfoil: it holds all truth about forms, fees and sales.
//!
//! `core` decides, `writer` makes durable, `service` speaks HTTP, `workers`
//! keep secrets off the event loop, `ports` reach outside the house; `load` lets the
//! books grow, to see what they cost.

#[cfg(feature = "service")]
pub mod app;
pub mod backup;
#[cfg(feature = "service")]
pub mod ca;
#[cfg(feature = "service")]
pub mod config;
pub mod core;
#[cfg(feature = "service")]
pub mod demo;
pub mod evidence;
pub mod keys;
#[cfg(feature = "service")]
pub mod load;
#[cfg(feature = "service")]
pub mod ports;
#[cfg(feature = "service")]
pub mod service;
pub mod store;
#[cfg(feature = "service")]
pub mod terms;
#[cfg(feature = "service")]
pub mod workers;
pub mod writer;
