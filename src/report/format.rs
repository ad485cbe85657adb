//! The formats of reports, by name. Main type: [`Format`].

use std::fmt;
use std::str::FromStr;

/// The format of a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// Aligned columns for a terminal.
    #[default]
    Table,
    /// The table of the kernel's workload-tracing guide.
    Markdown,
    /// One versioned object.
    Json,
    /// The same data as [`Format::Json`].
    Yaml,
    /// One line per use.
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

/// The format of verdicts: one of all reports, or one for tools that read test results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerdictFormat {
    /// A format that every report has.
    Report(Format),
    /// JUnit in the schema of Jenkins.
    Junit,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Workflow commands of GitHub Actions.
    Github,
    /// A Code Quality report of GitLab.
    Gitlab,
}

impl VerdictFormat {
    /// Every format, the default first.
    pub const ALL: [Self; 9] = {
        let [table, markdown, json, yaml, csv] = Format::ALL;
        [
            Self::Report(table),
            Self::Report(markdown),
            Self::Report(json),
            Self::Report(yaml),
            Self::Report(csv),
            Self::Junit,
            Self::Sarif,
            Self::Github,
            Self::Gitlab,
        ]
    };

    /// The name used on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Report(format) => format.name(),
            Self::Junit => "junit",
            Self::Sarif => "sarif",
            Self::Github => "github",
            Self::Gitlab => "gitlab",
        }
    }

    /// Returns whether it is for people at a terminal.
    pub fn is_table(self) -> bool {
        self == Self::default()
    }
}

impl Default for VerdictFormat {
    fn default() -> Self {
        Self::Report(Format::default())
    }
}

impl fmt::Display for VerdictFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for VerdictFormat {
    type Err = NotAFormat;

    fn from_str(text: &str) -> Result<Self, NotAFormat> {
        named(text, &Self::ALL, Self::name)
    }
}

/// The text is not the name of a format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not a format: use one of {}", known.join(", "))]
pub struct NotAFormat {
    given: String,
    known: Vec<&'static str>,
}

/// Returns the format of this name.
///
/// # Errors
///
/// [`NotAFormat`], which lists the names of all formats.
pub fn named<F: Copy>(text: &str, all: &[F], name: impl Fn(F) -> &'static str) -> Result<F, NotAFormat> {
    let found = all.iter().copied().find(|&format| name(format) == text);
    let known = || all.iter().map(|&format| name(format)).collect();
    found.ok_or_else(|| NotAFormat { given: text.to_owned(), known: known() })
}

impl FromStr for Format {
    type Err = NotAFormat;

    fn from_str(text: &str) -> Result<Self, NotAFormat> {
        named(text, &Self::ALL, Self::name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn format_is_found_by_name_and_error_lists_names() {
        for format in Format::ALL {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        for format in VerdictFormat::ALL {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        let error = "xml".parse::<VerdictFormat>().expect_err("no such format").to_string();
        assert!(error.ends_with("yaml, csv, junit, sarif, github, gitlab"), "{error}");
        let error = "xml".parse::<Format>().expect_err("no such format");
        assert_eq!(error.to_string(), "`xml` is not a format: use one of table, markdown, json, yaml, csv");
    }
}
