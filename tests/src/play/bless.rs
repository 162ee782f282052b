//! Rewrites expected screens in place: only the rows that differ. Comments,
//! elisions, the gutter and every other line stay as they are.
//!
//! Effects on money or custody are never blessed: a play whose `effects` block
//! differs is refused as a whole, and a person must edit that block by hand. Nor
//! is anything in an included file: what differs there fails.

use std::path::Path;

use super::compare::{Pair, TEXT, align, elisions, row_matches};
use super::run::{Options, PlayError, Report, Seen, play_file};

/// Before the row of a block that had no row to copy it from.
const GUTTER: &str = "  |";

/// What blessing did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Blessed {
    /// Blocks rewritten.
    pub rewritten: usize,
    /// Blocks that already agreed.
    pub same: usize,
    /// Elisions that had to go, because their row says something else now.
    pub elisions_lost: usize,
}

impl std::fmt::Display for Blessed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} blocks rewritten, {} as they were",
            self.rewritten, self.same
        )?;
        match self.elisions_lost {
            0 => Ok(()),
            lost => write!(f, ", {lost} elisions lost"),
        }
    }
}

/// Plays `path` and rewrites its screens and styles to what was seen.
pub fn bless_file(path: &Path) -> Result<Blessed, PlayError> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| PlayError::Harness(format!("cannot read {}: {e}", path.display())))?;
    let (_, report) = play_file(
        path,
        &Options {
            bless: true,
            ..Options::default()
        },
    )?;
    let (rewritten, blessed) = rewrite(&text, &report);
    if blessed.rewritten > 0 {
        std::fs::write(path, rewritten)
            .map_err(|e| PlayError::Harness(format!("cannot write {}: {e}", path.display())))?;
    }
    Ok(blessed)
}

/// The text with every differing row of every differing screen replaced.
pub fn rewrite(text: &str, report: &Report) -> (String, Blessed) {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut blessed = Blessed::default();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for seen in &report.seen {
        let (first, end) = seen.block;
        if seen.same || seen.effects || first < at {
            blessed.same = blessed.same.saturating_add(1);
            continue;
        }
        out.extend(lines.get(at..first).unwrap_or_default().iter().copied());
        let block = lines.get(first..end).unwrap_or_default();
        let ending = if text.contains("\r\n") { "\r\n" } else { "\n" };
        if !out.ends_with('\n') {
            out.push_str(ending);
        }
        let (rows, lost) = block_as_seen(block, seen);
        for row in rows {
            out.push_str(&row);
            out.push_str(ending);
        }
        at = end;
        blessed.rewritten = blessed.rewritten.saturating_add(1);
        blessed.elisions_lost = blessed.elisions_lost.saturating_add(lost);
    }
    out.extend(lines.get(at..).unwrap_or_default().iter().copied());
    (out, blessed)
}

/// The lines of a block with what was seen, and how many elisions that cost.
fn block_as_seen(block: &[&str], seen: &Seen) -> (Vec<String>, usize) {
    let split = block.iter().map(|line| {
        let line = line.trim_end_matches(['\r', '\n']);
        line.split_once('|').unwrap_or(("", line))
    });
    let (gutters, expected): (Vec<&str>, Vec<String>) =
        split.map(|(gutter, row)| (gutter, row.to_owned())).unzip();
    let mut gutter = gutters
        .first()
        .map_or(GUTTER.to_owned(), |g| format!("{g}|"));
    let (mut rows, mut lost) = (Vec::new(), 0_usize);
    for pair in align(&expected, &seen.rows) {
        let expected_at = match pair {
            Pair::Same(at, _) | Pair::Elided(at) | Pair::Other(at, _) | Pair::Missing(at) => {
                gutter = gutters.get(at).map_or(gutter, |g| format!("{g}|"));
                expected.get(at)
            }
            Pair::Extra(_) => None,
        };
        let want = expected_at.map_or("", String::as_str);
        let got = |at: usize| seen.rows.get(at).map_or("", |row| row.trim_end());
        let row = match pair {
            Pair::Same(..) | Pair::Elided(_) => want.to_owned(),
            Pair::Other(_, at) => {
                let row = keep_elisions(want, got(at));
                lost = lost.saturating_add(elisions(want).saturating_sub(elisions(&row)));
                row
            }
            Pair::Missing(_) => {
                lost = lost.saturating_add(elisions(want));
                continue;
            }
            Pair::Extra(at) => got(at).to_owned(),
        };
        rows.push(format!("{gutter}{row}"));
    }
    (rows, lost)
}

/// What was seen, with the one elision of the expected row where the same words
/// still stand before it and after it.
fn keep_elisions(want: &str, seen: &str) -> String {
    let kept = want.split_once(TEXT).and_then(|(head, tail)| {
        // The words beside the elision, with the spaces between.
        let start = head.trim_end().rfind(' ').unwrap_or(0);
        let before = head.get(start..).unwrap_or("");
        let lead = tail.len().saturating_sub(tail.trim_start().len());
        let word = tail.trim_start().split(' ').next().unwrap_or("");
        let after = tail.get(..lead.saturating_add(word.len())).unwrap_or("");
        if tail.contains(TEXT) || before.trim().is_empty() || word.is_empty() {
            return None;
        }
        let (first, rest) = seen.split_once(before)?;
        let (_, last) = rest.split_once(after)?;
        Some(format!("{first}{before}{TEXT}{after}{last}"))
    });
    match kept {
        Some(row) if row_matches(&row, seen) => row,
        _ => seen.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(block: (usize, usize), rows: &[&str], effects: bool) -> Report {
        let seen = Seen {
            block,
            rows: rows.iter().map(|r| (*r).to_owned()).collect(),
            effects,
            same: false,
        };
        Report {
            seen: vec![seen],
            ..Report::default()
        }
    }

    #[test]
    fn only_differing_screens_are_rewritten_and_comments_stay() {
        let text = "play 1\n# why\nscreen\n  |old\n  |old2\npress Enter\neffects\n  | fee 1\n";
        let mut report = seen((3, 5), &["new "], false);
        report.seen.extend(seen((7, 8), &[" fee 2"], true).seen);
        let (out, blessed) = rewrite(text, &report);
        assert_eq!(
            out,
            "play 1\n# why\nscreen\n  |new\npress Enter\neffects\n  | fee 1\n"
        );
        assert_eq!((blessed.rewritten, blessed.same), (1, 1));
    }

    #[test]
    fn a_blessed_screen_keeps_its_elisions_its_gutter_and_the_ends_of_its_lines() {
        let text = "play 1\r\nscreen\r\n\t| Title [..] page\r\n\t| WRONG\r\n\t| ...\r\n\t| 5 [..] yuan\r\n# last";
        let rows = [" Title of this page", " right", " a", " b", " 6 more yuan"];
        let (out, blessed) = rewrite(text, &seen((2, 6), &rows, false));
        assert_eq!(
            out,
            "play 1\r\nscreen\r\n\t| Title [..] page\r\n\t| right\r\n\t| ...\r\n\t| 6 more yuan\r\n# last"
        );
        assert_eq!((blessed.rewritten, blessed.elisions_lost), (1, 1));
    }

    #[test]
    fn an_elision_stays_in_a_row_that_changed_elsewhere() {
        assert_eq!(
            keep_elisions(" Old title of [..] page", " New title of this page"),
            " New title of [..] page"
        );
        assert_eq!(keep_elisions(" 5 [..] yuan", " nothing"), " nothing");
    }
}
