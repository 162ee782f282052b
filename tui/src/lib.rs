//! Kiosk, confirm station and custody terminal of Counterfoil.
//!
//! The kiosk holds no authority and no database: it asks the backend before it
//! acts, and after a restart asks it "what was I doing?".

pub mod cmd;
pub mod custody;
pub mod flow;
pub mod host;
pub mod input;
pub mod journal;
pub mod keyboard;
pub mod kiosk;
pub mod link;
pub mod lock;
pub mod login;
pub mod model;
pub mod screen;
pub mod shell;
pub mod station;
pub mod terminal;
pub mod theme;
