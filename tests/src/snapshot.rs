//! Screens as text: what a person sees, cell by cell, and a legend of styles.
//!
//! Ratatui's own test display drops styles and becomes unreadable for Chinese
//! (it annotates every wide cell), so plays use this one. A wide character
//! covers two columns and is written once. The legend names *roles* of the
//! theme, not colours: a palette change is one file, a change of meaning shows.

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Modifier, Style};
use unicode_width::UnicodeWidthStr as _;

/// A run of cells of one role: 1-based row, 1-based first and last column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StyleRun {
    /// Row from 1.
    pub row: u16,
    /// First column from 1.
    pub first: u16,
    /// Last column, included.
    pub last: u16,
    /// Name of the role.
    pub role: String,
}

impl std::fmt::Display for StyleRun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}-{} {}", self.row, self.first, self.last, self.role)
    }
}

/// One picture of a screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// One string a row; every row covers the full width.
    pub rows: Vec<String>,
    /// Every run that is not plain.
    pub styles: Vec<StyleRun>,
}

impl Snapshot {
    /// Reads a buffer; `role` names a style, or `None` for plain text.
    pub fn of(buffer: &Buffer, role: impl Fn(Style) -> Option<&'static str>) -> Self {
        let area = buffer.area;
        let mut rows = Vec::with_capacity(usize::from(area.height));
        let mut styles: Vec<StyleRun> = Vec::new();
        for y in area.top()..area.bottom() {
            let mut row = String::new();
            // Columns a wide character still covers, and its role: the cell behind
            // a wide character is blank and keeps no style of its own.
            let mut covered: (usize, Option<&'static str>) = (0, None);
            for x in area.left()..area.right() {
                let Some(cell) = buffer.cell((x, y)) else {
                    continue;
                };
                let line = y.saturating_sub(area.y).saturating_add(1);
                let column = x.saturating_sub(area.x).saturating_add(1);
                let role = if covered.0 > 0 {
                    covered.1
                } else {
                    role(style_of(cell))
                };
                if let Some(role) = role {
                    extend(&mut styles, line, column, role);
                }
                if covered.0 > 0 {
                    covered.0 = covered.0.saturating_sub(1);
                    continue;
                }
                let symbol = cell.symbol();
                row.push_str(if symbol.is_empty() { " " } else { symbol });
                covered = (symbol.width().saturating_sub(1), role);
            }
            rows.push(row);
        }
        Self { rows, styles }
    }

    /// The rows joined by newlines, trailing spaces kept.
    pub fn text(&self) -> String {
        self.rows.join("\n")
    }

    /// Whether `needle` is on one row. Spaces that pad wide characters apart do
    /// not exist here, so Chinese text is found as written.
    pub fn contains(&self, needle: &str) -> bool {
        self.rows.iter().any(|row| row.contains(needle))
    }
}

fn style_of(cell: &Cell) -> Style {
    let style = Style::new().fg(cell.fg).bg(cell.bg);
    if cell.modifier.is_empty() {
        style
    } else {
        style.add_modifier(cell.modifier)
    }
}

fn extend(runs: &mut Vec<StyleRun>, row: u16, column: u16, role: &str) {
    if let Some(last) = runs.last_mut()
        && last.row == row
        && last.last.saturating_add(1) == column
        && last.role == role
    {
        last.last = column;
        return;
    }
    runs.push(StyleRun {
        row,
        first: column,
        last: column,
        role: role.to_owned(),
    });
}

/// Whether a style differs from plain in any way that could carry meaning.
pub fn is_plain(style: Style) -> bool {
    use ratatui::style::Color;
    let colour = |c: Option<Color>| matches!(c, None | Some(Color::Reset));
    colour(style.fg) && colour(style.bg) && style.add_modifier == Modifier::empty()
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::Stylize as _;
    use ratatui::text::Line;
    use ratatui::widgets::Widget as _;

    use super::*;

    #[test]
    fn a_wide_character_is_written_once_and_its_style_covers_two_columns() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 10, 2));
        Line::from(vec!["账号".bold(), " 7".into()]).render(Rect::new(1, 0, 9, 1), &mut buffer);
        let shot = Snapshot::of(&buffer, |s| (!is_plain(s)).then_some("strong"));
        assert_eq!(shot.rows, [" 账号 7   ", "          "]);
        let runs: Vec<String> = shot.styles.iter().map(ToString::to_string).collect();
        assert_eq!(runs, ["1:2-5 strong"]);
        assert!(shot.contains("账号 7"));
    }
}
