//! The product's own command on this computer's kernel.

use std::process::Command;

use super::{Bench, Work};

const PROGRAM: &str = "/bin/counterfoil-devices";
/// Every device of [`super::TWINS`], QEMU's two and the gadget.
const DEVICES: usize = 11;

/// `list` and `probe`.
pub fn check(bench: &Bench) -> anyhow::Result<()> {
    for word in ["list", "probe"] {
        let started = bench.clock.monotonic();
        let done = command(bench, word);
        bench.tell(
            "command",
            &format!("counterfoil-devices {word}"),
            started,
            done,
        )?;
    }
    Ok(())
}

/// Runs it and counts the lines of devices that are recognised, or greeted. What it says
/// of hubs is left out here.
fn command(bench: &Bench, word: &str) -> Work {
    let output = Command::new(PROGRAM).arg(word).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let problem = String::from_utf8_lossy(&output.stderr).into_owned();
    let (mut count, mut shown) = (0_usize, false);
    for line in text.lines() {
        if !line.starts_with(' ') {
            let words: Vec<&str> = line.split_whitespace().collect();
            shown = !matches!(words.as_slice(), [_, _, "-", ..]);
            // A greeting begins with its verdict, a line of the list with a path.
            let counts = shown && words.first() != Some(&"err");
            count = count.saturating_add(usize::from(counts));
        }
        if shown {
            bench.line.tell(&format!("note {line}"))?;
        }
    }
    anyhow::ensure!(output.status.success(), "{problem}");
    anyhow::ensure!(count == DEVICES, "{count} devices, not {DEVICES}");
    Ok(format!("{count} devices"))
}
