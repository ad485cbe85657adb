//! The command line of a test harness: all that libtest takes, in the words of libtest-mimic. Main
//! type: [`Arguments`].
//!
//! libtest-mimic takes one filter and lacks some flags, so this parser is ours and the selection is
//! made here: libtest-mimic is told the exact names to skip, which keeps its count of what was
//! filtered out right.

use std::collections::hash_map::DefaultHasher;
use std::ffi::OsString;
use std::hash::{Hash, Hasher};
use std::num::NonZeroUsize;

use clap::{ArgAction, Parser, ValueEnum};

/// Runs the workloads of a package against their expectations.
#[derive(Debug, Clone, Default, Parser)]
#[command(name = "sysguard", disable_version_flag = true, max_term_width = 100)]
pub struct Arguments {
    /// Run only workloads whose name contains one of these
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,

    /// Skip workloads whose name contains this; may be repeated
    #[arg(long, value_name = "FILTER")]
    skip: Vec<String>,

    /// Filters match the whole name
    #[arg(long)]
    exact: bool,

    /// Run ignored workloads too
    #[arg(long)]
    include_ignored: bool,

    /// Run ignored workloads only
    #[arg(long, conflicts_with = "include_ignored")]
    ignored: bool,

    /// List the workloads and run nothing
    #[arg(long)]
    pub(super) list: bool,

    /// Start no further workload once one has failed
    #[arg(long)]
    pub(super) fail_fast: bool,

    /// How many workloads run at the same time
    #[arg(long, value_name = "N")]
    test_threads: Option<NonZeroUsize>,

    /// Run the workloads in a random order
    #[arg(long)]
    shuffle: bool,

    /// Run the workloads in the random order of this seed
    #[arg(long, value_name = "SEED")]
    shuffle_seed: Option<u64>,

    /// How results are written
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,

    /// One character a workload; the same as --format terse
    #[arg(short, long, conflicts_with = "format")]
    quiet: bool,

    /// When results are coloured
    #[arg(long, value_enum, value_name = "WHEN")]
    color: Option<Color>,

    /// Write the results to this file instead of standard output
    #[arg(long, value_name = "PATH")]
    pub(super) logfile: Option<String>,

    /// Of the workloads that are selected, run only those with these names
    #[arg(long, hide = true, value_name = "NAME")]
    only: Vec<String>,

    #[command(flatten)]
    accepted: Accepted,
}

/// What libtest takes and what changes nothing here: a workload's output never reaches ours, and
/// there are no benchmarks.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Accepted, without effect")]
struct Accepted {
    /// A workload's output is shown when it ends wrongly
    #[arg(long, alias = "nocapture")]
    no_capture: bool,
    /// See --no-capture
    #[arg(long)]
    show_output: bool,
    /// All workloads are tests
    #[arg(long)]
    test: bool,
    /// Workloads are no benchmarks: all are ignored
    #[arg(long, conflicts_with = "test")]
    bench: bool,
    /// Every format is stable here
    #[arg(short = 'Z', value_name = "FLAG", action = ArgAction::Append)]
    unstable: Vec<String>,
    /// Results carry no times
    #[arg(long)]
    report_time: bool,
    /// A workload's time is limited by its own `timeout:`
    #[arg(long)]
    ensure_time: bool,
    /// There is nothing to force: a workload is always a process
    #[arg(long)]
    force_run_in_process: bool,
    /// No workload should panic
    #[arg(long)]
    exclude_should_panic: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Pretty,
    Terse,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

impl Arguments {
    /// Parses arguments, without the program's own name.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        Self::try_parse_from(std::iter::once(OsString::from("sysguard")).chain(arguments))
    }

    /// Leaves of what the filters select only these workloads. Gives the flags that say the same.
    pub fn restrict(&mut self, names: Vec<String>) -> Vec<OsString> {
        self.only = names;
        // No workload has an empty name, and no flag would mean no restriction.
        if self.only.is_empty() {
            self.only.push(String::new());
        }
        self.only.iter().map(|name| format!("--only={name}").into()).collect()
    }

    /// Whether the filters ask for this workload.
    pub fn selects(&self, name: &str) -> bool {
        let matches = |filter: &String| if self.exact { name == filter } else { name.contains(filter.as_str()) };
        (self.only.is_empty() || self.only.iter().any(|only| only == name))
            && (self.filters.is_empty() || self.filters.iter().any(matches))
            && !self.skip.iter().any(matches)
    }

    /// Whether a selected workload is run.
    pub fn runs(&self, ignored: bool) -> bool {
        !self.accepted.bench && if ignored { self.ignored || self.include_ignored } else { !self.ignored }
    }

    /// The one test that is asked for by its whole name, as test runners do.
    pub fn single(&self) -> Option<&str> {
        match &self.filters[..] {
            [name] if self.exact && self.skip.is_empty() => Some(name),
            _ => None,
        }
    }

    /// Whether the one test that is asked for is an ignored one: its result is reported as if it
    /// had run.
    pub(super) fn demands_ignored(&self) -> bool {
        self.ignored && self.single().is_some()
    }

    /// Whether some tests may be left out.
    pub fn is_partial(&self) -> bool {
        let chooses = [&self.filters, &self.skip, &self.only].iter().any(|names| !names.is_empty());
        chooses || self.ignored || self.accepted.bench
    }

    /// Whether results are coloured; nothing where the terminal decides.
    pub(super) fn colour(&self) -> Option<bool> {
        match self.color? {
            Color::Auto => None,
            Color::Always => Some(true),
            Color::Never => Some(false),
        }
    }

    /// Whether results are a stream for programs.
    pub(super) fn machine_readable(&self) -> bool {
        self.format == Some(Format::Json)
    }

    /// The seed of the order, where the order is to be random: `now` where the user names none.
    pub(super) fn seed(&self, now: impl FnOnce() -> u64) -> Option<u64> {
        self.shuffle_seed.or_else(|| self.shuffle.then(now))
    }

    /// The same wish in the words of libtest-mimic; `names` are all that there are.
    pub(super) fn translate<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> libtest_mimic::Arguments {
        libtest_mimic::Arguments {
            include_ignored: self.include_ignored,
            ignored: self.ignored,
            test: self.accepted.test,
            bench: self.accepted.bench,
            list: self.list,
            exact: true,
            skip: names.into_iter().filter(|name| !self.selects(name)).map(str::to_owned).collect(),
            // With --list, libtest's terse format is a list without a summary, and libtest-mimic's
            // only one.
            quiet: self.quiet,
            test_threads: self.test_threads.map(NonZeroUsize::get),
            format: self.format.map(|format| match format {
                Format::Pretty => libtest_mimic::FormatSetting::Pretty,
                Format::Terse => libtest_mimic::FormatSetting::Terse,
                Format::Json => libtest_mimic::FormatSetting::Json,
            }),
            ..libtest_mimic::Arguments::default()
        }
    }
}

/// The place of a workload in the random order of a seed.
pub(super) fn shuffled(seed: u64, name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (seed, name).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, clap::Error> {
        Arguments::parse(line.split_whitespace().map(OsString::from))
    }

    const NAMES: [&str; 4] = ["net::echo", "net::echo-tls", "file::copy", "bench"];

    #[test]
    fn filters_mean_what_they_mean_to_libtest() {
        for (line, selected) in [
            ("", &NAMES[..]),
            ("echo", &["net::echo", "net::echo-tls"]),
            ("copy bench", &["file::copy", "bench"]),
            ("--exact net::echo", &["net::echo"]),
            ("--exact echo", &[]),
            ("net:: --skip tls", &["net::echo"]),
            ("--exact --skip net::echo", &["net::echo-tls", "file::copy", "bench"]),
            ("--skip net --skip file", &["bench"]),
            ("nothing", &[]),
        ] {
            let arguments = parse(line).expect(line);
            let names: Vec<&str> = NAMES.into_iter().filter(|name| arguments.selects(name)).collect();
            assert_eq!(names, selected, "{line}");
            let skipped: Vec<&str> = NAMES.into_iter().filter(|name| !selected.contains(name)).collect();
            let translated = arguments.translate(NAMES);
            assert!(translated.exact && translated.filter.is_none());
            assert_eq!(translated.skip, skipped, "{line}");
        }
    }

    #[test]
    fn a_restriction_narrows_the_filters_and_survives_a_command_line() {
        for (line, names, selected) in
            [("echo", &["net::echo", "bench"][..], &["net::echo"][..]), ("", &["bench"], &["bench"]), ("", &[], &[])]
        {
            let mut arguments = parse(line).expect(line);
            let flags = arguments.restrict(names.iter().map(|&name| name.to_owned()).collect());
            let again = line.split_whitespace().map(OsString::from).chain(flags);
            let again = Arguments::parse(again).expect("its own flags");
            for arguments in [arguments, again] {
                assert_eq!(NAMES.into_iter().filter(|name| arguments.selects(name)).collect::<Vec<_>>(), selected);
            }
        }
    }

    #[test]
    fn what_leaves_tests_out_and_what_asks_for_one_is_known() {
        for (line, single, partial) in [
            ("", None, false),
            ("--nocapture --test-threads 1 --include-ignored", None, false),
            ("a::b --exact --nocapture", Some("a::b"), true),
            ("a::b", None, true),
            ("a b --exact", None, true),
            ("--skip a", None, true),
            ("--ignored", None, true),
        ] {
            let arguments = parse(line).expect(line);
            assert_eq!((arguments.single(), arguments.is_partial()), (single, partial), "{line}");
        }
    }

    #[test]
    fn ignored_workloads_run_when_asked_for() {
        for (line, plain, ignored) in [
            ("", true, false),
            ("--ignored", false, true),
            ("--include-ignored", true, true),
            ("--bench", false, false),
            ("--test", true, false),
        ] {
            let arguments = parse(line).expect(line);
            assert_eq!((arguments.runs(false), arguments.runs(true)), (plain, ignored), "{line}");
        }
    }

    /// What `--help` of a test binary lists (rustc 1.95), and what nextest and older tools pass.
    #[test]
    fn every_flag_of_libtest_is_taken() {
        for line in [
            "--nocapture",
            "--no-capture",
            "--show-output",
            "--test-threads 3",
            "--test-threads=1",
            "--format pretty",
            "--format=terse",
            "--format json -Z unstable-options",
            "-Zunstable-options --report-time",
            "--ensure-time",
            "--shuffle",
            "--shuffle-seed 7",
            "--fail-fast",
            "--force-run-in-process",
            "--exclude-should-panic",
            "--color always",
            "--logfile /tmp/log",
            "-q",
            "--quiet",
            "--test",
            "--list --format terse --ignored",
            "net::echo --exact --nocapture",
        ] {
            if let Err(error) = parse(line) {
                panic!("{line}: {error}");
            }
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for line in
            ["--no-such-flag", "--test-threads 0", "--format xml", "--ignored --include-ignored", "--color maybe"]
        {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_seed_makes_one_order_and_another_seed_another() {
        let order = |seed| {
            let mut names = NAMES;
            names.sort_by_key(|name| shuffled(seed, name));
            names
        };
        assert_eq!(order(7), order(7));
        assert!((0..20).any(|seed| order(seed) != order(7)));
        assert_eq!(parse("--shuffle").expect("a flag").seed(|| 5), Some(5));
        assert_eq!(parse("--shuffle --shuffle-seed 3").expect("flags").seed(|| 5), Some(3));
        assert_eq!(parse("").expect("nothing").seed(|| 5), None);
    }
}
