//! The command line: `cargo sysguard <command>`, called by cargo or directly. Main type: [`Cli`].

use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

use clap::{ColorChoice, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use sysguard::unstable::settings::RawSettings;

use crate::command::{
    accept, bless, clean_worktree, diff, doctor, enforce, explain, explore, init, layout, list, pending, profile,
    reach, reject, report, review, run, target_runner, test, trace,
};
use crate::context::Context;
use crate::exit_code::Failure;

/// System-call regression assertions: a test fails when a workload starts to use a new system call
/// or kernel subsystem
#[derive(Debug, Parser)]
#[command(name = "cargo-sysguard", bin_name = "cargo sysguard", version, styles = clap_cargo::style::CLAP_STYLING)]
#[command(max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Colour the output: auto, always or never
    #[arg(long, global = true, value_name = "WHEN", hide_possible_values = true)]
    pub(crate) color: Option<ColorChoice>,
}

const EXIT_CODES: &str = "\
Exit codes: 0 everything is as expected; 101 findings, failures, malformed expectation files or pending findings; 2 wrong usage, or a name, key or revision that matches nothing; \
3 a workload could not be built or started; 4 tracing is required but impossible here. If several apply, the first of \
2, 4, 3, 101 is returned. `trace` and `profile -- COMMAND` exit with the status of their command.";

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write an expectation for each program of a package
    Init(init::Options),
    /// List workloads without running them
    List(list::Options),
    /// Run workloads and compare them with their baselines
    Test(test::Options),
    /// Run workloads and record what they use in their baselines
    Bless(bless::Options),
    /// Accept or reject pending findings one by one
    Review(review::Options),
    /// List pending findings without running anything
    Pending(pending::Options),
    /// Write pending findings into their expectation files
    Accept(accept::Options),
    /// Discard pending findings
    Reject(reject::Options),
    /// Compare the expectations of the working tree with those at a git revision
    Diff(diff::Options),
    /// Explain a system call, argument, object, subsystem or key
    ///
    /// Shows where it is in the kernel, its maintainers, and the workloads that use it.
    Explain(explain::Options),
    /// Report which workload uses which parts of the kernel, and why, without running anything
    Report(report::Options),
    /// Run any command once and report what it uses of the kernel
    Trace(trace::Options),
    /// Sample where a command or a workload spends its time, in the kernel and in user code
    Profile(profile::Options),
    /// Find which system calls a program and its libraries could make, without running it
    Reach(reach::Options),
    /// Inject errors into system calls of workloads and compare how their error paths end
    Explore(explore::Options),
    /// Make a seccomp profile from the baselines of workloads, or check one
    Enforce(enforce::Options),
    /// Run a package's tests with cargo, tracing each and comparing it with its baseline
    Run(run::Options),
    /// Move expectations of `run` between one file per test binary and one file per test
    Layout(layout::Options),
    /// Run a test in place of cargo's target runner
    #[command(hide = true)]
    TargetRunner(target_runner::Options),
    /// Remove a worktree of `diff --trace` once no process writes there any more
    #[command(hide = true)]
    CleanWorktree(clean_worktree::Options),
    /// Check whether workloads can be traced here, and show how to fix it if not
    Doctor(doctor::Options),
}

impl Cli {
    /// Runs the command.
    pub(crate) fn exec(self) -> Result<ExitCode, Failure> {
        let raw = RawSettings::from_env();
        let colour = match self.color {
            Some(ColorChoice::Always) => Some(true),
            Some(ColorChoice::Never) => Some(false),
            Some(ColorChoice::Auto) => None,
            None => raw.colour(),
        };
        match colour {
            Some(true) => anstream::ColorChoice::Always.write_global(),
            Some(false) => anstream::ColorChoice::Never.write_global(),
            None => {}
        }
        let context = Context { raw, colour };
        match self.command {
            Command::Init(options) => options.exec(&context).map(ExitCode::from),
            Command::List(options) => options.exec(&context).map(ExitCode::from),
            Command::Test(options) => options.exec(&context).map(ExitCode::from),
            Command::Bless(options) => options.exec(&context).map(ExitCode::from),
            Command::Review(options) => options.exec(&context).map(ExitCode::from),
            Command::Pending(options) => options.exec(&context).map(ExitCode::from),
            Command::Accept(options) => options.exec(&context).map(ExitCode::from),
            Command::Reject(options) => options.exec(&context).map(ExitCode::from),
            Command::Diff(options) => options.exec(&context).map(ExitCode::from),
            Command::Explain(options) => options.exec(&context).map(ExitCode::from),
            Command::Enforce(options) => options.exec(&context).map(ExitCode::from),
            Command::Explore(options) => options.exec(&context).map(ExitCode::from),
            Command::Report(options) => options.exec(&context).map(ExitCode::from),
            Command::Run(options) => options.exec(&context),
            Command::Layout(options) => options.exec(&context).map(ExitCode::from),
            Command::TargetRunner(options) => options.exec(&context),
            Command::CleanWorktree(options) => options.exec().map(ExitCode::from),
            Command::Trace(options) => Ok(options.exec(&context)),
            Command::Profile(options) => options.exec(&context),
            Command::Reach(options) => options.exec(&context).map(ExitCode::from),
            Command::Doctor(options) => options.exec(&context).map(ExitCode::from),
        }
    }
}

/// Parses the arguments of this process.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let arguments = without_subcommand_name(arguments);
    let raw = RawSettings::from_env();
    let matches = Cli::command().color(asked_colour(&arguments, &raw)).try_get_matches_from(arguments)?;
    Cli::from_arg_matches(&matches)
}

/// cargo calls `cargo-sysguard sysguard <arguments>`; a direct call has no such first argument.
fn without_subcommand_name(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    if arguments.get(1).map(OsString::as_os_str) == Some(OsStr::new("sysguard")) {
        arguments.remove(1);
    }
    arguments
}

/// Returns the colour choice for clap's own messages, which appear before the arguments are parsed.
fn asked_colour(arguments: &[OsString], raw: &RawSettings) -> ColorChoice {
    let words = || arguments.iter().map(|word| word.to_string_lossy()).take_while(|word| word != "--");
    let joined = words().find_map(|word| word.strip_prefix("--color=").map(str::to_owned));
    let asked = joined.or_else(|| words().skip_while(|word| word != "--color").nth(1).map(|word| word.into_owned()));
    if let Some(choice) = asked.and_then(|asked| ColorChoice::from_str(&asked, false).ok()) {
        return choice;
    }
    match raw.colour() {
        Some(true) => ColorChoice::Always,
        Some(false) => ColorChoice::Never,
        None => ColorChoice::Auto,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Cli, clap::Error> {
        parse(line.split(' ').map(OsString::from))
    }

    #[test]
    fn colour_flag_beats_the_environment() {
        let always = [("CARGO_TERM_COLOR".to_owned(), OsString::from("always"))].into();
        let raw = RawSettings { variables: always, terminal: false };
        for (line, choice) in [
            ("list", ColorChoice::Always),
            ("list --color never", ColorChoice::Never),
            ("--color=never list", ColorChoice::Never),
            ("--color=auto list", ColorChoice::Auto),
            ("--color sometimes list", ColorChoice::Always),
            ("trace -- ls --color=never", ColorChoice::Always),
        ] {
            let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            assert_eq!(asked_colour(&arguments, &raw), choice, "{line}");
        }
    }

    #[test]
    fn command_line_definition_is_valid() {
        Cli::command().debug_assert();
    }

    #[test]
    fn cargo_and_direct_calls_are_parsed_alike() {
        for line in ["cargo-sysguard list", "cargo-sysguard sysguard list", "/somewhere/cargo-sysguard sysguard list"] {
            assert!(matches!(parsed(line).expect(line).command, Command::List(_)), "{line}");
        }
        assert!(parsed("cargo-sysguard sysguard sysguard list").is_err());
    }

    #[test]
    fn help_exits_with_0_and_wrong_usage_with_2() {
        for (line, code) in [
            ("cargo-sysguard sysguard --help", 0),
            ("cargo-sysguard --version", 0),
            ("cargo-sysguard", 2),
            ("cargo-sysguard frobnicate", 2),
            ("cargo-sysguard test --no-such-flag", 2),
            ("cargo-sysguard trace", 2),
            ("cargo-sysguard profile --no-such-flag -- true", 2),
            ("cargo-sysguard profile --save -- true", 2),
            ("cargo-sysguard profile one -- true", 2),
            ("cargo-sysguard profile -F 0 -- true", 2),
            ("cargo-sysguard profile --format xml -- true", 2),
            ("cargo-sysguard profile --vmlinux f -- true", 2),
            ("cargo-sysguard reach", 2),
            ("cargo-sysguard reach --save demo", 2),
            ("cargo-sysguard reach demo --workload name", 2),
            ("cargo-sysguard reach demo --why opennat", 2),
            ("cargo-sysguard reach demo --forbid netwrok", 2),
            ("cargo-sysguard reach demo --format svg", 2),
            ("cargo-sysguard explore --budget 0s", 2),
            ("cargo-sysguard explore --budget soon", 2),
            ("cargo-sysguard explore --errno ENOSUCH", 2),
            ("cargo-sysguard explore --stop demo", 2),
            ("cargo-sysguard explore --replay read-EIO-1 --bless", 2),
            ("cargo-sysguard explore --replay read-EIO-1 --format json", 2),
            ("cargo-sysguard enforce --format oci", 2),
            ("cargo-sysguard enforce demo", 2),
            ("cargo-sysguard enforce demo --format yaml", 2),
            ("cargo-sysguard enforce demo --format oci --action allow", 2),
            ("cargo-sysguard enforce demo --format oci --runtime docker", 2),
            ("cargo-sysguard enforce demo --format oci --check f -o f", 2),
            ("cargo-sysguard enforce demo --format oci --check f --prove 2", 2),
            ("cargo-sysguard enforce demo --format oci -o f --prove 0", 2),
            ("cargo-sysguard explain openat --release", 2),
            ("cargo-sysguard review --jobs 2", 2),
            ("cargo-sysguard pending --features a", 2),
            ("cargo-sysguard accept a --bench b", 2),
            ("cargo-sysguard report --target-dir t", 2),
            ("cargo-sysguard list --profile p", 2),
            ("cargo-sysguard init --bin b", 2),
        ] {
            assert_eq!(parsed(line).expect_err(line).exit_code(), code, "{line}");
        }
        let version = parsed("cargo-sysguard -V").expect_err("it ends").to_string();
        assert_eq!(version, format!("cargo-sysguard {}\n", env!("CARGO_PKG_VERSION")));
    }
}
