//! Backup and restore of the program as a process: beside a running service, after a
//! kill, into what is there, from what is bent.

#![cfg(unix)]
#![expect(clippy::expect_used, reason = "a failed step is a failed test")]

mod running;

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use counterfoil_data::wire::sale::{KioskView, OpenSale, PurchaseMode, TreeSeen, Witness};
use running::{Folder, PROGRAM, Running, ask, ask_as, offline, told};

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn open(sale: u128, seen: Option<TreeSeen>) -> Vec<u8> {
    let open = OpenSale {
        sale: counterfoil_data::ids::SaleId(sale),
        mode: PurchaseMode::SettlementCard,
        seen,
    };
    serde_json::to_vec(&open).expect("serialises")
}

fn view(running: &Running, query: &str, sequence: u64) -> KioskView {
    let path = format!("/v1/kiosk{query}");
    let (status, body) = ask(&running.listen, "GET", &path, b"", sequence);
    assert_eq!(status, 200, "{body:?}");
    serde_json::from_slice(&body).expect("a view")
}

fn tree(view: &KioskView) -> TreeSeen {
    TreeSeen {
        size: view.checkpoint.size,
        root: view.checkpoint.root,
    }
}

fn metric(running: &Running, name: &str) -> String {
    let (_, page) = ask(&running.admin, "GET", "/metrics", b"", 1);
    let page = String::from_utf8(page.to_vec()).expect("UTF-8");
    let line = page.lines().find_map(|line| {
        let value = line.strip_prefix(name)?.strip_prefix(' ')?;
        Some(value.to_owned())
    });
    line.expect("is there")
}

fn backup(db: &Path, out: &Path) -> (Option<i32>, String) {
    told(&["backup", "--demo", "--db", text(db), "--out", text(out)])
}

fn restore(from: &Path, db: &Path) -> (Option<i32>, String) {
    told(&["restore", "--demo", "--from", text(from), "--db", text(db)])
}

/// What stands in the folder beside these.
fn others(folder: &Folder, known: &[&Path]) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(&folder.0).expect("reads");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .filter(|path| !known.contains(&path.as_path()))
        .collect()
}

#[test]
fn a_backup_beside_the_running_service_is_what_was_durable_then_and_overwrites_nothing() {
    let folder = Folder::new("backup");
    let [db, out, back] = ["books.redb", "backup", "back.redb"].map(|name| folder.file(name));
    let running = Running::start(&db);
    assert_eq!(
        ask(&running.listen, "POST", "/v1/sales", &open(1, None), 1).0,
        200
    );
    let then = tree(&view(&running, "", 2));
    let (code, said) = backup(&db, &out);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains(&format!("evidence of {} records", then.size)),
        "{said}"
    );
    let mode = out.metadata().expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "I7");
    assert_eq!(others(&folder, &[&db, &out]), Vec::<PathBuf>::new());

    // The service went on, and nobody else may write.
    assert_eq!(
        ask(
            &running.listen,
            "POST",
            "/v1/sales/00000000000000000000000000000001/cancel",
            b"",
            3
        )
        .0,
        400,
        "needs a key, and is alive"
    );
    assert_eq!(
        offline(&["audit", "--db"], &db).status.code(),
        Some(1),
        "one writer"
    );
    let bytes = std::fs::read(&out).expect("reads");
    let (code, said) = backup(&db, &out);
    assert_eq!(code, Some(1));
    assert!(said.contains("is there already"), "{said}");
    assert!(std::fs::read(&out).expect("reads") == bytes, "untouched");

    // Neither books nor restored over anything.
    let mut service = Command::new(PROGRAM);
    let service = service
        .args(["--demo", "--db"])
        .arg(&out)
        .stdout(Stdio::null())
        .output();
    let service = service.expect("runs");
    assert_eq!(service.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&service.stderr).contains("this file is a backup"));
    assert_eq!(restore(&out, &db).0, Some(1));
    let bytes = std::fs::read(&out).expect("reads");
    let (code, said) = restore(&out, &back);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(offline(&["audit", "--db"], &back).status.code(), Some(0));
    assert!(
        std::fs::read(&out).expect("reads") == bytes,
        "the backup stays as it is"
    );
}

#[test]
fn a_killed_service_s_books_are_backed_up_and_a_stopped_one_s_too() {
    let folder = Folder::new("backup-killed");
    let [db, one, two] = ["books.redb", "one", "two"].map(|name| folder.file(name));
    let running = Running::start(&db);
    assert_eq!(
        ask(&running.listen, "POST", "/v1/sales", &open(1, None), 1).0,
        200
    );
    running.signal("KILL");
    drop(running);
    let (code, said) = backup(&db, &one);
    assert_eq!(code, Some(0), "{said}");
    let (code, again) = backup(&db, &two);
    assert_eq!(code, Some(0), "{again}");
    let digest = |said: &str| said.rsplit(' ').next().map(str::to_owned);
    assert_eq!(digest(&said), digest(&again), "the same rows");
}

#[test]
fn a_backup_with_any_bit_bent_is_not_restored_and_leaves_nothing() {
    let folder = Folder::new("backup-bent");
    let [db, out, back] = ["books.redb", "backup", "back.redb"].map(|name| folder.file(name));
    let mut running = Running::start(&db);
    running.signal("TERM");
    running.child.wait().expect("ends");
    assert_eq!(backup(&db, &out).0, Some(0));
    let whole = std::fs::read(&out).expect("reads");
    // Some of a file is nothing: only what is in use can be bent.
    let used: Vec<usize> = (0..whole.len()).filter(|at| whole[*at] != 0).collect();
    for nth in 1..24_usize {
        let at = used[nth * used.len() / 24];
        let mut bent = whole.clone();
        bent[at] ^= 0x10;
        std::fs::write(&out, &bent).expect("writes");
        let (code, said) = restore(&out, &back);
        let refused = matches!(code, Some(1 | 3));
        let harmless =
            code == Some(0) && offline(&["audit", "--db"], &back).status.code() == Some(0);
        assert!(refused || harmless, "byte {at}: {code:?} {said}");
        if harmless {
            std::fs::remove_file(&back).expect("removes");
        }
        assert_eq!(
            others(&folder, &[&db, &out]),
            Vec::<PathBuf>::new(),
            "byte {at}"
        );
    }
    std::fs::write(&out, &whole[..whole.len() / 2]).expect("writes");
    assert_eq!(restore(&out, &back).0, Some(1), "half of it");
    assert_eq!(restore(&db, &back).0, Some(1), "books are no backup");
    assert_eq!(others(&folder, &[&db, &out]), Vec::<PathBuf>::new());
}

#[test]
fn restored_books_sell_where_nothing_later_was_seen_and_not_where_it_was_until_two_say_so() {
    let folder = Folder::new("restored");
    let [db, out, back] = ["books.redb", "backup", "back.redb"].map(|name| folder.file(name));
    let mut running = Running::start(&db);
    let early = tree(&view(&running, "", 1));
    assert_eq!(backup(&db, &out).0, Some(0));
    assert_eq!(
        ask(&running.listen, "POST", "/v1/sales", &open(1, None), 1).0,
        200
    );
    let late = tree(&view(&running, &format!("?seen={early}"), 2));
    assert!(late.size > early.size);
    running.signal("TERM");
    running.child.wait().expect("ends");
    assert_eq!(restore(&out, &back).0, Some(0));

    let mut running = Running::start(&back);
    assert_eq!(metric(&running, "counterfoil_books_restored"), "1");
    let tell = |kiosk: &str, sale, seen, sequence| {
        let body = open(sale, seen);
        let (status, body) = ask_as(kiosk, &running.listen, "POST", "/v1/sales", &body, sequence);
        (status, String::from_utf8_lossy(&body).into_owned())
    };
    // One that says nothing, as an earlier release does.
    let (status, said) = tell("kiosk-2", 2, None, 1);
    assert_eq!(status, 422, "{said}");
    assert!(said.contains("\"unreported\""), "{said}");
    // One that saw nothing later.
    assert_eq!(tell("kiosk-2", 3, Some(early), 2).0, 200);
    // One that did: for good, whatever it says afterwards, also after a restart.
    let (status, said) = tell("kiosk-1", 4, Some(late), 3);
    assert_eq!(status, 422, "{said}");
    assert!(said.contains("\"books-behind\""), "{said}");
    assert_eq!(tell("kiosk-1", 5, Some(early), 4).0, 422);
    assert_eq!(metric(&running, "counterfoil_books_behind_total"), "1");
    assert_eq!(metric(&running, "counterfoil_kiosks_ahead"), "1");
    running.signal("TERM");
    running.child.wait().expect("ends");

    let people = ["reconcile", "--demo", "--db", text(&back)];
    let say = |args: &[&str]| told(&[&people[..], args].concat());
    let (_, said) = say(&[]);
    assert!(said.contains("kiosk-1: SELLS NOTHING"), "{said}");
    assert!(said.contains("kiosk-2: sells"), "{said}");
    let by = |second| {
        let reason = "counted slot-1: nothing was sold in between";
        let who = ["kiosk-1", "--first", "custodian-a", "--second", second];
        say(&[&who[..], &["--reason", reason]].concat())
    };
    assert_eq!(by("custodian-a").0, Some(1), "one person");
    assert_eq!(by("officer-1").0, Some(1), "of another duty");
    let (code, said) = by("custodian-b");
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(by("custodian-b").0, Some(1), "nothing is left to reconcile");
    assert_eq!(offline(&["audit", "--db"], &back).status.code(), Some(0));

    let running = Running::start(&back);
    let settled = view(&running, &format!("?seen={late}"), 5);
    assert_eq!(settled.witness, Witness::Settled);
    let (status, body) = ask(
        &running.listen,
        "POST",
        "/v1/sales",
        &open(6, Some(late)),
        6,
    );
    assert_eq!(status, 200, "{body:?}");
    assert_eq!(metric(&running, "counterfoil_kiosks_ahead"), "0");
}

#[test]
fn an_old_file_that_somebody_put_back_is_found_out_without_a_restore() {
    let folder = Folder::new("put-back");
    let [db, old] = ["books.redb", "old.redb"].map(|name| folder.file(name));
    let mut running = Running::start(&db);
    running.signal("TERM");
    running.child.wait().expect("ends");
    std::fs::copy(&db, &old).expect("copies");
    let running = Running::start(&db);
    assert_eq!(
        ask(&running.listen, "POST", "/v1/sales", &open(1, None), 1).0,
        200
    );
    let late = tree(&view(&running, "", 2));
    drop(running);
    let running = Running::start(&old);
    // The put back log grew past what the kiosk saw: its root tells.
    for sale in 2..12_u64 {
        let (kiosk, body) = ("kiosk-2", open(sale.into(), None));
        ask_as(kiosk, &running.listen, "POST", "/v1/sales", &body, sale);
    }
    let view = view(&running, &format!("?seen={late}"), 2);
    assert_eq!(view.witness, Witness::Behind);
    let (status, body) = ask(&running.listen, "POST", "/v1/sales", &open(20, None), 3);
    assert_eq!(status, 422, "{body:?}");
}
