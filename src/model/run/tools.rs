//! Versions of tools, and missing programs with their packages. Main type: [`Tools`].

/// The result of `cargo sysguard doctor --tools`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tools {
    /// In the order of [`VERSIONED`].
    pub tools: Vec<Tool>,
    /// Missing programs of workloads, ordered by name.
    pub missing: Vec<MissingProgram>,
}

/// A tool with its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    /// Its name in `scripts/ver_linux` of the kernel.
    pub name: &'static str,
    /// `None` if it is not installed, or shows no version.
    pub version: Option<String>,
}

/// A program that a workload needs and that is not installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingProgram {
    /// As the workload names it.
    pub program: String,
    /// The names of the workloads, in order.
    pub workloads: Vec<String>,
    /// The Debian package that contains it, if known.
    pub package: Option<String>,
}

/// The tools of `scripts/ver_linux` in the kernel's tree and of the kernel's guide to tracing
/// workloads, each with the command that shows its version.
pub const VERSIONED: &[(&str, &[&str])] = &[
    ("GNU C", &["gcc", "-dumpversion"]),
    ("GNU Make", &["make", "--version"]),
    ("Binutils", &["ld", "-v"]),
    ("Util-linux", &["mount", "--version"]),
    ("Module-init-tools", &["depmod", "-V"]),
    ("E2fsprogs", &["tune2fs"]),
    ("Jfsutils", &["fsck.jfs", "-V"]),
    ("Xfsprogs", &["xfs_db", "-V"]),
    ("Pcmciautils", &["pccardctl", "-V"]),
    ("Quota-tools", &["quota", "-V"]),
    ("PPP", &["pppd", "--version"]),
    ("Nfs-utils", &["showmount", "--version"]),
    ("Bison", &["bison", "--version"]),
    ("Flex", &["flex", "--version"]),
    ("Linux C Library", &["ldd", "--version"]),
    ("Procps", &["ps", "--version"]),
    ("Net-tools", &["ifconfig", "--version"]),
    ("Kbd", &["loadkeys", "-V"]),
    ("Sh-utils", &["expr", "--version"]),
    ("Udev", &["udevadm", "--version"]),
    ("Wireless-tools", &["iwconfig", "--version"]),
    ("perf", &["perf", "--version"]),
    ("strace", &["strace", "--version"]),
    ("stress-ng", &["stress-ng", "--version"]),
];

/// Programs in a Debian package of a different name (Debian 12).
const PACKAGES: &[(&str, &str)] = &[
    ("ab", "apache2-utils"),
    ("bpftool", "bpftool"),
    ("btrfs", "btrfs-progs"),
    ("cc", "gcc"),
    ("cyclictest", "rt-tests"),
    ("dig", "bind9-dnsutils"),
    ("getfattr", "attr"),
    ("hackbench", "rt-tests"),
    ("ifconfig", "net-tools"),
    ("ip", "iproute2"),
    ("ldd", "libc-bin"),
    ("mkfs.btrfs", "btrfs-progs"),
    ("mkfs.ext4", "e2fsprogs"),
    ("mkfs.xfs", "xfsprogs"),
    ("mount.nfs", "nfs-common"),
    ("nc", "netcat-openbsd"),
    ("perf", "linux-perf"),
    ("ping", "iputils-ping"),
    ("ps", "procps"),
    ("psql", "postgresql-client"),
    ("redis-benchmark", "redis-tools"),
    ("redis-cli", "redis-tools"),
    ("setfacl", "acl"),
    ("setfattr", "attr"),
    ("setpriv", "util-linux"),
    ("ss", "iproute2"),
    ("tc", "iproute2"),
    ("unshare", "util-linux"),
];

/// Returns the Debian package of a program, if its name differs from the program's.
pub fn package_of(program: &str) -> Option<&'static str> {
    PACKAGES.iter().find(|(name, _)| *name == program).map(|(_, package)| *package)
}

/// Returns the first version in a tool's output, as `scripts/ver_linux` finds it: numbers with dots
/// between, of at least two digits.
pub fn version_in(output: &str) -> Option<&str> {
    output.lines().find_map(|line| {
        let is_part = |letter: char| letter.is_ascii_digit() || letter == '.';
        let candidates = line.split(|letter| !is_part(letter)).flat_map(|word| word.split(".."));
        candidates.map(|word| word.trim_matches('.')).find(|word| word.len() > 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_usual_outputs() {
        for (output, version) in [
            ("12\n", Some("12")),
            ("GNU Make 4.3\nBuilt for x86_64-pc-linux-gnu\n", Some("4.3")),
            ("mount from util-linux 2.38.1 (libmount 2.38.1: selinux)\n", Some("2.38.1")),
            ("GNU ld (GNU Binutils for Debian) 2.40\n", Some("2.40")),
            ("ldd (Debian GLIBC 2.36-9+deb12u13) 2.36\n", Some("2.36")),
            ("252\n", Some("252")),
            ("see above...\nstrace -- version 6.1\n", Some("6.1")),
            ("version 7\n", None),
            ("", None),
        ] {
            assert_eq!(version_in(output), version, "{output}");
        }
    }

    #[test]
    fn packages_are_sorted_and_found() {
        assert!(PACKAGES.is_sorted());
        assert_eq!((package_of("perf"), package_of("strace")), (Some("linux-perf"), None));
    }
}
