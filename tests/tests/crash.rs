//! Two rounds of `counterfoil crash`: real processes, real SIGKILL.

use std::process::Command;

/// 9 kills the kiosk, 10 the backend, both while paper moves; `counterfoil crash`
/// plays more.
const SEED: &str = "9";

/// The largest number that stands right before `words`; 0 where none does.
fn count_before(told: &str, words: &str) -> u32 {
    let before = told.match_indices(words).filter_map(|(at, _)| {
        let number = told[..at].split_whitespace().next_back()?;
        number.parse().ok()
    });
    before.max().unwrap_or(0)
}

#[test]
fn killing_kiosk_and_backend_in_a_sale_loses_no_form() {
    let played = Command::new(env!("CARGO_BIN_EXE_counterfoil"))
        .args(["crash", "--rounds", "2", "--seed", SEED])
        .output()
        .expect("starts");
    let told = String::from_utf8_lossy(&played.stdout);
    assert!(played.status.success(), "{told}");
    assert!(told.contains("2 passed, 0 failed"), "{told}");
    assert!(count_before(&told, "blows struck") > 0, "{told}");
    assert!(count_before(&told, "sales linked") == 2, "{told}");
    assert!(count_before(&told, "Sold") > 0, "{told}");
}
