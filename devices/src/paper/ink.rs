//! Where there is ink on a form, as a person with a ruler finds it.

use std::fmt;
use std::str::FromStr;

use counterfoil_data::form::{FormTemplate, Rect};

use super::canvas::Canvas;
use super::render::INK;

/// Ink on one form; lengths in 0.1 mm from its upper left corner.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ink {
    /// Its left edge.
    pub left: u32,
    /// Its upper edge.
    pub top: u32,
    /// Its right edge.
    pub right: u32,
    /// Its lower edge.
    pub bottom: u32,
    /// Restricted areas with ink on them.
    pub stray: Vec<String>,
    /// Texts in the printer's own type.
    pub texts: Vec<String>,
}

/// Not what a desk says of ink.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the desk measured nothing that is understood: use a desk of this version")]
pub struct InkError;

impl Ink {
    /// Measures a canvas of so many dots a millimetre; `None` without ink.
    pub(super) fn on(
        canvas: &Canvas,
        dots_per_mm: usize,
        template: &FormTemplate,
        texts: Vec<String>,
    ) -> Option<Self> {
        let rows = (0..canvas.height()).flat_map(|y| (0..canvas.width()).map(move |x| (x, y)));
        let inked: Vec<_> = rows.filter(|(x, y)| canvas.dot(*x, *y) == INK).collect();
        let dots = || inked.iter().copied();
        let tenths = |dots: usize| {
            let exact = dots
                .saturating_mul(10)
                .checked_div(dots_per_mm)
                .unwrap_or(0);
            u32::try_from(exact).unwrap_or(u32::MAX)
        };
        let on = |area: Rect| {
            dots().any(|(x, y)| {
                let (x, y) = (tenths(x), tenths(y));
                x >= area.x && x < area.right() && y >= area.y && y < area.bottom()
            })
        };
        let stray = template.restricted.iter().filter(|r| on(r.area));
        Some(Self {
            left: tenths(dots().map(|(x, _)| x).min()?),
            top: tenths(dots().map(|(_, y)| y).min()?),
            right: tenths(dots().map(|(x, _)| x).max()?.saturating_add(1)),
            bottom: tenths(dots().map(|(_, y)| y).max()?.saturating_add(1)),
            stray: stray.map(|r| r.name.clone()).collect(),
            texts,
        })
    }

    /// Its edges.
    pub fn place(&self) -> String {
        let Self {
            left,
            top,
            right,
            bottom,
            ..
        } = self;
        format!("{left},{top} to {right},{bottom}")
    }
}

impl fmt::Display for Ink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (place, stray) = (self.place(), self.stray.join(" "));
        write!(f, "ink {place}; stray {stray}; {}", self.texts.join(" | "))
    }
}

impl FromStr for Ink {
    type Err = InkError;

    fn from_str(text: &str) -> Result<Self, InkError> {
        let parse = || {
            let (edges, rest) = text.strip_prefix("ink ")?.split_once("; stray ")?;
            let (stray, texts) = rest.split_once(';')?;
            let (from, to) = edges.split_once(" to ")?;
            let (left, top) = from.split_once(',')?;
            let (right, bottom) = to.split_once(',')?;
            let texts = texts.trim().split(" | ").filter(|t| !t.is_empty());
            Some(Self {
                left: left.parse().ok()?,
                top: top.parse().ok()?,
                right: right.parse().ok()?,
                bottom: bottom.parse().ok()?,
                stray: stray.split_whitespace().map(str::to_owned).collect(),
                texts: texts.map(str::to_owned).collect(),
            })
        };
        parse().ok_or(InkError)
    }
}
