//! The program as a process: real sockets, threads, files and signals.
//!
//! What the in-memory tests cannot see: the writer's thread, the worker pools, the
//! bound address on stdout, SIGTERM, the database file, offline audit and verify.

#![cfg(unix)]
#![expect(clippy::expect_used, reason = "a failed step is a failed test")]

mod running;

use std::process::{Command, Stdio};

use counterfoil_data::wire::sale::{KioskView, OpenSale, PurchaseMode, SaleState, SaleView};
use counterfoil_finger::synth::{Contact, Finger};
use running::{Folder, PROGRAM, Running, ask, offline, told};

#[test]
fn i6_a_killed_backend_comes_back_with_its_sale_and_its_memory_of_sequences() {
    let folder = Folder::new("killed");
    let db = folder.file("books.redb");
    let open = serde_json::to_vec(&OpenSale {
        sale: "0000000000000000000000000000002a".parse().expect("an id"),
        mode: PurchaseMode::SettlementCard,
        seen: None,
    })
    .expect("serialises");
    let running = Running::start(&db);
    let (status, body) = ask(&running.listen, "POST", "/v1/sales", &open, 7);
    assert_eq!(status, 200, "{body:?}");
    running.signal("KILL");
    drop(running);

    let running = Running::start(&db);
    let (status, body) = ask(&running.listen, "GET", "/v1/kiosk", b"", 8);
    assert_eq!(status, 200, "{body:?}");
    let view: KioskView = serde_json::from_slice(&body).expect("a view");
    let sale: SaleView = view.open_sale.expect("the sale survived");
    assert_eq!(sale.state, SaleState::Opened);
    assert_eq!(view.sequence, 7);
    let (status, _) = ask(&running.listen, "POST", "/v1/sales", &open, 7);
    assert_eq!(
        status, 401,
        "the sequence number is remembered in the books"
    );
}

#[test]
fn sigterm_ends_with_exit_code_0_and_the_books_are_sound_offline() {
    let folder = Folder::new("sound");
    let (db, log) = (folder.file("books.redb"), folder.file("evidence"));
    let mut running = Running::start(&db);
    let (status, _) = ask(&running.admin, "GET", "/readyz", b"", 1);
    assert_eq!(status, 200);
    running.signal("TERM");
    assert_eq!(running.child.wait().expect("ends").code(), Some(0));

    // I7: names, numbers and hashes are in there; nobody else may read them.
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&db.metadata().expect("there").permissions());
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(offline(&["audit", "--db"], &db).status.code(), Some(0));
    let db_text = db.to_str().expect("UTF-8");
    let exported = offline(&["export", "--demo", "--db", db_text, "--out"], &log);
    assert_eq!(exported.status.code(), Some(0));
    assert_eq!(offline(&["verify"], &log).status.code(), Some(0));
    // One record less: the verifier says so, with an exit code of its own (I8).
    let text = std::fs::read_to_string(&log).expect("reads");
    let kept: Vec<&str> = text.lines().filter(|l| !l.starts_with("leaf 3 ")).collect();
    std::fs::write(&log, kept.join("\n") + "\n").expect("writes");
    let tampered = offline(&["verify"], &log);
    assert_eq!(tampered.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&tampered.stdout).contains("NOT SOUND"));
}

#[test]
fn two_people_move_blanks_with_the_service_stopped_and_one_person_does_not() {
    let folder = Folder::new("custody");
    let db = folder.file("books.redb");
    let mut running = Running::start(&db);
    running.signal("TERM");
    assert_eq!(running.child.wait().expect("ends").code(), Some(0));
    let custody = |second: &str, act: &[&str]| {
        let mut command = Command::new(PROGRAM);
        command.args(["custody", "--demo", "--db"]).arg(&db);
        command.args(["--first", "custodian-a", "--second", second]);
        command.args(act).stderr(Stdio::null());
        command.output().expect("runs").status.code()
    };
    let received = |count| {
        let (first, last) = ("3130002100990001", "3130002100990100");
        ["receive", "branch-1", first, last, count]
    };
    let receive = received("100");
    let load = ["load", "kiosk-1", "slot-1", "3130002100990001", "50"];
    assert_eq!(custody("custodian-a", &receive), Some(1), "one person");
    assert_eq!(custody("custodian-b", &load), Some(1), "not in the vault");
    assert_eq!(
        custody("custodian-b", &received("99")),
        Some(1),
        "miscounted"
    );
    assert_eq!(custody("custodian-b", &receive), Some(0));
    assert_eq!(custody("custodian-b", &receive), Some(1), "I1: never twice");
    assert_eq!(custody("custodian-b", &load), Some(0));
    assert_eq!(offline(&["audit", "--db"], &db).status.code(), Some(0));
}

#[test]
fn an_audit_of_books_with_a_bent_page_is_not_sound_and_of_sound_ones_is() {
    let folder = Folder::new("bent");
    let db = folder.file("books.redb");
    let sound = include_bytes!("golden/books-2.redb");
    std::fs::write(&db, sound).expect("writes");
    assert_eq!(offline(&["audit", "--db"], &db).status.code(), Some(0));
    // One letter of a name that is in a row.
    let name = "样例密码单有限公司".as_bytes();
    let mut bent = sound.to_vec();
    let at = bent.windows(name.len()).position(|w| w == name);
    bent[at.expect("a unit's name")] ^= 1;
    std::fs::write(&db, bent).expect("writes");
    let audit = offline(&["audit", "--db"], &db);
    assert_eq!(audit.status.code(), Some(3));
    let said = String::from_utf8_lossy(&audit.stdout).into_owned();
    assert!(said.contains("a page of the file is damaged"), "{said}");
}

#[test]
fn a_wrong_command_line_is_2_and_a_refused_start_is_1() {
    let code = |args: &[&str]| {
        let mut command = Command::new(PROGRAM);
        let output = command.args(args).stderr(Stdio::null()).output();
        output.expect("runs").status.code()
    };
    assert_eq!(code(&["--no-such-flag"]), Some(2));
    assert_eq!(code(&["serve"]), Some(1));
    assert_eq!(code(&["--config", "/nonexistent.toml", "--check"]), Some(1));
    assert_eq!(code(&["openapi"]), Some(0));
}

#[test]
fn a_bank_sets_its_terms_anew_and_a_wrong_file_is_told_by_line_and_changes_nothing() {
    let folder = Folder::new("terms");
    let (db, file) = (folder.file("books.redb"), folder.file("terms.toml"));
    let mut running = Running::start(&db);
    running.signal("TERM");
    assert_eq!(running.child.wait().expect("ends").code(), Some(0));
    let (db_text, file_text) = (db.to_str().expect("UTF-8"), file.to_str().expect("UTF-8"));
    let rules = || told(&["rules", "--demo", "--db", db_text]).1;
    let put = |text: &str| {
        std::fs::write(&file, text).expect("writes");
        told(&["policy", "--demo", "--db", db_text, file_text])
    };
    let before = rules();
    assert!(before.contains("policy version 1;"), "{before}");
    assert_eq!(
        before,
        told(&["rules", "--demo"]).1,
        "as the demo's file says"
    );

    let fee = "[[fees]]\nkind = \"transfer-cheque\"\nfrom = \"2090-01-01\"\neach = 10\n";
    let past = "\n[[fees]]\nkind = \"cash-cheque\"\nfrom = \"2021-09-30\"\neach = 5\n";
    let (code, said) = put(&format!("{fee}{past}"));
    assert_eq!(code, Some(1), "{said}");
    let place = format!("{file_text}: line 6: ");
    assert!(
        said.contains(&place) && said.contains("from a later date"),
        "{said}"
    );
    assert_eq!(rules(), before, "nothing of it");
    let (code, said) = put("[calendar]\nweek = { sundae = \"closed\" }\n");
    assert_eq!(code, Some(1));
    assert!(said.contains(&format!("{file_text}: line 2: ")), "{said}");

    let calendar = "[calendar]\nweek = { sunday = \"closed\" }\n";
    let (code, said) = put(&format!("{fee}{calendar}[[licences]]\nunit = \"guoqi\"\n"));
    assert_eq!(
        (code, said.contains("in force: fee 0.10 from 2090-01-01")),
        (Some(0), true),
        "{said}"
    );
    let after = rules();
    assert!(
        after.contains("closed: Sunday") && after.contains("2090-01-01  0.10"),
        "{after}"
    );
    assert_eq!(offline(&["audit", "--db"], &db).status.code(), Some(0));
    let register = told(&[
        "register",
        "--demo",
        "--db",
        db_text,
        "--date",
        "2026-01-15",
    ]);
    assert_eq!(register.0, Some(0));
    assert!(
        register.1.contains("0 purchases, 0 forms received"),
        "{}",
        register.1
    );
}

/// A greyscale PNG of an invented finger's touch.
fn picture(folder: &Folder, finger: u64, touch: u64) -> String {
    let image = Finger::from_seed(finger).impression(&Contact::natural(touch));
    let path = folder.file(&format!("{finger}-{touch}.png"));
    let file = std::fs::File::create(&path).expect("creates");
    let (width, height) = (u32::from(image.width()), u32::from(image.height()));
    let mut encoder = png::Encoder::new(file, width, height);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header().expect("a head");
    writer.write_image_data(image.pixels()).expect("pixels");
    path.to_str().expect("UTF-8").to_owned()
}

#[test]
fn prints_are_replaced_by_two_people_from_three_pictures_of_each_finger_or_not_at_all() {
    let folder = Folder::new("prints");
    let db = folder.file("books.redb");
    let mut running = Running::start(&db);
    running.signal("TERM");
    assert_eq!(running.child.wait().expect("ends").code(), Some(0));
    let db_text = db.to_str().expect("UTF-8");
    let prints = |act: &[&str]| told(&[&["prints", "--demo", "--db", db_text], act].concat());
    let enrol = |second: &str, fingers: &[&str]| {
        let people = ["enrol", "--first", "supervisor-1", "--second", second];
        let whose = ["--agent", "agent-zhang", "--reason", "cut his finger"];
        prints(&[&people[..], &whose, fingers].concat())
    };
    let finger = |word: &str, seed: u64, touches: [u64; 3]| {
        let files = touches.map(|touch| picture(&folder, seed, touch));
        format!("{word}={}", files.join(","))
    };
    let right = finger("right-index", 4_242, [1, 2, 3]);
    let left = finger("left-thumb", 4_343, [1, 2, 3]);
    let letter = folder.file("letter.png");
    std::fs::write(&letter, "dear bank").expect("writes");
    let letter = letter.display();
    let (code, text) = enrol("custodian-a", &[&right]);
    assert_eq!(code, Some(1), "{text}");
    assert!(
        text.contains("a supervisor and an officer or teller"),
        "{text}"
    );
    for (wrong, words) in [
        (
            finger("left-index", 4_242, [4, 5, 6]),
            "are the same finger",
        ),
        (finger("left-index", 4_343, [1, 1, 2]), "are one touch"),
        (
            "left-index=/nowhere.png,b,c".to_owned(),
            "/nowhere.png: cannot be read",
        ),
        (
            format!("left-index={letter},b,c"),
            "neither a PNG nor an impression sealed",
        ),
    ] {
        let (code, text) = enrol("officer-1", &[&right, &wrong]);
        assert_eq!(code, Some(1), "{text}");
        assert!(text.contains(words), "{words} in {text}");
    }
    assert_eq!(enrol("officer-1", &["left-toe=a,b,c"]).0, Some(2));
    let (code, text) = enrol("officer-1", &[&right, &left]);
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains("right-index, left-thumb of agent-zhang"),
        "{text}"
    );
    let (code, text) = prints(&["renew"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.starts_with("renewed 0 agents, 10 needed nothing, 0 must"),
        "{text}"
    );
    assert_eq!(offline(&["audit", "--db"], &db).status.code(), Some(0));
    // Pictures are in there only encrypted.
    let image = Finger::from_seed(4_242).impression(&Contact::natural(1));
    let row = image
        .pixels()
        .chunks(64)
        .find(|row| row.iter().any(|p| *p != row[0]));
    let row = row.expect("a row with ridges");
    let books = std::fs::read(&db).expect("reads");
    assert!(!books.windows(row.len()).any(|bytes| bytes == row));
}
