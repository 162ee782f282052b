//! The mechanics behind the kernel's printer gadget: what arrives at `/dev/g_printer0`
//! is printed by the receipt printer twin, and what the twin answers goes back.
//!
//! The kernel answers GET_DEVICE_ID and GET_PORT_STATUS and does SOFT_RESET itself, all
//! without telling us. The device is read without blocking: a reader that slept in it
//! would not be woken when the cable is back.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use counterfoil_data::seam::Clock;
use counterfoil_devices::system::TokioClock;
use counterfoil_devices::transport::Setup;
use counterfoil_devices::twin::receipt_printer::ReceiptPrinterTwin;
use counterfoil_devices::twin::{InReply, OutReply, Twin, printer_class};

use crate::LOOK_EVERY;

/// The gadget's paper end.
const PAPER: &str = "/dev/g_printer0";
/// O_NONBLOCK of Linux.
const NONBLOCK: i32 = 0o4000;
/// One read.
const PIECE: usize = 512;

/// Empties a printer's buffers.
const SOFT_RESET: Setup = Setup {
    request_type: 0x21,
    request: 2,
    value: 0,
    index: 0,
};

/// Prints until killed; every receipt that is cut off becomes a file in `folder`.
pub async fn print(folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    let clock = TokioClock::system();
    let mut twin = ReceiptPrinterTwin::new(None);
    let mut paper = opened().await?;
    let (mut held, mut owed, mut kept) = (Vec::new(), Vec::new(), 0_usize);
    let mut plugged = true;
    loop {
        let now = clock.monotonic();
        let here = carry(&mut paper, &mut twin, now, &mut held, &mut owed)?;
        if plugged && !here {
            // The next host's SOFT_RESET would do it, if the kernel passed that on.
            twin.control(now, SOFT_RESET, &[], 0);
            twin.host_gone(now);
            held.clear();
            owed.clear();
        }
        plugged = here;
        let receipts = twin.receipts();
        for receipt in receipts.iter().skip(kept) {
            kept = kept.saturating_add(1);
            let part = folder.join("part");
            fs::write(&part, receipt)?;
            fs::rename(part, folder.join(kept.to_string()))?;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// The paper end; there is none before a host has chosen the printer's configuration.
async fn opened() -> anyhow::Result<File> {
    loop {
        let mut open = OpenOptions::new();
        open.read(true).write(true).custom_flags(NONBLOCK);
        match open.open(PAPER) {
            Err(error) if is_gone(&error) => tokio::time::sleep(LOOK_EVERY).await,
            other => return other.with_context(|| format!("cannot open {PAPER}")),
        }
    }
}

/// Moves what can be moved now; `false` while no host is there.
fn carry(
    paper: &mut File,
    twin: &mut ReceiptPrinterTwin,
    now: Duration,
    held: &mut Vec<u8>,
    owed: &mut Vec<u8>,
) -> io::Result<bool> {
    let mut piece = [0; PIECE];
    if held.is_empty() {
        match paper.read(&mut piece) {
            Ok(count) => held.extend(piece.iter().take(count)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) if is_gone(&error) => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    if let OutReply::Took(count) = twin.out(now, printer_class::OUT, held) {
        held.drain(..count);
    }
    if owed.is_empty()
        && let InReply::Data(bytes) = twin.poll_in(now, printer_class::IN, PIECE)
    {
        owed.extend(bytes);
    }
    if !owed.is_empty() {
        match paper.write(owed) {
            Ok(count) => drop(owed.drain(..count)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) if is_gone(&error) => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

/// ENODEV, or ESHUTDOWN in the moment of the pull.
fn is_gone(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(19 | 108))
}
