//! Screens: masked models to pages, pages to cells. Pure; nothing else draws.
//!
//! [`kiosk`], [`station`] and [`custody`] turn a model into a [`page::Page`]; [`page`] paints
//! any page on any area from 40x12 up. A page is also plain text in reading
//! order, for a line mode and for screen readers.

pub mod custody;
pub mod kiosk;
pub mod login;
pub mod page;
pub mod station;
pub mod words;
