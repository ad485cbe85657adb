//! Temporary cargo projects for tests, and the kinds of trials. Main type: [`Project`].

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use libtest_mimic::{Completion, Trial};
use tempfile::TempDir;

/// The subcommand under test.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_cargo-sysguard");

const HARNESS: &str = "fn main() -> std::process::ExitCode {
    sysguard::harness::main(env!(\"CARGO_MANIFEST_DIR\"))
}
";

/// Returns a trial that traces nothing.
pub(crate) fn untraced(name: &str, run: fn()) -> Trial {
    Trial::test(name, move || {
        run();
        Ok(())
    })
}

/// Returns a trial that is ignored with the reason that it returns, if any, also under
/// SYSGUARD_REQUIRE=1.
pub(crate) fn needing(name: &str, run: fn() -> Option<&'static str>) -> Trial {
    Trial::ignorable_test(name, move || Ok(run().map_or(Completion::Completed, Completion::ignored_with)))
}

/// Returns a trial that requires tracing.
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

/// Returns a trial that requires tracing and these programs.
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

/// Returns a trial that requires tracing and `cargo nextest`.
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

/// Returns a trial that requires tracing, root and mount namespaces.
pub(crate) fn mounting(name: &str, run: fn()) -> Trial {
    unsharing(name, &["--mount", "true"], "mount namespaces", run)
}

/// Returns a trial that requires tracing, root, network namespaces, `ip`, and curl.
pub(crate) fn networked(name: &str, run: fn()) -> Trial {
    let probe = &["--net", "sh", "-c", "ip link set lo up && command -v curl"];
    unsharing(name, probe, "network namespaces, ip and curl", run)
}

fn unsharing(name: &str, probe: &'static [&'static str], needed: &'static str, run: fn()) -> Trial {
    Trial::ignorable_test(name, move || {
        // SYSGUARD_REQUIRE=1 must also work for an ordinary user.
        if !nix::unistd::geteuid().is_root() {
            return Ok(Completion::ignored_with("requires root, for namespaces"));
        }
        let is_possible = self::run(command("unshare").args(probe)).code == 0;
        let missing = untraceable().or_else(|| (!is_possible).then(|| format!("requires {needed}")));
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

/// Returns why tracing is impossible here, or nothing if it is possible.
pub(crate) fn untraceable() -> Option<String> {
    static REASON: OnceLock<Option<String>> = OnceLock::new();
    let probe = || {
        let run = run(command(BINARY).args(["trace", "--", "true"]));
        (run.code != 0).then(|| run.stderr.trim().to_owned())
    };
    REASON.get_or_init(probe).clone()
}

/// The output and exit code of a command.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Fails the trial with the whole output unless the command ended with this code.
    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\nstdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Fails the trial unless standard output has each of these parts.
    #[track_caller]
    pub(crate) fn prints(&self, parts: &[&str]) {
        for part in parts {
            assert!(self.stdout.contains(part), "{part}\n{}", self.stdout);
        }
    }
}

/// A signal counts as code -1.
impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let code = output.status.code().unwrap_or(-1);
        Self { code, stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

/// Runs a command and waits for its end.
pub(crate) fn run(command: &mut Command) -> Ran {
    command.stdin(Stdio::null()).output().expect("the command starts").into()
}

/// Returns a command without the environment variables of the surrounding test run.
pub(crate) fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    // The tests may have inherited ignored signals, as background jobs of a shell do.
    let mut command = Command::new("env");
    command.arg("--default-signal").arg(program.as_ref());
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let inherited =
            name.starts_with("SYSGUARD_") || name.starts_with("CARGO_BIN_EXE_") || name.starts_with("NEXTEST");
        if inherited
            || ["CI", "TF_BUILD", "CARGO_TERM_COLOR", "CARGO_MANIFEST_DIR", "GITHUB_STEP_SUMMARY", "GITHUB_SHA"]
                .contains(&name.as_str())
        {
            command.env_remove(name);
        }
    }
    // All projects share one target directory, so that sysguard is built only once.
    command.env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("projects"));
    command.env("CARGO_NET_OFFLINE", "true").env("NO_COLOR", "1");
    command
}

/// Returns a command prefix that drops the capabilities by which root ignores file modes.
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
    /// Returns a package with a binary. Each trial needs another name, because all share one target
    /// directory.
    pub(crate) fn new(name: &str) -> Self {
        let project = Self::empty();
        let sysguard = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
             [dev-dependencies]\nsysguard = {{ path = \"{}\" }}\n\n[workspace]\n",
            sysguard.display()
        );
        // Locked versions need no lookup in a registry.
        fs::copy(sysguard.join("Cargo.lock"), project.path("Cargo.lock")).expect("the lock file");
        project.file("Cargo.toml", &manifest).file("src/main.rs", "fn main() {}\n")
    }

    /// Returns an empty folder.
    pub(crate) fn empty() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary directory") }
    }

    /// Returns a library with a test and a test target, without sysguard in it.
    pub(crate) fn foreign(name: &str) -> Self {
        let manifest =
            format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n");
        let library = "/// ```\n/// assert!(true);\n/// ```\npub fn nothing() {}\n\n#[test]\nfn inside() {}\n";
        let project = Self::empty().file("Cargo.toml", &manifest).file("src/lib.rs", library);
        project.file("tests/it.rs", "#[test]\nfn quiet() {}\n#[test]\n#[ignore]\nfn left_out() {}\n")
    }

    /// Adds `tests/sysguard.rs` and its entry in the manifest.
    pub(crate) fn with_harness(self) -> Self {
        let manifest = self.read("Cargo.toml") + "\n[[test]]\nname = \"sysguard\"\nharness = false\n";
        self.file("Cargo.toml", &manifest).file("tests/sysguard.rs", HARNESS)
    }

    /// Adds a file.
    pub(crate) fn file(self, name: &str, content: &str) -> Self {
        self.write(name, content);
        self
    }

    /// Adds an expectation with this name.
    pub(crate) fn expecting(self, name: &str, document: &str) -> Self {
        self.file(&format!("expectations/{name}.yaml"), &format!("version: 2\n{document}\n"))
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

    /// Runs `cargo-sysguard` with these arguments.
    pub(crate) fn sysguard(&self, line: &str) -> Ran {
        run(&mut self.command(line))
    }

    /// Returns a command that runs where 198.51.100.7 (a global address for documentation, RFC
    /// 5737) belongs to the loopback interface, and no other network exists.
    pub(crate) fn command_with_address(&self, line: &str) -> Command {
        const SCRIPT: &str = "ip link set lo up && ip addr add 198.51.100.7/32 dev lo && exec \"$@\"";
        let mut command = self.run_by("unshare");
        command.args(["--net", "sh", "-c", SCRIPT, "sh", BINARY]).args(line.split_whitespace());
        command
    }

    /// Runs a line as [`Project::command_with_address`] does.
    pub(crate) fn sysguard_with_address(&self, line: &str) -> Ran {
        run(&mut self.command_with_address(line))
    }

    /// Fails the trial unless each of these command lines is wrong usage with this part on standard
    /// error, and writes nothing.
    #[track_caller]
    pub(crate) fn refuses(&self, lines: &[(&str, &str)]) {
        let before = self.files();
        for (line, part) in lines {
            let ran = self.sysguard(line).ends(2);
            assert!(ran.stderr.contains(part), "{line}: {}", ran.stderr);
        }
        assert_eq!(self.changed_since(&before), [""; 0]);
    }

    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = self.run_by(BINARY);
        command.args(line.split_whitespace());
        command
    }

    /// Returns the same command, but subject to file modes even for root.
    pub(crate) fn bound_command(&self, line: &str) -> Command {
        let mut command = self.run_by("env");
        command.args(bound()).arg(BINARY).args(line.split_whitespace());
        command
    }

    /// Adds or removes write permission for the expectations.
    pub(crate) fn writable(&self, writable: bool) {
        let mode = if writable { "u+w" } else { "a-w" };
        run(self.run_by("chmod").args(["-R", mode, "expectations"])).ends(0);
    }

    /// Commits all files.
    pub(crate) fn commit(&self) {
        for line in ["add -A", "-c user.name=me -c user.email=me@example.com commit --quiet -m all"] {
            run(self.run_by("git").args(line.split_whitespace())).ends(0);
        }
    }

    /// Returns the files that changed since the last commit, as `git status --porcelain` lists
    /// them.
    pub(crate) fn status(&self) -> String {
        run(self.run_by("git").args(["status", "--porcelain", "--untracked-files=all"])).ends(0).stdout
    }

    /// Returns a command in the project's folder.
    pub(crate) fn run_by(&self, program: &str) -> Command {
        let mut command = command(program);
        command.current_dir(self.folder.path());
        command
    }

    /// Returns the content of every file.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                let name = path.strip_prefix(self.folder.path()).expect("below").display().to_string();
                match path.is_dir() {
                    true => folders.push(path),
                    // It depends on cargo's cache, not on sysguard.
                    false if name == "Cargo.lock" => {}
                    false => drop(files.insert(name, fs::read(&path).expect("a file"))),
                }
            }
        }
        files
    }

    /// Returns the names of files that were added, changed or removed since then.
    pub(crate) fn changed_since(&self, before: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
        let now = self.files();
        let names: std::collections::BTreeSet<&String> = before.keys().chain(now.keys()).collect();
        names.into_iter().filter(|name| before.get(*name) != now.get(*name)).cloned().collect()
    }
}
