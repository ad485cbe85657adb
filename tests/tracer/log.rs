//! The log of a run against its events: one line per call and one per end.

use libtest_mimic::Failed;
use sysguard::unstable::linux::{Recorder, Selection};
use sysguard::unstable::model::kernel::call::Call;
use sysguard::unstable::model::text::escape;
use sysguard::unstable::model::trace::logged::{Happening, Logged, TimedCall};

use crate::seen::{Seen, Watched};
use crate::trials::ensure_eq;

/// What a log showed.
#[derive(Debug, Default)]
struct Lines {
    calls: u64,
    timed: u64,
    ends: u64,
    /// Calls with hidden characters in their line.
    unescaped: Vec<String>,
}

impl Recorder for Lines {
    fn selects(&mut self, _: &Call, _: &str, paths: &mut dyn FnMut() -> Vec<String>) -> Selection {
        // No path may make the tracer fail.
        paths();
        Selection::Written
    }

    fn selects_use(&mut self, _: &TimedCall<'_>) -> bool {
        false
    }

    fn time(&mut self, _: &TimedCall<'_>) {
        self.timed += 1;
    }

    fn write(&mut self, line: &Logged<'_>) {
        match line.what {
            Happening::Called { text, .. } => {
                self.calls += 1;
                self.unescaped.extend(text.contains(escape::is_hidden).then(|| text.to_owned()));
            }
            Happening::Ended(_) => self.ends += 1,
            Happening::Unfinished { .. } | Happening::Signal(_) | Happening::Superseded { .. } => {}
        }
    }
}

/// Traces a program with a log. Fails if a call or an end has no line of its own.
pub(crate) fn watch(watched: Watched) -> Result<Seen, Failed> {
    let mut lines = Lines::default();
    let seen = watched.watch_logged(&mut lines)?;
    let calls: u64 = seen.counts.values().map(|count| count.calls).sum();
    ensure_eq!((lines.calls, lines.timed, lines.ends), (calls, calls, seen.ended));
    ensure_eq!(lines.unescaped, Vec::<String>::new());
    Ok(seen)
}
