//! Terminal bytes to keys: our own bounded decoder.
//!
//! Not crossterm's: one stray `ESC [ 200 ~` makes its parser swallow every later
//! key (`ARCHITECTURE.md`, departures). Sans-I/O: [`Decoder::feed`] takes bytes,
//! [`Decoder::pause`] says that nothing came for [`PAUSE`], which ends a lone
//! Escape and drops a sequence that never ended. Pastes exist only where the
//! terminal was asked for them, at a desk: at a kiosk their markers mean nothing,
//! so that none can be opened there. Called by the binaries' shells.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Longest escape sequence in bytes; a longer one is dropped.
pub const SEQUENCE_MAX: usize = 64;
/// Longest paste in characters; the rest is dropped.
pub const PASTE_MAX: usize = 64;
/// Silence that ends a lone Escape.
pub const PAUSE: Duration = Duration::from_millis(50);
/// So many pauses in a row end a paste whose end was lost: a paste over a slow
/// line stops now and then, and its rest must not become keys.
pub const PASTE_PAUSES_MAX: u8 = 20;

/// A key, in our own serialisable form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Key {
    /// A printable character.
    Char(char),
    /// Enter or Return.
    Enter,
    /// Escape.
    Esc,
    /// Tab.
    Tab,
    /// Backspace or Delete-left.
    Backspace,
    /// Cursor up.
    Up,
    /// Cursor down.
    Down,
    /// Cursor left.
    Left,
    /// Cursor right.
    Right,
    /// Function key 1 to 12.
    F(u8),
    /// Control and a letter.
    Ctrl(char),
    /// A bracketed paste: at most [`PASTE_MAX`] printable characters.
    Paste(String),
}

impl Key {
    /// The key a script names: `Enter`, `Up`, `F2`, `Ctrl-c`, or one character.
    pub fn named(name: &str) -> Option<Self> {
        let key = match name {
            "Enter" => Self::Enter,
            "Esc" => Self::Esc,
            "Tab" => Self::Tab,
            "Backspace" => Self::Backspace,
            "Up" => Self::Up,
            "Down" => Self::Down,
            "Left" => Self::Left,
            "Right" => Self::Right,
            "Space" => Self::Char(' '),
            _ => {
                if let Some(c) = name.strip_prefix("Ctrl-").and_then(only_char) {
                    return Some(Self::Ctrl(c));
                }
                if let Some(n) = name.strip_prefix('F').and_then(|n| n.parse().ok()) {
                    return (1..=12).contains(&n).then_some(Self::F(n));
                }
                return only_char(name).map(Self::Char);
            }
        };
        Some(key)
    }
}

fn only_char(text: &str) -> Option<char> {
    let mut chars = text.chars();
    let first = chars.next()?;
    chars.next().is_none().then_some(first)
}

/// What the decoder is in the middle of.
#[derive(Debug, Default)]
enum State {
    #[default]
    Ground,
    /// After ESC, with what followed.
    Escape(Vec<u8>),
    /// A sequence grew past the limit: skip to its final byte.
    Overlong,
    /// Inside a UTF-8 character.
    Utf8 { bytes: Vec<u8>, len: usize },
    /// Inside a bracketed paste.
    Paste {
        text: Vec<u8>,
        tail: Vec<u8>,
        pauses: u8,
    },
}

/// The decoder. One per terminal, dropped with the session.
#[derive(Debug, Default)]
pub struct Decoder {
    state: State,
    /// Whether the terminal was asked to bracket pastes.
    pastes: bool,
}

impl Decoder {
    /// For a terminal that was asked to bracket pastes (`ESC [ ? 2004 h`).
    pub fn with_pastes() -> Self {
        Self {
            pastes: true,
            ..Self::default()
        }
    }

    /// Takes bytes in any split and gives the keys they complete.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Key> {
        bytes.iter().filter_map(|byte| self.byte(*byte)).collect()
    }

    /// Nothing came for [`PAUSE`]: a lone Escape is a key, a paste waits for
    /// [`PASTE_PAUSES_MAX`] of them, anything else begun is dropped, so that no
    /// byte sequence can hold the keyboard for ever.
    pub fn pause(&mut self) -> Option<Key> {
        match std::mem::take(&mut self.state) {
            State::Escape(rest) if rest.is_empty() => Some(Key::Esc),
            State::Paste { text, tail, pauses } => {
                let pauses = pauses.saturating_add(1);
                if pauses >= PASTE_PAUSES_MAX {
                    return paste(&text);
                }
                self.state = State::Paste { text, tail, pauses };
                None
            }
            _ => None,
        }
    }

    /// Nothing will come any more.
    pub fn end(&mut self) -> Option<Key> {
        match std::mem::take(&mut self.state) {
            State::Escape(rest) if rest.is_empty() => Some(Key::Esc),
            State::Paste { text, .. } => paste(&text),
            _ => None,
        }
    }

    /// Whether [`Decoder::pause`] would change anything.
    pub fn is_waiting(&self) -> bool {
        !matches!(self.state, State::Ground)
    }

    fn byte(&mut self, byte: u8) -> Option<Key> {
        match std::mem::take(&mut self.state) {
            State::Ground => self.ground(byte),
            State::Escape(rest) => self.escape(rest, byte),
            State::Overlong => {
                if !(0x40..=0x7e).contains(&byte) {
                    self.state = State::Overlong;
                }
                None
            }
            State::Utf8 { mut bytes, len } => {
                if byte & 0xc0 != 0x80 {
                    return self.ground(byte);
                }
                bytes.push(byte);
                if bytes.len() < len {
                    self.state = State::Utf8 { bytes, len };
                    return None;
                }
                // C1 controls are two bytes in UTF-8; no key sends one.
                std::str::from_utf8(&bytes)
                    .ok()
                    .and_then(only_char)
                    .filter(|c| !c.is_control())
                    .map(Key::Char)
            }
            State::Paste { text, tail, .. } => self.paste(text, tail, byte),
        }
    }

    fn ground(&mut self, byte: u8) -> Option<Key> {
        match byte {
            b'\r' | b'\n' => Some(Key::Enter),
            b'\t' => Some(Key::Tab),
            0x08 | 0x7f => Some(Key::Backspace),
            0x1b => {
                self.state = State::Escape(Vec::new());
                None
            }
            0x01..=0x1a => Some(Key::Ctrl(char::from(
                byte.saturating_add(b'a').saturating_sub(1),
            ))),
            0x20..=0x7e => Some(Key::Char(char::from(byte))),
            0xc2..=0xf4 => {
                let len = if byte < 0xe0 {
                    2
                } else if byte < 0xf0 {
                    3
                } else {
                    4
                };
                self.state = State::Utf8 {
                    bytes: vec![byte],
                    len,
                };
                None
            }
            _ => None,
        }
    }

    fn escape(&mut self, mut rest: Vec<u8>, byte: u8) -> Option<Key> {
        if byte == 0x1b {
            self.state = State::Escape(Vec::new());
            return rest.is_empty().then_some(Key::Esc);
        }
        rest.push(byte);
        let introduced = matches!(rest.first(), Some(b'[' | b'O'));
        // The Linux console sends F1 to F5 as `ESC [ [ A` to `E`: the second
        // bracket ends nothing.
        let console = rest.as_slice() == b"[[";
        let final_byte = rest.len() > 1 && (0x40..=0x7e).contains(&byte) && !console;
        if self.pastes && rest.as_slice() == b"[200~" {
            self.state = State::Paste {
                text: Vec::new(),
                tail: Vec::new(),
                pauses: 0,
            };
            return None;
        }
        if !introduced || final_byte {
            return sequence(&rest);
        }
        self.state = if rest.len() >= SEQUENCE_MAX {
            State::Overlong
        } else {
            State::Escape(rest)
        };
        None
    }

    fn paste(&mut self, mut text: Vec<u8>, mut tail: Vec<u8>, byte: u8) -> Option<Key> {
        const END: &[u8] = b"\x1b[201~";
        tail.push(byte);
        if tail == END {
            return paste(&text);
        }
        if !END.starts_with(&tail) {
            text.append(&mut tail);
            text.truncate(PASTE_MAX.saturating_mul(4));
        }
        let pauses = 0;
        self.state = State::Paste { text, tail, pauses };
        None
    }
}

/// A paste's printable characters; never Enter.
fn paste(bytes: &[u8]) -> Option<Key> {
    let text: String = String::from_utf8_lossy(bytes)
        .chars()
        .filter(|c| !c.is_control())
        .take(PASTE_MAX)
        .collect();
    (!text.is_empty()).then_some(Key::Paste(text))
}

/// The key of a finished sequence without its ESC; `None` for what we ignore.
fn sequence(rest: &[u8]) -> Option<Key> {
    Some(match rest {
        b"[A" | b"OA" => Key::Up,
        b"[B" | b"OB" => Key::Down,
        b"[C" | b"OC" => Key::Right,
        b"[D" | b"OD" => Key::Left,
        b"[3~" => Key::Backspace,
        b"OP" | b"[11~" | b"[[A" => Key::F(1),
        b"OQ" | b"[12~" | b"[[B" => Key::F(2),
        b"OR" | b"[13~" | b"[[C" => Key::F(3),
        b"OS" | b"[14~" | b"[[D" => Key::F(4),
        b"[15~" | b"[[E" => Key::F(5),
        b"[17~" => Key::F(6),
        b"[18~" => Key::F(7),
        b"[19~" => Key::F(8),
        b"[20~" => Key::F(9),
        b"[21~" => Key::F(10),
        b"[23~" => Key::F(11),
        b"[24~" => Key::F(12),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_arrive_whatever_way_the_bytes_are_split() {
        let bytes = "a\x1b[A\r张\x1bOQ\x03".as_bytes();
        let expected = vec![
            Key::Char('a'),
            Key::Up,
            Key::Enter,
            Key::Char('张'),
            Key::F(2),
            Key::Ctrl('c'),
        ];
        assert_eq!(Decoder::default().feed(bytes), expected);
        let mut slow = Decoder::default();
        let one_by_one: Vec<Key> = bytes.iter().flat_map(|b| slow.feed(&[*b])).collect();
        assert_eq!(one_by_one, expected);
    }

    /// U+0080 to U+009F are controls as much as U+0000 to U+001F, and one of them
    /// (CSI) begins a terminal's commands; as keys they were passed on.
    #[test]
    fn no_key_is_a_control_character() {
        let c1: String = ('\u{80}'..='\u{9f}').collect();
        assert_eq!(Decoder::default().feed(c1.as_bytes()), []);
        let next = Decoder::default().feed("\u{9b}\u{a1}".as_bytes());
        assert_eq!(next, [Key::Char('\u{a1}')]);
    }

    #[test]
    fn function_keys_of_a_linux_console_and_of_xterm_are_the_same_keys() {
        let console = Decoder::default().feed(b"\x1b[[A\x1b[[B\x1b[[C\x1b[[D\x1b[[Ek");
        let xterm = Decoder::default().feed(b"\x1bOP\x1bOQ\x1bOR\x1bOS\x1b[15~k");
        assert_eq!(console, xterm);
        assert_eq!(console.len(), 6, "{console:?}");
        assert_eq!(console.first(), Some(&Key::F(1)));
    }

    #[test]
    fn a_lone_escape_is_a_key_after_the_pause() {
        let mut decoder = Decoder::default();
        assert!(decoder.feed(b"\x1b").is_empty());
        assert!(decoder.is_waiting());
        assert_eq!(decoder.pause(), Some(Key::Esc));
    }

    #[test]
    fn an_opened_paste_cannot_hold_the_keyboard() {
        let mut decoder = Decoder::with_pastes();
        assert!(decoder.feed(b"\x1b[200~123\r456").is_empty());
        let pauses = usize::from(PASTE_PAUSES_MAX);
        let ended: Vec<Key> = (0..pauses).filter_map(|_| decoder.pause()).collect();
        assert_eq!(ended, [Key::Paste("123456".into())]);
        assert_eq!(decoder.feed(b"x"), vec![Key::Char('x')]);
    }

    #[test]
    fn a_paste_that_pauses_is_one_paste_and_its_enter_is_no_key() {
        let mut decoder = Decoder::with_pastes();
        assert!(decoder.feed(b"\x1b[200~12").is_empty());
        assert_eq!(decoder.pause(), None);
        assert_eq!(
            decoder.feed(b"y\r34\x1b[201~k"),
            [Key::Paste("12y34".into()), Key::Char('k')]
        );
    }

    #[test]
    fn at_a_kiosk_no_paste_can_be_opened() {
        let mut decoder = Decoder::default();
        assert_eq!(
            decoder.feed(b"\x1b[200~7\x1b[201~8"),
            [Key::Char('7'), Key::Char('8')]
        );
    }

    #[test]
    fn an_endless_sequence_is_dropped_at_its_limit() {
        let mut decoder = Decoder::default();
        let mut bytes = b"\x1b[".to_vec();
        bytes.resize(5_000, b'1');
        assert!(decoder.feed(&bytes).is_empty());
        assert!(decoder.feed(b"m").is_empty());
        assert_eq!(decoder.feed(b"k"), vec![Key::Char('k')]);
    }

    proptest! {
        #[test]
        fn after_any_bytes_and_silence_the_next_key_arrives(
            bytes in proptest::collection::vec(any::<u8>(), 0..300),
            pastes: bool,
        ) {
            let mut decoder = if pastes { Decoder::with_pastes() } else { Decoder::default() };
            for key in decoder.feed(&bytes) {
                if let Key::Paste(text) = key {
                    prop_assert!(pastes && text.chars().count() <= PASTE_MAX);
                }
            }
            let pauses = if pastes { PASTE_PAUSES_MAX } else { 1 };
            for _ in 0..pauses {
                let _ = decoder.pause();
            }
            prop_assert_eq!(decoder.feed(b"k"), vec![Key::Char('k')]);
        }
    }
}
