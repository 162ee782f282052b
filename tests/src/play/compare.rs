//! Expected rows against seen rows, with elisions.
//!
//! Whether they agree is a greedy match with one place to go back to, as for file
//! globs, so no script can make it slow. What differs is told by an alignment:
//! the cheapest way to turn one into the other.

/// Stands for any number of rows, alone on a row.
const ROWS: &str = "...";
/// Stands for any text inside a row.
pub const TEXT: &str = "[..]";

/// Compares a block with what was seen. `...` alone on a row stands for any
/// number of rows, `[..]` for any text inside a row; trailing spaces do not
/// count. Returns whether they agree and how many elisions were used.
pub fn compare(expected: &[String], seen: &[String]) -> (bool, usize) {
    let elided = expected.iter().map(|row| elisions(row)).sum();
    (rows_match(expected, seen), elided)
}

/// Elisions in one expected row.
pub fn elisions(row: &str) -> usize {
    let texts = row.matches(TEXT).count();
    texts.saturating_add(usize::from(is_rows(row)))
}

/// Whether the row stands for any rows.
fn is_rows(row: &str) -> bool {
    row.trim() == ROWS
}

fn rows_match(expected: &[String], seen: &[String]) -> bool {
    let (mut at, mut row) = (0_usize, 0_usize);
    // After the last `...`, and the row it reaches to so far.
    let mut back: Option<(usize, usize)> = None;
    while let Some(got) = seen.get(row) {
        match expected.get(at) {
            Some(want) if is_rows(want) => {
                at = at.saturating_add(1);
                back = Some((at, row));
            }
            Some(want) if row_matches(want, got) => {
                at = at.saturating_add(1);
                row = row.saturating_add(1);
            }
            _ => {
                let Some((after, reached)) = back else {
                    return false;
                };
                (at, row) = (after, reached.saturating_add(1));
                back = Some((at, row));
            }
        }
    }
    expected.iter().skip(at).all(|want| is_rows(want))
}

/// Whether one row is as expected. The pieces between elisions are looked for
/// from left to right: the first begins the row, the last ends it.
pub fn row_matches(expected: &str, seen: &str) -> bool {
    let (expected, seen) = (expected.trim_end(), seen.trim_end());
    let Some((head, rest)) = expected.split_once(TEXT) else {
        return expected == seen;
    };
    let Some(mut left) = seen.strip_prefix(head) else {
        return false;
    };
    let (middle, tail) = rest.rsplit_once(TEXT).unwrap_or(("", rest));
    for piece in middle.split(TEXT) {
        match left.split_once(piece) {
            Some((_, after)) => left = after,
            None => return false,
        }
    }
    left.ends_with(tail)
}

/// One step of an alignment; numbers are indices of expected and seen rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pair {
    /// As expected.
    Same(usize, usize),
    /// A `...`; the rows it stands for are skipped.
    Elided(usize),
    /// Another row than expected.
    Other(usize, usize),
    /// Expected, and not there.
    Missing(usize),
    /// There, and not expected.
    Extra(usize),
}

/// What one row in place of another costs; a row too few or too many costs more,
/// so that changed rows stay paired.
const OTHER: u32 = 2;
const ALONE: u32 = 3;

/// The cheapest alignment of expected with seen rows.
pub fn align(expected: &[String], seen: &[String]) -> Vec<Pair> {
    let width = seen.len().saturating_add(1);
    // costs[at][row]: of what comes after these.
    let mut costs: Vec<Vec<u32>> = Vec::with_capacity(expected.len().saturating_add(1));
    let mut below: Vec<u32> = (0..width)
        .rev()
        .map(|n| ALONE.saturating_mul(short(n)))
        .collect();
    costs.push(below.clone());
    for want in expected.iter().rev() {
        let mut line = vec![0; width];
        let mut right = None;
        for row in (0..width).rev() {
            let cost = cheapest(want, seen.get(row), row, &below, right).0;
            if let Some(cell) = line.get_mut(row) {
                *cell = cost;
            }
            right = Some(cost);
        }
        costs.push(line.clone());
        below = line;
    }
    costs.reverse();
    let (mut at, mut row) = (0_usize, 0_usize);
    let mut pairs = Vec::new();
    while let (Some(want), Some(below)) = (expected.get(at), costs.get(at.saturating_add(1))) {
        let line = costs.get(at);
        let right = line
            .and_then(|line| line.get(row.saturating_add(1)))
            .copied();
        let (_, step) = cheapest(want, seen.get(row), row, below, right);
        let (next_at, next_row) = (at.saturating_add(1), row.saturating_add(1));
        match step {
            Step::Both { same } => {
                pairs.push(if same {
                    Pair::Same(at, row)
                } else {
                    Pair::Other(at, row)
                });
                (at, row) = (next_at, next_row);
            }
            Step::Expected if is_rows(want) => {
                pairs.push(Pair::Elided(at));
                at = next_at;
            }
            Step::Expected => {
                pairs.push(Pair::Missing(at));
                at = next_at;
            }
            Step::Seen => {
                if !is_rows(want) {
                    pairs.push(Pair::Extra(row));
                }
                row = next_row;
            }
        }
    }
    pairs.extend((row..seen.len()).map(Pair::Extra));
    pairs
}

fn short(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

enum Step {
    Both { same: bool },
    Expected,
    Seen,
}

/// The cheapest first step from here: `below` are the costs with one expected row
/// less, `right` is the cost with one seen row less.
fn cheapest(
    want: &str,
    got: Option<&String>,
    row: usize,
    below: &[u32],
    right: Option<u32>,
) -> (u32, Step) {
    let alone = if is_rows(want) { 0 } else { ALONE };
    let after = |row: usize| below.get(row).copied().unwrap_or(u32::MAX);
    let mut best = (after(row).saturating_add(alone), Step::Expected);
    if let (Some(_), Some(right)) = (got, right) {
        let cost = right.saturating_add(alone);
        if cost < best.0 {
            best = (cost, Step::Seen);
        }
    }
    if let Some(got) = got.filter(|_| !is_rows(want)) {
        let same = row_matches(want, got);
        let cost = if same { 0 } else { OTHER };
        let cost = after(row.saturating_add(1)).saturating_add(cost);
        if cost <= best.0 {
            best = (cost, Step::Both { same });
        }
    }
    best
}

/// Every row that differs, expected (-) and seen (+); rows that agree and rows
/// that are elided are left out.
pub fn show_difference(expected: &[String], seen: &[String]) -> String {
    let mut text = String::from("expected (-) and seen (+) differ:");
    let mut tell = |mark: &str, rows: &[String], index: usize| {
        let row = rows.get(index).map_or("", |row| row.trim_end());
        text.push_str(&format!("\n  {mark}{:>3} |{row}", index.saturating_add(1)));
    };
    for pair in align(expected, seen) {
        match pair {
            Pair::Same(..) | Pair::Elided(_) => {}
            Pair::Other(want, got) => {
                tell("-", expected, want);
                tell("+", seen, got);
            }
            Pair::Missing(want) => tell("-", expected, want),
            Pair::Extra(got) => tell("+", seen, got),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn elisions_match_inside_and_across_rows_and_are_counted() {
        let seen = rows("title  \nnumber 105 fee 1.50\na\nb\nend");
        assert_eq!(
            compare(&rows("title\nnumber [..] fee 1.50\n...\nend"), &seen),
            (true, 2)
        );
        assert_eq!(
            compare(&rows("title\nnumber [..] fee 1.60\n...\nend"), &seen),
            (false, 2)
        );
        assert!(!compare(&rows("title"), &seen).0);
        assert!(compare(&rows("...\na\n...\nend\n..."), &seen).0);
        assert!(!compare(&rows("...\nend\n...\na"), &seen).0);
    }

    #[test]
    fn an_elision_inside_a_row_reaches_as_far_as_the_rest_needs() {
        for (expected, seen, same) in [
            ("a[..]b[..]b", "a1b2b3b", true),
            ("a[..]b[..]b", "ab", false),
            ("[..]", "", true),
            ("[..]ab", "aab", true),
            ("账号 [..] 元", "账号 5 元", true),
            ("a[..]a", "a", false),
        ] {
            assert_eq!(row_matches(expected, seen), same, "{expected} on {seen}");
        }
    }

    #[test]
    fn a_page_of_elisions_is_refused_as_fast_as_any_other() {
        let seen: Vec<String> = (0..40).map(|n| format!("row {n}")).collect();
        let mut expected = vec!["...".to_owned(); 14];
        for _ in 0..14 {
            expected.extend(rows("row[..]\n..."));
        }
        expected.push("never".to_owned());
        assert!(!compare(&expected, &seen).0);
        let row = format!("{}x", "a[..]".repeat(30));
        assert!(!row_matches(&row, &"a".repeat(60)));
    }

    #[test]
    fn the_difference_names_only_rows_that_differ_also_after_an_elision() {
        let expected = rows("title\n...\nfee 1.50\n...\nEnter XX");
        let seen = rows("title\na\nb\nfee 1.50\nc\nd\nEnter OK");
        assert_eq!(
            show_difference(&expected, &seen),
            "expected (-) and seen (+) differ:\n  -  5 |Enter XX\n  +  7 |Enter OK"
        );
        let expected = rows("a\nb\nc");
        assert_eq!(
            show_difference(&expected, &rows("a\nnew\nb\nc")),
            "expected (-) and seen (+) differ:\n  +  2 |new"
        );
        assert_eq!(
            show_difference(&expected, &rows("a\nc")),
            "expected (-) and seen (+) differ:\n  -  2 |b"
        );
    }
}
