//! Whose hands do the physical acts of a kit: a twin's desk does them by itself, a
//! person is told in words and says when it is done.
//!
//! A person may skip an act; a check that was skipped is not passed.

use std::rc::Rc;

use counterfoil_data::seam::Local;

use super::Stop;
use crate::transport::twin_bus::TwinBus;
use crate::transport::usbip::{Address, desk};

/// A person at the device, seen from here.
pub trait Person {
    /// Shows `words` and gives the line typed for an answer.
    fn ask<'a>(&'a self, words: &'a str) -> Local<'a, std::io::Result<String>>;
}

/// Somebody's hands and eyes.
#[derive(Clone)]
pub enum Hands {
    /// The desk of twins in this process.
    Bus(TwinBus),
    /// The desk of a running `simulate`.
    Desk(Address),
    /// A person.
    Person(Rc<dyn Person>),
}

impl Hands {
    /// Whether the device is a twin.
    pub fn of_a_twin(&self) -> bool {
        !matches!(self, Self::Person(_))
    }

    /// One line to the desk; `None` where a person stands.
    async fn desk(&self, line: &str) -> Result<Option<String>, Stop> {
        let said = match self {
            Self::Bus(bus) => match line.strip_prefix("counters ") {
                Some(name) => Ok(counted(bus, name)),
                None => match line.strip_prefix("look ") {
                    Some(name) => Ok(looked(bus, name)),
                    None => bus.desk(line),
                },
            },
            Self::Desk(address) => desk::say(address, line)
                .await
                .map_err(|e| Stop::Skipped(format!("the desk at {address} is gone: {e}")))?,
            Self::Person(_) => return Ok(None),
        };
        said.map(Some)
            .map_err(|e| Stop::Skipped(format!("the desk refused {line:?}: {e}")))
    }

    /// Does an act: `lines` of the desk's vocabulary with `;` between, or `words` for a
    /// person.
    ///
    /// # Errors
    /// [`Stop::Skipped`].
    pub async fn act(&self, device: &str, lines: &str, words: &str) -> Result<(), Stop> {
        if let Self::Person(person) = self {
            let asked = format!("{words}, then press Enter (s skips)");
            let answer = person.ask(&asked).await;
            let answer = answer.map_err(|e| Stop::Skipped(format!("nobody answers: {e}")))?;
            return match answer.trim() {
                "s" | "S" => Err(Stop::Skipped(format!("not done: {words}"))),
                _ => Ok(()),
            };
        }
        for line in lines.split(';') {
            self.desk(&format!("{device} {}", line.trim())).await?;
        }
        Ok(())
    }

    /// What a twin's desk answers to one act; `None` where a person stands.
    pub async fn answer(&self, device: &str, line: &str) -> Result<Option<String>, Stop> {
        self.desk(&format!("{device} {line}")).await
    }

    /// What lies where in a twin; `None` where a person stands.
    pub async fn look(&self, device: &str) -> Result<Option<String>, Stop> {
        self.desk(&format!("look {device}")).await
    }

    /// One of a twin's counters; `None` where a person stands.
    pub async fn count(&self, device: &str, counter: &str) -> Result<Option<u64>, Stop> {
        let Some(all) = self.desk(&format!("counters {device}")).await? else {
            return Ok(None);
        };
        let value = all.split(' ').find_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            (name == counter).then(|| value.parse().ok())?
        });
        Ok(value)
    }

    /// A line typed by a person; `None` from a twin.
    pub async fn typed(&self, words: &str) -> Result<Option<String>, Stop> {
        let Self::Person(person) = self else {
            return Ok(None);
        };
        let answer = person.ask(words).await;
        let answer = answer.map_err(|e| Stop::Skipped(format!("nobody answers: {e}")))?;
        match answer.trim() {
            "s" | "S" => Err(Stop::Skipped(format!("not answered: {words}"))),
            line => Ok(Some(line.to_owned())),
        }
    }

    /// What a person sees, yes or no; `None` from a twin.
    pub async fn sees(&self, question: &str) -> Result<Option<bool>, Stop> {
        let typed = self.typed(&format!("{question} (y, n; s skips)")).await?;
        Ok(typed.map(|line| line.eq_ignore_ascii_case("y")))
    }
}

fn counted(bus: &TwinBus, name: &str) -> String {
    let all = bus.counters(name).into_iter();
    let all = all.map(|(counter, value)| format!("{counter}={value}"));
    all.collect::<Vec<_>>().join(" ")
}

fn looked(bus: &TwinBus, name: &str) -> String {
    let all = bus.look().into_iter().find(|(n, _)| n == name);
    all.map(|(_, lines)| lines.join("; ")).unwrap_or_default()
}
