//! A client on a socket: signs a request, sends it, and hears the whole answer or nothing.

use std::net::SocketAddr;

use anyhow::{Context as _, ensure};
use counterfoil_data::seam::{SharedEntropy, random};
use counterfoil_data::sign::{self, RequestParts, SigningIdentity};
use counterfoil_data::wire::{self, Digest};
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Longest answer that is read.
const ANSWER_MAX: usize = 1024 * 1024;

/// A request, as it can be asked again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Path and query.
    pub path: String,
    /// JSON, or nothing.
    pub body: Vec<u8>,
    /// The idempotency key.
    pub key: Option<String>,
}

impl Ask {
    /// A question.
    pub fn get(path: String) -> Self {
        Self {
            method: "GET",
            path,
            body: Vec::new(),
            key: None,
        }
    }

    /// An act with a body.
    pub fn post<T: Serialize>(path: String, body: &T) -> anyhow::Result<Self> {
        Ok(Self {
            method: "POST",
            path,
            body: serde_json::to_vec(body)?,
            key: None,
        })
    }

    /// The same under a key.
    pub fn keyed(self, key: String) -> Self {
        Self {
            key: Some(key),
            ..self
        }
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Heard {
    /// Its status.
    pub status: u16,
    /// Whether it says that it was given before.
    pub replayed: bool,
    /// Its body.
    pub body: Vec<u8>,
}

impl Heard {
    /// The body as what it must be.
    pub fn json<T: DeserializeOwned>(&self) -> anyhow::Result<T> {
        serde_json::from_slice(&self.body).context("an answer is not of its schema")
    }

    /// In words.
    pub fn text(&self) -> String {
        format!("{} {}", self.status, String::from_utf8_lossy(&self.body))
    }
}

/// No answer came: the request may be done, or not.
#[derive(Debug)]
pub struct Silence;

/// A signer and its connection.
pub struct Client {
    identity: SigningIdentity,
    entropy: SharedEntropy,
    sequence: u64,
    address: Option<SocketAddr>,
    stream: Option<TcpStream>,
}

impl Client {
    /// Not connected yet.
    pub fn new(identity: SigningIdentity, entropy: SharedEntropy) -> Self {
        Self {
            identity,
            entropy,
            sequence: 0,
            address: None,
            stream: None,
        }
    }

    /// Where the service is from now on.
    pub fn turn_to(&mut self, address: SocketAddr) {
        self.address = Some(address);
        self.stream = None;
    }

    /// Lets go of its connection.
    pub fn hang_up(&mut self) {
        self.stream = None;
    }

    /// Number of the last request.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Asks once.
    pub async fn ask(&mut self, ask: &Ask) -> Result<Heard, Silence> {
        let heard = self.try_ask(ask).await;
        if heard.is_err() {
            self.stream = None;
        }
        heard.map_err(|_| Silence)
    }

    async fn try_ask(&mut self, ask: &Ask) -> anyhow::Result<Heard> {
        let address = self.address.context("nowhere to ask")?;
        self.sequence = self.sequence.saturating_add(1);
        let head = self.signed(ask, address);
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                stream
            }
        };
        stream
            .write_all(&[head.as_bytes(), ask.body.as_slice()].concat())
            .await?;
        let heard = answered(&mut stream).await?;
        self.stream = Some(stream);
        Ok(heard)
    }

    fn signed(&self, ask: &Ask, address: SocketAddr) -> String {
        let parts = RequestParts {
            method: ask.method,
            path_and_query: &ask.path,
            body_digest: Digest::of(&ask.body),
            sequence: self.sequence,
            idempotency_key: ask.key.as_deref(),
            session: None,
        };
        let nonce = random::<16>(&*self.entropy);
        let signed = sign::sign(&parts, &self.identity, Timestamp::now(), nonce);
        let mut head = format!(
            "{} {} HTTP/1.1\r\nhost: {address}\r\n",
            ask.method, ask.path
        );
        let length = ask.body.len().to_string();
        let (version, sequence) = (wire::VERSION.to_string(), self.sequence.to_string());
        let headers = [
            ("content-length", length.as_str()),
            ("content-type", "application/json"),
            (wire::VERSION_HEADER, version.as_str()),
            (wire::SEQUENCE_HEADER, sequence.as_str()),
            (sign::CONTENT_DIGEST_HEADER, signed.content_digest.as_str()),
            (
                sign::SIGNATURE_INPUT_HEADER,
                signed.signature_input.as_str(),
            ),
            (sign::SIGNATURE_HEADER, signed.signature.as_str()),
        ];
        let key = ask.key.as_deref();
        let key = key.map(|key| (wire::IDEMPOTENCY_HEADER, key));
        for (name, value) in headers.into_iter().chain(key) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        head
    }
}

/// Reads one whole answer.
async fn answered(stream: &mut TcpStream) -> anyhow::Result<Heard> {
    let mut bytes: Vec<u8> = Vec::with_capacity(8 * 1024);
    loop {
        let read = stream.read_buf(&mut bytes).await?;
        ensure!(read > 0, "the service hung up");
        ensure!(bytes.len() <= ANSWER_MAX, "a long answer");
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let (head, rest) = bytes.split_at(end.saturating_add(4));
        let head = std::str::from_utf8(head)?;
        let field = |wanted: &str| {
            head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case(wanted).then(|| value.trim())
            })
        };
        let length = field("content-length").context("an answer without a length")?;
        let Some(body) = rest.get(..length.parse()?) else {
            continue;
        };
        let status = head.split(' ').nth(1).context("a status")?;
        return Ok(Heard {
            status: status.parse()?,
            replayed: field(wire::REPLAYED_HEADER) == Some("true"),
            body: body.to_vec(),
        });
    }
}
