//! A temporary cargo project, and what commands do to it. Main type: [`Project`].

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use libtest_mimic::{Completion, Trial};
use tempfile::TempDir;

/// The subcommand under test.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_cargo-sysguard");

const HARNESS: &str = "fn main() -> std::process::ExitCode {
    sysguard::harness::main(env!(\"CARGO_MANIFEST_DIR\"))
}
";

/// A trial that traces nothing.
pub(crate) fn untraced(name: &str, run: fn()) -> Trial {
    Trial::test(name, move || {
        run();
        Ok(())
    })
}

/// A trial that says what it lacks, if it lacks something; such a thing is never required.
pub(crate) fn needing(name: &str, run: fn() -> Option<&'static str>) -> Trial {
    Trial::ignorable_test(name, move || Ok(run().map_or(Completion::Completed, Completion::ignored_with)))
}

/// A trial that can only run where tracing is possible.
pub(crate) fn tracing(name: &str, run: fn()) -> Trial {
    Trial::ignorable_test(name, move || match untraceable() {
        Some(reason) if env::var_os("SYSGUARD_REQUIRE").is_some_and(|value| value == "1") => Err(reason.into()),
        Some(reason) => Ok(Completion::ignored_with(reason)),
        None => {
            run();
            Ok(Completion::Completed)
        }
    })
}

/// The same, where these programs are installed, too.
pub(crate) fn tracing_with(name: &str, programs: &'static [&'static str], run: fn()) -> Trial {
    Trial::ignorable_test(name, move || {
        let is_there =
            |program: &str| self::run(command("sh").args(["-c", &format!("command -v {program}")])).code == 0;
        let absent = programs.iter().find(|program| !is_there(program));
        let missing =
            untraceable().or_else(|| absent.map(|program| format!("requires {program}, which is not installed")));
        match missing {
            Some(reason) if env::var_os("SYSGUARD_REQUIRE").is_some_and(|value| value == "1") => Err(reason.into()),
            Some(reason) => Ok(Completion::ignored_with(reason)),
            None => {
                run();
                Ok(Completion::Completed)
            }
        }
    })
}

/// The same, where `cargo nextest` is installed, too.
pub(crate) fn nextest(name: &str, run: fn()) -> Trial {
    Trial::ignorable_test(name, move || {
        let is_there = || self::run(command(env!("CARGO")).args(["nextest", "--version"])).code == 0;
        let missing = untraceable()
            .or_else(|| (!is_there()).then(|| "requires cargo-nextest, which is not installed".to_owned()));
        match missing {
            Some(reason) if env::var_os("SYSGUARD_REQUIRE").is_some_and(|value| value == "1") => Err(reason.into()),
            Some(reason) => Ok(Completion::ignored_with(reason)),
            None => {
                run();
                Ok(Completion::Completed)
            }
        }
    })
}

/// The same, by root in a mount namespace of its own.
pub(crate) fn mounting(name: &str, run: fn()) -> Trial {
    Trial::ignorable_test(name, move || {
        // No machine is root and an ordinary user at once, so this is never required.
        if !nix::unistd::geteuid().is_root() {
            return Ok(Completion::ignored_with("only root mounts"));
        }
        let namespaces = self::run(command("unshare").args(["--mount", "true"])).code == 0;
        let missing =
            untraceable().or_else(|| (!namespaces).then(|| "mount namespaces cannot be made here".to_owned()));
        match missing {
            Some(reason) if env::var_os("SYSGUARD_REQUIRE").is_some_and(|value| value == "1") => Err(reason.into()),
            Some(reason) => Ok(Completion::ignored_with(reason)),
            None => {
                run();
                Ok(Completion::Completed)
            }
        }
    })
}

/// Why nothing can be traced here.
pub(crate) fn untraceable() -> Option<String> {
    static REASON: OnceLock<Option<String>> = OnceLock::new();
    let probe = || {
        let run = run(command(BINARY).args(["trace", "--", "true"]));
        (run.code != 0).then(|| run.stderr.trim().to_owned())
    };
    REASON.get_or_init(probe).clone()
}

/// What a command said and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Fails the trial, with all that was said, unless the command ended so.
    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\nstdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Ran {
    let output = command.stdin(Stdio::null()).output().expect("the command starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let code = output.status.code().unwrap_or(-1);
    Ran { code, stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

/// A command in an environment that does not tell of the test around it.
pub(crate) fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    // Whoever started these tests may ignore signals, in the background of a shell for one.
    let mut command = Command::new("env");
    command.arg("--default-signal").arg(program.as_ref());
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let inherited =
            name.starts_with("SYSGUARD_") || name.starts_with("CARGO_BIN_EXE_") || name.starts_with("NEXTEST");
        if inherited
            || ["CI", "TF_BUILD", "CARGO_TERM_COLOR", "CARGO_MANIFEST_DIR", "GITHUB_STEP_SUMMARY"]
                .contains(&name.as_str())
        {
            command.env_remove(name);
        }
    }
    // One for all projects: the crate is built once.
    command.env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("projects"));
    command.env("CARGO_NET_OFFLINE", "true").env("NO_COLOR", "1");
    command
}

/// The words before a program that the modes of files bind, be it started by root.
pub(crate) fn bound() -> &'static [&'static str] {
    if nix::unistd::geteuid().is_root() {
        &["setpriv", "--inh-caps=-all", "--bounding-set=-dac_override,-dac_read_search"]
    } else {
        &[]
    }
}

/// A cargo project in a temporary directory.
#[derive(Debug)]
pub(crate) struct Project {
    folder: TempDir,
}

impl Project {
    /// A package with a binary. Names must differ between trials, as all share one target
    /// directory.
    pub(crate) fn new(name: &str) -> Self {
        let project = Self::empty();
        let sysguard = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
             [dev-dependencies]\nsysguard = {{ path = \"{}\" }}\n\n[workspace]\n",
            sysguard.display()
        );
        // Known versions, so that nothing has to be looked up.
        fs::copy(sysguard.join("Cargo.lock"), project.path("Cargo.lock")).expect("the lock file");
        project.file("Cargo.toml", &manifest).file("src/main.rs", "fn main() {}\n")
    }

    /// No package at all.
    pub(crate) fn empty() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary directory") }
    }

    /// A library with one test, and a test target of one quiet test; nothing of ours in it.
    pub(crate) fn foreign(name: &str) -> Self {
        let manifest =
            format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n");
        let library = "/// ```\n/// assert!(true);\n/// ```\npub fn nothing() {}\n\n#[test]\nfn inside() {}\n";
        let project = Self::empty().file("Cargo.toml", &manifest).file("src/lib.rs", library);
        project.file("tests/it.rs", "#[test]\nfn quiet() {}\n#[test]\n#[ignore]\nfn left_out() {}\n")
    }

    /// With `tests/sysguard.rs` and its entry.
    pub(crate) fn with_harness(self) -> Self {
        let manifest = self.read("Cargo.toml") + "\n[[test]]\nname = \"sysguard\"\nharness = false\n";
        self.file("Cargo.toml", &manifest).file("tests/sysguard.rs", HARNESS)
    }

    /// With this file.
    pub(crate) fn file(self, name: &str, content: &str) -> Self {
        self.write(name, content);
        self
    }

    /// With an expectation of this name.
    pub(crate) fn expecting(self, name: &str, document: &str) -> Self {
        self.file(&format!("expectations/{name}.yaml"), &format!("version: 1\n{document}\n"))
    }

    pub(crate) fn write(&self, name: &str, content: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, content).expect("a file");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("a file")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `cargo-sysguard` with these words.
    pub(crate) fn sysguard(&self, line: &str) -> Ran {
        run(&mut self.command(line))
    }

    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = self.run_by(BINARY);
        command.args(line.split_whitespace());
        command
    }

    /// The same, for whom the modes of files hold.
    pub(crate) fn bound_command(&self, line: &str) -> Command {
        let mut command = self.run_by("env");
        command.args(bound()).arg(BINARY).args(line.split_whitespace());
        command
    }

    /// Takes the right to write to its expectations away, or gives it back.
    pub(crate) fn writable(&self, writable: bool) {
        let mode = if writable { "u+w" } else { "a-w" };
        run(self.run_by("chmod").args(["-R", mode, "expectations"])).ends(0);
    }

    /// Commits everything that is there.
    pub(crate) fn commit(&self) {
        for line in ["add -A", "-c user.name=me -c user.email=me@example.com commit --quiet -m all"] {
            run(self.run_by("git").args(line.split_whitespace())).ends(0);
        }
    }

    /// What git finds changed since the last commit, each file on its line.
    pub(crate) fn status(&self) -> String {
        run(self.run_by("git").args(["status", "--porcelain", "--untracked-files=all"])).ends(0).stdout
    }

    /// A command in the project's folder.
    pub(crate) fn run_by(&self, program: &str) -> Command {
        let mut command = command(program);
        command.current_dir(self.folder.path());
        command
    }

    /// Every file with its content.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                let name = path.strip_prefix(self.folder.path()).expect("below").display().to_string();
                match path.is_dir() {
                    true => folders.push(path),
                    // It depends on what cargo knows of other projects' locks, not on us.
                    false if name == "Cargo.lock" => {}
                    false => drop(files.insert(name, fs::read(&path).expect("a file"))),
                }
            }
        }
        files
    }

    /// The names of files that are new or different since then, or gone.
    pub(crate) fn changed_since(&self, before: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
        let now = self.files();
        let names: std::collections::BTreeSet<&String> = before.keys().chain(now.keys()).collect();
        names.into_iter().filter(|name| before.get(*name) != now.get(*name)).cloned().collect()
    }
}
