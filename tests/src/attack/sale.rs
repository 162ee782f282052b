//! Customers who mean well: whole sales, and kiosks that look and begin.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Context as _;
use counterfoil_data::demo::DemoBank;
use counterfoil_data::sealed::{Binding, Challenge, SealKey, Sealed, SecretText};
use counterfoil_data::seam::{SharedClock, SharedEntropy, random};
use counterfoil_data::secret::Secret;
use counterfoil_data::wire::sale::{Authenticity, DocumentFields, IdentityHead, LivePrint};
use counterfoil_data::wire::{self, Digest};
use counterfoil_finger::synth::{Contact, Finger};
use ed25519_dalek::Signer as _;
use serde_json::{Value, json};

use super::measure::Times;
use super::wire::{Answer, Ask, Party};

/// Pause of a kiosk that looks and begins.
const LOOK: Duration = Duration::from_millis(20);

/// What all who mean well share.
#[derive(Clone)]
pub struct Town {
    /// The bank they know.
    pub bank: Rc<DemoBank>,
    /// Where the backend listens.
    pub address: SocketAddr,
    /// Time.
    pub clock: SharedClock,
    /// Chance.
    pub entropy: SharedEntropy,
    /// How long their requests took.
    pub times: Rc<Times>,
    /// Sales that were closed.
    pub closed: Rc<Cell<u64>>,
    /// What went wrong.
    pub faults: Rc<RefCell<Vec<String>>>,
}

impl Town {
    /// Somebody enrolled, by key id.
    pub fn party(&self, key_id: &str) -> anyhow::Result<Party> {
        let (kind, id) = key_id.split_once(':').context("a key id")?;
        let seed = match kind {
            "kiosk" => self.bank.kiosk(id).map(|kiosk| kiosk.key_seed.0),
            _ => self.bank.station(id).map(|station| station.key_seed.0),
        };
        let seed = seed.with_context(|| format!("{key_id} is not enrolled"))?;
        Party::new(key_id, &seed, self.address, &self.clock, &self.entropy)
    }

    fn expect(&self, answer: &Answer, what: &str) -> anyhow::Result<()> {
        self.times.saw(what, answer.took);
        anyhow::ensure!(
            answer.status == 200,
            "{what}: {} {}",
            answer.status,
            answer.body
        );
        Ok(())
    }

    fn sealed<T: counterfoil_data::sealed::Sealable>(
        &self,
        value: &T,
        to: &Case,
    ) -> anyhow::Result<Sealed<T>> {
        Ok(Sealed::seal(value, &to.key, to.binding, &*self.entropy)?)
    }
}

/// A sale as its kiosk knows it.
struct Case {
    sale: String,
    key: SealKey,
    binding: Binding,
}

impl Case {
    fn path(&self, verb: &str) -> String {
        format!("/v1/sales/{}/{verb}", self.sale)
    }
}

/// The binding that a view of a sale names.
pub fn binding(view: &Value) -> anyhow::Result<Binding> {
    let text = |name: &str| view.get(name).and_then(Value::as_str).context("no sale");
    let challenge = wire::unhex(text("challenge")?).and_then(|bytes| bytes.try_into().ok());
    Ok(Binding {
        sale: text("sale")?.parse()?,
        challenge: Challenge(challenge.context("a challenge")?),
    })
}

/// The sealing key that a kiosk is told.
pub async fn seal_key(kiosk: &mut Party) -> anyhow::Result<SealKey> {
    let view = kiosk.ask("GET", "/v1/kiosk", Value::Null).await?.body;
    let key = view
        .get("seal_key")
        .and_then(Value::as_str)
        .and_then(wire::unhex);
    Ok(SealKey(
        key.and_then(|k| k.try_into().ok())
            .context("no sealing key")?,
    ))
}

/// Opens a sale; its view.
pub async fn open(kiosk: &mut Party) -> anyhow::Result<Answer> {
    let sale = wire::hex(&random::<16>(&*kiosk.entropy));
    let body = json!({ "sale": sale, "mode": "settlement-card" });
    kiosk.ask("POST", "/v1/sales", body).await
}

/// A card and a PIN, sealed for this sale.
pub fn card(
    pan: &str,
    pin: &str,
    key: &SealKey,
    binding: Binding,
    entropy: &SharedEntropy,
) -> anyhow::Result<Value> {
    let seal = |text: &str| {
        let text = SecretText(Secret::new(text.to_owned()));
        Sealed::seal(&text, key, binding, &**entropy)
    };
    Ok(json!({
        "mode": "settlement-card", "oda": "genuine", "card": seal(pan)?, "pin": seal(pin)?,
    }))
}

/// Whole sales one after another, with the officer of `station`.
pub async fn sell(town: Town, kiosk: &str, station: &str, touch: u64) {
    let mut touch = touch;
    let both = (town.party(kiosk), town.party(station));
    let (Ok(mut kiosk), Ok(mut station)) = both else {
        town.faults.borrow_mut().push("nobody to sell".into());
        return;
    };
    loop {
        touch = touch.wrapping_add(1);
        match one_sale(&town, &mut kiosk, &mut station, touch).await {
            Ok(()) => town.closed.set(town.closed.get().saturating_add(1)),
            Err(error) => {
                town.faults.borrow_mut().push(format!("{error:#}"));
                // Whatever is open is ended, so that the next can begin.
                let view = kiosk.ask("GET", "/v1/kiosk", Value::Null).await;
                let open = view
                    .ok()
                    .and_then(|a| a.body.pointer("/open_sale/sale").cloned());
                if let Some(sale) = open.as_ref().and_then(Value::as_str) {
                    let path = format!("/v1/sales/{sale}/cancel");
                    let _ = kiosk.ask("POST", &path, json!({})).await;
                }
                town.clock.sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn one_sale(
    town: &Town,
    kiosk: &mut Party,
    station: &mut Party,
    touch: u64,
) -> anyhow::Result<()> {
    let key = seal_key(kiosk).await?;
    let view = open(kiosk).await?;
    town.expect(&view, "open")?;
    let sale = view
        .body
        .get("sale")
        .and_then(Value::as_str)
        .context("no id")?
        .to_owned();
    let mut case = Case {
        sale,
        key,
        binding: binding(&view.body)?,
    };
    let verified = gates(town, kiosk, &mut case, touch).await?;
    anyhow::ensure!(verified.status == 200, "identity: {}", verified.body);
    let items = json!({ "items": [{ "kind": "transfer-cheque", "quantity": 1 }] });
    let ordered = kiosk.ask("POST", &case.path("order"), items).await?;
    town.expect(&ordered, "order")?;
    let digest = ordered
        .body
        .pointer("/order/digest")
        .cloned()
        .context("no digest")?;
    for verb in ["seen", "confirm"] {
        let path = format!("/v1/confirmations/{}/{verb}", case.sale);
        let answer = station
            .ask("POST", &path, json!({ "digest": digest }))
            .await?;
        town.expect(&answer, verb)?;
    }
    let linked = kiosk.ask("POST", &case.path("link"), json!({})).await?;
    town.expect(&linked, "link")?;
    let number = linked
        .body
        .pointer("/linked/jobs/0/number")
        .cloned()
        .context("no job")?;
    for event in [
        json!({ "is": "feeding" }),
        json!({ "is": "printed", "evidence": "00" }),
        json!({ "is": "presented" }),
        json!({ "is": "taken" }),
    ] {
        let body = json!({ "advices": [{ "number": number, "event": event }] });
        let answer = kiosk.ask("POST", &case.path("forms"), body).await?;
        town.expect(&answer, "forms")?;
    }
    let closed = kiosk.ask("POST", &case.path("close"), json!({})).await?;
    town.expect(&closed, "close")
}

/// Card and PIN, then document and finger. A busy gate is asked again when it says.
async fn gates(
    town: &Town,
    kiosk: &mut Party,
    case: &mut Case,
    touch: u64,
) -> anyhow::Result<Answer> {
    let pan = &town.bank.card("zhang-card").context("no card")?.pan;
    let pin = town.bank.secret("zhang-pin").context("no secret")?;
    let info = card(pan, pin.expose(), &case.key, case.binding, &town.entropy)?;
    let path = case.path("info");
    let first = loop {
        let answer = kiosk.ask("POST", &path, info.clone()).await?;
        town.times.saw("info", answer.took);
        match answer.retry_after {
            Some(wait) if answer.status == 503 => {
                town.times.saw("info-busy", answer.took);
                town.clock.sleep(Duration::from_secs(wait)).await;
            }
            _ => break answer,
        }
    };
    anyhow::ensure!(first.status == 200, "info: {} {}", first.status, first.body);
    case.binding = binding(&first.body)?;
    let body = identity(town, kiosk, case, touch)?;
    let ask = Ask {
        method: "POST",
        path: &case.path("identity"),
        body: &body,
        media_type: "application/octet-stream",
    };
    let second = kiosk.send(&ask).await?;
    town.times.saw("identity", second.took);
    Ok(second)
}

fn identity(town: &Town, kiosk: &Party, case: &Case, touch: u64) -> anyhow::Result<Vec<u8>> {
    let document = town.bank.document("zhang").context("no document")?;
    let finger = town.bank.finger("zhang").context("no finger")?;
    let image = Finger::from_seed(finger.seed).impression(&Contact::natural(touch));
    let fields = DocumentFields {
        name: Secret::new(document.holder.clone()),
        number: Secret::new(document.number.clone()),
        valid_to: document.valid_to,
    };
    let print = LivePrint {
        width: image.width(),
        height: image.height(),
        dpi: image.dpi(),
        pixels: Secret::new(image.pixels().to_vec()),
    };
    let mut authenticity = Authenticity {
        sam_id: "05.01-20260101-0000000001-0000000001".into(),
        status: Authenticity::GENUINE.to_vec(),
        frame: Digest::of(b"frame"),
        at: town.clock.now(),
        signature: String::new(),
    };
    let signature = kiosk
        .identity
        .key
        .sign(&authenticity.statement(case.binding));
    authenticity.signature = wire::hex(&signature.to_bytes());
    let head = IdentityHead {
        document: town.sealed(&fields, case)?,
        authenticity,
    };
    let head = serde_json::to_vec(&head)?;
    let length = u32::try_from(head.len())?.to_be_bytes();
    let live = town.sealed(&print, case)?.to_bytes();
    Ok([length.as_slice(), &head, &live].concat())
}

/// A kiosk that looks, opens a sale and lets it be, again and again.
pub async fn look(town: Town, kiosk: String) {
    let looked = async {
        let mut kiosk = town.party(&kiosk)?;
        loop {
            let answer = kiosk.ask("GET", "/v1/kiosk", Value::Null).await?;
            town.expect(&answer, "kiosk")?;
            let answer = open(&mut kiosk).await?;
            town.expect(&answer, "open")?;
            let sale = answer
                .body
                .get("sale")
                .and_then(Value::as_str)
                .context("no id")?;
            let path = format!("/v1/sales/{sale}/cancel");
            let answer = kiosk.ask("POST", &path, json!({})).await?;
            town.expect(&answer, "cancel")?;
            town.clock.sleep(LOOK).await;
        }
    };
    let ended: anyhow::Result<()> = looked.await;
    if let Err(error) = ended {
        town.faults.borrow_mut().push(format!("{error:#}"));
    }
}
