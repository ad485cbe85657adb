//! Records real programs, and checks samples, stacks, names, totals and ends.
//!
//! If this process may not sample, trials are ignored with the reason.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use profile::gates::Rights;
use profile::perf::{self, CallGraph, Error, Options, Recorded};
use profile::recording::{Missing, Recording};
use profile::user::Programs;
use sysguard::unstable::linux::{Command, Environment, Limits, Stream, SymbolFiles, TraceError};
use sysguard::unstable::model::run::workload::Exit;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // A run treats all new children of this process as its own.
    arguments.test_threads = Some(1);
    let tests: [(&str, fn()); 9] = [
        ("totals_agree_with_the_samples", totals_agree_with_the_samples),
        ("stacks_are_unwound_without_frame_pointers", stacks_are_unwound_without_frame_pointers),
        ("removed_program_has_names", removed_program_has_names),
        ("kernel_stacks_are_sampled", kernel_stacks_are_sampled),
        ("children_and_their_programs_are_sampled", children_and_their_programs_are_sampled),
        ("process_left_behind_is_killed", process_left_behind_is_killed),
        ("timeout_ends_every_process", timeout_ends_every_process),
        ("exit_and_failed_starts_are_told", exit_and_failed_starts_are_told),
        ("frequency_above_the_limit_is_refused", frequency_above_the_limit_is_refused),
    ];
    // Other errors are for the trials to find.
    let may_sample = !matches!(perf::record(command(&["true"]), &options()), Err(Error::NotAllowed(_)));
    let trial = |(name, test): (&str, fn())| {
        Trial::test(name, move || {
            test();
            Ok::<(), Failed>(())
        })
        .with_ignored_flag(!may_sample)
    };
    libtest_mimic::run(&arguments, tests.into_iter().map(trial).collect()).exit_code()
}

fn limits() -> Limits {
    Limits { timeout: Some(Duration::from_secs(100)), stop: None, grace: Duration::from_millis(200) }
}

fn options() -> Options {
    Options::new(limits())
}

fn command(words: &[&str]) -> Command {
    let name = words[0];
    let program = if name.contains('/') { PathBuf::from(name) } else { Path::new("/bin").join(name) };
    Command {
        program,
        argv: words.iter().map(Into::into).collect(),
        environment: Environment::Inherited,
        cwd: None,
        scratch: None,
        stdio: [Stream::Inherited, Stream::Inherited, Stream::Inherited],
        isolated: false,
        filters: Vec::new(),
    }
}

fn record(words: &[&str], options: &Options) -> Recorded {
    perf::record(command(words), options).unwrap_or_else(|error| panic!("{words:?}: {error}"))
}

fn count(recording: &Recording, event: &str) -> u64 {
    let found = recording.totals.counts.iter().find(|count| count.event == event);
    found.unwrap_or_else(|| panic!("{event} was not counted")).value
}

/// The names of the user functions of each stack, innermost first, and its number of samples.
fn stacks(recording: &Recording) -> Vec<(Vec<String>, u64)> {
    let files = SymbolFiles::with_debug_packages();
    let programs = Programs::new(recording, &files);
    let names = |pid, time, address: &u64| -> Vec<String> {
        let functions = programs.functions(pid, time, *address);
        // A compiler adds a suffix to copies of functions: `inner.constprop.0`.
        let name = |name: &String| name.split('.').next().unwrap_or_default().to_owned();
        functions.iter().map(|function| function.name.as_ref().map(name).unwrap_or_default()).collect()
    };
    let stack = |sample: &profile::recording::Sample| {
        (sample.user.iter().flat_map(|address| names(sample.pid, sample.time, address)).collect(), sample.count)
    };
    recording.samples.iter().map(stack).collect()
}

/// The share of samples with these functions next to each other on their stacks.
fn share(stacks: &[(Vec<String>, u64)], functions: &[&str]) -> f64 {
    let has = |stack: &Vec<String>| stack.windows(functions.len()).any(|window| window == functions);
    let all: u64 = stacks.iter().map(|(_, samples)| samples).sum();
    let those: u64 = stacks.iter().filter(|(stack, _)| has(stack)).map(|(_, samples)| samples).sum();
    those as f64 / all.max(1) as f64
}

/// Compiles a C program without frame pointers into a folder of its own.
fn compile(name: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs").join(format!("{name}.c"));
    let program = folder.path().join(name).display().to_string();
    let compiled = std::process::Command::new("cc")
        .args(["-O2", "-fomit-frame-pointer", "-fno-ipa-icf", "-o", &program])
        .arg(source)
        .status();
    assert!(compiled.expect("a compiler").success());
    (folder, program)
}

fn totals_agree_with_the_samples() {
    let script = "i=0; while [ $i -lt 400000 ]; do i=$((i+1)); done";
    let Recorded { recording, exit, .. } = record(&["sh", "-c", script], &options());
    assert_eq!((exit, recording.lost), (Exit::Exited(0), 0));
    let clock = count(&recording, "task-clock") as f64;
    let used = (recording.totals.user + recording.totals.system).as_nanos() as f64;
    assert!((clock / used - 1.0).abs() < 0.1, "task-clock {clock}, usage {used}");
    assert!(clock <= recording.totals.elapsed.as_nanos() as f64 * 1.02);
    if !recording.missing.contains(&Missing::KernelSamples) && recording.clock == Default::default() {
        let sampled = recording.samples.iter().map(|sample| sample.period).sum::<u64>() as f64;
        assert!((sampled / clock - 1.0).abs() < 0.15, "sampled {sampled}, task-clock {clock}");
    }
    let faults = count(&recording, "minor-faults") + count(&recording, "major-faults");
    assert_eq!(count(&recording, "page-faults"), faults);
    let counted = perf::count(command(&["true"]), &limits()).expect("totals");
    assert_eq!(counted.exit, Exit::Exited(0));
    assert!(counted.totals.counts.iter().any(|count| count.event == "task-clock" && count.value > 0));
}

fn stacks_are_unwound_without_frame_pointers() {
    let (_folder, program) = compile("nested");
    let recorded = record(&[&program], &options());
    let functions = ["innermost", "middle", "outer", "main"];
    let whole = stacks(&recorded.recording);
    assert!(share(&whole, &functions) > 0.9, "{whole:?}");
    let by_pointers = Options { call_graph: CallGraph::FramePointers, ..options() };
    let recorded = record(&[&program], &by_pointers);
    let cut = stacks(&recorded.recording);
    assert!(share(&cut, &functions[..1]) > 0.9 && share(&cut, &functions) < 0.1, "{cut:?}");
}

fn removed_program_has_names() {
    let (_folder, program) = compile("nested");
    let Recorded { recording, exit, .. } = record(&[&program, "remove"], &options());
    assert_eq!(exit, Exit::Exited(0));
    assert!(!Path::new(&program).exists());
    let stacks = stacks(&recording);
    assert!(share(&stacks, &["innermost", "middle", "outer", "main"]) > 0.9, "{stacks:?}");
}

fn kernel_stacks_are_sampled() {
    let recorded = record(&["dd", "if=/dev/zero", "of=/dev/null", "bs=1M", "count=3000", "status=none"], &options());
    let samples = &recorded.recording.samples;
    let in_kernel: u64 = samples.iter().filter(|sample| sample.in_kernel).map(|sample| sample.count).sum();
    if recorded.recording.missing.contains(&Missing::KernelSamples) {
        assert_eq!(in_kernel, 0);
        return;
    }
    let all: u64 = samples.iter().map(|sample| sample.count).sum();
    assert!(in_kernel * 2 > all, "{in_kernel} of {all}");
    for sample in samples {
        assert_eq!(sample.in_kernel, !sample.kernel.is_empty());
        assert!(sample.kernel.iter().all(|address| *address > i64::MAX as u64), "{:x?}", sample.kernel);
        assert!(sample.user.iter().all(|address| *address <= i64::MAX as u64), "{:x?}", sample.user);
    }
}

fn children_and_their_programs_are_sampled() {
    let (_folder, program) = compile("nested");
    let script = format!("{program} & {program}; wait");
    let Recorded { recording, .. } = record(&["sh", "-c", &script], &options());
    let named = |process: &&profile::recording::Process| process.name == "nested";
    assert_eq!(recording.processes.iter().filter(named).count(), 2, "{:?}", recording.processes);
    let stacks = stacks(&recording);
    assert!(share(&stacks, &["innermost", "middle", "outer", "main"]) > 0.9, "{stacks:?}");
}

fn process_left_behind_is_killed() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let path = file.path().display();
    // The first child ends at once, so the daemon loses its parent.
    let script = format!("(setsid sh -c 'echo $$ > {path}; exec sleep 1000' &)\nwhile ! [ -s {path} ]; do :; done");
    let recorded = record(&["sh", "-c", &script], &options());
    assert_eq!((recorded.exit, recorded.killed_stragglers), (Exit::Exited(0), 1));
    let pid = fs::read_to_string(file.path()).expect("a number");
    assert!(!Path::new("/proc").join(pid.trim()).exists(), "{pid} lives");
    // The run waits for a process that ends within the grace period.
    let recorded = record(&["sh", "-c", "sleep 0.05 &"], &options());
    assert_eq!((recorded.exit, recorded.killed_stragglers), (Exit::Exited(0), 0));
}

fn timeout_ends_every_process() {
    let limits = Limits { timeout: Some(Duration::from_millis(300)), ..limits() };
    let file = tempfile::NamedTempFile::new().expect("a file");
    let path = file.path().display();
    let script = format!("sleep 1000 & first=$!; setsid sleep 1000 & echo $$ $first $! > {path}; sleep 1000; true");
    let recorded = record(&["sh", "-c", &script], &Options { limits, ..options() });
    assert_eq!(recorded.exit, Exit::TimedOut);
    assert!(recorded.recording.totals.elapsed < Duration::from_secs(30));
    let pids = fs::read_to_string(file.path()).expect("numbers");
    let living = |pid: &&str| Path::new("/proc").join(pid).exists();
    assert_eq!(pids.split_whitespace().count(), 3, "{pids}");
    assert_eq!(pids.split_whitespace().filter(living).collect::<Vec<_>>(), [""; 0]);
}

fn exit_and_failed_starts_are_told() {
    assert_eq!(record(&["sh", "-c", "exit 7"], &options()).exit, Exit::Exited(7));
    assert_eq!(record(&["sh", "-c", "kill -9 $$"], &options()).exit, Exit::Signaled(9));
    let refused = perf::record(command(&["/dev/null"]), &options());
    assert!(matches!(refused, Err(Error::Launch(TraceError::Exec { .. }))), "{refused:?}");
    let elsewhere = Command { cwd: Some("/no/such/folder".into()), ..command(&["true"]) };
    let refused = perf::record(elsewhere, &options());
    assert!(matches!(refused, Err(Error::Launch(TraceError::Directory { .. }))), "{refused:?}");
}

fn frequency_above_the_limit_is_refused() {
    let refused = perf::record(command(&["true"]), &Options { frequency: 1_000_000_000, ..options() });
    assert!(matches!(refused, Err(Error::Frequency { frequency: 1_000_000_000, .. })), "{refused:?}");
    let rights = Rights::read();
    assert!(rights.paranoid.is_some(), "{rights:?}");
}
