//! A whole script: its own steps, and those of included files in their places.
//!
//! Everything is read and understood before anything is played, so that a file
//! that is missing is told where it is included and not in the middle of a sale.

use std::path::Path;
use std::rc::Rc;

use super::parse::{Play, ScriptError, Step, Verb, parse_included};

/// Files included from files, at most.
pub const INCLUDE_DEPTH_MAX: usize = 4;
/// Steps of a whole script at most.
pub const STEPS_MAX: usize = 20_000;

/// One step in its place.
#[derive(Debug)]
pub(super) struct Placed {
    /// Where it is written.
    pub file: Rc<str>,
    /// Whether that is the script itself and no included file.
    pub own: bool,
    /// The step.
    pub step: Step,
}

impl Placed {
    /// An error at this step.
    pub fn error(&self, what: String) -> ScriptError {
        ScriptError {
            file: self.file.to_string(),
            line: self.step.line,
            column: self.step.column,
            what,
        }
    }
}

/// Every step of `play` in order; `include` is relative to `folder`.
pub(super) fn whole(play: &Play, folder: &Path) -> Result<Vec<Placed>, ScriptError> {
    let mut placed = Vec::new();
    let file: Rc<str> = play.file.as_str().into();
    place(&mut placed, play.steps.clone(), &file, folder, 0)?;
    Ok(placed)
}

fn place(
    placed: &mut Vec<Placed>,
    steps: Vec<Step>,
    file: &Rc<str>,
    folder: &Path,
    depth: usize,
) -> Result<(), ScriptError> {
    for step in steps {
        let step = Placed {
            file: Rc::clone(file),
            own: depth == 0,
            step,
        };
        if placed.len() >= STEPS_MAX {
            let what = format!("a script has at most {STEPS_MAX} steps, included ones too");
            return Err(step.error(what));
        }
        let Verb::Include(name) = &step.step.verb else {
            placed.push(step);
            continue;
        };
        if depth >= INCLUDE_DEPTH_MAX {
            let what = "files include each other too deeply".to_owned();
            return Err(step.error(what));
        }
        let path = folder.join(name);
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(&path)
            .map_err(|e| step.error(format!("cannot read {shown}: {e}")))?;
        let included = parse_included(&shown, &text)?;
        place(
            placed,
            included,
            &shown.as_str().into(),
            folder,
            depth.saturating_add(1),
        )?;
    }
    Ok(())
}
