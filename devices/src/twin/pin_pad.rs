//! Twin of a PIN pad that seals inside (framing of [`crate::driver::pin_pad`],
//! which is ours: real pads have no public protocol).
//!
//! Desk: `enter @NAME` types a named demo secret and OK, `type N` types N
//! anonymous digits of a PIN that is nobody's, `ok`, `clear`, `cancel`, and
//! `wrong` types a whole wrong PIN and OK. The desk never takes or shows digits.

use std::collections::VecDeque;
use std::time::Duration;

use counterfoil_data::ids::SaleId;
use counterfoil_data::sealed::{Binding, Challenge, SealKey, Sealed, SecretText};
use counterfoil_data::seam::SharedEntropy;
use counterfoil_data::secret::Secret;

use super::{ControlReply, DeskError, InReply, OutReply, Twin};
use crate::transport::{DeviceInfo, EndpointInfo, InterfaceInfo, Setup};

/// Named secrets at most.
pub const SECRETS_MAX: usize = 64;
/// One key every so often, as fast fingers do.
const KEY_TAKES: Duration = Duration::from_millis(120);
const DIGITS_MAX: u8 = 12;
const REQUEST_MAX: usize = 256;
const EVENTS_MAX: usize = 256;

const DIGITS: u8 = 1;
const DONE: u8 = 2;
const CANCELLED: u8 = 3;

struct Entry {
    number: u16,
    digits: u8,
    session: Binding,
    key: SealKey,
    typed: Secret<String>,
}

/// The pad.
pub struct PinPadTwin {
    secrets: Vec<(String, Secret<String>)>,
    entropy: SharedEntropy,
    entry: Option<Entry>,
    sealed: Option<(u16, Vec<u8>)>,
    request: Vec<u8>,
    answers: VecDeque<u8>,
    events: VecDeque<(Duration, [u8; 5])>,
    keys: u64,
    pin_entries: u64,
    cancels: u64,
    aborts: u64,
}

impl PinPadTwin {
    /// A pad whose desk knows these secrets by name.
    pub fn new(mut secrets: Vec<(String, Secret<String>)>, entropy: SharedEntropy) -> Self {
        secrets.truncate(SECRETS_MAX);
        Self {
            secrets,
            entropy,
            entry: None,
            sealed: None,
            request: Vec::new(),
            answers: VecDeque::new(),
            events: VecDeque::new(),
            keys: 0,
            pin_entries: 0,
            cancels: 0,
            aborts: 0,
        }
    }

    fn answer(&mut self, kind: u8, payload: &[u8]) {
        let [high, low] = u16::try_from(payload.len())
            .unwrap_or(u16::MAX)
            .to_be_bytes();
        self.answers.extend([0x50, 0x01, kind, high, low]);
        self.answers.extend(payload);
    }

    fn obey(&mut self, kind: u8, payload: &[u8]) {
        match kind {
            0x01 => self.answer(0x81, &[1]),
            0x02 => match entry(payload) {
                Some(entry) => {
                    self.forget();
                    self.entry = Some(entry);
                    self.answer(0x82, &[]);
                }
                None => self.answer(0x7f, &[2]),
            },
            0x03 => {
                self.forget();
                self.aborts = self.aborts.saturating_add(1);
                self.answer(0x83, &[]);
            }
            0x04 => match self.sealed.take() {
                Some((number, block)) if payload == number.to_be_bytes() => {
                    self.answer(0x84, &[payload, &block].concat());
                }
                _ => self.answer(0x7f, &[4]),
            },
            _ => self.answer(0x7f, &[1]),
        }
    }

    /// The entry with its digits and its block. Reports on their way still go
    /// out, as from a real pad's queue: the host must tell them by their entry.
    fn forget(&mut self) {
        self.entry = None;
        self.sealed = None;
    }

    fn report(&mut self, now: Duration, number: u16, event: u8, count: u8) {
        let after = self.events.back().map_or(now, |(at, _)| now.max(*at));
        let [high, low] = number.to_be_bytes();
        if self.events.len() < EVENTS_MAX {
            let at = after.saturating_add(KEY_TAKES);
            self.events.push_back((at, [0x45, event, high, low, count]));
        }
    }

    fn press(&mut self, now: Duration, keys: &str) -> Result<(), DeskError> {
        for key in keys.chars() {
            let entry = self.entry.as_mut().ok_or_else(no_entry)?;
            let mut typed = String::with_capacity(usize::from(DIGITS_MAX));
            typed.push_str(entry.typed.expose());
            if typed.len() >= usize::from(entry.digits) {
                return Err(DeskError(
                    "all digits stand there: ok, clear or cancel".into(),
                ));
            }
            typed.push(key);
            let (number, count) = (entry.number, u8::try_from(typed.len()).unwrap_or(u8::MAX));
            entry.typed = Secret::new(typed);
            self.keys = self.keys.saturating_add(1);
            self.report(now, number, DIGITS, count);
        }
        Ok(())
    }

    fn ok(&mut self, now: Duration) -> Result<(), DeskError> {
        let entry = self.entry.take().ok_or_else(no_entry)?;
        if entry.typed.expose().len() < usize::from(entry.digits) {
            self.entry = Some(entry);
            return Err(DeskError("digits are missing".into()));
        }
        let pin = SecretText(entry.typed);
        let sealed = Sealed::seal(&pin, &entry.key, entry.session, &*self.entropy);
        let sealed = sealed.map_err(|error| DeskError(error.to_string()))?;
        self.sealed = Some((entry.number, sealed.to_bytes()));
        self.pin_entries = self.pin_entries.saturating_add(1);
        self.report(now, entry.number, DONE, entry.digits);
        Ok(())
    }

    /// A digit that, repeated, is nobody's PIN.
    fn nobodys(&self) -> &'static str {
        let mut digits = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"].into_iter();
        let taken = |digit: &str| {
            let mut secrets = self.secrets.iter();
            secrets.any(|(_, s)| s.expose().split(digit).all(str::is_empty))
        };
        digits.find(|digit| !taken(digit)).unwrap_or("0")
    }

    fn type_anonymous(&mut self, now: Duration, count: usize) -> Result<(), DeskError> {
        let keys = self.nobodys().repeat(count.min(usize::from(DIGITS_MAX)));
        self.press(now, &keys)
    }
}

fn no_entry() -> DeskError {
    DeskError("no pin entry is running".into())
}

fn entry(payload: &[u8]) -> Option<Entry> {
    let (number, rest) = payload.split_first_chunk::<2>()?;
    let (&digits, rest) = rest.split_first()?;
    let (sale, rest) = rest.split_first_chunk::<16>()?;
    let (challenge, rest) = rest.split_first_chunk::<16>()?;
    let key = <[u8; 32]>::try_from(rest).ok()?;
    if digits == 0 || digits > DIGITS_MAX {
        return None;
    }
    Some(Entry {
        number: u16::from_be_bytes(*number),
        digits,
        session: Binding {
            sale: SaleId(u128::from_be_bytes(*sale)),
            challenge: Challenge(*challenge),
        },
        key: SealKey(key),
        typed: Secret::new(String::new()),
    })
}

impl Twin for PinPadTwin {
    fn info(&self) -> DeviceInfo {
        let end = |address, kind, interval| EndpointInfo {
            address,
            kind,
            max_packet: 64,
            interval,
        };
        DeviceInfo {
            path: "pin-pad".into(),
            // The test ids of pid.codes: nobody's product.
            vendor: 0x1209,
            product: 0x0006,
            release: 0x0100,
            class: 0,
            manufacturer: "Counterfoil twins".into(),
            name: "PIN pad".into(),
            serial: String::new(),
            interfaces: vec![InterfaceInfo {
                number: 0,
                alternate: 0,
                class: 0xff,
                subclass: 0x50,
                protocol: 0x01,
                endpoints: vec![end(0x01, 2, 0), end(0x82, 2, 0), end(0x83, 3, 10)],
                extra: Vec::new(),
            }],
        }
    }

    fn control(&mut self, _: Duration, _: Setup, _: &[u8], _: u16) -> ControlReply {
        ControlReply::Stall
    }

    fn out(&mut self, _: Duration, endpoint: u8, bytes: &[u8]) -> OutReply {
        if endpoint != 0x01 {
            return OutReply::Stall;
        }
        self.request.extend_from_slice(bytes);
        while let Some(&[0x50, 0x01, kind, high, low]) = self.request.first_chunk::<5>() {
            let len = usize::from(u16::from_be_bytes([high, low]));
            let whole = len.saturating_add(5);
            if whole > REQUEST_MAX {
                self.request.clear();
                return OutReply::Stall;
            }
            if self.request.len() < whole {
                break;
            }
            let frame: Vec<u8> = self.request.drain(..whole).collect();
            self.obey(kind, frame.get(5..).unwrap_or_default());
        }
        OutReply::Took(bytes.len())
    }

    fn poll_in(&mut self, now: Duration, endpoint: u8, max: usize) -> InReply {
        match endpoint {
            0x82 if self.answers.is_empty() => InReply::Nak,
            0x82 => {
                let count = self.answers.len().min(max);
                InReply::Data(self.answers.drain(..count).collect())
            }
            0x83 => match self.events.front() {
                Some((at, event)) if *at <= now => {
                    let event = event.to_vec();
                    self.events.pop_front();
                    InReply::Data(event)
                }
                _ => InReply::Nak,
            },
            _ => InReply::Stall,
        }
    }

    fn wakes_at(&self) -> Option<Duration> {
        self.events.front().map(|(at, _)| *at)
    }

    fn host_gone(&mut self, _: Duration) {
        self.forget();
        self.events.clear();
        self.request.clear();
        self.answers.clear();
    }

    fn desk(&mut self, now: Duration, line: &str) -> Result<String, DeskError> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["enter", name] => {
                let name = name.strip_prefix('@').unwrap_or(name);
                let secret = self.secrets.iter().find(|(n, _)| n == name);
                let (_, secret) = secret.ok_or_else(|| DeskError("no such secret".into()))?;
                let secret = Secret::new(secret.expose().clone());
                self.press(now, secret.expose())?;
                self.ok(now)?;
            }
            ["type", count] => {
                let count = count
                    .parse()
                    .map_err(|_| DeskError("type takes a number".into()))?;
                self.type_anonymous(now, count)?;
            }
            ["wrong"] => {
                let digits = self.entry.as_ref().ok_or_else(no_entry)?.digits;
                self.type_anonymous(now, usize::from(digits))?;
                self.ok(now)?;
            }
            ["ok"] => self.ok(now)?,
            ["clear"] => {
                let entry = self.entry.as_mut().ok_or_else(no_entry)?;
                entry.typed = Secret::new(String::new());
                let number = entry.number;
                self.report(now, number, DIGITS, 0);
            }
            ["cancel"] => {
                let entry = self.entry.take().ok_or_else(no_entry)?;
                self.cancels = self.cancels.saturating_add(1);
                self.report(now, entry.number, CANCELLED, 0);
            }
            _ => {
                let verbs = "enter @NAME, type N, ok, wrong, clear, cancel";
                return Err(DeskError(format!("the pin pad knows: {verbs}")));
            }
        }
        Ok(words.join(" "))
    }

    fn look(&self) -> Vec<String> {
        vec![self.entry.as_ref().map_or_else(
            || "no entry running".to_owned(),
            |entry| {
                let typed = entry.typed.expose().len();
                format!("entry running, {typed} of {} digits", entry.digits)
            },
        )]
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        vec![
            ("keys", self.keys),
            ("pin-entries", self.pin_entries),
            ("cancels", self.cancels),
            ("aborts", self.aborts),
        ]
    }
}
