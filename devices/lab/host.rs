//! Everything outside the guest: QEMU, and the peers behind the devices it emulates.
//!
//! The guest asks for acts over a virtio port, a line each way (answered `ok TEXT` or
//! `err TEXT`), and tells how its checks went (`ok …`, `FAIL …`, `note TEXT`). Acts that
//! must happen in the middle of something are armed before.

mod chip;
mod monitor;
mod qemu;
mod sensor;

use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Context as _;
use counterfoil_data::demo;
use counterfoil_data::seam::SharedClock;
use counterfoil_data::wire::hex;
use counterfoil_devices::system::TokioClock;
use counterfoil_devices::twin::finger_module::FingerSpec;
use counterfoil_finger::synth::{Contact, Finger};
use sha1::{Digest as _, Sha1};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::sync::mpsc;

use self::chip::{Mishap, Slot};
use self::monitor::Monitor;
use self::qemu::Qemu;
use self::sensor::Sensor;
use crate::checks::{CHECKS, Told};
use crate::guest::sample;
use crate::say;

/// QEMU makes its sockets within so long.
const SOCKETS_WITHIN: Duration = Duration::from_secs(10);
/// The whole run.
const RUN_WITHIN: Duration = Duration::from_secs(240);

/// Boots, serves until the guest is done, and judges.
pub async fn run(folder: &Path, kernel: &Path, initrd: &Path) -> anyhow::Result<()> {
    let clock: SharedClock = Rc::new(TokioClock::system());
    let bank = demo::bank()?;
    let qemu = Qemu::start(folder, kernel, initrd)?;
    let (chip, commands) = Slot::open(&folder.join(chip::DEVICE), &bank).await?;
    let (sensor, bytes) = Sensor::open(folder, &bank).await?;
    let monitor = Monitor::open(&folder.join("monitor")).await?;
    let guest = BufReader::new(connect(&folder.join("guest")).await?);
    let mut world = World {
        chip,
        sensor,
        monitor,
        clock: clock.clone(),
        pulled: Duration::ZERO,
        fingers: FingerSpec::demo(&bank),
        told: Vec::new(),
    };
    let served = world.serve(guest, commands, bytes);
    let served = tokio::time::timeout(RUN_WITHIN, served).await;
    qemu.stop();
    match served {
        Err(_) => say(&format!("lab: not done after {RUN_WITHIN:?}")),
        Ok(Err(error)) => say(&format!("lab: {error:#}")),
        Ok(Ok(())) => {}
    }
    judge(&world.told, clock.monotonic())
}

/// All on the list, each once, each passed, and nothing else.
fn judge(told: &[Told], took: Duration) -> anyhow::Result<()> {
    let mut passed = 0_usize;
    for (device, what) in CHECKS {
        let these = told
            .iter()
            .filter(|t| t.device == *device && t.what == *what);
        match these.map(|t| t.passed).collect::<Vec<_>>().as_slice() {
            [true] => passed = passed.saturating_add(1),
            [false] => {}
            [] => say(&format!("FAIL {device:<16} {what:<38} was not run")),
            _ => say(&format!("FAIL {device:<16} {what:<38} was run again")),
        }
    }
    let seconds = took.as_secs();
    let count = CHECKS.len();
    say(&format!(
        "lab: {passed} of {count} checks passed in {seconds} s"
    ));
    anyhow::ensure!(passed == count && told.len() == count, "FAILED");
    Ok(())
}

/// Connects to a socket that is made about now.
async fn connect(socket: &Path) -> anyhow::Result<UnixStream> {
    let tried = async {
        loop {
            match UnixStream::connect(socket).await {
                Ok(stream) => return stream,
                Err(_) => tokio::time::sleep(crate::LOOK_EVERY).await,
            }
        }
    };
    let connected = tokio::time::timeout(SOCKETS_WITHIN, tried).await;
    connected.with_context(|| format!("QEMU makes no socket {}", socket.display()))
}

/// What the guest's script can reach.
struct World {
    chip: Slot,
    sensor: Sensor,
    monitor: Monitor,
    clock: SharedClock,
    pulled: Duration,
    fingers: Vec<FingerSpec>,
    told: Vec<Told>,
}

impl World {
    /// Until the guest says that it is done.
    async fn serve(
        &mut self,
        guest: BufReader<UnixStream>,
        mut commands: mpsc::Receiver<Vec<u8>>,
        mut bytes: mpsc::Receiver<Vec<u8>>,
    ) -> anyhow::Result<()> {
        let (from, mut to) = tokio::io::split(guest);
        let mut lines = BufReader::new(from).lines();
        loop {
            tokio::select! {
                line = lines.next_line() => {
                    let line = line?.context("the guest is gone: see the log")?;
                    if line == "done" {
                        return Ok(());
                    }
                    if let Some(answer) = self.line(&line).await {
                        to.write_all(answer.as_bytes()).await?;
                        to.flush().await?;
                    }
                }
                Some(command) = commands.recv() => {
                    if self.chip.command(&command).await? == Some(Mishap::CableOut) {
                        self.pulled = self.clock.monotonic();
                        self.monitor.pull(chip::DEVICE).await?;
                    }
                }
                Some(bytes) = bytes.recv() => {
                    if self.sensor.heard(&bytes).await? {
                        self.pulled = self.clock.monotonic();
                        self.sensor.pull();
                    }
                }
            }
        }
    }

    /// The answer to a line, if it wants one.
    async fn line(&mut self, line: &str) -> Option<String> {
        if let Some(told) = Told::parse(line) {
            say(&told.shown());
            self.told.push(told);
            return None;
        }
        if let Some(note) = line.strip_prefix("note ") {
            say(&format!("       {note}"));
            return None;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        let done = match words.as_slice() {
            ["card", "back"] => self.card_back().await,
            ["card", act @ ..] => self.chip.act(act).await,
            ["sensor", act @ ..] => self.sensor.act(act).await,
            ["since"] => {
                let since = self.clock.monotonic().saturating_sub(self.pulled);
                Ok(since.as_millis().to_string())
            }
            ["picture", finger, seed] => self.picture(finger, seed),
            _ => Err(anyhow::anyhow!("no such word: {line}")),
        };
        Some(match done {
            Ok(text) => format!("ok {text}\n"),
            Err(error) => format!("err {error:#}\n"),
        })
    }

    async fn card_back(&mut self) -> anyhow::Result<String> {
        self.monitor.plug(&qemu::reader()).await?;
        Ok("plugged in".into())
    }

    /// SHA-1 of an impression, four bits a pixel.
    fn picture(&self, name: &str, seed: &str) -> anyhow::Result<String> {
        let finger = self.fingers.iter().find(|finger| finger.name == name);
        let finger = Finger::from_seed(finger.context("no such finger")?.seed);
        let image = finger.impression(&Contact::natural(seed.parse()?));
        Ok(hex(&Sha1::digest(sample::four_bits(image.pixels()))))
    }
}
