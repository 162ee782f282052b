//! ESC/POS drawn on a canvas: standard mode for receipts, page mode for forms.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "sums of dots: positions are 16 bit, cells at most 192, lines bounded by the paper; the canvas checks every dot"
)]

use encoding_rs::GB18030;

use super::canvas::Canvas;
use super::command::{self, Command, Qr, Step};
use super::glyph::{self, Font};
use super::{PaperError, RECEIPT_HEIGHT_MAX, RECEIPT_WIDTH};
use counterfoil_data::wire::hex;

/// Index of ink on the canvas.
pub(super) const INK: u8 = 1;
/// Dots from line to line when none are asked for.
const LINE: usize = 32;
/// Modules of white around a QR symbol.
const QUIET: usize = 4;
/// Empty rows fed before a cut.
const CUT_FEED: usize = 40;

/// Text of a run of bytes, if it is GB18030.
pub(super) fn decode(run: &[u8]) -> Option<String> {
    GB18030
        .decode_without_bom_handling_and_without_replacement(run)
        .map(|text| text.into_owned())
}

/// See [`super::line_dots`].
pub(super) fn line_dots(text: &str, font: Font) -> Result<Vec<Vec<u8>>, PaperError> {
    let width: usize = text.chars().map(|c| font.columns(c)).sum();
    let mut rows = vec![vec![0; width.div_ceil(8)]; font.rows()];
    let mut x = 0;
    for character in text.chars() {
        let cell = glyph::cell(character, font)?;
        for (y, row) in rows.iter_mut().enumerate() {
            for column in (0..font.columns(character)).filter(|column| cell(*column, y)) {
                if let Some(byte) = row.get_mut((x + column) / 8) {
                    *byte |= 0x80 >> ((x + column) % 8);
                }
            }
        }
        x += font.columns(character);
    }
    Ok(rows)
}

/// Something on the current line.
enum Item {
    Character(char, Style),
    Symbol(qrcode::QrCode, usize),
    /// What follows begins so many dots from the left.
    At(usize),
}

#[derive(Clone, Copy)]
struct Style {
    font: Font,
    wide: usize,
    high: usize,
    bold: bool,
}

impl Item {
    fn width(&self) -> usize {
        match self {
            Self::Character(c, style) => style.font.columns(*c) * style.wide,
            Self::Symbol(code, dots) => (code.width() + 2 * QUIET) * dots,
            Self::At(_) => 0,
        }
    }

    fn height(&self) -> usize {
        match self {
            Self::Character(_, style) => style.font.rows() * style.high,
            Self::Symbol(code, dots) => (code.width() + 2 * QUIET) * dots,
            Self::At(_) => 0,
        }
    }

    /// Where the next one begins, behind one that begins at `x`.
    fn end(&self, x: usize) -> usize {
        match self {
            Self::At(to) => *to,
            item => x + item.width(),
        }
    }
}

/// The printer as far as ink goes.
pub(super) struct Renderer {
    canvas: Canvas,
    grows: bool,
    page: Option<(usize, usize)>,
    style: Style,
    chinese: bool,
    justify: u8,
    spacing: usize,
    line: Vec<Item>,
    y: usize,
    qr_dots: usize,
    qr_level: qrcode::EcLevel,
    qr_data: Vec<u8>,
    unknown: Vec<String>,
}

impl Renderer {
    fn new(canvas: Canvas, grows: bool) -> Self {
        Self {
            canvas,
            grows,
            page: None,
            style: Style {
                font: Font::Large,
                wide: 1,
                high: 1,
                bold: false,
            },
            chinese: true,
            justify: 0,
            spacing: LINE,
            line: Vec::new(),
            y: 0,
            qr_dots: 3,
            qr_level: qrcode::EcLevel::L,
            qr_data: Vec::new(),
            unknown: Vec::new(),
        }
    }

    /// Receipt paper, growing.
    pub fn receipt() -> Self {
        Self::new(Canvas::new(RECEIPT_WIDTH, 1), true)
    }

    /// A sheet of a fixed size.
    pub fn page(canvas: Canvas) -> Self {
        Self::new(canvas, false)
    }

    /// The paper.
    pub fn finish(self) -> Canvas {
        self.canvas
    }

    /// Executes all of `bytes`.
    pub fn run(&mut self, bytes: &[u8]) -> Result<(), PaperError> {
        let mut rest = bytes;
        loop {
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
                Step::NeedMore if rest.is_empty() => break,
                Step::NeedMore => {
                    self.unknown.push(hex(rest));
                    break;
                }
            };
            rest = rest.get(taken..).unwrap_or_default();
        }
        if self.unknown.is_empty() {
            Ok(())
        } else {
            Err(PaperError::Unknown(self.unknown.join(" ")))
        }
    }

    fn execute(&mut self, command: Command) -> Result<(), PaperError> {
        use Command as C;
        match command {
            C::Text(run) => self.text(&run)?,
            C::LineFeed => self.line_feed()?,
            C::FeedLines(n) => {
                self.line_feed()?;
                self.y += self.spacing * usize::from(n).saturating_sub(1);
            }
            C::FeedDots(n) => self.print_line(usize::from(n))?,
            C::Cut(n) => {
                self.y += CUT_FEED + usize::from(n);
                self.reach(self.y)?;
            }
            C::Initialise => {
                let canvas = std::mem::replace(&mut self.canvas, Canvas::new(0, 0));
                let (grows, y) = (self.grows, self.y);
                let unknown = std::mem::take(&mut self.unknown);
                *self = Self::new(canvas, grows);
                (self.y, self.unknown) = (y, unknown);
            }
            C::Font(n) | C::ChineseFont(n) => {
                self.style.font = if n == 2 { Font::Small } else { Font::Large };
            }
            C::Chinese(on) => self.chinese = on,
            C::ChineseMode(n) => {
                self.style.wide = 1 + usize::from(n >> 2 & 1);
                self.style.high = 1 + usize::from(n >> 3 & 1);
            }
            C::Justify(n) => self.justify = n & 3,
            C::Emphasis(on) => self.style.bold = on,
            C::Size(n) => {
                self.style.wide = usize::from(n >> 4 & 7) + 1;
                self.style.high = usize::from(n & 7) + 1;
            }
            C::LineSpacing(n) => self.spacing = n.map_or(LINE, usize::from),
            C::PageMode => self.page = Some((0, 0)),
            C::StandardMode | C::FormFeed => self.page = None,
            // Forgetting what was collected is the twin's; here it never was ink.
            C::Cancel => self.page = self.page.map(|_| (0, 0)),
            C::AbsoluteX(x) => {
                let x = usize::from(x);
                match &mut self.page {
                    Some((at, _)) => *at = x,
                    None => self.line.push(Item::At(x)),
                }
            }
            C::AbsoluteY(y) => {
                if let Some((_, at)) = &mut self.page {
                    *at = usize::from(y);
                }
            }
            C::Raster {
                width,
                height,
                data,
            } => self.raster(usize::from(width), usize::from(height), &data)?,
            C::Qr(function) => self.qr(function)?,
            _ => {}
        }
        Ok(())
    }

    fn text(&mut self, run: &[u8]) -> Result<(), PaperError> {
        if !self.chinese && !run.is_ascii() {
            return Err(PaperError::BadText);
        }
        let text = decode(run).ok_or(PaperError::BadText)?;
        for character in text.chars() {
            let item = Item::Character(character, self.style);
            let width = item.width();
            if let Some((x, baseline)) = self.page {
                let ascent = self.style.font.ascent() * self.style.high;
                let top = baseline.checked_sub(ascent);
                let top = top.ok_or(PaperError::OffPaper { x, y: 0 })?;
                self.draw(&item, x, top)?;
                self.page = Some((x + width, baseline));
                continue;
            }
            if self.line_width() + width > self.canvas.width() {
                self.line_feed()?;
            }
            self.line.push(item);
        }
        Ok(())
    }

    fn line_width(&self) -> usize {
        self.line.iter().fold(0, |x, item| item.end(x))
    }

    /// Makes the paper reach row `bottom`.
    fn reach(&mut self, bottom: usize) -> Result<(), PaperError> {
        if bottom > RECEIPT_HEIGHT_MAX {
            return Err(PaperError::OffPaper { x: 0, y: bottom });
        }
        if self.grows {
            self.canvas.grow(bottom);
        }
        Ok(())
    }

    /// Where something `width` wide begins.
    fn margin(&self, width: usize) -> usize {
        let free = self.canvas.width().saturating_sub(width);
        match self.justify {
            1 => free / 2,
            2 => free,
            _ => 0,
        }
    }

    fn line_height(&self) -> usize {
        self.line.iter().map(Item::height).max().unwrap_or(0)
    }

    fn line_feed(&mut self) -> Result<(), PaperError> {
        self.print_line(self.spacing.max(self.line_height() + 4))
    }

    /// Prints the line where the paper is, then feeds by `advance`.
    fn print_line(&mut self, advance: usize) -> Result<(), PaperError> {
        let height = self.line_height();
        self.reach(self.y + advance.max(height))?;
        let placed = self.line.iter().any(|item| matches!(item, Item::At(_)));
        let left = self.margin(self.line_width());
        let mut x = if placed { 0 } else { left };
        for item in &std::mem::take(&mut self.line) {
            self.draw(item, x, self.y + height - item.height())?;
            x = item.end(x);
        }
        self.y += advance;
        Ok(())
    }

    fn draw(&mut self, item: &Item, x: usize, y: usize) -> Result<(), PaperError> {
        match item {
            Item::Character(character, style) => self.character(*character, *style, x, y),
            Item::Symbol(code, dots) => {
                let colours = code.to_colors();
                for (index, colour) in colours.iter().enumerate() {
                    if *colour == qrcode::Color::Dark {
                        let column = (index % code.width() + QUIET) * dots;
                        let row = (index / code.width() + QUIET) * dots;
                        self.canvas.fill(x + column, y + row, *dots, *dots, INK);
                    }
                }
                Ok(())
            }
            Item::At(_) => Ok(()),
        }
    }

    fn character(
        &mut self,
        character: char,
        style: Style,
        x: usize,
        y: usize,
    ) -> Result<(), PaperError> {
        let cell = glyph::cell(character, style.font)?;
        let (columns, rows) = (style.font.columns(character), style.font.rows());
        for row in 0..rows * style.high {
            for column in 0..columns * style.wide {
                if !cell(column / style.wide, row / style.high) {
                    continue;
                }
                self.canvas.set(x + column, y + row, INK)?;
                if style.bold && x + column + 1 < self.canvas.width() {
                    self.canvas.set(x + column + 1, y + row, INK)?;
                }
            }
        }
        Ok(())
    }

    fn raster(&mut self, width: usize, height: usize, data: &[u8]) -> Result<(), PaperError> {
        if !self.line.is_empty() {
            self.line_feed()?;
        }
        self.reach(self.y + height)?;
        let left = self.margin(width * 8);
        for (row, bytes) in data.chunks_exact(width.max(1)).enumerate() {
            for (column, byte) in bytes.iter().enumerate() {
                for bit in (0..8).filter(|bit| byte >> (7 - bit) & 1 == 1) {
                    self.canvas
                        .set(left + column * 8 + bit, self.y + row, INK)?;
                }
            }
        }
        self.y += height;
        Ok(())
    }

    fn qr(&mut self, function: Qr) -> Result<(), PaperError> {
        match function {
            Qr::Model(_) => {}
            Qr::ModuleDots(n) => self.qr_dots = usize::from(n.clamp(1, 16)),
            Qr::Level(n) => {
                self.qr_level = match n {
                    0x31 => qrcode::EcLevel::M,
                    0x32 => qrcode::EcLevel::Q,
                    0x33 => qrcode::EcLevel::H,
                    _ => qrcode::EcLevel::L,
                }
            }
            Qr::Store(data) => self.qr_data = data,
            Qr::Print => {
                let code =
                    qrcode::QrCode::with_error_correction_level(&self.qr_data, self.qr_level)
                        .map_err(|_| PaperError::Qr)?;
                let symbol = Item::Symbol(code, self.qr_dots);
                if symbol.width() > self.canvas.width() {
                    return Err(PaperError::Qr);
                }
                self.line.push(symbol);
                self.line_feed()?;
            }
        }
        Ok(())
    }
}
