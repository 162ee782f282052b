//! `replay`: a recording of usbmon in the place of devices.
//!
//! Owns what is said about a file: which devices it has, what moved (`--words`), how far
//! our driver asks what was asked then, and the first difference. Touches no device.
//! The same verb replays what `capture` recorded; without one, every device is greeted,
//! and a finger that was laid down in the recording is taken.

mod words;

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use counterfoil_data::seam::{SharedClock, SharedEntropy};
use jiff::Timestamp;

use super::doubt::doubt;
use super::hello::{greet, told};
use super::say;
use super::verb::Verb;
use crate::driver::finger::FingerSensor;
use crate::driver::{Role, role_of, uru4000};
use crate::transport::replay::clock::ReplayClock;
use crate::transport::replay::entropy::RecordedEntropy;
use crate::transport::replay::recording::{Recording, Session};
use crate::transport::replay::{Played, ReplayBus};
use crate::transport::usbmon::file::{self, Capture, FILE_MAX};
use crate::transport::{Bus, DeviceInfo};

/// Patience for a finger, in the time of the recording.
const FINGER_WITHIN: Duration = Duration::from_secs(60);

/// What to replay.
#[derive(Debug, Args)]
pub(super) struct Replay {
    /// A capture file: pcap or pcapng of `capture`, dumpcap, Wireshark or tcpdump.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Say each transfer in words; of what an id document, a card or a finger is made of,
    /// only how much there is.
    #[arg(long)]
    words: bool,
    /// Only this device, BUS.NUMBER as it is shown.
    #[arg(long, value_name = "PATH")]
    device: Option<String>,
    /// What was done when it was recorded; without it, hello.
    #[command(subcommand)]
    verb: Option<Verb>,
}

/// Says what is in the file and runs our drivers against it.
pub(super) fn run(what: &Replay) -> anyhow::Result<()> {
    let name = what.file.display().to_string();
    let bytes = read(&what.file).with_context(|| name.clone())?;
    let capture = file::read(&bytes).with_context(|| name.clone())?;
    drop(bytes);
    let mut recording = Recording::of(&capture);
    let (count, begun) = (capture.events.len(), start(&capture));
    say(&format!("{name}: {count} events"))?;
    if capture.is_cut {
        say("it ends in the middle of a packet: what is whole is replayed")?;
    }
    if let Some(path) = &what.device {
        recording.sessions.retain(|s| place(s) == *path);
        ensure!(!recording.sessions.is_empty(), "it has no device {path}");
    }
    for session in &recording.sessions {
        say(&summary(session))?;
    }
    if what.words {
        words::tell(&capture, &recording)?;
    }
    let replayed = Replayed::of(recording, begun);
    replayed.run(what.verb.as_ref())
}

/// The recorded devices, and the time of then.
struct Replayed {
    bus: Rc<ReplayBus>,
    clock: ReplayClock,
    shared: SharedClock,
    entropy: SharedEntropy,
}

impl Replayed {
    fn of(mut recording: Recording, begun: Timestamp) -> Self {
        let clock = ReplayClock::starting_at(begun);
        let shared: SharedClock = Rc::new(clock.clone());
        let entropy = Rc::new(RecordedEntropy::default());
        for session in &mut recording.sessions {
            session.drawn = drawn(session);
        }
        Self {
            bus: Rc::new(ReplayBus::new(recording, &shared, entropy.clone())),
            entropy,
            clock,
            shared,
        }
    }

    fn run(&self, verb: Option<&Verb>) -> anyhow::Result<()> {
        let work = async {
            match verb {
                None | Some(Verb::Probe) => self.greet_all().await,
                Some(verb) => verb.run(&self.bus, &self.shared, &self.entropy).await,
            }
        };
        let done = self.clock.run(work);
        let devices = self.clock.run(self.bus.list())??;
        let mut differs = false;
        for info in &devices {
            let Some(played) = self.bus.played(&info.path) else {
                continue;
            };
            differs |= played.difference.is_some();
            if played.acts > 0 && role_of(info).is_some() {
                say(&format!("{:<8} {}", info.path, result(&played)))?;
            }
        }
        done??;
        ensure!(!differs, "the driver does not do what was recorded");
        Ok(())
    }

    async fn greet_all(&self) -> anyhow::Result<()> {
        let (mut greeted, mut failed) = (0_u32, 0_u32);
        for info in self.bus.list().await? {
            let Some(role) = role_of(&info) else {
                continue;
            };
            let said = match role {
                Role::Finger => self.touch(&info).await,
                _ => greet(&*self.bus, &info, role, (&self.shared, &self.entropy)).await,
            };
            let (word, text) = match said {
                Ok(text) => ("ok ", text),
                Err(text) => {
                    failed = failed.saturating_add(1);
                    ("err", text)
                }
            };
            greeted = greeted.saturating_add(1);
            say(&format!("{word} {:<8} {role:<16} {text}", info.path))?;
        }
        match (greeted, failed) {
            (0, _) => bail!(
                "no device of a kiosk with its descriptors is in the recording: begin to \
                 record, then plug the device in"
            ),
            (_, 0) => Ok(()),
            _ => bail!("{failed} of the recorded devices were not taken over"),
        }
    }

    /// Hello, and as far as the recording goes on, one touch.
    async fn touch(&self, info: &DeviceInfo) -> Result<String, String> {
        let usb = self.bus.open(&info.path).await.map_err(told)?;
        let clock = self.shared.clone();
        let sensor = FingerSensor::open(usb, clock, self.entropy.clone()).await;
        let mut sensor = match sensor {
            Ok(sensor) => sensor,
            Err(error) => {
                let doubt = doubt(&*self.bus, info).await.unwrap_or_default();
                return Err(format!("{}; {doubt}", told(error)));
            }
        };
        let hello = sensor.hello();
        let goes_on = |p: Played| p.difference.is_none() && p.made < p.acts;
        if !self.bus.played(&info.path).is_some_and(goes_on) {
            return Ok(hello.to_owned());
        }
        let deadline = self.shared.monotonic().saturating_add(FINGER_WITHIN);
        sensor.arm().await.map_err(told)?;
        if !sensor.wait_finger(deadline).await.map_err(told)? {
            return Ok(format!("{hello}, no finger in the recording"));
        }
        let image = sensor.capture(|_| {}, FINGER_WITHIN).await;
        let image = image.map_err(told)?;
        let lifted = sensor.wait_lifted(deadline).await.map_err(told)?;
        sensor.disarm().await.map_err(told)?;
        let lifted = if lifted { "lifted" } else { "not lifted" };
        let (width, height) = (image.width, image.height);
        Ok(format!(
            "{hello}, finger, image {width}x{height}, {lifted}, dark"
        ))
    }
}

fn result(played: &Played) -> String {
    let Played {
        acts, made, passed, ..
    } = played;
    let others = match passed {
        0 => String::new(),
        passed => format!("; {passed} of the kernel or of another program passed over"),
    };
    match &played.difference {
        Some(difference) => difference.to_string(),
        None if made == acts => format!("all {acts} requests and writes as recorded{others}"),
        None => {
            format!("{made} of {acts} requests and writes as recorded, the rest not asked{others}")
        }
    }
}

fn summary(session: &Session) -> String {
    let path = place(session);
    let answers: usize = session.answers.values().map(|all| all.len()).sum();
    let moved = format!(
        "{} requests and writes, {answers} reads",
        session.acts.len()
    );
    match &session.info {
        None => format!("{path:<8} its descriptors are not in the recording ({moved})"),
        Some(info) => {
            let role = role_of(info).map_or("-", Role::name);
            let (vendor, product, name) = (info.vendor, info.product, &info.name);
            format!("{path:<8} {vendor:04x}:{product:04x} {role:<16} {name} ({moved})")
        }
    }
}

fn place(session: &Session) -> String {
    format!("{}.{}", session.bus, session.device)
}

/// What the recorded host drew at random, as far as it can be seen on the wire.
fn drawn(session: &Session) -> Vec<u8> {
    let drawn = session.acts.iter().filter_map(|act| {
        let setup = act.setup?;
        uru4000::seed_in(setup, &act.out)
    });
    drawn.flatten().collect()
}

fn start(capture: &Capture) -> Timestamp {
    let first = capture.events.first();
    let since = first.and_then(|event| i64::try_from(event.at.as_secs()).ok());
    since
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .unwrap_or(Timestamp::UNIX_EPOCH)
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let file = std::fs::File::open(path).context("cannot be read")?;
    let max = u64::try_from(FILE_MAX)?;
    let mut bytes = Vec::new();
    file.take(max.saturating_add(1)).read_to_end(&mut bytes)?;
    ensure!(
        bytes.len() <= FILE_MAX,
        "it has more than {FILE_MAX} bytes: record one device only"
    );
    Ok(bytes)
}

#[cfg(test)]
mod tests;
