//! The binaries' shells: terminal on one side, loop on the other.
//!
//! Owns threads (the terminal reader), signals, stdout and configuration; holds
//! no rule. `counterfoil-kiosk` and `counterfoil-teller` call [`kiosk`] and
//! [`teller`].

use std::io::{self, Write as _};

use crate::cmd::Cmd;
use crate::input::Key;

/// Exit code of a command line that makes no sense.
pub const EXIT_USAGE: u8 = 2;

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
        Key::Char('?') | Key::F(1) => Cmd::CallStaff,
        Key::Char('+') | Key::F(3) => Cmd::MoreTime,
        _ => return None,
    })
}

/// One line of JSON on stdout: for programs that read screens instead of cells.
pub fn json_line(value: &impl serde::Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value).map_err(io::Error::other)?;
    line.push(b'\n');
    let mut out = io::stdout().lock();
    out.write_all(&line)?;
    out.flush()
}
