//! Two rounds of `counterfoil crash`: real processes, real SIGKILL.

use std::process::Command;

/// 9 kills the kiosk, 10 the backend, both while paper moves; `counterfoil crash`
/// plays more.
const SEED: &str = "9";

#[test]
fn killing_kiosk_and_backend_in_a_sale_loses_no_form() {
    let played = Command::new(env!("CARGO_BIN_EXE_counterfoil"))
        .args(["crash", "--rounds", "2", "--seed", SEED])
        .output()
        .expect("starts");
    let told = String::from_utf8_lossy(&played.stdout);
    assert!(played.status.success(), "{told}");
    assert!(told.contains("2 passed, 0 failed"), "{told}");
}
