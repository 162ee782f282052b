//! The nouns of Counterfoil: bill numbers and ranges, money, secrets, wire
//! messages, evidence leaves, form templates, locales, reference tables and the demo bank.
//!
//! Owns what every part of the house must agree on. Refuses all I/O: nothing
//! here opens a file, a socket or a clock. Called by every other crate.

#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        reason = "an overflow in a test is a failed test"
    )
)]

pub mod bill;
pub mod certificate;
pub mod check_digit;
pub mod citizen;
pub mod demo;
pub mod fmt;
pub mod form;
pub mod ids;
pub mod leaf;
pub mod locale;
pub mod mask;
pub mod money;
pub mod reference;
pub mod sealed;
pub mod seam;
pub mod secret;
pub mod shown;
pub mod sign;
pub mod terms;
pub mod tlog;
pub mod toml_text;
pub mod unit_code;
pub mod wire;
pub mod words;
