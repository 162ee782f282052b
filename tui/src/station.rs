//! The confirm station (第三方设备): the screen in the confirming officer's hands.
//!
//! It shows who is buying and whom to ask (S19, S20), then what is bought (S21,
//! S22), takes the officer's decision, and shows the result (S23). It holds no
//! authority: every decision names the digest of the text that was on the screen,
//! and the backend refuses a stale one. [`flow`] is pure; [`app`] does the I/O.

pub mod app;
pub mod flow;
pub mod model;
