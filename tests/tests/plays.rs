//! Every script of `tests/sessions`, and what the runner promises about them.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops where its world is not as expected"
)]

use std::path::{Path, PathBuf};

use counterfoil_testbed::play::bless::bless_file;
use counterfoil_testbed::play::run::{Options, PlayError, play_file};

fn sessions() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sessions");
    let entries = std::fs::read_dir(folder)
        .expect("sessions")
        .map(|e| e.expect("an entry").path());
    let mut files: Vec<PathBuf> = entries
        .filter(|p| p.extension().is_some_and(|e| e == "play"))
        .collect();
    files.sort();
    assert!(files.len() >= 7, "scripts went missing: {files:?}");
    files
}

/// A copy of a script in a folder of its own, with its includes.
fn copy_of(name: &str, change: impl Fn(&str) -> String) -> (PathBuf, PathBuf) {
    let folder =
        std::env::temp_dir().join(format!("counterfoil-play-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("sessions");
    for entry in std::fs::read_dir(&from)
        .expect("sessions")
        .map(|e| e.expect("an entry").path())
    {
        let to = folder.join(entry.file_name().expect("a name"));
        std::fs::copy(&entry, to).expect("copies");
    }
    let file = folder.join(name);
    let text = std::fs::read_to_string(&file).expect("text");
    let changed = change(&text);
    assert_ne!(text, changed, "the change must change something");
    std::fs::write(&file, changed).expect("writes");
    (folder, file)
}

#[test]
fn every_script_plays_as_written_and_twice_the_same() {
    for file in sessions() {
        let play = || {
            play_file(&file, &Options::default())
                .unwrap_or_else(|e| panic!("{e}"))
                .1
        };
        let (first, second) = (play(), play());
        assert!(first.steps > 5, "{} says too little", file.display());
        assert_eq!(
            first.seen,
            second.seen,
            "{} differs from run to run",
            file.display()
        );
    }
}

#[test]
fn a_screen_that_differs_fails_and_is_blessed_but_an_effect_never_is() {
    let (folder, file) = copy_of("officer-denies.play", |text| {
        text.replace("Nothing was charged.", "All was charged.")
    });
    let error = play_file(&file, &Options::default()).expect_err("a wrong screen");
    assert_eq!(error.exit_code(), 1);
    assert!(
        error.to_string().contains("Nothing was charged."),
        "{error}"
    );
    let blessed = bless_file(&file).expect("screens may be blessed");
    assert_eq!(blessed.rewritten, 1);
    play_file(&file, &Options::default()).expect("plays after blessing");
    std::fs::remove_dir_all(folder).expect("removes");

    let (folder, file) = copy_of("sale-en.play", |text| text.replace("fee 15.00", "fee 0.00"));
    let before = std::fs::read_to_string(&file).expect("text");
    assert!(
        matches!(bless_file(&file), Err(PlayError::Mismatch { .. })),
        "money is never blessed"
    );
    assert_eq!(
        std::fs::read_to_string(&file).expect("text"),
        before,
        "the file is untouched"
    );
    std::fs::remove_dir_all(folder).expect("removes");
}

#[test]
fn the_audit_in_a_script_can_fail() {
    let (folder, file) = copy_of("forged-id.play", |text| {
        text.replace("blanks Sold = 0", "blanks Sold = 1")
    });
    let error = play_file(&file, &Options::default()).expect_err("a wrong count");
    assert!(error.to_string().contains("expected 1, seen 0"), "{error}");
    std::fs::remove_dir_all(folder).expect("removes");
}
