//! `attach`: devices of a USB/IP server as devices of this computer.

use std::path::Path;

use anyhow::Context as _;
use clap::Args;

use super::say;
use crate::transport::usbip::Address;
use crate::transport::usbip::vhci::{self, VHCI};

/// What to plug in, and from where.
#[derive(Debug, Args)]
pub(super) struct Attach {
    /// The server: IP:PORT or unix:PATH.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3240")]
    from: Address,
    /// Its devices, by the names that `list --usbip ADDRESS` shows.
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
}

/// Plugs each in; they stay until the server ends or unplugs them.
pub(super) fn run(what: &Attach) -> anyhow::Result<()> {
    for name in &what.names {
        let port = vhci::attach(&what.from, name, Path::new(VHCI))
            .with_context(|| format!("{name} at {} is not plugged in", what.from))?;
        say(&format!("{name} is plugged in, port {port}"))?;
    }
    Ok(())
}
