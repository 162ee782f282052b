//! What was typed, as the act it means.

use anyhow::Context as _;
use counterfoil_data::bill::{BillKind, BillNumber, BillRange};
use counterfoil_data::ids::{BranchId, KioskId, SaleId, SlotId, StaffId};
use counterfoil_data::wire::custody::{Act, Holder, Mark, Resolved};

/// First and last number of a bundle.
#[derive(Debug, Clone, clap::Args)]
pub struct Numbers {
    /// First number, 16 digits.
    first: BillNumber,
    /// Last number, 16 digits.
    last: BillNumber,
}

/// What two people do.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Typed {
    /// Announce a lot that is to come into a branch's vault.
    Announce {
        /// For whose vault.
        branch: BranchId,
        #[command(flatten)]
        numbers: Numbers,
    },
    /// Take blanks into a branch's vault.
    Receive {
        /// Into whose vault.
        branch: BranchId,
        #[command(flatten)]
        numbers: Numbers,
        /// How many were counted by hand.
        count: u32,
    },
    /// Hand blanks over to another keeper, who has to accept them.
    Dispatch {
        /// Where they are: vault:BRANCH or box:BRANCH/TELLER.
        #[arg(value_parser = keeper)]
        from: Holder,
        /// Where they go: vault:BRANCH or box:BRANCH/TELLER.
        #[arg(value_parser = keeper)]
        to: Holder,
        #[command(flatten)]
        numbers: Numbers,
        /// How many were counted by hand.
        count: u32,
    },
    /// Accept blanks that were handed over.
    Accept {
        /// Where they arrived: vault:BRANCH or box:BRANCH/TELLER.
        #[arg(value_parser = keeper)]
        to: Holder,
        #[command(flatten)]
        numbers: Numbers,
        /// How many were counted by hand.
        count: u32,
    },
    /// Put blanks from the vault behind what a slot holds.
    Load {
        /// Which kiosk.
        kiosk: KioskId,
        /// Which slot.
        slot: SlotId,
        /// First number.
        number: BillNumber,
        /// How many.
        count: u32,
    },
    /// Take everything out of a slot, back to the vault.
    Unload {
        /// Which kiosk.
        kiosk: KioskId,
        /// Which slot.
        slot: SlotId,
    },
    /// Say that a locked slot was found in order.
    Unlock {
        /// Which kiosk.
        kiosk: KioskId,
        /// Which slot.
        slot: SlotId,
    },
    /// Count, blind, what a keeper keeps of a kind.
    Count {
        /// Whose: vault:BRANCH or box:BRANCH/TELLER.
        #[arg(value_parser = keeper)]
        at: Holder,
        /// Which kind, for example transfer-cheque.
        #[arg(value_parser = kind)]
        kind: BillKind,
        /// How many were counted by hand.
        counted: u32,
    },
    /// Report blanks that are not where they should be.
    Miss {
        #[command(flatten)]
        numbers: Numbers,
        /// What was seen, in a few words; evidence has them under a salt.
        seen: String,
    },
    /// Report that missing blanks were found.
    Find {
        /// Whose vault they go to.
        branch: BranchId,
        #[command(flatten)]
        numbers: Numbers,
        /// What was seen, in a few words.
        seen: String,
    },
    /// Say what an unknown form turned out to be.
    Resolve {
        /// Which form.
        number: BillNumber,
        /// What it is: sold, spoiled, retracted or missing.
        #[arg(value_parser = resolved)]
        what: Resolved,
        /// What was seen, in a few words.
        seen: String,
    },
    /// Cut spoiled or retracted forms (作废剪角).
    Void {
        #[command(flatten)]
        numbers: Numbers,
    },
    /// Destroy cut forms (销毁).
    Destroy {
        #[command(flatten)]
        numbers: Numbers,
    },
    /// Take sold, unused forms back from the customer, and cut them.
    Return {
        #[command(flatten)]
        numbers: Numbers,
        /// What was seen, in a few words.
        seen: String,
    },
    /// Note what was reported of sold forms.
    Mark {
        /// What: stopped, reported-lost or paid.
        #[arg(value_parser = mark)]
        mark: Mark,
        #[command(flatten)]
        numbers: Numbers,
    },
    /// Close a suspended sale whose forms are all settled.
    Close {
        /// Which sale.
        sale: SaleId,
    },
}

/// `vault:BRANCH` or `box:BRANCH/TELLER`.
fn keeper(text: &str) -> Result<Holder, String> {
    let bad = || "say vault:BRANCH or box:BRANCH/TELLER".to_owned();
    match text.split_once(':') {
        Some(("vault", branch)) => Ok(Holder::Vault {
            branch: branch.parse().map_err(|_| bad())?,
        }),
        Some(("box", rest)) => {
            let (branch, teller) = rest.split_once('/').ok_or_else(bad)?;
            let branch: BranchId = branch.parse().map_err(|_| bad())?;
            let teller: StaffId = teller.parse().map_err(|_| bad())?;
            Ok(Holder::TellerBox { branch, teller })
        }
        _ => Err(bad()),
    }
}

/// A word of the wire, as typed.
fn word<T: serde::de::DeserializeOwned>(text: &str, words: &str) -> Result<T, String> {
    let value = serde_json::Value::String(text.to_owned());
    serde_json::from_value(value).map_err(|_| format!("say one of: {words}"))
}

fn kind(text: &str) -> Result<BillKind, String> {
    let words = BillKind::ALL.iter().filter_map(|kind| {
        let value = serde_json::to_value(kind).ok()?;
        value.as_str().map(str::to_owned)
    });
    word(text, &words.collect::<Vec<_>>().join(", "))
}

fn resolved(text: &str) -> Result<Resolved, String> {
    word(text, "sold, spoiled, retracted, missing")
}

fn mark(text: &str) -> Result<Mark, String> {
    word(text, "stopped, reported-lost, paid")
}

impl Numbers {
    fn range(&self) -> anyhow::Result<BillRange> {
        anyhow::ensure!(
            self.first.prefix == self.last.prefix,
            "first and last number differ in their first row: name each bundle by itself"
        );
        let (first, last) = (self.first, self.last);
        BillRange::new(first.prefix, first.serial, last.serial)
            .context("name the first number first, then the last")
    }
}

impl Typed {
    /// The act that is meant.
    pub fn meant(self) -> anyhow::Result<Act> {
        Ok(match self {
            Self::Announce { branch, numbers } => Act::Announce {
                branch,
                range: numbers.range()?,
            },
            Self::Receive {
                branch,
                numbers,
                count,
            } => Act::Receive {
                branch,
                range: numbers.range()?,
                count,
            },
            Self::Dispatch {
                from,
                to,
                numbers,
                count,
            } => Act::Dispatch {
                from,
                to,
                range: numbers.range()?,
                count,
            },
            Self::Accept { to, numbers, count } => Act::Accept {
                to,
                range: numbers.range()?,
                count,
            },
            Self::Load {
                kiosk,
                slot,
                number,
                count,
            } => Act::Load {
                kiosk,
                slot,
                range: BillRange::from_count(number, count).context("no such range")?,
            },
            Self::Unload { kiosk, slot } => Act::Unload { kiosk, slot },
            Self::Unlock { kiosk, slot } => Act::Unlock { kiosk, slot },
            other => other.meant_of_forms()?,
        })
    }

    fn meant_of_forms(self) -> anyhow::Result<Act> {
        Ok(match self {
            Self::Count { at, kind, counted } => Act::Count { at, kind, counted },
            Self::Miss { numbers, seen } => Act::Miss {
                range: numbers.range()?,
                seen,
            },
            Self::Find {
                branch,
                numbers,
                seen,
            } => Act::Find {
                branch,
                range: numbers.range()?,
                seen,
            },
            Self::Resolve { number, what, seen } => Act::Resolve {
                number,
                to: what,
                seen,
            },
            Self::Void { numbers } => Act::Void {
                range: numbers.range()?,
            },
            Self::Destroy { numbers } => Act::Destroy {
                range: numbers.range()?,
            },
            Self::Return { numbers, seen } => Act::Return {
                range: numbers.range()?,
                seen,
            },
            Self::Mark { mark, numbers } => Act::Mark {
                range: numbers.range()?,
                mark,
            },
            Self::Close { sale } => Act::Close { sale },
            _ => anyhow::bail!("not an act of custody"),
        })
    }
}

/// The act in one line: its word, and the numbers.
pub fn told(act: &Act) -> String {
    let numbers = act.range().map(|range| {
        let (first, last, count) = (range.first(), range.last(), range.count());
        format!(" {first} to {last} ({count})")
    });
    format!("{}{}", act.word(), numbers.unwrap_or_default())
}
