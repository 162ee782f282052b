//! Play scripts: what is refused is refused at a place of the file, what is accepted
//! keeps its limits, and no script holds a long number (I7).
#![no_main]

use counterfoil_testbed::play::parse::{self, ADVANCE_MAX, LINES_MAX, ScriptError, Step, Verb};

fn at_a_place(error: &ScriptError, text: &str) {
    assert!(
        (1..=text.lines().count().max(1)).contains(&error.line),
        "{error}"
    );
    let line = text.lines().nth(error.line - 1).unwrap_or_default();
    assert!(
        (1..=line.chars().count() + 1).contains(&error.column),
        "{error}"
    );
    assert!(!error.what.is_empty());
}

fn sound(steps: &[Step], text: &str) {
    let lines = text.lines().count();
    assert!(steps.len() <= lines && lines <= LINES_MAX);
    let mut last = 0;
    for step in steps {
        assert!(step.line > last && step.line <= lines, "in order");
        last = step.line;
        if let Some((from, to)) = step.block {
            assert!(from <= to && to <= lines);
        }
        if let Verb::Advance(by) = &step.verb {
            assert!(*by <= ADVANCE_MAX);
        }
    }
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some(text) = counterfoil_fuzz::text(data) else {
        return;
    };
    match parse::parse("fuzz.play", text) {
        Ok(play) => sound(&play.steps, text),
        Err(error) => at_a_place(&error, text),
    }
    match parse::parse_included("fuzz.play", text) {
        Ok(steps) => sound(&steps, text),
        Err(error) => at_a_place(&error, text),
    }
});
