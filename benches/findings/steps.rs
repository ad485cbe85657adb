//! The steps from an observation to its reports, each timed separately. Main type: [`Step`].

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::hint::black_box;
use std::io::{self, Write};
use std::time::Duration;

use sysguard::unstable::model::expectation::format::{read, with_remarks};
use sysguard::unstable::model::expectation::{
    Baseline, FirstCallFilter, Parsed, Projection, Recorded, Remarks, Unseen, Version, amend, project, record,
};
use sysguard::unstable::model::explain::Kernel;
use sysguard::unstable::model::facts::fact::Fact;
use sysguard::unstable::model::facts::finding::Comparison;
use sysguard::unstable::model::facts::fingerprint::Fingerprint;
use sysguard::unstable::model::guard::{Guard, Inherited};
use sysguard::unstable::model::judge::causes::explain;
use sysguard::unstable::model::judge::compare::compare;
use sysguard::unstable::model::judge::confirm::Sightings;
use sysguard::unstable::model::judge::pending::Pending;
use sysguard::unstable::model::judge::revisions::{ExpectationDiff, difference};
use sysguard::unstable::model::judge::verdict::{Asked, Change, Status, Verdict};
use sysguard::unstable::model::observe::observation::{Engine, First, Observation, ObservedRun};
use sysguard::unstable::model::run::platform::Platform;
use sysguard::unstable::model::run::recording::Growth;
use sysguard::unstable::model::run::workload::Exit;
use sysguard::unstable::model::taxonomy::Taxonomy;
use sysguard::unstable::report::evidence::{Evidence, EvidenceFormat, evidence};
use sysguard::unstable::report::revisions::Base;
use sysguard::unstable::report::{Format, PackageVerdicts, Palette, PendingKeys, VerdictFormat};
use sysguard::unstable::{report, report::revisions};

use crate::shapes::{Shape, part};

/// A step, its time, and its result if that was asked for.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) elapsed: Duration,
    pub(crate) text: String,
}

/// Measures the time of each step.
struct Steps {
    writes: bool,
    done: Vec<Step>,
}

impl Steps {
    fn take<T: Debug>(&mut self, name: &'static str, step: impl FnOnce() -> T) -> T {
        let begun = now();
        let made = black_box(step());
        let elapsed = now() - begun;
        let text = if self.writes { format!("{made:#?}\n") } else { String::new() };
        self.done.push(Step { name, elapsed, text });
        made
    }

    fn report(&mut self, name: &'static str, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        let begun = now();
        let mut bytes = Vec::new();
        write(&mut bytes).expect("memory takes everything");
        let elapsed = now() - begun;
        self.done.push(Step { name, elapsed, text: String::from_utf8_lossy(&bytes).into_owned() });
    }
}

/// Processor time of this thread, without other programs of the machine.
#[cfg(target_os = "linux")]
fn now() -> Duration {
    use nix::time::{ClockId, clock_gettime};

    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("every Linux has it").into()
}

#[cfg(not(target_os = "linux"))]
fn now() -> Duration {
    std::time::UNIX_EPOCH.elapsed().unwrap_or_default()
}

/// The input of every step.
struct Ground {
    parsed: Parsed,
    platform: Platform,
    seen: Observation,
    /// Half of the facts that are seen.
    held: Baseline,
}

/// Takes an observation of this many facts through all steps.
pub(crate) fn all(shape: Shape, facts: usize, writes: bool) -> Vec<Step> {
    let mut steps = Steps { writes, done: Vec::new() };
    let parsed = read(b"version: 2\nbin: demo\n").expect("a good text");
    let platform: Platform = "x86_64-linux-gnu".parse().expect("a platform");
    let seen = shape.observation(facts);
    let projected =
        project(&part(&seen, |place| place % 2 == 0), &parsed.expectation.document, &platform, Version::LATEST);
    let held = record(None, &recorded(&platform, &[&projected]), Unseen::Keep);
    let ground = Ground { parsed, platform, seen, held };
    let (projection, comparison) = judge(&mut steps, &ground);
    let pending = propose(&mut steps, &ground, &projection, &comparison);
    review(&mut steps, &pending);
    watch(&mut steps, &ground);
    reports(&mut steps, &ground, &comparison, &pending);
    steps.done
}

fn recorded(platform: &Platform, runs: &[&Projection]) -> Recorded {
    let runs = runs.iter().map(|run| run.facts.keys().cloned().collect()).collect();
    Recorded { platform: platform.clone(), fingerprint: Fingerprint::default(), never_quiet: false, runs }
}

fn judge(steps: &mut Steps, Ground { parsed, platform, seen, held }: &Ground) -> (Projection, Comparison) {
    let document = &parsed.expectation.document;
    let projection = steps.take("project", || project(seen, document, platform, Version::LATEST));
    steps.take("compare, no baseline", || compare(document, None, &projection, seen));
    let comparison = steps.take("compare, half held", || compare(document, Some(held), &projection, seen));
    let all = record(None, &recorded(platform, &[&projection]), Unseen::Keep);
    let none = Projection::default();
    steps.take("compare, all gone", || compare(document, Some(&all), &none, &Observation::new()));
    let rare = project(&part(seen, |place| place % 4 != 1), document, platform, Version::LATEST);
    let comparison = steps.take("confirm", || {
        let mut sightings = Sightings::default();
        for run in [&projection, &projection, &rare] {
            sightings.add(run.clone());
        }
        black_box(sightings.can_confirm(&comparison));
        let reported = sightings.with_calls_of_one_run(comparison.clone());
        sightings.sort(explain(reported, &held.fingerprint, &held.fingerprint))
    });
    (projection, comparison)
}

fn propose(steps: &mut Steps, ground: &Ground, projection: &Projection, comparison: &Comparison) -> Pending {
    let Ground { parsed, platform, seen, held } = ground;
    let document = &parsed.expectation.document;
    let runs = recorded(platform, &[projection, projection]);
    steps.take("record", || record(Some(held), &runs, Unseen::Prune));
    steps.take("growth of a recording", || Growth::of(&runs.runs));
    let proposed = steps.take("amend", || amend(held, &runs, &comparison.suspects));
    let remarks = steps.take("remarks", || {
        let difference = difference(document, Some(held), &proposed);
        Remarks::of(document, &difference, comparison, seen, &projection.refused)
    });
    let file = read(parsed.with(held.clone()).as_bytes()).expect("a good text");
    let text = steps.take("write a proposal", || with_remarks(file.with(proposed), &remarks));
    let proposal = steps.take("read a proposal", || read(text.as_bytes()).expect("a good text"));
    let pending = steps.take("compare a proposal", || Pending::between(file, &proposal));
    match pending {
        Ok(Some(pending)) => {
            // The result, without its storage layout.
            steps.done.iter_mut().rev().take(1).for_each(|step| step.text = format!("{:#?}", pending.all()));
            pending
        }
        other => panic!("half of what is seen is pending: {other:?}"),
    }
}

fn review(steps: &mut Steps, pending: &Pending) {
    let findings = steps.take("findings of a proposal", || pending.findings());
    steps.take("what each finding takes", || -> Vec<BTreeSet<Fact>> {
        findings.iter().map(|finding| pending.under(&finding.fact)).collect()
    });
    steps.take("accept all", || pending.accept(pending.all(), Some("why")));
    let some: BTreeSet<Fact> = pending.all().iter().step_by(2).cloned().collect();
    steps.take("accept half", || pending.accept(&some, None));
    steps.take("reject half", || pending.reject(&some));
}

fn watch(steps: &mut Steps, Ground { parsed, platform, seen, held }: &Ground) {
    let document = &parsed.expectation.document;
    steps.take("guard", || Guard::new(document, held, platform, &Inherited::new()).is_ok());
    let firsts = seen.uses.keys().map(|used| First { used: used.clone(), phase: None, of_run: true, error: None });
    let firsts: Vec<First> = firsts.collect();
    steps.take("first calls that are new", || {
        let filter = FirstCallFilter::new(document, held, platform);
        firsts.iter().filter(|first| filter.selects(first)).count()
    });
    steps.take("merge runs", || {
        let mut all = seen.clone();
        all.merge(seen.clone());
        all
    });
}

fn reports(steps: &mut Steps, ground: &Ground, comparison: &Comparison, pending: &Pending) {
    let verdict = verdict(comparison, pending);
    let plain = Palette::plain();
    steps.report("verdict", |out| report::verdict(out, &verdict, &plain));
    steps.report("verdict as a line", |out| report::write_json_line(out, "demo", &verdict));
    let line = steps.done.last().map(|step| step.text.clone()).unwrap_or_default();
    steps.take("read a verdict's line", || report::read_json_line(&line).expect("a verdict's line"));
    let packages = [PackageVerdicts {
        name: "demo".to_owned(),
        folder: String::new(),
        verdicts: vec![verdict],
        ..PackageVerdicts::default()
    }];
    for format in VerdictFormat::ALL {
        steps.report(verdict_step(format), |out| report::verdicts(out, "test", &packages, format));
    }
    steps.report("pending as JSON", |out| {
        let keys = PendingKeys::new("demo", "demo.yaml".to_owned(), pending);
        keys.keys.iter().for_each(|key| drop(black_box(keys.remark(key))));
        report::pending(out, &[keys])
    });
    observations(steps, ground);
    revisions(steps, ground, pending);
}

fn verdict(comparison: &Comparison, pending: &Pending) -> Verdict {
    let before = pending.file().text();
    let after = pending.accept(pending.all(), None).file;
    Verdict {
        workload: "demo".to_owned(),
        file: "expectations/demo.yaml".to_owned(),
        line: None,
        status: Status::Failed,
        comparison: comparison.clone(),
        growth: Growth::default(),
        change: Some(Change { before, after, ..Change::default() }),
        elapsed: Duration::ZERO,
        asked: Asked::Test,
    }
}

fn observations(steps: &mut Steps, Ground { platform, seen, .. }: &Ground) {
    let recording = ObservedRun {
        workload: None,
        command: vec!["demo".to_owned()],
        platform: platform.clone(),
        kernel: "6.18".to_owned(),
        engine: Engine::Ptrace,
        exit: Exit::Exited(0),
        killed_stragglers: 0,
        times: None,
        observation: seen.clone(),
    };
    let (taxonomy, plain) = (Taxonomy::default(), Palette::plain());
    for format in Format::ALL {
        steps.report(observation_step(format), |out| report::observation(out, &recording, format, &taxonomy, &plain));
    }
}

fn revisions(steps: &mut Steps, Ground { parsed, .. }: &Ground, pending: &Pending) {
    let before = &pending.file().expectation;
    let accepted = read(pending.accept(pending.all(), None).file.as_bytes()).expect("a good text");
    let diffs = steps.take("compare revisions", || -> Vec<ExpectationDiff> {
        let there = ExpectationDiff::between("demo", "demo.yaml", Some(before), Some(&accepted.expectation));
        let back =
            ExpectationDiff::between("demo", "demo.yaml", Some(&accepted.expectation), Some(&parsed.expectation));
        there.into_iter().chain(back).collect()
    });
    let base = Base { revision: "main", traced: false, untraced: 0 };
    steps.report("revisions as text", |out| revisions::text(out, base, &diffs, &[], &Palette::plain()));
    steps.report("revisions as Markdown", |out| revisions::markdown(out, base, &diffs, &[]));
    steps.report("revisions as JSON", |out| revisions::json(out, base, &diffs, &[]));
    let expectation = &accepted.expectation;
    let workloads = [Evidence { workload: "demo", file: "demo.yaml", expectation, profile: None, reach: None }];
    let (kernel, taxonomy) = (Kernel::of_tables(), Taxonomy::default());
    for (name, format) in [
        ("evidence as JSON", EvidenceFormat::Json),
        ("evidence as Markdown", EvidenceFormat::Markdown),
        ("evidence as HTML", EvidenceFormat::Html),
    ] {
        steps.report(name, |out| evidence(out, &workloads, &kernel, &taxonomy, format));
    }
}

fn verdict_step(format: VerdictFormat) -> &'static str {
    match format {
        VerdictFormat::Report(Format::Table) => "verdicts as table",
        VerdictFormat::Report(Format::Markdown) => "verdicts as Markdown",
        VerdictFormat::Report(Format::Json) => "verdicts as JSON",
        VerdictFormat::Report(Format::Yaml) => "verdicts as YAML",
        VerdictFormat::Report(Format::Csv) => "verdicts as CSV",
        VerdictFormat::Junit => "verdicts as JUnit",
        VerdictFormat::Sarif => "verdicts as SARIF",
        VerdictFormat::Github => "verdicts for GitHub",
        VerdictFormat::Gitlab => "verdicts for GitLab",
    }
}

fn observation_step(format: Format) -> &'static str {
    match format {
        Format::Table => "trace as table",
        Format::Markdown => "trace as Markdown",
        Format::Json => "trace as JSON",
        Format::Yaml => "trace as YAML",
        Format::Csv => "trace as CSV",
    }
}
