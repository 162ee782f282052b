//! Clients of a house, and what they were told: the judge's own record.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::OnceLock;

use bytes::Bytes;
use counterfoil_data::ids::SaleId;
use counterfoil_data::tlog::note::{NoteKey, open_checkpoint};
use counterfoil_data::wire::Digest;
use counterfoil_data::wire::confirm::{ConfirmState, ConfirmationView, Decision};
use counterfoil_data::wire::forms::{FormAdvice, FormAdvices, FormEvent, FormState};
use counterfoil_data::wire::sale::{OpenSale, PurchaseMode, SaleState, SaleView};
use counterfoil_finger::Image;
use counterfoil_finger::synth::{Contact, Finger};
use jiff::Timestamp;

use super::super::bed::{Bed, Books, ORIGIN, ZHANG};
use super::super::client::{Ask, Client, Heard, order, path};
use super::books::State;
use super::disk::Disk;
use super::trace::Copying;
use crate::keys::Keys;

/// The kiosk that sells.
pub const HERE: &str = "kiosk-1";
/// Touches that the engine accepts: one of the trace, two of whoever goes on.
const CONTACTS: [u64; 3] = [41, 42, 77];
/// Forms in a sale.
const QUANTITY: u32 = 2;

/// One request and its answer.
#[derive(Clone)]
pub struct Told {
    /// Things done to the disk when it was sent, and when the answer was heard.
    pub sent: usize,
    pub heard: usize,
    /// The newest state of the books when the answer was heard.
    pub state: usize,
    /// The house's time then.
    pub at: Timestamp,
    pub who: &'static str,
    pub ask: Ask,
    pub status: u16,
    pub body: Bytes,
}

impl Told {
    /// The view of a sale, if it is one.
    pub fn view(&self) -> Option<SaleView> {
        serde_json::from_slice(&self.body)
            .ok()
            .filter(|_| self.status == 200)
    }
}

/// The head of the evidence log as a client was given it.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    pub heard: usize,
    pub size: u64,
    pub root: Digest,
}

/// What is known below the house, for a house that is recorded.
#[derive(Clone, Default)]
pub struct Below {
    pub disk: Disk,
    pub states: Rc<RefCell<Vec<State>>>,
}

/// A house and everybody who calls it.
pub struct Front<S: Books> {
    pub bed: Bed<S>,
    below: Below,
    clients: RefCell<BTreeMap<&'static str, Rc<Client>>>,
    sequence: Cell<u64>,
    pub told: RefCell<Vec<Told>>,
    pub marks: RefCell<Vec<Mark>>,
    pub copying: RefCell<Option<Copying>>,
    touch: Cell<usize>,
}

impl<S: Books> Front<S> {
    /// Request numbers begin above `sequence`, touches of the glass with the `touch`th.
    pub fn new(bed: Bed<S>, below: Below, sequence: u64, touch: usize) -> Self {
        Self {
            bed,
            below,
            clients: RefCell::default(),
            sequence: Cell::new(sequence),
            told: RefCell::default(),
            marks: RefCell::default(),
            copying: RefCell::default(),
            touch: Cell::new(touch),
        }
    }

    /// Whose connection; dialled when it is needed.
    pub async fn client(&self, who: &'static str) -> Rc<Client> {
        if let Some(client) = self.clients.borrow().get(who) {
            return Rc::clone(client);
        }
        let client = match who {
            "station-1" => self.bed.station().await,
            kiosk if kiosk.starts_with("kiosk") => self.bed.kiosk(kiosk).await,
            staff => self.bed.staff(staff).await,
        };
        let client = Rc::new(client);
        self.clients.borrow_mut().insert(who, Rc::clone(&client));
        client
    }

    fn now(&self) -> (usize, usize) {
        let states = self.below.states.borrow().len();
        (self.below.disk.done(), states.saturating_sub(1))
    }

    /// Asks, and notes the answer.
    pub async fn ask(&self, who: &'static str, ask: Ask) -> Heard {
        let client = self.client(who).await;
        // One counter for all, so that it survives a connection.
        self.sequence.set(self.sequence.get() + 1);
        client.sequence.set(self.sequence.get());
        let (sent, _) = self.now();
        let heard = client.ask(&ask).await;
        if heard.status >= 500 || heard.header("connection") == "close" {
            self.clients.borrow_mut().remove(who);
        }
        let (done, state) = self.now();
        self.told.borrow_mut().push(Told {
            sent,
            heard: done,
            state,
            at: self.bed.clock.now(),
            who,
            ask,
            status: heard.status,
            body: heard.body.clone(),
        });
        if let Some(copying) = &mut *self.copying.borrow_mut() {
            copying.page();
        }
        heard
    }

    /// Has the head of the evidence log shown, and keeps it.
    pub async fn mark(&self, who: &'static str) {
        let heard = self.ask(who, Ask::get("/v1/evidence/checkpoint")).await;
        if heard.status != 200 {
            return;
        }
        let note = String::from_utf8(heard.body.to_vec()).expect("text");
        let key = Keys::demo().evidence.verifying_key();
        let (name, key) = (ORIGIN, &key);
        let (size, root) = open_checkpoint(&note, NoteKey { name, key }).expect("signed");
        let (heard, _) = self.now();
        let mark = Mark { heard, size, root };
        self.marks.borrow_mut().push(mark);
    }

    /// Asks something that moves a sale, and gives its view.
    pub async fn step(&self, who: &'static str, ask: Ask) -> Result<SaleView, Heard> {
        let heard = self.ask(who, ask).await;
        self.mark(who).await;
        match heard.status {
            200 => Ok(heard.ok()),
            _ => Err(heard),
        }
    }

    /// A sale as it is.
    pub async fn view(&self, sale: SaleId) -> Result<SaleView, Heard> {
        let heard = self.ask(HERE, Ask::get(&format!("/v1/sales/{sale}"))).await;
        match heard.status {
            200 => Ok(heard.ok()),
            _ => Err(heard),
        }
    }

    /// Opens a sale.
    pub async fn open(
        &self,
        who: &'static str,
        sale: u128,
        mode: PurchaseMode,
    ) -> Result<SaleView, Heard> {
        let sale = SaleId(sale);
        let open = Ask::post(
            "/v1/sales",
            &OpenSale {
                sale,
                mode,
                seen: None,
            },
        );
        self.step(who, open).await
    }

    /// The next thing that brings a sale by card nearer to its receipt.
    pub async fn onward(&self, view: &SaleView) -> Result<SaleView, Heard> {
        match view.state {
            SaleState::Opened => self.info(view, "zhang-pin").await,
            SaleState::InfoVerified => {
                let nth = self.touch.replace(self.touch.get() + 1);
                let (key, touch) = (Keys::demo().seal, touch(&self.bed, nth));
                let body = self.bed.identity_with(view, &key, &ZHANG, touch);
                self.step(HERE, Ask::octets(&path(view, "identity"), body))
                    .await
            }
            SaleState::IdentityVerified | SaleState::Ordered => {
                self.step(HERE, Ask::post(&path(view, "order"), &order(QUANTITY)))
                    .await
            }
            SaleState::AwaitConfirm => {
                self.officer(view).await?;
                self.view(view.sale).await
            }
            SaleState::Confirmed => self.step(HERE, keyed(view, "link")).await,
            SaleState::Linked | SaleState::Dispensing => match unsettled(view) {
                Some(advices) => {
                    let heard = self.ask(HERE, forms(view, advices)).await;
                    self.mark(HERE).await;
                    if heard.status != 200 {
                        return Err(heard);
                    }
                    self.view(view.sale).await
                }
                None => self.step(HERE, keyed(view, "close")).await,
            },
            _ => Ok(view.clone()),
        }
    }

    /// The first gate with Zhang's card and this PIN.
    pub async fn info(&self, view: &SaleView, pin: &str) -> Result<SaleView, Heard> {
        let key = Keys::demo().seal;
        let info = self.bed.card_info(view, &key, "zhang-card", pin);
        self.step(HERE, Ask::post(&path(view, "info"), &info)).await
    }

    /// The officer looks, then confirms.
    async fn officer(&self, view: &SaleView) -> Result<(), Heard> {
        let heard = self.ask("station-1", Ask::get("/v1/confirmations")).await;
        if heard.status != 200 {
            return Err(heard);
        }
        let shown: Vec<ConfirmationView> = heard.ok();
        let shown = shown.iter().find(|c| c.sale == view.sale).expect("shown");
        let verb = match shown.state {
            ConfirmState::Seen => "confirm",
            _ => "seen",
        };
        let decision = Decision {
            digest: shown.purchase.as_ref().map(|p| p.digest),
            note: None,
        };
        let path = format!("/v1/confirmations/{}/{verb}", view.sale);
        let heard = self.ask("station-1", Ask::post(&path, &decision)).await;
        self.mark(HERE).await;
        match heard.status {
            200 => Ok(()),
            _ => Err(heard),
        }
    }

    /// On and on to the end of a sale.
    pub async fn to_the_end(&self, mut view: SaleView) -> Result<SaleView, Heard> {
        while !view.state.is_over() {
            view = self.onward(&view).await?;
        }
        Ok(view)
    }
}

/// A keyed act on a sale; the key is the act and the sale.
pub fn keyed(view: &SaleView, act: &str) -> Ask {
    let empty = serde_json::json!({});
    Ask::post(&path(view, act), &empty).keyed(&format!("{act}-{}", view.sale))
}

/// What happened to paper.
pub fn forms(view: &SaleView, advices: Vec<FormAdvice>) -> Ask {
    Ask::post(&path(view, "forms"), &FormAdvices { advices })
}

/// Everything that is left to happen to the first form that is not settled.
fn unsettled(view: &SaleView) -> Option<Vec<FormAdvice>> {
    let form = view.forms.iter().find(|f| !f.state.is_settled())?;
    let evidence = "00".to_owned();
    let rest = [
        FormEvent::Feeding,
        FormEvent::Printed { evidence },
        FormEvent::Presented,
        FormEvent::Taken,
    ];
    let begun = match form.state {
        FormState::Assigned => 0,
        FormState::Feeding => 1,
        FormState::Printed => 2,
        _ => 3,
    };
    let number = form.number;
    let advices = rest.into_iter().skip(begun);
    Some(advices.map(|event| FormAdvice { number, event }).collect())
}

/// Zhang's finger on the glass, which never lies there twice in the same way; each touch
/// is made once.
fn touch<S: Books>(bed: &Bed<S>, nth: usize) -> &'static Image {
    static TOUCHES: [OnceLock<Image>; CONTACTS.len()] = [const { OnceLock::new() }; CONTACTS.len()];
    let seed = bed.bank.finger("zhang").expect("a finger").seed;
    let contact = Contact::natural(seed + CONTACTS[nth]);
    TOUCHES[nth].get_or_init(|| Finger::from_seed(seed).impression(&contact))
}
