//! Every sort of command that a sale at a kiosk does not lead to by itself, and the names
//! of all sorts.

use counterfoil_data::bill::BillRange;
use counterfoil_data::ids::SaleId;
use counterfoil_data::wire::Digest;
use counterfoil_data::wire::custody::Act;
use counterfoil_data::wire::sale::{FingerPosition, TreeSeen};

use super::{Trace, acts, anywhere};
use crate::core::command::StaffCommand;
use crate::core::command::{Actor, CommandBody, FingerPrints, Found, Impression, Outcome, Prints};
use crate::core::log;
use crate::core::query::proposals;
use crate::core::record::bank::{AccountState, Policy};
use crate::core::record::staff::AccessRow;
use crate::core::record::terms::{Bounces, CalendarRow, Hours, Licence, Listed};
use crate::core::sealed::{Resealed, SealedAt};
use crate::core::tests::bank::*;
use crate::store::Store;

macro_rules! sorts {
    ($($sort:ident)+) => {
        /// Every sort of command.
        pub const SORTS: &[&str] = &[$(stringify!($sort)),+];

        /// The sort of a command; a new one does not compile until it is named here.
        pub fn sort_of(body: &CommandBody) -> &'static str {
            match body {
                $(CommandBody::$sort { .. } => stringify!($sort),)+
            }
        }
    };
}

sorts! {
    EnrolBank EnrolPolicy EnrolStaff EnrolKiosk EnrolStation EnrolUnit EnrolAccount
    EnrolAgent EnrolPrints RefreshTemplates Reseal EnrolCard EnrolFee EnrolCalendar
    EnrolList RenewLicence RecordBounces SetAccountState ReceiveBlanks LoadCassette
    UnloadCassette UnlockSlot OpenSale CountInfoAttempt SettleInfo CountIdentityAttempt
    SettleIdentity CountFingerAttempt PlaceOrder MarkSeen Confirm Deny Ask
    TimeOutConfirmation Link AdviseForms TakeSheet Cancel Expire Abandon SuspendLost
    Close ResolveUnknown MarkDelivered CloseByStaff Custody ProposeCustody
    ApproveCustody RefuseCustody RecordRestore ReportTree ReconcileKiosk AcceptClock
    UseUpSequence EnrolAccess Staff
}

/// Sorts that [`Trace::rest`] makes.
pub const RESTS: u8 = 29;
/// The one of them that replaces an agent's prints.
pub const RENEW_PRINTS: u8 = 26;

fn position(of: u8) -> FingerPosition {
    [FingerPosition::RightIndex, FingerPosition::LeftIndex][usize::from(of % 2)]
}

fn prints(mark: u8) -> Prints {
    let impression = |n: u8| Impression {
        template: vec![mark, n],
        image: vec![mark, 100 + n],
    };
    let finger = |at: u8| FingerPrints {
        position: position(at),
        impressions: [1, 2, 3].map(impression).into(),
    };
    Prints {
        agent: id("agent-1"),
        engine: "test 2".to_owned(),
        fingers: vec![finger(0), finger(1)],
    }
}

impl<S: Store> Trace<S> {
    /// The sale at this kiosk, or one that never was.
    fn some_sale(&self) -> SaleId {
        SaleId(self.last[self.place()].max(1))
    }

    fn challenge(&self) -> Option<counterfoil_data::sealed::Challenge> {
        (self.sale().0 > 0).then(|| self.desk.view(self.sale()).challenge)
    }

    /// One of the commands that nobody's sale needs; small numbers choose.
    pub fn rest(&mut self, which: u8, a: u8, b: u8) -> Option<(Actor, CommandBody)> {
        if let Some(body) = self.by_the_house(which, a, b) {
            return Some((Actor::System, body));
        }
        self.by_people(which, a, b)
    }

    fn by_the_house(&self, which: u8, a: u8, b: u8) -> Option<CommandBody> {
        let agent = id("agent-1");
        let sale = self.some_sale();
        Some(match which {
            0 => {
                let mut all = enrolment();
                all.swap_remove(usize::from(a) % all.len())
            }
            1 => CommandBody::EnrolPolicy(Policy {
                version: 2 + u32::from(a % 4),
                second_finger_above: Some(u32::from(b % 3)),
                ..policy()
            }),
            2 => CommandBody::EnrolPrints {
                second: None,
                prints: prints(a),
                reason: String::new(),
            },
            3 => CommandBody::RefreshTemplates {
                agent,
                enrolment: u32::from(a % 3),
                engine: "test 3".to_owned(),
                fingers: vec![finger(position(0)), finger(position(b))],
            },
            4 => CommandBody::Reseal {
                key: a % 3 + 1,
                envelopes: vec![Resealed {
                    at: SealedAt::Template(agent, position(0), 0),
                    old: Digest::of(&[1, 2, 3]),
                    envelope: vec![1, 2, 3, b],
                }],
            },
            5 => CommandBody::EnrolCalendar(CalendarRow::always(Hours {
                opens: jiff::civil::time(9, 0, 0, 0),
                closes: jiff::civil::time(17, 0, 0, 0),
            })),
            6 => CommandBody::EnrolList {
                as_of: jiff::civil::date(2026, 11, 20),
                listed: vec![Listed::Account(STRANGER), Listed::Person(STRANGER)],
            },
            7 => CommandBody::RenewLicence(Licence {
                unit: id("unit-1"),
                valid_to: (a.is_multiple_of(2)).then(|| jiff::civil::date(2046, 1, 1)),
            }),
            8 => CommandBody::RecordBounces(Bounces {
                account: ACCOUNT_NUMBER.to_owned(),
                dates: vec![jiff::civil::date(2020, 1, 1 + (a % 9).cast_signed())],
            }),
            9 => CommandBody::SetAccountState {
                account: ACCOUNT_NUMBER.to_owned(),
                state: [AccountState::Normal, AccountState::Frozen][usize::from(a == 0)],
            },
            10 => CommandBody::TimeOutConfirmation { sale },
            11 => CommandBody::Expire { sale },
            12 => CommandBody::SuspendLost { sale },
            13 => CommandBody::MarkDelivered {
                sequences: vec![u64::from(a), u64::from(b)],
            },
            14 if b.is_multiple_of(8) => CommandBody::RecordRestore {
                backup_at: self.desk.at,
                tree: self.tree(),
            },
            _ => return None,
        })
    }

    fn tree(&self) -> TreeSeen {
        let read = self.desk.read();
        TreeSeen {
            size: log::size(&*read).expect("reads"),
            root: log::root(&*read).expect("reads"),
        }
    }

    fn by_people(&self, which: u8, a: u8, b: u8) -> Option<(Actor, CommandBody)> {
        let sale = self.some_sale();
        let staff = |who: &str| Actor::Staff(id(who));
        let second = id(["custodian-b", "custodian-a"][usize::from(a.is_multiple_of(4))]);
        Some(match which {
            15 => {
                let range = BillRange::from_count(anywhere(a), u32::from(b % 9) + 1);
                (custodian(), receive(range.ok()?))
            }
            16 => {
                let range = BillRange::from_count(number(600 + u32::from(a)), 3);
                (custodian(), receive(range.ok()?))
            }
            17 => (custodian(), CommandBody::CloseByStaff { second, sale }),
            18 | 19 => {
                let (_, body) = acts::of(a % 13, b, 0);
                let CommandBody::Custody { act, .. } = body else {
                    return None;
                };
                (custodian(), CommandBody::ProposeCustody { act })
            }
            20 | 21 => {
                let (proposal, act) = self.proposed()?;
                let digest = act.digest();
                let count = (b.is_multiple_of(2)).then_some(u32::from(a % 4));
                let approve = CommandBody::ApproveCustody {
                    proposal,
                    digest,
                    count,
                };
                let refuse = CommandBody::RefuseCustody { proposal, digest };
                let body = if which == 20 { approve } else { refuse };
                (staff("custodian-b"), body)
            }
            22 => {
                let mut tree = self.tree();
                if a.is_multiple_of(8) {
                    tree.size += 7;
                }
                (self.desk.here.clone(), CommandBody::ReportTree(tree))
            }
            23 => {
                let kiosk = id(["kiosk-1", "kiosk-2"][usize::from(b % 2)]);
                let reason = "counted".to_owned();
                let body = CommandBody::ReconcileKiosk {
                    second,
                    kiosk,
                    reason,
                };
                (custodian(), body)
            }
            24 => {
                let reason = "right".to_owned();
                (custodian(), CommandBody::AcceptClock { second, reason })
            }
            25 => {
                let challenge = self.challenge()?;
                let body = CommandBody::CountFingerAttempt { sale, challenge };
                (self.desk.here.clone(), body)
            }
            RENEW_PRINTS => {
                let body = CommandBody::EnrolPrints {
                    second: Some(id("officer-1")),
                    prints: prints(a),
                    reason: "cut his finger".to_owned(),
                };
                (staff("supervisor-1"), body)
            }
            27 | 28 => Self::by_staff(which, a, b),
            _ => return None,
        })
    }

    /// Who may log in how, and somebody who tries to.
    fn by_staff(which: u8, a: u8, b: u8) -> (Actor, CommandBody) {
        if which == 27 {
            let access = AccessRow {
                sessions: a.is_multiple_of(4),
                staff_attempts: u32::from(a % 3) + 1,
                ..AccessRow::default()
            };
            return (Actor::System, CommandBody::EnrolAccess(access));
        }
        let who = id(["officer-1", "nobody"][usize::from(b % 2)]);
        let count = StaffCommand::CountLogin { staff: who };
        let terminal = "station:station-1".parse().expect("a signer");
        (Actor::Terminal(terminal), CommandBody::Staff(count))
    }

    fn proposed(&self) -> Option<(u64, Act)> {
        let open = proposals(&*self.desk.read(), &id("branch-1"), self.desk.at);
        let row = open.expect("reads").0.into_iter().next()?;
        Some((row.number, row.act().expect("an act")))
    }

    /// Gives one of the rest, and settles the attempt it may have counted.
    pub fn do_rest(&mut self, which: u8, a: u8, b: u8) {
        if which == RESTS {
            let here = self.desk.here.clone();
            let mut command = self.desk.command(here, CommandBody::UseUpSequence);
            command.sequence = Some(u64::from(a) + 1);
            self.desk.answer(command);
            return;
        }
        let Some((actor, body)) = self.rest(which, a, b) else {
            return;
        };
        let given = self.desk.give(actor, body);
        if let Ok(Outcome::IdentityCheck(check)) = given {
            let settle = CommandBody::SettleIdentity {
                sale: self.sale(),
                attempt: check.attempt,
                found: Found::scored(u32::from(b) * 100, "test 1"),
            };
            let _ = self.desk.give(Actor::System, settle);
        }
    }
}
