//! USB/IP in user space: twins for other processes, and other processes' devices.
//!
//! [`serve`] exports a [`TwinBus`](super::twin_bus::TwinBus) to anything that speaks USB/IP 1.1.1: our own
//! [`UsbIpBus`] (so the paper survives when a kiosk process is killed) or a Linux
//! kernel (`modprobe vhci_hcd; usbip attach -r HOST -b id-reader`). A transfer
//! stays pending while its twin NAKs, which is the point of writing our own.
//! [`desk`] is the twins' physical side on a socket of its own, a line at a time.
//! Refuses isochronous transfers and anything longer than the limits here.

mod address;
mod client;
pub mod desk;
pub mod protocol;
mod server;
pub mod vhci;

pub use self::address::{Address, AddressError, Connect, Duplex, Listener, Stream};
pub use self::client::{UsbIpBus, UsbIpTransport};
pub use self::server::serve;

/// URBs pending on one connection at most.
pub const URBS_MAX: usize = 256;
/// Connections served at the same time at most.
pub const CONNECTIONS_MAX: usize = 64;

#[cfg(test)]
mod tests;
