//! The terminal a session owns: clamped size, raw mode only on a terminal, and a
//! restore that tries every step.
//!
//! A client chooses its own window size, and ratatui allocates what it says:
//! 65535x65535 is 206 GB and an abort. So the size is clamped before a buffer
//! exists. Called by the binaries' shells; nothing else writes to stdout.

use std::io::{self, IsTerminal as _, Read as _, Write};

use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::{cursor, event, execute, terminal};
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};
use tokio::sync::mpsc;

use crate::input::{Decoder, Key, PAUSE};

/// Smallest and largest size drawn, columns and rows.
pub const SIZE_MIN: (u16, u16) = (40, 12);
/// See [`SIZE_MIN`].
pub const SIZE_MAX: (u16, u16) = (200, 60);
/// The size where nothing says another.
pub const SIZE_USUAL: (u16, u16) = (80, 24);
/// Keys waiting to be handled, at most; more are dropped, never queued: what was
/// typed into a screen that hung must not act on the one after it.
pub const KEYS_MAX: usize = 64;

/// A size within [`SIZE_MIN`] and [`SIZE_MAX`].
pub fn clamp(size: (u16, u16)) -> (u16, u16) {
    (
        size.0.clamp(SIZE_MIN.0, SIZE_MAX.0),
        size.1.clamp(SIZE_MIN.1, SIZE_MAX.1),
    )
}

/// A drawing surface on a byte stream.
pub struct Canvas<W: Write> {
    terminal: Terminal<CrosstermBackend<W>>,
    raw: bool,
    fullscreen: bool,
    pastes: bool,
}

/// Who sits at a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seat {
    /// A customer: a paste means nothing.
    Kiosk,
    /// Staff: a paste is one key, and never an Enter.
    Desk,
}

impl Canvas<io::Stdout> {
    /// Takes stdout: alternate screen and raw mode if it is a terminal.
    pub fn stdout(seat: Seat) -> io::Result<Self> {
        let interactive = io::stdout().is_terminal() && io::stdin().is_terminal();
        let size = if interactive {
            terminal::size().unwrap_or(SIZE_USUAL)
        } else {
            SIZE_USUAL
        };
        if interactive {
            restore_on_panic();
            terminal::enable_raw_mode()?;
            execute!(io::stdout(), terminal::EnterAlternateScreen, cursor::Hide)?;
        }
        let pastes = interactive && seat == Seat::Desk;
        if pastes {
            execute!(io::stdout(), event::EnableBracketedPaste)?;
        }
        let mut canvas = Self::on(io::stdout(), size)?;
        canvas.raw = interactive;
        canvas.fullscreen = interactive;
        canvas.pastes = pastes;
        Ok(canvas)
    }
}

/// A panic gives the terminal back before it says what happened; each step is
/// tried. Release builds abort on a panic, so no destructor would do it.
fn restore_on_panic() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let said = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let _ = terminal::disable_raw_mode();
            let _ = execute!(io::stdout(), event::DisableBracketedPaste);
            let _ = execute!(io::stdout(), terminal::LeaveAlternateScreen);
            let _ = execute!(io::stdout(), cursor::Show);
            said(panic);
        }));
    });
}

impl<W: Write> Canvas<W> {
    /// Draws on any writer in a fixed (clamped) size.
    pub fn on(writer: W, size: (u16, u16)) -> io::Result<Self> {
        let (width, height) = clamp(size);
        let viewport = Viewport::Fixed(Rect::new(0, 0, width, height));
        let terminal =
            Terminal::with_options(CrosstermBackend::new(writer), TerminalOptions { viewport })?;
        Ok(Self {
            terminal,
            raw: false,
            fullscreen: false,
            pastes: false,
        })
    }

    /// Draws one frame; only changed cells leave.
    pub fn draw(&mut self, paint: impl FnOnce(Rect, &mut Buffer)) -> io::Result<()> {
        self.terminal.draw(|frame| {
            let area = frame.area();
            paint(area, frame.buffer_mut());
        })?;
        Ok(())
    }

    /// Another size, clamped; the next frame is drawn whole.
    pub fn resize(&mut self, size: (u16, u16)) -> io::Result<()> {
        let (width, height) = clamp(size);
        // Not `clear`: that asks the terminal where its cursor is and waits for
        // an answer that our own reader of stdin takes away.
        self.terminal.resize(Rect::new(0, 0, width, height))
    }
}

impl<W: Write> Drop for Canvas<W> {
    fn drop(&mut self) {
        // Raw mode first: it matters most if the next step fails. Each is tried.
        if self.raw {
            let _ = terminal::disable_raw_mode();
        }
        if self.pastes {
            let _ = execute!(self.terminal.backend_mut(), event::DisableBracketedPaste);
        }
        if self.fullscreen {
            let writer = self.terminal.backend_mut();
            let _ = execute!(writer, terminal::LeaveAlternateScreen);
            let _ = execute!(writer, cursor::Show);
            let _ = writer.flush();
        }
    }
}

/// Starts the one thread that reads stdin; keys come out of a bounded channel,
/// which closes at end of input.
pub fn keys_of_stdin(seat: Seat) -> mpsc::Receiver<Key> {
    let (raw_tx, mut raw_rx) = mpsc::channel::<Vec<u8>>(KEYS_MAX);
    let (tx, rx) = mpsc::channel(KEYS_MAX);
    std::thread::spawn(move || {
        let mut stdin = io::stdin().lock();
        let mut buffer = [0_u8; 256];
        while let Ok(n @ 1..) = stdin.read(&mut buffer) {
            if raw_tx
                .blocking_send(buffer.get(..n).unwrap_or_default().to_vec())
                .is_err()
            {
                break;
            }
        }
    });
    tokio::task::spawn_local(async move {
        let mut decoder = match seat {
            Seat::Kiosk => Decoder::default(),
            Seat::Desk => Decoder::with_pastes(),
        };
        loop {
            let keys = if decoder.is_waiting() {
                match tokio::time::timeout(PAUSE, raw_rx.recv()).await {
                    Ok(Some(bytes)) => decoder.feed(&bytes),
                    Ok(None) => break,
                    Err(_) => decoder.pause().into_iter().collect(),
                }
            } else {
                match raw_rx.recv().await {
                    Some(bytes) => decoder.feed(&bytes),
                    None => break,
                }
            };
            for key in keys {
                if let Err(mpsc::error::TrySendError::Closed(_)) = tx.try_send(key) {
                    return;
                }
            }
        }
        if let Some(key) = decoder.end() {
            let _ = tx.send(key).await;
        }
    });
    rx
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absurd_window_is_clamped_before_anything_is_allocated() {
        let mut canvas = Canvas::on(Vec::new(), (u16::MAX, u16::MAX)).expect("a canvas");
        let mut seen = Rect::default();
        canvas.draw(|area, _| seen = area).expect("draws");
        assert_eq!((seen.width, seen.height), SIZE_MAX);
        assert_eq!(clamp((0, 0)), SIZE_MIN);
    }

    #[test]
    fn a_window_of_nothing_is_drawn_on_as_the_smallest() {
        for size in [(0, 0), (1, 1), (39, 11)] {
            let mut canvas = Canvas::on(Vec::new(), size).expect("a canvas");
            let mut seen = Rect::default();
            canvas.draw(|area, _| seen = area).expect("draws");
            assert_eq!((seen.width, seen.height), SIZE_MIN, "{size:?}");
            canvas.resize((u16::MAX, 0)).expect("resizes");
            canvas.draw(|area, _| seen = area).expect("draws");
            assert_eq!((seen.width, seen.height), (SIZE_MAX.0, SIZE_MIN.1));
        }
    }
}
