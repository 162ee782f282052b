//! Line breaking for Latin words and Chinese characters.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::Span;
use crate::theme::Role;

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
