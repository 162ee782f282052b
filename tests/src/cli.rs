//! `counterfoil`: a branch in one terminal, and every other program by name.
//!
//! Without arguments: the branch, with a person at the keys where there is a
//! terminal, else the sale script. `kiosk`, `teller`, `backend` and `devices`
//! are the installed programs of those names; their arguments are theirs.
//!
//! Exit codes of `play`: 0 as expected, 1 something differs, 2 a script cannot
//! be understood, 3 the house could not be set up. Those of `crash` are in
//! [`crate::crash`].

use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use counterfoil_data::wire::hex;
use counterfoil_tui::model::Language;
use counterfoil_tui::shell::args::Tongue;
use counterfoil_tui::shell::{self, EXIT_USAGE};
use serde_json::{Value, json};

use crate::play::bless::bless_file;
use crate::play::run::{Options, PlayError, Report, play_file};
use crate::world::Stand;
use crate::{attack, branch, cost, crash, kill};

/// Counterfoil: a self-service kiosk for corporate cheques, its backend and its
/// devices.
#[derive(Debug, Parser)]
#[command(name = "counterfoil", version, after_help = PROGRAMS)]
struct Cli {
    /// Language of the branch.
    #[arg(long, value_enum, default_value = "zh-hans", global = true)]
    language: Tongue,
    /// Which devices stand in the branch.
    #[arg(long, value_enum, default_value = "demo")]
    stand: Stand,
    #[command(subcommand)]
    task: Option<Task>,
}

const PROGRAMS: &str = "Programs with arguments of their own: kiosk, teller, backend, devices \
                        (for example `counterfoil kiosk --help`). Without arguments: a whole \
                        branch in this terminal.";

#[derive(Debug, Subcommand)]
enum Task {
    /// A whole branch in this terminal; the same as no arguments.
    Demo,
    /// Play scripts; exit code 1 if anything differs.
    Play(PlayArgs),
    /// Kill real processes in the middle of sales and audit what is left.
    Crash(crash::CrashArgs),
    /// Kill the backend under the load of many kiosks; they judge what is left.
    Kill(kill::KillArgs),
    /// Fill the small disk that this folder is on while kiosks sell.
    DiskFull(kill::full::FullArgs),
    /// Draw the screens and the paper of the main job into a folder.
    Pictures {
        /// Where to.
        folder: PathBuf,
    },
    /// Measure the kiosk: first frame, memory, idle processor time.
    KioskCost,
    /// Flood a backend with wrong PINs while others sell; exit code 1 if they suffer.
    AttackFlood(attack::FloodArgs),
    /// Attack a backend slowly, silently and at length; exit code 1 if others suffer.
    AttackSlow(attack::SlowArgs),
    /// The attacking process of the two.
    #[command(hide = true)]
    Attack(attack::AttackArgs),
}

#[derive(Debug, clap::Args)]
struct PlayArgs {
    /// Scripts.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Where scripts are played: in this process under virtual time.
    #[arg(long, value_enum, default_value = "inproc")]
    driver: Driver,
    /// Rewrite the screens that differ; effects are never rewritten.
    #[arg(long, conflicts_with = "times")]
    bless: bool,
    /// Play each so many times; every run must be the same.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    times: u32,
    /// One line of JSON for each script.
    #[arg(long)]
    json: bool,
}

/// Drivers of scripts. A pty and SSH are to come; a script says the same to all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Driver {
    /// The whole house in this process, paused time.
    Inproc,
}

/// Runs the command line, program name first.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    let theirs = args.iter().skip(1).cloned();
    match args.get(1).and_then(|word| word.to_str()) {
        Some("kiosk") => return shell::kiosk::main(theirs),
        Some("teller") => return shell::teller::main(theirs),
        Some("backend") => return counterfoil_backend::app::main(theirs),
        Some("devices") => return counterfoil_devices::cli::main(theirs),
        _ => {}
    }
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            let told = error.print();
            let failed = error.use_stderr() || told.is_err();
            return ExitCode::from(if failed { EXIT_USAGE } else { 0 });
        }
    };
    match cli.task {
        None | Some(Task::Demo) => a_branch(cli.language.into(), cli.stand),
        Some(Task::Play(args)) => plays(&args),
        Some(Task::Crash(args)) => crash::run(&args),
        Some(Task::Kill(args)) => kill::run(&args),
        Some(Task::DiskFull(args)) => kill::full::run(&args),
        Some(Task::Pictures { folder }) => pictures(&folder),
        Some(Task::KioskCost) => cost::run(),
        Some(Task::AttackFlood(args)) => attack::flood(&args),
        Some(Task::AttackSlow(args)) => attack::slow(&args),
        Some(Task::Attack(args)) => attack::attack(&args),
    }
}

fn a_branch(language: Language, stand: Stand) -> ExitCode {
    if io::stdout().is_terminal() && io::stdin().is_terminal() {
        branch::interactive(language, stand)
    } else {
        branch::piped::run(language == Language::En)
    }
}

fn pictures(folder: &Path) -> ExitCode {
    match branch::piped::pictures(folder) {
        Ok(count) => {
            say(&format!("{count} pictures in {}", folder.display()));
            ExitCode::SUCCESS
        }
        Err(error) => {
            say(&format!("FAILED: {error}"));
            ExitCode::from(error.exit_code())
        }
    }
}

fn plays(args: &PlayArgs) -> ExitCode {
    let Driver::Inproc = args.driver;
    let mut worst = 0;
    for file in &args.files {
        let played = if args.bless {
            bless_file(file).map(|blessed| (blessed.to_string(), json!({})))
        } else {
            times(file, args.times)
        };
        let exit = played.as_ref().map_or_else(PlayError::exit_code, |_| 0);
        worst = worst.max(exit);
        let name = file.display().to_string();
        say(&match played {
            Ok((_, facts)) if args.json => {
                json!({"file": name, "exit": exit, "report": facts}).to_string()
            }
            Err(error) if args.json => {
                json!({"file": name, "exit": exit, "error": error.to_string()}).to_string()
            }
            Ok((what, _)) => format!("ok {name}: {what}"),
            Err(error) => format!("FAILED {name}: {error}"),
        });
    }
    ExitCode::from(worst)
}

/// Plays a script several times; a run that differs from the first is a failure.
/// What came of it, in words and as JSON.
fn times(file: &Path, times: u32) -> Result<(String, Value), PlayError> {
    let options = Options::default();
    let (_, first) = play_file(file, &options)?;
    for run in 1..times {
        let (_, again) = play_file(file, &options)?;
        if let Some(what) = first.difference(&again) {
            let run = run.saturating_add(1);
            return Err(PlayError::Harness(format!(
                "run {run} differs from the first in {what}: something is not decided by the seed"
            )));
        }
    }
    let Report {
        steps,
        elided,
        frames,
        leaves,
        root,
        ..
    } = first;
    let (runs, screens) = (times.max(1), frames.count);
    let mut words = format!("{steps} steps, {elided} elisions, {screens} screens, {leaves} leaves");
    if runs > 1 {
        words.push_str(&format!(", {runs} equal runs"));
    }
    let facts = json!({
        "steps": steps, "elisions": elided, "runs": runs, "screens": screens,
        "screens_digest": hex(&frames.digest.0), "leaves": leaves,
        "evidence_root": root.map(|root| hex(&root.0)),
    });
    Ok((words, facts))
}

/// A line on stdout; a closed pipe (`| head`) is no error.
pub(crate) fn say(line: &str) {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }
}
