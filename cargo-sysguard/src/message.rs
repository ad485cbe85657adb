//! Messages for standard error, in cargo's form. Main functions: [`error`] and [`warning`].

use anstyle::{AnsiColor, Style};
use sysguard::unstable::model::text::escape;

/// Returns the message with the label `error:`.
pub(crate) fn error(message: &str) -> String {
    labelled("error", AnsiColor::Red.on_default().bold(), message)
}

/// Returns the message with the label `warning:`.
pub(crate) fn warning(message: &str) -> String {
    labelled("warning", AnsiColor::Yellow.on_default().bold(), message)
}

/// Returns `; did you mean A, B or C?`, or nothing without near names.
pub(crate) fn did_you_mean(near: &[String]) -> Option<String> {
    match near {
        [] => None,
        [one] => Some(format!("; did you mean {one}?")),
        [some @ .., last] => Some(format!("; did you mean {} or {last}?", some.join(", "))),
    }
}

fn labelled(label: &str, style: Style, message: &str) -> String {
    format!("{style}{label}{style:#}: {}", escape::message(message))
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
