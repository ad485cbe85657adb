//! Every engine must give the same verdict: with a baseline that holds everything, and with each
//! baseline that lacks one fact.
//!
//! The truth is what ptrace saw of the same command. A guarded run must report everything that the
//! baseline lacks, and nothing that ptrace does not see.

use std::collections::BTreeSet;
use std::io::Read;

use sysguard::unstable::linux::{Incomplete, Machine, inherited};
use sysguard::unstable::model::facts::fact::Fact;
use sysguard::unstable::model::guard::Guard;
use sysguard::unstable::model::run::platform::Platform;
use sysguard::unstable::model::run::workload::Exit;
use sysguard::unstable::model::trace::marker;
use sysguard::unstable::runner::{observe, observe_guarded};
use sysguard::unstable::settings;

use crate::runs::{LIMITS, command, document, facts, guarded, holding, notified, reached, traced, without};
use crate::{arguments, examples, rules};

/// About how many facts are removed from a baseline, one at a time.
const MUTATIONS: usize = 24;

/// The name of a trial, what it needs, and what it checks.
pub(crate) type Case = (&'static str, &'static [&'static str], fn());

/// Every case except the one in a PID namespace.
pub(crate) const CASES: &[Case] = &[
    ("reads_files", &["x86_64"], reads_files),
    ("shell_with_pipes_and_children", &["x86_64"], shell_with_pipes_and_children),
    ("threads_share_files", &["x86_64", "python3"], threads_share_files),
    ("write_to_read_only_fd_reaches_nothing", &["x86_64", "perl"], write_to_read_only_fd_reaches_nothing),
    ("mapping_of_unmappable_fd_reaches_nothing", &["x86_64", "perl"], mapping_of_unmappable_fd_reaches_nothing),
    ("opens_files_in_many_ways", &["x86_64", "perl"], opens_files_in_many_ways),
    ("opens_paths_through_proc_self", &["x86_64", "perl"], opens_paths_through_proc_self),
    ("colocation_does_not_show_in_affinity", &["python3"], colocation_does_not_show_in_affinity),
    ("anonymous_code_is_reported", &["x86_64", "perl"], anonymous_code_is_reported),
    ("signal_to_other_thread_group_is_reported", &["x86_64", "perl"], signal_to_other_thread_group_is_reported),
    ("walks_a_directory_tree", &["x86_64", "find"], walks_a_directory_tree),
    ("messages_by_pipes", &["x86_64", "perf"], messages_by_pipes),
    ("messages_by_sockets", &["x86_64", "perf"], messages_by_sockets),
    ("queries_network_interfaces", &["x86_64", "stress-ng"], queries_network_interfaces),
    ("expected_calls_run_without_stops", &["perl"], expected_calls_run_without_stops),
    ("clone_untraced_flag_is_restored", &["x86_64", "perl"], clone_untraced_flag_is_restored),
    ("own_seccomp_filter_ends_a_guarded_run", &["x86_64", "perl"], own_seccomp_filter_ends_a_guarded_run),
    ("refused_filter_keeps_a_guarded_run", &["x86_64", "perl"], refused_filter_keeps_a_guarded_run),
    ("phases_end_a_guarded_run", &["x86_64", "perl"], phases_end_a_guarded_run),
    ("engines_show_the_same_first_calls", &["x86_64", "python3"], examples::engines_show_the_same_first_calls),
    (
        "forbidden_address_is_seen_by_every_engine",
        &["x86_64", "perl"],
        arguments::forbidden_address_is_seen_by_every_engine,
    ),
    (
        "forbidden_program_is_seen_by_every_engine",
        &["x86_64", "perl"],
        rules::forbidden_program_is_seen_by_every_engine,
    ),
    ("forbidden_range_is_seen_by_every_engine", &["x86_64", "perl"], rules::forbidden_range_is_seen_by_every_engine),
    ("only_calls_in_a_range_are_tolerated", &["x86_64", "perl"], rules::only_calls_in_a_range_are_tolerated),
    ("forbidden_write_is_seen_by_every_engine", &["x86_64", "perl"], rules::forbidden_write_is_seen_by_every_engine),
    ("only_writing_calls_are_tolerated", &["x86_64", "perl"], rules::only_writing_calls_are_tolerated),
    ("forbidden_path_is_seen_by_every_engine", &["x86_64", "perl"], rules::forbidden_path_is_seen_by_every_engine),
    (
        "only_calls_on_matching_paths_are_tolerated",
        &["x86_64", "perl"],
        rules::only_calls_on_matching_paths_are_tolerated,
    ),
    ("execve_is_shown_with_its_arguments", &[], examples::execve_is_shown_with_its_arguments),
];

fn same_verdicts(words: &[&str]) {
    let platform = settings::platform();
    // Facts that depend on scheduling must not look like a difference.
    let runs: Vec<BTreeSet<Fact>> = (0..3).map(|_| facts(&traced(words), &platform)).collect();
    let mut all: BTreeSet<Fact> = runs.iter().flatten().cloned().collect();
    let always: BTreeSet<Fact> = {
        let again = reached(&traced(words), &platform);
        again.into_iter().filter(|fact| runs.iter().all(|run| run.contains(fact))).collect()
    };
    assert!(!all.is_empty());
    let seen = notified(words, &platform);
    assert!(always.is_subset(&seen), "{words:?} by notifications: {:?} were missed", always.difference(&seen));
    assert_eq!(made_up(&seen, &mut all, words, &platform), BTreeSet::new(), "{words:?} by notifications");
    let new_facts = |baseline: &BTreeSet<Fact>| -> BTreeSet<Fact> {
        let seen = guarded(words, &holding(baseline, &platform), &platform);
        seen.difference(&holding(baseline, &platform).expected()).cloned().collect()
    };
    let found = new_facts(&all);
    assert_eq!(made_up(&found, &mut all, words, &platform), BTreeSet::new(), "{words:?}: a complete baseline");
    // One run per removed fact: of many facts only some are removed, evenly spread.
    for fact in always.iter().step_by(1 + always.len() / MUTATIONS) {
        let baseline = without(&all, fact);
        let missing: BTreeSet<Fact> = always.difference(&holding(&baseline, &platform).expected()).cloned().collect();
        let found = new_facts(&baseline);
        assert!(missing.is_subset(&found), "{words:?} without {fact}: {:?} were missed", missing.difference(&found));
        assert_eq!(made_up(&found, &mut all, words, &platform), BTreeSet::new(), "{words:?} without {fact}");
    }
}

/// Returns what ptrace does not find; repeats the ptrace run for facts that vary.
fn made_up(found: &BTreeSet<Fact>, all: &mut BTreeSet<Fact>, words: &[&str], platform: &Platform) -> BTreeSet<Fact> {
    const MORE: usize = 4;
    for _ in 0..MORE {
        if found.is_subset(all) {
            break;
        }
        all.extend(facts(&traced(words), platform));
    }
    found.difference(all).cloned().collect()
}

fn reads_files() {
    same_verdicts(&["cat", "/etc/passwd", "/proc/self/maps", "/dev/null"]);
}

fn shell_with_pipes_and_children() {
    same_verdicts(&["sh", "-c", "echo one | cat | wc -c; ls /tmp >/dev/null; exec true"]);
}

fn threads_share_files() {
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

/// Checks that only refused calls show a fact.
fn refused_only(words: &[&str], fact: &str) {
    let platform = settings::platform();
    let observation = traced(words);
    let fact = fact.parse().expect("a fact");
    assert!(facts(&observation, &platform).contains(&fact) && !reached(&observation, &platform).contains(&fact));
    same_verdicts(words);
}

fn write_to_read_only_fd_reaches_nothing() {
    let script = "open my $f, '<', '/etc/passwd'; my $x = 'x'; syscall(1, fileno($f) + 0, $x, 1); syswrite STDOUT, $x";
    refused_only(&["perl", "-e", script], "filesystem::write::object=file");
}

fn mapping_of_unmappable_fd_reaches_nothing() {
    // mmap(0, 4096, PROT_READ, MAP_PRIVATE, …) of both ends of a pipe, and of a file of proc.
    let script = "pipe R, W; open P, '<', '/proc/self/maps'; syscall(9, 0, 4096, 1, 2, fileno($_) + 0, 0) for R, W, P";
    refused_only(&["perl", "-e", script], "memory::mmap::object=pipe");
    refused_only(&["perl", "-e", script], "memory::mmap::object=file:proc");
}

/// Paths to a new file, a hard link, proc, a stream, a pipe.
fn opens_files_in_many_ways() {
    let script = "use Socket; my $t = qq(/tmp/sysguard.$$); mkdir $t; open A, '>', qq($t/a); symlink '/proc/meminfo', qq($t/l); open B, '<', qq($t/l);
my $x = <B>; close B; link qq($t/a), qq($t/b); open C, '+<', qq($t/b); print C $x; close C; open D, '<', '/dev/fd/0'; open E, '<', '/proc/self/status';
$x = <E>; close E; open STDERR, '>&', \\*A; print STDERR $x; close STDERR; close A; pipe R, W; open F, qq(/proc/self/fd/) . fileno R; close F;
socketpair S, T, AF_UNIX, SOCK_STREAM, 0; syswrite S, 'x'; sysread T, $x, 1; open G, '<', '/nowhere'; opendir H, $t; readdir H; closedir H;
chdir '/proc/self'; open I, '<', 'maps'; $x = <I>; unlink glob qq($t/*); rmdir $t";
    same_verdicts(&["perl", "-e", script]);
}

/// Only the task itself resolves `self`, however the path is spelled.
fn opens_paths_through_proc_self() {
    let script = "my $t = qq(/tmp/sysguard.$$); mkdir $t; chdir $t; symlink '/dev/zero', 'z'; symlink '/dev/full', 'y'; symlink '/proc/self/cwd', 'here';
symlink '/proc', 'p'; for (qw(here/z p/thread-self/cwd/y /proc//self/maps //proc/self/../self/statm /proc/self/cwd/nowhere)) { open F, '<', $_; sysread F, $x, 1; close F }
chdir '/proc'; open G, '<', 'self/cgroup'; sysread G, $x, 1; open H, '<', qq(self/fd/) . fileno G; sysread H, $x, 1; chdir $t; unlink qw(z y here p); rmdir $t";
    same_verdicts(&["perl", "-e", script]);
}

const UNSHARE: [&str; 3] = ["unshare", "-rpf", "--mount-proc"];

/// Returns true if this user can make a PID namespace with its own proc mount.
pub(crate) fn can_make_pid_namespaces() -> bool {
    let mut command = std::process::Command::new(UNSHARE[0]);
    command.args(&UNSHARE[1..]).arg("true").output().is_ok_and(|output| output.status.success())
}

/// Its procfs has other task numbers than the tracer's.
pub(crate) fn runs_in_a_pid_namespace() {
    let script = "read x < /proc/self/status; read x < /proc/self/maps; read x < /proc/self/cgroup";
    same_verdicts(&[&UNSHARE[..], &["sh", "-c", script]].concat());
}

/// Colocation moves tasks to the tracer's CPU; no task of the tree may observe that.
fn colocation_does_not_show_in_affinity() {
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
    let baseline = holding(&(0..3).flat_map(|_| facts(&traced(&words), &platform)).collect(), &platform);
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
        let mut output = String::new();
        out.read_to_string(&mut output).expect("its output");
        assert_eq!(output, expected, "guarded: {guards}");
    }
}

/// Anonymous executable memory, beside the loader's mappings of libraries.
fn anonymous_code_is_reported() {
    // mmap(PROT_READ|PROT_EXEC, MAP_PRIVATE|MAP_ANONYMOUS), mprotect, shmat(SHM_EXEC), personality.
    let script = "my $m = syscall 9, 0, 4096, 5, 0x22, -1, 0; syscall 10, $m, 4096, 5; syscall 30, -1, 0, 0100000;
syscall 30, -1, 0, 0; syscall 135, 0xffffffff; syscall 135, 0x400000";
    let words = ["perl", "-e", script];
    let seen = facts(&traced(&words), &settings::platform());
    for fact in [
        "memory::mmap::PROT_READ|PROT_EXEC,file",
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
fn signal_to_other_thread_group_is_reported() {
    for (number, own, other) in [(234, "$$, $$, 0", "$parent, $parent, 0"), (200, "$$, 0", "$parent, 0")] {
        let (to_own, to_other) = (format!("syscall {number}, {own}"), format!("syscall {number}, {other}"));
        let script = |call: &str| format!("my $parent = $$ + 0; unless (fork) {{ $$ += 0; {call}; exit }} wait");
        let fact = format!("signal::{}", if number == 234 { "tgkill" } else { "tkill" }).parse().expect("a fact");
        for (call, is_fact) in [(to_own, false), (to_other, true)] {
            let script = script(&call);
            let words = ["perl", "-e", script.as_str()];
            assert_eq!(facts(&traced(&words), &settings::platform()).contains(&fact), is_fact, "{script}");
            same_verdicts(&words);
        }
    }
}

fn walks_a_directory_tree() {
    same_verdicts(&["find", "/etc/default", "-type", "f"]);
}

fn messages_by_pipes() {
    same_verdicts(&["perf", "bench", "sched", "pipe", "-l", "20"]);
}

fn messages_by_sockets() {
    same_verdicts(&["perf", "bench", "sched", "messaging", "-g", "1", "-l", "2"]);
}

fn queries_network_interfaces() {
    same_verdicts(&["stress-ng", "--netdev", "1", "--netdev-ops", "3"]);
}

fn expected_calls_run_without_stops() {
    let words = ["perl", "-e", "getppid() for 1..1000"];
    let platform = settings::platform();
    let baseline = holding(&facts(&traced(&words), &platform), &platform);
    let (command, _output) = command(&words);
    let guard = Guard::new(&document(), &baseline, &platform, &inherited(&command)).expect("a guard");
    let (observation, _) = observe_guarded(command, &LIMITS, &guard).expect("a guarded run");
    let stopped = observation.uses.iter().filter(|(used, _)| used.syscall.name() == "getppid");
    assert_eq!(stopped.map(|(_, tally)| tally.calls).sum::<u64>(), 0);
}

/// A tracer clears CLONE_UNTRACED for the duration of the call.
fn clone_untraced_flag_is_restored() {
    // clone3(&{.flags = CLONE_UNTRACED, .exit_signal = SIGCHLD}); parent and child each check that
    // the flag is still set.
    let script = "my $wanted = pack 'Q11', 0x800000, 0, 0, 0, 17, (0) x 6;
my $child = syscall(435, $wanted, 88);
my $kept = unpack('Q', $wanted) == 0x800000;
exit($kept ? 0 : 9) unless $child;
waitpid $child, 0;
exit($kept ? $? >> 8 : 8)";
    let words = ["perl", "-e", script];
    let platform = settings::platform();
    let baseline = holding(&facts(&traced(&words), &platform), &platform);
    let (command, _output) = command(&words);
    let guard = Guard::new(&document(), &baseline, &platform, &inherited(&command)).expect("a guard");
    let (_, outcome) = observe_guarded(command, &LIMITS, &guard).expect("a guarded run");
    assert_eq!((outcome.exit, outcome.incomplete), (Exit::Exited(0), None));
}

/// Returns why a guarded run of a workload against its own complete baseline is incomplete.
fn incomplete(words: &[&str]) -> Option<Incomplete> {
    let platform = settings::platform();
    let mut baseline = holding(&facts(&traced(words), &platform), &platform);
    // As recorded before the program named any.
    baseline.phases.clear();
    let (command, _output) = command(words);
    let guard = Guard::new(&document(), &baseline, &platform, &inherited(&command)).expect("a guard");
    let (_, outcome) = observe_guarded(command, &LIMITS, &guard).expect("a guarded run");
    outcome.incomplete
}

fn own_seccomp_filter_ends_a_guarded_run() {
    // prctl(PR_SET_NO_NEW_PRIVS, 1), and prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER) with one
    // instruction: SECCOMP_RET_ALLOW.
    let filters = "syscall(157, 38, 1, 0, 0, 0); my $allow = pack('SCCL', 6, 0, 0, 0x7fff0000); \
                   my $program = pack('Sx6P', 1, $allow); syscall(157, 22, 2, $program) == 0 or die";
    assert_eq!(incomplete(&["perl", "-e", filters]), Some(Incomplete::OwnFilter));
    // prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT), which the kernel refuses if a filter around the
    // session is active.
    let status = std::fs::read_to_string("/proc/self/status").expect("a status");
    let is_refused = status.contains("Seccomp:\t2");
    let strict = incomplete(&["perl", "-e", "syscall(157, 22, 1, 0, 0, 0)"]);
    assert_eq!(strict, (!is_refused).then_some(Incomplete::OwnFilter));
}

fn refused_filter_keeps_a_guarded_run() {
    // prctl(PR_SET_SECCOMP): a mode that does not exist, and a program that cannot be read.
    let refused = "syscall(157, 22, 7, 0, 0, 0) == -1 or die; syscall(157, 22, 2, 0, 0, 0) == -1 or die";
    assert_eq!(incomplete(&["perl", "-e", refused]), None);
}

fn phases_end_a_guarded_run() {
    // The call of `sysguard::phase("a")`: a name of one letter.
    let names_a_phase = format!("syscall(157, {}, 3, 0x61, 0, 0)", marker::OPTION);
    assert_eq!(incomplete(&["perl", "-e", &names_a_phase]), Some(Incomplete::Phases));
    // A call of prctl without a meaning for the tracer: PR_GET_DUMPABLE.
    assert_eq!(incomplete(&["perl", "-e", "syscall(157, 3, 0, 0, 0, 0)"]), None);
}
