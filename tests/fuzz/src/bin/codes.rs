//! Numbers with check digits, ids, hex and masks: one form each, no second check digit
//! passes, and no mask tells more than its rule.
#![no_main]

use counterfoil_data::ids::{KioskId, SaleId, StaffId};
use counterfoil_data::sign::SignerId;
use counterfoil_data::unit_code::{self, UnitCode};
use counterfoil_data::wire::{self, Digest};
use counterfoil_data::{check_digit, citizen, fmt, mask};
use counterfoil_fuzz::json_eq;

/// `text` with every digit or capital as its last character: at most `most` of them pass.
fn only(text: &str, most: usize, passes: impl Fn(&str) -> bool) {
    let Some(body) = text.get(..text.len() - 1) else {
        return;
    };
    let last = ('0'..='9').chain('A'..='Z');
    let right = last.filter(|last| passes(&format!("{body}{last}"))).count();
    assert!(right <= most, "{right} check characters pass");
}

fn checks(text: &str) {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    if check_digit::luhn(text) {
        assert!(digits && check_digit::PAN_DIGITS.contains(&text.len()));
        only(text, 1, check_digit::luhn);
    }
    if check_digit::bank_number(text) {
        assert!(digits && text.len() == check_digit::BANK_NUMBER_DIGITS);
        only(text, 1, check_digit::bank_number);
    }
    let values: Vec<u8> = text.bytes().map(|b| b.wrapping_sub(b'0')).collect();
    let card = counterfoil_devices::driver::pboc::fields::luhn(&values);
    if digits && check_digit::PAN_DIGITS.contains(&text.len()) {
        assert_eq!(
            card,
            check_digit::luhn(text),
            "the card driver checks the same"
        );
    }
}

fn citizen(text: &str) {
    let facts = citizen::check(text);
    let canonical = citizen::canonical(text);
    assert_eq!(facts.is_ok(), canonical.is_ok());
    let (Ok(facts), Ok(canonical)) = (facts, canonical) else {
        return;
    };
    assert_eq!(canonical.len(), citizen::LENGTH);
    assert_eq!(citizen::canonical(&canonical).as_ref(), Ok(&canonical));
    assert!(canonical.eq_ignore_ascii_case(text));
    let birth = facts.birth.to_string().replace('-', "");
    assert_eq!(canonical.get(6..14), Some(birth.as_str()));
    only(&canonical, 1, |other| citizen::check(other).is_ok());
}

fn unit(text: &str) {
    let Ok(code) = UnitCode::parse(text) else {
        return;
    };
    assert_eq!(code.as_str(), text.to_ascii_uppercase());
    assert_eq!(code.as_str().len(), unit_code::LENGTH);
    assert_eq!(UnitCode::parse(code.as_str()), Ok(code));
    only(code.as_str(), 1, |other| UnitCode::parse(other).is_ok());
    assert_eq!(
        code.organisation_checks(),
        unit_code::organisation(code.organisation())
    );
}

fn ids(text: &str) {
    if let Ok(id) = text.parse::<KioskId>() {
        assert_eq!(id.to_string(), text);
        assert!(text.len() <= counterfoil_data::ids::TEXT_ID_MAX);
        assert_eq!(
            text.parse::<StaffId>().map(|s| s.to_string()).as_deref(),
            Ok(text)
        );
    }
    if let Ok(id) = text.parse::<SaleId>() {
        assert_eq!(id.to_string(), text);
    }
    if let Ok(id) = text.parse::<SignerId>() {
        assert_eq!(id.to_string(), text);
    }
    if let Some(bytes) = wire::unhex(text) {
        assert_eq!(
            wire::hex(&bytes),
            text.to_ascii_lowercase(),
            "hex digits only"
        );
    }
    let quoted = format!("\"{text}\"");
    json_eq::<Digest>(&quoted);
    json_eq::<SaleId>(&quoted);
    json_eq::<KioskId>(&quoted);
}

fn masks(text: &str) {
    let length = text.chars().count();
    for (masked, told) in [(mask::account(text), 4), (mask::citizen_number(text), 8)] {
        assert!(masked.chars().count() <= mask::MASK_CHARS_MAX);
        let stars = masked.chars().filter(|c| *c == '*').count();
        let clear = masked.chars().count() - stars;
        assert!(clear <= told, "a mask tells {told} characters at most");
        assert!(length == 0 || stars > 0);
    }
    let person = mask::person(text);
    assert!(person.chars().count() <= 5 && person.ends_with('*'));
    let plain: String = fmt::groups(text).chars().filter(|c| *c != ' ').collect();
    assert_eq!(plain, text.replace(' ', ""));
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some(text) = counterfoil_fuzz::text(data) else {
        return;
    };
    checks(text);
    citizen(text);
    unit(text);
    ids(text);
    masks(text);
    if unit_code::organisation(text) {
        only(text, 1, unit_code::organisation);
    }
});
