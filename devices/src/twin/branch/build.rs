//! Builds the twins a branch file names.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

use counterfoil_data::bill::BillRange;
use counterfoil_data::demo::DemoBank;
use counterfoil_data::seam::SharedEntropy;

use super::file::{
    BranchError, DeviceFile, Kind, Layout, Level, PadFile, ReceiptModel, SensorBits, Volt,
};
use super::sample;
use crate::transport::twin_bus::TwinBus;
use crate::twin::Twin;
use crate::twin::card_reader::{self, CardReaderTwin, Model};
use crate::twin::escp2_printer::Escp2PrinterTwin;
use crate::twin::finger_module::FingerModuleTwin;
use crate::twin::finger_module::native::NativeModuleTwin;
use crate::twin::fingers::FingerSpec;
use crate::twin::form_printer::FormPrinterTwin;
use crate::twin::id_reader::{IdReaderTwin, UsbLayout};
use crate::twin::pin_pad::PinPadTwin;
use crate::twin::pr2_printer::Pr2PrinterTwin;
use crate::twin::receipt_printer::ReceiptPrinterTwin;
use crate::twin::serial_bridge::BridgeKind;
use crate::twin::slip_station::{Sensors, SlipStationTwin};
use crate::twin::uru4000::Uru4000Twin;
use toml::Spanned;

type SharedTwin = Rc<RefCell<dyn Twin>>;

fn shared(twin: impl Twin + 'static) -> SharedTwin {
    Rc::new(RefCell::new(twin))
}

/// What was said of an option, or its default.
fn said<T: Clone>(option: &Option<Spanned<T>>, default: T) -> T {
    option.as_ref().map_or(default, |o| o.get_ref().clone())
}

/// Whose things the twins have.
pub struct Stock<'a> {
    /// The bank, with the one kiosk that is meant.
    pub bank: &'a DemoBank,
    /// Randomness of the PIN pad.
    pub entropy: SharedEntropy,
    /// Folder that printed paper is drawn into; a second printer of a kind draws into
    /// a folder of its own name there.
    pub paper: Option<PathBuf>,
}

impl Stock<'_> {
    fn pile(&self) -> Result<BillRange, BranchError> {
        let slot = self.bank.kiosks.first().and_then(|k| k.slots.first());
        let range = slot.and_then(|slot| slot.range().ok());
        range.ok_or_else(|| BranchError::Bank("the kiosk has no slot with blanks".to_owned()))
    }

    fn twin(&self, device: &DeviceFile, paper: Option<PathBuf>) -> Result<SharedTwin, BranchError> {
        let bank = self.bank;
        let pile = || match &device.pile {
            Some(pile) => Ok(pile.get_ref().0),
            None => self.pile(),
        };
        Ok(match *device.kind.get_ref() {
            Kind::IdReader => shared(self.id_reader(device)),
            Kind::CardReader => shared(CardReaderTwin::demo(bank).with_model(reader(device))),
            Kind::Finger => {
                let cdc = super::file::Bridge(BridgeKind::CdcAcm);
                let bridge = said(&device.bridge, cdc).0;
                shared(FingerModuleTwin::demo(bank).behind(bridge))
            }
            Kind::Uru4500 => shared(Uru4000Twin::new(FingerSpec::demo(bank))),
            Kind::Microarray => {
                let uploads = said(&device.uploads, false);
                shared(NativeModuleTwin::new(FingerSpec::demo(bank), uploads))
            }
            Kind::PinPad => {
                let secrets = bank.secret_names();
                let secrets = secrets.filter_map(|n| Some((n.to_owned(), bank.secret(n)?)));
                shared(PinPadTwin::new(secrets.collect(), Rc::clone(&self.entropy)))
            }
            Kind::ReceiptPrinter => shared(receipts(device, paper)),
            Kind::FormPrinter => shared(self.forms(device, paper)),
            Kind::Escp2 => {
                let mut twin = Escp2PrinterTwin::new(pile()?, paper);
                if said(&device.constant_port, false) {
                    twin = twin.with_constant_port();
                }
                if let Some(buffer) = &device.buffer {
                    twin = twin.with_buffer(usize::from(*buffer.get_ref()));
                }
                if said(&device.inserts_on_command, false) {
                    twin = twin.inserting_on_command();
                }
                shared(twin)
            }
            Kind::Pr2 => {
                let twin = Pr2PrinterTwin::new(pile()?, paper);
                match said(&device.answers_at_once, false) {
                    true => shared(twin.answering_at_once()),
                    false => shared(twin),
                }
            }
            Kind::SlipStation => shared(slip_station(device, pile()?, paper)),
        })
    }

    fn id_reader(&self, device: &DeviceFile) -> IdReaderTwin {
        let layout = match said(&device.layout, Layout::Split) {
            Layout::Split => UsbLayout::Split,
            Layout::Single => UsbLayout::Single,
            Layout::SingleBehindFour => UsbLayout::SingleBehindFour,
        };
        let documents = self.bank.documents.iter().map(sample).collect();
        let twin = IdReaderTwin::new(layout, documents);
        match said(&device.reads_finger, true) {
            true => twin,
            false => twin.without_finger_read(),
        }
    }

    fn forms(&self, device: &DeviceFile, paper: Option<PathBuf>) -> FormPrinterTwin {
        let twin = match &device.cassettes {
            Some(cassettes) => {
                let all = cassettes.get_ref().iter();
                FormPrinterTwin::new(all.map(|(slot, pile)| (slot.clone(), pile.0)), paper)
            }
            None => {
                let slots = self.bank.kiosks.first().into_iter().flat_map(|k| &k.slots);
                let slots = slots.filter_map(|s| Some((s.slot.clone(), s.range().ok()?)));
                FormPrinterTwin::new(slots, paper)
            }
        };
        match said(&device.resets, true) {
            true => twin,
            false => twin.without_reset(),
        }
    }
}

fn reader(device: &DeviceFile) -> Model {
    let default = Model::default();
    let volt = |volt: &Volt| match volt {
        Volt::Five => 1,
        Volt::Three => 2,
        Volt::OnePointEight => 4,
    };
    let volts = device.volts.as_ref();
    let volts = volts.map(|v| v.get_ref().iter().map(volt).fold(0, |all, one| all | one));
    Model {
        level: match said(&device.level, Level::Tpdu) {
            Level::Tpdu => card_reader::Level::Tpdu,
            Level::ShortApdu => card_reader::Level::ShortApdu,
            Level::ExtendedApdu => card_reader::Level::ExtendedApdu,
        },
        automatic: said(&device.automatic, default.automatic),
        voltages: volts.unwrap_or(default.voltages),
        interrupt: said(&device.interrupt, default.interrupt),
        slots: said(&device.slots, default.slots),
        pad: match said(&device.pad, PadFile::None) {
            PadFile::None => card_reader::Pad::None,
            PadFile::Claimed => card_reader::Pad::Claimed,
            PadFile::Works => card_reader::Pad::Works,
            PadFile::Leaks => card_reader::Pad::Leaks,
        },
    }
}

fn receipts(device: &DeviceFile, paper: Option<PathBuf>) -> ReceiptPrinterTwin {
    let twin = ReceiptPrinterTwin::new(paper);
    let twin = match said(&device.model, ReceiptModel::Full) {
        ReceiptModel::Full => twin,
        ReceiptModel::WithoutFences => twin.without_fences(),
        ReceiptModel::WithoutAnswers => twin.without_answers(),
        ReceiptModel::Silent => twin.silent(),
        ReceiptModel::OneWay => twin.one_way(),
        ReceiptModel::VendorMode => twin.in_vendor_mode(),
    };
    match said(&device.presenter, false) {
        true => twin.with_presenter(),
        false => twin,
    }
}

fn slip_station(device: &DeviceFile, pile: BillRange, paper: Option<PathBuf>) -> SlipStationTwin {
    let mut twin = SlipStationTwin::new(pile, paper);
    twin = twin.with_sensors(match said(&device.sensors, SensorBits::EntryFirst) {
        SensorBits::EntryFirst => Sensors::EntryFirst,
        SensorBits::ExitFirst => Sensors::ExitFirst,
        SensorBits::One => Sensors::One,
    });
    if !said(&device.reader, true) {
        twin = twin.without_reader();
    }
    if !said(&device.resets, true) {
        twin = twin.without_reset();
    }
    twin
}

/// Plugs the twin of every device into `bus`.
pub fn plug(
    bus: &TwinBus,
    devices: &[Spanned<DeviceFile>],
    stock: &Stock<'_>,
) -> Result<(), BranchError> {
    let mut kinds = Vec::new();
    for device in devices {
        let device = device.get_ref();
        let (name, kind) = (device.name.get_ref(), device.kind.get_ref());
        let second = kinds.contains(kind);
        kinds.push(*kind);
        let paper = stock.paper.clone();
        let paper = paper.map(|p| if second { p.join(name) } else { p });
        bus.plug(name, stock.twin(device, paper)?);
    }
    Ok(())
}

/// Does what every device's `at_start` says.
pub fn start(
    bus: &TwinBus,
    devices: &[Spanned<DeviceFile>],
    text: &str,
) -> Result<(), BranchError> {
    for device in devices {
        let device = device.get_ref();
        let name = device.name.get_ref();
        for act in &device.at_start {
            bus.desk(&format!("{name} {}", act.get_ref()))
                .map_err(|refused| {
                    let before = text.get(..act.span().start).unwrap_or(text);
                    let line = before.matches('\n').count().saturating_add(1);
                    let what = format!("the desk of {name} refuses `{}`: {refused}", act.get_ref());
                    BranchError::Line { line, what }
                })?;
        }
    }
    Ok(())
}
