//! What the lab checks: the list both sides share, and how a check is told.
//!
//! A check that is not on the list cannot be run, and one on the list that was not told
//! as passed fails the run: nothing is skipped in silence.

/// A device and what is tried on it, in the order of the run.
pub const CHECKS: &[(&str, &str)] = &[
    ("kernel", "every device is there"),
    ("command", "counterfoil-devices list"),
    ("command", "counterfoil-devices probe"),
    ("card-reader", "full read and DDA"),
    ("card-reader", "a fresh random for each read"),
    ("card-reader", "a copied chip is refused"),
    ("card-reader", "the card pulled in mid-read"),
    ("card-reader", "unplugged during a command"),
    ("card-reader", "plugged back: full read and DDA"),
    ("finger-ftdi", "image, bit by bit"),
    ("finger-ftdi", "unplugged during the image"),
    ("finger-ftdi", "plugged back: image"),
    ("receipt-printer", "device id and port status"),
    ("receipt-printer", "receipt, proven by its own id"),
    ("receipt-printer", "unplugged during a receipt"),
    ("receipt-printer", "plugged back: receipt"),
    ("id-reader", "document read"),
    ("id-reader", "unplugged during a read"),
    ("id-reader", "plugged back: document read"),
    ("pin-pad", "sealed entry"),
    ("pin-pad", "unplugged during an entry"),
    ("pin-pad", "plugged back: sealed entry"),
    ("finger-cp210x", "image, bit by bit"),
    ("finger-cp210x", "unplugged during the image"),
    ("finger-cp210x", "plugged back: image"),
    ("finger-ch340", "image, bit by bit"),
    ("finger-ch340", "unplugged during the image"),
    ("finger-ch340", "plugged back: image"),
    ("finger-uru4500", "image"),
    ("finger-uru4500", "unplugged during the image"),
    ("finger-uru4500", "plugged back: image"),
    ("form-printer", "form printed and taken"),
    ("form-printer", "unplugged while it prints"),
    ("form-printer", "plugged back: form printed and taken"),
    ("slip-24-pin", "form printed"),
    ("slip-24-pin", "unplugged while it prints"),
    ("slip-24-pin", "plugged back: form printed"),
    ("slip-pr2", "form printed"),
    ("slip-pr2", "unplugged while it prints"),
    ("slip-pr2", "plugged back: form printed"),
    ("workers", "every pipe read for 5 s, idle"),
];

/// How one check went, as the guest tells it: `ok` or `FAIL`, device, what, time, detail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Whether it passed.
    pub passed: bool,
    /// The device's name.
    pub device: String,
    /// What was tried.
    pub what: String,
    /// Milliseconds it took in the guest.
    pub took_ms: u128,
    /// What is worth knowing, or why it failed.
    pub detail: String,
}

impl Told {
    /// For the wire.
    pub fn line(&self) -> String {
        let Self {
            device,
            what,
            took_ms,
            detail,
            ..
        } = self;
        let detail: String = detail.chars().filter(|c| !c.is_control()).collect();
        let verdict = if self.passed { "ok" } else { "FAIL" };
        format!("{verdict}\t{device}\t{what}\t{took_ms}\t{detail}")
    }

    /// From the wire.
    pub fn parse(line: &str) -> Option<Self> {
        let mut words = line.splitn(5, '\t');
        let passed = match words.next()? {
            "ok" => true,
            "FAIL" => false,
            _ => return None,
        };
        Some(Self {
            passed,
            device: words.next()?.to_owned(),
            what: words.next()?.to_owned(),
            took_ms: words.next()?.parse().ok()?,
            detail: words.next()?.to_owned(),
        })
    }

    /// For a person.
    pub fn shown(&self) -> String {
        let verdict = if self.passed { "ok  " } else { "FAIL" };
        let (device, what) = (&self.device, &self.what);
        let line = format!("{verdict} {device:<16} {what:<38} {:>6} ms", self.took_ms);
        if self.detail.is_empty() {
            line
        } else {
            format!("{line}  {}", self.detail)
        }
    }
}
