//! The hands at the reader: cards in and out, and faults that wait for their turn.

use std::time::Duration;

use super::{Build, CardReaderTwin, Chip, Pull};
use crate::twin::DeskError;

/// What goes wrong with the next exchanges, how often each.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Faults {
    /// Time extensions before the next answer.
    pub(super) extensions: u64,
    /// Answers to an older command before the next.
    pub(super) stale: u64,
    /// Answers that name another slot.
    pub(super) wrong_slot: u64,
    /// Commands that find the slot busy.
    pub(super) busy: u64,
    /// Exchanges with a parity error.
    pub(super) parity: u64,
}

/// Takes one off; whether there was one.
pub(super) fn once(count: &mut u64) -> bool {
    let due = *count > 0;
    *count = count.saturating_sub(1);
    due
}

const USE: &str = "insert CARD [plain|static|copied|combined|combined-copied| \
                   combined-altered|combined-declining] [no-directory] [t1|t1-crc] [fast|stubborn] [only-5v|only-3v|only-1.8v], remove, mute, remove during record|apdu N, \
                   extend|stale|wrong-slot|busy|parity N, t1 damage|lose|ask|wtx|abort N, \
                   pin right|wrong|short|mismatch|cancel";

fn refuse<T>(why: &str) -> Result<T, DeskError> {
    Err(DeskError(why.into()))
}

fn number(text: &str) -> Result<u64, DeskError> {
    let number = text.parse().ok().filter(|n| (1..=99).contains(n));
    number.ok_or_else(|| DeskError("a number from 1 to 99 was expected".into()))
}

/// Chip and build of the words behind a card's name.
fn made(words: &[&str]) -> Result<(Chip, Build), DeskError> {
    let mut chip = Chip::Genuine;
    let mut build = Build {
        directory: true,
        t1: None,
        fast: false,
        stubborn: false,
        volts: 7,
    };
    for word in words {
        match *word {
            "plain" => chip = Chip::Plain,
            "static" => chip = Chip::Static,
            "copied" => chip = Chip::Copied,
            "combined" => chip = Chip::Combined,
            "combined-copied" => chip = Chip::CombinedCopied,
            "combined-altered" => chip = Chip::CombinedAltered,
            "combined-declining" => chip = Chip::CombinedDeclining,
            "no-directory" => build.directory = false,
            "t1" => build.t1 = Some(false),
            "t1-crc" => build.t1 = Some(true),
            "fast" => build.fast = true,
            "stubborn" => (build.fast, build.stubborn) = (true, true),
            "only-5v" => build.volts = 1,
            "only-3v" => build.volts = 2,
            "only-1.8v" => build.volts = 4,
            _ => return refuse(USE),
        }
    }
    Ok((chip, build))
}

impl CardReaderTwin {
    /// One line of the desk.
    pub(super) fn act(&mut self, now: Duration, line: &str) -> Result<String, DeskError> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["insert", name, rest @ ..] => {
                let (chip, build) = made(rest)?;
                self.insert(name, chip, build)
            }
            ["remove"] => self.remove(now),
            ["remove", "during", what @ ("record" | "apdu"), n] => {
                let n = number(n)?;
                self.pull = Some(match *what {
                    "record" => Pull::Record(n),
                    _ => Pull::Apdu(n),
                });
                Ok(format!("the card will be pulled during {what} {n}"))
            }
            ["mute"] => match &mut self.slot {
                Some(inserted) => {
                    inserted.mute = true;
                    let name = &inserted.name;
                    Ok(format!("{name} will not answer until it is removed"))
                }
                None => refuse("there is no card in the reader"),
            },
            ["pin", what] => self.type_pin(now, what),
            ["t1", what, n] => self.arm_block(what, number(n)?),
            [what, n] => self.arm(what, number(n)?),
            _ => refuse(USE),
        }
    }

    fn arm(&mut self, what: &str, n: u64) -> Result<String, DeskError> {
        let (fault, said) = match what {
            "extend" => (&mut self.faults.extensions, "asks for more time"),
            "stale" => (&mut self.faults.stale, "answers an older command first"),
            "wrong-slot" => (&mut self.faults.wrong_slot, "answers from another slot"),
            "busy" => (&mut self.faults.busy, "says that its slot is busy"),
            "parity" => (&mut self.faults.parity, "sees a parity error"),
            _ => return refuse(USE),
        };
        *fault = n;
        Ok(format!("the reader {said}, {n} times"))
    }

    fn arm_block(&mut self, what: &str, n: u64) -> Result<String, DeskError> {
        let Some(inserted) = &mut self.slot else {
            return refuse("there is no card in the reader");
        };
        if inserted.build.t1.is_none() {
            return refuse("the card in the reader does not speak T=1");
        }
        let faults = &mut inserted.blocks.faults;
        let (fault, said) = match what {
            "damage" => (&mut faults.damage, "damages its block"),
            "lose" => (&mut faults.lose, "loses its block"),
            "ask" => (&mut faults.ask, "asks for the block again"),
            "wtx" => (&mut faults.wtx, "asks for more time"),
            "abort" => (&mut faults.abort, "gives its chain up"),
            _ => return refuse(USE),
        };
        *fault = n;
        Ok(format!("the card {said}, {n} times"))
    }
}
