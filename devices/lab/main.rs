//! The lab: this project's drivers against other people's devices and a real Linux USB
//! stack, in one boot of a virtual computer. `devices/lab/run` builds and starts it.
//!
//! `host FOLDER KERNEL INITRD` runs outside: it starts QEMU, holds the card and the
//! finger module behind QEMU's devices and pulls their cables, prints a line a check and
//! says whether all of [`checks::CHECKS`] passed. `guest` runs inside, as the kiosk
//! would: it finds devices through libusb and works with them. Beside it run `twins`,
//! which the kernel imports over USB/IP, and `paper`, the mechanics behind the kernel's
//! printer gadget. Never shipped.

mod checks;
mod guest;
mod host;
mod paper;
mod twins;

use std::process::ExitCode;
use std::time::Duration;

/// Pause between two looks at something that tells of nothing.
const LOOK_EVERY: Duration = Duration::from_millis(5);

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let Ok(runtime) = runtime else {
        return ExitCode::FAILURE;
    };
    let done = tokio::task::LocalSet::new().block_on(&runtime, async {
        match words.as_slice() {
            ["host", folder, kernel, initrd] => {
                host::run(folder.as_ref(), kernel.as_ref(), initrd.as_ref()).await
            }
            ["guest"] => guest::run().await,
            ["twins"] => twins::serve().await,
            ["paper", folder] => paper::print(folder.as_ref()).await,
            _ => anyhow::bail!("host FOLDER KERNEL INITRD, guest, twins, or paper FOLDER"),
        }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("lab: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// One line on stdout, at once.
#[expect(clippy::print_stdout, reason = "printing is what this program is for")]
fn say(line: &str) {
    println!("{line}");
}
