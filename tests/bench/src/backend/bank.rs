//! The bank that is measured: 1,024 kiosks of 256 branches, everything drawn from numbers.

use std::str::FromStr;

use anyhow::{Context as _, anyhow};
use counterfoil_backend::core::command::{Actor, Command, CommandBody};
use counterfoil_backend::core::record::bank::{
    AccountRow, AccountState, AgentRow, BankRow, CardPolicy, CardRow, ConfirmPolicy, Duty,
    EnrolledFinger, FeeRow, KeyedHash, KioskRow, Policy, StaffRow, StationRow, UnitRow,
};
use counterfoil_data::bill::{BillKind, BillNumber, BillRange, Serial};
use counterfoil_data::ids::{AgentId, BranchId, KioskId, SlotId, StaffId, UnitId};
use counterfoil_data::money::Fen;
use counterfoil_data::sign::SigningIdentity;
use counterfoil_data::unit_code::{self, UnitCode};
use counterfoil_data::wire::sale::{FingerPosition, PurchaseMode};
use jiff::Timestamp;
use jiff::civil::{date, time};
use sha2::Digest as _;

/// Kiosks, each with one sale at a time.
pub const KIOSKS: u64 = 1_024;
/// Branches, each with four kiosks and a confirming officer.
pub const BRANCHES: u64 = 256;
/// Units, each with an account, an agent and a card; a sale's is its number's.
pub const UNITS: u64 = 4_096;
/// Forms in a cassette.
const LOADED: u32 = 8_000;
/// Fee of one form.
pub const FEE: Fen = Fen(60);

/// 32 bytes out of what they are for and a number.
pub fn drawn(what: &str, number: u64) -> [u8; 32] {
    let hash = sha2::Sha256::new().chain_update(b"counterfoil/bench/");
    let hash = hash.chain_update(what).chain_update(number.to_be_bytes());
    hash.finalize().into()
}

pub fn id<T: FromStr>(text: &str) -> anyhow::Result<T> {
    text.parse().map_err(|_| anyhow!("{text} is no id"))
}

pub fn branch_of(kiosk: u64) -> u64 {
    kiosk % BRANCHES
}

pub fn kiosk(number: u64) -> anyhow::Result<KioskId> {
    id(&format!("bench-kiosk-{number:04}"))
}

pub fn branch(number: u64) -> anyhow::Result<BranchId> {
    id(&format!("bench-branch-{number:03}"))
}

pub fn staff(branch: u64, duty: &str) -> anyhow::Result<StaffId> {
    id(&format!("bench-{duty}-{branch:03}"))
}

pub fn slot() -> anyhow::Result<SlotId> {
    id("slot-1")
}

/// The key a kiosk signs with.
pub fn identity(number: u64) -> anyhow::Result<SigningIdentity> {
    let signer = id(&format!("kiosk:bench-kiosk-{number:04}"))?;
    Ok(SigningIdentity::new(&signer, &drawn("kiosk", number)))
}

pub fn signing_key(number: u64) -> ed25519_dalek::SigningKey {
    ed25519_dalek::SigningKey::from_bytes(&drawn("kiosk", number))
}

pub fn card(unit: u64) -> KeyedHash {
    KeyedHash(drawn("card", unit))
}

pub fn person(unit: u64) -> KeyedHash {
    KeyedHash(drawn("person", unit))
}

pub fn name(unit: u64) -> KeyedHash {
    KeyedHash(drawn("name", unit))
}

pub fn account(unit: u64) -> String {
    format!("999{unit:016}")
}

/// Everything that is enrolled before the first sale, and every cassette filled.
pub fn enrolment(at: Timestamp) -> anyhow::Result<Vec<Command>> {
    let mut bodies = vec![
        CommandBody::EnrolBank(BankRow {
            name: "测量样例银行".to_owned(),
            bank_number: "313000000016".to_owned(),
            time_zone: "Asia/Shanghai".to_owned(),
            opens: time(0, 0, 0, 0),
            closes: time(23, 59, 59, 0),
        }),
        CommandBody::EnrolPolicy(policy()),
        CommandBody::EnrolFee(FeeRow {
            kind: BillKind::TransferCheque,
            from: date(2021, 9, 30),
            each: FEE,
        }),
    ];
    for number in 0..BRANCHES {
        for (name, duty) in [
            ("officer", Duty::Officer),
            ("custodian-a", Duty::Custodian),
            ("custodian-b", Duty::Custodian),
        ] {
            bodies.push(CommandBody::EnrolStaff(StaffRow {
                id: staff(number, name)?,
                name: "样例".to_owned(),
                branch: branch(number)?,
                duty,
                key: None,
            }));
        }
        bodies.push(CommandBody::EnrolStation(StationRow {
            id: id(&format!("bench-station-{number:03}"))?,
            branch: branch(number)?,
            key: drawn("station", number),
            officer: staff(number, "officer")?,
        }));
    }
    for number in 0..UNITS {
        customer(number, &mut bodies)?;
    }
    for number in 0..KIOSKS {
        bodies.push(CommandBody::EnrolKiosk(KioskRow {
            id: kiosk(number)?,
            branch: branch(branch_of(number))?,
            branch_name: "样例支行".to_owned(),
            key: signing_key(number).verifying_key().to_bytes(),
            modes: vec![PurchaseMode::SettlementCard],
            slots: vec![(slot()?, BillKind::TransferCheque)],
            open_sale: None,
        }));
    }
    let house = bodies.into_iter().map(|body| (Actor::System, body));
    let mut all: Vec<(Actor, CommandBody)> = house.collect();
    for number in 0..KIOSKS {
        all.extend(filled(number)?);
    }
    let salted = all.into_iter().zip(0_u64..);
    Ok(salted
        .map(|((actor, body), n)| command(at, actor, body, n))
        .collect())
}

/// A command with a salt of its own.
pub fn command(at: Timestamp, actor: Actor, body: CommandBody, salt: u64) -> Command {
    Command {
        at,
        salt: drawn("salt", salt),
        actor,
        sequence: None,
        key: None,
        body,
    }
}

fn filled(number: u64) -> anyhow::Result<[(Actor, CommandBody); 2]> {
    let branch_number = branch_of(number);
    let serial = u32::try_from(number)? * LOADED + 1;
    let first = BillNumber {
        prefix: id("31300021")?,
        serial: Serial::from_value(serial).map_err(|_| anyhow!("no serial"))?,
    };
    let range = BillRange::from_count(first, LOADED).map_err(|_| anyhow!("no range"))?;
    let second = staff(branch_number, "custodian-b")?;
    let received = CommandBody::ReceiveBlanks {
        second: second.clone(),
        branch: branch(branch_number)?,
        range,
        count: LOADED,
    };
    let loaded = CommandBody::LoadCassette {
        second,
        kiosk: kiosk(number)?,
        slot: slot()?,
        range,
    };
    let first = Actor::Staff(staff(branch_number, "custodian-a")?);
    Ok([(first.clone(), received), (first, loaded)])
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

/// A credit code with both of its check characters, as of no unit there is.
fn code(number: u64) -> anyhow::Result<String> {
    let organisation = format!("MB00{number:04}");
    let check = unit_code::organisation_check(&organisation).context("no check")?;
    let body = format!("91100000{organisation}{check}");
    let mut codes = ('0'..='9').chain('A'..='Y').map(|last| format!("{body}{last}"));
    let lawful = codes.find(|code| UnitCode::parse(code).is_ok());
    lawful.context("no credit code")
}

fn customer(number: u64, bodies: &mut Vec<CommandBody>) -> anyhow::Result<()> {
    let unit: UnitId = id(&format!("bench-unit-{number:04}"))?;
    let agent: AgentId = id(&format!("bench-agent-{number:04}"))?;
    bodies.push(CommandBody::EnrolUnit(UnitRow {
        id: unit.clone(),
        name: format!("样例机械{number:04}有限公司"),
        contact_name: "陈样例".to_owned(),
        contact_phone: format!("010-0000{number:04}"),
        code: code(number)?,
        licence_valid_to: None,
    }));
    let row = AccountRow {
        number: account(number),
        lookup: KeyedHash(drawn("account", number)),
        unit: unit.clone(),
        state: AccountState::Normal,
        kinds: vec![BillKind::TransferCheque],
        unused: 0,
        unused_before: 0,
        unused_max: u32::MAX,
        password: None,
        forms_per_day_max: None,
        bounced: Vec::new(),
        sheet: false,
    };
    let balance = Fen(100_000_000_000);
    bodies.push(CommandBody::EnrolAccount {
        account: row,
        balance,
    });
    bodies.push(CommandBody::EnrolAgent(AgentRow {
        id: agent.clone(),
        unit,
        name: "张样例".to_owned(),
        name_masked: "张**".to_owned(),
        identity: person(number),
        name_hash: name(number),
        number_masked: "100000**********13".to_owned(),
        mandate_from: date(2024, 1, 1),
        mandate_to: date(2045, 12, 31),
        forms_per_sale_max: 200,
        forms_per_day_max: u32::MAX,
        // Three impressions of the size the finger engine makes.
        fingers: vec![EnrolledFinger {
            position: FingerPosition::RightIndex,
            templates: vec![vec![0; 600]; 3],
        }],
        enrolment: 0,
    }));
    bodies.push(CommandBody::EnrolCard(CardRow {
        lookup: card(number),
        account: account(number),
        holder: agent,
        expires: date(2045, 12, 31),
        pin: "$argon2id$bench".to_owned(),
    }));
    Ok(())
}
