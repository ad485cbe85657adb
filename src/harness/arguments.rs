//! The command line of a test harness: all of libtest's flags. Main type: [`Arguments`].
//!
//! libtest-mimic takes only one filter and lacks some flags. Therefore arguments are parsed and
//! workloads selected here. libtest-mimic gets the exact names to skip, so its count of filtered
//! tests stays correct.

use std::collections::hash_map::DefaultHasher;
use std::ffi::OsString;
use std::hash::{Hash, Hasher};
use std::num::NonZeroUsize;

use clap::{ArgAction, Parser, ValueEnum};

/// Runs the workloads of a package against their expectations.
#[derive(Debug, Clone, Default, Parser)]
#[command(name = "sysguard", disable_version_flag = true, max_term_width = 100)]
pub struct Arguments {
    /// Run only workloads with one of these in their name
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,

    /// Skip workloads with this in their name; may be repeated
    #[arg(long, value_name = "FILTER")]
    skip: Vec<String>,

    /// Match filters against the whole name
    #[arg(long)]
    exact: bool,

    /// Run ignored workloads too
    #[arg(long)]
    include_ignored: bool,

    /// Run ignored workloads only
    #[arg(long, conflicts_with = "include_ignored")]
    ignored: bool,

    /// List workloads without running them
    #[arg(long)]
    pub(super) list: bool,

    /// Start no further workload after a failure
    #[arg(long)]
    pub(super) fail_fast: bool,

    /// Number of workloads that run at the same time
    #[arg(long, value_name = "N")]
    test_threads: Option<NonZeroUsize>,

    /// Run the workloads in a random order
    #[arg(long)]
    shuffle: bool,

    /// Run the workloads in the random order of this seed
    #[arg(long, value_name = "SEED")]
    shuffle_seed: Option<u64>,

    /// Format of the results
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<OutputFormat>,

    /// Print one character per workload; the same as --format terse
    #[arg(short, long, conflicts_with = "format")]
    quiet: bool,

    /// When to colour results
    #[arg(long, value_enum, value_name = "WHEN")]
    color: Option<Color>,

    /// Write the results to this file instead of standard output
    #[arg(long, value_name = "PATH")]
    pub(super) logfile: Option<String>,

    /// Run only those of the selected workloads that have these names
    #[arg(long, hide = true, value_name = "NAME")]
    only: Vec<String>,

    #[command(flatten)]
    accepted: Accepted,
}

/// Flags of libtest without effect here: the output of a workload never appears on this process's
/// streams, and there are no benchmarks.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Accepted, without effect")]
struct Accepted {
    /// A workload's output is shown if it fails
    #[arg(long, alias = "nocapture")]
    no_capture: bool,
    /// See --no-capture
    #[arg(long)]
    show_output: bool,
    /// All workloads are tests
    #[arg(long)]
    test: bool,
    /// Workloads are not benchmarks: all are ignored
    #[arg(long, conflicts_with = "test")]
    bench: bool,
    /// Every format is stable here
    #[arg(short = 'Z', value_name = "FLAG", action = ArgAction::Append)]
    unstable: Vec<String>,
    /// Results contain no times
    #[arg(long)]
    report_time: bool,
    /// A workload's time is limited by its own `timeout:`
    #[arg(long)]
    ensure_time: bool,
    /// A workload is always a process of its own
    #[arg(long)]
    force_run_in_process: bool,
    /// No workload is expected to panic
    #[arg(long)]
    exclude_should_panic: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OutputFormat {
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
    /// Parses arguments. They must not start with the program's name.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        Self::try_parse_from(std::iter::once(OsString::from("sysguard")).chain(arguments))
    }

    /// Restricts the filters' selection to these workloads. Returns the flags that have the same
    /// effect.
    pub fn restrict(&mut self, names: Vec<String>) -> Vec<OsString> {
        self.only = names;
        // No workload has an empty name. Without any name there would be no restriction.
        if self.only.is_empty() {
            self.only.push(String::new());
        }
        self.only.iter().map(|name| format!("--only={name}").into()).collect()
    }

    /// Returns whether the filters select this workload.
    pub fn selects(&self, name: &str) -> bool {
        let matches = |filter: &String| if self.exact { name == filter } else { name.contains(filter.as_str()) };
        (self.only.is_empty() || self.only.iter().any(|only| only == name))
            && (self.filters.is_empty() || self.filters.iter().any(matches))
            && !self.skip.iter().any(matches)
    }

    /// Returns whether a selected workload is run.
    pub fn runs(&self, ignored: bool) -> bool {
        !self.accepted.bench && if ignored { self.ignored || self.include_ignored } else { !self.ignored }
    }

    /// Returns the single test that is selected by its whole name, as test runners do.
    pub fn single(&self) -> Option<&str> {
        match &self.filters[..] {
            [name] if self.exact && self.skip.is_empty() => Some(name),
            _ => None,
        }
    }

    /// Returns whether the single selected test is an ignored one. Its result is reported as if it
    /// had run.
    pub(super) fn demands_ignored(&self) -> bool {
        self.ignored && self.single().is_some()
    }

    /// Returns whether some tests may be left out.
    pub fn is_partial(&self) -> bool {
        let chooses = [&self.filters, &self.skip, &self.only].iter().any(|names| !names.is_empty());
        chooses || self.ignored || self.accepted.bench
    }

    /// Returns whether results are coloured; `None` if the terminal decides.
    pub(super) fn colour(&self) -> Option<bool> {
        match self.color? {
            Color::Auto => None,
            Color::Always => Some(true),
            Color::Never => Some(false),
        }
    }

    /// Returns whether results are a machine-readable stream.
    pub(super) fn machine_readable(&self) -> bool {
        self.format == Some(OutputFormat::Json)
    }

    /// Returns the seed of a random order, if one is wanted: `now` unless the user set one.
    pub(super) fn seed(&self, now: impl FnOnce() -> u64) -> Option<u64> {
        self.shuffle_seed.or_else(|| self.shuffle.then(now))
    }

    /// Translates the arguments for libtest-mimic; `names` are the names of all tests.
    pub(super) fn translate<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> libtest_mimic::Arguments {
        libtest_mimic::Arguments {
            include_ignored: self.include_ignored,
            ignored: self.ignored,
            test: self.accepted.test,
            bench: self.accepted.bench,
            list: self.list,
            exact: true,
            skip: names.into_iter().filter(|name| !self.selects(name)).map(|name| self.shown(name)).collect(),
            // With --list, libtest's terse format is a list without a summary, which is
            // libtest-mimic's only list format.
            quiet: self.quiet,
            test_threads: self.test_threads.map(NonZeroUsize::get),
            format: self.format.map(|format| match format {
                OutputFormat::Pretty => libtest_mimic::FormatSetting::Pretty,
                OutputFormat::Terse => libtest_mimic::FormatSetting::Terse,
                OutputFormat::Json => libtest_mimic::FormatSetting::Json,
            }),
            ..libtest_mimic::Arguments::default()
        }
    }

    /// Returns the name of a test for libtest-mimic. libtest-mimic aligns results with a format
    /// width, which Rust limits to 65535, so a long name is cut and ends in a hash.
    pub(super) fn shown(&self, name: &str) -> String {
        if self.list || self.machine_readable() || name.len() <= LONGEST_SHOWN {
            return name.to_owned();
        }
        let cut: String = name.chars().take(LONGEST_SHOWN / 4).collect();
        format!("{cut}…{:016x}", shuffled(0, name))
    }
}

/// The longest name that is shown whole, in bytes.
const LONGEST_SHOWN: usize = 4096;

/// Returns the position of a workload in the random order of a seed.
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
    fn filters_select_as_in_libtest() {
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
    fn restriction_narrows_the_filters_and_round_trips() {
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
    fn partial_and_single_selections_are_recognised() {
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
    fn ignored_workloads_run_only_on_request() {
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

    /// The flags that `--help` of a test binary lists (rustc 1.95), and those of nextest and older
    /// tools.
    #[test]
    fn every_libtest_flag_is_accepted() {
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
    fn invalid_arguments_are_refused() {
        for line in
            ["--no-such-flag", "--test-threads 0", "--format xml", "--ignored --include-ignored", "--color maybe"]
        {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn each_seed_gives_its_own_order() {
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
