//! Messages for standard error, in cargo's form. Main functions: [`error`] and [`warning`].

use std::fmt;

use anstyle::{AnsiColor, Style};
use sysguard::model::text::escape;

/// Returns the message with the label `error:`.
pub(crate) fn error(message: &str) -> impl fmt::Display + '_ {
    labelled("error", AnsiColor::Red.on_default().bold(), message)
}

/// Returns the message with the label `warning:`.
pub(crate) fn warning(message: &str) -> impl fmt::Display + '_ {
    labelled("warning", AnsiColor::Yellow.on_default().bold(), message)
}

fn labelled<'a>(label: &'a str, style: Style, message: &'a str) -> impl fmt::Display + 'a {
    fmt::from_fn(move |f| write!(f, "{style}{label}{style:#}: {}", escape::message(message)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_and_warnings_are_escaped() {
        const MESSAGE: &str = "a\u{7}\n::error::b";
        for shown in [error(MESSAGE).to_string(), warning(MESSAGE).to_string()] {
            assert!(shown.ends_with(": a\\u{7}\n:\\x3aerror::b"), "{shown:?}");
        }
    }
}
