//! `enforce`: profiles in each format, what they do with calls, comparison with a file, refusals.

use std::process::{Command, Stdio};

use libtest_mimic::Trial;

use super::project::{Project, Ran, needing, run, untraced};

pub(crate) fn trials() -> Vec<Trial> {
    trials![
        enforce:
        untraced wrong_usage_is_2_and_writes_nothing,
        untraced incomplete_baseline_is_refused_with_a_remedy,
        untraced names_select_whole_names_before_parts,
        untraced each_format_is_written_and_follows_from_its_baseline,
        untraced changed_baseline_is_a_difference_by_call,
        untraced profile_of_a_phase_is_a_file_of_its_own,
        needing systemd_accepts_the_drop_in,
        needing c_code_enforces_the_policy,
        needing bpf_program_enforces_the_policy,
        needing rust_module_enforces_the_policy,
    ]
}

const FORMATS: [(&str, &str); 6] = [
    ("oci", "json"),
    ("systemd", "conf"),
    ("seccompiler", "json"),
    ("libseccomp", "c"),
    ("bpf", "bpf"),
    ("rust", "rs"),
];

/// Returns an expectation with a baseline for this machine.
fn document(head: &str, baseline: &str) -> String {
    let arch = std::env::consts::ARCH;
    format!("command: [demo]\n{head}---\nplatform: {arch}-linux-gnu\n{baseline}")
}

const DEMO: &str = "\
subsystems:
  filesystem:
    chdir:
      - dir
    fstat:
      - pipe
    write:
      - pipe
  network:
    socket:
      - AF_INET socket:AF_INET:SOCK_STREAM
phases:
  serving:
    network:
      - socket
  startup:
    filesystem:
      - chdir
      - write
";

const FORBIDDEN: &str = "\
forbid:
  - {syscall: socket, argument: AF_PACKET}
  - {syscall: socket, argument: AF_VSOCK}
  - {syscall: chroot}
";

fn project(name: &str) -> Project {
    Project::new(name).expecting("demo", &document(FORBIDDEN, DEMO))
}

fn wrong_usage_is_2_and_writes_nothing() {
    project("enforce_usage").refuses(&[
        ("enforce other --format oci", "no workload matches `other`"),
        ("enforce dem --exact --format oci", "no workload matches `dem`"),
        ("enforce demo --format yaml", "`yaml` is no format: use one of oci, systemd,"),
        ("enforce demo --format oci --runtime docker", "`docker` is no runtime"),
        ("enforce demo --format rust --per-phase", "name them by -o FILE"),
        ("enforce demo --format oci --per-phase -o f", "a running program cannot install a profile of the format oci"),
        ("enforce demo --format rust --per-phase -o f", "the order of the phases serving, startup is not known"),
        ("enforce demo --format rust --per-phase=serving -o f", "the order lacks the phases startup"),
        ("enforce demo --format rust --per-phase=a,serving -o f", "no baseline has the phase `a`"),
        ("enforce demo --per-phase=startup,serving --check f", "name it by --format"),
        ("enforce demo --check Cargo.toml", "the format of Cargo.toml is not known"),
    ]);
}

fn incomplete_baseline_is_refused_with_a_remedy() {
    let project = project("enforce_refused")
        .expecting("spots", &document("", "blind_spots: [io_uring]\nsubsystems:\n  filesystem:\n    write:\n"))
        .expecting("unnamed", &document("", "subsystems:\n  none:\n    syscall_0x3e7:\n"))
        .expecting("broken", "command: [demo]\nlevels: all");
    for (line, parts) in [
        ("enforce spots --format bpf -o f", &["blind spots", "io_uring", "help: "][..]),
        ("enforce demo --format oci --target riscv64gc-unknown-linux-musl", &["no baseline for", "help: record it"]),
        ("enforce unnamed --format oci -o f", &["syscall_0x3e7 has no name", "help: choose another --format"]),
        ("enforce demo --format systemd --action trap -o f", &["no action `trap`", "help: choose"]),
        ("enforce broken --format oci", &["unknown key `levels`"]),
        ("enforce demo --check missing", &["cannot read missing"]),
        ("enforce demo --format oci -o no/such/folder", &["cannot write no/such/folder"]),
    ] {
        let before = project.files();
        let ran = project.sysguard(line).ends(101);
        parts.iter().for_each(|part| assert!(ran.stderr.contains(part), "{line}: {part}\n{}", ran.stderr));
        assert_eq!((project.changed_since(&before).len(), ran.stdout.as_str()), (0, ""), "{line}");
    }
}

fn names_select_whole_names_before_parts() {
    let other = document("", "subsystems:\n  filesystem:\n    mkdir:\n      - dir\n");
    let project = project("enforce_names").expecting("demo_more", &other);
    for (names, workloads) in
        [("demo", "demo"), ("emo", "demo, demo_more"), ("_more demo", "demo, demo_more"), ("more", "demo_more")]
    {
        let ran = project.sysguard(&format!("enforce {names} --format systemd")).ends(0);
        ran.prints(&[&format!("# Seccomp profile of {workloads} for ")]);
        let has_mkdir = ran.stdout.contains("mkdir");
        assert_eq!(has_mkdir, workloads.contains("more"), "{names}");
    }
}

fn each_format_is_written_and_follows_from_its_baseline() {
    let project = project("enforce_formats");
    for (format, extension) in FORMATS {
        let file = format!("{format}.{extension}");
        let before = project.files();
        let ran = project.sysguard(&format!("enforce demo --format {format} --arguments -o {file}")).ends(0);
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""), "{format}");
        assert_eq!(project.changed_since(&before), [file.as_str()]);
        let again = run(project.command(&format!("enforce demo --format {format} --arguments")).stdout(Stdio::piped()));
        if format != "bpf" {
            assert_eq!(again.ends(0).stdout, project.read(&file), "{format}");
        }
        for check in [format!("--check {file}"), format!("--format {format} --check {file}")] {
            let ran = project.sysguard(&format!("enforce demo --arguments {check}")).ends(0);
            assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""), "{check}");
        }
    }
}

fn changed_baseline_is_a_difference_by_call() {
    let project = project("enforce_drift");
    for (format, extension) in FORMATS {
        project.sysguard(&format!("enforce demo --format {format} -o f.{format}.{extension}")).ends(0);
    }
    let changed = DEMO.replace("    chdir:\n      - dir\n", "    rename:\n      - file\n");
    let project = project.expecting("demo", &document(FORBIDDEN, &changed));
    for (format, extension) in FORMATS {
        let file = format!("f.{format}.{extension}");
        let ran = project.sysguard(&format!("enforce demo --check {file}")).ends(101);
        let lines: Vec<&str> = ran.stdout.lines().filter(|line| !line.contains("rename")).collect();
        assert_eq!(lines, ["- chdir"], "{format}");
        ran.prints(&["+ rename (observed in demo)\n", "+ renameat2 (instead of rename: "]);
        assert!(ran.stderr.contains(&format!("{file} does not follow from the baselines\nhelp: ")), "{}", ran.stderr);
    }
    let ran = project.sysguard("enforce demo --action kill --check f.oci.json").ends(101);
    ran.prints(&["~ other calls: ENOSYS → killed by SIGSYS\n"]);
}

fn profile_of_a_phase_is_a_file_of_its_own() {
    let project = project("enforce_phases");
    let line = "enforce demo --per-phase=startup,serving";
    let before = project.files();
    project.sysguard(&format!("{line} --format libseccomp -o demo.c")).ends(0);
    assert_eq!(project.changed_since(&before), ["demo.serving.c", "demo.startup.c"]);
    let lists = |file: &str, call: &str| project.read(file).contains(&format!("{{ \"{call}\", SCMP_ACT_ALLOW,"));
    for (call, in_startup, in_serving) in
        [("chdir", true, false), ("socket", true, true), ("seccomp", true, false), ("fstat", false, false)]
    {
        assert_eq!(lists("demo.startup.c", call), in_startup, "{call}");
        assert_eq!(lists("demo.serving.c", call), in_serving, "{call}");
    }
    project.sysguard(&format!("{line} --check demo.c --format libseccomp")).ends(0);
    project.sysguard("enforce demo --per-phase=serving,startup --check demo.c --format libseccomp").ends(101);
}

/// Returns whether a command can be run with success.
fn succeeds(command: &mut Command) -> bool {
    run(command).code == 0
}

fn systemd_accepts_the_drop_in() -> Option<&'static str> {
    let project = project("enforce_systemd");
    if !succeeds(project.run_by("systemd-analyze").arg("--version")) {
        return Some("requires systemd-analyze");
    }
    let project = project.file("demo.service", "[Service]\nExecStart=/bin/true\n");
    for action in ["enosys", "kill", "log"] {
        let line = format!("enforce demo --format systemd --action {action} -o demo.service.d/50-seccomp.conf");
        project.write("demo.service.d/keep", "");
        project.sysguard(&line).ends(0);
        let verify = || run(project.run_by("systemd-analyze").args(["verify", "./demo.service"]));
        let accepted = verify().ends(0);
        assert!(!accepted.stderr.contains("50-seccomp.conf"), "{}", accepted.stderr);
        let text = project.read("demo.service.d/50-seccomp.conf");
        project
            .write("demo.service.d/50-seccomp.conf", &text.replace("RestrictNamespaces=yes", "RestrictNamespaces=x"));
        let refused = verify().stderr;
        assert!(refused.contains("50-seccomp.conf"), "a mistake is not seen: {refused}");
    }
    None
}

/// Prints the result of calls after the filter is loaded, which LOAD does.
const PROBE: &str = r#"
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static int load(int argc, char **argv);

int main(int argc, char **argv)
{
	if (load(argc, argv))
		return 1;
	for (int family = 0; family < 45; family++) {
		int fd = socket(family, SOCK_DGRAM, 0);
		printf("socket %d %d\n", family, fd < 0 ? errno : 0);
		if (fd >= 0)
			close(fd);
	}
	printf("chroot %d\n", chroot("/") ? errno : 0);
	printf("chdir %d\n", chdir("/") ? errno : 0);
	printf("rmdir %d\n", rmdir("/no such folder") ? errno : 0);
	return 0;
}
"#;

const EPERM: i32 = 1;
const ENOSYS: i32 = 38;

/// Compares what the probe prints with the policy, wide or narrow.
fn judge(ran: Ran, narrow: bool) {
    let ran = ran.ends(0);
    let errno = |line: &str| {
        let mut lines = ran.stdout.lines().filter_map(|of_probe| of_probe.strip_prefix(line)?.trim().parse().ok());
        lines.next().unwrap_or_else(|| panic!("{line} is missing: {}", ran.stdout))
    };
    for family in 0..45 {
        // AF_INET is observed; AF_PACKET and AF_VSOCK are forbidden.
        let result: i32 = errno(&format!("socket {family} "));
        match family {
            2 => assert_eq!(result, 0),
            17 | 40 => assert_eq!(result, EPERM, "{family}"),
            _ if narrow => assert_eq!(result, ENOSYS, "{family}"),
            // The kernel may lack the family, or refuse it.
            _ => assert!(result != ENOSYS && (result != EPERM || family == 38), "{family}: {result}"),
        }
    }
    for (call, expected) in [("chroot", EPERM), ("chdir", 0), ("rmdir", ENOSYS)] {
        assert_eq!(errno(&format!("{call} ")), expected, "{call}");
    }
}

fn c_code_enforces_the_policy() -> Option<&'static str> {
    let project = project("enforce_c");
    let load = "int load_demo(void);\nstatic int load(int c, char **v) { (void)c; (void)v; return load_demo(); }\n";
    project.write("probe.c", &format!("{PROBE}{load}"));
    project.write("needs.c", "#include <seccomp.h>\nint main(void) { return !seccomp_init(0); }\n");
    if !succeeds(project.run_by("cc").args(["needs.c", "-o", "needs", "-lseccomp"])) {
        return Some("requires a C compiler and libseccomp (Debian: gcc, libseccomp-dev)");
    }
    for (options, narrow) in [("", false), ("--arguments", true)] {
        project.sysguard(&format!("enforce demo --format libseccomp {options} -o filter.c")).ends(0);
        let strict = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-o", "probe", "-lseccomp"];
        run(project.run_by("cc").args(["probe.c", "filter.c"]).args(strict)).ends(0);
        judge(run(&mut project.run_by("./probe")), narrow);
    }
    None
}

/// Loads a program from a file, as `bwrap --seccomp` does from an fd.
const LOADER: &str = r#"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

static int load(int argc, char **argv)
{
	static struct sock_filter filter[4096];
	FILE *file = argc > 1 ? fopen(argv[1], "r") : 0;
	struct sock_fprog program = { 0, filter };

	if (!file)
		return 1;
	program.len = fread(filter, sizeof(filter[0]), 4096, file);
	fclose(file);
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}
"#;

fn bpf_program_enforces_the_policy() -> Option<&'static str> {
    let project = project("enforce_bpf");
    project.write("probe.c", &format!("{PROBE}{LOADER}"));
    if !succeeds(project.run_by("cc").args(["probe.c", "-o", "probe"])) {
        return Some("requires a C compiler");
    }
    for (options, narrow) in [("", false), ("--arguments", true)] {
        project.sysguard(&format!("enforce demo --format bpf {options} -o filter.bpf")).ends(0);
        judge(run(project.run_by("./probe").arg("filter.bpf")), narrow);
    }
    None
}

/// A thread that exists before the filter must be filtered too.
const PROGRAM: &str = r#"
mod filter;

fn errno(result: i64) -> i32 {
    if result < 0 { std::io::Error::last_os_error().raw_os_error().unwrap_or(0) } else { 0 }
}

fn main() {
    let (send, receive) = std::sync::mpsc::channel::<()>();
    let earlier = std::thread::spawn(move || {
        let _ = receive.recv();
        errno(i64::from(unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_DGRAM, 0) }))
    });
    filter::install().expect("it is installed");
    let _ = send.send(());
    assert_eq!(earlier.join().expect("a thread"), libc::EPERM);
    for family in 0..45 {
        println!("socket {family} {}", errno(i64::from(unsafe { libc::socket(family, libc::SOCK_DGRAM, 0) })));
    }
    println!("chroot {}", errno(i64::from(unsafe { libc::chroot(c"/".as_ptr()) })));
    println!("chdir {}", errno(i64::from(unsafe { libc::chdir(c"/".as_ptr()) })));
    println!("rmdir {}", errno(unsafe { libc::syscall(libc::SYS_unlinkat, -1, c"/no".as_ptr(), libc::AT_REMOVEDIR) }));
}
"#;

fn rust_module_enforces_the_policy() -> Option<&'static str> {
    let project = project("enforce_rust").file("src/main.rs", PROGRAM);
    let manifest = project.read("Cargo.toml");
    project.write("Cargo.toml", &manifest.replace("[dev-dep", "[dependencies]\nlibc = \"0.2\"\n\n[dev-dep"));
    for (options, narrow) in [("", false), ("--arguments", true)] {
        project.sysguard(&format!("enforce demo --format rust {options} -o src/filter.rs")).ends(0);
        let built = run(project.run_by(env!("CARGO")).args(["build", "--quiet"])).ends(0);
        assert_eq!(built.stderr, "", "it has warnings");
        let built = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("projects/debug/enforce_rust");
        judge(run(&mut project.run_by(&built.display().to_string())), narrow);
    }
    None
}
