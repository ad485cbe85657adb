//! What the user asked for in the environment: as given ([`Given`]) → as meant ([`Settings`]).
//!
//! [`Given::from_env`] is the only reader of environment variables and terminals; everything after
//! it is a pure function. Nothing here acts on a setting.

mod values;

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::io::{IsTerminal, stderr};
use std::path::PathBuf;

use crate::model::judge::decide::{Update, UpdateMode};
use crate::model::observe::observation::Engine;
use crate::model::run::platform::Platform;
use values::{binaries, confirm, engine, require, rustc, update};

/// The file to which a harness appends one JSON line a verdict: how `cargo sysguard test` learns
/// more than pass or fail.
pub const VERDICTS: &str = "SYSGUARD_VERDICTS";
/// The file in which `cargo sysguard test` names what it has built, one JSON line an artifact.
pub const ARTIFACTS: &str = "SYSGUARD_ARTIFACTS";
/// The file that `cargo sysguard test` and `run` hold locked for as long as they live: whoever
/// traces behind cargo ends with them.
pub const LIFELINE: &str = "SYSGUARD_LIFELINE";
/// The file in which `cargo sysguard run` tells those that cargo calls as its target runner what
/// the tests are.
pub const PLAN: &str = "SYSGUARD_PLAN";
/// The closure that a test is to be, and nothing else.
pub const CLOSURE: &str = "SYSGUARD_CLOSURE";
/// What nextest calls the test binary that is run.
const NEXTEST_BINARY_ID: &str = "NEXTEST_BINARY_ID";
/// The file whose Markdown GitHub Actions shows on the page of a run.
const STEP_SUMMARY: &str = "GITHUB_STEP_SUMMARY";
/// The flags of the compiler, the first that is set, as cargo has it; between flags a space, or in
/// the first a unit separator.
const RUSTFLAGS: [&str; 2] = ["CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS"];
/// What cargo calls the path of a binary target at run time (since 1.94), before the target's name.
const BINARY_PREFIX: &str = "CARGO_BIN_EXE_";

/// The environment as it was given: text, unjudged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given {
    /// Variables by name; only those that a setting can come from.
    pub variables: BTreeMap<String, OsString>,
    /// Whether standard error is a terminal.
    pub terminal: bool,
}

impl Given {
    /// Reads the environment of this process.
    pub fn from_env() -> Self {
        let relevant = |name: &str| {
            name.starts_with("SYSGUARD_")
                || name.starts_with("CARGO")
                || ["CI", "TF_BUILD", "RUSTC", "RUSTFLAGS", "TERM", STEP_SUMMARY, NEXTEST_BINARY_ID].contains(&name)
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

    /// The value as text: what is not UTF-8 is no value that any setting knows, and shows as such.
    fn text(&self, name: &str) -> Option<String> {
        self.variables.get(name).map(|value| value.to_string_lossy().into_owned())
    }

    /// What cargo was told about colours; nothing where the terminal decides.
    pub fn colour(&self) -> Option<bool> {
        match self.text("CARGO_TERM_COLOR").as_deref() {
            Some("always") => Some(true),
            Some("never") => Some(false),
            _ => None,
        }
    }

    /// The package whose test cargo or nextest runs.
    pub fn manifest_dir(&self) -> Option<PathBuf> {
        self.path("CARGO_MANIFEST_DIR")
    }

    /// The closure that this process is to be.
    pub fn closure(&self) -> Option<String> {
        self.text(CLOSURE)
    }

    /// What cargo gives to the compiler, as far as the environment says.
    pub fn rustflags(&self) -> String {
        RUSTFLAGS.iter().find_map(|name| self.text(name)).unwrap_or_default()
    }

    /// As insta asks it: `CI` decides unless it is unset, then whether `TF_BUILD` (Azure Pipelines)
    /// is set.
    fn in_ci(&self) -> bool {
        match self.text("CI").as_deref() {
            Some("" | "0" | "false") => false,
            Some(_) => true,
            None => self.variables.contains_key("TF_BUILD"),
        }
    }
}

/// What the command line says; it beats the environment.
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

/// What is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What to do where a workload differs from its baseline.
    pub update: UpdateMode,
    /// Nobody is watching: [`UpdateMode::Auto`] writes nothing.
    pub ci: bool,
    /// A workload that cannot be traced or lacks its program fails instead of being ignored.
    pub require: bool,
    /// How many further runs must show a finding.
    pub confirm: u32,
    /// Who watches a test against a baseline.
    pub engine: Engine,
    /// Where proposals are written instead of beside the expectations.
    pub pending_dir: Option<PathBuf>,
    /// What `pending_dir`'s tree is relative to, where cargo is not asked.
    pub workspace_root: Option<PathBuf>,
    /// Where verdicts are told to a watching `cargo sysguard test`.
    pub verdicts: Option<PathBuf>,
    /// Where a watching `cargo sysguard test` tells what it has built.
    pub artifacts: Option<PathBuf>,
    /// What the `cargo sysguard` before cargo holds locked for as long as it lives.
    pub lifeline: Option<PathBuf>,
    /// Where a watching `cargo sysguard run` tells what the tests are.
    pub plan: Option<PathBuf>,
    /// The test binary that nextest is running, as it calls it.
    pub nextest_binary: Option<String>,
    /// The program that shows differences instead of us, with its first arguments.
    pub diff_tool: Option<String>,
    /// Where GitHub Actions wants a summary.
    pub step_summary: Option<PathBuf>,
    /// Binary targets that cargo says it has built for this process, by name.
    pub binaries: BTreeMap<String, PathBuf>,
    /// The cargo that started us, else the one on the PATH.
    pub cargo: PathBuf,
    /// The compiler that it uses.
    pub rustc: PathBuf,
    /// Whether reports are coloured; nothing where the terminal decides.
    pub colour: Option<bool>,
    /// Whether what is running may be drawn: standard error is a terminal that can move its cursor.
    pub progress: bool,
}

impl Settings {
    /// What is written where a workload differs. A folder for proposals is asked for by name, so
    /// they are written in CI too.
    pub fn update(&self) -> Update {
        self.update.resolve(self.ci && self.pending_dir.is_none())
    }
}

/// A variable has a value that it cannot have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable {variable} is `{value}`, but must be {expected}; correct or unset it")]
pub struct BadVariable {
    /// Which.
    pub variable: &'static str,
    /// What it is.
    pub value: String,
    /// What it may be.
    pub expected: &'static str,
}

/// From as given to as meant. A flag beats the environment, and then the variable is not even
/// looked at.
pub fn resolve(given: &Given, flags: Flags) -> Result<Settings, BadVariable> {
    let update = match flags.update {
        Some(mode) => mode,
        None => update(given)?,
    };
    Ok(Settings {
        update,
        ci: given.in_ci(),
        require: flags.require || require(given)?,
        confirm: match flags.confirm {
            Some(runs) => runs,
            None => confirm(given)?,
        },
        engine: match flags.engine {
            Some(engine) => engine,
            None => engine(given)?,
        },
        pending_dir: flags.pending_dir.or_else(|| given.path("SYSGUARD_PENDING_DIR")),
        workspace_root: given.path("SYSGUARD_WORKSPACE_ROOT"),
        verdicts: given.path(VERDICTS),
        artifacts: given.path(ARTIFACTS),
        lifeline: given.path(LIFELINE),
        plan: given.path(PLAN),
        nextest_binary: given.text(NEXTEST_BINARY_ID),
        diff_tool: given.text("SYSGUARD_DIFF_TOOL").filter(|tool| !tool.trim().is_empty()),
        step_summary: given.path(STEP_SUMMARY),
        binaries: binaries(given),
        rustc: rustc(given),
        cargo: given.path("CARGO").unwrap_or_else(|| PathBuf::from("cargo")),
        colour: given.colour(),
        progress: given.terminal && !matches!(given.text("TERM").as_deref(), None | Some("dumb")),
    })
}

/// The platform that this crate was built for: the target of the test that links it.
pub fn platform() -> Platform {
    let triple = env!("SYSGUARD_TARGET");
    Platform::from_triple(triple).unwrap_or_else(|| Platform {
        // A custom target specification may have any name.
        arch: triple.to_owned(),
        os: env::consts::OS.to_owned(),
        env: String::new(),
    })
}

#[cfg(test)]
mod tests;
