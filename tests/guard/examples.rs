//! Examples of real calls: each engine shows the same call of the same process.

use sysguard::unstable::linux::Watching;
use sysguard::unstable::model::facts::example::Example;
use sysguard::unstable::model::observe::observation::Observation;
use sysguard::unstable::runner::{observe_notified_with_examples, observe_with_examples};

use crate::runs::{LIMITS, command};

/// A program that a shell starts, with a thread, a fork, sockets of each kind, and two programs.
const PROGRAM: &str = r#"
import ctypes, os, socket, subprocess, sys, threading
null = os.open("/dev/null", os.O_RDWR)
os.close(null)
def thread():
    try: socket.socket().connect(("127.0.0.1", 9))
    except OSError: pass
it = threading.Thread(target=thread); it.start(); it.join()
if os.fork() == 0:
    os.execv("/bin/echo", ["echo", "from a fork", "second"])
os.wait()
subprocess.run(["/bin/sh", "-c", "exec /bin/cat /proc/self/status"], env={"SECRET": "hidden"}, stdout=2)
"#;

fn is_reported(seen: &Observation, name: &str, holds: &str) -> Option<Example> {
    let of_name =
        |used: &&(_, &sysguard::unstable::model::attribution::Use, _, &Example)| used.1.syscall.name() == name;
    seen.examples.of_uses().filter(|it| of_name(&it)).map(|it| it.3).find(|it| it.call.contains(holds)).cloned()
}

/// Returns what each engine shows of the program. Its threads share fds, which ends a guarded run.
fn shown() -> Vec<(&'static str, Observation)> {
    let script = format!("python3 -c '{PROGRAM}'; exit 0");
    let words = ["sh", "-c", &script];
    let mut all = Vec::new();
    for engine in ["ptrace", "notify"] {
        let (command, _output) = command(&words);
        let (seen, outcome) = match engine {
            "ptrace" => observe_with_examples(command, &LIMITS, Watching::EveryCall),
            _ => observe_notified_with_examples(command, &LIMITS),
        }
        .expect("a run");
        assert_eq!((outcome.lost_events, outcome.incomplete), (0, None), "{engine}");
        all.push((engine, seen));
    }
    all
}

pub(crate) fn engines_show_the_same_first_calls() {
    for (engine, seen) in shown() {
        let example = |name: &str, holds: &str| {
            is_reported(&seen, name, holds).unwrap_or_else(|| {
                let all: Vec<_> = seen.examples.of_uses().map(|it| it.3).collect();
                panic!("{engine} shows no {name} with {holds}: {all:#?}")
            })
        };
        let connect = example("connect", "127.0.0.1:9");
        // Under notify, a call is reported before it is made.
        let result = if engine == "notify" { "" } else { " = -1 ECONNREFUSED" };
        assert!(connect.call.ends_with(&format!("127.0.0.1:9){result}")), "{engine}: {}", connect.call);
        assert_eq!(connect.process, ["sh -c …", "python3 -c …"], "{engine}: a thread counts as its process");
        assert!(seen.examples.of_uses().all(|it| !it.3.call.contains("hidden")), "{engine} shows no variable");
        for (_, used, _, example) in seen.examples.of_uses() {
            assert!(example.call.starts_with(&*used.syscall.name()), "{engine}: {used:?}: {}", example.call);
            assert!(example.process.first().is_some_and(|first| first == "sh -c …"), "{engine}: {example:?}");
        }
    }
}

pub(crate) fn execve_is_shown_with_its_arguments() {
    let script = "/bin/echo one \"two  words\"; true";
    let (command, _output) = command(&["sh", "-c", script]);
    let (seen, _) = observe_with_examples(command, &LIMITS, Watching::EveryCall).expect("a run");
    // Each program is a use of its own.
    for words in ["\"sh\", \"-c\", ", "\"/bin/echo\", \"one\", \"two  words\""] {
        let example = is_reported(&seen, "execve", words).expect("an execve");
        assert!(example.call.ends_with(" = 0"), "{}", example.call);
        assert_eq!(example.process, ["sh -c …"]);
    }

    // A use that only the second program shows.
    let (command, _output) = self::command(&["sh", "-c", "/bin/uname -r; true"]);
    let (seen, _) = observe_with_examples(command, &LIMITS, Watching::EveryCall).expect("a run");
    let uname = is_reported(&seen, "uname", "uname").expect("a uname");
    assert_eq!(uname.process, ["sh -c …", "uname -r"]);
}
