//! Colours by meaning. Main type: [`Palette`].
//!
//! Whether the reader's terminal shows colours is the caller's knowledge: [`Palette::plain`] writes
//! none.

use std::fmt;

use anstyle::{AnsiColor, Style};

/// One style for each meaning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Palette {
    /// Newly used, and added lines.
    pub new: Style,
    /// No longer used, and removed lines.
    pub gone: Style,
    /// As expected.
    pub same: Style,
    /// What to do next, and what is said in passing.
    pub hint: Style,
    /// What went wrong.
    pub error: Style,
    /// Titles.
    pub heading: Style,
}

impl Palette {
    /// No colours at all.
    pub fn plain() -> Self {
        Self::default()
    }

    /// For a terminal.
    pub fn coloured() -> Self {
        Self {
            new: AnsiColor::Green.on_default(),
            gone: AnsiColor::Red.on_default(),
            same: AnsiColor::Green.on_default(),
            hint: AnsiColor::Cyan.on_default(),
            error: AnsiColor::Red.on_default().bold(),
            heading: Style::new().bold(),
        }
    }
}

/// A value that is displayed in a style; width and precision apply to the value alone.
pub(super) struct Painted<T>(pub(super) Style, pub(super) T);

impl<T: fmt::Display> fmt::Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(style, value) = self;
        write!(f, "{style}")?;
        value.fmt(f)?;
        write!(f, "{style:#}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_never_part_of_a_width() {
        let bold = Palette::coloured().heading;
        assert_eq!(format!("{:>3}|", Painted(bold, "a")), "\u{1b}[1m  a\u{1b}[0m|");
        assert_eq!(format!("{:>3}|", Painted(Palette::plain().heading, "a")), "  a|");
    }
}
