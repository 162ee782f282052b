//! One round: a sale, the blows of its plan, then everything at rest.

use std::collections::VecDeque;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use counterfoil_data::demo::DemoBank;
use counterfoil_data::seam::SharedClock;
use counterfoil_tui::model::FormPhase;
use serde_json::Value;

use super::check::{self, Findings, Struck, Traces};
use super::house::House;
use super::people::{Backdoor, Customer, officer_link, sit};
use super::plan::{Blow, Mishap, Plan, Point, Victim};
use super::screens::{
    ATTRACT, AWAIT_CONFIRM, DISPENSING, DONE, OUT_OF_SERVICE, PICK_MODE, PRINTING_RECEIPT,
    RESUMING, STARTING, TAKE_FORMS, asks, is_in, is_there, name, printed, state,
};
use super::tally::Tally;

/// Longest round.
const WITHIN: Duration = Duration::from_secs(120);
/// Silence after which the customer does again what the screen asks for.
const NUDGE: Duration = Duration::from_secs(2);
/// A kiosk out of service for so long stays so.
const SETTLED: Duration = Duration::from_secs(5);
/// Sales begun beyond one for each blow, before the customer gives up: a blow
/// before linked processing costs one sale at most.
const SALES_SPARE: u32 = 2;
/// Screens that mean that linked processing is done.
const LINKED: [&str; 5] = [DISPENSING, RESUMING, TAKE_FORMS, PRINTING_RECEIPT, DONE];

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

struct Round<'a> {
    given: &'a Given<'a>,
    plan: &'a Plan,
    house: House,
    customer: Customer,
    tally: Tally,
    blows: VecDeque<Blow>,
    /// The blow that falls at this time.
    armed: Option<(Duration, Blow)>,
    /// The blow that is over at this time.
    dark: Option<(Duration, Blow)>,
    mishap: Option<Mishap>,
    /// When staff are at the printer; they come once.
    staff_at: Option<Duration>,
    staff_called: bool,
    screen: Value,
    /// Since when the screen is what it is.
    since: Duration,
    acted: Option<String>,
    acted_at: Duration,
    linked: bool,
    begun: u32,
    started: Duration,
    struck: Struck,
    /// Found while it ran.
    wrong: Vec<String>,
}

/// Plays one plan and checks what it left.
pub async fn play(given: &Given<'_>, plan: &Plan) -> anyhow::Result<Outcome> {
    let started = given.clock.monotonic();
    let clock = given.clock.clone();
    let house = House::open(given.exe, given.folder, given.books, clock.clone()).await?;
    let door = Backdoor(house.cable.far());
    let link = officer_link(given.bank, door, &clock).context("no officer")?;
    let officer = tokio::task::spawn_local(sit(link, clock));
    let mut round = Round {
        given,
        plan,
        house,
        customer: Customer::wanting(plan.buyer, plan.quantity),
        tally: Tally::default(),
        blows: plan.blows.iter().copied().collect(),
        armed: None,
        dark: None,
        mishap: plan.mishap,
        staff_at: None,
        staff_called: false,
        screen: Value::Null,
        since: started,
        acted: None,
        acted_at: started,
        linked: false,
        begun: 0,
        started,
        struck: Struck::default(),
        wrong: Vec::new(),
    };
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
        let times = [
            self.armed.map(|(at, _)| at),
            self.dark.map(|(at, _)| at),
            self.staff_at,
        ];
        times.into_iter().flatten().fold(nudge, Duration::min)
    }

    fn tell(&self, what: &str) {
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
                && !matches!(name, TAKE_FORMS | PRINTING_RECEIPT | RESUMING | STARTING)
                && self.armed.is_none()
            {
                self.blows.pop_front();
                self.tally.missed(1);
            }
        }
        self.arm();
        self.mishap().await?;
        self.call_staff();
        self.act(false).await
    }

    /// Staff see the screen that asks for them, and come in the plan's time.
    fn call_staff(&mut self) {
        if is_in(&self.screen, FormPhase::Attention) && !self.staff_called {
            self.staff_called = true;
            let now = self.given.clock.monotonic();
            self.staff_at = self.plan.staff.map(|wait| now.saturating_add(wait));
        }
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

    async fn mishap(&mut self) -> anyhow::Result<()> {
        let printed = printed(&self.screen);
        let line = match self.mishap {
            Some(Mishap::Jam(n)) if name(&self.screen) == AWAIT_CONFIRM => {
                format!("form-printer jam after {n}")
            }
            Some(Mishap::Unreadable(n)) if printed.is_some_and(|p| p >= n) => {
                "form-printer unreadable next".to_owned()
            }
            _ => return Ok(()),
        };
        self.struck.jammed = matches!(self.mishap.take(), Some(Mishap::Jam(_)));
        self.struck.unmended = self.struck.jammed && self.plan.staff.is_none();
        self.tell(&line);
        drop(self.house.desk(&line).await?);
        Ok(())
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
        if self.staff_at.is_some_and(|at| now >= at) {
            self.staff_at = None;
            self.tell("--- staff clear the jam");
            drop(self.house.desk("form-printer clear jam").await?);
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
            self.wrong
                .extend(check::fed_before_durable(&books, &paper)?);
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

    /// The customer has begun more sales than the blows can have cost.
    fn gave_up(&self) -> bool {
        let blows = u32::try_from(self.plan.blows.len()).unwrap_or(u32::MAX);
        self.begun >= blows.saturating_add(SALES_SPARE)
    }

    fn is_at_rest(&self) -> bool {
        let busy = self.armed.is_some() || self.dark.is_some() || self.staff_at.is_some();
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
