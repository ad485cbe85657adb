//! `cargo sysguard init`: writes an expectation for each program of a package. Main type:
//! [`Options`]. It must not overwrite a file.

mod documents;
mod lines;
mod manifest;
mod source;

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::process::Stdio;

use cargo_metadata::Package;
use sysguard::unstable::artifacts::{self, Artifacts, Build, Target};
use sysguard::unstable::linux::NEEDED;
use sysguard::unstable::runner::Suite;
use sysguard::unstable::settings::{Flags, Settings};

use crate::cargo::{BuildFlags, Selected};
use crate::context::Context;
use crate::exit_code::{Failure, Outcome};
use crate::output::ReportFile;
use crate::suites;
use documents::{Draft, Drafts, End, enabled};
use source::Source;

/// `init`'s options.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Options {
    /// Make `cargo test` check the workloads too: add a test target `sysguard` and its dependency
    #[arg(long)]
    harness: bool,
    /// Do not build and run the programs
    #[arg(long)]
    no_run: bool,
    #[command(flatten)]
    cargo: BuildFlags,
}

const AFTER_HELP: &str = "\
Writes expectations/NAME.yaml for each binary of the selected packages (for each example of a package without binaries), and adds the line \
`*.yaml.new` to .gitignore. Builds each program and runs it once without arguments, for at most 5 s, to record how it ends: \
`exit:` for a status other than 0, `stop:` for a server. Existing files are not overwritten.";

/// The pattern of proposals, which are not committed.
const IGNORED: &str = "*.yaml.new";

const HARNESS: &str = "\
//! Every file in expectations/ is a test of its own.

fn main() -> std::process::ExitCode {
    sysguard::harness::main(env!(\"CARGO_MANIFEST_DIR\"))
}
";

impl Options {
    /// Writes the missing files and prints each step.
    pub(crate) fn exec(self, context: &Context) -> Result<Outcome, Failure> {
        let settings = context.settings(Flags::default())?;
        let Selected { root, packages, .. } = self.cargo.packages.select(&settings.cargo)?;
        let mut plans = Vec::new();
        for package in &packages {
            plans.push(Plan::of(package, &root, &self.cargo, &settings)?);
        }
        let built = if self.no_run { Artifacts::default() } else { self.build(&plans, &settings) };
        let mut out = crate::output::stdout();
        let mut print = |line: &dyn fmt::Display| writeln!(out, "{line}").map_err(Failure::output);
        for plan in &mut plans {
            plan.suite.add_artifacts(built.clone());
            plan.write(&root, &built, &mut print)?;
            if self.harness {
                let folder = artifacts::root(plan.package);
                print(&new_file(&root, &folder.join("tests/sysguard.rs"), HARNESS)?)?;
                let file = folder.join("Cargo.toml");
                let source = || Source::find(&settings.cargo, &file, &self.cargo.packages.lock_flags());
                manifest::edit(&file, source)?.iter().try_for_each(|line| print(line))?;
            }
        }
        let mut ignored = Vec::new();
        for package in &packages {
            ignored.push(ignore_proposals(&root, &artifacts::root(package))?);
        }
        ignored.dedup();
        ignored.iter().try_for_each(|line| print(line))?;
        print(&next(&plans, &self.cargo.packages.selection(), self.harness))?;
        Ok(Outcome::Expected)
    }

    /// Builds the programs to run. Returns nothing where this platform cannot trace.
    fn build(&self, plans: &[Plan<'_>], settings: &Settings) -> Artifacts {
        let targets =
            |plan: &Plan<'_>| plan.drafts.iter().map(|draft| draft.target.clone()).collect::<BTreeSet<Target>>();
        let wanted: Vec<(&Package, BTreeSet<Target>)> =
            plans.iter().map(|plan| (plan.package, targets(plan))).collect();
        if NEEDED.is_some() || wanted.iter().all(|(_, targets)| targets.is_empty()) {
            return Artifacts::default();
        }
        let flags = self.cargo.build_flags();
        let build = Build { cargo: &settings.cargo, flags: &flags, shown: true, stdin: Stdio::null(), without: &[] };
        build.run(&wanted)
    }
}

/// The files to write into one package.
struct Plan<'a> {
    package: &'a Package,
    suite: Suite,
    drafts: Vec<Draft>,
    skipped: Vec<String>,
}

impl<'a> Plan<'a> {
    fn of(package: &'a Package, root: &Path, flags: &BuildFlags, settings: &Settings) -> Result<Self, Failure> {
        let folder = artifacts::root(package);
        let suite =
            Suite::open(&folder, Some(root), suites::platform(flags)?, settings.clone()).map_err(Failure::failed)?;
        let features = enabled(package, flags.features_of(package));
        let Drafts { drafts, skipped } = Drafts::of(package, &suite, &features);
        Ok(Self { package, suite, drafts, skipped })
    }

    /// Writes the documents. Each records how its program ends.
    fn write(&self, root: &Path, built: &Artifacts, print: &mut Print<'_>) -> Result<(), Failure> {
        let folder = artifacts::root(self.package);
        self.skipped.iter().try_for_each(|line| print(line))?;
        for draft in &self.drafts {
            let is_built = built.get(&folder, &draft.target).is_some_and(|executable| executable.is_ok());
            let file = folder.join(draft.file());
            let end = if is_built && !file.exists() { draft.end(&self.suite) } else { End::Good };
            print(&new_file(root, &file, &draft.text(end))?)?;
            if let End::Status(code) = end {
                let (name, file) = (draft.name(), draft.file());
                print(&format!(
                    "{name} ended with exit status {code} without arguments: edit {file} before you bless it"
                ))?;
            }
        }
        Ok(())
    }
}

/// Prints one line.
type Print<'a> = dyn FnMut(&dyn fmt::Display) -> Result<(), Failure> + 'a;

/// Writes a file unless it exists, and returns the line to print.
fn new_file(workspace: &Path, path: &Path, content: &str) -> Result<String, Failure> {
    let shown = path.strip_prefix(workspace).unwrap_or(path).display();
    let create = || -> io::Result<()> {
        fs::create_dir_all(path.parent().unwrap_or(workspace))?;
        OpenOptions::new().write(true).create_new(true).open(path)?.write_all(content.as_bytes())
    };
    match create() {
        Ok(()) => Ok(format!("wrote {shown}")),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(format!("kept {shown}: it already exists")),
        Err(error) => Err(Failure::failed(format!("cannot write {}: {error}", path.display()))),
    }
}

/// Adds the pattern of proposals to a `.gitignore` and returns the line to print.
///
/// Uses the nearest file between the package and the top of its repository, unless one has the
/// pattern already. Creates one in the workspace if there is none.
fn ignore_proposals(workspace: &Path, folder: &Path) -> Result<String, Failure> {
    let base = if folder.starts_with(workspace) { workspace } else { folder };
    let top = folder.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(base);
    let above = folder.ancestors().take_while(|folder| folder.starts_with(top)).map(|folder| folder.join(".gitignore"));
    let mut nearest = None;
    for file in above {
        let shown = file.strip_prefix(workspace).unwrap_or(&file).display().to_string();
        let failed = |error: io::Error| Failure::failed(format!("cannot read {}: {error}", file.display()));
        let text = match fs::read(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(failed(error)),
        };
        match lines::appended(&text, IGNORED) {
            None => return Ok(format!("kept {shown}: it already contains `{IGNORED}`")),
            Some(after) => nearest = nearest.or(Some((file, after))),
        }
    }
    let (file, after) = nearest.unwrap_or_else(|| (base.join(".gitignore"), format!("{IGNORED}\n").into_bytes()));
    let failed = |error: io::Error| Failure::failed(format!("cannot add `{IGNORED}` to {}: {error}", file.display()));
    let mut new = ReportFile::prepare(&file).map_err(|error| failed(io::Error::other(error)))?;
    new.write_all(&after).and_then(|()| new.finish()).map_err(failed)?;
    Ok(format!("wrote `{IGNORED}` to {}", file.strip_prefix(workspace).unwrap_or(&file).display()))
}

/// Returns the list of next commands.
fn next(plans: &[Plan<'_>], selection: &str, harness: bool) -> String {
    let has_workloads = |plan: &Plan<'_>| !plan.drafts.is_empty() || !plan.suite.cases().is_empty();
    let commands = if plans.iter().any(has_workloads) {
        let bless = (format!("cargo sysguard bless{selection}"), "run the workloads and record what they use");
        let test = (format!("cargo sysguard test{selection}"), "compare them with their baselines");
        let cargo = (format!("cargo test{selection} --test sysguard"), "the same through cargo");
        [bless, test].into_iter().chain(harness.then_some(cargo)).collect()
    } else {
        vec![
            (format!("cargo sysguard run --update unseen -- test{selection}"), "record what the tests use"),
            (format!("cargo sysguard run -- test{selection}"), "compare them with their baselines"),
            (format!("cargo sysguard init{selection}"), "again, once there is a binary or an example to run"),
        ]
    };
    let names: Vec<&str> =
        plans.iter().filter(|plan| !has_workloads(plan)).map(|plan| plan.package.name.as_str()).collect();
    let mut text = String::new();
    if !names.is_empty() {
        text += &format!("nothing to run in {}: no binary or example\n", names.join(", "));
    }
    text += "\nnext:";
    let width = commands.iter().map(|(command, _)| command.len()).max().unwrap_or_default();
    for (command, meaning) in commands {
        text += &format!("\n  {command:width$}  {meaning}");
    }
    text
}
