//! One connection by hand: signed requests out, answers in; nothing else is paid for.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context as _;
use counterfoil_data::seam::{SharedClock, SharedEntropy, random};
use counterfoil_data::sign::{
    self, CONTENT_DIGEST_HEADER, RequestParts, SIGNATURE_HEADER, SIGNATURE_INPUT_HEADER,
    SigningIdentity,
};
use counterfoil_data::wire::{self, Digest};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

/// Longest answer that is read, in bytes.
const ANSWER_MAX: usize = 1024 * 1024;

/// An answer.
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Seconds of `Retry-After`, where there are.
    pub retry_after: Option<u64>,
    /// Its body.
    pub body: Value,
    /// From the first byte sent to the last byte heard.
    pub took: Duration,
}

/// Somebody with a key, on a connection of their own.
pub struct Party {
    /// Who signs.
    pub identity: SigningIdentity,
    /// Time.
    pub clock: SharedClock,
    /// Nonces and seals.
    pub entropy: SharedEntropy,
    address: SocketAddr,
    from: Ipv4Addr,
    stream: Option<TcpStream>,
    sequence: u64,
    keys: u64,
}

/// Where a body comes from and goes to.
pub struct Ask<'a> {
    /// `GET` or `POST`.
    pub method: &'a str,
    /// The path.
    pub path: &'a str,
    /// The body; empty for none.
    pub body: &'a [u8],
    /// `application/json` or another.
    pub media_type: &'a str,
}

impl Party {
    /// `key_id` with a key of this seed; connects when it first asks.
    pub fn new(
        key_id: &str,
        seed: &[u8; 32],
        address: SocketAddr,
        clock: &SharedClock,
        entropy: &SharedEntropy,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            identity: SigningIdentity::new(&key_id.parse().context("a key id")?, seed),
            clock: clock.clone(),
            entropy: entropy.clone(),
            address,
            from: Ipv4Addr::LOCALHOST,
            stream: None,
            sequence: 0,
            keys: 0,
        })
    }

    /// The same from another address of this machine.
    pub fn from(mut self, from: Ipv4Addr) -> Self {
        self.from = from;
        self
    }

    /// Numbers its requests from above this one.
    pub fn begin_above(&mut self, sequence: u64) {
        self.sequence = sequence;
    }

    /// A whole request, signed, as bytes.
    pub fn bytes(&mut self, method: &str, path: &str, body: &[u8]) -> Vec<u8> {
        let media_type = "application/json";
        self.signed(&Ask {
            method,
            path,
            body,
            media_type,
        })
    }

    /// Asks with a JSON body, or none.
    pub async fn ask(&mut self, method: &str, path: &str, body: Value) -> anyhow::Result<Answer> {
        let body = match body {
            Value::Null => Vec::new(),
            body => serde_json::to_vec(&body)?,
        };
        let media_type = "application/json";
        self.send(&Ask {
            method,
            path,
            body: &body,
            media_type,
        })
        .await
    }

    /// Signs, sends and hears; connects anew where the connection was closed in between.
    pub async fn send(&mut self, ask: &Ask<'_>) -> anyhow::Result<Answer> {
        let request = self.signed(ask);
        let began = self.clock.monotonic();
        let answered = match self.stream.take() {
            Some(stream) => self.exchange(stream, &request).await.ok(),
            None => None,
        };
        let (head, body) = match answered {
            Some(answered) => answered,
            None => {
                let stream = connect(self.from, self.address).await?;
                // Nobody answered: under a new number it cannot be a replay.
                let request = self.signed(ask);
                self.exchange(stream, &request).await?
            }
        };
        let took = self.clock.monotonic().saturating_sub(began);
        let status = head
            .get(9..12)
            .and_then(|s| s.parse().ok())
            .context("no status")?;
        Ok(Answer {
            status,
            retry_after: header(&head, "retry-after").and_then(|s| s.parse().ok()),
            body: serde_json::from_slice(&body).unwrap_or(Value::Null),
            took,
        })
    }

    fn signed(&mut self, ask: &Ask<'_>) -> Vec<u8> {
        self.sequence = self.sequence.saturating_add(1);
        self.keys = self.keys.saturating_add(1);
        let key = format!("{}-{}", self.keys, wire::hex(&random::<8>(&*self.entropy)));
        let keyed = ["link", "cancel", "close", "abandon"];
        let key = keyed
            .iter()
            .any(|verb| ask.path.ends_with(verb))
            .then_some(key);
        let parts = RequestParts {
            method: ask.method,
            path_and_query: ask.path,
            body_digest: Digest::of(ask.body),
            sequence: self.sequence,
            idempotency_key: key.as_deref(),
            session: None,
        };
        let nonce = random(&*self.entropy);
        let signed = sign::sign(&parts, &self.identity, self.clock.now(), nonce);
        let mut head = format!("{} {} HTTP/1.1\r\nhost: backend\r\n", ask.method, ask.path);
        let mut line = |name: &str, value: &str| head.push_str(&format!("{name}: {value}\r\n"));
        line(wire::VERSION_HEADER, "1");
        line(wire::SEQUENCE_HEADER, &self.sequence.to_string());
        line(CONTENT_DIGEST_HEADER, &signed.content_digest);
        line(SIGNATURE_INPUT_HEADER, &signed.signature_input);
        line(SIGNATURE_HEADER, &signed.signature);
        if let Some(key) = &key {
            line(wire::IDEMPOTENCY_HEADER, key);
        }
        if !ask.body.is_empty() {
            line("content-type", ask.media_type);
            line("content-length", &ask.body.len().to_string());
        }
        head.push_str("\r\n");
        [head.as_bytes(), ask.body].concat()
    }

    async fn exchange(
        &mut self,
        mut stream: TcpStream,
        request: &[u8],
    ) -> anyhow::Result<(String, Vec<u8>)> {
        stream.write_all(request).await?;
        let mut heard = Vec::with_capacity(4096);
        let end = loop {
            anyhow::ensure!(stream.read_buf(&mut heard).await? > 0, "closed");
            anyhow::ensure!(heard.len() < ANSWER_MAX, "too long");
            if let Some(at) = heard.windows(4).position(|four| four == b"\r\n\r\n") {
                break at;
            }
        };
        let mut body = heard.split_off(end.saturating_add(4));
        let head = String::from_utf8(heard)?.to_ascii_lowercase();
        let length = header(&head, "content-length")
            .unwrap_or("0")
            .parse::<usize>()?;
        while body.len() < length.min(ANSWER_MAX) {
            anyhow::ensure!(stream.read_buf(&mut body).await? > 0, "closed");
        }
        if header(&head, "connection") != Some("close") {
            self.stream = Some(stream);
        }
        Ok((head, body))
    }
}

/// A connection from one address of this machine.
pub async fn connect(from: Ipv4Addr, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((from, 0)))?;
    let stream = socket.connect(to).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim()))
}
