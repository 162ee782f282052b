//! Small words: times, sizes, and what somebody may have meant.

use std::time::Duration;

use super::{ADVANCE_MAX, Parser, ScriptError};

impl Parser<'_> {
    /// `45s`, `300ms`, `2m`.
    pub(super) fn duration(&self, text: &str) -> Result<Duration, ScriptError> {
        let digits = text
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let number: u64 = number
            .parse()
            .map_err(|_| self.error(text, format!("`{text}` is not a time such as 45s")))?;
        let time = match unit {
            "ms" => Duration::from_millis(number),
            "s" => Duration::from_secs(number),
            "m" => Duration::from_secs(number.saturating_mul(60)),
            "h" => Duration::from_secs(number.saturating_mul(3600)),
            _ => return Err(self.error(text, "units of time: ms, s, m, h")),
        };
        if time > ADVANCE_MAX {
            return Err(self.error(text, "at most 24h at once"));
        }
        Ok(time)
    }
}

/// The word of `known` with the fewest edits, if close.
pub(super) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let best = known.iter().map(|verb| (edits(word, verb), *verb)).min()?;
    (best.0 <= 2).then_some(best.1)
}

/// Levenshtein distance.
fn edits(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i.saturating_add(1);
        let mut next = vec![left];
        for (j, y) in b.chars().enumerate() {
            let up = row.get(j.saturating_add(1)).copied().unwrap_or(usize::MAX);
            let swap = diagonal.saturating_add(usize::from(x != y));
            left = swap.min(up.saturating_add(1)).min(left.saturating_add(1));
            next.push(left);
            diagonal = up;
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}
