//! Answers to reset of published cards and of other people's tools.

use counterfoil_data::wire::unhex;

use super::*;

fn atr(text: &str) -> Atr {
    Atr::parse(&unhex(text).unwrap()).unwrap()
}

#[test]
fn a_bank_card_without_protocol_bytes_speaks_t0() {
    let atr = atr("3b6d000080650849048653000000000000");
    assert_eq!(atr.protocol, Protocol::T0);
    assert_eq!(atr.offered, [Protocol::T0]);
    assert_eq!(atr.historical.len(), 13);
    assert_eq!(atr.t0_parameters(atr.initial_fidi()), [0x11, 0, 0, 10, 0]);
}

/// Answer of a public Java card family, T=1 only.
#[test]
fn the_first_protocol_offered_counts_and_the_check_byte_must_fit() {
    let t1 = atr("3bf81300008131fe454a434f5076323431b7");
    assert_eq!(
        (t1.protocol, t1.offered.as_slice()),
        (Protocol::T1, &[Protocol::T1][..])
    );
    assert_eq!(
        (t1.fidi, t1.ifsc, t1.waiting_t1, t1.crc),
        (0x13, 254, 0x45, false)
    );
    assert_eq!(t1.t1_parameters(0x11), [0x11, 0x10, 0, 0x45, 0, 254, 0]);
    let mut wrong = t1.bytes.clone();
    wrong[16] ^= 1;
    assert_eq!(Atr::parse(&wrong), Err(NotAnAtr::Check));
    assert_eq!(Atr::parse(&[0x3B, 0x6D, 0]), Err(NotAnAtr::Length));
    assert_eq!(Atr::parse(&[0x3C]), Err(NotAnAtr::Initial(0x3C)));
    let mut longer = t1.bytes.clone();
    longer.push(0);
    assert_eq!(Atr::parse(&longer), Err(NotAnAtr::Length));
}

/// The simulator of another tool: T=1 without TA1, and the two shortest answers.
#[test]
fn short_answers_and_the_inverse_convention_are_read() {
    let t1 = atr("3b808131fe458b");
    assert_eq!((t1.protocol, t1.ifsc), (Protocol::T1, 254));
    assert_eq!(atr("3b00").protocol, Protocol::T0);
    let inverse = atr("3f00");
    assert!(inverse.inverse);
    assert_eq!(inverse.t0_parameters(0x11)[1], 2);
}

/// Laid out by ISO 7816-3 §8.2: T=0 and T=1, classes A and B behind T=15.
#[test]
fn a_card_of_two_protocols_offers_both_and_names_its_classes() {
    let mut bytes = vec![0x3B, 0x90, 0x95, 0x80, 0xB1, 0xFE, 0x55, 0x1F, 0x03];
    bytes.push(bytes.iter().skip(1).fold(0, |sum, b| sum ^ b));
    let both = Atr::parse(&bytes).unwrap();
    assert_eq!(both.offered, [Protocol::T0, Protocol::T1]);
    assert_eq!(
        (both.protocol, both.specific, both.fidi),
        (Protocol::T0, false, 0x95)
    );
    assert_eq!(
        (both.ifsc, both.waiting_t1, both.classes),
        (254, 0x55, Some(3))
    );
    assert_eq!(both.initial_fidi(), 0x11);
}

/// TA2: T=1 fixed at TA1's rate, then the same with the rate left to an agreement.
#[test]
fn specific_mode_fixes_protocol_and_rate() {
    let fixed = |ta2: u8| {
        let mut bytes = vec![0x3B, 0x90, 0x18, 0x91, ta2, 0x71, 0x20, 0x45, 0x01];
        bytes.push(bytes.iter().skip(1).fold(0, |sum, b| sum ^ b));
        Atr::parse(&bytes).unwrap()
    };
    let one = fixed(0x01);
    assert!(one.specific && one.crc);
    assert_eq!((one.protocol, one.initial_fidi()), (Protocol::T1, 0x18));
    assert_eq!(one.t1_parameters(0x18), [0x18, 0x11, 0, 0x45, 0, 0x20, 0]);
    assert_eq!(fixed(0x11).initial_fidi(), 0x11);
}

/// Worked by hand: 9600 bit/s at 3.5712 MHz; WWT 960 × 10 × 372 cycles = 1 s; BWT of
/// BWI 4 is 16 × 960 × 372 cycles = 1.6 s.
#[test]
fn rates_and_waiting_times_are_those_of_the_standard() {
    assert_eq!(bit_rate(0x11, 3571), Some(9599));
    assert_eq!(bit_rate(0x95, 4000), Some(125_000));
    assert_eq!(bit_rate(0x70, 4000), None);
    let t0 = atr("3b00").patience(Protocol::T0, 0x11, 3571);
    assert!((260..265).contains(&t0.as_secs()), "{t0:?}");
    let t1 = atr("3b808131fe458b").patience(Protocol::T1, 0x11, 3571);
    // BWT 1.6 s, 260 gaps of 43 etu 1.16 s, 260 characters sent 0.33 s, and one second.
    assert!((4080..4120).contains(&t1.as_millis()), "{t1:?}");
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_an_atr_or_refused(bytes in proptest::collection::vec(0_u8.., 0..40)) {
        if let Ok(atr) = Atr::parse(&bytes) {
            proptest::prop_assert!(!atr.offered.is_empty() && atr.ifsc > 0);
            for protocol in [Protocol::T0, Protocol::T1] {
                let _ = atr.patience(protocol, atr.fidi, 4000);
            }
            proptest::prop_assert_eq!(atr.bytes, bytes);
        }
    }
}
