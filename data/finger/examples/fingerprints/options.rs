//! What was typed, and what it means.

use crate::change::Change;
use counterfoil_finger::synth::Contact;
use std::path::PathBuf;

/// Shown for `--help` and after a mistake.
pub const USE: &str = "\
use: just fingerprints DIR | --synthetic FINGERS  [options]
  DIR                  a set (FINGER_IMPRESSION.tif or .png, 8-bit grey) or a folder of sets
  --synthetic FINGERS  invented fingers instead
  --first SEED         of them (0): the calibration is of other fingers than those reported
  --impressions K      of each of them (2)
  --touch KIND         natural, poor, dry, wet, hard, light, off-centre, tip (natural)
  --dpi SET=N          resolution of a set, may be repeated (500)
  --scores FILE        a line for each pair: SET NAME_I NAME_J SCORE
  --out FOLDER         where the plots go (out/fingerprints)
  --change WHAT        disturb every odd impression: turn30, turn-30, shift40, four-bit, faint,
                       dark, invert
  --all                disturb all of them
  --drop-worst P       also without the P percent of lowest quality
  --enrolled N         also whole decisions: impressions 1..N enrolled, the others live
  --threads N          at work together (2)
  --rounds N           of the bootstrap (1000)";

/// How the synthetic finger touches.
pub type Touch = fn(u64) -> Contact;

/// Where the prints come from.
#[derive(Debug, Clone)]
pub enum Prints {
    Folder(PathBuf),
    Synthetic {
        first: u32,
        fingers: u32,
        impressions: u32,
        touch: Touch,
    },
}

/// Everything that was asked for.
#[derive(Debug)]
pub struct Options {
    pub prints: Prints,
    pub dpi: Vec<(String, u16)>,
    pub scores: Option<PathBuf>,
    pub out: PathBuf,
    pub change: Option<Change>,
    pub change_all: bool,
    pub drop_worst_percent: Option<u8>,
    pub enrolled: Option<usize>,
    pub threads: usize,
    pub rounds: usize,
}

/// Reads the words after the program's name.
///
/// # Errors
/// What was not understood, in words; empty if help was asked for.
pub fn parse(words: impl Iterator<Item = String>) -> Result<Options, String> {
    let (mut folder, mut fingers) = (None, None);
    let (mut first, mut impressions) = (0, 2);
    let mut touch: Touch = Contact::natural;
    let mut options = Options {
        prints: Prints::Folder(PathBuf::new()),
        dpi: Vec::new(),
        scores: None,
        out: "out/fingerprints".into(),
        change: None,
        change_all: false,
        drop_worst_percent: None,
        enrolled: None,
        threads: 2,
        rounds: 1000,
    };
    let mut words = words;
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word.as_str() {
            "--help" | "-h" => return Err(String::new()),
            "--synthetic" => fingers = Some(number(&word, &value()?, 2, 5_000)?),
            "--first" => first = number(&word, &value()?, 0, 1_000_000)?,
            "--impressions" => impressions = number(&word, &value()?, 1, 1_000)?,
            "--touch" => touch = kind(&value()?)?,
            "--dpi" => options.dpi.push(resolution(&value()?)?),
            "--scores" => options.scores = Some(value()?.into()),
            "--out" => options.out = value()?.into(),
            "--change" => options.change = Some(value()?.parse()?),
            "--all" => options.change_all = true,
            "--drop-worst" => {
                options.drop_worst_percent = Some(number(&word, &value()?, 1, 90)?);
            }
            "--enrolled" => options.enrolled = Some(number(&word, &value()?, 1, 8)?),
            "--threads" => options.threads = number(&word, &value()?, 1, 64)?,
            "--rounds" => options.rounds = number(&word, &value()?, 0, 100_000)?,
            _ if word.starts_with('-') => return Err(format!("no option {word}")),
            _ if folder.is_none() => folder = Some(PathBuf::from(word)),
            _ => return Err(format!("one folder at a time, {word} is a second one")),
        }
    }
    if options.change_all && options.change.is_none() {
        return Err("--all needs --change".to_owned());
    }
    options.prints = match (folder, fingers) {
        (Some(folder), None) => Prints::Folder(folder),
        (None, Some(fingers)) => Prints::Synthetic {
            first,
            fingers,
            impressions,
            touch,
        },
        _ => return Err("name a folder or --synthetic FINGERS".to_owned()),
    };
    Ok(options)
}

fn number<T>(option: &str, text: &str, least: T, most: T) -> Result<T, String>
where
    T: std::str::FromStr + PartialOrd + std::fmt::Display,
{
    let number = text.parse::<T>().ok();
    number
        .filter(|n| *n >= least && *n <= most)
        .ok_or_else(|| format!("{option} {text}: a number from {least} to {most} is needed"))
}

fn resolution(text: &str) -> Result<(String, u16), String> {
    let (set, dpi) = text.split_once('=').unwrap_or((text, ""));
    Ok((set.to_owned(), number("--dpi", dpi, 250, 1200)?))
}

fn kind(word: &str) -> Result<Touch, String> {
    Ok(match word {
        "natural" => Contact::natural,
        "poor" => Contact::poor,
        "dry" => Contact::dry,
        "wet" => Contact::wet,
        "hard" => Contact::hard,
        "light" => Contact::light,
        "off-centre" => Contact::off_centre,
        "tip" => Contact::tip,
        _ => return Err(format!("no touch {word:?}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(line: &str) -> Result<Options, String> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_stand_before_or_after_the_folder() {
        let options = typed("--dpi DB2_B=569 prints --dpi x/y=512 --change turn30 --all").unwrap();
        assert!(matches!(options.prints, Prints::Folder(f) if f.as_os_str() == "prints"));
        let dpi = [("DB2_B".to_owned(), 569), ("x/y".to_owned(), 512)];
        assert_eq!(options.dpi, dpi);
        assert_eq!(options.change, Some(Change::Turn(30)));
        assert!(options.change_all);
    }

    #[test]
    fn a_mistake_is_told_by_its_word() {
        for (line, told) in [
            ("", "name a folder"),
            ("prints --synthetic 5", "name a folder or"),
            ("a b", "b is a second one"),
            ("a --dpi DB2", "250 to 1200"),
            ("a --dpi DB2=10", "250 to 1200"),
            ("a --scores", "--scores needs a value"),
            ("a --drop-worst 95", "1 to 90"),
            ("a --change upside-down", "four-bit"),
            ("a --all", "needs --change"),
            ("a --fast", "no option --fast"),
            ("--synthetic 5 --touch soft", "no touch"),
        ] {
            let error = typed(line).unwrap_err();
            assert!(error.contains(told), "{line}: {error}");
        }
    }
}
