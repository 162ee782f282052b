//! Logging in at terminals of staff, over the wire.

use counterfoil_data::sealed::{Binding, Sealed, SecretText};
use counterfoil_data::secret::Secret;
use counterfoil_data::wire::confirm::{ConfirmationView, Decision};
use counterfoil_data::wire::custody::CustodyView;
use counterfoil_data::wire::sale::Nothing;
use counterfoil_data::wire::session::{LogIn, LogOut, SessionView};

use super::bed::{Bed, Seeded, run};
use super::client::{Ask, Client, Heard};
use crate::core::command::{Actor, CommandBody, StaffCommand};
use crate::core::record::bank::{Duty, StaffRow};
use crate::core::record::staff::AccessRow;
use crate::keys::Keys;
use crate::workers::pin::{Argon2Params, PinBench};

const FIRST: &str = "abcde-fghij-kmnpq-rstuv";
const OWN: &str = "a long enough sentence";
const WRONG: &str = "another long sentence";

fn access() -> AccessRow {
    AccessRow {
        sessions: true,
        staff_attempts: 3,
        terminal_attempts: 10,
        ..AccessRow::default()
    }
}

/// A house that asks for a login; both officers and a custodian have accounts.
async fn house() -> Bed {
    let bed = Bed::open();
    bed.system(CommandBody::EnrolAccess(access())).await;
    for (id, duty) in [
        ("security-1", Duty::SecurityAdmin),
        ("security-2", Duty::SecurityAdmin),
    ] {
        bed.system(CommandBody::EnrolStaff(StaffRow {
            id: id.parse().expect("an id"),
            name: "样例".to_owned(),
            branch: bed.bank.branch.id.clone(),
            duty,
            key: None,
        }))
        .await;
    }
    for (id, role) in [
        ("officer-1", Duty::Officer),
        ("officer-2", Duty::Officer),
        ("custodian-a", Duty::Custodian),
    ] {
        let mut bench = PinBench::new(Argon2Params::testbed());
        let hash = bench.hash(&Keys::demo(), FIRST, &Seeded::new(3));
        let command = StaffCommand::Create {
            second: "security-2".parse().expect("an id"),
            staff: id.parse().expect("an id"),
            name: None,
            roles: vec![role],
            key: None,
            password: hash.expect("hashes").to_phc(),
        };
        two(&bed, command).await;
    }
    bed
}

/// Two people act with the service's own writer.
async fn two(bed: &Bed, command: StaffCommand) {
    let actor = Actor::Staff("security-1".parse().expect("an id"));
    let body = CommandBody::Staff(command);
    let given = bed.service.make(bed.service.fresh(actor, body)).await;
    assert!(given.is_ok());
}

fn sealed(bed: &Bed, view: &SessionView, text: &str) -> Sealed<SecretText> {
    let text = SecretText(Secret::new(text.to_owned()));
    let key = view.sealing_key().expect("a key");
    let binding = Binding::login(view.challenge);
    Sealed::seal(&text, &key, binding, &*bed.entropy).expect("seals")
}

async fn try_login(bed: &Bed, at: &Client, who: &str, password: &str, new: Option<&str>) -> Heard {
    let view: SessionView = at.get("/v1/session").await.ok();
    let body = LogIn {
        staff: who.parse().expect("an id"),
        password: sealed(bed, &view, password),
        new_password: new.map(|new| sealed(bed, &view, new)),
    };
    at.post("/v1/session", &body).await
}

/// The session of somebody who exchanges the first password.
async fn first_login(bed: &Bed, at: &Client, who: &str) -> String {
    let view: SessionView = try_login(bed, at, who, FIRST, Some(OWN)).await.ok();
    view.session.expect("a session").id.to_string()
}

async fn login(bed: &Bed, at: &Client, who: &str) -> String {
    let view: SessionView = try_login(bed, at, who, OWN, None).await.ok();
    view.session.expect("a session").id.to_string()
}

/// The same station on a new connection: an idle one is closed after half a minute.
async fn back(bed: &Bed, station: &Client) -> Client {
    let sequence = station.sequence.get();
    let station = bed.station().await;
    station.sequence.set(sequence);
    station
}

fn hashes(bed: &Bed) -> u64 {
    bed.service.workers.hashes()
}

/// The body without the id of the request, which is never the same.
fn told(heard: &Heard) -> (u16, String) {
    let mut body: serde_json::Value = serde_json::from_slice(&heard.body).expect("JSON");
    let id = body.as_object_mut().expect("an object").remove("instance");
    assert!(id.is_some(), "names the request");
    (heard.status, body.to_string())
}

#[test]
fn an_officer_logs_in_and_confirms_in_their_own_name() {
    run(async {
        let bed = house().await;
        let (kiosk, station) = (bed.kiosk("kiosk-1").await, bed.station().await);
        let view = kiosk.ordered(&bed, 1, 25).await;
        station.get("/v1/confirmations").await.problem(401);
        let must: SessionView = try_login(&bed, &station, "officer-2", FIRST, None)
            .await
            .ok();
        assert!(must.must_change && must.session.is_none());
        let session = first_login(&bed, &station, "officer-2").await;
        let ask = Ask::get("/v1/confirmations").within(&session);
        let cases: Vec<ConfirmationView> = station.ask(&ask).await.ok();
        let digest = cases[0].purchase.as_ref().map(|p| p.digest);
        for verb in ["seen", "confirm"] {
            let path = format!("/v1/confirmations/{}/{verb}", view.sale);
            let decision = Decision { digest, note: None };
            let ask = Ask::post(&path, &decision).within(&session);
            let shown: ConfirmationView = station.ask(&ask).await.ok();
            let name = bed.bank.person("officer-2").expect("staff").name.clone();
            let decided = (verb == "confirm").then_some(name);
            assert_eq!(shown.decided_by, decided);
        }
    });
}

#[test]
fn a_session_is_its_terminal_s_alone_and_a_key_alone_is_worth_nothing_more() {
    run(async {
        let bed = house().await;
        let station = bed.station().await;
        let session = first_login(&bed, &station, "officer-1").await;
        let ask = |id: &str| Ask::get("/v1/confirmations").within(id);
        assert_eq!(station.ask(&ask(&session)).await.status, 200);
        station.ask(&ask(&"00".repeat(16))).await.problem(401);
        station.ask(&ask("nonsense")).await.problem(400);
        let custodian = bed.staff("custodian-a").await;
        let theirs = Ask::get("/v1/custody").within(&session);
        custodian.ask(&theirs).await.problem(401);
        let own = first_login(&bed, &custodian, "custodian-a").await;
        let ask = Ask::get("/v1/custody").within(&own);
        let _: CustodyView = custodian.ask(&ask).await.ok();
        // Somebody else at a terminal of one's own.
        let other = bed.staff("custodian-b").await;
        try_login(&bed, &other, "custodian-a", OWN, None)
            .await
            .problem(422);
        bed.kiosk("kiosk-1")
            .await
            .get("/v1/session")
            .await
            .problem(403);
    });
}

#[test]
fn whatever_was_wrong_the_answer_is_one_and_so_is_the_work() {
    run(async {
        let bed = house().await;
        let station = bed.station().await;
        first_login(&bed, &station, "officer-1").await;
        first_login(&bed, &station, "officer-2").await;
        two(
            &bed,
            StaffCommand::Change {
                second: "security-2".parse().expect("an id"),
                staff: "officer-2".parse().expect("an id"),
                roles: None,
                disabled: Some(true),
            },
        )
        .await;
        let mut heard = Vec::new();
        for (who, password) in [
            ("officer-1", WRONG),
            ("nobody-here", OWN),
            ("officer-2", OWN),
            ("teller-1", OWN),
            ("custodian-a", FIRST),
            ("officer-1", WRONG),
            ("officer-1", WRONG),
            // Locked by now, and right.
            ("officer-1", OWN),
        ] {
            let before = hashes(&bed);
            let answer = try_login(&bed, &station, who, password, None).await;
            answer.problem(422);
            heard.push((told(&answer), hashes(&bed) - before));
        }
        assert!(heard.iter().all(|one| *one == heard[0]), "{heard:?}");
        assert_eq!(heard[0].1, 1, "one hash each");
        // A new password with it makes no difference before the right one.
        let before = hashes(&bed);
        let answer = try_login(&bed, &station, "nobody-here", WRONG, Some(OWN)).await;
        assert_eq!((told(&answer), hashes(&bed) - before), heard[0]);
    });
}

#[test]
fn a_sprayed_terminal_is_locked_without_a_hash_and_the_other_works_on() {
    run(async {
        let bed = house().await;
        let (station, custodian) = (bed.station().await, bed.staff("custodian-a").await);
        first_login(&bed, &custodian, "custodian-a").await;
        for n in 0..10 {
            let who = format!("guess-{n}");
            try_login(&bed, &station, &who, WRONG, None)
                .await
                .problem(422);
        }
        let before = hashes(&bed);
        try_login(&bed, &station, "officer-1", FIRST, None)
            .await
            .problem(423);
        assert_eq!(hashes(&bed), before);
        login(&bed, &custodian, "custodian-a").await;
        bed.clock.sleep(std::time::Duration::from_secs(60)).await;
        let station = back(&bed, &station).await;
        first_login(&bed, &station, "officer-1").await;
    });
}

#[test]
fn a_new_password_is_judged_only_after_the_right_one_and_says_why_not() {
    run(async {
        let bed = house().await;
        let station = bed.station().await;
        for (new, why) in [
            ("too short", "password-length"),
            ("officer-1 is my name", "password-owner"),
            ("passwordpassword", "password-worst"),
            (FIRST, "password-used"),
        ] {
            let answer = try_login(&bed, &station, "officer-1", FIRST, Some(new)).await;
            assert_eq!(answer.problem(422).reason.as_deref(), Some(why));
        }
        // None of them cost an attempt, and none was taken.
        first_login(&bed, &station, "officer-1").await;
        let again = try_login(&bed, &station, "officer-1", OWN, Some(OWN)).await;
        let reason = again.problem(422).reason;
        assert_eq!(reason.as_deref(), Some("password-used"));
    });
}

#[test]
fn a_challenge_is_good_once_and_a_stale_seal_costs_no_attempt() {
    run(async {
        let bed = house().await;
        let station = bed.station().await;
        first_login(&bed, &station, "officer-1").await;
        let view: SessionView = station.get("/v1/session").await.ok();
        let body = |view: &SessionView, text: &str| LogIn {
            staff: "officer-1".parse().expect("an id"),
            password: sealed(&bed, view, text),
            new_password: None,
        };
        let good = body(&view, OWN);
        let stale: SessionView = station.get("/v1/session").await.ok();
        station.post("/v1/session", &good).await.problem(400);
        for _ in 0..5 {
            let again = body(&stale, WRONG);
            station.post("/v1/session", &again).await.problem(400);
        }
        login(&bed, &station, "officer-1").await;
    });
}

/// A terminal looks at its list by itself; only hands keep a session.
#[test]
fn a_session_ends_ten_minutes_after_the_last_key_whatever_the_terminal_asks_by_itself() {
    run(async {
        let bed = house().await;
        let mut station = bed.station().await;
        let session = first_login(&bed, &station, "officer-1").await;
        let list = Ask::get("/v1/confirmations").within(&session);
        let alive = Ask::post("/v1/session/alive", &Nothing {}).within(&session);
        let minute = std::time::Duration::from_secs(60);
        for _ in 0..9 {
            bed.clock.sleep(minute).await;
            station = back(&bed, &station).await;
            assert_eq!(station.ask(&list).await.status, 200);
        }
        assert_eq!(station.ask(&alive).await.status, 200);
        for _ in 0..9 {
            bed.clock.sleep(minute).await;
            station = back(&bed, &station).await;
            assert_eq!(station.ask(&list).await.status, 200);
        }
        bed.clock.sleep(minute).await;
        station = back(&bed, &station).await;
        station.ask(&list).await.problem(401);
        station.ask(&alive).await.problem(401);
        let view: SessionView = station.get("/v1/session").await.ok();
        assert_eq!(view.session, None);
    });
}

#[test]
fn a_session_ends_with_its_log_out_and_with_a_restart_of_the_house() {
    run(async {
        let bed = house().await;
        let station = bed.station().await;
        let session = first_login(&bed, &station, "officer-1").await;
        let list = |session: &str| Ask::get("/v1/confirmations").within(session);
        let out = Ask::post("/v1/session/end", &LogOut { idle: false });
        let view: SessionView = station.ask(&out.within(&session)).await.ok();
        assert_eq!(view.session, None);
        station.ask(&list(&session)).await.problem(401);
        let session = login(&bed, &station, "officer-1").await;
        let bed = bed.restarted();
        let station = back(&bed, &station).await;
        station.ask(&list(&session)).await.problem(401);
        login(&bed, &station, "officer-1").await;
    });
}

#[test]
fn no_password_of_staff_is_in_any_log_answer_or_row() {
    run(async {
        let bed = house().await;
        let station = bed.station().await;
        let heard = try_login(&bed, &station, "officer-1", FIRST, Some(OWN)).await;
        let mut left = super::bed::logged();
        left.extend_from_slice(&heard.body);
        let read = crate::store::Snapshots::snapshot(&bed.store).expect("reads");
        let rows = crate::store::Read::range(
            &*read,
            &[0],
            &[255],
            crate::store::From::First,
            crate::store::RANGE_MAX,
        );
        for (key, row) in rows.expect("reads") {
            left.extend(key);
            left.extend(row);
        }
        for secret in [FIRST, OWN] {
            let found = left.windows(secret.len()).any(|w| w == secret.as_bytes());
            assert!(!found);
        }
        // The search finds what is there.
        let known = b"officer-1";
        assert!(left.windows(known.len()).any(|w| w == known));
    });
}

#[test]
fn where_nobody_logs_in_a_station_s_key_is_enough_and_a_login_is_refused() {
    run(async {
        let bed = Bed::open();
        let station = bed.station().await;
        let view: SessionView = station.get("/v1/session").await.ok();
        assert!(!view.required);
        station.confirmations().await;
        let answer = try_login(&bed, &station, "officer-1", OWN, None).await;
        let reason = answer.problem(422).reason;
        assert_eq!(reason.as_deref(), Some("sessions-off"));
    });
}
