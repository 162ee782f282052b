//! The backend of Counterfoil: it holds all truth about forms, fees and sales.
//!
//! `core` decides, `writer` makes durable, `service` speaks HTTP, `workers`
//! keep secrets off the event loop, `ports` reach outside the house; `load` lets the
//! books grow, to see what they cost.

pub mod app;
pub mod config;
pub mod core;
pub mod demo;
pub mod evidence;
pub mod keys;
pub mod load;
pub mod ports;
pub mod service;
pub mod store;
pub mod terms;
pub mod workers;
pub mod writer;
