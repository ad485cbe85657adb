//! The generated tables: not edited by hand, confirmed by independent sources, and not stale.

#[path = "../examples/kernel-tables/provenance.rs"]
#[expect(dead_code, reason = "the generator uses the rest")]
mod provenance;

#[path = "../examples/kernel-tables/missing.rs"]
mod missing;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use sysguard::unstable::model::attribution::entry_points::{EntryPoint, facts};
#[cfg(target_os = "linux")]
use sysguard::unstable::model::explain::{Kernel, Meaning, What, explain};
use sysguard::unstable::model::kernel::syscall::{Abi, Syscall, table};

const GENERATED: [&str; 10] = [
    "src/model/attribution/entry_points/table.rs",
    "src/model/attribution/objects/table.rs",
    "src/model/attribution/places/table.rs",
    "src/model/attribution/values/commands.rs",
    "src/model/attribution/values/table.rs",
    "src/model/kernel/syscall/table/aarch64.rs",
    "src/model/kernel/syscall/table/i386.rs",
    "src/model/kernel/syscall/table/riscv64.rs",
    "src/model/kernel/syscall/table/x32.rs",
    "src/model/kernel/syscall/table/x86_64.rs",
];

/// Generated from the man-pages.
const MANUAL: &str = "src/model/explain/manual/table.rs";

fn generated(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect(path)
}

#[test]
fn generated_files_were_not_edited_by_hand() {
    for path in GENERATED {
        let text = generated(path);
        assert_eq!(provenance::verify(&text), Ok(()), "{path}: regenerate it with examples/kernel-tables");
        assert_eq!(
            provenance::versions(&text),
            provenance::versions(&generated(GENERATED[0])),
            "{path}: another kernel"
        );
    }
    assert_eq!(provenance::verify(&generated(MANUAL)), Ok(()), "{MANUAL}: regenerate it with examples/kernel-tables");
}

#[test]
fn edit_by_hand_is_detected() {
    let text = generated(GENERATED[9]);
    for edited in
        [text.replace("\"sys_read\"", "\"sys_write\""), text.replacen("    Row {", "    // Row {", 1), String::new()]
    {
        assert!(provenance::verify(&edited).is_err());
    }
}

/// Fails if a table has a name that is listed as missing on purpose.
#[test]
fn names_missing_on_purpose_are_in_no_table() {
    assert!(missing::MISSING.is_sorted_by_key(|(table, name, _)| (*table, *name)));
    let mut table = "";
    let (values, commands) =
        (generated("src/model/attribution/values/table.rs"), generated("src/model/attribution/values/commands.rs"));
    for line in commands.lines().chain(values.lines()) {
        if let Some(named) = line.strip_prefix("pub(crate) static ").or(line.strip_prefix("pub(super) static ")) {
            table = match named.split(':').next() {
                Some("COMMANDS") => "ioctl",
                name => name.unwrap_or_default(),
            };
        }
        let Some((_, rest)) = line.split_once("name: \"") else { continue };
        let name = rest.split('"').next().unwrap_or_default();
        let is_row = |(of, pattern, _): &&(&str, &str, &str)| missing::is_row((of, pattern), table, name);
        // CLONE_* stands for all names that the table does not have.
        let row = missing::MISSING.iter().filter(|(_, pattern, _)| *pattern != "CLONE_*").find(is_row);
        assert_eq!(row, None, "{table} has {name}");
    }
}

/// `SYSGUARD_STRACE_SOURCE=DIR` beside the kernel trees: an unpacked source of strace.
#[test]
#[ignore = "needs SYSGUARD_KERNEL_SOURCE and SYSGUARD_STRACE_SOURCE"]
fn vocabulary_has_the_names_of_strace() {
    let strace = std::env::var("SYSGUARD_STRACE_SOURCE").expect("SYSGUARD_STRACE_SOURCE names its unpacked source");
    check_tables(&["--strace", &strace]);
}

/// `values/flags.rs` is not a generated file: its numbers must be those of the C library.
#[cfg(target_os = "linux")]
#[test]
fn curated_values_are_those_of_libc() {
    for (name, number) in [
        ("MAP_ANONYMOUS", libc::MAP_ANONYMOUS),
        ("SHM_EXEC", libc::SHM_EXEC),
        ("UNAME26", libc::UNAME26),
        ("ADDR_NO_RANDOMIZE", libc::ADDR_NO_RANDOMIZE),
        ("MMAP_PAGE_ZERO", libc::MMAP_PAGE_ZERO),
        ("ADDR_COMPAT_LAYOUT", libc::ADDR_COMPAT_LAYOUT),
        ("READ_IMPLIES_EXEC", libc::READ_IMPLIES_EXEC),
        ("ADDR_LIMIT_32BIT", libc::ADDR_LIMIT_32BIT),
        ("SHORT_INODE", libc::SHORT_INODE),
        ("WHOLE_SECONDS", libc::WHOLE_SECONDS),
        ("STICKY_TIMEOUTS", libc::STICKY_TIMEOUTS),
        ("ADDR_LIMIT_3GB", libc::ADDR_LIMIT_3GB),
    ] {
        let explained = explain(name, &Kernel::of_tables(), &[]).expect(name);
        let is_number = |meaning: &Meaning| match &meaning.what {
            What::Argument(argument) => argument.number == Some(number as u64) && !argument.calls.is_empty(),
            _ => false,
        };
        assert!(explained.meanings.iter().any(is_number), "{name} is {number:#x}");
    }
}

/// Number → name in the crate `syscalls`; its iterator leaves out the last.
macro_rules! by_number {
    ($arch:ident) => {{
        let calls = syscalls::$arch::Sysno::iter().chain([syscalls::$arch::Sysno::last()]);
        calls.map(|call| (call.id() as u32, call.name())).collect::<BTreeMap<u32, &str>>()
    }};
}

/// The crate's aarch64 table has calls of 32-bit machines only, which no 64-bit table has
/// (include/uapi/asm-generic/unistd.h: `__BITS_PER_LONG == 32`).
const ONLY_32_BIT: [&str; 20] = [
    "clock_adjtime64",
    "clock_getres_time64",
    "clock_gettime64",
    "clock_nanosleep_time64",
    "clock_settime64",
    "futex_time64",
    "io_pgetevents_time64",
    "mq_timedreceive_time64",
    "mq_timedsend_time64",
    "ppoll_time64",
    "pselect6_time64",
    "recvmmsg_time64",
    "rt_sigtimedwait_time64",
    "sched_rr_get_interval_time64",
    "semtimedop_time64",
    "timer_gettime64",
    "timer_settime64",
    "timerfd_gettime64",
    "timerfd_settime64",
    "utimensat_time64",
];

#[test]
fn numbers_are_those_of_an_independent_table() {
    for (abi, theirs) in [
        (Abi::X86_64, by_number!(x86_64)),
        (Abi::I386, by_number!(x86)),
        (Abi::Aarch64, by_number!(aarch64)),
        (Abi::Riscv64, by_number!(riscv64)),
    ] {
        let ours: BTreeMap<u32, &str> = table::rows(abi).iter().map(|row| (row.number, row.name)).collect();
        let differing: Vec<_> = ours
            .keys()
            .chain(theirs.keys())
            .map(|number| (*number, ours.get(number).copied(), theirs.get(number).copied()))
            .filter(|&(_, ours, theirs)| ours != theirs && !is_known(abi, ours, theirs))
            .collect();
        assert_eq!(differing, [], "{abi}: (number, ours, theirs)");
    }
}

/// Returns true where the crate is known to be wrong or out of date.
fn is_known(abi: Abi, ours: Option<&str>, theirs: Option<&str>) -> bool {
    match (ours, theirs) {
        (Some("listns" | "rseq_slice_yield"), None) => true, // newer than the crate
        (Some("break"), Some("r#break")) => abi == Abi::I386, // its Rust keyword showing
        (Some("newfstatat"), Some("fstatat")) => abi == Abi::Aarch64,
        (None, Some(name)) => abi == Abi::Aarch64 && ONLY_32_BIT.contains(&name),
        _ => false,
    }
}

/// Compares with the libc that this test is linked with, for the ABI of the test itself.
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
#[test]
fn numbers_are_those_of_libc() {
    use sysguard::unstable::model::kernel::syscall::Syscall;

    let abi = Abi::from_name(std::env::consts::ARCH).expect("a table of this machine");
    macro_rules! same {
        ($($name:ident = $constant:ident),* $(,)?) => {
            $(assert_eq!(Syscall::from_name(abi, stringify!($name)).map(|call| call.number), Some(libc::$constant));)*
        };
    }
    same!(
        read = SYS_read,
        openat = SYS_openat,
        execve = SYS_execve,
        exit_group = SYS_exit_group,
        ptrace = SYS_ptrace,
        socket = SYS_socket,
        seccomp = SYS_seccomp,
        bpf = SYS_bpf,
        clone3 = SYS_clone3,
        openat2 = SYS_openat2,
        futex_waitv = SYS_futex_waitv,
    );
}

/// Returns the entry points of all calls, each once.
fn entry_points(abi: Abi) -> BTreeMap<&'static str, &'static EntryPoint> {
    let calls = table::rows(abi).iter().map(|row| Syscall { abi, number: i64::from(row.number) });
    calls.filter_map(facts).map(|facts| (facts.name, facts)).collect()
}

/// Files that serve several subsystems: reason, and the calls of x86_64 to which it applies. The
/// subsystem of every other call follows from the path of its file.
const OVERRIDES: [(&str, &str); 7] = [
    (
        "acts on struct cred",
        "sys_getegid sys_geteuid sys_getgid sys_getresgid sys_getresuid sys_getuid sys_setfsgid sys_setfsuid sys_setgid sys_setregid sys_setresgid sys_setresuid sys_setreuid sys_setuid",
    ),
    ("acts on struct fs_struct", "sys_umask"),
    ("asks or tells the scheduler", "sys_getcpu sys_getpriority sys_setpriority"),
    ("describes the machine, not a process", "sys_newuname sys_setdomainname sys_sethostname sys_sysinfo"),
    ("hangs up a terminal", "sys_vhangup"),
    ("leaves namespaces, creates no task", "sys_unshare"),
    ("page cache of a file", "sys_cachestat sys_fadvise64 sys_readahead"),
];

#[test]
fn subsystem_follows_from_path_or_named_exception() {
    let mut overrides = BTreeMap::<&str, Vec<&str>>::new();
    for (name, facts) in entry_points(Abi::X86_64) {
        match facts.basis.strip_prefix("path ") {
            Some(path) => assert!(facts.source.starts_with(path), "{facts:?}"),
            None => overrides.entry(facts.basis).or_default().push(name),
        }
    }
    let overrides: Vec<_> = overrides.into_iter().map(|(reason, names)| (reason, names.join(" "))).collect();
    assert_eq!(overrides, OVERRIDES.map(|(reason, names)| (reason, names.to_owned())));
}

/// Entry points that were in another file in the oldest tree.
const MOVED: [(&str, &str); 2] = [("sys_arch_prctl", "arch/x86/kernel/process_64.c"), ("sys_close_range", "fs/open.c")];

/// Independent of the generator: in each tree, each call of its own table that is in ours is
/// defined in the file that ours names.
#[test]
#[ignore = "needs SYSGUARD_KERNEL_SOURCE"]
fn entry_points_are_defined_in_the_named_files() {
    let entry_points = entry_points(Abi::X86_64);
    for tree in kernel_trees().split(':').map(Path::new) {
        let calls =
            fs::read_to_string(tree.join("arch/x86/entry/syscalls/syscall_64.tbl")).expect("its table of calls");
        let mut found = 0;
        for line in calls.lines().filter(|line| !line.starts_with('#')) {
            let [_, "common" | "64", _, name, ..] = line.split_whitespace().collect::<Vec<_>>()[..] else { continue };
            let Some(facts) = entry_points.get(name) else { continue };
            let defines = |file: &str| {
                let text = fs::read(tree.join(file)).unwrap_or_default();
                let text = String::from_utf8_lossy(&text);
                let definitions = text.match_indices("SYSCALL_DEFINE").map(|(at, _)| &text[at..]);
                let mut names = definitions.filter_map(|rest| rest.split_once('(')?.1.split([',', ')']).next());
                names.any(|defined| Some(defined.trim()) == name.strip_prefix("sys_"))
            };
            let earlier = MOVED.iter().find(|(moved, _)| *moved == name);
            assert!(defines(facts.source) || earlier.is_some_and(|(_, file)| defines(file)), "{tree:?}: {facts:?}");
            found += 1;
        }
        assert!(found > 350, "{tree:?}: {found} calls");
    }
}

fn kernel_trees() -> String {
    std::env::var("SYSGUARD_KERNEL_SOURCE").expect("SYSGUARD_KERNEL_SOURCE names the unpacked trees, joined by `:`")
}

/// `SYSGUARD_KERNEL_SOURCE=DIR[:DIR…]`: the trees that the header of a generated file names.
#[test]
#[ignore = "needs SYSGUARD_KERNEL_SOURCE"]
fn tables_match_the_kernel_sources() {
    check_tables(&[]);
}

fn check_tables(options: &[&str]) {
    let trees = kernel_trees();
    let mut generator = Command::new(env!("CARGO"));
    generator.args(["run", "--quiet", "--example", "kernel-tables", "--", "--check"]);
    generator.args(trees.split(':').flat_map(|tree| ["--source", tree])).args(options);
    let output = generator.current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("cargo runs the generator");
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
