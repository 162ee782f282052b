//! One round: a sale, the blows of its plan, then everything at rest.

use std::cell::Cell;
use std::collections::VecDeque;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Context as _;
use counterfoil_data::demo::DemoBank;
use counterfoil_data::seam::SharedClock;
use serde_json::Value;

use super::check::{self, Findings, Struck, Traces};
use super::fault::Fault;
use super::house::{Haste, House};
use super::people::{Backdoor, Customer, Mood, officer_link, sit};
use super::plan::{Blow, Plan, Point, Victim};
use super::screens::{
    ATTRACT, DISPENSING, DONE, OUT_OF_SERVICE, PICK_MODE, PRINTING_RECEIPT, PRINTING_SHEET,
    RESUMING, STARTING, TAKE_FORMS, asks, is_there, name, state,
};
use super::tally::Tally;
use super::trouble;

/// Longest round.
const WITHIN: Duration = Duration::from_secs(120);
/// Silence after which the customer does again what the screen asks for.
const NUDGE: Duration = Duration::from_secs(2);
/// A kiosk out of service for so long stays so.
const SETTLED: Duration = Duration::from_secs(5);
/// Sales begun beyond those that blows and faults may cost, before the customer
/// gives up.
const SALES_SPARE: u32 = 2;
/// Screens that mean that linked processing is done.
const LINKED: [&str; 6] = [
    DISPENSING,
    RESUMING,
    TAKE_FORMS,
    PRINTING_SHEET,
    PRINTING_RECEIPT,
    DONE,
];

/// What a round is given.
pub struct Given<'a> {
    /// This program.
    pub exe: &'a Path,
    /// Enrolled books, to be copied.
    pub books: &'a Path,
    /// Where it leaves its traces.
    pub folder: &'a Path,
    /// The demo bank.
    pub bank: &'a DemoBank,
    /// Time.
    pub clock: &'a SharedClock,
    /// Tell every step.
    pub verbose: bool,
}

/// What came of it.
pub struct Outcome {
    /// Findings of the check.
    pub findings: Findings,
    /// What was struck.
    pub tally: Tally,
    /// How long it took.
    pub took: Duration,
}

pub(super) struct Round<'a> {
    given: &'a Given<'a>,
    pub(super) plan: &'a Plan,
    pub(super) house: House,
    pub(super) customer: Customer,
    pub(super) tally: Tally,
    blows: VecDeque<Blow>,
    /// The blow that falls at this time.
    armed: Option<(Duration, Blow)>,
    /// The blow that is over at this time.
    dark: Option<(Duration, Blow)>,
    /// Faults still to come.
    pub(super) faults: Vec<Fault>,
    /// What hands will do at the desk, and when.
    pub(super) hands: Vec<(Duration, String)>,
    /// What staff have to do at the printer when they come.
    pub(super) to_mend: Vec<&'static str>,
    /// They are on their way.
    pub(super) staff_coming: bool,
    /// The screen that the customer has left alone.
    pub(super) away: Option<String>,
    pub(super) mood: Rc<Cell<Mood>>,
    pub(super) screen: Value,
    /// Since when the screen is what it is.
    since: Duration,
    acted: Option<String>,
    acted_at: Duration,
    linked: bool,
    begun: u32,
    started: Duration,
    pub(super) struck: Struck,
    /// Found while it ran.
    wrong: Vec<String>,
}

/// Plays one plan and checks what it left.
pub async fn play(given: &Given<'_>, plan: &Plan) -> anyhow::Result<Outcome> {
    let started = given.clock.monotonic();
    let clock = given.clock.clone();
    let haste = Haste {
        idle_s: plan.idle_s(),
        take_s: plan.take_s(),
    };
    let house = House::open(given.exe, given.folder, given.books, clock.clone(), haste).await?;
    let door = Backdoor(house.cable.far());
    let link = officer_link(given.bank, door, &clock).context("no officer")?;
    let mood = Rc::new(Cell::new(trouble::mood(&plan.faults)));
    let officer = tokio::task::spawn_local(sit(link, clock, Rc::clone(&mood)));
    let mut round = Round::new(given, plan, house, mood);
    round.house.start_kiosk()?;
    let ran = round.run().await;
    officer.abort();
    let Round {
        house,
        mut tally,
        blows,
        screen,
        struck,
        wrong,
        ..
    } = round;
    tally.missed(blows.len());
    let (books, paper, journal) = (house.books(), house.paper(), house.journal());
    let look = house.close().await?;
    let mut findings = check::check(&Traces {
        books: &books,
        paper: &paper,
        journal: &journal,
        look: &look,
        bank: given.bank,
        struck,
    })?;
    findings.wrong.splice(0..0, wrong);
    if let Err(error) = ran {
        let note = format!("{error:#}; last screen {screen}");
        findings.wrong.insert(0, note);
    }
    tally.round(&findings);
    Ok(Outcome {
        findings,
        tally,
        took: given.clock.monotonic().saturating_sub(started),
    })
}

impl<'a> Round<'a> {
    fn new(given: &'a Given<'a>, plan: &'a Plan, house: House, mood: Rc<Cell<Mood>>) -> Self {
        let started = given.clock.monotonic();
        Self {
            given,
            plan,
            house,
            customer: Customer::wanting(plan.buyer, plan.quantity),
            tally: Tally::default(),
            blows: plan.blows.iter().copied().collect(),
            armed: None,
            dark: None,
            faults: plan.faults.clone(),
            hands: Vec::new(),
            to_mend: Vec::new(),
            staff_coming: false,
            away: None,
            mood,
            screen: Value::Null,
            since: started,
            acted: None,
            acted_at: started,
            linked: false,
            begun: 0,
            started,
            struck: Struck::default(),
            wrong: Vec::new(),
        }
    }
}

impl Round<'_> {
    async fn run(&mut self) -> anyhow::Result<()> {
        loop {
            let now = self.given.clock.monotonic();
            let ran = now.saturating_sub(self.started);
            anyhow::ensure!(ran < WITHIN, "no rest after {} s", WITHIN.as_secs());
            let wake = self.wakes_at().saturating_sub(now);
            tokio::select! {
                biased;
                screen = self.house.screen() => self.shown(screen?).await?,
                () = self.given.clock.sleep(wake) => self.due().await?,
            }
            if self.is_at_rest() {
                return Ok(());
            }
        }
    }

    fn wakes_at(&self) -> Duration {
        let nudge = self.since.max(self.acted_at).saturating_add(NUDGE);
        let blows = [self.armed, self.dark].into_iter().flatten();
        let hands = self.hands.iter().map(|(at, _)| *at);
        let times = blows.map(|(at, _)| at).chain(hands);
        times.fold(nudge, Duration::min)
    }

    pub(super) fn now(&self) -> Duration {
        self.given.clock.monotonic()
    }

    pub(super) fn clock(&self) -> &SharedClock {
        self.given.clock
    }

    pub(super) fn tell(&self, what: &str) {
        if self.given.verbose {
            let now = self.given.clock.monotonic();
            let at = now.saturating_sub(self.started).as_millis();
            super::say(&format!("{:>6} {at:>6} ms  {what}", self.plan.seed));
        }
    }

    async fn shown(&mut self, screen: Value) -> anyhow::Result<()> {
        self.since = self.given.clock.monotonic();
        self.screen = screen;
        self.tell(&state(&self.screen));
        self.linked |= LINKED.contains(&name(&self.screen));
        if self.linked && name(&self.screen) == DISPENSING {
            // What was to fall before paper moved cannot fall any more.
            while let Some(Point::Screen(name)) = self.blows.front().map(|b| b.point)
                && !matches!(
                    name,
                    TAKE_FORMS | PRINTING_SHEET | PRINTING_RECEIPT | RESUMING | STARTING
                )
                && self.armed.is_none()
            {
                self.blows.pop_front();
                self.tally.missed(1);
            }
        }
        self.arm();
        self.trouble().await?;
        self.call_staff();
        self.act(false).await
    }

    fn arm(&mut self) {
        if self.armed.is_some() || self.dark.is_some() {
            return;
        }
        let Some(blow) = self.blows.front().copied() else {
            return;
        };
        if is_there(blow.point, &self.screen) {
            self.blows.pop_front();
            let now = self.given.clock.monotonic();
            self.armed = Some((now.saturating_add(blow.delay), blow));
        }
    }

    /// The customer acts once on a screen, or again when nothing came of it.
    async fn act(&mut self, again: bool) -> anyhow::Result<()> {
        let asks = asks(&self.screen);
        if !again && self.acted.as_ref() == Some(&asks) {
            return Ok(());
        }
        let showing = name(&self.screen);
        // A blow is about to fall on the presented bundle: taken after it.
        if showing == TAKE_FORMS && self.armed.is_some() {
            return Ok(());
        }
        if showing == ATTRACT {
            self.customer.is_done = self.linked || self.gave_up();
        }
        if showing == PICK_MODE && self.acted.as_deref() != Some(&asks) {
            self.begun = self.begun.saturating_add(1);
        }
        self.acted = Some(asks);
        self.acted_at = self.given.clock.monotonic();
        if self.is_away() || self.does_instead().await? {
            return Ok(());
        }
        let screen = self.screen.clone();
        let clock = self.given.clock;
        let customer = &mut self.customer;
        customer.see(&mut self.house, clock, &screen, again).await
    }

    async fn due(&mut self) -> anyhow::Result<()> {
        let now = self.given.clock.monotonic();
        if let Some((at, blow)) = self.armed
            && now >= at
        {
            self.armed = None;
            return self.strike(blow).await;
        }
        if let Some((at, blow)) = self.dark
            && now >= at
        {
            self.dark = None;
            return self.restore(blow).await;
        }
        if self.hands_are_due(now).await? {
            return Ok(());
        }
        if self.house.kiosk_on() {
            self.act(true).await?;
        }
        Ok(())
    }

    async fn strike(&mut self, blow: Blow) -> anyhow::Result<()> {
        self.tell(&format!("--- {} is struck", blow.victim));
        self.tally.hit(blow.victim, state(&self.screen));
        match blow.victim {
            Victim::Kiosk => self.house.kill_kiosk().await?,
            Victim::Backend => self.house.kill_backend().await?,
            Victim::Both => {
                self.house.kill_kiosk().await?;
                self.house.kill_backend().await?;
            }
            Victim::Network => self.house.cable.set_cut(true),
        }
        let blind = !self.house.kiosk_on();
        self.struck.kiosk = self.struck.kiosk.saturating_add(u32::from(blind));
        if name(&self.screen) == TAKE_FORMS {
            let took = self.acted.as_ref() == Some(&asks(&self.screen));
            if self.plan.takes_in_the_dark {
                self.tell("--- the customer takes the forms in the dark");
                drop(self.house.desk("form-printer take").await?);
            }
            // Or took them a moment ago, and the kiosk had not noticed.
            self.struck.taken_unseen |= blind && (took || self.plan.takes_in_the_dark);
        }
        let now = self.given.clock.monotonic();
        self.dark = Some((now.saturating_add(blow.dark), blow));
        Ok(())
    }

    async fn restore(&mut self, blow: Blow) -> anyhow::Result<()> {
        self.tell(&format!("--- {} is back", blow.victim));
        if matches!(blow.victim, Victim::Backend | Victim::Both) {
            let (books, paper) = (self.house.books(), self.house.paper());
            let out_of_turn = self.struck.out_of_turn;
            self.wrong
                .extend(check::fed_before_durable(&books, &paper, out_of_turn)?);
            self.house.start_backend().await?;
        }
        match blow.victim {
            Victim::Kiosk | Victim::Both => {
                self.house.start_kiosk()?;
                // Nobody acts on what the dead one showed.
                self.acted = None;
                self.screen = Value::Null;
            }
            Victim::Network => self.house.cable.set_cut(false),
            Victim::Backend => {}
        }
        self.since = self.given.clock.monotonic();
        if name(&self.screen) == TAKE_FORMS && self.house.kiosk_on() {
            self.act(false).await?;
        }
        Ok(())
    }

    /// The customer has begun more sales than blows and faults can have cost.
    fn gave_up(&self) -> bool {
        self.begun >= self.plan.sales_lost_max().saturating_add(SALES_SPARE)
    }

    fn is_at_rest(&self) -> bool {
        let busy = self.armed.is_some() || self.dark.is_some() || !self.hands.is_empty();
        if busy || !(self.linked || self.gave_up()) {
            return false;
        }
        let quiet = self.given.clock.monotonic().saturating_sub(self.since);
        match name(&self.screen) {
            ATTRACT => true,
            OUT_OF_SERVICE => quiet > SETTLED && !self.screen.to_string().contains("Offline"),
            _ => false,
        }
    }
}
