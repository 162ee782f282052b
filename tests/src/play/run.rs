//! Plays a script against a world under virtual time.
//!
//! After each verb everything runs until idle, then the check compares; a flake
//! is therefore a bug in the house and not in the script. `expect … within`
//! moves the clock in steps of [`STEP`]; nothing else but `advance` moves it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use counterfoil_tui::input::Key;

use super::compare::{compare, show_difference};
use super::parse::{Actor, Expectation, Play, Region, ScriptError, Verb, parse};
pub use super::report::{Report, Seen};
use super::script::{Placed, whole};
use crate::idle::settle;
use crate::snapshot::Snapshot;
use crate::world::World;

/// How far `within` moves the clock at once.
pub const STEP: Duration = Duration::from_millis(50);

/// How a play ended badly.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// The script cannot be understood (exit code 2).
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// What was seen differs from what was expected (exit code 1).
    #[error("{file}:{line}:{column}: {what}\n{screen}")]
    Mismatch {
        /// Script file.
        file: String,
        /// Line of the step.
        line: usize,
        /// Column of the step.
        column: usize,
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
    let steps = whole(play, folder)?;
    let runtime =
        crate::idle::runtime(true).map_err(|e| PlayError::Harness(format!("no runtime: {e}")))?;
    let local = tokio::task::LocalSet::new();
    let outcome = local.block_on(&runtime, async {
        let world = World::open(&play.header, options.paper.clone())
            .await
            .map_err(|e| PlayError::Harness(format!("the branch did not open: {e:#}")))?;
        let mut stage = Stage {
            world,
            actor: Actor::Customer,
            options,
            report: Report::default(),
        };
        settle().await;
        stage.check_counters(&steps)?;
        stage.steps(&steps).await?;
        stage.ended().map_err(PlayError::Harness)
    });
    drop(local);
    outcome
}

fn read(path: &Path) -> Result<String, PlayError> {
    std::fs::read_to_string(path)
        .map_err(|e| PlayError::Harness(format!("cannot read {}: {e}", path.display())))
}

/// Why a step did not go as written.
enum Wrong {
    /// Something else was seen or happened.
    Seen(String),
    /// The step says something that nobody knows.
    Said(String),
}

impl From<String> for Wrong {
    fn from(what: String) -> Self {
        Self::Seen(what)
    }
}

struct Stage<'a> {
    world: World,
    actor: Actor,
    options: &'a Options,
    report: Report,
}

impl Stage<'_> {
    /// Counters are the twins' to name, so they are asked before the first step.
    fn check_counters(&self, steps: &[Placed]) -> Result<(), ScriptError> {
        for placed in steps {
            if let Verb::Expect(Expectation::Counter(device, counter, _), _) = &placed.step.verb {
                let counted = self.world.counter(device, counter);
                counted.map_err(|what| placed.error(what))?;
            }
        }
        Ok(())
    }

    async fn steps(&mut self, steps: &[Placed]) -> Result<(), PlayError> {
        for placed in steps {
            self.step(placed).await.map_err(|wrong| match wrong {
                Wrong::Seen(what) => self.mismatch(placed, what),
                Wrong::Said(what) => placed.error(what).into(),
            })?;
            self.report.steps = self.report.steps.saturating_add(1);
        }
        Ok(())
    }

    fn mismatch(&self, placed: &Placed, what: String) -> PlayError {
        let screen = match self.world.snapshot(self.actor) {
            Some(shot) => format!(
                "--- {:?} sees {} ---\n{}",
                self.actor,
                self.world.screen_name(self.actor),
                shot.text()
            ),
            None => String::new(),
        };
        let ScriptError {
            file,
            line,
            column,
            what,
        } = placed.error(what);
        PlayError::Mismatch {
            file,
            line,
            column,
            what,
            screen,
        }
    }

    /// The report, with what the whole run left.
    fn ended(mut self) -> Result<Report, String> {
        self.report.frames = self.world.frames();
        let (leaves, root) = self.world.evidence()?;
        (self.report.leaves, self.report.root) = (leaves, Some(root));
        self.report.written = self.world.written().map_err(|e| format!("{e:#}"))?;
        Ok(self.report)
    }

    async fn step(&mut self, placed: &Placed) -> Result<(), Wrong> {
        match &placed.step.verb {
            Verb::As(actor) => {
                self.world.sit_down(*actor)?;
                self.actor = *actor;
            }
            Verb::Press(keys, times) => {
                for _ in 0..*times {
                    for key in keys.split_whitespace() {
                        self.world.press(self.actor, key)?;
                        settle().await;
                    }
                }
            }
            Verb::Type(text) => self.type_text(text).await?,
            Verb::TypeSecret(name) => {
                let secret = self.world.secret(name).map_err(Wrong::Said)?;
                self.type_text(secret.expose()).await?;
            }
            Verb::Paste(text) => self.world.paste(self.actor, text)?,
            Verb::Resize(w, h) => self.world.resize(self.actor, *w, *h)?,
            Verb::Device(line) => self.device(line).await?,
            Verb::Advance(time) => tokio::time::sleep(*time).await,
            Verb::Expect(expectation, within) => self.expect(expectation, *within).await?,
            Verb::Screen(region, rows) => {
                let shot = self.world.snapshot(self.actor).ok_or_else(no_screen)?;
                self.picture().map_err(|e| format!("no picture: {e:#}"))?;
                self.block(placed, rows, part(*region, &shot.rows), false)?;
            }
            Verb::Styles(rows) => {
                let shot: Snapshot = self.world.snapshot(self.actor).ok_or_else(no_screen)?;
                let seen = shot.styles.iter().map(|run| format!(" {run}")).collect();
                self.block(placed, rows, seen, false)?;
            }
            Verb::Effects(rows) => {
                let seen = self
                    .world
                    .drain_effects()?
                    .into_iter()
                    .map(|line| format!(" {line}"))
                    .collect();
                self.block(placed, rows, seen, true)?;
            }
            Verb::Note | Verb::Include(_) => {}
        }
        settle().await;
        Ok(())
    }

    async fn type_text(&mut self, text: &str) -> Result<(), String> {
        for c in text.chars() {
            self.world.key(self.actor, Key::Char(c))?;
            settle().await;
        }
        Ok(())
    }

    /// A line that the device takes for nothing it knows is the script's error;
    /// one that makes no sense now is a difference.
    async fn device(&mut self, line: &str) -> Result<(), Wrong> {
        let Err(refused) = self.world.device(line).await else {
            return Ok(());
        };
        let device = line.split(' ').next().unwrap_or_default();
        let nonsense = self.world.device(&format!("{device} ?")).await;
        Err(if nonsense.is_err_and(|said| said == refused) {
            Wrong::Said(format!("{device} knows no such act: {refused}"))
        } else {
            Wrong::Seen(format!("{device} refuses: {refused}"))
        })
    }

    fn picture(&self) -> anyhow::Result<()> {
        let Some(folder) = &self.options.pictures else {
            return Ok(());
        };
        let name = self.world.screen_name(self.actor);
        let actor = format!("{:?}", self.actor).to_lowercase();
        let actor = actor.replace(['(', ')'], "");
        let path = folder.join(format!("{:03}-{actor}-{name}.png", self.report.steps));
        std::fs::write(
            path,
            crate::pictures::screen_png(&self.world.buffer(self.actor))?,
        )?;
        Ok(())
    }

    /// Compares; under `bless` a screen of the script itself may differ, nothing else.
    fn block(
        &mut self,
        placed: &Placed,
        expected: &[String],
        seen: Vec<String>,
        effects: bool,
    ) -> Result<(), String> {
        let (same, elided) = compare(expected, &seen);
        self.report.elided = self.report.elided.saturating_add(elided);
        let blessed = self.options.bless && placed.own && !effects;
        let outcome = if same || blessed {
            Ok(())
        } else {
            Err(show_difference(expected, &seen))
        };
        if let (Some(block), true) = (placed.step.block, placed.own) {
            self.report.seen.push(Seen {
                block,
                rows: seen,
                effects,
                same,
            });
        }
        outcome
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
        let shot = || self.world.snapshot(self.actor).ok_or_else(no_screen);
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

fn no_screen() -> String {
    "this actor has no screen: say `as customer`, `as officer` or whose terminal before".to_owned()
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
