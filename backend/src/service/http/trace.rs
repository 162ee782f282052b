//! The caller's own name for a request: W3C `traceparent`, validated, for the log alone.
//!
//! A malformed one is ignored, as the recommendation asks (Trace Context §3.2.2.3, §4.3):
//! it must neither fail a request nor put what a client wrote into the log.

use hyper::header::HeaderMap;

use super::checks::text;

/// Name of the header.
const TRACEPARENT: &str = "traceparent";

/// Identifiers out of a `traceparent`, each in lower-case hex; borrowed from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace<'a> {
    /// 32 digits: the whole of what the caller does.
    pub id: &'a str,
    /// 16 digits: the caller's step.
    pub parent: &'a str,
}

/// The trace a request belongs to, where it says one that is well formed.
pub fn of(headers: &HeaderMap) -> Option<Trace<'_>> {
    parse(text(headers, TRACEPARENT)?)
}

fn parse(value: &str) -> Option<Trace<'_>> {
    let mut fields = value.splitn(5, '-');
    let mut field = |length: usize| {
        let field = fields.next()?;
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        (field.len() == length && field.bytes().all(hex)).then_some(field)
    };
    let (version, id, parent, _flags) = (field(2)?, field(32)?, field(16)?, field(2)?);
    let is_none = |field: &str| field.bytes().all(|b| b == b'0');
    // Version 0 has four fields; a later one may have more, and 255 is none.
    let ends = version != "00" || fields.next().is_none();
    (ends && version != "ff" && !is_none(id) && !is_none(parent)).then_some(Trace { id, parent })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the recommendation, §3.2.2.
    const EXAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn the_recommendations_example_is_read() {
        let trace = parse(EXAMPLE).expect("a trace");
        assert_eq!(trace.id, "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(trace.parent, "00f067aa0ba902b7");
        let later = EXAMPLE.replacen("00", "01", 1);
        assert_eq!(parse(&format!("{later}-more")), Some(trace));
        assert_eq!(parse(&later), Some(trace));
    }

    #[test]
    fn whatever_is_malformed_is_no_trace() {
        for bent in [
            String::new(),
            EXAMPLE.to_uppercase(),
            format!("{EXAMPLE}-more"),
            format!("{EXAMPLE} "),
            EXAMPLE.replacen("00", "ff", 1),
            EXAMPLE.replacen("4bf9", "4bg9", 1),
            EXAMPLE.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            EXAMPLE.replace("00f067aa0ba902b7", &"0".repeat(16)),
            EXAMPLE.replace("-01", ""),
            EXAMPLE.replace("-01", "-1"),
        ] {
            assert_eq!(parse(&bent), None, "{bent}");
        }
    }
}
