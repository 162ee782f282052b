//! What members of staff are for; kept as their place in the enum, so only ever added to.

use serde::{Deserialize, Serialize};

/// Duties of staff; seal, cipher and form are kept apart (domain K2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Duty {
    /// Decides confirmations.
    Officer,
    /// Serves customers (柜员); touches no blanks of a kiosk.
    Teller,
    /// Keeps blanks, always with a second custodian.
    Custodian,
    /// Settles what nobody knows, always with a custodian.
    Supervisor,
    /// Opens and mends machines.
    Engineer,
    /// Reads everything, changes nothing.
    Auditor,
    /// Gives accounts to staff, always with a second person.
    SecurityAdmin,
}

impl Duty {
    /// Every role.
    pub const ALL: [Self; 7] = [
        Self::Officer,
        Self::Teller,
        Self::Custodian,
        Self::Supervisor,
        Self::Engineer,
        Self::Auditor,
        Self::SecurityAdmin,
    ];

    /// Its stable word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Officer => "officer",
            Self::Teller => "teller",
            Self::Custodian => "custodian",
            Self::Supervisor => "supervisor",
            Self::Engineer => "engineer",
            Self::Auditor => "auditor",
            Self::SecurityAdmin => "security-administrator",
        }
    }
}

impl std::str::FromStr for Duty {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rule = "a role is officer, teller, custodian, supervisor, engineer, auditor or \
                    security-administrator";
        Self::ALL
            .into_iter()
            .find(|role| role.word() == text)
            .ok_or(rule)
    }
}
