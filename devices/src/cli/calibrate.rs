//! `calibrate`: the calibration page of one slot, on plain paper, with the offsets of
//! a kiosk's configuration as they are now.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use counterfoil_data::form;
use counterfoil_data::ids::SlotId;
use counterfoil_data::seam::{SharedClock, SharedEntropy};
use serde::Deserialize;

use super::say;
use crate::driver::Role;
use crate::driver::form_printer::PrintOutcome;
use crate::driver::form_station::{FormSettings, FormStation};
use crate::driver::numbered::Readback;
use crate::transport::Bus;
use crate::transport::usbip::Address;

/// Longest configuration file in bytes.
const FILE_MAX: u64 = 64 * 1024;
/// Time for a person to put the sheet in.
const FEED_WITHIN: Duration = Duration::from_secs(60);
/// Time for the page.
const PRINT_WITHIN: Duration = Duration::from_secs(120);

/// What to print, and where.
#[derive(Debug, Args)]
pub(super) struct Calibrate {
    /// A USB/IP server (IP:PORT or unix:PATH) instead of this computer's USB.
    #[arg(long, value_name = "ADDRESS")]
    pub usbip: Option<Address>,
    /// A kiosk's configuration: its table `form_printer` names the printer and the
    /// offsets. Without it the printer is found by its descriptors, without offsets.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The form template whose stock has the size of the sheet.
    #[arg(long, value_name = "ID", default_value = "transfer-cheque")]
    template: String,
    /// The slot with the plain sheet.
    #[arg(long, value_name = "SLOT", default_value = "slot-1")]
    slot: SlotId,
}

/// The one table of a kiosk's configuration that is looked at.
#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    form_printer: FormSettings,
}

/// Feeds a plain sheet and prints the page on it.
pub(super) async fn print<B: Bus>(
    bus: &B,
    clock: &SharedClock,
    entropy: &SharedEntropy,
    what: &Calibrate,
) -> anyhow::Result<()> {
    let mut settings = match &what.config {
        Some(path) => read(path).with_context(|| path.display().to_string())?,
        None => FormSettings::default(),
    };
    // Plain paper has no number to be read.
    settings.number = Readback::Operator;
    let template = form::template(&what.template)?;
    let devices = bus.list().await?;
    let is_meant = |role| role == Some(Role::FormPrinter);
    let found = devices.iter().find(|d| is_meant(settings.role_of(d)));
    let found = found.context("no form printer is plugged in: see `list` for what is there")?;
    let usb = bus.open(&found.path).await?;
    let mut printer = FormStation::open(usb, clock.clone(), &**entropy, &settings).await?;
    if !matches!(printer, FormStation::Cassettes(_)) {
        say("put a plain sheet into the printer")?;
    }
    printer.feed(&what.slot, FEED_WITHIN).await?;
    match printer.calibrate(&template, &what.slot, PRINT_WITHIN).await {
        PrintOutcome::Done { grade, .. } => {
            let word = grade.word();
            say(&format!(
                "printed ({word}): hold a ruler against the crosses, configure what it shows \
                 besides whole centimetres as the offset of {}",
                what.slot
            ))
        }
        PrintOutcome::Failed { fault, ink: false } => {
            let diverted = printer.divert(PRINT_WITHIN).await;
            diverted.context("the sheet is still in the printer: take it out")?;
            bail!("not printed: {fault}; only plain paper without a number is printed on")
        }
        PrintOutcome::Failed { fault, ink: true } => bail!("printed in part: {fault}"),
        PrintOutcome::Unknown { why } => bail!("look at the sheet: {why}"),
    }
}

pub(super) fn read(path: &Path) -> anyhow::Result<FormSettings> {
    let mut text = String::new();
    let file = std::fs::File::open(path)?;
    let read = file
        .take(FILE_MAX.saturating_add(1))
        .read_to_string(&mut text)?;
    ensure!(
        u64::try_from(read)? <= FILE_MAX,
        "it has more than {FILE_MAX} bytes"
    );
    let config: Config = toml::from_str(&text)?;
    Ok(config.form_printer)
}
