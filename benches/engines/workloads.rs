//! The table of workloads, and what each needs before it can run. Main type: [`Workload`].

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{fs, thread};

use tempfile::TempDir;

use crate::engines::on_path;
use crate::loads;

/// One thing to run.
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    requires: &'static [&'static str],
    needs: Need,
    words: Vec<OsString>,
}

/// What must be prepared before a workload can run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    Nothing,
    /// A repository with this many files.
    Tree(usize),
    /// A package with this many modules, built anew each time.
    Package(usize),
    /// An untraced redis server; `{port}` in an argument is its port.
    Redis,
}

/// Where a workload runs; processes started for it end with it.
pub(crate) struct Place {
    folder: TempDir,
    server: Option<(Child, u16)>,
}

impl Place {
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some((server, _)) = &mut self.server {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

/// Returns every workload; small ones if `quick`.
pub(crate) fn all(quick: bool) -> Vec<Workload> {
    let size = |whole: usize, small: usize| if quick { small } else { whole };
    let own =
        |name, load, size| Workload { name, requires: &[], needs: Need::Nothing, words: loads::command(load, size) };
    let program = |name, requires, needs, line: &str| Workload { name, requires, needs, words: words(line) };
    let perf = |name, line: String| program(name, &["perf"], Need::Nothing, &line);
    let redis = format!("redis-benchmark -p {PORT} -q -t set,get -n {}", size(50_000, 2_000));
    let netdev = format!("stress-ng --netdev 1 --netdev-ops {}", size(100_000, 300));
    vec![
        own("getppid storm", "storm", size(1_000_000, 50_000)),
        perf("sched messaging", format!("perf bench sched messaging -l {}", size(100, 10))),
        perf("sched pipe", format!("perf bench sched pipe -l {}", size(50_000, 5_000))),
        perf("mem memcpy", format!("perf bench mem memcpy -s 16MB -l {}", size(200, 20))),
        own("short children", "children", size(1_000, 100)),
        own("threads", "threads", size(200, 50)),
        program("redis-benchmark", &["redis-server", "redis-benchmark"], Need::Redis, &redis),
        program("git status", &["git"], Need::Tree(size(10_000, 1_000)), "git status --porcelain"),
        program("cargo build", &["cargo"], Need::Package(size(12, 2)), "cargo build --quiet --offline"),
        program("stress-ng netdev", &["stress-ng"], Need::Nothing, &netdev),
        Workload { name: "paxtest", requires: &["paxtest"], needs: Need::Nothing, words: paxtest(quick) },
    ]
}

/// A placeholder in a command for the port of the redis server.
const PORT: &str = "{port}";

fn words(line: &str) -> Vec<OsString> {
    line.split(' ').map(OsString::from).collect()
}

/// Returns some of paxtest's programs: all of them take a minute even untraced.
fn paxtest(quick: bool) -> Vec<OsString> {
    let random = if quick { "" } else { "randamap randheap1 randstack1 getshlib" };
    let programs = "anonmap execbss execdata execheap execstack mprotanon mprotbss mprotdata mprotheap mprotstack";
    let script = format!("for i in {programs} {random}; do /usr/lib/paxtest/$i; done; true");
    ["sh", "-c", &script].map(OsString::from).to_vec()
}

impl Workload {
    /// Returns why it cannot run here.
    pub(crate) fn obstacle(&self) -> Option<String> {
        let missing = self.requires.iter().find(|program| !on_path(program))?;
        Some(format!("{missing} is not installed"))
    }

    /// Prepares what it needs.
    pub(crate) fn set_up(&self) -> io::Result<Place> {
        let folder = tempfile::tempdir()?;
        let mut place = Place { folder, server: None };
        match self.needs {
            Need::Nothing => {}
            Need::Tree(files) => tree(place.folder(), files)?,
            Need::Package(modules) => package(place.folder(), modules)?,
            Need::Redis => place.server = Some(redis(place.folder())?),
        }
        Ok(place)
    }

    /// Removes the results of the previous run.
    pub(crate) fn before_each(&self, place: &Place) -> io::Result<()> {
        match fs::remove_dir_all(place.folder().join("target")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Returns its program and arguments in that place.
    pub(crate) fn words(&self, place: &Place) -> Vec<OsString> {
        let port = place.server.as_ref().map_or(0, |(_, port)| *port).to_string();
        self.words.iter().map(|word| if word == PORT { OsString::from(&port) } else { word.clone() }).collect()
    }
}

/// Makes a repository with everything committed.
fn tree(folder: &Path, files: usize) -> io::Result<()> {
    for file in 0..files {
        let place = folder.join(format!("folder{}", file / 100));
        fs::create_dir_all(&place)?;
        fs::write(place.join(format!("file{file}")), format!("{file}\n"))?;
    }
    let commit = "commit --quiet --message all";
    for line in ["init --quiet", "add .", &format!("-c user.name=bench -c user.email=bench@localhost {commit}")] {
        let status = Command::new("git").args(words(line)).current_dir(folder).status()?;
        if !status.success() {
            return Err(io::Error::other(format!("git {line} failed")));
        }
    }
    Ok(())
}

/// Makes a package without dependencies.
fn package(folder: &Path, modules: usize) -> io::Result<()> {
    fs::create_dir_all(folder.join("src"))?;
    fs::write(
        folder.join("Cargo.toml"),
        "[package]\nname = \"built\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n",
    )?;
    let mut lib = String::new();
    for module in 0..modules {
        let _ = writeln!(lib, "pub mod m{module};");
        let code = (0..50).fold(String::new(), |mut code, at| {
            let _ = writeln!(
                code,
                "pub fn f{at}(x: &[u64]) -> Vec<String> {{ x.iter().map(|x| format!(\"{{x}} {at}\")).collect() }}"
            );
            code
        });
        fs::write(folder.join(format!("src/m{module}.rs")), code)?;
    }
    fs::write(folder.join("src/lib.rs"), lib)
}

/// Starts a server on a free port and waits until it answers.
fn redis(folder: &Path) -> io::Result<(Child, u16)> {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
    let line = format!("--port {port} --bind 127.0.0.1 --appendonly no");
    let mut command = Command::new("redis-server");
    command.args(words(&line)).args(["--save", ""]).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null());
    let server = command.spawn()?;
    for _ in 0..100 {
        if std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
            break;
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok((server, port))
}
