//! Facts: what rules judge, gathered from the books by point reads (S4).

use counterfoil_data::bill::BillKind;
use counterfoil_data::ids::SlotId;
use counterfoil_data::money::Fen;
use counterfoil_data::wire::sale::OrderItem;
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use super::key::{self, Table};
use super::ledger;
use super::overlay::get;
use super::record::bank::{
    AccountRow, AgentRow, BankRow, CardPolicy, CardRow, CardTrust, FeeRow, KioskRow, Policy,
};
use super::record::books::CounterRow;
use super::record::decode;
use super::record::sale::{InfoProven, SaleRow};
use super::record::stock::SlotRow;
use crate::store::{From, Read, StoreError};

/// What is known when a rule is asked; what is not known yet breaks no rule.
#[derive(Debug, Default)]
pub struct Facts {
    /// Business date.
    pub date: Date,
    /// Local time of day.
    pub time: Time,
    /// Opening hours.
    pub hours: Option<(Time, Time)>,
    /// The account.
    pub account: Option<AccountRow>,
    /// The card's last day.
    pub card_expires: Option<Date>,
    /// How the card's authenticity is known.
    pub card_trust: Option<CardTrust>,
    /// Policy takes cards that nobody could prove.
    pub any_card: bool,
    /// The buyer, or the card's holder before identity is verified.
    pub agent: Option<AgentRow>,
    /// Last day of the document shown.
    pub document_valid_to: Option<Date>,
    /// What is ordered.
    pub items: Vec<OrderItem>,
    /// Forms this agent bought today.
    pub bought_today: u32,
    /// What the account holds, for the fee.
    pub balance: Option<Fen>,
    /// Fee for one form of each kind the slots hold.
    pub fees: Vec<(BillKind, Fen)>,
    /// What the kiosk's unlocked slots hold.
    pub slots: Vec<(SlotId, SlotRow)>,
}

impl Facts {
    /// Forms ordered.
    pub fn ordered(&self) -> u32 {
        self.items
            .iter()
            .fold(0, |sum: u32, item| sum.saturating_add(item.quantity))
    }

    /// Fee of what is ordered (L3); `None` while a kind has none or it is out of range.
    pub fn fee(&self) -> Option<Fen> {
        self.items.iter().try_fold(Fen::ZERO, |sum, item| {
            let (_, each) = self.fees.iter().find(|(kind, _)| *kind == item.kind)?;
            sum.checked_add(each.checked_mul(item.quantity)?)
        })
    }

    /// The first slot of a kind that can give so many.
    pub fn slot_for(&self, kind: BillKind, quantity: u32) -> Option<&(SlotId, SlotRow)> {
        self.slots
            .iter()
            .find(|(_, slot)| slot.kind == kind && slot.count() >= quantity)
    }

    /// Most of a kind that caps and stock allow now (S6).
    pub fn quantity_max(&self, kind: BillKind) -> u32 {
        let stock = self
            .slots
            .iter()
            .filter(|(_, slot)| slot.kind == kind)
            .map(|(_, slot)| slot.count())
            .max();
        let agent = self.agent.as_ref().map(|agent| {
            let today = agent.forms_per_day_max.saturating_sub(self.bought_today);
            agent.forms_per_sale_max.min(today)
        });
        let unused = self
            .account
            .as_ref()
            .map(|a| a.unused_max.saturating_sub(a.unused));
        let caps = [
            Some(counterfoil_data::wire::sale::SALE_FORMS_MAX),
            stock.or(Some(0)),
            agent,
            unused,
        ];
        caps.into_iter().flatten().min().unwrap_or(0)
    }
}

/// The bank's record.
pub fn bank(read: &dyn Read) -> Result<BankRow, StoreError> {
    get(read, &key::single(Table::Bank))?.ok_or(StoreError::Contradiction("no bank is enrolled"))
}

/// Business date and local time of a moment.
pub fn local(bank: &BankRow, at: Timestamp) -> Result<(Date, Time), StoreError> {
    let zone = TimeZone::get(&bank.time_zone)
        .map_err(|_| StoreError::Contradiction("the bank's time zone is not known"))?;
    let local = at.to_zoned(zone).datetime();
    Ok((local.date(), local.time()))
}

/// Fee for one form of a kind on a day; `None` = not for sale. Zero is normal (I3).
pub fn fee_each(read: &dyn Read, kind: BillKind, date: Date) -> Result<Option<Fen>, StoreError> {
    let mut high = key::fee(kind, date);
    high.push(0);
    let low = key::fee(kind, Date::MIN.max(Date::ZERO));
    let rows = read.range(&low, &high, From::Last, 1)?;
    let Some((_, bytes)) = rows.into_iter().next() else {
        return Ok(None);
    };
    Ok(Some(decode::<FeeRow>(&bytes)?.each))
}

/// Unlocked slots of a kiosk with what they hold, in the kiosk's order.
fn open_slots(read: &dyn Read, kiosk: &KioskRow) -> Result<Vec<(SlotId, SlotRow)>, StoreError> {
    let mut slots = Vec::new();
    for (id, _) in &kiosk.slots {
        let row: Option<SlotRow> = get(read, &key::slot(&kiosk.id, id))?;
        if let Some(row) = row.filter(|r| !r.locked) {
            slots.push((id.clone(), row));
        }
    }
    Ok(slots)
}

/// Everything known about a sale, with fresh data; `proof` stands in before the
/// first gate is passed.
pub fn of_sale(
    read: &dyn Read,
    sale: &SaleRow,
    proof: Option<&InfoProven>,
    at: Timestamp,
) -> Result<Facts, StoreError> {
    let bank = bank(read)?;
    let (date, time) = local(&bank, at)?;
    let info = sale.info.as_ref().or(proof);
    let account = match info {
        Some(info) => get(read, &key::text(Table::Account, &info.account))?,
        None => None,
    };
    let buyer = sale.identity.as_ref().map(|i| &i.agent);
    let buyer = buyer.or(info.and_then(|i| i.holder.as_ref()));
    let agent: Option<AgentRow> = match buyer {
        Some(agent) => get(read, &key::text(Table::Agent, agent.as_str()))?,
        None => None,
    };
    let today: CounterRow = match &agent {
        Some(agent) => get(read, &key::agent_day(&agent.id, date))?.unwrap_or_default(),
        None => CounterRow::default(),
    };
    let kiosk: Option<KioskRow> = get(read, &key::text(Table::Kiosk, sale.kiosk.as_str()))?;
    let slots = match &kiosk {
        Some(kiosk) => open_slots(read, kiosk)?,
        None => Vec::new(),
    };
    let items = sale.order.as_ref().map(|o| o.items.clone());
    let balance = match info {
        Some(info) => Some(ledger::balance(read, &info.account)?),
        None => None,
    };
    let card = info.and_then(|i| i.card.as_ref());
    let policy: Option<Policy> = get(read, &key::single(Table::Policy))?;
    let mut fees = Vec::new();
    for (_, slot) in &slots {
        let each = fee_each(read, slot.kind, date)?;
        fees.extend(each.map(|each| (slot.kind, each)));
    }
    Ok(Facts {
        date,
        time,
        hours: Some((bank.opens, bank.closes)),
        account,
        card_expires: card.map(|c| c.expires),
        card_trust: card.map(|c| c.trust),
        any_card: policy.is_some_and(|p| p.cards == CardPolicy::Any),
        agent,
        document_valid_to: sale.identity.as_ref().and_then(|i| i.document.valid_to),
        items: items.unwrap_or_default(),
        bought_today: u32::try_from(today.value).unwrap_or(u32::MAX),
        balance,
        fees,
        slots,
    })
}

/// The card of a keyed hash.
pub fn card(
    read: &dyn Read,
    hash: super::record::bank::KeyedHash,
) -> Result<Option<CardRow>, StoreError> {
    get(read, &key::hashed(Table::Card, hash))
}
