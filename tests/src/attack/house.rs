//! A backend process with a bank of many kiosks, and a process that attacks it.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use counterfoil_data::demo;
use counterfoil_data::seam::SharedClock;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::measure;
use crate::crash::house::{Process, log};

/// Kiosks whose keys the attacker has.
pub const STOLEN: u32 = 400;
/// Kiosks that look and begin.
pub const LOOKERS: u32 = 6;
/// Where the attacker comes from; good customers are at 127.0.0.1.
pub const ATTACKER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// What a line of the demo bank says, and what ours says instead: no cap is reached.
const RAISED: [(&str, &str); 4] = [
    (
        "forms_per_sale_max = 50\nforms_per_day_max = 100\n",
        "forms_per_sale_max = 50\nforms_per_day_max = 1000000\n",
    ),
    ("unused_forms_max = 200\n", "unused_forms_max = 1000000\n"),
    ("balance = 1000000\n", "balance = 1000000000\n"),
    ("last = \"3130002100010200\"", "last = \"3130002100019999\""),
];

/// Key seed of a kiosk that the attacker has.
pub fn stolen_seed(number: u32) -> [u8; 32] {
    let mut seed = [0x5A; 32];
    if let Some(head) = seed.first_chunk_mut::<4>() {
        *head = number.to_be_bytes();
    }
    seed
}

/// The demo bank with more kiosks and no caps, as TOML.
pub fn bank() -> anyhow::Result<String> {
    let mut text = demo::BANK_TOML.to_owned();
    for (said, instead) in RAISED {
        anyhow::ensure!(text.contains(said), "the demo bank no longer says {said:?}");
        text = text.replace(said, instead);
    }
    let good = (0..LOOKERS).map(|n| (format!("looker-{n}"), stolen_seed(n.wrapping_add(1 << 24))));
    let bad = (0..STOLEN).map(|n| (format!("stolen-{n}"), stolen_seed(n)));
    for (n, (id, seed)) in (90_000_000_u32..).zip(good.chain(bad)) {
        let seed = counterfoil_data::wire::hex(&seed);
        // A kiosk has a slot; nobody buys from it.
        write!(
            text,
            "\n[[kiosks]]\nid = \"{id}\"\nkey_seed = \"{seed}\"\nmodes = [\"settlement-card\"]\n\
             [[kiosks.slots]]\nslot = \"slot-1\"\nkind = \"transfer-cheque\"\n\
             first = \"31300021{n}\"\nlast = \"31300021{n}\"\n"
        )?;
    }
    Ok(text)
}

/// A running backend.
pub struct Backend {
    process: Process,
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where its pages are.
    pub admin: SocketAddr,
    /// Its process id.
    pub pid: u32,
}

impl Backend {
    /// Starts one over new books; `limits` are lines of its `[limits]`.
    pub async fn start(exe: &Path, folder: &Path, limits: &str) -> anyhow::Result<Self> {
        let file = |name: &str| folder.join(name);
        std::fs::write(file("bank.toml"), bank()?)?;
        std::fs::write(file("key"), "5a".repeat(32))?;
        #[cfg(unix)]
        std::fs::set_permissions(
            file("key"),
            std::os::unix::fs::PermissionsExt::from_mode(0o600),
        )?;
        let config = format!(
            "listen = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\ndatabase = {:?}\n\
             plain_http = true\nkey_file = {:?}\norigin = \"attack.example/counterfoil\"\nbank_file = {:?}\n\
             [limits]\n{limits}\n",
            file("books.redb"),
            file("key"),
            file("bank.toml"),
        );
        std::fs::write(file("config.toml"), config)?;
        let config = file("config.toml");
        let args = [
            "backend",
            "--config",
            config.to_str().context("an odd folder")?,
        ];
        let mut process = Process::start(exe, &args, log(folder, "backend")?)?;
        let line = process.line().await.context("the backend ended at once")?;
        let told: Value = serde_json::from_str(&line)?;
        let address = |name: &str| -> anyhow::Result<SocketAddr> {
            Ok(told
                .get(name)
                .and_then(Value::as_str)
                .context("no address")?
                .parse()?)
        };
        Ok(Self {
            listen: address("listen")?,
            admin: address("admin")?,
            pid: process.id().context("the backend ended at once")?,
            process,
        })
    }

    /// A figure of its metrics page.
    pub async fn metric(&self, name: &str) -> anyhow::Result<u64> {
        let mut stream = tokio::net::TcpStream::connect(self.admin).await?;
        let ask = b"GET /metrics HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
        stream.write_all(ask).await?;
        let mut page = String::new();
        stream.read_to_string(&mut page).await?;
        let line = page
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.context("no such figure")?.parse().context("no number")
    }

    /// Threads that hash, by the name of their pool.
    pub fn hashers(&self) -> anyhow::Result<usize> {
        let threads = measure::threads(self.pid)?;
        Ok(threads
            .iter()
            .filter(|(name, _)| name.starts_with("pin-"))
            .count())
    }

    /// Kills it.
    pub async fn end(self) -> anyhow::Result<()> {
        self.process.kill().await
    }
}

/// A process that attacks while it is told to.
pub struct Attacker(Process);

impl Attacker {
    /// Starts one; it waits for its first line.
    pub fn start(exe: &Path, folder: &Path, kind: &str, to: SocketAddr) -> anyhow::Result<Self> {
        let to = to.to_string();
        let args = ["attack", kind, &to];
        Ok(Self(Process::start(exe, &args, log(folder, "attacker")?)?))
    }

    /// Has it go on, or pause.
    pub async fn set(&mut self, on: bool) {
        self.0.send(if on { b"on\n" } else { b"off\n" }).await;
    }

    /// Ends it; what it says it did.
    pub async fn end(mut self, clock: &SharedClock) -> anyhow::Result<String> {
        self.0.send(b"end\n").await;
        let said = tokio::select! {
            line = self.0.line() => line,
            () = clock.sleep(Duration::from_secs(10)) => None,
        };
        self.0.kill().await?;
        Ok(said.unwrap_or_else(|| "said nothing".into()))
    }
}
