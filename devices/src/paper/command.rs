//! ESC/POS as a printer reads it: one command off the front of a byte stream.
//!
//! The device side: the twins execute it and the renderer draws it. It was
//! written from the manuals and knows nothing of our driver's encoder, so a
//! command the encoder gets wrong shows up here as [`Step::Unknown`]. Refuses to
//! guess: a byte pair it does not know is unknown, never skipped as text.
//!
//! Sources: Epson TM-T88III specification and TM-H5000II specification (standard
//! set, slip and MICR), Custom KPM-210/216 manual (`GS e`). The blank feeder
//! (`FS ( S`) is not in any manual: see [`Command::Feeder`].

/// Longest command body that is waited for: a raster band of 72 bytes x 1023 rows fits.
pub const COMMAND_MAX: usize = 80 * 1024;

/// One command, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Bytes of text, as they came (`20` and above).
    Text(Vec<u8>),
    /// LF: print the line and feed.
    LineFeed,
    /// CR: ignored by printers set to LF.
    CarriageReturn,
    /// FF: standard mode on slip: print and eject; page mode: print and leave.
    FormFeed,
    /// CAN: page mode: forget the page.
    Cancel,
    /// NUL: no command, no ink.
    Nothing,
    /// ESC @.
    Initialise,
    /// ESC = n.
    SelectDevice(u8),
    /// ESC t n.
    CodeTable(u8),
    /// ESC R n.
    International(u8),
    /// ESC M n: 0 font A (12x24), 2 font C (8x16).
    Font(u8),
    /// FS ( A fn 48: Chinese font 0 = 24x24, 2 = 16x16.
    ChineseFont(u8),
    /// FS & (true) and FS . (false).
    Chinese(bool),
    /// FS ! n: 04 double width, 08 double height.
    ChineseMode(u8),
    /// ESC a n.
    Justify(u8),
    /// ESC E n, bit 0.
    Emphasis(bool),
    /// GS ! n: width in the high nibble, height in the low one, each less one.
    Size(u8),
    /// ESC 2 (`None`) and ESC 3 n.
    LineSpacing(Option<u8>),
    /// ESC d n.
    FeedLines(u8),
    /// ESC J n.
    FeedDots(u8),
    /// GS L.
    LeftMargin(u16),
    /// GS W.
    AreaWidth(u16),
    /// ESC $: absolute horizontal position.
    AbsoluteX(u16),
    /// GS $: absolute vertical position in page mode: the baseline.
    AbsoluteY(u16),
    /// GS P x y.
    MotionUnits(u8, u8),
    /// GS V, any of its forms; the feed before the cut.
    Cut(u8),
    /// GS v 0.
    Raster {
        /// Bytes a row.
        width: u16,
        /// Rows.
        height: u16,
        /// Rows of bits, most significant left, 1 = black.
        data: Vec<u8>,
    },
    /// ESC L.
    PageMode,
    /// ESC S.
    StandardMode,
    /// ESC W: x, y, width, height in dots.
    PageArea([u16; 4]),
    /// ESC T.
    PageDirection(u8),
    /// ESC FF: print the page and stay in page mode.
    PrintPage,
    /// GS ( k, cn 49 (QR).
    Qr(Qr),
    /// GS a n: automatic status back.
    StatusBack(u8),
    /// GS r n: queued status.
    TransmitStatus(u8),
    /// GS I n.
    Identify(u8),
    /// GS ( H fn 48: answer with this id when printing is complete.
    Fence([u8; 4]),
    /// ESC c 0 n: paper for printing; 04 is the slip.
    SelectPaper(u8),
    /// ESC c 3 / ESC c 4: sensors that stop printing.
    Sensors(u8),
    /// ESC f t1 t2: slip waiting times.
    SlipWait(u8, u8),
    /// ESC U n: one direction only.
    OneDirection(bool),
    /// ESC v: paper sensor, answered when printing and feeding before it have stopped.
    TransmitPaper,
    /// FS a 0 n: read the number of the sheet.
    ReadNumber(u8),
    /// FS a 1.
    LoadToPrintStart,
    /// FS a 2.
    EjectSheet,
    /// FS b: send the last reading again.
    Retransmit,
    /// FS ( f: reading options as (n, m) pairs.
    ReadOptions(Vec<(u8, u8)>),
    /// GS e n m: the presenter (Custom dialect); 2 retract, 3 present, 6 status.
    Presenter(u8, u8),
    /// FS ( S fn n, our choice for the blank feeder, which no manual covers:
    /// fn `30` feed from slot n (1 to 8), fn `31` report the mechanism.
    Feeder(u8, u8),
}

/// QR functions of `GS ( k`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Qr {
    /// fn 65: model.
    Model(u8),
    /// fn 67: dots a module.
    ModuleDots(u8),
    /// fn 69: `30` L, `31` M, `32` Q, `33` H.
    Level(u8),
    /// fn 80: store.
    Store(Vec<u8>),
    /// fn 81: print what is stored.
    Print,
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
    match bytes {
        [] | [0x1B..=0x1D] => Step::NeedMore,
        [0x0A, ..] => Step::Command(Command::LineFeed, 1),
        [0x0D, ..] => Step::Command(Command::CarriageReturn, 1),
        [0x0C, ..] => Step::Command(Command::FormFeed, 1),
        [0x18, ..] => Step::Command(Command::Cancel, 1),
        [0x00, ..] => Step::Command(Command::Nothing, 1),
        [0x1B, op, args @ ..] => escape(*op, args),
        [0x1C, op, args @ ..] => field(*op, args),
        [0x1D, op, args @ ..] => group(*op, args),
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
fn fixed<const N: usize>(args: &[u8], make: impl FnOnce([u8; N]) -> Command) -> Step {
    match args.first_chunk::<N>() {
        Some(chunk) => Step::Command(make(*chunk), N.saturating_add(2)),
        None => Step::NeedMore,
    }
}

/// Two bytes, low first.
fn word(low: u8, high: u8) -> u16 {
    u16::from_le_bytes([low, high])
}

fn escape(op: u8, args: &[u8]) -> Step {
    use Command as C;
    match op {
        0x40 => fixed(args, |[]| C::Initialise),
        0x3D => fixed(args, |[n]| C::SelectDevice(n)),
        0x74 => fixed(args, |[n]| C::CodeTable(n)),
        0x52 => fixed(args, |[n]| C::International(n)),
        0x4D => fixed(args, |[n]| C::Font(n)),
        0x61 => fixed(args, |[n]| C::Justify(n)),
        0x45 => fixed(args, |[n]| C::Emphasis(n & 1 == 1)),
        0x32 => fixed(args, |[]| C::LineSpacing(None)),
        0x33 => fixed(args, |[n]| C::LineSpacing(Some(n))),
        0x64 => fixed(args, |[n]| C::FeedLines(n)),
        0x4A => fixed(args, |[n]| C::FeedDots(n)),
        0x24 => fixed(args, |[l, h]| C::AbsoluteX(word(l, h))),
        0x4C => fixed(args, |[]| C::PageMode),
        0x53 => fixed(args, |[]| C::StandardMode),
        0x54 => fixed(args, |[n]| C::PageDirection(n)),
        0x0C => fixed(args, |[]| C::PrintPage),
        0x57 => fixed(args, |[a, b, c, d, e, f, g, h]| {
            C::PageArea([word(a, b), word(c, d), word(e, f), word(g, h)])
        }),
        0x66 => fixed(args, |[t1, t2]| C::SlipWait(t1, t2)),
        0x55 => fixed(args, |[n]| C::OneDirection(n & 1 == 1)),
        0x76 => fixed(args, |[]| C::TransmitPaper),
        0x63 => match args {
            [] => Step::NeedMore,
            [0x30, rest @ ..] => deeper(fixed(rest, |[n]| C::SelectPaper(n))),
            [0x33 | 0x34, rest @ ..] => deeper(fixed(rest, |[n]| C::Sensors(n))),
            _ => Step::Unknown(3),
        },
        _ => Step::Unknown(2),
    }
}

/// Adds the third introducer byte to what a nested match took.
fn deeper(step: Step) -> Step {
    match step {
        Step::Command(command, taken) => Step::Command(command, taken.saturating_add(1)),
        other => other,
    }
}

fn field(op: u8, args: &[u8]) -> Step {
    use Command as C;
    match op {
        0x26 => fixed(args, |[]| C::Chinese(true)),
        0x2E => fixed(args, |[]| C::Chinese(false)),
        0x21 => fixed(args, |[n]| C::ChineseMode(n)),
        0x62 => fixed(args, |[]| C::Retransmit),
        0x61 => match args {
            [] => Step::NeedMore,
            [0x30, rest @ ..] => deeper(fixed(rest, |[n]| C::ReadNumber(n))),
            [0x31, ..] => Step::Command(C::LoadToPrintStart, 3),
            [0x32, ..] => Step::Command(C::EjectSheet, 3),
            _ => Step::Unknown(3),
        },
        0x28 => block(args, |family, body| match (family, body) {
            (0x41, [0x30, n]) => Some(C::ChineseFont(*n)),
            (0x53, [function @ (0x30 | 0x31), n]) => Some(C::Feeder(*function, *n)),
            (0x66, pairs) => {
                let (pairs, rest) = pairs.as_chunks::<2>();
                let options = pairs.iter().map(|[n, m]| (*n, *m)).collect();
                rest.is_empty().then_some(C::ReadOptions(options))
            }
            _ => None,
        }),
        _ => Step::Unknown(2),
    }
}

fn group(op: u8, args: &[u8]) -> Step {
    use Command as C;
    match op {
        0x21 => fixed(args, |[n]| C::Size(n)),
        0x4C => fixed(args, |[l, h]| C::LeftMargin(word(l, h))),
        0x57 => fixed(args, |[l, h]| C::AreaWidth(word(l, h))),
        0x24 => fixed(args, |[l, h]| C::AbsoluteY(word(l, h))),
        0x50 => fixed(args, |[x, y]| C::MotionUnits(x, y)),
        0x61 => fixed(args, |[n]| C::StatusBack(n)),
        0x72 => fixed(args, |[n]| C::TransmitStatus(n)),
        0x49 => fixed(args, |[n]| C::Identify(n)),
        0x56 => match args {
            [] => Step::NeedMore,
            [0 | 1 | 0x30 | 0x31, ..] => Step::Command(C::Cut(0), 3),
            [0x41 | 0x42, rest @ ..] => deeper(fixed(rest, |[n]| C::Cut(n))),
            _ => Step::Unknown(3),
        },
        0x65 => match args {
            [] => Step::NeedMore,
            [n @ (2 | 5 | 6), ..] => Step::Command(C::Presenter(*n, 0), 3),
            [3, rest @ ..] => deeper(fixed(rest, |[m]| C::Presenter(3, m))),
            _ => Step::Unknown(3),
        },
        0x76 => raster(args),
        0x28 => block(args, |family, body| match (family, body) {
            (0x48, [0x30, 0x30, id @ ..]) => id.first_chunk::<4>().map(|id| C::Fence(*id)),
            (0x6B, [0x31, qr @ ..]) => qr_function(qr).map(C::Qr),
            _ => None,
        }),
        _ => Step::Unknown(2),
    }
}

/// `X pL pH body` after an introducer of two bytes.
fn block(args: &[u8], make: impl FnOnce(u8, &[u8]) -> Option<Command>) -> Step {
    let Some(([family, low, high], rest)) = args.split_first_chunk::<3>() else {
        return Step::NeedMore;
    };
    let length = usize::from(word(*low, *high));
    let Some(body) = rest.get(..length) else {
        return Step::NeedMore;
    };
    let taken = length.saturating_add(5);
    match make(*family, body) {
        Some(command) => Step::Command(command, taken),
        None => Step::Unknown(taken),
    }
}

fn qr_function(body: &[u8]) -> Option<Qr> {
    match body {
        [0x41, n, 0] => Some(Qr::Model(*n)),
        [0x43, n] => Some(Qr::ModuleDots(*n)),
        [0x45, n] => Some(Qr::Level(*n)),
        [0x50, 0x30, data @ ..] => Some(Qr::Store(data.to_vec())),
        [0x51, 0x30] => Some(Qr::Print),
        _ => None,
    }
}

/// `0 m xL xH yL yH data` after GS v.
fn raster(args: &[u8]) -> Step {
    let Some(([zero, _mode, xl, xh, yl, yh], rest)) = args.split_first_chunk::<6>() else {
        return Step::NeedMore;
    };
    if *zero != 0x30 {
        return Step::Unknown(3);
    }
    let (width, height) = (word(*xl, *xh), word(*yl, *yh));
    let size = usize::from(width).saturating_mul(usize::from(height));
    if size > COMMAND_MAX {
        return Step::Unknown(8);
    }
    match rest.get(..size) {
        Some(data) => {
            let data = data.to_vec();
            let command = Command::Raster {
                width,
                height,
                data,
            };
            Step::Command(command, size.saturating_add(8))
        }
        None => Step::NeedMore,
    }
}

#[cfg(test)]
mod tests;
