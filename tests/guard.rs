//! All engines give the same verdict: on a baseline that holds everything, and on every one that
//! lacks a fact; and record the same.
//!
//! The truth is what ptrace saw of the same command. A guard may miss nothing of what a baseline
//! lacks, and must make nothing up.

use std::collections::BTreeSet;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::Duration;

use sysguard::linux::{Command, Environment, Incomplete, Limits, Machine, Stream, inherited};
use sysguard::model::expectation::{Baseline, Document, Recorded, Unseen, format, project, record};
use sysguard::model::facts::fact::Fact;
use sysguard::model::facts::fingerprint::Fingerprint;
use sysguard::model::guard::Guard;
use sysguard::model::observe::observation::Observation;
use sysguard::model::run::platform::Platform;
use sysguard::model::run::workload::Exit;
use sysguard::model::trace::marker;
use sysguard::model::trace::marker::LOADER;
use sysguard::runner::{Lookup, find_command, observe, observe_guarded, observe_notified};
use sysguard::settings;

const LIMITS: Limits = Limits { timeout: Some(Duration::from_secs(60)), stop: None, grace: Duration::from_secs(2) };

/// About so many facts are taken away from a baseline, one at a time.
const MUTATIONS: usize = 24;

/// A command as a workload is run: its output is read by nobody, which pipes do not mind for as
/// long as it is short.
fn command(words: &[&str]) -> (Command, [std::io::PipeReader; 2]) {
    let Lookup::Found(program) = find_command(words[0].as_ref()) else { panic!("{} is not installed", words[0]) };
    let (out, stdout) = std::io::pipe().expect("a pipe");
    let (err, stderr) = std::io::pipe().expect("a pipe");
    let null = std::fs::File::open("/dev/null").expect("/dev/null");
    let command = Command {
        program,
        argv: words.iter().map(Into::into).collect(),
        environment: Environment::Exactly(vec![("PATH".into(), "/usr/bin:/bin".into())]),
        cwd: Some(PathBuf::from("/tmp")),
        stdio: [OwnedFd::from(null), stdout.into(), stderr.into()].map(Stream::Given),
        isolated: true,
    };
    (command, [out, err])
}

fn document() -> Document {
    let text = "version: 1\ncommand: [\"true\"]\n";
    format::read(text.as_bytes()).expect("a document").expectation.document
}

/// All that a baseline takes which names no set of the loader's.
fn facts(observation: &Observation, platform: &Platform) -> BTreeSet<Fact> {
    let is_loaders = |fact: &Fact| matches!(fact, Fact::Phase { phase, .. } if phase == LOADER);
    project(observation, &document(), platform).facts.into_keys().filter(|fact| !is_loaders(fact)).collect()
}

/// What was reached: a call that is refused because of its fd is news only where no baseline knows
/// it.
fn reached(observation: &Observation, platform: &Platform) -> BTreeSet<Fact> {
    let refused = project(observation, &document(), platform).refused;
    facts(observation, platform).into_iter().filter(|fact| !refused.contains(fact)).collect()
}

fn watched(words: &[&str]) -> Observation {
    let (command, _output) = command(words);
    let (observation, outcome) = observe(command, &LIMITS).expect("a traced run");
    assert_eq!(outcome.lost_events, 0);
    observation
}

fn notified(words: &[&str], platform: &Platform) -> BTreeSet<Fact> {
    let (command, _output) = command(words);
    let (observation, outcome) = observe_notified(command, &LIMITS).expect("a run by notifications");
    assert_eq!((outcome.lost_events, outcome.incomplete), (0, None), "{words:?}");
    facts(&observation, platform)
}

fn guarded(words: &[&str], baseline: &Baseline, platform: &Platform) -> BTreeSet<Fact> {
    let (command, _output) = command(words);
    let guard = Guard::new(&document(), baseline, platform, &inherited(&command)).expect("a guard");
    let (observation, outcome) = observe_guarded(command, &LIMITS, &guard).expect("a guarded run");
    assert_eq!((outcome.lost_events, outcome.incomplete), (0, None), "{words:?}");
    reached(&observation, platform)
}

/// The baseline that holds these facts and no others.
fn holding(facts: &BTreeSet<Fact>, platform: &Platform) -> Baseline {
    let recorded = Recorded {
        platform: platform.clone(),
        fingerprint: Fingerprint::default(),
        restless: false,
        runs: vec![facts.clone()],
    };
    record(None, &recorded, Unseen::Keep)
}

/// Without a fact goes what is a part of it.
fn without(facts: &BTreeSet<Fact>, fact: &Fact) -> BTreeSet<Fact> {
    let is_part = |other: &Fact| {
        let ancestors = std::iter::successors(Some(other.clone()), Fact::parent);
        ancestors.into_iter().any(|ancestor| ancestor == *fact)
    };
    facts.iter().filter(|other| !is_part(other)).cloned().collect()
}

fn same_verdicts(words: &[&str]) {
    let platform = settings::platform();
    // What scheduling adds now and then shall not look like a difference.
    let runs: Vec<BTreeSet<Fact>> = (0..3).map(|_| facts(&watched(words), &platform)).collect();
    let mut all: BTreeSet<Fact> = runs.iter().flatten().cloned().collect();
    let always: BTreeSet<Fact> = {
        let again = reached(&watched(words), &platform);
        again.into_iter().filter(|fact| runs.iter().all(|run| run.contains(fact))).collect()
    };
    assert!(!all.is_empty());
    let told = notified(words, &platform);
    assert!(always.is_subset(&told), "{words:?} by notifications: {:?} were missed", always.difference(&told));
    assert_eq!(made_up(&told, &mut all, words, &platform), BTreeSet::new(), "{words:?} by notifications");
    let news = |baseline: &BTreeSet<Fact>| -> BTreeSet<Fact> {
        let seen = guarded(words, &holding(baseline, &platform), &platform);
        seen.difference(&holding(baseline, &platform).facts()).cloned().collect()
    };
    let found = news(&all);
    assert_eq!(made_up(&found, &mut all, words, &platform), BTreeSet::new(), "{words:?}: a whole baseline");
    // A run each: of a program with many facts some are taken away, spread over all of them.
    for fact in always.iter().step_by(1 + always.len() / MUTATIONS) {
        let baseline = without(&all, fact);
        let missing: BTreeSet<Fact> = always.difference(&holding(&baseline, &platform).facts()).cloned().collect();
        let found = news(&baseline);
        assert!(missing.is_subset(&found), "{words:?} without {fact}: {:?} were missed", missing.difference(&found));
        assert_eq!(made_up(&found, &mut all, words, &platform), BTreeSet::new(), "{words:?} without {fact}");
    }
}

/// What of this ptrace does not find, asked again for what a program does by chance.
fn made_up(found: &BTreeSet<Fact>, all: &mut BTreeSet<Fact>, words: &[&str], platform: &Platform) -> BTreeSet<Fact> {
    const MORE: usize = 4;
    for _ in 0..MORE {
        if found.is_subset(all) {
            break;
        }
        all.extend(facts(&watched(words), platform));
    }
    found.difference(all).cloned().collect()
}

#[test]
fn a_program_that_reads_files() {
    same_verdicts(&["cat", "/etc/passwd", "/proc/self/maps", "/dev/null"]);
}

#[test]
fn a_shell_with_pipes_and_children() {
    same_verdicts(&["sh", "-c", "echo one | cat | wc -c; ls /tmp >/dev/null; exec true"]);
}

#[test]
fn threads_that_share_their_files() {
    let script = "import threading, os
def work():
    a, b = os.pipe()
    os.write(b, open('/etc/passwd', 'rb').read(9))
    os.read(a, 9)
    os.close(a)
    os.close(b)
threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads: thread.start()
for thread in threads: thread.join()";
    same_verdicts(&["/usr/bin/python3", "-S", "-c", script]);
}

/// What only calls show which were refused because of their fd.
fn refused_only(words: &[&str], fact: &str) {
    let platform = settings::platform();
    let observation = watched(words);
    let fact = fact.parse().expect("a fact");
    assert!(facts(&observation, &platform).contains(&fact) && !reached(&observation, &platform).contains(&fact));
    same_verdicts(words);
}

#[test]
fn a_write_to_what_is_open_for_reading_only_has_reached_nothing() {
    let script = "open my $f, '<', '/etc/passwd'; my $x = 'x'; syscall(1, fileno($f) + 0, $x, 1); syswrite STDOUT, $x";
    refused_only(&["perl", "-e", script], "filesystem::write::object=file");
}

#[test]
fn a_mapping_of_what_cannot_be_mapped_has_reached_nothing() {
    // mmap(0, 4096, PROT_READ, MAP_PRIVATE, …) of both ends of a pipe, and of a file of proc.
    let script = "pipe R, W; open P, '<', '/proc/self/maps'; syscall(9, 0, 4096, 1, 2, fileno($_) + 0, 0) for R, W, P";
    refused_only(&["perl", "-e", script], "memory::mmap::object=pipe");
    refused_only(&["perl", "-e", script], "memory::mmap::object=file:proc");
}

/// Whatever a path leads to: what is not there yet, another file's name, proc, a stream, a pipe.
#[test]
fn a_program_that_opens_in_many_ways() {
    let script = "use Socket; my $t = qq(/tmp/sysguard.$$); mkdir $t; open A, '>', qq($t/a); symlink '/proc/meminfo', qq($t/l); open B, '<', qq($t/l);
my $x = <B>; close B; link qq($t/a), qq($t/b); open C, '+<', qq($t/b); print C $x; close C; open D, '<', '/dev/fd/0'; open E, '<', '/proc/self/status';
$x = <E>; close E; open STDERR, '>&', \\*A; print STDERR $x; close STDERR; close A; pipe R, W; open F, qq(/proc/self/fd/) . fileno R; close F;
socketpair S, T, AF_UNIX, SOCK_STREAM, 0; syswrite S, 'x'; sysread T, $x, 1; open G, '<', '/nowhere'; opendir H, $t; readdir H; closedir H;
chdir '/proc/self'; open I, '<', 'maps'; $x = <I>; unlink glob qq($t/*); rmdir $t";
    same_verdicts(&["perl", "-e", script]);
}

/// What `self` is, only the task itself finds: however the path is spelled that leads there.
#[test]
fn a_program_that_opens_paths_through_itself() {
    let script = "my $t = qq(/tmp/sysguard.$$); mkdir $t; chdir $t; symlink '/dev/zero', 'z'; symlink '/dev/full', 'y'; symlink '/proc/self/cwd', 'here';
symlink '/proc', 'p'; for (qw(here/z p/thread-self/cwd/y /proc//self/maps //proc/self/../self/statm /proc/self/cwd/nowhere)) { open F, '<', $_; sysread F, $x, 1; close F }
chdir '/proc'; open G, '<', 'self/cgroup'; sysread G, $x, 1; open H, '<', qq(self/fd/) . fileno G; sysread H, $x, 1; chdir $t; unlink qw(z y here p); rmdir $t";
    same_verdicts(&["perl", "-e", script]);
}

/// Its procfs numbers tasks otherwise than that of the tracer.
#[test]
fn a_program_in_a_pid_namespace() {
    let words = ["unshare", "-rpf", "--mount-proc"];
    let makes_one = std::process::Command::new(words[0]).args(&words[1..]).arg("true").status();
    if !makes_one.is_ok_and(|status| status.success()) {
        assert!(std::env::var_os("SYSGUARD_REQUIRE").is_none_or(|value| value != "1"), "no PID namespace can be made");
        return;
    }
    let script = "read x < /proc/self/status; read x < /proc/self/maps; read x < /proc/self/cgroup";
    same_verdicts(&[&words[..], &["sh", "-c", script]].concat());
}

/// Where a task runs while it is lent the tracer's CPU, nobody of its tree may find.
#[test]
fn nobody_finds_where_it_was_lent_a_cpu() {
    let script = "import os, subprocess
def look(): print(len(os.sched_getaffinity(0)), flush=True)
for _ in range(8):
    for _ in range(20): os.stat('/etc/passwd')
    child = os.fork()
    if child == 0:
        look()
        os._exit(0)
    os.waitpid(child, 0)
    subprocess.run(['nproc'])
    subprocess.run(['sh', '-c', 'nproc; (nproc); nproc | cat'])
look()";
    let words = ["/usr/bin/python3", "-S", "-c", script];
    let platform = settings::platform();
    let baseline = holding(&(0..3).flat_map(|_| facts(&watched(&words), &platform)).collect(), &platform);
    let expected = format!("{}\n", Machine::cpus()).repeat(8 * 5 + 1);
    for guards in [false, true] {
        let (command, [mut out, _]) = command(&words);
        let outcome = if guards {
            let guard = Guard::new(&document(), &baseline, &platform, &inherited(&command)).expect("a guard");
            observe_guarded(command, &LIMITS, &guard)
        } else {
            observe(command, &LIMITS)
        };
        assert_eq!(outcome.expect("a run").1.exit, Exit::Exited(0));
        let mut told = String::new();
        out.read_to_string(&mut told).expect("its output");
        assert_eq!(told, expected, "guarded: {guards}");
    }
}

/// Anonymous code, which no file holds, beside the loader's mappings of libraries.
#[test]
fn anonymous_code_is_reported_by_every_engine() {
    // mmap(PROT_READ|PROT_EXEC, MAP_PRIVATE|MAP_ANONYMOUS), mprotect, shmat(SHM_EXEC), personality.
    let script = "my $m = syscall 9, 0, 4096, 5, 0x22, -1, 0; syscall 10, $m, 4096, 5; syscall 30, -1, 0, 0100000;
syscall 30, -1, 0, 0; syscall 135, 0xffffffff; syscall 135, 0x400000";
    let words = ["perl", "-e", script];
    let seen = facts(&watched(&words), &settings::platform());
    for fact in [
        "memory::mmap::argument=PROT_READ|PROT_EXEC",
        "memory::mmap::argument=PROT_READ|PROT_EXEC|MAP_ANONYMOUS",
        "memory::mprotect::argument=PROT_READ|PROT_EXEC",
        "sysvipc::shmat::argument=SHM_EXEC",
        "process::personality::argument=READ_IMPLIES_EXEC",
    ] {
        assert!(seen.contains(&fact.parse().expect(fact)), "{fact}: {seen:?}");
    }
    same_verdicts(&words);
}

/// A runtime may signal its own threads at any time; a signal to another process is a fact.
#[test]
fn signal_to_other_thread_group_is_reported_by_every_engine() {
    for (number, own, other) in [(234, "$$, $$, 0", "$parent, $parent, 0"), (200, "$$, 0", "$parent, 0")] {
        let (to_own, to_other) = (format!("syscall {number}, {own}"), format!("syscall {number}, {other}"));
        let script = |call: &str| format!("my $parent = $$ + 0; unless (fork) {{ $$ += 0; {call}; exit }} wait");
        let fact = format!("signal::{}", if number == 234 { "tgkill" } else { "tkill" }).parse().expect("a fact");
        for (call, is_fact) in [(to_own, false), (to_other, true)] {
            let script = script(&call);
            let words = ["perl", "-e", script.as_str()];
            assert_eq!(facts(&watched(&words), &settings::platform()).contains(&fact), is_fact, "{script}");
            same_verdicts(&words);
        }
    }
}

#[test]
fn a_program_that_walks_a_tree() {
    same_verdicts(&["find", "/etc/default", "-type", "f"]);
}

#[test]
fn processes_that_pass_messages_by_pipes() {
    same_verdicts(&["perf", "bench", "sched", "pipe", "-l", "20"]);
}

#[test]
fn processes_that_pass_messages_by_sockets() {
    same_verdicts(&["perf", "bench", "sched", "messaging", "-g", "1", "-l", "2"]);
}

#[test]
fn a_program_that_asks_network_interfaces() {
    same_verdicts(&["stress-ng", "--netdev", "1", "--netdev-ops", "3"]);
}

#[test]
fn what_is_expected_runs_unwatched() {
    let words = ["perl", "-e", "getppid() for 1..1000"];
    let platform = settings::platform();
    let baseline = holding(&facts(&watched(&words), &platform), &platform);
    let (command, _output) = command(&words);
    let guard = Guard::new(&document(), &baseline, &platform, &inherited(&command)).expect("a guard");
    let (observation, _) = observe_guarded(command, &LIMITS, &guard).expect("a guarded run");
    let stopped = observation.uses.iter().filter(|(used, _)| used.syscall.name() == "getppid");
    assert_eq!(stopped.map(|(_, tally)| tally.calls).sum::<u64>(), 0);
}

/// A tracer takes CLONE_UNTRACED out of a call for as long as it lasts.
#[test]
fn who_hides_a_child_from_a_guard_finds_no_trace_of_it() {
    // clone3(&{.flags = CLONE_UNTRACED, .exit_signal = SIGCHLD}); parent and child each look at
    // what they have asked for.
    let script = "my $wanted = pack 'Q11', 0x800000, 0, 0, 0, 17, (0) x 6;
my $child = syscall(435, $wanted, 88);
my $kept = unpack('Q', $wanted) == 0x800000;
exit($kept ? 0 : 9) unless $child;
waitpid $child, 0;
exit($kept ? $? >> 8 : 8)";
    let words = ["perl", "-e", script];
    let platform = settings::platform();
    let baseline = holding(&facts(&watched(&words), &platform), &platform);
    let (command, _output) = command(&words);
    let guard = Guard::new(&document(), &baseline, &platform, &inherited(&command)).expect("a guard");
    let (_, outcome) = observe_guarded(command, &LIMITS, &guard).expect("a guarded run");
    assert_eq!((outcome.exit, outcome.incomplete), (Exit::Exited(0), None));
}

/// Why a guarded run of a workload against its own whole baseline would not do.
fn incomplete(words: &[&str]) -> Option<Incomplete> {
    let platform = settings::platform();
    let mut baseline = holding(&facts(&watched(words), &platform), &platform);
    // One from before the program named any.
    baseline.phases.clear();
    let (command, _output) = command(words);
    let guard = Guard::new(&document(), &baseline, &platform, &inherited(&command)).expect("a guard");
    let (_, outcome) = observe_guarded(command, &LIMITS, &guard).expect("a guarded run");
    outcome.incomplete
}

#[test]
fn a_workload_with_a_filter_of_its_own_is_not_guarded() {
    // prctl(PR_SET_NO_NEW_PRIVS, 1), and prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER) with one
    // instruction: SECCOMP_RET_ALLOW.
    let filters = "syscall(157, 38, 1, 0, 0, 0); my $allow = pack('SCCL', 6, 0, 0, 0x7fff0000); \
                   my $program = pack('Sx6P', 1, $allow); syscall(157, 22, 2, $program) == 0 or die";
    assert_eq!(incomplete(&["perl", "-e", filters]), Some(Incomplete::OwnFilter));
    // prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT), which the kernel refuses anyway where there is a
    // filter around the session.
    let status = std::fs::read_to_string("/proc/self/status").expect("a status");
    let is_refused = status.contains("Seccomp:\t2");
    let strict = incomplete(&["perl", "-e", "syscall(157, 22, 1, 0, 0, 0)"]);
    assert_eq!(strict, (!is_refused).then_some(Incomplete::OwnFilter));
}

#[test]
fn refused_filter_does_not_end_a_guarded_run() {
    // prctl(PR_SET_SECCOMP): a mode that there is not, and a program that cannot be read.
    let refused = "syscall(157, 22, 7, 0, 0, 0) == -1 or die; syscall(157, 22, 2, 0, 0, 0) == -1 or die";
    assert_eq!(incomplete(&["perl", "-e", refused]), None);
}

#[test]
fn a_workload_that_names_phases_is_not_guarded() {
    // What `sysguard::phase("a")` says: a name of one letter.
    let says = format!("syscall(157, {}, 3, 0x61, 0, 0)", marker::OPTION);
    assert_eq!(incomplete(&["perl", "-e", &says]), Some(Incomplete::Phases));
    // A call of prctl that says nothing to a tracer: PR_GET_DUMPABLE.
    assert_eq!(incomplete(&["perl", "-e", "syscall(157, 3, 0, 0, 0, 0)"]), None);
}
