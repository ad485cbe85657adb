//! The user's settings from environment and command line: from [`RawSettings`] to [`Settings`].
//!
//! [`RawSettings::from_env`] is the only place that reads environment variables and terminals; the
//! rest is pure. Nothing here acts on a setting.

mod values;

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::io::{IsTerminal, stderr};
use std::path::PathBuf;

use crate::model::judge::decide::{Update, UpdateMode};
use crate::model::observe::observation::Engine;
use crate::model::run::platform::Platform;
use values::{ENGINE, binaries, confirm, engine, require, rustc, update};

/// The file to which a harness appends its verdicts, one line of JSON each. `cargo sysguard test`
/// reads it for more than pass or fail.
pub const VERDICTS: &str = "SYSGUARD_VERDICTS";
/// The file in which `cargo sysguard test` lists what it has built, one line of JSON per artifact.
pub const ARTIFACTS: &str = "SYSGUARD_ARTIFACTS";
/// The file that `cargo sysguard test` and `run` keep locked. Tracing processes behind cargo end
/// when the lock is released.
pub const LIFELINE: &str = "SYSGUARD_LIFELINE";
/// The file in which `cargo sysguard run` describes the tests for its target runner, which cargo
/// calls.
pub const PLAN: &str = "SYSGUARD_PLAN";
/// The name of the only closure that a test binary must run.
pub const CLOSURE: &str = "SYSGUARD_CLOSURE";
/// The variable with nextest's name of the running test binary.
const NEXTEST_BINARY_ID: &str = "NEXTEST_BINARY_ID";
/// The file of Markdown that GitHub Actions shows on the page of a run.
const STEP_SUMMARY: &str = "GITHUB_STEP_SUMMARY";
/// The variables with the tested commit in GitHub Actions: server, repository, commit.
const COMMIT: [&str; 3] = ["GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_SHA"];
/// The variables with the user's editor; the first that is set counts, environ(7).
const EDITORS: [&str; 2] = ["VISUAL", "EDITOR"];
/// The variables without a prefix of ours or cargo's.
const OTHERS: [&str; 9] =
    ["CI", "TF_BUILD", "RUSTC", "RUSTFLAGS", "TERM", STEP_SUMMARY, NEXTEST_BINARY_ID, EDITORS[0], EDITORS[1]];
/// The variables with the compiler's flags; the first that is set counts, as in cargo. The flags
/// are separated by a unit separator in the first variable, by a space in the second.
const RUSTFLAGS: [&str; 2] = ["CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS"];
/// The prefix of the variable with the path of a binary target at run time (cargo 1.94 and later).
const BINARY_PREFIX: &str = "CARGO_BIN_EXE_";

/// The environment before its values are checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RawSettings {
    /// Variables by name; only those that a setting may come from.
    pub variables: BTreeMap<String, OsString>,
    /// Whether standard error is a terminal.
    pub terminal: bool,
}

impl RawSettings {
    /// Reads the environment of this process.
    pub fn from_env() -> Self {
        let relevant = |name: &str| {
            name.starts_with("SYSGUARD_")
                || name.starts_with("CARGO")
                || COMMIT.contains(&name)
                || OTHERS.contains(&name)
        };
        let variables = env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .filter(|(name, _)| relevant(name))
            .collect();
        Self { variables, terminal: stderr().is_terminal() }
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        self.variables.get(name).filter(|value| !value.is_empty()).map(PathBuf::from)
    }

    /// Returns the value as text. A value that is not UTF-8 is never valid, and is shown in the
    /// error.
    fn text(&self, name: &str) -> Option<String> {
        self.variables.get(name).map(|value| value.to_string_lossy().into_owned())
    }

    /// Returns cargo's choice of colours; `None` if the terminal decides.
    pub fn colour(&self) -> Option<bool> {
        match self.text("CARGO_TERM_COLOR").as_deref() {
            Some("always") => Some(true),
            Some("never") => Some(false),
            _ => None,
        }
    }

    /// Returns the folder of the package that has its test run by cargo or nextest.
    pub fn manifest_dir(&self) -> Option<PathBuf> {
        self.path("CARGO_MANIFEST_DIR")
    }

    /// Returns the engine that `SYSGUARD_ENGINE` names.
    ///
    /// # Errors
    ///
    /// There is no such engine.
    pub fn engine(&self) -> Result<Option<Engine>, BadVariable> {
        engine(self)
    }

    /// Returns the name of the closure that this process must run.
    pub fn closure(&self) -> Option<String> {
        self.text(CLOSURE)
    }

    /// Returns the compiler's flags, as far as the environment has them.
    pub fn rustflags(&self) -> String {
        RUSTFLAGS.iter().find_map(|name| self.text(name)).unwrap_or_default()
    }

    /// Returns whether this is CI, by insta's rule: `CI` decides if it is set, or else whether
    /// `TF_BUILD` (Azure Pipelines) is set.
    fn in_ci(&self) -> bool {
        match self.text("CI").as_deref() {
            Some("" | "0" | "false") => false,
            Some(_) => true,
            None => self.variables.contains_key("TF_BUILD"),
        }
    }
}

/// The flags of the command line, which take precedence over the environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flags {
    /// `--update`
    pub update: Option<UpdateMode>,
    /// `--require`
    pub require: bool,
    /// `--pending-dir`
    pub pending_dir: Option<PathBuf>,
    /// `--confirm`
    pub confirm: Option<u32>,
    /// `--engine`
    pub engine: Option<Engine>,
}

/// The resolved settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What is written if a workload differs from its baseline.
    pub update: UpdateMode,
    /// Whether this is CI: [`UpdateMode::Auto`] writes nothing there.
    pub ci: bool,
    /// Whether a workload that cannot be traced or lacks its program fails instead of being
    /// ignored.
    pub require: bool,
    /// The number of further runs that must show a finding.
    pub confirm: u32,
    /// The engine that traces workloads.
    pub engine: Engine,
    /// The folder for proposals, instead of beside the expectations.
    pub pending_dir: Option<PathBuf>,
    /// The workspace that mirrors `pending_dir`'s tree, if cargo is not asked for it.
    pub workspace_root: Option<PathBuf>,
    /// The file for verdicts that the parent `cargo sysguard test` reads.
    pub verdicts: Option<PathBuf>,
    /// The file in which the parent `cargo sysguard test` lists what it has built.
    pub artifacts: Option<PathBuf>,
    /// The file that the `cargo sysguard` before cargo keeps locked while it runs.
    pub lifeline: Option<PathBuf>,
    /// The file in which the parent `cargo sysguard run` describes the tests.
    pub plan: Option<PathBuf>,
    /// nextest's name of the running test binary.
    pub nextest_binary: Option<String>,
    /// The program that shows differences instead of the built-in diff, with its first arguments.
    pub diff_tool: Option<String>,
    /// The user's editor, as a command of the shell.
    pub editor: Option<String>,
    /// The file for the summary that GitHub Actions shows.
    pub step_summary: Option<PathBuf>,
    /// The address of the repository's files at the tested commit, in GitHub Actions.
    pub repository_files: Option<String>,
    /// Binary targets that cargo has built for this process, by name.
    pub binaries: BTreeMap<String, PathBuf>,
    /// The cargo that started this process, or else the one on `PATH`.
    pub cargo: PathBuf,
    /// The compiler that this cargo uses.
    pub rustc: PathBuf,
    /// Whether reports are coloured; `None` if the terminal decides.
    pub colour: Option<bool>,
    /// Whether progress is drawn: standard error is a terminal with cursor control.
    pub progress: bool,
}

impl Settings {
    /// Returns what is written if a workload differs. A folder for proposals is an explicit
    /// request, so they are then written in CI too.
    pub fn update(&self) -> Update {
        self.update.resolve(self.ci && self.pending_dir.is_none())
    }

    /// Returns the settings for a comparison with baselines.
    ///
    /// # Errors
    ///
    /// `SYSGUARD_ENGINE` names an engine that cannot do this.
    pub fn for_tests(self) -> Result<Self, BadVariable> {
        match Engine::to_judge(self.engine.name()) {
            Ok(_) => Ok(self),
            Err(_) => Err(BadVariable {
                variable: ENGINE,
                value: self.engine.name().to_owned(),
                expected: "guard or ptrace where workloads are compared with baselines",
            }),
        }
    }
}

/// A variable has an invalid value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable {variable} is `{value}`, but must be {expected}; correct or unset it")]
pub struct BadVariable {
    /// The variable.
    pub variable: &'static str,
    /// Its value.
    pub value: String,
    /// The valid values.
    pub expected: &'static str,
}

/// Resolves settings. If a flag is given, its variable is not even checked.
pub fn resolve(raw: &RawSettings, flags: Flags) -> Result<Settings, BadVariable> {
    let update = match flags.update {
        Some(mode) => mode,
        None => update(raw)?,
    };
    Ok(Settings {
        update,
        ci: raw.in_ci(),
        require: flags.require || require(raw)?,
        confirm: match flags.confirm {
            Some(runs) => runs,
            None => confirm(raw)?,
        },
        engine: match flags.engine {
            Some(engine) => engine,
            // A baseline says which calls need no stop.
            None => engine(raw)?.unwrap_or(Engine::Guard),
        },
        pending_dir: flags.pending_dir.or_else(|| raw.path("SYSGUARD_PENDING_DIR")),
        workspace_root: raw.path("SYSGUARD_WORKSPACE_ROOT"),
        verdicts: raw.path(VERDICTS),
        artifacts: raw.path(ARTIFACTS),
        lifeline: raw.path(LIFELINE),
        plan: raw.path(PLAN),
        nextest_binary: raw.text(NEXTEST_BINARY_ID),
        diff_tool: raw.text("SYSGUARD_DIFF_TOOL").filter(|tool| !tool.trim().is_empty()),
        editor: EDITORS.iter().filter_map(|name| raw.text(name)).find(|editor| !editor.trim().is_empty()),
        step_summary: raw.path(STEP_SUMMARY),
        repository_files: repository_files(raw),
        binaries: binaries(raw),
        rustc: rustc(raw),
        cargo: raw.path("CARGO").unwrap_or_else(|| PathBuf::from("cargo")),
        colour: raw.colour(),
        progress: raw.terminal && !matches!(raw.text("TERM").as_deref(), None | Some("dumb")),
    })
}

/// Returns the platform that this crate was built for, which is also that of the test that links
/// it.
pub fn platform() -> Platform {
    let triple = env!("SYSGUARD_TARGET");
    Platform::from_triple(triple).unwrap_or_else(|| Platform {
        // A custom target specification may have any name.
        arch: triple.to_owned(),
        os: env::consts::OS.to_owned(),
        env: String::new(),
    })
}

/// Returns the address of the repository's files at the tested commit.
fn repository_files(raw: &RawSettings) -> Option<String> {
    let [server, repository, commit] = COMMIT.map(|name| raw.text(name).filter(|text| !text.is_empty()));
    Some(format!("{}/{}/blob/{}", server?.trim_end_matches('/'), repository?, commit?))
}

#[cfg(test)]
mod tests;
