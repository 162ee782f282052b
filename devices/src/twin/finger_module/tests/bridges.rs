//! The same module behind every bridge: what is above the bridge must not notice.

use super::*;
use crate::transport::UsbError;

/// Each kind in a world of its own.
fn behind_each(act: impl AsyncFn(BridgeKind, &TwinBus, &SharedClock)) {
    for kind in BridgeKind::ALL {
        run(async {
            let (bus, clock) = bus_behind(kind);
            act(kind, &bus, &clock).await;
        });
    }
}

/// Addresses of the bulk pair, OUT first.
fn pipes(bus: &TwinBus) -> (u8, u8) {
    let info = bus.list_now().remove(0);
    let ends = info.interfaces.iter().flat_map(|i| &i.endpoints);
    let bulk: Vec<u8> = ends.filter(|e| e.kind == 2).map(|e| e.address).collect();
    let find = |inward: bool| *bulk.iter().find(|a| (**a & 0x80 != 0) == inward).unwrap();
    (find(false), find(true))
}

#[test]
fn a_module_says_hello_is_raised_and_stays_dark_behind_every_bridge() {
    behind_each(async |kind, bus, clock| {
        let module = open(bus, clock).await;
        assert_eq!(module.baud(), 115_200, "{kind:?}");
        let parameters = module.parameters();
        assert_eq!((parameters.packet_code, parameters.rate_units), (3, 12));
        for counter in [
            "garbage-bytes",
            "garbled-bytes",
            "talked-over",
            "arms",
            "looks",
        ] {
            assert_eq!(bus.counter(NAME, counter), 0, "{kind:?}: {counter}");
        }
        drop(module);
        // The line is kept in flash: the next opening finds it at the second rate.
        let again = open(bus, clock).await;
        assert_eq!(again.baud(), 115_200, "{kind:?}");
        assert!(bus.counter(NAME, "garbage-bytes") > 0);
    });
}

#[test]
fn an_image_is_the_print_and_takes_the_time_of_the_line_behind_every_bridge() {
    let pressed = Finger::from_seed(1001).impression(&Contact::natural(7));
    let grey = |p: &u8| (p >> 4) * 17;
    let expected: Vec<u8> = pressed.pixels().iter().map(grey).collect();
    behind_each(async |kind, bus, clock| {
        let mut module = open(bus, clock).await;
        module.arm().await.unwrap();
        let none = module.wait_finger(clock.monotonic()).await;
        assert_eq!(none, Ok(false), "{kind:?}");
        bus.desk("finger place zhang seed 7").unwrap();
        assert_eq!(module.wait_finger(clock.monotonic() + SOON).await, Ok(true));
        let (start, mut percents) = (clock.monotonic(), Vec::new());
        let image = module.capture(|p| percents.push(p), WITHIN).await.unwrap();
        let took = clock.monotonic() - start;
        assert!(*image.pixels.expose() == expected, "{kind:?}: other pixels");
        // 3.34 s of line, a look of 180 ms, and an FTDI packet may wait 2 ms.
        assert!(took > Duration::from_millis(3300), "{kind:?}: {took:?}");
        assert!(took < Duration::from_millis(3900), "{kind:?}: {took:?}");
        assert!(percents.is_sorted() && percents.len() > 50, "{kind:?}");
        let here = module.wait_lifted(clock.monotonic()).await;
        assert_eq!(here, Ok(false));
        bus.desk("finger lift").unwrap();
        assert_eq!(module.wait_lifted(clock.monotonic() + SOON).await, Ok(true));
    });
}

#[test]
fn a_cable_pulled_inside_an_image_is_told_and_another_opening_works() {
    behind_each(async |kind, bus, clock| {
        let mut module = open(bus, clock).await;
        module.arm().await.unwrap();
        bus.desk("finger place zhang").unwrap();
        let pull = async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            bus.desk("finger unplug").unwrap();
        };
        let (captured, ()) = tokio::join!(module.capture(|_| {}, WITHIN), pull);
        let gone = captured.unwrap_err();
        assert_eq!(gone, Ef01Error::Usb(UsbError::NoDevice), "{kind:?}");
        assert_eq!(gone.remedy(), Remedy::OutOfService);
        drop(module);
        bus.desk("finger replug").unwrap();
        let mut module = open(bus, clock).await;
        module.arm().await.unwrap();
        assert!(module.capture(|_| {}, WITHIN).await.is_ok(), "{kind:?}");
    });
}

#[test]
fn halted_pipes_and_empty_packets_cost_nothing_behind_any_bridge() {
    behind_each(async |kind, bus, clock| {
        let mut module = open(bus, clock).await;
        let (outward, inward) = pipes(bus);
        bus.desk(&format!("finger halt {outward:02x}")).unwrap();
        module.arm().await.unwrap();
        bus.desk(&format!("finger halt {inward:02x}")).unwrap();
        module.disarm().await.unwrap();
        bus.desk("finger empty 3").unwrap();
        module.arm().await.unwrap();
        bus.desk("finger place zhang").unwrap();
        let disturb = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            bus.desk("finger empty 5").unwrap();
            bus.desk(&format!("finger halt {inward:02x}")).unwrap();
        };
        let (image, ()) = tokio::join!(module.capture(|_| {}, WITHIN), disturb);
        assert!(image.is_ok(), "{kind:?}: {:?}", image.err());
        assert_eq!(bus.counter(NAME, "uploads"), 1, "{kind:?}");
    });
}

#[test]
fn a_capture_given_up_leaves_every_bridge_in_step() {
    behind_each(async |kind, bus, clock| {
        let mut module = open(bus, clock).await;
        bus.desk("finger place zhang").unwrap();
        for given_up_ms in [1, 150, 200, 900, 3400] {
            module.arm().await.unwrap();
            let patience = Duration::from_millis(given_up_ms);
            let capture = module.capture(|_| {}, WITHIN);
            assert!(tokio::time::timeout(patience, capture).await.is_err());
            // What comes late must not pass for the light's answer.
            module.disarm().await.unwrap();
            let facts = bus.look().remove(0).1;
            assert!(facts[0].ends_with("zhang, dark"), "{kind:?}, {given_up_ms}");
        }
        module.arm().await.unwrap();
        assert!(module.capture(|_| {}, WITHIN).await.is_ok(), "{kind:?}");
        assert_eq!(bus.counter(NAME, "talked-over"), 0, "{kind:?}");
    });
}

#[test]
fn a_bridge_is_chosen_by_its_name() {
    for kind in BridgeKind::ALL {
        assert_eq!(kind.name().parse(), Ok(kind));
    }
    let refused = "ch9102".parse::<BridgeKind>().unwrap_err();
    assert!(refused.0.contains("cdc-acm, cp210x, ch340"), "{refused}");
}
