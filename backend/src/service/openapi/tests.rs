use super::*;
use std::collections::BTreeSet;

fn json() -> serde_json::Value {
    document()
}

#[test]
fn every_route_is_described_and_nothing_else_is() {
    let document = json();
    let mut described = BTreeSet::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for method in item.as_object().expect("an item").keys() {
            described.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    let routed: BTreeSet<String> = TABLE
        .iter()
        .map(|r| format!("{} {}", r.method.as_str(), r.path))
        .collect();
    assert_eq!(described, routed);
    assert_eq!(document["openapi"], "3.1.0");
}

#[test]
fn every_reference_leads_to_a_schema() {
    fn references(value: &serde_json::Value, found: &mut BTreeSet<String>) {
        match value {
            serde_json::Value::Object(map) => {
                if let Some(target) = map.get("$ref").and_then(|r| r.as_str()) {
                    found.insert(target.to_owned());
                }
                map.values().for_each(|v| references(v, found));
            }
            serde_json::Value::Array(all) => all.iter().for_each(|v| references(v, found)),
            _ => {}
        }
    }
    let document = json();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 20, "{}", found.len());
    for target in found {
        let pointer = target.trim_start_matches('#');
        assert!(document.pointer(pointer).is_some(), "{target}");
    }
}

#[test]
fn every_signed_route_documents_its_signature_and_refusals() {
    let document = json();
    for route in TABLE.iter().filter(|r| r.audience != Audience::Public) {
        let method = route.method.as_str().to_lowercase();
        let operation = &document["paths"][route.path][method.as_str()];
        assert!(
            operation["security"][0]["signature"].is_array(),
            "{}",
            route.path
        );
        assert!(operation["responses"]["401"].is_object(), "{}", route.path);
    }
}

#[test]
fn every_problem_type_is_documented_by_a_route_and_no_other_is() {
    let document = json();
    let listed = &document["components"]["schemas"]["ProblemType"]["enum"];
    let listed: BTreeSet<&str> = listed
        .as_array()
        .expect("an enum")
        .iter()
        .filter_map(|word| word.as_str())
        .collect();
    let uris = problem::ProblemKind::ALL.map(problem::ProblemKind::uri);
    assert_eq!(listed, uris.iter().map(String::as_str).collect());
    let mut described = BTreeSet::new();
    for route in TABLE {
        let method = route.method.as_str().to_lowercase();
        let responses = &document["paths"][route.path][method.as_str()]["responses"];
        for (status, response) in responses.as_object().expect("responses") {
            let schema = &response["content"][problem::MEDIA_TYPE]["schema"]["allOf"][1];
            let types = schema["properties"]["type"]["enum"].as_array();
            let types = types.into_iter().flatten().filter_map(|word| word.as_str());
            let types: Vec<_> = types.map(str::to_owned).collect();
            assert_eq!(status == "200", types.is_empty(), "{} {status}", route.path);
            described.extend(types);
        }
    }
    assert_eq!(described, uris.into());
}

#[test]
fn every_example_is_a_lawful_body() {
    fn read<T: serde::de::DeserializeOwned>(name: &str) {
        let example = examples::of(name).expect("an example");
        assert!(serde_json::from_value::<T>(example).is_ok(), "{name}");
    }
    use counterfoil_data::wire::{confirm, custody, forms, sale, session, sheet};
    read::<session::LogOut>("LogOut");
    read::<sale::OpenSale>("OpenSale");
    read::<sale::Order>("Order");
    read::<sale::Abandon>("Abandon");
    read::<sale::Close>("Close");
    read::<sheet::TakeSheet>("TakeSheet");
    read::<forms::FormAdvices>("FormAdvices");
    read::<confirm::Decision>("Decision");
    read::<custody::Propose>("Propose");
    read::<custody::Approve>("Approve");
    for route in TABLE {
        if let BodyRule::Json(name) = route.body {
            let sealed = ["VerificationInfo", "LogIn"].contains(&name);
            assert_eq!(examples::of(name).is_none(), sealed, "{name}");
        }
    }
}

#[test]
fn every_link_leads_to_an_operation_and_its_parameters() {
    let document = json();
    let mut operations = std::collections::BTreeMap::new();
    for item in document["paths"].as_object().expect("paths").values() {
        for operation in item.as_object().expect("an item").values() {
            let id = operation["operationId"].as_str().expect("an id");
            operations.insert(id, &operation["parameters"]);
        }
    }
    assert_eq!(operations.len(), TABLE.len(), "ids are unique");
    let mut seen = 0;
    for route in TABLE {
        for (name, link) in links::of(route.operation) {
            let parameters = operations.get(link.operation_id.as_str());
            let parameters = parameters.expect("a target").as_array().expect("some");
            for parameter in link.parameters.keys() {
                let there = parameters.iter().any(|p| p["name"] == parameter.as_str());
                assert!(there, "{name}: {parameter}");
            }
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen}");
}
