//! Plays a script against a world under virtual time.
//!
//! After each verb everything runs until idle, then the check compares; a flake
//! is therefore a bug in the house and not in the script. `expect … within`
//! moves the clock in steps of [`STEP`]; nothing else but `advance` moves it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::compare::{compare, show_difference};
use super::parse::{
    Actor, Expectation, Play, Region, ScriptError, Step, Verb, parse, parse_included,
};
use crate::idle::settle;
use crate::snapshot::Snapshot;
use crate::world::World;

/// How far `within` moves the clock at once.
pub const STEP: Duration = Duration::from_millis(50);
/// Files included from files, at most.
pub const INCLUDE_DEPTH_MAX: usize = 4;

/// How a play ended badly.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// The script cannot be understood (exit code 2).
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// What was seen differs from what was expected (exit code 1).
    #[error("{file}:{line}: {what}\n{screen}")]
    Mismatch {
        /// Script file.
        file: String,
        /// Line of the step.
        line: usize,
        /// Expected and seen.
        what: String,
        /// The current actor's screen, for the reader.
        screen: String,
    },
    /// The house could not be set up or a file not be read (exit code 3).
    #[error("{0}")]
    Harness(String),
}

impl PlayError {
    /// The exit code, which is API: 1 mismatch, 2 script, 3 harness.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Mismatch { .. } => 1,
            Self::Script(_) => 2,
            Self::Harness(_) => 3,
        }
    }
}

/// A block as it stands in the file and as it was seen; for `bless`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// First line of the block (0-based) and one past the last, in the main file.
    pub block: (usize, usize),
    /// What was seen.
    pub rows: Vec<String>,
    /// Whether it was an effects block, which is never rewritten.
    pub effects: bool,
    /// Whether expected and seen agree.
    pub same: bool,
}

/// What a run gives back.
#[derive(Debug, Default)]
pub struct Report {
    /// Steps played.
    pub steps: usize,
    /// Lines elided by `...` or `[..]` in expected screens.
    pub elided: usize,
    /// Every block of the main file.
    pub seen: Vec<Seen>,
}

/// How a script is played.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Record screens that differ instead of failing.
    pub bless: bool,
    /// Where printed paper goes.
    pub paper: Option<PathBuf>,
    /// Where a PNG of every `screen` goes, named by step and screen.
    pub pictures: Option<PathBuf>,
}

/// Plays one file in a fresh world.
pub fn play_file(path: &Path, options: &Options) -> Result<(Play, Report), PlayError> {
    let text = read(path)?;
    let play = parse(&path.display().to_string(), &text)?;
    let report = play_script(&play, path.parent().unwrap_or(Path::new(".")), options)?;
    Ok((play, report))
}

/// Plays a parsed script; `include` is relative to `folder`.
pub fn play_script(play: &Play, folder: &Path, options: &Options) -> Result<Report, PlayError> {
    let runtime =
        crate::idle::runtime(true).map_err(|e| PlayError::Harness(format!("no runtime: {e}")))?;
    let local = tokio::task::LocalSet::new();
    let outcome = local.block_on(&runtime, async {
        let world = World::open(&play.header, options.paper.clone())
            .await
            .map_err(|e| PlayError::Harness(format!("the branch did not open: {e:#}")))?;
        let report = Report::default();
        let mut stage = Stage {
            play,
            folder,
            world,
            actor: Actor::Customer,
            options,
            report,
        };
        settle().await;
        stage.steps(&play.steps, &play.file, 0).await?;
        Ok(stage.report)
    });
    drop(local);
    outcome
}

fn read(path: &Path) -> Result<String, PlayError> {
    std::fs::read_to_string(path)
        .map_err(|e| PlayError::Harness(format!("cannot read {}: {e}", path.display())))
}

struct Stage<'a> {
    play: &'a Play,
    folder: &'a Path,
    world: World,
    actor: Actor,
    options: &'a Options,
    report: Report,
}

impl Stage<'_> {
    async fn steps(&mut self, steps: &[Step], file: &str, depth: usize) -> Result<(), PlayError> {
        for step in steps {
            if let Verb::Include(name) = &step.verb {
                if depth >= INCLUDE_DEPTH_MAX {
                    return Err(self.mismatch(
                        file,
                        step,
                        "files include each other too deeply".into(),
                    ));
                }
                let path = self.folder.join(name);
                let shown = path.display().to_string();
                let included = parse_included(&shown, &read(&path)?)?;
                Box::pin(self.steps(&included, &shown, depth.saturating_add(1))).await?;
                continue;
            }
            self.step(step, file)
                .await
                .map_err(|what| self.mismatch(file, step, what))?;
            self.report.steps = self.report.steps.saturating_add(1);
        }
        Ok(())
    }

    fn mismatch(&self, file: &str, step: &Step, what: String) -> PlayError {
        let screen = match self.world.snapshot(self.actor) {
            Some(shot) => format!(
                "--- {:?} sees {} ---\n{}",
                self.actor,
                self.world.screen_name(self.actor),
                shot.text()
            ),
            None => String::new(),
        };
        PlayError::Mismatch {
            file: file.to_owned(),
            line: step.line,
            what,
            screen,
        }
    }

    async fn step(&mut self, step: &Step, file: &str) -> Result<(), String> {
        match &step.verb {
            Verb::As(actor) => self.actor = *actor,
            Verb::Press(keys, times) => {
                for _ in 0..*times {
                    for key in keys.split_whitespace() {
                        self.world.press(self.actor, key)?;
                        settle().await;
                    }
                }
            }
            Verb::Type(text) => {
                for c in text.chars() {
                    self.world.press(self.actor, &c.to_string())?;
                    settle().await;
                }
            }
            Verb::Paste(text) => self.world.paste(self.actor, text)?,
            Verb::Resize(w, h) => self.world.resize(self.actor, *w, *h)?,
            Verb::Device(line) => {
                self.world.device(line).await?;
            }
            Verb::Advance(time) => tokio::time::sleep(*time).await,
            Verb::Expect(expectation, within) => self.expect(expectation, *within).await?,
            Verb::Screen(region, rows) => {
                let shot = self
                    .world
                    .snapshot(self.actor)
                    .ok_or("this actor has no screen")?;
                self.picture().map_err(|e| format!("no picture: {e:#}"))?;
                self.block(step, file, rows, part(*region, &shot.rows), false)?;
            }
            Verb::Styles(rows) => {
                let shot: Snapshot = self
                    .world
                    .snapshot(self.actor)
                    .ok_or("this actor has no screen")?;
                let seen = shot.styles.iter().map(|run| format!(" {run}")).collect();
                self.block(step, file, rows, seen, false)?;
            }
            Verb::Effects(rows) => {
                let seen = self
                    .world
                    .drain_effects()?
                    .into_iter()
                    .map(|line| format!(" {line}"))
                    .collect();
                self.block(step, file, rows, seen, true)?;
            }
            Verb::Note | Verb::Include(_) => {}
        }
        settle().await;
        Ok(())
    }

    fn picture(&self) -> anyhow::Result<()> {
        let Some(folder) = &self.options.pictures else {
            return Ok(());
        };
        let name = self.world.screen_name(self.actor);
        let actor = format!("{:?}", self.actor).to_lowercase();
        let path = folder.join(format!("{:03}-{actor}-{name}.png", self.report.steps));
        std::fs::write(
            path,
            crate::pictures::screen_png(&self.world.buffer(self.actor))?,
        )?;
        Ok(())
    }

    fn block(
        &mut self,
        step: &Step,
        file: &str,
        expected: &[String],
        seen: Vec<String>,
        effects: bool,
    ) -> Result<(), String> {
        let (same, elided) = compare(expected, &seen);
        self.report.elided = self.report.elided.saturating_add(elided);
        let difference = if same {
            String::new()
        } else {
            show_difference(expected, &seen)
        };
        if let (Some(block), true) = (step.block, file == self.play.file) {
            self.report.seen.push(Seen {
                block,
                rows: seen,
                effects,
                same,
            });
        }
        if same || (self.options.bless && !effects) {
            Ok(())
        } else {
            Err(difference)
        }
    }

    async fn expect(&mut self, expectation: &Expectation, within: Duration) -> Result<(), String> {
        if let Expectation::Effects(expected) = expectation {
            tokio::time::sleep(within).await;
            settle().await;
            let seen = self.world.drain_effects()?;
            let (same, _) = compare(expected, &seen);
            return if same {
                Ok(())
            } else {
                Err(show_difference(expected, &seen))
            };
        }
        let mut waited = Duration::ZERO;
        loop {
            settle().await;
            let Err(why) = self.check(expectation) else {
                return Ok(());
            };
            if waited >= within {
                return Err(format!("{why} (after {} ms)", waited.as_millis()));
            }
            tokio::time::sleep(STEP).await;
            waited = waited.saturating_add(STEP);
        }
    }

    fn check(&self, expectation: &Expectation) -> Result<(), String> {
        let shot = || {
            self.world
                .snapshot(self.actor)
                .ok_or_else(|| "this actor has no screen".to_owned())
        };
        match expectation {
            Expectation::Screen(name) => {
                let seen = self.world.screen_name(self.actor);
                (seen == *name)
                    .then_some(())
                    .ok_or_else(|| format!("expected screen {name}, seen {seen}"))
            }
            Expectation::Text(text) => shot()?
                .contains(text)
                .then_some(())
                .ok_or_else(|| format!("the screen does not show \"{text}\"")),
            Expectation::NoText(text) => (!shot()?.contains(text))
                .then_some(())
                .ok_or_else(|| format!("the screen shows \"{text}\"")),
            Expectation::Counter(device, counter, value) => {
                let seen = self.world.counter(device, counter)?;
                same_number(&format!("{device} {counter}"), *value, seen)
            }
            Expectation::Effects(_) => Ok(()),
            Expectation::Books => self.world.audit(),
            Expectation::Blanks(state, value) => {
                let seen = self.world.blanks(state)?;
                same_number(&format!("blanks {state}"), *value, seen)
            }
        }
    }
}

/// The rows of a region.
fn part(region: Region, rows: &[String]) -> Vec<String> {
    let last = rows.len().saturating_sub(1);
    let range = match region {
        Region::Whole => 0..rows.len(),
        Region::Title => 0..1,
        Region::Body => 1..last.max(1),
        Region::Footer => last..rows.len(),
    };
    rows.get(range).unwrap_or_default().to_vec()
}

fn same_number<T: PartialEq + std::fmt::Display>(
    what: &str,
    expected: T,
    seen: T,
) -> Result<(), String> {
    (expected == seen)
        .then_some(())
        .ok_or_else(|| format!("{what}: expected {expected}, seen {seen}"))
}
