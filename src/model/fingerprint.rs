//! What was around a workload when its baseline was recorded, and what of a finding that explains. Main types: [`Fingerprint`] and [`Drift`].
//!
//! It must not ask a machine for it, nor excuse anything: an explained finding still fails, and a reviewer decides.

use std::fmt;

use super::compare::Comparison;
use super::fact::Fact;

/// The few facts of a machine and a build by which sets of calls differ. What is not known is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fingerprint {
    /// The kernel without its patch level: `6.18`.
    pub kernel: Option<String>,
    /// The C library: `glibc 2.36`, `musl`.
    pub libc: Option<String>,
    /// The compiler, for what cargo built: `1.95.0`.
    pub rustc: Option<String>,
    /// The profile, for what cargo built: `dev`.
    pub profile: Option<String>,
}

impl Fingerprint {
    /// Each part with its key.
    pub fn parts(&self) -> [(&'static str, Option<&str>); 4] {
        [
            ("kernel", self.kernel.as_deref()),
            ("libc", self.libc.as_deref()),
            ("rustc", self.rustc.as_deref()),
            ("profile", self.profile.as_deref()),
        ]
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What differs now, of what is known of both.
    pub fn drift(&self, now: &Self) -> Vec<Drift> {
        let pairs = self.parts().into_iter().zip(now.parts());
        let changed = pairs.filter_map(|((part, recorded), (_, now))| Some((part, recorded?, now?)));
        changed
            .filter(|(_, recorded, now)| recorded != now)
            .map(|(part, recorded, now)| Drift {
                part: part.to_owned(),
                recorded: recorded.to_owned(),
                now: now.to_owned(),
            })
            .collect()
    }
}

/// The kernel of a release without its patch level: `6.18.44-generic` → `6.18`.
pub fn kernel_minor(release: &str) -> Option<String> {
    version(release).map(|(major, minor)| format!("{major}.{minor}"))
}

/// One part of a fingerprint that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// Its key.
    pub part: String,
    /// As the baseline has it.
    pub recorded: String,
    /// As it is.
    pub now: String,
}

/// `glibc 2.36 → glibc 2.39`
impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { part, recorded, now } = self;
        match part.as_str() {
            "libc" => write!(f, "{recorded} → {now}"),
            part => write!(f, "{part} {recorded} → {now}"),
        }
    }
}

/// A call that only some versions of glibc make for the same program.
struct Habit {
    syscall: &'static str,
    /// The first version that makes it, and the first that no longer does.
    since: (u32, u32),
    until: Option<(u32, u32)>,
    /// What it makes it for.
    purpose: &'static str,
}

const fn since(syscall: &'static str, since: (u32, u32), purpose: &'static str) -> Habit {
    Habit { syscall, since, until: None, purpose }
}

/// Who introduced what. Only what is certain: a wrong row would excuse a real change.
const GLIBC: &[Habit] = &[
    // lttng-tools#90: "glibc 2.26 implements open(2) by openat".
    since("openat", (2, 26), "open() is made of it"),
    // dhcpcd#128, elastic/beats#33831, glibc bug 26540.
    since("clock_nanosleep", (2, 31), "nanosleep() and sleep() are made of it"),
    // wob#62 (2.33); "io: Do not implement fstat with fstatat" gave fstat back in 2.39.
    Habit { syscall: "newfstatat", since: (2, 33), until: Some((2, 39)), purpose: "fstat() is made of it" },
    since("fstat", (2, 39), "fstat() is made of it again"),
    // glibc commit 3d3ab573a5f3 (2.33), crun#646.
    since("faccessat2", (2, 33), "faccessat() with flags is made of it"),
    // moby#42680, moby#42681: pthread_create and posix_spawn.
    since("clone3", (2, 34), "threads and spawned processes are made by it"),
    // glibc 2.34 NEWS: closefrom, and posix_spawn_file_actions_addclosefrom_np.
    since("close_range", (2, 34), "closefrom() is made of it"),
    // glibc 2.35 NEWS: rseq is registered for every thread.
    since("rseq", (2, 35), "every thread registers it"),
    // glibc commit 65341f7bbea8 (2.39), systemd#39095, systemd#31469.
    since("fchmodat2", (2, 39), "fchmodat() with AT_SYMLINK_NOFOLLOW tries it"),
];

/// The cause that is known for a new syscall: `glibc 2.39, not your change: fchmodat() with AT_SYMLINK_NOFOLLOW tries it`.
fn cause(fact: &Fact, drift: &[Drift]) -> Option<String> {
    // A detail of a call that was known before needs another cause.
    let Fact::Use { syscall: Some(syscall), detail: None, .. } = fact else { return None };
    let libc = drift.iter().find(|drift| drift.part == "libc")?;
    let (recorded, now) = (glibc(&libc.recorded)?, glibc(&libc.now)?);
    let habit = GLIBC.iter().find(|habit| habit.syscall == syscall)?;
    let has = |version| habit.since <= version && habit.until.is_none_or(|until| version < until);
    (has(now) && !has(recorded)).then(|| format!("{}, not your change: {}", libc.now, habit.purpose))
}

/// Names what of a comparison is explained by what changed around the workload. Without a finding nothing is to be explained.
pub fn explain(mut comparison: Comparison, recorded: &Fingerprint, now: &Fingerprint) -> Comparison {
    let drift = recorded.drift(now);
    for finding in comparison.new_mut() {
        finding.cause = cause(&finding.fact, &drift);
    }
    comparison.drift = drift;
    comparison
}

/// The version of a glibc: `glibc 2.36` → (2, 36).
fn glibc(libc: &str) -> Option<(u32, u32)> {
    version(libc.strip_prefix("glibc ")?)
}

/// The first two numbers of a version.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split(|letter: char| !letter.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::compare::Finding;

    fn with_libc(libc: &str) -> Fingerprint {
        Fingerprint { libc: Some(libc.to_owned()), kernel: Some("6.18".to_owned()), ..Fingerprint::default() }
    }

    #[test]
    fn a_kernel_is_its_minor() {
        for (release, kernel) in [
            ("6.18.44-generic", Some("6.18")),
            ("6.18", Some("6.18")),
            ("6.18-rc3", Some("6.18")),
            ("4.4.0-19041-Microsoft", Some("4.4")),
            ("6", None),
            ("", None),
            ("unknown", None),
        ] {
            assert_eq!(kernel_minor(release).as_deref(), kernel, "{release}");
        }
    }

    #[test]
    fn only_what_is_known_of_both_can_drift() {
        let recorded = Fingerprint { rustc: Some("1.95.0".to_owned()), ..with_libc("glibc 2.36") };
        let now = Fingerprint { profile: Some("dev".to_owned()), ..with_libc("glibc 2.39") };
        let told: Vec<String> = recorded.drift(&now).iter().map(Drift::to_string).collect();
        assert_eq!(told, ["glibc 2.36 → glibc 2.39"]);
        let newer =
            Fingerprint { kernel: Some("6.19".to_owned()), rustc: Some("1.96.0".to_owned()), ..recorded.clone() };
        let told: Vec<String> = recorded.drift(&newer).iter().map(Drift::to_string).collect();
        assert_eq!(told, ["kernel 6.18 → 6.19", "rustc 1.95.0 → 1.96.0"]);
        assert_eq!(recorded.drift(&recorded), []);
        assert_eq!(Fingerprint::default().drift(&recorded), [], "an unknown past explains nothing");
    }

    /// Each row: a new syscall, glibc then and now, and whether that explains it.
    #[test]
    fn a_cause_is_named_where_the_version_crossed_it() {
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
    fn every_habit_is_of_a_syscall() {
        use crate::model::syscall::{Abi, Syscall};
        for Habit { syscall, since, until, .. } in GLIBC {
            assert!(Syscall::from_name(Abi::X86_64, syscall).is_some(), "{syscall}");
            assert!(until.is_none_or(|until| *since < until), "{syscall}");
        }
    }
}
