//! Rewrites expected screens in place, keeping comments and every other line.
//!
//! Effects on money or custody are never blessed: a play whose `effects` block
//! differs is refused as a whole, and a person must edit that block by hand.

use std::path::Path;

use super::run::{Options, PlayError, Report, play_file};

/// What blessing did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blessed {
    /// Blocks rewritten.
    pub rewritten: usize,
    /// Blocks that already agreed.
    pub same: usize,
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

/// The text with every differing screen replaced. Rows with elisions that still
/// match stay as they are, because their block agrees.
pub fn rewrite(text: &str, report: &Report) -> (String, Blessed) {
    let lines: Vec<&str> = text.lines().collect();
    let mut blessed = Blessed {
        rewritten: 0,
        same: 0,
    };
    let mut out: Vec<String> = Vec::with_capacity(lines.len());
    let mut at = 0;
    for seen in &report.seen {
        let (first, end) = seen.block;
        if seen.same || seen.effects || first < at {
            blessed.same = blessed.same.saturating_add(1);
            continue;
        }
        out.extend(
            lines
                .get(at..first)
                .unwrap_or_default()
                .iter()
                .map(|line| (*line).to_owned()),
        );
        out.extend(seen.rows.iter().map(|row| format!("  |{}", row.trim_end())));
        at = end;
        blessed.rewritten = blessed.rewritten.saturating_add(1);
    }
    out.extend(
        lines
            .get(at..)
            .unwrap_or_default()
            .iter()
            .map(|line| (*line).to_owned()),
    );
    let mut text = out.join("\n");
    text.push('\n');
    (text, blessed)
}

#[cfg(test)]
mod tests {
    use super::super::run::Seen;
    use super::*;

    #[test]
    fn only_differing_screens_are_rewritten_and_comments_stay() {
        let text = "play 1\n# why\nscreen\n  |old\n  |old2\npress Enter\neffects\n  | fee 1\n";
        let seen = |block, rows: &[&str], effects| Seen {
            block,
            rows: rows.iter().map(|r| (*r).to_owned()).collect(),
            effects,
            same: false,
        };
        let report = Report {
            seen: vec![
                seen((3, 5), &["new "], false),
                seen((7, 8), &[" fee 2"], true),
            ],
            ..Report::default()
        };
        let (out, blessed) = rewrite(text, &report);
        assert_eq!(
            out,
            "play 1\n# why\nscreen\n  |new\npress Enter\neffects\n  | fee 1\n"
        );
        assert_eq!(
            blessed,
            Blessed {
                rewritten: 1,
                same: 1
            }
        );
    }
}
