//! Evidence leaves: bytes that decode are the one encoding of what they say (I8).
#![no_main]

use counterfoil_data::leaf::{FIELDS_MAX, LEAF_MAX, Leaf};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(leaf) = Leaf::decode(data) else { return };
    assert!(data.len() <= LEAF_MAX && leaf.fields.len() <= FIELDS_MAX);
    assert_eq!(leaf.encode().as_deref(), Ok(data), "one encoding");
    for range in leaf.numbers() {
        assert!(leaf.concerns(range.first()) && leaf.concerns(range.last()));
    }
    // In another order of fields it is the same leaf, unless two have one tag.
    let mut turned = leaf.clone();
    turned.fields.reverse();
    let again = turned.encode().expect("as long as before");
    assert_eq!(again.len(), data.len());
    assert!(Leaf::decode(&again).is_ok());
});
