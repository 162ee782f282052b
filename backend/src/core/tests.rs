//! Tests of the core through the writer: a small bank, one desk, every gate.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "tests count in small numbers"
)]

mod advices;
mod answers;
pub mod bank;
mod blanks;
mod clock;
mod confirming;
mod custody;
mod ending;
mod enrolling;
mod gates;
mod handling;
mod identity;
mod linking;
mod locks;
mod log;
mod logins;
mod lost;
mod mismatch;
mod ordering;
mod prints;
mod proposals;
mod register;
mod rows;
mod ruling;
mod second_finger;
mod sheet;
mod staff;
mod stations;
mod stock;
mod terms;
mod traces;
mod witness;
