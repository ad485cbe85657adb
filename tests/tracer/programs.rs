//! Real programs: those that repeat exactly are counted as strace counts them, and under load nothing is lost.

use std::time::Duration;

use libtest_mimic::{Completion, Failed, Trial};
use sysguard::model::syscall::Abi;
use sysguard::model::workload::Exit;

use crate::needs::{self, Need};
use crate::referee;
use crate::seen::{NATIVE, Watched};
use crate::trials::{ensure_eq, watch};

/// A trial for each program.
pub(crate) fn trials() -> Vec<Trial> {
    let refereed = REFEREED.iter().map(|(name, script)| {
        trial(format!("programs::as_strace_counts::{name}"), &[name, "strace"], || counts_as_strace_does(script))
    });
    let loaded = LOADED.iter().map(|(name, programs, script)| {
        trial(format!("programs::under_load::{name}"), programs, || loses_nothing(script))
    });
    refereed.chain(loaded).collect()
}

fn trial(name: String, programs: &[&str], run: impl FnOnce() -> Result<(), Failed> + Send + 'static) -> Trial {
    let needs: Vec<Need> = programs.iter().map(|program| Need::Program((*program).to_owned())).collect();
    Trial::ignorable_test(name, move || needs::unmet(&needs).unwrap_or_else(|| run().map(|()| Completion::Completed)))
}

/// Programs of the machine that repeat exactly, with fixed input in a fresh directory.
const REFEREED: &[(&str, &str)] = &[
    ("ls", "ls -l"),
    ("git", "git status"),
    (
        "sqlite3",
        "sqlite3 data.db 'create table if not exists t(x); insert into t values(1); select count(*) from t; delete from t'",
    ),
    ("python3", "python3 -S -E -c 'import json; print(json.dumps([1, 2]))'"),
    ("sort", "sort words"),
    ("tar", "tar -cf archive.tar words"),
    ("gzip", "gzip -kfn words"),
    ("sh", "sort words; uniq words; wc words"),
];

fn counts_as_strace_does(script: &str) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("words"), "stop\nevent\nstop\n")?;
    let prepare = ["git init -q . && git add words && git status", script];
    let watched = |script: &str| Watched { cwd: Some(folder.path().to_owned()), ..Watched::shell(script) };
    for script in prepare {
        watched(script).watch()?;
    }
    // Files younger than git's index are looked at again.
    std::thread::sleep(Duration::from_millis(1100));
    watched(script).watch()?;

    let theirs = referee::strace(&watched(script))?;
    let seen = watch(watched(script))?;
    ensure_eq!(seen.outcome.exit, Exit::Exited(0));
    ensure_eq!(seen.counts.keys().all(|(abi, _)| *abi == NATIVE || *abi == Abi::X86_64), true);
    referee::agrees(&seen, &theirs, &[]).map_err(|differing| format!("{script}: {differing}").into())
}

/// Programs under load: name, what they need, and a script that leaves with 0 when all of it worked.
const LOADED: &[(&str, &[&str], &str)] = &[
    (
        "redis",
        &["redis-server", "redis-benchmark", "redis-cli"],
        "redis-server --port 0 --unixsocket ./socket --save '' > log & server=$!
         until redis-cli -s ./socket ping > pong 2>&1; do sleep 0.05; done
         redis-benchmark -q -s ./socket -n 20000 -c 20 -t set,get,lpush > results && redis-cli -s ./socket shutdown nosave
         wait $server && grep -q GET results",
    ),
    (
        "nginx",
        &["nginx", "python3"],
        "echo 'worker_processes 2; daemon off; pid pid; error_log errors; events {}
            http { access_log requests; client_body_temp_path a; proxy_temp_path b; fastcgi_temp_path c; uwsgi_temp_path d;
                   scgi_temp_path e; server { listen unix:socket; location / { return 200 hello; } } }' > configuration
         nginx -p . -e errors -c configuration & server=$!
         until [ -S socket ]; do sleep 0.05; done
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
    ),
    (
        "git_clone",
        &["git"],
        "git init -q origin && cd origin && git config user.email a@b && git config user.name a
         for n in 1 2 3 4 5 6 7 8 9 10; do seq $n 2000 > file$n; git add . ; git commit -qm $n; done; cd ..
         git clone -q --no-local origin clone && diff -r origin/file10 clone/file10 && git -C clone fsck 2> log",
    ),
    ("perf_bench_sched_messaging", &["perf"], "perf bench sched messaging -g 4 -l 200 > results && grep -q Total results"),
    ("shell_pipelines", &["sort", "gzip"], "for n in 1 2 3 4 5; do seq 20000 | sort -R | gzip | gzip -d | sort -n | tail -1; done > results
         [ \"$(uniq results)\" = 20000 ]"),
];

fn loses_nothing(script: &str) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let mut watched = Watched { cwd: Some(folder.path().to_owned()), ..Watched::shell(script) };
    watched.environment.retain(|(name, _)| name != "HOME");
    watched.environment.push(("HOME".into(), folder.path().into()));
    let seen = watched.watch()?;
    ensure_eq!(seen.outcome.exit, Exit::Exited(0));
    ensure_eq!(seen.outcome.lost_events, 0);
    ensure_eq!(seen.ended, seen.threads);
    ensure_eq!(seen.blind, std::collections::BTreeSet::new());
    Ok(())
}
