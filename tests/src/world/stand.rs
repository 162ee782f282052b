//! Which devices stand in the branch: the demo's, or one of them of another family.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

use anyhow::Context as _;
use counterfoil_data::demo::DemoBank;
use counterfoil_devices::driver::Role;
use counterfoil_devices::driver::form_station::FormSettings;
use counterfoil_devices::transport::twin_bus::TwinBus;
use counterfoil_devices::twin::Twin;
use counterfoil_devices::twin::escp2_printer::Escp2PrinterTwin;
use counterfoil_devices::twin::pr2_printer::Pr2PrinterTwin;
use counterfoil_devices::twin::receipt_printer::ReceiptPrinterTwin;
use counterfoil_devices::twin::slip_station::{Sensors, SlipStationTwin};
use counterfoil_tui::host::ReceiptSettings;
use serde_json::json;

/// The devices of a branch, by the word that scripts and the command line use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Stand {
    /// Form printer with cassettes, receipt printer with a cutter.
    #[default]
    Demo,
    /// Form printer with 24 pins, fed by hand; an operator reads its numbers.
    Escp2,
    /// The same with a printer whose port tells nothing of a form.
    Escp2Unsensed,
    /// Form printer in PR2 emulation, fed by hand; an operator reads its numbers.
    Pr2,
    /// ESC/POS slip station, fed by hand, whose magnetic reader reads the numbers.
    SlipStation,
    /// One without a reader, and with other sensors: an operator reads.
    SlipStationTyped,
    /// Receipt printer with a presenter.
    Presenter,
}

impl Stand {
    /// Every word.
    pub const NAMES: [&'static str; 7] = [
        "demo",
        "escp2",
        "escp2-unsensed",
        "pr2",
        "slip-station",
        "slip-station-typed",
        "presenter",
    ];

    /// By its word.
    pub fn named(word: &str) -> Option<Self> {
        Some(match word {
            "demo" => Self::Demo,
            "escp2" => Self::Escp2,
            "escp2-unsensed" => Self::Escp2Unsensed,
            "pr2" => Self::Pr2,
            "slip-station" => Self::SlipStation,
            "slip-station-typed" => Self::SlipStationTyped,
            "presenter" => Self::Presenter,
            _ => return None,
        })
    }

    /// Puts what differs from the demo in its place.
    pub fn furnish(
        self,
        bus: &TwinBus,
        bank: &DemoBank,
        paper: Option<PathBuf>,
    ) -> anyhow::Result<()> {
        let slot = bank.kiosks.first().and_then(|kiosk| kiosk.slots.first());
        let pile = slot.context("the demo kiosk has a slot")?.range()?;
        let twin: Rc<RefCell<dyn Twin>> = match self {
            Self::Demo => return Ok(()),
            Self::Presenter => {
                let twin = ReceiptPrinterTwin::new(paper).with_presenter();
                bus.plug(Role::ReceiptPrinter.name(), Rc::new(RefCell::new(twin)));
                return Ok(());
            }
            Self::Escp2 => Rc::new(RefCell::new(Escp2PrinterTwin::new(pile, paper))),
            Self::Escp2Unsensed => {
                let twin = Escp2PrinterTwin::new(pile, paper).with_constant_port();
                Rc::new(RefCell::new(twin))
            }
            Self::Pr2 => Rc::new(RefCell::new(Pr2PrinterTwin::new(pile, paper))),
            Self::SlipStation => Rc::new(RefCell::new(SlipStationTwin::new(pile, paper))),
            Self::SlipStationTyped => {
                let twin = SlipStationTwin::new(pile, paper).without_reader();
                let twin = twin.with_sensors(Sensors::ExitFirst);
                Rc::new(RefCell::new(twin))
            }
        };
        bus.plug(Role::FormPrinter.name(), twin);
        Ok(())
    }

    /// What the kiosk's configuration says of its form printer.
    pub(super) fn forms(self) -> anyhow::Result<FormSettings> {
        let table = match self {
            Self::Demo | Self::Presenter => return Ok(FormSettings::default()),
            Self::Escp2 => json!({"family": "escp2", "number": "operator"}),
            Self::Escp2Unsensed => json!({
                "family": "escp2", "number": "operator", "presence": "operator",
            }),
            Self::SlipStation => json!({"family": "slip-station", "number": "micr"}),
            Self::SlipStationTyped => json!({
                "family": "slip-station", "number": "operator", "slip": "tm-u295",
            }),
            Self::Pr2 => json!({
                "family": "pr2", "number": "operator", "codes": {
                    "status": {"0": "ready", "2": "jammed", "4": "cover-open", "8": "ribbon-out"},
                    "position": {"0": "absent", "1": "entry", "2": "inside"},
                },
            }),
        };
        Ok(serde_json::from_value(table)?)
    }

    /// What it says of the receipt printer.
    pub(super) fn receipts(self) -> ReceiptSettings {
        ReceiptSettings {
            presenter: self == Self::Presenter,
        }
    }
}
