use super::*;

#[test]
fn every_route_finds_itself_and_only_itself() {
    for route in TABLE {
        let path = route
            .path
            .replace("{sale}", "0123456789abcdef0123456789abcdef")
            .replace("{proposal}", "1")
            .replace("{level}", "0")
            .replace("{index}", "0")
            .replace("{number}", "3130002112345678");
        match find(route.method.as_str(), &path) {
            Found::Route(found, _) => assert_eq!(found.operation, route.operation),
            other => panic!("{path}: {other:?}"),
        }
    }
}

#[test]
fn a_known_path_with_another_method_names_the_allowed_ones() {
    match find("DELETE", "/v1/sales/1/link") {
        Found::OtherMethod(allow) => assert_eq!(allow, ["POST"]),
        other => panic!("{other:?}"),
    }
}

/// Found by the interface tester: `parse` takes a sign and zeros.
#[test]
fn a_whole_number_has_one_text_only() {
    assert_eq!((whole("0"), whole("10")), (Some(0), Some(10)));
    assert_eq!(whole("18446744073709551615"), Some(u64::MAX));
    for text in [
        "",
        "+1",
        "-1",
        "01",
        "00",
        " 1",
        "1.0",
        "18446744073709551616",
    ] {
        assert_eq!(whole(text), None, "{text}");
    }
}

#[test]
fn near_misses_are_not_found() {
    for path in [
        "",
        "/",
        "/v1/sales/",
        "/v1/sales//info",
        "/v1/sales/1/info/",
        "/v2/sales",
    ] {
        assert!(matches!(find("GET", path), Found::Nothing), "{path}");
    }
}

#[test]
fn everything_that_moves_money_or_custody_by_a_client_key_needs_one() {
    let keyed: Vec<_> = TABLE
        .iter()
        .filter(|r| r.keyed)
        .map(|r| r.operation)
        .collect();
    let expected = [
        Operation::Link,
        Operation::Cancel,
        Operation::Abandon,
        Operation::Close,
        Operation::Propose,
    ];
    assert_eq!(keyed, expected);
}
