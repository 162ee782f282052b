//! `counterfoil` without arguments: a branch in one terminal.
//!
//! Backend on loopback with a temporary redb file, kiosk, confirm station, twins
//! and the synthetic demo bank, in real time. Tab moves between the customer's
//! kiosk, the officer's screen and the desk; the last row always says what can be
//! done next. With its output piped there is nobody to press keys, so [`piped`]
//! plays the sale script instead, prints the screens and fails on any difference.

pub mod desk;
pub mod hint;
pub mod piped;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Context as _;
use counterfoil_devices::system::TokioClock;
use counterfoil_tui::input::Key;
use counterfoil_tui::model::Language;
use counterfoil_tui::screen::page::{Block, Page, Span};
use counterfoil_tui::shell::signals::{Signal, Signals};
use counterfoil_tui::terminal::{Canvas, SIZE_USUAL, Seat, keys_of_stdin};
use counterfoil_tui::theme::Role;
use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::crossterm::terminal;
use ratatui::layout::Rect;

use crate::play::parse::Actor;
use crate::world::{Setup, Stand, StoreAt, World};
use desk::Desk;
use hint::{Seen, hint};

/// Columns below which the hint row names only the view it is in.
const NARROW: u16 = 70;
/// How often the picture is refreshed without a key; nothing here animates
/// faster.
const TICK: Duration = Duration::from_millis(100);

/// Plays a branch with a person at the keys.
pub fn interactive(language: Language, stand: Stand) -> ExitCode {
    let ran = (|| -> anyhow::Result<PathBuf> {
        let runtime = crate::idle::runtime(false).context("no runtime")?;
        let local = tokio::task::LocalSet::new();
        local.block_on(&runtime, run(language, stand))
    })();
    match ran {
        Ok(folder) => {
            let (pictures, at) = (pictures_in(&folder).len(), folder.display());
            say(&match language {
                Language::ZhHans => format!("票据和凭条图片 {pictures} 张，数据库一并保存在：{at}"),
                Language::En => {
                    format!("{pictures} pictures of forms and receipts, and the database: {at}")
                }
            });
            ExitCode::SUCCESS
        }
        Err(error) => {
            complain(&format!("counterfoil: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

#[expect(
    clippy::print_stdout,
    reason = "the screen has been given back; this is a command's answer"
)]
fn say(text: &str) {
    println!("{text}");
}

#[expect(
    clippy::print_stderr,
    reason = "the screen has been given back; this is a command's complaint"
)]
fn complain(text: &str) {
    eprintln!("{text}");
}

/// A new folder for everything a run leaves behind.
pub fn run_folder() -> anyhow::Result<PathBuf> {
    let stamp = Timestamp::now().strftime("%Y%m%d-%H%M%S").to_string();
    let folder = std::env::temp_dir().join(format!("counterfoil-{stamp}-{}", std::process::id()));
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}

async fn run(language: Language, stand: Stand) -> anyhow::Result<PathBuf> {
    let mut canvas = Canvas::stdout(Seat::Desk).context("cannot take the terminal")?;
    // First frame before anything is generated, opened or loaded.
    canvas.draw(|area, buffer| opening(language).paint(area, buffer))?;
    let folder = run_folder()?;
    let mut keys = keys_of_stdin(Seat::Desk);
    let world = World::start(Setup {
        logins: false,
        clock: Rc::new(TokioClock::system()),
        seed: None,
        store: StoreAt::File(folder.join("backend.redb")),
        loopback: true,
        language,
        size: (80, 23),
        paper: Some(folder.clone()),
        stand,
    })
    .await?;
    let mut branch = Branch {
        world,
        view: Actor::Customer,
        desk: Desk::default(),
        language,
        folder,
    };
    let mut signals = Signals::listen().context("cannot listen to signals")?;
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        canvas.draw(|area, buffer| branch.paint(area, buffer))?;
        tokio::select! {
            biased;
            signal = signals.next() => match signal {
                Signal::Leave => break,
                Signal::Resize => canvas.resize(terminal::size().unwrap_or(SIZE_USUAL))?,
            },
            key = keys.recv() => match key {
                None | Some(Key::Ctrl('c' | 'q')) => break,
                Some(key) => branch.key(key).await,
            },
            _ = tick.tick() => {}
        }
    }
    drop(canvas);
    Ok(branch.folder.clone())
}

fn opening(language: Language) -> Page {
    let zh = language == Language::ZhHans;
    let text = if zh {
        "正在打开样例网点…"
    } else {
        "Opening the sample branch…"
    };
    Page {
        title: "Counterfoil".into(),
        blocks: vec![Block::Gap, Block::Centre(Span::plain(text))],
        ..Page::default()
    }
}

struct Branch {
    world: World,
    view: Actor,
    desk: Desk,
    language: Language,
    folder: PathBuf,
}

impl Branch {
    async fn key(&mut self, key: Key) {
        if key == Key::Tab {
            self.view = match self.view {
                Actor::Customer => Actor::Officer,
                Actor::Officer => Actor::Desk,
                _ => Actor::Customer,
            };
            return;
        }
        match self.view {
            Actor::Desk => {
                if let Some(line) = self.desk.key(&key) {
                    let outcome = self.world.device(line).await;
                    self.desk.happened(line, outcome);
                }
            }
            actor => {
                let _ = self.world.key(actor, key);
            }
        }
    }

    fn paint(&mut self, area: Rect, buffer: &mut Buffer) {
        if let Some(screen) = self.world.kiosk_screen() {
            self.language = screen.language;
        }
        let view = Rect {
            height: area.height.saturating_sub(1),
            ..area
        };
        match self.view {
            Actor::Desk => self
                .desk
                .page(self.language, &self.world.looks())
                .paint(view, buffer),
            actor => self.world.paint(actor, view, buffer),
        }
        self.hint_row(
            Rect {
                y: area.bottom().saturating_sub(1),
                height: 1,
                ..area
            },
            buffer,
        );
    }

    fn hint_row(&self, row: Rect, buffer: &mut Buffer) {
        let zh = self.language == Language::ZhHans;
        let names = if zh {
            ["顾客", "确认员", "桌面"]
        } else {
            ["kiosk", "officer", "desk"]
        };
        let at = match self.view {
            Actor::Customer => 0,
            Actor::Officer => 1,
            _ => 2,
        };
        let mut x = row.x;
        let mut put = |text: &str, role: Role| {
            let room = usize::from(row.right().saturating_sub(x));
            (x, _) = buffer.set_stringn(x, row.y, text, room, role.style());
        };
        for (index, name) in names.iter().enumerate() {
            // A narrow window has room for the hint only.
            if index == at || row.width >= NARROW {
                put(
                    &format!(" {name} "),
                    if index == at { Role::Focus } else { Role::Hint },
                );
            }
        }
        put("Tab ", Role::Hint);
        let kiosk = self.world.kiosk_screen();
        let seen = Seen {
            language: self.language,
            power: self.world.kiosk_on(),
            network: self.world.network_on(),
            backend: self.world.backend_on(),
            kiosk: kiosk.as_ref(),
            station: &self.world.screen_name(Actor::Officer),
        };
        put("> ", Role::Action);
        put(&hint(seen), Role::Action);
    }
}

/// Where a folder's pictures are, for the summary.
pub fn pictures_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.ends_with(".png"))
        .collect();
    names.sort();
    names
}
