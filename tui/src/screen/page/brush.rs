//! Puts blocks into cells, row by row, never outside its area.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::wrap::wrap;
use super::{Block, MARGIN, Span};
use crate::theme::Role;

/// Least width of a column of a grid.
const GRID_COLUMN: u16 = 26;

/// A buffer and the part of it that may be painted.
pub(super) struct Brush<'a> {
    pub buffer: &'a mut Buffer,
    pub area: Rect,
}

impl Brush<'_> {
    pub fn inner(&self) -> u16 {
        self.area
            .width
            .saturating_sub(MARGIN.saturating_mul(2))
            .max(1)
    }

    /// One piece of text at (x, y) of the area, cut at its right edge.
    fn put(&mut self, x: u16, y: u16, text: &str, style: Style) -> u16 {
        if y >= self.area.height || x >= self.area.width {
            return x;
        }
        let room = usize::from(self.area.width.saturating_sub(x));
        let (left, top) = (self.area.x.saturating_add(x), self.area.y.saturating_add(y));
        let (end, _) = self.buffer.set_stringn(left, top, text, room, style);
        end.saturating_sub(self.area.x)
    }

    pub fn row(&mut self, y: u16, x: u16, spans: &[Span]) {
        let mut x = x;
        for span in spans {
            x = self.put(
                x,
                y,
                &span.text,
                span.role.map(Role::style).unwrap_or_default(),
            );
        }
    }

    /// A row in the body; gives the next row.
    pub fn next(&mut self, y: u16, bottom: u16, x: u16, spans: &[Span]) -> u16 {
        if y < bottom {
            self.row(y, x, spans);
        }
        y.saturating_add(1)
    }

    pub fn bar(&mut self, y: u16, left: &str, right: &str) {
        let style = Role::Title.style();
        let blank = " ".repeat(usize::from(self.area.width));
        self.put(0, y, &blank, style);
        self.put(1, y, left, style);
        let width = u16::try_from(right.width()).unwrap_or(u16::MAX);
        self.put(
            self.area.width.saturating_sub(width).saturating_sub(1),
            y,
            right,
            style,
        );
    }

    pub fn hints(&mut self, y: u16, hints: &str, note: Option<&Span>) {
        self.put(1, y, hints, Role::Hint.style());
        if let Some(note) = note {
            let width = u16::try_from(note.text.width()).unwrap_or(u16::MAX);
            let x = self.area.width.saturating_sub(width).saturating_sub(1);
            self.put(
                x,
                y,
                &note.text,
                note.role.map(Role::style).unwrap_or_default(),
            );
        }
    }

    pub fn block(&mut self, block: &Block, y: u16, bottom: u16) -> u16 {
        match block {
            Block::Gap => y.saturating_add(1),
            Block::Text(spans) => wrap(spans, self.inner())
                .iter()
                .fold(y, |y, row| self.next(y, bottom, MARGIN, row)),
            Block::Facts(facts) => self.facts(facts, y, bottom),
            Block::Choices { items, focus } => self.choices(items, *focus, y, bottom),
            Block::Grid { items, focus } => self.grid(items, *focus, y, bottom),
            Block::Bar { percent, label } => self.progress(*percent, label, y, bottom),
            Block::Centre(span) => {
                let width = u16::try_from(span.text.width()).unwrap_or(u16::MAX);
                let x = self.area.width.saturating_sub(width) / 2;
                self.next(y, bottom, x, std::slice::from_ref(span))
            }
        }
    }

    fn facts(&mut self, facts: &[(String, Span)], y: u16, bottom: u16) -> u16 {
        let widest = facts
            .iter()
            .map(|(label, _)| label.width())
            .max()
            .unwrap_or(0)
            .min(24);
        let indent = MARGIN
            .saturating_add(u16::try_from(widest).unwrap_or(24))
            .saturating_add(2);
        let room = self
            .area
            .width
            .saturating_sub(indent)
            .saturating_sub(MARGIN)
            .max(8);
        let mut y = y;
        for (label, value) in facts {
            if y < bottom {
                self.put(MARGIN, y, label, Role::Hint.style());
            }
            for row in wrap(std::slice::from_ref(value), room) {
                y = self.next(y, bottom, indent, &row);
            }
        }
        y
    }

    fn choices(&mut self, items: &[String], focus: usize, y: u16, bottom: u16) -> u16 {
        let room = usize::from(bottom.saturating_sub(y)).max(1);
        let first = focus.saturating_add(1).saturating_sub(room);
        let mut y = y;
        for (index, item) in items.iter().enumerate().skip(first) {
            let (mark, role) = if index == focus {
                ("> ", Some(Role::Focus))
            } else {
                ("  ", None)
            };
            let text = format!("{mark}{item} ");
            y = self.next(y, bottom, MARGIN, &[Span { text, role }]);
        }
        y
    }

    /// As many columns as are wide enough, read down; too many rows move with the
    /// focus.
    fn grid(&mut self, items: &[String], focus: usize, y: u16, bottom: u16) -> u16 {
        let columns = self.area.width.checked_div(GRID_COLUMN).unwrap_or(1).max(1);
        let rows = items.len().div_ceil(usize::from(columns)).max(1);
        let column = self
            .area
            .width
            .saturating_sub(1)
            .checked_div(columns)
            .unwrap_or(0);
        let seen = usize::from(bottom.saturating_sub(y)).max(1);
        let at = focus.checked_rem(rows).unwrap_or(0);
        let first = at.saturating_add(1).saturating_sub(seen);
        for (index, item) in items.iter().enumerate() {
            let down = index.checked_rem(rows).unwrap_or(0);
            let right = index.checked_div(rows).unwrap_or(0);
            let Some(down) = down.checked_sub(first).and_then(|d| u16::try_from(d).ok()) else {
                continue;
            };
            let row = y.saturating_add(down);
            if row < bottom {
                let role = (index == focus).then_some(Role::Focus);
                let text = cut(item, usize::from(column.saturating_sub(1)));
                let x = column.saturating_mul(u16::try_from(right).unwrap_or(0));
                self.row(row, x.saturating_add(1), &[Span { text, role }]);
            }
        }
        y.saturating_add(u16::try_from(rows).unwrap_or(u16::MAX))
    }

    fn progress(&mut self, percent: u8, label: &str, y: u16, bottom: u16) -> u16 {
        let cells = usize::from(self.inner().saturating_sub(16).clamp(8, 50));
        let full = cells.saturating_mul(usize::from(percent.min(100))) / 100;
        let bar = format!(
            "[{}{}]",
            "#".repeat(full),
            "-".repeat(cells.saturating_sub(full))
        );
        let spans = [
            Span::of(Role::Action, bar),
            Span::plain(format!(" {label}")),
        ];
        self.next(y, bottom, MARGIN, &spans)
    }
}

/// The beginning of `text` that fits `width` columns.
fn cut(text: &str, width: usize) -> String {
    let mut used = 0_usize;
    let fits = |c: &char| {
        used = used.saturating_add(c.width().unwrap_or(0));
        used <= width
    };
    text.chars().take_while(fits).collect()
}
