//! The platform of a baseline: architecture, operating system and C library.
//!
//! A [`Platform`] is arch-os-env of the test target's triple (`x86_64-linux-gnu`). It must not
//! detect the platform: `settings` does.

use std::fmt;
use std::str::FromStr;

use crate::model::kernel::syscall::Abi;

/// A platform; a baseline belongs to exactly one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Platform {
    /// `x86_64`, `aarch64`, `riscv64`, …
    pub arch: String,
    /// `linux`
    pub os: String,
    /// `gnu`, `musl`, …: the C library and ABI; empty if the triple has none.
    pub env: String,
}

impl Platform {
    /// Returns the platform of a target triple as rustc writes it: `x86_64-unknown-linux-gnu` →
    /// `x86_64-linux-gnu`.
    ///
    /// Returns `None` for fewer than three parts, because rustc has no such target.
    pub fn from_triple(triple: &str) -> Option<Self> {
        let parts: Vec<&str> = triple.split('-').collect();
        let (arch, os, env) = match parts[..] {
            [arch, _vendor, os, env] => (arch, os, env),
            [arch, os @ "linux", env] => (arch, os, env),
            [arch, _vendor, os] => (arch, os, ""),
            _ => return None,
        };
        Some(Self { arch: arch.to_owned(), os: os.to_owned(), env: env.to_owned() })
    }

    /// Returns the syscall ABI of programs of this platform; `None` for an unknown architecture.
    pub fn abi(&self) -> Option<Abi> {
        match self.arch.as_str() {
            "x86_64" if self.env.ends_with("x32") => Some(Abi::X32),
            "x86_64" => Some(Abi::X86_64),
            "i386" | "i586" | "i686" => Some(Abi::I386),
            "aarch64" => Some(Abi::Aarch64),
            arch if arch.starts_with("arm") || arch.starts_with("thumb") => Some(Abi::Arm),
            arch if arch.starts_with("riscv64") => Some(Abi::Riscv64),
            _ => None,
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.arch, self.os)?;
        if !self.env.is_empty() {
            write!(f, "-{}", self.env)?;
        }
        Ok(())
    }
}

/// The text is not `arch-os` or `arch-os-env`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid platform `{0}`: write one such as `x86_64-linux-gnu`")]
pub struct NotAPlatform(String);

impl FromStr for Platform {
    type Err = NotAPlatform;

    fn from_str(text: &str) -> Result<Self, NotAPlatform> {
        let mut parts = text.splitn(3, '-').map(str::to_owned);
        match (parts.next(), parts.next(), parts.next()) {
            (Some(arch), Some(os), env) if !arch.is_empty() && !os.is_empty() => {
                Ok(Self { arch, os, env: env.unwrap_or_default() })
            }
            _ => Err(NotAPlatform(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platform_is_the_triple_without_its_vendor() {
        for (triple, platform) in [
            ("x86_64-unknown-linux-gnu", "x86_64-linux-gnu"),
            ("x86_64-unknown-linux-musl", "x86_64-linux-musl"),
            ("riscv64gc-unknown-linux-gnu", "riscv64gc-linux-gnu"),
            ("aarch64-apple-darwin", "aarch64-darwin"),
        ] {
            let parsed = Platform::from_triple(triple).expect(triple);
            assert_eq!(parsed.to_string(), platform);
            assert_eq!(platform.parse(), Ok(parsed));
        }
        assert_eq!(Platform::from_triple("linux"), None);
        assert!("linux".parse::<Platform>().is_err());
    }
    #[test]
    fn platform_has_its_own_abi() {
        for (platform, abi) in [
            ("x86_64-linux-gnu", Some(Abi::X86_64)),
            ("x86_64-linux-gnux32", Some(Abi::X32)),
            ("i686-linux-musl", Some(Abi::I386)),
            ("aarch64-linux-gnu", Some(Abi::Aarch64)),
            ("armv7-linux-gnueabihf", Some(Abi::Arm)),
            ("riscv64gc-linux-gnu", Some(Abi::Riscv64)),
            ("s390x-linux-gnu", None),
        ] {
            assert_eq!(platform.parse::<Platform>().expect(platform).abi(), abi, "{platform}");
        }
    }
}
