//! What happens in one sale, step by step, and how often what goes wrong.

use counterfoil_data::bill::BillKind;
use counterfoil_data::ids::SaleId;
use counterfoil_data::sealed::{Binding, Challenge};
use counterfoil_data::wire::Digest;
use counterfoil_data::wire::forms::FormEvent;
use counterfoil_data::wire::hex;
use counterfoil_data::wire::sale::{AbandonReason, Authenticity, OrderItem, PurchaseMode};
use ed25519_dalek::Signer as _;
use jiff::Timestamp;

use super::{LoadError, advice, bank, drawn, need, roll};
use crate::core::command::{Actor, CommandBody, Found, Outcome, Resolution, Subject};
use crate::core::record::bank::CardTrust;
use crate::core::record::sale::SaleRow;

/// Forms of one sale.
pub const FORMS: usize = 25;
/// Score of every print, in thousandths.
const SCORE_MILLI: u32 = 6_000;
/// What a form printer says of a printed form.
const FENCE: &str = "0a1b2c3d4e5f6071";

/// How many sales of a thousand go how; the rest go well.
pub const MIX: [(&str, u64); 5] = [
    ("a form spoiled, a supplement in its place", 10),
    ("nobody took the bundle: retracted, fees given back", 5),
    ("one form unknown, settled later by two people", 5),
    ("broken off, what was not fed released", 5),
    ("a wrong PIN before the right one", 20),
];

/// What becomes of a sale's forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Course {
    Well,
    Spoiled,
    Retracted,
    Unknown,
    Released,
}

/// One thing that happens in a sale.
#[derive(Debug, Clone)]
pub enum Step {
    Open,
    /// The PIN is right, or not.
    Info(bool),
    Identity,
    Order,
    Seen,
    Confirm,
    Link,
    /// Places of forms in the sale, and what happened to each.
    Forms(Vec<(usize, FormEvent)>),
    Abandon,
    Close,
    /// Two people settle the form at this place.
    Resolve(usize, Resolution),
}

/// The kiosk's own id of a sale: 128 random bits.
pub fn sale_id(seed: u64, sale: u64) -> SaleId {
    let bytes = drawn(seed, "sale", sale);
    SaleId(u128::from_be_bytes(
        bytes.first_chunk().copied().unwrap_or_default(),
    ))
}

/// What is bought: four in five are transfer cheques.
pub fn order(seed: u64, sale: u64) -> OrderItem {
    let kind = match roll(seed, "kind", sale, 5) {
        0 => BillKind::CashCheque,
        _ => BillKind::TransferCheque,
    };
    let quantity = u32::try_from(FORMS).unwrap_or(u32::MAX);
    OrderItem { kind, quantity }
}

fn course(seed: u64, sale: u64) -> Course {
    let mut at = roll(seed, "course", sale, 1_000);
    let courses = [
        Course::Spoiled,
        Course::Retracted,
        Course::Unknown,
        Course::Released,
    ];
    for (course, (_, of_thousand)) in courses.into_iter().zip(MIX) {
        match at.checked_sub(of_thousand) {
            Some(rest) => at = rest,
            None => return course,
        }
    }
    Course::Well
}

/// Everything that happens in sale number `sale`.
pub fn script(seed: u64, sale: u64) -> Vec<Step> {
    let course = course(seed, sale);
    let mut steps = vec![Step::Open];
    let [.., (_, wrong_of_thousand)] = MIX;
    if roll(seed, "pin", sale, 1_000) < wrong_of_thousand {
        steps.push(Step::Info(false));
    }
    steps.extend([Step::Info(true), Step::Identity, Step::Order]);
    steps.extend([Step::Seen, Step::Confirm, Step::Link]);
    let at = usize::try_from(roll(seed, "form", sale, 23)).unwrap_or(0);
    // Never the first or the last form, so that the row of the sale is cut in two.
    paper(&mut steps, course, at.saturating_add(1));
    match course {
        Course::Released => steps.push(Step::Abandon),
        _ => steps.push(Step::Close),
    }
    if course == Course::Unknown {
        let to = match roll(seed, "resolved", sale, 4) {
            0 => Resolution::Sold,
            1 => Resolution::Spoiled,
            2 => Resolution::Retracted,
            _ => Resolution::Missing,
        };
        steps.push(Step::Resolve(at.saturating_add(1), to));
    }
    steps
}

/// Feeding and printing in the calls a kiosk makes: the outcome of one form goes with
/// the feeding of the next; the bundle is presented and taken as a whole.
fn paper(steps: &mut Vec<Step>, course: Course, odd: usize) {
    let mut places: Vec<usize> = (0..FORMS).collect();
    match course {
        Course::Spoiled => places.push(FORMS),
        Course::Released => places.truncate(odd.saturating_add(1)),
        _ => {}
    }
    let mut bundle = Vec::new();
    let mut known: Vec<(usize, FormEvent)> = Vec::new();
    for place in places {
        known.push((place, FormEvent::Feeding));
        steps.push(Step::Forms(std::mem::take(&mut known)));
        let outcome = match course {
            Course::Spoiled if place == odd => FormEvent::Failed {
                ink: true,
                reason: "mediaJammed".to_owned(),
            },
            Course::Unknown if place == odd => FormEvent::NoOutcome {
                reason: "restarted".to_owned(),
            },
            _ => {
                bundle.push(place);
                FormEvent::Printed {
                    evidence: FENCE.to_owned(),
                }
            }
        };
        known.push((place, outcome));
    }
    steps.push(Step::Forms(known));
    let end = match course {
        Course::Retracted => FormEvent::Retracted,
        _ => FormEvent::Taken,
    };
    for event in [FormEvent::Presented, end] {
        let all = bundle.iter().map(|place| (*place, event.clone()));
        steps.push(Step::Forms(all.collect()));
    }
}

impl Step {
    /// Its name in complaints and keys.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Info(_) => "info",
            Self::Identity => "identity",
            Self::Order => "order",
            Self::Seen => "seen",
            Self::Confirm => "confirm",
            Self::Link => "link",
            Self::Forms(_) => "forms",
            Self::Abandon => "abandon",
            Self::Close => "close",
            Self::Resolve(..) => "resolve",
        }
    }

    /// The command that does it, with whoever gives it; `row` is the sale as it is.
    pub fn command(
        &self,
        seed: u64,
        number: u64,
        at: Timestamp,
        row: Option<&SaleRow>,
    ) -> Result<(Actor, CommandBody), LoadError> {
        let sale = sale_id(seed, number);
        let kiosk = bank::kiosk_of(number);
        let branch = bank::branch_of(kiosk);
        let digest = || {
            let order = need(row)?.order.as_ref();
            order
                .map(|o| o.digest)
                .ok_or(LoadError::Unexpected("no order is shown"))
        };
        let here = Actor::Kiosk(bank::kiosk(kiosk)?);
        // No account of this bank is under the sheet arrangement.
        let (passwords, sheet) = (Vec::new(), None);
        let officer = || {
            let station = bank::id(&format!("station-{branch:02}"))?;
            Ok::<_, LoadError>(Actor::Station(station, bank::staff(branch, "officer")?))
        };
        Ok(match self {
            Self::Open => {
                let mode = PurchaseMode::SettlementCard;
                (here, CommandBody::OpenSale { sale, mode })
            }
            Self::Info(_) => (here, info(seed, number, need(row)?)),
            Self::Identity => (here, identity(seed, number, at, need(row)?)),
            Self::Order => {
                let items = vec![order(seed, number)];
                (here, CommandBody::PlaceOrder { sale, items })
            }
            Self::Seen => {
                let digest = Some(digest()?);
                (officer()?, CommandBody::MarkSeen { sale, digest })
            }
            Self::Confirm => {
                let digest = digest()?;
                (officer()?, CommandBody::Confirm { sale, digest })
            }
            Self::Link => (here, CommandBody::Link { sale, passwords }),
            Self::Forms(known) => {
                let row = need(row)?;
                let advices = known.iter().map(|(place, e)| advice(row, *place, e));
                let advices = advices.collect::<Result<_, _>>()?;
                (here, advised(sale, advices))
            }
            Self::Abandon => {
                let reason = AbandonReason::PrinterFault;
                (
                    here,
                    CommandBody::Abandon {
                        sale,
                        reason,
                        sheet,
                    },
                )
            }
            Self::Close => (here, CommandBody::Close { sale, sheet }),
            Self::Resolve(place, to) => {
                let number = advice(need(row)?, *place, &FormEvent::Taken)?.number;
                let body = CommandBody::ResolveUnknown {
                    second: bank::staff(branch, "supervisor")?,
                    number,
                    to: *to,
                    evidence: "looked at the printer and its journal".to_owned(),
                };
                (Actor::Staff(bank::staff(branch, "custodian-a")?), body)
            }
        })
    }

    /// The settlement of the check this step was counted for.
    pub fn settlement(&self, sale: SaleId, outcome: &Outcome) -> Option<(Actor, CommandBody)> {
        let body = match (self, outcome) {
            (Self::Info(verified), Outcome::InfoCheck(check)) => CommandBody::SettleInfo {
                sale,
                attempt: check.attempt,
                verified: *verified,
            },
            (Self::Identity, Outcome::IdentityCheck(check)) => CommandBody::SettleIdentity {
                sale,
                attempt: check.attempt,
                found: Found::scored(SCORE_MILLI, "load 1"),
            },
            _ => return None,
        };
        Some((Actor::System, body))
    }
}

fn advised(sale: SaleId, advices: Vec<counterfoil_data::wire::forms::FormAdvice>) -> CommandBody {
    let passwords = Vec::new();
    CommandBody::AdviseForms {
        sale,
        advices,
        passwords,
    }
}

fn info(seed: u64, number: u64, row: &SaleRow) -> CommandBody {
    CommandBody::CountInfoAttempt {
        sale: row.sale,
        challenge: Challenge(row.challenge),
        subject: Subject::Card(bank::card(seed, bank::agent_of(number))),
        trust: Some(CardTrust::Dynamic),
    }
}

fn identity(seed: u64, number: u64, at: Timestamp, row: &SaleRow) -> CommandBody {
    let agent = bank::agent_of(number);
    let challenge = Challenge(row.challenge);
    let mut authenticity = Authenticity {
        sam_id: "05.01-20200101-0000000001".to_owned(),
        status: Authenticity::GENUINE.to_vec(),
        frame: Digest::of(&drawn(seed, "frame", agent)),
        at,
        signature: String::new(),
    };
    let binding = Binding {
        sale: row.sale,
        challenge,
    };
    let key = bank::kiosk_key(seed, bank::kiosk_of(number));
    let signature = key.sign(&authenticity.statement(binding));
    authenticity.signature = hex(&signature.to_bytes());
    CommandBody::CountIdentityAttempt {
        sale: row.sale,
        challenge,
        identity: bank::person(seed, agent),
        name: bank::name(seed, agent),
        valid_to: None,
        authenticity,
    }
}
