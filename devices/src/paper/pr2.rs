//! Olivetti PR2 bytes as a sheet, struck by the same 24-pin head as
//! [`super::escp2`]: only the commands that place it differ.
//!
//! The device side, written from the PR2 emulation chapters of the Compuprint MDP40B
//! (appendix C), Tally T5023 and Olivetti PR45 manuals. Parameters are ASCII digits;
//! where the manuals give no count of digits it is three (our reading). Refuses to
//! guess: what is in no list is [`Step::Unknown`].

use super::canvas::Canvas;
use super::escp2::{self, Sheet};
use super::render::decode;
use super::{Ink, PaperError, stock};
use counterfoil_data::bill::BillNumber;
use counterfoil_data::form::FormTemplate;
use counterfoil_data::wire::hex;

/// Vertical steps an inch: the factory setting of the two a PR2 can be set to.
pub const STEPS_PER_INCH: i64 = 240;

/// One command, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Bytes of text, as they came (`20` and above).
    Text(Vec<u8>),
    /// CR.
    CarriageReturn,
    /// ESC 0: general reset.
    Reset,
    /// ESC l: reset of an error.
    ResetError,
    /// ESC j: asks for `ESC r x`.
    AskStatus,
    /// ESC SP B: asks for `ESC B id m ESC Z`.
    AskPosition,
    /// ESC L nnn: to this line; takes the document in first, if it is not.
    ToLine(u16),
    /// ESC / m nnn: to this step from the top (1) or the bottom (0) reference.
    ToStep(bool, u16),
    /// ESC | A nnn: left offset in 1/120 inch.
    LeftOffset(u16),
    /// ESC <, ESC =, ESC >, ESC ?: 10, 12, 17 and 15 characters an inch.
    Pitch(u8),
    /// ESC O: ejects the document.
    Eject,
}

/// What lies at the front of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A command and how many bytes it took.
    Command(Command, usize),
    /// The beginning of one.
    NeedMore,
    /// Nothing known; so many bytes name it.
    Unknown(usize),
}

/// Reads one command off the front.
pub fn next(bytes: &[u8]) -> Step {
    use Command as C;
    let two = |command| Step::Command(command, 2);
    match bytes {
        [] | [0x1B] | [0x1B, b' ' | b'/' | b'|' | b'L'] => Step::NeedMore,
        [0x0D, ..] => Step::Command(C::CarriageReturn, 1),
        [0x1B, b'0', ..] => two(C::Reset),
        [0x1B, b'l', ..] => two(C::ResetError),
        [0x1B, b'j', ..] => two(C::AskStatus),
        [0x1B, b'<', ..] => two(C::Pitch(10)),
        [0x1B, b'=', ..] => two(C::Pitch(12)),
        [0x1B, b'>', ..] => two(C::Pitch(17)),
        [0x1B, b'?', ..] => two(C::Pitch(15)),
        [0x1B, b'O', ..] => two(C::Eject),
        [0x1B, b' ', b'B', ..] => Step::Command(C::AskPosition, 3),
        [0x1B, b'L', rest @ ..] => digits(rest, 2, C::ToLine),
        [0x1B, b'/', m @ (b'0' | b'1'), rest @ ..] => digits(rest, 3, |n| C::ToStep(*m == b'1', n)),
        [0x1B, b'|', b'A', rest @ ..] => digits(rest, 3, C::LeftOffset),
        [0x1B, _, ..] => Step::Unknown(2),
        [first, ..] if *first >= 0x20 && *first != 0x7F => {
            let run = bytes.iter().take_while(|b| **b >= 0x20 && **b != 0x7F);
            let text: Vec<u8> = run.copied().collect();
            let taken = text.len();
            Step::Command(C::Text(text), taken)
        }
        _ => Step::Unknown(1),
    }
}

/// Three ASCII digits behind an introducer of `before` bytes.
fn digits(rest: &[u8], before: usize, make: impl FnOnce(u16) -> Command) -> Step {
    let given = rest.get(..rest.len().min(3)).unwrap_or(rest);
    if !given.iter().all(u8::is_ascii_digit) {
        return Step::Unknown(before);
    }
    match <[u8; 3]>::try_from(given) {
        Ok(three) => {
            let value = three.iter().fold(0_u16, |sum, digit| {
                let digit = u16::from(digit.saturating_sub(b'0'));
                sum.saturating_mul(10).saturating_add(digit)
            });
            Step::Command(make(value), before.saturating_add(3))
        }
        Err(_) => Step::NeedMore,
    }
}

/// A form as a PNG of 16 dots a millimetre.
pub fn form_png(
    template: &FormTemplate,
    number: BillNumber,
    bytes: &[u8],
) -> Result<Vec<u8>, PaperError> {
    form_canvas(template, number, bytes)?.png(&stock::PALETTE)
}

/// As [`form_png`], with the template of the number's own kind.
pub fn form_preview(number: BillNumber, bytes: &[u8]) -> Result<Vec<u8>, PaperError> {
    form_png(&super::template_of(number)?, number, bytes)
}

/// Where there is ink on the form; `None` without any.
pub fn form_ink(number: BillNumber, bytes: &[u8]) -> Result<Option<Ink>, PaperError> {
    let template = super::template_of(number)?;
    let canvas = form_canvas(&template, number, bytes)?;
    Ok(Ink::on(&canvas, 16, &template, texts(bytes)))
}

pub(super) fn form_canvas(
    template: &FormTemplate,
    number: BillNumber,
    bytes: &[u8],
) -> Result<Canvas, PaperError> {
    let height = i64::from(template.stock.height);
    struck(stock::blank(template, number)?.doubled(), height, bytes)
}

/// `bytes` on plain paper of this width and height in 0.1 mm.
///
/// # Errors
/// As [`escp2::plain_png`].
pub fn plain_png(width: u32, height: u32, bytes: &[u8]) -> Result<Vec<u8>, PaperError> {
    struck(escp2::plain(width, height)?, i64::from(height), bytes)?.png(&stock::PALETTE)
}

/// The texts in `bytes`, in the order they come.
pub fn texts(bytes: &[u8]) -> Vec<String> {
    let mut rest = bytes;
    let mut found = Vec::new();
    loop {
        let taken = match next(rest) {
            Step::Command(Command::Text(run), taken) => {
                found.extend(decode(&run));
                taken
            }
            Step::Command(_, taken) | Step::Unknown(taken) => taken,
            Step::NeedMore => return found,
        };
        rest = rest.get(taken..).unwrap_or_default();
    }
}

/// `bytes` struck on a sheet `height` tenths of a millimetre high.
fn struck(canvas: Canvas, height: i64, bytes: &[u8]) -> Result<Canvas, PaperError> {
    let mut sheet = Sheet::new(canvas);
    sheet.execute(escp2::command::Command::Chinese(true))?;
    let mut unknown = Vec::new();
    let mut left = 0;
    let mut rest = bytes;
    while !rest.is_empty() {
        let (command, taken) = match next(rest) {
            Step::Command(command, taken) => (Some(command), taken),
            Step::Unknown(taken) => (None, taken),
            Step::NeedMore => (None, rest.len()),
        };
        let (raw, behind) = rest.split_at(taken.min(rest.len()));
        rest = behind;
        match command {
            Some(command) => place(&mut sheet, &mut left, height, command)?,
            None => unknown.push(hex(raw)),
        }
    }
    if unknown.is_empty() {
        return Ok(sheet.into_canvas());
    }
    Err(PaperError::Unknown(unknown.join(" ")))
}

/// Places the head or strikes; `left` is the left offset in 1/3600 inch.
fn place(
    sheet: &mut Sheet,
    left: &mut i64,
    height: i64,
    command: Command,
) -> Result<(), PaperError> {
    use escp2::command::Command as Head;
    match command {
        Command::Text(run) => sheet.execute(Head::Text(run))?,
        Command::CarriageReturn => sheet.move_to(Some(*left), None),
        Command::LeftOffset(n) => {
            *left = i64::from(n).saturating_mul(30);
            sheet.move_to(Some(*left), None);
        }
        Command::ToLine(n) => {
            let lines = i64::from(n.saturating_sub(1));
            sheet.move_to(None, Some(lines.saturating_mul(600)));
        }
        Command::ToStep(from_top, n) => {
            let steps = i64::from(n).saturating_mul(3_600 / STEPS_PER_INCH);
            let bottom = height.saturating_mul(36_000) / 2_540;
            let y = if from_top {
                steps
            } else {
                bottom.saturating_sub(steps)
            };
            sheet.move_to(None, Some(y));
        }
        Command::Pitch(n) => sheet.execute(Head::Pitch(n))?,
        Command::Eject => sheet.execute(Head::FormFeed)?,
        Command::Reset | Command::ResetError | Command::AskStatus | Command::AskPosition => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests;
