//! Rules on single calls, under every engine: which program runs, which address is named, and
//! whether a call can write.

use std::collections::BTreeSet;

use sysguard::unstable::linux::{Watcher, Watching, inherited, watch, watch_notified};
use sysguard::unstable::model::conditions::Conditions;
use sysguard::unstable::model::decode::NamedFolders;
use sysguard::unstable::model::expectation::{Baseline, Document, Version, format, project};
use sysguard::unstable::model::guard::Guard;
use sysguard::unstable::model::observe::observation::{Observation, Observer, Part};
use sysguard::unstable::model::trace::event::Event;
use sysguard::unstable::settings;

use crate::runs::{LIMITS, command, facts, holding, traced};

/// Observes a run, and requests that its calls are compared with conditions.
struct Asking(Observer, Conditions);

impl Watcher for Asking {
    fn event(&mut self, event: &Event) {
        self.0.fold(event);
    }

    fn conditions(&self) -> Conditions {
        self.1.clone()
    }
}

fn folders() -> NamedFolders {
    NamedFolders::new([("/tmp".to_owned(), "$TMPDIR")])
}

fn document(rules: &str) -> Document {
    let text = format!("version: 2\ncommand: [\"true\"]\n{rules}\n");
    format::read(text.as_bytes()).unwrap_or_else(|error| panic!("{error}")).expectation.document
}

/// Returns what each engine shows of a command, with everything that it does held by the baseline.
fn observed(words: &[&str], document: &Document, baseline: &Baseline) -> [Observation; 3] {
    let asking = || Asking(Observer::new(Part::All), Conditions::new(document.call_conditions(), folders()));
    let platform = settings::platform();
    let by_ptrace = {
        let ((command, _output), mut asking) = (command(words), asking());
        watch(command, &LIMITS, Watching::EveryCall, &mut asking).expect("a traced run");
        asking.0.observation
    };
    let by_notify = {
        let ((command, _output), mut asking) = (command(words), asking());
        watch_notified(command, &LIMITS, &mut asking).expect("a run by notifications");
        asking.0.observation
    };
    let by_guard = {
        let ((command, _output), mut asking) = (command(words), asking());
        let guard = Guard::new(document, baseline, &platform, &inherited(&command)).expect("a guard");
        let outcome = watch(command, &LIMITS, Watching::Guarded(&guard), &mut asking).expect("a guarded run");
        assert_eq!(outcome.incomplete, None);
        asking.0.observation
    };
    [by_ptrace, by_notify, by_guard]
}

/// Asserts for each rule whether every engine shows a call that breaks it.
fn assert_forbidden(words: &[&str], cases: &[(&str, bool)]) {
    let platform = settings::platform();
    let baseline = holding(&facts(&traced(words), &platform), &platform);
    for (rule, expected) in cases {
        let document = document(&format!("forbid:\n  - {rule}"));
        let is_broken = |seen: &Observation| seen.uses.keys().any(|used| document.forbid[0].matches(used, None));
        let broken = observed(words, &document, &baseline).map(|seen| is_broken(&seen));
        assert_eq!(broken, [*expected; 3], "{rule}");
    }
}

/// Asserts that a rule tolerates exactly these new calls, by their names, under every engine. The
/// baseline holds none of `names`.
fn assert_tolerated(words: &[&str], names: &[&str], cases: &[(&str, &[&str])]) {
    let platform = settings::platform();
    let is_known = |name: Option<&str>| name.is_none_or(|name| !names.contains(&name));
    let held: BTreeSet<_> =
        facts(&traced(words), &platform).into_iter().filter(|fact| is_known(fact.syscall())).collect();
    let baseline = holding(&held, &platform);
    for (rule, expected) in cases {
        let document = document(&format!("tolerate:\n  - {rule}"));
        for (engine, seen) in ["ptrace", "notify", "guard"].iter().zip(observed(words, &document, &baseline)) {
            let judged = project(&seen, &document, &platform, Version::LATEST).facts;
            let left: BTreeSet<&str> = judged.keys().filter_map(|fact| fact.syscall()).collect();
            let gone: Vec<&str> = names.iter().copied().filter(|name| !left.contains(name)).collect();
            assert_eq!(gone, *expected, "{rule} under {engine}");
        }
    }
}

const PROGRAMS: &str = "system('/bin/true'); system('/usr/bin/env', 'true')";

pub(crate) fn forbidden_program_is_seen_by_every_engine() {
    assert_forbidden(
        &["perl", "-e", PROGRAMS],
        &[
            ("{program: 'true'}", true),
            ("{program: env}", true),
            ("{program: 'tr*'}", true),
            ("{program: 'tr'}", false),
            ("{program: curl}", false),
            ("{program: 'true', syscall: execveat}", false),
        ],
    );
}

/// Connects to 127.0.0.1, sends to 127.1.2.3 and ::1, and binds 127.0.0.1.
const ADDRESSES: &str = "use Socket qw(:all); my $to = sockaddr_in(9, inet_aton('127.0.0.1'));
socket(S, PF_INET, SOCK_DGRAM, 0); connect(S, $to); send(S, 'x', 0);
socket(T, PF_INET, SOCK_DGRAM, 0); bind(T, sockaddr_in(0, inet_aton('127.0.0.1')));
send(T, 'x', 0, sockaddr_in(53, inet_aton('127.1.2.3')));
socket(U, PF_INET6, SOCK_DGRAM, 0); send(U, 'x', 0, sockaddr_in6(80, inet_pton(AF_INET6, '::1')))";

pub(crate) fn forbidden_range_is_seen_by_every_engine() {
    assert_forbidden(
        &["perl", "-e", ADDRESSES],
        &[
            ("{address: loopback}", true),
            ("{address: global}", false),
            ("{address: 127.0.0.0/8}", true),
            ("{address: 127.0.0.1, syscall: connect}", true),
            ("{address: '127.0.0.1:9'}", true),
            ("{address: '127.0.0.1:10'}", false),
            ("{address: 127.1.2.3, syscall: sendto}", true),
            ("{address: 127.1.2.3, syscall: connect}", false),
            ("{address: '[::1]:80'}", true),
            ("{address: '::/0', syscall: connect}", false),
            ("{address: 10.0.0.0/8}", false),
        ],
    );
}

pub(crate) fn only_calls_in_a_range_are_tolerated() {
    assert_tolerated(
        &["perl", "-e", ADDRESSES],
        &["bind", "connect", "sendto"],
        &[
            ("{address: 127.0.0.1, syscall: connect}", &["connect"]),
            ("{address: '127.0.0.1:10'}", &[]),
            ("{address: 127.0.0.0/8}", &["bind", "connect"]),
            ("{address: 10.0.0.0/8}", &[]),
        ],
    );
}

/// Writes, makes and removes in a folder of its own, and reads elsewhere.
const FILES: &str = "use File::Temp; my $d = File::Temp->newdir; my $f = \"$d/x\";
open(F, '>', $f); close F; chmod 0600, $f; rename $f, \"$f.y\"; unlink \"$f.y\"; mkdir \"$d/z\"; rmdir \"$d/z\";
open(F, '<', '/etc/passwd'); <F>; stat('/etc/group')";

pub(crate) fn forbidden_write_is_seen_by_every_engine() {
    assert_forbidden(
        &["perl", "-e", FILES],
        &[
            ("{writes: true}", true),
            ("{writes: true, syscall: openat}", true),
            ("{writes: true, syscall: rename}", true),
            ("{writes: true, syscall: unlink}", true),
            ("{writes: true, syscall: newfstatat}", false),
            ("{writes: true, object: 'file:proc'}", false),
        ],
    );
    assert_forbidden(&["perl", "-e", "open(F, '<', '/etc/passwd'); <F>"], &[("{writes: true}", false)]);
}

pub(crate) fn only_writing_calls_are_tolerated() {
    assert_tolerated(
        &["perl", "-e", FILES],
        &["chmod", "mkdir", "openat", "rename"],
        &[("{writes: true}", &["chmod", "mkdir", "rename"]), ("{writes: true, syscall: mkdir}", &["mkdir"])],
    );
}

/// Runs a script in a folder of its own, `$d`, and removes what it leaves there.
fn in_folder(script: &str) -> String {
    format!("my $d = \"/tmp/sysguard-rules-$$\"; mkdir $d; {script}; unlink glob \"$d/*\"; chdir '/'; rmdir $d")
}

pub(crate) fn forbidden_path_is_seen_by_every_engine() {
    let group = "{path: /etc/group}";
    for (script, cases) in [
        (
            "open(F, '<', '/etc/group')",
            &[(group, true), ("{path: '/etc/*'}", true), ("{path: /etc/shadow}", false)][..],
        ),
        ("open(F, '<', '/etc/../etc/.//group')", &[(group, true)]),
        ("chdir '/etc'; open(F, '<', 'group')", &[(group, true), ("{path: /group}", false)]),
        ("chdir '/etc'; open(F, '<', '../etc/group')", &[(group, true)]),
        ("open(D, '<', '/etc'); my $n = 'group'; syscall(257, fileno(D), $n, 0)", &[(group, true)]),
        // A link to the file, and one to its folder.
        (
            "symlink('/etc/group', \"$d/l\"); open(F, '<', \"$d/l\")",
            &[(group, true), ("{path: '$TMPDIR/*/l', syscall: openat}", true)],
        ),
        ("symlink('/etc', \"$d/l\"); open(F, '<', \"$d/l/group\")", &[(group, true), ("{path: '~/**'}", false)]),
        // The call is about the link itself.
        ("symlink('/etc/group', \"$d/l\"); unlink(\"$d/l\")", &[("{path: /etc/group, syscall: unlink}", false)]),
        ("open(F, '>', \"$d/a\"); rename(\"$d/a\", \"$d/b\")", &[("{path: '$TMPDIR/*/b', syscall: rename}", true)]),
        // A call makes the target of a link.
        (
            "symlink(\"$d/t\", \"$d/l\"); open(F, '>', \"$d/l\")",
            &[("{path: '$TMPDIR/*/t', writes: true, syscall: openat}", true)],
        ),
        ("open(F, '>', \"$d/a\"); chmod(0600, *F)", &[("{path: '$TMPDIR/*/a', syscall: fchmod}", true)]),
        ("open(F, '<', '/proc/self/status')", &[("{path: /proc/self/status}", true)]),
        ("system('/bin/true')", &[("{path: /bin/true, syscall: execve}", true), ("{path: /bin/false}", false)]),
        ("open(F, '<', '/etc/group')", &[("{path: /etc/group, writes: true}", false)]),
    ] {
        assert_forbidden(&["perl", "-e", &in_folder(script)], cases);
    }
}

pub(crate) fn only_calls_on_matching_paths_are_tolerated() {
    let script = "symlink('/etc/group', \"$d/l\"); my $b = \"\\0\" x 200; syscall(137, \"$d/l\", $b);
        open(F, '>', \"$d/a\"); close F; rename(\"$d/a\", \"$d/b\"); truncate(\"$d/b\", 0)";
    assert_tolerated(
        &["perl", "-e", &in_folder(script)],
        &["mkdir", "rename", "rmdir", "statfs", "symlink", "truncate"],
        &[
            // The workload made the link that statfs follows.
            ("{path: '$TMPDIR/**'}", &["mkdir", "rename", "rmdir", "symlink", "truncate"]),
            ("{path: '$TMPDIR/*'}", &["mkdir", "rmdir"]),
            ("{path: '$TMPDIR/*/a'}", &[]),
            ("{path: '$TMPDIR/**', syscall: rename}", &["rename"]),
            ("{path: '/etc/**'}", &[]),
        ],
    );
}
