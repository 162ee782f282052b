//! What people read: every message of the locales is said somewhere. That none is
//! missing in either language is checked beside the locales themselves.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops where its world is not as expected"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use counterfoil_data::locale::Msg;

/// Every Rust file below `folder`.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).expect("a folder");
    for path in entries.map(|entry| entry.expect("an entry").path()) {
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// Names after `prefix` in a text.
fn names<'a>(text: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(prefix).skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric());
        rest.get(..end.unwrap_or(rest.len())).unwrap_or_default()
    })
}

#[test]
fn every_message_is_said_by_some_screen_paper_or_command() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    for folder in [
        "data/src",
        "devices/src",
        "backend/src",
        "tui/src",
        "tests/src",
    ] {
        sources(&root.join(folder), &mut files);
    }
    assert!(files.len() > 300, "sources went missing: {}", files.len());
    let mut said: BTreeSet<String> = BTreeSet::new();
    for file in &files {
        let text = std::fs::read_to_string(file).expect("text");
        let own = file.ends_with("locale/of.rs");
        // The list defines them, and tests of the locales name some as examples.
        let is_said = !file.ends_with("locale/list.rs") && !file.ends_with("locale/tests.rs");
        if is_said {
            said.extend(names(&text, "Msg::").map(str::to_owned));
        }
        if own {
            said.extend(names(&text, "Self::").map(str::to_owned));
        }
    }
    let unsaid: Vec<String> = Msg::ALL
        .iter()
        .map(|msg| format!("{msg:?}"))
        .filter(|name| !said.contains(name))
        .collect();
    assert_eq!(
        unsaid, [""; 0],
        "nobody says these: use them or take them out"
    );
}
