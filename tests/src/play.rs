//! `.play` scripts, version 1: one file tells what people and machines do and
//! what must then be seen.
//!
//! [`parse`] turns text into a [`parse::Play`], [`script`] puts included files in
//! their places; [`run`] plays it against a [`crate::world::World`] under virtual
//! time; [`bless`] rewrites expected screens, and refuses to touch effects on
//! money or custody. The verb list is closed: `as press type click paste resize
//! device backend advance expect screen styles effects note include`. There is no
//! sleep verb: time moves only by `advance` and by `expect … within`.

pub mod bless;
pub mod compare;
pub mod parse;
pub mod report;
pub mod run;
pub mod script;
