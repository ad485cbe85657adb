//! Verdicts as workflow commands of GitHub Actions: one annotation per cause, at the source line in
//! the pull request, and one per workload for everything else, at its expectation file.
//!
//! GitHub shows ten errors and ten warnings per step. The heaviest are written first, and no more
//! than are shown. The step's summary lists all.

use std::collections::BTreeSet;
use std::io;

use super::alerts::placed;
use super::batch::{PackageVerdicts, Ranked, all, causes};
use super::findings::drift;
use super::{headline, next};
use crate::model::facts::finding::{Comparison, Finding, Suspect};
use crate::model::judge::groups::{Cause, Group};
use crate::model::judge::verdict::{Status, Verdict};
use crate::model::judge::weight::Weight;
use crate::report::words::{counted, escaped, len};

/// The number of annotations per level that GitHub shows for one step.
const ANNOTATIONS: usize = 10;

/// The number of findings in an annotation.
const FINDINGS: usize = 10;

/// The level of an annotation, which is also the name of its command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Error,
    Warning,
}

impl Level {
    /// Returns error for a failure, and warning for suspects and removed facts. A failure of which
    /// every cause has an annotation needs no other.
    fn of(verdict: &Verdict) -> Option<Self> {
        let Comparison { findings, gone, suspects, .. } = &verdict.comparison;
        let warns = !gone.is_empty() || !suspects.is_empty();
        let is_caused = |finding: &Finding| !matches!(Cause::of(&verdict.workload, finding), Cause::Unknown { .. });
        let is_covered = verdict.status == Status::Failed && !findings.is_empty() && findings.iter().all(is_caused);
        if verdict.status.is_failure() && !is_covered { Some(Self::Error) } else { warns.then_some(Self::Warning) }
    }

    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Error => ("error", "more error", "more errors"),
            Self::Warning => ("warning", "more warning", "more warnings"),
        }
    }
}

pub(super) fn write(out: &mut dyn io::Write, packages: &[PackageVerdicts]) -> io::Result<()> {
    for level in [Level::Error, Level::Warning] {
        let whole = all(packages).filter(|(_, verdict)| Level::of(verdict) == Some(level));
        let (command, one, more) = level.words();
        let mut listed: Vec<(Option<Weight>, String)> =
            whole.map(|(package, verdict)| (weight(verdict), annotation(command, package, verdict))).collect();
        if level == Level::Error {
            let failed = causes(packages).into_iter().filter(|group| is_annotated(group));
            listed.extend(failed.map(|group| {
                let weight = group.heaviest().map(|member| member.weight);
                (weight, caused(command, packages, &group))
            }));
        }
        listed.sort_by_key(|(weight, _)| *weight);
        let (shown, cut) = listed.split_at(listed.len().min(ANNOTATIONS));
        shown.iter().try_for_each(|(_, line)| writeln!(out, "{line}"))?;
        if !cut.is_empty() {
            writeln!(out, "{}: see the summary", counted(len(cut), one, more))?;
        }
    }
    Ok(())
}

/// Returns the weight of the heaviest finding. A workload that was not compared comes first.
fn weight(verdict: &Verdict) -> Option<Weight> {
    let heaviest = verdict.comparison.findings.iter().map(Weight::of).min();
    heaviest.filter(|_| verdict.status == Status::Failed)
}

/// `::error file=F,line=L,title=T::MESSAGE`
fn annotation(command: &str, package: &PackageVerdicts, verdict: &Verdict) -> String {
    let mut findings = Ranked::of(verdict);
    // The others have an annotation of their cause.
    findings.retain(|line| line.weight < Weight::Note && line.group().is_none());
    // The line of the heaviest finding, or else of the baseline.
    let line = findings.first().and_then(|first| first.finding.line).or(verdict.line);
    let title = format!("sysguard: {}", verdict.workload);
    placed_at(command, &package.path(verdict), line, &title, &message(verdict, &findings))
}

/// Returns whether a cause has an annotation: it is known and fails.
fn is_annotated(group: &Group<'_>) -> bool {
    !matches!(group.cause, Cause::Unknown { .. }) && group.members.iter().any(|member| member.weight < Weight::Note)
}

/// Returns the annotation of a cause, at its source line or else at the first expectation.
fn caused(command: &str, packages: &[PackageVerdicts], group: &Group<'_>) -> String {
    let place = all(packages).find_map(|(package, verdict)| {
        let members = group.members.iter().filter(|member| member.workload == verdict.workload);
        let finding = members.map(|member| member.finding).next()?;
        let expectation = || (package.path(verdict), finding.line.or(verdict.line));
        Some(package.source(finding).map_or_else(expectation, |source| (source.path, Some(source.line))))
    });
    let (path, line) = place.unwrap_or_default();
    let title = format!("sysguard: {}", group.place());
    placed_at(command, &path, line, &title, &message_of_cause(packages, group))
}

/// Returns the text of a cause: what is new, its first calls, where, and the next command.
fn message_of_cause(packages: &[PackageVerdicts], group: &Group<'_>) -> String {
    let mut lines = vec![format!("{}{}", group.outline(), group.in_workloads())];
    let mut seen = BTreeSet::new();
    let members = || group.members.iter().filter(|member| member.weight < Weight::Note);
    let mut shown = None;
    for member in members().filter(|member| seen.insert(&member.finding.fact)).take(FINDINGS) {
        let key = member.finding.fact.key(member.workload);
        let example = member.finding.example.as_ref().filter(|example| shown != Some(*example));
        shown = member.finding.example.as_ref();
        let example = example.map(|example| format!(": {}", example.call)).unwrap_or_default();
        let reasons = [&member.finding.forbidden, &member.finding.cause];
        let reasons: Vec<String> = reasons.into_iter().flatten().map(|reason| format!(" ({reason})")).collect();
        lines.push(format!("{} {key}{}{example}", member.finding.rule(), reasons.join("")));
    }
    let more = group.facts().len().saturating_sub(FINDINGS);
    if more > 0 {
        lines.push(format!("… {}: see the summary", counted(more as u64, "more finding", "more findings")));
    }
    let first = group.heaviest().map(|member| member.finding);
    let process = first.and_then(|finding| finding.example.as_ref()).filter(|example| !example.process.is_empty());
    lines.extend(process.map(|example| format!("in: {}", example.origin())));
    lines.extend(group.site().map(|site| format!("by {site}")));
    let verdict =
        all(packages).map(|(_, verdict)| verdict).find(|verdict| group.workloads().contains(&*verdict.workload));
    lines.extend(verdict.and_then(drift).map(|drift| format!("changed since the baseline was recorded: {drift}")));
    lines.push(format!("next: cargo sysguard test, then cargo sysguard accept {}", group.id()));
    lines.iter().map(|line| escaped(line)).collect::<Vec<_>>().join("\n")
}

/// `::error file=F,line=L,title=T::MESSAGE`
pub(in crate::report) fn placed_at(
    command: &str,
    path: &str,
    line: Option<usize>,
    title: &str,
    message: &str,
) -> String {
    let line = line.map(|line| format!(",line={line}")).unwrap_or_default();
    format!("::{command} file={}{line},title={}::{}", property(path), property(title), data(message))
}

fn message(verdict: &Verdict, findings: &[Ranked<'_>]) -> String {
    let (shown, cut) = findings.split_at(findings.len().min(FINDINGS));
    let mut lines = vec![headline(verdict)];
    for (at, line) in shown.iter().enumerate() {
        let reasons: Vec<String> = line.reasons().collect();
        let reasons = if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join("; ")) };
        lines.push(format!("{}: {}{reasons}", line.kind().0, line.key()));
        // Consecutive findings with the same first call or call site show it once.
        let next = shown.get(at + 1).and_then(Ranked::example);
        lines.extend(line.example().filter(|example| next != Some(*example)).map(placed));
        let next = shown.get(at + 1).and_then(Ranked::site);
        lines.extend(line.site().filter(|site| next != Some(*site)).map(|site| format!("by {site}")));
    }
    if !cut.is_empty() {
        lines.push(format!("… {}: see the summary", counted(len(cut), "more finding", "more findings")));
    }
    lines.extend(drift(verdict).map(|drift| format!("changed since the baseline was recorded: {drift}")));
    let suspects = verdict.comparison.suspects.iter().take(FINDINGS);
    lines.extend(suspects.map(|Suspect { finding, seen, runs }| {
        format!("suspect, in {seen} of {runs} runs: {}", finding.fact.key(&verdict.workload))
    }));
    let gone = verdict.comparison.gone.iter().take(FINDINGS);
    lines.extend(gone.map(|fact| format!("not seen: {}", fact.key(&verdict.workload))));
    lines.extend(next::first(verdict).map(|step| format!("next: {} ({})", step.command, step.purpose)));
    lines.iter().map(|line| escaped(line)).collect::<Vec<_>>().join("\n")
}

/// Escapes the text of a command, which ends with the line.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes the value of a property, which ends with a comma or a colon.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::verdict::samples::{failed, packages};

    fn written(packages: &[PackageVerdicts]) -> String {
        let mut out = Vec::new();
        write(&mut out, packages).expect("memory takes everything");
        String::from_utf8(out).expect("annotations are text")
    }

    #[test]
    fn each_workload_is_an_annotation() {
        insta::assert_snapshot!(written(&packages()), @r"
        ::error file=crates/demo net/expectations/other/no-baseline.yaml,line=5,title=sysguard%3A other%3A%3Ano-baseline::no baseline for x86_64-linux-gnu yet%0Anext: cargo sysguard bless other::no-baseline (record the first baseline; writes expectations/other/no-baseline.yaml)
        ::error file=crates/demo net/expectations/other/wrong-exit.yaml,line=5,title=sysguard%3A other%3A%3Awrong-exit::ended with signal SIGSEGV, expected exit status 0%0Anext: cargo sysguard test other::wrong-exit (after fixing how it ends, or setting `exit:` or `cwd:` in expectations/other/wrong-exit.yaml)
        ::error file=crates/demo net/expectations/other/malformed.yaml,line=5,title=sysguard%3A other%3A%3Amalformed::malformed expectation, expectations/net/hello.yaml:3:1: unknown key `comand`%0Anext: cargo sysguard test other::malformed (after fixing expectations/other/malformed.yaml)
        ::error file=crates/demo net/expectations/other/not-started.yaml,line=5,title=sysguard%3A other%3A%3Anot-started::not started, because%0Anext: cargo sysguard test other::not-started (once it can be built and started)
        ::error file=crates/demo net/expectations/other/untraceable.yaml,line=5,title=sysguard%3A other%3A%3Auntraceable::not traced, because%0Anext: cargo sysguard test other::untraceable (where tracing is possible)
        ::error file=crates/demo net/expectations/other/broken.yaml,line=5,title=sysguard%3A other%3A%3Abroken::no verdict, because%0Anext: cargo sysguard test other::broken (run it again)
        ::error file=crates/demo net/expectations/offline.yaml,line=5,title=sysguard%3A offline::1 forbidden use%0Aforbidden use: offline::network%0Anext: cargo sysguard test offline (after the workload stops doing this, or after changing `forbid:` in expectations/offline.yaml)
        ::error file=expectations/net/hello.yaml,line=5,title=sysguard%3A net%3A%3Ahello::1 new subsystem, 1 new blind spot, 2 new system calls, 1 new object%0Anew subsystem: net::hello::network%0Anew blind spot: net::hello::blind_spots::io_uring%0Anew system call: net::hello::network::connect%0Anew system call: net::hello::network::socket%0Anew object: net::hello::filesystem::close::object=dir%0Anot seen: net::hello::filesystem::readlink%0Anext: cargo sysguard review net::hello (decide one by one)
        ::error file=expectations/debugger.yaml,line=10,title=sysguard%3A debugger::2 new system calls%0Aprivileged call: debugger::process::ptrace (reads or changes another process)%0Anew system call: debugger::process::getpid%0Anext: cargo sysguard review debugger (decide one by one)
        ::warning file=expectations/gone.yaml,line=5,title=sysguard%3A gone::as expected (1 gone)%0Anot seen: gone::filesystem::readlink
        ");
    }

    #[test]
    fn value_terminators_are_escaped() {
        for (text, as_data, as_property) in [
            ("100%", "100%25", "100%25"),
            ("a\r\nb", "a%0D%0Ab", "a%0D%0Ab"),
            ("a::b,c", "a::b,c", "a%3A%3Ab%2Cc"),
            ("%0A", "%250A", "%250A"),
        ] {
            assert_eq!((data(text).as_str(), property(text).as_str()), (as_data, as_property));
        }
    }

    #[test]
    fn annotations_are_limited_to_what_github_shows() {
        let mut packages = packages();
        let failures = (0..25).map(|number| Verdict { workload: format!("w{number}"), ..failed() });
        packages.truncate(1);
        packages[0].verdicts = failures.collect();
        let text = written(&packages);
        assert_eq!(text.lines().filter(|line| line.starts_with("::error ")).count(), ANNOTATIONS);
        assert_eq!(text.lines().last(), Some("15 more errors: see the summary"));
    }

    #[test]
    fn annotation_lists_a_limited_number_of_findings() {
        let packages = crate::report::verdict::samples::many_findings(30);
        let text = written(&packages);
        assert_eq!(text.matches("%0Anew system call: ").count(), FINDINGS);
        assert!(text.contains("%0A… 20 more findings: see the summary%0A"), "{text}");
    }
}
