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

mod brush;
mod wrap;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use serde::Serialize;

use brush::Brush;
use wrap::wrap;

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

#[cfg(test)]
mod tests {
    use super::*;

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
}
