//! The host against the twins of the demo branch, in virtual time.

mod finger;
mod forms;
mod guard;
mod sheet;

use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use counterfoil_data::ids::SaleId;
use counterfoil_data::sealed::{Binding, Challenge, OpenKey};
use counterfoil_data::seam::{SharedClock, SharedEntropy};
use counterfoil_data::sign::{SignerId, SigningIdentity};
use counterfoil_data::wire::unhex;
use counterfoil_devices::driver::form_station::FormSettings;
use counterfoil_devices::system::{SystemEntropy, TokioClock};
use counterfoil_devices::transport::twin_bus::TwinBus;
use counterfoil_devices::twin::branch::Branch;
use counterfoil_devices::twin::card_reader::demo_capks;

use super::*;
use crate::flow::effect::Sealing;
use crate::model::{CardProblem, DocumentProblem};

struct Desks {
    host: Host,
    bus: TwinBus,
    events: mpsc::Receiver<Event>,
    clock: SharedClock,
    open: OpenKey,
    sealing: Sealing,
    next: u64,
    _tasks: JoinSet<()>,
}

fn run<F: Future<Output = ()>>(test: impl FnOnce(Desks) -> F) {
    run_with(None, test);
}

/// The same with printed paper kept in a folder.
fn run_with<F: Future<Output = ()>>(paper: Option<PathBuf>, test: impl FnOnce(Desks) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let desks = Desks::new(paper);
        test(desks).await;
    });
}

fn identity() -> SigningIdentity {
    let id = SignerId::Kiosk("kiosk-1".parse().expect("an id"));
    SigningIdentity::new(&id, &[5; 32])
}

impl Desks {
    fn new(paper: Option<PathBuf>) -> Self {
        Self::with(paper, |_| None)
    }

    /// With a list of allowed devices, made of the bus as it is then.
    fn with(paper: Option<PathBuf>, allowed: impl FnOnce(&TwinBus) -> Option<Allowed>) -> Self {
        Self::configured(paper, FormSettings::default(), allowed)
    }

    fn configured(
        paper: Option<PathBuf>,
        forms: FormSettings,
        allowed: impl FnOnce(&TwinBus) -> Option<Allowed>,
    ) -> Self {
        let bank = counterfoil_data::demo::bank().expect("the demo bank");
        let start = "2026-11-23T02:00:00Z".parse().expect("a time");
        let clock: SharedClock = Rc::new(TokioClock::starting_at(start));
        let entropy: SharedEntropy = Rc::new(SystemEntropy);
        let bus = Branch::demo(&bank, clock.clone(), entropy.clone(), paper);
        let tools = Rc::new(Tools {
            clock: clock.clone(),
            entropy,
            identity: Rc::new(identity()),
            capks: demo_capks().expect("the demo's scheme keys"),
            allowed: allowed(&bus),
            forms,
            presents: None,
            time_zone: TimeZone::UTC,
        });
        let (sender, events) = mpsc::channel(64);
        let mut tasks = JoinSet::new();
        let host = Host::start(&Rc::new(bus.clone()), &tools, &sender, &mut tasks);
        let (open, key) = OpenKey::derive(&[9; 32]);
        let binding = Binding {
            sale: SaleId(7),
            challenge: Challenge([3; 16]),
        };
        Self {
            host,
            bus,
            events,
            clock,
            open,
            sealing: Sealing { binding, key },
            next: 0,
            _tasks: tasks,
        }
    }

    fn ask(&mut self, desk: Desk, act: Act) -> Ticket {
        self.next = self.next.saturating_add(1);
        let ticket = Ticket {
            desk,
            generation: self.next,
        };
        assert!(self.host.ask(ticket, act));
        ticket
    }

    fn desk(&self, line: &str) {
        self.bus.desk(line).expect("the desk does it");
    }

    async fn event(&mut self) -> Event {
        tokio::select! {
            event = self.events.recv() => event.expect("the host lives"),
            () = self.clock.sleep(Duration::from_secs(120)) => panic!("nothing happened"),
        }
    }

    /// The next answer under this ticket.
    async fn answer(&mut self, ticket: Ticket) -> Answer {
        loop {
            if let Event::Answered(of, answer) = self.event().await {
                assert_eq!(of, ticket, "{answer:?} under another ticket");
                return answer;
            }
        }
    }

    async fn state(&mut self, desk: Desk) -> DeviceState {
        loop {
            match self.event().await {
                Event::Device(of, state) if of == desk => return state,
                _ => {}
            }
        }
    }

    async fn all_ready(&mut self) {
        for _ in Desk::DEVICES {
            let event = self.event().await;
            assert!(
                matches!(event, Event::Device(_, DeviceState::Ready)),
                "{event:?}"
            );
        }
    }

    fn count(&self, twin: &str, what: &str) -> u64 {
        let counters = self.bus.counters(twin);
        let count = counters.iter().find(|(name, _)| *name == what);
        count.map(|(_, n)| *n).expect("a counter")
    }
}

#[test]
fn every_device_of_the_branch_says_hello() {
    run(|mut desks| async move { desks.all_ready().await });
}

#[test]
fn a_document_is_read_sealed_and_its_authenticity_signed_for_this_attempt() {
    run(|mut desks| async move {
        desks.all_ready().await;
        let ticket = desks.ask(Desk::Document, Act::ReadDocument(desks.sealing));
        desks.desk("id-reader present zhang");
        assert!(matches!(
            desks.answer(ticket).await,
            Answer::DocumentPresent
        ));
        let Answer::DocumentRead {
            document,
            authenticity,
        } = desks.answer(ticket).await
        else {
            panic!("not read");
        };
        let binding = desks.sealing.binding;
        let fields = document.open(&desks.open, binding).expect("opens");
        assert_eq!(fields.number.expose(), "100000198501010013");
        let signature = unhex(&authenticity.signature).expect("hex");
        let signature: [u8; 64] = signature.try_into().expect("64 bytes");
        let signature = ed25519_dalek::Signature::from_bytes(&signature);
        let key = identity().key.verifying_key();
        assert!(
            key.verify_strict(&authenticity.statement(binding), &signature)
                .is_ok()
        );
        assert_eq!(authenticity.status, [0x9F, 0x90, 0x90], "S16");
    });
}

#[test]
fn a_document_is_sealed_again_for_the_next_attempt_but_not_after_the_session() {
    run(|mut desks| async move {
        desks.all_ready().await;
        desks.desk("id-reader present zhang");
        let ticket = desks.ask(Desk::Document, Act::ReadDocument(desks.sealing));
        desks.answer(ticket).await;
        desks.answer(ticket).await;
        let ticket = desks.ask(Desk::Document, Act::SealDocument(desks.sealing));
        assert!(matches!(
            desks.answer(ticket).await,
            Answer::DocumentRead { .. }
        ));
        desks.host.wipe();
        let ticket = desks.ask(Desk::Document, Act::SealDocument(desks.sealing));
        let again = DocumentProblem::LiftAndReplace;
        assert!(matches!(
            desks.answer(ticket).await,
            Answer::DocumentProblem(problem) if problem == again
        ));
    });
}

#[test]
fn a_forged_document_is_not_authentic_and_the_sensor_stays_dark() {
    run(|mut desks| async move {
        desks.all_ready().await;
        desks.desk("id-reader present zhang-forged");
        let ticket = desks.ask(Desk::Document, Act::ReadDocument(desks.sealing));
        desks.answer(ticket).await;
        assert!(
            matches!(desks.answer(ticket).await, Answer::DocumentNotAuthentic),
            "S16"
        );
        assert_eq!(desks.count("finger", "arms"), 0);
        assert_eq!(desks.count("finger", "images"), 0);
    });
}

#[test]
fn a_card_that_is_out_of_date_is_told_so_and_must_be_pulled_before_the_next_try() {
    run(|mut desks| async move {
        desks.all_ready().await;
        desks.desk("card-reader insert old-card");
        let ticket = desks.ask(Desk::Card, Act::ReadCard(desks.sealing));
        assert!(matches!(desks.answer(ticket).await, Answer::CardPresent));
        assert!(matches!(
            desks.answer(ticket).await,
            Answer::CardProblem(CardProblem::Expired)
        ));
        let ticket = desks.ask(Desk::Card, Act::ReadCard(desks.sealing));
        desks.clock.sleep(Duration::from_secs(5)).await;
        assert!(
            desks.events.try_recv().is_err(),
            "the old card was read again"
        );
        desks.desk("card-reader remove");
        desks.clock.sleep(Duration::from_secs(2)).await;
        desks.desk("card-reader insert zhang-card");
        assert!(matches!(desks.answer(ticket).await, Answer::CardPresent));
        let Answer::CardRead { card, .. } = desks.answer(ticket).await else {
            panic!("not read");
        };
        let pan = card
            .open(&desks.open, desks.sealing.binding)
            .expect("opens");
        assert_eq!(pan.0.expose(), "6217000000000000004");
    });
}

#[test]
fn a_request_that_is_not_wanted_any_more_is_never_answered() {
    run(|mut desks| async move {
        desks.all_ready().await;
        desks.ask(Desk::PinPad, Act::StartPin(desks.sealing));
        desks.clock.sleep(Duration::from_secs(1)).await;
        desks.host.stop(Desk::PinPad);
        desks.clock.sleep(Duration::from_secs(2)).await;
        assert!(
            desks.bus.desk("pin-pad enter @zhang-pin").is_err(),
            "no entry runs"
        );
        assert!(desks.events.try_recv().is_err());
    });
}

#[test]
fn an_unplugged_device_is_missing_and_comes_back_when_plugged_in() {
    run(|mut desks| async move {
        desks.all_ready().await;
        desks.desk("id-reader unplug");
        let ticket = desks.ask(Desk::Document, Act::ReadDocument(desks.sealing));
        assert!(matches!(desks.answer(ticket).await, Answer::Fault(_)));
        assert_eq!(desks.state(Desk::Document).await, DeviceState::Missing);
        desks.desk("id-reader replug");
        assert_eq!(desks.state(Desk::Document).await, DeviceState::Ready);
    });
}

#[test]
fn a_card_that_lay_there_when_the_reader_was_opened_again_must_be_lifted_first() {
    run(|mut desks| async move {
        desks.all_ready().await;
        desks.desk("id-reader present zhang");
        let ticket = desks.ask(Desk::Document, Act::ReadDocument(desks.sealing));
        desks.answer(ticket).await;
        desks.answer(ticket).await;
        desks.desk("id-reader mute");
        let ticket = desks.ask(Desk::Document, Act::WatchDocument);
        assert!(matches!(desks.answer(ticket).await, Answer::Fault(_)));
        desks.desk("id-reader talk");
        assert_eq!(desks.state(Desk::Document).await, DeviceState::Missing);
        assert_eq!(desks.state(Desk::Document).await, DeviceState::Ready);
        let ticket = desks.ask(Desk::Document, Act::ReadDocument(desks.sealing));
        // Somebody is told to lift it, once; it is not read.
        assert!(matches!(desks.answer(ticket).await, Answer::DocumentLies));
        desks.clock.sleep(Duration::from_secs(10)).await;
        assert!(desks.events.try_recv().is_err(), "the last customer's card");
        desks.desk("id-reader remove");
        desks.clock.sleep(Duration::from_secs(2)).await;
        desks.desk("id-reader present li");
        let present = desks.answer(ticket).await;
        assert!(matches!(present, Answer::DocumentPresent));
    });
}

#[test]
fn a_receipt_prints_in_both_languages() {
    for language in [crate::model::Language::ZhHans, crate::model::Language::En] {
        run(|mut desks| async move {
            desks.all_ready().await;
            let receipt = Box::new(crate::flow::tests::wire::sample_receipt());
            let act = Act::PrintReceipt { receipt, language };
            let ticket = desks.ask(Desk::Receipt, act);
            assert!(matches!(desks.answer(ticket).await, Answer::ReceiptPrinted));
        });
    }
}
