//! Devices of the kiosk: transports, drivers, twins, paper.
//!
//! - [`transport`]: the USB seam and its three implementations.
//! - [`driver`]: one file per model or family; straight async code over
//!   [`transport::Transport`], every wait bounded; parsers are sans-I/O.
//! - [`guard`]: which devices a kiosk may have.
//! - [`twin`]: the device side of every driver at the USB transfer level.
//! - [`system`]: the real clock and the operating system's randomness.
//! - [`certify`]: conformance kits and their pass sheets.
//! - [`cli`]: the command line `counterfoil-devices`.
//! - [`paper`]: printer bytes back into pixels.
//! - [`udev`]: who may open a device, and what to do where one may not.

#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        reason = "a test that overflows fails, which is what it is for"
    )
)]

pub mod certify;
pub mod cli;
pub mod driver;
#[cfg(test)]
mod faults;
pub mod guard;
pub mod paper;
pub mod system;
pub mod transport;
pub mod twin;
pub mod udev;
