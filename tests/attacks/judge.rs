//! Blesses mode A of an attack by ptrace, and lets every engine judge mode B.

use std::collections::BTreeSet;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sysguard::unstable::model::expectation::Baseline;
use sysguard::unstable::model::facts::fact::Fact;
use sysguard::unstable::model::observe::observation::Engine;
use sysguard::unstable::model::run::workload::Exit;
use sysguard::unstable::settings;

use crate::attack::Attack;
use crate::engines::{Bench, Run, Target, fresh_folder};

/// How many runs of mode A a baseline holds.
const RECORDED: usize = 3;
/// How many runs are tried for one in which a race happens.
const TRIES: u32 = 20;
/// How long an engine may take for all its runs.
const PATIENCE: Duration = Duration::from_secs(10);

/// The exit status of a program that did its work.
const DONE: Exit = Exit::Exited(0);
const NO_RACE: Exit = Exit::Exited(3);
const IMPOSSIBLE: Exit = Exit::Exited(77);

/// The result of a trial.
#[derive(Debug)]
pub(crate) enum Judged {
    Right,
    /// The program cannot be run here, for this reason.
    Impossible(String),
    Wrong(String),
}

/// Builds the program of an attack in `folder`.
pub(crate) fn build(attack: &Attack, folder: &Path) -> Result<PathBuf, String> {
    let program = folder.join("attack");
    let flags = ["-O1", "-g", "-Wall", "-Wextra", "-Werror", "-pthread", "-o"];
    let mut cc = Command::new("cc");
    let cc = cc.args(flags).arg(&program).arg(&attack.source).args(&attack.build).stdin(Stdio::null());
    let built = cc.output().map_err(|error| format!("cannot run cc: {error}"))?;
    if !built.status.success() {
        return Err(String::from_utf8_lossy(&built.stderr).into_owned());
    }
    let mode = std::fs::Permissions::from_mode(attack.mode);
    std::fs::set_permissions(&program, mode).map_err(|error| format!("cannot set the mode: {error}"))?;
    Ok(program)
}

/// Judges an attack; each run has its own folder below `folder`.
pub(crate) fn judge(attack: &Attack, program: &Path, folder: &Path) -> Judged {
    let trial = Trial { attack, program, folder };
    trial.judge().unwrap_or_else(Judged::Wrong)
}

struct Trial<'a> {
    attack: &'a Attack,
    program: &'a Path,
    folder: &'a Path,
}

impl Trial<'_> {
    fn judge(&self) -> Result<Judged, String> {
        let (exit, output) = self.untraced("A")?;
        match exit {
            DONE => {}
            IMPOSSIBLE => return Ok(Judged::Impossible(output)),
            _ => return Err(format!("mode A untraced: {exit:?}: {output}")),
        }
        self.check_mode_b_untraced()?;
        let bench = Bench::new(settings::platform())?;
        let baseline = self.bless(&bench)?;
        let held = baseline.expected();
        if let Some(fact) = self.attack.new.iter().flatten().find(|fact| held.contains(fact)) {
            return Err(format!("mode A does {fact} already"));
        }
        if let Some(fact) = self.attack.held.iter().find(|fact| !held.contains(fact)) {
            return Err(format!("mode A does not show {fact}"));
        }
        let wrong: Vec<String> =
            self.attack.engines.iter().filter_map(|engine| self.by_engine(*engine, &bench, &baseline).err()).collect();
        if wrong.is_empty() { Ok(Judged::Right) } else { Err(wrong.join("\n")) }
    }

    /// Fails if mode B does not do its new action without a tracer.
    fn check_mode_b_untraced(&self) -> Result<(), String> {
        let start = Instant::now();
        for _ in 0..TRIES {
            match self.untraced("B")? {
                (DONE, _) => return Ok(()),
                (NO_RACE, _) if self.attack.by_chance && start.elapsed() < PATIENCE => {}
                // Some races happen only with a tracer's delays.
                (NO_RACE, _) if self.attack.by_chance => return Ok(()),
                (exit, output) => return Err(format!("mode B untraced: {exit:?}: {output}")),
            }
        }
        Ok(())
    }

    fn bless(&self, bench: &Bench) -> Result<Baseline, String> {
        let nothing = bench.baseline(BTreeSet::new());
        let mut facts = BTreeSet::new();
        for _ in 0..RECORDED {
            let run = bench.run(Engine::Ptrace, &self.target("A"), &nothing)?;
            if run.exit != DONE {
                return Err(format!("mode A: {:?}: {}", run.exit, run.output));
            }
            facts.extend(run.facts);
        }
        Ok(bench.baseline(facts))
    }

    fn by_engine(&self, engine: Engine, bench: &Bench, baseline: &Baseline) -> Result<(), String> {
        let held = baseline.expected();
        let start = Instant::now();
        let (mut judged, mut missed, mut missing) = (0, 0, BTreeSet::new());
        for _ in 0..self.attack.times * TRIES {
            if judged == self.attack.times || start.elapsed() > PATIENCE {
                break;
            }
            let run = bench.run(engine, &self.target("B"), baseline)?;
            self.shown(engine, &run, &held);
            match run.exit {
                DONE => judged += 1,
                NO_RACE if self.attack.by_chance => continue,
                exit => return Err(format!("{engine:?}: mode B: {exit:?}: {}", run.output)),
            }
            let new: BTreeSet<Fact> = run.reached.difference(&held).cloned().collect();
            let is_missed = |facts: &&Vec<Fact>| facts.iter().all(|fact| !new.contains(fact));
            let wanting: Vec<&Vec<Fact>> = self.attack.new.iter().filter(is_missed).collect();
            let unnamed: Vec<&Fact> = self.attack.held.iter().filter(|fact| !run.facts.contains(fact)).collect();
            missed += u32::from(!wanting.is_empty() || !unnamed.is_empty());
            missing.extend(wanting.into_iter().flatten().chain(unnamed).map(ToString::to_string));
        }
        if missed == 0 {
            return Ok(());
        }
        let missing: Vec<String> = missing.into_iter().collect();
        Err(format!("{engine:?} missed {} in {missed} of {judged} runs", missing.join(", ")))
    }

    fn target(&self, mode: &str) -> Target {
        let args = [mode.to_owned()].into_iter().chain(self.attack.variant.clone()).collect();
        let (program, folder) = (self.program.to_owned(), self.folder.to_owned());
        Target { program, args, folder, timeout: Duration::from_secs(60) }
    }

    /// Writes a run to standard error if `SYSGUARD_SHOW_RUNS` is set.
    fn shown(&self, engine: Engine, run: &Run, held: &BTreeSet<Fact>) {
        if std::env::var_os("SYSGUARD_SHOW_RUNS").is_none() {
            return;
        }
        let new: Vec<String> = run.reached.difference(held).map(ToString::to_string).collect();
        let (name, new) = (&self.attack.name, new.join(" "));
        let line = format!("{name}: {engine:?} {:?} {:?} [{new}] {}\n", run.exit, run.incomplete, run.output);
        // A failed write does not change the result.
        drop(std::io::stderr().write_all(line.as_bytes()));
    }

    fn untraced(&self, mode: &str) -> Result<(Exit, String), String> {
        let (target, cwd) = (self.target(mode), fresh_folder(self.folder)?);
        let output = Command::new(&target.program)
            .args(&target.args)
            .current_dir(cwd.path())
            .env_clear()
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("cannot run {}: {error}", target.program.display()))?;
        let code = output.status.code();
        let exit = code.map_or_else(|| Exit::Signaled(signal_of(output.status)), Exit::Exited);
        Ok((exit, String::from_utf8_lossy(&output.stdout).trim().to_owned()))
    }
}

fn signal_of(status: std::process::ExitStatus) -> i32 {
    std::os::unix::process::ExitStatusExt::signal(&status).unwrap_or_default()
}
