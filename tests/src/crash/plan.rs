//! What a round will do, all of it from one seed.
//!
//! A blow is tied to what the kiosk shows and not to a stopwatch, so that the
//! same seed gives the same acts and the same places to strike on every machine.
//! What the operating system does between the screen and the blow is not
//! replayed.

use std::fmt;
use std::time::Duration;

use counterfoil_data::seam::SharedEntropy;
use counterfoil_data::seam::random;
use counterfoil_tui::model::FormPhase;

use super::buyer::{Buyer, FORMS_MAX};
use super::fault::{Fault, KINDS, Kind};
use super::screens::{
    AWAIT_CONFIRM, CHECKING_IDENTITY, CHECKING_INFO, ENTER_PIN, INSERT_CARD, LINKING, PICK_MODE,
    PICK_ORDER, PLACE_DOCUMENT, PLACE_FINGER, PRINTING_RECEIPT, PRINTING_SHEET, READING_CARD,
    READING_DOCUMENT, RESUMING, STARTING, TAKE_FORMS,
};
use crate::entropy::SeededEntropy;

/// Longest time between a screen and the blow that it triggers: one form.
const DELAY_MAX_MS: u32 = 130;
/// The same for half of the blows, which are to fall on that very screen.
const SHORT_MAX_MS: u32 = 12;
/// The same where the screen itself is soon gone.
const BRIEF_MAX_MS: u32 = 2;
/// Longest time something stays dead or dark.
const DARK_MAX_MS: u32 = 600;
/// Longest time staff need to come to the printer.
const STAFF_MAX_MS: u32 = 4_000;

/// What is struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Victim {
    /// SIGKILL for the kiosk.
    Kiosk,
    /// SIGKILL for the backend.
    Backend,
    /// SIGKILL for both, as when a branch loses power.
    Both,
    /// The network between them.
    Network,
}

impl fmt::Display for Victim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kiosk => "kiosk",
            Self::Backend => "backend",
            Self::Both => "kiosk+backend",
            Self::Network => "network",
        })
    }
}

/// What the kiosk must show for a blow to be triggered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// A screen of this name.
    Screen(&'static str),
    /// Dispensing with at least so many printed, in this phase.
    Form(u32, FormPhase),
}

impl Point {
    /// Roughly when in a sale it comes; what follows a restart comes last.
    fn position(self) -> u32 {
        match self {
            Self::Form(form, _) => form.saturating_add(2),
            Self::Screen(LINKING) => 1,
            Self::Screen(TAKE_FORMS) => FORMS_MAX.saturating_add(3),
            Self::Screen(PRINTING_SHEET) => FORMS_MAX.saturating_add(4),
            Self::Screen(PRINTING_RECEIPT) => FORMS_MAX.saturating_add(5),
            Self::Screen(STARTING | RESUMING) => u32::MAX,
            Self::Screen(_) => 0,
        }
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Screen(name) => f.write_str(name),
            Self::Form(printed, phase) => write!(f, "Dispensing/{phase:?} from form {printed}"),
        }
    }
}

/// One blow.
#[derive(Debug, Clone, Copy)]
pub struct Blow {
    /// What is struck.
    pub victim: Victim,
    /// When it is due.
    pub point: Point,
    /// How long after that it falls.
    pub delay: Duration,
    /// How long it lasts.
    pub dark: Duration,
}

/// A customer's silence that ends a session, in a round in which one walks away.
const IDLE_S: u64 = 4;
/// How long forms lie in reach, in a round in which they are left there.
const TAKE_S: u64 = 3;

/// One round.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Reproduces it.
    pub seed: u64,
    /// For whom; the buyers take turns.
    pub buyer: Buyer,
    /// Forms ordered.
    pub quantity: u32,
    /// Struck one after the other; the next is armed when the one before is over.
    pub blows: Vec<Blow>,
    /// What else goes wrong; the first kind is every seed's in turn.
    pub faults: Vec<Fault>,
    /// The customer takes the bundle while the kiosk is dead.
    pub takes_in_the_dark: bool,
    /// How long staff need to come to the printer; `None`: nobody comes.
    pub staff: Option<Duration>,
}

/// Screens before paper moves.
const AROUND: [&str; 11] = [
    PICK_MODE,
    INSERT_CARD,
    READING_CARD,
    ENTER_PIN,
    CHECKING_INFO,
    PLACE_DOCUMENT,
    READING_DOCUMENT,
    PLACE_FINGER,
    CHECKING_IDENTITY,
    PICK_ORDER,
    AWAIT_CONFIRM,
];
/// Phases of one form.
const PHASES: [FormPhase; 4] = [
    FormPhase::Asking,
    FormPhase::Feeding,
    FormPhase::Reading,
    FormPhase::Printing,
];

struct Dice(SharedEntropy);

impl Dice {
    /// 0 to `below` - 1.
    fn roll(&self, below: u32) -> u32 {
        let face = u32::from_be_bytes(random(&*self.0));
        face.checked_rem(below).unwrap_or(0)
    }

    fn one_in(&self, chances: u32) -> bool {
        self.roll(chances) == 0
    }

    fn of<T: Copy>(&self, all: &[T]) -> Option<T> {
        let below = u32::try_from(all.len()).unwrap_or(0);
        let index = usize::try_from(self.roll(below)).ok()?;
        all.get(index).copied()
    }

    fn time(&self, max_ms: u32) -> Duration {
        Duration::from_millis(self.roll(max_ms).into())
    }
}

impl Plan {
    /// The round of a seed.
    pub fn of(seed: u64) -> Self {
        let dice = Dice(SeededEntropy::stream(seed, "crash"));
        let buyer = Buyer::of(seed);
        let quantity = dice.roll(buyer.forms_max).saturating_add(1);
        let first = blow(&dice, buyer, quantity, false);
        let restarts = matches!(first.victim, Victim::Kiosk | Victim::Both);
        let mut blows = vec![first];
        if dice.one_in(2) {
            blows.push(blow(&dice, buyer, quantity, restarts));
        }
        if dice.one_in(5) {
            let network = Blow {
                victim: Victim::Network,
                ..blow(&dice, buyer, quantity, false)
            };
            blows.push(network);
        }
        let faults = faults(&dice, seed, quantity);
        let takes_in_the_dark = dice.one_in(3);
        let staff = (!dice.one_in(3)).then(|| dice.time(STAFF_MAX_MS));
        blows.sort_by_key(|blow| blow.point.position());
        // Recovering is struck only right after a kiosk that died over paper.
        let dies = |blow: &Blow| {
            let kiosk = matches!(blow.victim, Victim::Kiosk | Victim::Both);
            kiosk && matches!(blow.point, Point::Form(..))
        };
        if let Some(at) = blows.iter().position(dies)
            && dice.one_in(3)
        {
            let again = Blow {
                point: Point::Screen(RESUMING),
                delay: dice.time(BRIEF_MAX_MS),
                ..blow(&dice, buyer, quantity, true)
            };
            blows.insert(at.saturating_add(1), again);
        }
        Self {
            seed,
            buyer,
            quantity,
            blows,
            faults,
            takes_in_the_dark,
            staff,
        }
    }

    /// How long the kiosk waits for a customer, where it is not as long as in life.
    pub fn idle_s(&self) -> Option<u64> {
        let away = |fault: &Fault| matches!(fault.kind, Kind::WalksAway(_));
        self.faults.iter().any(away).then_some(IDLE_S)
    }

    /// How long forms lie in reach, where it is not as long as in life.
    pub fn take_s(&self) -> Option<u64> {
        let left = |fault: &Fault| matches!(fault.kind, Kind::NotTaken | Kind::Snatched);
        self.faults.iter().any(left).then_some(TAKE_S)
    }

    /// Sales that blows and faults may cost before one is linked.
    pub fn sales_lost_max(&self) -> u32 {
        let ending = self.faults.iter().filter(|fault| fault.kind.ends_sale());
        let lost = self.blows.len().saturating_add(ending.count());
        u32::try_from(lost).unwrap_or(u32::MAX)
    }
}

/// Each kind has its turn, so that no kind is left out of many rounds; half of the
/// rounds have a second one.
fn faults(dice: &Dice, seed: u64, quantity: u32) -> Vec<Fault> {
    let kinds = u64::try_from(KINDS.len()).unwrap_or(u64::MAX);
    let turn = usize::try_from(seed.checked_rem(kinds).unwrap_or(0)).unwrap_or(0);
    let second = dice.of(&KINDS).filter(|_| dice.one_in(2));
    let mut faults: Vec<Fault> = Vec::new();
    for kind in KINDS.get(turn).copied().into_iter().chain(second) {
        let at = dice.roll(quantity);
        if !faults.iter().any(|fault| fault.kind.hides(kind)) {
            faults.push(Fault { kind, at });
        }
    }
    faults
}

/// Most fall while paper moves, many at the turns of the sale, and a second one
/// often while the first is being recovered from.
fn blow(dice: &Dice, buyer: Buyer, quantity: u32, restarts: bool) -> Blow {
    let victim = match dice.roll(12) {
        0..=5 => Victim::Kiosk,
        6..=9 => Victim::Backend,
        10 => Victim::Both,
        _ => Victim::Network,
    };
    let form = Point::Form(
        dice.roll(quantity),
        dice.of(&PHASES).unwrap_or(FormPhase::Feeding),
    );
    let sheet = buyer.has_sheet.then_some(Point::Screen(PRINTING_SHEET));
    let turns = [
        Point::Screen(LINKING),
        sheet.unwrap_or(Point::Screen(LINKING)),
        Point::Form(quantity, FormPhase::Presenting),
        sheet.unwrap_or(Point::Screen(TAKE_FORMS)),
        Point::Screen(PRINTING_RECEIPT),
    ];
    let turn = dice.of(&turns).unwrap_or(form);
    let again = Point::Screen(if dice.one_in(2) { RESUMING } else { STARTING });
    let around = Point::Screen(dice.of(&AROUND).unwrap_or(PICK_ORDER));
    let point = match dice.roll(8) {
        0..=4 => form,
        5 => turn,
        6 if restarts => again,
        6 => turn,
        _ => around,
    };
    let short = dice.one_in(2);
    let delay_max = match point {
        Point::Screen(LINKING | RESUMING) => BRIEF_MAX_MS,
        _ if short => SHORT_MAX_MS,
        _ => DELAY_MAX_MS,
    };
    Blow {
        victim,
        point,
        delay: dice.time(delay_max),
        dark: dice.time(DARK_MAX_MS),
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} forms for {}", self.quantity, self.buyer.name)?;
        for blow in &self.blows {
            let (delay, dark) = (blow.delay.as_millis(), blow.dark.as_millis());
            let (victim, point) = (blow.victim, blow.point);
            write!(f, "; {victim} {delay} ms after {point} for {dark} ms")?;
        }
        for fault in &self.faults {
            write!(f, "; {fault}")?;
        }
        match self.staff {
            _ if self.faults.iter().all(|f| f.kind.mended_by().is_none()) => Ok(()),
            Some(wait) => write!(f, "; staff in {} ms", wait.as_millis()),
            None => f.write_str("; and no staff"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_one_plan_and_seeds_differ() {
        assert_eq!(Plan::of(7).to_string(), Plan::of(7).to_string());
        let plans: std::collections::BTreeSet<String> =
            (0..50).map(|seed| Plan::of(seed).to_string()).collect();
        assert_eq!(plans.len(), 50);
    }

    #[test]
    fn two_hundred_rounds_have_every_fault_at_least_five_times() {
        let faults: Vec<Fault> = (1..=200).flat_map(|seed| Plan::of(seed).faults).collect();
        for kind in KINDS {
            let planned = faults.iter().filter(|fault| fault.kind == kind).count();
            assert!(planned >= 5, "{kind}: {planned}");
        }
    }

    #[test]
    fn a_hundred_rounds_strike_every_victim_and_every_phase_of_a_form() {
        let blows: Vec<Blow> = (1..=100).flat_map(|seed| Plan::of(seed).blows).collect();
        for victim in [
            Victim::Kiosk,
            Victim::Backend,
            Victim::Both,
            Victim::Network,
        ] {
            assert!(blows.iter().any(|b| b.victim == victim), "{victim}");
        }
        for phase in PHASES {
            let hit = |b: &Blow| matches!(b.point, Point::Form(_, p) if p == phase);
            assert!(blows.iter().any(hit), "{phase:?}");
        }
        for screen in [LINKING, RESUMING, TAKE_FORMS, PRINTING_SHEET] {
            let due = blows.iter().filter(|b| b.point == Point::Screen(screen));
            assert!(due.count() >= 3, "{screen}");
        }
    }
}
