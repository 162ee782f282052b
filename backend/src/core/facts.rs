//! Facts: what rules judge, gathered from the books by point reads (S4).

use counterfoil_data::bill::BillKind;
use counterfoil_data::ids::{KioskId, SlotId};
use counterfoil_data::money::Fen;
use counterfoil_data::wire::sale::OrderItem;
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use super::key::{self, Table};
use super::ledger;
use super::overlay::get;
use super::record::bank::{
    AccountRow, AgentRow, BankRow, BounceRule, CardPolicy, CardRow, CardTrust, FeeRow, KioskRow,
    Policy, UnitRow,
};
use super::record::books::CounterRow;
use super::record::decode;
use super::record::sale::{InfoProven, SaleRow};
use super::record::stock::SlotRow;
use super::record::terms::{CalendarRow, Day, Hours, ListRow, Listed, ListedRow};
use crate::store::{From, Read, StoreError};

/// What is known when a rule is asked; what is not known yet breaks no rule.
#[derive(Debug, Default)]
pub struct Facts {
    /// Business date.
    pub date: Date,
    /// Local time of day.
    pub time: Time,
    /// What the calendar says of the date.
    pub day: Option<Day>,
    /// The unit.
    pub unit: Option<UnitRow>,
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
    /// Forms in one order that one finger is enough for.
    pub second_finger_above: Option<u32>,
    /// A second finger was shown.
    pub second_finger: bool,
    /// Last day of the document shown.
    pub document_valid_to: Option<Date>,
    /// Oldest regulator's list that is good enough, in days, where one is needed.
    pub list_days_max: Option<u32>,
    /// The date of the regulator's list.
    pub list_as_of: Option<Date>,
    /// Who of them stands on it: `unit`, `account` or `agent`.
    pub listed: Option<&'static str>,
    /// How many returned cheques are too many.
    pub bounce: Option<BounceRule>,
    /// What is ordered.
    pub items: Vec<OrderItem>,
    /// Forms this agent bought today.
    pub bought_today: u32,
    /// Forms the account bought today, whoever came.
    pub account_today: u32,
    /// What the account holds, for the fee.
    pub balance: Option<Fen>,
    /// Fee for one form of each kind the slots hold.
    pub fees: Vec<(BillKind, Fen)>,
    /// What the kiosk's unlocked slots hold.
    pub slots: Vec<(SlotId, SlotRow)>,
}

impl Facts {
    /// Days from an earlier date to the business date; negative for a later one.
    pub fn days_since(&self, earlier: Date) -> i64 {
        self.date.duration_since(earlier).as_hours() / 24
    }

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
            let one_finger = self.second_finger_above.filter(|_| agent.fingers.len() < 2);
            let by_finger = one_finger.unwrap_or(u32::MAX);
            agent.forms_per_sale_max.min(today).min(by_finger)
        });
        let account = self.account.as_ref();
        let unused = account.map(|a| a.unused_max.saturating_sub(a.unused));
        let account_day = account.and_then(|a| a.forms_per_day_max);
        let caps = [
            Some(counterfoil_data::wire::sale::SALE_FORMS_MAX),
            stock.or(Some(0)),
            agent,
            unused,
            account_day.map(|max| max.saturating_sub(self.account_today)),
        ];
        caps.into_iter().flatten().min().unwrap_or(0)
    }

    /// What the bank set.
    fn set(&mut self, read: &dyn Read) -> Result<(), StoreError> {
        let policy: Option<Policy> = get(read, &key::single(Table::Policy))?;
        let list: Option<ListRow> = get(read, &key::single(Table::List))?;
        self.list_as_of = list.map(|list| list.as_of);
        if let Some(policy) = policy {
            self.any_card = policy.cards == CardPolicy::Any;
            self.list_days_max = policy.list_days_max;
            self.bounce = policy.bounce;
            self.second_finger_above = policy.second_finger_above;
        }
        Ok(())
    }

    /// Whose account it is, and what it may.
    fn customer(&mut self, read: &dyn Read, info: &InfoProven) -> Result<(), StoreError> {
        self.account = get(read, &key::text(Table::Account, &info.account))?;
        self.unit = get(read, &key::text(Table::Unit, info.unit.as_str()))?;
        self.balance = Some(ledger::balance(read, &info.account)?);
        self.account_today = counter(read, &key::account_day(&info.account, self.date))?;
        let card = info.card.as_ref();
        self.card_expires = card.map(|c| c.expires);
        self.card_trust = card.map(|c| c.trust);
        self.listed = self.on_list(read)?;
        Ok(())
    }

    /// Who buys.
    pub fn buyer(&mut self, read: &dyn Read, agent: AgentRow) -> Result<(), StoreError> {
        self.bought_today = counter(read, &key::agent_day(&agent.id, self.date))?;
        self.agent = Some(agent);
        self.listed = self.on_list(read)?;
        Ok(())
    }

    /// Who of them stands on the regulator's list.
    fn on_list(&self, read: &dyn Read) -> Result<Option<&'static str>, StoreError> {
        let list: Option<ListRow> = get(read, &key::single(Table::List))?;
        let Some(list) = list else { return Ok(None) };
        let unit = self.unit.as_ref().map(|u| Listed::Unit(u.code.clone()));
        let account = self.account.as_ref().map(|a| Listed::Account(a.lookup));
        let agent = self.agent.as_ref().map(|a| Listed::Person(a.identity));
        for (who, listed) in [("unit", unit), ("account", account), ("agent", agent)] {
            let Some(listed) = listed else { continue };
            let entry: Option<ListedRow> = get(read, &key::listed(&listed))?;
            if entry.is_some_and(|entry| entry.number == list.number) {
                return Ok(Some(who));
            }
        }
        Ok(None)
    }

    /// What the kiosk can give, and for how much.
    fn stock(&mut self, read: &dyn Read, kiosk: &KioskId) -> Result<(), StoreError> {
        let kiosk: Option<KioskRow> = get(read, &key::text(Table::Kiosk, kiosk.as_str()))?;
        let Some(kiosk) = kiosk else { return Ok(()) };
        self.slots = open_slots(read, &kiosk)?;
        for (_, slot) in &self.slots {
            let each = fee_each(read, slot.kind, self.date)?;
            self.fees.extend(each.map(|each| (slot.kind, each)));
        }
        Ok(())
    }
}

fn counter(read: &dyn Read, key: &[u8]) -> Result<u32, StoreError> {
    let row: Option<CounterRow> = get(read, key)?;
    let value = row.unwrap_or_default().value;
    Ok(u32::try_from(value).unwrap_or(u32::MAX))
}

/// When the bank sells; without a calendar, its hours on every day.
pub fn calendar(read: &dyn Read, bank: &BankRow) -> Result<CalendarRow, StoreError> {
    let always = CalendarRow::always(Hours {
        opens: bank.opens,
        closes: bank.closes,
    });
    Ok(get(read, &key::single(Table::Calendar))?.unwrap_or(always))
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
    let mut facts = Facts {
        date,
        time,
        day: Some(calendar(read, &bank)?.on(date)),
        second_finger: sale.second_finger.is_some(),
        document_valid_to: sale.identity.as_ref().and_then(|i| i.document.valid_to),
        items: sale
            .order
            .as_ref()
            .map(|o| o.items.clone())
            .unwrap_or_default(),
        ..Facts::default()
    };
    facts.set(read)?;
    let info = sale.info.as_ref().or(proof);
    if let Some(info) = info {
        facts.customer(read, info)?;
    }
    let buyer = sale.identity.as_ref().map(|i| &i.agent);
    let buyer = buyer.or(info.and_then(|i| i.holder.as_ref()));
    if let Some(agent) = buyer
        && let Some(agent) = get(read, &key::text(Table::Agent, agent.as_str()))?
    {
        facts.buyer(read, agent)?;
    }
    facts.stock(read, &sale.kiosk)?;
    Ok(facts)
}

/// The card of a keyed hash.
pub fn card(
    read: &dyn Read,
    hash: super::record::bank::KeyedHash,
) -> Result<Option<CardRow>, StoreError> {
    get(read, &key::hashed(Table::Card, hash))
}
