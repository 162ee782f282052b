use std::io::BufReader;

use super::*;
use crate::core::command::{CommandBody, Resolution};
use crate::core::tests::bank::*;
use crate::store::model::ModelStore;
use counterfoil_data::leaf::Personal;
use counterfoil_data::wire::forms::FormEvent;
use ed25519_dalek::SigningKey;

fn desk() -> Desk<ModelStore> {
    let mut desk = Desk::open(ModelStore::new());
    let sale = desk.linked(1, 2);
    desk.hand_over(sale, 0..2);
    desk.must(kiosk(), close(sale));
    desk
}

fn exported() -> String {
    let mut out = Vec::new();
    let key = SigningKey::from_bytes(&[8; 32]).verifying_key();
    export(&*desk().read(), "counterfoil-test", &key, &mut out).expect("exports");
    String::from_utf8(out).expect("is text")
}

fn check(text: &str) -> Result<VerifyReport, VerifyFailure> {
    verify(&mut BufReader::new(text.as_bytes()), None)
}

/// Lines of leaves, with their place among all lines.
fn leaf_lines(lines: &[String]) -> Vec<usize> {
    let is_leaf = |(_, line): &(usize, &String)| line.starts_with("leaf ");
    lines
        .iter()
        .enumerate()
        .filter(is_leaf)
        .map(|(at, _)| at)
        .collect()
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

fn joined(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[test]
fn an_export_verifies_offline_under_the_published_key_i8() {
    let text = exported();
    let report = check(&text).expect("is sound");
    assert_eq!(
        report.size,
        u64::try_from(leaf_lines(&lines(&text)).len()).expect("fits")
    );
    let key = report.key.clone();
    let again = verify(&mut BufReader::new(text.as_bytes()), Some(&key));
    assert_eq!(again.expect("is sound"), report);
    let other = verify(
        &mut BufReader::new(text.as_bytes()),
        Some("counterfoil-test+0+x"),
    );
    assert!(matches!(other, Err(VerifyFailure::Signature)));
}

#[test]
fn a_changed_record_is_named_whichever_it_is_i8() {
    let sound = lines(&exported());
    for (index, at) in leaf_lines(&sound).into_iter().enumerate() {
        let mut bent = sound.clone();
        let line = bent[at].clone();
        let (head, body) = line.rsplit_once(' ').expect("has bytes");
        let mut bytes = BASE64.decode(body).expect("base64");
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        bent[at] = format!("{head} {}", BASE64.encode(bytes));
        let failure = check(&joined(&bent)).expect_err("is noticed");
        let index = u64::try_from(index).expect("fits");
        assert!(matches!(failure, VerifyFailure::Record { index: i } if i == index));
    }
}

#[test]
fn a_record_changed_together_with_its_hash_is_named_with_its_neighbour_i8() {
    let mut bent = lines(&exported());
    let at = leaf_lines(&bent)[5];
    let line = bent[at].clone();
    let parts: Vec<&str> = line.split(' ').collect();
    let mut leaf = Leaf::decode(&BASE64.decode(parts[3]).expect("base64")).expect("a leaf");
    leaf.at += jiff::SignedDuration::from_secs(1);
    let bytes = leaf.encode().expect("encodes");
    bent[at] = format!("leaf 5 {} {}", leaf_hash(&bytes), BASE64.encode(&bytes));
    let failure = check(&joined(&bent)).expect_err("is noticed");
    assert!(matches!(
        failure,
        VerifyFailure::Records { first: 4, last: 5 }
    ));
}

#[test]
fn a_removed_repeated_or_moved_record_is_named_i8() {
    let sound = lines(&exported());
    let at = leaf_lines(&sound);
    let mut removed = sound.clone();
    removed.remove(at[6]);
    let failure = check(&joined(&removed)).expect_err("is noticed");
    assert!(
        matches!(failure, VerifyFailure::Record { index: 6 }),
        "{failure}"
    );
    let mut moved = sound.clone();
    moved.swap(at[6], at[8]);
    let failure = check(&joined(&moved)).expect_err("is noticed");
    assert!(
        matches!(failure, VerifyFailure::Record { index: 6 }),
        "{failure}"
    );
    let mut cut = sound.clone();
    cut.truncate(*at.last().expect("leaves"));
    assert!(check(&joined(&cut)).is_err());
    let mut twice = sound.clone();
    twice.insert(at[6], sound[at[6]].clone());
    assert!(check(&joined(&twice)).is_err());
}

#[test]
fn no_flipped_bit_anywhere_goes_unnoticed() {
    let sound = exported().into_bytes();
    for at in (0..sound.len()).step_by(37) {
        let mut bent = sound.clone();
        bent[at] ^= 1;
        assert!(
            verify(&mut BufReader::new(bent.as_slice()), None).is_err(),
            "byte {at}"
        );
    }
}

#[test]
fn the_timeline_of_a_number_goes_from_the_vault_to_the_customer() {
    let desk = desk();
    let steps = timeline(&*desk.read(), number(1)).expect("reads");
    let words: Vec<_> = steps.iter().map(|(_, leaf)| leaf.kind.word()).collect();
    assert_eq!(
        words,
        [
            "blanks-received",
            "cassette-loaded",
            "linked",
            "form-feeding",
            "form-printed",
            "form-presented",
            "form-taken",
        ]
    );
    let unknown = timeline(&*desk.read(), id("3130002199999999")).expect("reads");
    assert_eq!(unknown, []);
}

#[test]
fn a_number_that_was_lost_keeps_its_history_and_what_people_said_of_it() {
    let mut desk = Desk::open(ModelStore::new());
    let sale = desk.linked(1, 2);
    let lost = [FormEvent::Feeding, no_outcome()];
    let lost = lost.into_iter().map(|e| (number(0), e)).collect();
    desk.advise(sale, lost).expect("accepted");
    let misread = FormEvent::Mismatch { read: number(90) };
    let wrong = vec![(number(1), FormEvent::Feeding), (number(1), misread)];
    desk.advise(sale, wrong).expect("accepted");
    let seen = "not in the bin, not in the drawer";
    let missing = CommandBody::ResolveUnknown {
        second: id("custodian-b"),
        number: number(0),
        to: Resolution::Missing,
        evidence: seen.to_owned(),
    };
    desk.must(custodian(), missing);
    let read = desk.read();
    let steps = timeline(&*read, number(0)).expect("reads");
    let words: Vec<_> = steps.iter().map(|(_, leaf)| leaf.kind.word()).collect();
    let expected = [
        "blanks-received",
        "cassette-loaded",
        "linked",
        "form-feeding",
        "form-unknown",
        "unknown-resolved",
    ];
    assert_eq!(words, expected);
    // What they saw is kept beside the leaf, which proves it under its salt.
    let (index, leaf) = steps.last().expect("resolved");
    let told = super::words(&*read, *index).expect("reads");
    assert_eq!(told.as_deref(), Some(seen));
    let salt = salt(&*read, *index).expect("reads").expect("kept");
    assert!(leaf.holds(&salt, Personal::Words, seen));
    // A number read in another's place has that in its history, too.
    let stray = timeline(&*read, number(90)).expect("reads");
    let words: Vec<_> = stray.iter().map(|(_, leaf)| leaf.kind.word()).collect();
    assert_eq!(words[2..], ["form-mismatch", "form-unknown"]);
}

#[test]
fn a_number_is_found_however_often_its_prefix_was_moved() {
    let mut desk = desk();
    let unload = CommandBody::UnloadCassette {
        second: id("custodian-b"),
        kiosk: id("kiosk-1"),
        slot: id("slot-1"),
    };
    for _ in 0..520 {
        desk.must(custodian(), unload.clone());
        desk.must(custodian(), load("slot-1", range("3130002100010003", 100)));
    }
    let steps = timeline(&*desk.read(), number(199)).expect("reads");
    assert_eq!(steps.len(), 3, "received, loaded, unloaded once");
    let steps = timeline(&*desk.read(), number(5)).expect("reads");
    assert_eq!(steps.len(), TIMELINE_MAX);
    let newest = log::size(&*desk.read()).expect("reads") - 1;
    assert_eq!(steps.last().expect("steps").0, newest);
}

#[test]
fn no_unsalted_digest_of_personal_data_is_in_the_log_i7() {
    let mut desk = Desk::open(ModelStore::new());
    let sale = desk.ordered(1, 2);
    let digest = desk.seen(sale);
    let question = "几张".to_owned();
    let asked = CommandBody::Ask {
        sale,
        digest,
        question: question.clone(),
    };
    desk.must(officer(), asked);
    let items = vec![transfer(2)];
    desk.must(kiosk(), CommandBody::PlaceOrder { sale, items });
    let digest = desk.seen(sale);
    desk.must(officer(), CommandBody::Confirm { sale, digest });
    desk.must(kiosk(), link(sale));
    let read = desk.read();
    let plain = [
        digest,
        Digest::of(question.as_bytes()),
        Digest::of(b"frame"),
        Digest::of(ACCOUNT_NUMBER.as_bytes()),
    ];
    let mut approved = Vec::new();
    for index in 0..log::size(&*read).expect("reads") {
        let leaf = desk.leaf(index);
        let bytes = leaf.encode().expect("encodes");
        for digest in plain {
            assert!(!bytes.windows(32).any(|w| w == digest.0), "leaf {index}");
        }
        // Who holds the salt can still prove what was approved.
        if let Some(salt) = salt(&*read, index).expect("reads")
            && leaf.holds(&salt, Personal::Approved, &digest.to_string())
        {
            approved.push(leaf.kind.word());
        }
    }
    // Ordered and shown twice with one text, opened twice, asked, confirmed, linked.
    let expected = [
        "ordered",
        "confirm-shown",
        "confirm-seen",
        "asked",
        "ordered",
        "confirm-shown",
        "confirm-seen",
        "confirmed",
        "linked",
    ];
    assert_eq!(approved, expected);
}

#[test]
fn tiles_hold_the_leaf_hashes_in_order() {
    let desk = desk();
    let read = desk.read();
    let hashes = tile(&*read, 0, 0).expect("reads");
    assert_eq!(Some(hashes[3]), log::node(&*read, 0, 3));
    assert_eq!(tile(&*read, 0, 7).expect("reads"), []);
    assert_eq!(tile(&*read, 255, u64::MAX).expect("reads"), []);
}

#[test]
fn small_subtrees_are_hashed_from_their_leaves_and_large_ones_kept() {
    let mut desk = desk();
    let unload = CommandBody::UnloadCassette {
        second: id("custodian-b"),
        kiosk: id("kiosk-1"),
        slot: id("slot-1"),
    };
    for _ in 0..60 {
        desk.must(custodian(), unload.clone());
        desk.must(custodian(), load("slot-1", range("3130002100010003", 100)));
    }
    let read = desk.read();
    let size = log::size(&*read).expect("reads");
    let mut nodes = Vec::new();
    let mut frontier = Frontier::default();
    for index in 0..size {
        let bytes = desk.leaf(index).encode().expect("encodes");
        let keep = |level, at, hash| nodes.push((level, at, hash));
        frontier.append(leaf_hash(&bytes), keep).expect("appends");
    }
    assert!(nodes.iter().any(|(level, ..)| *level > log::STORED_FROM));
    for (level, at, hash) in nodes {
        assert_eq!(log::node(&*read, level, at), Some(hash), "{level} {at}");
        let kept = read.read(&key::tree_hash(level, at)).expect("reads");
        assert_eq!(kept.is_some(), level >= log::STORED_FROM);
    }
    assert_eq!(log::node(&*read, 0, size), None);
    assert_eq!(log::node(&*read, 3, size >> 3), None);
    assert_eq!(log::frontier(&*read).expect("reads"), frontier);
}
