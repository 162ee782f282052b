//! Opening a sale (S2) and the first gate (S3, S4): attempts are counted, durably,
//! before anything is checked; an unknown card is treated like a wrong PIN.

use counterfoil_data::ids::SaleId;
use counterfoil_data::sealed::Challenge;
use counterfoil_data::wire::problem::RuleRefusal;
use counterfoil_data::wire::sale::{PurchaseMode, SaleState};
use jiff::Timestamp;

use super::attempts::{Counter, kiosk_key, subject_key};
use super::{Draft, Stop, witness};
use crate::core::apply;
use crate::core::command::{Actor, CommandBody, InfoCheck, Outcome, Subject};
use crate::core::event::Event;
use crate::core::facts::{self, Facts};
use crate::core::key::{self, Table};
use crate::core::record::bank::{AccountRow, CardPolicy, CardTrust, Policy};
use crate::core::record::books::AttemptRow;
use crate::core::record::sale::{CardProven, InfoProven, Pending, SaleRow};
use crate::core::refusal::{Malformed, Refusal};
use crate::core::rules::{self, CARD_UNKNOWN, Gate, LOCKED, PASSWORD_UNKNOWN};
use crate::store::{Key, Read as _};

/// Opens a sale; the id is the kiosk's, so a repeat opens nothing twice.
pub fn open(draft: &mut Draft<'_>, sale: SaleId, mode: PurchaseMode) -> Result<Outcome, Stop> {
    let kiosk = draft.kiosk()?;
    if let Some(row) = draft.books.get::<SaleRow>(&key::sale(sale))? {
        if row.kiosk != kiosk.id || row.mode != mode {
            return Err(Refusal::NotYours.into());
        }
        return Ok(Outcome::Sale(row.state));
    }
    witness::may_sell(draft, &kiosk.id)?;
    if !kiosk.modes.contains(&mode) {
        return Err(Refusal::Malformed(Malformed::Mode).into());
    }
    if let Some(open) = kiosk.open_sale {
        let state = draft.sale(open)?.state;
        return Err(Refusal::SaleInProgress { state }.into());
    }
    let policy = draft.policy()?;
    let at = draft.command.at;
    let row = SaleRow {
        sale,
        kiosk: kiosk.id,
        branch: kiosk.branch,
        mode,
        state: SaleState::Opened,
        opened_at: at,
        heard_at: at,
        deadline: Some(later(at, policy.sale_within_s)),
        challenge: draft.challenge(),
        info_attempts: 0,
        identity_attempts: 0,
        finger_attempts: 0,
        pending: None,
        info: None,
        identity: None,
        second_finger: None,
        refusal: None,
        order: None,
        confirm: None,
        linked: None,
        forms: Vec::new(),
        closing_leaf: None,
        keyed: Vec::new(),
    };
    draft.emit(Event::SaleOpened(Box::new(row)))?;
    Ok(Outcome::Sale(SaleState::Opened))
}

/// A time so many seconds of policy later.
pub fn later(at: Timestamp, seconds: u32) -> Timestamp {
    apply::later(at, i64::from(seconds))
}

/// Ends the sale by a rule; what the attempt counted against stays counted.
pub fn refuse(
    draft: &mut Draft<'_>,
    sale: SaleId,
    rule: &'static str,
    counted: Vec<(Key, AttemptRow)>,
) -> Result<Outcome, Stop> {
    let refusal = rules::refusal(rule, draft.policy()?.version);
    end(draft, sale, refusal, counted)
}

/// Ends the sale by a rule that its facts broke.
pub fn end(
    draft: &mut Draft<'_>,
    sale: SaleId,
    refusal: RuleRefusal,
    counted: Vec<(Key, AttemptRow)>,
) -> Result<Outcome, Stop> {
    draft.emit(Event::SaleRefused {
        sale,
        refusal,
        counted,
    })?;
    Ok(Outcome::Sale(SaleState::Refused))
}

/// The challenge is this sale's current one: a captured secret cannot be used again (S12).
pub fn fresh(row: &SaleRow, challenge: Challenge) -> Result<(), Stop> {
    if row.challenge != challenge.0 {
        return Err(Refusal::StaleChallenge { state: row.state }.into());
    }
    Ok(())
}

/// Counts an attempt and gives what the verifier needs.
pub fn count(draft: &mut Draft<'_>) -> Result<Outcome, Stop> {
    let CommandBody::CountInfoAttempt {
        sale,
        challenge,
        subject,
        trust,
    } = draft.command.body.clone()
    else {
        return Err(Refusal::NotYours.into());
    };
    let row = draft.own_sale_in(sale, SaleState::Opened)?;
    fresh(&row, challenge)?;
    let lawful = match subject {
        Subject::Card(_) => PurchaseMode::SettlementCard,
        Subject::Account(_) => PurchaseMode::PaymentPassword,
    };
    if row.mode != lawful {
        return Err(Refusal::Malformed(Malformed::Mode).into());
    }
    let policy = draft.policy()?;
    let access = draft.access()?;
    let attempt = row.info_attempts.saturating_add(1);
    let hash = subject.hash();
    let by_subject = Counter::of_subject(hash, row.mode, &policy, &access).count(draft)?;
    let by_kiosk = Counter::of_kiosk(&row, &policy, &access).count(draft)?;
    let Some(by_kiosk) = by_kiosk else {
        return refuse(draft, sale, LOCKED, vec![]);
    };
    let Some(by_subject) = by_subject.filter(|_| attempt <= policy.info_attempts) else {
        return refuse(draft, sale, LOCKED, vec![by_kiosk]);
    };
    let trust = match subject {
        Subject::Card(_) => Some(trust.unwrap_or(CardTrust::Unproven)),
        Subject::Account(_) => None,
    };
    // Before anything is compared: a copied card must not try PINs.
    if let Some(refusal) = copied(trust, &policy) {
        draft.emit(Event::InfoAttempted {
            sale,
            attempt,
            subject: hash,
            trust,
            proof: None,
            challenge: draft.challenge(),
            // Not against the card: whoever copied it must not lock the real one.
            counted: vec![by_kiosk],
        })?;
        return end(draft, sale, refusal, vec![]);
    }
    let (proof, verifier) = match claim(draft, subject, trust)? {
        Some((proof, verifier)) => (Some(proof), Some(verifier)),
        None => (None, None),
    };
    draft.emit(Event::InfoAttempted {
        sale,
        attempt,
        subject: hash,
        trust,
        proof,
        challenge: draft.challenge(),
        counted: vec![by_subject, by_kiosk],
    })?;
    Ok(Outcome::InfoCheck(InfoCheck { attempt, verifier }))
}

/// The rule that refuses a card nobody can tell from a copy, if policy has it.
fn copied(trust: Option<CardTrust>, policy: &Policy) -> Option<RuleRefusal> {
    let facts = Facts {
        card_trust: trust,
        any_card: policy.cards == CardPolicy::Any,
        ..Facts::default()
    };
    rules::judge(Gate::Info, &facts, policy)
}

/// What this card or account would prove, and how to check it.
fn claim(
    draft: &Draft<'_>,
    subject: Subject,
    trust: Option<CardTrust>,
) -> Result<Option<(InfoProven, String)>, Stop> {
    let (number, holder, verifier, card) = match subject {
        Subject::Card(hash) => {
            let Some(card) = facts::card(&draft.books, hash)? else {
                return Ok(None);
            };
            let proven = trust.map(|trust| CardProven {
                expires: card.expires,
                trust,
            });
            (card.account, Some(card.holder), Some(card.pin), proven)
        }
        Subject::Account(hash) => {
            let lookup = key::hashed(Table::AccountLookup, hash);
            let number = draft.books.read(&lookup)?;
            let Some(number) = number.and_then(|n| String::from_utf8(n).ok()) else {
                return Ok(None);
            };
            (number, None, None, None)
        }
    };
    let account: Option<AccountRow> = draft.books.get(&key::text(Table::Account, &number))?;
    let Some(account) = account else {
        return Ok(None);
    };
    let Some(verifier) = verifier.or(account.password) else {
        return Ok(None);
    };
    let proof = InfoProven {
        account: number,
        unit: account.unit,
        holder,
        card,
    };
    Ok(Some((proof, verifier)))
}

/// The check is done: message 1, one attempt less, or the end by a rule.
pub fn settle(
    draft: &mut Draft<'_>,
    sale: SaleId,
    attempt: u32,
    verified: bool,
) -> Result<Outcome, Stop> {
    let row = match draft.command.actor {
        Actor::System => draft.sale(sale)?,
        _ => draft.own_sale(sale)?,
    };
    let row = draft.in_state(row, SaleState::Opened)?;
    let state = row.state;
    let none = Refusal::NoSuchAttempt { attempt, state };
    let Some(Pending::Info {
        attempt: counted,
        subject,
        proof,
    }) = row.pending.clone()
    else {
        return Err(none.into());
    };
    if counted != attempt {
        return Err(none.into());
    }
    let policy = draft.policy()?;
    let access = draft.access()?;
    let by_subject = Counter::of_subject(subject, row.mode, &policy, &access).left(draft)?;
    let attempts_left = policy.info_attempts.saturating_sub(attempt).min(by_subject);
    let Some(proof) = proof.filter(|_| verified) else {
        if attempts_left == 0 {
            return refuse(draft, sale, LOCKED, vec![]);
        }
        let rule = match row.mode {
            PurchaseMode::SettlementCard => CARD_UNKNOWN,
            PurchaseMode::PaymentPassword => PASSWORD_UNKNOWN,
        };
        let refusal = rules::refusal(rule, policy.version);
        draft.emit(Event::InfoFailed { sale, refusal })?;
        return Ok(Outcome::Settled {
            verified: false,
            state: SaleState::Opened,
            attempts_left,
        });
    };
    let facts = facts::of_sale(&draft.books, &row, Some(&proof), draft.command.at)?;
    if let Some(refusal) = rules::judge(Gate::Info, &facts, &policy) {
        return end(draft, sale, refusal, vec![]);
    }
    let cleared = vec![subject_key(subject), kiosk_key(&row.kiosk)];
    draft.emit(Event::InfoVerified {
        sale,
        proof,
        cleared,
    })?;
    Ok(Outcome::Settled {
        verified: true,
        state: SaleState::InfoVerified,
        attempts_left,
    })
}
