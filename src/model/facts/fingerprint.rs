//! The machine and build of a recording, and how they changed since. Main types: [`Fingerprint`]
//! and [`FingerprintChange`].
//!
//! It must not query the machine, nor excuse findings: an explained finding still fails, and a
//! reviewer decides.

use std::fmt;

/// The properties of a machine and a build that affect which syscalls a program makes. `None`: not
/// known.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
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
    /// Returns each part with its key.
    pub fn parts(&self) -> [(&'static str, Option<&str>); 4] {
        [
            ("kernel", self.kernel.as_deref()),
            ("libc", self.libc.as_deref()),
            ("rustc", self.rustc.as_deref()),
            ("profile", self.profile.as_deref()),
        ]
    }

    /// Returns whether no part is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the parts that are known in both and differ.
    pub fn changes(&self, now: &Self) -> Vec<FingerprintChange> {
        let pairs = self.parts().into_iter().zip(now.parts());
        let changed = pairs.filter_map(|((part, recorded), (_, now))| Some((part, recorded?, now?)));
        changed
            .filter(|(_, recorded, now)| recorded != now)
            .map(|(part, recorded, now)| FingerprintChange {
                part: part.to_owned(),
                recorded: recorded.to_owned(),
                now: now.to_owned(),
            })
            .collect()
    }
}

/// Returns the kernel version of a release without its patch level: `6.18.44-generic` → `6.18`.
pub fn kernel_minor(release: &str) -> Option<String> {
    version(release).map(|(major, minor)| format!("{major}.{minor}"))
}

/// A part of a fingerprint that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FingerprintChange {
    /// Its key.
    pub part: String,
    /// Its value in the baseline.
    pub recorded: String,
    /// Its value now.
    pub now: String,
}

/// `glibc 2.36 → glibc 2.39`
impl fmt::Display for FingerprintChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { part, recorded, now } = self;
        match part.as_str() {
            "libc" => write!(f, "{recorded} → {now}"),
            part => write!(f, "{part} {recorded} → {now}"),
        }
    }
}

/// Returns the first two numbers of a version.
pub(in crate::model) fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split(|letter: char| !letter.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_libc(libc: &str) -> Fingerprint {
        Fingerprint { libc: Some(libc.to_owned()), kernel: Some("6.18".to_owned()), ..Fingerprint::default() }
    }

    #[test]
    fn kernel_version_has_no_patch_level() {
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
    fn only_parts_known_in_both_can_differ() {
        let recorded = Fingerprint { rustc: Some("1.95.0".to_owned()), ..with_libc("glibc 2.36") };
        let now = Fingerprint { profile: Some("dev".to_owned()), ..with_libc("glibc 2.39") };
        let changes: Vec<String> = recorded.changes(&now).iter().map(FingerprintChange::to_string).collect();
        assert_eq!(changes, ["glibc 2.36 → glibc 2.39"]);
        let newer =
            Fingerprint { kernel: Some("6.19".to_owned()), rustc: Some("1.96.0".to_owned()), ..recorded.clone() };
        let changes: Vec<String> = recorded.changes(&newer).iter().map(FingerprintChange::to_string).collect();
        assert_eq!(changes, ["kernel 6.18 → 6.19", "rustc 1.95.0 → 1.96.0"]);
        assert_eq!(recorded.changes(&recorded), []);
        assert_eq!(Fingerprint::default().changes(&recorded), [], "an empty fingerprint does not differ");
    }
}
