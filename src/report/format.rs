//! The formats of reports by name. Main type: [`Format`].

use std::fmt;
use std::str::FromStr;

/// How a report is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// Aligned columns for a terminal.
    #[default]
    Table,
    /// The table of the kernel's workload-tracing guide.
    Markdown,
    /// Versioned, one object.
    Json,
    /// The same data as [`Format::Json`].
    Yaml,
    /// One line a use.
    Csv,
}

impl Format {
    /// Every format, the default first.
    pub const ALL: [Self; 5] = [Self::Table, Self::Markdown, Self::Json, Self::Yaml, Self::Csv];

    /// The name used on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Markdown => "markdown",
            Self::Json => "json",
            Self::Yaml => "yaml",
            Self::Csv => "csv",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text names no format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not a format: use one of {}", Format::ALL.map(Format::name).join(", "))]
pub struct NotAFormat {
    given: String,
}

impl FromStr for Format {
    type Err = NotAFormat;

    fn from_str(text: &str) -> Result<Self, NotAFormat> {
        let known = Self::ALL.into_iter().find(|format| format.name() == text);
        known.ok_or_else(|| NotAFormat { given: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_found_by_its_name_and_an_error_lists_the_names() {
        for format in Format::ALL {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        let error = "xml".parse::<Format>().expect_err("no such format");
        assert_eq!(error.to_string(), "`xml` is not a format: use one of table, markdown, json, yaml, csv");
    }
}
