//! Server-sent events: the same events whatever the chunks, as another reader of the
//! standard's rules has them, and none beyond the limit.
#![no_main]

use counterfoil_fuzz::Bytes;
use counterfoil_tui::link::sse::{EVENT_MAX, SseEvent, SseParser};

/// WHATWG HTML, "Interpreting an event stream", over a whole text.
fn plain(text: &str) -> Vec<SseEvent> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let (mut id, mut name, mut data) = (None, None, None::<Vec<&str>>);
    let mut events = Vec::new();
    let Some((whole, _)) = text.rsplit_once('\n') else {
        return events;
    };
    for line in whole.split('\n') {
        if line.is_empty() {
            let (name, data) = (name.take(), data.take());
            events.extend(data.map(|d| SseEvent {
                id,
                name,
                data: d.join("\n"),
            }));
            continue;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => id = value.parse().ok().or(id),
            "event" => name = Some(value.to_owned()),
            "data" => data.get_or_insert_default().push(value),
            _ => {}
        }
    }
    events
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut from = Bytes(data);
    let whole = SseParser::default().feed(&from.0[from.0.len().min(1)..]);
    let mut parser = SseParser::default();
    let pieces = from.pieces();
    let parts: Vec<SseEvent> = pieces.iter().flat_map(|piece| parser.feed(piece)).collect();
    assert_eq!(parts, whole, "chunks do not matter");
    assert!(whole.iter().all(|event| event.data.len() < 2 * EVENT_MAX));
    let bytes = pieces.concat();
    if let Ok(text) = std::str::from_utf8(&bytes)
        && bytes.len() < EVENT_MAX
    {
        assert_eq!(whole, plain(text), "as the standard says");
    }
});
