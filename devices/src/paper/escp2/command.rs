//! ESC/P2 as a 24-pin printer reads it: one command off the front of a byte stream.
//!
//! The device side, written from the LQ-570/1000/5000+ and LQ-1600K command lists;
//! it knows nothing of our driver's encoder. Refuses to guess: what is in no list is
//! [`Step::Unknown`].

/// Columns of a bit image at most: 22 inches at 360 dots.
pub const COLUMNS_MAX: u16 = 7_920;

/// How the pins of a bit image stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Density {
    /// Bytes a column, 1 (8 pins, 1/60 inch apart) or 3 (24 pins, 1/180 apart).
    pub bytes: u8,
    /// Columns an inch.
    pub per_inch: u16,
}

/// One command, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Bytes of text, as they came (`20` and above).
    Text(Vec<u8>),
    /// NUL and the printer-select codes DC1, DC3: nothing on paper.
    Nothing,
    /// CR.
    CarriageReturn,
    /// LF.
    LineFeed,
    /// FF: ejects a cut sheet.
    FormFeed,
    /// ESC @.
    Initialise,
    /// ESC ( U: the unit, in 1/3600 inch.
    Unit(u8),
    /// ESC ( C (units), ESC C n (lines), ESC C 0 n (inches): the page's length.
    PageLength(Length),
    /// ESC ( c: top and bottom margin in units.
    PageFormat(u16, u16),
    /// ESC ( V: absolute vertical position in units.
    AbsoluteY(u16),
    /// ESC ( v: relative vertical position in units.
    RelativeY(i16),
    /// ESC $: absolute horizontal position.
    AbsoluteX(u16),
    /// ESC \: relative horizontal position.
    RelativeX(i16),
    /// ESC J: feeds n/180 inch at once, without CR.
    Feed(u8),
    /// ESC 0, ESC 2, ESC 3, ESC +: from line to line, in 1/360 inch.
    LineSpacing(u16),
    /// ESC l (false) and ESC Q (true): left and right margin in columns.
    Margin(bool, u8),
    /// FS & and FS .
    Chinese(bool),
    /// FS SO and FS W 1 (true), FS DC4 and FS W 0: double width (and height for FS W).
    ChineseWide {
        /// On.
        on: bool,
        /// FS W: both ways.
        quad: bool,
    },
    /// FS S n1 n2: left and right of each hanzi, in 1/180 inch.
    ChineseSpace(u8, u8),
    /// FS T n1 n2: the same for half-width characters.
    HalfSpace(u8, u8),
    /// FS K: horizontal writing.
    Horizontal,
    /// ESC U.
    Unidirectional(bool),
    /// ESC EM n: `R` eject, `I` insert, a digit for a bin.
    Sheet(u8),
    /// ESC x: letter quality (true) or draft.
    LetterQuality(bool),
    /// ESC P 10, ESC M 12, ESC g 15: characters an inch.
    Pitch(u8),
    /// ESC E and ESC F.
    Emphasis(bool),
    /// ESC - n.
    Underline(bool),
    /// ESC W n.
    Wide(bool),
    /// ESC k, ESC t, ESC R, ESC p 0: no other ink than without them here.
    Setting,
    /// ESC *, ESC K, L, Y, Z: columns, the upper pin in the highest bit.
    Image(Density, Vec<u8>),
}

/// The length of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// In units of ESC ( U.
    Units(u16),
    /// In lines.
    Lines(u8),
    /// In inches.
    Inches(u8),
}

/// What lies at the front of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A command and how many bytes it took.
    Command(Command, usize),
    /// The beginning of one.
    NeedMore,
    /// Nothing known; so many bytes name it.
    Unknown(usize),
}

/// Reads one command off the front.
pub fn next(bytes: &[u8]) -> Step {
    let single = |command| Step::Command(command, 1);
    match bytes {
        [] | [0x1B | 0x1C] => Step::NeedMore,
        [0x00 | 0x11 | 0x13, ..] => single(Command::Nothing),
        [0x0A, ..] => single(Command::LineFeed),
        [0x0C, ..] => single(Command::FormFeed),
        [0x0D, ..] => single(Command::CarriageReturn),
        [0x1B, op, args @ ..] => escape(*op, args),
        [0x1C, op, args @ ..] => field(*op, args),
        [first, ..] if *first >= 0x20 && *first != 0x7F => {
            let run = bytes.iter().take_while(|b| **b >= 0x20 && **b != 0x7F);
            let text: Vec<u8> = run.copied().collect();
            let taken = text.len();
            Step::Command(Command::Text(text), taken)
        }
        _ => Step::Unknown(1),
    }
}

/// A two-byte introducer with `N` argument bytes.
fn fixed<const N: usize>(args: &[u8], make: impl FnOnce([u8; N]) -> Option<Command>) -> Step {
    match args.first_chunk::<N>() {
        Some(chunk) => match make(*chunk) {
            Some(command) => Step::Command(command, N.saturating_add(2)),
            None => Step::Unknown(N.saturating_add(2)),
        },
        None => Step::NeedMore,
    }
}

/// 0 and `0` are off, 1 and `1` on; nothing else is lawful.
fn switch(n: u8) -> Option<bool> {
    match n {
        0 | b'0' => Some(false),
        1 | b'1' => Some(true),
        _ => None,
    }
}

fn escape(op: u8, args: &[u8]) -> Step {
    use Command as C;
    match op {
        b'@' => fixed(args, |[]| Some(C::Initialise)),
        b'(' => extended(args),
        b'C' => match args {
            [] | [0] => Step::NeedMore,
            [0, n, ..] => Step::Command(C::PageLength(Length::Inches(*n)), 4),
            [n, ..] => Step::Command(C::PageLength(Length::Lines(*n)), 3),
        },
        b'$' => fixed(args, |[l, h]| {
            Some(C::AbsoluteX(u16::from_le_bytes([l, h])))
        }),
        b'\\' => fixed(args, |[l, h]| {
            Some(C::RelativeX(i16::from_le_bytes([l, h])))
        }),
        b'J' => fixed(args, |[n]| Some(C::Feed(n))),
        b'0' => fixed(args, |[]| Some(C::LineSpacing(45))),
        b'2' => fixed(args, |[]| Some(C::LineSpacing(60))),
        b'3' => fixed(args, |[n]| {
            Some(C::LineSpacing(u16::from(n).saturating_mul(2)))
        }),
        b'+' => fixed(args, |[n]| Some(C::LineSpacing(u16::from(n)))),
        b'l' => fixed(args, |[n]| Some(C::Margin(false, n))),
        b'Q' => fixed(args, |[n]| Some(C::Margin(true, n))),
        b'U' => fixed(args, |[n]| switch(n).map(C::Unidirectional)),
        0x19 => fixed(args, |[n]| {
            matches!(n, b'R' | b'I' | b'0'..=b'4').then_some(C::Sheet(n))
        }),
        b'x' => fixed(args, |[n]| switch(n).map(C::LetterQuality)),
        b'P' => fixed(args, |[]| Some(C::Pitch(10))),
        b'M' => fixed(args, |[]| Some(C::Pitch(12))),
        b'g' => fixed(args, |[]| Some(C::Pitch(15))),
        b'E' => fixed(args, |[]| Some(C::Emphasis(true))),
        b'F' => fixed(args, |[]| Some(C::Emphasis(false))),
        b'-' => fixed(args, |[n]| switch(n).map(C::Underline)),
        b'W' => fixed(args, |[n]| switch(n).map(C::Wide)),
        b'k' | b't' | b'R' => fixed(args, |[_]| Some(C::Setting)),
        b'p' => fixed(args, |[n]| (switch(n) == Some(false)).then_some(C::Setting)),
        b'*' => match args {
            [] => Step::NeedMore,
            [m, rest @ ..] => image(density(*m), rest, 3),
        },
        b'K' => image(density(0), args, 2),
        b'L' => image(density(1), args, 2),
        b'Y' => image(density(2), args, 2),
        b'Z' => image(density(3), args, 2),
        _ => Step::Unknown(2),
    }
}

/// The modes of ESC *.
fn density(m: u8) -> Option<Density> {
    let (bytes, per_inch) = match m {
        0 => (1, 60),
        1 | 2 => (1, 120),
        3 => (1, 240),
        4 => (1, 80),
        6 => (1, 90),
        32 => (3, 60),
        33 => (3, 120),
        38 => (3, 90),
        39 => (3, 180),
        40 => (3, 360),
        _ => return None,
    };
    Some(Density { bytes, per_inch })
}

/// `nL nH` and the columns, behind an introducer of `before` bytes.
fn image(density: Option<Density>, args: &[u8], before: usize) -> Step {
    let Some(density) = density else {
        return Step::Unknown(before);
    };
    let Some((count, data)) = args.split_first_chunk::<2>() else {
        return Step::NeedMore;
    };
    let columns = u16::from_le_bytes(*count);
    if columns > COLUMNS_MAX {
        return Step::Unknown(before.saturating_add(2));
    }
    let length = usize::from(columns).saturating_mul(usize::from(density.bytes));
    match data.get(..length) {
        Some(data) => Step::Command(
            Command::Image(density, data.to_vec()),
            length.saturating_add(before).saturating_add(2),
        ),
        None => Step::NeedMore,
    }
}

/// ESC ( op nL nH …: only with the length its list gives.
fn extended(args: &[u8]) -> Step {
    use Command as C;
    let word = |l: u8, h: u8| u16::from_le_bytes([l, h]);
    let command = match args {
        [b'U', 1, 0, m, ..] if *m > 0 => Some((C::Unit(*m), 6)),
        [b'C', 2, 0, l, h, ..] => Some((C::PageLength(Length::Units(word(*l, *h))), 7)),
        [b'V', 2, 0, l, h, ..] => Some((C::AbsoluteY(word(*l, *h)), 7)),
        [b'v', 2, 0, l, h, ..] => Some((C::RelativeY(i16::from_le_bytes([*l, *h])), 7)),
        [b'c', 4, 0, tl, th, bl, bh, ..] => {
            Some((C::PageFormat(word(*tl, *th), word(*bl, *bh)), 9))
        }
        _ => None,
    };
    match (command, args) {
        (Some((command, taken)), _) => Step::Command(command, taken),
        (None, [] | [b'U' | b'C' | b'V' | b'v' | b'c']) => Step::NeedMore,
        (None, [b'U', 1] | [b'C' | b'V' | b'v', 2] | [b'c', 4]) => Step::NeedMore,
        (None, [b'U', 1, 0]) => Step::NeedMore,
        (None, [b'C' | b'V' | b'v', 2, 0, rest @ ..]) if rest.len() < 2 => Step::NeedMore,
        (None, [b'c', 4, 0, rest @ ..]) if rest.len() < 4 => Step::NeedMore,
        _ => Step::Unknown(3),
    }
}

fn field(op: u8, args: &[u8]) -> Step {
    use Command as C;
    let wide = |on, quad| Some(C::ChineseWide { on, quad });
    match op {
        b'&' => fixed(args, |[]| Some(C::Chinese(true))),
        b'.' => fixed(args, |[]| Some(C::Chinese(false))),
        0x0E => fixed(args, |[]| wide(true, false)),
        0x14 => fixed(args, |[]| wide(false, false)),
        b'W' => fixed(args, |[n]| switch(n).and_then(|on| wide(on, true))),
        b'S' => fixed(args, |[a, b]| Some(C::ChineseSpace(a, b))),
        b'T' => fixed(args, |[a, b]| Some(C::HalfSpace(a, b))),
        b'K' => fixed(args, |[]| Some(C::Horizontal)),
        _ => Step::Unknown(2),
    }
}
