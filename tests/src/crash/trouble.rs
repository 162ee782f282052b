//! How the faults of a plan are thrown in: at the screen that each is for.

use std::time::Duration;

use counterfoil_tui::model::FormPhase;

use super::fault::{Fault, Kind};
use super::people::Mood;
use super::round::Round;
use super::screens::{AWAIT_CONFIRM, STOPPED, TAKE_FORMS, is_in, name, printed};

/// How long a cable is out, and one more for each form of the fault.
const UNPLUGGED: Duration = Duration::from_millis(600);
/// How long before and after the time is out somebody may snatch the forms.
const SNATCH_MS: u64 = 60;
/// Between two fast hands.
const SNATCH_STEP_MS: u64 = 8;

/// How the officer is minded in a round with these faults. Who cancels while the
/// officer looks needs one who takes their time.
pub(super) fn mood(faults: &[Fault]) -> Mood {
    let has = |kind: Kind| faults.iter().any(|fault| fault.kind == kind);
    match () {
        () if has(Kind::OfficerSilent) || has(Kind::Cancels(AWAIT_CONFIRM)) => Mood::Silent,
        () if has(Kind::OfficerDenies) => Mood::Denies,
        () if has(Kind::OfficerAsks) => Mood::Asks,
        () => Mood::Confirms,
    }
}

impl Round<'_> {
    /// What goes wrong on this screen by itself, or by hands at the desk.
    pub(super) async fn trouble(&mut self) -> anyhow::Result<()> {
        self.officer_was().await;
        let shown = name(&self.screen).to_owned();
        let printed = printed(&self.screen);
        let due = |fault: &Fault| {
            let here = fault.kind.desk_at() == Some(shown.as_str());
            here && printed.is_none_or(|printed| printed >= fault.at)
        };
        for fault in self.take_out(due) {
            self.at_the_desk(fault).await?;
        }
        if self.away.as_ref().is_some_and(|away| *away != shown) {
            self.away = None;
        }
        Ok(())
    }

    /// An officer's fault has happened when the sale shows what came of it.
    async fn officer_was(&mut self) {
        let (mood, screen) = (self.mood.get(), self.screen.to_string());
        let over = name(&self.screen) == STOPPED;
        let came = |kind: Kind| match kind {
            Kind::OfficerAsks => screen.contains("Asked"),
            Kind::OfficerDenies => over && screen.contains("\"Denied\""),
            Kind::OfficerSilent => over && screen.contains("\"NoAnswer\""),
            _ => false,
        };
        for fault in self.take_out(|fault| came(fault.kind)) {
            self.threw(fault.kind);
        }
        // One silence is enough, or one customer who did not wait for it.
        let waits =
            |f: &Fault| matches!(f.kind, Kind::OfficerSilent | Kind::Cancels(AWAIT_CONFIRM));
        if mood == Mood::Silent && !self.faults.iter().any(waits) {
            let rest: Vec<Fault> = self.faults.clone();
            self.mood.set(self::mood(&rest));
        }
    }

    fn take_out(&mut self, due: impl Fn(&Fault) -> bool) -> Vec<Fault> {
        let (due, rest) = self.faults.iter().copied().partition(|fault| due(fault));
        self.faults = rest;
        due
    }

    fn threw(&mut self, kind: Kind) {
        self.tell(&format!("--- {kind}"));
        self.tally.fault(kind);
        let unknowns = kind.unknowns(self.plan.quantity);
        let excused = &mut self.struck.excused;
        excused.fed = excused.fed.saturating_add(unknowns.fed);
        excused.unfed = excused.unfed.saturating_add(unknowns.unfed);
        let turn = usize::from(matches!(kind, Kind::WrongBlank | Kind::TwoBlanks));
        self.struck.out_of_turn = self.struck.out_of_turn.saturating_add(turn);
    }

    async fn at_the_desk(&mut self, fault: Fault) -> anyhow::Result<()> {
        let Some(line) = fault.kind.desk_line(fault.at) else {
            return Ok(());
        };
        if self.house.desk(&line).await?.is_err() {
            return Ok(());
        }
        self.threw(fault.kind);
        if let Some(mend) = fault.kind.mended_by() {
            self.to_mend.push(mend);
            self.struck.unmended |= self.plan.staff.is_none();
        }
        if let Kind::Unplugged(device, _) = fault.kind {
            let back = self.now().saturating_add(UNPLUGGED);
            self.hands.push((back, format!("{device} replug")));
        }
        Ok(())
    }

    /// Staff see the screen that asks for them, and come in the plan's time.
    pub(super) fn call_staff(&mut self) {
        let called = is_in(&self.screen, FormPhase::Attention) && !self.to_mend.is_empty();
        if let Some(wait) = self.plan.staff
            && called
            && !self.staff_coming
        {
            self.staff_coming = true;
            let at = self.now().saturating_add(wait);
            let lines = std::mem::take(&mut self.to_mend);
            self.hands
                .extend(lines.iter().map(|line| (at, (*line).to_owned())));
        }
    }

    /// Does one thing that is due at the desk; whether there was one.
    pub(super) async fn hands_are_due(&mut self, now: Duration) -> anyhow::Result<bool> {
        let Some(at) = self.hands.iter().position(|(at, _)| *at <= now) else {
            return Ok(false);
        };
        let (_, line) = self.hands.swap_remove(at);
        self.tell(&format!("--- {line}"));
        drop(self.house.desk(&line).await?);
        self.staff_coming &= !self.hands.is_empty();
        Ok(true)
    }

    /// The customer has left this screen alone.
    pub(super) fn is_away(&self) -> bool {
        let away = self.away.as_deref();
        away == Some(name(&self.screen))
    }

    /// The customer does something else than what the screen asks for, if it is time.
    pub(super) async fn does_instead(&mut self) -> anyhow::Result<bool> {
        let shown = name(&self.screen).to_owned();
        let due = |fault: &&Fault| fault.kind.instead_at() == Some(shown.as_str());
        let Some(kind) = self.faults.iter().find(due).map(|fault| fault.kind) else {
            return Ok(false);
        };
        let clock = self.clock().clone();
        if !self.customer.instead(&mut self.house, &clock, kind).await? {
            return Ok(false);
        }
        drop(self.take_out(|fault| fault.kind == kind));
        self.threw(kind);
        match kind {
            Kind::WalksAway(_) | Kind::NotTaken => self.away = Some(shown),
            Kind::Snatched => {
                self.away = Some(TAKE_FORMS.to_owned());
                let early = self.plan.seed.checked_rem(SNATCH_MS / SNATCH_STEP_MS);
                let early = early.unwrap_or(0).saturating_mul(SNATCH_STEP_MS);
                let left = Duration::from_secs(self.plan.take_s().unwrap_or(0));
                let at = left.saturating_sub(Duration::from_millis(early));
                let at = self.now().saturating_add(at);
                self.hands.push((at, "form-printer take".to_owned()));
            }
            _ => {}
        }
        Ok(true)
    }
}
