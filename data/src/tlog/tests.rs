use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{SigningKey, VerifyingKey};
use proptest::prelude::*;

use super::note::*;
use super::*;
use crate::wire::unhex;

/// Leaves and roots of the certificate transparency test data.
const LEAVES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];
const ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

struct Log {
    nodes: BTreeMap<(u8, u64), Digest>,
    frontier: Frontier,
    roots: Vec<Digest>,
}

impl Log {
    fn of(leaves: impl Iterator<Item = Vec<u8>>) -> Self {
        let mut log = Self {
            nodes: BTreeMap::new(),
            frontier: Frontier::default(),
            roots: vec![empty_root()],
        };
        for leaf in leaves {
            let nodes = &mut log.nodes;
            let store = |level, index, hash| {
                assert!(
                    nodes.insert((level, index), hash).is_none(),
                    "written twice"
                );
            };
            log.frontier
                .append(leaf_hash(&leaf), store)
                .expect("has room");
            log.roots.push(log.frontier.root());
        }
        log
    }

    fn counting(size: u64) -> Self {
        Self::of((0..size).map(|n| n.to_be_bytes().to_vec()))
    }

    fn source(&self) -> impl Fn(u8, u64) -> Option<Digest> {
        |level, index| self.nodes.get(&(level, index)).copied()
    }
}

#[test]
fn the_classic_eight_leaves_have_the_published_roots() {
    let hashed = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(empty_root().to_string(), hashed);
    let log = Log::of(LEAVES.iter().map(|l| unhex(l).expect("hex")));
    for (root, size) in ROOTS.iter().zip(1_u64..) {
        let ours = log.roots[usize::try_from(size).expect("small")];
        assert_eq!(ours.to_string(), *root, "size {size}");
        assert_eq!(root_of(size, log.source()), Ok(ours));
        assert_eq!(
            Frontier::load(size, log.source()).expect("whole").root(),
            ours
        );
    }
}

/// Paths of the same test data (leaf 5 of 8 counted from 0, and leaf 2 of 3).
#[test]
fn the_classic_audit_paths_come_out() {
    let log = Log::of(LEAVES.iter().map(|l| unhex(l).expect("hex")));
    let hex = |path: Vec<Digest>| path.iter().map(Digest::to_string).collect::<Vec<_>>();
    assert_eq!(
        hex(inclusion(5, 8, log.source()).expect("inside")),
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ]
    );
    assert_eq!(
        hex(inclusion(2, 3, log.source()).expect("inside")),
        [ROOTS[1]]
    );
}

#[test]
fn an_empty_log_and_sizes_outside_are_told_apart() {
    let none = |_, _| None;
    assert_eq!(root_of(0, none), Ok(empty_root()));
    assert_eq!(
        root_of(1, none),
        Err(TlogError::Missing { level: 0, index: 0 })
    );
    assert!(inclusion(0, 0, none).is_err() && inclusion(3, 3, none).is_err());
    assert!(consistency(4, 3, none).is_err());
    assert_eq!(consistency(0, 3, none), Ok(vec![]));
}

/// The example of the reference implementation of notes (golang.org/x/mod/sumdb/note).
#[test]
fn the_published_note_is_made_and_opened() {
    let text = "If you think cryptography is the answer to your problem,\n\
                then you don't know what your problem is.\n";
    let secret = BASE64
        .decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")
        .expect("base64");
    let key = SigningKey::from_bytes(secret[1..].try_into().expect("32 bytes"));
    let name = "PeterNeumann";
    let note = sign_note(text, &NoteSigner { name, key: &key });
    assert!(note.ends_with(
        "\n\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    ));
    let public = key.verifying_key();
    let verifier = NoteKey { name, key: &public };
    assert_eq!(
        verifier_line(verifier),
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    );
    assert_eq!(open_note(&note, verifier), Ok(text));
    let forged = note.replace("problem is", "problem iz");
    assert_eq!(open_note(&forged, verifier), Err(TlogError::Forged));
    let other = NoteKey {
        name: "other",
        key: &public,
    };
    assert_eq!(open_note(&note, other), Err(TlogError::Unsigned));
}

fn key() -> (SigningKey, VerifyingKey) {
    let key = SigningKey::from_bytes(&[5; 32]);
    let public = key.verifying_key();
    (key, public)
}

#[test]
fn a_checkpoint_says_what_was_signed_and_nothing_else() {
    let (key, public) = key();
    let name = "branch-1.sample/evidence";
    let verifier = NoteKey { name, key: &public };
    let mut made = checkpoint(9, Digest::of(b"root"), &NoteSigner { name, key: &key });
    assert_eq!(verify_checkpoint(&made, verifier), Ok(()));
    made.size = 8;
    assert_eq!(verify_checkpoint(&made, verifier), Err(TlogError::Forged));
    let witness = format!("{}— witness AAAAAAAA\n", made.note);
    assert_eq!(open_checkpoint(&witness, verifier), Ok((9, made.root)));
}

#[test]
fn a_proof_of_a_small_log_is_none_of_a_larger_one_with_the_same_root() {
    let log = Log::counting(2);
    let path = inclusion(0, 2, log.source()).expect("inside");
    let claim = Inclusion {
        index: 0,
        leaf: leaf_hash(&0_u64.to_be_bytes()),
        size: 4,
        root: log.frontier.root(),
        path: &path,
    };
    assert_eq!(verify_inclusion(&claim), Err(TlogError::Broken));
    assert_eq!(verify_inclusion(&Inclusion { size: 2, ..claim }), Ok(()));
}

proptest! {
    #[test]
    fn every_leaf_is_proved_and_no_other_hash_is(size in 1..200_u64, at in 0..200_u64, wrong in 0..3_u8) {
        let index = at % size;
        let log = Log::counting(size);
        let path = inclusion(index, size, log.source()).expect("inside");
        let claim = Inclusion {
            index, size, path: &path,
            leaf: leaf_hash(&index.to_be_bytes()),
            root: log.frontier.root(),
        };
        prop_assert_eq!(verify_inclusion(&claim), Ok(()));
        let bad = match wrong {
            0 => Inclusion { leaf: leaf_hash(b"else"), ..claim },
            1 => Inclusion { root: empty_root(), ..claim },
            _ => Inclusion { index: (index + 1) % (size + 1), ..claim },
        };
        prop_assert!(verify_inclusion(&bad).is_err());
        let longer = [path.as_slice(), &[empty_root()]].concat();
        let longer = Inclusion { path: &longer, ..claim };
        prop_assert!(verify_inclusion(&longer).is_err());
    }

    #[test]
    fn a_grown_log_is_consistent_and_a_rewritten_one_is_not(new in 1..200_u64, at in 0..200_u64) {
        let old = at % (new + 1);
        let log = Log::counting(new);
        let path = consistency(old, new, log.source()).expect("inside");
        let root = |size: u64| log.roots[usize::try_from(size).expect("small")];
        let claim = Consistency {
            old_size: old, old_root: root(old), new_size: new, new_root: root(new), path: &path,
        };
        prop_assert_eq!(verify_consistency(&claim), Ok(()));
        let rewritten = Consistency { old_root: Digest::of(b"else"), ..claim };
        prop_assert!(verify_consistency(&rewritten).is_err());
        if old > 0 {
            let other = Consistency { new_root: Digest::of(b"else"), ..claim };
            prop_assert!(verify_consistency(&other).is_err());
        }
    }

    #[test]
    fn no_note_makes_the_reader_fall_over(text in "[a-z0-9 \n—=+/]{0,120}") {
        let (_, public) = key();
        let _ = open_checkpoint(&text, NoteKey { name: "a", key: &public });
    }
}
