//! Looks for markers in bytes: in a file, in a text, in the memory of a process.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};

/// Bytes read at a time.
const CHUNK: usize = 1024 * 1024;

/// What is looked for.
pub struct Needle {
    pub name: String,
    pub bytes: Vec<u8>,
}

/// Many needles, found in one pass by their first two bytes.
pub struct Needles {
    needles: Vec<Needle>,
    /// For every pair of bytes, which needles begin with it.
    heads: Vec<Vec<u16>>,
    longest: usize,
}

impl Needles {
    pub fn new(needles: Vec<Needle>) -> Self {
        let mut heads = vec![Vec::new(); 65_536];
        for (at, needle) in needles.iter().enumerate() {
            assert!(needle.bytes.len() >= 8, "{} is too short", needle.name);
            let at = u16::try_from(at).expect("few needles");
            heads[head(&needle.bytes)].push(at);
        }
        let longest = needles.iter().map(|n| n.bytes.len()).max().unwrap_or(0);
        Self {
            needles,
            heads,
            longest,
        }
    }

    pub fn len(&self) -> usize {
        self.needles.len()
    }

    /// Names of those found in `bytes`, each once.
    pub fn found(&self, bytes: &[u8]) -> Vec<&str> {
        let mut found = Vec::new();
        for (at, pair) in bytes.windows(2).enumerate() {
            for needle in &self.heads[head(pair)] {
                let needle = &self.needles[usize::from(*needle)];
                if bytes[at..].starts_with(&needle.bytes) && !found.contains(&needle.name.as_str())
                {
                    found.push(needle.name.as_str());
                }
            }
        }
        found
    }

    /// The same over everything that can be read of a running process, each with the
    /// name of its mapping, and how many bytes were read.
    pub fn found_in_process(&self, pid: u32) -> (Vec<String>, u64) {
        let maps = std::fs::read_to_string(format!("/proc/{pid}/maps"));
        let maps = maps.expect("the program's memory must be readable: run as root");
        let memory = File::open(format!("/proc/{pid}/mem"));
        let mut memory = memory.expect("the program's memory must be readable: run as root");
        let (mut found, mut read) = (Vec::new(), 0);
        for line in maps.lines() {
            let mut words = line.split_whitespace();
            let (range, rights) = (
                words.next().expect("a range"),
                words.next().expect("rights"),
            );
            let name = words.nth(3).unwrap_or("anonymous");
            // Pages of the kernel's own, which hold none of the program's data.
            if !rights.starts_with('r') || ["[vvar]", "[vvar_vclock]", "[vsyscall]"].contains(&name)
            {
                continue;
            }
            let (from, to) = range.split_once('-').expect("a range");
            let parse = |text| u64::from_str_radix(text, 16).expect("an address");
            let mut seen = |bytes: &[u8]| {
                for needle in self.found(bytes) {
                    let told = format!("{needle} in {name}");
                    if !found.contains(&told) {
                        found.push(told);
                    }
                }
            };
            read += self.each_chunk(&mut memory, parse(from), parse(to), &mut seen, line);
        }
        (found, read)
    }

    fn each_chunk(
        &self,
        memory: &mut File,
        from: u64,
        to: u64,
        seen: &mut dyn FnMut(&[u8]),
        line: &str,
    ) -> u64 {
        let mut kept = Vec::new();
        let mut at = from;
        while at < to {
            let len = usize::try_from(to - at).unwrap_or(CHUNK).min(CHUNK);
            let before = kept.len();
            kept.resize(before + len, 0);
            memory.seek(SeekFrom::Start(at)).expect("seeks");
            if let Err(error) = memory.read_exact(&mut kept[before..]) {
                // Memory that was given back between the list and the reading.
                panic!("{line} cannot be read ({error}): run as root, with CAP_SYS_PTRACE");
            }
            seen(&kept);
            at += len as u64;
            let overlap = kept.len().min(self.longest);
            kept.drain(..kept.len() - overlap);
        }
        to - from
    }
}

fn head(bytes: &[u8]) -> usize {
    usize::from(bytes[0]) << 8 | usize::from(bytes[1])
}

/// A text as it stands in memory: UTF-8, and UTF-16 as other systems keep it.
pub fn texts(name: &str, text: &str) -> [Needle; 2] {
    let wide = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    [
        Needle {
            name: name.to_owned(),
            bytes: text.as_bytes().to_vec(),
        },
        Needle {
            name: format!("{name} in UTF-16"),
            bytes: wide,
        },
    ]
}

/// Pieces of `len` bytes, every `step`, that are no plain ground: at least eight
/// different values, two different ones at the beginning.
pub fn pieces(name: &str, bytes: &[u8], len: usize, step: usize) -> Vec<Needle> {
    let is_telling = |piece: &&[u8]| {
        let mut values = piece.to_vec();
        values.sort_unstable();
        values.dedup();
        values.len() >= 8 && piece[0] != piece[1] && piece[0] != 0 && piece[0] != u8::MAX
    };
    bytes
        .windows(len)
        .step_by(step)
        .filter(is_telling)
        .enumerate()
        .map(|(at, piece)| Needle {
            name: format!("{name}, piece {at}"),
            bytes: piece.to_vec(),
        })
        .collect()
}
