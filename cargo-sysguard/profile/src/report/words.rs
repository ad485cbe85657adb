//! Words and numbers that the text formats share.

use sysguard::unstable::model::text::escape;

use super::record::{OriginRecord, PartRecord, ProfileRecord};
use super::totals::{CountRecord, MeanRecord, TotalsRecord};
use crate::recording::Missing;

/// Rows of a list before the rest is summed.
pub(super) const ROWS: usize = 15;
/// Functions that are named in a group.
pub(super) const FUNCTIONS: usize = 4;
/// Subsystems with smaller shares are not listed after a syscall.
const SMALLEST: f64 = 0.02;

/// Returns foreign text with its control characters escaped.
pub(super) fn escaped(text: &str) -> String {
    escape::line(text).into_owned()
}

/// Returns a share in per cent: `12.3`.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1}", share * 100.0)
}

/// Returns the command as one line.
pub(super) fn command(record: &ProfileRecord) -> String {
    match &record.workload.name {
        Some(name) => escaped(name),
        None => escaped(&record.workload.command.join(" ")),
    }
}

/// Returns the microseconds of CPU time per call, if both runs are comparable.
pub(super) fn microseconds(origin: &OriginRecord, record: &ProfileRecord) -> String {
    let is_comparable = record.traced.as_ref().is_some_and(|traced| traced.comparable);
    match origin.calls {
        Some(calls) if is_comparable && calls > 0 && origin.samples > 0 => {
            format!("{:.2}", origin.seconds * 1e6 / calls as f64)
        }
        _ => String::new(),
    }
}

/// Returns a count, or nothing for none.
pub(super) fn count(count: Option<u64>) -> String {
    count.filter(|&count| count > 0).map_or_else(String::new, |count| count.to_string())
}

/// Returns a syscall with its ABI, if that is not the platform's own: `openat (i386)`.
pub(super) fn origin(origin: &OriginRecord, record: &ProfileRecord) -> String {
    match &origin.abi {
        Some(abi) if *abi != record.platform.arch => format!("{} ({abi})", escaped(&origin.name)),
        _ => escaped(&origin.name),
    }
}

/// Returns the subsystems that did the work: `network 71 %, locking 15 %`. Shares are of the row.
pub(super) fn work(origin: &OriginRecord) -> String {
    let all: u64 = origin.work.iter().map(|part| part.samples).sum();
    let share = |part: &PartRecord| part.samples as f64 / all.max(1) as f64;
    let shown = origin.work.iter().filter(|part| share(part) >= SMALLEST);
    shown.map(|part| format!("{} {:.0} %", escaped(&part.name), share(part) * 100.0)).collect::<Vec<_>>().join(", ")
}

/// Returns the first functions of a group with their shares of all samples.
pub(super) fn functions(functions: &[PartRecord]) -> String {
    let shown = functions.iter().take(FUNCTIONS);
    let words: Vec<String> = shown.map(|part| format!("{} {}", escaped(&part.name), percent(part.share))).collect();
    let more = functions.len().saturating_sub(FUNCTIONS);
    if more == 0 { words.join(", ") } else { format!("{}, {more} more", words.join(", ")) }
}

/// Returns the rows of a list that are shown, and the sum of the others with their number.
pub(super) fn cut<T>(list: &[T], share: impl Fn(&T) -> f64) -> (&[T], Option<(usize, f64)>) {
    if list.len() <= ROWS + 1 {
        return (list, None);
    }
    let (shown, rest) = list.split_at(ROWS);
    (shown, Some((rest.len(), rest.iter().map(share).sum())))
}

/// Returns the runs that the numbers are from, one per line.
pub(super) fn runs(record: &ProfileRecord) -> Vec<String> {
    let sampled = &record.sampled;
    let runs = if sampled.runs == 1 { "an untraced run".to_owned() } else { format!("{} untraced runs", sampled.runs) };
    let ended = |status: i32| if status == 0 { String::new() } else { format!("; it ended with exit status {status}") };
    let mut lines = vec![format!(
        "time: {} samples of {runs}, {} a second by {}{}{}",
        sampled.samples,
        sampled.frequency,
        escaped(&sampled.clock),
        precision(sampled.samples),
        ended(sampled.status)
    )];
    match &record.traced {
        Some(traced) => lines.push(format!(
            "calls and errors: another run, traced by {}{}",
            escaped(&traced.engine),
            ended(traced.status)
        )),
        None => lines.push("calls and errors: not counted".to_owned()),
    }
    if let Some(traced) = record.traced.as_ref().filter(|traced| !traced.comparable) {
        let reason =
            if traced.status == sampled.status { STOPS_AFTER_A_TIME } else { "the traced run ended differently" };
        lines.push(format!("usecs/call: unknown, because {reason}"));
    }
    if sampled.lost > 0 {
        let share = sampled.lost as f64 / (sampled.lost + sampled.samples) as f64;
        lines.push(format!("lost: {} samples that the kernel could not store ({} %)", sampled.lost, percent(share)));
    }
    if sampled.stragglers > 0 {
        let stragglers = if sampled.stragglers == 1 { "straggler" } else { "stragglers" };
        lines.push(format!("{} {stragglers} killed after the grace period", sampled.stragglers));
    }
    if sampled.throttled > 0 {
        let times = if sampled.throttled == 1 { "once".to_owned() } else { format!("{} times", sampled.throttled) };
        lines.push(format!("throttled: the kernel paused sampling {times}; use a lower -F"));
    }
    let places = &record.places;
    if record.kernel > 0.0 && !record.lacks(Missing::KernelNames) && !record.lacks(Missing::KernelSamples) {
        let index =
            places.index.as_ref().map_or_else(String::new, |index| format!(" (index of Linux {})", escaped(index)));
        lines.push(format!(
            "source files of kernel samples: {} % found by function name, {} % by neighbours, {} % unknown{index}",
            percent(places.name),
            percent(places.neighbours),
            percent(places.unknown)
        ));
    }
    lines.extend(missing(record));
    lines
}

/// Why times per call are left out.
const STOPS_AFTER_A_TIME: &str =
    "the program stops after a fixed time: the traced run was not longer, so it made fewer calls";

/// Returns the uncertainty of a share of 10 %: two standard deviations of a binomial distribution.
fn precision(samples: u64) -> String {
    if samples == 0 {
        return String::new();
    }
    let error = 2.0 * (0.1 * 0.9 / samples as f64).sqrt();
    format!("; a share of 10 % is accurate to ± {:.1} points", error * 100.0)
}

/// Returns the data that could not be measured, and how to allow it.
fn missing(record: &ProfileRecord) -> Vec<String> {
    let missing = [
        (
            Missing::KernelSamples,
            "missing: kernel functions; run `sudo sysctl kernel.perf_event_paranoid=1`, or run it as root",
        ),
        (
            Missing::KernelNames,
            "missing: names of kernel functions; run `sudo sysctl kernel.perf_event_paranoid=1 kernel.kptr_restrict=0`, \
             or run it as root",
        ),
        (Missing::HardwareCounters, "missing: hardware counters; this machine has none"),
    ];
    missing.into_iter().filter(|(missing, _)| record.lacks(*missing)).map(|(_, line)| line.to_owned()).collect()
}

/// A line of totals: a value, its event, and a note.
pub(super) struct TotalLine {
    pub(super) value: String,
    pub(super) event: String,
    pub(super) note: String,
}

/// Returns the totals in the order and with the notes of `perf stat`.
pub(super) fn totals(totals: &TotalsRecord) -> Vec<TotalLine> {
    let mut lines: Vec<TotalLine> = totals.counts.iter().map(|count| total(count, totals)).collect();
    for (event, mean) in [("elapsed", totals.elapsed), ("user", totals.user), ("system", totals.system)] {
        let value = format!("{:.3} s", mean.mean);
        lines.push(TotalLine { value, event: event.to_owned(), note: spread(mean) });
    }
    lines
}

fn total(count: &CountRecord, totals: &TotalsRecord) -> TotalLine {
    let value = count.value.mean;
    let is_clock = count.event.ends_with("-clock");
    let per = |other: &str| totals.mean(other).filter(|&other| other > 0.0).map(|other| value / other);
    let note = match count.event.as_str() {
        "task-clock" if totals.elapsed.mean > 0.0 => format!("{:.3} CPUs used", value / 1e9 / totals.elapsed.mean),
        "instructions" => per("cycles").map_or_else(String::new, |ratio| format!("{ratio:.2} per cycle")),
        "branch-misses" => {
            per("branches").map_or_else(String::new, |ratio| format!("{:.2} % of branches", ratio * 100.0))
        }
        "cache-misses" => per("cache-references")
            .map_or_else(String::new, |ratio| format!("{:.2} % of cache references", ratio * 100.0)),
        _ if is_clock => String::new(),
        _ => per("task-clock").map_or_else(String::new, |ratio| format!("{:.1} per second of CPU time", ratio * 1e9)),
    };
    let shared = (count.counted < 0.9995).then(|| format!("counted {} % of the time", percent(count.counted)));
    let notes = [note, spread(count.value), shared.unwrap_or_default()];
    let notes: Vec<String> = notes.into_iter().filter(|note| !note.is_empty()).collect();
    TotalLine {
        value: if is_clock { format!("{:.2} ms", value / 1e6) } else { format!("{value:.0}") },
        event: escaped(&count.event),
        note: notes.join(", "),
    }
}

/// Returns the spread over several runs.
fn spread(mean: MeanRecord) -> String {
    mean.spread.map_or_else(String::new, |spread| format!("± {:.2} %", spread * 100.0))
}
