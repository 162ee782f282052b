//! The pass sheet: one page of Markdown that an engineer signs.

use jiff::Timestamp;

use super::run::{Line, Outcome, Total};
use crate::transport::DeviceInfo;

/// What stands at the head of a sheet.
pub struct Head<'a> {
    /// Name of the kit.
    pub kit: &'a str,
    /// The device's descriptors.
    pub info: &'a DeviceInfo,
    /// Whether it is a twin.
    pub twin: bool,
    /// What was learnt of it.
    pub facts: &'a [(String, String)],
    /// When the kit began.
    pub at: Timestamp,
}

/// The sheet as text.
pub fn write(head: &Head<'_>, lines: &[Line]) -> String {
    let total = Total::of(lines);
    let result = match total {
        t if t.all_passed() => "PASSED",
        t if t.failed > 0 => "FAILED",
        _ => "NOT COMPLETE: a skipped check is not a passed one",
    };
    let mut out = format!(
        "# Pass sheet: {}\n\n**{result}**: {} passed, {} failed, {} skipped of {} checks\n\n",
        head.kit,
        total.passed,
        total.failed,
        total.skipped,
        lines.len()
    );
    out.push_str("| | |\n|---|---|\n");
    for (name, fact) in facts(head) {
        out.push_str(&format!("| {} | {} |\n", cell(&name), cell(&fact)));
    }
    out.push_str("\n| check | proves | source | result | time | seen |\n");
    out.push_str("|---|---|---|---|---|---|\n");
    for line in lines {
        let (word, seen) = match &line.outcome {
            Outcome::Passed(note) => ("pass", note.clone()),
            Outcome::Failed(seen) => ("**FAIL**", format!("{seen}. To do: {}", line.remedy)),
            Outcome::Skipped(why) => ("skip", why.clone()),
        };
        out.push_str(&format!(
            "| {} | {} | {} | {word} | {} ms | {} |\n",
            line.id,
            cell(line.proves),
            cell(line.source),
            line.took.as_millis(),
            cell(&seen)
        ));
    }
    out.push_str("\nEngineer: ____________________  Date: ____________  ");
    out.push_str("Signature: ____________________\n");
    out
}

/// What stands above the checks.
fn facts(head: &Head<'_>) -> Vec<(String, String)> {
    let info = head.info;
    let kind = if head.twin {
        "a twin: proves the drivers, not the hardware"
    } else {
        "hardware"
    };
    let named = |name: &str, fact: String| (name.to_owned(), fact);
    let maker = format!("{} {}", info.manufacturer, info.name);
    let mut all = vec![
        named("device", kind.to_owned()),
        named("maker and product", maker),
        named("ids", format!("{:04x}:{:04x}", info.vendor, info.product)),
        named("release (bcdDevice)", format!("{:04x}", info.release)),
        named("serial number", info.serial.clone()),
        named("place", info.path.clone()),
    ];
    for i in &info.interfaces {
        let ends = i.endpoints.iter().map(|e| {
            let (address, kind, max) = (e.address, e.kind, e.max_packet);
            format!("{address:02x} type {kind} max {max}")
        });
        let ends = ends.collect::<Vec<_>>().join(", ");
        let class = format!("{:02x}/{:02x}/{:02x}", i.class, i.subclass, i.protocol);
        let name = format!("interface {}.{}", i.number, i.alternate);
        all.push((name, format!("class {class}; {ends}")));
    }
    all.extend(head.facts.iter().cloned());
    let drivers = concat!("counterfoil-devices ", env!("CARGO_PKG_VERSION"));
    all.push(named("drivers", drivers.to_owned()));
    let date = head.at.strftime("%Y-%m-%d %H:%M UTC");
    all.push(named("date", date.to_string()));
    all
}

/// Text that cannot break out of its cell.
fn cell(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    plain.collect::<String>().trim().replace('|', "\\|")
}
