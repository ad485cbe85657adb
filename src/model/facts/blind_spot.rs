//! A blind spot as baselines hold it. Main type: [`RecordedBlindSpot`].

use std::cmp::Ordering;
use std::fmt;

use crate::model::attribution::blind_spot::BlindSpot;

/// A blind spot of a baseline. A file of another version may name one that this version does not
/// know. Ordered by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordedBlindSpot {
    /// This version can observe it.
    Known(BlindSpot),
    /// Only the name is known. [`RecordedBlindSpot::named`] never returns this for a known name.
    Unknown(String),
}

impl RecordedBlindSpot {
    /// Returns the blind spot of this name.
    pub fn named(name: impl Into<String>) -> Self {
        let name = name.into();
        BlindSpot::from_name(&name).map_or(Self::Unknown(name), Self::Known)
    }

    /// Returns the name used in reports and expectations.
    pub fn name(&self) -> &str {
        match self {
            Self::Known(spot) => spot.name(),
            Self::Unknown(name) => name,
        }
    }

    /// Returns the blind spot, if this version knows it.
    pub fn known(&self) -> Option<BlindSpot> {
        match self {
            Self::Known(spot) => Some(*spot),
            Self::Unknown(_) => None,
        }
    }
}

impl From<BlindSpot> for RecordedBlindSpot {
    fn from(spot: BlindSpot) -> Self {
        Self::Known(spot)
    }
}

impl Ord for RecordedBlindSpot {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name().cmp(other.name())
    }
}

impl PartialOrd for RecordedBlindSpot {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for RecordedBlindSpot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blind_spots_are_ordered_by_name() {
        let names = BlindSpot::ALL.map(BlindSpot::name).into_iter().chain(["", "b", "vdso"]);
        let mut spots: Vec<RecordedBlindSpot> = names.map(RecordedBlindSpot::named).collect();
        spots.sort();
        assert!(spots.is_sorted_by(|a, b| a.name() < b.name()), "{spots:?}");
        assert!(spots.iter().all(|spot| spot.known().map(RecordedBlindSpot::from).is_none_or(|known| known == *spot)));
        assert_eq!(spots.iter().filter(|spot| spot.known().is_none()).count(), 3);
    }
}
