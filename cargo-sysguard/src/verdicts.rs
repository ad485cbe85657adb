//! The report of verdicts in `test`, `bless` and `run`: `--format`, `-o`, and the step summary of
//! GitHub Actions. Main type: [`Report`].
//!
//! It must not change the outcome of a command: the exit code is the same in every format.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

use sysguard::unstable::artifacts;
use sysguard::unstable::harness::Console;
use sysguard::unstable::model::facts::finding::Comparison;
use sysguard::unstable::model::judge::verdict::Verdict;
use sysguard::unstable::report::{self, PackageExplorations, PackageVerdicts, VerdictFormat};
use sysguard::unstable::settings::Settings;

use crate::exit_code::Failure;
use crate::message;
use crate::output::{self, ReportFile};
use crate::suites::Package;

/// The size limit of a step summary, in bytes. GitHub drops a summary of more than 1 MiB entirely.
const STEP_SUMMARY: u64 = 1_000_000;

/// The flags for the report of verdicts.
#[derive(Debug, clap::Args)]
pub(crate) struct ReportFlags {
    /// Write verdicts in this format: table, markdown, json, yaml, csv, junit, sarif, github or
    /// gitlab
    #[arg(long, value_name = "FORMAT", default_value_t)]
    format: VerdictFormat,
    /// Write the verdicts to a file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl ReportFlags {
    /// Checks that the report can be written, before anything runs.
    pub(crate) fn prepare(&self, command: &'static str, settings: &Settings) -> Result<Report<'_>, Failure> {
        let file = self.output.as_deref().map(ReportFile::prepare).transpose().map_err(Failure::failed)?;
        let summary = settings.step_summary.clone().filter(|_| self.format == VerdictFormat::Github);
        Ok(Report { command, format: self.format, file, summary, files: settings.repository_files.clone() })
    }

    /// Returns the stream for progress. A machine-readable format needs standard output for itself.
    pub(crate) fn console(&self) -> Console {
        if self.format.is_table() { Console::Stdout } else { Console::Stderr }
    }
}

/// A report to be written at the end.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    command: &'static str,
    format: VerdictFormat,
    file: Option<ReportFile<'a>>,
    /// `$GITHUB_STEP_SUMMARY`, for the format `github`.
    summary: Option<PathBuf>,
    /// The address of the repository's files, for links in the summary.
    files: Option<String>,
}

impl Report<'_> {
    /// Writes the verdicts of the whole run.
    pub(crate) fn write(self, by_package: VerdictsByPackage) -> Result<(), Failure> {
        let packages = by_package.into_packages();
        let mut text = Vec::new();
        report::verdicts(&mut text, self.command, &packages, self.format).map_err(cannot_write)?;
        let (summary, files) = (self.summary.clone(), self.files.clone());
        self.put(&text)?;
        put_summary(summary.as_deref(), |limit| report::step_summary(&packages, limit, files.as_deref()));
        Ok(())
    }

    /// Writes the explorations of the whole run.
    pub(crate) fn write_explorations(self, packages: &[PackageExplorations]) -> Result<(), Failure> {
        let mut text = Vec::new();
        report::explorations(&mut text, packages, self.format).map_err(cannot_write)?;
        let summary = self.summary.clone();
        self.put(&text)?;
        put_summary(summary.as_deref(), |limit| report::exploration_step_summary(packages, limit));
        Ok(())
    }

    /// Writes the report to its file, or to standard output.
    fn put(self, text: &[u8]) -> Result<(), Failure> {
        match self.file {
            Some(mut file) => file.write_all(text).and_then(|()| file.finish()).map_err(cannot_write),
            // Each was printed when its workload ended.
            None if self.format.is_table() => Ok(()),
            None => output::plain_stdout().write_all(text).map_err(Failure::output),
        }
    }
}

fn cannot_write(error: io::Error) -> Failure {
    Failure::failed(format!("cannot write the verdicts: {error}"))
}

/// Appends a page to the step summary, if there is one. `page` gets its maximum size.
fn put_summary(path: Option<&Path>, page: impl FnOnce(usize) -> String) {
    let Some(path) = path else { return };
    if let Err(error) = append_summary(path, page) {
        let message = format!("cannot write the summary to {}: {error}", path.display());
        let _ = writeln!(anstream::stderr(), "{}", message::warning(&message));
    }
}

/// Appends the summary, cut so that the whole file fits the limit. The text of other steps stays.
fn append_summary(path: &Path, page: impl FnOnce(usize) -> String) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    let limit = STEP_SUMMARY.saturating_sub(file.metadata()?.len());
    let page = page(usize::try_from(limit).unwrap_or(usize::MAX));
    if page.is_empty() {
        return Err(io::Error::other(format!("the file is full: the limit is {STEP_SUMMARY} bytes")));
    }
    file.write_all(page.as_bytes())
}

/// The verdicts so far, by the folder of their package.
#[derive(Debug)]
pub(crate) struct VerdictsByPackage {
    packages: Vec<(PathBuf, PackageVerdicts)>,
}

impl VerdictsByPackage {
    /// Returns an empty list for these packages.
    pub(crate) fn of(packages: &[Package]) -> Self {
        let named = |package: &Package| (artifacts::root(&package.metadata), package.metadata.name.to_string());
        Self::named(packages.iter().map(named))
    }

    /// Returns an empty list for packages with these folders and names.
    pub(crate) fn named(packages: impl Iterator<Item = (PathBuf, String)>) -> Self {
        let nothing = |(folder, name): (PathBuf, String)| {
            let verdicts = PackageVerdicts {
                name,
                folder: below_git(&folder),
                verdicts: Vec::new(),
                ..PackageVerdicts::default()
            };
            (folder, verdicts)
        };
        Self { packages: packages.map(nothing).collect() }
    }

    /// Adds a verdict on a workload of the package in this folder.
    pub(crate) fn add(&mut self, folder: &Path, verdict: Verdict) {
        match self.packages.iter_mut().find(|(known, _)| known == folder) {
            Some((_, package)) => package.verdicts.push(verdict),
            None => {
                let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let package = PackageVerdicts {
                    name,
                    folder: below_git(folder),
                    verdicts: vec![verdict],
                    ..PackageVerdicts::default()
                };
                self.packages.push((folder.to_owned(), package));
            }
        }
    }

    /// Returns every verdict so far.
    pub(crate) fn verdicts(&self) -> impl Iterator<Item = &Verdict> {
        self.packages.iter().flat_map(|(_, package)| &package.verdicts)
    }

    /// Returns the verdicts in the order of their workloads' names. Workloads end in any order.
    fn into_packages(self) -> Vec<PackageVerdicts> {
        let with_sources = |(folder, package): (PathBuf, PackageVerdicts)| {
            let sources = sources(&folder, &package.verdicts);
            PackageVerdicts { sources, ..package }
        };
        let mut packages: Vec<PackageVerdicts> = self.packages.into_iter().map(with_sources).collect();
        packages.retain(|package| !package.verdicts.is_empty());
        for package in &mut packages {
            package.verdicts.sort_by(|one, other| one.workload.cmp(&other.workload));
        }
        packages
    }
}

/// Returns the source files of call sites that are in the repository, as call sites name them, and
/// relative to git's top level. Build output is left out.
fn sources(folder: &Path, verdicts: &[Verdict]) -> BTreeMap<String, String> {
    let new = verdicts.iter().flat_map(|verdict| {
        let Comparison { findings, notes, suspects, .. } = &verdict.comparison;
        findings.iter().chain(notes).chain(suspects.iter().map(|suspect| &suspect.finding))
    });
    sources_of(folder, new.filter_map(|finding| finding.site.as_ref()?.location.as_ref()?.file.as_deref()))
}

/// Returns which of these files of a package are in the repository, relative to git's top level.
pub(crate) fn sources_of<'a>(folder: &Path, files: impl Iterator<Item = &'a str>) -> BTreeMap<String, String> {
    let top = top(folder);
    let files: BTreeSet<&str> = files.collect();
    let in_repository = |file: &&str| {
        let path = folder.join(file);
        let below = path.strip_prefix(top).ok()?;
        let is_output = || path.ancestors().take_while(|above| *above != top).any(is_cache);
        let is_plain = below.components().all(|part| matches!(part, Component::Normal(_)));
        (is_plain && path.is_file() && !is_output()).then(|| ((*file).to_owned(), joined(below)))
    };
    files.iter().filter_map(in_repository).collect()
}

/// Returns whether cargo or another tool marked a folder as its output.
fn is_cache(folder: &Path) -> bool {
    folder.join("CACHEDIR.TAG").exists()
}

/// Returns git's top level above a folder, or the folder outside a repository.
fn top(folder: &Path) -> &Path {
    // A directory, or a file in a linked worktree and in a submodule.
    folder.ancestors().find(|above| above.join(".git").exists()).unwrap_or(folder)
}

/// Returns the path from git's top level, separated by `/`; empty outside a repository.
pub(crate) fn below_git(folder: &Path) -> String {
    joined(folder.strip_prefix(top(folder)).unwrap_or(Path::new("")))
}

/// Returns a path with `/` between its parts.
fn joined(path: &Path) -> String {
    path.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use sysguard::unstable::model::judge::verdict::{Asked, Status};
    use sysguard::unstable::model::run::recording::Growth;

    use super::*;

    fn verdict(workload: &str) -> Verdict {
        let file = format!("expectations/{workload}.yaml");
        let (comparison, status) = (Comparison::default(), Status::Passed);
        let growth = Growth::default();
        Verdict {
            workload: workload.to_owned(),
            file,
            line: None,
            status,
            comparison,
            growth,
            change: None,
            elapsed: Duration::ZERO,
            asked: Asked::Test,
        }
    }

    #[test]
    fn folders_are_relative_to_the_repository() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let package = folder.path().join("repository/crates/one");
        fs::create_dir_all(&package).expect("folders");
        assert_eq!(below_git(&package), "", "no repository");
        // As in a linked worktree.
        fs::write(folder.path().join("repository/.git"), "gitdir: elsewhere\n").expect("a file");
        assert_eq!(below_git(&package), "crates/one");
        assert_eq!(below_git(&folder.path().join("repository")), "");
    }

    #[test]
    fn verdicts_are_sorted_by_name() {
        let mut by_package = VerdictsByPackage { packages: Vec::new() };
        for (folder, workload) in [("/w/b", "z"), ("/w/a", "x"), ("/w/b", "y")] {
            by_package.add(Path::new(folder), verdict(workload));
        }
        let packages = by_package.into_packages();
        let names: Vec<(&str, Vec<&str>)> = packages
            .iter()
            .map(|package| {
                let workloads = package.verdicts.iter().map(|verdict| verdict.workload.as_str());
                (package.name.as_str(), workloads.collect())
            })
            .collect();
        assert_eq!(names, [("b", vec!["y", "z"]), ("a", vec!["x"])]);
    }

    #[test]
    fn summary_is_appended_up_to_the_limit() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("summary");
        let packages = [PackageVerdicts {
            name: "demo".to_owned(),
            folder: String::new(),
            verdicts: vec![verdict("one")],
            ..PackageVerdicts::default()
        }];
        let page = |limit| report::step_summary(&packages, limit, None);
        append_summary(&path, page).expect("written");
        let once = fs::read_to_string(&path).expect("a summary");
        append_summary(&path, page).expect("written");
        assert_eq!(fs::read_to_string(&path).expect("a summary"), once.repeat(2));
        fs::write(&path, vec![b'x'; 999_900]).expect("a file");
        let error = append_summary(&path, page).expect_err("it is full");
        assert_eq!(error.to_string(), "the file is full: the limit is 1000000 bytes");
        assert_eq!(fs::metadata(&path).expect("a file").len(), 999_900);
    }
}
