//! The custody terminal (重要空白凭证的双人管理): what waits for two people, at the
//! terminal of one of them.
//!
//! One person looks at an unknown form, a locked slot or a suspended sale, says what it
//! turned out to be and proposes that; another, signed in at a terminal of their own,
//! sees exactly what was proposed and approves or refuses it. It holds no authority:
//! who may act on what, and that the two are two, is decided by the backend. [`flow`]
//! is pure; [`app`] does the I/O.

pub mod app;
pub mod flow;
pub mod model;
