//! The next commands to run after a verdict. No other module names them.

use std::io;

use super::grouped;
use crate::model::judge::groups::Cause;
use crate::model::judge::verdict::{Asked, Status, Verdict};
use crate::model::run::test_name;
use crate::report::Palette;
use crate::report::style::Painted;
use crate::report::words::{escaped, padded};

/// A command and its purpose.
pub(super) struct Step {
    pub(super) command: String,
    pub(super) purpose: String,
}

pub(super) fn write(out: &mut dyn io::Write, verdict: &Verdict, palette: &Palette) -> io::Result<()> {
    let steps = steps(verdict);
    if steps.is_empty() {
        return Ok(());
    }
    let width = steps.iter().map(|step| step.command.chars().count()).max().unwrap_or_default();
    writeln!(out, "\n{}", Painted(palette.heading, "next:"))?;
    for Step { command, purpose } in &steps {
        let command = padded(&escaped(command), width);
        writeln!(out, "  {}  {}", Painted(palette.hint, command), escaped(purpose))?;
    }
    Ok(())
}

/// Returns the first command.
pub(super) fn first(verdict: &Verdict) -> Option<Step> {
    steps(verdict).into_iter().next()
}

/// Returns the commands; none if there is nothing to do.
fn steps(verdict: &Verdict) -> Vec<Step> {
    let Verdict { workload, file, .. } = verdict;
    let is_test = test_name::short(workload).is_some();
    let elsewhere = verdict.change.as_ref().and_then(|change| change.pending_dir.as_deref());
    let elsewhere = elsewhere.map(pending_dir_flag).unwrap_or_default();
    let step = |command: &str, purpose: String| {
        let command = match command {
            "test" if is_test => "cargo sysguard run -- …".to_owned(),
            "bless" if is_test => "cargo sysguard run --update always -- …".to_owned(),
            "bless" => format!("cargo sysguard bless {workload}"),
            command => format!("cargo sysguard {command} {workload}{elsewhere}"),
        };
        Step { command, purpose }
    };
    let bless = |purpose: &str| step("bless", format!("{purpose}; writes {file}"));
    let asked = match verdict.asked {
        Asked::Test => "test",
        Asked::Bless => "bless",
        // No subcommand runs a check, and it has no file.
        Asked::Check => return Vec::new(),
    };
    let again = |purpose: String| vec![step(asked, purpose)];
    match &verdict.status {
        Status::Passed | Status::Blessed | Status::Ignored { .. } => Vec::new(),
        Status::Failed if verdict.comparison.is_forbidden() => {
            again(format!("after the workload stops doing this, or after changing `forbid:` in {file}"))
        }
        Status::Failed | Status::NoBaseline { .. } if is_proposed(verdict) => vec![
            step("review", "decide one by one".to_owned()),
            step("accept", format!("accept everything; writes {file}")),
            one_part(verdict, &elsewhere),
            step("test", "run it again".to_owned()),
        ],
        Status::Failed => vec![bless("accept everything"), step("test", "run it again".to_owned())],
        Status::NoBaseline { .. } => vec![bless("record the first baseline")],
        Status::WrongExit { .. } => again(format!("after fixing how it ends, or setting `exit:` or `cwd:` in {file}")),
        Status::Malformed { .. } => again(format!("after fixing {file}")),
        Status::NotStarted { .. } => again("once it can be built and started".to_owned()),
        Status::Untraceable { .. } => again("where tracing is possible".to_owned()),
        Status::Broken { .. } if !verdict.comparison.findings.is_empty() => again(match verdict.asked {
            Asked::Test => "once the file can be written, or with `--pending-dir DIRECTORY`".to_owned(),
            Asked::Bless | Asked::Check => "once the file can be written".to_owned(),
        }),
        Status::Broken { .. } => again("run it again".to_owned()),
    }
}

/// Returns the flag for a folder of proposals, quoted for a shell.
pub fn pending_dir_flag(folder: &str) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || "/._-+".contains(letter);
    if folder.chars().all(is_plain) {
        format!(" --pending-dir {folder}")
    } else {
        format!(" --pending-dir '{}'", escaped(folder).replace('\'', "'\\''"))
    }
}

/// Returns whether a proposal was written.
fn is_proposed(verdict: &Verdict) -> bool {
    let written = verdict.change.as_ref().and_then(|change| change.written.as_ref());
    written.is_some_and(|written| *written != verdict.file)
}

/// Returns the command that accepts the heaviest cause, or else a single key with an example.
fn one_part(verdict: &Verdict, elsewhere: &str) -> Step {
    let groups = grouped::of(verdict);
    if let Some(group) = groups.iter().find(|group| !matches!(group.cause, Cause::Unknown { .. })) {
        let command = format!("cargo sysguard accept {}{elsewhere}", group.id());
        return Step { command, purpose: "accept one cause, in every workload".to_owned() };
    }
    let example = verdict.comparison.findings.first().map(|finding| finding.fact.key(&verdict.workload));
    let example = example.map(|key| format!(", such as {key}")).unwrap_or_default();
    let purpose = format!("accept what is below a key{example}");
    Step { command: format!("cargo sysguard accept KEY{elsewhere}"), purpose }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::verdict::samples::{failed, other_statuses, with_status};

    #[test]
    fn failed_bless_suggests_bless_again() {
        let failed = std::iter::once(failed()).chain(other_statuses().into_iter().map(with_status));
        for verdict in failed.filter(|verdict| verdict.status.is_failure()) {
            let verdict = Verdict { asked: Asked::Bless, change: None, ..verdict };
            let step = first(&verdict).expect("a next step");
            assert!(step.command.starts_with("cargo sysguard bless net::hello"), "{:?}", verdict.status);
        }
    }

    #[test]
    fn folder_is_quoted_for_a_shell() {
        for (folder, word) in
            [("/tmp/p-1/x", "/tmp/p-1/x"), ("a b", "'a b'"), ("it's;", "'it'\\''s;'"), ("$HOME", "'$HOME'")]
        {
            assert_eq!(pending_dir_flag(folder), format!(" --pending-dir {word}"));
        }
    }
}
