//! The twins, served over USB/IP to this computer's own kernel, and the hands at their
//! desks. A process of its own, as `counterfoil-devices simulate` is; it takes a line and
//! answers `ok TEXT` or `err TEXT`:
//!
//! ```text
//! twin LINE                  a line of the desk: `twin id-reader present zhang`
//! after MS LINE              the same a moment later
//! when NAME COUNTER MS LINE  the same so long after the counter has risen
//! look NAME                  what lies where
//! since                      milliseconds since the last cable was pulled
//! ```

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use anyhow::Context as _;
use counterfoil_data::bill::{BillNumber, BillRange};
use counterfoil_data::demo::{self, DemoBank};
use counterfoil_data::seam::SharedClock;
use counterfoil_devices::system::{SystemEntropy, TokioClock};
use counterfoil_devices::transport::twin_bus::TwinBus;
use counterfoil_devices::transport::usbip::{self, Address, Listener};
use counterfoil_devices::twin::Twin;
use counterfoil_devices::twin::branch::Branch;
use counterfoil_devices::twin::escp2_printer::Escp2PrinterTwin;
use counterfoil_devices::twin::finger_module::FingerSpec;
use counterfoil_devices::twin::fingers::SensorKind;
use counterfoil_devices::twin::form_printer::FormPrinterTwin;
use counterfoil_devices::twin::pr2_printer::Pr2PrinterTwin;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

use crate::LOOK_EVERY;
use crate::guest::sample;

/// How long a counter is watched.
const WATCH_WITHIN: Duration = Duration::from_secs(30);

/// Where USB/IP is served.
pub const USBIP: &str = "127.0.0.1:3240";
/// Where hands take lines.
pub const HANDS: &str = "127.0.0.1:3241";

/// Serves until killed.
pub async fn serve() -> anyhow::Result<()> {
    let clock: SharedClock = Rc::new(TokioClock::system());
    let bank = demo::bank()?;
    let bus = Branch::demo(&bank, clock.clone(), Rc::new(SystemEntropy), None);
    for (name, twin) in twins(&bank)? {
        bus.plug(name, twin);
    }
    let address: Address = USBIP.parse()?;
    let listener = Listener::bind(&address).await?;
    tokio::task::spawn_local(usbip::serve(bus.clone(), listener));
    let hands = Hands {
        bus,
        clock,
        pulled: Rc::default(),
    };
    let listener = TcpListener::bind(HANDS).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        while stream.read_line(&mut line).await? > 0 {
            let words: Vec<&str> = line.split_whitespace().collect();
            let answer = match hands.act(&words) {
                Ok(text) => format!("ok {text}\n"),
                Err(error) => format!("err {error:#}\n"),
            };
            stream.get_mut().write_all(answer.as_bytes()).await?;
            line.clear();
        }
    }
}

/// What a person at the devices can do.
struct Hands {
    bus: TwinBus,
    clock: SharedClock,
    pulled: Rc<Cell<Duration>>,
}

impl Hands {
    /// One act of the guest's script.
    fn act(&self, words: &[&str]) -> anyhow::Result<String> {
        match words {
            ["twin", line @ ..] => Ok(self.bus.desk(&line.join(" "))?),
            ["after", wait, line @ ..] => {
                let wait = Duration::from_millis(wait.parse()?);
                self.later(line, async move { wait })
            }
            ["when", name, counter, wait, line @ ..] => {
                let wait = Duration::from_millis(wait.parse()?);
                let (bus, name, counter) = (self.bus.clone(), (*name).to_owned(), *counter);
                let counter = counter.to_owned();
                let before = bus.counter(&name, &counter);
                self.later(line, async move {
                    let risen = async {
                        while bus.counter(&name, &counter) <= before {
                            tokio::time::sleep(LOOK_EVERY).await;
                        }
                    };
                    tokio::time::timeout(WATCH_WITHIN, risen).await.ok();
                    wait
                })
            }
            ["since"] => {
                let since = self.clock.monotonic().saturating_sub(self.pulled.get());
                Ok(since.as_millis().to_string())
            }
            ["look", name] => {
                let all = self.bus.look();
                let found = all.into_iter().find(|(is, _)| is == name);
                Ok(found.context("no such twin")?.1.join("; "))
            }
            _ => anyhow::bail!("nobody can do {words:?}"),
        }
    }

    /// A line of the desk after `ready` and its wait.
    fn later(
        &self,
        line: &[&str],
        ready: impl Future<Output = Duration> + 'static,
    ) -> anyhow::Result<String> {
        let (bus, clock, pulled) = (self.bus.clone(), self.clock.clone(), self.pulled.clone());
        let line = line.join(" ");
        tokio::task::spawn_local(async move {
            tokio::time::sleep(ready.await).await;
            if line.ends_with(" unplug") {
                pulled.set(clock.monotonic());
            }
            if let Err(error) = bus.desk(&line) {
                crate::say(&format!("lab: {line}: {error}"));
            }
        });
        Ok("armed".into())
    }
}

type Named = (&'static str, Rc<RefCell<dyn Twin>>);

/// What a branch has besides: every finger sensor, every form printer.
fn twins(bank: &DemoBank) -> anyhow::Result<Vec<Named>> {
    let sensor = |kind: &str| -> anyhow::Result<_> {
        let kind: SensorKind = kind.parse()?;
        Ok(kind.twin(FingerSpec::demo(bank)))
    };
    let first: BillNumber = sample::FIRST.parse()?;
    let pile = BillRange::from_count(first, sample::COUNT)?;
    let slot = ("slot-1".parse()?, pile);
    Ok(vec![
        ("finger-cp210x", sensor("cp210x")?),
        ("finger-ch340", sensor("ch340")?),
        ("finger-uru4500", sensor("uru4500")?),
        (
            "form-printer",
            Rc::new(RefCell::new(FormPrinterTwin::new([slot], None))),
        ),
        (
            "slip-24-pin",
            Rc::new(RefCell::new(Escp2PrinterTwin::new(pile, None))),
        ),
        (
            "slip-pr2",
            Rc::new(RefCell::new(Pr2PrinterTwin::new(pile, None))),
        ),
    ])
}
