//! Colours by meaning. Main type: [`Palette`].
//!
//! The caller knows whether the terminal shows colours; [`Palette::plain`] has none.

use std::fmt;

use anstyle::{AnsiColor, Style};

/// One style for each meaning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Palette {
    /// New facts and added lines.
    pub new: Style,
    /// Removed facts and removed lines.
    pub gone: Style,
    /// Expected results.
    pub same: Style,
    /// Next commands and side notes.
    pub hint: Style,
    /// Errors.
    pub error: Style,
    /// Titles.
    pub heading: Style,
}

impl Palette {
    /// Returns a palette without colours.
    pub fn plain() -> Self {
        Self::default()
    }

    /// Returns the palette for a terminal.
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

/// A value that is displayed in a style. Width and precision apply to the value alone.
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
    fn width_does_not_count_colours() {
        let bold = Palette::coloured().heading;
        assert_eq!(format!("{:>3}|", Painted(bold, "a")), "\u{1b}[1m  a\u{1b}[0m|");
        assert_eq!(format!("{:>3}|", Painted(Palette::plain().heading, "a")), "  a|");
    }
}
