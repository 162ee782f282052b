use super::*;
use crate::core::audit::audit;
use crate::core::query;
use crate::store::model::ModelStore;
use crate::store::redb::RedbStore;
use crate::store::{Changes, Read, Snapshots, StoreError};
use crate::writer::LogKey;

struct Zeros;
impl Entropy for Zeros {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

fn writer() -> Writer<RedbStore> {
    let keys = Keys::demo();
    let log = LogKey {
        origin: "counterfoil-demo".to_owned(),
        key: keys.evidence,
    };
    Writer::open(RedbStore::memory().expect("opens"), log).expect("opens")
}

#[test]
fn the_demo_bank_enrols_into_empty_books_once() {
    let (bank, keys) = (demo::bank().expect("parses"), Keys::demo());
    let means = Means {
        keys: &keys,
        params: Argon2Params::testbed(),
        entropy: &Zeros,
        at: Timestamp::UNIX_EPOCH,
    };
    let mut writer = writer();
    enrol(&mut writer, &bank, &means).expect("enrols");
    let read = writer.store().snapshot().expect("reads");
    let report = audit(&*read).expect("the books are in order");
    assert_eq!((report.forms, report.blank_rows), (350, 3));
    assert!(
        query::signer(&*read, "kiosk:kiosk-2")
            .expect("reads")
            .is_some()
    );
    let again = enrol(&mut writer, &bank, &means);
    assert!(matches!(again, Err(DemoEnrolError::Refused(_))));
}

/// A store whose machine loses power after so many commits.
struct PowerCut {
    store: ModelStore,
    commits_left: u32,
}

impl Snapshots for PowerCut {
    fn snapshot(&self) -> Result<Box<dyn Read>, StoreError> {
        self.store.snapshot()
    }
}

impl Store for PowerCut {
    fn seize(&mut self) -> Result<u64, StoreError> {
        self.store.seize()
    }

    fn flush(&mut self, epoch: u64, changes: &Changes) -> Result<(), StoreError> {
        match self.commits_left.checked_sub(1) {
            Some(left) => self.commits_left = left,
            None => return Err(StoreError::Contradiction("no power")),
        }
        self.store.flush(epoch, changes)
    }
}

#[test]
fn a_bank_is_enrolled_whole_or_not_at_all_wherever_the_power_fails() {
    let (bank, keys) = (demo::bank().expect("parses"), Keys::demo());
    let means = Means {
        keys: &keys,
        params: Argon2Params::testbed(),
        entropy: &Zeros,
        at: Timestamp::UNIX_EPOCH,
    };
    let commands = commands(&bank, &means).expect("commands");
    for commits_left in 0..4 {
        let books = ModelStore::new();
        let store = PowerCut {
            store: books.clone(),
            commits_left,
        };
        let log = LogKey {
            origin: "counterfoil-demo".to_owned(),
            key: keys.evidence.clone(),
        };
        let mut writer = Writer::open(store, log).expect("opens");
        let whole = give(&mut writer, commands.clone()).is_ok();
        let read = books.snapshot().expect("reads");
        assert_eq!(query::is_enrolled(&*read).expect("reads"), whole);
        let kiosk = query::signer(&*read, "kiosk:kiosk-2").expect("reads");
        assert_eq!(kiosk.is_some(), whole);
        assert_eq!(audit(&*read).is_ok_and(|r| r.forms == 350), whole);
    }
}

#[test]
fn no_secret_of_the_demo_bank_is_in_the_books_in_clear_i7() {
    let (bank, keys) = (demo::bank().expect("parses"), Keys::demo());
    let means = Means {
        keys: &keys,
        params: Argon2Params::testbed(),
        entropy: &Zeros,
        at: Timestamp::UNIX_EPOCH,
    };
    let mut writer = writer();
    enrol(&mut writer, &bank, &means).expect("enrols");
    let read = writer.store().snapshot().expect("reads");
    let rows = read.range(&[0], &[255], crate::store::From::First, 4_096);
    let all: Vec<u8> = rows
        .expect("reads")
        .into_iter()
        .flat_map(|(k, v)| [k, v].concat())
        .collect();
    let holds = |text: &str| all.windows(text.len()).any(|w| w == text.as_bytes());
    assert!(holds("样例机械有限公司"), "the search itself works");
    let pins = ["zhang-pin", "li-pin", "jixie-password"];
    for pin in pins.map(|name| bank.secret(name).expect("a secret")) {
        assert!(!holds(pin.expose()));
    }
    for card in &bank.cards {
        assert!(!holds(&card.pan));
    }
    for agent in &bank.agents {
        assert!(!holds(&agent.citizen_number));
    }
}

#[test]
fn masks_leave_what_an_officer_needs_and_no_more() {
    assert_eq!(masked_name("张样例"), "张**");
    assert_eq!(masked_number("100000198501010013"), "100000**********13");
    assert_eq!(last_day("2802"), Date::new(2028, 2, 29).ok());
    assert_eq!(last_day("2813"), None);
}
