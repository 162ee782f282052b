//! Tests of the core through the writer: a small bank, one desk, every gate.

pub mod bank;
mod custody;
mod gates;
mod linking;
mod traces;
