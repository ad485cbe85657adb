//! The runner that each target would have without us, and how ours takes its place. Main type:
//! [`Runners`].
//!
//! Cargo takes a runner from `--config`, the environment and configuration files, in this order;
//! and one for `target.TRIPLE` before one for `target.'cfg(…)'`, wherever that is written
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
    /// The words of the user's runner by target triple; none where there is no such runner.
    pub(crate) inner: BTreeMap<String, Vec<String>>,
    /// The targets of which `--config` names a runner, and whether it is written as an array: only
    /// another `--config` displaces it.
    displacing: BTreeMap<String, bool>,
}

/// What the values of `--config` say.
#[derive(Debug, Default)]
struct Given {
    /// By the key below `target`: a triple or a `cfg()`. The last one wins.
    runners: BTreeMap<String, Written>,
    /// `build.target`
    targets: Vec<String>,
}

/// A runner as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Written {
    words: Vec<String>,
    is_array: bool,
}

impl Line {
    /// The targets that cargo builds for, and the runners that the user names for them.
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
        let mut runners = Runners { inner: BTreeMap::new(), displacing: BTreeMap::new() };
        for target in targets {
            let triple = triple(&target, host);
            let written = given.runners.get(&triple);
            // Nextest takes any runner of its command line before that of the environment.
            let is_displaced = written.is_some() || self.tool == Tool::Nextest && !given.runners.is_empty();
            if is_displaced {
                runners.displacing.insert(triple.clone(), written.is_some_and(|written| written.is_array));
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
    /// The variables by which cargo and nextest take this program as the runner of each target.
    pub(crate) fn variables(&self, program: &Path) -> Vec<(String, String)> {
        let command = |triple: &String| ours(program, triple).join(" ");
        self.inner.keys().map(|triple| (runner_variable(triple), command(triple))).collect()
    }

    /// The arguments by which cargo and nextest do so where the command line names another: cargo
    /// takes the last one, nextest the first.
    pub(crate) fn arguments(&self, program: &Path) -> Vec<String> {
        let argument = |(triple, &is_array): (&String, &bool)| {
            let words = ours(program, triple);
            // Cargo merges a text with a text and an array with an array only.
            let value =
                if is_array { Value::from(words.iter().collect::<Array>()) } else { Value::from(words.join(" ")) };
            let key = toml_edit::Key::new(triple);
            ["--config".to_owned(), format!("target.{}.runner={value}", key.display_repr())]
        };
        self.displacing.iter().flat_map(argument).collect()
    }
}

fn ours(program: &Path, triple: &str) -> [String; 3] {
    [program.display().to_string(), "target-runner".to_owned(), triple.to_owned()]
}

/// The name by which cargo's configuration knows a target.
fn triple(target: &str, host: &str) -> String {
    match target.strip_suffix(".json") {
        Some(file) => Path::new(file).file_name().unwrap_or_default().to_string_lossy().into_owned(),
        None if target == "host-tuple" => host.to_owned(),
        None => target.to_owned(),
    }
}

/// Whether the environment or a file names a runner for exactly this triple.
fn names_triple(triple: &str) -> Result<bool, cargo_config2::Error> {
    let files = cargo_config2::de::Config::load()?;
    let by_file = files.target.get(triple).is_some_and(|target| target.runner.is_some());
    Ok(by_file || env::var_os(runner_variable(triple)).is_some())
}

/// The runner by environment and files.
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
            // As cargo has it: what exists is a file, and its paths begin at the folder above its
            // own.
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

    /// The runner of the `cfg()` that matches a target.
    ///
    /// The crate that reads configurations decides: it is given the places of the runners as their
    /// commands, in a file of its own.
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

/// The words of a text or of an array of texts, and whether it is an array.
fn texts(item: &Item) -> Option<(Vec<String>, bool)> {
    match (item.as_str(), item.as_array()) {
        (Some(text), _) => Some((text.split_whitespace().map(str::to_owned).collect(), false)),
        (_, Some(array)) => Some((array.iter().filter_map(|word| word.as_str().map(str::to_owned)).collect(), true)),
        _ => None,
    }
}

/// The variable by which cargo and nextest take the runner of a target; it wins over configuration
/// files.
fn runner_variable(triple: &str) -> String {
    let upper = triple.to_uppercase().replace(['-', '.'], "_");
    format!("CARGO_TARGET_{upper}_RUNNER")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRIPLE: &str = "x86_64-unknown-linux-gnu";

    #[test]
    fn the_variable_of_a_target_is_upper_case() {
        for (triple, variable) in [
            (TRIPLE, "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER"),
            ("thumbv8m.main-none-eabi", "CARGO_TARGET_THUMBV8M_MAIN_NONE_EABI_RUNNER"),
        ] {
            assert_eq!(runner_variable(triple), variable);
        }
    }

    #[test]
    fn targets_are_known_by_their_triples() {
        for (target, known) in [(TRIPLE, TRIPLE), ("dir/my-os.json", "my-os"), ("host-tuple", "a-b-c")] {
            assert_eq!(triple(target, "a-b-c"), known);
        }
    }

    #[test]
    fn the_last_runner_of_a_key_is_taken() {
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
    fn a_cfg_is_matched_against_the_target() {
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
    fn ours_displaces_a_runner_in_its_own_form() {
        let inner = BTreeMap::from([("a.b-c".to_owned(), Vec::new()), ("d".to_owned(), Vec::new())]);
        let displacing = BTreeMap::from([("a.b-c".to_owned(), true), ("d".to_owned(), false)]);
        let runners = Runners { inner, displacing };
        let arguments = runners.arguments(Path::new("/p"));
        let array = "target.\"a.b-c\".runner=[\"/p\", \"target-runner\", \"a.b-c\"]";
        assert_eq!(arguments, ["--config", array, "--config", "target.d.runner=\"/p target-runner d\""]);
    }
}
