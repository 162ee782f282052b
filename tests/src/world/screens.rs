//! What every actor sees: by its public name, as cells and as text.

use counterfoil_tui::screen;
use counterfoil_tui::theme::Role;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::World;
use crate::play::parse::Actor;
use crate::snapshot::Snapshot;

impl World {
    /// Public name of an actor's screen.
    pub fn screen_name(&self, actor: Actor) -> String {
        let name = match actor {
            Actor::Customer => self.kiosk_screen.borrow().as_ref().map(|s| s.body.name()),
            Actor::Officer | Actor::SecondOfficer => {
                self.station_screen(actor).map(|s| s.body.name())
            }
            Actor::Staff(index) => {
                let on = self.staff.get(&index);
                on.and_then(|on| on.screen.borrow().as_ref().map(|s| s.body.name()))
            }
            Actor::Desk | Actor::Teller => None,
        };
        name.unwrap_or("Dark").to_owned()
    }

    /// Draws an actor's screen.
    pub fn paint(&self, actor: Actor, area: Rect, buffer: &mut Buffer) {
        match actor {
            Actor::Customer => {
                if let Some(shown) = self.kiosk_screen.borrow().as_ref() {
                    screen::kiosk::draw(shown, area, buffer);
                }
            }
            Actor::Officer | Actor::SecondOfficer => {
                if let Some(shown) = self.station_screen(actor) {
                    screen::station::draw(&shown, area, buffer);
                }
            }
            Actor::Staff(index) => {
                let on = self.staff.get(&index);
                if let Some(shown) = on.and_then(|on| on.screen.borrow().clone()) {
                    screen::custody::draw(&shown, area, buffer);
                }
            }
            Actor::Desk | Actor::Teller => {}
        }
    }

    /// An actor's screen as drawn cells.
    pub fn buffer(&self, actor: Actor) -> Buffer {
        let (width, height) = match actor {
            Actor::Officer | Actor::SecondOfficer => {
                self.seat(actor).map_or(self.kiosk_size, |seat| seat.size)
            }
            Actor::Staff(index) => {
                let on = self.staff.get(&index);
                on.map_or(self.kiosk_size, |on| on.size)
            }
            _ => self.kiosk_size,
        };
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        self.paint(actor, area, &mut buffer);
        buffer
    }

    /// An actor's screen as text and styles; the desk has none.
    pub fn snapshot(&self, actor: Actor) -> Option<Snapshot> {
        match actor {
            Actor::Desk | Actor::Teller => None,
            actor => Some(Snapshot::of(&self.buffer(actor), Role::name_of)),
        }
    }
}
