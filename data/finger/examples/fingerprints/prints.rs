//! Where prints come from: files, or invented fingers.
//!
//! Owns the work list. One piece of work is the prints of one finger: an invented finger is
//! grown once.

use crate::measure::Print;
use crate::options::{Options, Prints, Touch};
use crate::picture;
use crate::sets::{self, Entry, Problem};
use counterfoil_finger::Image;
use counterfoil_finger::synth::Finger;

/// The prints of one finger, not made yet.
pub enum Work {
    Files {
        dpi: u16,
        entries: Vec<Entry>,
    },
    Synthetic {
        finger: u32,
        impressions: u32,
        touch: Touch,
    },
}

/// A set with its work.
pub struct Planned {
    pub name: String,
    pub work: Vec<Work>,
}

/// What is to be measured, and which files take no part.
///
/// # Errors
/// Why nothing can be measured, in words.
pub fn plan(options: &Options) -> Result<(Vec<Planned>, Vec<Problem>), String> {
    match &options.prints {
        Prints::Synthetic {
            first,
            fingers,
            impressions,
            touch,
        } => {
            let work = (*first..first + fingers).map(|finger| Work::Synthetic {
                finger,
                impressions: *impressions,
                touch: *touch,
            });
            let planned = Planned {
                name: "synthetic".to_owned(),
                work: work.collect(),
            };
            Ok((vec![planned], Vec::new()))
        }
        Prints::Folder(root) => {
            let (sets, problems) = sets::find(root, &options.dpi)?;
            if sets.is_empty() {
                let told = problems.iter().map(|p| format!("\n  {p}"));
                let told: String = told.collect();
                let wanted = "FINGER_IMPRESSION.tif or .png";
                return Err(format!("{}: no {wanted} in it{told}", root.display()));
            }
            let planned = |set: sets::Set| {
                let by_finger = set.entries.chunk_by(|a, b| a.finger == b.finger);
                let work = by_finger.map(|entries| Work::Files {
                    dpi: set.dpi,
                    entries: entries.to_vec(),
                });
                Planned {
                    work: work.collect(),
                    name: set.name,
                }
            };
            Ok((sets.into_iter().map(planned).collect(), problems))
        }
    }
}

impl Work {
    /// The prints, and files that are no pictures.
    pub fn prints(&self) -> Vec<Result<Print, Problem>> {
        match self {
            Self::Files { dpi, entries } => entries.iter().map(|e| load(e, *dpi)).collect(),
            Self::Synthetic {
                finger,
                impressions,
                touch,
            } => {
                let grown = Finger::from_seed(u64::from(*finger));
                let press = |n: u32| {
                    let contact = touch(u64::from(*finger) * 1000 + u64::from(n));
                    Ok(Print {
                        name: format!("{finger}_{}", n + 1),
                        finger: *finger,
                        impression: n + 1,
                        image: Ok(grown.impression(&contact)),
                    })
                };
                (0..*impressions).map(press).collect()
            }
        }
    }
}

/// A picture that the engine refuses takes part, as a print without template.
fn load(entry: &Entry, dpi: u16) -> Result<Print, Problem> {
    let picture = picture::read(&entry.path).map_err(|error| Problem {
        file: entry.path.clone(),
        what: error.to_string(),
    })?;
    let side = |pixels: u32| u16::try_from(pixels).unwrap_or(u16::MAX);
    let (width, height) = (side(picture.width), side(picture.height));
    let image = Image::new(width, height, dpi, picture.pixels);
    Ok(Print {
        name: entry.name.clone(),
        finger: entry.finger,
        impression: entry.impression,
        image: image.map_err(|refused| refused.to_string()),
    })
}
