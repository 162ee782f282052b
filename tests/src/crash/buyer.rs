//! Who buys in the rounds: three units, each with something of its own to go wrong.

/// Forms in a round at most: one book.
pub const FORMS_MAX: u32 = 25;

/// Who buys in a round; card, PIN, document and finger carry this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Buyer {
    /// In the demo bank.
    pub name: &'static str,
    /// Forms this agent may buy at once.
    pub forms_max: u32,
    /// The account's cheques are paid under passwords.
    pub has_sheet: bool,
}

/// Three units, so that a form for the wrong one can be seen. The second is ten forms
/// short of its cap; the third gets a sheet of payment passwords (L7).
const BUYERS: [Buyer; 3] = [
    Buyer {
        name: "zhang",
        forms_max: FORMS_MAX,
        has_sheet: false,
    },
    Buyer {
        name: "li",
        forms_max: 10,
        has_sheet: false,
    },
    Buyer {
        name: "shen",
        forms_max: FORMS_MAX,
        has_sheet: true,
    },
];

impl Buyer {
    /// The buyers take turns, seed by seed.
    pub fn of(seed: u64) -> Self {
        let [first, second, third] = BUYERS;
        match seed.checked_rem(3) {
            Some(0) => first,
            Some(1) => second,
            _ => third,
        }
    }
}
