//! What a script may name: the demo bank's things, and the desk's words.

use counterfoil_data::bill::{BillNumber, BillPrefix};
use counterfoil_data::check_digit::luhn;
use counterfoil_data::demo::{DemoBank, DemoError, bank};
use counterfoil_data::wire::unhex;
use counterfoil_devices::driver::Role;
use counterfoil_tui::input::Key;

use super::word::nearest;

/// Digits in a row that may be a card, account or citizen number.
const LONG_RUN: usize = 12;
/// Keys with a name, for suggestions; the rest are `F1` to `F12`, `Ctrl-c` and
/// single characters.
const KEYS: [&str; 10] = [
    "Enter",
    "Esc",
    "Up",
    "Down",
    "Left",
    "Right",
    "Tab",
    "Backspace",
    "Space",
    "Ctrl-c",
];

/// The desk, act by act. A word in capitals stands for a name or a number, `a|b`
/// for either; every device also has a cable.
const DESK: [(&str, &[&str]); 12] = [
    (
        "card-reader",
        &[
            "insert CARD",
            "insert CARD plain|static|copied",
            "insert CARD combined|combined-copied|combined-altered|combined-declining",
            "insert CARD no-directory|t1|t1-crc|fast|stubborn|only-5v|only-3v|only-1.8v",
            "remove",
            "remove during record|apdu N",
            "mute",
            "extend|stale|wrong-slot|busy|parity N",
            "t1 damage|lose|ask|wtx|abort N",
            "pin right|wrong|short|mismatch|cancel",
        ],
    ),
    (
        "pin-pad",
        &["enter SECRET", "wrong", "type N", "ok", "clear", "cancel"],
    ),
    (
        "id-reader",
        &[
            "present DOCUMENT",
            "remove",
            "fail N",
            "noise|checksum|mute|talk|confuse",
            "sam fault|ok",
        ],
    ),
    (
        "finger",
        &[
            "place FINGER",
            "place FINGER poor|wet|dry|off-centre",
            "place FINGER seed N",
            "place FINGER poor|wet|dry|off-centre seed N",
            "lift",
            "wet TIMES",
            "garble N",
            "lose N",
            "empty N",
        ],
    ),
    (
        "form-printer",
        &[
            "take|empty",
            "insert|pull",
            "paper out",
            "jam now|presenter",
            "jam after N",
            "clear jam",
            "swap next",
            "wrong number next BILL",
            "double feed next",
            "unreadable next",
            "ribbon out|ok",
            "cover open|close",
            "load SLOT RANGE",
            "load RANGE",
            "measure",
        ],
    ),
    (
        "receipt-printer",
        &[
            "take|paper-out|near-end|refill",
            "cover open|close",
            "cutter stuck|ok",
            "presenter jam|ok",
        ],
    ),
    ("keyboard", &["plug|unplug"]),
    ("power", &["cut|restore"]),
    ("network", &["cut|restore|slow|fast"]),
    ("backend", &["kill|restart|backup|restore"]),
    ("station", &["off|on"]),
    (
        "staff",
        &[
            "receive|miss RANGE",
            "load KIOSK SLOT RANGE",
            "unload|unlock KIOSK SLOT",
            "reconcile KIOSK",
        ],
    ),
];
/// What every device has.
const CABLE: [&str; 7] = [
    "unplug|replug",
    "unplug after N bytes",
    "unplug after N bytes in|out",
    "late|short|zlp|nak N",
    "stale HEX",
    "halt ENDPOINT",
    "mend",
];

/// A word that is not known: which of the words it is, and what would be right.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unknown {
    /// Index of the word.
    pub word: usize,
    /// What is wrong and what would be right.
    pub what: String,
}

/// The demo bank as scripts name it.
pub(super) struct Names {
    bank: DemoBank,
    prefixes: Vec<BillPrefix>,
}

impl Names {
    pub fn of_the_demo_bank() -> Result<Self, DemoError> {
        let bank = bank()?;
        let slots = bank.kiosks.iter().flat_map(|kiosk| &kiosk.slots);
        let prefixes = slots.map(|slot| slot.first.prefix).collect();
        Ok(Self { bank, prefixes })
    }

    /// The staff who have a terminal of their own.
    pub fn people(&self) -> Vec<&str> {
        let staff = self.bank.staff.iter().filter(|s| s.key_seed.is_some());
        staff.map(|s| s.id.as_str()).collect()
    }

    /// A member of staff with a terminal of their own, as an index into the demo bank's.
    pub fn person(&self, name: &str) -> Option<usize> {
        let mut staff = self.bank.staff.iter();
        staff.position(|s| s.id.as_str() == name && s.key_seed.is_some())
    }

    /// The secret of `type @name`; the error says the right names.
    pub fn secret(&self, name: &str) -> Result<(), String> {
        match self.bank.secret(name) {
            Some(_) => Ok(()),
            None => Err(self.wrong("SECRET", name)),
        }
    }

    /// A key's name; the error says a near one.
    pub fn key(name: &str) -> Result<(), String> {
        if Key::named(name).is_some() {
            return Ok(());
        }
        let near = suggestion(name, &KEYS);
        Err(format!(
            "unknown key `{name}`{near}: {}, F1 to F12, or one character",
            KEYS.join(", ")
        ))
    }

    /// A device with counters.
    pub fn device(name: &str) -> Result<(), String> {
        let known = Role::ALL.map(Role::name);
        if known.contains(&name) {
            return Ok(());
        }
        let near = suggestion(name, &known);
        Err(format!(
            "no device `{name}`{near}; there are {}",
            known.join(", ")
        ))
    }

    /// One line of the desk, in words.
    pub fn act(&self, words: &[&str]) -> Result<(), Unknown> {
        let device = words.first().copied().unwrap_or_default();
        let Some((_, acts)) = DESK.iter().find(|(name, _)| *name == device) else {
            let known = DESK.map(|(name, _)| name);
            let near = suggestion(device, &known);
            let known = known.join(", ");
            let what = format!("no device `{device}`{near}; at the desk are {known}");
            return Err(Unknown { word: 0, what });
        };
        let cable = Role::ALL.map(Role::name).contains(&device);
        let acts: Vec<Vec<&str>> = acts
            .iter()
            .chain(CABLE.iter().filter(|_| cable))
            .map(|act| act.split(' ').collect())
            .collect();
        let said = words.get(1..).unwrap_or_default();
        let good = |act: &Vec<&str>| {
            let pairs = act.iter().zip(said);
            pairs
                .take_while(|(token, word)| self.fits(token, word))
                .count()
        };
        let best = acts.iter().map(&good).max().unwrap_or(0);
        let near: Vec<&Vec<&str>> = acts.iter().filter(|act| good(act) == best).collect();
        if near
            .iter()
            .any(|act| act.len() == best && said.len() == best)
        {
            return Ok(());
        }
        let tokens = near.iter().filter_map(|act| act.get(best).copied());
        Err(Unknown {
            word: best.saturating_add(1),
            what: self.expected(device, said.get(best).copied(), tokens),
        })
    }

    fn expected<'a>(
        &self,
        device: &str,
        said: Option<&str>,
        tokens: impl Iterator<Item = &'a str>,
    ) -> String {
        let mut tokens: Vec<&str> = tokens.collect();
        tokens.dedup();
        let Some(said) = said else {
            return format!("{device}: the act goes on with {}", tokens.join(", "));
        };
        if let [token] = tokens.as_slice()
            && token.bytes().all(|b| b.is_ascii_uppercase())
        {
            return self.wrong(token, said);
        }
        let known: Vec<&str> = tokens.iter().flat_map(|token| token.split('|')).collect();
        if known.is_empty() {
            return format!("{device}: nothing follows here, and not `{said}`");
        }
        let near = suggestion(said, &known);
        format!("{device} knows no `{said}`{near}: {}", known.join(", "))
    }

    fn fits(&self, token: &str, word: &str) -> bool {
        match token {
            "CARD" => self.bank.card(word).is_some(),
            "DOCUMENT" => self.bank.document(word).is_some(),
            "FINGER" => self.bank.finger(word).is_some(),
            "SECRET" => self
                .bank
                .secret(word.strip_prefix('@').unwrap_or(word))
                .is_some(),
            "N" => word.parse::<u64>().is_ok(),
            "TIMES" => word.trim_start_matches('x').parse::<u64>().is_ok(),
            "BILL" => word.parse::<BillNumber>().is_ok(),
            "RANGE" => {
                let ends = word.split_once('-');
                ends.is_some_and(|(a, b)| self.fits("BILL", a) && self.fits("BILL", b))
            }
            "KIOSK" => self.bank.kiosks.iter().any(|k| k.id.as_str() == word),
            "SLOT" => !word.is_empty(),
            "HEX" => unhex(word).is_some_and(|bytes| !bytes.is_empty()),
            "ENDPOINT" => word.len() == 2 && u8::from_str_radix(word, 16).is_ok(),
            words => words.split('|').any(|known| known == word),
        }
    }

    /// Why a name or a number is wrong.
    fn wrong(&self, token: &str, word: &str) -> String {
        let bank = &self.bank;
        let known: Vec<String> = match token {
            "CARD" => bank.cards.iter().map(|c| c.name.clone()).collect(),
            "DOCUMENT" => bank.documents.iter().map(|d| d.name.clone()).collect(),
            "FINGER" => bank.fingers.iter().map(|f| f.name.clone()).collect(),
            "SECRET" => bank.secret_names().map(|name| format!("@{name}")).collect(),
            "KIOSK" => bank.kiosks.iter().map(|k| k.id.to_string()).collect(),
            "BILL" => return "a bill number is 16 digits".to_owned(),
            "RANGE" => return "a range is FIRST-LAST, 16 digits each".to_owned(),
            "HEX" => return "bytes are hex digits in pairs, as in 1b72".to_owned(),
            "ENDPOINT" => return "an endpoint is two hex digits, as in 82".to_owned(),
            _ => return format!("`{word}` is not a number"),
        };
        let names: Vec<&str> = known.iter().map(String::as_str).collect();
        let near = suggestion(word, &names);
        let what = token.to_lowercase();
        format!("no {what} `{word}`{near}; there are {}", names.join(", "))
    }

    /// The first run of digits in `line` that a script may not hold, because it
    /// may be somebody's: index of its first byte. Published numbers of the demo
    /// bank may stand anywhere, other bill numbers where a cassette is filled.
    pub fn long_number(&self, line: &str) -> Option<usize> {
        let mut words = line.split_whitespace();
        let stocks = matches!(
            [words.next(), words.next(), words.next()],
            [Some("device"), Some("form-printer"), Some("load" | "wrong")]
                | [Some("staff"), Some("receive" | "load" | "miss"), _]
        );
        let mut at = 0_usize;
        for run in line.split(|c: char| !c.is_ascii_digit()) {
            if run.len() >= LONG_RUN && !self.may_stand(run, stocks) {
                return Some(at);
            }
            let rest = line.get(at.saturating_add(run.len())..).unwrap_or("");
            let gap = rest.chars().next().map_or(0, char::len_utf8);
            at = at.saturating_add(run.len()).saturating_add(gap);
        }
        None
    }

    fn may_stand(&self, run: &str, stocks: bool) -> bool {
        let bill = run.parse::<BillNumber>().ok();
        let ours = bill.is_some_and(|bill| self.prefixes.contains(&bill.prefix));
        ours || run == self.bank.bank.bank_number || (stocks && bill.is_some() && !luhn(run))
    }
}

/// `; did you mean …?`, or nothing.
pub(super) fn suggestion(word: &str, known: &[&str]) -> String {
    nearest(word, known).map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}
