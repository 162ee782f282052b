//! What a run of images came to, as a table; and that nothing was left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use super::answers::Asked;
use super::disk::{Cut, Fails, Fault, Grain};
use super::faults::Came;
use super::judge::Found;

/// Counts of one run.
#[derive(Default)]
pub struct Tally {
    images: BTreeMap<Grain, usize>,
    seconds: usize,
    cut: Cut,
    /// Found as the last durable state, or as the one whose commit was under way.
    found_last: usize,
    found_next: usize,
    lost_next: usize,
    no_bank: usize,
    audited: usize,
    pub asked_images: usize,
    pub asked: Asked,
    opening_max: Duration,
    openings: Duration,
    pub cuts: BTreeSet<usize>,
    pub cuts_of: usize,
    faults: BTreeMap<(Fails, bool), [usize; 3]>,
    pub broken: Vec<String>,
}

impl Tally {
    pub fn image(&mut self, grain: Grain, cut: &Cut) {
        *self.images.entry(grain).or_default() += 1;
        self.cut.add(cut);
    }

    pub fn second(&mut self, cut: &Cut) {
        self.seconds += 1;
        self.cut.add(cut);
    }

    pub fn found(&mut self, (last, next): (usize, usize), found: &Found, audited: bool) {
        let under_way = next > last;
        self.found_last += usize::from(!under_way);
        self.found_next += usize::from(under_way && found.state == next);
        self.lost_next += usize::from(under_way && found.state == last);
        self.no_bank += usize::from(found.state == 0);
        self.audited += usize::from(audited);
        self.opening_max = self.opening_max.max(found.opening);
        self.openings += found.opening;
    }

    pub fn fault(&mut self, fault: Fault, came: &Came) {
        let counts = self
            .faults
            .entry((fault.fails, fault.for_ever))
            .or_default();
        counts[match came {
            Came::Stopped => 0,
            Came::NoHouse => 1,
            Came::Never => 2,
        }] += 1;
    }

    /// Takes in another's counts.
    pub fn join(&mut self, other: Self) {
        for (grain, count) in other.images {
            *self.images.entry(grain).or_default() += count;
        }
        self.seconds += other.seconds;
        self.cut.add(&other.cut);
        self.found_last += other.found_last;
        self.found_next += other.found_next;
        self.lost_next += other.lost_next;
        self.no_bank += other.no_bank;
        self.audited += other.audited;
        self.asked_images += other.asked_images;
        self.asked.add(&other.asked);
        self.opening_max = self.opening_max.max(other.opening_max);
        self.openings += other.openings;
        self.cuts.extend(other.cuts);
        self.broken.extend(other.broken);
    }

    /// Each kind of cut and each check was reached, or the run proves less than it says.
    pub fn reached(&self) {
        let Asked {
            same_to_the_byte,
            replayed,
            replayed_to_the_byte,
            attempts,
            under_way,
            onward,
        } = self.asked;
        let reached = [
            ("whole writes", self.of(Grain::Whole)),
            ("sectors", self.of(Grain::Sector)),
            ("torn bytes", self.of(Grain::Byte)),
            ("writes lost", self.cut.lost),
            ("writes torn", self.cut.torn),
            ("new lengths kept", self.cut.resizes_kept),
            ("new lengths lost", self.cut.resizes_lost),
            ("second cuts", self.seconds),
            ("between commits", self.found_last),
            ("a commit under way kept", self.found_next),
            ("a commit under way lost", self.lost_next),
            ("no bank yet", self.no_bank),
            ("audits", self.audited),
            ("sales as told, to the byte", same_to_the_byte),
            ("answers given again", replayed),
            ("answers given again, to the byte", replayed_to_the_byte),
            ("attempts counted", attempts),
            ("requests under way asked again", under_way),
            ("sales carried on", onward),
        ];
        let images: usize = self.images.values().sum();
        let everywhere = self.cuts.len() == self.cuts_of || images < self.cuts_of;
        assert!(everywhere, "cut at {} of {}", self.cuts.len(), self.cuts_of);
        for (what, count) in reached {
            assert!(count > 0, "never reached: {what}");
        }
    }

    /// Each fault stopped a house at least once.
    pub fn every_fault(&self) {
        for fails in [Fails::Read, Fails::Write, Fails::Full] {
            for for_ever in [false, true] {
                let stopped = self.faults.get(&(fails, for_ever)).map_or(0, |c| c[0]);
                assert!(stopped > 0, "{fails:?}, for ever {for_ever}: never reached");
            }
        }
    }

    fn of(&self, grain: Grain) -> usize {
        self.images.get(&grain).copied().unwrap_or(0)
    }

    /// The table of disks that failed.
    pub fn failures(&self) -> String {
        let mut text = "disk fails         stopped  no house  never came".to_owned();
        for ((fails, for_ever), [stopped, no_house, never]) in &self.faults {
            let name = format!("{fails:?} {}", if *for_ever { "for ever" } else { "once" });
            text += &format!("\n{name:<18} {stopped:>7}  {no_house:>8}  {never:>10}");
        }
        text
    }
}

impl Cut {
    fn add(&mut self, other: &Self) {
        self.kept += other.kept;
        self.lost += other.lost;
        self.torn += other.torn;
        self.resizes_kept += other.resizes_kept;
        self.resizes_lost += other.resizes_lost;
    }
}

impl Asked {
    fn add(&mut self, other: &Self) {
        self.same_to_the_byte += other.same_to_the_byte;
        self.replayed += other.replayed;
        self.replayed_to_the_byte += other.replayed_to_the_byte;
        self.attempts += other.attempts;
        self.under_way += other.under_way;
        self.onward += other.onward;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let images: usize = self.images.values().sum();
        let opened = images + self.seconds;
        let mean = self.openings / u32::try_from(opened.max(1)).unwrap_or(u32::MAX);
        let [whole, sector, byte] = Grain::ALL.map(|grain| self.of(grain));
        let (cut, asked) = (&self.cut, &self.asked);
        writeln!(
            f,
            "images             {images} (whole {whole}, sector {sector}, byte {byte})"
        )?;
        writeln!(
            f,
            "cut at             {} of {} places",
            self.cuts.len(),
            self.cuts_of
        )?;
        writeln!(f, "second cuts        {}", self.seconds)?;
        writeln!(
            f,
            "unsynced writes    {} kept, {} lost, {} torn",
            cut.kept, cut.lost, cut.torn
        )?;
        let (kept, lost) = (cut.resizes_kept, cut.resizes_lost);
        writeln!(f, "unsynced lengths   {kept} kept, {lost} lost")?;
        let (next, gone) = (self.found_next, self.lost_next);
        writeln!(
            f,
            "commits under way  {next} found, {gone} not; none {}",
            self.found_last
        )?;
        writeln!(f, "no bank yet        {}", self.no_bank)?;
        writeln!(f, "audited            {}", self.audited)?;
        writeln!(f, "asked over HTTP    {}", self.asked_images)?;
        writeln!(
            f,
            "  sales as told, to the byte    {}",
            asked.same_to_the_byte
        )?;
        let (again, same) = (asked.replayed, asked.replayed_to_the_byte);
        writeln!(
            f,
            "  keyed answers given again     {again}, to the byte {same}"
        )?;
        writeln!(f, "  attempts still counted        {}", asked.attempts)?;
        writeln!(f, "  under way, asked again        {}", asked.under_way)?;
        writeln!(f, "  carried on to a receipt       {}", asked.onward)?;
        writeln!(
            f,
            "openings           mean {mean:?}, slowest {:?}",
            self.opening_max
        )?;
        write!(f, "broken             {}", self.broken.len())
    }
}
