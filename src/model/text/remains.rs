//! The entries of a temporary folder that could not be removed. Main type: [`Remains`].

use std::fmt;

/// The part of a temporary folder that could not be removed, as text for a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remains {
    /// The folder.
    pub folder: String,
    /// The first remaining entry, relative to the folder; empty: the folder itself.
    pub first: String,
    /// Why that entry could not be removed.
    pub reason: String,
    /// How many entries could not be removed.
    pub entries: u64,
}

impl fmt::Display for Remains {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.folder)?;
        if !self.first.is_empty() {
            write!(f, "/{}", self.first)?;
        }
        write!(f, ": {}", self.reason)?;
        match self.entries {
            0 | 1 => Ok(()),
            more => write!(f, " (and {} more)", more - 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_names_entry_reason_and_count() {
        let remains = |first: &str, entries| Remains {
            folder: "/tmp/sysguard-x".to_owned(),
            first: first.to_owned(),
            reason: "Operation not permitted".to_owned(),
            entries,
        };
        assert_eq!(remains("work/d", 1).to_string(), "/tmp/sysguard-x/work/d: Operation not permitted");
        assert_eq!(remains("", 3).to_string(), "/tmp/sysguard-x: Operation not permitted (and 2 more)");
    }
}
