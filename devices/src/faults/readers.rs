//! Readers: an ID card, a settlement card, a PIN.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use counterfoil_data::demo::DemoBank;
use counterfoil_data::ids::SaleId;
use counterfoil_data::sealed::{Binding, Challenge, OpenKey};
use counterfoil_data::secret::Secret;
use counterfoil_data::wire::sale::CardProof;

use super::{Desk, Same, Subject, Trouble, refused, run, wrong};
use crate::driver::ccid::Reader;
use crate::driver::pboc::{Capks, read_settlement_card};
use crate::driver::pin_pad::{PinEvent, PinPad, UsbPinPad};
use crate::driver::sdt::IdReader;
use crate::transport::twin_bus::TwinBus;
use crate::twin::card_reader::{CardReaderTwin, Level, Model, demo_capks};
use crate::twin::id_reader::{IdReaderTwin, SampleDocument, TextBlock, UsbLayout};
use crate::twin::pin_pad::PinPadTwin;

const OPEN: Duration = Duration::from_secs(15);
/// Abort and power off.
const OFF: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(4);
const SOON: Duration = Duration::from_secs(10);

struct IdCard(UsbLayout, bool);

impl Subject for IdCard {
    type Device = ();

    fn name(&self) -> String {
        let finger = if self.1 { "with" } else { "without" };
        format!("id card, {:?}, {finger} fingerprint", self.0)
    }

    fn plug(&self, bus: &TwinBus, name: &str) {
        let text = TextBlock::resident("样例甲", 2, "19491231", "11010519491231002X")
            .issued("北京市朝阳区样例路1号", "北京市公安局朝阳分局")
            .valid("20100101", "长期");
        let document = SampleDocument {
            name: "sample".to_owned(),
            genuine: true,
            text,
            finger_len: 512,
        };
        let mut twin = IdReaderTwin::new(self.0, vec![document]);
        if !self.1 {
            twin = twin.without_finger_read();
        }
        bus.plug(name, Rc::new(RefCell::new(twin)));
        bus.desk(&format!("{name} present sample")).expect("lies");
    }

    async fn session(&self, desk: &Desk, _: &()) -> Result<(), Trouble> {
        let usb = desk.wire.open().map_err(refused)?;
        let opened = desk.within("open", OPEN, IdReader::open(usb, desk.clock.clone()));
        let mut reader = opened.await?.map_err(refused)?;
        let read = match desk.within("read", SOON, reader.read(SOON)).await? {
            Ok(read) => read,
            Err(error) if error.is_forgery_suspect() => {
                return Err(wrong(format!("a genuine card is called forged: {error}")));
            }
            Err(error) => return Err(refused(error)),
        };
        let document = &read.document;
        let same = *document.name.expose() == "样例甲"
            && *document.number.expose() == "11010519491231002X"
            && *document.address.expose() == "北京市朝阳区样例路1号"
            && document.valid_to.is_none()
            && read.evidence.status == [0x9f, 0x90, 0x90];
        same.then_some(()).ok_or(wrong("another document was read"))
    }

    fn mend(&self, desk: &Desk, _: &()) {
        desk.act("remove");
        desk.act("present sample").expect("lies");
    }

    fn within(&self) -> Duration {
        Duration::from_secs(60)
    }
}

struct SettlementCard {
    model: Model,
    build: &'static str,
    bank: DemoBank,
    capks: Capks,
}

impl Subject for SettlementCard {
    type Device = ();

    fn name(&self) -> String {
        format!("settlement card, {:?}, {}", self.model.level, self.build)
    }

    fn plug(&self, bus: &TwinBus, name: &str) {
        let twin = CardReaderTwin::demo(&self.bank).with_model(self.model);
        bus.plug(name, Rc::new(RefCell::new(twin)));
        let said = bus.desk(&format!("{name} insert zhang-card {}", self.build));
        said.expect("goes in");
    }

    async fn session(&self, desk: &Desk, _: &()) -> Result<(), Trouble> {
        let usb = desk.wire.open().map_err(refused)?;
        let opened = desk.within("open", OPEN, Reader::open(usb, desk.clock.clone()));
        let mut reader = opened.await?.map_err(refused)?;
        let today = jiff::civil::date(2026, 11, 22);
        let read = read_settlement_card(&mut reader, &self.capks, &Same, today, SOON);
        let read = desk.within("read", SOON + OFF, read).await?;
        let read = read.map_err(refused)?;
        if read.proof != CardProof::Genuine {
            return Err(refused("not proven"));
        }
        let mut cards = self.bank.cards.iter();
        let card = cards.find(|card| card.name == "zhang-card");
        let same = *read.pan.expose() == card.expect("there").pan;
        same.then_some(()).ok_or(wrong("another card was read"))
    }

    fn mend(&self, desk: &Desk, _: &()) {
        desk.act("remove");
        let said = desk.act(&format!("insert zhang-card {}", self.build));
        said.expect("goes in");
    }

    fn within(&self) -> Duration {
        Duration::from_secs(60)
    }
}

struct Pin;

impl Subject for Pin {
    type Device = ();

    fn name(&self) -> String {
        "pin pad".to_owned()
    }

    fn plug(&self, bus: &TwinBus, name: &str) {
        let secrets = vec![("zhang-pin".to_owned(), Secret::new("481516".to_owned()))];
        let twin = PinPadTwin::new(secrets, Rc::new(Same));
        bus.plug(name, Rc::new(RefCell::new(twin)));
    }

    async fn session(&self, desk: &Desk, _: &()) -> Result<(), Trouble> {
        let usb = desk.wire.open().map_err(refused)?;
        let opened = desk.within("open", OPEN, UsbPinPad::open(usb, desk.clock.clone()));
        let mut pad = opened.await?.map_err(refused)?;
        let (open, seal) = OpenKey::derive(&[9; 32]);
        let binding = Binding {
            sale: SaleId(7),
            challenge: Challenge([3; 16]),
        };
        let begun = desk.within("begin", ANSWER, pad.begin(binding, seal, 6));
        begun.await?.map_err(refused)?;
        desk.act("enter @zhang-pin");
        loop {
            let event = desk.within("next", SOON, pad.next(SOON)).await?;
            match event.map_err(refused)? {
                PinEvent::Digits(_) => {}
                PinEvent::Done(sealed) => {
                    // The backend opens it, and nothing but what the pad sealed.
                    let pin = sealed.open(&open, binding).map_err(refused)?;
                    let same = pin.0.expose() == "481516";
                    return same.then_some(()).ok_or(wrong("another pin"));
                }
                end => return Err(refused(format!("{end:?}"))),
            }
        }
    }

    fn mend(&self, _: &Desk, _: &()) {}

    fn within(&self) -> Duration {
        Duration::from_secs(120)
    }
}

#[test]
fn id_card_readers_bear_every_fault() {
    run(&IdCard(UsbLayout::Split, true), 2);
    run(&IdCard(UsbLayout::Split, false), 20);
    for layout in [UsbLayout::Single, UsbLayout::SingleBehindFour] {
        run(&IdCard(layout, true), 20);
    }
}

#[test]
fn card_readers_bear_every_fault() {
    let level = |level| Model {
        level,
        ..Model::default()
    };
    for (model, build, one_in) in [
        (level(Level::Tpdu), "", 4),
        (level(Level::Tpdu), "t1", 16),
        (level(Level::ShortApdu), "", 16),
        (level(Level::ExtendedApdu), "", 16),
    ] {
        let bank = counterfoil_data::demo::bank().expect("the demo bank");
        let capks = demo_capks().expect("the demo keys");
        let card = SettlementCard {
            model,
            build,
            bank,
            capks,
        };
        run(&card, one_in);
    }
}

#[test]
fn pin_pads_bear_every_fault() {
    run(&Pin, 1);
}
