//! Durations and times, as a line shows them. Main function: [`duration`].

use super::view::Reader;
use crate::model::kernel::uapi::{UTIME_NOW, UTIME_OMIT};

/// The number of each unit in a second.
const NANOSECONDS: i64 = 1_000_000_000;
const MICROSECONDS: i64 = 1_000_000;

/// Returns a duration in its largest fitting unit: `1.5s`, `20ms`, `0s`.
fn duration(seconds: i64, nanoseconds: i64) -> String {
    if seconds < 0 || !(0..NANOSECONDS).contains(&nanoseconds) {
        return format!("{{{seconds}, {nanoseconds}}}");
    }
    match nanoseconds {
        0 => format!("{seconds}s"),
        _ if seconds != 0 => {
            let text = format!("{seconds}.{nanoseconds:09}");
            format!("{}s", text.trim_end_matches('0'))
        }
        _ if nanoseconds % 1_000_000 == 0 => format!("{}ms", nanoseconds / 1_000_000),
        _ if nanoseconds % 1000 == 0 => format!("{}us", nanoseconds / 1000),
        _ => format!("{nanoseconds}ns"),
    }
}

/// Returns milliseconds as poll(2) takes them.
pub(super) fn milliseconds(number: i32) -> String {
    if number < 0 { number.to_string() } else { duration((number / 1000).into(), i64::from(number % 1000) * 1_000_000) }
}

/// Reads a `struct timespec`.
pub(super) fn timespec(reader: &Reader<'_>, address: u64) -> Option<String> {
    reader.time(address, 0).map(|(seconds, nanoseconds)| duration(seconds, nanoseconds))
}

/// Reads a `struct timeval`.
pub(super) fn timeval(reader: &Reader<'_>, address: u64) -> Option<String> {
    timeval_at(reader, address, 0)
}

fn timeval_at(reader: &Reader<'_>, address: u64, index: u64) -> Option<String> {
    let (seconds, microseconds) = reader.time(address, index)?;
    let fits = (0..MICROSECONDS).contains(&microseconds);
    Some(duration(seconds, if fits { microseconds * 1000 } else { microseconds.saturating_mul(1000) }))
}

/// Reads a `struct itimerspec`.
pub(super) fn timer_spec(reader: &Reader<'_>, address: u64) -> Option<String> {
    let (interval, value) = (reader.time(address, 0)?, reader.time(address, 1)?);
    Some(format!("{{interval={}, value={}}}", duration(interval.0, interval.1), duration(value.0, value.1)))
}

/// Reads a `struct itimerval`.
pub(super) fn timer_val(reader: &Reader<'_>, address: u64) -> Option<String> {
    let (interval, value) = (timeval_at(reader, address, 0)?, timeval_at(reader, address, 1)?);
    Some(format!("{{interval={interval}, value={value}}}"))
}

/// Reads the two times that utimensat(2) sets.
pub(super) fn file_times(reader: &Reader<'_>, address: u64) -> Option<String> {
    let one = |index| {
        reader.time(address, index).map(|(seconds, nanoseconds)| match nanoseconds {
            UTIME_NOW => "UTIME_NOW".to_owned(),
            UTIME_OMIT => "UTIME_OMIT".to_owned(),
            _ => duration(seconds, nanoseconds),
        })
    };
    Some(format!("[{}, {}]", one(0)?, one(1)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_fitting_units() {
        for (seconds, nanoseconds, text) in [
            (0, 0, "0s"),
            (1, 0, "1s"),
            (1, 500_000_000, "1.5s"),
            (0, 20_000_000, "20ms"),
            (0, 1_500_000, "1500us"),
            (0, 1, "1ns"),
            (2, 1, "2.000000001s"),
            (-1, 0, "{-1, 0}"),
            (1, NANOSECONDS, "{1, 1000000000}"),
        ] {
            assert_eq!(duration(seconds, nanoseconds), text);
        }
        assert_eq!([-1, 0, 50, 1500].map(milliseconds), ["-1", "0s", "50ms", "1.5s"]);
    }
}
