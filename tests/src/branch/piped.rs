//! `counterfoil` with its output piped: the sale script, its screens, a summary.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use super::{pictures_in, run_folder};
use crate::play::parse::parse;
use crate::play::run::{Options, PlayError, Report, play_script};

/// The main job as a script, one per language; built in, so that the program
/// needs no file.
const SALE_ZH: (&str, &str) = ("sale-zh.play", include_str!("../../sessions/sale-zh.play"));
/// See [`SALE_ZH`].
const SALE_EN: (&str, &str) = ("sale-en.play", include_str!("../../sessions/sale-en.play"));

/// Plays the sale in the language asked for; 0 when every screen and every
/// effect is as expected.
pub fn run(english: bool) -> ExitCode {
    let (name, text) = if english { SALE_EN } else { SALE_ZH };
    let folder = match run_folder() {
        Ok(folder) => folder,
        Err(error) => {
            let error = PlayError::Harness(format!("{error:#}"));
            say(&format!("FAILED: {error}"));
            return ExitCode::from(error.exit_code());
        }
    };
    match sale(name, text, &folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("DIFFERENT: {error}"));
            told_pictures(&folder);
            ExitCode::from(error.exit_code())
        }
    }
}

fn told_pictures(folder: &Path) {
    let pictures = pictures_in(folder).len();
    let folder = folder.display();
    say(&format!(
        "{pictures} pictures of forms and receipts in {folder}"
    ));
}

fn sale(name: &str, text: &str, folder: &Path) -> Result<(), PlayError> {
    let play = parse(name, text)?;
    let report: Report = play_script(
        &play,
        Path::new("."),
        &Options {
            paper: Some(folder.to_owned()),
            ..Options::default()
        },
    )?;
    for seen in &report.seen {
        let rows: Vec<&str> = seen.rows.iter().map(|row| row.trim_end()).collect();
        say(&format!("---- {name}, line {}", seen.block.0));
        say(&rows.join("\n"));
    }
    say(&format!(
        "\nsale played: {} steps, {} screens and effect lists compared, {} elisions, no difference",
        report.steps,
        report.seen.len(),
        report.elided
    ));
    told_pictures(folder);
    Ok(())
}

/// A closed pipe (`| head`) is no error.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}");
}

/// Plays the sale in both languages and leaves a PNG of every screen and every
/// printed paper: the pictures of the README come from here.
pub fn pictures(folder: &Path) -> Result<usize, PlayError> {
    for (name, text) in [SALE_ZH, SALE_EN] {
        let stem = name.trim_end_matches(".play");
        let into = folder.join(stem);
        std::fs::create_dir_all(&into)
            .map_err(|e| PlayError::Harness(format!("cannot make {}: {e}", into.display())))?;
        let options = Options {
            paper: Some(into.clone()),
            pictures: Some(into),
            ..Options::default()
        };
        play_script(&parse(name, text)?, Path::new("."), &options)?;
    }
    Ok(["sale-zh", "sale-en"]
        .iter()
        .map(|stem| pictures_in(&folder.join(stem)).len())
        .sum())
}
