//! The demo bank with every secret replaced by one that is nowhere else.

use counterfoil_data::check_digit;
use counterfoil_data::demo::{BANK_TOML, DemoBank};

/// A bank whose secrets are markers, and the markers with their names.
pub struct Marked {
    pub text: String,
    pub bank: DemoBank,
    pub secrets: Vec<(String, String)>,
}

/// Seeds of fingers are moved by this much.
const FINGERS_APART: u64 = 40_000;

/// Replaces PINs, payment passwords, citizen numbers, card numbers and fingers.
pub fn marked() -> Marked {
    let mut text = String::new();
    let mut secrets: Vec<(String, String)> = Vec::new();
    let mut table = "";
    let mut count = 0_u64;
    for line in BANK_TOML.lines() {
        if line.starts_with('[') {
            table = line;
        }
        let (key, value) = line.split_once(" = ").unwrap_or((line, ""));
        let value = value.trim_matches('"');
        count += 1;
        let marker = match (table, key) {
            ("[secrets]", key) if key.ends_with("-pin") => Some(digits(count, 12)),
            ("[secrets]", key) if key.ends_with("-password") => Some(digits(count, 16)),
            ("[[cards]]", "pan") => Some(pan(count)),
            ("[[agents]]", "citizen_number") | ("[[documents]]", "number") => Some(citizen(value)),
            ("[[fingers]]", "seed") => {
                let seed: u64 = value.parse().expect("a seed");
                text += &format!("seed = {}\n", seed + FINGERS_APART);
                continue;
            }
            _ => None,
        };
        let Some(marker) = marker else {
            text += line;
            text.push('\n');
            continue;
        };
        text += &format!("{key} = \"{marker}\"\n");
        if !secrets.iter().any(|(_, known)| *known == marker) {
            secrets.push((format!("{table} {key}"), marker));
        }
    }
    let bank = DemoBank::parse(&text).expect("the marked bank is lawful");
    Marked {
        text,
        bank,
        secrets,
    }
}

/// So many digits that nothing else counts or measures.
fn digits(of: u64, len: usize) -> String {
    // A step of a linear generator (Knuth, MMIX); the high digits are the better ones.
    let mixed = (of + 7_001).wrapping_mul(6_364_136_223_846_793_005);
    let mut text = mixed.wrapping_add(1_442_695_040_888_963_407).to_string();
    text.truncate(len);
    assert_eq!(text.len(), len);
    text
}

/// A card number of 19 digits with its Luhn digit.
fn pan(of: u64) -> String {
    let body = format!("6217{}", digits(of, 14));
    let with = |check| format!("{body}{check}");
    let lawful = ('0'..='9').map(with).find(|pan| check_digit::luhn(pan));
    lawful.expect("one digit fits")
}

/// The same person's number with another serial: region and birth stay, and the parity
/// that tells the sex (GB 11643, ISO 7064 MOD 11-2).
fn citizen(number: &str) -> String {
    let serial: u32 = number[14..17].parse().expect("three digits");
    let body = format!("{}{:03}", &number[..14], serial + 700);
    let weighed: u32 = body
        .bytes()
        .enumerate()
        .map(|(place, digit)| u32::from(digit - b'0') * (2_u32.pow(17 - place as u32) % 11))
        .sum();
    let check = ["1", "0", "X", "9", "8", "7", "6", "5", "4", "3", "2"][(weighed % 11) as usize];
    body + check
}
