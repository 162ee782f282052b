//! No PIN, no payment password, no citizen or card number and no print is in anything
//! that a run leaves behind or holds (I7): log, books, evidence, metrics, memory, core.
//!
//! A bank whose secrets are all markers is enrolled by one process. A second one, which
//! never saw that file, sells to its customers; while it runs, all of its memory is read
//! through `/proc` and searched. What the product keeps in clear on purpose, an officer's
//! question and a client's key, must be found in the same places by the same search.

#![cfg(target_os = "linux")]
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a failed step is a failed test"
)]

mod bank;
mod kiosk;
#[path = "../running/mod.rs"]
mod running;
mod scan;

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use counterfoil_data::wire::confirm::{ConfirmationView, Decision};
use counterfoil_data::wire::sale::{
    DocumentFields, Order, OrderItem, PurchaseMode, SaleState, SaleView,
};
use counterfoil_finger::synth::{Contact, Finger};
use counterfoil_finger::{Image, extract};

use bank::Marked;
use kiosk::{Client, done, path};
use running::{Folder, PROGRAM};
use scan::{Needle, Needles, pieces, texts};

/// Said in clear by an officer, kept in clear by the books.
const QUESTION: &str = "control: how many of which kind";
/// A client's key, kept in clear beside its answer.
const KEY: &str = "control-key-4f1c9a";

/// A bank's folder: configuration, keys, books, what was logged.
struct House {
    folder: Folder,
}

impl House {
    fn new() -> Self {
        let folder = Folder::new("markers");
        for (name, byte) in [("master", "5a"), ("data-2", "6b")] {
            write_private(&folder.file(name), &byte.repeat(32));
        }
        Self { folder }
    }

    fn config(&self, bank: Option<&str>) -> PathBuf {
        let at = |name: &str| self.folder.file(name).display().to_string();
        let mut text = format!(
            "listen = \"127.0.0.1:0\"\nplain_http = true\nadmin_listen = \"127.0.0.1:0\"\ndatabase = {:?}\n\
             key_file = {:?}\norigin = \"bank.example/counterfoil\"\n",
            at("books.redb"),
            at("master"),
        );
        if let Some(bank) = bank {
            write_private(&self.folder.file("bank.toml"), bank);
            text += &format!("bank_file = {:?}\n", at("bank.toml"));
        }
        text += &format!("[[data_keys]]\nid = 2\nfile = {:?}\n", at("data-2"));
        write_private(&self.folder.file("backend.toml"), &text);
        self.folder.file("backend.toml")
    }

    /// Starts it where core files are allowed, and logs everything.
    fn start(&self, bank: Option<&str>, log: &str) -> (Child, String, String) {
        let log = File::create(self.folder.file(log)).expect("a log");
        let shell = "ulimit -c unlimited; exec \"$0\" --config \"$1\"";
        let mut child = Command::new("sh")
            .args(["-c", shell, PROGRAM])
            .arg(self.config(bank))
            .current_dir(&self.folder.0)
            .env("RUST_LOG", "trace")
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("stdout");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let told: serde_json::Value = serde_json::from_str(&line).expect("addresses");
        let address = |name: &str| told[name].as_str().expect("an address").to_owned();
        let (listen, admin) = (address("listen"), address("admin"));
        (child, listen, admin)
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.folder.file(name)).expect("reads")
    }
}

fn write_private(path: &std::path::Path, text: &str) {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let file = options.open(path).expect("opens");
    std::io::Write::write_all(&mut &file, text.as_bytes()).expect("writes");
}

/// Ends it by a signal and waits.
fn end(child: &mut Child, signal: &str) -> std::process::ExitStatus {
    let pid = child.id().to_string();
    let sent = Command::new("kill").args(["-s", signal, &pid]).status();
    assert!(sent.expect("kill runs").success());
    child.wait().expect("ends")
}

/// Everything that may be nowhere.
fn secrets(marked: &Marked, touches: &[Image]) -> Needles {
    let mut needles: Vec<Needle> = Vec::new();
    for (name, marker) in &marked.secrets {
        needles.extend(texts(name, marker));
    }
    for (touch, image) in touches.iter().enumerate() {
        let width = usize::from(image.width());
        for (row, pixels) in image.pixels().chunks(width).enumerate().step_by(4) {
            let name = format!("touch {touch}, row {row}");
            needles.extend(pieces(&name, pixels, 24, 48));
        }
        let template = extract(image).expect("a usable touch");
        let name = format!("touch {touch}, template");
        needles.extend(pieces(&name, &template.to_bytes(), 16, 16));
    }
    Needles::new(needles)
}

fn controls() -> Needles {
    let [question, _] = texts("the officer's question", QUESTION);
    let [key, _] = texts("the client's key", KEY);
    Needles::new(vec![question, key])
}

/// The customers at the kiosk, and whoever looks into the process meanwhile.
struct Selling<'a> {
    marked: &'a Marked,
    kiosk: Client,
    station: Client,
    document: DocumentFields,
    look: &'a dyn Fn(&str),
}

impl Selling<'_> {
    fn secret(&self, name: &str) -> String {
        let secret = self.marked.bank.secret(name);
        secret.expect("a secret").expose().clone()
    }

    /// PM1 with one wrong PIN, every gate, and linked processing.
    fn by_card(&self, touch: &Image) {
        let view = self.kiosk.open(1, PurchaseMode::SettlementCard);
        let pan = &self.marked.bank.card("zhang-card").expect("a card").pan;
        let (status, body) = self.kiosk.info(&view, pan, &self.secret("wrong-pin"));
        assert_ne!(status, 200, "{body:?}");
        (self.look)("after a wrong PIN");
        let view: SaleView = again(&self.kiosk, &view);
        let view = done(self.kiosk.info(&view, pan, &self.secret("zhang-pin")));
        assert_eq!(view.state, SaleState::InfoVerified);
        (self.look)("after the right PIN");
        let view = done(self.kiosk.identity(&view, &self.document, touch));
        assert_eq!(view.state, SaleState::IdentityVerified);
        (self.look)("after the finger");
        let items = vec![OrderItem {
            kind: counterfoil_data::bill::BillKind::TransferCheque,
            quantity: 2,
        }];
        let order = Order { items };
        let view = done(self.kiosk.post(&path(&view, "order"), &order, None));
        self.decide(&view, "seen", None);
        self.decide(&view, "ask", Some(QUESTION));
        let view = done(self.kiosk.post(&path(&view, "order"), &order, None));
        self.decide(&view, "seen", None);
        self.decide(&view, "confirm", None);
        let nothing = serde_json::json!({});
        let view = done(self.kiosk.post(&path(&view, "link"), &nothing, Some(KEY)));
        assert_eq!(view.state, SaleState::Linked);
        let reason = serde_json::json!({ "reason": "staff" });
        let abandon = self
            .kiosk
            .post(&path(&view, "abandon"), &reason, Some("key-2"));
        assert_eq!(done(abandon).state, SaleState::Closed, "nothing was fed");
    }

    /// PM2 with one wrong payment password, up to the second gate.
    fn by_password(&self, touch: &Image) {
        let view = self.kiosk.open(2, PurchaseMode::PaymentPassword);
        let account = self.secret("jixie-account");
        let wrong = self.secret("wrong-password");
        let wrong = self.kiosk.info(&view, &account, &wrong);
        assert_ne!(wrong.0, 200);
        let view: SaleView = again(&self.kiosk, &view);
        let password = self.secret("jixie-password");
        let view = done(self.kiosk.info(&view, &account, &password));
        assert_eq!(view.state, SaleState::InfoVerified);
        (self.look)("after the payment password");
        let view = done(self.kiosk.identity(&view, &self.document, touch));
        assert_eq!(view.state, SaleState::IdentityVerified);
        (self.look)("after another touch");
    }

    fn decide(&self, sale: &SaleView, verb: &str, note: Option<&str>) {
        let shown = self.station.get("/v1/confirmations");
        let shown: Vec<ConfirmationView> = serde_json::from_slice(&shown).expect("a list");
        let shown = shown.iter().find(|c| c.sale == sale.sale).expect("shown");
        let decision = Decision {
            digest: shown.purchase.as_ref().map(|p| p.digest),
            note: note.map(str::to_owned),
        };
        let path = format!("/v1/confirmations/{}/{verb}", sale.sale);
        let (status, body) = self.station.post(&path, &decision, None);
        assert_eq!(status, 200, "{body:?}");
    }
}

fn again(kiosk: &Client, view: &SaleView) -> SaleView {
    let body = kiosk.get(&format!("/v1/sales/{}", view.sale));
    serde_json::from_slice(&body).expect("a sale")
}

/// The finger on the sensor, and the enrolment's own three touches.
fn touches(marked: &Marked) -> Vec<Image> {
    let seed = marked.bank.finger("zhang").expect("a finger").seed;
    let finger = Finger::from_seed(seed);
    let enrolled = (0..3).map(|n| seed + n);
    let touch = |contact| finger.impression(&Contact::natural(contact));
    [seed + 41, seed + 42]
        .into_iter()
        .chain(enrolled)
        .map(touch)
        .collect()
}

#[test]
fn i7_no_secret_is_in_log_books_evidence_metrics_memory_or_a_core_file() {
    let (house, marked) = (House::new(), bank::marked());
    let (mut first, ..) = house.start(Some(&marked.text), "enrolment.log");
    assert_eq!(end(&mut first, "TERM").code(), Some(0));
    std::fs::remove_file(house.folder.file("bank.toml")).expect("removes");

    let touches = touches(&marked);
    let (secrets, controls) = (secrets(&marked, &touches), controls());
    assert!(secrets.len() > 500, "{} needles", secrets.len());
    let (mut child, listen, admin) = house.start(None, "selling.log");
    let pid = child.id();
    let kiosk_seed = marked.bank.kiosk("kiosk-1").expect("a kiosk").key_seed.0;
    let station_seed = marked.bank.station("station-1").expect("one").key_seed.0;
    let document = marked.bank.document("zhang").expect("a document");
    let leaks = std::cell::RefCell::new(Vec::new());
    let look = |when: &str| {
        let (found, read) = secrets.found_in_process(pid);
        assert!(
            read > 4 * 1024 * 1024,
            "only {read} bytes of memory were read"
        );
        let told = found.into_iter().map(|what| format!("{when}: {what}"));
        leaks.borrow_mut().extend(told);
    };
    let selling = Selling {
        marked: &marked,
        kiosk: Client::new(&listen, "kiosk:kiosk-1", kiosk_seed),
        station: Client::new(&listen, "station:station-1", station_seed),
        document: DocumentFields {
            name: counterfoil_data::secret::Secret::new(document.holder.clone()),
            number: counterfoil_data::secret::Secret::new(document.number.clone()),
            valid_to: document.valid_to,
        },
        look: &look,
    };
    selling.by_card(&touches[0]);
    selling.by_password(&touches[1]);
    let leaks = leaks.take();
    assert!(leaks.is_empty(), "{} in memory: {leaks:#?}", leaks.len());
    let (seen, _) = controls.found_in_process(pid);
    for control in ["the officer's question", "the client's key"] {
        assert!(
            seen.iter().any(|what| what.starts_with(control)),
            "{seen:?}"
        );
    }
    let metrics = kiosk::page(&admin, "/metrics");
    assert_eq!(secrets.found(&metrics), Vec::<&str>::new());

    no_core_is_left(&house, &mut child);
    left_behind(&house, &secrets, &controls);
}

/// The limit is 0 although the start allowed more, and an abort leaves no file.
fn no_core_is_left(house: &House, child: &mut Child) {
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.id()));
    let limits = limits.expect("reads");
    let cores = limits.lines().find(|l| l.starts_with("Max core file size"));
    let words: Vec<&str> = cores.expect("a line").split_whitespace().collect();
    assert_eq!(words[4..6], ["0", "0"]);
    let ended = end(child, "ABRT");
    assert_eq!((ended.signal(), ended.core_dumped()), (Some(6), false));
    for entry in std::fs::read_dir(&house.folder.0).expect("a folder") {
        let name = entry.expect("an entry").file_name();
        assert!(
            !name.to_string_lossy().contains("core"),
            "{name:?} was left"
        );
    }
}

/// Files: both logs, the books as the abort left them, and the exported evidence.
fn left_behind(house: &House, secrets: &Needles, controls: &Needles) {
    let config = house.config(None);
    let evidence = house.folder.file("evidence");
    let mut export = Command::new(PROGRAM);
    export.arg("export").arg("--config").arg(&config);
    let exported = export.arg("--out").arg(&evidence).output().expect("runs");
    assert!(exported.status.success(), "{exported:?}");
    let mut files = 0;
    for entry in std::fs::read_dir(&house.folder.0).expect("a folder") {
        let path = entry.expect("an entry").path();
        let bytes = std::fs::read(&path).expect("reads");
        assert!(bytes.len() >= 32, "{path:?} is empty");
        assert_eq!(secrets.found(&bytes), Vec::<&str>::new(), "in {path:?}");
        files += 1;
    }
    // Two keys, the configuration, two logs, the books and their reserve, the evidence.
    assert_eq!(files, 8);
    let books = house.read("books.redb");
    assert_eq!(
        controls.found(&books).len(),
        2,
        "the search finds what is there"
    );
}
