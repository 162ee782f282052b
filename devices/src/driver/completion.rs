//! How sure a printer's `Done` is.

/// What stands behind `Done`, weakest first. None of them is a look at the paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// It took all bytes, and no sensor shows what became of them.
    Accepted,
    /// Afterwards its sensors showed what they show when it went well: the sheet had
    /// left, no fault. Nobody asked whether there is ink on it.
    Status,
    /// It answered a question that was queued behind the data.
    Ordered,
    /// It sent this job's own id when printing was complete (GS ( H).
    Identified,
}

impl Grade {
    /// Its name in evidence.
    pub fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Status => "status",
            Self::Ordered => "ordered",
            Self::Identified => "identified",
        }
    }
}
