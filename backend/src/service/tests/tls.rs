//! TLS under the service, in memory and in virtual time (S1): who is let in, who must
//! leave, and what a certificate is worth.

mod bank;

use std::time::Duration;

use counterfoil_data::wire::sale::KioskView;
use counterfoil_data::wire::{hex, unhex};
use http_body_util::BodyExt as _;
use rustls::HandshakeKind;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::super::Limits;
use super::super::tls::{HANDSHAKE_MAX, TlsError};
use super::bed::{Bed, run};
use super::client::Ask;
use bank::{Card, Hall};

#[test]
fn s1_only_a_client_of_the_banks_authority_is_let_in() {
    run(async {
        let bed = Bed::open();
        let hall = Hall::open(&bed);
        let good = hall.card("kiosk:kiosk-1");
        assert_eq!(hall.status(&good, "kiosk:kiosk-1").await, Some(200));
        let over = hall.card_days("kiosk:kiosk-1", 1);
        let stranger = Hall::open(&bed).card("kiosk:kiosk-1");
        let server = hall.server_card();
        let refused = |n| {
            let page = bed.service.metrics();
            let line = format!("counterfoil_tls_refused_total {n}");
            assert!(page.lines().any(|l| l == line), "{page}");
        };
        refused(0);
        bed.clock.sleep(Duration::from_secs(86_401)).await;
        for card in [&Card::none(), &stranger, &over, &server] {
            assert_eq!(
                hall.status(card, "kiosk:kiosk-1").await,
                None,
                "{}",
                card.what
            );
        }
        refused(4);
        assert_eq!(hall.status(&good, "kiosk:kiosk-1").await, Some(200));
        bed.clock.sleep(Duration::from_millis(1)).await;
        assert_eq!(bed.service.connections(), 0, "nothing is left of them");
    });
}

#[test]
fn a_banks_own_authority_serves_too_and_a_certificate_names_exactly_one_signer() {
    run(async {
        let bed = Bed::open();
        // The fixtures begin a few days after the house does.
        bed.clock.sleep(Duration::from_secs(6 * 86_400)).await;
        let hall = Hall::open(&bed);
        hall.trust_openssl();
        let status = async |name| hall.status(&Card::of_openssl(name), "kiosk:kiosk-1").await;
        assert_eq!(status("one").await, Some(200));
        assert_eq!(status("none").await, None);
        assert_eq!(status("two").await, None);
        assert!(
            bed.service
                .metrics()
                .contains("counterfoil_tls_refused_total 2\n")
        );
    });
}

#[test]
fn s1_a_certificate_carries_only_its_holders_signatures() {
    run(async {
        let bed = Bed::open();
        let hall = Hall::open(&bed);
        let card = hall.card("kiosk:kiosk-1");
        let kiosk = hall.client(&card, "kiosk:kiosk-2").await;
        kiosk.sequence.set(7);
        let problem = kiosk.get("/v1/kiosk").await.problem(403);
        assert!(problem.detail.contains("certificate"), "{}", problem.detail);
        let again = Ask::post("/v1/sales", &serde_json::json!({}));
        let problem = kiosk.ask(&again).await.problem(403);
        assert!(problem.detail.contains("certificate"), "{}", problem.detail);
        // Its number is not used up: whoever shows a wrong certificate moves nothing.
        let own = hall.card("kiosk:kiosk-2");
        let view: KioskView = hall
            .client(&own, "kiosk:kiosk-2")
            .await
            .get("/v1/kiosk")
            .await
            .ok();
        assert_eq!(view.sequence, 0);
        for signer in ["station:station-1", "staff:custodian-a"] {
            assert_eq!(
                hall.status(&hall.card(signer), signer).await,
                Some(200),
                "{signer}"
            );
            assert_eq!(hall.status(&card, signer).await, Some(403), "{signer}");
        }
    });
}

#[test]
fn a_revoked_certificate_ends_its_connections_and_nobody_elses() {
    run(async {
        let bed = Bed::open();
        let hall = Hall::open(&bed);
        let (one, two) = (hall.card("kiosk:kiosk-1"), hall.card("kiosk:kiosk-2"));
        let first = hall.client(&one, "kiosk:kiosk-1").await;
        let second = hall.client(&two, "kiosk:kiosk-2").await;
        assert_eq!(first.get("/v1/kiosk").await.status, 200);
        assert_eq!(second.get("/v1/kiosk").await.status, 200);
        hall.revoke(&one).expect("a good list");
        assert!(
            first.try_get("/v1/kiosk").await.is_none(),
            "its connection is gone"
        );
        assert_eq!(second.get("/v1/kiosk").await.status, 200);
        assert_eq!(hall.status(&one, "kiosk:kiosk-1").await, None);
        let renewed = hall.card("kiosk:kiosk-1");
        assert_eq!(hall.status(&renewed, "kiosk:kiosk-1").await, Some(200));
        assert!(
            bed.service
                .metrics()
                .contains("counterfoil_tls_ended_total 1\n")
        );
    });
}

#[test]
fn a_revoked_stations_event_stream_ends_too() {
    run(async {
        let bed = Bed::open();
        let hall = Hall::open(&bed);
        let card = hall.card("station:station-1");
        let station = hall.client(&card, "station:station-1").await;
        let ask = Ask::get("/v1/events");
        let mut frames = station.listen(&ask).await;
        hall.revoke(&card).expect("a good list");
        let began = bed.clock.monotonic();
        for frame in 0..10 {
            let Some(Ok(_)) = frames.frame().await else {
                break;
            };
            assert!(frame < 5, "it lives on");
        }
        assert_eq!(bed.clock.monotonic(), began, "at once");
        assert_eq!(bed.service.connections(), 0);
    });
}

#[test]
fn neither_a_living_connection_nor_a_resumed_session_outlives_its_certificate() {
    run(async {
        let bed = Bed::open();
        let hall = Hall::open(&bed);
        // An hour is left of it, which is less than a session can be resumed.
        let card = hall.card_ending_in(Duration::from_secs(3_600));
        let kept = hall.client(&card, "kiosk:kiosk-1").await;
        assert_eq!(kept.get("/v1/kiosk").await.status, 200);
        let (again, kind) = hall.resumable(&card).await.expect("is let in");
        assert_eq!((again, kind), (200, HandshakeKind::Resumed));
        let mut asked = 0;
        while kept.try_get("/v1/kiosk").await.is_some() {
            asked += 1;
            assert!(asked < 400, "it lives on");
            bed.clock.sleep(Duration::from_secs(10)).await;
        }
        let left = 3_600 / 10;
        assert!((left - 1..=left + 1).contains(&asked), "{asked} of {left}");
        assert_eq!(
            hall.resumable(&card).await,
            None,
            "the session is remembered in vain"
        );
        let page = bed.service.metrics();
        for line in [
            "counterfoil_tls_refused_total 1\n",
            "counterfoil_tls_ended_total 1\n",
        ] {
            assert!(page.contains(line), "{page}");
        }
    });
}

#[test]
fn a_list_past_its_next_update_lets_nobody_in_and_nobody_stay() {
    run(async {
        let bed = Bed::open();
        let hall = Hall::open(&bed);
        hall.list_ending_in(Duration::from_secs(3_600))
            .expect("is still good");
        let card = hall.card("kiosk:kiosk-1");
        let kept = hall.client(&card, "kiosk:kiosk-1").await;
        assert_eq!(kept.get("/v1/kiosk").await.status, 200);
        let mut asked = 0;
        while kept.try_get("/v1/kiosk").await.is_some() {
            asked += 1;
            assert!(asked < 400, "it lives on");
            bed.clock.sleep(Duration::from_secs(10)).await;
        }
        // A list's end is noticed when certificates are looked at again, each minute.
        assert!((360..=367).contains(&asked), "{asked}");
        assert_eq!(hall.status(&card, "kiosk:kiosk-1").await, None);
        hall.list_ending_in(Duration::from_secs(90 * 86_400))
            .expect("a new one");
        assert_eq!(hall.status(&card, "kiosk:kiosk-1").await, Some(200));
    });
}

#[test]
fn certificates_and_authorities_rotate_while_requests_flow_and_none_fails() {
    run(async {
        let bed = Bed::open();
        let hall = Hall::open(&bed);
        let mut card = hall.card("kiosk:kiosk-1");
        let kept = hall.client(&card, "kiosk:kiosk-1").await;
        for round in 0..12_u8 {
            match round % 3 {
                0 => hall.renew_server(),
                1 => card = hall.card("kiosk:kiosk-1"),
                _ => hall.add_authority(),
            }
            assert_eq!(kept.get("/v1/kiosk").await.status, 200, "kept, {round}");
            let fresh = hall.status(&card, "kiosk:kiosk-1").await;
            assert_eq!(fresh, Some(200), "fresh, {round}");
        }
    });
}

#[test]
fn bad_new_files_are_refused_each_for_its_reason_and_the_old_ones_stay() {
    run(async {
        let bed = Bed::open();
        let hall = Hall::open(&bed);
        let other = Hall::open(&bed);
        let card = hall.card("kiosk:kiosk-1");
        let kept = hall.client(&card, "kiosk:kiosk-1").await;
        let with = |change: &dyn Fn(&mut bank::Files)| {
            let mut files = hall.files();
            change(&mut files);
            hall.put(&files).expect_err("refused")
        };
        let error = with(&|f| f.certificate.clear());
        assert!(
            matches!(error, TlsError::Pem("certificate_file")),
            "{error}"
        );
        let error = with(&|f| f.key = other.files().key);
        assert!(matches!(error, TlsError::Unfit(_)), "{error}");
        let error = with(&|f| f.client_ca = other.files().client_ca);
        assert!(matches!(error, TlsError::Foreign), "{error}");
        let error = with(&|f| f.client_crl = other.files().client_crl);
        assert!(matches!(error, TlsError::Foreign), "{error}");
        let error = with(&|f| f.client_crl.clear());
        assert!(matches!(error, TlsError::Missing), "{error}");
        let error = with(&|f| f.client_ca += &other.files().client_ca);
        assert!(matches!(error, TlsError::Missing), "{error}");
        let error = hall.list_ending_in(Duration::ZERO).expect_err("over");
        assert!(
            matches!(
                error,
                TlsError::Past {
                    what: "client_crl_file",
                    ..
                }
            ),
            "{error}"
        );
        let error = hall.put_server_of_yesterday().expect_err("over");
        assert!(
            matches!(
                error,
                TlsError::Past {
                    what: "certificate_file",
                    ..
                }
            ),
            "{error}"
        );
        assert_eq!(kept.get("/v1/kiosk").await.status, 200);
        assert_eq!(hall.status(&card, "kiosk:kiosk-1").await, Some(200));
    });
}

#[test]
fn a_silent_handshake_ends_in_its_time_and_holds_a_place_until_then() {
    run(async {
        let limits = Limits {
            connections_max: 4,
            connections_per_address_max: 4,
            date_header: false,
            ..Limits::default()
        };
        let bed = Bed::limited(limits);
        let hall = Hall::open(&bed);
        let card = hall.card("kiosk:kiosk-1");
        let began = bed.clock.monotonic();
        let mut silents: Vec<_> = (0..4).map(|_| hall.dial()).collect();
        // One says a little each second: it is the whole that is bounded.
        let mut slow = silents.pop().expect("one of four");
        tokio::task::yield_now().await;
        assert_eq!(
            hall.status(&card, "kiosk:kiosk-1").await,
            None,
            "no place is left"
        );
        for byte in hello_of_tls_1_2().into_iter().take(9) {
            slow.write_all(&[byte]).await.expect("writes");
            bed.clock.sleep(Duration::from_secs(1)).await;
        }
        let mut heard = Vec::new();
        slow.read_to_end(&mut heard).await.expect("closed");
        assert_eq!(bed.clock.monotonic() - began, HANDSHAKE_MAX);
        for mut stream in silents {
            stream.read_to_end(&mut heard).await.expect("closed");
        }
        assert_eq!(heard, b"", "nothing is said to somebody who says nothing");
        assert_eq!(hall.status(&card, "kiosk:kiosk-1").await, Some(200));
        assert!(
            bed.service
                .metrics()
                .contains("counterfoil_tls_refused_total 4\n")
        );
    });
}

/// What `openssl s_client -tls1_2` (3.0.19) sends first.
fn hello_of_tls_1_2() -> Vec<u8> {
    let hello = concat!(
        "1603010085010000810303d21328a0aa03aeeba881e63214bd108aaf8702ec2691d65e1e9104505c",
        "329295000006c02cc02f00ff01000052000b000403000102000a000c000a001d0017001e00190018",
        "002300000016000000170000000d002a0028040305030603080708080809080a080b080408050806",
        "040105010601030303010302040205020602",
    );
    unhex(hello).expect("hex")
}

#[test]
fn older_tls_and_plain_http_get_an_alert_and_no_word_more() {
    run(async {
        let bed = Bed::open();
        let hall = Hall::open(&bed);
        let mut stream = hall.dial();
        stream.write_all(&hello_of_tls_1_2()).await.expect("writes");
        let mut heard = Vec::new();
        stream.read_to_end(&mut heard).await.expect("closed");
        // RFC 8446 §6: a fatal alert, protocol_version (70).
        assert_eq!(hex(&heard), "15030300020246");
        let mut stream = hall.dial();
        let plain = b"GET /openapi.json HTTP/1.1\r\nhost: backend\r\n\r\n";
        stream.write_all(plain).await.expect("writes");
        let mut heard = Vec::new();
        stream.read_to_end(&mut heard).await.expect("closed");
        assert!(
            heard.len() <= 7 && !heard.starts_with(b"HTTP"),
            "{}",
            hex(&heard)
        );
    });
}
