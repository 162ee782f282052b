//! The real service as a process, and a process of clients that ask it: what is sent was
//! signed before the clock starts, so that signing is not what is measured.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use counterfoil_data::sign::{self, RequestParts};
use counterfoil_data::wire::{self, Digest};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::bank;
use super::queue::{Slice, clients_give};
use super::sales::{kiosk_of, sale_id};

/// Longest answer that is read.
const ANSWER_MAX: usize = 1024 * 1024;

/// A service on these books.
pub struct Service {
    child: Child,
    pub api: SocketAddr,
    pub admin: SocketAddr,
}

impl Service {
    /// Starts one that logs to a file, as it does in a bank.
    pub fn start(db: &Path, log: &Path) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["backend-serve", "--demo", "--listen", "127.0.0.1:0"])
            .args(["--admin-listen", "127.0.0.1:0", "--db"])
            .arg(db)
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(log)?)
            .spawn()?;
        let stdout = child.stdout.take().context("stdout")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let told: Value = serde_json::from_str(&line).context("the service did not start")?;
        let address = |name: &str| -> anyhow::Result<SocketAddr> {
            let text = told.get(name).and_then(Value::as_str).context("an address")?;
            Ok(text.parse()?)
        };
        Ok(Self {
            api: address("listen")?,
            admin: address("admin")?,
            child,
        })
    }

    /// Most memory it ever held, in MiB, and the processor time it used.
    pub fn cost(&self) -> anyhow::Result<(f64, Duration)> {
        let of = format!("/proc/{}", self.child.id());
        let status = std::fs::read_to_string(format!("{of}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib: f64 = line
            .and_then(|line| line.split_whitespace().next())
            .context("VmHWM")?
            .parse()?;
        let stat = std::fs::read_to_string(format!("{of}/stat"))?;
        let after = stat.rsplit_once(") ").context("stat")?.1;
        let ticks: u64 = after
            .split(' ')
            .skip(11)
            .take(2)
            .filter_map(|word| word.parse::<u64>().ok())
            .sum();
        Ok((kib / 1024.0, Duration::from_millis(ticks * 10)))
    }

    /// Ends it as its service manager would.
    pub fn stop(mut self) -> anyhow::Result<()> {
        let pid = i32::try_from(self.child.id())?;
        let pid = rustix::process::Pid::from_raw(pid).context("a pid")?;
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        ensure!(self.child.wait()?.success(), "the service failed: see its log");
        Ok(())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks with a process of its own; `what` is `link FIRST COUNT` or `page PATH COUNT`.
pub fn load(address: SocketAddr, clients: usize, what: &[&str]) -> anyhow::Result<Load> {
    let output = Command::new(std::env::current_exe()?)
        .args(["backend-load", &address.to_string(), &clients.to_string()])
        .args(what)
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(output.status.success(), "the clients failed");
    let told: Value = serde_json::from_slice(&output.stdout)?;
    let nanos = |value: &Value| Duration::from_nanos(value.as_u64().unwrap_or(0));
    let waits = told.get("waits").and_then(Value::as_array).context("waits")?;
    let waits: Vec<Duration> = waits.iter().map(nanos).collect();
    Ok(Load {
        slice: Slice {
            jobs: waits.len(),
            took: nanos(told.get("took").context("took")?),
            waits,
            commits: Vec::new(),
        },
        processor: nanos(told.get("processor").context("processor")?),
    })
}

/// What the clients saw, and what they cost.
pub struct Load {
    pub slice: Slice,
    /// Processor time of the clients between first request and last answer.
    pub processor: Duration,
}

/// `backend-load`: the clients.
pub fn clients(words: &[&str]) -> anyhow::Result<bool> {
    let [address, clients, rest @ ..] = words else {
        anyhow::bail!("ADDRESS CLIENTS WHAT");
    };
    let address: SocketAddr = address.parse()?;
    let requests = match rest {
        ["link", first, count] => links(address, first.parse()?, count.parse()?)?,
        ["page", path, count] => {
            let page = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n\r\n");
            vec![page.into_bytes(); count.parse()?]
        }
        _ => anyhow::bail!("link FIRST COUNT, or page PATH COUNT"),
    };
    let clients: usize = clients.parse()?;
    let spent = || {
        let spent = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        Duration::new(spent.tv_sec.unsigned_abs(), u32::try_from(spent.tv_nsec).unwrap_or(0))
    };
    let pool = std::cell::RefCell::new(Vec::new());
    let before = std::cell::Cell::new(None);
    let slice = clients_give(clients, requests, |request| async {
        before.set(before.get().or_else(|| Some(spent())));
        let held = pool.borrow_mut().pop();
        let mut stream = match held {
            Some(stream) => stream,
            None => {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                stream
            }
        };
        let request: Vec<u8> = request;
        stream.write_all(&request).await?;
        let status = answered(&mut stream).await?;
        ensure!(status == 200, "answered {status}");
        pool.borrow_mut().push(stream);
        Ok(())
    })?;
    let processor = spent().saturating_sub(before.get().unwrap_or_default());
    let nanos = |took: Duration| u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
    let waits: Vec<u64> = slice.waits.iter().map(|wait| nanos(*wait)).collect();
    let told = json!({"took": nanos(slice.took), "processor": nanos(processor), "waits": waits});
    println!("{told}");
    Ok(true)
}

/// Reads one whole answer; its status.
async fn answered(stream: &mut TcpStream) -> anyhow::Result<u16> {
    let mut bytes: Vec<u8> = Vec::with_capacity(8 * 1024);
    loop {
        ensure!(stream.read_buf(&mut bytes).await? > 0, "the service hung up");
        ensure!(bytes.len() <= ANSWER_MAX, "a long answer");
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let head = std::str::from_utf8(&bytes[..end])?;
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let is = name.eq_ignore_ascii_case("content-length");
            is.then(|| value.trim().parse::<usize>().ok()).flatten()
        });
        let whole = end + 4 + length.context("an answer without a length")?;
        if bytes.len() < whole {
            continue;
        }
        let status = head.split(' ').nth(1).context("a status")?;
        return Ok(status.parse()?);
    }
}

/// A signed `link` for each of these sales.
fn links(address: SocketAddr, first: u64, count: u64) -> anyhow::Result<Vec<Vec<u8>>> {
    let link = |number: u64| {
        let sale = sale_id(number);
        let path = format!("/v1/sales/{sale}/link");
        let identity = bank::identity(kiosk_of(number))?;
        let key = format!("link-{sale}");
        let parts = RequestParts {
            method: "POST",
            path_and_query: &path,
            body_digest: Digest::of(b""),
            sequence: number + 1,
            idempotency_key: Some(&key),
            session: None,
            session: None,
        };
        let nonce = bank::drawn("nonce", number);
        let nonce = *nonce.first_chunk().context("a nonce")?;
        let signed = sign::sign(&parts, &identity, Timestamp::now(), nonce);
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-length: 0\r\n\
             content-type: application/json\r\n{}: {}\r\n{}: {}\r\n{}: {key}\r\n\
             {}: {}\r\n{}: {}\r\n{}: {}\r\n\r\n",
            wire::VERSION_HEADER,
            wire::VERSION,
            wire::SEQUENCE_HEADER,
            number + 1,
            wire::IDEMPOTENCY_HEADER,
            sign::CONTENT_DIGEST_HEADER,
            signed.content_digest,
            sign::SIGNATURE_INPUT_HEADER,
            signed.signature_input,
            sign::SIGNATURE_HEADER,
            signed.signature,
        );
        Ok(head.into_bytes())
    };
    (first..first + count).map(link).collect()
}

/// `backend-serve`: the product itself.
pub fn serve(words: &[String]) -> ExitCode {
    let all = std::iter::once("counterfoil-backend".to_owned()).chain(words.iter().cloned());
    counterfoil_backend::app::main(all.map(std::ffi::OsString::from))
}

/// `backend-hello`: a bare hyper that answers five bytes to everything.
pub fn hello() -> anyhow::Result<bool> {
    use hyper::service::service_fn;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            tokio::task::spawn_local(async move {
                let page = service_fn(|_| async {
                    let body = http_body_util::Full::new(bytes::Bytes::from_static(b"live\n"));
                    Ok::<_, std::convert::Infallible>(hyper::Response::new(body))
                });
                let io = hyper_util::rt::TokioIo::new(stream);
                let served = hyper::server::conn::http1::Builder::new();
                drop(served.serve_connection(io, page).await);
            });
        }
    })
}

/// A running [`hello`].
pub struct Hello {
    child: Child,
    pub address: SocketAddr,
}

impl Hello {
    pub fn start() -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("backend-hello")
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().context("stdout")?;
        let mut line = String::new();
        BufReader::new(stdout.take(64)).read_line(&mut line)?;
        let address = line.trim().parse()?;
        Ok(Self { child, address })
    }
}

impl Drop for Hello {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
