//! What is wrong with a TOML text, in one line that says where and what would be right.
//!
//! `toml`'s own message is a drawing of several lines, which a log or a terminal's last
//! row cannot show. Called by whatever reads a configuration file.

use std::ops::Range;

/// Where, and what.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct TomlFault {
    /// From 1.
    pub line: usize,
    /// What is wrong and what would be right.
    pub what: String,
}

impl TomlFault {
    /// The fault that `error` tells of `text`.
    pub fn of(text: &str, error: &toml::de::Error) -> Self {
        let lines: Vec<&str> = error.message().lines().map(str::trim).collect();
        Self {
            line: line(text, &error.span().unwrap_or_default()),
            what: lines.join(", "),
        }
    }
}

/// The line a place in a text is on, from 1.
pub fn line(text: &str, span: &Range<usize>) -> usize {
    let before = text.as_bytes().get(..span.start).unwrap_or_default();
    let ends = before.iter().filter(|b| **b == b'\n').count();
    ends.saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_one_line_with_its_place() {
        let fault = |text: &str| {
            let error = toml::from_str::<toml::Table>(text).expect_err("is no TOML");
            TomlFault::of(text, &error)
        };
        let open = fault("a = 1\nb = \"x\nc = 2\n");
        assert_eq!(open.line, 2);
        assert!(!open.to_string().contains('\n'), "{open}");
        assert!(open.to_string().starts_with("line 2: "), "{open}");
        assert_eq!(fault("a = 1\n\n\na = 2\n").line, 4, "said twice");
    }
}
