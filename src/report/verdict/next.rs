//! What to type next: the one place that names commands.

use std::io;

use crate::model::test_name;
use crate::model::verdict::{Status, Verdict};
use crate::report::Palette;
use crate::report::style::Painted;

/// A command and what it is good for.
pub(super) struct Step {
    pub(super) command: String,
    pub(super) purpose: String,
}

pub(super) fn write(out: &mut dyn io::Write, verdict: &Verdict, palette: &Palette) -> io::Result<()> {
    let steps = steps(verdict);
    if steps.is_empty() {
        return Ok(());
    }
    let width = steps.iter().map(|step| step.command.len()).max().unwrap_or_default();
    writeln!(out, "\n{}", Painted(palette.heading, "next:"))?;
    for Step { command, purpose } in &steps {
        writeln!(out, "  {}  {purpose}", Painted(palette.hint, format_args!("{command:<width$}")))?;
    }
    Ok(())
}

/// The first thing to type.
pub(super) fn first(verdict: &Verdict) -> Option<Step> {
    steps(verdict).into_iter().next()
}

/// Nothing where nothing is to be done.
fn steps(verdict: &Verdict) -> Vec<Step> {
    let Verdict { workload, file, .. } = verdict;
    let is_test = test_name::short(workload).is_some();
    let step = |command: &str, purpose: String| {
        let command = match command {
            "test" if is_test => "cargo sysguard run -- …".to_owned(),
            "bless" if is_test => "cargo sysguard run --update always -- …".to_owned(),
            command => format!("cargo sysguard {command} {workload}"),
        };
        Step { command, purpose }
    };
    let bless = |purpose: &str| step("bless", format!("{purpose}; writes {file}"));
    let again = |purpose: String| vec![step("test", purpose)];
    match &verdict.status {
        Status::Passed | Status::Blessed | Status::Ignored { .. } => Vec::new(),
        Status::Failed if verdict.comparison.is_forbidden() => {
            again(format!("once the workload no longer does it, or `forbid:` in {file} allows it"))
        }
        Status::Failed | Status::NoBaseline { .. } if is_proposed(verdict) => vec![
            step("review", "decide on it, one by one".to_owned()),
            step("accept", format!("accept all of it; writes {file}")),
            Step { command: "cargo sysguard accept KEY".to_owned(), purpose: one_key(verdict) },
            step("test", "run it again".to_owned()),
        ],
        Status::Failed => vec![bless("accept all of it"), step("test", "run it again".to_owned())],
        Status::NoBaseline { .. } => vec![bless("record the first baseline")],
        Status::WrongExit { .. } => again(format!("once it ends well, or `exit:` in {file} says how it ends")),
        Status::Malformed { .. } => again(format!("once {file} is mended")),
        Status::NotStarted { .. } => again("once it can be built and started".to_owned()),
        Status::Untraceable { .. } => again("where tracing is possible".to_owned()),
        Status::Broken { .. } if !verdict.comparison.findings.is_empty() => {
            again("once that can be written; `--pending-dir DIRECTORY` proposes elsewhere".to_owned())
        }
        Status::Broken { .. } => again("run it again".to_owned()),
    }
}

/// Whether there is a proposal to decide on.
fn is_proposed(verdict: &Verdict) -> bool {
    let written = verdict.change.as_ref().and_then(|change| change.written.as_ref());
    written.is_some_and(|written| *written != verdict.file)
}

/// A key of what was found, as an example.
fn one_key(verdict: &Verdict) -> String {
    let example = verdict.comparison.findings.first().map(|finding| finding.fact.key(&verdict.workload));
    let example = example.map(|key| format!(", such as {key}")).unwrap_or_default();
    format!("accept one{example}")
}
