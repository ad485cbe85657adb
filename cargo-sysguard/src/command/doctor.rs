//! `cargo sysguard doctor`: checks whether workloads can be traced here. Main type: [`Options`].
//!
//! It prints the state of each prerequisite of tracing and sampling with a remedy, then versions of
//! tools.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use sysguard::unstable::linux::probe;
use sysguard::unstable::model::run::tools::{MissingProgram, Tool, Tools};
use sysguard::unstable::model::trace::prerequisite::{Prerequisite, PrerequisiteState, can_trace};
use sysguard::unstable::report::{self, Gates};

use crate::command::profile::rights;
use crate::context::Context;
use crate::exit_code::{Failure, Outcome};
use crate::{output, tools};

/// `doctor`'s options.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 if workloads can be traced here; 4 if not; 2 wrong usage.")]
pub(crate) struct Options {
    /// Write the result in this format: table or json
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t, hide_possible_values = true)]
    format: DoctorFormat,
    /// List the versions of tools, and programs that workloads need and this system lacks
    #[arg(long)]
    tools: bool,
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
        let tracing = probe(&context.raw.rustflags());
        let sampling = rights();
        let tools = self.tools.then(|| tools::find(context));
        let found = Gates { tracing: &tracing, sampling: &sampling, tools: tools.as_ref() };
        let mut out = output::stdout();
        match self.format {
            DoctorFormat::Table => write(&mut out, &found),
            DoctorFormat::Json => report::gates(&mut out, &found),
        }
        .map_err(Failure::output)?;
        Ok(if can_trace(&tracing) { Outcome::Expected } else { Outcome::Untraceable })
    }
}

fn write(out: &mut dyn Write, found: &Gates<'_>) -> io::Result<()> {
    write_all(out, found.tracing, 10)?;
    let verdict = if can_trace(found.tracing) {
        "Workloads can be traced here."
    } else {
        "Workloads cannot be traced here. Apply a fix from above, then run `cargo sysguard doctor` again."
    };
    writeln!(out, "\n{verdict}\n\nFor `cargo sysguard profile`, and for BPF:\n")?;
    write_all(out, found.sampling, 19)?;
    found.tools.map_or(Ok(()), |tools| write_tools(out, tools))
}

/// Writes prerequisites, with names of at most `width` columns.
fn write_all(out: &mut dyn Write, prerequisites: &[Prerequisite], width: usize) -> io::Result<()> {
    for Prerequisite { name, state, found, remedies } in prerequisites {
        let (word, style) = shown(*state);
        writeln!(out, "{style}{word:>8}{style:#}  {name:<width$}  {found}")?;
        for remedy in remedies {
            writeln!(out, "{:indent$}{}: {}", "", remedy.place, remedy.paste, indent = width + 12)?;
        }
    }
    Ok(())
}

fn write_tools(out: &mut dyn Write, tools: &Tools) -> io::Result<()> {
    writeln!(out, "\nTools:\n")?;
    for Tool { name, version } in &tools.tools {
        writeln!(out, "  {name:<17}  {}", version.as_deref().unwrap_or("not found"))?;
    }
    if tools.missing.is_empty() {
        return writeln!(out, "\nNo program that a workload needs is missing.");
    }
    writeln!(out, "\nMissing programs:\n")?;
    for MissingProgram { program, workloads, package } in &tools.missing {
        let package = package.as_ref().map_or("package unknown".to_owned(), |package| format!("Debian: {package}"));
        writeln!(out, "  {program:<17}  {package}  ({})", workloads.join(", "))?;
    }
    Ok(())
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
    use sysguard::unstable::model::trace::prerequisite::Remedy;

    use super::*;

    fn printed(prerequisites: &[Prerequisite]) -> String {
        let mut text = anstream::StripStream::new(Vec::new());
        let found = Gates { tracing: prerequisites, sampling: &[], tools: None };
        write(&mut text, &found).expect("a vector takes everything");
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

        For `cargo sysguard profile`, and for BPF:
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

        For `cargo sysguard profile`, and for BPF:
        ");
        assert!(can_trace(&[met]) && !can_trace(&[refused]));
    }

    #[test]
    fn tools_follow_the_rights() {
        let tools = Tools {
            tools: vec![Tool { name: "strace", version: Some("6.1".to_owned()) }, Tool { name: "PPP", version: None }],
            missing: vec![
                MissingProgram {
                    program: "redis-benchmark".to_owned(),
                    workloads: vec!["redis".to_owned(), "redis-long".to_owned()],
                    package: Some("redis-tools".to_owned()),
                },
                MissingProgram { program: "own-tool".to_owned(), workloads: vec!["own".to_owned()], package: None },
            ],
        };
        let mut text = Vec::new();
        write_tools(&mut text, &tools).expect("a vector takes everything");
        insta::assert_snapshot!(String::from_utf8(text).expect("text"), @r"

        Tools:

          strace             6.1
          PPP                not found

        Missing programs:

          redis-benchmark    Debian: redis-tools  (redis, redis-long)
          own-tool           package unknown  (own)
        ");
    }
}
