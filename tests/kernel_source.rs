//! Compares the generated tables with kernel trees of any version: what versions share must be the
//! same.
//!
//! A number never changes its meaning in the kernel's interface to programs. So an older or newer
//! tree confirms every call, argument and command that both have:
//!
//! - each number of a syscall table has our name, and each of our calls that the tree lacks was
//!   introduced by a later release according to our table (`since`);
//! - each value of an argument, and each ioctl command, is the number that the C compiler finds;
//! - each ioctl command that a header of ours defines is in our table;
//! - a rule gives each source file a subsystem, which `profile` uses.
//!
//! Not compared, because a release may change it: source files (except those of entry points, in
//! `kernel_tables.rs`), sections, options, and the kinds of objects; and whether a value that only
//! our tables have exists. The generator's `--check` compares all of it, from the trees that the
//! tables were generated from.
//!
//! `SYSGUARD_KERNEL_SOURCE=DIR[:DIR…]` names the trees. `.ci/kernel-source` unpacks one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use kernel_source::{Compiler, PRELUDE, TABLES, TARGETS, Target, Tree, plain_lines, subsystems_of_files};
use sysguard::unstable::model::attribution::entry_points::facts;
use sysguard::unstable::model::kernel::syscall::{Abi, Syscall, table};

const COMMANDS: &str = "src/model/attribution/values/commands.rs";
const VALUES: &str = "src/model/attribution/values/table.rs";

/// The headers that declare values of arguments. Those below `include/` are the kernel's own: only
/// their plain definitions can be compiled.
const HEADERS: [&str; 32] = [
    "asm/mman.h",
    "asm/prctl.h",
    "asm/socket.h",
    "linux/bpf.h",
    "linux/fcntl.h",
    "linux/futex.h",
    "linux/icmp.h",
    "linux/icmpv6.h",
    "linux/if_alg.h",
    "linux/if_packet.h",
    "linux/if_xdp.h",
    "linux/in.h",
    "linux/in6.h",
    "linux/ipc.h",
    "linux/keyctl.h",
    "linux/mptcp.h",
    "linux/net.h",
    "linux/netfilter_ipv4/ip_tables.h",
    "linux/netfilter_ipv6/ip6_tables.h",
    "linux/netlink.h",
    "linux/perf_event.h",
    "linux/prctl.h",
    "linux/sched.h",
    "linux/sctp.h",
    "linux/seccomp.h",
    "linux/tcp.h",
    "linux/time.h",
    "linux/tls.h",
    "linux/udp.h",
    "linux/vm_sockets.h",
    "include/linux/net.h",
    "include/linux/socket.h",
];

fn trees() -> Vec<Tree> {
    let trees = std::env::var("SYSGUARD_KERNEL_SOURCE");
    let trees = trees.expect("SYSGUARD_KERNEL_SOURCE names unpacked trees, joined by `:`");
    trees.split(':').map(|tree| Tree::open(Path::new(tree)).unwrap_or_else(|error| panic!("{error}"))).collect()
}

#[test]
#[ignore = "needs SYSGUARD_KERNEL_SOURCE"]
fn calls_have_the_numbers_of_every_kernel() {
    for tree in trees() {
        for table in &TABLES {
            let abi = Abi::from_name(table.abi).expect(table.abi);
            let theirs = table.rows(&tree).unwrap_or_else(|error| panic!("{error}"));
            let theirs: BTreeMap<u32, &str> = theirs.iter().map(|row| (row.number, row.name.as_str())).collect();
            let ours: BTreeMap<u32, &str> = table::rows(abi).iter().map(|row| (row.number, row.name)).collect();
            for (number, name) in &theirs {
                assert_eq!(ours.get(number), Some(name), "{abi} {number} of Linux {}", tree.version());
            }
            for (number, name) in ours.iter().filter(|(number, _)| !theirs.contains_key(number)) {
                let since = facts(Syscall { abi, number: i64::from(*number) }).map(|facts| facts.since);
                let later = since.and_then(release) > release(&tree.version().release());
                assert!(later, "{abi} {number} {name}: Linux {} lacks it, we say {since:?}", tree.version());
            }
        }
    }
}

/// Parses `<=6.18` into (6, 18).
fn release(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.trim_start_matches("<=").split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// A row of a generated table: its name, its number, and its header if it has one.
struct Row {
    name: String,
    number: i64,
    header: Option<String>,
}

fn rows(path: &str, kind: &str) -> Vec<Row> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect(path);
    let rows = text.lines().filter_map(|line| line.trim().strip_prefix(kind)?.strip_prefix(" { "));
    let field = |row: &str, name: &str| {
        let value = row.split_once(&format!("{name}: "))?.1;
        Some(value.split(", ").next()?.trim_matches('"').to_owned())
    };
    let row = |row: &str| {
        let number = field(row, "number")?;
        let hexadecimal = number.strip_prefix("0x").map(|digits| i64::from_str_radix(digits, 16));
        let number = hexadecimal.unwrap_or_else(|| number.parse()).ok()?;
        Some(Row { name: field(row, "name")?, number, header: field(row, "header") })
    };
    let read: Vec<Row> = rows.clone().filter_map(row).collect();
    assert_eq!(read.len(), rows.count(), "{path}: a row that this test cannot read");
    read
}

/// Returns the numbers of each name, at least one per architecture.
fn numbers(rows: &[Row]) -> BTreeMap<&str, BTreeSet<i64>> {
    let mut numbers = BTreeMap::<_, BTreeSet<_>>::new();
    for Row { name, number, .. } in rows {
        numbers.entry(name.as_str()).or_default().insert(*number);
    }
    numbers
}

/// Returns a 64-bit and a 32-bit compiler: sizes of arguments, and so numbers of commands, differ.
fn compilers(tree: &Tree) -> Vec<(Target, Compiler)> {
    let targets = TARGETS.into_iter().filter(|target| target.is_first_of_its_width());
    let compiler = |target| Compiler::new(tree, target).unwrap_or_else(|error| panic!("{error}"));
    targets.map(|target| (target, compiler(target))).collect()
}

/// Returns every word of a header and of what it includes: only these can be names that it
/// declares.
fn words(tree: &Tree, header: &str) -> BTreeSet<String> {
    let (mut words, mut read) = (BTreeSet::new(), BTreeSet::new());
    let mut headers = vec![header.to_owned()];
    while let Some(header) = headers.pop() {
        if !read.insert(header.clone()) {
            continue;
        }
        let generic = header.replacen("asm/", "asm-generic/", 1);
        let places = [
            header.clone(),
            format!("include/uapi/{header}"),
            format!("arch/x86/include/uapi/{header}"),
            format!("include/uapi/{generic}"),
        ];
        for text in places.iter().filter_map(|place| tree.read_if_present(place)) {
            let included = text.lines().filter_map(|line| line.trim().strip_prefix("#include <")?.split('>').next());
            headers.extend(included.map(str::to_owned));
            let names = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
            words.extend(names.map(str::to_owned));
        }
    }
    words
}

/// Returns the value of each name after these declarations; names that are not constants are left
/// out.
fn values(compiler: &Compiler, declared: &str, names: &[String]) -> BTreeMap<String, i64> {
    compiler.values(&format!("{PRELUDE}{declared}"), names).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
#[ignore = "needs SYSGUARD_KERNEL_SOURCE"]
fn values_have_the_numbers_of_every_kernel() {
    let rows = rows(VALUES, "Value");
    let ours = numbers(&rows);
    for tree in trees() {
        let mut found = BTreeSet::new();
        for (_, compiler) in compilers(&tree) {
            for header in HEADERS {
                let declared = match header.strip_prefix("include/") {
                    Some(_) => plain_lines(
                        &tree.read(header).unwrap_or_else(|error| panic!("{error}")),
                        &["AF_", "SOL_", "MSG_", "SOCK_"],
                    ),
                    None => format!("#include <{header}>\n"),
                };
                let words = words(&tree, header);
                let asked: Vec<String> =
                    ours.keys().filter(|name| words.contains(**name)).map(ToString::to_string).collect();
                for (name, number) in values(&compiler, &declared, &asked) {
                    let wanted = &ours[name.as_str()];
                    assert!(
                        wanted.contains(&number),
                        "{name} is {number:#x} in Linux {}, we say {wanted:x?}",
                        tree.version()
                    );
                    found.insert(name);
                }
            }
        }
        assert!(found.len() * 10 > ours.len() * 8, "Linux {}: {} of {}", tree.version(), found.len(), ours.len());
    }
}

#[test]
#[ignore = "needs SYSGUARD_KERNEL_SOURCE"]
fn commands_have_the_numbers_of_every_kernel() {
    let rows = rows(COMMANDS, "Command");
    let ours = numbers(&rows);
    let known: BTreeSet<i64> = rows.iter().map(|row| row.number).collect();
    let mut headers = BTreeMap::<&str, BTreeSet<String>>::new();
    for Row { name, header, .. } in &rows {
        headers.entry(header.as_deref().expect(name)).or_default().insert(name.clone());
    }
    for tree in trees() {
        let (mut found, mut wrong) = (BTreeSet::new(), BTreeSet::new());
        for (target, compiler) in compilers(&tree) {
            for (header, names) in &headers {
                let defined = tree.read_if_present(&format!("include/uapi/{header}")).unwrap_or_default();
                let defined: BTreeSet<String> = defined.lines().filter_map(command).collect();
                let asked: Vec<String> = names.union(&defined).cloned().collect();
                for (name, number) in values(&compiler, &format!("#include <{header}>\n"), &asked) {
                    // The kernel reads 32 bits.
                    let number = number & 0xffff_ffff;
                    match ours.get(name.as_str()) {
                        Some(numbers) if numbers.contains(&number) => found.extend([name]),
                        // It has its own name for 32-bit programs (FS_IOC32_GETFLAGS), or in
                        // another driver.
                        Some(_) if known.contains(&number) && (!target.wide || is_shared(header)) => {}
                        Some(numbers) => {
                            wrong.extend([format!("{name} is {number:#x} in {header}, we say {numbers:x?}")])
                        }
                        None if known.contains(&number) => {}
                        None => wrong.extend([format!("{name} of {header} is missing: {number:#x}")]),
                    }
                }
            }
        }
        assert!(wrong.is_empty(), "Linux {}:\n{}", tree.version(), Vec::from_iter(wrong).join("\n"));
        assert!(found.len() * 10 > ours.len() * 8, "Linux {}: {} of {}", tree.version(), found.len(), ours.len());
    }
}

/// Returns true for graphics drivers, which share one range of numbers: include/uapi/drm/drm.h,
/// `DRM_COMMAND_BASE`.
fn is_shared(header: &str) -> bool {
    header.starts_with("drm/")
}

/// Returns the name in `#define NAME _IOR('x', 1, int)`.
fn command(line: &str) -> Option<String> {
    let (name, value) = line.trim().strip_prefix("#define")?.trim().split_once(char::is_whitespace)?;
    let value = value.trim();
    let is_command = ["_IO(", "_IOR(", "_IOW(", "_IOWR("].iter().any(|start| value.starts_with(start));
    (is_command && !name.contains('(')).then(|| name.to_owned())
}

/// A header without a rule, section or source of its name counts as the core. Most of these headers
/// have no functions. Without drivers, more headers have no source.
#[test]
#[ignore = "needs SYSGUARD_KERNEL_SOURCE"]
fn every_source_file_has_a_subsystem() {
    for tree in trees() {
        let files = subsystems_of_files(&tree).expect("the files of the tree");
        let (headers, sources): (Vec<_>, Vec<_>) = files.into_iter().partition(|(path, _)| path.ends_with(".h"));
        assert!(sources.len() > 4000, "{} files", sources.len());
        let undecided: Vec<_> = sources.iter().filter(|(_, subsystem)| subsystem.is_none()).collect();
        assert!(undecided.is_empty(), "{}: {undecided:?}", tree.version());
        let undecided = headers.iter().filter(|(_, subsystem)| subsystem.is_none()).count();
        assert!(undecided * 5 < headers.len(), "{}: {undecided} of {} headers", tree.version(), headers.len());
    }
}
