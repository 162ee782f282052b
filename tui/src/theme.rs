//! Styles by role: what a style means, in one place.
//!
//! Colour never carries meaning alone: every status also has a word. Only the 16
//! console colours are used. Snapshots name these roles, so a changed palette
//! does not change a play and a changed meaning does.

use ratatui::style::{Color, Modifier, Style};

/// A role of text on a screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Title bar.
    Title,
    /// What has the focus.
    Focus,
    /// A number a person compares or pays: amounts, bill numbers, codes.
    Figure,
    /// Something to do now.
    Action,
    /// Something went wrong.
    Danger,
    /// Something went well.
    Good,
    /// Key hints and side remarks.
    Hint,
}

impl Role {
    /// Every role with its name in snapshots.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::Title, "title"),
        (Self::Focus, "focus"),
        (Self::Figure, "figure"),
        (Self::Action, "action"),
        (Self::Danger, "danger"),
        (Self::Good, "good"),
        (Self::Hint, "hint"),
    ];

    /// The style on the default palette.
    pub const fn style(self) -> Style {
        match self {
            Self::Title => Style::new()
                .fg(Color::White)
                .bg(Color::Blue)
                .add_modifier(Modifier::BOLD),
            Self::Focus => Style::new().add_modifier(Modifier::REVERSED),
            Self::Figure => Style::new()
                .fg(Color::LightYellow)
                .add_modifier(Modifier::BOLD),
            Self::Action => Style::new()
                .fg(Color::LightCyan)
                .add_modifier(Modifier::BOLD),
            Self::Danger => Style::new()
                .fg(Color::LightRed)
                .add_modifier(Modifier::BOLD),
            Self::Good => Style::new().fg(Color::LightGreen),
            Self::Hint => Style::new().fg(Color::Gray),
        }
    }

    /// The name of the role a drawn style has; `None` for plain text.
    pub fn name_of(style: Style) -> Option<&'static str> {
        let shown = (
            style.fg.unwrap_or(Color::Reset),
            style.bg.unwrap_or(Color::Reset),
            style.add_modifier,
        );
        if shown == (Color::Reset, Color::Reset, Modifier::empty()) {
            return None;
        }
        let same = |role: Self| {
            let s = role.style();
            (
                s.fg.unwrap_or(Color::Reset),
                s.bg.unwrap_or(Color::Reset),
                s.add_modifier,
            ) == shown
        };
        Some(
            Self::ALL
                .iter()
                .find(|(role, _)| same(*role))
                .map_or("mixed", |(_, name)| name),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_has_a_style_of_its_own() {
        for (role, name) in Role::ALL {
            assert_eq!(Role::name_of(role.style()), Some(name));
        }
        assert_eq!(Role::name_of(Style::new()), None);
    }
}
