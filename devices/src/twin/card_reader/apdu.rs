//! A command as the card sees it, and a file to try long ones on.

/// Longest answer out of the file to try.
const FILE_MAX: usize = 4096;

/// A command as the card sees it.
pub(super) struct CommandApdu<'a> {
    pub(super) header: [u8; 4],
    pub(super) data: &'a [u8],
    /// Most bytes of an answer, 0 = none is wanted.
    pub(super) expects: usize,
    pub(super) extended: bool,
}

/// Reads an APDU by ISO 7816-4 §5.1: cases 1 to 4, short and extended.
pub(super) fn command(bytes: &[u8]) -> Option<CommandApdu<'_>> {
    let (header, body) = bytes.split_first_chunk::<4>()?;
    let (data, expects, extended): (&[u8], _, _) = match *body {
        [] => (&[], 0, false),
        [le] => (&[], wanted(usize::from(le), 256), false),
        [0, high, low] => (&[], wanted(length(high, low), 65_536), true),
        [0, high, low, ref rest @ ..] => {
            let (data, end) = rest.split_at_checked(length(high, low))?;
            match *end {
                [] => (data, 0, true),
                [high, low] => (data, wanted(length(high, low), 65_536), true),
                _ => return None,
            }
        }
        [lc, ref rest @ ..] => {
            let (data, end) = rest.split_at_checked(usize::from(lc))?;
            match *end {
                [] => (data, 0, false),
                [le] => (data, wanted(usize::from(le), 256), false),
                _ => return None,
            }
        }
    };
    Some(CommandApdu {
        header: *header,
        data,
        expects,
        extended,
    })
}

fn length(high: u8, low: u8) -> usize {
    usize::from(u16::from_be_bytes([high, low]))
}

pub(super) fn wanted(le: usize, all: usize) -> usize {
    if le == 0 { all } else { le }
}

/// Bytes of a file to try long answers on: its own offsets.
pub(super) fn file(high: u8, low: u8, count: usize) -> Vec<u8> {
    let from = length(high, low);
    let all = from..from.saturating_add(count.min(FILE_MAX));
    all.map(|at| u8::try_from(at % 251).unwrap_or_default())
        .collect()
}
