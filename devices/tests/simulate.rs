//! The command line as a person uses it: two processes and a socket between them.
//!
//! The twin server is a real process, so what the desk did is still there when
//! its client is gone: the property that lets the paper survive a killed kiosk.

#![expect(clippy::expect_used, reason = "a step that fails must end the test")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use counterfoil_data::sealed::{Binding, OpenKey, Sealed};
use counterfoil_data::wire::sale::LivePrint;

struct Server {
    process: Child,
    usbip: String,
    desk: String,
}

impl Server {
    fn start() -> Self {
        Self::start_with(&[])
    }

    fn start_with(more: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_counterfoil-devices"))
            .args([
                "simulate",
                "--listen",
                "127.0.0.1:0",
                "--desk",
                "127.0.0.1:0",
            ])
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts");
        let mut lines = BufReader::new(process.stdout.take().expect("stdout")).lines();
        let mut line = |word: &str| {
            let line = lines.next().expect("a line").expect("text");
            line.strip_prefix(word).expect("the word").trim().to_owned()
        };
        let (usbip, desk) = (line("usbip"), line("desk"));
        line("ready");
        Self {
            process,
            usbip,
            desk,
        }
    }

    fn say(&self, line: &str) -> String {
        let mut desk = TcpStream::connect(&self.desk).expect("connects");
        writeln!(desk, "{line}").expect("says");
        desk.shutdown(std::net::Shutdown::Write).expect("no more");
        let mut answer = String::new();
        desk.read_to_string(&mut answer).expect("answers");
        answer.trim_end().to_owned()
    }

    fn run(&self, command: &str) -> (bool, String) {
        Self::program(&[command, "--usbip", &self.usbip])
    }

    fn program(args: &[&str]) -> (bool, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_counterfoil-devices"))
            .args(args)
            .output()
            .expect("runs");
        let text = [output.stdout, output.stderr].concat();
        (
            output.status.success(),
            String::from_utf8(text).expect("text"),
        )
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().expect("was running");
        self.process.wait().expect("ends");
    }
}

#[test]
fn a_simulated_branch_is_listed_greeted_and_keeps_what_its_desk_did() {
    let server = Server::start();
    assert_eq!(
        server.say("id-reader present zhang"),
        "ok zhang lies on the plate"
    );
    let (listed, devices) = server.run("list");
    assert!(
        listed && devices.contains("0400:c35a id-reader"),
        "{devices}"
    );
    let (greeted, answers) = server.run("probe");
    assert!(greeted, "{answers}");
    assert!(answers.contains("security module 05.01-20200101-0001234567-0089012345"));
    let names = server.say("list");
    let names: Vec<&str> = names.split(' ').skip(1).collect();
    assert!(names.contains(&"form-printer") && names.contains(&"card-reader"));
    let greeted = answers.lines().filter(|line| line.starts_with("ok "));
    assert_eq!(greeted.count(), names.len(), "{answers}");
    // Its clients came and went; the card still lies there.
    assert_eq!(server.say("look id-reader"), "ok on the plate: zhang");
}

#[test]
fn an_unplugged_device_is_not_greeted_and_nonsense_at_the_desk_is_answered() {
    let server = Server::start();
    assert_eq!(server.say("pin-pad unplug"), "ok pin-pad unplugged");
    let (_, answers) = server.run("probe");
    assert!(!answers.contains("pin-pad"), "{answers}");
    assert!(server.say("toaster on").starts_with("err no such device"));
    let act = ["card-reader", "insert", "zhang-card"];
    let done = Server::program(&[&["desk", "--at", &server.desk], &act[..]].concat());
    assert!(done.0, "{}", done.1);
    let again = Server::program(&[&["desk", "--at", &server.desk], &act[..]].concat());
    assert!(!again.0, "a card is in: {}", again.1);
    let nobody = Server::program(&["desk", "--at", "127.0.0.1:1", "list"]);
    assert!(!nobody.0 && nobody.1.contains("simulate"), "{}", nobody.1);
    assert!(server.say("").starts_with("err say"));
}

#[test]
fn every_finger_sensor_is_greeted_whatever_bridge_it_is_behind() {
    let module = "password accepted";
    for (chip, numbers, hello) in [
        ("cp210x", "10c4:ea60 finger", module),
        ("ch340", "1a86:7523 finger", module),
        ("ftdi", "0403:6001 finger", module),
        ("pl2303", "067b:2303 finger", module),
        ("pl2303-hxn", "067b:23a3 finger", module),
        ("uru4500", "05ba:000a finger", "scanner powered"),
    ] {
        let server = Server::start_with(&["--finger", chip, "--speed", "10"]);
        let (listed, devices) = server.run("list");
        assert!(listed && devices.contains(numbers), "{chip}: {devices}");
        let (greeted, answers) = server.run("probe");
        assert!(greeted, "{chip}: {answers}");
        assert!(answers.contains(hello), "{chip}: {answers}");
    }
}

#[test]
fn a_branch_file_says_what_stands_there_and_what_is_done_at_the_start() {
    let path = std::env::temp_dir().join(format!("counterfoil-branch-{}.toml", std::process::id()));
    let text = "desk = \"127.0.0.1:1\"\nspeed = 10\n[[device]]\nname = \"plate\"\n\
                kind = \"id-reader\"\nlayout = \"single\"\n\
                at_start = [\"present zhang\", \"late 20\", \"stale 81 aa96\"]\n\
                [[device]]\nname = \"glass\"\nkind = \"uru4500\"\n";
    std::fs::write(&path, text).expect("writes");
    let file = path.to_str().expect("text");
    let server = Server::start_with(&[file]);
    let (listed, devices) = server.run("list");
    assert!(listed, "{devices}");
    assert!(
        devices.contains("plate            0400:c35a id-reader"),
        "{devices}"
    );
    assert!(
        devices.contains("glass            05ba:000a finger"),
        "{devices}"
    );
    assert_eq!(server.say("look plate"), "ok on the plate: zhang");
    let (greeted, answers) = server.run("probe");
    assert!(greeted, "late and behind junk, but answered: {answers}");
    // The cable goes in the middle of what the host says.
    server.say("plate unplug after 3 bytes out");
    let (_, answers) = server.run("probe");
    assert!(
        answers.contains("err plate") && answers.contains("gone"),
        "{answers}"
    );
    assert_eq!(server.say("plate replug"), "ok plate plugged in");
    let known = server.say("plate dance");
    assert!(
        known.starts_with("err") && known.contains("unplug after N bytes"),
        "{known}"
    );
    std::fs::write(&path, text.replace("layout", "lay-out")).expect("writes");
    let (started, said) = Server::program(&["simulate", file]);
    assert!(
        !started && said.contains("line 6") && said.contains("lay-out"),
        "{said}"
    );
    std::fs::remove_file(&path).expect("was there");
}

#[test]
fn a_kit_is_run_on_a_twin_in_another_process_and_its_sheet_says_what_was_seen() {
    let server = Server::start_with(&["--speed", "10"]);
    let sheet = std::env::temp_dir().join(format!("counterfoil-sheet-{}.md", std::process::id()));
    let path = sheet.to_str().expect("text");
    let certify = ["certify", "form-printer", "--usbip", &server.usbip];
    let desk = ["--desk", &server.desk, "--speed", "10", "--sheet", path];
    let only = ["--only", "FP-04,FP-11,FP-46,FP-59,FP-61,FP-93"];
    let (passed, said) = Server::program(&[&certify[..], &desk, &only].concat());
    // Six checks certify nothing.
    assert!(!passed && said.contains("is not certified"), "{said}");
    assert!(said.contains("6 passed, 0 failed, 93 skipped"), "{said}");
    let written = std::fs::read_to_string(&sheet).expect("a sheet");
    for fact in [
        "NOT COMPLETE",
        "FP0001",
        "| completion grade | identified |",
        "| FP-93 |",
        "Signature",
    ] {
        assert!(written.contains(fact), "{fact}: {written}");
    }
    std::fs::remove_file(&sheet).expect("was there");
    // A desk that does not do the acts: nothing is passed that was skipped.
    server.say("form-printer cover open");
    let only = ["--only", "FP-17,FP-45"];
    let (passed, said) = Server::program(&[&certify[..], &desk[..4], &only].concat());
    assert!(!passed && said.contains("FAIL FP-17"), "{said}");
    assert!(said.contains("seen:") && said.contains("do:"), "{said}");
    let listed = Server::program(&["certify", "form-printer", "--list"]);
    assert!(listed.0 && listed.1.contains("FP-99"), "{}", listed.1);
}

#[test]
fn a_finger_module_that_gives_no_image_is_named_by_probe() {
    let server = Server::start_with(&["--finger", "microarray", "--speed", "10"]);
    let (greeted, answers) = server.run("probe");
    assert!(!greeted, "{answers}");
    let line = answers.lines().find(|line| line.starts_with("err finger"));
    assert!(line.is_some_and(|l| l.contains("no image")), "{answers}");
}

#[test]
fn a_captured_hello_is_the_owners_alone_is_not_overwritten_and_is_replayed() {
    use std::os::unix::fs::PermissionsExt as _;
    let server = Server::start_with(&["--speed", "10"]);
    let folder = std::env::temp_dir().join(format!("counterfoil-capture-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("hello.pcap");
    let name = file.to_str().expect("text");
    let capture = ["capture", name, "--usbip", &server.usbip, "probe"];
    let (done, said) = Server::program(&capture);
    assert!(done && said.contains("personal data"), "{said}");
    let mode = std::fs::metadata(&file)
        .expect("is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let before = std::fs::read(&file).expect("reads");
    let (done, said) = Server::program(&capture);
    assert!(!done && said.contains("not overwritten"), "{said}");
    assert_eq!(std::fs::read(&file).expect("reads"), before);
    let (done, said) = Server::program(&["replay", name]);
    assert!(done, "{said}");
    assert_eq!(said.matches("as recorded").count(), 6, "{said}");
    assert!(said.contains("security module 05.01-20200101-0001234567-0089012345"));
    let (done, said) = Server::program(&["replay", name, "--words", "--device", "1.1"]);
    assert!(done && said.contains("slot status?"), "{said}");
    let (done, said) = Server::program(&["replay", "Cargo.toml"]);
    assert!(!done && said.contains("no capture file"), "{said}");
    std::fs::remove_dir_all(&folder).expect("removes its folder");
}

#[test]
fn a_foreign_keyboard_is_an_alarm_of_list() {
    let server = Server::start_with(&["--finger", "cp210x", "--speed", "10"]);
    let (done, list) = server.run("allow");
    assert!(done && list.matches("[[device]]").count() == 6, "{list}");
    let name = format!("counterfoil-allowed-{}.toml", std::process::id());
    let file = std::env::temp_dir().join(name);
    std::fs::write(&file, list).expect("writes");
    let name = file.to_str().expect("text");
    let listed = || Server::program(&["list", "--usbip", &server.usbip, "--allowed", name]);
    let (done, said) = listed();
    assert!(done && !said.contains("ALARM"), "{said}");
    assert_eq!(server.say("keyboard plug"), "ok keyboard plugged in");
    let (done, said) = listed();
    assert!(done && said.matches("ALARM").count() == 1, "{said}");
    assert!(
        said.contains("keyboard 1209:0009 is not on the list"),
        "{said}"
    );
    std::fs::remove_file(&file).expect("removes its file");
}

/// Does `acts` one after the other: a finger for each "lay the finger", lifted when told.
fn captured(
    server: &Server,
    folder: &std::path::Path,
    seal: Option<&str>,
    acts: &[&str],
) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_counterfoil-devices"));
    command.args(["finger", "right-index"]).arg(folder);
    command.args(["--usbip", &server.usbip]);
    command.args(seal.iter().flat_map(|key| ["--seal", key]));
    let mut process = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut acts = acts.iter();
    let mut text = String::new();
    for line in BufReader::new(process.stdout.take().expect("stdout")).lines() {
        let line = line.expect("text");
        if line.contains("lay the finger on the sensor") {
            let Some(act) = acts.next() else {
                process.kill().expect("runs");
                break;
            };
            assert!(server.say(&format!("finger place {act}")).starts_with("ok"));
        } else if line == "lift the finger" {
            assert!(server.say("finger lift").starts_with("ok"));
        }
        text.push_str(&line);
        text.push('\n');
    }
    let ended = process.wait().expect("ends").success();
    let mut errors = process.stderr.take().expect("stderr");
    errors.read_to_string(&mut text).expect("text");
    (ended, text)
}

#[test]
fn three_impressions_are_judged_held_against_each_other_and_kept_sealed() {
    let server = Server::start_with(&["--speed", "20", "--finger", "uru4500"]);
    let folder = std::env::temp_dir().join(format!("counterfoil-finger-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let (open, seal) = OpenKey::derive(&[9; 32]);
    let key = counterfoil_data::wire::hex(&seal.0);
    let acts = [
        "zhang seed 31",
        "zhang poor seed 32",
        "stranger seed 33",
        "zhang seed 34",
        "zhang seed 35",
    ];
    let (ended, text) = captured(&server, &folder, Some(&key), &acts);
    assert!(ended, "{text}");
    let refused: Vec<&str> = text.lines().filter(|l| l.starts_with("not kept")).collect();
    assert_eq!(refused.len(), 2, "a poor one and a stranger's: {text}");
    assert!(
        refused
            .iter()
            .any(|l| l.contains("is not of the same finger")),
        "{text}"
    );
    for number in 1..=3 {
        let file = folder.join(format!("right-index-{number}.print"));
        let mode = file.metadata().expect("kept").permissions();
        assert_eq!(
            std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777,
            0o600
        );
        let bytes = std::fs::read(&file).expect("reads");
        let print: Sealed<LivePrint> = Sealed::from_bytes(&bytes).expect("a seal");
        let print = print.open(&open, Binding::ENROLMENT).expect("opens");
        assert_eq!((print.width, print.height), (384, 290));
    }
    // What is there is never overwritten.
    let three = ["zhang seed 41", "zhang seed 42", "zhang seed 43"];
    let (ended, text) = captured(&server, &folder, Some(&key), &three);
    assert!(
        !ended && text.contains("right-index-1.print cannot be written"),
        "{text}"
    );
    let plain = captured(&server, &folder, None, &three);
    assert!(
        plain.0 && plain.1.contains("plain pictures of a finger"),
        "{}",
        plain.1
    );
    assert!(folder.join("right-index-3.png").is_file());
    std::fs::remove_dir_all(&folder).expect("removes");
}
