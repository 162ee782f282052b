//! Form printers, imported from outside: with cassettes, with 24 pins, with PR2
//! emulation. No outcome may say more than the sheet.

use std::time::Duration;

use counterfoil_data::wire::sale::PrintJob;
use counterfoil_devices::driver::completion::Grade;
use counterfoil_devices::driver::escpos::fault::PrintFault;
use counterfoil_devices::driver::form_printer::{Diverted, Occupancy, PrintOutcome, Taking};
use counterfoil_devices::driver::form_station::{FormSettings, FormStation};
use counterfoil_devices::driver::numbered::Readback;
use counterfoil_devices::system::SystemEntropy;
use counterfoil_devices::transport::rusb_bus::RusbTransport;

use super::{Bench, Ids, Work, sample};

const LONG: Duration = Duration::from_secs(20);
/// What the answers of the PR2 twin mean, as commissioning learns them.
const CODES: &str = "[status]\n0 = \"ready\"\n2 = \"jammed\"\n4 = \"cover-open\"\n\
    8 = \"ribbon-out\"\n[position]\n0 = \"absent\"\n1 = \"entry\"\n2 = \"inside\"";

/// A printer.
struct Site {
    name: &'static str,
    ids: Ids,
    /// Fed by a hand, its numbers read by an operator.
    by_hand: bool,
    /// What its `Done` stands on.
    grade: Grade,
}

const SITES: [Site; 3] = [
    Site {
        name: "form-printer",
        ids: (0x1209, 0x0002),
        by_hand: false,
        grade: Grade::Identified,
    },
    Site {
        name: "slip-24-pin",
        ids: (0x1209, 0x0003),
        by_hand: true,
        grade: Grade::Status,
    },
    Site {
        name: "slip-pr2",
        ids: (0x1209, 0x0004),
        by_hand: true,
        grade: Grade::Ordered,
    },
];

/// Every check of every printer.
pub async fn check(bench: &Bench) -> anyhow::Result<()> {
    for site in &SITES {
        let whole = if site.by_hand {
            "form printed"
        } else {
            "form printed and taken"
        };
        let name = site.name;
        bench.check(name, whole, form(bench, site, 0)).await?;
        let unplugged = "unplugged while it prints";
        bench.check(name, unplugged, unplug(bench, site)).await?;
        let back = format!("plugged back: {whole}");
        bench.check(name, &back, plug_back(bench, site)).await?;
    }
    Ok(())
}

type Printer = FormStation<RusbTransport>;

async fn opened(bench: &Bench, site: &Site) -> anyhow::Result<Printer> {
    let settings = FormSettings {
        number: if site.by_hand {
            Readback::Operator
        } else {
            Readback::default()
        },
        codes: toml::from_str(CODES)?,
        ..FormSettings::default()
    };
    let usb = bench.open(site.ids).await?;
    let entropy = &SystemEntropy;
    Ok(FormStation::open(usb, bench.clock.clone(), entropy, &settings).await?)
}

/// The n-th blank of the pile.
fn job(n: u64) -> anyhow::Result<PrintJob> {
    let first: u64 = sample::FIRST.parse()?;
    sample::job(&sample::approved()?, &first.saturating_add(n).to_string())
}

/// In, and its number read.
async fn fed(
    bench: &Bench,
    site: &Site,
    printer: &mut Printer,
    n: u64,
) -> anyhow::Result<PrintJob> {
    let job = job(n)?;
    if site.by_hand {
        bench.twin(&format!("after 300 {} insert", site.name))?;
    }
    printer.feed(&job.slot, LONG).await?;
    let read = if site.by_hand {
        printer.operator_reads(job.number, job.number)?
    } else {
        printer.read_number(LONG).await?
    };
    anyhow::ensure!(read == job.number, "another number was read");
    Ok(job)
}

async fn form(bench: &Bench, site: &Site, n: u64) -> Work {
    let mut printer = opened(bench, site).await?;
    printed(bench, site, &mut printer, n).await
}

async fn printed(bench: &Bench, site: &Site, printer: &mut Printer, n: u64) -> Work {
    let job = fed(bench, site, printer, n).await?;
    let outcome = printer.print(&job, &sample::approved()?, LONG).await;
    let PrintOutcome::Done { grade, evidence } = outcome else {
        anyhow::bail!("it came to {outcome:?}");
    };
    anyhow::ensure!(grade == site.grade, "proven only by {}", grade.word());
    if !site.by_hand {
        printer.present(LONG).await?;
    }
    bench.twin(&format!("twin {} take", site.name))?;
    if !site.by_hand {
        let taking = printer.wait_taken(LONG).await?;
        anyhow::ensure!(taking == Taking::Taken, "it was not seen to be taken");
    }
    Ok(format!("{}: {evidence}", grade.word()))
}

async fn unplug(bench: &Bench, site: &Site) -> Work {
    let mut printer = opened(bench, site).await?;
    let job = fed(bench, site, &mut printer, 1).await?;
    bench.twin(&format!("after 500 {} unplug", site.name))?;
    let outcome = printer.print(&job, &sample::approved()?, LONG).await;
    let PrintOutcome::Unknown { why } = outcome else {
        anyhow::bail!("it came to {outcome:?}");
    };
    anyhow::ensure!(why == PrintFault::NoDevice, "it came to {why:?}");
    Ok(format!(
        "{}; unknown, by a gone device",
        bench.since_pull(bench.twin("since"))?
    ))
}

/// What lies in the printer is seen and put out of the way; the next form is printed.
async fn plug_back(bench: &Bench, site: &Site) -> Work {
    bench.twin_back(site.name, site.ids).await?;
    let lies = bench.twin(&format!("look {}", site.name))?;
    let mut printer = opened(bench, site).await?;
    let status = printer.status().await?;
    let clear = status.transport == Occupancy::Empty;
    let diverted = printer.divert(LONG).await;
    let diverted = diverted.map_err(|fault| anyhow::anyhow!("{fault}; {lies}"))?;
    // What went on printing may have left by itself since.
    let nothing = diverted == Diverted::NothingThere;
    anyhow::ensure!(nothing || !clear, "{diverted:?}, though nothing lay there");
    if site.by_hand {
        // Ejected or diverted, it lies at the front.
        bench.twin(&format!("twin {} take", site.name))?;
    }
    let done = printed(bench, site, &mut printer, 2).await?;
    Ok(format!("{diverted:?}, then {done}"))
}
