//! The evidence tree and its notes (I8): every proof of a log verifies, and no other
//! path, leaf or root does; a note opens only as the text that was signed.
#![no_main]

use std::collections::BTreeMap;

use counterfoil_data::tlog::note::{NoteKey, NoteSigner, checkpoint, open_checkpoint, open_note};
use counterfoil_data::tlog::note::{sign_note, verify_checkpoint};
use counterfoil_data::tlog::{Consistency, Frontier, Inclusion, SIZE_MAX};
use counterfoil_data::tlog::{consistency, inclusion, leaf_hash, root_of};
use counterfoil_data::tlog::{verify_consistency, verify_inclusion};
use counterfoil_data::wire::Digest;
use counterfoil_data::wire::sale::Checkpoint;
use counterfoil_fuzz::Bytes;
use ed25519_dalek::SigningKey;

/// A log, all its complete nodes, and its root after each leaf.
struct Log {
    nodes: BTreeMap<(u8, u64), Digest>,
    roots: Vec<Digest>,
}

impl Log {
    fn of(size: u64) -> Self {
        let (mut frontier, mut nodes) = (Frontier::default(), BTreeMap::new());
        let mut roots = vec![frontier.root()];
        for n in 0..size {
            let leaf = leaf_hash(&n.to_be_bytes());
            let index = frontier.append(leaf, |level, index, hash| {
                assert!(
                    nodes.insert((level, index), hash).is_none(),
                    "a node is complete once"
                );
            });
            assert_eq!(index, Ok(n));
            roots.push(frontier.root());
        }
        let log = Self { nodes, roots };
        assert_eq!(Frontier::load(size, log.source()), Ok(frontier));
        log
    }

    fn source(&self) -> impl Fn(u8, u64) -> Option<Digest> {
        |level, index| self.nodes.get(&(level, index)).copied()
    }
}

/// The path with something done to it.
fn bent(path: &[Digest], from: &mut Bytes<'_>) -> Vec<Digest> {
    let mut path = path.to_vec();
    let at = usize::from(from.byte());
    match from.byte() % 6 {
        0 => path.push(Digest(from.array())),
        1 => drop(path.pop()),
        2 if !path.is_empty() => {
            let at = at % path.len();
            path[at].0[usize::from(from.byte() % 32)] ^= from.byte();
        }
        3 if !path.is_empty() => path.rotate_left(1),
        4 if !path.is_empty() => drop(path.remove(at % path.len())),
        5 if !path.is_empty() => path.insert(at % path.len(), path[0]),
        _ => {}
    }
    path
}

fn proofs(from: &mut Bytes<'_>) {
    let size = 1 + from.below(70);
    let (index, old) = (from.below(size), from.below(size + 1));
    let log = Log::of(size);
    let root = log.roots[usize::try_from(size).expect("small")];
    let old_root = log.roots[usize::try_from(old).expect("small")];
    assert_eq!(root_of(size, log.source()), Ok(root));
    assert_eq!(root_of(old, log.source()), Ok(old_root));

    let right = inclusion(index, size, log.source()).expect("inside");
    let leaf = leaf_hash(&index.to_be_bytes());
    let holds = |index, leaf, root, path: &[Digest]| {
        verify_inclusion(&Inclusion {
            index,
            leaf,
            size,
            root,
            path,
        })
        .is_ok()
    };
    assert!(holds(index, leaf, root, &right));
    let path = bent(&right, from);
    assert_eq!(holds(index, leaf, root, &path), path == right);
    let other = from.below(size);
    assert_eq!(holds(other, leaf, root, &right), other == index);
    assert_eq!(
        holds(index, leaf_hash(&other.to_be_bytes()), root, &right),
        other == index
    );
    assert_eq!(holds(index, leaf, old_root, &right), old_root == root);
    assert!(!holds(size + other, leaf, root, &right), "outside");

    let right = consistency(old, size, log.source()).expect("inside");
    let holds = |old_root, new_root, path: &[Digest]| {
        let (old_size, new_size) = (old, size);
        let claim = Consistency {
            old_size,
            old_root,
            new_size,
            new_root,
            path,
        };
        verify_consistency(&claim).is_ok()
    };
    assert!(holds(old_root, root, &right));
    let path = bent(&right, from);
    assert_eq!(holds(old_root, root, &path), path == right);
    let mut wrong = old_root;
    wrong.0[usize::from(from.byte() % 32)] ^= 1 | from.byte();
    assert!(!holds(wrong, root, &right), "another beginning");
}

/// Claims out of thin air, of every size: refused, and without trouble.
fn claims(from: &mut Bytes<'_>) {
    let (index, size) = (
        u64::from_le_bytes(from.array()),
        u64::from_le_bytes(from.array()),
    );
    let (leaf, root) = (Digest(from.array()), Digest(from.array()));
    let path: Vec<Digest> = (0..from.byte() % 80)
        .map(|_| Digest(from.array()))
        .collect();
    let claim = Inclusion {
        index,
        leaf,
        size,
        root,
        path: &path,
    };
    if verify_inclusion(&claim).is_ok() {
        assert!(index < size && size <= SIZE_MAX);
        assert!(
            path.is_empty() && size == 1 && leaf == root,
            "nobody finds a path by chance"
        );
    }
    let (old_size, new_size) = (index, size);
    let claim = Consistency {
        old_size,
        old_root: leaf,
        new_size,
        new_root: root,
        path: &path,
    };
    if verify_consistency(&claim).is_ok() {
        assert!(path.is_empty() && (old_size == 0 || (old_size == new_size && leaf == root)));
    }
    let nothing = |_, _| None;
    assert!(root_of(size, nothing).is_err() || size == 0);
    assert!(inclusion(index, size, nothing).is_err() || (index, size) == (0, 1));
    assert!(consistency(index, size, nothing).is_err() || index == 0 || index == size);
}

fn notes(from: &mut Bytes<'_>) {
    let secret = SigningKey::from_bytes(&[7; 32]);
    let public = secret.verifying_key();
    let name = "log.example";
    let (signer, key) = (
        NoteSigner { name, key: &secret },
        NoteKey { name, key: &public },
    );
    let (size, root) = (u64::from_le_bytes(from.array()), Digest(from.array()));
    let head = checkpoint(size, root, &signer);
    assert_eq!(open_checkpoint(&head.note, key), Ok((size, root)));
    assert_eq!(verify_checkpoint(&head, key), Ok(()));
    let swapped = Checkpoint {
        size: size ^ u64::from(from.byte() | 1),
        ..head.clone()
    };
    assert!(verify_checkpoint(&swapped, key).is_err());

    let at = usize::from(from.byte()) % head.note.len();
    let mut bytes = head.note.clone().into_bytes();
    bytes[at] = from.byte();
    if let Ok(bent) = String::from_utf8(bytes)
        && let Ok(opened) = open_checkpoint(&bent, key)
    {
        assert_eq!(opened, (size, root), "no other head opens");
    }

    let text = format!("{}\n", from.words());
    let note = sign_note(&text, &signer);
    if let Ok(opened) = open_note(&note, key) {
        assert_eq!(opened, text);
    } else {
        let strange = text.chars().any(|c| c.is_control() && c != '\n');
        assert!(strange, "a plain text that was signed opens: {text:?}");
    }
    let free = String::from_utf8_lossy(from.0);
    assert!(open_note(&free, key).is_err(), "nobody signs by chance");
    let cosigned = format!("{note}{free}");
    if let Ok(opened) = open_note(&cosigned, key) {
        assert_eq!(opened, text, "lines of others change nothing");
    }
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut from = Bytes(data);
    match from.byte() % 3 {
        0 => proofs(&mut from),
        1 => claims(&mut from),
        _ => notes(&mut from),
    }
});
