//! Rotation of the keys of data at rest by configuration and command (I7).

#![cfg(unix)]
#![expect(clippy::expect_used, reason = "a failed step is a failed test")]

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_counterfoil-backend");

/// A bank's folder: configuration, keys and books.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path =
            std::env::temp_dir().join(format!("counterfoil-rotation-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        let folder = Self(path);
        for (name, byte) in [("master", "5a"), ("data-2", "6b"), ("data-3", "7c")] {
            folder.write(name, &byte.repeat(32));
        }
        folder
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let file = options.open(self.at(name)).expect("opens");
        std::io::Write::write_all(&mut &file, text.as_bytes()).expect("writes");
    }

    /// A configuration with these data keys; its path.
    fn config(&self, data_keys: &[u8]) -> PathBuf {
        let bank = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/demo/bank.toml");
        let at = |name: &str| self.at(name).display().to_string();
        let mut text = format!(
            "listen = \"127.0.0.1:0\"\nplain_http = true\ndatabase = {:?}\nkey_file = {:?}\n\
             origin = \"bank.example/counterfoil\"\nbank_file = {:?}\n",
            at("books.redb"),
            at("master"),
            bank.display().to_string(),
        );
        for id in data_keys {
            let file = at(&format!("data-{id}"));
            text += &format!("[[data_keys]]\nid = {id}\nfile = {file:?}\n");
        }
        self.write("backend.toml", &text);
        self.at("backend.toml")
    }

    /// What a command says, both streams, and its exit code.
    fn told(&self, data_keys: &[u8], args: &[&str]) -> (Option<i32>, String) {
        let config = self.config(data_keys);
        let mut command = Command::new(PROGRAM);
        command.args(args).arg("--config").arg(config);
        let output = command.output().expect("runs");
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        (output.status.code(), text)
    }

    /// Starts the service, until it listens, and stops it.
    fn serve(&self) {
        let mut child = Command::new(PROGRAM)
            .arg("--config")
            .arg(self.config(&[]))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("stdout");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let pid = child.id().to_string();
        let sent = Command::new("kill").args(["-s", "TERM", &pid]).status();
        assert!(sent.expect("kill runs").success());
        assert_eq!(child.wait().expect("ends").code(), Some(0));
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn i7_keys_are_rotated_by_command_and_a_key_that_is_still_needed_is_named() {
    let folder = Folder::new();
    folder.serve();
    let (code, said) = folder.told(&[2], &["reseal"]);
    assert_eq!(code, Some(0), "{said}");
    let first = said.lines().next().expect("a line").to_owned();
    let (count, rest) = first.split_once(' ').expect("a count");
    assert!(count.parse::<u32>().expect("a number") >= 60, "{said}");
    assert_eq!(
        rest,
        "encrypted anew under key 2, 0 were; 0 stay under another"
    );
    assert!(
        said.contains("nothing in these books needs a key below 2"),
        "{said}"
    );
    // Again there is nothing to do.
    let (code, said) = folder.told(&[2], &["reseal"]);
    assert_eq!(code, Some(0), "{said}");
    let again = format!("0 encrypted anew under key 2, {count} were; 0 stay under another");
    assert!(said.starts_with(&again), "{said}");
    // The key was taken away too early: every record is named, and the exit code tells.
    let (code, said) = folder.told(&[3], &["reseal"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("of agent-zhang stays under key 2: envelope needs key 2"),
        "{said}"
    );
    assert!(
        said.contains(&format!("; {count} stay under another")),
        "{said}"
    );
    let (code, said) = folder.told(&[2, 3], &["reseal"]);
    assert_eq!(code, Some(0), "{said}");
    let both = format!("{count} encrypted anew under key 3");
    assert!(said.starts_with(&both), "{said}");
}

#[test]
fn a_check_of_the_configuration_reads_the_keys_it_names() {
    let folder =
        Folder(std::env::temp_dir().join(format!("counterfoil-check-{}", std::process::id())));
    std::fs::create_dir_all(&folder.0).expect("a folder");
    folder.write("master", &"5a".repeat(32));
    let (code, said) = folder.told(&[2], &["--check"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("data-2: key file cannot be read"), "{said}");
    folder.write("data-2", "too short");
    let (code, said) = folder.told(&[2], &["--check"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("data-2: key file holds 9 bytes"), "{said}");
    folder.write("data-2", &"6b".repeat(32));
    let (code, said) = folder.told(&[2, 2], &["--check"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("data_keys.id = 2 is there twice"), "{said}");
    let (code, said) = folder.told(&[2], &["--check"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(!folder.at("books.redb").exists(), "a check opens no books");
}
