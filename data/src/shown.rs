//! Text that came from outside, made safe to show or print.
//!
//! Names off a chip, notes an officer typed, fields of a backend answer: all may
//! carry control characters, bidirectional overrides, invisible tags, towers of
//! combining marks or a megabyte. [`Shown`] is the only way such a text reaches a
//! screen or a receipt (escape injection is the same fault on paper). Owns the
//! cleaning and the width cap; refuses nothing, so that a hostile name cannot
//! stop a sale. Called by screen models, the receipt and the form preview.

use std::fmt;

use unicode_general_category::{GeneralCategory, get_general_category};
use unicode_normalization::UnicodeNormalization as _;
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Characters of an input that are looked at; the rest counts as cut off.
pub const INPUT_CHARS_MAX: usize = 4096;
/// Combining marks kept on one base character.
pub const MARKS_MAX: usize = 2;
/// Stands for a run of characters that were dropped.
pub const DROPPED: char = '?';
/// Ends a text that was cut.
pub const CUT: char = '~';

/// A text that is safe to draw: no control, no format character, one line, at
/// most so many cells wide.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Shown(String);

impl Shown {
    /// Cleans `text` and cuts it to `cells_max` terminal cells.
    ///
    /// NFC; whitespace of any kind becomes one space; controls, format characters
    /// (bidi, zero width, tags), private, unassigned and other invisible characters
    /// become one [`DROPPED`] per run; at most [`MARKS_MAX`] combining marks stay on
    /// a base; what is too wide is cut between graphemes and ends in [`CUT`].
    pub fn from_untrusted(text: &str, cells_max: usize) -> Self {
        let longer = text.chars().nth(INPUT_CHARS_MAX).is_some();
        let clean = clean(text.chars().take(INPUT_CHARS_MAX).nfc());
        Self(cap(clean.trim(), cells_max, longer))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its width in terminal cells.
    pub fn cells(&self) -> usize {
        self.0.width()
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

/// What becomes of one character.
enum Fate {
    Keep,
    Space,
    Mark,
    Drop,
    /// Changes only how its neighbour looks; leaves no trace.
    Vanish,
}

fn fate(c: char) -> Fate {
    use GeneralCategory as G;
    if c.is_whitespace() {
        return Fate::Space;
    }
    if matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}') {
        return Fate::Vanish;
    }
    match get_general_category(c) {
        G::Control | G::Format | G::PrivateUse | G::Unassigned | G::Surrogate => Fate::Drop,
        G::NonspacingMark | G::EnclosingMark | G::SpacingMark => Fate::Mark,
        _ if c.width().unwrap_or(0) == 0 => Fate::Drop,
        _ => Fate::Keep,
    }
}

fn clean(chars: impl Iterator<Item = char>) -> String {
    let mut out = String::new();
    // Marks already on the last base; `None` where there is no base to carry one.
    let mut marks: Option<usize> = None;
    let mut dropping = false;
    for c in chars {
        let was_dropping = std::mem::take(&mut dropping);
        match fate(c) {
            Fate::Keep => {
                out.push(c);
                marks = Some(0);
            }
            Fate::Space => {
                if !out.ends_with(' ') {
                    out.push(' ');
                }
                marks = None;
            }
            Fate::Mark => match marks {
                Some(count) if count < MARKS_MAX => {
                    out.push(c);
                    marks = Some(count.saturating_add(1));
                }
                _ => {}
            },
            Fate::Drop => {
                if !was_dropping {
                    out.push(DROPPED);
                }
                dropping = true;
                marks = None;
            }
            Fate::Vanish => dropping = was_dropping,
        }
    }
    out
}

/// `text` in at most `cells_max` cells; `longer` says that more was cut before.
fn cap(text: &str, cells_max: usize, longer: bool) -> String {
    if !longer && text.width() <= cells_max {
        return text.to_owned();
    }
    let Some(room) = cells_max.checked_sub(1) else {
        return String::new();
    };
    let mut out = String::new();
    for grapheme in text.graphemes(true) {
        let before = out.len();
        out.push_str(grapheme);
        if out.width() > room {
            out.truncate(before);
            break;
        }
    }
    out.push(CUT);
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str, cells: usize) -> String {
        Shown::from_untrusted(text, cells).as_str().to_owned()
    }

    #[test]
    fn an_ordinary_name_stays_as_it_is() {
        for name in [
            "样例机械有限公司",
            "阿不都·样例",
            "Sample & Co. (HK)",
            "Ångström",
        ] {
            assert_eq!(shown(name, 60), name);
        }
    }

    #[test]
    fn escape_sequences_lose_what_makes_them_dangerous() {
        assert_eq!(shown("a\u{1b}[2Jb\u{7}\u{9b}31m", 60), "a?[2Jb?31m");
        assert_eq!(shown("\u{1b}@\u{10}\u{14}", 60), "?@?");
    }

    #[test]
    fn bidi_zero_width_tags_and_private_characters_become_one_mark() {
        assert_eq!(shown("1\u{202e}2\u{2066}\u{200b}\u{feff}3", 60), "1?2?3");
        assert_eq!(shown("x\u{e0041}\u{e0042}y\u{e000}\u{378}", 60), "x?y?");
        assert_eq!(shown("1\u{600}2\u{ad}3", 60), "1?2?3");
        assert_eq!(shown("가\u{1160}나", 60), "가?나");
    }

    #[test]
    fn line_breaks_and_wide_spaces_become_one_space() {
        let text = "  样例\r\n\t\u{3000}公司\u{2028}甲 ";
        assert_eq!(shown(text, 60), "样例 公司 甲");
    }

    #[test]
    fn a_tower_of_marks_is_cut_to_two_and_a_mark_without_base_goes() {
        let tower = format!("x{}", "\u{20dd}".repeat(50));
        assert_eq!(shown(&tower, 60).chars().count(), 1 + MARKS_MAX);
        assert_eq!(shown("\u{301}\u{301}a", 60), "a");
        assert_eq!(shown("a\u{fe0f}b", 60), "ab");
    }

    #[test]
    fn decomposed_text_is_composed() {
        assert_eq!(shown("A\u{30a}", 60), "Å");
    }

    #[test]
    fn a_wide_character_is_never_cut_in_half() {
        assert_eq!(shown("样例机械", 8), "样例机械");
        assert_eq!(shown("样例机械", 7), "样例机~");
        assert_eq!(shown("样例机械", 6), "样例~");
        assert_eq!(shown("样例", 0), "");
        assert_eq!(
            shown(&"a".repeat(INPUT_CHARS_MAX + 1), 9999).len(),
            INPUT_CHARS_MAX + 1
        );
    }

    proptest! {
        #[test]
        fn whatever_comes_in_what_is_shown_is_printable_narrow_enough_and_stable(
            text in any::<String>(), cells in 0..40_usize,
        ) {
            let once = Shown::from_untrusted(&text, cells);
            prop_assert!(once.cells() <= cells);
            let kept = |c: char| matches!(fate(c), Fate::Keep | Fate::Mark) || c == ' ';
            prop_assert!(once.as_str().chars().all(kept));
            let again = Shown::from_untrusted(once.as_str(), cells);
            prop_assert_eq!(again.as_str(), once.as_str());
        }
    }
}
