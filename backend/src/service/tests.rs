//! The service over in-memory streams, paused time and the demo bank.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "an overflow in a test is a failed test"
)]

mod bed;
mod client;
mod clock;
mod crowd;
mod door;
mod gates;
mod power_cut;
mod prints;
mod relay;
mod replay;
mod reseal;
mod second_finger;
mod sessions;
mod sheet;
mod stream;
mod whole;
