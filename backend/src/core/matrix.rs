//! Who may do what together (双人): the one table that every act of two people is decided
//! by, and the roles that one person must not have at the same time (domain K2).
//!
//! Owns no books: whoever decides an act reads the roles of both people and asks here.
//! `counterfoil-backend rules --matrix` prints it, and a golden file holds every answer,
//! so that no pair of roles gains or loses an act unseen. Whose box and whose branch it
//! is are facts of the act; its decision checks them (`decide::stock`, `decide::blanks`).

use super::record::bank::Duty;

/// Roles of one person at most.
pub const ROLES_MAX: usize = 3;

/// Acts that take two people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Blanks are on their way to a vault.
    Announce,
    /// Blanks came into a vault.
    Receive,
    /// A vault's blanks are handed over, taken over or counted.
    Vault,
    /// The same of a teller's box, with that teller.
    Box,
    /// A slot is loaded.
    Load,
    /// A slot is emptied.
    Unload,
    /// A slot is unlocked after a wrong number.
    Unlock,
    /// A form nobody knows about is settled.
    Resolve,
    /// A suspended sale is closed.
    CloseSale,
    /// Blanks are not where they should be.
    Miss,
    /// Missing blanks were found.
    Find,
    /// Spoiled forms are cut.
    Void,
    /// Cut forms are destroyed.
    Destroy,
    /// A customer gives sold forms back.
    Return,
    /// Something is noted of sold forms.
    Mark,
    /// What a kiosk did that restored books lack is settled.
    Reconcile,
    /// The clock is accepted, though behind the records.
    AcceptClock,
    /// An agent's prints are replaced.
    Prints,
    /// An account of a member of staff is created, given a new first password, given
    /// other roles, disabled or enabled.
    Staff,
}

impl Act {
    /// Every act, in the order of the table.
    pub const ALL: [Self; 19] = [
        Self::Announce,
        Self::Receive,
        Self::Vault,
        Self::Box,
        Self::Load,
        Self::Unload,
        Self::Unlock,
        Self::Resolve,
        Self::CloseSale,
        Self::Miss,
        Self::Find,
        Self::Void,
        Self::Destroy,
        Self::Return,
        Self::Mark,
        Self::Reconcile,
        Self::AcceptClock,
        Self::Prints,
        Self::Staff,
    ];

    /// Its row.
    pub fn row(self) -> Row {
        use Duty::{Custodian, Officer, SecurityAdmin, Supervisor, Teller};
        const KEEPERS: &[Duty] = &[Custodian];
        const HANDLERS: &[Duty] = &[Custodian, Supervisor];
        const FRONT: &[Duty] = &[Teller, Custodian, Supervisor];
        let (word, one, other) = match self {
            Self::Announce => ("announce", HANDLERS, HANDLERS),
            Self::Receive => ("receive", KEEPERS, KEEPERS),
            Self::Vault => ("vault", KEEPERS, KEEPERS),
            Self::Box => ("box", [Teller].as_slice(), KEEPERS),
            Self::Load => ("load", KEEPERS, KEEPERS),
            Self::Unload => ("unload", KEEPERS, KEEPERS),
            Self::Unlock => ("unlock", KEEPERS, KEEPERS),
            Self::Resolve => ("resolve", HANDLERS, HANDLERS),
            Self::CloseSale => ("close-sale", HANDLERS, HANDLERS),
            Self::Miss => ("miss", HANDLERS, HANDLERS),
            Self::Find => ("find", HANDLERS, HANDLERS),
            Self::Void => ("void", HANDLERS, HANDLERS),
            Self::Destroy => ("destroy", [Supervisor].as_slice(), HANDLERS),
            Self::Return => ("return", FRONT, FRONT),
            Self::Mark => ("mark", FRONT, FRONT),
            Self::Reconcile => ("reconcile", HANDLERS, HANDLERS),
            Self::AcceptClock => ("accept-clock", HANDLERS, HANDLERS),
            Self::Prints => (
                "prints",
                [Supervisor].as_slice(),
                [Supervisor, Officer, Teller].as_slice(),
            ),
            Self::Staff => (
                "staff",
                [SecurityAdmin, Supervisor].as_slice(),
                [SecurityAdmin, Supervisor].as_slice(),
            ),
        };
        Row { word, one, other }
    }
}

/// One row: always two different people of the branch concerned; which of them begins
/// never matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Its stable word.
    pub word: &'static str,
    /// Roles of the one.
    pub one: &'static [Duty],
    /// Roles of the other.
    pub other: &'static [Duty],
}

impl Row {
    /// Whether somebody with one of these roles may be one of the two, whoever the
    /// other is.
    pub fn takes(&self, roles: &[Duty]) -> bool {
        let has = |lawful: &[Duty]| roles.iter().any(|role| lawful.contains(role));
        has(self.one) || has(self.other)
    }

    /// Whether people with these roles may do it together.
    pub fn allows(&self, first: &[Duty], second: &[Duty]) -> bool {
        let has = |roles: &[Duty], lawful: &[Duty]| roles.iter().any(|r| lawful.contains(r));
        (has(first, self.one) && has(second, self.other))
            || (has(second, self.one) && has(first, self.other))
    }
}

/// Whether somebody with this role has a part in anything done with blanks.
pub fn handles_blanks(role: Duty) -> bool {
    let acts = Act::ALL.into_iter();
    let mut acts = acts.filter(|act| !matches!(act, Act::Prints | Act::Staff));
    acts.any(|act| act.row().takes(&[role]))
}

/// Roles that one person must not have together, and why.
pub const APART: [(&[Duty], &[Duty], &str); 4] = [
    (
        &[Duty::Custodian],
        &[Duty::Officer, Duty::Teller, Duty::Supervisor],
        "whoever keeps blanks neither sells them nor checks how they are kept",
    ),
    (
        &[Duty::Engineer],
        &[
            Duty::Officer,
            Duty::Teller,
            Duty::Custodian,
            Duty::Supervisor,
            Duty::SecurityAdmin,
        ],
        "whoever opens machines has no say in what they do",
    ),
    (
        &[Duty::Auditor],
        &[
            Duty::Officer,
            Duty::Teller,
            Duty::Custodian,
            Duty::Supervisor,
            Duty::Engineer,
            Duty::SecurityAdmin,
        ],
        "whoever audits does nothing that is audited",
    ),
    (
        &[Duty::SecurityAdmin],
        &[
            Duty::Officer,
            Duty::Teller,
            Duty::Custodian,
            Duty::Supervisor,
        ],
        "whoever gives accounts neither moves paper nor decides about it",
    ),
];

/// Why one person cannot have both roles; `None`: they can.
pub fn apart(one: Duty, other: Duty) -> Option<&'static str> {
    let either = |a: &[Duty], b: &[Duty]| {
        (a.contains(&one) && b.contains(&other)) || (a.contains(&other) && b.contains(&one))
    };
    APART
        .iter()
        .find(|(a, b, _)| either(a, b))
        .map(|(_, _, why)| *why)
}

/// Whether one person may have these roles: at least one, each once, none apart.
pub fn compatible(roles: &[Duty]) -> bool {
    let pair = |(at, one): (usize, &Duty)| {
        let mut rest = roles.iter().skip(at.saturating_add(1));
        rest.all(|other| one != other && apart(*one, *other).is_none())
    };
    (1..=ROLES_MAX).contains(&roles.len()) && roles.iter().enumerate().all(pair)
}

fn words(roles: &[Duty]) -> String {
    let words: Vec<&str> = roles.iter().map(|role| role.word()).collect();
    words.join(", ")
}

/// The table as people read it: each act, who the two may be, every pair of roles that
/// may, and what one person must not be at once.
pub fn table() -> String {
    let mut lines = vec![
        "Acts of two different people of one branch; which of them begins never matters."
            .to_owned(),
        String::new(),
    ];
    for act in Act::ALL {
        let row = act.row();
        lines.push(format!(
            "{:<13} one: {:<34} other: {}",
            row.word,
            words(row.one),
            words(row.other)
        ));
        let mut pairs = Vec::new();
        for (at, one) in Duty::ALL.into_iter().enumerate() {
            let rest = Duty::ALL.into_iter().skip(at);
            let lawful = rest.filter(|other| row.allows(&[one], &[*other]));
            pairs.extend(lawful.map(|other| format!("{}+{}", one.word(), other.word())));
        }
        lines.push(format!("{:<13} = {}", "", pairs.join(", ")));
    }
    lines.push(String::new());
    lines.push("Roles that one person must not have at once:".to_owned());
    for (roles, others, why) in APART {
        lines.push(format!("{} | {}: {why}", words(roles), words(others)));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests;
