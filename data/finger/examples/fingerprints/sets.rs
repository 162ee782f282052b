//! Finds the sets in a folder: which file is which finger.
//!
//! Owns the naming rule. A set is a folder of `FINGER_IMPRESSION.tif` (`.tiff`, `.png`); fingers
//! are compared within their set only. Every file that looks like a picture and is not a print is
//! told; the rest goes on.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Place;
use std::path::{Path, PathBuf};

/// How deep sets may lie below the folder that was named.
const DEPTH_MAX: usize = 4;
/// Resolution where nothing else was said, dots per inch.
pub const DPI_USUAL: u16 = 500;

/// One print of a set.
#[derive(Debug, Clone)]
pub struct Entry {
    pub path: PathBuf,
    /// The file's name without its ending.
    pub name: String,
    pub finger: u32,
    pub impression: u32,
}

/// The prints of one sensor, by finger and impression.
#[derive(Debug)]
pub struct Set {
    /// Path below the folder that was named, or that folder's own name; no blanks.
    pub name: String,
    pub dpi: u16,
    pub entries: Vec<Entry>,
}

/// A file that takes no part.
#[derive(Debug)]
pub struct Problem {
    pub file: PathBuf,
    /// What is wrong and what to do.
    pub what: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.file.display(), self.what)
    }
}

/// The sets in or under a folder, in order of their names.
///
/// # Errors
/// What is wrong with the folder or with a `dpi` entry, in words.
pub fn find(root: &Path, dpi: &[(String, u16)]) -> Result<(Vec<Set>, Vec<Problem>), String> {
    let (mut sets, mut problems) = (Vec::new(), Vec::new());
    let mut folders = vec![(root.to_path_buf(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let listed = std::fs::read_dir(&folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let listed = match listed {
            Ok(listed) => listed,
            Err(error) if depth == 0 => {
                let named = root.display();
                return Err(format!("{named} is no folder of prints ({error})"));
            }
            Err(error) => {
                let what = format!("cannot be listed ({error}), check who may read it");
                problems.push(Problem { file: folder, what });
                continue;
            }
        };
        let paths: Vec<PathBuf> = listed.into_iter().map(|entry| entry.path()).collect();
        let inner = paths.iter().filter(|p| p.is_dir() && depth < DEPTH_MAX);
        folders.extend(inner.map(|p| (p.clone(), depth + 1)));
        let entries = prints(&paths, &mut problems);
        if !entries.is_empty() {
            let name = set_name(root, &folder);
            let dpi = resolution(&name, dpi);
            sets.push(Set { name, dpi, entries });
        }
    }
    sets.sort_by(|a, b| a.name.cmp(&b.name));
    if let Some((unknown, _)) = dpi
        .iter()
        .find(|(w, _)| !sets.iter().any(|s| is(&s.name, w)))
    {
        let names: Vec<&str> = sets.iter().map(|set| set.name.as_str()).collect();
        let names = names.join(", ");
        return Err(format!("--dpi {unknown}: no such set, there are: {names}"));
    }
    Ok((sets, problems))
}

/// True if `wanted` is this set's name or its last part.
fn is(name: &str, wanted: &str) -> bool {
    let before = name.strip_suffix(wanted);
    before.is_some_and(|before| before.is_empty() || before.ends_with('/'))
}

fn resolution(name: &str, dpi: &[(String, u16)]) -> u16 {
    let said = dpi.iter().rfind(|(wanted, _)| is(name, wanted));
    said.map_or(DPI_USUAL, |(_, dpi)| *dpi)
}

fn set_name(root: &Path, folder: &Path) -> String {
    let below = folder.strip_prefix(root).unwrap_or(folder);
    let own = || root.canonicalize().ok()?.file_name().map(PathBuf::from);
    let path = if below.as_os_str().is_empty() {
        own().unwrap_or_else(|| "set".into())
    } else {
        below.to_path_buf()
    };
    let path = path.to_string_lossy().replace('\\', "/");
    path.replace(char::is_whitespace, "_")
}

/// The prints among the files of one folder; endings other than those of pictures are passed over.
fn prints(paths: &[PathBuf], problems: &mut Vec<Problem>) -> Vec<Entry> {
    let mut found: BTreeMap<(u32, u32), Entry> = BTreeMap::new();
    let mut paths: Vec<&PathBuf> = paths
        .iter()
        .filter(|p| is_picture(p) && !p.is_dir())
        .collect();
    paths.sort();
    for path in paths {
        let mut refuse = |what: &str| {
            problems.push(Problem {
                file: path.clone(),
                what: what.to_owned(),
            });
        };
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        let Some((name, finger, impression)) = stem.and_then(numbers) else {
            refuse("is not called FINGER_IMPRESSION, rename it (say 101_3)");
            continue;
        };
        let entry = Entry {
            path: path.clone(),
            name: name.to_owned(),
            finger,
            impression,
        };
        match found.entry((finger, impression)) {
            Place::Vacant(place) => drop(place.insert(entry)),
            Place::Occupied(_) => {
                refuse("is a second file of this impression, take one of them away");
            }
        }
    }
    found.into_values().collect()
}

fn is_picture(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|e| ["tif", "tiff", "png"].contains(&e.to_ascii_lowercase().as_str()))
}

/// `101_3` is impression 3 of finger 101.
fn numbers(stem: &str) -> Option<(&str, u32, u32)> {
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse::<u32>().ok()).flatten()
    };
    let (finger, impression) = stem.split_once('_')?;
    Some((stem, number(finger)?, number(impression)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str, files: &[&str]) -> Self {
            let root = std::env::temp_dir().join(format!("prints-{}-{name}", std::process::id()));
            for file in files {
                let path = root.join(file);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, b"").unwrap();
            }
            Self(root)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            drop(std::fs::remove_dir_all(&self.0));
        }
    }

    #[test]
    fn sets_are_found_at_any_depth_and_prints_in_order_of_their_numbers() {
        let files = [
            "b/x/2_10.tif",
            "b/x/2_9.TIFF",
            "b/x/10_1.png",
            "a b/1_1.tif",
        ];
        let folder = Folder::new("sets", &files);
        let dpi = [("x".to_owned(), 569)];
        let (sets, problems) = find(&folder.0, &dpi).unwrap();
        let names: Vec<&str> = sets.iter().map(|set| set.name.as_str()).collect();
        assert_eq!(names, ["a_b", "b/x"]);
        assert_eq!((sets[0].dpi, sets[1].dpi), (500, 569));
        let prints: Vec<&str> = sets[1].entries.iter().map(|e| e.name.as_str()).collect();
        assert_eq!(prints, ["2_9", "2_10", "10_1"]);
        assert!(problems.is_empty());
    }

    #[test]
    fn a_wrong_name_is_told_and_the_rest_goes_on() {
        let files = [
            "1_1.tif",
            "1_1.png",
            "thumb.tif",
            "1_x.tif",
            "+1_2.tif",
            "README",
        ];
        let folder = Folder::new("names", &files);
        let (sets, problems) = find(&folder.0, &[]).unwrap();
        assert_eq!(sets[0].entries.len(), 1);
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 4, "{told:?}");
        assert!(told.iter().any(|t| t.contains("thumb.tif: is not called")));
        assert!(
            told.iter()
                .any(|t| t.contains("second file of this impression"))
        );
    }

    #[test]
    fn a_missing_folder_and_an_unknown_set_are_told() {
        let missing = find(Path::new("/no/such/folder"), &[]).unwrap_err();
        assert!(missing.contains("/no/such/folder"), "{missing}");
        let folder = Folder::new("unknown", &["DB1/1_1.tif"]);
        let unknown = find(&folder.0, &[("DB2".to_owned(), 569)]).unwrap_err();
        assert!(unknown.contains("DB2: no such set, there are: DB1"));
    }
}
