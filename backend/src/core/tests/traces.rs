//! Random traces: the model and redb give the same answers and the same evidence
//! root, and whatever was tried, the books are in order (I1-I4, I8).

use counterfoil_data::bill::BillNumber;
use counterfoil_data::ids::SaleId;
use counterfoil_data::sealed::SealKey;
use counterfoil_data::wire::forms::{FormAdvice, FormEvent, FormState};
use counterfoil_data::wire::sale::{AbandonReason, PurchaseMode, SaleState};
use counterfoil_data::wire::sheet::SheetOutcome;
use proptest::prelude::*;

use super::bank::*;
use crate::core::apply::KIOSK_LOST_S;
use crate::core::command::{Actor, Answer, CommandBody, Found, Outcome, Resolution, Subject};
use crate::core::record::bank::CardTrust;
use crate::core::{log, query};
use crate::store::model::ModelStore;
use crate::store::redb::RedbStore;
use crate::store::{Snapshots, Store};
use proven::{gates_were_passed, no_paper_came_back, rows_are_few};
use tries::{Try, traces};

mod acts;
mod alike;
mod proven;
mod rest;
mod tries;

struct Trace<S: Store> {
    desk: Desk<S>,
    /// Sales opened so far, everywhere.
    sales: u128,
    /// The last one at each kiosk.
    last: [u128; 2],
}

impl<S: Store> Trace<S> {
    fn new(store: S, sheet: bool) -> Self {
        let mut desk = if sheet {
            Desk::with_sheet(store)
        } else {
            Desk::open(store)
        };
        desk.fill_other();
        Self {
            desk,
            sales: 0,
            last: [0; 2],
        }
    }

    fn place(&self) -> usize {
        usize::from(self.desk.here != kiosk())
    }

    fn sale(&self) -> SaleId {
        SaleId(self.last[self.place()])
    }

    fn form(&self, pick: u8) -> Option<BillNumber> {
        let forms = self.desk.view(self.sale()).forms;
        let at = usize::from(pick).checked_rem(forms.len())?;
        forms.get(at).map(|f| f.number)
    }

    fn first(&self, state: FormState) -> Option<BillNumber> {
        let forms = self.desk.view(self.sale()).forms;
        let form = forms.iter().find(|f| f.state == state)?;
        Some(form.number)
    }

    /// The command that an attempt means now.
    fn body(&mut self, attempt: &Try) -> Option<(Actor, CommandBody)> {
        let next = self.sales + 1;
        let kiosk = || self.desk.here.clone();
        if let Try::Open = attempt {
            let mode = PurchaseMode::SettlementCard;
            let sale = SaleId(next);
            return Some((kiosk(), CommandBody::OpenSale { sale, mode }));
        }
        if let Try::Act(act, from, who) = attempt {
            return Some(acts::of(*act, *from, *who));
        }
        if let Some(staff) = self.staff(attempt) {
            return Some((custodian(), staff));
        }
        (self.sale().0 > 0).then(|| self.body_of_sale(attempt))?
    }

    /// The same of what is done to a sale.
    fn body_of_sale(&self, attempt: &Try) -> Option<(Actor, CommandBody)> {
        let kiosk = || self.desk.here.clone();
        let sale = self.sale();
        let digest = self.desk.view(sale).order.map(|o| o.digest);
        Some(match attempt {
            Try::Order(quantity, cash) => {
                let mut item = transfer(u32::from(*quantity));
                if *cash {
                    item.kind = counterfoil_data::bill::BillKind::CashCheque;
                }
                let items = vec![item];
                (kiosk(), CommandBody::PlaceOrder { sale, items })
            }
            Try::Seen => (officer(), CommandBody::MarkSeen { sale, digest }),
            Try::Confirm => {
                let digest = digest?;
                (officer(), CommandBody::Confirm { sale, digest })
            }
            Try::Deny => {
                let (digest, note) = (digest?, None);
                (officer(), CommandBody::Deny { sale, digest, note })
            }
            Try::Ask => {
                let ask = CommandBody::Ask {
                    sale,
                    digest: digest?,
                    question: "几张".to_owned(),
                };
                (officer(), ask)
            }
            Try::Link => {
                let passwords = self.desk.drawn(sale, 0);
                (kiosk(), CommandBody::Link { sale, passwords })
            }
            Try::TakeSheet(key) => {
                let key = SealKey([*key; 32]);
                (kiosk(), CommandBody::TakeSheet { sale, key })
            }
            Try::Feed => {
                let number = self.first(FormState::Assigned)?;
                let event = FormEvent::Feeding;
                let advices = vec![FormAdvice { number, event }];
                (kiosk(), self.desk.advice(sale, advices))
            }
            Try::Misread(read) => {
                let number = self.first(FormState::Feeding)?;
                let read = anywhere(*read);
                let event = FormEvent::Mismatch { read };
                let advices = vec![FormAdvice { number, event }];
                (kiosk(), self.desk.advice(sale, advices))
            }
            Try::Outcome(form, event) => {
                let number = self.form(*form)?;
                let event = outcome(*event, *form);
                let advices = vec![FormAdvice { number, event }];
                (kiosk(), self.desk.advice(sale, advices))
            }
            Try::Close(said) => {
                let sheet = said_of_sheet(*said);
                (kiosk(), CommandBody::Close { sale, sheet })
            }
            Try::Cancel => (kiosk(), CommandBody::Cancel { sale }),
            Try::Abandon => (kiosk(), abandon(sale, AbandonReason::Staff)),
            _ => return None,
        })
    }

    fn staff(&self, attempt: &Try) -> Option<CommandBody> {
        let (second, kiosk) = (id("custodian-b"), id("kiosk-1"));
        let slot = id("slot-1");
        Some(match attempt {
            Try::Unload => CommandBody::UnloadCassette {
                second,
                kiosk,
                slot,
            },
            Try::Unlock => CommandBody::UnlockSlot {
                second,
                kiosk,
                slot,
            },
            Try::Load(from) => {
                let first = number(u32::from(*from) % 190);
                let count = u32::from(*from) % 7 + 1;
                let range = counterfoil_data::bill::BillRange::from_count(first, count);
                load("slot-1", range.expect("a range"))
            }
            Try::Resolve(form, to) => CommandBody::ResolveUnknown {
                second,
                number: anywhere(*form),
                to: [
                    Resolution::Sold,
                    Resolution::Spoiled,
                    Resolution::Retracted,
                    Resolution::Missing,
                ][usize::from(*to)],
                evidence: "seen".to_owned(),
            },
            _ => return None,
        })
    }

    /// Does one attempt; gives every answer it led to.
    fn attempt(&mut self, attempt: &Try) -> Vec<Result<Outcome, String>> {
        let told = |answer: Result<Outcome, crate::core::refusal::Refusal>| {
            vec![answer.map_err(|refusal| refusal.to_string())]
        };
        match attempt {
            Try::Info(known, verified) if self.sale().0 > 0 => {
                let card = if *known { CARD } else { STRANGER };
                self.two_steps(
                    |desk, sale| {
                        let challenge = desk.view(sale).challenge;
                        CommandBody::CountInfoAttempt {
                            sale,
                            challenge,
                            subject: Subject::Card(card),
                            trust: Some(CardTrust::Dynamic),
                        }
                    },
                    *verified,
                    0,
                )
            }
            Try::Identity(score) if self.sale().0 > 0 => {
                let score = u32::from(*score) * 1_000;
                self.two_steps(|desk, sale| desk.identity_of(sale, PERSON), false, score)
            }
            Try::Turn => {
                self.desk.turn();
                Vec::new()
            }
            Try::Wait(seconds) => self.wait(i64::from(*seconds) * 4),
            Try::Lose => self.wait(KIOSK_LOST_S),
            _ => {
                let Some((actor, body)) = self.body(attempt) else {
                    return Vec::new();
                };
                let opens = matches!(body, CommandBody::OpenSale { .. });
                let answer = self.desk.give(actor, body);
                if opens && answer.is_ok() {
                    self.sales += 1;
                    let place = self.place();
                    self.last[place] = self.sales;
                }
                told(answer)
            }
        }
    }

    /// Time passes, and the house does what is due.
    fn wait(&mut self, seconds: i64) -> Vec<Result<Outcome, String>> {
        self.desk.later(seconds);
        let due = query::due(&*self.desk.read(), self.desk.at, 8).expect("reads");
        due.into_iter()
            .map(|body| self.desk.give(Actor::System, body))
            .map(|answer| answer.map_err(|refusal| refusal.to_string()))
            .collect()
    }

    fn two_steps(
        &mut self,
        count: impl Fn(&Desk<S>, SaleId) -> CommandBody,
        verified: bool,
        score_milli: u32,
    ) -> Vec<Result<Outcome, String>> {
        let sale = self.sale();
        let body = count(&self.desk, sale);
        let here = self.desk.here.clone();
        let counted = self.desk.give(here, body).map_err(|r| r.to_string());
        let settle = match &counted {
            Ok(Outcome::InfoCheck(check)) => CommandBody::SettleInfo {
                sale,
                attempt: check.attempt,
                verified,
            },
            Ok(Outcome::IdentityCheck(check)) => CommandBody::SettleIdentity {
                sale,
                attempt: check.attempt,
                found: Found::scored(score_milli, "test 1"),
            },
            _ => return vec![counted],
        };
        let settled = self.desk.give(Actor::System, settle);
        vec![counted, settled.map_err(|r| r.to_string())]
    }
}

/// A number among the first of either kiosk.
fn anywhere(pick: u8) -> BillNumber {
    let pick = u32::from(pick);
    number(pick / 2 % 15 + pick % 2 * 200)
}

/// What a kiosk may say of its sheet, true or not.
fn said_of_sheet(said: u8) -> Option<SheetOutcome> {
    match said {
        0 => None,
        1 => Some(SheetOutcome::NotPrinted),
        2 => Some(SheetOutcome::Unknown),
        _ => Some(SheetOutcome::Printed),
    }
}

fn outcome(event: u8, form: u8) -> FormEvent {
    match event {
        0 | 1 => printed(),
        2 => FormEvent::Presented,
        3 => FormEvent::Taken,
        4 => FormEvent::Retracted,
        5 => failed(),
        6 => no_outcome(),
        _ => FormEvent::Mismatch {
            read: anywhere(form),
        },
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn both_stores_give_the_same_answers_and_the_same_root_and_sound_books(
        trace in traces(), sheet in any::<bool>(),
    ) {
        let mut model = Trace::new(ModelStore::new(), sheet);
        let mut redb = Trace::new(RedbStore::memory().expect("opens"), sheet);
        for attempt in &trace {
            prop_assert_eq!(model.attempt(attempt), redb.attempt(attempt), "{:?}", attempt);
            if sheet {
                model.desk.audit();
            }
        }
        let root = |read: &dyn crate::store::Read| log::root(read).expect("reads");
        prop_assert_eq!(root(&*model.desk.read()), root(&*redb.desk.read()));
        model.desk.audit();
        redb.desk.audit();
        rows_are_few(&model);
        gates_were_passed(&model);
        no_paper_came_back(&model);
    }
}

#[test]
fn a_group_of_commands_gives_what_the_same_commands_give_one_by_one() {
    let mut one = Desk::open(ModelStore::new());
    let mut group = Desk::open(ModelStore::new());
    let sale = SaleId(1);
    let mode = PurchaseMode::SettlementCard;
    let bodies = [
        CommandBody::OpenSale { sale, mode },
        CommandBody::OpenSale {
            sale: SaleId(2),
            mode,
        },
        CommandBody::Cancel { sale },
        CommandBody::OpenSale {
            sale: SaleId(2),
            mode,
        },
    ];
    let mut commands = Vec::new();
    for body in bodies {
        let mut command = group.command(kiosk(), body);
        command.key = is_keyed(&command.body).then(|| key("cancel"));
        commands.push(command);
    }
    let singly: Vec<Answer> = commands.iter().map(|c| one.answer(c.clone())).collect();
    let together = group.writer.step(commands).expect("the store works");
    assert_eq!(singly, together);
    let root = |desk: &Desk<ModelStore>| log::root(&*desk.read()).expect("reads");
    assert_eq!(root(&one), root(&group));
    assert_eq!(group.state(SaleId(2)), SaleState::Opened);
}

#[test]
fn a_second_writer_fences_off_the_first() {
    let store = RedbStore::memory().expect("opens");
    let mut old = Desk::empty(store.clone());
    let mut new = Desk::empty(store.clone());
    let enrol = || enrolment().into_iter().next().expect("a command");
    new.must(Actor::System, enrol());
    let command = old.command(Actor::System, enrolment().remove(1));
    let fenced = old.writer.step(vec![command]).expect_err("is fenced off");
    assert!(fenced.to_string().contains("another writer took over"));
    assert!(query::is_enrolled(&*store.snapshot().expect("reads")).expect("reads"));
}
