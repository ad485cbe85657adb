//! Verdicts as workflow commands of GitHub Actions: one annotation per workload, at the expectation
//! file in the pull request.
//!
//! GitHub shows ten errors and ten warnings per step. The heaviest are written first, and no more
//! than are shown. The step's summary lists all.

use std::io;

use super::alerts::placed;
use super::batch::{PackageVerdicts, Ranked, all};
use super::findings::drift;
use super::{headline, next};
use crate::model::facts::finding::Suspect;
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
    /// Returns error for a failure, and warning for suspects and removed facts.
    fn of(verdict: &Verdict) -> Option<Self> {
        let warns = !verdict.comparison.gone.is_empty() || !verdict.comparison.suspects.is_empty();
        if verdict.status.is_failure() { Some(Self::Error) } else { warns.then_some(Self::Warning) }
    }

    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Error => ("error", "more workload failed", "more workloads failed"),
            Self::Warning => ("warning", "more workload with a warning", "more workloads with warnings"),
        }
    }
}

pub(super) fn write(out: &mut dyn io::Write, packages: &[PackageVerdicts]) -> io::Result<()> {
    for level in [Level::Error, Level::Warning] {
        let mut listed: Vec<_> = all(packages).filter(|(_, verdict)| Level::of(verdict) == Some(level)).collect();
        listed.sort_by_key(|(_, verdict)| weight(verdict));
        let (shown, cut) = listed.split_at(listed.len().min(ANNOTATIONS));
        let (command, one, more) = level.words();
        for (package, verdict) in shown {
            annotation(out, command, package, verdict)?;
        }
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
fn annotation(out: &mut dyn io::Write, command: &str, package: &PackageVerdicts, verdict: &Verdict) -> io::Result<()> {
    let mut findings = Ranked::of(verdict);
    findings.retain(|line| line.weight < Weight::Note);
    write!(out, "::{command} file={}", property(&package.path(verdict)))?;
    // The line of the heaviest finding, or else of the baseline.
    if let Some(line) = findings.first().and_then(|first| first.finding.line).or(verdict.line) {
        write!(out, ",line={line}")?;
    }
    let title = format!("sysguard: {}", verdict.workload);
    writeln!(out, ",title={}::{}", property(&title), data(&message(verdict, &findings)))
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
        assert_eq!(text.lines().last(), Some("15 more workloads failed: see the summary"));
    }

    #[test]
    fn annotation_lists_a_limited_number_of_findings() {
        let packages = crate::report::verdict::samples::many_findings(30);
        let text = written(&packages);
        assert_eq!(text.matches("%0Anew system call: ").count(), FINDINGS);
        assert!(text.contains("%0A… 20 more findings: see the summary%0A"), "{text}");
    }
}
