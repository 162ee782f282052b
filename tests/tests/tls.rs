//! The programs behind TLS (S1): a bank's authority, a kiosk's request, real sockets,
//! rotation while requests flow, and revocation.

#![cfg(unix)]
#![expect(
    clippy::expect_used,
    clippy::arithmetic_side_effects,
    reason = "a failed step is a failed test"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::rc::Rc;
use std::time::Duration;

use counterfoil_data::demo;
use counterfoil_data::seam::SharedClock;
use counterfoil_data::sign::SigningIdentity;
use counterfoil_devices::system::{SystemEntropy, TokioClock};
use counterfoil_tui::link::tls::NetDial;
use counterfoil_tui::link::{Ask, Link, LinkError};
use counterfoil_tui::shell::tls::{Tls, dial};

const PROGRAM: &str = env!("CARGO_BIN_EXE_counterfoil");

/// A folder that is removed when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("counterfoil-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("UTF-8").to_owned()
    }

    fn write(&self, name: &str, text: &str, mode: u32) -> String {
        let path = self.file(name);
        std::fs::write(&path, text).expect("writes");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
        std::fs::set_permissions(&path, mode).expect("sets its mode");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn run(args: &[&str]) -> Output {
    Command::new(PROGRAM).args(args).output().expect("runs")
}

fn done(args: &[&str]) {
    let output = run(args);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {said}");
}

/// The bank's authority, and the files of backend, kiosk and station beside it.
struct Bank {
    folder: Folder,
    ca: String,
    renewed: u32,
}

impl Bank {
    fn open() -> Self {
        let folder = Folder::new("tls");
        let ca = folder.file("ca");
        done(&["backend", "ca", "--out", &ca]);
        let again = run(&["backend", "ca", "--out", &ca]);
        assert_eq!(again.status.code(), Some(1), "never over another one");
        let mut bank = Self {
            folder,
            ca,
            renewed: 0,
        };
        let (key, request) = (bank.file("server.key"), bank.file("server.csr"));
        let name = ["--name", "127.0.0.1", "--out", &request];
        done(
            &[
                &["backend", "certificate-request", "--key", &key],
                &name[..],
            ]
            .concat(),
        );
        for who in ["kiosk", "station"] {
            let tls = bank.tls(who);
            let path = |path: &Path| path.to_str().expect("UTF-8").to_owned();
            let (ca, key) = (path(&tls.ca_file), path(&tls.key_file));
            let (certificate, request) = (
                path(&tls.certificate_file),
                bank.file(&format!("{who}.csr")),
            );
            let program = if who == "kiosk" { "kiosk" } else { "teller" };
            done(&[
                program,
                "--demo",
                &format!("{who}-1"),
                "--tls-ca",
                &ca,
                "--tls-key",
                &key,
                "--tls-certificate",
                &certificate,
                "--certificate-request",
                &request,
            ]);
        }
        bank.renew("server", "127.0.0.1");
        bank.renew("kiosk", "kiosk-1");
        bank.renew("station", "station-1");
        bank
    }

    fn file(&self, name: &str) -> String {
        self.folder.file(name)
    }

    fn tls(&self, who: &str) -> Tls {
        Tls {
            ca_file: Path::new(&self.ca).join("ca-certificate.pem"),
            certificate_file: self.file(&format!("{who}.pem")).into(),
            key_file: self.file(&format!("{who}.key")).into(),
            server_name: None,
        }
    }

    /// A new certificate from the same request, put in the place of the old one.
    fn renew(&mut self, who: &str, id: &str) {
        self.renewed += 1;
        let next = self.file(&format!("{who}-{}.pem", self.renewed));
        let request = self.file(&format!("{who}.csr"));
        done(&[
            "backend",
            &format!("enrol-{who}"),
            "--ca",
            &self.ca,
            "--id",
            id,
            "--request",
            &request,
            "--out",
            &next,
        ]);
        std::fs::rename(next, self.file(&format!("{who}.pem"))).expect("takes its place");
    }

    fn backend(&self) -> Backend {
        let bank = concat!(env!("CARGO_MANIFEST_DIR"), "/../data/demo/bank.toml");
        let master = self.folder.write("master", &"5a".repeat(32), 0o600);
        let list = Path::new(&self.ca).join("ca-crl.pem");
        let config = format!(
            "listen = \"127.0.0.1:0\"\ndatabase = {:?}\nkey_file = {master:?}\n\
            origin = \"test.example/counterfoil\"\nbank_file = {bank:?}\n[tls]\n\
            certificate_file = {:?}\nkey_file = {:?}\nclient_ca_file = {:?}\n\
            client_crl_file = {list:?}\n",
            self.file("books.redb"),
            self.file("server.pem"),
            self.file("server.key"),
            Path::new(&self.ca).join("ca-certificate.pem"),
        );
        let config = self.folder.write("backend.toml", &config, 0o644);
        done(&["backend", "--config", &config, "--check"]);
        Backend::start(&config)
    }

    fn link(&self, who: &str, backend: &Backend) -> Link<NetDial> {
        let bank = demo::bank().expect("the demo bank");
        let (signer, seed) = match who {
            "kiosk" => (
                "kiosk:kiosk-1",
                bank.kiosk("kiosk-1").expect("one").key_seed.0,
            ),
            _ => (
                "station:station-1",
                bank.station("station-1").expect("one").key_seed.0,
            ),
        };
        let clock: SharedClock = Rc::new(TokioClock::system());
        let dial = dial(&backend.listen, Some(&self.tls(who)), Rc::clone(&clock));
        let identity = SigningIdentity::new(&signer.parse().expect("a signer"), &seed);
        let entropy = Rc::new(SystemEntropy);
        Link::new(
            dial.expect("a way"),
            clock,
            entropy,
            Rc::new(identity),
            "backend",
        )
    }
}

/// A running backend; killed if a test fails.
struct Backend {
    child: Child,
    listen: String,
    log: BufReader<ChildStderr>,
}

impl Backend {
    fn start(config: &str) -> Self {
        let mut command = Command::new(PROGRAM);
        command.args(["backend", "--config", config]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("stdout");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let told: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        let listen = told
            .get("listen")
            .and_then(|at| at.as_str())
            .expect("an address")
            .to_owned();
        let log = BufReader::new(child.stderr.take().expect("stderr"));
        Self { child, listen, log }
    }

    /// Reads its log up to a line with these words.
    fn until_logged(&mut self, words: &str) {
        let mut line = String::new();
        while !line.contains(words) {
            line.clear();
            let read = self.log.read_line(&mut line).expect("its log");
            assert!(read > 0, "the backend ended before it said: {words}");
        }
    }

    fn hang_up(&mut self, words: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", "HUP", &pid]).status();
        assert!(sent.expect("kill runs").success());
        self.until_logged(words);
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn read(link: &Link<NetDial>, path: &str) -> Result<serde_json::Value, LinkError> {
    link.json(&Ask::read(path)).await
}

#[test]
fn s1_a_kiosk_enrols_rotates_without_a_failed_request_and_is_revoked() {
    let mut bank = Bank::open();
    let mut backend = bank.backend();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let kept = bank.link("kiosk", &backend);
        let station = bank.link("station", &backend);
        read(&station, "/v1/confirmations")
            .await
            .expect("an answer");
        for round in 0..4 {
            // Kept and fresh connections, under old and new certificates of both sides.
            read(&kept, "/v1/kiosk").await.expect("an answer");
            match round % 2 {
                0 => bank.renew("kiosk", "kiosk-1"),
                _ => bank.renew("server", "127.0.0.1"),
            }
            // Both are read as changed: each certificate issued renews the list.
            backend.hang_up("tls: the changed files are in force");
            read(&kept, "/v1/kiosk").await.expect("an answer");
            let fresh = bank.link("kiosk", &backend);
            read(&fresh, "/v1/kiosk").await.expect("an answer");
        }
        done(&[
            "backend",
            "revoke",
            "--ca",
            &bank.ca,
            "--id",
            "kiosk:kiosk-1",
        ]);
        backend.hang_up("tls: the changed files are in force");
        backend.until_logged("its certificate is no longer good");
        for link in [&kept, &bank.link("kiosk", &backend)] {
            let refused = read(link, "/v1/kiosk").await.expect_err("is revoked");
            assert!(
                matches!(refused, LinkError::Unreachable { .. }),
                "{refused}"
            );
        }
        read(&station, "/v1/confirmations")
            .await
            .expect("an answer");
        bank.renew("kiosk", "kiosk-1");
        read(&kept, "/v1/kiosk")
            .await
            .expect("the kiosk's next certificate is good");
    });
    // Whoever speaks no TLS hears no HTTP.
    let mut plain = std::net::TcpStream::connect(&backend.listen).expect("connects");
    plain
        .set_read_timeout(Some(Duration::from_secs(20)))
        .expect("a limit");
    plain
        .write_all(b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n")
        .expect("writes");
    let mut heard = Vec::new();
    // A reset is an end, too.
    let _ = plain.read_to_end(&mut heard);
    assert!(heard.len() <= 7, "{heard:?}");
}

#[test]
fn plain_http_is_refused_where_others_can_reach_it() {
    let code = |args: &[&str]| {
        let output = run(args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        said
    };
    let said = code(&["backend", "--demo", "--listen", "0.0.0.0:0"]);
    assert!(said.contains("[tls]"), "{said}");
    let said = code(&["kiosk", "--demo", "kiosk-1", "--backend", "192.0.2.1:80"]);
    assert!(said.contains("--tls-ca"), "{said}");
    let said = code(&["teller", "--demo", "station-1", "--backend", "192.0.2.1:80"]);
    assert!(said.contains("--tls-ca"), "{said}");
}
