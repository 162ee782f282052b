//! The service over in-memory streams, paused time and the demo bank.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "an overflow in a test is a failed test"
)]

mod bed;
mod branch;
mod client;
mod clock;
mod crowd;
mod door;
mod fleet;
mod framing;
mod gates;
mod golden;
mod patience;
mod power_cut;
mod prints;
mod relay;
mod replay;
mod reseal;
mod second_finger;
mod sessions;
mod sheet;
mod signed;
mod space;
mod stream;
mod tls;
mod whole;
