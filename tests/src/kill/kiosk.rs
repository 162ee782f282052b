//! One kiosk of the killed house, with the officer of its branch: sells for ever, and
//! after every kill compares the house with what it wrote down.

mod check;

use std::net::SocketAddr;
use std::rc::Rc;

use counterfoil_data::bill::BillKind;
use counterfoil_data::ids::SaleId;
use counterfoil_data::seam::{SharedEntropy, random};
use counterfoil_data::tlog::empty_root;
use counterfoil_data::wire::confirm::Decision;
use counterfoil_data::wire::forms::{FormAdvice, FormAdvices, FormEvent, FormState, FormsAnswer};
use counterfoil_data::wire::sale::{
    Abandon, AbandonReason, OpenSale, Order, OrderItem, PurchaseMode, SaleState, SaleView, TreeSeen,
};

use super::bank;
use super::client::{Ask, Client, Heard, Silence};
use super::record::{Sale, Told};
use super::tally::Tally;
use crate::entropy::SeededEntropy;

/// Most forms of one sale.
const FORMS_MAX: u32 = 5;
/// Of so many sales one waits for the gates; the others are cancelled.
const ONE_WAITS_IN: u32 = 5;
/// Of so many linked sales one is broken off before paper moves.
const ONE_IS_ABANDONED_IN: u32 = 8;
/// Answers of earlier sales that are asked for again after each kill.
const EARLIER_AGAIN: usize = 3;

/// Why a kiosk does not go on.
#[derive(Debug)]
pub enum End {
    /// The house fell silent.
    Silent,
    /// It opens no new sale: its disk is nearly full.
    NoRoom,
    /// It did what it must not.
    Wrong(String),
}

impl From<Silence> for End {
    fn from(_: Silence) -> Self {
        Self::Silent
    }
}

impl From<anyhow::Error> for End {
    fn from(error: anyhow::Error) -> Self {
        Self::Wrong(format!("{error:#}"))
    }
}

fn wrong<T>(what: impl Into<String>) -> Result<T, End> {
    Err(End::Wrong(what.into()))
}

/// A kiosk and its record.
pub struct Kiosk {
    /// Which.
    pub number: u64,
    /// Everything it ever sold or tried to.
    pub sales: Vec<Sale>,
    /// The largest evidence log it saw.
    pub seen: TreeSeen,
    /// Sent, and not answered; what it is about is the last sale.
    pending: Option<Ask>,
    /// Number of the last command that was answered.
    acked: u64,
    client: Client,
    station: Client,
    entropy: SharedEntropy,
    tally: Rc<Tally>,
}

impl Kiosk {
    /// One that sold nothing yet.
    pub fn new(number: u64, seed: u64, tally: Rc<Tally>) -> anyhow::Result<Self> {
        let entropy = SeededEntropy::stream(seed, &format!("kiosk-{number}"));
        Ok(Self {
            number,
            sales: Vec::new(),
            seen: TreeSeen {
                size: 0,
                root: empty_root(),
            },
            pending: None,
            acked: 0,
            client: Client::new(bank::kiosk_identity(number)?, entropy.clone()),
            station: Client::new(bank::station_identity(number)?, entropy.clone()),
            entropy,
            tally,
        })
    }

    /// Where the house is from now on.
    pub fn turn_to(&mut self, address: SocketAddr) {
        self.client.turn_to(address);
        self.station.turn_to(address);
    }

    /// The sale that waits for the gates; nothing of it is under way.
    pub fn waiting(&self) -> Option<SaleId> {
        let last = self.sales.last().filter(|_| self.pending.is_none())?;
        let waiting = last.state == Some(SaleState::Opened) && waits(last.id);
        waiting.then_some(last.id)
    }

    /// The sale that is not over, for all the kiosk knows.
    fn current(&self) -> Option<SaleId> {
        let sale = self.sales.last().filter(|sale| !sale.is_over());
        sale.map(|sale| sale.id)
    }

    /// Its sale went on without it.
    pub fn went_on(&mut self) {
        if let Some(sale) = self.sales.last_mut() {
            sale.last = None;
        }
    }

    /// Lets go of its connections.
    pub fn hang_up(&mut self) {
        self.client.hang_up();
        self.station.hang_up();
    }

    /// Whether the house answers at all.
    pub async fn knock(&mut self) -> bool {
        let heard = self.client.ask(&Ask::get("/v1/kiosk".to_owned())).await;
        heard.is_ok_and(|heard| heard.status == 200)
    }

    /// Sells until the house falls silent.
    pub async fn live(&mut self) -> Result<(), End> {
        loop {
            self.step().await?;
        }
    }

    /// Sells until no new sale is opened, or the one there is waits for the gates.
    pub async fn drain(&mut self) -> Result<(), End> {
        while self.waiting().is_none() {
            match self.step().await {
                Err(End::NoRoom) => return Ok(()),
                other => other?,
            }
        }
        Ok(())
    }

    /// Sells until its sale is linked and paper moves, or waits for the gates.
    pub async fn begin(&mut self) -> Result<(), End> {
        let under_way = |kiosk: &Self| {
            let state = kiosk.sales.last().and_then(|sale| sale.state);
            kiosk.waiting().is_some() || state == Some(SaleState::Dispensing)
        };
        while !under_way(self) {
            self.step().await?;
        }
        Ok(())
    }

    async fn step(&mut self) -> Result<(), End> {
        if self.current().is_none() {
            return self.open().await;
        }
        let view = self.view().await?;
        let Some(sale) = self.sales.last() else {
            return wrong("no sale");
        };
        let (path, id) = (sale.path(), sale.id);
        let key = |act: &str| format!("{act}-{id}");
        let nothing = serde_json::json!({});
        match view.state {
            SaleState::Opened if waits(id) => self.look_about().await,
            SaleState::Opened => {
                let ask = Ask::post(format!("{path}/cancel"), &nothing)?.keyed(key("cancel"));
                self.send(ask).await
            }
            SaleState::IdentityVerified => {
                let items = vec![OrderItem {
                    kind: BillKind::TransferCheque,
                    quantity: sale.quantity,
                }];
                self.send(Ask::post(format!("{path}/order"), &Order { items })?)
                    .await
            }
            SaleState::AwaitConfirm => self.officer(&view).await,
            SaleState::Confirmed => {
                let ask = Ask::post(format!("{path}/link"), &nothing)?.keyed(key("link"));
                self.send(ask).await
            }
            SaleState::Linked if one_in(id, ONE_IS_ABANDONED_IN) => {
                let abandon = Abandon {
                    reason: AbandonReason::PrinterFault,
                    sheet: None,
                };
                let ask = Ask::post(format!("{path}/abandon"), &abandon)?.keyed(key("abandon"));
                self.send(ask).await
            }
            SaleState::Linked | SaleState::Dispensing => match next(&view) {
                Some(advices) => {
                    let ask = Ask::post(format!("{path}/forms"), &FormAdvices { advices })?;
                    self.send(ask).await
                }
                None => {
                    let ask = Ask::post(format!("{path}/close"), &nothing)?.keyed(key("close"));
                    self.send(ask).await
                }
            },
            other => wrong(format!("sale {id} is {other:?}")),
        }
    }

    async fn open(&mut self) -> Result<(), End> {
        let sale = SaleId(u128::from_be_bytes(random(&*self.entropy)));
        let face = u32::from_be_bytes(random(&*self.entropy));
        let quantity = face.checked_rem(FORMS_MAX).unwrap_or(0).saturating_add(1);
        self.sales.push(Sale::new(sale, quantity));
        let open = OpenSale {
            sale,
            mode: PurchaseMode::SettlementCard,
            seen: Some(self.seen).filter(|seen| seen.size > 0),
        };
        self.send(Ask::post("/v1/sales".to_owned(), &open)?).await
    }

    /// The sale as it is; asked for only where something was done to it.
    async fn view(&mut self) -> Result<SaleView, End> {
        let Some(sale) = self.sales.last_mut() else {
            return wrong("no sale");
        };
        if let Some(body) = &sale.last {
            let view = serde_json::from_slice(body);
            return view.or_else(|_| wrong("a view that cannot be read again"));
        }
        let heard = self.client.ask(&Ask::get(sale.path())).await?;
        if heard.status != 200 {
            return wrong(format!("sale {}: {}", sale.id, heard.text()));
        }
        let view: SaleView = heard.json()?;
        if let Some(what) = sale.contradicts(&view) {
            return wrong(format!("sale {}: {what}", sale.id));
        }
        sale.hear(&view, &heard.body);
        Ok(view)
    }

    /// The officer opens what is shown, then confirms it.
    async fn officer(&mut self, view: &SaleView) -> Result<(), End> {
        let Some(order) = &view.order else {
            return wrong("an order is missing");
        };
        let verb = if order.seen { "confirm" } else { "seen" };
        let decision = Decision {
            digest: Some(order.digest),
            note: None,
        };
        let path = format!("/v1/confirmations/{}/{verb}", view.sale);
        if let Some(sale) = self.sales.last_mut() {
            sale.last = None;
        }
        let heard = self.station.ask(&Ask::post(path, &decision)?).await?;
        if heard.status != 200 {
            return wrong(format!("{verb}: {}", heard.text()));
        }
        self.tally
            .answered
            .set(self.tally.answered.get().saturating_add(1));
        if let Some(sale) = self.sales.last_mut().filter(|_| verb == "confirm") {
            sale.state = Some(SaleState::Confirmed);
        }
        Ok(())
    }

    /// Sends an act and writes its answer down; without one it stays pending.
    async fn send(&mut self, ask: Ask) -> Result<(), End> {
        self.pending = Some(ask.clone());
        let heard = self.client.ask(&ask).await?;
        self.hear(ask, &heard)
    }

    fn hear(&mut self, ask: Ask, heard: &Heard) -> Result<(), End> {
        self.pending = None;
        if ask.path == "/v1/sales" && heard.status == 503 && heard.text().contains("storage-low") {
            self.sales.pop();
            return Err(End::NoRoom);
        }
        if heard.status != 200 {
            return wrong(format!("{}: {}", ask.path, heard.text()));
        }
        self.acked = self.client.sequence();
        self.tally
            .answered
            .set(self.tally.answered.get().saturating_add(1));
        let Some(sale) = self.sales.last_mut() else {
            return wrong("no sale");
        };
        if ask.path.ends_with("/forms") {
            let answer: FormsAnswer = heard.json()?;
            sale.last = None;
            let forms = answer.forms.iter();
            sale.forms = forms.map(|form| (form.number, form.state)).collect();
            return Ok(());
        }
        let view: SaleView = heard.json()?;
        if let Some(what) = sale.contradicts(&view) {
            return wrong(format!("sale {}: {what}", sale.id));
        }
        sale.hear(&view, &heard.body);
        let (id, act) = (sale.id, ask.path.rsplit('/').next().unwrap_or_default());
        let twice = match act {
            "link" => self.tally.sold(id, sale.forms.keys()),
            "abandon" => self.tally.released(sale.forms.keys()),
            _ => None,
        };
        if act == "close" {
            self.tally
                .closed
                .set(self.tally.closed.get().saturating_add(1));
        }
        if ask.key.is_some() {
            let body = heard.body.clone();
            sale.told.push(Told { ask, body });
        }
        match twice {
            Some(other) => wrong(format!("sale {id} has numbers of sale {other}")),
            None => Ok(()),
        }
    }
}

/// Whether a sale waits for the gates.
fn waits(sale: SaleId) -> bool {
    one_in(sale, ONE_WAITS_IN)
}

/// The same answer for the same sale, whenever it is asked.
fn one_in(sale: SaleId, chances: u32) -> bool {
    sale.0.checked_rem(u128::from(chances)) == Some(0)
}

/// What happens to paper next: the outcome of one form goes with the feeding of the next;
/// the bundle is presented and taken as a whole.
fn next(view: &SaleView) -> Option<Vec<FormAdvice>> {
    let in_state = |state: FormState| {
        let forms = view.forms.iter().filter(move |form| form.state == state);
        forms.map(|form| form.number)
    };
    let advice = |number, event| FormAdvice { number, event };
    let printed = || FormEvent::Printed {
        evidence: "0a1b2c3d4e5f6071".to_owned(),
    };
    let fed = in_state(FormState::Feeding).map(|number| advice(number, printed()));
    let waits = in_state(FormState::Assigned).map(|number| advice(number, FormEvent::Feeding));
    let feeds: Vec<FormAdvice> = fed.chain(waits.take(1)).collect();
    if !feeds.is_empty() {
        return Some(feeds);
    }
    for (state, event) in [
        (FormState::Printed, FormEvent::Presented),
        (FormState::Presented, FormEvent::Taken),
    ] {
        let all: Vec<FormAdvice> = in_state(state)
            .map(|number| advice(number, event.clone()))
            .collect();
        if !all.is_empty() {
            return Some(all);
        }
    }
    None
}
