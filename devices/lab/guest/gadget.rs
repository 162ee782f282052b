//! The kernel's own printer: `usb_f_printer` on the dummy controller, made by configfs.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, Command};

use anyhow::Context as _;

use super::Ids;

/// The kernel's printer gadget.
pub const IDS: Ids = (0x0525, 0xA4A8);
/// IEEE 1284 device id.
pub const DEVICE_ID: &str = "MFG:SAMPLE;MDL:GADGET-80;CMD:ESC/POS;CLS:PRINTER;";
/// Where receipts that were cut off are.
pub const RECEIPTS: &str = "/tmp/receipts";
const GADGET: &str = "/sys/kernel/config/usb_gadget/printer";
const CONTROLLER: &str = "dummy_udc.0";

/// Makes it, puts the mechanics behind it and plugs it in.
pub fn start() -> anyhow::Result<Child> {
    let gadget = Path::new(GADGET);
    // Linux 6.1 counts the two bytes of the length in and sends so many fewer.
    let padded = format!("{DEVICE_ID}  ");
    let made = || -> std::io::Result<()> {
        for folder in ["strings/0x409", "functions/printer.0", "configs/c.1"] {
            fs::create_dir_all(gadget.join(folder))?;
        }
        for (file, text) in [
            ("idVendor", "0x0525"),
            ("idProduct", "0xa4a8"),
            ("strings/0x409/manufacturer", "SAMPLE"),
            ("strings/0x409/product", "Linux printer gadget"),
            ("strings/0x409/serialnumber", "GP0001"),
            ("functions/printer.0/pnp_string", &padded),
        ] {
            fs::write(gadget.join(file), text)?;
        }
        let function = gadget.join("functions/printer.0");
        symlink(function, gadget.join("configs/c.1/printer.0"))?;
        fs::write(gadget.join("UDC"), CONTROLLER)
    };
    made().context("the kernel makes no printer gadget")?;
    let paper = Command::new("/proc/self/exe")
        .args(["paper", RECEIPTS])
        .spawn();
    paper.context("no process for the paper")
}

/// Pulls its cable, or puts it back in: the kernel switches the power of the port it is
/// in. (Unbinding the gadget instead makes Linux 6.1 fall over its own open paper end.)
pub fn plug(path: &str, powered: bool) -> anyhow::Result<()> {
    let (bus, port) = path.split_once('-').context("no port")?;
    let file = format!("/sys/bus/usb/devices/{bus}-0:1.0/usb{bus}-port{port}/disable");
    let disabled = if powered { "0" } else { "1" };
    fs::write(&file, disabled).with_context(|| format!("{file} cannot be written"))
}
