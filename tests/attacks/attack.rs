//! An attack in C and what every engine must find in it, both read from one file. Main type:
//! [`Attack`].
//!
//! The comment at the head of such a file says what happens, and below that what must be found:
//!
//! | line | meaning | default |
//! |---|---|---|
//! | `new: network::socket, A \| B` | the facts that mode B adds to mode A; of `A \| B` one is enough | not allowed without `held` |
//! | `held: blind_spots::unanswerable` | facts that every run of both modes must show: a reported blind spot | nothing |
//! | `engines: guard` | the engines that are tested | guard, ptrace, notify |
//! | `variants: a, b` | a trial for each, its name the second argument | one trial without |
//! | `times: 4` | how many runs of mode B each engine must judge correctly | 1 |
//! | `happens: by chance` | a run that exits with 3 does not count: the race did not happen | each run exits with 0 |
//! | `user: ordinary` | the trial is run by an ordinary user, also where the suite runs as root | the user that runs the suite |
//! | `mode: 0111` | the mode of the program's file | 0755 |
//! | `needs: root, x86_64` | what else it needs than a C compiler | nothing |
//! | `build: -static` | further arguments of the compiler | none |
//!
//! A program that exits with 77 in mode A cannot be run here; its output is the reason.

use std::path::{Path, PathBuf};

use sysguard::unstable::model::facts::fact::Fact;
use sysguard::unstable::model::observe::observation::Engine;

use crate::needs::Need;

/// A program that does something new in mode B.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attack {
    /// Its path below `tests/attacks`, and its variant: `paths::self::double_slash`.
    pub(crate) name: String,
    pub(crate) source: PathBuf,
    pub(crate) variant: Option<String>,
    /// One fact of each list must be found.
    pub(crate) new: Vec<Vec<Fact>>,
    /// Facts that every run of either mode shows.
    pub(crate) held: Vec<Fact>,
    pub(crate) engines: Vec<Engine>,
    pub(crate) times: u32,
    pub(crate) by_chance: bool,
    pub(crate) by_ordinary_user: bool,
    pub(crate) mode: u32,
    pub(crate) needs: Vec<Need>,
    pub(crate) build: Vec<String>,
}

impl Attack {
    /// Returns every attack, ordered by name, or the error of a file that cannot be parsed.
    pub(crate) fn all() -> Vec<(String, Result<Self, String>)> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/attacks");
        let mut sources: Vec<PathBuf> = folder(&root)
            .iter()
            .flat_map(|kind| folder(kind))
            .filter(|path| path.extension() == Some("c".as_ref()))
            .collect();
        sources.sort();
        sources
            .iter()
            .flat_map(|source| {
                let below = source.strip_prefix(&root).unwrap_or(source).with_extension("");
                let name = below.to_string_lossy().replace('/', "::");
                let text = std::fs::read_to_string(source).map_err(|error| error.to_string());
                match text.and_then(|text| Self::read(&name, source, &text)) {
                    Ok(attacks) => attacks.into_iter().map(|attack| (attack.name.clone(), Ok(attack))).collect(),
                    Err(fault) => vec![(name, Err(format!("{}: {fault}", source.display())))],
                }
            })
            .collect()
    }

    /// Returns one attack for each variant.
    pub(crate) fn read(name: &str, source: &Path, text: &str) -> Result<Vec<Self>, String> {
        let head: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("//")).map(str::trim).collect();
        let mut parts = head.splitn(2, |line| line.is_empty());
        if parts.next().is_none_or(<[&str]>::is_empty) {
            return Err("no sentence about what happens".to_owned());
        }
        let mut attack = Self::without_truth(name, source);
        let mut variants = Vec::new();
        for line in parts.next().unwrap_or_default() {
            let (key, value) = line.split_once(": ").ok_or_else(|| format!("expected `key: value`, found: {line}"))?;
            if key == "variants" {
                variants.extend(value.split(", ").map(str::to_owned));
            } else {
                attack.take(key, value).ok_or_else(|| format!("unknown key or value: {line}"))?;
            }
        }
        if attack.new.is_empty() && attack.held.is_empty() {
            return Err("needs a line `new:` or `held:`".to_owned());
        }
        let of_variant =
            |variant: String| Self { name: format!("{name}::{variant}"), variant: Some(variant), ..attack.clone() };
        Ok(if variants.is_empty() { vec![attack] } else { variants.into_iter().map(of_variant).collect() })
    }

    fn without_truth(name: &str, source: &Path) -> Self {
        Self {
            name: name.to_owned(),
            source: source.to_owned(),
            variant: None,
            new: Vec::new(),
            held: Vec::new(),
            engines: ENGINES.to_vec(),
            times: 1,
            by_chance: false,
            by_ordinary_user: false,
            mode: 0o755,
            needs: Vec::new(),
            build: Vec::new(),
        }
    }

    fn take(&mut self, key: &str, value: &str) -> Option<()> {
        match key {
            "new" => {
                let alternatives = |item: &str| item.split(" | ").map(|fact| fact.parse().ok()).collect();
                self.new.extend(value.split(", ").map(alternatives).collect::<Option<Vec<Vec<Fact>>>>()?);
            }
            "held" => self.held = value.split(", ").map(|fact| fact.parse().ok()).collect::<Option<_>>()?,
            "engines" => {
                let asked = value.split(", ").map(engine).collect::<Option<Vec<Engine>>>()?;
                self.engines.retain(|engine| asked.contains(engine));
            }
            "times" => self.times = value.parse().ok()?,
            "happens" => self.by_chance = (value == "by chance").then_some(true)?,
            "user" => self.by_ordinary_user = (value == "ordinary").then_some(true)?,
            "mode" => self.mode = u32::from_str_radix(value, 8).ok()?,
            "needs" => self.needs = value.split(", ").map(Need::from_word).collect::<Option<_>>()?,
            "build" => self.build = value.split_whitespace().map(str::to_owned).collect(),
            _ => return None,
        }
        Some(())
    }
}

/// The engines of this architecture.
const ENGINES: &[Engine] = if cfg!(target_arch = "x86_64") {
    &[Engine::Guard, Engine::Ptrace, Engine::Notify]
} else {
    &[Engine::Guard, Engine::Ptrace]
};

fn engine(name: &str) -> Option<Engine> {
    match name {
        "guard" => Some(Engine::Guard),
        "ptrace" => Some(Engine::Ptrace),
        "notify" => Some(Engine::Notify),
        _ => None,
    }
}

fn folder(path: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}
