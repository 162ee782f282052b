//! The kits of form printers that a person feeds by hand: 24 pins (ESC/P2), PR2
//! emulation, and ESC/POS slip stations.
//!
//! All have the same acts and the same promises of their drivers; what each says on
//! the bus is in a list of its own. Every blank is put in by somebody's hand.

mod acts;
mod escp2;
mod forms;
mod pr2;
mod reader;
mod station;
mod wire;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use counterfoil_data::bill::BillNumber;
use counterfoil_data::form::Offset;
use counterfoil_data::seam::Local;

use super::bench::Bench;
use super::form_printer::sale_of_one;
use super::{Check, Stop, Subject};
use crate::driver::form_printer::{Occupancy, PrintOutcome};
use crate::driver::form_station::{Family, FormSettings, FormStation};
use crate::driver::numbered::Readback;
use crate::transport::Bus;

/// Time for a hand, and for one form.
pub(crate) const LONG: Duration = Duration::from_secs(60);
/// When a hand puts the form in, behind the beginning of the feed.
const HAND: Duration = Duration::from_secs(1);
/// The codes of the PR2's twin; a real one's are learnt and configured.
const TWIN_CODES: &str = "[codes.status]\n0 = \"ready\"\n2 = \"jammed\"\n4 = \"cover-open\"\n\
                          8 = \"ribbon-out\"\n[codes.position]\n0 = \"absent\"\n1 = \"entry\"\n\
                          2 = \"inside\"";

type Station<B> = FormStation<<B as Bus>::Transport>;

/// The printer under test.
pub struct SlipBench<B> {
    bench: Bench<B>,
    settings: FormSettings,
    /// The number a person typed for the form that is in the printer.
    typed: RefCell<Option<BillNumber>>,
}

impl<B: Bus> SlipBench<B> {
    /// With the kiosk's settings, or those of the twin without any.
    ///
    /// # Errors
    /// Why the settings cannot be used.
    pub fn new(
        bench: Bench<B>,
        family: Family,
        settings: Option<FormSettings>,
    ) -> Result<Self, toml::de::Error> {
        let mut settings = match settings {
            Some(settings) => settings,
            None if family == Family::Pr2 => toml::from_str(TWIN_CODES)?,
            None => FormSettings::default(),
        };
        settings.family = Some(family);
        settings.number = Readback::Operator;
        Ok(Self {
            bench,
            settings,
            typed: RefCell::default(),
        })
    }

    async fn open(&self) -> Result<Station<B>, Stop> {
        self.open_with(Offset::default()).await
    }

    async fn open_with(&self, offset: Offset) -> Result<Station<B>, Stop> {
        let mut settings = self.settings.clone();
        if let Ok(slot) = "slot-1".parse() {
            settings.offsets = BTreeMap::from([(slot, offset)]);
        }
        self.open_as(settings).await
    }

    /// With somebody else to read the number.
    async fn open_read_by(&self, number: Readback) -> Result<Station<B>, Stop> {
        let settings = self.settings.clone();
        self.open_as(FormSettings { number, ..settings }).await
    }

    async fn open_as(&self, settings: FormSettings) -> Result<Station<B>, Stop> {
        let usb = self.bench.open().await?;
        let clock = self.bench.clock.clone();
        Ok(FormStation::open(usb, clock, &*self.bench.entropy, &settings).await?)
    }

    /// A form is put in by a hand while the printer waits for it.
    async fn fed(&self, printer: &mut Station<B>) -> Result<(), Stop> {
        let slot = "slot-1".parse().map_err(|_| Stop::seen("no slot"))?;
        let feeding = printer.feed(&slot, LONG);
        let words = "put a blank form into the printer";
        self.bench.during(feeding, HAND, "insert", words).await??;
        Ok(())
    }

    /// What an operator reads from the form in the printer.
    async fn number(&self) -> Result<BillNumber, Stop> {
        if let Some(look) = self.bench.hands.look(&self.bench.path).await? {
            let fact = look
                .split("; ")
                .find_map(|fact| fact.strip_prefix("printer: "));
            let number = fact.and_then(|number| number.parse().ok());
            return number.ok_or_else(|| Stop::seen("no form lies in the printer"));
        }
        let words = "type the 16 digits of the form in the printer";
        let typed = self.bench.hands.typed(words).await?;
        let number = typed.and_then(|t| t.replace(' ', "").parse().ok());
        number.ok_or_else(|| Stop::Skipped("that is no bill number".into()))
    }

    /// Fed, and its number read by the operator.
    async fn read(&self, printer: &mut Station<B>) -> Result<BillNumber, Stop> {
        self.fed(printer).await?;
        let number = self.number().await?;
        Ok(printer.operator_reads(number, number)?)
    }

    /// Fed, read and printed; what came of it.
    async fn print(&self, printer: &mut Station<B>) -> Result<PrintOutcome, Stop> {
        let number = self.read(printer).await?;
        let (job, text) = sale_of_one(number, "slot-1")?;
        Ok(printer.print(&job, &text, LONG).await)
    }

    /// What lies at the front goes away, so that the next one is seen.
    async fn take(&self) -> Result<(), Stop> {
        self.bench.act("empty", "take every form away").await
    }

    /// Nothing lies in it.
    async fn at_rest(&self) -> Result<Station<B>, Stop> {
        let mut printer = self.open().await?;
        let mut status = printer.status().await?;
        if status.jam {
            // One that was cleared stays an error until it is told so.
            let _ = printer.divert(LONG).await;
            status = printer.status().await?;
        }
        if let Some(fault) = status.fault {
            return Err(Stop::Failed(format!("it reports a fault at rest: {fault}")));
        }
        if status.transport == Occupancy::Occupied {
            printer.divert(LONG).await?;
            status = printer.status().await?;
        }
        if status.output == Occupancy::Occupied {
            self.take().await?;
        }
        Ok(printer)
    }
}

impl<B: Bus> Subject for SlipBench<B> {
    type Bus = B;

    fn bench(&self) -> &Bench<B> {
        &self.bench
    }

    fn settle(&self) -> Local<'_, Result<(), String>> {
        Box::pin(async {
            self.typed.replace(None);
            let words = "close every cover, clear every jam, take every form out";
            let acts = ["replug", "cover close", "ribbon ok", "clear jam", "empty"];
            self.bench.put_in_order(&acts, words).await?;
            self.at_rest().await.map(drop).map_err(|stop| match stop {
                Stop::Failed(seen) => seen,
                Stop::Skipped(why) => why,
            })
        })
    }
}

/// Every check of a 24-pin printer, in order.
pub fn escp2_kit<B: Bus>() -> Vec<Check<SlipBench<B>>> {
    escp2::checks()
}

/// Every check of a printer in PR2 emulation, in order.
pub fn pr2_kit<B: Bus>() -> Vec<Check<SlipBench<B>>> {
    pr2::checks()
}

/// Every check of an ESC/POS slip station, in order.
pub fn station_kit<B: Bus>() -> Vec<Check<SlipBench<B>>> {
    station::checks()
}
