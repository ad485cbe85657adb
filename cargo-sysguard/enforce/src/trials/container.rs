//! Runs a workload in a container of runc, with the files of this machine. Main type:
//! [`Container`].
//!
//! The container shares everything with this machine except its mounts: the workload shall find
//! what it finds natively, and only the profile and the runtime differ. The files are mounted
//! read-only, the scratch directory is not.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{self, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use sysguard::unstable::linux::{Command, Environment, Limits, Machine, TraceError, UntracedOutcome, run_untraced};
use sysguard::unstable::model::run::workload::{Exit, StopAfter};
use sysguard::unstable::runner::{Case, Lookup, find_command};

use super::capabilities;

/// A container runtime of this machine, and the profile that it gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    runc: PathBuf,
    /// Its version, such as `1.1.5+ds1`.
    pub version: String,
    profile: Value,
}

/// What a container may gain, which decides when the runtime installs the profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Privileges {
    /// `noNewPrivileges: false`: installed early.
    Kept,
    /// `noNewPrivileges: true`: installed right before execve.
    NoNew,
    /// No profile at all.
    Unconfined,
}

/// Why a workload was not run in a container.
#[derive(Debug, thiserror::Error)]
pub enum NotContained {
    /// The bundle could not be written.
    #[error("cannot write a container bundle: {0}")]
    Bundle(#[from] io::Error),
    /// The runtime could not be started.
    #[error(transparent)]
    NotStarted(#[from] TraceError),
}

/// The time that a runtime may need to start the program on a busy machine. A signal that ends the
/// workload is sent later by this.
const START: Duration = Duration::from_secs(2);

impl Container {
    /// Finds runc for this profile, the object `linux.seccomp` of a container's configuration.
    ///
    /// # Errors
    ///
    /// Why there is none, without a full stop.
    pub fn find(profile: Value) -> Result<Self, String> {
        let Lookup::Found(runc) = find_command(OsStr::new("runc")) else {
            return Err("not installed".to_owned());
        };
        if Machine::user() != "0" {
            return Err("it needs root".to_owned());
        }
        let output = process::Command::new(&runc).arg("--version").stdin(Stdio::null()).output();
        let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
        let version = version(&text).ok_or("it does not tell its version")?;
        Ok(Self { runc, version, profile })
    }

    /// Runs a command in a container. The bundle is in the command's scratch directory.
    ///
    /// # Errors
    ///
    /// [`NotContained`].
    pub(super) fn run(
        &self,
        command: Command,
        limits: &Limits,
        privileges: Privileges,
    ) -> Result<UntracedOutcome, NotContained> {
        let bundle = command.scratch.as_ref().ok_or(io::Error::from(io::ErrorKind::NotFound))?.join("container");
        let (rootfs, state) = (bundle.join("rootfs"), bundle.join("state"));
        fs::create_dir_all(&rootfs)?;
        let name = format!("sysguard-{}", process::id());
        let profile = (privileges != Privileges::Unconfined).then_some(&self.profile);
        let mut config = configuration(&command, &name, mounts(Path::new("/"), &rootfs)?)?;
        config["process"]["noNewPrivileges"] = (privileges == Privileges::NoNew).into();
        if let Some(profile) = profile {
            config["linux"]["seccomp"] = profile.clone();
        }
        fs::write(bundle.join("config.json"), config.to_string())?;
        let words = |words: &[&OsStr]| words.iter().map(|word| OsString::from(*word)).collect::<Vec<_>>();
        let runc = |rest: &[&OsStr]| {
            let common: [&OsStr; 3] = [self.runc.as_os_str(), "--root".as_ref(), state.as_os_str()];
            [words(&common), words(rest)].concat()
        };
        let runtime = Command {
            program: self.runc.clone(),
            argv: runc(&["run".as_ref(), "--bundle".as_ref(), bundle.as_os_str(), name.as_ref()]),
            environment: Environment::Exactly(vec![("PATH".into(), std::env::var_os("PATH").unwrap_or_default())]),
            cwd: None,
            ..command
        };
        let stop = limits.stop.map(|stop| StopAfter { after: stop.after + START, ..stop });
        let timeout = limits.timeout.map(|timeout| timeout + START);
        let outcome = run_untraced::<TraceError>(runtime, &Limits { stop, timeout, ..*limits }, |_| Ok(()));
        // A killed runtime leaves its cgroup. Without one, the command fails.
        let delete = runc(&["delete".as_ref(), "--force".as_ref(), name.as_ref()]);
        let _ = process::Command::new(&delete[0])
            .args(&delete[1..])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        Ok(outcome?)
    }
}

/// Returns how the program of a container ended. The runtime exits with 128 + N where signal N
/// ended the program, which its own status may also be: it counts as the signal where the
/// workload's document expects that.
pub(super) fn of_runtime(exit: Exit, case: &Case) -> Exit {
    let Some(workload) = case.document().map(|document| &document.workload) else { return exit };
    let expected = [Some(workload.exit), workload.stop.map(|stop| Exit::Signaled(stop.signal))];
    let same = |expected: &Exit| matches!(exit, Exit::Exited(code) if code == expected.shell_status());
    expected.into_iter().flatten().find(same).unwrap_or(exit)
}

/// Reads the first line of `runc --version`.
fn version(text: &str) -> Option<String> {
    Some(text.lines().next()?.strip_prefix("runc version ")?.trim().to_owned())
}

/// Returns the mounts that give a container the files below `root`. Links are made in `rootfs`.
fn mounts(root: &Path, rootfs: &Path) -> io::Result<Vec<Value>> {
    let mut mounts = Vec::new();
    let mut entries = fs::read_dir(root)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (path, kind) = (entry.path(), entry.file_type()?);
        if kind.is_symlink() {
            symlink(fs::read_link(&path)?, rootfs.join(entry.file_name()))?;
        } else if kind.is_dir() {
            // A device is written to through its file, so `ro` must not hold for it.
            let options = if entry.file_name() == "dev" { json!(["rbind"]) } else { json!(["rbind", "ro"]) };
            let path = text(&path)?;
            mounts.push(json!({ "destination": path, "type": "bind", "source": path, "options": options }));
        }
    }
    Ok(mounts)
}

/// Returns the configuration of a container that runs the command: config.md of the OCI
/// runtime-spec.
fn configuration(command: &Command, name: &str, mut mounts: Vec<Value>) -> io::Result<Value> {
    let Environment::Exactly(variables) = &command.environment else { return Err(io::ErrorKind::Unsupported.into()) };
    let variables = variables.iter().map(|(name, value)| Ok(format!("{}={}", text(name)?, text(value)?)));
    let words = [command.program.as_os_str()].into_iter().chain(command.argv.iter().skip(1).map(OsString::as_os_str));
    let capabilities = capabilities::effective();
    if let Some(scratch) = &command.scratch {
        let scratch = text(scratch)?;
        mounts.push(json!({ "destination": scratch, "type": "bind", "source": scratch, "options": ["rbind", "rw"] }));
    }
    Ok(json!({
        "ociVersion": "1.0.2",
        "process": {
            "terminal": false,
            "user": { "uid": 0, "gid": 0 },
            "args": words.map(text).collect::<io::Result<Vec<_>>>()?,
            "env": variables.collect::<io::Result<Vec<_>>>()?,
            "cwd": text(command.cwd.as_deref().unwrap_or(Path::new("/")))?,
            "capabilities": {
                "bounding": capabilities,
                "effective": capabilities,
                "permitted": capabilities,
            },
        },
        "root": { "path": "rootfs", "readonly": true },
        "mounts": mounts,
        "linux": { "cgroupsPath": format!("/{name}"), "namespaces": [{ "type": "mount" }] },
    }))
}

fn text<T: AsRef<OsStr> + ?Sized>(text: &T) -> io::Result<&str> {
    text.as_ref().to_str().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "a name that is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_is_read_from_its_first_line() {
        assert_eq!(version("runc version 1.1.5+ds1\ncommit: x\n").as_deref(), Some("1.1.5+ds1"));
        assert_eq!(version("crun version 1.8"), None);
        assert_eq!(version(""), None);
    }

    #[test]
    fn folders_are_mounted_and_links_are_copied() {
        let [root, rootfs] = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
        for folder in ["usr", "dev"] {
            fs::create_dir(root.path().join(folder)).expect("a folder");
        }
        fs::write(root.path().join("file"), "").expect("a file");
        symlink("usr/bin", root.path().join("bin")).expect("a link");
        let mounts = mounts(root.path(), rootfs.path()).expect("mounts");
        let options: Vec<_> = mounts.iter().map(|mount| mount["options"].to_string()).collect();
        assert_eq!(options, [r#"["rbind"]"#, r#"["rbind","ro"]"#]);
        assert_eq!(fs::read_link(rootfs.path().join("bin")).expect("a link"), Path::new("usr/bin"));
    }
}
