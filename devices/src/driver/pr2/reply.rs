//! What a PR2 says, byte by byte: `ESC r x` to a status request, `ESC B id m ESC Z`
//! to a position request (Olivetti PR45; Compuprint MDP40B, appendix C).
//!
//! Refuses to guess: what is neither is [`Reply::Unclassified`]. Keeps at most one
//! unfinished reply.

const ESC: u8 = 0x1B;

/// One reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// The x of `ESC r x`.
    Status(u8),
    /// The id and m of `ESC B id m ESC Z`; id `5` is the front stand.
    Position(u8, u8),
    /// A byte of neither.
    Unclassified(u8),
}

/// The parser: bytes in, replies out.
#[derive(Debug, Clone, Default)]
pub struct ReplyParser {
    held: Vec<u8>,
}

impl ReplyParser {
    /// Forgets an unfinished reply.
    pub fn reset(&mut self) {
        self.held.clear();
    }

    /// Takes bytes in and appends every reply they complete.
    pub fn feed(&mut self, bytes: &[u8], replies: &mut Vec<Reply>) {
        for byte in bytes {
            self.held.push(*byte);
            match self.held.as_slice() {
                [ESC]
                | [ESC, b'r' | b'B']
                | [ESC, b'B', _]
                | [ESC, b'B', _, _]
                | [ESC, b'B', _, _, ESC] => continue,
                [ESC, b'r', x] => replies.push(Reply::Status(*x)),
                [ESC, b'B', id, m, ESC, b'Z'] => replies.push(Reply::Position(*id, *m)),
                _ => {
                    // The last byte may begin another one.
                    let begins = *byte == ESC;
                    let kept = self.held.len().saturating_sub(usize::from(begins));
                    let broken = self.held.get(..kept).unwrap_or_default();
                    replies.extend(broken.iter().map(|b| Reply::Unclassified(*b)));
                    self.held.clear();
                    if begins {
                        self.held.push(ESC);
                    }
                    continue;
                }
            }
            self.held.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(bytes: &[u8]) -> Vec<Reply> {
        let mut replies = Vec::new();
        ReplyParser::default().feed(bytes, &mut replies);
        replies
    }

    #[test]
    fn status_and_position_are_told_apart() {
        assert_eq!(
            parse(b"\x1br0\x1bB52\x1bZ"),
            [Reply::Status(b'0'), Reply::Position(b'5', b'2')]
        );
    }

    #[test]
    fn what_breaks_off_is_named_and_what_follows_is_not_lost() {
        let broken = |b: &u8| Reply::Unclassified(*b);
        let rest: Vec<Reply> = b"\x1bB52".iter().map(broken).collect();
        let mut expected = rest;
        // `ESC r` where ESC Z belongs: the ESC was the end's, the status is lost.
        expected.extend([Reply::Unclassified(ESC), Reply::Unclassified(b'r')]);
        expected.push(Reply::Unclassified(b'0'));
        expected.push(Reply::Status(b'1'));
        assert_eq!(parse(b"\x1bB52\x1br0\x1br1"), expected);
        assert_eq!(
            parse(b"\x1b\x1br1"),
            [Reply::Unclassified(ESC), Reply::Status(b'1')]
        );
    }

    proptest! {
        #[test]
        fn cutting_the_stream_anywhere_gives_the_same_replies(
            bytes in prop::collection::vec(
                prop_oneof![Just(ESC), Just(b'r'), Just(b'B'), Just(b'Z'), any::<u8>()], 0..200),
            cut in 0_usize..200,
        ) {
            let (a, b) = bytes.split_at(cut.min(bytes.len()));
            let (mut parts, mut parser) = (Vec::new(), ReplyParser::default());
            parser.feed(a, &mut parts);
            parser.feed(b, &mut parts);
            prop_assert_eq!(parse(&bytes), parts);
            prop_assert!(parser.held.len() < 6);
        }
    }
}
