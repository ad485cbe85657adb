//! Finds causes of findings other than a change of the workload. Main function: [`explain`].
//!
//! It must not excuse findings: an explained finding still fails, and a reviewer decides.

use crate::model::facts::fact::Fact;
use crate::model::facts::finding::Comparison;
use crate::model::facts::fingerprint::{Fingerprint, FingerprintChange, version};

/// A syscall that only some versions of glibc make for the same program.
struct GlibcCall {
    syscall: &'static str,
    /// The first version that makes it, and the first that no longer does.
    since: (u32, u32),
    until: Option<(u32, u32)>,
    /// What glibc makes it for.
    purpose: &'static str,
}

const fn since(syscall: &'static str, since: (u32, u32), purpose: &'static str) -> GlibcCall {
    GlibcCall { syscall, since, until: None, purpose }
}

/// Which version of glibc started to make which syscall. Only certain rows: a wrong one would hide
/// a real change.
const GLIBC: &[GlibcCall] = &[
    // lttng-tools#90: "glibc 2.26 implements open(2) by openat".
    since("openat", (2, 26), "open() uses it"),
    // dhcpcd#128, elastic/beats#33831, glibc bug 26540.
    since("clock_nanosleep", (2, 31), "nanosleep() and sleep() use it"),
    // wob#62 (2.33); "io: Do not implement fstat with fstatat" restored fstat in 2.39.
    GlibcCall { syscall: "newfstatat", since: (2, 33), until: Some((2, 39)), purpose: "fstat() uses it" },
    since("fstat", (2, 39), "fstat() uses it again"),
    // glibc commit 3d3ab573a5f3 (2.33), crun#646.
    since("faccessat2", (2, 33), "faccessat() with flags uses it"),
    // moby#42680, moby#42681: pthread_create and posix_spawn.
    since("clone3", (2, 34), "threads and spawned processes are created by it"),
    // glibc 2.34 NEWS: closefrom, and posix_spawn_file_actions_addclosefrom_np.
    since("close_range", (2, 34), "closefrom() uses it"),
    // glibc 2.35 NEWS: rseq is registered for every thread.
    since("rseq", (2, 35), "every thread registers it"),
    // glibc commit 65341f7bbea8 (2.39), systemd#39095, systemd#31469.
    since("fchmodat2", (2, 39), "fchmodat() with AT_SYMLINK_NOFOLLOW tries it"),
];

/// Returns the known cause of a new syscall: `glibc 2.39, not your change: fchmodat() with
/// AT_SYMLINK_NOFOLLOW tries it`.
fn cause(fact: &Fact, drift: &[FingerprintChange]) -> Option<String> {
    // glibc explains a new syscall, but no new detail of a known one.
    let Fact::Use { syscall: Some(syscall), detail: None, .. } = fact else { return None };
    let libc = drift.iter().find(|drift| drift.part == "libc")?;
    let (recorded, now) = (glibc(&libc.recorded)?, glibc(&libc.now)?);
    let row = GLIBC.iter().find(|row| row.syscall == syscall)?;
    let has = |version| row.since <= version && row.until.is_none_or(|until| version < until);
    (has(now) && !has(recorded)).then(|| format!("{}, not your change: {}", libc.now, row.purpose))
}

/// Sets the cause of each finding that a changed fingerprint explains, and the changes themselves.
pub fn explain(mut comparison: Comparison, recorded: &Fingerprint, now: &Fingerprint) -> Comparison {
    let drift = recorded.changes(now);
    for finding in comparison.new_mut() {
        finding.cause = cause(&finding.fact, &drift);
    }
    comparison.drift = drift;
    comparison
}

/// Returns the version of a glibc: `glibc 2.36` → (2, 36).
fn glibc(libc: &str) -> Option<(u32, u32)> {
    version(libc.strip_prefix("glibc ")?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::facts::finding::Finding;

    fn with_libc(libc: &str) -> Fingerprint {
        Fingerprint { libc: Some(libc.to_owned()), kernel: Some("6.18".to_owned()), ..Fingerprint::default() }
    }

    /// Each row: a new syscall, glibc in the baseline and now, and whether that explains it.
    #[test]
    fn cause_is_named_if_glibc_crossed_the_version() {
        for (key, recorded, now, explained) in [
            ("filesystem::fchmodat2", "glibc 2.36", "glibc 2.39", true),
            ("filesystem::fchmodat2", "glibc 2.38", "glibc 2.41", true),
            ("filesystem::fchmodat2", "glibc 2.39", "glibc 2.41", false),
            ("filesystem::fchmodat2", "glibc 2.36", "glibc 2.38", false),
            ("filesystem::fchmodat2", "musl", "glibc 2.39", false),
            ("filesystem::fchmodat2::argument=X", "glibc 2.36", "glibc 2.39", false),
            ("filesystem::openat2", "glibc 2.36", "glibc 2.39", false),
            ("filesystem::fstat", "glibc 2.36", "glibc 2.39", true),
            ("filesystem::newfstatat", "glibc 2.36", "glibc 2.39", false),
            ("filesystem::newfstatat", "glibc 2.39", "glibc 2.36", true),
            ("process::clone3", "glibc 2.31", "glibc 2.36", true),
            ("process", "glibc 2.31", "glibc 2.36", false),
            ("blind_spots::vdso", "glibc 2.31", "glibc 2.36", false),
        ] {
            let found =
                Comparison { findings: vec![Finding::new(key.parse().expect(key), 1)], ..Comparison::default() };
            let found = explain(found, &with_libc(recorded), &with_libc(now));
            let cause = found.findings[0].cause.as_deref();
            assert_eq!(cause.is_some(), explained, "{key} from {recorded} to {now}: {cause:?}");
            assert!(cause.is_none_or(|cause| cause.starts_with(&format!("{now}, not your change: "))), "{cause:?}");
        }
    }

    #[test]
    fn rows_name_known_syscalls() {
        use crate::model::kernel::syscall::{Abi, Syscall};
        for GlibcCall { syscall, since, until, .. } in GLIBC {
            assert!(Syscall::from_name(Abi::X86_64, syscall).is_some(), "{syscall}");
            assert!(until.is_none_or(|until| *since < until), "{syscall}");
        }
    }
}
