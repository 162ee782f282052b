//! The other process: attacks while its standard input says `on`.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::os::fd::AsFd as _;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Context as _;
use counterfoil_data::sealed::SealKey;
use counterfoil_data::seam::{SharedClock, SharedEntropy, random};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::net::unix::pipe::Receiver;

use super::house::{ATTACKER, STOLEN, stolen_seed};
use super::sale::{binding, card, open, seal_key};
use super::wire::{Party, connect};

/// Wrong PINs a second of the flood.
pub const FLOOD_PER_S: u32 = 1_000;
/// Sockets of a slow attack.
pub const SLOW_SOCKETS: u32 = 500;
/// Silent connections.
pub const IDLE_SOCKETS: u32 = 10_000;
/// Sockets that send or ask as fast as they can.
const FAST_SOCKETS: u32 = 16;
/// Between two looks at whether it is on.
const LOOK: Duration = Duration::from_millis(50);
/// Bytes that are sent at once where bytes are sent without end.
const CHUNK: usize = 64 * 1024;
/// How much is sent without end before it begins anew.
const ENDLESS: usize = 100 * 1024 * 1024;

/// What all tasks of an attack share.
#[derive(Clone)]
pub struct Force {
    on: Rc<Cell<bool>>,
    to: SocketAddr,
    clock: SharedClock,
    entropy: SharedEntropy,
    counts: Rc<RefCell<BTreeMap<String, u64>>>,
}

impl Force {
    /// An attack on this address that is not on yet.
    pub fn new(to: SocketAddr, clock: SharedClock, entropy: SharedEntropy) -> Self {
        Self {
            on: Rc::default(),
            to,
            clock,
            entropy,
            counts: Rc::default(),
        }
    }

    fn count(&self, what: &str) {
        let mut counts = self.counts.borrow_mut();
        let count = counts.entry(what.to_owned()).or_default();
        *count = count.saturating_add(1);
    }

    async fn until_on(&self) {
        while !self.on.get() {
            self.clock.sleep(LOOK).await;
        }
    }

    fn stolen(&self, number: u32) -> anyhow::Result<Party> {
        let id = format!("kiosk:stolen-{number}");
        let seed = stolen_seed(number);
        let mut party = Party::new(&id, &seed, self.to, &self.clock, &self.entropy)?;
        // Above whatever an earlier connection of this kiosk sent.
        party.begin_above(u64::try_from(self.clock.now().as_microsecond())?);
        Ok(party.from(ATTACKER))
    }

    /// Attacks as it is told, until it is told to end; then says what was counted.
    pub async fn run(self, kind: &str) -> anyhow::Result<()> {
        self.spread(kind)?;
        let stdin = std::io::stdin().as_fd().try_clone_to_owned()?;
        let mut lines = BufReader::new(Receiver::from_owned_fd(stdin)?).lines();
        while let Some(line) = lines.next_line().await? {
            match line.as_str() {
                "on" => self.on.set(true),
                "off" => self.on.set(false),
                _ => break,
            }
        }
        crate::cli::say(&json!(*self.counts.borrow()).to_string());
        Ok(())
    }

    fn spread(&self, kind: &str) -> anyhow::Result<()> {
        let many = match kind {
            "flood" => STOLEN,
            "heads" | "bodies" => SLOW_SOCKETS,
            "idle" => IDLE_SOCKETS,
            "streams" => STOLEN,
            "large" | "chunked" | "long-heads" | "pipeline" => FAST_SOCKETS,
            other => anyhow::bail!("nobody knows the attack {other}"),
        };
        for number in 0..many {
            let (force, kind) = (self.clone(), kind.to_owned());
            tokio::task::spawn_local(async move {
                loop {
                    force.until_on().await;
                    let ended = force.once(&kind, number).await;
                    force.count(if ended.is_ok() { "ended" } else { "cut" });
                    force.clock.sleep(LOOK).await;
                }
            });
        }
        Ok(())
    }

    async fn once(&self, kind: &str, number: u32) -> anyhow::Result<()> {
        match kind {
            "flood" => self.guess(number).await,
            "heads" => {
                self.trickle(b"GET /v1/kiosk HTTP/1.1\r\nhost: b\r\nx: ")
                    .await
            }
            "bodies" => self.trickle(&self.head_of_a_body(number, None)?).await,
            "idle" => self.silent().await,
            "streams" => self.stream(number).await,
            "large" => {
                self.endless(&self.head_of_a_body(number, Some(ENDLESS))?, b' ')
                    .await
            }
            "chunked" => {
                let head =
                    b"POST /v1/sales HTTP/1.1\r\nhost: b\r\ntransfer-encoding: chunked\r\n\r\n";
                self.endless(head, b'f').await
            }
            "long-heads" => {
                self.endless(b"GET / HTTP/1.1\r\nhost: b\r\nx: ", b'x')
                    .await
            }
            _ => self.pipeline().await,
        }
    }

    /// Guesses PINs of cards that nobody has, as fast as its share of the flood.
    async fn guess(&self, number: u32) -> anyhow::Result<()> {
        let mut kiosk = self.stolen(number)?;
        let key = seal_key(&mut kiosk).await?;
        let all = Duration::from_secs(STOLEN.into());
        let pause = all.checked_div(FLOOD_PER_S).context("no flood")?;
        // Not all at the same moment.
        let [first] = random::<1>(&*self.entropy);
        self.clock
            .sleep(pause.mul_f64(f64::from(first) / 256.0))
            .await;
        while self.on.get() {
            let opened = open(&mut kiosk).await?;
            self.count(&format!("open {}", opened.status));
            let mut view = opened.body;
            if opened.status == 409 {
                let known = kiosk.ask("GET", "/v1/kiosk", Value::Null).await?.body;
                view = known.get("open_sale").cloned().unwrap_or_default();
            }
            self.guess_in(&mut kiosk, &key, view, pause).await?;
        }
        Ok(())
    }

    async fn guess_in(
        &self,
        kiosk: &mut Party,
        key: &SealKey,
        view: Value,
        pause: Duration,
    ) -> anyhow::Result<()> {
        let mut view = view;
        while self.on.get() {
            let bound = binding(&view)?;
            let pan = u64::from_be_bytes(random(&*self.entropy)) % 10_000_000_000_000_000;
            let info = card(
                &format!("621{pan:016}"),
                "000000",
                key,
                bound,
                &self.entropy,
            )?;
            let path = format!("/v1/sales/{}/info", bound.sale);
            let status = loop {
                let began = self.clock.monotonic();
                let answer = kiosk.ask("POST", &path, info.clone()).await?;
                self.count(&format!("info {}", answer.status));
                let took = self.clock.monotonic().saturating_sub(began);
                self.clock.sleep(pause.saturating_sub(took)).await;
                if answer.status != 503 || !self.on.get() {
                    break answer.status;
                }
            };
            if status != 422 {
                return Ok(());
            }
            let path = format!("/v1/sales/{}", bound.sale);
            view = kiosk.ask("GET", &path, Value::Null).await?.body;
        }
        Ok(())
    }

    /// A beginning, then a byte a second for ever.
    async fn trickle(&self, beginning: &[u8]) -> anyhow::Result<()> {
        let mut stream = connect(ATTACKER, self.to).await?;
        stream.write_all(beginning).await?;
        loop {
            self.clock.sleep(Duration::from_secs(1)).await;
            stream.write_all(b"x").await?;
            self.is_open(&stream)?;
        }
    }

    /// Opens a connection and says nothing.
    async fn silent(&self) -> anyhow::Result<()> {
        let stream = connect(ATTACKER, self.to).await?;
        stream.readable().await?;
        self.is_open(&stream)
    }

    fn is_open(&self, stream: &TcpStream) -> anyhow::Result<()> {
        let mut byte = [0];
        match stream.try_read(&mut byte) {
            Ok(0) => anyhow::bail!("closed"),
            Ok(_) => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// A signed head that promises a body; without a length, one that may be sent.
    fn head_of_a_body(&self, number: u32, length: Option<usize>) -> anyhow::Result<Vec<u8>> {
        let mut kiosk = self.stolen(number.checked_rem(STOLEN).context("no kiosks")?)?;
        let whole = kiosk.bytes("POST", "/v1/sales", &[b' '; 9_999]);
        let text = String::from_utf8_lossy(&whole);
        let (head, _) = text.split_once("\r\n\r\n").context("no head")?;
        let length = length.unwrap_or(9_999);
        let head = head.replace("content-length: 9999", &format!("content-length: {length}"));
        Ok(format!("{head}\r\n\r\n").into_bytes())
    }

    /// A beginning, then as many bytes as are taken.
    async fn endless(&self, beginning: &[u8], byte: u8) -> anyhow::Result<()> {
        let mut stream = connect(ATTACKER, self.to).await?;
        stream.write_all(beginning).await?;
        let (chunk, mut sent) = (vec![byte; CHUNK], 0_usize);
        while self.on.get() && sent < ENDLESS {
            stream.write_all(&chunk).await?;
            sent = sent.saturating_add(CHUNK);
            self.count("chunks of 64 KiB");
        }
        Ok(())
    }

    /// Event streams that nobody reads.
    async fn stream(&self, number: u32) -> anyhow::Result<()> {
        let mut kiosk = self.stolen(number)?;
        let ask = kiosk.bytes("GET", "/v1/events", b"");
        let mut stream = connect(ATTACKER, self.to).await?;
        stream.write_all(&ask).await?;
        loop {
            self.clock.sleep(Duration::from_secs(1)).await;
            stream.peek(&mut [0]).await?;
        }
    }

    /// Requests without end, whose answers nobody reads.
    async fn pipeline(&self) -> anyhow::Result<()> {
        let mut stream = connect(ATTACKER, self.to).await?;
        let asks = b"GET /openapi.json HTTP/1.1\r\nhost: b\r\n\r\n".repeat(100);
        loop {
            stream.write_all(&asks).await?;
            self.count("hundreds of requests");
        }
    }
}
