//! What a start finds: how the last one ended, and what is under way.

#![cfg(unix)]
#![expect(clippy::expect_used, reason = "a failed step is a failed test")]

mod running;

use counterfoil_data::wire::sale::{OpenSale, PurchaseMode};
use running::{Folder, Running, ask};

/// A gauge of the metrics page.
fn gauge(running: &Running, name: &str) -> String {
    let (status, page) = ask(&running.admin, "GET", "/metrics", b"", 1);
    assert_eq!(status, 200);
    let page = String::from_utf8_lossy(&page).into_owned();
    let name = format!("counterfoil_{name} ");
    let line = page.lines().find_map(|line| line.strip_prefix(&name));
    line.expect("the gauge is there").to_owned()
}

#[test]
fn a_start_tells_a_killed_backend_from_a_stopped_one_and_what_is_under_way() {
    let folder = Folder::new("start");
    let db = folder.file("books.redb");
    let mut first = Running::start(&db);
    assert_eq!(gauge(&first, "start_sales_open"), "0");
    let open = OpenSale {
        sale: "0000000000000000000000000000002b".parse().expect("an id"),
        mode: PurchaseMode::SettlementCard,
        seen: None,
    };
    let open = serde_json::to_vec(&open).expect("serialises");
    let (status, body) = ask(&first.listen, "POST", "/v1/sales", &open, 1);
    assert_eq!(status, 200, "{body:?}");
    first.signal("TERM");
    assert_eq!(first.child.wait().expect("ends").code(), Some(0));

    let stopped = Running::start(&db);
    assert_eq!(gauge(&stopped, "start_after_graceful_end"), "1");
    assert_eq!(gauge(&stopped, "start_sales_open"), "1");
    assert_eq!(gauge(&stopped, "start_sales_linked"), "0");
    assert_ne!(gauge(&stopped, "start_evidence_leaves"), "0");
    stopped.signal("KILL");
    drop(stopped);

    // Twice: a row of a graceful end long ago says nothing.
    for _ in 0..2 {
        let killed = Running::start(&db);
        assert_eq!(gauge(&killed, "start_after_graceful_end"), "0");
        assert_eq!(gauge(&killed, "start_sales_open"), "1");
        killed.signal("KILL");
    }
}
