//! Passwords of staff: what a new one must be, and first ones, which are drawn here.
//!
//! Length and what is known to be guessed first are all that is asked for, no mixture of
//! characters (NIST SP 800-63B-4 §3.1.1.2). Called inside the argon2 worker, and by the
//! tool with which two people give accounts.

use counterfoil_data::seam::{Entropy, random};
use counterfoil_data::secret::Secret;
use counterfoil_data::wire::session::{PASSWORD_MAX, PASSWORD_MIN};
use zeroize::Zeroize as _;

use super::pin::{PinBench, PinHash};
use crate::keys::Keys;

/// Characters of a first password: 32 that nobody takes for one another.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Characters of a first password: 100 bits.
const FIRST_LEN: usize = 20;
/// Every so many of them a hyphen stands.
const GROUP: usize = 5;

/// What is guessed first among those that are long enough, in small letters.
const WORST: [&str; 24] = [
    "123456789012",
    "1234567890123",
    "1234567890ab",
    "12345678901234567890",
    "123123123123",
    "112233445566",
    "abcdefghijkl",
    "abc123abc123",
    "qwertyuiopas",
    "qwertyuiop[]",
    "qwertyuiop123",
    "qwerty123456",
    "1q2w3e4r5t6y",
    "1qaz2wsx3edc",
    "qazwsxedcrfv",
    "asdfghjkl123",
    "password1234",
    "password12345",
    "passwordpassword",
    "administrator",
    "letmeinletmein",
    "iloveyou1234",
    "welcome12345",
    "changeme1234",
];

/// Why a new password cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Too short or too long.
    #[error("a password has {PASSWORD_MIN} characters or more, and {PASSWORD_MAX} bytes at most")]
    Length,
    /// It is its owner's id or name, or has it in it.
    #[error("a password must not have its owner's id or name in it")]
    Owner,
    /// It is guessed first.
    #[error("this password is among those that are guessed first: take another")]
    Worst,
    /// It was used before.
    #[error("this password was used before: take another")]
    Used,
}

impl Unfit {
    /// Its stable word, for screens.
    pub fn word(self) -> &'static str {
        match self {
            Self::Length => "password-length",
            Self::Owner => "password-owner",
            Self::Worst => "password-worst",
            Self::Used => "password-used",
        }
    }
}

/// Whether a new password may be taken; what was used before apart.
pub fn fit(password: &str, id: &str, name: &str) -> Result<(), Unfit> {
    if password.chars().count() < PASSWORD_MIN || password.len() > PASSWORD_MAX {
        return Err(Unfit::Length);
    }
    let small = Secret::new(password.to_lowercase());
    let has = |text: &str| !text.is_empty() && small.expose().contains(&text.to_lowercase());
    if has(id) || has(name) {
        return Err(Unfit::Owner);
    }
    let mut letters = small.expose().chars();
    let first = letters.next();
    let one_letter = letters.all(|letter| Some(letter) == first);
    if one_letter || WORST.contains(&small.expose().as_str()) {
        return Err(Unfit::Worst);
    }
    Ok(())
}

/// Whether it is one of these; every one is compared.
pub fn used<'a>(
    bench: &mut PinBench,
    keys: &Keys,
    password: &str,
    before: impl Iterator<Item = &'a str>,
) -> bool {
    before.fold(false, |used, phc| {
        let stored = PinHash::from_phc(phc);
        bench.verify(keys, password, stored.as_ref()) || used
    })
}

/// Draws a first password: `abcde-fghij-kmnpq-rstuv`.
pub fn first(entropy: &dyn Entropy) -> Secret<String> {
    let mut drawn = random::<FIRST_LEN>(entropy);
    let mut text = String::with_capacity(FIRST_LEN.saturating_mul(2));
    for (at, byte) in drawn.iter().enumerate() {
        if at > 0 && at.is_multiple_of(GROUP) {
            text.push('-');
        }
        // 256 is a multiple of 32: every character is as likely as any other.
        let letter = ALPHABET.get(usize::from(byte % 32)).copied();
        text.push(char::from(letter.unwrap_or(b'2')));
    }
    drawn.zeroize();
    Secret::new(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workers::pin::Argon2Params;

    struct Counting;
    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            for (byte, n) in bytes.iter_mut().zip((0_u8..=255).step_by(11)) {
                *byte = n;
            }
        }
    }

    #[test]
    fn a_password_is_long_not_its_owners_name_and_not_guessed_first() {
        let judge = |text: &str| fit(text, "officer-1", "Sample Person");
        assert_eq!(judge("correct horse"), Ok(()));
        assert_eq!(judge("twelve chars"), Ok(()), "no mixture is asked for");
        assert_eq!(judge("eleven char"), Err(Unfit::Length));
        assert_eq!(
            judge("十二个汉字就已经足够长了"),
            Ok(()),
            "characters, not bytes"
        );
        assert_eq!(judge(&"x1".repeat(65)), Err(Unfit::Length));
        assert_eq!(judge("my OFFICER-1 word"), Err(Unfit::Owner));
        assert_eq!(judge("sample person!"), Err(Unfit::Owner));
        assert_eq!(judge("PasswordPassword"), Err(Unfit::Worst));
        assert_eq!(judge("zzzzzzzzzzzzz"), Err(Unfit::Worst));
        for worst in WORST {
            assert!(worst.len() >= PASSWORD_MIN, "{worst} is never asked about");
        }
    }

    #[test]
    fn what_was_used_before_is_found_wherever_it_stands_in_the_history() {
        let (keys, mut bench) = (Keys::demo(), PinBench::new(Argon2Params::testbed()));
        let mut phc = |text: &str| {
            let hash = bench.hash(&keys, text, &Counting);
            hash.expect("hashes").to_phc()
        };
        let before = [
            phc("the first one of all"),
            phc("the second one"),
            phc("third"),
        ];
        let mut is_used = |text: &str| {
            let before = before.iter().map(String::as_str);
            used(&mut bench, &keys, text, before)
        };
        assert!(is_used("the first one of all") && is_used("third"));
        assert!(!is_used("the fourth one"));
    }

    #[test]
    fn a_first_password_is_drawn_whole_and_passes_the_rules_itself() {
        let drawn = first(&Counting);
        assert_eq!(drawn.expose().len(), FIRST_LEN + 3);
        assert_eq!(drawn.expose().split('-').count(), 4);
        let letters = drawn.expose().bytes().filter(|b| *b != b'-');
        assert!(letters.clone().all(|letter| ALPHABET.contains(&letter)));
        assert_eq!(fit(drawn.expose(), "officer-1", "Sample"), Ok(()));
    }
}
