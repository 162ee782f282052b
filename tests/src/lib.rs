//! x
pub mod clock;
pub mod idle;
pub mod play;
pub mod snapshot;
pub mod world {
    pub struct World;
}
