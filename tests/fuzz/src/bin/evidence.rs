//! The offline verifier (I8): a sound export verifies; one with any line changed, cut,
//! moved or added verifies only if it still says the same records in the same order.
#![no_main]

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use counterfoil_backend::evidence::{Signatures, VerifyReport, verify};
use counterfoil_data::leaf::{Field, Leaf, LeafKind};
use counterfoil_data::tlog::note::{NoteKey, NoteSigner, checkpoint, verifier_line};
use counterfoil_data::tlog::{Frontier, leaf_hash};
use counterfoil_fuzz::Bytes;
use ed25519_dalek::SigningKey;
use jiff::Timestamp;

/// Records of the sound export.
const SIZE: i64 = 9;

struct Sound {
    lines: Vec<String>,
    key: String,
    report: VerifyReport,
}

/// An export written by the format's own description, not by the exporter.
fn sound() -> &'static Sound {
    static SOUND: OnceLock<Sound> = OnceLock::new();
    SOUND.get_or_init(|| {
        let name = "bank.example/log";
        let secret = SigningKey::from_bytes(&[3; 32]);
        let public = secret.verifying_key();
        let key = verifier_line(NoteKey { name, key: &public });
        let (mut frontier, mut records) = (Frontier::default(), Vec::new());
        for n in 0..SIZE {
            let at = Timestamp::from_millisecond(1_790_000_000_000 + n).expect("in range");
            let leaf = Leaf::new(LeafKind::Ordered, at).with(Field::Count(25));
            let bytes = leaf.encode().expect("encodes");
            let hash = leaf_hash(&bytes);
            let mut nodes = Vec::new();
            let node = |level, at, hash| nodes.push((level, at, hash));
            let index = frontier.append(hash, node).expect("room");
            records.push(format!("leaf {index} {hash} {}", STANDARD.encode(&bytes)));
            let nodes = nodes.into_iter().filter(|(level, _, _)| *level > 0);
            records.extend(nodes.map(|(level, at, hash)| format!("node {level} {at} {hash}")));
        }
        let head = checkpoint(
            frontier.size(),
            frontier.root(),
            &NoteSigner { name, key: &secret },
        );
        let note = format!("note {}", STANDARD.encode(&head.note));
        let mut lines = vec![
            "counterfoil-evidence 1".to_owned(),
            format!("key {key}"),
            note,
        ];
        lines.append(&mut records);
        let report = VerifyReport {
            size: head.size,
            root: head.root,
            key: key.clone(),
            signatures: Signatures::default(),
        };
        Sound { lines, key, report }
    })
}

fn check(text: &[u8], key: &str) -> Option<VerifyReport> {
    match verify(&mut &*text, Some(key)) {
        Ok(report) => Some(report),
        Err(failure) => {
            assert!(!failure.to_string().is_empty());
            None
        }
    }
}

fn bent(from: &mut Bytes<'_>) {
    let sound = sound();
    let mut lines = sound.lines.clone();
    for _ in 0..=from.byte() % 3 {
        let (at, to) = (
            usize::from(from.byte()) % lines.len(),
            usize::from(from.byte()) % lines.len(),
        );
        match from.byte() % 6 {
            0 => drop(lines.remove(at)),
            1 => lines.swap(at, to),
            2 => lines.insert(at, lines[to].clone()),
            3 => lines[at] = from.words(),
            4 => lines.truncate(at.max(1)),
            _ => {
                let mut bytes = lines[at].clone().into_bytes();
                let place = usize::from(from.byte()) % bytes.len().max(1);
                if let Some(byte) = bytes.get_mut(place) {
                    *byte = from.byte();
                }
                lines[at] = String::from_utf8_lossy(&bytes).into_owned();
            }
        }
        if lines.is_empty() {
            break;
        }
    }
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    if let Some(report) = check(text.as_bytes(), &sound.key) {
        assert_eq!(report, sound.report, "no other log verifies");
        assert_eq!(lines[3..], sound.lines[3..], "no other records verify");
    }
    // A whole export cut at any byte is not whole.
    let whole: String = sound.lines.iter().map(|line| format!("{line}\n")).collect();
    let cut = usize::from(u16::from_le_bytes(from.array())) % whole.len();
    assert!(
        check(&whole.as_bytes()[..cut], &sound.key).is_none(),
        "cut at {cut}"
    );
    assert_eq!(
        check(whole.as_bytes(), &sound.key).as_ref(),
        Some(&sound.report)
    );
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut from = Bytes(data);
    if from.byte() % 4 > 0 {
        return bent(&mut from);
    }
    assert!(
        check(from.0, &sound().key).is_none(),
        "nobody signs by chance"
    );
    // Without a published key order alone is proven; it must not fall over either.
    if let Ok(report) = verify(&mut &*from.0, None) {
        assert_eq!(check(from.0, &report.key), Some(report));
    }
});
