//! Cards that answer out of form, command by command (EMV Book 1 §12, Book 3 §10).

use counterfoil_data::wire::problem::Remedy;
use jiff::civil::date;

use super::oda::OdaError;
use super::*;
use crate::driver::ccid::scripted::{Answers, answer, bytes, opened, run};

/// Short APDU, everything automatic.
const FEATURES: u32 = 0x0002_00BA;
const ATR: &str = "3b6d000080650849048653000000000000";
/// Lines of a public PBOC trace and of a public test card.
const DIRECTORY: &str = "6f26840e315041592e5359532e4444463031a5148801015f2d027a689f110101\
                         bf0c059f4d020b0a9000";
const ENTRY: &str = "702861264f08a000000333010101500a50424f43204445424954\
                     9f120a50424f432044454249548701019000";
const APPLICATION: &str = "6f0e8408a000000333010101a5028700 9000";
const TRACK: &str = "57114761739001010119d22122011758928889";
const NUMBER: &str = "5a084761739001010119";
const EXPIRY: &str = "5f2403221231";

struct Zeros;

impl Entropy for Zeros {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

/// A card by its answers to SELECT PSE, directory record 1, SELECT AID, GPO and
/// record 1 of file 1 of the application.
#[derive(Clone)]
struct Says {
    pse: String,
    entry: String,
    application: String,
    options: String,
    record: String,
    /// Record 2 of that file, where there is one.
    second: Option<String>,
}

/// A template with its length, and 9000.
fn record(objects: &[&str]) -> String {
    let body = objects.concat();
    format!("70{:02x}{body}9000", body.len() / 2)
}

fn good() -> Says {
    Says {
        pse: DIRECTORY.into(),
        entry: ENTRY.into(),
        application: APPLICATION.into(),
        options: "80061800100101009000".into(),
        record: record(&[TRACK, NUMBER, EXPIRY]),
        second: None,
    }
}

fn read(says: &Says) -> Result<SettlementCard, CardError> {
    let says = says.clone();
    let reply = move |apdu: &[u8]| match apdu {
        [0, 0xA4, 4, 0, 14, ..] => bytes(&says.pse),
        [0, 0xA4, 4, 0, 8, aid @ ..] if aid[7] == 1 => bytes(&says.application),
        [0, 0xB2, 1, 0x0C, 0] => bytes(&says.entry),
        [0, 0xB2, 1, 0x14, 0] => bytes(&says.record),
        [0, 0xB2, 2, 0x14, 0] => bytes(says.second.as_deref().unwrap_or("6a83")),
        [0, 0xB2, ..] => vec![0x6A, 0x83],
        [0x80, 0xA8, ..] => bytes(&says.options),
        _ => vec![0x6A, 0x82],
    };
    let answers: Answers = Box::new(move |command| match command[0] {
        0x62 => vec![answer(0x80, command, [0, 0, 0], &bytes(ATR))],
        0x6F => vec![answer(0x80, command, [0, 0, 0], &reply(&command[10..]))],
        _ => vec![answer(0x81, command, [1, 0, 0], &[])],
    });
    run(async {
        let (mut reader, _) = opened(FEATURES, answers).await;
        let today = date(2022, 12, 31);
        let within = Duration::from_secs(10);
        read_settlement_card(&mut reader, &Capks::default(), &Zeros, today, within).await
    })
}

fn refused(change: impl FnOnce(&mut Says)) -> CardError {
    let mut says = good();
    change(&mut says);
    read(&says).unwrap_err()
}

#[test]
fn a_card_without_pdol_is_read_on_the_last_day_of_its_month() {
    let card = read(&good()).unwrap();
    assert_eq!(card.pan.expose(), "4761739001010119");
    assert_eq!((card.expiry, card.sequence), ((22, 12), None));
    assert_eq!(card.proof, CardProof::HostMustConfirm);
    assert!(!format!("{card:?}").contains("4761"));
}

#[test]
fn options_in_the_second_format_are_read_too() {
    let mut says = good();
    says.options = "770a82021800940410010100 9000".into();
    assert!(read(&says).is_ok());
}

#[test]
fn without_a_directory_the_known_applications_are_tried() {
    let mut says = good();
    says.pse = "6a82".into();
    assert!(read(&says).is_ok());
    says.application = "6a82".into();
    assert_eq!(read(&says).unwrap_err(), CardError::NotSettlementCard);
}

#[test]
fn a_blocked_card_and_a_card_of_another_kind_are_named() {
    let blocked = refused(|says| says.pse = "6a81".into());
    assert_eq!(
        (&blocked, blocked.remedy()),
        (&CardError::Blocked, Remedy::CallStaff)
    );
    // A Visa application alone.
    let other = "700b61094f07a00000000310109000";
    let listed = other;
    let other = refused(|says| {
        says.entry = other.into();
        says.application = "6a82".into();
    });
    assert_eq!(
        (&other, other.remedy()),
        (&CardError::NotSettlementCard, Remedy::Retry)
    );
    // The directory does not list it, and it is there: asked for by its name.
    let mut says = good();
    says.entry = listed.into();
    assert!(read(&says).is_ok());
    // Conditions of use not satisfied: no other application is left.
    let unusable = refused(|says| says.options = "6985".into());
    assert_eq!(unusable, CardError::NotSettlementCard);
    let odd = refused(|says| says.options = "6700".into());
    assert_eq!(
        odd,
        CardError::Refused {
            command: "processing options",
            sw: 0x6700
        }
    );
}

#[test]
fn fields_that_contradict_each_other_are_refused() {
    let digit = "5a084761739001010128";
    let digit = refused(|says| says.record = record(&[TRACK, digit, EXPIRY]));
    assert_eq!(digit, CardError::Field("card number"));
    let other = "5a084761739001010127";
    let other = refused(|says| says.record = record(&[TRACK, other, EXPIRY]));
    assert_eq!(other, CardError::Field("track 2"));
    let expiry = refused(|says| says.record = record(&[TRACK, NUMBER, "5f2403230131"]));
    assert_eq!(expiry, CardError::Field("track 2"));
    let none = refused(|says| says.record = record(&[TRACK, EXPIRY]));
    assert_eq!(none, CardError::Field("card number"));
    let locator = refused(|says| says.options = "80061800f80101009000".into());
    assert_eq!(locator, CardError::Field("file locator"));
    let missing = refused(|says| says.options = "80061800100102009000".into());
    assert_eq!(
        missing,
        CardError::Refused {
            command: "read record",
            sw: 0x6A83
        }
    );
}

#[test]
fn records_out_of_form_are_refused() {
    let what = "record";
    let trailing = format!(
        "{}ffff9000",
        record(&[TRACK, NUMBER, EXPIRY]).trim_end_matches("9000")
    );
    let trailing = refused(|says| says.record = trailing);
    let source = TlvError::Trailing(0x70);
    assert_eq!(trailing, CardError::Malformed { what, source });
    let twice = refused(|says| says.record = record(&[TRACK, NUMBER, EXPIRY, NUMBER]));
    let source = TlvError::Twice(0x5A);
    assert_eq!(twice, CardError::Malformed { what, source });
    let template = refused(|says| says.record = "610257009000".into());
    let source = TlvError::Template(0x70);
    assert_eq!(template, CardError::Malformed { what, source });
}

#[test]
fn an_authentication_that_is_claimed_but_not_there_is_not_authentic() {
    // DDA in the profile, and no 8F.
    let claimed = refused(|says| says.options = "80063800100101009000".into());
    assert_eq!(claimed, CardError::NotAuthentic(OdaError::Missing(0x8F)));
}

/// The records of a public test card, whole: track 2 with name and discretionary data,
/// then the record of its keys.
#[test]
fn the_published_records_give_number_expiry_and_name() {
    let published = "703357114761739001010119d221220117589288895f200c455850495245442f\
                     434152449f1f0e31373538393630393630303030309000";
    let name = "5f200c455850495245442f43415244";
    let mut says = good();
    says.record = record(&[TRACK, name, NUMBER, EXPIRY]);
    let card = read(&says).unwrap();
    assert_eq!(card.holder_hint.unwrap().expose(), "EXPIRED/CARD");
    // As published it has no 5A of its own.
    let whole = refused(|says| says.record = published.into());
    assert_eq!(whole, CardError::Field("card number"));
    let body = bytes(published);
    let body = tlv::only(&body[..body.len() - 2], 0x70).unwrap();
    let fields = tlv::level(body).unwrap();
    let track = fields::track2(tlv::find(&fields, 0x57).unwrap()).unwrap();
    assert_eq!((track.expiry, track.service), ((22, 12), 201));
    assert_eq!(tlv::find(&fields, 0x9F1F).unwrap().len(), 14);
}

#[test]
fn an_empty_file_locator_and_another_blocked_answer_are_refused() {
    let empty = refused(|says| says.options = "800218009000".into());
    assert_eq!(empty, CardError::Field("file locator"));
    // 6283 for the directory: as if there were none.
    let mut says = good();
    says.pse = "6283".into();
    assert!(read(&says).is_ok());
}

/// The application of a public PBOC trace, whole, and what it asks for: 33 bytes.
#[test]
fn the_published_application_is_given_what_its_list_asks_for() {
    let published = "6f3e8408a000000333010101a532500a50424f432044454249548701019f38189f66\
                     049f02069f03069f1a0295055f2a029a039c019f3704bf0c059f4d020b0a";
    let list = processing_list(&bytes(published)).unwrap();
    let asked = tlv::object_list(&list).unwrap();
    assert_eq!(asked.first(), Some(&(0x9F66, 4)));
    assert_eq!(
        asked.iter().map(|(_, n)| usize::from(*n)).sum::<usize>(),
        33
    );
    let mut says = good();
    says.application = format!("{published}9000");
    assert!(read(&says).is_ok());
}

/// The record of a public trace that says what is authenticated.
#[test]
fn a_second_key_index_beside_the_published_one_is_refused() {
    let keys = "8f019492009f3201039f4701039f49039f3704";
    let mut says = good();
    says.record = record(&[TRACK, NUMBER, EXPIRY, keys]);
    assert!(read(&says).is_ok());
    let twice = refused(|says| says.record = record(&[TRACK, NUMBER, EXPIRY, keys, "8f0194"]));
    let (what, source) = ("record", TlvError::Twice(0x8F));
    assert_eq!(twice, CardError::Malformed { what, source });
    // In another record it is as bad.
    let mut says = good();
    says.options = "80061800100102009000".into();
    says.record = record(&[TRACK, NUMBER, EXPIRY, keys]);
    says.second = Some(record(&[keys]));
    assert_eq!(
        read(&says).unwrap_err(),
        CardError::Malformed { what, source }
    );
}
