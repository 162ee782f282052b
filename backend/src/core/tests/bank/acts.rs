//! What happens to forms, and what people do, in short.

use counterfoil_data::bill::{BillKind, BillRange};
use counterfoil_data::ids::SaleId;
use counterfoil_data::wire::Digest;
use counterfoil_data::wire::forms::FormEvent;
use counterfoil_data::wire::sale::{AbandonReason, OrderItem};

use super::id;
use crate::core::command::{ClientKey, CommandBody};

pub fn printed() -> FormEvent {
    FormEvent::Printed {
        evidence: "00".to_owned(),
    }
}

pub fn failed() -> FormEvent {
    FormEvent::Failed {
        ink: false,
        reason: "mediaJammed".to_owned(),
    }
}

pub fn no_outcome() -> FormEvent {
    FormEvent::NoOutcome {
        reason: "restarted".to_owned(),
    }
}

pub fn transfer(quantity: u32) -> OrderItem {
    OrderItem {
        kind: BillKind::TransferCheque,
        quantity,
    }
}

pub fn key(key: &str) -> ClientKey {
    ClientKey {
        key: key.to_owned(),
        request: Digest::of(b"request"),
    }
}

/// Linked processing of an account without a password sheet.
pub fn link(sale: SaleId) -> CommandBody {
    let passwords = Vec::new();
    CommandBody::Link { sale, passwords }
}

/// The receipt; of the sheet nothing is said.
pub fn close(sale: SaleId) -> CommandBody {
    let sheet = None;
    CommandBody::Close { sale, sheet }
}

/// Broken off; of the sheet nothing is said.
pub fn abandon(sale: SaleId, reason: AbandonReason) -> CommandBody {
    let sheet = None;
    CommandBody::Abandon {
        sale,
        reason,
        sheet,
    }
}

pub fn is_keyed(body: &CommandBody) -> bool {
    matches!(
        body,
        CommandBody::Link { .. }
            | CommandBody::Close { .. }
            | CommandBody::Cancel { .. }
            | CommandBody::Abandon { .. }
            | CommandBody::ProposeCustody { .. }
    )
}

pub fn receive(range: BillRange) -> CommandBody {
    CommandBody::ReceiveBlanks {
        second: id("custodian-b"),
        branch: id("branch-1"),
        range,
        count: range.count(),
    }
}

pub fn load(slot: &str, range: BillRange) -> CommandBody {
    CommandBody::LoadCassette {
        second: id("custodian-b"),
        kiosk: id("kiosk-1"),
        slot: id(slot),
        range,
    }
}
