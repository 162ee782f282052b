//! What a printer says, told apart byte by byte.
//!
//! Replies come when they like: status is pushed, answers are queued behind
//! paper. So there is one parser, fed from one pipe, that never assumes an
//! order. Classes: Epson "transmission status identification" (TM-H5000II
//! specification, appendix E; TM-T88III specification, appendix G). Refuses to
//! guess: a byte of no class is [`Reply::Unclassified`].

/// Longest block body that is kept; a longer one is dropped and reported.
pub const BLOCK_MAX: usize = 256;

/// Automatic status back: four bytes, pushed at every change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asb(pub [u8; 4]);

impl Asb {
    /// Byte 1, bit 3.
    pub fn offline(self) -> bool {
        self.0[0] & 0x08 != 0
    }

    /// Byte 1, bit 5.
    pub fn cover_open(self) -> bool {
        self.0[0] & 0x20 != 0
    }

    /// Byte 2, bit 2: mechanical or recoverable error.
    pub fn mechanical(self) -> bool {
        self.0[1] & 0x04 != 0
    }

    /// Byte 2, bit 3: autocutter.
    pub fn cutter(self) -> bool {
        self.0[1] & 0x08 != 0
    }

    /// Byte 2, bit 5: unrecoverable.
    pub fn unrecoverable(self) -> bool {
        self.0[1] & 0x20 != 0
    }

    /// Byte 2, bit 6: recovers by itself (hot head).
    pub fn recovering(self) -> bool {
        self.0[1] & 0x40 != 0
    }

    /// Byte 3, bits 0 and 1: roll (or ribbon) near its end.
    pub fn near_end(self) -> bool {
        self.0[2] & 0x03 != 0
    }

    /// Byte 3, bits 2 and 3: roll (or ribbon) at its end.
    pub fn end(self) -> bool {
        self.0[2] & 0x0C != 0
    }

    /// Byte 3, bits 5 and 6 both set mean no sheet anywhere in the slip path.
    pub fn sheet_in_path(self) -> bool {
        self.0[2] & 0x60 != 0x60
    }

    /// Byte 4, bits 0 and 1 clear: slip selected and printable.
    pub fn slip_printable(self) -> bool {
        self.0[3] & 0x03 == 0
    }
}

/// One reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Answer to DLE EOT n (`b & 93 == 12`).
    RealTime(u8),
    /// Automatic status back.
    Asb(Asb),
    /// One-byte answer to GS r, GS I, GS e 6 (`b & 90 == 00`).
    Status(u8),
    /// Flow control; `true` is XON.
    Flow(bool),
    /// `5F … 00`: printer information B, number readings.
    Data(Vec<u8>),
    /// `37 id … 00`: fences (id `22`), off-line (`23`), feeder (`53`, `54`).
    Tagged(u8, Vec<u8>),
    /// `3D id … 00`: printer information A.
    Information(u8, Vec<u8>),
    /// A byte of no class.
    Unclassified(u8),
    /// A block longer than [`BLOCK_MAX`] was dropped.
    Overlong,
}

/// Which block is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    Data,
    Tagged(Option<u8>),
    Information(Option<u8>),
}

/// Where the parser is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
enum State {
    #[default]
    Idle,
    Asb(Vec<u8>),
    Block(Block, Vec<u8>),
}

/// The parser: bytes in, replies out; keeps at most one unfinished reply.
#[derive(Debug, Clone, Default)]
pub struct ReplyParser(State);

impl ReplyParser {
    /// Forgets an unfinished reply (after a reset).
    pub fn reset(&mut self) {
        self.0 = State::Idle;
    }

    /// Takes bytes in and appends every reply they complete.
    pub fn feed(&mut self, bytes: &[u8], replies: &mut Vec<Reply>) {
        for byte in bytes {
            self.0 = match std::mem::take(&mut self.0) {
                State::Idle => start(*byte, replies),
                State::Asb(held) => status_back(held, *byte, replies),
                State::Block(block, body) => in_block(block, body, *byte, replies),
            };
        }
    }
}

/// A byte outside any reply. Block headers come first: `5F` and `37` also look
/// like XOFF and `3D` like XON.
fn start(byte: u8, replies: &mut Vec<Reply>) -> State {
    let reply = match byte {
        0x5F => return State::Block(Block::Data, Vec::new()),
        0x37 => return State::Block(Block::Tagged(None), Vec::new()),
        0x3D => return State::Block(Block::Information(None), Vec::new()),
        0x11 => Reply::Flow(true),
        0x13 => Reply::Flow(false),
        b if b & 0x93 == 0x10 => return State::Asb(vec![b]),
        b if b & 0x93 == 0x12 => Reply::RealTime(b),
        b if b & 0x90 == 0x00 => Reply::Status(b),
        b => Reply::Unclassified(b),
    };
    replies.push(reply);
    State::Idle
}

/// Bytes 2 to 4 of a status; a byte that cannot belong to it breaks it off.
fn status_back(mut held: Vec<u8>, byte: u8, replies: &mut Vec<Reply>) -> State {
    if byte & 0x90 != 0 {
        replies.extend(held.into_iter().map(Reply::Unclassified));
        return start(byte, replies);
    }
    held.push(byte);
    match held.first_chunk::<4>() {
        Some(whole) => {
            replies.push(Reply::Asb(Asb(*whole)));
            State::Idle
        }
        None => State::Asb(held),
    }
}

/// Inside a block nothing is status until `00`.
fn in_block(block: Block, mut body: Vec<u8>, byte: u8, replies: &mut Vec<Reply>) -> State {
    match (block, byte) {
        (Block::Tagged(None), id) if id != 0 => State::Block(Block::Tagged(Some(id)), body),
        (Block::Information(None), id) if id != 0 => {
            State::Block(Block::Information(Some(id)), body)
        }
        (_, 0) if body.len() > BLOCK_MAX => {
            replies.push(Reply::Overlong);
            State::Idle
        }
        (_, 0) => {
            replies.push(match block {
                Block::Data => Reply::Data(body),
                Block::Tagged(id) => Reply::Tagged(id.unwrap_or(0), body),
                Block::Information(id) => Reply::Information(id.unwrap_or(0), body),
            });
            State::Idle
        }
        (_, byte) => {
            if body.len() <= BLOCK_MAX {
                body.push(byte);
            }
            State::Block(block, body)
        }
    }
}

#[cfg(test)]
mod tests {
    use counterfoil_data::wire::unhex;
    use proptest::prelude::*;

    use super::*;

    fn parse(hex: &str) -> Vec<Reply> {
        let mut replies = Vec::new();
        let bytes = unhex(&hex.replace(' ', "")).expect("hex");
        ReplyParser::default().feed(&bytes, &mut replies);
        replies
    }

    #[test]
    fn the_mixed_stream_of_status_fence_and_late_answer_is_told_apart() {
        assert_eq!(
            parse("18 00 0f 00 12 37 22 4a 30 30 31 00 10 00 00 00 00"),
            [
                Reply::Asb(Asb([0x18, 0, 0x0f, 0])),
                Reply::RealTime(0x12),
                Reply::Tagged(0x22, b"J001".to_vec()),
                Reply::Asb(Asb([0x10, 0, 0, 0])),
                Reply::Status(0),
            ]
        );
    }

    #[test]
    fn a_status_byte_inside_a_block_is_data() {
        assert_eq!(
            parse("37 22 31 32 10 33 00"),
            [Reply::Tagged(0x22, vec![0x31, 0x32, 0x10, 0x33])]
        );
    }

    #[test]
    fn number_readings_good_and_bad_are_data_blocks() {
        assert_eq!(
            parse("5F 40 31 32 33 00 5F 70 00 37 2A 78 46 1F 3F 31 00"),
            [
                Reply::Data(vec![0x40, 0x31, 0x32, 0x33]),
                Reply::Data(vec![0x70]),
                Reply::Tagged(0x2A, vec![0x78, 0x46, 0x1F, 0x3F, 0x31]),
            ]
        );
    }

    #[test]
    fn a_pushed_status_that_breaks_off_is_unclassified_and_nothing_after_it_is_lost() {
        assert_eq!(
            parse("10 00 12"),
            [
                Reply::Unclassified(0x10),
                Reply::Unclassified(0x00),
                Reply::RealTime(0x12)
            ]
        );
    }

    #[test]
    fn slip_states_are_the_manuals_bits() {
        let loaded = Asb([0x10, 0, 0x00, 0x00]);
        assert!(loaded.slip_printable() && loaded.sheet_in_path());
        let waiting = Asb([0x10, 0, 0x60, 0x02]);
        assert!(!waiting.slip_printable() && !waiting.sheet_in_path());
        // One sensor covered; on its way out; the roll selected again.
        let entering = Asb([0x10, 0, 0x40, 0x02]);
        assert!(!entering.slip_printable() && entering.sheet_in_path());
        let leaving = Asb([0x10, 0, 0x20, 0x02]);
        assert!(!leaving.slip_printable() && leaving.sheet_in_path());
        let removed = Asb([0x10, 0, 0x60, 0x03]);
        assert!(!removed.slip_printable() && !removed.sheet_in_path());
    }

    /// What an emulator of another maker answers, and the manual's slip states.
    #[test]
    fn real_time_answers_and_pushed_status_are_never_taken_for_each_other() {
        for byte in [0x12, 0x16, 0x1A, 0x1E, 0x32, 0x7E, 0x76, 0x7A] {
            assert_eq!(parse(&format!("{byte:02x}")), [Reply::RealTime(byte)]);
        }
        for pushed in [
            [0x10, 0, 0, 0],
            [0x10, 0, 0x03, 0],
            [0x18, 0, 0x0F, 0],
            [0x38, 0, 0, 0],
            [0x10, 0, 0x60, 0x03],
            [0x10, 0, 0x40, 0x02],
        ] {
            let [a, b, c, d] = pushed;
            let hex = format!("{a:02x}{b:02x}{c:02x}{d:02x}");
            assert_eq!(parse(&hex), [Reply::Asb(Asb(pushed))]);
        }
        assert_eq!(
            parse("5f 544d2d5432304949 49 00 5f 4550534f4e 00 3d 21 41 00"),
            [
                Reply::Data(b"TM-T20III".to_vec()),
                Reply::Data(b"EPSON".to_vec()),
                Reply::Information(0x21, b"A".to_vec()),
            ]
        );
    }

    proptest! {
        #[test]
        fn cutting_the_stream_anywhere_gives_the_same_replies(
            bytes in prop::collection::vec(any::<u8>(), 0..600), cut in 0usize..600
        ) {
            let mut whole = Vec::new();
            ReplyParser::default().feed(&bytes, &mut whole);
            let (a, b) = bytes.split_at(cut.min(bytes.len()));
            let mut parts = Vec::new();
            let mut parser = ReplyParser::default();
            parser.feed(a, &mut parts);
            parser.feed(b, &mut parts);
            prop_assert_eq!(whole, parts);
        }
    }
}
