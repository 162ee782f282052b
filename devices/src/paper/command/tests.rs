//! Streams of other encoders, and any bytes.

use proptest::prelude::*;

use super::*;
use counterfoil_data::wire::unhex;

fn all(mut bytes: &[u8]) -> Vec<Command> {
    let mut commands = Vec::new();
    while !bytes.is_empty() {
        match next(bytes) {
            Step::Command(command, taken) => {
                commands.push(command);
                bytes = &bytes[taken..];
            }
            other => panic!("{other:?} at {bytes:02x?}"),
        }
    }
    commands
}

#[test]
fn the_receipt_skeleton_accepted_by_another_emulator_is_understood_completely() {
    let hex = "1b401b61011b4501524543454950540a1b45001b61001c26d7aad5cbd6a7c6b120b3f6cadbbbd8b5a50a\
               d5cbbac5a3ba363232320abdf0b6eea3baa3a43130302e30300a1c2e1d286b0400314132001d284806003030\
               4a3030311d564200";
    let bytes = unhex(&hex.replace(' ', "")).expect("hex");
    let commands = all(&bytes);
    assert_eq!(commands.first(), Some(&Command::Initialise));
    assert!(commands.contains(&Command::Fence(*b"J001")));
    assert_eq!(commands.last(), Some(&Command::Cut(0)));
}

#[test]
fn the_qr_bytes_of_another_encoder_are_understood() {
    let hex = "1d286b0400314132001d286b03003143061d286b03003145301d286b0500315030\
               41421d286b0300315130";
    let commands = all(&unhex(&hex.replace(' ', "")).expect("hex"));
    let expected = [
        Qr::Model(0x32),
        Qr::ModuleDots(6),
        Qr::Level(0x30),
        Qr::Store(b"AB".to_vec()),
        Qr::Print,
    ];
    assert_eq!(commands, expected.map(Command::Qr));
}

proptest! {
    #[test]
    fn any_bytes_are_answered_without_running_past_the_end(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        match next(&bytes) {
            Step::Command(_, taken) => prop_assert!(taken >= 1 && taken <= bytes.len()),
            Step::NeedMore | Step::Unknown(_) => {}
        }
    }
}
