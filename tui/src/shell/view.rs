//! Where screens go: cells on a terminal, or models as lines of JSON.

use std::io::{self, Stdout, Write as _};

use ratatui::buffer::Buffer;
use ratatui::crossterm::terminal;
use ratatui::layout::Rect;
use serde::Serialize;
use tokio::sync::mpsc;

use super::signals::{Signal, Signals};
use crate::custody::model::CustodyScreen;
use crate::model::KioskScreen;
use crate::screen;
use crate::station::model::StationScreen;
use crate::terminal::{Canvas, SIZE_USUAL, Seat};

/// Screens on their way at most.
pub(super) const SCREENS_MAX: usize = 16;

/// A screen of one of the programs.
pub(super) trait Screen: Serialize {
    /// Its public name.
    fn name(&self) -> &'static str;
    /// Draws it.
    fn paint(&self, area: Rect, buffer: &mut Buffer);
}

impl Screen for KioskScreen {
    fn name(&self) -> &'static str {
        self.body.name()
    }

    fn paint(&self, area: Rect, buffer: &mut Buffer) {
        screen::kiosk::draw(self, area, buffer);
    }
}

impl Screen for StationScreen {
    fn name(&self) -> &'static str {
        self.body.name()
    }

    fn paint(&self, area: Rect, buffer: &mut Buffer) {
        screen::station::draw(self, area, buffer);
    }
}

impl Screen for CustodyScreen {
    fn name(&self) -> &'static str {
        self.body.name()
    }

    fn paint(&self, area: Rect, buffer: &mut Buffer) {
        screen::custody::draw(self, area, buffer);
    }
}

/// Where screens go.
pub(super) enum View {
    /// Drawn.
    Cells(Box<Canvas<Stdout>>),
    /// One line each, for programs.
    Models,
}

/// One line: the public name beside the model.
#[derive(Serialize)]
struct Line<'a, S: Serialize> {
    name: &'static str,
    #[serde(flatten)]
    screen: &'a S,
}

impl View {
    /// Takes stdout.
    pub fn open(models: bool, seat: Seat) -> io::Result<Self> {
        if models {
            return Ok(Self::Models);
        }
        Canvas::stdout(seat).map(|canvas| Self::Cells(Box::new(canvas)))
    }

    /// Shows one screen.
    pub fn show<S: Screen>(&mut self, screen: &S) -> io::Result<()> {
        match self {
            Self::Cells(canvas) => canvas.draw(|area, buffer| screen.paint(area, buffer)),
            Self::Models => {
                let name = screen.name();
                let mut line = serde_json::to_vec(&Line { name, screen })?;
                line.push(b'\n');
                let mut out = io::stdout().lock();
                out.write_all(&line)?;
                out.flush()
            }
        }
    }

    /// Shows every screen that comes, until the screens end or somebody leaves.
    pub async fn follow<S: Screen>(
        &mut self,
        shown: &mut S,
        screens: &mut mpsc::Receiver<S>,
        signals: &mut Signals,
    ) -> io::Result<()> {
        loop {
            tokio::select! {
                biased;
                signal = signals.next() => match signal {
                    Signal::Leave => return Ok(()),
                    Signal::Resize => self.resize(shown)?,
                },
                screen = screens.recv() => match screen {
                    Some(screen) => {
                        self.show(&screen)?;
                        *shown = screen;
                    }
                    None => return Ok(()),
                },
            }
        }
    }

    /// The window may have another size now; shows the screen again.
    pub fn resize<S: Screen>(&mut self, screen: &S) -> io::Result<()> {
        if let Self::Cells(canvas) = self {
            canvas.resize(terminal::size().unwrap_or(SIZE_USUAL))?;
            canvas.draw(|area, buffer| screen.paint(area, buffer))?;
        }
        Ok(())
    }
}
