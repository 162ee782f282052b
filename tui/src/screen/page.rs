//! One page: title, blocks, notice, key hints; and the painter.
//!
//! ```text
//! ┌ title bar ───────────────────────────── right note ┐  row 1
//! │                                                     │
//! │  heading                                            │
//! │  blocks: text, facts, choices, bar                  │
//! │                                                     │
//! │  notice (what went wrong and what to do)            │  last row but two
//! └ key hints ───────────────────────── time left ──────┘  last row
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use serde::Serialize;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::theme::Role;

/// Columns left free on both sides.
const MARGIN: u16 = 3;

/// Text with a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Span {
    /// What it says; control characters never reach a cell.
    pub text: String,
    /// Its role, by name; `None` is plain.
    #[serde(skip)]
    pub role: Option<Role>,
}

impl Span {
    /// Plain text.
    pub fn plain(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            role: None,
        }
    }

    /// Text in a role.
    pub fn of(role: Role, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            role: Some(role),
        }
    }
}

/// A part of a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Block {
    /// An empty row.
    Gap,
    /// A paragraph, wrapped.
    Text(Vec<Span>),
    /// Label and value, values aligned.
    Facts(Vec<(String, Span)>),
    /// Things to choose from; one has the focus.
    Choices {
        /// One row each.
        items: Vec<String>,
        /// Index of the focused row.
        focus: usize,
    },
    /// Many short things to choose from, in two columns, read down.
    Grid {
        /// One cell each.
        items: Vec<String>,
        /// Index of the focused cell.
        focus: usize,
    },
    /// A bar, 0 to 100.
    Bar {
        /// How full.
        percent: u8,
        /// Said behind it.
        label: String,
    },
    /// A row in the middle.
    Centre(Span),
}

/// One page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct Page {
    /// Title bar, left.
    pub title: String,
    /// Title bar, right.
    pub title_note: String,
    /// What this page asks for, in one line.
    pub heading: String,
    /// Top to bottom.
    pub blocks: Vec<Block>,
    /// What went wrong and what to do.
    pub notice: Option<Span>,
    /// Key hints, left of the last row.
    pub hints: String,
    /// Right of the last row.
    pub hint_note: Option<Span>,
}

impl Page {
    /// The page in reading order, one thing a line.
    pub fn linear(&self) -> Vec<String> {
        let mut lines = vec![self.title.clone(), self.heading.clone()];
        for block in &self.blocks {
            match block {
                Block::Gap => {}
                Block::Text(spans) => lines.push(spans.iter().map(|s| s.text.as_str()).collect()),
                Block::Facts(facts) => {
                    lines.extend(
                        facts
                            .iter()
                            .map(|(label, value)| format!("{label}: {}", value.text)),
                    );
                }
                Block::Choices { items, focus } | Block::Grid { items, focus } => {
                    lines.extend(items.iter().enumerate().map(|(i, item)| {
                        let mark = if i == *focus { ">" } else { " " };
                        format!("{mark} {}. {item}", i.saturating_add(1))
                    }))
                }
                Block::Bar { percent, label } => lines.push(format!("{percent}% {label}")),
                Block::Centre(span) => lines.push(span.text.clone()),
            }
        }
        lines.extend(self.notice.iter().map(|n| n.text.clone()));
        lines.push(self.hints.clone());
        lines
    }

    /// Paints the page; whatever does not fit is cut at the bottom of the body,
    /// never over the notice and the hints.
    pub fn paint(&self, area: Rect, buffer: &mut Buffer) {
        let mut brush = Brush { buffer, area };
        brush.bar(0, &self.title, &self.title_note);
        let last = area.height.saturating_sub(1);
        brush.hints(last, &self.hints, self.hint_note.as_ref());
        let notice_rows = self.notice.as_ref().map_or(0, |notice| {
            let rows = wrap(std::slice::from_ref(notice), brush.inner());
            let height = u16::try_from(rows.len()).unwrap_or(1).min(3);
            let top = last.saturating_sub(height);
            for (row, y) in rows.iter().zip(top..last) {
                brush.row(y, MARGIN, row);
            }
            height.saturating_add(1)
        });
        let bottom = last.saturating_sub(notice_rows);
        let mut y = if area.height >= 20 { 2 } else { 1 };
        if !self.heading.is_empty() {
            let heading = [Span::of(Role::Action, self.heading.as_str())];
            for row in wrap(&heading, brush.inner()) {
                y = brush.next(y, bottom, MARGIN, &row);
            }
            y = y.saturating_add(u16::from(area.height >= 20));
        }
        for block in &self.blocks {
            y = brush.block(block, y, bottom);
        }
    }
}

struct Brush<'a> {
    buffer: &'a mut Buffer,
    area: Rect,
}

impl Brush<'_> {
    fn inner(&self) -> u16 {
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

    fn row(&mut self, y: u16, x: u16, spans: &[Span]) {
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
    fn next(&mut self, y: u16, bottom: u16, x: u16, spans: &[Span]) -> u16 {
        if y < bottom {
            self.row(y, x, spans);
        }
        y.saturating_add(1)
    }

    fn bar(&mut self, y: u16, left: &str, right: &str) {
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

    fn hints(&mut self, y: u16, hints: &str, note: Option<&Span>) {
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

    fn block(&mut self, block: &Block, y: u16, bottom: u16) -> u16 {
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

    fn grid(&mut self, items: &[String], focus: usize, y: u16, bottom: u16) -> u16 {
        let rows = items.len().div_ceil(2).max(1);
        let column = self.area.width.saturating_sub(2) / 2;
        for (index, item) in items.iter().enumerate() {
            let down = u16::try_from(index % rows).unwrap_or(u16::MAX);
            let right = if index < rows {
                1
            } else {
                column.saturating_add(1)
            };
            let row = y.saturating_add(down);
            if row < bottom {
                let role = (index == focus).then_some(Role::Focus);
                let room = usize::from(column.saturating_sub(1));
                let text = cut(item, room);
                self.row(row, right, &[Span { text, role }]);
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

/// Breaks spans into rows of at most `width` columns: at spaces between Latin
/// words, anywhere between Chinese characters, and never inside one.
pub fn wrap(spans: &[Span], width: u16) -> Vec<Vec<Span>> {
    let width = usize::from(width.max(2));
    let mut rows: Vec<Vec<Span>> = vec![Vec::new()];
    let mut used = 0_usize;
    for span in spans {
        for word in words(&span.text) {
            let columns = word.width();
            if used.saturating_add(word.trim_end().width()) > width && used > 0 {
                rows.push(Vec::new());
                used = 0;
            }
            for piece in pieces(word, width) {
                let columns = if piece.len() == word.len() {
                    columns
                } else {
                    piece.width()
                };
                if used.saturating_add(piece.trim_end().width()) > width && used > 0 {
                    rows.push(Vec::new());
                    used = 0;
                }
                push(rows.last_mut(), piece, span.role);
                used = used.saturating_add(columns);
            }
        }
    }
    rows
}

fn push(row: Option<&mut Vec<Span>>, text: &str, role: Option<Role>) {
    let Some(row) = row else { return };
    match row.last_mut() {
        Some(last) if last.role == role => last.text.push_str(text),
        _ => row.push(Span {
            text: text.to_owned(),
            role,
        }),
    }
}

/// Words with their trailing spaces; every wide character is a word.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = 0;
    let mut previous: Option<char> = None;
    for (at, c) in text.char_indices() {
        let wide = |c: char| c.width().unwrap_or(0) > 1;
        let breaks =
            previous.is_some_and(|p| (p == ' ' && c != ' ') || wide(c) || (wide(p) && c != ' '));
        // Closing punctuation stays with what it closes.
        if breaks && at > start && !"，。、；：！？）》」』”".contains(c) {
            words.push(text.get(start..at).unwrap_or_default());
            start = at;
        }
        previous = Some(c);
    }
    if start < text.len() {
        words.push(text.get(start..).unwrap_or_default());
    }
    words
}

/// A word cut into pieces that fit a row.
fn pieces(word: &str, width: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut start, mut used) = (0, 0_usize);
    for (at, c) in word.char_indices() {
        let columns = c.width().unwrap_or(0);
        if used.saturating_add(columns) > width && at > start && c != ' ' {
            pieces.push(word.get(start..at).unwrap_or_default());
            (start, used) = (at, 0);
        }
        used = used.saturating_add(columns);
    }
    pieces.push(word.get(start..).unwrap_or_default());
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows(text: &str, width: u16) -> Vec<String> {
        wrap(&[Span::plain(text)], width)
            .into_iter()
            .map(|row| row.into_iter().map(|s| s.text).collect())
            .collect()
    }

    #[test]
    fn latin_breaks_at_spaces_and_chinese_between_characters() {
        assert_eq!(rows("take all your forms", 10), ["take all ", "your forms"]);
        assert_eq!(rows("请取走全部票据。", 8), ["请取走全", "部票据。"]);
        assert_eq!(rows("1234567890123", 5), ["12345", "67890", "123"]);
    }

    #[test]
    fn a_notice_and_the_hints_are_never_painted_over_by_a_long_body() {
        let page = Page {
            title: "t".into(),
            heading: "h".into(),
            blocks: (0..60)
                .map(|i| Block::Text(vec![Span::plain(format!("row {i}"))]))
                .collect(),
            notice: Some(Span::of(Role::Danger, "call staff")),
            hints: "Esc back".into(),
            ..Page::default()
        };
        let area = Rect::new(0, 0, 40, 12);
        let mut buffer = Buffer::empty(area);
        page.paint(area, &mut buffer);
        let row = |y: u16| {
            (0..40)
                .filter_map(|x| buffer.cell((x, y)).map(|c| c.symbol().to_owned()))
                .collect::<String>()
        };
        assert!(row(10).contains("call staff"), "{}", row(10));
        assert!(row(11).contains("Esc back"));
    }

    proptest! {
        #[test]
        fn no_row_is_wider_than_asked_and_nothing_is_lost(text in "[a-z 中文字票据，。0-9]{0,120}", width in 4_u16..60) {
            let rows = rows(&text, width);
            prop_assert_eq!(rows.concat(), text);
            for row in rows {
                prop_assert!(row.trim_end().width() <= usize::from(width) + 2, "{row:?}");
            }
        }
    }
}
