//! Who and what the small bank consists of.

use counterfoil_data::bill::BillKind;
use counterfoil_data::money::Fen;
use counterfoil_data::wire::sale::{FingerPosition, PurchaseMode};

use super::{ACCOUNT, ACCOUNT_NUMBER, CARD, NAME, PERSON, THRESHOLD, id, kiosk_key};
use crate::core::command::CommandBody;
use crate::core::record::bank::{
    AccountRow, AccountState, AgentRow, BankRow, CardPolicy, CardRow, ConfirmPolicy, Duty,
    EnrolledFinger, FeeRow, KeyedHash, KioskRow, Policy, StaffRow, StationRow, UnitRow,
};

/// The credit code of the standard's own example, which is nobody's.
pub const UNIT_CODE: &str = "91350100M000100Y43";

pub fn policy() -> Policy {
    Policy {
        version: 1,
        confirm: ConfirmPolicy::Always,
        confirm_within_s: 180,
        info_attempts: 3,
        identity_attempts: 3,
        kiosk_attempts: 30,
        lock_s: 86_400,
        finger_locks_s: Vec::new(),
        match_threshold_milli: THRESHOLD,
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

pub fn staff(name: &str, duty: Duty) -> CommandBody {
    CommandBody::EnrolStaff(StaffRow {
        id: id(name),
        name: "样例".to_owned(),
        branch: id("branch-1"),
        duty,
        key: None,
    })
}

fn machine(name: &str, key: [u8; 32]) -> CommandBody {
    CommandBody::EnrolKiosk(KioskRow {
        id: id(name),
        branch: id("branch-1"),
        branch_name: "样例支行".to_owned(),
        key,
        modes: vec![PurchaseMode::SettlementCard, PurchaseMode::PaymentPassword],
        slots: vec![
            (id("slot-1"), BillKind::TransferCheque),
            (id("slot-2"), BillKind::CashCheque),
        ],
        open_sale: None,
    })
}

pub fn finger(position: FingerPosition) -> EnrolledFinger {
    EnrolledFinger {
        position,
        templates: vec![vec![1, 2, 3]],
    }
}

pub fn agent() -> AgentRow {
    AgentRow {
        id: id("agent-1"),
        unit: id("unit-1"),
        name: "张样例".to_owned(),
        name_masked: "张**".to_owned(),
        identity: PERSON,
        name_hash: NAME,
        number_masked: "100000**********13".to_owned(),
        mandate_from: jiff::civil::date(2024, 1, 1),
        mandate_to: jiff::civil::date(2045, 12, 31),
        forms_per_sale_max: 50,
        forms_per_day_max: 100,
        fingers: vec![finger(FingerPosition::RightIndex)],
        enrolment: 0,
    }
}

fn fee(kind: BillKind, each: i64) -> CommandBody {
    CommandBody::EnrolFee(FeeRow {
        kind,
        from: jiff::civil::date(2021, 9, 30),
        each: Fen(each),
    })
}

/// An account of the unit.
pub fn account(number: &str, lookup: KeyedHash) -> AccountRow {
    AccountRow {
        number: number.to_owned(),
        lookup,
        unit: id("unit-1"),
        state: AccountState::Normal,
        kinds: vec![BillKind::TransferCheque, BillKind::CashCheque],
        unused: 10,
        unused_before: 0,
        unused_max: 200,
        password: Some("$password".to_owned()),
        forms_per_day_max: None,
        bounced: Vec::new(),
        sheet: false,
    }
}

pub fn enrolment() -> Vec<CommandBody> {
    vec![
        CommandBody::EnrolBank(BankRow {
            name: "样例银行".to_owned(),
            bank_number: "313000000016".to_owned(),
            time_zone: "Asia/Shanghai".to_owned(),
            opens: jiff::civil::time(9, 0, 0, 0),
            closes: jiff::civil::time(17, 0, 0, 0),
        }),
        CommandBody::EnrolPolicy(policy()),
        staff("officer-1", Duty::Officer),
        staff("custodian-a", Duty::Custodian),
        staff("custodian-b", Duty::Custodian),
        staff("supervisor-1", Duty::Supervisor),
        staff("teller-1", Duty::Teller),
        machine("kiosk-1", kiosk_key().verifying_key().to_bytes()),
        machine("kiosk-2", kiosk_key().verifying_key().to_bytes()),
        CommandBody::EnrolStation(StationRow {
            id: id("station-1"),
            branch: id("branch-1"),
            key: [0; 32],
            officer: id("officer-1"),
        }),
        CommandBody::EnrolUnit(UnitRow {
            id: id("unit-1"),
            name: "样例机械有限公司".to_owned(),
            contact_name: "陈样例".to_owned(),
            contact_phone: "010-00000001".to_owned(),
            code: UNIT_CODE.to_owned(),
            licence_valid_to: Some(jiff::civil::date(2045, 12, 31)),
        }),
        CommandBody::EnrolAccount {
            account: account(ACCOUNT_NUMBER, ACCOUNT),
            balance: Fen(1_000_000),
        },
        CommandBody::EnrolAgent(agent()),
        CommandBody::EnrolCard(CardRow {
            lookup: CARD,
            account: ACCOUNT_NUMBER.to_owned(),
            holder: id("agent-1"),
            expires: jiff::civil::date(2045, 12, 31),
            pin: "$pin".to_owned(),
        }),
        fee(BillKind::TransferCheque, 60),
        fee(BillKind::CashCheque, 0),
    ]
}
