//! The user's target runners, and the arguments that replace them with ours. Main type:
//! [`Runners`].
//!
//! Cargo takes a runner from `--config`, the environment and configuration files, in this order.
//! One for `target.TRIPLE` takes precedence over one for `target.'cfg(…)'` from any of these
//! ("Configuration" in the Cargo Book).

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use cargo_config2::{Config, ResolveOptions};
use toml_edit::{Array, DocumentMut, Item, TableLike, Value};

use super::{Line, Tool};
use crate::exit_code::Failure;

/// The runners of the targets that cargo builds for.
#[derive(Debug)]
pub(crate) struct Runners {
    /// The words of the user's runner by target triple, empty if there is no runner.
    pub(crate) inner: BTreeMap<String, Vec<String>>,
    /// The targets with a runner in `--config`, and whether that is an array. Only another
    /// `--config` overrides it.
    overridden: BTreeMap<String, bool>,
}

/// The values of `--config`.
#[derive(Debug, Default)]
struct Given {
    /// The runners by the key below `target`, a triple or a `cfg()`. The last one wins.
    runners: BTreeMap<String, Written>,
    /// `build.target`
    targets: Vec<String>,
}

/// A runner as written by the user.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Written {
    words: Vec<String>,
    is_array: bool,
}

impl Line {
    /// Returns the targets that cargo builds for, with the user's runners.
    pub(crate) fn runners(&self) -> Result<Runners, Failure> {
        let given = Given::of(&self.values("--config"))?;
        let cannot =
            |error: cargo_config2::Error| Failure::usage(format!("cannot read cargo's configuration: {error}"));
        let config = Config::load().map_err(cannot)?;
        let asked = match self.values("--target") {
            none if none.is_empty() => given.targets.iter().map(String::as_str).collect(),
            asked => asked,
        };
        let targets = config.build_target_for_cli(asked).map_err(cannot)?;
        let host = config.host_triple().map_err(cannot)?;
        let targets = if targets.is_empty() { vec![host.to_owned()] } else { targets };
        let mut runners = Runners { inner: BTreeMap::new(), overridden: BTreeMap::new() };
        for target in targets {
            let triple = triple(&target, host);
            let written = given.runners.get(&triple);
            // For nextest, a runner on the command line takes precedence over the environment.
            let is_overridden = written.is_some() || self.tool == Tool::Nextest && !given.runners.is_empty();
            if is_overridden {
                runners.overridden.insert(triple.clone(), written.is_some_and(|written| written.is_array));
            }
            let words = match written {
                Some(written) => written.words.clone(),
                None if names_triple(&triple).map_err(cannot)? => configured(&config, &target).map_err(cannot)?,
                None => match given.matching(&triple).map_err(cannot)? {
                    Some(written) => written.words,
                    None => configured(&config, &target).map_err(cannot)?,
                },
            };
            runners.inner.insert(triple, words);
        }
        Ok(runners)
    }
}

impl Runners {
    /// Returns the variables that make this program the runner of each target, for cargo and
    /// nextest.
    pub(crate) fn variables(&self, program: &Path) -> Vec<(String, String)> {
        let command = |triple: &String| ours(program, triple).join(" ");
        self.inner.keys().map(|triple| (runner_variable(triple), command(triple))).collect()
    }

    /// Returns the arguments that override a runner on the command line. Cargo uses the last one,
    /// nextest the first.
    pub(crate) fn arguments(&self, program: &Path) -> Vec<String> {
        let argument = |(triple, &is_array): (&String, &bool)| {
            let words = ours(program, triple);
            // Cargo merges a string only with a string, and an array only with an array.
            let value =
                if is_array { Value::from(words.iter().collect::<Array>()) } else { Value::from(words.join(" ")) };
            let key = toml_edit::Key::new(triple);
            ["--config".to_owned(), format!("target.{}.runner={value}", key.display_repr())]
        };
        self.overridden.iter().flat_map(argument).collect()
    }
}

fn ours(program: &Path, triple: &str) -> [String; 3] {
    [program.display().to_string(), "target-runner".to_owned(), triple.to_owned()]
}

/// Returns the name of a target in cargo's configuration.
fn triple(target: &str, host: &str) -> String {
    match target.strip_suffix(".json") {
        Some(file) => Path::new(file).file_name().unwrap_or_default().to_string_lossy().into_owned(),
        None if target == "host-tuple" => host.to_owned(),
        None => target.to_owned(),
    }
}

/// Returns whether the environment or a configuration file sets a runner for exactly this triple.
fn names_triple(triple: &str) -> Result<bool, cargo_config2::Error> {
    let files = cargo_config2::de::Config::load()?;
    let by_file = files.target.get(triple).is_some_and(|target| target.runner.is_some());
    Ok(by_file || env::var_os(runner_variable(triple)).is_some())
}

/// Returns the runner from the environment and configuration files.
fn configured(config: &Config, target: &str) -> Result<Vec<String>, cargo_config2::Error> {
    let runner = config.runner(target)?;
    let words = runner.map(|runner| {
        let words = std::iter::once(runner.path.into_os_string()).chain(runner.args);
        words.map(|word| word.to_string_lossy().into_owned()).collect()
    });
    Ok(words.unwrap_or_default())
}

impl Given {
    fn of(values: &[&str]) -> Result<Self, Failure> {
        let cannot = |value: &str, why: &dyn std::fmt::Display| {
            Failure::usage(format!("cannot read --config {value}: {}", why.to_string().trim_end()))
        };
        let here = env::current_dir().map_err(|error| cannot("", &error))?;
        let mut given = Self::default();
        for value in values {
            let path = here.join(value);
            // Cargo's rule: a value that names an existing file is a file. Paths in it are relative
            // to the parent of its folder.
            let is_file = !value.is_empty() && path.exists();
            let text = match is_file {
                true => fs::read_to_string(&path).map_err(|error| cannot(value, &error))?,
                false => (*value).to_owned(),
            };
            let base = if is_file { path.ancestors().nth(2).unwrap_or(&here).to_owned() } else { here.clone() };
            let document: DocumentMut = text.parse().map_err(|error| cannot(value, &error))?;
            given.take(&document, &base);
        }
        Ok(given)
    }

    fn take(&mut self, document: &DocumentMut, base: &Path) {
        let table = |name: &str| document.get(name).and_then(Item::as_table_like);
        for (key, target) in table("target").into_iter().flat_map(TableLike::iter) {
            let runner = target.as_table_like().and_then(|target| target.get("runner"));
            if let Some(written) = runner.and_then(|runner| Written::of(runner, base)) {
                self.runners.insert(key.to_owned(), written);
            }
        }
        if let Some((words, is_array)) = table("build").and_then(|build| build.get("target")).and_then(texts) {
            self.targets = if is_array { words } else { vec![words.join(" ")] };
        }
    }

    /// Returns the runner of the `cfg()` that matches a target.
    ///
    /// `cargo-config2` evaluates the `cfg()`. It reads a temporary file in which the command of
    /// each runner is its index.
    fn matching(&self, triple: &str) -> Result<Option<Written>, cargo_config2::Error> {
        let written: Vec<(&String, &Written)> =
            self.runners.iter().filter(|(key, _)| key.starts_with("cfg(")).collect();
        if written.is_empty() {
            return Ok(None);
        }
        let mut document = DocumentMut::new();
        for (index, (key, _)) in written.iter().enumerate() {
            document["target"][key.as_str()]["runner"] = toml_edit::value(index.to_string());
        }
        let Ok(folder) = tempfile::tempdir() else { return Ok(None) };
        if fs::write(folder.path().join("config.toml"), document.to_string()).is_err() {
            return Ok(None);
        }
        let is_other = |name: &OsString| !name.to_string_lossy().starts_with("CARGO_TARGET_");
        let options = ResolveOptions::default()
            .cargo_home(Some(folder.path().to_owned()))
            .env(env::vars_os().filter(|(name, _)| is_other(name)));
        let found = Config::load_with_options("/", options)?.runner(triple)?;
        let index = found.and_then(|runner| runner.path.to_str()?.parse::<usize>().ok());
        Ok(index.and_then(|index| written.get(index)).map(|(_, written)| (*written).clone()))
    }
}

impl Written {
    fn of(runner: &Item, base: &Path) -> Option<Self> {
        let (mut words, is_array) = texts(runner)?;
        let program = words.first_mut()?;
        if program.contains('/') {
            *program = PathBuf::from(base).join(&*program).to_string_lossy().into_owned();
        }
        Some(Self { words, is_array })
    }
}

/// Returns the words of a string or an array of strings, and whether it is an array.
fn texts(item: &Item) -> Option<(Vec<String>, bool)> {
    match (item.as_str(), item.as_array()) {
        (Some(text), _) => Some((text.split_whitespace().map(str::to_owned).collect(), false)),
        (_, Some(array)) => Some((array.iter().filter_map(|word| word.as_str().map(str::to_owned)).collect(), true)),
        _ => None,
    }
}

/// Returns the variable that sets the runner of a target in cargo and nextest. It takes precedence
/// over configuration files.
fn runner_variable(triple: &str) -> String {
    let upper = triple.to_uppercase().replace(['-', '.'], "_");
    format!("CARGO_TARGET_{upper}_RUNNER")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRIPLE: &str = "x86_64-unknown-linux-gnu";

    #[test]
    fn runner_variable_is_upper_case() {
        for (triple, variable) in [
            (TRIPLE, "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER"),
            ("thumbv8m.main-none-eabi", "CARGO_TARGET_THUMBV8M_MAIN_NONE_EABI_RUNNER"),
        ] {
            assert_eq!(runner_variable(triple), variable);
        }
    }

    #[test]
    fn targets_map_to_configuration_names() {
        for (target, known) in [(TRIPLE, TRIPLE), ("dir/my-os.json", "my-os"), ("host-tuple", "a-b-c")] {
            assert_eq!(triple(target, "a-b-c"), known);
        }
    }

    #[test]
    fn last_runner_of_a_key_wins() {
        let given = Given::of(&[
            "target.a.runner='one two'",
            "target.a.runner=['./three', 'f o u r']",
            "target.'cfg(unix)'.runner='/five'",
            "target.b.linker='six'",
            "build.target='t'",
        ])
        .expect("values");
        let here = env::current_dir().expect("a folder");
        let three = here.join("./three").display().to_string();
        assert_eq!(given.runners["a"], Written { words: vec![three, "f o u r".to_owned()], is_array: true });
        assert_eq!(given.runners["cfg(unix)"], Written { words: vec!["/five".to_owned()], is_array: false });
        assert_eq!((given.runners.len(), &given.targets[..]), (2, &["t".to_owned()][..]));
        assert_eq!(Given::of(&["no toml"]).expect_err("a usage").outcome.code(), 2);
    }

    #[test]
    fn cfg_is_matched_against_the_target() {
        let matching = |values: &[&str]| {
            let found = Given::of(values).expect("values").matching(TRIPLE).expect("a target that rustc knows");
            found.map(|written| written.words.join(" "))
        };
        let other = "target.'cfg(windows)'.runner='wine'";
        assert_eq!(
            matching(&[other, "target.'cfg(all(unix, not(windows)))'.runner='inner x'"]).as_deref(),
            Some("inner x")
        );
        assert_eq!(matching(&[other]), None);
        assert_eq!(matching(&[]), None);
    }

    #[test]
    fn override_has_the_form_of_the_users_runner() {
        let inner = BTreeMap::from([("a.b-c".to_owned(), Vec::new()), ("d".to_owned(), Vec::new())]);
        let overridden = BTreeMap::from([("a.b-c".to_owned(), true), ("d".to_owned(), false)]);
        let runners = Runners { inner, overridden };
        let arguments = runners.arguments(Path::new("/p"));
        let array = "target.\"a.b-c\".runner=[\"/p\", \"target-runner\", \"a.b-c\"]";
        assert_eq!(arguments, ["--config", array, "--config", "target.d.runner=\"/p target-runner d\""]);
    }
}
