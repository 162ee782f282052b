//! Three real processes: twins, backend, kiosk. Two of them can be killed.
//!
//! The twins are never killed, so what really happened to paper survives.

use std::fs::{File, OpenOptions};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context as _;
use counterfoil_data::demo;
use counterfoil_data::seam::SharedClock;
use counterfoil_devices::transport::usbip::{Address, desk};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::cable::Cable;

/// How many times faster than in life the mechanics run.
pub const SPEED: &str = "20";
/// How long the kiosk waits for staff, in seconds; longer than staff take to come.
const STAFF_S: &str = "15";
/// How long the demo bank waits for an officer, and how long it waits here.
const CONFIRM_LONG: &str = "confirm_within_s = 180";
const CONFIRM_SHORT: &str = "confirm_within_s = 8";
/// Longest wait for a process to say where it listens.
const START_WITHIN: Duration = Duration::from_secs(60);

/// A process whose lines on stdout are read.
pub struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    stdin: Option<ChildStdin>,
}

impl Process {
    /// Starts a program of `counterfoil`; its stderr goes to `log`.
    pub fn start(exe: &Path, args: &[&str], log: File) -> anyhow::Result<Self> {
        let mut child = Command::new(exe)
            .args(args)
            .env("COUNTERFOIL_LOG", "info")
            .env("RUST_LOG", "info")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {} {args:?}", exe.display()))?;
        let stdout = child.stdout.take().context("no stdout")?;
        Ok(Self {
            stdin: child.stdin.take(),
            child,
            lines: BufReader::new(stdout).lines(),
        })
    }

    /// The next line; `None` at the end of output. Cancel-safe.
    pub async fn line(&mut self) -> Option<String> {
        self.lines.next_line().await.ok().flatten()
    }

    /// Its process id, while it lives.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Bytes to its stdin; a process that just died does not read them.
    pub async fn send(&mut self, bytes: &[u8]) {
        if let Some(stdin) = &mut self.stdin {
            let _ = stdin.write_all(bytes).await;
            let _ = stdin.flush().await;
        }
    }

    /// Waits until it ended by itself; whether it says that all went well.
    pub async fn ended(mut self) -> anyhow::Result<bool> {
        Ok(self.child.wait().await.context("cannot wait")?.success())
    }

    /// SIGKILL, and waits until it is gone.
    pub async fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill().await.context("cannot kill")
    }
}

/// A branch of processes in a folder.
pub struct House {
    exe: PathBuf,
    folder: PathBuf,
    clock: SharedClock,
    /// Between kiosk and backend.
    pub cable: Cable,
    twins: Process,
    usbip: String,
    desk: Address,
    backend: Option<Process>,
    kiosk: Option<Process>,
    haste: Haste,
}

/// How much less than in life the kiosk waits, in seconds.
#[derive(Debug, Clone, Copy, Default)]
pub struct Haste {
    /// For a silent customer.
    pub idle_s: Option<u64>,
    /// For forms to be taken.
    pub take_s: Option<u64>,
}

impl House {
    /// Twins and backend; the books are a copy of `books`.
    pub async fn open(
        exe: &Path,
        folder: &Path,
        books: &Path,
        clock: SharedClock,
        haste: Haste,
    ) -> anyhow::Result<Self> {
        std::fs::copy(books, folder.join("books.redb")).context("cannot copy the books")?;
        let paper = folder.join("paper");
        let paper = paper.to_str().context("an odd folder")?;
        let desk = format!("unix:{}", folder.join("desk").display());
        let args = [
            "devices",
            "simulate",
            "--listen",
            "127.0.0.1:0",
            "--desk",
            &desk,
            "--paper",
            paper,
            "--speed",
            SPEED,
        ];
        let mut twins = Process::start(exe, &args, log(folder, "twins")?)?;
        let mut usbip = None;
        while let Some(line) = within(&clock, twins.line()).await? {
            match line.split_once(' ') {
                Some(("usbip", address)) => usbip = Some(address.to_owned()),
                _ if line == "ready" => break,
                _ => {}
            }
        }
        let mut house = Self {
            exe: exe.to_owned(),
            folder: folder.to_owned(),
            clock,
            cable: Cable::lay().await?,
            twins,
            usbip: usbip.context("the twins did not say where they are")?,
            desk: desk.parse()?,
            backend: None,
            kiosk: None,
            haste,
        };
        house.start_backend().await?;
        Ok(house)
    }

    /// The database file.
    pub fn books(&self) -> PathBuf {
        self.folder.join("books.redb")
    }

    /// The folder of printed paper.
    pub fn paper(&self) -> PathBuf {
        self.folder.join("paper")
    }

    /// The kiosk's outcome journal.
    pub fn journal(&self) -> PathBuf {
        self.folder.join("journal")
    }

    /// Starts the backend and leads the cable to it.
    pub async fn start_backend(&mut self) -> anyhow::Result<()> {
        let log = log(&self.folder, "backend")?;
        let (backend, address) = backend(&self.exe, &self.books(), &[], log, &self.clock).await?;
        self.cable.far().set(Some(address));
        self.backend = Some(backend);
        Ok(())
    }

    /// SIGKILL for the backend.
    pub async fn kill_backend(&mut self) -> anyhow::Result<()> {
        self.cable.far().set(None);
        match self.backend.take() {
            Some(backend) => backend.kill().await,
            None => Ok(()),
        }
    }

    /// Starts the kiosk.
    pub fn start_kiosk(&mut self) -> anyhow::Result<()> {
        let journal = self.journal();
        let journal = journal.to_str().context("an odd folder")?;
        let (near, devices) = (
            self.cable.near().to_string(),
            format!("usbip:{}", self.usbip),
        );
        let (idle, take) = (self.haste.idle_s, self.haste.take_s);
        let [idle, take] = [("--idle-s", idle), ("--take-s", take)]
            .map(|(flag, s)| s.map(|s| [flag.to_owned(), s.to_string()]));
        let haste = [idle, take].into_iter().flatten().flatten();
        let haste: Vec<String> = haste.collect();
        let mut args = vec![
            "kiosk",
            "--demo",
            "kiosk-1",
            "--models",
            "--backend",
            &near,
            "--devices",
            &devices,
            "--journal",
            journal,
            "--staff-s",
            STAFF_S,
        ];
        args.extend(haste.iter().map(String::as_str));
        let log = log(&self.folder, "kiosk")?;
        self.kiosk = Some(Process::start(&self.exe, &args, log)?);
        Ok(())
    }

    /// SIGKILL for the kiosk.
    pub async fn kill_kiosk(&mut self) -> anyhow::Result<()> {
        match self.kiosk.take() {
            Some(kiosk) => kiosk.kill().await,
            None => Ok(()),
        }
    }

    /// Whether the kiosk runs.
    pub fn kiosk_on(&self) -> bool {
        self.kiosk.is_some()
    }

    /// The kiosk's next screen; waits for ever while it is dead. Cancel-safe.
    pub async fn screen(&mut self) -> anyhow::Result<Value> {
        let Some(kiosk) = &mut self.kiosk else {
            return std::future::pending().await;
        };
        let line = kiosk.line().await.context("the kiosk ended by itself")?;
        serde_json::from_str(&line).context("a screen is not JSON")
    }

    /// Keys typed at the kiosk.
    pub async fn type_keys(&mut self, bytes: &[u8]) {
        if let Some(kiosk) = &mut self.kiosk {
            kiosk.send(bytes).await;
        }
    }

    /// One line at the desk; `Err` is the desk's refusal.
    pub async fn desk(&self, line: &str) -> anyhow::Result<Result<String, String>> {
        let said = desk::say(&self.desk, line)
            .await
            .context("the desk is gone")?;
        Ok(said.map_err(|e| e.to_string()))
    }

    /// Ends everything, the twins last; what the form printer then looks like.
    pub async fn close(mut self) -> anyhow::Result<String> {
        self.kill_kiosk().await?;
        self.kill_backend().await?;
        let look = self.desk("look form-printer").await?;
        self.twins.kill().await?;
        look.map_err(anyhow::Error::msg)
    }
}

/// Books with the demo bank enrolled, to be copied; its officers are not waited for
/// as long as in life.
pub async fn enrol(exe: &Path, folder: &Path, clock: &SharedClock) -> anyhow::Result<PathBuf> {
    let books = folder.join("enrolled.redb");
    let bank = demo::BANK_TOML.replace(CONFIRM_LONG, CONFIRM_SHORT);
    anyhow::ensure!(
        bank.contains(CONFIRM_SHORT),
        "the demo bank has no {CONFIRM_LONG}"
    );
    let file = folder.join("bank.toml");
    std::fs::write(&file, bank).context("cannot write the bank")?;
    let file = file.to_str().context("an odd folder")?;
    let bank = ["--bank", file];
    let (backend, _) = backend(exe, &books, &bank, log(folder, "enrol")?, clock).await?;
    backend.kill().await?;
    Ok(books)
}

/// A backend over these books, and where it listens.
pub async fn backend(
    exe: &Path,
    books: &Path,
    more: &[&str],
    log: File,
    clock: &SharedClock,
) -> anyhow::Result<(Process, SocketAddr)> {
    let db = books.to_str().context("an odd folder")?;
    let mut args = vec![
        "backend",
        "--demo",
        "--db",
        db,
        "--listen",
        "127.0.0.1:0",
        "--print-address",
    ];
    args.extend(more);
    listening(Process::start(exe, &args, log)?, clock).await
}

/// A backend with this configuration, and where it listens.
pub async fn configured(
    exe: &Path,
    config: &Path,
    log: File,
    clock: &SharedClock,
) -> anyhow::Result<(Process, SocketAddr)> {
    let config = config.to_str().context("an odd folder")?;
    let process = Process::start(exe, &["backend", "--config", config], log)?;
    listening(process, clock).await
}

async fn listening(
    mut backend: Process,
    clock: &SharedClock,
) -> anyhow::Result<(Process, SocketAddr)> {
    let line = within(clock, backend.line()).await?;
    let line = line.context("the backend ended at once")?;
    let told: Value = serde_json::from_str(&line).context("an address is not JSON")?;
    let address = told.get("listen").and_then(Value::as_str);
    let address = address
        .context("no address in the backend's line")?
        .parse()?;
    Ok((backend, address))
}

/// A log file that grows over restarts.
pub fn log(folder: &Path, name: &str) -> anyhow::Result<File> {
    let path = folder.join(format!("{name}.log"));
    let file = OpenOptions::new().create(true).append(true).open(&path);
    file.with_context(|| format!("cannot write {}", path.display()))
}

async fn within<T>(clock: &SharedClock, wanted: impl Future<Output = T>) -> anyhow::Result<T> {
    tokio::select! {
        biased;
        value = wanted => Ok(value),
        () = clock.sleep(START_WITHIN) => anyhow::bail!("a process said nothing for a minute"),
    }
}
