//! ESC/P2 bytes as a sheet: where a 24-pin head would strike.
//!
//! Owns the head's position in 1/3600 inch, the units with their traps, and the
//! pins; every pin is drawn as large as it is, 0.2 mm, on a canvas of 16 dots a
//! millimetre. Refuses what [`super`] refuses, and ink after the sheet was ejected.
//! Called by the twin, by tests and by the fuzz targets.
//!
//! The traps: ESC \ counts 1/180 inch in letter quality and 1/120 in draft, which is
//! what ESC @ leaves; ESC $ counts 1/60; ESC ( U changes both, and ESC ( V and ( v;
//! ESC ( V cannot go back more than 179/360 inch and is ignored then; ESC J counts
//! 1/180 whatever the unit is and does not return the carriage.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "1/3600 inch in i64: commands move at most 2^16 units of 255, a stream has below 2^40 of them; the canvas checks every dot"
)]

pub mod command;
#[cfg(test)]
mod tests;

use self::command::{Command, Density, Step};
use super::canvas::Canvas;
use super::glyph::{self, Font};
use super::render::{INK, decode};
use super::{Ink, PaperError, stock};
use counterfoil_data::bill::BillNumber;
use counterfoil_data::form::{FormTemplate, SIDE_MAX};
use counterfoil_data::wire::hex;

/// Canvas dots a millimetre: a pin is three of them.
pub const DOTS_PER_MM: i64 = 16;
/// Pins from centre to centre, in 1/3600 inch.
const PIN: i64 = 20;
/// Furthest ESC ( V goes back, in 1/3600 inch.
const BACK_MAX: i64 = 1_790;
/// Furthest the head is followed, in 1/3600 inch: beyond it is off any paper.
const FAR: i64 = 3_600 * 100;

/// The head and what is set.
#[derive(Debug, Clone)]
struct Head {
    x: i64,
    y: i64,
    /// ESC ( U, in 1/3600 inch.
    unit: Option<i64>,
    letter_quality: bool,
    pitch: i64,
    spacing: i64,
    left: i64,
    top: i64,
    chinese: bool,
    wide: bool,
    chinese_wide: bool,
    quad: bool,
    chinese_space: (i64, i64),
    half_space: (i64, i64),
    bold: bool,
    underline: bool,
}

impl Head {
    fn new(y: i64) -> Self {
        Self {
            x: 0,
            y,
            unit: None,
            letter_quality: false,
            pitch: 360,
            spacing: 600,
            left: 0,
            top: 0,
            chinese: false,
            wide: false,
            chinese_wide: false,
            quad: false,
            chinese_space: (0, 0),
            half_space: (0, 0),
            bold: false,
            underline: false,
        }
    }
}

/// A sheet in the printer.
pub(super) struct Sheet {
    canvas: Canvas,
    head: Head,
    /// Where the current line's ESC @ or load put the top of form.
    form: i64,
    ejected: bool,
    unknown: Vec<String>,
}

/// A form as a PNG of 16 dots a millimetre: the blank of `template` in light
/// colours, what `bytes` strike on it in dark blue.
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

/// `bytes` on plain paper of this width and height in 0.1 mm.
///
/// # Errors
/// [`PaperError::OffPaper`] beyond [`SIDE_MAX`], else as [`form_png`].
pub fn plain_png(width: u32, height: u32, bytes: &[u8]) -> Result<Vec<u8>, PaperError> {
    struck(plain(width, height)?, bytes)?.png(&stock::PALETTE)
}

/// White paper.
pub(super) fn plain(width: u32, height: u32) -> Result<Canvas, PaperError> {
    let dots = |tenths: u32| {
        let dots = tenths.min(SIDE_MAX.saturating_add(1)) * 16 / 10;
        usize::try_from(dots).unwrap_or(usize::MAX)
    };
    let (x, y) = (dots(width), dots(height));
    if width.max(height) > SIDE_MAX {
        return Err(PaperError::OffPaper { x, y });
    }
    Ok(Canvas::new(x, y))
}

/// The texts struck in the printer's own type; what came as a picture is not among
/// them.
pub fn texts(bytes: &[u8]) -> Vec<String> {
    let mut rest = bytes;
    let mut found = Vec::new();
    loop {
        let taken = match command::next(rest) {
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

pub(super) fn form_canvas(
    template: &FormTemplate,
    number: BillNumber,
    bytes: &[u8],
) -> Result<Canvas, PaperError> {
    struck(stock::blank(template, number)?.doubled(), bytes)
}

/// The canvas with the strikes of `bytes` on it.
fn struck(canvas: Canvas, bytes: &[u8]) -> Result<Canvas, PaperError> {
    let mut sheet = Sheet::new(canvas);
    sheet.run(bytes)?;
    Ok(sheet.canvas)
}

impl Sheet {
    /// With the head at its upper left corner.
    pub(super) fn new(canvas: Canvas) -> Self {
        Self {
            canvas,
            head: Head::new(0),
            form: 0,
            ejected: false,
            unknown: Vec::new(),
        }
    }

    /// What was struck.
    pub(super) fn into_canvas(self) -> Canvas {
        self.canvas
    }

    /// Places the head, in 1/3600 inch.
    pub(super) fn move_to(&mut self, x: Option<i64>, y: Option<i64>) {
        self.head.x = x.unwrap_or(self.head.x).clamp(-FAR, FAR);
        self.head.y = y.unwrap_or(self.head.y).clamp(-FAR, FAR);
    }

    fn run(&mut self, bytes: &[u8]) -> Result<(), PaperError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let taken = match command::next(rest) {
                Step::Command(command, taken) => {
                    self.execute(command)?;
                    taken
                }
                Step::Unknown(count) => {
                    let shown = rest.get(..count.min(rest.len())).unwrap_or(rest);
                    self.unknown.push(hex(shown));
                    shown.len()
                }
                Step::NeedMore => {
                    self.unknown.push(hex(rest));
                    rest.len()
                }
            };
            rest = rest.get(taken..).unwrap_or_default();
        }
        if self.unknown.is_empty() {
            return Ok(());
        }
        Err(PaperError::Unknown(self.unknown.join(" ")))
    }

    pub(super) fn execute(&mut self, command: Command) -> Result<(), PaperError> {
        use Command as C;
        let head = &mut self.head;
        match command {
            C::Text(run) => self.text(&run)?,
            C::Image(density, data) => self.image(density, &data)?,
            C::CarriageReturn => head.x = head.left,
            C::LineFeed => {
                head.x = head.left;
                head.y += head.spacing;
                head.chinese_wide = false;
            }
            C::FormFeed | C::Sheet(b'R') => self.ejected = true,
            C::Initialise => {
                self.form = head.y;
                *head = Head::new(head.y);
            }
            C::Unit(m) => head.unit = Some(i64::from(m)),
            C::PageFormat(top, _) => {
                head.top = i64::from(top) * head.unit.unwrap_or(10);
                head.y = self.form + head.top;
            }
            C::AbsoluteY(n) => {
                let to = self.form + head.top + i64::from(n) * head.unit.unwrap_or(10);
                if head.y - to <= BACK_MAX {
                    head.y = to;
                }
            }
            C::RelativeY(n) => {
                let by = i64::from(n) * head.unit.unwrap_or(10);
                if -by <= BACK_MAX {
                    head.y += by;
                }
            }
            C::AbsoluteX(n) => head.x = head.left + i64::from(n) * head.unit.unwrap_or(60),
            C::RelativeX(n) => {
                let plain = if head.letter_quality { 20 } else { 30 };
                head.x += i64::from(n) * head.unit.unwrap_or(plain);
            }
            C::Feed(n) => head.y += i64::from(n) * PIN,
            C::LineSpacing(n) => head.spacing = i64::from(n) * 10,
            C::Margin(false, n) => {
                head.left = i64::from(n) * head.pitch;
                head.x = head.x.max(head.left);
            }
            C::Chinese(on) => head.chinese = on,
            C::ChineseWide { on, quad: true } => head.quad = on,
            C::ChineseWide { on, quad: false } => head.chinese_wide = on,
            C::ChineseSpace(a, b) => head.chinese_space = (i64::from(a), i64::from(b)),
            C::HalfSpace(a, b) => head.half_space = (i64::from(a), i64::from(b)),
            C::LetterQuality(on) => head.letter_quality = on,
            C::Pitch(n) => head.pitch = 3_600 / i64::from(n.max(1)),
            C::Emphasis(on) => head.bold = on,
            C::Underline(on) => head.underline = on,
            C::Wide(on) => head.wide = on,
            C::Nothing
            | C::PageLength(_)
            | C::Margin(true, _)
            | C::Horizontal
            | C::Unidirectional(_)
            | C::Sheet(_)
            | C::Setting => {}
        }
        let far = |n: i64| n.clamp(-FAR, FAR);
        (self.head.x, self.head.y) = (far(self.head.x), far(self.head.y));
        Ok(())
    }

    fn text(&mut self, run: &[u8]) -> Result<(), PaperError> {
        if !self.head.chinese && !run.is_ascii() {
            return Err(PaperError::BadText);
        }
        for character in decode(run).ok_or(PaperError::BadText)?.chars() {
            self.character(character)?;
        }
        Ok(())
    }

    /// 24 pins high; a hanzi 24 dots wide with its spacing, others one pitch.
    fn character(&mut self, character: char) -> Result<(), PaperError> {
        let cell = glyph::cell(character, Font::Large)?;
        let head = self.head.clone();
        let full = !character.is_ascii();
        let (before, after) = match (full, head.chinese) {
            (true, _) => head.chinese_space,
            (false, true) => head.half_space,
            (false, false) => (0, 0),
        };
        let columns = Font::Large.columns(character);
        let natural = if full { 24 * PIN } else { head.pitch };
        let wide = if full { head.chinese_wide } else { head.wide } || head.quad;
        let (factor, tall) = (1 + i64::from(wide), 1 + i64::from(head.quad));
        let start = head.x + before * PIN;
        let across = i64::try_from(columns).unwrap_or(1);
        for row in 0..Font::Large.rows() {
            for column in (0..columns).filter(|column| cell(*column, row)) {
                let (column, row) = (
                    i64::try_from(column).unwrap_or(0),
                    i64::try_from(row).unwrap_or(0),
                );
                let x = start + column * natural * factor / across;
                let y = head.y + row * tall * PIN;
                for step in 0..tall {
                    self.pin(x, y + step * PIN)?;
                    if head.bold || factor > 1 {
                        self.pin(x + natural / across / (3 - factor), y + step * PIN)?;
                    }
                }
            }
        }
        let width = natural * factor;
        if head.underline {
            for x in (start..start + width).step_by(20) {
                self.pin(x, head.y + 23 * PIN)?;
            }
        }
        self.head.x = start + width + after * PIN;
        Ok(())
    }

    fn image(&mut self, density: Density, data: &[u8]) -> Result<(), PaperError> {
        let across = 3_600 / i64::from(density.per_inch.max(1));
        let down = if density.bytes == 1 { 3 * PIN } else { PIN };
        for column in data.chunks_exact(usize::from(density.bytes.max(1))) {
            for (index, byte) in (0..).zip(column) {
                for bit in (0..8).filter(|bit| byte >> (7 - bit) & 1 == 1) {
                    let row = index * 8 + i64::from(bit);
                    self.pin(self.head.x, self.head.y + row * down)?;
                }
            }
            self.head.x += across;
        }
        Ok(())
    }

    /// One strike, its centre here (1/3600 inch from the sheet's upper left corner,
    /// half a pin in).
    fn pin(&mut self, x: i64, y: i64) -> Result<(), PaperError> {
        let dot = |n: i64| (n + PIN / 2) * 254 * DOTS_PER_MM / 36_000;
        let place = |n: i64| usize::try_from(dot(n)).ok();
        let (Some(x), Some(y), false) = (place(x), place(y), self.ejected) else {
            return Err(PaperError::OffPaper { x: 0, y: 0 });
        };
        self.canvas.set(x, y, INK)?;
        self.canvas
            .fill(x.saturating_sub(1), y.saturating_sub(1), 3, 3, INK);
        Ok(())
    }
}
