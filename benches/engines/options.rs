//! The command line of the benchmark. Main type: [`Options`].

use std::ffi::OsString;
use std::path::PathBuf;

use crate::engines::Engine;

/// What to measure, and how.
pub(crate) struct Options {
    pub(crate) quick: bool,
    pub(crate) rounds: usize,
    /// Measure cost by size instead of the table.
    pub(crate) growth: bool,
    pub(crate) svg: Option<PathBuf>,
    engines: Vec<Engine>,
    workloads: Vec<String>,
}

impl Options {
    /// Parses the arguments; cargo's own `--bench` is ignored.
    pub(crate) fn read(words: &[OsString]) -> Result<Self, String> {
        let mut options =
            Self { quick: false, growth: false, rounds: 0, svg: None, engines: Vec::new(), workloads: Vec::new() };
        let mut words = words.iter().map(|word| word.to_string_lossy().into_owned());
        while let Some(word) = words.next() {
            let mut value = |name: &str| words.next().ok_or_else(|| format!("{name} needs a value"));
            match word.as_str() {
                "--bench" => {}
                "--quick" => options.quick = true,
                "--growth" => options.growth = true,
                "--rounds" => options.rounds = value("--rounds")?.parse().map_err(|_| "--rounds needs a number")?,
                "--svg" => options.svg = Some(value("--svg")?.into()),
                "--engine" => {
                    let name = value("--engine")?;
                    options.engines.push(Engine::from_name(&name).ok_or_else(|| Engine::unknown(&name))?);
                }
                flag if flag.starts_with('-') => {
                    return Err(format!(
                        "unknown option {flag}: use --quick, --growth, --rounds N, --engine NAME or --svg FILE"
                    ));
                }
                _ => options.workloads.push(word),
            }
        }
        if options.rounds == 0 {
            options.rounds = if options.quick { 3 } else { 9 };
        }
        Ok(options)
    }

    /// Native times are always measured, since every ratio needs them.
    pub(crate) fn wants_engine(&self, engine: Engine) -> bool {
        let chosen = self.engines.contains(&engine) || self.engines.is_empty() && !engine.is_floor();
        engine != Engine::Native && chosen && engine.is_installed()
    }

    pub(crate) fn wants_workload(&self, name: &str) -> bool {
        self.workloads.is_empty() || self.workloads.iter().any(|part| name.contains(part.as_str()))
    }
}
