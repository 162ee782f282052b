//! ESC/POS over the USB printer class, shared by the receipt and form printers.
//!
//! - [`text`]: strings to GB18030 bytes a printer's font surely has, in columns.
//! - [`command`]: the commands we send, each with its source.
//! - [`device_id`]: who the printer says it is.
//! - [`presenter`]: what lies in a presenter.
//! - [`reply`]: what comes back, told apart.
//! - [`link`]: the USB side: claim, device id, bounded writes, one reply stream.
//! - [`fault`]: faults in XFS4IoT's words.
//!
//! Refuses: control characters in text, zero-length writes, waiting without a
//! deadline. The drivers above it decide what a fault means for paper.

pub mod command;
pub mod device_id;
pub mod fault;
pub mod link;
pub mod presenter;
pub mod reply;
pub mod text;
