//! Fingerprint engine of Counterfoil: image to template, quality, match, synthetic fingers.
//!
//! Owns [`extract`], [`quality`], [`verify`] and [`synth`]. Pure: no clock, no randomness of its
//! own, no global state, no I/O; the same input gives the same output. Refuses images without a
//! usable finger ([`NoTemplate`]) and encoded templates out of bounds ([`TemplateError`]).
//! The kiosk calls `quality` at capture; the backend calls `extract` and `verify` in its matcher
//! pool (S13, S14: live print against the agent's enrolled print, 1:1); twins call `synth`.

mod cylinder;
mod enrol;
mod extract;
mod gabor;
mod image;
mod iso;
mod lock;
mod matching;
mod plane;
mod quality;
mod score;
pub mod synth;
mod template;
mod waves;

pub use enrol::{EnrolError, IMPRESSIONS, enrol, is_replay};
pub use extract::{AREA_MIN_MM2, NoTemplate, extract};
pub use image::{DPI_MAX, DPI_MIN, Image, ImageError, SIDE_MAX_PX, SIDE_MIN_PX, WORKING_DPI};
pub use iso::{FingerPosition, IsoError, IsoView, export_iso, import_iso};
pub use quality::{Advice, Facts, Quality, facts_of, quality};
pub use score::{ENROLLED_MAX, SCORE_MAX, Score, both, raw_likeness, verify};
pub use template::{
    MINUTIAE_MAX, MINUTIAE_MIN, TEMPLATE_BYTES_MAX, TEMPLATE_VERSION, Template, TemplateError,
};
