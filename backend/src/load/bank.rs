//! The synthetic bank of the load: how many of everything, and who is who.

use std::str::FromStr;

use counterfoil_data::bill::{BillKind, BillPrefix};
use counterfoil_data::ids::{BranchId, KioskId, SlotId, StaffId};
use counterfoil_data::money::Fen;
use counterfoil_data::unit_code::{self, UnitCode};
use counterfoil_data::wire::sale::{FingerPosition, PurchaseMode};
use ed25519_dalek::SigningKey;
use jiff::civil::{date, time};

use super::{LoadError, drawn};
use crate::core::command::CommandBody;
use crate::core::key::{self, Table};
use crate::core::overlay::get;
use crate::core::record::bank::{
    AccountRow, AccountState, AgentRow, BankRow, CardPolicy, CardRow, ConfirmPolicy, Duty,
    EnrolledFinger, FeeRow, KeyedHash, KioskRow, Policy, StaffRow, StationRow, UnitRow,
};
use crate::store::{Read, StoreError};

/// Branches, each with two kiosks, a station and four members of staff.
pub const BRANCHES: u64 = 50;
/// Kiosks.
pub const KIOSKS: u64 = 100;
/// Units, each with one account.
pub const ACCOUNTS: u64 = 2_000;
/// Agents, each with a settlement card.
pub const AGENTS: u64 = 4_000;
/// A stride that meets every agent before it meets one again.
const AGENT_STRIDE: u64 = 1_009;
/// Fee of one form.
const FEE: Fen = Fen(60);
/// Name of the bank, before its seed.
const NAME: &str = "增长样例银行";

/// The kiosk of a sale.
pub fn kiosk_of(sale: u64) -> u64 {
    sale.checked_rem(KIOSKS).unwrap_or(0)
}

/// The branch of a kiosk.
pub fn branch_of(kiosk: u64) -> u64 {
    kiosk.checked_rem(BRANCHES).unwrap_or(0)
}

/// The agent of a sale.
pub fn agent_of(sale: u64) -> u64 {
    sale.wrapping_mul(AGENT_STRIDE)
        .checked_rem(AGENTS)
        .unwrap_or(0)
}

/// An id of ours.
pub fn id<T: FromStr>(text: &str) -> Result<T, LoadError> {
    let unlawful = LoadError::Unexpected("an id is unlawful");
    text.parse().map_err(|_| unlawful)
}

/// A kiosk's id.
pub fn kiosk(kiosk: u64) -> Result<KioskId, LoadError> {
    id(&format!("kiosk-{kiosk:03}"))
}

/// A branch's id.
pub fn branch(branch: u64) -> Result<BranchId, LoadError> {
    id(&format!("branch-{branch:02}"))
}

/// Somebody of a branch.
pub fn staff(branch: u64, duty: &str) -> Result<StaffId, LoadError> {
    id(&format!("{duty}-{branch:02}"))
}

/// The slot of a kind.
pub fn slot(kind: BillKind) -> Result<SlotId, LoadError> {
    match kind {
        BillKind::TransferCheque => id("slot-1"),
        _ => id("slot-2"),
    }
}

/// The first row of the numbers of a kind.
pub fn prefix(kind: BillKind) -> Result<BillPrefix, LoadError> {
    id(&format!("313000{}1", kind.digit()))
}

/// A kiosk's key.
pub fn kiosk_key(seed: u64, kiosk: u64) -> SigningKey {
    SigningKey::from_bytes(&drawn(seed, "kiosk", kiosk))
}

/// Keyed hash of an agent's card number.
pub fn card(seed: u64, agent: u64) -> KeyedHash {
    KeyedHash(drawn(seed, "card", agent))
}

/// Keyed hash of an agent's citizen number.
pub fn person(seed: u64, agent: u64) -> KeyedHash {
    KeyedHash(drawn(seed, "person", agent))
}

/// Keyed hash of an agent's name.
pub fn name(seed: u64, agent: u64) -> KeyedHash {
    KeyedHash(drawn(seed, "name", agent))
}

/// The seed that books were filled with; `None` where they are not of a load.
pub fn seed_of(read: &dyn Read) -> Result<Option<u64>, StoreError> {
    let bank: Option<BankRow> = get(read, &key::single(Table::Bank))?;
    let name = bank.map(|bank| bank.name).unwrap_or_default();
    Ok(name.strip_prefix(NAME).and_then(|seed| seed.parse().ok()))
}

/// Everything that is enrolled before the first sale.
pub fn enrolment(seed: u64) -> Result<Vec<CommandBody>, LoadError> {
    let mut bodies = vec![
        CommandBody::EnrolBank(BankRow {
            name: format!("{NAME}{seed}"),
            bank_number: "313000000016".to_owned(),
            time_zone: "Asia/Shanghai".to_owned(),
            opens: time(8, 0, 0, 0),
            closes: time(18, 0, 0, 0),
        }),
        CommandBody::EnrolPolicy(policy()),
    ];
    for kind in [BillKind::TransferCheque, BillKind::CashCheque] {
        bodies.push(CommandBody::EnrolFee(FeeRow {
            kind,
            from: date(2021, 9, 30),
            each: FEE,
        }));
    }
    for number in 0..BRANCHES {
        people(number, &mut bodies)?;
        bodies.push(CommandBody::EnrolStation(StationRow {
            id: id(&format!("station-{number:02}"))?,
            branch: branch(number)?,
            key: drawn(seed, "station", number),
            officer: staff(number, "officer")?,
        }));
    }
    for number in 0..KIOSKS {
        bodies.push(CommandBody::EnrolKiosk(machine(seed, number)?));
    }
    for number in 0..ACCOUNTS {
        customers(seed, number, &mut bodies)?;
    }
    for number in 0..AGENTS {
        buyers(seed, number, &mut bodies)?;
    }
    Ok(bodies)
}

fn policy() -> Policy {
    Policy {
        version: 1,
        confirm: ConfirmPolicy::Always,
        confirm_within_s: 180,
        info_attempts: 3,
        identity_attempts: 3,
        kiosk_attempts: 30,
        lock_s: 86_400,
        finger_locks_s: Vec::new(),
        match_threshold_milli: 4_000,
        second_finger_above: None,
        two_finger_threshold_milli: 5_000,
        sale_within_s: 900,
        quantity_usual: 25,
        cards: CardPolicy::Proven,
        rules_off: Vec::new(),
        list_days_max: None,
        bounce: None,
    }
}

fn people(number: u64, bodies: &mut Vec<CommandBody>) -> Result<(), LoadError> {
    for (name, duty) in [
        ("officer", Duty::Officer),
        ("custodian-a", Duty::Custodian),
        ("custodian-b", Duty::Custodian),
        ("supervisor", Duty::Supervisor),
    ] {
        bodies.push(CommandBody::EnrolStaff(StaffRow {
            id: staff(number, name)?,
            name: "样例".to_owned(),
            branch: branch(number)?,
            duty,
            key: None,
        }));
    }
    Ok(())
}

fn machine(seed: u64, number: u64) -> Result<KioskRow, LoadError> {
    let kinds = [BillKind::TransferCheque, BillKind::CashCheque];
    let slots: Result<Vec<_>, LoadError> = kinds
        .map(|kind| Ok((slot(kind)?, kind)))
        .into_iter()
        .collect();
    Ok(KioskRow {
        id: kiosk(number)?,
        branch: branch(branch_of(number))?,
        branch_name: "样例支行".to_owned(),
        key: kiosk_key(seed, number).verifying_key().to_bytes(),
        modes: vec![PurchaseMode::SettlementCard],
        slots: slots?,
        open_sale: None,
    })
}

fn account(number: u64) -> String {
    format!("313{number:016}")
}

/// A credit code with both of its check characters, as of no unit there is.
fn code(number: u64) -> Result<String, LoadError> {
    let unlawful = LoadError::Unexpected("a credit code is unlawful");
    let organisation = format!("MA00{number:04}");
    let Some(check) = unit_code::organisation_check(&organisation) else {
        return Err(unlawful);
    };
    let body = format!("91100000{organisation}{check}");
    let lasts = ('0'..='9').chain('A'..='Y');
    let mut codes = lasts.map(|last| format!("{body}{last}"));
    codes
        .find(|code| UnitCode::parse(code).is_ok())
        .ok_or(unlawful)
}

fn customers(seed: u64, number: u64, bodies: &mut Vec<CommandBody>) -> Result<(), LoadError> {
    let unit = format!("unit-{number:04}");
    bodies.push(CommandBody::EnrolUnit(UnitRow {
        id: id(&unit)?,
        name: format!("样例机械{number:04}有限公司"),
        contact_name: "陈样例".to_owned(),
        contact_phone: format!("010-0000{number:04}"),
        code: code(number)?,
        licence_valid_to: None,
    }));
    bodies.push(CommandBody::EnrolAccount {
        account: AccountRow {
            number: account(number),
            lookup: KeyedHash(drawn(seed, "account", number)),
            unit: id(&unit)?,
            state: AccountState::Normal,
            kinds: vec![BillKind::TransferCheque, BillKind::CashCheque],
            unused: 0,
            unused_before: 0,
            unused_max: u32::MAX,
            password: None,
            forms_per_day_max: None,
            bounced: Vec::new(),
            sheet: false,
        },
        balance: Fen(1_000_000_000),
    });
    Ok(())
}

fn buyers(seed: u64, number: u64, bodies: &mut Vec<CommandBody>) -> Result<(), LoadError> {
    let unit = number.checked_rem(ACCOUNTS).unwrap_or(0);
    let agent = format!("agent-{number:04}");
    bodies.push(CommandBody::EnrolAgent(AgentRow {
        id: id(&agent)?,
        unit: id(&format!("unit-{unit:04}"))?,
        name: "张样例".to_owned(),
        name_masked: "张**".to_owned(),
        identity: person(seed, number),
        name_hash: name(seed, number),
        number_masked: "100000**********13".to_owned(),
        mandate_from: date(2024, 1, 1),
        mandate_to: date(2045, 12, 31),
        forms_per_sale_max: 50,
        forms_per_day_max: 100,
        // Three impressions of the size the finger engine makes.
        fingers: vec![EnrolledFinger {
            position: FingerPosition::RightIndex,
            templates: vec![vec![0; 600]; 3],
        }],
        enrolment: 0,
    }));
    bodies.push(CommandBody::EnrolCard(CardRow {
        lookup: card(seed, number),
        account: account(unit),
        holder: id(&agent)?,
        expires: date(2045, 12, 31),
        pin: "$argon2id$load".to_owned(),
    }));
    Ok(())
}
