//! The binaries' shells: terminal on one side, loop on the other.
//!
//! Owns threads (the terminal reader), signals, stdout, key files and
//! configuration; holds no rule. `counterfoil-kiosk` and `counterfoil-teller`
//! call [`kiosk::main`] and [`teller::main`], and so does `counterfoil`.
//!
//! Exit codes: 0 done, 1 failed, 2 typed wrongly.

pub mod args;
pub mod config;
pub mod key_file;
pub mod kiosk;
pub mod signals;
mod staff;
pub mod teller;
pub mod tls;
mod view;

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::filter::LevelFilter;

use crate::cmd::Cmd;
use crate::input::Key;

/// Exit code of a command line that makes no sense.
pub const EXIT_USAGE: u8 = 2;
/// Environment variable with the least severe level that is logged.
pub const LOG_LEVEL: &str = "COUNTERFOIL_LOG";

/// What a key means at a kiosk. Interrupt and suspend keys mean nothing.
pub fn command(key: &Key) -> Option<Cmd> {
    Some(match key {
        Key::Up => Cmd::Up,
        Key::Down => Cmd::Down,
        Key::Left => Cmd::Left,
        Key::Right => Cmd::Right,
        Key::Enter => Cmd::Enter,
        Key::Esc => Cmd::Back,
        Key::Char(c @ '0'..='9') => Cmd::Digit(u8::try_from(c.to_digit(10)?).ok()?),
        Key::Char('l' | 'L') | Key::F(2) => Cmd::Language,
        Key::Char('c' | 'C') | Key::F(4) => Cmd::Clear,
        Key::Backspace => Cmd::Erase,
        // Numbers are written in groups, and typed so. "Press any key to go on": a
        // key without a meaning still says that somebody is there.
        Key::Char(' ' | '-') | Key::F(3) => Cmd::MoreTime,
        Key::Char(_) => Cmd::Other,
        _ => return None,
    })
}

/// What was typed, or the exit code of a command line that was not understood
/// (or that only asked for help).
fn typed<P: Parser>(args: impl IntoIterator<Item = std::ffi::OsString>) -> Result<P, ExitCode> {
    P::try_parse_from(args).map_err(|error| {
        let told = error.print();
        let failed = error.use_stderr() || told.is_err();
        ExitCode::from(if failed { EXIT_USAGE } else { 0 })
    })
}

/// Keeps the signing key out of core files and away from other processes of the same
/// user. A system that refuses is told of in the log, not fatal.
#[cfg(target_os = "linux")]
fn keep_memory_private() {
    use rustix::process::{DumpableBehavior, Resource, Rlimit};
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let cores = rustix::process::setrlimit(Resource::Core, none);
    let dumpable = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable);
    if let Err(error) = cores.and(dumpable) {
        tracing::warn!(%error, "a crash may write secrets to a core file: set ulimit -c 0");
    }
}

/// Other systems: the service manager must forbid core files.
#[cfg(not(target_os = "linux"))]
fn keep_memory_private() {}

/// The exit code of a run; a failure is told on stderr.
fn ended(name: &str, ran: anyhow::Result<()>) -> ExitCode {
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to try when even stderr is gone.
            writeln!(io::stderr(), "{name}: {error:#}").ok();
            ExitCode::FAILURE
        }
    }
}

/// Lines on stderr from `warn` on, or from the level [`LOG_LEVEL`] names. None
/// while stderr is the terminal that is drawn on. No event carries personal data.
fn log_to_stderr(drawing: bool) {
    if drawing && io::stderr().is_terminal() {
        return;
    }
    let level = std::env::var(LOG_LEVEL).ok();
    let level = level.and_then(|level| level.parse().ok());
    // A second call (several programs in one) keeps the first.
    let _ = tracing_subscriber::fmt()
        .with_max_level(level.unwrap_or(LevelFilter::WARN))
        .with_ansi(false)
        .with_writer(io::stderr)
        .try_init();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_end_programs_mean_nothing_at_a_kiosk() {
        for name in ["Ctrl-c", "Ctrl-d", "Ctrl-z", "Ctrl-q", "Tab"] {
            let key = Key::named(name).expect("a key");
            assert_eq!(command(&key), None, "{name}");
        }
        assert_eq!(command(&Key::Char('7')), Some(Cmd::Digit(7)));
        assert_eq!(command(&Key::Char('q')), Some(Cmd::Other), "any key");
        assert_eq!(
            command(&Key::Char('-')),
            Some(Cmd::MoreTime),
            "a group ends"
        );
        assert_eq!(command(&Key::Paste("7".to_owned())), None);
    }
}
