//! The receipt printer driver on the kernel's printer gadget.

use std::fs;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Context as _;
use counterfoil_devices::driver::completion::Grade;
use counterfoil_devices::driver::escpos::fault::PrintFault;
use counterfoil_devices::driver::receipt_printer::{PrintOutcome, ReceiptPrinter};
use counterfoil_devices::system::SystemEntropy;
use counterfoil_devices::transport::rusb_bus::RusbTransport;
use counterfoil_devices::transport::twin_bus::TwinBus;
use counterfoil_devices::transport::{Setup, Stage, Transport as _};
use counterfoil_devices::twin::receipt_printer::ReceiptPrinterTwin;

use super::gadget::{self, DEVICE_ID, IDS, RECEIPTS};
use super::{Bench, GONE_WITHIN, Work, sample};

const NAME: &str = "receipt-printer";
const LONG: Duration = Duration::from_secs(20);
const LINES: usize = 12;
/// Two seconds of printing that fit the printer's buffer: what is on its way then would
/// wait in the kernel's gadget for the next host.
const LONG_LINES: usize = 70;
const PULL_AFTER: Duration = Duration::from_millis(800);

/// Every check of the printer.
pub async fn check(bench: &Bench) -> anyhow::Result<()> {
    let asked = "device id and port status";
    bench.check(NAME, asked, ask(bench)).await?;
    let proven = "receipt, proven by its own id";
    bench.check(NAME, proven, print(bench, 1)).await?;
    let path = bench.found(IDS).await?;
    let unplugged = "unplugged during a receipt";
    bench.check(NAME, unplugged, unplug(bench, &path)).await?;
    let back = async {
        bench.lost(IDS).await?;
        gadget::plug(&path, true)?;
        print(bench, 2).await
    };
    bench.check(NAME, "plugged back: receipt", back).await
}

/// GET_DEVICE_ID and GET_PORT_STATUS as the kernel answers them.
async fn ask(bench: &Bench) -> Work {
    let usb = bench.open(IDS).await?;
    let ask = |request, len| {
        let setup = Setup {
            request_type: 0xA1,
            request,
            value: 0,
            index: 0,
        };
        usb.control(setup, Stage::In(len), Duration::from_secs(1))
    };
    let id = ask(0, 255).await?;
    let (length, text) = id.split_first_chunk::<2>().context("no device id")?;
    let whole = usize::from(u16::from_be_bytes(*length)) == id.len();
    let text = String::from_utf8_lossy(text);
    anyhow::ensure!(whole && text.trim_end() == DEVICE_ID, "device id {text}");
    let status = ask(1, 1).await?;
    anyhow::ensure!(status == [0x18], "port status {status:02x?}");
    Ok("status 18".to_owned())
}

async fn opened(bench: &Bench) -> anyhow::Result<ReceiptPrinter<RusbTransport>> {
    let usb = bench.open(IDS).await?;
    Ok(ReceiptPrinter::open(usb, bench.clock.clone(), &SystemEntropy).await?)
}

/// Prints the `n`-th receipt; its bytes must end as those that the twin in process gets.
async fn print(bench: &Bench, n: u32) -> Work {
    let mut printer = opened(bench).await?;
    let outcome = printer.print(&sample::receipt(LINES), LONG).await;
    let PrintOutcome::Done {
        grade: Grade::Identified,
        evidence,
        cut: true,
    } = outcome
    else {
        anyhow::bail!("it came to {outcome:?}");
    };
    let came = receipt(bench, n).await?;
    let expected = reference(bench).await?;
    anyhow::ensure!(
        came.ends_with(&expected),
        "other bytes arrived than the twin gets"
    );
    Ok(format!("{} bytes on paper, fence {evidence}", came.len()))
}

/// The file of a receipt that was cut off.
async fn receipt(bench: &Bench, n: u32) -> anyhow::Result<Vec<u8>> {
    let deadline = bench.clock.monotonic().saturating_add(GONE_WITHIN);
    loop {
        match fs::read(format!("{RECEIPTS}/{n}")) {
            Ok(bytes) => return Ok(bytes),
            Err(error) if bench.clock.monotonic() >= deadline => {
                return Err(error).context("no receipt was cut off");
            }
            Err(_) => bench.clock.sleep(crate::LOOK_EVERY).await,
        }
    }
}

/// What the same driver prints on the same mechanics without any USB.
async fn reference(bench: &Bench) -> anyhow::Result<Vec<u8>> {
    let bus = TwinBus::new(bench.clock.clone());
    let twin = Rc::new(std::cell::RefCell::new(ReceiptPrinterTwin::new(None)));
    bus.plug(NAME, twin.clone());
    let usb = bus.open_now(NAME)?;
    let mut printer = ReceiptPrinter::open(usb, bench.clock.clone(), &SystemEntropy).await?;
    let outcome = printer.print(&sample::receipt(LINES), LONG).await;
    let receipts = twin.borrow().receipts();
    let last = receipts.last().cloned();
    last.with_context(|| format!("the twin in process came to {outcome:?}"))
}

async fn unplug(bench: &Bench, path: &str) -> Work {
    let mut printer = opened(bench).await?;
    let pull = async {
        bench.clock.sleep(PULL_AFTER).await;
        let pulled = bench.clock.monotonic();
        gadget::plug(path, false).map(|()| pulled)
    };
    let document = sample::receipt(LONG_LINES);
    let (outcome, pulled) = tokio::join!(printer.print(&document, LONG), pull);
    let took = bench.clock.monotonic().saturating_sub(pulled?);
    let gone = PrintOutcome::Unknown {
        why: PrintFault::NoDevice,
    };
    anyhow::ensure!(outcome == gone, "it came to {outcome:?}");
    anyhow::ensure!(took <= GONE_WITHIN, "told only {took:?} after the pull");
    let cut = fs::exists(format!("{RECEIPTS}/2"))?;
    anyhow::ensure!(!cut, "a receipt was cut off");
    Ok(format!(
        "told {} ms after the pull; unknown",
        took.as_millis()
    ))
}
