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
    /// Said where something did not fit.
    pub more: String,
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

    /// Whether everything is seen on this area, with or without empty rows.
    pub fn fits(&self, area: Rect) -> bool {
        let mut nowhere = Buffer::empty(Rect::ZERO);
        let mut brush = Brush {
            buffer: &mut nowhere,
            area,
        };
        let (top, bottom) = self.body(&mut brush, false);
        let needed = self.rows(&mut brush, false);
        top.saturating_add(needed) <= bottom
    }

    /// Rows of the blocks, with or without the empty ones.
    fn rows(&self, brush: &mut Brush<'_>, gaps: bool) -> u16 {
        let blocks = self.blocks.iter().filter(|b| gaps || **b != Block::Gap);
        blocks.fold(0, |y, block| brush.block(block, y, 0))
    }

    /// Paints the page. Where it does not fit, the empty rows go first; what is
    /// still too much is cut at the bottom of the body and said to be, never
    /// painted over the notice and the hints.
    pub fn paint(&self, area: Rect, buffer: &mut Buffer) {
        let mut brush = Brush { buffer, area };
        let (top, bottom) = self.body(&mut brush, true);
        let room = bottom.saturating_sub(top);
        let gaps = self.rows(&mut brush, true) <= room;
        let cut = !gaps && self.rows(&mut brush, false) > room && !self.scrolls();
        let end = bottom.saturating_sub(u16::from(cut));
        let mut y = top;
        for block in &self.blocks {
            if gaps || *block != Block::Gap {
                y = brush.block(block, y, end);
            }
        }
        if cut {
            brush.row(end, MARGIN, &[Span::of(Role::Danger, self.more.as_str())]);
        }
    }

    /// Whether a long list moves with its focus, so that nothing is lost.
    fn scrolls(&self) -> bool {
        let mut blocks = self.blocks.iter();
        blocks.any(|b| matches!(b, Block::Choices { .. } | Block::Grid { .. }))
    }

    /// The frame around the body, painted or only measured: first row of the blocks
    /// and the row after their last.
    fn body(&self, brush: &mut Brush<'_>, paint: bool) -> (u16, u16) {
        let area = brush.area;
        let last = area.height.saturating_sub(1);
        if paint {
            brush.bar(0, &self.title, &self.title_note);
            brush.hints(last, &self.hints, self.hint_note.as_ref());
        }
        let notice_rows = self.notice.as_ref().map_or(0, |notice| {
            let rows = wrap(std::slice::from_ref(notice), brush.inner());
            let height = u16::try_from(rows.len()).unwrap_or(1).min(3);
            let top = last.saturating_sub(height);
            for (row, y) in rows.iter().zip(top..last).filter(|_| paint) {
                brush.row(y, MARGIN, row);
            }
            height.saturating_add(1)
        });
        let bottom = last.saturating_sub(notice_rows);
        let mut y = if area.height >= 20 { 2 } else { 1 };
        if !self.heading.is_empty() {
            let heading = [Span::of(Role::Action, self.heading.as_str())];
            let bottom = if paint { bottom } else { 0 };
            for row in wrap(&heading, brush.inner()) {
                y = brush.next(y, bottom, MARGIN, &row);
            }
            y = y.saturating_add(u16::from(area.height >= 20));
        }
        (y, bottom)
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
            more: "more".into(),
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
        assert!(row(8).contains("more"), "{}", row(8));
        assert!(!page.fits(area));
    }

    #[test]
    fn empty_rows_go_before_a_row_that_says_something() {
        let text = |i: u32| Block::Text(vec![Span::plain(format!("row {i}"))]);
        let page = Page {
            heading: "h".into(),
            blocks: (0..8).flat_map(|i| [text(i), Block::Gap]).collect(),
            more: "more".into(),
            ..Page::default()
        };
        let area = Rect::new(0, 0, 40, 12);
        let mut buffer = Buffer::empty(area);
        page.paint(area, &mut buffer);
        let drawn: String = buffer.content().iter().map(|c| c.symbol()).collect();
        assert!(
            drawn.contains("row 7") && !drawn.contains("more"),
            "{drawn}"
        );
        assert!(page.fits(area));
    }
}
