//! Both ends of USB/IP over real sockets and in-memory streams.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use counterfoil_data::seam::SharedClock;
use jiff::Timestamp;
use tokio::io::DuplexStream;

use super::*;
use crate::driver::pin_pad::UsbPinPad;
use crate::driver::sdt::{IdRead, IdReader};
use crate::system::TokioClock;
use crate::transport::twin_bus::TwinBus;
use crate::transport::twin_bus::tests::Echo;
use crate::transport::{Bus, DeviceInfo, Setup, Stage, Transport, UsbError};
use crate::twin::id_reader::{IdReaderTwin, SampleDocument, TextBlock, UsbLayout};
use crate::twin::pin_pad::PinPadTwin;

mod by_hand;

const SECOND: Duration = Duration::from_secs(1);

/// In-memory connections to a server of `bus`.
struct InMemory(TwinBus);

impl Connect for InMemory {
    type Stream = DuplexStream;

    async fn connect(&self) -> io::Result<DuplexStream> {
        let (ours, theirs) = tokio::io::duplex(4096);
        let bus = self.0.clone();
        tokio::task::spawn_local(async move {
            server::converse(&bus, theirs).await.ok();
        });
        Ok(ours)
    }
}

fn twins(clock: &SharedClock) -> TwinBus {
    let bus = TwinBus::new(clock.clone());
    let text = TextBlock::resident("样例甲", 2, "19491231", "11010519491231002X")
        .issued("北京市朝阳区样例路1号", "北京市公安局朝阳分局")
        .valid("20100101", "长期");
    let document = SampleDocument {
        name: "jia".into(),
        genuine: true,
        text,
        finger_len: 1024,
    };
    let reader = IdReaderTwin::new(UsbLayout::Split, vec![document]);
    bus.plug("id-reader", Rc::new(RefCell::new(reader)));
    let pad = PinPadTwin::new(Vec::new(), Rc::new(crate::system::SystemEntropy));
    bus.plug("pin-pad", Rc::new(RefCell::new(pad)));
    bus
}

fn run<F: Future<Output = ()>>(paused: bool, body: impl FnOnce(TwinBus, SharedClock) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(paused)
        .build()
        .expect("a runtime");
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let clock: SharedClock = Rc::new(TokioClock::starting_at(Timestamp::UNIX_EPOCH));
        let bus = twins(&clock);
        body(bus, clock).await;
    });
}

async fn read_card<B: Bus>(bus: &B, clock: &SharedClock) -> (DeviceInfo, IdRead) {
    let transport = bus.open("id-reader").await.expect("opens");
    let info = transport.info().clone();
    let mut reader = IdReader::open(transport, clock.clone())
        .await
        .expect("hello");
    let read = reader.read(5 * SECOND).await.expect("reads");
    (info, read)
}

fn facts(read: &IdRead) -> (String, String, crate::driver::sdt::ReadEvidence) {
    let document = &read.document;
    let evidence = crate::driver::sdt::ReadEvidence {
        at: Timestamp::UNIX_EPOCH,
        ..read.evidence.clone()
    };
    (
        document.name.expose().clone(),
        document.number.expose().clone(),
        evidence,
    )
}

#[test]
fn the_same_card_reads_the_same_in_process_and_over_usb_ip() {
    run(true, |bus, clock| async move {
        bus.desk("id-reader present jia").expect("lies there");
        let (info, read) = read_card(&bus, &clock).await;
        bus.desk("id-reader remove").expect("lifts");
        bus.desk("id-reader present jia").expect("lies there");
        let far = UsbIpBus::new(InMemory(bus.clone()), clock.clone());
        let (far_info, far_read) = read_card(&far, &clock).await;
        assert_eq!(facts(&far_read), facts(&read));
        assert_eq!(far_info, info, "descriptors survive the wire");
    });
}

#[test]
fn the_same_over_a_unix_socket_and_tcp_loopback_in_real_time() {
    let folder = std::env::temp_dir().join(format!("counterfoil-usbip-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("twins.sock");
    let unix = Address::Unix(path);
    let tcp = "127.0.0.1:0".parse().expect("an address");
    run(false, |bus, clock| async move {
        for address in [unix, tcp] {
            let listener = Listener::bind(&address).await.expect("binds");
            let address = listener.address().expect("an address");
            let serving = tokio::task::spawn_local(serve(bus.clone(), listener));
            let far = UsbIpBus::new(address, clock.clone());
            let listed = far.list().await.expect("lists");
            assert_eq!(listed, bus.list_now());
            bus.desk("id-reader present jia").expect("lies there");
            let (_, read) = read_card(&far, &clock).await;
            assert_eq!(read.document.name.expose(), "样例甲");
            bus.desk("id-reader remove").expect("lifts");
            serving.abort();
        }
    });
    std::fs::remove_dir_all(&folder).expect("removes its folder");
}

#[test]
fn a_read_that_runs_out_of_time_is_unlinked_and_the_next_one_gets_the_bytes() {
    run(true, |bus, clock| async move {
        let far = UsbIpBus::new(InMemory(bus.clone()), clock.clone());
        let usb = far.open("id-reader").await.expect("opens");
        let before = clock.monotonic();
        assert_eq!(usb.read(0x81, 64, 700 * MS).await, Err(UsbError::Timeout));
        assert_eq!(clock.monotonic() - before, 700 * MS);
        usb.write(0x02, &[0xaa, 0xaa, 0xaa, 0x96, 0x69, 0, 3], SECOND)
            .await
            .expect("head");
        usb.write(0x06, &[0x11, 0xff, 0xed], SECOND)
            .await
            .expect("body");
        let head = usb.read(0x81, 64, SECOND).await.expect("answers");
        assert_eq!(head.bytes, [0xaa, 0xaa, 0xaa, 0x96, 0x69, 0, 4]);
        assert!(head.short);
    });
}

const MS: Duration = Duration::from_millis(1);

#[test]
fn a_dropped_read_is_unlinked_too_and_stop_in_ends_a_posted_one() {
    run(true, |bus, clock| async move {
        let far = UsbIpBus::new(InMemory(bus.clone()), clock.clone());
        let usb = far.open("id-reader").await.expect("opens");
        tokio::select! {
            biased;
            got = usb.read(0x81, 64, 9 * SECOND) => panic!("{got:?}"),
            () = clock.sleep(50 * MS) => {}
        }
        let stop = async {
            clock.sleep(50 * MS).await;
            let refused = usb.clear_halt(0x81).await;
            assert!(matches!(refused, Err(UsbError::Other(_))));
            usb.stop_in(0x81).await
        };
        let (got, stopped) = tokio::join!(usb.read(0x81, 64, 9 * SECOND), stop);
        assert_eq!((got, stopped), (Err(UsbError::Timeout), Ok(())));
        assert_eq!(usb.clear_halt(0x81).await, Ok(()));
        assert!(clock.monotonic() < SECOND);
    });
}

#[test]
fn stalls_missing_strings_and_a_pulled_cable_arrive_as_what_they_are() {
    run(true, |bus, clock| async move {
        let far = UsbIpBus::new(InMemory(bus.clone()), clock.clone());
        let usb = far.open("id-reader").await.expect("opens");
        let vendor = Setup {
            request_type: 0xc0,
            request: 0x42,
            value: 0,
            index: 0,
        };
        let got = usb.control(vendor, Stage::In(8), SECOND).await;
        assert_eq!(got, Err(UsbError::Stall));
        assert_eq!(usb.write(0x0e, &[1], SECOND).await, Err(UsbError::Stall));
        assert_eq!(usb.clear_halt(0x0e).await, Ok(()));
        bus.desk("id-reader unplug").expect("pulls");
        assert_eq!(usb.read(0x81, 64, SECOND).await, Err(UsbError::NoDevice));
        assert!(matches!(
            far.open("id-reader").await,
            Err(UsbError::NoDevice)
        ));
        assert_eq!(far.list().await.expect("lists").len(), 1);
    });
}

#[test]
fn a_killed_client_lets_the_device_go_and_the_next_one_opens_it() {
    run(true, |bus, clock| async move {
        let far = UsbIpBus::new(InMemory(bus.clone()), clock.clone());
        let pad = far.open("pin-pad").await.expect("opens");
        let pad = UsbPinPad::open(pad, clock.clone()).await.expect("hello");
        assert!(matches!(bus.open_now("pin-pad"), Err(UsbError::Busy(_))));
        let gone = bus.counter("id-reader", "hosts-gone");
        drop(pad);
        let again = far.open("pin-pad").await.expect("opens again");
        assert!(UsbPinPad::open(again, clock.clone()).await.is_ok());
        assert_eq!(
            bus.counter("id-reader", "hosts-gone"),
            gone,
            "only its own device"
        );
    });
}

#[test]
fn bytes_that_moved_before_a_write_ran_out_of_time_are_counted() {
    run(true, |bus, clock| async move {
        let echo = Echo::with_room(4);
        bus.plug("echo", Rc::new(RefCell::new(echo)));
        let far = UsbIpBus::new(InMemory(bus.clone()), clock.clone());
        let usb = far.open("echo").await.expect("opens");
        assert_eq!(usb.write(0x01, b"abcdef", 100 * MS).await, Ok(4));
        assert_eq!(
            usb.write(0x01, b"ef", 100 * MS).await,
            Err(UsbError::Timeout)
        );
        assert_eq!(
            usb.read(0x82, 64, SECOND).await.expect("reads").bytes,
            b"abcd"
        );
    });
}

#[test]
fn a_client_that_says_nothing_is_let_go() {
    run(true, |bus, clock| async move {
        let (_ours, theirs) = tokio::io::duplex(4096);
        let ended = server::converse(&bus, theirs).await;
        assert_eq!(
            ended.err().map(|error| error.kind()),
            Some(io::ErrorKind::TimedOut)
        );
        assert!(clock.monotonic() <= 5 * SECOND);
    });
}

#[test]
fn a_desk_that_does_not_answer_is_not_waited_for_for_ever() {
    struct Mute(RefCell<Vec<DuplexStream>>);
    impl Connect for Mute {
        type Stream = DuplexStream;
        async fn connect(&self) -> io::Result<DuplexStream> {
            let (ours, theirs) = tokio::io::duplex(4096);
            self.0.borrow_mut().push(theirs);
            Ok(ours)
        }
    }
    run(true, |_, clock| async move {
        let said = desk::say(&Mute(RefCell::default()), "list").await;
        let kind = said.err().map(|error| error.kind());
        assert_eq!(kind, Some(io::ErrorKind::TimedOut));
        assert!(clock.monotonic() <= desk::SAY_WITHIN);
    });
}

#[test]
fn listening_replaces_a_dead_socket_and_no_other_file() {
    let folder = std::env::temp_dir().join(format!("counterfoil-listen-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let (file, socket) = (folder.join("notes.txt"), folder.join("dead.sock"));
    std::fs::write(&file, "kept").expect("writes");
    run(false, |_, _| async move {
        let refused = Listener::bind(&Address::Unix(file.clone())).await;
        assert!(refused.is_err());
        assert_eq!(std::fs::read_to_string(&file).expect("reads"), "kept");
        let address = Address::Unix(socket);
        let first = Listener::bind(&address).await.expect("binds");
        let second = Listener::bind(&address).await.err();
        let kind = second.map(|error| error.kind());
        assert_eq!(kind, Some(io::ErrorKind::AddrInUse));
        drop(first);
        assert!(Listener::bind(&address).await.is_ok(), "its file was left");
    });
    std::fs::remove_dir_all(&folder).expect("removes its folder");
}

#[test]
fn presence_is_told_without_opening_anything() {
    run(true, |bus, clock| async move {
        let far = UsbIpBus::new(InMemory(bus.clone()), clock.clone());
        assert_eq!(far.present("id-reader").await, Ok(true));
        bus.desk("id-reader unplug").expect("pulls");
        assert_eq!(far.present("id-reader").await, Ok(false));
        assert_eq!(bus.counter("pin-pad", "aborts"), 0);
        assert_eq!(bus.counter("id-reader", "hosts-gone"), 0);
    });
}

#[test]
fn a_server_that_dies_ends_every_transfer_with_no_device() {
    struct Mortal(TwinBus, RefCell<Option<tokio::task::JoinHandle<()>>>);
    impl Connect for &Mortal {
        type Stream = DuplexStream;
        async fn connect(&self) -> io::Result<DuplexStream> {
            let (ours, theirs) = tokio::io::duplex(4096);
            let bus = self.0.clone();
            let serving = tokio::task::spawn_local(async move {
                server::converse(&bus, theirs).await.ok();
            });
            self.1.replace(Some(serving));
            Ok(ours)
        }
    }
    run(true, |bus, clock| async move {
        // Leaked once: the connection's task outlives this borrow.
        let server: &'static Mortal = Box::leak(Box::new(Mortal(bus, RefCell::default())));
        let far = UsbIpBus::new(server, clock.clone());
        let usb = far.open("id-reader").await.expect("opens");
        let die = async {
            clock.sleep(50 * MS).await;
            server.1.take().expect("serves").abort();
        };
        let (got, ()) = tokio::join!(usb.read(0x81, 64, 9 * SECOND), die);
        assert_eq!(got, Err(UsbError::NoDevice));
        assert_eq!(usb.write(0x02, &[0], SECOND).await, Err(UsbError::NoDevice));
    });
}

#[test]
fn where_nobody_listens_listing_is_an_error_and_not_endless() {
    run(true, |bus, clock| async move {
        let address: Address = "127.0.0.1:1".parse().expect("an address");
        let nobody = UsbIpBus::new(address, clock.clone());
        drop(bus);
        assert!(matches!(nobody.list().await, Err(UsbError::Other(_))));
    });
}

#[test]
fn the_desk_socket_answers_one_line_for_each_line() {
    run(true, |bus, _| async move {
        struct Desk(TwinBus);
        impl Connect for Desk {
            type Stream = DuplexStream;
            async fn connect(&self) -> io::Result<DuplexStream> {
                let (ours, theirs) = tokio::io::duplex(4096);
                let bus = self.0.clone();
                tokio::task::spawn_local(async move {
                    desk::converse(&bus, theirs).await.ok();
                });
                Ok(ours)
            }
        }
        let desk = Desk(bus);
        let say = |line: &'static str| desk::say(&desk, line);
        assert_eq!(
            say("list").await.expect("answers"),
            Ok("id-reader pin-pad".into())
        );
        assert!(say("id-reader present jia").await.expect("answers").is_ok());
        let looked = say("look id-reader").await.expect("answers");
        assert_eq!(looked, Ok("on the plate: jia".into()));
        assert!(
            say("id-reader present nobody")
                .await
                .expect("answers")
                .is_err()
        );
        assert!(say("toaster on").await.expect("answers").is_err());
        let counted = say("counters id-reader")
            .await
            .expect("answers")
            .expect("ok");
        assert!(counted.starts_with("finds=0 selects=0"), "{counted}");
    });
}
