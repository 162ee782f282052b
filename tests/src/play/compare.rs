//! Expected rows against seen rows, with elisions.

/// Compares a block with what was seen. `...` alone on a row stands for any
/// number of rows, `[..]` for any text inside a row; trailing spaces do not
/// count. Returns whether they agree and how many elisions were used.
pub fn compare(expected: &[String], seen: &[String]) -> (bool, usize) {
    let elided = expected
        .iter()
        .map(|row| {
            row.matches("[..]")
                .count()
                .saturating_add(usize::from(row.trim() == "..."))
        })
        .sum();
    (rows_match(expected, seen), elided)
}

fn rows_match(expected: &[String], seen: &[String]) -> bool {
    match expected.split_first() {
        None => seen.is_empty(),
        Some((row, rest)) if row.trim() == "..." => {
            (0..=seen.len()).any(|skip| seen.get(skip..).is_some_and(|tail| rows_match(rest, tail)))
        }
        Some((row, rest)) => match seen.split_first() {
            Some((first, tail)) => {
                row_matches(row.trim_end(), first.trim_end()) && rows_match(rest, tail)
            }
            None => false,
        },
    }
}

fn row_matches(expected: &str, seen: &str) -> bool {
    let Some((head, rest)) = expected.split_once("[..]") else {
        return expected == seen;
    };
    let Some(mut tail) = seen.strip_prefix(head) else {
        return false;
    };
    loop {
        if row_matches(rest, tail) {
            return true;
        }
        let mut chars = tail.chars();
        if chars.next().is_none() {
            return false;
        }
        tail = chars.as_str();
    }
}

/// Every row that differs, expected (-) and seen (+).
pub fn show_difference(expected: &[String], seen: &[String]) -> String {
    let mut text = String::from("expected (-) and seen (+) differ:");
    let rows = expected.len().max(seen.len());
    for index in 0..rows {
        let (want, got) = (expected.get(index), seen.get(index));
        if want.map(|r| r.trim_end()) == got.map(|r| r.trim_end()) {
            continue;
        }
        for (mark, row) in [("-", want), ("+", got)] {
            if let Some(row) = row {
                text.push_str(&format!("\n  {mark}{:>3} |{row}", index.saturating_add(1)));
            }
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
    }
}
