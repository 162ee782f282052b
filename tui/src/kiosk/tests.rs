//! The loop on the demo branch's twins, without a backend.

use std::io;
use std::rc::Rc;
use std::time::Duration;

use counterfoil_data::seam::{MemoryJournal, SharedClock, SharedEntropy};
use counterfoil_data::sign::{SignerId, SigningIdentity};
use counterfoil_devices::driver::form_station::FormSettings;
use counterfoil_devices::system::{SystemEntropy, TokioClock};
use counterfoil_devices::twin::branch::Branch;
use counterfoil_devices::twin::card_reader::demo_capks;
use tokio::io::DuplexStream;

use super::*;
use crate::model::{Body, ServiceFault};

struct Nobody;

impl Dial for Nobody {
    type Stream = DuplexStream;
    async fn dial(&self) -> io::Result<DuplexStream> {
        Err(io::ErrorKind::ConnectionRefused.into())
    }
}

/// A disk that cannot be read or written.
struct DeadDisk;

impl Journal for DeadDisk {
    fn load(&mut self) -> io::Result<Vec<Vec<u8>>> {
        Err(io::Error::other("dead"))
    }
    fn append(&mut self, _: &[u8]) -> io::Result<()> {
        Err(io::Error::other("dead"))
    }
    fn keep_only(&mut self, _: Option<&[u8]>) -> io::Result<()> {
        Err(io::Error::other("dead"))
    }
}

struct Lab {
    screens: mpsc::Receiver<KioskScreen>,
    input: mpsc::Sender<Cmd>,
    clock: SharedClock,
}

fn run_with<F: Future<Output = ()>>(
    journal: Box<dyn Journal>,
    test: impl FnOnce(Lab) -> F,
) -> Exit {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let bank = counterfoil_data::demo::bank().expect("the demo bank");
        let start = "2026-11-23T02:00:00Z".parse().expect("a time");
        let clock: SharedClock = Rc::new(TokioClock::starting_at(start));
        let entropy: SharedEntropy = Rc::new(SystemEntropy);
        let bus = Branch::demo(&bank, clock.clone(), entropy.clone(), None);
        let (screens, shown) = mpsc::channel(64);
        let (input, commands) = mpsc::channel(4);
        let id = SignerId::Kiosk("kiosk-1".parse().expect("an id"));
        let parts = Parts {
            bus: Rc::new(bus),
            dial: Nobody,
            authority: "backend".to_owned(),
            clock: clock.clone(),
            entropy,
            journal,
            identity: SigningIdentity::new(&id, &[5; 32]),
            capks: demo_capks().expect("the demo's scheme keys"),
            forms: FormSettings::default(),
            receipts: ReceiptSettings::default(),
            allowed: None,
            time_zone: TimeZone::UTC,
            settings: Settings::default(),
            screens,
            effects: EffectLog::default(),
        };
        let task = tokio::task::spawn_local(run(parts, commands));
        test(Lab {
            screens: shown,
            input,
            clock,
        })
        .await;
        task.await.expect("the loop ends")
    })
}

impl Lab {
    async fn fault(&mut self) -> ServiceFault {
        loop {
            let screen = tokio::select! {
                screen = self.screens.recv() => screen.expect("the loop lives"),
                () = self.clock.sleep(Duration::from_secs(60)) => panic!("no fault shown"),
            };
            if let Body::OutOfService { why } = screen.body {
                return why;
            }
        }
    }
}

#[test]
fn without_a_backend_the_kiosk_starts_and_then_says_that_it_is_offline() {
    let exit = run_with(Box::new(MemoryJournal::default()), |mut lab| async move {
        let first = lab.screens.recv().await.expect("a screen");
        assert_eq!(first.body, Body::Starting);
        assert_eq!(lab.fault().await, ServiceFault::Offline);
        lab.input.send(Cmd::Leave).await.expect("taken");
    });
    assert_eq!(exit, Exit::Left);
}

#[test]
fn a_journal_that_cannot_be_read_keeps_the_kiosk_from_selling() {
    let exit = run_with(Box::new(DeadDisk), |mut lab| async move {
        assert_eq!(lab.fault().await, ServiceFault::Journal);
    });
    assert_eq!(exit, Exit::InputClosed);
}

#[test]
fn the_loop_ends_when_nobody_looks_any_more() {
    let exit = run_with(Box::new(MemoryJournal::default()), |lab| async move {
        let Lab { screens, input, .. } = lab;
        drop(screens);
        tokio::task::yield_now().await;
        // Kept until the loop has noticed.
        std::mem::forget(input);
    });
    assert_eq!(exit, Exit::ScreenGone);
}
