//! ID documents off the chip, and what the kiosk sends of them: fields keep their form,
//! nothing personal is shown, and the sealed text reads back as the same person.
#![no_main]

use counterfoil_data::sealed::Sealable as _;
use counterfoil_data::secret::Secret;
use counterfoil_data::wire::sale::DocumentFields;
use counterfoil_devices::driver::sdt::text::{self, IdDocument, TEXT_LEN};
use counterfoil_fuzz::Bytes;

/// The published synthetic resident block.
const PUBLISHED: &[u8] = include_bytes!("../../seeds/document/resident");

fn sound(document: &IdDocument) {
    let (name, number) = (document.name.expose(), document.number.expose());
    assert!(!name.is_empty() && !number.is_empty());
    let birth = document.birth.expose();
    assert!(birth.len() == 8 && birth.bytes().all(|b| b.is_ascii_digit()));
    assert!(*document.sex.expose() <= 9);
    let debug = format!("{document:?}");
    assert!(
        number.len() < 6 || !debug.contains(number.as_str()),
        "nothing personal is shown"
    );
    let fields = DocumentFields {
        name: Secret::new(name.clone()),
        number: Secret::new(number.clone()),
        valid_to: document.valid_to,
    };
    let back = DocumentFields::from_plain(fields.to_plain().expose()).expect("reads back");
    assert!(back.name.expose() == name && back.number.expose() == number);
    assert_eq!(back.valid_to, document.valid_to);
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut from = Bytes(data);
    let finger = from.byte() % 2 == 0;
    if let Ok(document) = text::parse(from.0, finger) {
        sound(&document);
        let more = [from.0, &[0]].concat();
        assert!(
            text::parse(&more, finger).is_err(),
            "lengths add up exactly"
        );
    }
    // The published block with some of it changed.
    let mut block: [u8; TEXT_LEN] = *PUBLISHED.last_chunk().expect("a whole block");
    for _ in 0..from.byte() % 16 {
        let at = usize::from(from.byte());
        block[at] = from.byte();
    }
    if let Ok(document) = text::parse_text(&block) {
        sound(&document);
    }
});
