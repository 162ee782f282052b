//! The wire version before, held to by what was recorded of it (`data/wire-1/`).

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::confirm::Decision;
use super::forms::{FormAdvices, FormsAnswer};
use super::problem::Problem;
use super::sale::{
    Abandon, Close, KioskView, Nothing, OpenSale, Order, SaleView, VerificationInfo, Witness,
};
use super::sheet::TakeSheet;

const ASKED: &str = include_str!("../../wire-1/asked.json");
const ANSWERED: &str = include_str!("../../wire-1/answered.json");

/// Reads it as a backend of today does, and writes it: nothing is lost or added.
fn same<T: DeserializeOwned + Serialize>(name: &str, body: &Value) {
    let text = body.to_string();
    let read: T = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
    assert_eq!(serde_json::to_value(&read).expect("JSON"), *body, "{name}");
}

#[test]
fn every_request_of_a_kiosk_of_version_1_is_read_as_it_was_meant() {
    let asked: Value = serde_json::from_str(ASKED).expect("JSON");
    for (name, bodies) in asked.as_object().expect("by name") {
        for body in bodies.as_array().expect("a list") {
            match name.as_str() {
                "open" => same::<OpenSale>(name, body),
                "info" => same::<VerificationInfo>(name, body),
                "order" => same::<Order>(name, body),
                "link" | "cancel" => same::<Nothing>(name, body),
                "forms" => same::<FormAdvices>(name, body),
                "close" => same::<Close>(name, body),
                "abandon" => same::<Abandon>(name, body),
                "sheet" => same::<TakeSheet>(name, body),
                "confirm" => same::<Decision>(name, body),
                other => panic!("{other} is no request of version 1"),
            }
        }
    }
}

/// A later field may be missing, and one that came and went again may be there.
#[test]
fn every_answer_of_a_backend_of_version_1_is_read_by_a_kiosk_of_today() {
    let answered: Value = serde_json::from_str(ANSWERED).expect("JSON");
    for (name, answer) in answered.as_object().expect("by name") {
        let mut more = answer.clone();
        more["heard-of-by-nobody"] = serde_json::json!([1]);
        for answer in [answer, &more] {
            let text = answer.to_string();
            match name.as_str() {
                "kiosk" => {
                    let view: KioskView = serde_json::from_str(&text).expect("a view");
                    assert_eq!(view.witness, Witness::Agrees, "a backend that says nothing");
                    assert!(view.sealing_key().is_some());
                }
                "problem" => {
                    let problem: Problem = serde_json::from_str(&text).expect("a problem");
                    assert!(problem.rule.is_some());
                }
                "forms" => {
                    let read: FormsAnswer = serde_json::from_str(&text).expect("an answer");
                    assert_eq!(read.accepted, 1);
                }
                _ => {
                    let view: SaleView = serde_json::from_str(&text).expect("a sale");
                    let agent = view.agent.into_iter();
                    assert!(agent.flat_map(|agent| agent.other_fingers).next().is_none());
                }
            }
        }
    }
}
