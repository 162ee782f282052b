//! The crates may depend on each other only along the edges of `ARCHITECTURE.md`,
//! and some packages only in one place: a new edge is the change to look at
//! hardest, so it fails here first.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops where its world is not as expected"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .expect("the workspace root")
}

fn metadata() -> serde_json::Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--locked"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("metadata is JSON")
}

/// Package name to every package it depends on, build dependencies included,
/// dev-dependencies left out.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    edges(&metadata())
}

fn edges(metadata: &serde_json::Value) -> BTreeMap<String, BTreeSet<String>> {
    let packages = metadata["packages"].as_array().expect("packages");
    packages
        .iter()
        .map(|package| {
            let name = package["name"].as_str().expect("a name").to_owned();
            let on = package["dependencies"]
                .as_array()
                .expect("dependencies")
                .iter();
            let on = on
                .filter(|d| d["kind"] != "dev")
                .filter_map(|d| d["name"].as_str());
            (name, on.map(str::to_owned).collect())
        })
        .collect()
}

#[test]
fn crates_depend_on_each_other_only_along_the_drawn_edges() {
    let allowed: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("counterfoil-data", &[][..]),
        ("counterfoil-finger", &[][..]),
        (
            "counterfoil-devices",
            &["counterfoil-data", "counterfoil-finger"][..],
        ),
        (
            "counterfoil-backend",
            &["counterfoil-data", "counterfoil-finger"][..],
        ),
        (
            "counterfoil-tui",
            &[
                "counterfoil-data",
                "counterfoil-finger",
                "counterfoil-devices",
            ][..],
        ),
        (
            "counterfoil-testbed",
            &[
                "counterfoil-data",
                "counterfoil-finger",
                "counterfoil-devices",
                "counterfoil-backend",
                "counterfoil-tui",
            ][..],
        ),
    ]);
    let found = dependencies();
    assert_eq!(
        found.len(),
        allowed.len(),
        "a package appeared or went: {:?}",
        found.keys()
    );
    for (name, on) in found {
        let allowed = allowed
            .get(name.as_str())
            .unwrap_or_else(|| panic!("{name} is not in the table"));
        for edge in on.iter().filter(|on| on.starts_with("counterfoil-")) {
            assert!(
                allowed.contains(&edge.as_str()),
                "{name} may not depend on {edge}"
            );
        }
    }
}

#[test]
fn an_edge_through_a_build_script_is_an_edge() {
    let metadata = serde_json::json!({"packages": [{"name": "a", "dependencies": [
        {"name": "b", "kind": null}, {"name": "c", "kind": "build"}, {"name": "d", "kind": "dev"},
    ]}]});
    let found = edges(&metadata);
    let on: Vec<&str> = found["a"].iter().map(String::as_str).collect();
    assert_eq!(on, ["b", "c"]);
}

#[test]
fn heavy_packages_stay_where_they_belong() {
    let homes: [(&str, &[&str]); 6] = [
        ("rusb", &["counterfoil-devices"]),
        ("redb", &["counterfoil-backend"]),
        ("argon2", &["counterfoil-backend"]),
        ("ratatui", &["counterfoil-tui", "counterfoil-testbed"]),
        ("hyper", &["counterfoil-backend", "counterfoil-tui"]),
        (
            "tokio",
            &[
                "counterfoil-devices",
                "counterfoil-backend",
                "counterfoil-tui",
                "counterfoil-testbed",
            ],
        ),
    ];
    for (name, on) in dependencies() {
        for (package, homes) in homes {
            assert!(
                !on.contains(package) || homes.contains(&name.as_str()),
                "{name} may not depend on {package}"
            );
        }
    }
}

/// Every `.rs` file under `folder`, with its path from the root.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)
            .expect("a folder")
            .map(|e| e.expect("an entry").path())
        {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|e| e == "rs") {
                let name = entry
                    .strip_prefix(root())
                    .expect("inside")
                    .display()
                    .to_string();
                files.push((name, std::fs::read_to_string(&entry).expect("text")));
            }
        }
    }
    assert!(!files.is_empty(), "no sources under {folder}");
    files
}

/// Whether a line of code names something of the crate `path` (`redb::`), as
/// opposed to a module of ours that has the same name (`store::redb::`).
fn names(line: &str, path: &str) -> bool {
    let code = !line.trim_start().starts_with("//");
    let mut found = line.match_indices(path);
    code && found
        .any(|(at, _)| !line[..at].ends_with(|c: char| c == ':' || c == '_' || c.is_alphanumeric()))
}

/// Files under `folder` that use `crate_path`, outside `allowed` prefixes.
fn strays(folder: &str, crate_path: &str, allowed: &[&str]) -> Vec<String> {
    let files = sources(folder).into_iter();
    let used = files.filter(|(_, text)| text.lines().any(|line| names(line, crate_path)));
    used.map(|(name, _)| name)
        .filter(|name| !allowed.iter().any(|a| name.starts_with(a)))
        .collect()
}

#[test]
fn the_search_tells_a_crate_from_a_module_of_ours() {
    assert!(names("use redb::Database;", "redb::"));
    assert!(names("    let x = redb::Builder::new();", "redb::"));
    assert!(!names("use crate::store::redb::RedbStore;", "redb::"));
    assert!(!names("// redb::Database", "redb::"));
}

#[test]
fn rusb_redb_and_ratatui_are_used_only_behind_their_seams() {
    assert_eq!(
        strays("devices/src", "rusb::", &["devices/src/transport"]),
        [""; 0]
    );
    assert_eq!(
        strays("backend/src", "redb::", &["backend/src/store"]),
        [""; 0]
    );
    let screens = [
        "tui/src/screen",
        "tui/src/theme.rs",
        "tui/src/terminal.rs",
        "tui/src/shell",
    ];
    assert_eq!(strays("tui/src", "ratatui::", &screens), [""; 0]);
}

#[test]
fn parsers_rules_and_flows_know_no_runtime() {
    for folder in [
        "data/src",
        "data/finger/src",
        "backend/src/core",
        "tui/src/flow",
    ] {
        assert_eq!(strays(folder, "tokio::", &[]), [""; 0], "tokio in {folder}");
    }
}

#[test]
fn no_file_names_a_path_of_one_machine() {
    let listed = Command::new("git")
        .args(["ls-files"])
        .current_dir(root())
        .output()
        .expect("git runs");
    assert!(listed.status.success(), "git: {}", listed.status);
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let own = "tests/tests/edges.rs";
    assert!(
        listed.lines().any(|name| name == own),
        "git does not list {own}"
    );
    for name in listed.lines().filter(|n| !n.ends_with(".png")) {
        let path = root().join(name);
        // Deleted and not yet committed: there is nothing to read.
        let Ok(text) = std::fs::read(&path) else {
            assert!(!path.exists(), "{name} cannot be read");
            continue;
        };
        let text = String::from_utf8_lossy(&text);
        for path in [
            concat!("/ro", "ot/"),
            concat!("/ho", "me/"),
            concat!("/wo", "rk/"),
        ] {
            assert!(!text.contains(path), "{name} names {path}");
        }
    }
}

#[test]
fn the_map_names_only_what_is_there() {
    for page in ["ARCHITECTURE.md", "README.md", "tests/README.md"] {
        let text = std::fs::read_to_string(root().join(page)).expect("a page");
        let quoted = text.split('`').skip(1).step_by(2);
        let paths = quoted.filter(|q| {
            q.contains('/') && (q.ends_with(".rs") || q.ends_with(".toml") || q.ends_with('/'))
        });
        let mut named = 0;
        for path in paths.filter(|q| !q.contains(['*', ' ', ':']) && !q.contains("NAME")) {
            assert!(
                root().join(path).exists(),
                "{page} names {path}, which is not there"
            );
            named += 1;
        }
        assert!(named > 0, "{page} names no path: has the search broken?");
    }
}
