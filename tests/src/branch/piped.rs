//! `counterfoil` with its output piped: the sale script, its screens, a summary.

use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::process::ExitCode;

use super::{complain, pictures_in, run_folder};
use crate::play::parse::parse;
use crate::play::run::{Options, PlayError, Report, play_script};

/// The main job as a script, one per language; built in, so that the program
/// needs no file.
const SALE_ZH: (&str, &str) = ("sale-zh.play", include_str!("../../sessions/sale-zh.play"));
/// See [`SALE_ZH`].
const SALE_EN: (&str, &str) = ("sale-en.play", include_str!("../../sessions/sale-en.play"));

/// Plays the sale in the language asked for; 0 when every screen and every
/// effect is as expected, and all of it could be told.
pub fn run(english: bool) -> ExitCode {
    let (name, text) = if english { SALE_EN } else { SALE_ZH };
    let mut told = String::new();
    let played = run_folder()
        .map_err(|error| PlayError::Harness(format!("{error:#}")))
        .and_then(|folder| {
            let played = sale(name, text, &folder, &mut told);
            tell_pictures(&folder, &mut told);
            played
        });
    let code = match played {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            told.push_str(&format!("DIFFERENT: {error}\n"));
            ExitCode::from(error.exit_code())
        }
    };
    let mut out = std::io::stdout().lock();
    match out.write_all(told.as_bytes()).and_then(|()| out.flush()) {
        // Whoever closed the pipe (`| head`) has read enough.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            complain(&format!("counterfoil: cannot write: {error}"));
            ExitCode::FAILURE
        }
        _ => code,
    }
}

fn tell_pictures(folder: &Path, told: &mut String) {
    let pictures = pictures_in(folder).len();
    let folder = folder.display();
    told.push_str(&format!(
        "{pictures} pictures of forms and receipts in {folder}\n"
    ));
}

fn sale(name: &str, text: &str, folder: &Path, told: &mut String) -> Result<(), PlayError> {
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
        let (line, _) = seen.block;
        told.push_str(&format!("---- {name}, line {line}\n{}\n", rows.join("\n")));
    }
    told.push_str(&format!(
        "\nsale played: {} steps, {} screens and effect lists compared, {} elisions, no difference\n",
        report.steps,
        report.seen.len(),
        report.elided
    ));
    Ok(())
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
