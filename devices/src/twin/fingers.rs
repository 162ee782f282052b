//! The fingers at hand at a finger sensor's desk, and which of them lies on the glass.
//!
//! Owns the verbs that every finger sensor has and the synthetic impressions. Refuses a
//! second finger on the glass. Called by the twins of finger sensors.
//!
//! ```text
//!  place FINGER [poor|wet|dry|off-centre] [seed N]     lift
//!  wet xN (the next N touches are wet)
//! ```

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::str::FromStr;
use std::sync::{Arc, Mutex};

use counterfoil_data::demo::DemoBank;
use counterfoil_finger::Image;
use counterfoil_finger::synth::{Contact, Finger};

use super::finger_module::FingerModuleTwin;
use super::finger_module::native::NativeModuleTwin;
use super::serial_bridge::BridgeKind;
use super::uru4000::Uru4000Twin;
use super::{DeskError, Twin};

/// The verbs of [`Fingers`], for a refusal.
pub(super) const VERBS: &str = "place FINGER [poor|wet|dry|off-centre] [seed N], lift, wet xN";

/// A finger as the desk knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FingerSpec {
    /// Its name on the desk.
    pub name: String,
    /// Seed of the synthetic finger.
    pub seed: u64,
}

impl FingerSpec {
    /// The fingers of the demo bank.
    pub fn demo(bank: &DemoBank) -> Vec<Self> {
        let spec = |f: &counterfoil_data::demo::Finger| Self {
            name: f.name.clone(),
            seed: f.seed,
        };
        bank.fingers.iter().map(spec).collect()
    }
}

/// Which finger sensor a kiosk has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SensorKind {
    /// An EF01 module behind a serial bridge.
    Module(BridgeKind),
    /// A U.are.U 4500.
    Uru4500,
    /// A `MicroArray` module on its own USB port, which gives no image.
    MicroArray,
}

impl SensorKind {
    /// Its twin, with these fingers at hand.
    pub fn twin(self, fingers: Vec<FingerSpec>) -> Rc<RefCell<dyn Twin>> {
        match self {
            Self::Module(kind) => {
                let module = FingerModuleTwin::new(fingers).behind(kind);
                Rc::new(RefCell::new(module))
            }
            Self::Uru4500 => Rc::new(RefCell::new(Uru4000Twin::new(fingers))),
            Self::MicroArray => Rc::new(RefCell::new(NativeModuleTwin::new(fingers, false))),
        }
    }
}

impl FromStr for SensorKind {
    type Err = DeskError;

    /// `uru4500`, `microarray`, or the name of the module's bridge.
    fn from_str(text: &str) -> Result<Self, DeskError> {
        match text {
            "uru4500" => Ok(Self::Uru4500),
            "microarray" => Ok(Self::MicroArray),
            bridge => bridge.parse().map(Self::Module),
        }
    }
}

/// What lies where.
pub(super) struct Fingers {
    known: Vec<FingerSpec>,
    placed: Option<String>,
    touches: u64,
    wet_next: u64,
}

impl Fingers {
    pub(super) fn new(known: Vec<FingerSpec>) -> Self {
        Self {
            known,
            placed: None,
            touches: 0,
            wet_next: 0,
        }
    }

    pub(super) fn touches(&self) -> u64 {
        self.touches
    }

    /// What lies on the glass, for the desk screen.
    pub(super) fn on_glass(&self) -> &str {
        self.placed.as_deref().unwrap_or("nothing")
    }

    pub(super) fn names(&self) -> String {
        let names: Vec<&str> = self.known.iter().map(|f| f.name.as_str()).collect();
        names.join(", ")
    }

    /// A finger comes down; what the sensor sees of it.
    pub(super) fn place(&mut self, name: &str, rest: &[&str]) -> Result<Arc<Image>, DeskError> {
        let Some(spec) = self.known.iter().find(|f| f.name == name) else {
            let names = self.names();
            return Err(DeskError(format!("no such finger; there are {names}")));
        };
        if self.placed.is_some() {
            return Err(DeskError(
                "there is a finger on the sensor: lift it first".into(),
            ));
        }
        let (how, seed) = match rest {
            [] => ("natural", None),
            ["seed", seed] => ("natural", Some(*seed)),
            [how] => (*how, None),
            [how, "seed", seed] => (*how, Some(*seed)),
            _ => {
                return Err(DeskError(
                    "place FINGER [poor|wet|dry|off-centre] [seed N]".into(),
                ));
            }
        };
        let seed = match seed.map(str::parse::<u64>) {
            Some(Ok(seed)) => seed,
            Some(Err(_)) => return Err(DeskError("seed: a number was expected".into())),
            // Every touch differs, and every run of the same script is the same.
            None => spec.seed.wrapping_mul(1000).wrapping_add(self.touches),
        };
        let how = if how == "natural" && self.wet_next > 0 {
            self.wet_next = self.wet_next.saturating_sub(1);
            "wet"
        } else {
            how
        };
        let contact = match how {
            "natural" => Contact::natural(seed),
            "poor" => Contact::poor(seed),
            "wet" => Contact::wet(seed),
            "dry" => Contact::dry(seed),
            "off-centre" => Contact::off_centre(seed),
            _ => return Err(DeskError("how: poor, wet, dry or off-centre".into())),
        };
        let image = impression((spec.seed, how.to_owned(), seed), &contact);
        self.touches = self.touches.saturating_add(1);
        self.placed = Some(name.to_owned());
        Ok(image)
    }

    /// The finger goes; its name.
    pub(super) fn lift(&mut self) -> Result<String, DeskError> {
        let lifted = self.placed.take();
        lifted.ok_or_else(|| DeskError("there is no finger on the sensor".into()))
    }

    pub(super) fn wet(&mut self, times: &str) -> Result<String, DeskError> {
        self.wet_next = count(times.trim_start_matches('x'))?;
        Ok(format!("the next {} touches are wet", self.wet_next))
    }
}

/// How often something is to happen.
pub(super) fn count(word: &str) -> Result<u64, DeskError> {
    let number = word.parse().ok().filter(|n| (1..=99).contains(n));
    number.ok_or_else(|| DeskError("a number from 1 to 99 was expected".into()))
}

/// Impressions kept in this process at most.
const IMPRESSIONS_MAX: usize = 16;

/// Finger, way and seed of a touch.
type Touch = (u64, String, u64);

/// The impression of a touch, made once a process: it is a pure function of the touch.
fn impression(touch: Touch, contact: &Contact) -> Arc<Image> {
    static MADE: Mutex<BTreeMap<Touch, Arc<Image>>> = Mutex::new(BTreeMap::new());
    let finger = touch.0;
    let make = || Arc::new(grown(finger).impression(contact));
    let Ok(mut made) = MADE.lock() else {
        return make();
    };
    if made.len() >= IMPRESSIONS_MAX && !made.contains_key(&touch) {
        made.clear();
    }
    Arc::clone(made.entry(touch).or_insert_with(make))
}

/// Fingers grown in this process at most; growing one takes longer than a sale.
const GROWN_MAX: usize = 16;

/// The finger of a seed, grown once a process: it is a pure function of the seed.
fn grown(seed: u64) -> Arc<Finger> {
    static GROWN: Mutex<BTreeMap<u64, Arc<Finger>>> = Mutex::new(BTreeMap::new());
    let Ok(mut known) = GROWN.lock() else {
        return Arc::new(Finger::from_seed(seed));
    };
    if known.len() >= GROWN_MAX && !known.contains_key(&seed) {
        known.clear();
    }
    Arc::clone(
        known
            .entry(seed)
            .or_insert_with(|| Arc::new(Finger::from_seed(seed))),
    )
}
