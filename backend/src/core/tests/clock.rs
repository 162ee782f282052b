//! The house's clock: steps, jumps, midnight, leap days, summer time.

use counterfoil_data::leaf::LeafKind;
use counterfoil_data::wire::sale::SaleState;
use jiff::Timestamp;

use super::bank::*;
use crate::core::clock::BEHIND_S_MAX;
use crate::core::command::{CommandBody, Outcome};
use crate::core::record::bank::BankRow;
use crate::core::refusal::{Refusal, StockRefusal};
use crate::core::{facts, log, query};
use crate::store::model::ModelStore;

type Books = Desk<ModelStore>;

const HOUR: i64 = 3_600;
const YEAR: i64 = 365 * 24 * HOUR;

fn desk() -> Books {
    Desk::open(ModelStore::default())
}

fn size(desk: &Books) -> u64 {
    log::size(&*desk.read()).expect("reads")
}

/// When each leaf from this one on was recorded.
fn times(desk: &Books, from: u64) -> Vec<Timestamp> {
    (from..size(desk))
        .map(|index| desk.leaf(index).at)
        .collect()
}

fn accept(desk: &mut Books, second: &str) -> Result<Outcome, Refusal> {
    let body = CommandBody::AcceptClock {
        second: id(second),
        reason: "compared with the branch's own clock".to_owned(),
    };
    desk.give(custodian(), body)
}

#[test]
fn a_step_back_of_a_minute_is_not_seen_in_the_books() {
    let mut desk = desk();
    let before = desk.at;
    let from = size(&desk);
    desk.later(-BEHIND_S_MAX);
    let sale = desk.linked(1, 2);
    desk.hand_over(sale, 0..2);
    desk.must(kiosk(), close(sale));
    assert!(times(&desk, from).iter().all(|at| *at == before));
    desk.audit();
}

#[test]
fn a_clock_an_hour_back_sells_nothing_and_what_happens_is_recorded_in_order() {
    let mut desk = desk();
    let sale = desk.linked(1, 2);
    let confirmed = {
        desk.turn();
        desk.fill_other();
        let sale = desk.confirmed(2, 1);
        desk.turn();
        sale
    };
    let (right, from) = (desk.at, size(&desk));
    desk.later(-HOUR);
    let by_s = HOUR;
    let behind = Err(Refusal::ClockBehind { by_s });
    assert_eq!(desk.give(other_kiosk(), link(confirmed)), behind);
    // What happened to paper is heard, whatever the time is.
    desk.hand_over(sale, 0..2);
    desk.must(kiosk(), close(sale));
    assert!(
        times(&desk, from).iter().all(|at| *at == right),
        "never back"
    );
    let open = CommandBody::OpenSale {
        sale: counterfoil_data::ids::SaleId(3),
        mode: counterfoil_data::wire::sale::PurchaseMode::SettlementCard,
    };
    assert_eq!(desk.give(kiosk(), open), behind);
    // The clock is set right: all goes on, and the timers of before still stand.
    desk.at = right;
    desk.must(other_kiosk(), link(confirmed));
    desk.opened(4);
    desk.audit();
}

#[test]
fn a_year_ahead_and_back_waits_for_two_people_and_no_timer_is_lost_or_fires_for_ever() {
    let mut desk = desk();
    desk.later(YEAR);
    // Recorded while the clock was wrong; nobody could know.
    let sale = desk.opened(1);
    desk.later(-YEAR);
    let right = desk.at;
    let by_s = YEAR;
    let mode = counterfoil_data::wire::sale::PurchaseMode::SettlementCard;
    let (sale_2, behind) = (
        counterfoil_data::ids::SaleId(2),
        Refusal::ClockBehind { by_s },
    );
    let open = CommandBody::OpenSale { sale: sale_2, mode };
    assert_eq!(desk.give(other_kiosk(), open.clone()), Err(behind));
    // The sale of the wrong time is given up by its kiosk; its timer went with it.
    desk.must(kiosk(), CommandBody::Cancel { sale });
    assert_eq!(query::next_due(&*desk.read()).expect("reads"), None);

    let two = Err(Refusal::Stock(StockRefusal::TwoPeople));
    assert_eq!(accept(&mut desk, "custodian-a"), two, "one person");
    assert_eq!(accept(&mut desk, "custodian-b"), Ok(Outcome::Done));
    let last = desk.leaf(size(&desk) - 1);
    assert_eq!((last.kind, last.at), (LeafKind::ClockAccepted, right));
    let nothing = Err(Refusal::Stock(StockRefusal::ClockNotBehind));
    assert_eq!(accept(&mut desk, "custodian-b"), nothing);
    desk.must(other_kiosk(), open);
    desk.later(1);
    let from = size(&desk);
    let linked = desk.linked(3, 1);
    assert_eq!(desk.state(linked), SaleState::Linked);
    assert!(times(&desk, from).iter().all(|at| *at == desk.at));
    // Its deadlines are of the right time.
    let due = query::next_due(&*desk.read())
        .expect("reads")
        .expect("a timer");
    assert!(due.duration_since(desk.at).as_secs() <= HOUR);
    desk.audit();
}

/// A bank in this zone.
fn bank(zone: &str) -> BankRow {
    let bank = enrolment().into_iter().find_map(|body| match body {
        CommandBody::EnrolBank(row) => Some(row),
        _ => None,
    });
    BankRow {
        time_zone: zone.to_owned(),
        ..bank.expect("a bank")
    }
}

/// Zone, moment, and what a clock on the wall of the bank shows.
const ON_THE_WALL: [[&str; 3]; 13] = [
    // The last millisecond and midnight; there is no summer time in Shanghai.
    [
        "Asia/Shanghai",
        "2026-11-22T15:59:59.999Z",
        "2026-11-22T23:59:59.999",
    ],
    [
        "Asia/Shanghai",
        "2026-11-22T16:00:00Z",
        "2026-11-23T00:00:00",
    ],
    // Leap days, and a century that has none.
    [
        "Asia/Shanghai",
        "2028-02-28T16:00:00Z",
        "2028-02-29T00:00:00",
    ],
    [
        "Asia/Shanghai",
        "2028-02-29T16:00:00Z",
        "2028-03-01T00:00:00",
    ],
    [
        "Asia/Shanghai",
        "2100-02-28T16:00:00Z",
        "2100-03-01T00:00:00",
    ],
    // New York springs forward at 07:00Z and falls back at 06:00Z.
    [
        "America/New_York",
        "2026-03-08T06:59:59Z",
        "2026-03-08T01:59:59",
    ],
    [
        "America/New_York",
        "2026-03-08T07:00:00Z",
        "2026-03-08T03:00:00",
    ],
    [
        "America/New_York",
        "2026-03-09T03:59:59Z",
        "2026-03-08T23:59:59",
    ],
    [
        "America/New_York",
        "2026-03-09T04:00:00Z",
        "2026-03-09T00:00:00",
    ],
    [
        "America/New_York",
        "2026-11-01T05:59:59Z",
        "2026-11-01T01:59:59",
    ],
    [
        "America/New_York",
        "2026-11-01T06:00:00Z",
        "2026-11-01T01:00:00",
    ],
    [
        "America/New_York",
        "2026-11-02T04:59:59Z",
        "2026-11-01T23:59:59",
    ],
    [
        "America/New_York",
        "2026-11-02T05:00:00Z",
        "2026-11-02T00:00:00",
    ],
];

#[test]
fn business_dates_follow_the_zone_over_midnight_leap_days_and_both_changes_of_summer_time() {
    for [zone, at, wall] in ON_THE_WALL {
        let (day, hour) = facts::local(&bank(zone), id(at)).expect("a zone");
        let wall: jiff::civil::DateTime = id(wall);
        assert_eq!((day, hour), (wall.date(), wall.time()), "{at} in {zone}");
    }
}
