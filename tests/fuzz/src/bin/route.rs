//! Paths of `/v1` and the body of the identity route: a path finds one row or none,
//! its parameters stand where the row has them, and a body has one reading.
#![no_main]

use counterfoil_backend::service::route::{self, Found, TABLE};

const METHODS: [&str; 6] = ["GET", "POST", "PUT", "DELETE", "HEAD", "get"];

/// Puts parameters back into a row's path.
fn filled(pattern: &str, at: impl Fn(usize) -> String) -> String {
    let mut next = 0;
    let parts = pattern.split('/').map(|part| {
        if !part.starts_with('{') {
            return part.to_owned();
        }
        next += 1;
        at(next - 1)
    });
    parts.collect::<Vec<_>>().join("/")
}

fn find(path: &str) {
    let mut rows = Vec::new();
    let mut allowed: Option<Vec<&str>> = None;
    for method in METHODS {
        match route::find(method, path) {
            Found::Route(route, params) => {
                assert_eq!(route.method.as_str(), method, "methods are exact");
                assert_eq!(filled(route.path, |n| params.at(n).to_owned()), path);
                let holes = route.path.matches('{').count();
                assert!((0..holes).all(|n| !params.at(n).is_empty()));
                assert_eq!(params.at(holes), "", "and no more");
                rows.push(method);
            }
            Found::OtherMethod(allow) => {
                assert!(!allow.is_empty() && !allow.contains(&method));
                allowed = Some(allow);
            }
            Found::Nothing => {}
        }
    }
    match allowed {
        Some(mut allow) => {
            allow.sort_unstable();
            allow.dedup();
            rows.sort_unstable();
            assert_eq!(allow, rows, "Allow names every method that is served");
        }
        None => assert!(rows.is_empty()),
    }
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some(text) = counterfoil_fuzz::text(data) else {
        return;
    };
    find(text);
    // A row's own path with the input in its holes.
    for route in TABLE {
        let path = filled(route.path, |_| text.replace('/', "%2f"));
        find(&path);
    }
});
