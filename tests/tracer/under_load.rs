//! Real programs under load: no event is lost, and calls with steady counts are counted as strace
//! counts them.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::{Completion, Failed, Trial};
use sysguard::unstable::model::run::workload::Exit;

use crate::needs::{self, Need};
use crate::referee;
use crate::seen::{Count, Watched};
use crate::trials::ensure_eq;

/// A program under load.
struct Load {
    name: &'static str,
    /// What it needs.
    programs: &'static [&'static str],
    /// Exits with 0 if all of it worked.
    script: &'static str,
    /// Calls with counts that must equal strace's.
    steady: &'static [&'static str],
}

/// Returns a trial for each program.
pub(crate) fn trials() -> Vec<Trial> {
    let needs = |load: &Load| load.programs.iter().map(|program| Need::Program((*program).to_owned())).collect();
    let mut trials: Vec<Trial> =
        LOADS.iter().map(|load| trial(load, needs(load), || load.loses_nothing(&[]))).collect();
    trials.push(trial(&CARGO, vec![Need::Cargo, Need::Program("cc".to_owned())], || CARGO.loses_nothing(&toolchain())));
    trials.push(Trial::ignorable_test(format!("programs::under_load::{}", TOKIO.name), || {
        needs::unmet(&[Need::Cargo]).unwrap_or_else(|| match echo_server() {
            Ok(server) => TOKIO.loses_nothing(&[("ECHO", server.into())]).map(|()| Completion::Completed),
            Err(reason) => needs::without(reason),
        })
    }));
    trials
}

fn trial(load: &Load, needs: Vec<Need>, run: impl FnOnce() -> Result<(), Failed> + Send + 'static) -> Trial {
    Trial::ignorable_test(format!("programs::under_load::{}", load.name), move || {
        needs::unmet(&needs).unwrap_or_else(|| run().map(|()| Completion::Completed))
    })
}

const LOADS: &[Load] = &[
    Load {
        name: "busy_threads",
        programs: &["cc", "timeout"],
        script: "cat > program.c <<'END'
#include <pthread.h>
#include <unistd.h>
static void *calls(void *unused) { for (;;) getppid(); }
int main(void) {
    pthread_t thread;
    for (int i = 0; i < 32; i++) if (pthread_create(&thread, 0, calls, 0)) return 1;
    for (int i = 0; i < 1000; i++) getegid();
    return 0;
}
END
         cc -O1 -pthread program.c -o program && timeout 40 ./program",
        steady: &["getegid"],
    },
    Load {
        name: "redis",
        programs: &["redis-server", "redis-benchmark", "redis-cli"],
        script: "redis-server --port 0 --unixsocket ./socket --save '' > log & server=$!
         until redis-cli -s ./socket ping > pong 2>&1; do kill -0 $server || exit 1; sleep 0.05; done
         redis-benchmark -q -s ./socket -n 5000 -c 20 -t set,get > results && redis-cli -s ./socket shutdown nosave
         wait $server && grep -q GET results",
        steady: &["bind", "listen"],
    },
    Load {
        name: "nginx",
        programs: &["nginx", "python3"],
        script: "echo 'worker_processes 2; daemon off; pid pid; error_log errors; events {}
            http { access_log requests; client_body_temp_path a; proxy_temp_path b; fastcgi_temp_path c; uwsgi_temp_path d;
                   scgi_temp_path e; server { listen unix:socket; location / { return 200 hello; } } }' > configuration
         nginx -p . -e errors -c configuration & server=$!
         until [ -S socket ]; do kill -0 $server || exit 1; sleep 0.05; done
         python3 -S -E -c 'if True:
            import http.client, socket, threading
            def ask():
                connection = http.client.HTTPConnection(\"localhost\")
                for _ in range(500):
                    connection.sock = connection.sock or socket.socket(socket.AF_UNIX)
                    try: connection.sock.getpeername()
                    except OSError: connection.sock.connect(\"socket\")
                    connection.request(\"GET\", \"/\")
                    assert connection.getresponse().read() == b\"hello\"
            threads = [threading.Thread(target=ask) for _ in range(4)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
         '
         kill -QUIT $server; wait $server && [ $(wc -l < requests) = 2000 ]",
        steady: &["writev"],
    },
    Load {
        name: "git_clone",
        programs: &["git"],
        script: "git init -q origin && cd origin && git config user.email a@b && git config user.name a
         for n in 1 2 3 4 5 6 7 8 9 10; do seq $n 2000 > file$n; git add . ; git commit -qm $n; done; cd ..
         git clone -q --no-local origin clone && diff -r origin/file10 clone/file10 && git -C clone fsck 2> log",
        steady: &["execve"],
    },
    Load {
        name: "perf_bench_sched_messaging",
        programs: &["perf"],
        script: "perf bench sched messaging -g 2 -l 100 > results && grep -q Total results",
        steady: &["write"],
    },
    Load {
        name: "shell_pipelines",
        programs: &["sort", "gzip"],
        script: "for n in 1 2 3 4 5; do seq 20000 | sort -R | gzip | gzip -d | sort -n | tail -1; done > results
         [ \"$(uniq results)\" = 20000 ]",
        steady: &["execve"],
    },
];

/// A crate with a few modules: no network, no earlier build.
const CARGO: Load = Load {
    name: "cargo_build",
    programs: &[],
    script: "mkdir -p small/src; cd small; printf '[package]\nname = \"small\"\nedition = \"2021\"\n' > Cargo.toml
         for n in 1 2 3 4 5 6 7 8; do echo \"mod m$n; \" >> src/main.rs; echo \"pub fn f() -> usize { $n }\" > src/m$n.rs; done
         echo 'fn main() { println!(\"{}\", m1::f() + m8::f()) }' >> src/main.rs
         cargo build --offline -q && [ \"$(target/debug/small)\" = 9 ]",
    steady: &["execve"],
};

/// Returns a PATH with the toolchain that built these tests first.
fn toolchain() -> Vec<(&'static str, OsString)> {
    let folder = needs::cargo().and_then(Path::parent).unwrap_or(Path::new("/"));
    vec![("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", folder.display()).into())]
}

/// Twenty connections, each with a hundred messages that wait for their echo; four runtime threads.
const TOKIO: Load =
    Load { name: "tokio_echo", programs: &[], script: "exec \"$ECHO\"", steady: &["sendto", "connect"] };

const ECHO_MANIFEST: &str = "[package]\nname = \"echo\"\nedition = \"2021\"\n[workspace]\n
[dependencies]\ntokio = { version = \"1\", features = [\"io-util\", \"net\", \"rt-multi-thread\"] }\n";

const ECHO_SOURCE: &str = r#"
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut bytes = [0; 64];
    loop {
        let count = stream.read(&mut bytes).await?;
        if count == 0 { return Ok(()); }
        stream.write_all(&bytes[..count]).await?;
    }
}

async fn ask(address: std::net::SocketAddr) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    for n in 0..100_u64 {
        stream.write_all(&n.to_ne_bytes()).await?;
        let mut echo = [0; 8];
        stream.read_exact(&mut echo).await?;
        assert_eq!(u64::from_ne_bytes(echo), n);
    }
    Ok(())
}

fn main() -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_io().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move { while let Ok((stream, _)) = listener.accept().await { tokio::spawn(answer(stream)); } });
        let asking: Vec<_> = (0..20).map(|_| tokio::spawn(ask(address))).collect();
        for task in asking { task.await.expect("no panic")?; }
        Ok(())
    })
}
"#;

/// Builds the server, or returns why that failed: its crates come from a registry.
fn echo_server() -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tokio_echo");
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).map_err(|error| error.to_string());
    std::fs::create_dir_all(folder.join("src")).map_err(|error| error.to_string())?;
    write("Cargo.toml", ECHO_MANIFEST)?;
    write("src/main.rs", ECHO_SOURCE)?;
    let cargo = needs::cargo().ok_or("no cargo")?;
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet"]).current_dir(&folder).env("CARGO_TARGET_DIR", folder.join("target"));
    let built = command.output().map_err(|error| error.to_string())?;
    if built.status.success() {
        return Ok(folder.join("target/debug/echo"));
    }
    Err(format!("the tokio server cannot be built: {}", String::from_utf8_lossy(&built.stderr).trim()))
}

impl Load {
    fn loses_nothing(&self, variables: &[(&str, OsString)]) -> Result<(), Failed> {
        let watched = |folder: &Path| {
            let mut watched = Watched { cwd: Some(folder.to_owned()), ..Watched::shell(self.script) };
            let set = |name: &str| name == "HOME" || variables.iter().any(|(other, _)| *other == name);
            watched.environment.retain(|(name, _)| !name.to_str().is_some_and(set));
            watched.environment.push(("HOME".into(), folder.into()));
            watched.environment.extend(variables.iter().map(|(name, value)| ((*name).into(), value.clone())));
            watched
        };
        let folder = tempfile::tempdir()?;
        let seen = watched(folder.path()).watch()?;
        ensure_eq!(seen.outcome.exit, Exit::Exited(0));
        ensure_eq!(seen.outcome.lost_events, 0);
        ensure_eq!(seen.ended, seen.threads);
        ensure_eq!(seen.blind, BTreeSet::new());
        if needs::is_installed("strace") {
            let folder = tempfile::tempdir()?;
            let theirs = referee::strace(&watched(folder.path()))?;
            let steady = |count: &dyn Fn(&str) -> u64| self.steady.iter().map(|name| (*name, count(name))).collect();
            let ours: BTreeMap<&str, u64> = steady(&|name| seen.calls(name));
            let theirs: BTreeMap<&str, u64> =
                steady(&|name| theirs.get(name).copied().unwrap_or(Count::default()).calls);
            ensure_eq!(ours, theirs);
        }
        Ok(())
    }
}
