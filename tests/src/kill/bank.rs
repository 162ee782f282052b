//! The bank of the killed house: so many branches of one kiosk, one station and one unit,
//! everything drawn from numbers, so that a client knows all that is its own.

use std::str::FromStr;

use anyhow::{Context as _, anyhow};
use counterfoil_backend::core::command::{Actor, Command, CommandBody};
use counterfoil_backend::core::record::bank::{
    AccountRow, AccountState, AgentRow, BankRow, CardPolicy, CardRow, ConfirmPolicy, Duty,
    EnrolledFinger, FeeRow, KeyedHash, KioskRow, Policy, StaffRow, StationRow, UnitRow,
};
use counterfoil_data::bill::{BillKind, BillNumber, BillRange, Serial};
use counterfoil_data::ids::{BranchId, KioskId, SlotId, StaffId};
use counterfoil_data::money::Fen;
use counterfoil_data::sign::SigningIdentity;
use counterfoil_data::unit_code::{self, UnitCode};
use counterfoil_data::wire::Digest;
use counterfoil_data::wire::sale::{FingerPosition, PurchaseMode};
use jiff::Timestamp;
use jiff::civil::{date, time};

/// Forms in a cassette: more than any run sells.
const LOADED: u32 = 8_000;
/// Fee of one form.
pub const FEE: Fen = Fen(60);
/// What every account holds at first.
pub const BALANCE: Fen = Fen(100_000_000_000);

/// 32 bytes out of what they are for and a number.
pub fn drawn(what: &str, number: u64) -> [u8; 32] {
    Digest::of(format!("counterfoil/kill/{what}/{number}").as_bytes()).0
}

fn id<T: FromStr>(text: &str) -> anyhow::Result<T> {
    text.parse().map_err(|_| anyhow!("{text} is no id"))
}

/// A kiosk.
pub fn kiosk(number: u64) -> anyhow::Result<KioskId> {
    id(&format!("kill-kiosk-{number:02}"))
}

fn branch(number: u64) -> anyhow::Result<BranchId> {
    id(&format!("kill-branch-{number:02}"))
}

fn staff(number: u64, duty: &str) -> anyhow::Result<StaffId> {
    id(&format!("kill-{duty}-{number:02}"))
}

fn slot() -> anyhow::Result<SlotId> {
    id("slot-1")
}

/// What a kiosk signs with.
pub fn kiosk_identity(number: u64) -> anyhow::Result<SigningIdentity> {
    let signer = id(&format!("kiosk:kill-kiosk-{number:02}"))?;
    Ok(SigningIdentity::new(&signer, &drawn("kiosk", number)))
}

/// What the station of its branch signs with.
pub fn station_identity(number: u64) -> anyhow::Result<SigningIdentity> {
    let signer = id(&format!("station:kill-station-{number:02}"))?;
    Ok(SigningIdentity::new(&signer, &drawn("station", number)))
}

/// The card of a unit.
pub fn card(unit: u64) -> KeyedHash {
    KeyedHash(drawn("card", unit))
}

/// Its agent, by number of identity card.
pub fn person(unit: u64) -> KeyedHash {
    KeyedHash(drawn("person", unit))
}

/// Its agent, by name.
pub fn name(unit: u64) -> KeyedHash {
    KeyedHash(drawn("name", unit))
}

/// Its account.
pub fn account(unit: u64) -> String {
    format!("998{unit:016}")
}

/// A command with a salt of its own.
pub fn command(at: Timestamp, actor: Actor, body: CommandBody, salt: u64) -> Command {
    Command {
        at,
        salt: drawn("salt", salt),
        actor,
        sequence: None,
        key: None,
        signed: None,
        body,
    }
}

/// Everything that is enrolled before the first sale, and every cassette filled.
pub fn enrolment(kiosks: u64, at: Timestamp) -> anyhow::Result<Vec<Command>> {
    let mut bodies = vec![
        CommandBody::EnrolBank(BankRow {
            name: "断电样例银行".to_owned(),
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
    for number in 0..kiosks {
        people(number, &mut bodies)?;
        customer(number, &mut bodies)?;
        bodies.push(CommandBody::EnrolKiosk(KioskRow {
            id: kiosk(number)?,
            branch: branch(number)?,
            branch_name: "样例支行".to_owned(),
            key: kiosk_identity(number)?.key.verifying_key().to_bytes(),
            modes: vec![PurchaseMode::SettlementCard],
            slots: vec![(slot()?, BillKind::TransferCheque)],
            open_sale: None,
        }));
    }
    let house = bodies.into_iter().map(|body| (Actor::System, body));
    let mut all: Vec<(Actor, CommandBody)> = house.collect();
    for number in 0..kiosks {
        all.extend(filled(number)?);
    }
    let salted = all.into_iter().zip(0_u64..);
    Ok(salted
        .map(|((actor, body), n)| command(at, actor, body, n))
        .collect())
}

fn people(number: u64, bodies: &mut Vec<CommandBody>) -> anyhow::Result<()> {
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
        id: id(&format!("kill-station-{number:02}"))?,
        branch: branch(number)?,
        key: station_identity(number)?.key.verifying_key().to_bytes(),
        officer: staff(number, "officer")?,
    }));
    Ok(())
}

fn filled(number: u64) -> anyhow::Result<[(Actor, CommandBody); 2]> {
    let serial = u32::try_from(number)?
        .saturating_mul(LOADED)
        .saturating_add(1);
    let first = BillNumber {
        prefix: id("31300021")?,
        serial: Serial::from_value(serial).map_err(|_| anyhow!("no serial"))?,
    };
    let range = BillRange::from_count(first, LOADED).map_err(|_| anyhow!("no range"))?;
    let second = staff(number, "custodian-b")?;
    let received = CommandBody::ReceiveBlanks {
        second: second.clone(),
        branch: branch(number)?,
        range,
        count: LOADED,
    };
    let loaded = CommandBody::LoadCassette {
        second,
        kiosk: kiosk(number)?,
        slot: slot()?,
        range,
    };
    let first = Actor::Staff(staff(number, "custodian-a")?);
    Ok([(first.clone(), received), (first, loaded)])
}

fn policy() -> Policy {
    Policy {
        version: 1,
        confirm: ConfirmPolicy::Always,
        confirm_within_s: 600,
        info_attempts: 3,
        identity_attempts: 3,
        kiosk_attempts: 1_000,
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
    let organisation = format!("MC00{number:04}");
    let check = unit_code::organisation_check(&organisation).context("no check")?;
    let body = format!("91100000{organisation}{check}");
    let mut codes = ('0'..='9')
        .chain('A'..='Y')
        .map(|last| format!("{body}{last}"));
    let lawful = codes.find(|code| UnitCode::parse(code).is_ok());
    lawful.context("no credit code")
}

fn customer(number: u64, bodies: &mut Vec<CommandBody>) -> anyhow::Result<()> {
    bodies.push(CommandBody::EnrolUnit(UnitRow {
        id: id(&format!("kill-unit-{number:04}"))?,
        name: format!("样例机械{number:04}有限公司"),
        contact_name: "陈样例".to_owned(),
        contact_phone: format!("010-0000{number:04}"),
        code: code(number)?,
        licence_valid_to: None,
    }));
    let row = AccountRow {
        number: account(number),
        lookup: KeyedHash(drawn("account", number)),
        unit: id(&format!("kill-unit-{number:04}"))?,
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
    bodies.push(CommandBody::EnrolAccount {
        account: row,
        balance: BALANCE,
    });
    bodies.push(CommandBody::EnrolAgent(AgentRow {
        id: id(&format!("kill-agent-{number:04}"))?,
        unit: id(&format!("kill-unit-{number:04}"))?,
        name: "张样例".to_owned(),
        name_masked: "张**".to_owned(),
        identity: person(number),
        name_hash: name(number),
        number_masked: "100000**********13".to_owned(),
        mandate_from: date(2024, 1, 1),
        mandate_to: date(2045, 12, 31),
        forms_per_sale_max: 200,
        forms_per_day_max: u32::MAX,
        fingers: vec![EnrolledFinger {
            position: FingerPosition::RightIndex,
            templates: vec![vec![0; 600]; 3],
        }],
        enrolment: 0,
    }));
    bodies.push(CommandBody::EnrolCard(CardRow {
        lookup: card(number),
        account: account(number),
        holder: id(&format!("kill-agent-{number:04}"))?,
        expires: date(2045, 12, 31),
        pin: "$argon2id$kill".to_owned(),
    }));
    Ok(())
}
