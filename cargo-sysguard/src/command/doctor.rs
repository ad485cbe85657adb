//! `cargo sysguard doctor`: checks whether workloads can be traced here. Main type: [`Options`].
//!
//! It prints the state of each prerequisite of tracing, with a command that meets it.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use sysguard::linux::probe;
use sysguard::model::trace::prerequisite::{Prerequisite, PrerequisiteState, can_trace};
use sysguard::report;

use crate::context::Context;
use crate::exit_code::{Failure, Outcome};
use crate::output;

/// `doctor`'s options.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 if workloads can be traced here; 4 if not; 2 wrong usage.")]
pub(crate) struct Options {
    /// Write the result in this format: table or json
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t, hide_possible_values = true)]
    format: DoctorFormat,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum DoctorFormat {
    #[default]
    Table,
    Json,
}

impl Options {
    /// Probes the prerequisites and prints the result.
    pub(crate) fn exec(self, context: &Context) -> Result<Outcome, Failure> {
        let prerequisites = probe(&context.given.rustflags());
        let mut out = output::stdout();
        match self.format {
            DoctorFormat::Table => write(&mut out, &prerequisites),
            DoctorFormat::Json => report::gates(&mut out, &prerequisites),
        }
        .map_err(Failure::output)?;
        Ok(if can_trace(&prerequisites) { Outcome::Expected } else { Outcome::Untraceable })
    }
}

fn write(out: &mut dyn Write, prerequisites: &[Prerequisite]) -> io::Result<()> {
    for Prerequisite { name, state, found, remedies } in prerequisites {
        let (word, style) = shown(*state);
        writeln!(out, "{style}{word:>8}{style:#}  {name:<10}  {found}")?;
        for remedy in remedies {
            writeln!(out, "{:22}{}: {}", "", remedy.place, remedy.paste)?;
        }
    }
    let verdict = if can_trace(prerequisites) {
        "Workloads can be traced here."
    } else {
        "Workloads cannot be traced here. Apply a fix from above, then run `cargo sysguard doctor` again."
    };
    writeln!(out, "\n{verdict}")
}

fn shown(state: PrerequisiteState) -> (&'static str, Style) {
    match state {
        PrerequisiteState::Met => ("ok", AnsiColor::Green.on_default()),
        PrerequisiteState::Suspect => ("suspect", AnsiColor::Yellow.on_default().bold()),
        PrerequisiteState::Unmet => ("blocked", AnsiColor::Red.on_default().bold()),
    }
}

#[cfg(test)]
mod tests {
    use sysguard::model::trace::prerequisite::Remedy;

    use super::*;

    fn printed(prerequisites: &[Prerequisite]) -> String {
        let mut text = anstream::StripStream::new(Vec::new());
        write(&mut text, prerequisites).expect("a vector takes everything");
        String::from_utf8(text.into_inner()).expect("text")
    }

    #[test]
    fn each_prerequisite_is_printed_with_its_remedies() {
        let prerequisite =
            |name, state, found: &str, remedies| Prerequisite { name, state, found: found.to_owned(), remedies };
        let met = prerequisite("ptrace", PrerequisiteState::Met, "a child was started and traced", vec![]);
        insta::assert_snapshot!(printed(std::slice::from_ref(&met)), @r"
              ok  ptrace      a child was started and traced

        Workloads can be traced here.
        ");
        let refused = prerequisite("ptrace", PrerequisiteState::Unmet, "PTRACE_SEIZE is refused", vec![]);
        let remedy = Remedy { place: "Docker", paste: "docker run --cap-add=SYS_PTRACE …" };
        let filter =
            prerequisite("seccomp", PrerequisiteState::Suspect, "a seccomp filter answers ptrace", vec![remedy]);
        insta::assert_snapshot!(printed(&[refused.clone(), filter]), @r"
         blocked  ptrace      PTRACE_SEIZE is refused
         suspect  seccomp     a seccomp filter answers ptrace
                              Docker: docker run --cap-add=SYS_PTRACE …

        Workloads cannot be traced here. Apply a fix from above, then run `cargo sysguard doctor` again.
        ");
        assert!(can_trace(&[met]) && !can_trace(&[refused]));
    }
}
