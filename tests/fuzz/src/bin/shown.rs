//! Untrusted text made safe to show: bounded, printable, one line, and stable.
#![no_main]

use counterfoil_data::shown::{CUT, MARKS_MAX, Shown};
use counterfoil_fuzz::Bytes;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut from = Bytes(data);
    let cells = usize::from(from.byte());
    let text = String::from_utf8_lossy(from.0);
    let shown = Shown::from_untrusted(&text, cells);
    assert!(shown.cells() <= cells, "no wider than asked");
    for c in shown.as_str().chars() {
        assert!(!c.is_control() && (c == ' ' || !c.is_whitespace()));
        let format = matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{e0000}'..='\u{e007f}' | '\u{e000}'..='\u{f8ff}');
        assert!(!format, "{c:?} changes what is around it");
    }
    assert!(!shown.as_str().contains("  "));
    assert_eq!(shown.as_str().trim(), shown.as_str());
    let again = Shown::from_untrusted(shown.as_str(), cells);
    assert_eq!(again, shown, "stable");
    // What fits in fewer cells is not cut in more.
    let wide = Shown::from_untrusted(&text, cells + 1);
    if !shown.as_str().ends_with(CUT) && cells > 0 {
        assert_eq!(wide, shown);
    }
    let marks = shown.as_str().matches('\u{20dd}').count();
    let bases = shown.as_str().chars().count() - marks;
    assert!(marks <= bases * MARKS_MAX);
});
