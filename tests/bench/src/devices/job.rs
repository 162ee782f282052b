//! The jobs of a sale, one for each driver family.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use counterfoil_data::bill::{BillNumber, BillRange};
use counterfoil_data::demo;
use counterfoil_data::form;
use counterfoil_data::money::Fen;
use counterfoil_data::seam::{Entropy, SharedClock};
use counterfoil_data::wire::confirm::ConfirmText;
use counterfoil_data::wire::sale::{CardProof, PrintJob};
use counterfoil_devices::driver::ccid::Reader;
use counterfoil_devices::driver::finger::FingerSensor;
use counterfoil_devices::driver::form_printer::PrintOutcome;
use counterfoil_devices::driver::form_station::{Family, FormSettings, FormStation};
use counterfoil_devices::driver::numbered::Readback;
use counterfoil_devices::driver::pboc::read_settlement_card;
use counterfoil_devices::driver::receipt_printer::{
    PrintOutcome as PrintedReceipt, ReceiptDocument, ReceiptLine, ReceiptPrinter,
};
use counterfoil_devices::driver::sdt::IdReader;
use counterfoil_devices::transport::twin_bus::TwinBus;
use counterfoil_devices::twin::card_reader::{CardReaderTwin, demo_capks};
use counterfoil_devices::twin::escp2_printer::Escp2PrinterTwin;
use counterfoil_devices::twin::fingers::{FingerSpec, SensorKind};
use counterfoil_devices::twin::form_printer::FormPrinterTwin;
use counterfoil_devices::twin::id_reader::{IdReaderTwin, SampleDocument, TextBlock, UsbLayout};
use counterfoil_devices::twin::pr2_printer::Pr2PrinterTwin;
use counterfoil_devices::twin::receipt_printer::ReceiptPrinterTwin;
use counterfoil_devices::twin::serial_bridge::BridgeKind;
use counterfoil_devices::twin::slip_station::SlipStationTwin;

use super::recorded::Recorded;

/// The device's name on its bus.
pub const NAME: &str = "device";
/// What every wait of a job may take.
const LONG: Duration = Duration::from_secs(30);
const FIRST: &str = "3130112100000101";

/// A job.
#[derive(Debug, Clone, Copy)]
pub enum Job {
    /// From "card found" to a parsed document.
    IdCard,
    /// A settlement card, proven.
    SettlementCard,
    /// A finger that lies there.
    Finger(SensorKind),
    /// A form: fed, read, compared, inked, out.
    Form(Family),
    /// A receipt of eight lines with a QR symbol.
    Receipt,
}

/// Every job.
pub const JOBS: [Job; 8] = [
    Job::IdCard,
    Job::SettlementCard,
    Job::Finger(SensorKind::Module(BridgeKind::CdcAcm)),
    Job::Finger(SensorKind::Uru4500),
    Job::Form(Family::Cassettes),
    Job::Form(Family::Escp2),
    Job::Form(Family::Pr2),
    Job::Receipt,
];

/// An opened device.
pub enum Device {
    Id(IdReader<Recorded>),
    Card(Box<Reader<Recorded>>),
    Finger(Box<FingerSensor<Recorded>>),
    Form(Box<FormStation<Recorded>>),
    Receipt(Box<ReceiptPrinter<Recorded>>),
}

/// Randomness that is always the same, so that both runs are.
struct Same;

impl Entropy for Same {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0x5a);
    }
}

impl Job {
    /// For the table.
    pub fn name(self) -> String {
        match self {
            Self::IdCard => "ID card, from found to parsed".to_owned(),
            Self::SettlementCard => "settlement card, read and proven".to_owned(),
            Self::Finger(SensorKind::Uru4500) => "finger, U.are.U".to_owned(),
            Self::Finger(_) => "finger, EF01 module".to_owned(),
            Self::Form(family) => format!("form, {family:?}").to_lowercase(),
            Self::Receipt => "receipt".to_owned(),
        }
    }

    /// What the host may add to the device's own time. The design gives a form and an
    /// ID card theirs; what a person waits for the same way gets the same.
    pub fn budget_ms(self) -> f64 {
        match self {
            Self::IdCard | Self::SettlementCard | Self::Finger(_) => 50.0,
            Self::Form(_) | Self::Receipt => 5.0,
        }
    }

    /// Plugs the device in, with what lies beside it.
    pub fn plug(self, bus: &TwinBus) -> anyhow::Result<()> {
        let pile = BillRange::from_count(FIRST.parse()?, 5)?;
        match self {
            Self::IdCard => {
                let text = TextBlock::resident("样例甲", 2, "19491231", "11010519491231002X")
                    .issued("北京市朝阳区样例路1号", "北京市公安局朝阳分局")
                    .valid("20100101", "长期");
                let sample = SampleDocument {
                    name: "sample".to_owned(),
                    genuine: true,
                    text,
                    finger_len: 1024,
                };
                let twin = IdReaderTwin::new(UsbLayout::Split, vec![sample]);
                bus.plug(NAME, Rc::new(RefCell::new(twin)));
                self.desk(bus, "present sample")
            }
            Self::SettlementCard => {
                let twin = CardReaderTwin::demo(&demo::bank()?);
                bus.plug(NAME, Rc::new(RefCell::new(twin)));
                self.desk(bus, "insert zhang-card")
            }
            Self::Finger(sensor) => {
                let name = "zhang".to_owned();
                bus.plug(NAME, sensor.twin(vec![FingerSpec { name, seed: 1001 }]));
                Ok(())
            }
            Self::Form(Family::Cassettes) => {
                let slots = [("slot-1".parse()?, pile)];
                let twin = FormPrinterTwin::new(slots, None);
                bus.plug(NAME, Rc::new(RefCell::new(twin)));
                Ok(())
            }
            Self::Form(Family::Escp2) => {
                let twin = Escp2PrinterTwin::new(pile, None);
                bus.plug(NAME, Rc::new(RefCell::new(twin)));
                Ok(())
            }
            Self::Form(Family::Pr2) => {
                let twin = Pr2PrinterTwin::new(pile, None);
                bus.plug(NAME, Rc::new(RefCell::new(twin)));
                Ok(())
            }
            Self::Form(Family::SlipStation) => {
                let twin = SlipStationTwin::new(pile, None);
                bus.plug(NAME, Rc::new(RefCell::new(twin)));
                Ok(())
            }
            Self::Receipt => {
                let twin = ReceiptPrinterTwin::new(None);
                bus.plug(NAME, Rc::new(RefCell::new(twin)));
                Ok(())
            }
        }
    }

    /// Opens the device and brings it to where its work begins.
    pub async fn open(
        self,
        bus: &TwinBus,
        usb: Recorded,
        clock: SharedClock,
    ) -> anyhow::Result<Device> {
        match self {
            Self::IdCard => {
                let mut reader = IdReader::open(usb, clock).await?;
                ensure!(reader.poll_card(LONG).await?, "no card was found");
                Ok(Device::Id(reader))
            }
            Self::SettlementCard => {
                let reader = Reader::open(usb, clock).await?;
                Ok(Device::Card(Box::new(reader)))
            }
            Self::Finger(_) => {
                let mut sensor = FingerSensor::open(usb, clock.clone(), Rc::new(Same)).await?;
                sensor.arm().await?;
                self.hands(bus)?;
                let until = clock.monotonic() + LONG;
                ensure!(sensor.wait_finger(until).await?, "no finger came");
                Ok(Device::Finger(Box::new(sensor)))
            }
            Self::Form(family) => {
                let codes = "[status]\n0 = \"ready\"\n[position]\n0 = \"absent\"\n\
                             1 = \"entry\"\n2 = \"inside\"";
                let settings = FormSettings {
                    family: Some(family),
                    number: Readback::Operator,
                    codes: toml::from_str(codes)?,
                    ..FormSettings::default()
                };
                let printer = FormStation::open(usb, clock, &Same, &settings).await?;
                Ok(Device::Form(Box::new(printer)))
            }
            Self::Receipt => {
                let printer = ReceiptPrinter::open(usb, clock, &Same).await?;
                Ok(Device::Receipt(Box::new(printer)))
            }
        }
    }

    /// What hands do before the work.
    pub fn hands(self, bus: &TwinBus) -> anyhow::Result<()> {
        match self {
            Self::Finger(_) => self.desk(bus, "place zhang seed 7"),
            _ => Ok(()),
        }
    }

    /// The work.
    pub async fn work(
        self,
        bus: &TwinBus,
        device: &mut Device,
        clock: &SharedClock,
    ) -> anyhow::Result<()> {
        match device {
            Device::Id(reader) => {
                let read = reader.read(LONG).await?;
                let number = read.document.number.expose();
                ensure!(*number == "11010519491231002X", "another document");
                Ok(())
            }
            Device::Card(reader) => {
                let today = jiff::civil::date(2026, 11, 22);
                let capks = demo_capks()?;
                let card = read_settlement_card(reader, &capks, &Same, today, LONG).await?;
                ensure!(card.proof == CardProof::Genuine, "not proven");
                Ok(())
            }
            Device::Finger(sensor) => {
                sensor.capture(|_| {}, LONG).await?;
                Ok(())
            }
            Device::Form(printer) => self.form(bus, printer, clock).await,
            Device::Receipt(printer) => {
                let mut lines = vec![ReceiptLine::title("样例银行")];
                lines.extend((0..8).map(|n| ReceiptLine::text(format!("3130112{n} 转账支票"))));
                lines.push(ReceiptLine::Qr("counterfoil:1:abc".to_owned()));
                let printed = printer.print(&ReceiptDocument { lines }, LONG).await;
                ensure!(
                    matches!(printed, PrintedReceipt::Done { .. }),
                    "{printed:?}"
                );
                Ok(())
            }
        }
    }

    async fn form(
        self,
        bus: &TwinBus,
        printer: &mut FormStation<Recorded>,
        clock: &SharedClock,
    ) -> anyhow::Result<()> {
        let by_hand = !matches!(self, Self::Form(Family::Cassettes));
        let slot = "slot-1".parse()?;
        let hand = async {
            if by_hand {
                clock.sleep(Duration::from_secs(1)).await;
                self.desk(bus, "insert")?;
            }
            anyhow::Ok(())
        };
        let (fed, put) = tokio::join!(printer.feed(&slot, LONG), hand);
        put?;
        fed?;
        let number: BillNumber = FIRST.parse()?;
        if by_hand {
            printer.operator_reads(number, number)?;
        }
        ensure!(printer.read_number(LONG).await? == number, "another number");
        let (job, approved) = order(number)?;
        let outcome = printer.print(&job, &approved, LONG).await;
        ensure!(matches!(outcome, PrintOutcome::Done { .. }), "{outcome:?}");
        Ok(())
    }

    fn desk(self, bus: &TwinBus, line: &str) -> anyhow::Result<()> {
        let said = bus.desk(&format!("{NAME} {line}"));
        said.map(drop).with_context(|| line.to_owned())
    }
}

/// One form of a confirmed order.
fn order(number: BillNumber) -> anyhow::Result<(PrintJob, ConfirmText)> {
    let approved = ConfirmText {
        account_name: "样例机械有限公司".to_owned(),
        account: "6217000000000000123".to_owned(),
        bank_name: "样例银行样例支行".to_owned(),
        bank_number: "313100000013".to_owned(),
        agent_masked: "张**".to_owned(),
        ranges: vec![BillRange::from_count(number, 5)?],
        count: 5,
        fee: Fen(300),
    };
    let job = PrintJob {
        number,
        slot: "slot-1".parse()?,
        template: "transfer-cheque".to_owned(),
        fields: form::expected_fields(&approved),
        approved: approved.digest(),
        supplement_of: None,
    };
    Ok((job, approved))
}
