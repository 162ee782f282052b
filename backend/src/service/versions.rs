//! Wire versions: the current one, and the one before for kiosks that are not of this
//! release yet (the backend goes first, kiosks follow one by one).
//!
//! Requests of the version before are lawful requests of this one. Of its answers a
//! client of the version before passes over fields it does not know, but a word that is
//! not among those of a closed list it cannot read: that word is said in another way.
//! What version 1 is stands in `data/wire-1/`. Called where answers are made.

use bytes::Bytes;
use counterfoil_data::wire;

/// Versions served, the older one first.
pub const SERVED: [u32; 2] = [wire::VERSION_BEFORE, wire::VERSION];
/// The same for `Upgrade`.
pub const UPGRADE: &str = "counterfoil/2, counterfoil/1";

/// Members that version 1 cannot read, and what it is told. In JSON a quotation mark
/// inside a text is escaped, so these bytes are a member wherever they are.
const OF_VERSION_1: [(&[u8], &[u8]); 1] =
    [(br#""remedy":"other-finger""#, br#""remedy":"call-staff""#)];

/// A JSON answer as a client of `version` can read it.
pub fn told(version: u32, answer: Bytes) -> Bytes {
    if version != wire::VERSION_BEFORE {
        return answer;
    }
    let mut told = answer;
    for (new, old) in OF_VERSION_1 {
        told = replaced(told, new, old);
    }
    told
}

fn replaced(bytes: Bytes, new: &[u8], old: &[u8]) -> Bytes {
    let mut out = Vec::new();
    let mut rest: &[u8] = &bytes;
    while let Some(at) = rest.windows(new.len()).position(|piece| piece == new) {
        let (before, found) = rest.split_at(at);
        out.extend_from_slice(before);
        out.extend_from_slice(old);
        rest = found.get(new.len()..).unwrap_or_default();
    }
    if out.is_empty() {
        return bytes;
    }
    out.extend_from_slice(rest);
    out.into()
}

#[cfg(test)]
mod tests {
    use counterfoil_data::wire::problem::{Remedy, RuleRefusal};

    use super::*;

    fn refusal(remedy: Remedy, staff: &str) -> Bytes {
        let refusal = RuleRefusal {
            rule: "second-finger".to_owned(),
            version: 1,
            staff: staff.to_owned(),
            remedy,
        };
        serde_json::to_vec(&[refusal.clone(), refusal])
            .expect("serialises")
            .into()
    }

    #[test]
    fn version_1_is_told_to_call_staff_and_no_text_is_touched() {
        let quoted = r#"he said "remedy":"other-finger""#;
        let new = refusal(Remedy::OtherFinger, quoted);
        assert_eq!(told(2, new.clone()), new);
        assert_eq!(told(1, new), refusal(Remedy::CallStaff, quoted));
        let old = refusal(Remedy::ChangeOrder, quoted);
        assert_eq!(told(1, old.clone()), old);
    }

    #[test]
    fn the_versions_served_are_two_that_follow_each_other() {
        assert_eq!(SERVED, [1, 2]);
        assert_eq!(UPGRADE, "counterfoil/2, counterfoil/1");
    }
}
