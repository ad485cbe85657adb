//! The versions of the expectation format. Main type: [`Version`].
//!
//! A file names its version. Every version is read and judged as it was written; a recording writes
//! the latest one. Files of later versions are refused.

use std::fmt;

/// A version of the format. It decides which facts a baseline of that version can hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// Arguments and objects of a syscall are independent of each other.
    One,
    /// An argument and the object that it was used on are one fact. Signals that end processes are
    /// judged at every level.
    #[default]
    Two,
}

impl Version {
    /// Every version, the oldest first.
    pub const ALL: [Self; 2] = [Self::One, Self::Two];

    /// The version that a recording writes, and the latest one that is read.
    pub const LATEST: Self = Self::Two;

    /// Returns the number, as in `version: 1`.
    pub const fn number(self) -> u32 {
        match self {
            Self::One => 1,
            Self::Two => 2,
        }
    }

    /// Returns the version with this number.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.number() == number)
    }
}

/// Writes the number.
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_count_up_from_one() {
        assert!(Version::ALL.iter().map(|version| version.number()).eq(1..=Version::LATEST.number()));
        for version in Version::ALL {
            assert_eq!(Version::from_number(version.number()), Some(version));
        }
        assert_eq!(Version::from_number(0), None);
    }
}
