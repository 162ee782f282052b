//! Accounts of staff on the command line: two people, a first password that is shown once,
//! and the table of who may act together.

#![cfg(unix)]
#![expect(clippy::expect_used, reason = "a failed step is a failed test")]

mod running;

use running::{Folder, Running, offline, told};

/// The demo bank and two people who may give accounts.
fn bank() -> String {
    let more = ["supervisor-2", "security-1"].map(|id| {
        let role = match id {
            "security-1" => "security-administrator",
            _ => "supervisor",
        };
        format!("\n[[staff]]\nid = \"{id}\"\nname = \"样例{id}\"\nrole = \"{role}\"\n")
    });
    let demo = counterfoil_data::demo::BANK_TOML;
    format!("{demo}{}", more.concat())
}

#[test]
fn two_people_give_an_account_whose_first_password_is_shown_once_and_kept_nowhere() {
    let folder = Folder::new("staff");
    let (db, file) = (folder.file("books.redb"), folder.file("bank.toml"));
    std::fs::write(&file, bank()).expect("writes");
    let file_text = file.to_str().expect("UTF-8");
    let mut running = Running::start_with(&db, &["--bank", file_text]);
    running.signal("TERM");
    assert_eq!(running.child.wait().expect("ends").code(), Some(0));
    let db_text = db.to_str().expect("UTF-8");
    let staff = |first: &str, second: &str, act: &[&str]| {
        let who = ["staff", "--demo", "--db", db_text, "--first", first];
        told(&[who.as_slice(), &["--second", second], act].concat())
    };
    let create = ["create", "officer-1", "--role", "officer"];
    let (code, said) = staff("security-1", "security-1", &create);
    assert_eq!(code, Some(1), "{said}");
    let (code, said) = staff("custodian-a", "custodian-b", &create);
    assert_eq!(code, Some(1), "{said}");
    let both = [create.as_slice(), &["--role", "custodian"]].concat();
    let (code, said) = staff("security-1", "supervisor-1", &both);
    assert_eq!(code, Some(1));
    assert!(said.contains("rules --matrix"), "{said}");
    let wrong = ["create", "officer-1", "--role", "boss"];
    assert_eq!(staff("security-1", "supervisor-1", &wrong).0, Some(2));

    let (code, said) = staff("security-1", "supervisor-1", &create);
    assert_eq!(code, Some(0), "{said}");
    let password = said.trim().rsplit(' ').next().expect("a password");
    let groups: Vec<usize> = password.split('-').map(str::len).collect();
    assert_eq!(groups, [5, 5, 5, 5], "{said}");
    let (code, again) = staff("security-1", "supervisor-1", &create);
    assert_eq!(code, Some(1), "{again}");
    let (code, other) = staff("supervisor-1", "supervisor-2", &["reset", "officer-1"]);
    assert_eq!(code, Some(0), "{other}");
    assert!(!other.contains(password), "another one each time");
    assert_eq!(
        staff("security-1", "supervisor-1", &["disable", "officer-1"]).0,
        Some(0)
    );

    let books = std::fs::read(&db).expect("reads");
    let holds = |text: &str| books.windows(text.len()).any(|w| w == text.as_bytes());
    assert!(!holds(password));
    assert!(holds("$argon2id$"), "the search finds what is there");
    assert_eq!(offline(&["audit", "--db"], &db).status.code(), Some(0));
}

#[test]
fn the_matrix_is_printed_without_any_books_and_is_the_document_s() {
    let (code, said) = told(&["rules", "--matrix"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(said, include_str!("../../docs/staff-matrix.txt"));
}

#[test]
fn a_terms_file_sets_who_logs_in_and_every_ladder_and_a_wrong_one_changes_nothing() {
    let folder = Folder::new("access");
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
    assert!(rules().contains("sessions-off"));
    let (code, said) = put("[access]\nstaff_sessions = \"required\"\nstaff_attempts = 0\n");
    assert_eq!(code, Some(1), "{said}");
    assert!(rules().contains("sessions-off"));
    let (code, said) = put("[access]\nstaff_sessions = \"required\"\nkiosk_locks_s = [7, 77]\n");
    assert_eq!(code, Some(0), "{said}");
    let rules = rules();
    for text in [
        "sessions-required: 5 attempts, locks [60, 300, 1800, 3600] s",
        "20 at a terminal, locks [60, 300, 900] s; idle 600 s, at most 28800 s",
        "a card [900, 3600, 86400] s, an account [900, 3600, 86400] s, a kiosk [7, 77] s",
    ] {
        assert!(rules.contains(text), "{text} in\n{rules}");
    }
}
