//! Every script of `tests/sessions`, and what the runner promises about them.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops where its world is not as expected"
)]

use std::path::{Path, PathBuf};

use counterfoil_testbed::play::bless::bless_file;
use counterfoil_testbed::play::parse::parse;
use counterfoil_testbed::play::run::{Options, PlayError, Report, play_file, play_script};

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
        let difference = first.difference(&second);
        assert_eq!(difference, None, "{} from run to run", file.display());
        assert!(first.frames.count > 5 && first.leaves > 10);
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

/// Plays one text in an empty folder.
fn play_text(name: &str, text: &str) -> Result<Report, PlayError> {
    let folder = std::env::temp_dir();
    let play = parse(name, &format!("{HEAD}{text}"))?;
    play_script(&play, &folder, &Options::default())
}

const HEAD: &str = "play 1\nsize 80x24 locale en clock 2026-01-15T09:30:00+08:00 seed 7\n";

#[test]
fn two_runs_that_differ_only_in_their_seed_are_found_to_differ() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sessions");
    let of_seed = |seed: &str| {
        let head = HEAD.replace("seed 7", seed);
        let play = parse("x", &format!("{head}include to-dispensing.steps\n")).expect("parses");
        play_script(&play, &folder, &Options::default()).expect("plays")
    };
    let (seven, again, eight) = (of_seed("seed 7"), of_seed("seed 7"), of_seed("seed 8"));
    assert_eq!(seven.difference(&again), None);
    let difference = seven.difference(&eight).expect("a difference");
    assert!(difference.contains("evidence log"), "{difference}");
    assert_ne!(seven.root, eight.root);
    assert_ne!(seven.frames.digest, eight.frames.digest);
}

#[test]
fn a_secret_is_typed_by_name_and_never_as_its_name() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sessions");
    let typing = |line: &str| {
        let text = format!("{HEAD}include to-order.steps\n{line}\n");
        let play = parse("x", &text).expect("parses");
        play_script(&play, &folder, &Options::default()).expect("plays")
    };
    // `l` is the key that changes the language, so the name itself would be seen.
    let (named, spelt) = (typing("type @li-pin"), typing("press 1 3 5 7 9 0"));
    assert_eq!(named.frames, spelt.frames);
    assert_ne!(named.frames, typing("type li").frames);
}

#[test]
fn what_a_script_says_wrongly_is_a_script_error_in_its_place() {
    for (text, told) in [
        (
            "expect counter finger armz = 0\n",
            "x:3:1: finger counts no `armz`",
        ),
        ("\n  include no-such.steps\n", "x:4:3: cannot read"),
        ("press Entr\n", "x:3:7: unknown key"),
    ] {
        let error = play_text("x", text).expect_err("refused");
        assert_eq!(error.exit_code(), 2, "{error}");
        assert!(error.to_string().starts_with(told), "{error}");
    }
    let error = play_text("x", "\n\t device form-printer take\n").expect_err("nothing there");
    assert_eq!(error.exit_code(), 1, "{error}");
    assert!(
        error.to_string().starts_with("x:4:3: form-printer refuses"),
        "{error}"
    );
}

#[test]
fn files_that_include_each_other_for_ever_are_a_script_error() {
    let (folder, file) = copy_of("forged-id.play", |text| {
        format!("{text}include loop.steps\n")
    });
    std::fs::write(folder.join("loop.steps"), "include loop.steps\n").expect("writes");
    let error = play_file(&file, &Options::default()).expect_err("too deep");
    assert_eq!(error.exit_code(), 2);
    assert!(
        error.to_string().contains("loop.steps:1:1: files include"),
        "{error}"
    );
    std::fs::remove_dir_all(folder).expect("removes");
}

#[test]
fn blessing_changes_nothing_while_an_included_file_differs() {
    let (folder, file) = copy_of("copied-card.play", |text| {
        text.replace(
            "expect counter pin-pad",
            "include wrong.steps\nexpect counter pin-pad",
        )
    });
    std::fs::write(
        folder.join("wrong.steps"),
        "screen region=title\n  | WRONG\n",
    )
    .expect("writes");
    let before = std::fs::read_to_string(&file).expect("text");
    let error = bless_file(&file).expect_err("an included file is not blessed");
    assert!(error.to_string().contains("wrong.steps:1:1: "), "{error}");
    assert_eq!(std::fs::read_to_string(&file).expect("text"), before);
    std::fs::remove_dir_all(folder).expect("removes");
}

#[test]
fn blessing_keeps_elisions_beside_a_row_that_differs() {
    let rows = "  | Corporate [..] purchase\n  | ...\n  | Enter XX   L 中文\n";
    let (folder, file) = copy_of("copied-card.play", |text| {
        let head = text.split("press Enter").next().expect("a head");
        let head = head.replace("locale zh-Hans", "locale en");
        format!("{head}screen\n{rows}# after\n")
    });
    let error = play_file(&file, &Options::default()).expect_err("XX");
    let told = error.to_string();
    assert_eq!(told.matches("\n  -").count(), 1, "{told}");
    assert_eq!(bless_file(&file).expect("blesses").elisions_lost, 0);
    let text = std::fs::read_to_string(&file).expect("text");
    assert!(
        text.ends_with(&format!("{}# after\n", rows.replace("XX", "OK"))),
        "{text}"
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

/// Runs of `dddd dddd dddd dddd` in the printer's bytes: payment passwords in fours.
fn passwords_on(paper: &[u8]) -> Vec<String> {
    let is_grouped = |w: &&[u8]| {
        let lawful = |(at, byte): (usize, &u8)| match at % 5 {
            4 => *byte == b' ',
            _ => byte.is_ascii_digit(),
        };
        w.iter().enumerate().all(lawful)
    };
    let grouped = paper.windows(19).filter(is_grouped);
    let text = |w: &[u8]| String::from_utf8_lossy(w).into_owned();
    grouped.map(text).collect()
}

/// L7, I7: a whole sale with a sheet leaves its passwords in no row, no journal and no
/// compared screen or effect; only in the bytes that went to the receipt printer.
#[test]
fn the_passwords_of_a_sheet_are_on_its_paper_and_nowhere_else() {
    let paper = std::env::temp_dir().join(format!("counterfoil-paper-{}", std::process::id()));
    let options = Options {
        paper: Some(paper.clone()),
        ..Options::default()
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sessions");
    for (name, expected) in [
        ("password-sheet.play", 3),
        ("password-sheet-paper-out.play", 0),
    ] {
        let (_, report) = play_file(&folder.join(name), &options).expect("plays");
        let files = std::fs::read_dir(&paper).expect("paper");
        let files = files.map(|file| file.expect("an entry").path());
        let bytes = files.filter(|file| file.extension().is_some_and(|e| e == "bin"));
        let bytes: Vec<u8> = bytes
            .flat_map(|file| std::fs::read(file).expect("reads"))
            .collect();
        std::fs::remove_dir_all(&paper).expect("removes");
        let passwords = passwords_on(&bytes);
        assert_eq!(passwords.len(), expected, "{name}: on paper");
        let seen = format!("{:?}", report.seen);
        assert!(report.written.len() > 10_000, "the books are in it");
        for grouped in passwords {
            for secret in [grouped.replace(' ', ""), grouped] {
                let in_books = report.written.windows(secret.len());
                let found = in_books.filter(|w| *w == secret.as_bytes()).count();
                assert_eq!(found, 0, "{name}: written down");
                assert!(!seen.contains(&secret), "{name}: seen");
            }
        }
    }
}
