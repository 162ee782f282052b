//! The customer and the officer.
//!
//! The customer reads screen models and acts through keys and the desk, with
//! the vocabulary of plays. Both are stubborn: they do again what did not help.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use counterfoil_data::demo::DemoBank;
use counterfoil_data::seam::SharedClock;
use counterfoil_data::sign::{SignerId, SigningIdentity};
use counterfoil_data::wire::confirm::{ConfirmState, ConfirmationView, Decision};
use counterfoil_devices::system::SystemEntropy;
use counterfoil_tui::link::station::Verb;
use counterfoil_tui::link::{Dial, Link};
use serde_json::Value;
use tokio::net::TcpStream;

use super::buyer::Buyer;
use super::fault::Kind;
use super::house::House;
use super::screens::{
    ATTRACT, DONE, ENTER_PIN, INSERT_CARD, PICK_MODE, PICK_ORDER, PLACE_DOCUMENT, PLACE_FINGER,
    READING_FINGER, STOPPED, TAKE_FORMS, body, name,
};

/// Between two looks of the officer.
const LOOK: Duration = Duration::from_millis(50);
/// Pause between two tries at the desk: the pad is armed a moment after its screen.
const PAUSE: Duration = Duration::from_millis(30);
/// How long a finger is off the sensor when it is lifted and put on again.
const LIFT: Duration = Duration::from_millis(400);
/// Tries of one act at the desk.
const TRIES: u32 = 20;

/// Who buys.
pub struct Customer {
    buyer: Buyer,
    quantity: u32,
    /// Starts no other sale.
    pub is_done: bool,
    finger_on: bool,
}

impl Customer {
    /// Wants so many transfer cheques.
    pub fn wanting(buyer: Buyer, quantity: u32) -> Self {
        Self {
            buyer,
            quantity,
            is_done: false,
            finger_on: false,
        }
    }

    /// Does what the screen asks for; `again` when nothing came of it.
    pub async fn see(
        &mut self,
        house: &mut House,
        clock: &SharedClock,
        screen: &Value,
        again: bool,
    ) -> anyhow::Result<()> {
        let (name, who) = (name(screen), self.buyer.name);
        if self.finger_on && !matches!(name, PLACE_FINGER | READING_FINGER) {
            self.finger_on = false;
            drop(house.desk("finger lift").await?);
        }
        let body = body(screen);
        let has = |field: &str| body.is_some_and(|b| b.get(field).is_some_and(|v| !v.is_null()));
        match name {
            ATTRACT | DONE => {
                let left = body
                    .and_then(|b| b.get("left_behind"))
                    .and_then(Value::as_array);
                for thing in left.into_iter().flatten().filter_map(Value::as_str) {
                    match thing {
                        "Card" => drop(house.desk("card-reader remove").await?),
                        "Document" => drop(house.desk("id-reader remove").await?),
                        _ => {}
                    }
                }
                if name == DONE || !self.is_done {
                    house.type_keys(b"\r").await;
                }
            }
            PICK_MODE | STOPPED => house.type_keys(b"\r").await,
            INSERT_CARD => {
                if has("problem") {
                    drop(house.desk("card-reader remove").await?);
                }
                drop(
                    house
                        .desk(&format!("card-reader insert {who}-card"))
                        .await?,
                );
            }
            ENTER_PIN => self.pin(house, clock, body).await?,
            PLACE_DOCUMENT => {
                // A card that lay there before is found only once it is lifted.
                if again || has("problem") {
                    drop(house.desk("id-reader remove").await?);
                }
                drop(house.desk(&format!("id-reader present {who}")).await?);
            }
            PLACE_FINGER => {
                if self.finger_on {
                    drop(house.desk("finger lift").await?);
                    clock.sleep(LIFT).await;
                }
                drop(house.desk(&format!("finger place {who}")).await?);
                self.finger_on = true;
            }
            PICK_ORDER => {
                let keys = format!("{}\r\r", self.quantity);
                house.type_keys(keys.as_bytes()).await;
            }
            TAKE_FORMS => drop(house.desk("form-printer take").await?),
            _ => {}
        }
        Ok(())
    }

    /// Does something else than what the screen asks for; whether it was done.
    pub async fn instead(
        &mut self,
        house: &mut House,
        clock: &SharedClock,
        kind: Kind,
    ) -> anyhow::Result<bool> {
        Ok(match kind {
            Kind::WrongPin => keyed(house, clock, "pin-pad wrong").await?,
            Kind::WrongFinger => {
                self.finger_on = house.desk("finger place stranger").await?.is_ok();
                self.finger_on
            }
            Kind::StrangersDocument => house.desk("id-reader present stranger").await?.is_ok(),
            Kind::ForgedDocument => house.desk("id-reader present zhang-forged").await?.is_ok(),
            Kind::Cancels(_) => {
                house.type_keys(b"\x1b").await;
                true
            }
            // Nothing is done, and nothing taken back.
            _ => true,
        })
    }

    async fn pin(
        &self,
        house: &House,
        clock: &SharedClock,
        body: Option<&Value>,
    ) -> anyhow::Result<()> {
        let digits = body.and_then(|b| b.get("digits")).and_then(Value::as_u64);
        if digits != Some(0) {
            return Ok(());
        }
        let line = format!("pin-pad enter @{}-pin", self.buyer.name);
        keyed(house, clock, &line).await.map(drop)
    }
}

/// At the pad, as soon as it takes keys; whether it took them.
async fn keyed(house: &House, clock: &SharedClock, line: &str) -> anyhow::Result<bool> {
    for _ in 0..TRIES {
        if house.desk(line).await?.is_ok() {
            return Ok(true);
        }
        clock.sleep(PAUSE).await;
    }
    Ok(false)
}

/// How the officer is minded; asking and denying happen once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// Confirms.
    Confirms,
    /// Asks again.
    Asks,
    /// Denies.
    Denies,
    /// Says nothing.
    Silent,
}

/// Dials wherever the backend is now, past the kiosk's cable.
pub struct Backdoor(pub Rc<Cell<Option<SocketAddr>>>);

impl Dial for Backdoor {
    type Stream = TcpStream;

    async fn dial(&self) -> io::Result<TcpStream> {
        let address = self.0.get().ok_or(io::ErrorKind::ConnectionRefused)?;
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

/// The officer's link, as the demo bank's first station.
pub fn officer_link(
    bank: &DemoBank,
    dial: Backdoor,
    clock: &SharedClock,
) -> Option<Link<Backdoor>> {
    let station = bank.stations.first()?;
    let signer = SignerId::Station(station.id.clone());
    let identity = SigningIdentity::new(&signer, &station.key_seed.0);
    let entropy = Rc::new(SystemEntropy);
    let (clock, identity) = (Rc::clone(clock), Rc::new(identity));
    Some(Link::new(dial, clock, entropy, identity, "backend"))
}

/// Looks at what is shown and decides as minded, until dropped.
pub async fn sit(link: Link<Backdoor>, clock: SharedClock, mood: Rc<Cell<Mood>>) {
    loop {
        for case in link.confirmations().await.unwrap_or_default() {
            // A refusal means that the case has moved on; the next look tells.
            drop(decide(&link, &case, &mood).await);
        }
        clock.sleep(LOOK).await;
    }
}

async fn decide(
    link: &Link<Backdoor>,
    case: &ConfirmationView,
    mood: &Cell<Mood>,
) -> Option<ConfirmationView> {
    let digest = case.purchase.as_ref().map(|p| p.digest);
    let (verb, note) = match (case.state, mood.get()) {
        (_, Mood::Silent) => return None,
        (ConfirmState::Shown, _) => (Verb::Seen, None),
        (ConfirmState::Seen, Mood::Confirms) => (Verb::Confirm, None),
        (ConfirmState::Seen, Mood::Asks) => (Verb::Ask, Some("fewer-forms")),
        (ConfirmState::Seen, Mood::Denies) => (Verb::Deny, Some("identity-in-doubt")),
        _ => return None,
    };
    let note = note.map(str::to_owned);
    let decision = Decision { digest, note };
    let decided = link.decide(case.sale, verb, &decision).await.ok()?;
    if verb != Verb::Seen {
        mood.set(Mood::Confirms);
    }
    Some(decided)
}
