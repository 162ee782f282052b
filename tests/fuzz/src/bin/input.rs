//! Terminal input: the same keys whatever the chunks, no key that a terminal cannot
//! send, and no bytes after which the keyboard is dead.
#![no_main]

use counterfoil_fuzz::Bytes;
use counterfoil_tui::input::{Decoder, Key};

/// Pauses after which nothing may be waiting.
const PAUSES: usize = 64;

fn sound(key: &Key) {
    match key {
        Key::Char(c) => assert!(!c.is_control(), "{c:?}"),
        Key::Ctrl(c) => assert!(c.is_ascii_lowercase()),
        Key::F(n) => assert!((1..=12).contains(n)),
        Key::Paste(text) => {
            assert!(!text.is_empty() && text.chars().count() <= 64);
            assert!(
                !text.chars().any(char::is_control),
                "a paste presses no key"
            );
        }
        _ => {}
    }
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut from = Bytes(data);
    let new = if from.byte() % 2 == 0 {
        Decoder::default
    } else {
        Decoder::with_pastes
    };
    let pieces = from.pieces();
    let mut parts = new();
    let keys: Vec<Key> = pieces.iter().flat_map(|piece| parts.feed(piece)).collect();
    let mut whole = new();
    assert_eq!(whole.feed(&pieces.concat()), keys, "chunks do not matter");
    keys.iter().for_each(sound);
    assert_eq!(whole.end(), new_end(&mut parts), "nor at the end");

    // Whatever came: after silence, a key is a key.
    let mut decoder = new();
    decoder.feed(&pieces.concat());
    for _ in 0..PAUSES {
        if !decoder.is_waiting() {
            break;
        }
        decoder.pause().iter().for_each(sound);
    }
    assert!(!decoder.is_waiting(), "the keyboard is held");
    assert_eq!(decoder.feed(b"a\r"), [Key::Char('a'), Key::Enter]);

    if let Some(text) = counterfoil_fuzz::text(data)
        && let Some(key) = Key::named(text)
    {
        assert!(!matches!(key, Key::Paste(_)));
    }
});

fn new_end(decoder: &mut Decoder) -> Option<Key> {
    let key = decoder.end();
    assert!(!decoder.is_waiting());
    key
}
