//! Each call that strace(1) sees is reachable, or an unresolved call site was announced.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use reach::survey::Survey;
use tempfile::TempDir;

/// Returns the calls of processes that execute the first program of a command, as strace sees them.
fn observed(folder: &Path, command: &[&str]) -> BTreeSet<String> {
    let log = folder.join("strace.log");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o"]).arg(&log).args(command).current_dir(folder);
    let status = strace.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(status.expect("strace").success(), "{command:?}");
    calls(&fs::read_to_string(&log).expect("a log"))
}

/// Returns the calls in a log that are made before their process executes another program. The
/// first one starts the program.
fn calls(log: &str) -> BTreeSet<String> {
    let (mut calls, mut others) = (BTreeSet::new(), BTreeSet::new());
    for line in log.lines().skip(1) {
        let Some((process, text)) = line.split_once(' ') else { continue };
        let text = text.trim_start();
        let resumed = text.strip_prefix("<... ").and_then(|rest| rest.split_once(" resumed>"));
        let name = resumed.map_or_else(|| text.split('(').next().unwrap_or_default(), |(name, _)| name);
        if name.starts_with(['+', '-']) || others.contains(process) {
            continue;
        }
        calls.insert(name.to_owned());
        if name.starts_with("execve") && text.ends_with("= 0") {
            others.insert(process.to_owned());
        }
    }
    calls
}

/// Compares the reach of a program with what strace sees.
#[track_caller]
fn assert_sound(folder: &Path, command: &[&str]) {
    let observed = observed(folder, command);
    let survey = Survey::of(Path::new(command[0]), &[], None, None).expect("an analysis");
    let reachable: BTreeSet<String> = survey.reach.calls.keys().map(|call| call.name().into_owned()).collect();
    let missed: Vec<&String> = observed.difference(&reachable).collect();
    assert!(observed.len() >= 2, "{observed:?}");
    assert!(missed.is_empty() || !survey.reach.unresolved.is_empty(), "{command:?}: {missed:?}");
    // Far fewer than all calls of the kernel, or the set would say nothing.
    assert!(reachable.len() < 250, "{command:?}: {}", reachable.len());
}

fn compile(folder: &Path, name: &str, compiler: &str, source: &str, flags: &[&str]) -> PathBuf {
    let (file, program) = (folder.join(format!("{name}.source")), folder.join(name));
    fs::write(&file, source).expect("a scratch file");
    let output = Command::new(compiler).args(flags).arg("-o").arg(&program).arg(&file).output();
    let output = output.expect("a compiler");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    program
}

#[test]
fn c_programs_are_sound() {
    let folder = TempDir::new().expect("a scratch folder");
    let source = "
        #include <pthread.h>
        #include <signal.h>
        #include <stdio.h>
        #include <time.h>
        #include <unistd.h>
        static void handle(int signal) { (void)signal; }
        static void *task(void *arg) { (void)arg; usleep(10); return 0; }
        int main(void) {
            pthread_t thread;
            signal(SIGUSR1, handle);
            raise(SIGUSR1);
            pthread_create(&thread, 0, task, 0);
            pthread_join(thread, 0);
            printf(\"%ld\\n\", (long)time(0));
            return 0;
        }";
    for flags in [&[][..], &["-static"], &["-static-pie", "-fpie"], &["-O2", "-no-pie"]] {
        let flags = [&["-x", "c", "-pthread"], flags].concat();
        let program = compile(folder.path(), "program", "cc", source, &flags);
        assert_sound(folder.path(), &[&program.to_string_lossy()]);
    }
}

#[test]
fn rust_programs_are_sound() {
    let folder = TempDir::new().expect("a scratch folder");
    let source = "fn main() {
        let here = std::thread::spawn(|| std::env::current_dir().is_ok()).join().unwrap();
        let time = std::time::SystemTime::now();
        println!(\"{here} {time:?} {}\", std::fs::read_dir(\"/\").unwrap().count());
    }";
    for flags in [&[][..], &["-O"], &["-O", "-Cstrip=symbols"]] {
        let program = compile(folder.path(), "program", "rustc", source, flags);
        assert_sound(folder.path(), &[&program.to_string_lossy()]);
    }
}

#[test]
fn installed_programs_are_sound() {
    let folder = TempDir::new().expect("a scratch folder");
    for command in [&["/bin/ls", "-l", "/"][..], &["/bin/sh", "-c", "ls / | cat"], &["/usr/bin/git", "--version"]] {
        assert_sound(folder.path(), command);
    }
}

#[test]
fn calls_of_executed_programs_do_not_count() {
    let log = "7 execve(\"/bin/sh\", [\"sh\"], 0x0) = 0\n7 fork() = 8\n8 execve(\"/bin/ls\", [\"ls\"], 0x0) = 0\n\
               8 getdents64(3, 0x0, 1) = 0\n7 <... wait4 resumed>) = 8\n7 --- SIGCHLD {} ---\n7 exit_group(0) = ?\n";
    let expected = ["execve", "exit_group", "fork", "wait4"].map(str::to_owned);
    assert_eq!(calls(log), BTreeSet::from(expected));
}
