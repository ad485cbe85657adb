//! Measures how often profiles deny calls of the programs that they were made from.
//!
//! `measure RUNS FOLDER NAME…` records each workload of the package in FOLDER that has no baseline,
//! and runs it under its profiles. `NAME=OTHER` runs the workload NAME under the profile of OTHER,
//! such as the musl build of a program under the profile of its glibc build. One line of a table
//! each is printed. Runs change nothing outside of their scratch directories and FOLDER.

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    linux::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
mod linux {
    use std::error::Error;
    use std::num::NonZeroU32;
    use std::path::Path;

    use enforce::policy::Options;
    use enforce::trials::{Subject, Trials};
    use enforce::{Action, Policy, Reason, Source};
    use sysguard::unstable::model::expectation::Unseen;
    use sysguard::unstable::model::judge::verdict::Status;
    use sysguard::unstable::model::run::recording::Length;
    use sysguard::unstable::runner::{Case, Silent, Suite, serve_if_guardian};
    use sysguard::unstable::settings::{Flags, RawSettings, platform, resolve};

    type Result<T> = std::result::Result<T, Box<dyn Error>>;

    pub(super) fn main() -> Result<()> {
        if serve_if_guardian(&RawSettings::from_env()) {
            return Ok(());
        }
        let words: Vec<String> = std::env::args().skip(1).collect();
        let [runs, folder, names @ ..] = &words[..] else { return Err("usage: measure RUNS FOLDER NAME…".into()) };
        let runs: NonZeroU32 = runs.parse()?;
        for name in names {
            let (run, of) = name.split_once('=').unwrap_or((name, name));
            [run, of].into_iter().try_for_each(|name| record(folder.as_ref(), name))?;
            let suite = open(folder.as_ref())?;
            print(&row(&suite, run, of, runs)?);
        }
        Ok(())
    }

    #[expect(clippy::print_stdout, reason = "a program for the terminal")]
    fn print(line: &str) {
        println!("{line}");
    }

    fn open(folder: &Path) -> Result<Suite> {
        let settings = resolve(&RawSettings::default(), Flags::default())?;
        Ok(Suite::open(folder, Some(folder), platform(), settings)?)
    }

    fn find<'a>(suite: &'a Suite, name: &str) -> Result<&'a Case> {
        suite.cases().iter().find(|case| case.name == name).ok_or_else(|| format!("no workload {name}").into())
    }

    fn record(folder: &Path, name: &str) -> Result<()> {
        let suite = open(folder)?;
        let case = find(&suite, name)?;
        let parsed = case.content.as_ref().map_err(|unreadable| unreadable.message.clone())?;
        if parsed.expectation.baseline(&platform()).is_some() {
            return Ok(());
        }
        let verdict = suite.bless(case, Length::UntilQuiet, Unseen::Keep, &Silent);
        let is_recorded = matches!(verdict.status, Status::Blessed | Status::Passed);
        if is_recorded { Ok(()) } else { Err(format!("{name}: {:?}", verdict.status).into()) }
    }

    /// Returns one line: the workload, its calls, and failures by action and narrowing.
    fn row(suite: &Suite, run: &str, of: &str, runs: NonZeroU32) -> Result<String> {
        let (case, recorded) = (find(suite, run)?, find(suite, of)?);
        let parsed = recorded.content.as_ref().map_err(|unreadable| unreadable.message.clone())?;
        let source = match Source::of(of, &parsed.expectation, &platform()) {
            Ok(source) => source,
            Err(refusal) => return Ok(format!("| {run} | {of} | refused: {refusal} |")),
        };
        let mut cells = Vec::new();
        for (action, arguments) in
            [(Action::Unimplemented, false), (Action::Kill, false), (Action::Unimplemented, true), (Action::Kill, true)]
        {
            let policy = Policy::of(&[source], &Options { action, arguments, ..Options::default() });
            if cells.is_empty() {
                cells.push(numbers(&policy));
            }
            let subject = Subject::new(&policy, runs, Err("not contained".to_owned()))?;
            let trials = subject.run(suite, case, &Silent).map_err(|reason| reason.0)?;
            cells.push(failures(&trials));
        }
        Ok(format!("| {run} | {of} | {} |", cells.join(" | ")))
    }

    /// Returns how many calls a policy allows as observed, and how many it adds.
    fn numbers(policy: &Policy) -> String {
        let is_observed = |reason: &Reason| matches!(reason, Reason::Observed { .. });
        let observed = policy.allowed.values().filter(|allowed| allowed.why.iter().any(is_observed)).count();
        format!("{observed} | {}", policy.allowed.len() - observed)
    }

    /// Returns the denied calls, and how many runs ended otherwise than expected.
    fn failures(trials: &Trials) -> String {
        let denied: Vec<String> = trials
            .denied
            .iter()
            .map(|denied| format!("{} ({} of {})", denied.example.call, denied.runs, trials.traced))
            .collect();
        let ends: u32 = trials.wrong_ends.iter().map(|end| end.runs).sum();
        let denied = if denied.is_empty() { "0".to_owned() } else { denied.join(", ") };
        format!("{denied}; {ends}")
    }
}
