//! How the program begins and ends under a service manager: told when it is ready, what
//! is in flight is finished, the books are closed, and only then it is gone.

#![cfg(target_os = "linux")]
#![expect(clippy::expect_used, reason = "a failed step is a failed test")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const PROGRAM: &str = env!("CARGO_BIN_EXE_counterfoil-backend");
/// Longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_secs(60);

/// A backend whose service manager is this test.
struct Managed {
    folder: PathBuf,
    child: Child,
    told: UnixDatagram,
    listen: String,
    admin: String,
}

impl Managed {
    fn start(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("counterfoil-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let socket = folder.join("notify");
        let told = UnixDatagram::bind(&socket).expect("a socket");
        told.set_read_timeout(Some(LONG)).expect("a timeout");
        let mut child = Command::new(PROGRAM)
            .args(["--demo", "--listen", "127.0.0.1:0"])
            .args(["--admin-listen", "127.0.0.1:0", "--db"])
            .arg(folder.join("books.redb"))
            .env("NOTIFY_SOCKET", &socket)
            .env("WATCHDOG_USEC", "200000")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("stdout");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let addresses: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        let address = |name: &str| {
            let told = addresses.get(name).and_then(|told| told.as_str());
            told.expect("an address").to_owned()
        };
        Self {
            folder,
            told,
            listen: address("listen"),
            admin: address("admin"),
            child,
        }
    }

    /// What the service manager is told next.
    fn hears(&self) -> String {
        let mut bytes = [0; 256];
        let heard = self.told.recv(&mut bytes).expect("is told in time");
        let told = bytes.get(..heard).expect("within");
        String::from_utf8_lossy(told).trim().to_owned()
    }

    fn stop(&self) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", "TERM", &pid]).status();
        assert!(sent.expect("kill runs").success());
    }
}

impl Drop for Managed {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn connected(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).expect("connects");
    stream.set_read_timeout(Some(LONG)).expect("a timeout");
    stream
}

/// Everything that comes until the other side ends.
fn rest(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("an end");
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn the_service_manager_is_told_of_readiness_of_life_and_of_the_end_in_that_order() {
    let mut backend = Managed::start("managed");
    assert_eq!(backend.hears(), "READY=1");
    for _ in 0..3 {
        assert_eq!(backend.hears(), "WATCHDOG=1");
    }
    backend.stop();
    let mut last = backend.hears();
    while last == "WATCHDOG=1" {
        last = backend.hears();
    }
    assert_eq!(last, "STOPPING=1");
    assert_eq!(backend.child.wait().expect("ends").code(), Some(0));
}

#[test]
fn a_request_under_way_is_answered_after_the_signal_and_nobody_new_is_let_in() {
    let mut backend = Managed::start("stopping");
    let mut slow = connected(&backend.listen);
    // The head is not complete yet: it is in flight when the signal comes.
    let head = format!("GET /openapi.json HTTP/1.1\r\nhost: {}\r\n", backend.listen);
    slow.write_all(head.as_bytes()).expect("writes");
    let mut watcher = connected(&backend.admin);
    let ready = format!("GET /readyz HTTP/1.1\r\nhost: {}\r\n\r\n", backend.admin);
    watcher.write_all(ready.as_bytes()).expect("writes");
    let mut line = String::new();
    let mut watcher = BufReader::new(watcher);
    watcher.read_line(&mut line).expect("a line");
    assert!(line.starts_with("HTTP/1.1 200"), "{line}");
    backend.stop();
    while backend.hears() != "STOPPING=1" {}
    // Told and closed are one turn of one thread: a later connection finds nobody.
    let refused = std::iter::repeat_with(|| TcpStream::connect(&backend.listen))
        .take(10_000)
        .any(|tried| tried.is_err());
    assert!(refused, "still listening");
    slow.write_all(b"\r\n").expect("writes");
    let answer = rest(slow);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer:.80}");
    assert!(answer.contains("\"openapi\":\"3.1"), "{answer:.80}");
    drop(watcher);
    assert_eq!(backend.child.wait().expect("ends").code(), Some(0));
    let audit = Command::new(PROGRAM)
        .args(["audit", "--db"])
        .arg(backend.folder.join("books.redb"))
        .stderr(Stdio::null())
        .output();
    assert_eq!(audit.expect("runs").status.code(), Some(0));
}
