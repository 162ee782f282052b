//! The program as a process, and what tests ask it.

#![allow(dead_code, reason = "each program of tests uses some of it")]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use bytes::Bytes;
use counterfoil_data::demo;
use counterfoil_data::sign::{self, RequestParts, SigningIdentity};
use counterfoil_data::wire::{self, Digest};
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_counterfoil-backend");

/// A folder that is removed when the test ends.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("counterfoil-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A running backend; killed if a test fails.
pub struct Running {
    pub child: Child,
    pub listen: String,
    pub admin: String,
}

impl Running {
    pub fn start(db: &Path) -> Self {
        Self::start_with(db, &[])
    }

    /// With more said on the command line.
    pub fn start_with(db: &Path, more: &[&str]) -> Self {
        let mut child = Command::new(PROGRAM)
            .args(["--demo", "--listen", "127.0.0.1:0"])
            .args(["--admin-listen", "127.0.0.1:0", "--db"])
            .arg(db)
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("stdout");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let told: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        let address = |name: &str| {
            told.get(name)
                .and_then(|a| a.as_str())
                .expect("an address")
                .to_owned()
        };
        Self {
            child,
            listen: address("listen"),
            admin: address("admin"),
        }
    }

    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.expect("kill runs").success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn offline(args: &[&str], path: &Path) -> Output {
    let mut command = Command::new(PROGRAM);
    command.args(args).arg(path).stderr(Stdio::null());
    command.output().expect("runs")
}

/// One signed request on a connection of its own.
pub fn ask(listen: &str, method: &str, path: &str, body: &[u8], sequence: u64) -> (u16, Bytes) {
    ask_as("kiosk-1", listen, method, path, body, sequence)
}

/// The same, signed by a kiosk of the demo bank.
pub fn ask_as(
    kiosk: &str,
    listen: &str,
    method: &str,
    path: &str,
    body: &[u8],
    sequence: u64,
) -> (u16, Bytes) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("runtime");
    let bank = demo::bank().expect("the demo bank");
    let seed = bank.kiosk(kiosk).expect("a kiosk").key_seed.0;
    let identity =
        SigningIdentity::new(&format!("kiosk:{kiosk}").parse().expect("a signer"), &seed);
    let parts = RequestParts {
        method,
        path_and_query: path,
        body_digest: Digest::of(body),
        sequence,
        idempotency_key: None,
        session: None,
    };
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce).expect("randomness");
    let signed = sign::sign(&parts, &identity, jiff::Timestamp::now(), nonce);
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", listen)
        .header("content-type", "application/json")
        .header(wire::VERSION_HEADER, wire::VERSION)
        .header(wire::SEQUENCE_HEADER, sequence)
        .header(sign::CONTENT_DIGEST_HEADER, signed.content_digest)
        .header(sign::SIGNATURE_INPUT_HEADER, signed.signature_input)
        .header(sign::SIGNATURE_HEADER, signed.signature)
        .body(Full::new(Bytes::copy_from_slice(body)))
        .expect("a request");
    runtime.block_on(async {
        let stream = TcpStream::connect(listen).await.expect("connects");
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .expect("speaks");
        tokio::spawn(connection);
        let (head, body) = sender
            .send_request(request)
            .await
            .expect("an answer")
            .into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        (head.status.as_u16(), body)
    })
}

/// What a command said and how it ended; both streams in one text.
pub fn told(args: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(PROGRAM);
    let output = command.args(args).output().expect("runs");
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}
